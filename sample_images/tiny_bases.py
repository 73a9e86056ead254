"""Small ``tiny-node:14-slim`` and ``tiny-node:14`` images: a busybox and scripts.

They have the places and the kinds of entries that real node images have (links, a setuid
program, documentation that someone removes later) in a megabyte. The slim image comes out
the same, byte for byte, from the same busybox.
"""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import tarfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from docker_cli import BasePolicy, BuildError, Docker, Plan, Shell, ask

if TYPE_CHECKING:
    from collections.abc import Iterator

SLIM_TAG: Final = "tiny-node:14-slim"
FULL_TAG: Final = "tiny-node:14"
BUSYBOX_VERSION: Final = "1:1.35.0-4+deb12u1+b1"
"""The Debian package whose binary the archives beside this file hold."""

_RECIPES: Final = Path(__file__).parent / "tiny-app" / "base"
_TIME: Final = 1_676_505_600  # 2023-02-16, the release of node 14.21.3
_APPLETS: Final = """
awk basename cat chmod chown cp date dirname echo env find grep gzip head id ln ls mkdir mktemp
mv ps pwd readlink rm rmdir sed sh sha256sum sleep sort stat tail tar test touch tr true uname wc
"""
_FOLDERS: Final = """
bin dev etc home/node proc root run sys usr/bin usr/lib usr/local/bin usr/local/lib
usr/share/doc/npm usr/share/doc/busybox-static var/cache var/log
"""
_PROGRAMS: Final = {"bin/gcc": 3000, "bin/git": 4000, "bin/python3": 3500, "lib/gcc/cc1": 6000}
"""What the full image has beyond the slim one, in lines of filler."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Member:
    """One entry of the slim root filesystem."""

    path: str
    mode: int
    data: bytes = b""
    kind: bytes = tarfile.REGTYPE
    link: str = ""
    uid: int = 0


def make_bases(docker: Docker, work: Path, policy: BasePolicy, *, busybox: Path | None) -> None:
    """Make both tiny images, as far as ``policy`` does not find them in the engine.

    Raises:
        BuildError: there is no busybox, or a tag belongs to someone else's image.
    """
    binary, notice = _busybox(docker.shell, work, busybox)
    slim = _pack(tuple(_slim_members(binary, notice)))
    dockerfile = _RECIPES / "full.Dockerfile"
    recipe = hashlib.sha256(slim + dockerfile.read_bytes() + repr(_PROGRAMS).encode()).hexdigest()
    make_slim, make_full = (policy.must_make(docker, tag, recipe) for tag in (SLIM_TAG, FULL_TAG))
    if make_slim:
        rootfs = work / "tiny-slim.tar"
        rootfs.write_bytes(slim)
        changes = ["ENV PATH=/usr/local/bin:/usr/bin:/bin", 'CMD ["node"]']
        docker.import_rootfs(SLIM_TAG, rootfs, recipe=recipe, changes=changes)
    if make_full:
        context = work / "tiny-full"
        shutil.rmtree(context, ignore_errors=True)
        _write_tools(context / "tools")
        plan = Plan(
            tag=FULL_TAG,
            context=context,
            dockerfile=dockerfile,
            network="none",
            recipe=recipe,
        )
        docker.build(plan)


def _busybox(shell: Shell, work: Path, given: Path | None) -> tuple[bytes, bytes]:
    """Return a static busybox and its copyright notice; Debian's if none is given."""
    if given is not None:
        if not given.is_file():
            raise BuildError(f"--busybox {given}: no such file")
        return given.read_bytes(), b"See the source of the busybox that was given.\n"
    folder = work / "busybox"
    if not (folder / "bin" / "busybox").is_file():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        shell.run("download busybox", ["apt-get", "download", "busybox-static"], cwd=folder)
        package = next(folder.glob("*.deb"))
        version = ask(["dpkg-deb", "--field", str(package), "Version"])
        if version != BUSYBOX_VERSION:
            print(f"busybox-static {version}; the archives in this folder have {BUSYBOX_VERSION}")
        shell.run("unpack busybox", ["dpkg-deb", "--extract", str(package), str(folder)])
    notice = folder / "usr/share/doc/busybox-static/copyright"
    return (folder / "bin" / "busybox").read_bytes(), notice.read_bytes()


