"""Two versions of one path: which way of comparing fits them, and what it finds.

The contents decide by what they are, never the name. What fits both is tried first; where it
finds out that a file is not what its beginning says, the next simpler way is taken, and bytes can
always be compared.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from layertrace.analysis.contents.bytewise import compare_bytes
from layertrace.analysis.contents.elf_difference import compare_elf
from layertrace.analysis.contents.kinds import HEAD, TAIL, Kind, Nature, recognise
from layertrace.analysis.contents.listing import (
    LISTED,
    UNPACKING,
    compare_listings,
    list_members,
)
from layertrace.analysis.contents.stored import LIMIT, Stored
from layertrace.analysis.contents.texts import compare_texts
from layertrace.analysis.contents.values import (
    AttributeChange,
    Body,
    ContentDifference,
    Held,
    Withheld,
)
from layertrace.analysis.secrets.files import file_finder
from layertrace.archive.compression import unpack
from layertrace.errors import LayerError, LimitError
from layertrace.model.entry import EntryKind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from layertrace.provenance.trees import Item

_PACKED: Final = frozenset({Kind.GZIP, Kind.XZ, Kind.BZIP2, Kind.ZSTD, Kind.LZ4})
_ATTRIBUTES: Final = ("size", "mode", "uid", "gid", "mtime", "link_target")
_KEY: Final = "the content of a private key is not shown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """One side of a comparison."""

    item: Item
    pieces: Iterable[bytes] = ()
    """The content of a regular file; read once, to its end or to a limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pair:
    """Contents to compare; None is absent."""

    old: Stored | None
    new: Stored | None
    old_nature: Nature | None
    new_nature: Nature | None

    @property
    def kinds(self) -> frozenset[Kind]:
        """What they are; anything goes with what is empty."""
        natures = (self.old_nature, self.new_nature)
        return frozenset(each.kind for each in natures if each is not None) - {Kind.EMPTY}


def compare_contents(
    old: Given | None, new: Given | None, *, path: str = "", limit: int = LIMIT
) -> ContentDifference:
    """Return how two versions of a path differ; one may be absent.

    Contents are put aside, in memory or in temporary files, up to ``limit`` bytes each. The
    ``path``, rootfs-relative, tells where values are secret that look like any others.

    Raises:
        StorageError: there is no room for them; and what ``pieces`` raise.
    """
    with ExitStack() as stack:
        pair = _pair(
            *(None if each is None else _stored(stack, each, limit) for each in (old, new))
        )
        difference = compare_bytes(pair.old, pair.new)
        both = pair.old is not None and pair.new is not None
        cut = any(each is not None and not each.whole for each in (pair.old, pair.new))
        comparing = difference is not None and _comparable(old, new)
        inner = _unpack_pair(stack, pair) if comparing and pair.kinds <= _PACKED else None
        same_unpacked = inner is not None and _same(inner)
        body = None if not comparing or same_unpacked else _body(inner or pair, path)
        return ContentDifference(
            old=_held(old, pair.old_nature),
            new=_held(new, pair.new_nature),
            attributes=tuple(_attributes(old, new)),
            same=both and difference is None,
            compared=limit if cut else None,
            unpacked=None if inner is None else _inner_kind(inner),
            same_unpacked=same_unpacked,
            body=body,
        )


def _stored(stack: ExitStack, given: Given, limit: int) -> Stored | None:
    if given.item.kind is not EntryKind.FILE:
        return None
    return stack.enter_context(Stored(given.pieces, limit=limit))


def _pair(old: Stored | None, new: Stored | None) -> _Pair:
    natures = (None if each is None else _nature(each) for each in (old, new))
    return _Pair(old=old, new=new, old_nature=next(natures), new_nature=next(natures))


def _nature(stored: Stored) -> Nature:
    tail = stored.read_at(max(0, stored.size - TAIL), TAIL) if stored.whole else b""
    return recognise(stored.read_at(0, HEAD), tail)


def _held(given: Given | None, nature: Nature | None) -> Held | None:
    return None if given is None else Held(item=given.item, nature=nature)


def _comparable(old: Given | None, new: Given | None) -> bool:
    """Whether there are contents to compare: of a file that became a link there is one."""
    return all(each is None or each.item.kind is EntryKind.FILE for each in (old, new))


def _attributes(old: Given | None, new: Given | None) -> Iterable[AttributeChange]:
    if old is None or new is None:
        return
    one, other = old.item, new.item
    if one.kind is not other.kind:
        yield AttributeChange(name="type", old=one.kind.word, new=other.kind.word)
    for name in _ATTRIBUTES:
        before, after = getattr(one, name), getattr(other, name)
        if before != after:
            yield AttributeChange(name=name, old=before, new=after)
    if one.capability != other.capability:
        texts = (
            None if each is None else each.hex() for each in (one.capability, other.capability)
        )
        yield AttributeChange(name="capability", old=next(texts), new=next(texts))


def _unpack_pair(stack: ExitStack, pair: _Pair) -> _Pair | None:
    """Return what two packed contents hold, None where one cannot be unpacked."""
    unpacked: list[Stored | None] = []
    for stored in (pair.old, pair.new):
        if stored is None or not stored.size:
            unpacked.append(None)
            continue
        try:
            plain = Stored(unpack(stored.pieces(), "the content", UNPACKING))
        except (LayerError, LimitError):
            return None
        unpacked.append(stack.enter_context(plain))
    return _pair(*unpacked) if any(unpacked) else None


def _same(pair: _Pair) -> bool:
    both = pair.old is not None and pair.new is not None
    return both and compare_bytes(pair.old, pair.new) is None


def _inner_kind(pair: _Pair) -> Kind | None:
    natures = (pair.new_nature, pair.old_nature)
    return next((each.kind for each in natures if each is not None), None)


def _body(pair: _Pair, path: str) -> Body | None:
    kinds = pair.kinds
    if Kind.PRIVATE_KEY in kinds:
        return Withheld(reason=_KEY)
    found: Body | None = None
    if all(kind.textual for kind in kinds):
        encodings = (_encoding(pair.old_nature), _encoding(pair.new_nature))
        found = compare_texts(pair.old, pair.new, encodings, path)
    elif kinds == {Kind.ELF}:
        found = compare_elf(_filled(pair.old), _filled(pair.new))
    elif kinds <= LISTED:
        found = _listings(pair)
    if found is not None:
        return found
    # Text that is compared as bytes shows none: they may be a secret's.
    texts = any(kind.textual for kind in kinds) or file_finder(path) is not None
    return compare_bytes(pair.old, pair.new, rows=not texts)


def _encoding(nature: Nature | None) -> str:
    return (nature.encoding if nature is not None else None) or "utf-8"


def _filled(stored: Stored | None) -> Stored | None:
    return stored if stored is not None and stored.size else None


def _listings(pair: _Pair) -> Body | None:
    natures = (pair.old_nature, pair.new_nature)
    kinds = (
        None if nature is None or nature.kind is Kind.EMPTY else nature.kind for nature in natures
    )
    try:
        old = list_members(pair.old, next(kinds))
        new = list_members(pair.new, next(kinds))
    except LimitError:
        return None
    # Without members on either side it is no archive after all, or a damaged one.
    return compare_listings(old, new) if old.members or new.members else None
