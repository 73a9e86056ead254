"""Every feature of a file system an engine can build, against what others make of the image.

The engine exports a container's files as a tar, which Python's ``tarfile`` lists; umoci
unpacks the image as skopeo copied it, and the disk is asked. Both must give what
``layertrace files`` lists: paths, kinds, sizes, contents, modes, owners, links and times.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import shutil
import stat
import subprocess
import tarfile
from dataclasses import dataclass, replace
from secrets import token_hex
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.builders import CAPABILITY
from tests.engine_support import docker
from tests.file_features import write_context

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from tests.sample_support import Command

pytestmark = pytest.mark.engine

IMAGE: Final = f"layertrace.files.{token_hex(6)}:1"
_ADDED: Final = {"/.dockerenv", "/dev/console", "/dev/pts", "/dev/shm", "/etc/mtab"}  # noqa: S108 - names
"""What a container has and its image does not."""
_REMADE: Final = {"/dev", "/etc", "/etc/hostname", "/etc/hosts", "/etc/resolv.conf"}
"""What has another mode or time in a container: what the engine puts there, and above it."""
_TIMELESS: Final = {"/made/times/before"}
"""Before the epoch: the classic builder stores that, and the engine makes it the epoch."""
_KINDS: Final = {
    stat.S_IFREG: "file",
    stat.S_IFDIR: "dir",
    stat.S_IFLNK: "symlink",
    stat.S_IFIFO: "fifo",
    stat.S_IFCHR: "char",
    stat.S_IFBLK: "block",
}
_TYPES: Final = {
    tarfile.REGTYPE: "file",
    tarfile.DIRTYPE: "dir",
    tarfile.SYMTYPE: "symlink",
    tarfile.FIFOTYPE: "fifo",
    tarfile.CHRTYPE: "char",
    tarfile.BLKTYPE: "block",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One path of a file system."""

    kind: str
    size: int
    digest: str | None
    target: str | None
    """Of a symbolic link."""
    mode: int
    owner: tuple[int, int]
    mtime: int
    names: frozenset[str] = frozenset()
    """All paths of a file that has several."""


@dataclass(frozen=True)
class Built:
    """An image, saved, and a container's files as the engine exports them."""

    saved: Path
    exported: Path
    folder: Path


