"""The first screen where no image was named: what can be opened."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

from rich.style import Style
from textual import on
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Input

from layertrace.views.picking.rows import Offers, list_offers
from layertrace.views.text import show_name
from layertrace.views.tui.background import Background
from layertrace.views.tui.bars import KeyBar, Line
from layertrace.views.tui.entry import Entry
from layertrace.views.tui.panes.listing import ListPane
from layertrace.views.tui.rows_view import RowsView
from layertrace.views.tui.startup import Card, error_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult

    from layertrace.errors import LayertraceError
    from layertrace.views.picking.offers import Kind, Offer
    from layertrace.views.tui.ports import Picking, TuiOptions


_PURPOSE: Final = "  where each file of a container image comes from"
"""What this is good for: whoever sees this screen may not have seen another yet."""


class OffersPane(ListPane):
    """What can be opened, narrowed by what is typed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        # The tree it would be shown in for any other list is that of the image, once it is open.
        Binding("enter", "choose", "Open", id="picker.open"),
    ]

    def __init__(self, options: TuiOptions) -> None:
        super().__init__(options, id="offers")
        self._lines: Sequence[Offer | None] = ()
        self._offers = Offers(of={}, notes={})

    @property
    def offer(self) -> Offer | None:
        """What the cursor is on; None: a heading."""
        # By its reference: folded groups have fewer lines than there are offers.
        row = self.current
        found = (each for each in self._lines if each is not None and row is not None)
        return next((each for each in found if row and each.reference == row.path), None)

    def offer_all(self, offers: Offers, typed: str) -> None:
        """Show other offers; the cursor stays on its own, else goes to the first."""
        before, first = self.offer, not self._lines
        self._offers = offers
        listing, self._lines = list_offers(offers, typed)
        self.show(listing)
        self.set_titles(listing.title, listing.summary)
        kept = [n for n, each in enumerate(self._lines) if each is not None and each == before]
        usable = [n for n, each in enumerate(self._lines) if each is not None]
        if kept and not first:
            self.place_cursor(kept[0])
        elif usable:
            self.place_cursor(usable[0])


class NarrowInput(Entry):
    """What the names have to hold."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,down", "leave", "To the images", key_display="Enter", id="picker.done"),
        Binding("escape", "clear", "Clear", id="picker.clear"),
    ]

    def action_leave(self) -> None:
        self.screen.query_one(OffersPane).focus()

    def action_clear(self) -> None:
        self.value = ""
        self.display = False
        self.action_leave()


class PickerScreen(Screen[None]):
    """Asks which image to open, and says what was wrong with the last one."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash,ctrl+f", "narrow", "Narrow", id="picker.narrow"),
        Binding("r", "look", "Look again", id="picker.look"),
        Binding("escape", "back", "Back", show=False, id="picker.back"),
        Binding("question_mark", "help", "Help", id="browse.help"),
    ]

    @dataclass
    class Picked(Message):
        """An image is to be opened."""

        reference: str

    def __init__(self, options: TuiOptions, picking: Picking) -> None:
        super().__init__()
        self.options = options
        self._picking = picking
        self._found: dict[Kind, tuple[Offer, ...] | None] = {}
        self._notes: dict[Kind, str] = {}
        self._steps: dict[Kind, str] = {}
        self._scout: Background
        """Looks for images: the engine may take its time, and a folder too."""

    def compose(self) -> ComposeResult:
        head = Line(self.options, id="picker-head")
        head.write([(" layertrace", Style(bold=True)), (_PURPOSE, Style.null())])
        yield head
        yield Card(self.options, "", ())
        yield OffersPane(self.options)
        yield NarrowInput(id="narrow", placeholder="part of a name", select_on_focus=False)
        yield KeyBar(self.options)

    def on_mount(self) -> None:
        self.query_one(Card).display = False
        self.query_one(NarrowInput).display = False
        self._scout = Background(self.app.call_later, "layertrace-scout")
        self.action_look()
        self.query_one(OffersPane).focus()

    def on_unmount(self) -> None:
        self._scout.close()

    def action_look(self) -> None:
        """Look for images, in the order in which they are on view."""
        for kind, look in self._picking.look.items():
            self._found[kind] = None
            self._notes.pop(kind, None)
            self._steps.pop(kind, None)

            def done(offers: tuple[Offer, ...], kind: Kind = kind) -> None:
                self._found[kind] = offers
                self._show()

            def failed(error: LayertraceError, kind: Kind = kind) -> None:
                self._found[kind] = ()
                self._notes[kind] = show_name(error.what)
                self._steps[kind] = show_name(error.hint)
                self._show()

            self._scout.submit(kind.value, look, done, failed)
        self._show()

    def _show(self) -> None:
        offers = Offers(of=dict(self._found), notes=dict(self._notes), steps=dict(self._steps))
        self.query_one(OffersPane).offer_all(offers, self.query_one(NarrowInput).value)

    def say_failed(self, reference: str, error: LayertraceError) -> None:
        """Show over the list why an image could not be opened."""
        name = show_name(reference, ascii_only=self.options.ascii)
        card, (_, *lines) = self.query_one(Card), error_lines(error)
        card.say(f"Cannot open {name}", lines)
        card.set_titles(f"Cannot open {name}", "Esc closes")

    @on(RowsView.Chosen, "#offers")
    def _pick(self) -> None:
        offer = self.query_one(OffersPane).offer
        if offer is not None:
            self.query_one(Card).display = False
            self.post_message(self.Picked(offer.reference))

    def action_narrow(self) -> None:
        entry = self.query_one(NarrowInput)
        entry.display = True
        entry.focus()

    @on(Input.Changed)
    def _narrow(self, event: Input.Changed) -> None:
        event.stop()
        self._show()

    def action_help(self) -> None:
        from layertrace.views.tui.dialogs import TextScreen, help_lines  # noqa: PLC0415

        panes = ("Images that can be opened", self.query_one(OffersPane))
        nodes = [panes, ("Everywhere here", self), ("Program", self.app)]
        self.app.push_screen(TextScreen(self.options, tuple(help_lines(nodes)), "Help"))

    async def action_back(self) -> None:
        """Take the error away, then what was typed, then leave."""
        card, entry = self.query_one(Card), self.query_one(NarrowInput)
        if card.display:
            card.display = False
        elif entry.display:
            entry.action_clear()
        else:
            await self.app.run_action("quit")
