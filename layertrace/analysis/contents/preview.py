"""What one content is and holds, as far as people look at it: its beginning, and what it lists.

Of most contents the first bytes are taken and nothing more is read. Programs and archives have
their tables at the end, so they are put aside whole, in a file that vanishes, up to a limit;
what is packed is unpacked, once. The kind is told by content, never by a name.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Final

from layertrace.analysis.contents.certificates import certificates_of
from layertrace.analysis.contents.elf import read_elf
from layertrace.analysis.contents.kinds import HEAD, TAIL, Kind, recognise
from layertrace.analysis.contents.listing import LISTED, UNPACKING, list_members
from layertrace.analysis.contents.pictures import Picture, picture_of
from layertrace.analysis.contents.stored import LIMIT, Stored
from layertrace.archive.compression import unpack
from layertrace.errors import LayerError, LimitError
from layertrace.model.entry import EntryKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from layertrace.analysis.contents.certificates import Certificate
    from layertrace.analysis.contents.compare import Given
    from layertrace.analysis.contents.elf import Elf
    from layertrace.analysis.contents.kinds import Nature
    from layertrace.provenance.trees import Item

SHOWN: Final = 4 << 20
"""First bytes of a content that are shown."""
PACKED: Final = frozenset({Kind.GZIP, Kind.XZ, Kind.BZIP2, Kind.ZSTD, Kind.LZ4})
_WHOLE: Final = LISTED | PACKED | {Kind.ELF}


@dataclass(frozen=True, slots=True, kw_only=True)
class Members:
    """What an archive lists."""

    sizes: tuple[tuple[str, int], ...]
    """Path and size of each member, in the order of the archive."""
    complete: bool
    """False: it is damaged, or has more than are looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """One content."""

    nature: Nature
    data: bytes
    """The first bytes."""
    whole: bool
    """True: those are all."""
    elf: Elf | None = None
    members: Members | None = None
    picture: Picture | None = None
    certificates: tuple[Certificate, ...] = ()
    inner: Looked | None = None
    """What it holds unpacked; None for what is not packed, or cannot be unpacked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """A path in one layer."""

    item: Item
    looked: Looked | None
    """None for anything but a regular file."""


def look_into(given: Given, *, shown: int = SHOWN, limit: int = LIMIT) -> Preview:
    """Return what a path is and begins with.

    Args:
        given: the path; its content is read no further than needed.
        shown: first bytes that are kept.
        limit: bytes of a program or an archive that are looked at.

    Raises:
        StorageError: there is no room to put a content aside; and what ``given.pieces`` raise.
    """
    if given.item.kind is not EntryKind.FILE:
        return Preview(item=given.item, looked=None)
    return Preview(item=given.item, looked=_look(given.pieces, shown, limit, unpacking=True))


def _look(pieces: Iterable[bytes], shown: int, limit: int, *, unpacking: bool) -> Looked:
    head, rest = _peek(iter(pieces))
    kind = recognise(head).kind
    taken = limit if kind in _WHOLE else shown
    with Stored(chain((head,), rest), limit=max(taken, shown)) as stored:
        nature = recognise(head, _tail(stored))
        return Looked(
            nature=nature,
            data=stored.read_at(0, shown),
            whole=stored.whole and stored.size <= shown,
            elf=read_elf(stored.read_at, stored.size) if kind is Kind.ELF else None,
            members=_members(stored, nature.kind) if kind in LISTED else None,
            picture=picture_of(stored.read_at(0, shown)),
            certificates=_certificates(stored.read_at(0, shown), nature.kind),
            inner=_unpacked(stored, shown, limit) if kind in PACKED and unpacking else None,
        )


def _peek(pieces: Iterator[bytes]) -> tuple[bytes, Iterator[bytes]]:
    """Return at least the bytes that tell a kind, and what comes after."""
    head = b""
    for piece in pieces:
        head += piece
        if len(head) >= HEAD:
            break
    return head, pieces


def _tail(stored: Stored) -> bytes:
    return stored.read_at(max(0, stored.size - TAIL), TAIL) if stored.whole else b""


def _members(stored: Stored, kind: Kind) -> Members | None:
    try:
        listing = list_members(stored, kind)
    except LimitError:
        return None
    if not listing.members:
        return None
    sizes = tuple((path, member.size) for path, member in listing.members.items())
    return Members(sizes=sizes, complete=listing.complete)


def _certificates(data: bytes, kind: Kind) -> tuple[Certificate, ...]:
    # In DER one is no more than bytes.
    return certificates_of(data) if kind.textual or kind is Kind.BINARY else ()


def _unpacked(stored: Stored, shown: int, limit: int) -> Looked | None:
    try:
        return _look(
            unpack(stored.pieces(), "the content", UNPACKING), shown, limit, unpacking=False
        )
    except (LayerError, LimitError):
        return None
