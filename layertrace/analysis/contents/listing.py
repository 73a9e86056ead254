"""What archives list: zips and what is made of them, tars, ``ar`` archives and Debian packages.

Members are compared by what identifies their content without unpacking it where there is such
a thing: a zip's own CRC-32 with the size. Members of a tar are hashed, they lie open.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from layertrace.analysis.contents.ar_members import ar_members
from layertrace.analysis.contents.kinds import Kind
from layertrace.analysis.contents.stored import LIMIT, Stored
from layertrace.analysis.contents.values import ListDifference, MemberChange
from layertrace.analysis.contents.zip_directory import zip_members
from layertrace.archive.compression import unpack
from layertrace.errors import LayerError, LimitError
from layertrace.layers.walk import walk_layer
from layertrace.layers.whiteout import PREFIX
from layertrace.model.limits import Limits
from layertrace.model.origin import Change

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MEMBERS: Final = 100_000
"""Members of one archive that are looked at."""
_CHANGES: Final = 10_000
"""Changes that are listed."""
_ZIPS: Final = frozenset({Kind.ZIP, Kind.JAR, Kind.WHEEL})
_ARS: Final = frozenset({Kind.AR, Kind.DEB, Kind.STATIC_LIBRARY})
LISTED: Final = _ZIPS | _ARS | {Kind.TAR}
UNPACKING: Final = Limits(
    entries=MEMBERS, names=64_000_000, pax=65_536, size=LIMIT, window=64 << 20
)
_DEB_PARTS: Final = ("control.tar", "data.tar")


@dataclass(frozen=True, slots=True)
class Member:
    """A member, and what tells its content from another."""

    size: int
    content: bytes
    mode: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """The members of an archive by path; of several with one path the last."""

    members: Mapping[str, Member]
    complete: bool


def list_members(stored: Stored | None, kind: Kind | None) -> Listing:
    """Return what an archive lists; nothing of what is absent.

    Raises:
        LimitError: a tar holds more than is looked at.
    """
    if stored is None or kind is None:
        return Listing(members={}, complete=True)
    if kind in _ZIPS:
        return _list_zip(stored)
    if kind in _ARS:
        return _list_ar(stored)
    return _list_tar(stored)


def _list_zip(stored: Stored) -> Listing:
    found, complete = zip_members(stored.read_at, stored.size, limit=MEMBERS)
    members = {
        each.name: Member(each.size, each.crc.to_bytes(4, "big"), each.mode) for each in found
    }
    return Listing(members=members, complete=complete and stored.whole)


def _list_tar(stored: Stored) -> Listing:
    walked = walk_layer(stored, name="the archive", hash_contents=True, limits=UNPACKING)
    index = walked.index
    members: dict[str, Member] = {}
    for number, path in enumerate(index.paths):
        link = index.links.get(number, "").encode("utf-8", "surrogateescape")
        kind = bytes((index.kinds[number],))
        content = walked.digests.get(number, b"") + kind + link
        members[path] = Member(index.sizes[number], content, index.modes[number])
    # To a layer these take paths away; to any other tar they are files like others.
    for path in index.whiteouts:
        folder, _, name = path.rpartition("/")
        members["/".join(filter(None, (folder, PREFIX + name)))] = Member(0, b"", 0)
    return Listing(members=members, complete=not index.damage and stored.whole)


def _list_ar(stored: Stored) -> Listing:
    found, complete = ar_members(stored.read_at, stored.size, limit=MEMBERS)
    members: dict[str, Member] = {}
    left = LIMIT
    for number, each in enumerate(found):
        inner = None
        if each.name.startswith(_DEB_PARTS) and number < len(_DEB_PARTS) + 1:
            inner = _list_packed(stored.pieces(each.offset, each.size))
        if inner is not None:
            folder = each.name.partition(".")[0]
            members |= {f"{folder}/{path}": member for path, member in inner.members.items()}
            complete = complete and inner.complete
            continue
        left -= each.size
        content = _digest(stored, each.offset, each.size) if left >= 0 else b""
        name = each.name if each.name not in members else f"{each.name} ({number + 1})"
        members[name] = Member(each.size, content, 0)
    return Listing(members=members, complete=complete and stored.whole)


def _list_packed(pieces: Iterator[bytes]) -> Listing | None:
    """Return what a packed tar lists, None where it cannot be read."""
    try:
        with Stored(unpack(pieces, "the archive", UNPACKING)) as plain:
            listing = _list_tar(plain)
    except (LayerError, LimitError):
        return None
    return listing if listing.members else None


def _digest(stored: Stored, offset: int, size: int) -> bytes:
    digest = hashlib.sha256()
    for piece in stored.pieces(offset, size):
        digest.update(piece)
    return digest.digest()


def compare_listings(old: Listing, new: Listing) -> ListDifference:
    """Return what one archive holds and the other does not."""
    before, after = old.members, new.members
    changes = [
        found
        for path in sorted(before.keys() | after.keys())
        if (found := _compare(path, before.get(path), after.get(path))) is not None
    ]
    counts = {change: sum(each.change is change for each in changes) for change in Change}
    return ListDifference(
        old_members=len(before),
        new_members=len(after),
        added=counts[Change.ADDED],
        removed=counts[Change.REMOVED],
        modified=counts[Change.MODIFIED],
        metadata=counts[Change.METADATA],
        changes=tuple(changes[:_CHANGES]),
        complete=old.complete and new.complete,
    )


def _compare(path: str, old: Member | None, new: Member | None) -> MemberChange | None:
    if old is None:
        change = Change.ADDED
    elif new is None:
        change = Change.REMOVED
    elif (old.size, old.content) != (new.size, new.content):
        change = Change.MODIFIED
    elif old.mode != new.mode:
        change = Change.METADATA
    else:
        return None
    sizes = (None if each is None else each.size for each in (old, new))
    return MemberChange(path=path, change=change, old=next(sizes), new=next(sizes))
