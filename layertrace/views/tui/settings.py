"""What of the terminal view a configuration can name, and options made of one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from textual.binding import Binding
from textual.theme import BUILTIN_THEMES

from layertrace.views.tui.app import LayertraceApp
from layertrace.views.tui.asking import AskScreen
from layertrace.views.tui.browse import BrowseScreen
from layertrace.views.tui.chooser import ColumnsScreen
from layertrace.views.tui.dialogs import ConfirmScreen, CopyRows, CopyScreen, TextScreen
from layertrace.views.tui.history import HistoryScreen, VersionsPane
from layertrace.views.tui.panes.code import CodePane
from layertrace.views.tui.panes.columns import Column
from layertrace.views.tui.panes.files import FilesPane
from layertrace.views.tui.panes.listing import ListPane
from layertrace.views.tui.panes.page import PagePane
from layertrace.views.tui.panes.stages import StagesPane
from layertrace.views.tui.panes.why import WhyPane
from layertrace.views.tui.picker import NarrowInput, OffersPane, PickerScreen
from layertrace.views.tui.ports import TuiOptions
from layertrace.views.tui.preview import PreviewScreen
from layertrace.views.tui.reporting import WritingScreen
from layertrace.views.tui.startup import FailedScreen, OpeningScreen
from layertrace.views.tui.themes import THEMES

if TYPE_CHECKING:
    from layertrace.views.config import Config

_KEYED: Final = (
    LayertraceApp, BrowseScreen, StagesPane, FilesPane, ListPane, WhyPane, CodePane,
    AskScreen, ColumnsScreen, CopyScreen, CopyRows, TextScreen, PagePane,
    PreviewScreen, HistoryScreen, VersionsPane, ConfirmScreen,
    PickerScreen, OffersPane, NarrowInput, OpeningScreen, FailedScreen, WritingScreen,
)  # fmt: skip


def key_ids() -> frozenset[str]:
    """Return the id of every action that has keys."""
    return frozenset(
        binding.id
        for keyed in _KEYED
        for base in keyed.__mro__
        for binding in vars(base).get("BINDINGS", ())
        if isinstance(binding, Binding) and binding.id
    )


def themes() -> frozenset[str]:
    """Return the name of every theme."""
    return frozenset({theme.name for theme in THEMES} | set(BUILTIN_THEMES))


def make_options(config: Config, *, ascii_only: bool, color: bool) -> TuiOptions:
    """Return how the view looks; ``NO_COLOR`` and its option go before a theme.

    Raises:
        UsageError: the configuration names a theme, column or action that there is not.
    """
    config.known("theme", [config.theme] if config.theme else [], themes())
    config.known("columns", config.columns, [column.title for column in Column])
    config.known("keys", list(config.keys), key_ids())
    return TuiOptions(
        ascii=ascii_only or config.ascii,
        color=color,
        theme=config.theme if color else None,
        columns=config.columns,
        keys=config.keys,
    )
