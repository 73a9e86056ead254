r"""Traced images in memory: what each step wrote, and the history it left.

>>> tracer = trace("FROM base\nRUN make\n", [("ADD x", {"a": b"1"}), ("RUN make", {"b": b"2"})])
>>> tracer.chain("b").origin.line
2
"""

from __future__ import annotations

import hashlib
import tarfile
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Generic, TypeVar

from layertrace.dockerfile.parse import parse_build
from layertrace.layers.walk import walk_layer
from layertrace.model.bundle import ContextEntry
from layertrace.model.image import HistoryEntry, ImageConfig, Platform
from layertrace.provenance.alignment.history import align
from layertrace.provenance.context_tree import ContextTree
from layertrace.provenance.hops import TracedImage
from layertrace.provenance.rootfs_tree import RootfsTree
from layertrace.provenance.tracer import FINAL, Knowledge, Tracer
from layertrace.provenance.trees import Unpacked
from layertrace.rootfs.squash import squash
from tests.builders import Content, Member, layer, sha256

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from layertrace.model.build import Build
    from layertrace.model.origin import Chain
    from layertrace.rootfs.places import Place

T = TypeVar("T")
Steps = Sequence[tuple[str, Mapping[str, Content] | None]]
"""``created_by`` and what the layer holds; None for an entry without a layer."""


class Bytes:
    """A layer's tar to walk."""

    def __init__(self, data: bytes) -> None:
        """Keep the tar."""
        self._data = data

    def read_at(self, offset: int, size: int) -> bytes:
        """Return a part of it."""
        return self._data[offset : offset + size]

    def length(self) -> int:
        """Return its length."""
        return len(self._data)


class MemoryContents(Generic[T]):
    """Contents that need not be read from anywhere."""

    def __init__(self, content_of: Callable[[T], bytes]) -> None:
        """Keep what tells a file's content."""
        self._content_of = content_of

    def cost(self, files: Iterable[T]) -> int:
        """Return the size of the files."""
        return sum(len(self._content_of(each)) for each in files)

    def sums(self, headers: Mapping[T, Sequence[bytes]]) -> Mapping[T, Sequence[str]]:
        """Return the sha256 of each header with the content after it."""
        return {
            each: [hashlib.sha256(header + self._content_of(each)).hexdigest() for header in some]
            for each, some in headers.items()
        }


def rootfs_tree(*layers: Mapping[str, Content]) -> RootfsTree:
    """Return what a container of these layers sees."""
    walked = [walk_layer(Bytes(layer(each)), name="layer", hash_contents=True) for each in layers]

    def digest_of(place: Place) -> str:
        return f"sha256:{walked[place.layer].digests[place.number].hex()}"

    indexes = [each.index for each in walked]
    tars = [layer(each) for each in layers]

    def content_of(place: Place) -> bytes:
        start = indexes[place.layer].offsets[place.number]
        return tars[place.layer][start:][: indexes[place.layer].sizes[place.number]]

    return RootfsTree(squash(indexes), digest_of, MemoryContents(content_of))


def image_config(steps: Steps, workdir: str = "") -> ImageConfig:
    """Return the configuration that such steps leave."""
    return ImageConfig(
        digest="sha256:00",
        platform=Platform(os="linux", architecture="amd64"),
        diff_ids=tuple(sha256(layer(content)) for _, content in steps if content is not None),
        history=tuple(
            HistoryEntry(created_by=text, empty_layer=content is None) for text, content in steps
        ),
        working_dir=workdir,
    )


def traced_image(  # noqa: PLR0913
    steps: Steps,
    build: Build | None = None,
    *,
    stage: int | None = None,
    name: str = FINAL,
    base: ImageConfig | None = None,
    workdir: str = "",
) -> TracedImage:
    """Return an image with its layers tied to a Dockerfile's instructions."""
    config = image_config(steps, workdir)
    return TracedImage(
        name=name,
        tree=rootfs_tree(*[content for _, content in steps if content is not None]),
        alignment=align(config, build, stage_index=stage, base=base),
    )


def context_tree(
    files: Mapping[str, Content], archives: Mapping[str, Unpacked] | None = None
) -> ContextTree:
    """Return a build context; with ``archives``, by path, its files can be looked into."""
    kinds = {tarfile.DIRTYPE: "dir", tarfile.SYMTYPE: "symlink"}
    members = {
        path: Member(content=content) if isinstance(content, bytes) else content
        for path, content in files.items()
    }
    entries = []
    for path, member in members.items():
        entries.append(
            ContextEntry(
                path=path,
                kind=kinds.get(member.type, "file"),
                size=len(member.content),
                mode=member.mode,
                mtime=int(member.mtime),
                digest=None if member.type in kinds else sha256(member.content),
                link_target=member.link or None,
            )
        )
    return ContextTree(
        entries,
        contents=MemoryContents(lambda path: members[path].content),
        first_names={path: m.link for path, m in members.items() if m.type == tarfile.LNKTYPE},
        unpack=None if archives is None else lambda path: archives.get(path, Unpacked()),
    )


def trace(  # noqa: PLR0913
    dockerfile: str,
    final: Steps,
    *,
    stages: Mapping[str, Steps] | None = None,
    context: Mapping[str, Content] | None = None,
    archives: Mapping[str, Unpacked] | None = None,
    images: Mapping[str, Mapping[str, Content]] | None = None,
    base: ImageConfig | None = None,
    workdir: str = "",
) -> Tracer:
    """Return the tracer of a build.

    Args:
        dockerfile: its text.
        final: the steps of the final image.
        stages: by name, the steps of the stages whose images are at hand.
        context: the build context, where it is at hand.
        archives: what its archives hold, where its files can be read.
        images: external images that a COPY names.
        base: configuration of the final stage's base.
        workdir: of the final image.
    """
    build = parse_build(dockerfile)
    numbers = {stage.name: stage.index for stage in build.stages}
    return Tracer(
        traced_image(final, build, base=base, workdir=workdir),
        Knowledge(
            build=build,
            stages={
                numbers[name]: traced_image(steps, build, stage=numbers[name], name=name)
                for name, steps in (stages or {}).items()
            },
            context=None if context is None else context_tree(context, archives),
            images={name: rootfs_tree(files) for name, files in (images or {}).items()},
        ),
    )


def hops(chain: Chain | None) -> list[str]:
    """Return a chain's hops in short: ``final/L2 copy :7 /app/x verified matched``."""
    assert chain is not None
    return [
        f"{hop.place}{'' if hop.layer is None else f'/L{hop.layer + 1}'} {hop.action.value} "
        f"{'' if hop.line is None else f':{hop.line} '}{hop.path} {hop.trust.value} "
        f"{hop.evidence.value}"
        for hop in chain.hops
    ]


def origin(chain: Chain | None) -> str:
    """Return a chain's origin in short: ``run build :3 /app/x verified``."""
    assert chain is not None
    found = chain.origin
    words = [
        found.kind.value,
        found.stage,
        None if found.line is None else f":{found.line}",
        found.image,
        found.path,
        chain.trust.value,
    ]
    return " ".join(word for word in words if word)
