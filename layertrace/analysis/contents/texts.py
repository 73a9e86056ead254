"""Two texts, as a unified difference without the values of secrets.

The texts are compared as they are, so that a secret that changed is a change; what is handed on
are their lines with an ellipsis for each value. ``cat`` prints a file as it is.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from layertrace.analysis.contents.lines import Region, changed_regions
from layertrace.analysis.contents.values import Hunk, Line, TextDifference
from layertrace.analysis.secrets.files import NOTHING_NAMED, file_finder
from layertrace.analysis.secrets.search import find_hits
from layertrace.analysis.secrets.values import carried_values, is_secret_name, line_values

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from layertrace.analysis.contents.stored import Stored

TEXT_LIMIT: Final = 2 << 20
"""Bytes of a text whose lines are compared one by one."""
LINE_LIMIT: Final = 50_000
COUNT_LIMIT: Final = 32 << 20
"""Bytes of a text whose lines are counted."""
COUNTED_LINES: Final = 1_000_000
_CONTEXT: Final = 3


def compare_texts(
    old: Stored | None, new: Stored | None, encodings: tuple[str, str], path: str
) -> TextDifference | None:
    """Return how two texts differ; None where they are too long even to count, or are no texts."""
    both = [each for each in (old, new) if each is not None]
    if any(each.size > COUNT_LIMIT or not each.whole for each in both):
        return None
    counts = [_line_count(each) for each in (old, new)]
    if min(counts) < 0 or max(counts) > COUNTED_LINES:
        return None
    if max(counts) > LINE_LIMIT or any(each.size > TEXT_LIMIT for each in both):
        return _counted(old, new, counts)
    texts = [_decoded(each, encoding) for each, encoding in zip((old, new), encodings, strict=True)]
    if any("\0" in text for text in texts):
        return None
    return diff_texts(*texts, path=path)


def diff_texts(old: str, new: str, *, path: str = "") -> TextDifference:
    """Return the lines that differ, with three around them.

    Args:
        old: the one text.
        new: the other.
        path: of both, rootfs-relative: it tells which values are secret in some files.
    """
    before, after = _lines(old), _lines(new)
    regions, shortest = changed_regions(before, after)
    (old, hidden), (new, hidden_too) = without_secrets(old, path), without_secrets(new, path)
    before, after = _lines(old), _lines(new)
    return TextDifference(
        old_lines=len(before),
        new_lines=len(after),
        added=sum(each.new_end - each.new for each in regions),
        removed=sum(each.old_end - each.old for each in regions),
        hunks=tuple(_hunk(group, before, after) for group in _groups(regions)),
        shown=True,
        hidden=hidden + hidden_too,
        shortest=shortest,
    )


def without_secrets(text: str, path: str) -> tuple[str, int]:
    """Return the text, as many lines, and how many values it lost."""
    # A byte for each character, so that offsets are the text's own.
    data = text.encode("ascii", "replace")
    hits = [*find_hits(data), *carried_values(data)]
    if (find := file_finder(path)) is not None:
        # A finder stops after some, as a report does.
        named = (hit for name, hit in line_values(data) if is_secret_name(name))
        hits += [*named, *(hit for hit in find(data) if hit.doubt != NOTHING_NAMED)]
    parts: list[str] = []
    end = count = 0
    for hit in sorted(hits, key=lambda hit: hit.start):
        if hit.end <= end:
            continue
        start = max(hit.start, end)
        lines = text[start : hit.end].split("\n")
        parts += [text[end:start], "\n".join("…" if line else "" for line in lines)]
        end, count = hit.end, count + 1
    return "".join((*parts, text[end:])), count


def _line_count(stored: Stored | None) -> int:
    """Return how many lines there are; -1 for what is no text further on."""
    count, last = 0, b"\n"
    for piece in stored.pieces() if stored is not None else ():
        count += piece.count(b"\n")
        last = piece[-1:]
    return count + (last != b"\n")


def _decoded(stored: Stored | None, encoding: str) -> str:
    if stored is None:
        return ""
    # What is no character of UTF-8 keeps its byte, and shows as one.
    errors = "surrogateescape" if encoding.startswith("utf-8") else "replace"
    return b"".join(stored.pieces()).decode(encoding, errors)


def _lines(text: str) -> list[str]:
    """Return the lines with the newline that ends them: only that ends one, as in diff(1)."""
    lines = [f"{line}\n" for line in text.split("\n")]
    last = lines.pop()[:-1]
    return [*lines, last] if last else lines


def _groups(regions: Sequence[Region]) -> Iterator[list[Region]]:
    group: list[Region] = []
    for region in regions:
        if group and region.old - group[-1].old_end > 2 * _CONTEXT:
            yield group
            group = []
        group.append(region)
    if group:
        yield group


def _hunk(group: list[Region], old: list[str], new: list[str]) -> Hunk:
    first, last = group[0], group[-1]
    start = max(0, first.old - _CONTEXT)
    end = min(len(old), last.old_end + _CONTEXT)
    new_start = first.new - (first.old - start)
    new_end = last.new_end + (end - last.old_end)
    lines: list[Line] = []
    at = start
    for region in group:
        lines += (_line(" ", line) for line in old[at : region.old])
        lines += (_line("-", line) for line in old[region.old : region.old_end])
        lines += (_line("+", line) for line in new[region.new : region.new_end])
        at = region.old_end
    lines += (_line(" ", line) for line in old[at:end])
    return Hunk(
        old_start=start + (end > start),
        old_count=end - start,
        new_start=new_start + (new_end > new_start),
        new_count=new_end - new_start,
        lines=tuple(lines),
    )


def _line(mark: str, line: str) -> Line:
    return Line(mark=mark, text=line.removesuffix("\n"), ended=line.endswith("\n"))


def _counted(old: Stored | None, new: Stored | None, counts: list[int]) -> TextDifference:
    balance: Counter[int] = Counter()
    for stored, step in ((old, -1), (new, 1)):
        for line in _whole_lines(stored):
            balance[hash(line)] += step
    return TextDifference(
        old_lines=counts[0],
        new_lines=counts[1],
        added=sum(count for count in balance.values() if count > 0),
        removed=-sum(count for count in balance.values() if count < 0),
        hunks=(),
        shown=False,
        hidden=0,
        shortest=True,
    )


def _whole_lines(stored: Stored | None) -> Iterator[bytes]:
    rest = b""
    for piece in stored.pieces() if stored is not None else ():
        *lines, rest = (rest + piece).split(b"\n")
        yield from lines
    if rest:
        yield rest
