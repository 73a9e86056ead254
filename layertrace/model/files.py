"""What is known of an image's files: as columns, one by one, and by what shares them.

Source: CONTRACT.md, section 4.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from layertrace.model.entry import EntryKind
    from layertrace.model.origin import Change, Origin, OriginKind, Trust
    from layertrace.model.trace import Carrier


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """Whose a file is, as short as a column: one value for many files."""

    kind: OriginKind
    stage: str | None = None
    """Where the bytes were made; None for base, context and unknown."""
    stage_index: int | None = None
    image: str | None = None
    carried_from: str | None = None
    """The stage the newest COPY named, where there was one."""
    line: int | None = None
    """Of the instruction that first brought the bytes into a stage."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileTable:
    """Every path of the final image, and every removed one, in columns.

    Rows are in preorder: a directory stands before all that lies below it, and
    nothing else stands between. The root itself is not a row. A removed path
    (change REMOVED) is one that some layer holds and the final image does not;
    its layer is the one that removed it and its size what it still costs.
    """

    paths: Sequence[str]
    """Rootfs-relative."""
    kinds: Sequence[int]
    """:class:`EntryKind` values."""
    sizes: Sequence[int]
    """Of regular files; 0 for every other kind, hard links included."""
    layers: Sequence[int]
    """Of the shipped copy; -1 for an implicit directory."""
    changes: Sequence[Change]
    trusts: Sequence[Trust]
    label_ids: Sequence[int]
    """Into ``labels``."""
    labels: tuple[Label, ...]
    origins: tuple[Origin, ...] = ()
    """One for each label. A path in it only says that there is one: the row's own, unless
    ``origin_paths`` has another."""
    origin_paths: Mapping[int, str] = field(default_factory=dict)
    """Row to the path its bytes had at their origin, where that is not its own."""
    entries: Sequence[int] = ()
    """The entry behind each row, of a removed path the last, by its number among those of all
    layers, base first; -1: none made it. Empty for a table that is of no one image."""

    def __len__(self) -> int:
        return len(self.paths)

    def origin(self, row: int) -> Origin:
        """Return what first brought the bytes of a row into a stage."""
        origin = self.origins[self.label_ids[row]]
        if origin.path is None:
            return origin
        return replace(origin, path=self.origin_paths.get(row, f"/{self.paths[row]}"))


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRecord:
    """One path of the final image: CONTRACT.md 4, ``files.data[]``."""

    path: str
    """Rootfs-relative."""
    kind: EntryKind
    implicit: bool
    size: int
    mode: int | None
    uid: int | None
    gid: int | None
    mtime: int | None
    link_target: str | None
    digest: str | None
    layer: int | None
    change: Change
    stage: str | None
    stage_index: int | None
    origin: Origin
    trust: Trust
    carried_from: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """What one layer of the final image did to a path."""

    layer: int
    change: Change
    size: int | None
    mode: int | None
    digest: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareRow:
    """A stage, base image, context or other source, and what of it ships."""

    kind: str
    """``stage``, ``base``, ``context``, ``image``, ``url``, ``inline`` or ``unknown``."""
    name: str
    stage_index: int | None
    base: str | None
    steps: int | None
    size: int | None
    """What it weighs in full; None when not known."""
    shipped_bytes: int
    shipped_files: int
    trust: Trust
    carried_by: tuple[Carrier, ...] = field(default_factory=tuple)
    in_image: bool = False
    """A stage whose layers are layers of the image: nothing of it stays behind."""

    @property
    def stays_behind(self) -> int | None:
        """Bytes of a stage that do not ship; None for all else, and where not known."""
        if self.kind != "stage" or self.in_image or self.size is None:
            return None
        return max(self.size - self.shipped_bytes, 0)
