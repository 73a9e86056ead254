"""A plan of files that say where their bytes came from: what random builds are made on.

``run|STAGE|LINE|/path|NONCE`` is what a RUN wrote, ``context|path|NONCE`` what stands in the
build context, ``base|NAME|/path|NONCE`` what a base image holds; the last line of a file
counts. Without the nonce a COPY of the same content would be taken from the builder's cache,
with the times of the build that was first. A plan of the files goes along, to ask for what is
there and to know what content cannot say: which line brought a file of the context, and under
which path a RUN left what it made.
"""

from __future__ import annotations

import io
import os
import posixpath
import tarfile
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Truth = tuple[str, str | None, int | None, str]
"""Kind, stage, line and path of an origin."""
BASES: Final = ("red", "blue")
LINKS: Final = {"lib": "usr/lib", "data/link": "one.txt"}
BASE_FILES: Final = ("data/one.txt", "data/two.txt", "data/sub/three.txt", "usr/lib/four.txt")
CONTEXT_FILES: Final = (
    "a.txt",
    "b.txt",
    "docs/guide.md",
    "docs/readme.md",
    "notes.log",
    "sp ace/z.txt",
    "src/lib/deep.txt",
    "src/lib/x.js",
    "src/skip.tmp",
    "src/x.js",
    "src/y.js",
)
CONTEXT_LINKS: Final = {"to": "src/lib", "src/link": "x.js"}
PACKED: Final = ("in/one.txt", "in/two.txt", "three.txt")
"""The files in ``vendor.tar``."""
IGNORING: Final = (
    ((), ()),
    (("*.log", "sp ace"), ("notes.log", "sp ace", "sp ace/z.txt")),
    (("docs", "!docs/readme.md", "**/*.tmp"), ("docs/guide.md", "src/skip.tmp")),
)
"""Patterns of a ``.dockerignore``, and what they leave out."""
FOLDERS: Final = ("app", "srv/app", "opt/deep/er", "data", "lib/more", "data/sub")


class ImpossibleError(Exception):
    """A builder would refuse the step, or builders differ on it: it is left out."""


@dataclass(frozen=True)
class Node:
    """A file, directory or link of the plan."""

    kind: str
    """``f``, ``d`` or ``l``."""
    content: str = ""
    link: str = ""
    truths: frozenset[Truth] = frozenset()
    """More than one where either is right."""
    copied: bool = False
    """The RUN that made it copied, moved or linked it as well: it tells of its first path."""
    guessed: bool = False
    """A RUN copied it, and only a shell could tell from where."""
    mounted: frozenset[Truth] = frozenset()
    """The RUNs that copied it out of a mount, of which no history tells."""
    packed: bool = False
    """It came out of an archive that ADD unpacked."""


Files = dict[str, Node]
FOLDER: Final = Node("d")


@dataclass
class Stage:
    """A stage and what its files are once its steps ran."""

    name: str
    index: int
    files: Files
    runs: bool
    workdir: str = ""
    variables: dict[str, str] = field(default_factory=dict)
    serial: int = 0
    """Of the last new file."""


@dataclass
class Plan:
    """A Dockerfile, its context, and what a build of it must hold."""

    buildkit: bool
    lines: list[str]
    stages: list[Stage]
    context: Files
    nonce: str
    target: Stage | None = None
    arguments: dict[str, str] = field(default_factory=dict)

    def context_text(self, path: str) -> str:
        """Return the content of a file of the context."""
        return f"context|{path}|{self.nonce}\n"

    @property
    def asked(self) -> str | None:
        """The stage that ``--target`` names, if any."""
        if self.target is None or self.target is self.stages[-1]:
            return None
        return self.target.name

    @property
    def dockerfile(self) -> str:
        """Its text; as a file of the context it says so itself."""
        return "".join(f"{line}\n" for line in self.lines)


def says(content: str) -> str:
    r"""Return where a file says that its bytes came from.

    >>> says("base|red|/data/one.txt\nrun|s0|4|/data/one.txt|77\n")
    'run|s0|4|/data/one.txt|77'
    """
    last = content.splitlines()[-1].strip("\0").removeprefix("# ")
    # Nothing but the archive ends in nothing.
    return last or "context|vendor.tar"


def resolved(files: Files, path: str) -> str:
    """Return a path with all links followed."""
    done: list[str] = []
    todo = [part for part in path.split("/") if part][::-1]
    for _ in range(50):
        if not todo:
            return "/".join(done)
        part = todo.pop()
        node = files.get("/".join([*done, part]))
        if node is not None and node.kind == "l":
            target = posixpath.normpath(posixpath.join("/", *done, node.link)).strip("/")
            todo += [part for part in target.split("/") if part][::-1]
            done = []
        else:
            done.append(part)
    raise ImpossibleError


def below(files: Files, folder: str) -> list[str]:
    """Return the paths below a directory, parents first."""
    start = f"{folder}/" if folder else ""
    return sorted(path for path in files if path.startswith(start) and path != folder)


def make_folder(files: Files, path: str) -> None:
    """Make a directory and those above it where they are missing."""
    parts = path.split("/") if path else []
    for end in range(1, len(parts) + 1):
        if files.setdefault("/".join(parts[:end]), FOLDER).kind != "d":
            raise ImpossibleError


def put(files: Files, path: str, node: Node) -> None:
    """Put a file or link where no directory or link is.

    The same content over the same content may leave no trace: then either is right.
    """
    old = files.get(path)
    if old is not None and (old.kind != node.kind or node.kind == "l"):
        raise ImpossibleError
    make_folder(files, posixpath.dirname(path))
    if old is not None and old.content == node.content:
        node = replace(
            node,
            truths=node.truths | old.truths,
            copied=node.copied or old.copied,
            guessed=node.guessed or old.guessed,
            mounted=node.mounted | old.mounted,
            packed=node.packed or old.packed,
        )
    files[path] = node


def base_files(reference: str, truth: Callable[[str], Truth]) -> Files:
    """Return the files of a base image, without its shell; its name is ``NONCE/COLOR:1``."""
    nonce, _, name = reference.partition(":")[0].rpartition("/")
    files: Files = {}
    for path in BASE_FILES:
        node = Node("f", f"base|{name}|/{path}|{nonce}\n", truths=frozenset({truth(f"/{path}")}))
        put(files, path, node)
    for path, target in LINKS.items():
        files[path] = Node("l", link=target)
    return files


def packed_archive() -> bytes:
    """Return ``vendor.tar``."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for path in PACKED:
            member, data = tarfile.TarInfo(path), b"context|vendor.tar\n"
            member.size, member.mtime = len(data), 1_500_000_000
            archive.addfile(member, io.BytesIO(data))
    return out.getvalue()


def write_context(folder: Path, plan: Plan) -> None:
    """Write the build context of a plan, the Dockerfile in it."""
    for path in CONTEXT_FILES:
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(plan.context_text(path), encoding="utf-8")
    for path, target in CONTEXT_LINKS.items():
        (folder / path).symlink_to(target)
    (folder / "vendor.tar").write_bytes(packed_archive())
    for path, node in plan.context.items():
        if path in {"Dockerfile", ".dockerignore"}:
            (folder / path).write_text(node.content, encoding="utf-8")
    for place in folder.rglob("*"):
        # The builders' caches then know the files of an earlier run.
        os.utime(place, (1_600_000_000, 1_600_000_000), follow_symlinks=False)
