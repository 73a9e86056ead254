"""Every action of the terminal view that has keys, by its id."""

from __future__ import annotations

from typing import Final

from textual.binding import Binding

from layertrace.views.tui.app import LayertraceApp
from layertrace.views.tui.asking import AskScreen
from layertrace.views.tui.browse import BrowseScreen
from layertrace.views.tui.chooser import ColumnsScreen
from layertrace.views.tui.dialogs import ConfirmScreen, CopyRows, CopyScreen, TextScreen
from layertrace.views.tui.history import HistoryScreen, VersionsPane
from layertrace.views.tui.panes.code import CodePane
from layertrace.views.tui.panes.files import FilesPane
from layertrace.views.tui.panes.listing import ListPane
from layertrace.views.tui.panes.page import PagePane
from layertrace.views.tui.panes.stages import StagesPane
from layertrace.views.tui.panes.why import WhyPane
from layertrace.views.tui.picker import NarrowInput, OffersPane, PickerScreen
from layertrace.views.tui.preview import PreviewScreen
from layertrace.views.tui.startup import FailedScreen, OpeningScreen
from layertrace.views.tui.writing import WritingScreen

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
