"""What of the terminal view a configuration can name, and options made of one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.theme import BUILTIN_THEMES

from layertrace.views.tui.panes.columns import Column
from layertrace.views.tui.ports import TuiOptions
from layertrace.views.tui.themes import THEMES

if TYPE_CHECKING:
    from layertrace.views.config import Config


def themes() -> frozenset[str]:
    """Return the name of every theme."""
    return frozenset({theme.name for theme in THEMES} | set(BUILTIN_THEMES))


def make_options(config: Config, *, ascii_only: bool, color: bool) -> TuiOptions:
    """Return how the view looks; ``NO_COLOR`` and its option go before a theme.

    Raises:
        UsageError: the configuration names a theme, column, action or key that there is not,
            or one key for two actions.
    """
    keys = config.keys
    config.known("theme", [config.theme] if config.theme else [], themes())
    config.known("columns", config.columns, [column.title for column in Column])
    if keys:
        # It takes every screen there is, and few users have keys of their own.
        from layertrace.views.tui.keyed import key_ids  # noqa: PLC0415
        from layertrace.views.tui.keymap import read_keys  # noqa: PLC0415

        config.known("keys", list(keys), key_ids())
        keys = read_keys(keys, config.path)
    return TuiOptions(
        ascii=ascii_only or config.ascii,
        color=color,
        theme=config.theme if color else None,
        columns=config.columns,
        keys=keys,
    )
