"""Two ELF files, by their headers and sections."""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import TYPE_CHECKING, Final

from layertrace.analysis.contents.elf import read_elf
from layertrace.analysis.contents.values import AttributeChange, ElfDifference, SectionChange

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from layertrace.analysis.contents.elf import Elf, ElfSection
    from layertrace.analysis.contents.stored import Stored

    Sections = Mapping[tuple[str, int], ElfSection]

_FACTS: Final = (
    "kind", "machine", "bits", "endian", "soname", "interpreter", "build_id", "stripped",
    "symbol_bytes", "debug_bytes",
)  # fmt: skip


def compare_elf(old: Stored | None, new: Stored | None) -> ElfDifference | None:
    """Return how two ELF files differ; None if one is none after all."""
    files = [None if each is None else read_elf(each.read_at, each.size) for each in (old, new)]
    if any(file is None and each is not None for file, each in zip(files, (old, new), strict=True)):
        return None
    before, after = files
    changes, same = _compare_sections((old, _by_name(before)), (new, _by_name(after)))
    gone, come = (frozenset(file.needed) if file else frozenset() for file in files)
    return ElfDifference(
        old=before,
        new=after,
        facts=tuple(_facts(before, after)),
        needed_added=tuple(name for name in (after.needed if after else ()) if name not in gone),
        needed_removed=tuple(
            name for name in (before.needed if before else ()) if name not in come
        ),
        sections=changes,
        same_sections=same,
    )


def _facts(old: Elf | None, new: Elf | None) -> Iterator[AttributeChange]:
    if old is None or new is None:
        return
    for name in _FACTS:
        before, after = getattr(old, name), getattr(new, name)
        if before != after:
            yield AttributeChange(name=name, old=before, new=after)


def _by_name(file: Elf | None) -> Sections:
    """Return the sections by name and, of several with one, which of them."""
    met: Counter[str] = Counter()
    found: dict[tuple[str, int], ElfSection] = {}
    for section in file.sections if file is not None else ():
        found[section.name, met[section.name]] = section
        met[section.name] += 1
    return found


def _compare_sections(
    old: tuple[Stored | None, Sections], new: tuple[Stored | None, Sections]
) -> tuple[tuple[SectionChange, ...], int]:
    changes: list[SectionChange] = []
    before, after = old[1], new[1]
    hasher = _Hasher(old[0], new[0])
    for key in dict.fromkeys([*before, *after]):
        one, other = before.get(key), after.get(key)
        if one is None or other is None or hasher.differ(one, other):
            sizes = (None if each is None else each.size for each in (one, other))
            changes.append(SectionChange(name=key[0], old=next(sizes), new=next(sizes)))
    return tuple(changes), len(before.keys() | after.keys()) - len(changes)


class _Hasher:
    """Compares contents of sections, as many bytes in all as the files are long.

    Sections do not share bytes, but those of a hostile file may all claim the whole of it.
    """

    def __init__(self, old: Stored | None, new: Stored | None) -> None:
        self._old = old
        self._new = new
        self._left = sum(each.size for each in (old, new) if each is not None)

    def differ(self, one: ElfSection, other: ElfSection) -> bool:
        if (one.size, one.type) != (other.size, other.type):
            return True
        self._left -= one.stored + other.stored
        if self._left < 0:
            return True
        return _digest(self._pieces(self._old, one)) != _digest(self._pieces(self._new, other))

    @staticmethod
    def _pieces(stored: Stored | None, section: ElfSection) -> Iterator[bytes]:
        return stored.pieces(section.offset, section.stored) if stored is not None else iter(())


def _digest(pieces: Iterable[bytes]) -> bytes:
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    return digest.digest()
