"""Which secrets an image ships: in every file it stores, in its variables and its history.

A file that a later layer removed is still in the image for everybody who pulls it. No value
leaves this module: matches say what kind of secret lies where, and how long it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from layertrace.analysis.audit.scanning import FIRST_PART, scan_contents
from layertrace.analysis.audit.secret_lines import RecordedPlaces, of_layer
from layertrace.analysis.secrets.files import file_finder
from layertrace.analysis.secrets.places import doubt_of_place
from layertrace.analysis.secrets.recorded import recorded_secrets
from layertrace.analysis.secrets.search import find_hits
from layertrace.model.entry import EntryKind
from layertrace.rootfs.places import STRIDE, Place
from layertrace.rootfs.squash import content_number

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from layertrace.analysis.audit.scanning import Content
    from layertrace.analysis.secrets.files import Find
    from layertrace.analysis.secrets.hits import Hit
    from layertrace.layers.index import LayerIndex
    from layertrace.model.audit import Match
    from layertrace.pipeline.answers import ImageTrace

MOST: Final = 10_000
"""Matches that are kept; a hostile image may hold any number."""
_HEAD: Final = 8192
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")
_HARDLINK: Final = int(EntryKind.HARDLINK)
_LINES: Final = 3
"""Lines of one file that a match names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    """What was found, and how much was looked at."""

    matches: tuple[Match, ...] = ()
    """By path, layer and kind; those of the configuration last."""
    doubtful: tuple[Match, ...] = ()
    """What is likely an example, a test's key or public; ``detail`` says why."""
    files: int = 0
    """Stored files with content."""
    binary: int = 0
    """Of them: not text, so that only name and kind of file were looked at."""
    cut: int = 0
    """Of them: text of which only the first part was looked at."""
    unreadable: int = 0
    """Of them: could not be read."""
    more: int = 0
    """Matches beyond those kept."""


class SecretScanner:
    """Looks for secrets in the contents that a pass over the image shows it."""

    def __init__(self, trace: ImageTrace) -> None:
        """Find nothing yet."""
        self._trace = trace
        self._layers = trace.sized_head.layers
        self._promoted = {
            Place(trace.rootfs.seen[path] // STRIDE, number): path
            for path, number in trace.rootfs.promoted.items()
        }
        self._by_link = _finders_by_link(trace.rootfs.layers)
        self._matches: list[Match] = []
        self._doubtful: list[Match] = []
        self._files = self._binary = self._cut = self._unreadable = self._more = 0

    def see(self, content: Content) -> None:
        """Look at one stored file."""
        self._files += 1
        find = file_finder(content.path) or self._by_link.get(content.place)
        head = content.first(_HEAD)
        wide = head.startswith(_UTF16)
        if b"\0" in head and not wide:
            self._binary += 1
            hits = [] if find is None else list(find(content.first(FIRST_PART)))
            data = b""
        else:
            data = content.first(FIRST_PART)
            self._cut += content.size > FIRST_PART
            if wide:
                # Good enough: what is secret is ASCII in any script.
                data = data.replace(b"\0", b"")
            named = [] if find is None else list(find(data))
            hits = _without_twins(find_hits(data), named)
        self._unreadable += content.unreadable
        if hits:
            self._keep(content, data, hits)

    def result(self) -> Secrets:
        """Return all that was found, and what the configuration holds."""
        sure: list[Match] = []
        doubtful: list[Match] = []
        places = RecordedPlaces(self._trace)
        for recorded in recorded_secrets(self._trace.sized_head.image.config):
            match = places.match(recorded, _words(recorded.hit, recorded.hit.doubt))
            (doubtful if recorded.hit.doubt else sure).append(match)
        return Secrets(
            matches=(*sorted(self._matches, key=_order), *sure),
            doubtful=(*sorted(self._doubtful, key=_order), *doubtful),
            files=self._files,
            binary=self._binary,
            cut=self._cut,
            unreadable=self._unreadable,
            more=self._more,
        )

    def _keep(self, content: Content, data: bytes, hits: Iterable[Hit]) -> None:
        """Keep one match for each kind of secret in a file."""
        groups: dict[tuple[str, str], list[Hit]] = {}
        for hit in hits:
            doubt = hit.doubt or doubt_of_place(content.path, hit)
            groups.setdefault((hit.kind, doubt), []).append(hit)
        seen = self._trace.rootfs.place(content.path) == content.place
        path = content.path if seen else self._promoted.get(content.place, content.path)
        for (_, doubt), some in groups.items():
            kept = self._doubtful if doubt else self._matches
            if len(kept) >= MOST:
                self._more += 1
                continue
            detail = _detail(data, some, doubt)
            visible = seen or content.place in self._promoted
            kept.append(
                of_layer(
                    self._layers[content.place.layer], path=path, visible=visible, detail=detail
                )
            )


def search_secrets(trace: ImageTrace) -> Secrets:
    """Return the secrets that an image ships, the doubtful ones, and what was looked at.

    Raises:
        LayertraceError: a layer cannot be read.
    """
    scanner = SecretScanner(trace)
    scan_contents(trace, [scanner])
    return scanner.result()


def _finders_by_link(layers: Sequence[LayerIndex]) -> dict[Place, Find]:
    """Return what looks into files that another name, a hard link, tells of.

    Which of its names a file is stored under is the order of its tar, no more.
    """
    found: dict[Place, Find] = {}
    for layer, index in enumerate(layers):
        for number in index.links:
            if index.kinds[number] != _HARDLINK:
                continue
            find = file_finder(index.paths[number])
            content = None if find is None else content_number(index, number)
            if find is not None and content is not None:
                found.setdefault(Place(layer, content), find)
    return found


def _without_twins(formed: Iterable[Hit], named: list[Hit]) -> list[Hit]:
    """Return all hits, a token that a file's own format names only by its form."""
    hits = list(formed)
    spans = [(hit.start, hit.end) for hit in hits]
    return hits + [
        hit for hit in named if not any(start < hit.end and hit.start < end for start, end in spans)
    ]


def _detail(data: bytes, hits: list[Hit], doubt: str) -> str:
    first = hits[0]
    lines = list(dict.fromkeys(data.count(b"\n", 0, hit.start) + 1 for hit in hits if hit.end))
    where = ""
    if lines:
        some = ", ".join(map(str, lines[:_LINES]))
        where = f", line{'s' if len(lines) > 1 else ''} {some}"
        where += f" and {len(lines) - _LINES} more" if len(lines) > _LINES else ""
    return f"{first.kind}{where}{_shape(first)}{f'; {doubt}' if doubt else ''}"


def _words(hit: Hit, doubt: str) -> str:
    return f"{hit.kind}{_shape(hit)}{f'; {doubt}' if doubt else ''}"


def _shape(hit: Hit) -> str:
    return f" ({hit.shape})" if hit.shape else ""


def _order(match: Match) -> tuple[str, int, str]:
    return (match.path or "", -1 if match.layer is None else match.layer, match.detail)
