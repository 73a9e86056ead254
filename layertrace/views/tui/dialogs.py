"""What opens over the panes: help, findings, what to copy; and the first and last screen."""

from __future__ import annotations

import shlex
from textwrap import wrap
from typing import TYPE_CHECKING, ClassVar, Final

from rich.cells import cell_len
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

from layertrace.filters.language import HELP as FILTER_HELP
from layertrace.views.findings import fact_words, finding_words, next_step, worst_first
from layertrace.views.text import show_name
from layertrace.views.tui.bars import key_words
from layertrace.views.tui.cells import crop, crop_middle, fill
from layertrace.views.tui.rows_view import HALF_PAGES, Cell, RowsView
from layertrace.views.tui.scrolling import ScrollingRows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from textual.app import ComposeResult
    from textual.dom import DOMNode

    from layertrace.model.trace import ImageHead
    from layertrace.views.tui.ports import TuiOptions

TextRow = tuple[Cell, ...]
"""A line as it is, or of two or three pieces: what leads it, words, and what may stand below."""

_NARROW: Final = 60
"""Cells below which words begin further to the left."""
_LEAD: Final = 13
"""Cells to which they then begin."""
_FILTER_FORM: Final = 21
"""Cells that a form of the filter takes before it is explained."""

_MARKS = (
    ("✔", "verified: the same content was found at the other end, or the layer is tied exactly"),
    ("≈", "inferred: declared by the Dockerfile or recorded in the history only"),
    ("?", "unknown: no evidence, or several equal candidates"),
    ("✘", "contradicted: the evidence disagrees"),
    ("+ ~ m", "added, modified, only mode, owner or time changed"),
    ("- .", "removed (its bytes still ship), untouched"),
    ("Stage", "where the bytes of a file were made; base: in the base image, context: copied in"),
    ("build?", "carried from that stage; what made it there is not known"),
    ("Lyr", "the layer of the image that holds the file; L1 is the lowest"),
)


class _Paragraphs(RowsView):
    """Lines of text, as many as it takes at this width."""

    def __init__(
        self,
        options: TuiOptions,
        rows: Sequence[TextRow],
        title: str,
        keys: str = "Esc closes",
    ) -> None:
        super().__init__(options)
        self._answers = keys
        self._paragraphs = tuple(rows)
        self._rows: list[TextRow] = list(rows)
        self._heading = title

    def on_mount(self) -> None:
        self.set_titles(self._heading, self._answers)

    def on_resize(self) -> None:
        width = max(10, self.scrollable_content_region.width)
        self._rows = [line for row in self._paragraphs for line in _wrapped(row, width)]
        self.rows_changed()

    def row_count(self) -> int:
        return len(self._rows)

    def row_cells(self, line: int, width: int) -> Iterable[Cell]:  # noqa: ARG002 - cropped by the view
        return self._rows[line]


def _wrapped(row: TextRow, width: int) -> Iterator[TextRow]:
    """Yield a row as lines that fit: its words are broken, and begin one below the other."""
    if len(row) < 2:  # noqa: PLR2004 - words alone, or none
        for text, style in row or (("", Style.null()),):
            indent = " " * (len(text) - len(text.lstrip(" ")))
            lines = _broken(text, width - 1, indent)
            yield from (((line, style),) for line in lines or [""])
        return
    (lead, bold), (words, plain), *rest = row
    if rest and sum(cell_len(text) for text, _ in row) <= width:
        yield row
        return
    if width < _NARROW:
        lead = f" {lead.strip()}".ljust(min(cell_len(lead), _LEAD))
    start = min(cell_len(lead), _LEAD) if width < _NARROW else cell_len(lead)
    if cell_len(lead) > start:
        yield ((lead, bold),)
        lead = " " * start
    below = [(line, plain) for line in _broken(words, width - start - 1, "")]
    # Cut only where a line of its own has no room for it.
    below += [(crop(text.strip(), width - start), style) for text, style in rest]
    for cell in below:
        yield (lead, bold), cell
        lead = " " * start


def _broken(words: str, width: int, indent: str) -> list[str]:
    return wrap(
        words.strip(),
        max(1, width),
        initial_indent=indent,
        subsequent_indent=indent,
        break_on_hyphens=False,
    )


class TextRows(ScrollingRows, _Paragraphs):
    """Lines to read."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "page(1)", "Page down", show=False, id="page.down"),
        *HALF_PAGES,
    ]


class TextScreen(ModalScreen[None]):
    """A page of text over the panes."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,enter", "dismiss", "Close", id="dialog.close"),
    ]

    def __init__(self, options: TuiOptions, rows: Sequence[TextRow], title: str) -> None:
        super().__init__()
        self._view = TextRows(options, rows, title)

    def compose(self) -> ComposeResult:
        yield self._view


