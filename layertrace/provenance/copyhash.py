"""The classic builder's COPY hash, recomputed: what a COPY took, and from where.

``COPY dir:<sha256> in /app`` in a history stands for the names, modes, owners and
contents of all that was copied, times apart. Where the same comes out of a tree
at hand, it was copied from such a tree, from that path.

Source: moby, ``builder/dockerfile/copy.go`` for what is hashed and in which order,
``builder/remotecontext`` for what links and folders count as;
measured on engines 20.10 and 29 and on what their clients send.
"""

from __future__ import annotations

import hashlib
import re
import stat
from dataclasses import dataclass, field
from functools import cached_property
from itertools import permutations, product
from typing import TYPE_CHECKING, Final

from layertrace.model.copysum import sum_header
from layertrace.model.entry import EntryKind, clean_path
from layertrace.provenance.alignment.spelling import read_created_by
from layertrace.provenance.patterns import has_wildcards, name_matches
from layertrace.provenance.trees import resolve

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from layertrace.model.build import Instruction
    from layertrace.model.image import ImageConfig
    from layertrace.provenance.alignment.spelling import Recorded
    from layertrace.provenance.trees import Item, Tree

_HASH: Final = re.compile(r"(?:--chown=\S*? ?)?((?:file|dir|multi):[0-9a-f]{64}) in ")
_REMOTE: Final = ("http://", "https://", "git@", "git://", "ssh://", "<<")
_IMPLIED_MODE: Final = 0o755
"""Of a directory that no layer made: the engine makes it so."""
_TYPES: Final = {
    EntryKind.FILE: (stat.S_IFREG, "0"),
    EntryKind.DIR: (stat.S_IFDIR, "5"),
    EntryKind.FIFO: (stat.S_IFIFO, "6"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Owners:
    """What a host calls owners, by their number."""

    users: Mapping[int, str] = field(default_factory=dict)
    groups: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How a file's header is written before it is hashed."""

    type_bits: bool
    """The mode tells the kind of file too."""
    owners: Owners = Owners()
    """The names written beside the numbers."""


_ROOT: Final = Owners(users={0: "root"}, groups={0: "root"})
_UPLOADED: Final = (Manner(type_bits=False), Manner(type_bits=True))
"""The context: as the Docker SDK and today's docker command send it, and as 20.10's did."""


def _mounted(host: Owners) -> tuple[Manner, ...]:
    """Return how an image that COPY --from takes from is hashed.

    Engine 20.10 asks the host it runs on for names: perhaps this one, perhaps one
    that knows none of an image's owners but root. Engine 29 asks nobody.
    """
    return (
        Manner(type_bits=True, owners=_ROOT),
        Manner(type_bits=True, owners=host),
        Manner(type_bits=False),
    )


def read_hash(recorded: Recorded | None) -> str | None:
    """Return the hash that a history entry of a COPY or ADD holds, ``file:`` and so on before it.

    >>> from layertrace.provenance.alignment.spelling import Recorded
    >>> read_hash(Recorded(keyword="COPY", rest=f"dir:{'0' * 64} in /app", classic=True))[:10]
    'dir:000000'
    """
    if recorded is None or not recorded.classic or recorded.keyword not in {"COPY", "ADD"}:
        return None
    found = _HASH.match(recorded.rest)
    return found[1] if found else None


def has_hashes(config: ImageConfig) -> bool:
    """Say whether a history holds a hash of anything that was copied."""
    return any(read_hash(read_created_by(entry)) is not None for entry in config.history)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """One source, wildcards replaced by what matched."""

    prefix: str
    members: tuple[str, ...]
    """What is hashed of it: paths as they are in the tree, no link followed but the first."""


class CopyHash:
    """The hash that a COPY out of one tree would leave; nothing is read to make this."""

    def __init__(self, instruction: Instruction, tree: Tree, host: Owners = _ROOT) -> None:
        """Keep what is copied and out of what.

        Args:
            instruction: a COPY or ADD.
            tree: the context, or what the image copied from holds.
            host: what a host that perhaps built it calls owners.
        """
        self._instruction = instruction
        self._tree = tree
        self._manners = _UPLOADED if tree.uploaded else _mounted(host)

    @cached_property
    def cost(self) -> int | None:
        """Bytes to read for it; None where it cannot be computed."""
        if self._parts is None:
            return None
        if any(item is not None and item.kind not in _TYPES for _, item in self._real.values()):
            # A device, or links that lead in a circle.
            return None
        files = {real for real, item in self._real.values() if self._has_content(real, item)}
        return self._tree.cost(files)

    def recomputes(self, wanted: str) -> bool:
        """Say whether a recorded hash is that of this copy; reads the files where it must."""
        parts = self._parts
        if parts is None or self.cost is None:
            return False
        if (parts[0].prefix if len(parts) == 1 else "multi") != wanted.partition(":")[0]:
            return False
        sums = self._sums()
        return sums is not None and any(
            wanted == _compose(parts, {member: each[number] for member, each in sums.items()})
            for number in range(len(self._manners))
        )

    def choose(self, wanted: str, choices: Sequence[Sequence[str]]) -> set[tuple[str, ...]]:
        """Return which files, and in which order, leave a recorded hash.

        Args:
            wanted: the hash of several files.
            choices: of each file the sources it may be; all of them are sources of this copy.
        """
        sums = self._sums() if self._parts is not None and self.cost is not None else None
        if sums is None:
            return set()
        return {
            order
            for chosen in product(*choices)
            for order in permutations(chosen)
            for number in range(len(self._manners))
            if wanted
            == _compose(
                [_Part(prefix="file", members=(member,)) for member in order],
                {member: sums[member][number] for member in order},
            )
        }

    @cached_property
    def _parts(self) -> tuple[_Part, ...] | None:
        """The sources in their order; None where one is missing or not to be had."""
        *sources, _ = self._instruction.args
        parts: list[_Part] = []
        for text in sources:
            if text.startswith(_REMOTE):
                return None
            for path in self._expand(text.removeprefix("/").removeprefix("./")):
                part = self._part(path)
                if part is None:
                    return None
                parts.append(part)
        return tuple(parts) or None

    def _part(self, path: str) -> _Part | None:
        real = resolve(self._tree, path)
        item = self._tree.find(real)
        if item is None or item.kind not in _TYPES:
            return None
        if item.kind is not EntryKind.DIR:
            return _Part(prefix="file", members=(path,))
        below = _walk(self._tree, real)
        return _Part(prefix="dir", members=(real, *below) if real else tuple(below))

    def _expand(self, text: str) -> list[str]:
        """Return what a source stands for, in the order in which a walk meets it."""
        if not has_wildcards(text):
            return [clean_path(text)]
        found = [""]
        for part in text.split("/"):
            found = [
                f"{folder}/{name}".lstrip("/")
                for folder in found
                for name in _names(self._tree, folder)
                if name_matches(part, name)
            ]
        return found

    @cached_property
    def _real(self) -> dict[str, tuple[str, Item | None]]:
        """What each member is hashed as: a link as what it leads to."""
        real: dict[str, tuple[str, Item | None]] = {}
        for part in self._parts or ():
            for member in part.members:
                path, item = member, self._tree.find(member)
                if item is None or item.kind is EntryKind.SYMLINK or part.prefix == "file":
                    path = resolve(self._tree, member)
                    item = self._tree.find(path)
                real[member] = path, item
        return real

    def _has_content(self, real: str, item: Item | None) -> bool:
        return (
            item is not None
            and item.kind is EntryKind.FILE
            and item.size > 0
            and self._tree.first_name(real) is None
        )

    def _sums(self) -> dict[str, Sequence[str]] | None:
        """Return the sums of every member, one for each manner; None where one cannot be read."""
        sums: dict[str, Sequence[str]] = {}
        wanted: dict[str, list[bytes]] = {}
        written: dict[str, list[bytes]] = {}
        for member, (path, item) in self._real.items():
            headers = [self._header(path, item, manner) for manner in self._manners]
            if item is None or (self._tree.uploaded and item.mode is None):
                # What leads nowhere, and a directory that was not sent, count by name.
                sums[member] = [member if self._tree.uploaded else path] * len(headers)
            elif self._has_content(path, item):
                wanted[path] = list(dict.fromkeys(headers))
                written[path] = headers
            else:
                sums[member] = [hashlib.sha256(header).hexdigest() for header in headers]
        read = self._tree.sums(wanted) if wanted else {}
        if read.keys() != wanted.keys():
            return None
        for member, (path, _) in self._real.items():
            if member not in sums:
                found = dict(zip(wanted[path], read[path], strict=True))
                sums[member] = [found[header] for header in written[path]]
        return sums

    def _header(self, path: str, item: Item | None, manner: Manner) -> bytes:
        """Return what is hashed before a file's content."""
        if item is None:
            return b""
        bits, kind = _TYPES[item.kind]
        twin = self._tree.first_name(path)
        mode = _IMPLIED_MODE if item.mode is None else item.mode
        uid, gid = item.uid or 0, item.gid or 0
        return sum_header(
            f"{path or '.'}/" if item.kind is EntryKind.DIR else path,
            mode=mode | (bits if manner.type_bits else 0),
            size=0 if twin else item.size,
            typeflag="1" if twin else kind,
            linkname=twin or "",
            uid=uid,
            gid=gid,
            uname=manner.owners.users.get(uid, ""),
            gname=manner.owners.groups.get(gid, ""),
            capability=item.capability,
        )


def _compose(parts: Sequence[_Part], sums: dict[str, str]) -> str:
    hashes = [
        f"file:{sums[part.members[0]]}"
        if part.prefix == "file"
        else f"dir:{_join(sorted(sums[member] for member in part.members))}"
        for part in parts
    ]
    return hashes[0] if len(hashes) == 1 else f"multi:{_join(hashes)}"


def _join(hashes: Sequence[str]) -> str:
    joined = ",".join(hashes).encode("utf-8", "surrogateescape")
    return hashlib.sha256(joined).hexdigest()


def _names(tree: Tree, folder: str) -> list[str]:
    """Return the names in a folder in the order of their bytes."""
    names = tree.children.get(folder, ())
    return sorted(names, key=lambda name: name.encode("utf-8", "surrogateescape"))


def _walk(tree: Tree, folder: str) -> Iterator[str]:
    """Yield every path below a folder; links are not followed."""
    todo = [folder]
    while todo:
        here = todo.pop()
        for name in tree.children.get(here, ()):
            path = f"{here}/{name}".lstrip("/")
            yield path
            todo.append(path)
