"""A line that is typed on: whatever stands in it, a terminal obeys none of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.cells import cell_len
from textual.reactive import reactive
from textual.widgets import Input

from layertrace.views.text import show_name

if TYPE_CHECKING:
    from rich.text import Text

_UNSAFE: Final = "?"
"""As ls draws what is no graphic character."""


class Entry(Input):
    """An input that draws a sign for each character that a terminal would obey or hide.

    A name of a file, of a stage or of a package may stand in it, put there by
    completion or pasted; Textual would draw it as it is. Cell for cell, so that
    the cursor stands where it acts. It does not blink: what nobody touches sends nothing.
    """

    cursor_blink = reactive(default=False, init=False)

    @property
    def _value(self) -> Text:
        # Textual has no other place at which what is drawn may differ from what was typed.
        text = super()._value
        shown = "".join(
            character if show_name(character) == character else _UNSAFE for character in text.plain
        )
        if shown != text.plain:
            text.plain = shown
        return text

    def cell_of(self, index: int) -> int:
        """Return where on the line a character is drawn; 0 for one that is scrolled away."""
        return max(0, cell_len(self._value.plain[:index]) - round(self.scroll_x))
