"""Two versions of a file as lines of text: a unified difference, tables, or bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from layertrace.analysis.contents.values import (
    BytesDifference,
    ElfDifference,
    ListDifference,
    TextDifference,
)
from layertrace.model.origin import Change
from layertrace.views.contents.words import attribute_rows, elf_text, remarks, summary, title
from layertrace.views.tables import format_table
from layertrace.views.text import CHANGE_MARKS, plural, show_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from layertrace.analysis.contents.values import Body, ContentDifference, HexRow, Hunk

_NOTHING: Final = "/dev/null"
_NO_NEWLINE: Final = "\\ No newline at end of file"
_LONGEST: Final = 2_000
"""Characters of a line that a terminal is given: a packed script has all its text in one."""
_ROW: Final = 16


def content_lines(path: str, difference: ContentDifference, *, width: int | None) -> list[str]:
    """Return all lines; where there is no ``width``, in a pipe, none is cut."""
    lines = [title(path, difference)]
    changes = tuple(each for each in difference.attributes if each.name != "size")
    lines += format_table(
        [(f"  {name}", f"{old} → {new}") for name, old, new in attribute_rows(changes)],
        align="<<",
        width=width,
    )
    lines += (f"  {line}" for line in filter(None, [summary(difference.body)]))
    lines += (f"  {line}" for line in remarks(difference))
    return [*lines, *_body_lines(path, difference, width)]


def _body_lines(path: str, difference: ContentDifference, width: int | None) -> Iterator[str]:
    body: Body | None = difference.body
    match body:
        case TextDifference() if body.hunks:
            names = (difference.old is not None, difference.new is not None)
            yield from unified_lines(path, body, sides=names, cut=width is not None)
        case ElfDifference():
            yield from _elf_lines(body, width)
        case ListDifference():
            yield from _list_lines(body, width)
        case BytesDifference():
            yield from _hex_lines(body.rows)
        case _:
            pass


def unified_lines(
    path: str, body: TextDifference, *, sides: tuple[bool, bool], cut: bool
) -> Iterator[str]:
    """Yield what ``diff -u`` would, with what a terminal would obey made visible.

    Args:
        path: rootfs-relative.
        body: the difference.
        sides: whether the old and the new image have it.
        cut: lines of more than some thousand characters end in how many more there are.
    """
    old, new = (
        f"{side}/{show_name(path)}" if there else _NOTHING
        for side, there in zip(("old", "new"), sides, strict=True)
    )
    yield f"--- {old}"
    yield f"+++ {new}"
    for hunk in body.hunks:
        yield _hunk_head(hunk)
        for line in hunk.lines:
            yield line.mark + _shown(line.text, cut=cut)
            if not line.ended:
                yield _NO_NEWLINE


def _hunk_head(hunk: Hunk) -> str:
    old, new = (
        str(start) if count == 1 else f"{start},{count}"
        for start, count in (
            (hunk.old_start, hunk.old_count),
            (hunk.new_start, hunk.new_count),
        )
    )
    return f"@@ -{old} +{new} @@"


def _shown(text: str, *, cut: bool) -> str:
    rest = len(text) - _LONGEST if cut else 0
    end = f"… {plural(rest, 'character')} more" if rest > 0 else ""
    return "\t".join(map(show_name, text[: _LONGEST if cut else None].split("\t"))) + end


def _elf_lines(body: ElfDifference, width: int | None) -> Iterator[str]:
    for side, file in (("old", body.old), ("new", body.new)):
        if file is not None:
            yield f"  {side}: {elf_text(file)}"
    rows = [(f"  {name}", f"{old} → {new}") for name, old, new in attribute_rows(body.facts)]
    alone = body.old is None or body.new is None
    gone, come = ("  needs", "  needs") if alone else ("  needs no longer", "  needs also")
    rows += ((gone, show_name(name)) for name in body.needed_removed)
    rows += ((come, show_name(name)) for name in body.needed_added)
    yield from format_table(rows, align="<<", width=width)
    if body.sections:
        yield from _section_lines(body, width, alone=alone)
    if body.same_sections:
        yield f"  {plural(body.same_sections, 'section')} the same"


def _section_lines(body: ElfDifference, width: int | None, *, alone: bool) -> list[str]:
    if alone:
        own = ((f"  {each.old or each.new or 0:,}", _name(each.name)) for each in body.sections)
        return format_table(own, align="><", head=("  SIZE", "SECTION"), width=width)
    rows = (
        (f"  {_size(each.old)}", _size(each.new), _delta(each.old, each.new), _name(each.name))
        for each in body.sections
    )
    return format_table(rows, align=">>><", head=("  OLD", "NEW", "CHANGE", "SECTION"), width=width)


def _name(name: str) -> str:
    return show_name(name) or "(no name)"


def _size(size: int | None) -> str:
    return "-" if size is None else f"{size:,}"


def _delta(old: int | None, new: int | None) -> str:
    if old is not None and old == new:
        return "content"
    return f"{(new or 0) - (old or 0):+,}"


def _list_lines(body: ListDifference, width: int | None) -> Iterator[str]:
    yield from format_table(
        [
            (
                f"  {CHANGE_MARKS[each.change]}",
                _delta(each.old, each.new) if each.change is not Change.METADATA else "mode",
                show_name(each.path),
            )
            for each in body.changes
        ],
        align="<><",
        width=width,
    )
    rest = body.added + body.removed + body.modified + body.metadata - len(body.changes)
    if rest:
        yield f"  and {rest:,} more"


def _hex_lines(rows: tuple[HexRow, ...]) -> Iterator[str]:
    for row in rows:
        if row.old == row.new:
            yield f"  {_hex(row.offset, row.old)}"
            continue
        yield from (
            f"{mark} {_hex(row.offset, data)}"
            for mark, data in (("-", row.old), ("+", row.new))
            if data
        )


def _hex(offset: int, data: bytes) -> str:
    shown = "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in data)  # noqa: PLR2004
    return f"{offset:08x}  {data.hex(' '):<{3 * _ROW - 1}}  {shown}"