def _run(*argv: str | Path) -> None:
    done = subprocess.run(  # noqa: S603 - skopeo or umoci
        list(map(str, argv)), capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr + done.stdout


@pytest.fixture(scope="module")
def built(
    builder: str, make_bases: Callable[[str], None], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Built]:
    """Build it all; what was made in the engine is removed at the end."""
    make_bases("tiny")
    folder = tmp_path_factory.mktemp(f"files-{builder}")
    write_context(folder / "context")
    docker("build", "--network=none", "-t", IMAGE, folder / "context", builder=builder)
    made = Built(folder / "saved.tar", folder / "exported.tar", folder)
    container = docker("create", "--network=none", IMAGE, "true")
    docker("export", "-o", made.exported, container)
    docker("rm", container)
    docker("save", "-o", made.saved, IMAGE)
    yield made
    docker("rmi", "-f", IMAGE)
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def unpacked(built: Built) -> Path:
    """Return the folder where umoci unpacked the image."""
    if shutil.which("umoci") is None or shutil.which("skopeo") is None:
        reason = "umoci and skopeo are not installed: nothing else unpacks an image here"
        if os.environ.get("LAYERTRACE_ENGINE") == "required":
            pytest.fail(reason)
        pytest.skip(reason)
    if os.geteuid():
        pytest.skip("owners and devices take root")
    layout, root = built.folder / "layout", built.folder / "unpacked"
    _run(
        "skopeo", "--insecure-policy", "--tmpdir", built.folder, "copy", "--quiet",
        f"docker-archive:{built.saved}", f"oci:{layout}:app",
    )  # fmt: skip
    _run("umoci", "raw", "unpack", "--image", f"{layout}:app", root)
    return root


@pytest.fixture(scope="module")
def told(built: Built, layertrace: Command) -> dict[str, Node]:
    """Return what layertrace lists."""
    records = layertrace.json("files", built.saved, "--digests")["data"]
    assert not [record["path"] for record in records if record["implicit"]]
    nodes = {_exact(record, "path"): _node(record) for record in records}
    links = {
        _exact(r, "path"): _exact(r, "link_target") for r in records if r["type"] == "hardlink"
    }
    for path, named in links.items():
        # A symbolic link and a pipe may have two names as well.
        nodes[path] = replace(nodes[path], kind=nodes[named].kind, target=nodes[named].target)
    return _joined(nodes, links)


def _exact(record: Mapping[str, Any], key: str) -> str:
    encoded = record.get(f"{key}_b64")
    return str(record[key]) if encoded is None else os.fsdecode(base64.b64decode(encoded))


def _node(record: Mapping[str, Any]) -> Node:
    is_link = record["type"] == "symlink"
    return Node(
        kind=record["type"],
        size=record["size"],
        digest=record["digest"],
        target=_exact(record, "link_target") if is_link else None,
        mode=record["mode"],
        owner=(record["uid"], record["gid"]),
        mtime=record["mtime"],
    )


def _joined(nodes: Mapping[str, Node], links: Mapping[str, str]) -> dict[str, Node]:
    """Return nodes that know all names of their file."""
    names: dict[str, set[str]] = {}
    for path, first in links.items():
        names.setdefault(first, {first}).add(path)
    every = {path: frozenset(group) for group in names.values() for path in group}
    return {path: replace(node, names=every.get(path, node.names)) for path, node in nodes.items()}


def _exported(path: Path) -> dict[str, Node]:
    """Return what stands in a tar of a container's files."""
    nodes: dict[str, Node] = {}
    links: dict[str, str] = {}
    with tarfile.open(path) as archive:
        for member in archive:
            name = f"/{member.name}"
            if member.islnk():
                links[name] = f"/{member.linkname}"
                nodes[name] = nodes[links[name]]
                continue
            content = archive.extractfile(member) if member.isreg() else None
            nodes[name] = Node(
                kind=_TYPES[member.type],
                size=member.size,
                digest=None if content is None else _digest(content.read()),
                target=member.linkname if member.issym() else None,
                mode=member.mode & 0o7777,
                owner=(member.uid, member.gid),
                mtime=int(member.mtime // 1),
            )
    return _joined(nodes, links)


def _on_disk(root: Path) -> dict[str, Node]:
    """Return what lies below a folder."""
    nodes: dict[str, Node] = {}
    links: dict[str, str] = {}
    first: dict[int, str] = {}
    for folder, folders, files in os.walk(root):
        for place in (os.path.join(folder, name) for name in (*folders, *files)):  # noqa: PTH118 - its very bytes
            path, status = place.removeprefix(os.fspath(root)), os.lstat(place)
            kind = _KINDS[stat.S_IFMT(status.st_mode)]
            nodes[path] = Node(
                kind=kind,
                size=status.st_size if kind == "file" else 0,
                digest=_digest_at(place) if kind == "file" else None,
                target=os.readlink(place) if kind == "symlink" else None,  # noqa: PTH115 - its very bytes
                mode=stat.S_IMODE(status.st_mode),
                owner=(status.st_uid, status.st_gid),
                mtime=status.st_mtime_ns // 10**9,
            )
            if kind != "dir" and first.setdefault(status.st_ino, path) != path:
                links[path] = first[status.st_ino]
    return _joined(nodes, links)


def _digest_at(place: str) -> str:
    with open(place, "rb") as file:  # noqa: PTH123 - its very bytes
        return _digest(file.read())


def _digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def _differing(
    found: Mapping[str, Node], wanted: Mapping[str, Node]
) -> dict[str, tuple[Node | None, Node | None]]:
    return {
        path: (found.get(path), wanted.get(path))
        for path in sorted(found.keys() | wanted.keys())
        if found.get(path) != wanted.get(path)
    }


def test_the_image_has_all_that_was_to_be_made(built: Built, told: Mapping[str, Node]) -> None:
    """The layers hold each type of member, records for what is large or odd, and whiteouts."""
    members: list[tarfile.TarInfo] = []
    with tarfile.open(built.saved) as archive:
        (image,) = json.load(archive.extractfile("manifest.json") or io.BytesIO())
        for name in image["Layers"]:
            with tarfile.open(fileobj=archive.extractfile(name)) as layer:
                members += layer
    assert {member.type for member in members} == {*_TYPES, tarfile.LNKTYPE}
    records = {keyword for member in members for keyword in member.pax_headers}
    assert records == {"path", "linkpath", "uid", "gid", "mtime", CAPABILITY}
    assert any("/.wh." in member.name for member in members)
    assert len(told) > 250


def test_files_are_those_the_engine_exports(built: Built, told: Mapping[str, Node]) -> None:
    """A container's, but for what the engine itself puts there."""
    wanted = _exported(built.exported)
    assert wanted.keys() - told.keys() == _ADDED
    differing = _differing(told, {p: n for p, n in wanted.items() if p not in _ADDED})
    assert differing.keys() <= _REMADE | _TIMELESS, differing
    for one, other in differing.values():
        assert one is not None
        assert other is not None
        assert replace(one, mode=other.mode, mtime=other.mtime) == other


def test_files_are_those_another_tool_unpacks(unpacked: Path, told: Mapping[str, Node]) -> None:
    """On a disk, by the image specification and with no engine."""
    assert not _differing(told, _on_disk(unpacked))


def test_what_is_extracted_is_what_another_tool_unpacks(
    unpacked: Path, built: Built, layertrace: Command, tmp_path: Path
) -> None:
    """Without devices, pipes, owners and special bits; a symbolic link has one name."""
    layertrace.run("extract", built.saved, "/", "-o", tmp_path / "out")
    found = {path: _plain(node) for path, node in _on_disk(tmp_path / "out").items()}
    wanted = {path: _plain(node) for path, node in _on_disk(unpacked).items()}
    assert not _differing(
        found, {p: n for p, n in wanted.items() if n.kind not in {"fifo", "char", "block"}}
    )


def _plain(node: Node) -> Node:
    names = frozenset[str]() if node.kind == "symlink" else node.names
    return replace(node, mode=node.mode & 0o777, owner=(0, 0), names=names)
