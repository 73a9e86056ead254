"""The user's own keys: read as ``?`` writes them, and refused where one would hide another."""

from __future__ import annotations

import string
from typing import TYPE_CHECKING, Final

from textual.binding import Binding
from textual.keys import Keys

from layertrace.errors import UsageError
from layertrace.views.tui.app import LayertraceApp
from layertrace.views.tui.bars import key_words
from layertrace.views.tui.browse import BrowseScreen
from layertrace.views.tui.history import HistoryScreen, VersionsPane
from layertrace.views.tui.panes.code import CodePane
from layertrace.views.tui.panes.files import FilesPane
from layertrace.views.tui.panes.listing import ListPane
from layertrace.views.tui.panes.map import MapPane
from layertrace.views.tui.panes.page import PagePane
from layertrace.views.tui.panes.stages import StagesPane
from layertrace.views.tui.panes.why import WhyPane
from layertrace.views.tui.picker import OffersPane, PickerScreen
from layertrace.views.tui.preview import PreviewScreen

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_TOGETHER: Final = (
    *((pane, BrowseScreen) for pane in (StagesPane, FilesPane, ListPane, MapPane)),
    *((pane, BrowseScreen) for pane in (WhyPane, CodePane)),
    *((pane, HistoryScreen) for pane in (VersionsPane, PagePane)),
    (PagePane, PreviewScreen),
    (OffersPane, PickerScreen),
)
"""What has the keys at the same time: a pane and its screen, and the program behind them."""
_MODIFIERS: Final = frozenset({"ctrl", "shift", "alt"})
_NAMED: Final = frozenset(
    {"comma", *(key.value for key in Keys if key.value[0].isalnum())}.union(
        made.key
        for sign in string.punctuation.replace(",", "")
        for made in Binding.make_bindings([Binding(sign, "")])
    )
)
"""Keys that are no letters: those of Textual, and signs by their names."""
_CAPS: Final = {"esc": "escape", "pgup": "pageup", "pgdn": "pagedown"}
"""Names that stand on keys, or that the help has for them."""


def read_keys(keys: Mapping[str, str], path: str) -> dict[str, str]:
    """Return keys by the ids of actions as Textual names them.

    Args:
        keys: as the configuration has them, with commas between several.
        path: of the configuration.

    Raises:
        UsageError: there is no such key, or another action has it in the same place.
    """
    named = {
        action: [_key_name(word.strip(), action, path) for word in text.split(",")]
        for action, text in keys.items()
    }
    for action, names in named.items():
        for name in names:
            other = _owner(name, action, named)
            if other:
                cap = key_words(name)
                raise UsageError(
                    f"{path}: keys: {cap} would be the key of {action} and of {other}",
                    hint=f'give {other} another one too: "{other}" = "…"',
                )
    return {action: ",".join(names) for action, names in named.items()}


def _key_name(word: str, action: str, path: str) -> str:
    """Return a key as Textual names it: signs have names, letters with modifiers are small."""
    *before, last = word.split("+") if len(word) > 1 else [word]
    modifiers = [each.lower() for each in before]
    if len(last) == 1:
        # What a terminal sends for a letter with Shift is a capital, for one with Ctrl a small one.
        (made,) = Binding.make_bindings([Binding(last.lower() if modifiers else last, "")])
        name = made.key
    else:
        name = _CAPS.get(last.lower(), last.lower())
    if (len(last) == 1 or name in _NAMED) and _MODIFIERS.issuperset(modifiers):
        return "+".join([*modifiers, name])
    raise UsageError(
        f"{path}: keys: {action}: there is no key {word}".rstrip(),
        hint="write keys as ? does: f, F, /, Ctrl+F, Space, PgUp, F1, and comma for a comma",
    )


def _owner(name: str, action: str, named: Mapping[str, list[str]]) -> str:
    """Return which other action has a key where ``action`` has it; empty: none."""
    for together in _TOGETHER:
        bound = {
            (named_id, key)
            for each in (*together, LayertraceApp)
            for named_id, usual in _bound(each)
            for key in named.get(named_id, [usual])
        }
        if (action, name) not in bound:
            continue
        others = sorted(each for each, key in bound if key == name and each != action)
        if others:
            return others[0]
    return ""


def _bound(keyed: type) -> Iterator[tuple[str, str]]:
    """Yield the id and each usual key of every action of a class."""
    taken: set[str] = set()
    for base in keyed.__mro__:
        bindings = tuple(Binding.make_bindings(vars(base).get("BINDINGS", ())))
        # A key of a class is no longer that of what it is made from.
        yield from ((each.id, each.key) for each in bindings if each.id and each.key not in taken)
        taken.update(each.key for each in bindings)
