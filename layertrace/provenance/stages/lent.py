"""Contents of files whose image is not read, out of copies of them that are.

The classic builder's hash is over contents. A candidate's files that have the digest of
what was copied have its contents too, so the copy is read, once for all candidates.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from layertrace.rootfs.places import Place

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from layertrace.provenance.rootfs_tree import RootfsTree
    from layertrace.provenance.trees import Contents


class Lender:
    """An image that something was copied to."""

    def __init__(self, contents: Contents[Place]) -> None:
        self._contents = contents
        self.wanted: defaultdict[Place, set[bytes]] = defaultdict(set)
        self.sums: dict[Place, dict[bytes, str]] = defaultdict(dict)
        """By place and header."""

    def read(self) -> None:
        """Read what is wanted."""
        wanted = {place: sorted(headers) for place, headers in self.wanted.items()}
        for place, sums in (self._contents.sums(wanted) if wanted else {}).items():
            self.sums[place] |= zip(wanted[place], sums, strict=True)


class Lent:
    """The contents of what was copied, by their digests; each image is read once."""

    def __init__(self, carried: Iterable[tuple[Contents[Place], RootfsTree, int]]) -> None:
        self._lenders: dict[int, Lender] = {}
        self._places: dict[str, tuple[Lender, Place]] = {}
        for contents, tree, layer in carried:
            lender = self._lenders.setdefault(id(contents), Lender(contents))
            for number in tree.rootfs.layers[layer].numbers.values():
                place = tree.content_place(Place(layer, number))
                digest = tree.digest_at(place)
                if digest is not None:
                    self._places.setdefault(digest, (lender, place))

    def find(self, digest: str | None) -> tuple[Lender, Place] | None:
        """Return where there is a file of that content."""
        return None if digest is None else self._places.get(digest)

    def want(self, files: Iterable[tuple[Lender, Place, Sequence[bytes]]]) -> None:
        """Remember what is to be read."""
        for lender, place, headers in files:
            lender.wanted[place].update(headers)

    def read(self) -> None:
        """Read all that is wanted."""
        for lender in self._lenders.values():
            lender.read()


class Borrowed:
    """The contents of a candidate's files, out of what was copied."""

    def __init__(self, tree: RootfsTree, lent: Lent) -> None:
        self._tree = tree
        self._lent = lent
        self.refuted = False
        """A file there has contents that nothing copied has: it is another image."""
        self.wanted: list[tuple[Lender, Place, Sequence[bytes]]] = []
        """What was asked for before it was read."""

    def cost(self, files: Iterable[Place]) -> int:
        """Return the size of the files."""
        return sum(self._tree.item(place).size for place in files)

    def sums(self, headers: Mapping[Place, Sequence[bytes]]) -> Mapping[Place, Sequence[str]]:
        """Return the sums of files, as far as their contents were read by now."""
        found: dict[Place, Sequence[str]] = {}
        for place, wanted in headers.items():
            lent = self._lent.find(self._tree.digest_at(place))
            if lent is None:
                self.refuted = True
                return {}
            lender, source = lent
            known = lender.sums.get(source, {})
            if known.keys() >= set(wanted):
                found[place] = [known[header] for header in wanted]
            else:
                self.wanted.append((lender, source, wanted))
        return found