def _slim_members(busybox: bytes, notice: bytes) -> Iterator[_Member]:
    """Yield the slim root filesystem, folders before what is in them."""
    named = [PurePosixPath(path) for path in _FOLDERS.split()]
    folders = {str(folder) for path in named for folder in (path, *path.parents)} - {"."}
    for path in sorted(folders):
        owner = 1000 if path == "home/node" else 0
        yield _Member(path=path, mode=0o755, kind=tarfile.DIRTYPE, uid=owner)
    yield _Member(path="tmp", mode=0o1777, kind=tarfile.DIRTYPE)
    yield _Member(path="bin/busybox", mode=0o755, data=busybox)
    for applet in _APPLETS.split():
        yield _Member(path=f"bin/{applet}", mode=0o777, kind=tarfile.SYMTYPE, link="busybox")
    for name in ("node", "npm"):
        script = (_RECIPES / name).read_bytes()
        yield _Member(path=f"usr/local/bin/{name}", mode=0o755, data=script)
    yield _Member(
        path="usr/local/bin/nodejs", mode=0o755, kind=tarfile.LNKTYPE, link="usr/local/bin/node"
    )
    yield _Member(path="usr/share/doc/busybox-static/copyright", mode=0o644, data=notice)
    yield _Member(path="usr/bin/passwd", mode=0o4755, data=b"#!/bin/sh\n# from the base image\n")
    yield from _settings()


def _settings() -> Iterator[_Member]:
    """Yield the text files below /etc and the documentation that someone will remove."""
    texts = {
        "etc/group": "root:x:0:\nnode:x:1000:\n",
        "etc/passwd": "root:x:0:0:root:/root:/bin/sh\nnode:x:1000:1000::/home/node:/bin/sh\n",
        "etc/os-release": 'ID=tiny\nPRETTY_NAME="tiny-node, a stand-in for node:14-slim"\n',
        "etc/tiny-node": f"{SLIM_TAG}\n",
        # An engine puts these three in place for a RUN where they are missing.
        "etc/hostname": "",
        "etc/hosts": "",
        "etc/resolv.conf": "",
        "usr/share/doc/npm/README": "From the base image; a RUN of the samples removes it.\n" * 99,
    }
    for path, text in texts.items():
        yield _Member(path=path, mode=0o644, data=text.encode())


def _pack(members: tuple[_Member, ...]) -> bytes:
    """Return a tar with fixed times and owners."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for member in members:
            info = tarfile.TarInfo(member.path)
            info.type, info.mode, info.linkname = member.kind, member.mode, member.link
            info.uid = info.gid = member.uid
            info.mtime, info.size = _TIME, len(member.data)
            tar.addfile(info, io.BytesIO(member.data))
    return stream.getvalue()


def _write_tools(usr: Path) -> None:
    """Write what only the full image has: a compiler, git and python3 by their weight."""
    for name, lines in _PROGRAMS.items():
        path = usr / name
        path.parent.mkdir(parents=True, exist_ok=True)
        body = "".join(f"# line {n:06} of the body of {name}\n" for n in range(lines))
        path.write_text(f"#!/bin/sh\necho '{name}: a stand-in'\n{body}", encoding="utf-8")
        path.chmod(0o755)
    (usr / "bin" / "cc").symlink_to("gcc")
    headers = usr / "include" / "sys"
    headers.mkdir(parents=True)
    for number in range(12):
        (headers / f"tiny{number:02}.h").write_text("/* a header */\n" * 50, encoding="utf-8")
    fix_times(usr)


def fix_times(root: Path) -> None:
    """Give everything below ``root`` the one time that the samples have."""
    for path in [root, *root.rglob("*")]:
        os.utime(path, (_TIME, _TIME), follow_symlinks=False)
