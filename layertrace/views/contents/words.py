"""What two versions of a file are and have, in words."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from layertrace.analysis.contents.kinds import Kind
from layertrace.analysis.contents.values import (
    BytesDifference,
    ElfDifference,
    ListDifference,
    TextDifference,
    Withheld,
)
from layertrace.model.entry import EntryKind
from layertrace.views.text import plural, show_name, show_size

if TYPE_CHECKING:
    from layertrace.analysis.contents.elf import Elf
    from layertrace.analysis.contents.values import (
        AttributeChange,
        Body,
        ContentDifference,
        Held,
    )

_MEBI: Final = 1 << 20
_LAST_TIME: Final = 253_402_300_799
_NAMES: Final = {
    "link_target": "links to",
    "build_id": "build id",
    "interpreter": "loader",
    "symbol_bytes": "symbols",
    "debug_bytes": "debug information",
}
_SIZES: Final = frozenset({"size", "symbol_bytes", "debug_bytes"})


def status(difference: ContentDifference) -> str:
    """Return how the path differs: the words of a difference of images, or ``same``."""
    if difference.old is None:
        return "added"
    if difference.new is None:
        return "removed"
    names = {change.name for change in difference.attributes}
    if "type" in names:
        return "type"
    if difference.body is not None or difference.same_unpacked or names & {"size", "link_target"}:
        return "modified"
    return "metadata" if names else "same"


def what(held: Held) -> str:
    """Return what a path is: ``script for python3``, ``text, iso8859-1``, ``symlink``."""
    nature = held.nature
    if nature is None:
        return held.item.kind.word
    if nature.interpreter is not None:
        return f"script for {show_name(nature.interpreter)}"
    if nature.kind is Kind.TEXT and nature.encoding not in {None, "utf-8"}:
        return f"text, {nature.encoding}"
    return nature.kind.value


def title(path: str, difference: ContentDifference) -> str:
    """Return the line that stands above everything."""
    old, new = difference.old, difference.new
    sides = _sides(difference)
    kinds = list(dict.fromkeys(what(each) for each in sides))
    sizes = {each.item.size: show_size(each.item.size) for each in sides if each.nature is not None}
    parts = [f"/{show_name(path)}", status(difference), " → ".join(kinds)]
    if sizes:
        parts.append(" → ".join(sizes.values()))
    if old is not None and new is not None and old.item.size != new.item.size:
        delta = new.item.size - old.item.size
        parts.append(f"{delta:+,} {'byte' if abs(delta) == 1 else 'bytes'}")
    return "  ".join(parts)


def _sides(difference: ContentDifference) -> list[Held]:
    return [each for each in (difference.old, difference.new) if each is not None]


def attribute_rows(changes: tuple[AttributeChange, ...]) -> list[tuple[str, str, str]]:
    """Return names and both values; a size is in the title."""
    return [
        (
            _NAMES.get(change.name, change.name),
            _value(change.name, change.old),
            _value(change.name, change.new),
        )
        for change in changes
    ]


def _value(name: str, value: int | str | None) -> str:
    if value is None or value == "":
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return show_name(value)
    if name == "mode":
        return f"{value:04o}"
    if name == "mtime":
        return _time(value)
    return f"{value:,} bytes" if name in _SIZES else str(value)


def _time(seconds: int) -> str:
    # A tar may hold years that no calendar of ours has.
    if not 0 <= seconds <= _LAST_TIME:
        return str(seconds)
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")


def remarks(difference: ContentDifference) -> list[str]:
    """Return what has to be said about the comparison itself."""
    lines: list[str] = []
    if difference.compared is not None:
        lines.append(f"only the first {difference.compared // _MEBI:,} MiB of each were compared")
    if difference.same_unpacked:
        lines.append("packed otherwise, and the same when unpacked")
    elif difference.unpacked is not None:
        lines.append(f"unpacked: {difference.unpacked.value}")
    if all(each.item.kind is EntryKind.DIR for each in _sides(difference)):
        lines.append("what changed below it: diff with --files and a --filter, without a path")
    return lines + _body_remarks(difference.body)


def _body_remarks(body: Body | None) -> list[str]:
    match body:
        case TextDifference():
            return _text_remarks(body)
        case ListDifference() if not body.complete:
            return ["not all members are listed: an archive is damaged, or has too many"]
        case ElfDifference():
            files = (body.old, body.new)
            return [
                f"the {side} file is cut short, or its headers are wrong"
                for side, file in zip(("old", "new"), files, strict=True)
                if file is not None and not file.complete
            ]
        case Withheld():
            return [body.reason]
        case _:
            return []


def _text_remarks(body: TextDifference) -> list[str]:
    lines: list[str] = []
    if not body.shown:
        lines.append("too long to be shown line by line")
    elif not body.hunks:
        lines.append("the same lines, encoded otherwise")
    if body.hidden:
        lines.append(f"… stands for {plural(body.hidden, 'secret value')}")
    if not body.shortest:
        lines.append("parts are shown as replaced whole: what they share would take long to find")
    return lines


def summary(body: Body | None) -> str:
    """Return a body in one line; ``""`` where the rest says all."""
    match body:
        case TextDifference():
            return (
                f"{plural(body.added, 'line')} added, {body.removed:,} removed:"
                f" {body.old_lines:,} → {body.new_lines:,}"
            )
        case ListDifference():
            moded = f", {body.metadata:,} with another mode" if body.metadata else ""
            return (
                f"{plural(body.added, 'member')} added, {body.removed:,} removed,"
                f" {body.modified:,} modified{moded}: {body.old_members:,} → {body.new_members:,}"
            )
        case BytesDifference():
            return (
                f"first difference at byte {body.first:,} ({body.first:#x});"
                f" {body.differing:,} of {plural(body.compared, 'byte')} that both have differ"
            )
        case _:
            return ""


def elf_text(file: Elf) -> str:
    """Return what an ELF file is, in one line."""
    parts = [file.kind.value, file.machine, f"{file.bits} bits", f"{file.endian} endian"]
    if file.soname is not None:
        parts.append(f"soname {show_name(file.soname)}")
    if file.interpreter is not None:
        parts.append(f"loader {show_name(file.interpreter)}")
    if file.build_id is not None:
        parts.append(f"build id {file.build_id}")
    parts.append("stripped" if file.stripped else f"symbols {show_size(file.symbol_bytes)}")
    if file.debug_bytes:
        parts.append(f"debug information {show_size(file.debug_bytes)}")
    return ", ".join(parts)