class ConfirmScreen(ModalScreen[bool]):
    """Asks whether to go on."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "dismiss(True)", "Yes", id="confirm.yes"),
        Binding("escape,q", "dismiss(False)", "No", id="confirm.no"),
    ]

    def __init__(self, options: TuiOptions, title: str, lines: Sequence[str], answers: str) -> None:
        """Prepare the question; all texts are safe.

        Args:
            options: how it looks.
            title: on the frame.
            lines: what is asked.
            answers: the keys, in words.
        """
        super().__init__()
        rows = [((f" {line}", Style.null()),) for line in lines]
        self._view = TextRows(options, rows, title, answers)

    def compose(self) -> ComposeResult:
        yield self._view


class CopyRows(RowsView):
    """What can be copied, a row each."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,space", "choose", "Copy", id="copy.choose"),
        *HALF_PAGES,
    ]

    def __init__(self, options: TuiOptions, choices: Sequence[tuple[str, str]]) -> None:
        super().__init__(options)
        self._choices = choices

    def on_mount(self) -> None:
        self.set_titles("Copy", "Enter copies, Esc closes")

    def row_count(self) -> int:
        return len(self._choices)

    def row_cells(self, line: int, width: int) -> Iterator[Cell]:
        name, text = self._choices[line]
        lead = f" {fill(name, 8)}"
        yield lead, self.palette.dim
        # Both ends of a long command are worth seeing: what it runs, and on which path.
        words = show_name(text) or "of the content, which is read for it"
        yield crop_middle(words, width - len(lead)), Style.null()


class CopyScreen(ModalScreen[str]):
    """Asks what to copy; the answer is the exact text, none of what has to be read for it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss", "Close", id="copy.close"),
    ]

    def __init__(self, options: TuiOptions, choices: Sequence[tuple[str, str]]) -> None:
        super().__init__()
        self._texts = [text for _, text in choices]
        self._view = CopyRows(options, choices)

    def compose(self) -> ComposeResult:
        yield self._view

    def on_rows_view_chosen(self, event: RowsView.Chosen) -> None:
        self.dismiss(self._texts[event.line])


def copy_choices(
    reference: str, path: str, *, asked: Sequence[str] = (), has_content: bool = False
) -> tuple[tuple[str, str], ...]:
    """Return what can be copied of a path, each under its name; "" where it has to be read.

    Args:
        reference: of the image.
        path: in it, from the root.
        asked: options without which the command would give another answer.
        has_content: there is a digest of it.
    """
    word = shell_word(path)
    command = " ".join(["layertrace why", *map(shell_word, (*asked, reference)), word])
    digest = (("sha256", ""),) if has_content else ()
    return (("path", word), ("command", command), *digest)


def shell_word(text: str) -> str:
    r"""Return ``text`` as one word for a shell; what a terminal would obey is spelled out.

    A newline or an escape in a name would otherwise act where it is pasted.

    >>> shell_word("/app/a.js"), shell_word("/a b"), shell_word("/a\nb\udce9'")
    ('/app/a.js', "'/a b'", "$'/a\\nb\\xe9\\''")
    """
    if show_name(text) == text:
        return text if shlex.quote(text) == text else shlex.quote(text)
    raw = text.encode("utf-8", "surrogateescape")
    named = {10: "\\n", 9: "\\t", 39: "\\'", 92: "\\\\"}
    spelled = (
        named.get(byte, chr(byte) if 32 <= byte < 127 else f"\\x{byte:02x}")  # noqa: PLR2004 - printable ASCII
        for byte in raw
    )
    return f"$'{''.join(spelled)}'"


def findings_lines(head: ImageHead) -> Iterator[TextRow]:
    """Yield the findings, each with what to do about it, its code and its facts."""
    for finding in worst_first(head.findings):
        words, step = finding_words(finding), next_step(finding.code)
        yield ((f" {show_name(finding.code)}", Style(bold=True)),)
        yield ((f"   {show_name(words)}", Style.null()),)
        if step:
            yield ((f"   → {step}", Style(bold=True)),)
        for name, value in finding.facts.items():
            if name == "layer" and words != finding.message:
                # The words count it as its row does.
                continue
            said = show_name(fact_words(name, value))
            yield ((f"     {show_name(name)}: {said}", Style(dim=True)),)
        yield ()


def help_lines(nodes: Iterable[tuple[str, DOMNode]]) -> Iterator[TextRow]:
    """Yield the keys of each node under its name, and what the marks mean."""
    bold, dim = Style(bold=True), Style(dim=True)
    seen: set[str] = set()
    for name, node in nodes:
        yield ((f" {name}", bold),)
        for keys, description, id_ in _keys(node):
            if id_ in seen:
                # A key of one pane that others pass on to it.
                continue
            seen.add(id_)
            yield (
                (f"   {fill(keys, 19)}", bold),
                (fill(description, 34), Style.null()),
                (f" {id_}", dim),
            )
        yield ()
    yield ((" Marks", bold),)
    for mark, meaning in _MARKS:
        yield (f"   {fill(mark, 8)}", bold), (meaning, Style.null())
    yield ()
    yield ((" Filter", bold),)
    for line in FILTER_HELP.splitlines():
        form, meaning = line[:_FILTER_FORM], line[_FILTER_FORM:]
        yield (f"   {form}", bold), (meaning, Style.null())


def _keys(node: DOMNode) -> Iterator[tuple[str, str, str]]:
    """Yield each action of ``node`` once, with all its keys."""
    found: dict[tuple[str, str], list[str]] = {}
    ids: dict[tuple[str, str], str] = {}
    # No public way lists those of one widget, as they are with the user's own keys.
    all_bindings = node._bindings.copy()  # noqa: SLF001
    all_bindings.apply_keymap(node.app._keymap)  # noqa: SLF001
    for key, bindings in all_bindings.key_to_bindings.items():
        for binding in bindings:
            if binding.description and not binding.system and binding.id:
                what = (binding.action, binding.description)
                found.setdefault(what, []).append(key_words(key))
                ids.setdefault(what, binding.id)
    for (action, description), keys in found.items():
        yield " ".join(keys), description, ids[(action, description)]
