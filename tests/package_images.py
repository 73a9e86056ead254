"""Images with databases of packages, written out of a few values."""

from __future__ import annotations

import sqlite3
import struct
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from layertrace.analysis.packages.table import read_packages
from layertrace.layers.cache import IndexCache
from layertrace.pipeline.hints import Hints
from layertrace.pipeline.trace import open_image
from tests.builders import docker_archive, image, layer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from layertrace.model.packages import PackageTable
    from layertrace.pipeline.answers import ImageTrace
    from tests.builders import Content

_PAGE = 4096


@contextmanager
def traced(
    path: Path, *layers: Mapping[str, Content] | bytes, packed: bool = False, cached: bool = False
) -> Iterator[ImageTrace]:
    """Open an image of some layers; bytes are a layer's tar."""
    tars = [each if isinstance(each, bytes) else layer(each) for each in layers]
    archive = path / "app.tar"
    archive.write_bytes(docker_archive(image(*tars), packed=packed))
    cache = IndexCache(path / "cache", limit=1 << 20 if cached else 0)
    opening = open_image(str(archive), Hints(), cache)
    try:
        yield opening.walk(hashing=False)
    finally:
        opening.close()
        cache.close()


def packages(path: Path, *layers: Mapping[str, Content] | bytes) -> PackageTable:
    """Return the packages of an image of some layers."""
    with traced(path, *layers) as trace:
        return read_packages(trace)


def owners(table: PackageTable) -> dict[str, str]:
    """Return the package of each path by its kind and name."""
    return {
        path: f"{table.packages[number].kind}/{table.packages[number].name}"
        for path, number in sorted(table.owners.items())
    }


def status(**versions: str) -> bytes:
    """Return a status file of dpkg; ``libx__i386`` has an architecture of its own."""
    blocks = []
    for name, version in versions.items():
        package, _, architecture = name.partition("__")
        blocks.append(
            f"Package: {package}\nStatus: install ok installed\nPriority: optional\n"
            f"Architecture: {architecture or 'amd64'}\nVersion: {version}\n"
            "Description: of some lines\n Version: 9 is not its own\n .\n More.\n"
        )
    return "\n".join(blocks).encode()


def dpkg_list(*paths: str) -> bytes:
    """Return a list of dpkg: each path after the directories above it."""
    lines = ["/."]
    for path in paths:
        parts = path.strip("/").split("/")
        lines += ["/" + "/".join(parts[:end]) for end in range(1, len(parts) + 1)]
    return "".join(f"{line}\n" for line in dict.fromkeys(lines)).encode()


def rpm_header(  # noqa: PLR0913 - what a header has
    name: str,
    version: str,
    *files: str,
    release: str = "1",
    epoch: int | None = None,
    arch: str = "x86_64",
    old: bool = False,
) -> bytes:
    """Return a header of rpm; ``old`` has whole paths, as before rpm 4."""
    folders = sorted({f"{path.rpartition('/')[0]}/" for path in files})
    tags: list[tuple[int, int, int, bytes]] = [
        (1000, 6, 1, _texts(name)),
        (1001, 6, 1, _texts(version)),
        (1002, 6, 1, _texts(release)),
        (1022, 6, 1, _texts(arch)),
    ]
    if epoch is not None:
        tags.append((1003, 4, 1, _numbers(epoch)))
    if files and old:
        tags.append((1027, 8, len(files), _texts(*files)))
    elif files:
        numbers = (folders.index(f"{path.rpartition('/')[0]}/") for path in files)
        names = (path.rpartition("/")[2] for path in files)
        tags += [
            (1116, 4, len(files), _numbers(*numbers)),
            (1117, 8, len(files), _texts(*names)),
            (1118, 8, len(folders), _texts(*folders)),
        ]
    index = store = b""
    for tag, kind, count, value in tags:
        store += bytes(-len(store) % 4)
        index += struct.pack(">IIII", tag, kind, len(store), count)
        store += value
    return struct.pack(">II", len(tags), len(store)) + index + store


def rpm_sqlite(*headers: bytes | str | None) -> bytes:
    """Return an ``rpmdb.sqlite``, marked as written ahead, as rpm leaves it."""
    with closing(sqlite3.connect(":memory:")) as database:
        database.execute("CREATE TABLE Packages (hnum INTEGER PRIMARY KEY, blob BLOB)")
        rows = [(header,) for header in headers]
        database.executemany("INSERT INTO Packages (blob) VALUES (?)", rows)
        database.commit()
        data = bytearray(database.serialize())
    data[18:20] = b"\2\2"
    return bytes(data)


def rpm_ndb(*headers: bytes) -> bytes:
    """Return a ``Packages.db``: a page of slots, then the headers in blocks of 16 bytes."""
    slots = struct.pack("<4sIIIIIII", b"RpmP", 0, 7, 1, len(headers) + 1, 0, 0, 0)
    blobs = b""
    for number, header in enumerate(headers, 1):
        blob = struct.pack("<4sIII", b"BlbS", number, 7, len(header)) + header
        blob += bytes(-(len(blob) + 12) % 16) + struct.pack("<III", 0, len(header), 0x45426C42)
        slots += struct.pack("<4sIII", b"Slot", number, (_PAGE + len(blobs)) // 16, len(blob) // 16)
        blobs += blob
    free = struct.pack("<4sIII", b"Slot", 0, 0, 0)
    slots += free * ((_PAGE - len(slots)) // len(free))
    return slots + blobs


def _texts(*texts: str) -> bytes:
    return b"".join(text.encode("utf-8", "surrogateescape") + b"\0" for text in texts)


def _numbers(*numbers: int) -> bytes:
    return struct.pack(f">{len(numbers)}I", *numbers)


def apk_database(packages: Mapping[str, Sequence[str]]) -> bytes:
    """Return an ``installed`` of apk: ``name-1.0-r0`` to its files."""
    blocks = []
    for full, files in packages.items():
        name, version, release = full.rsplit("-", 2)
        lines = ["C:Q1abc=", f"P:{name}", f"V:{version}-{release}", "A:x86_64", "F:"]
        for path in files:
            folder, _, base = path.rpartition("/")
            lines += [f"F:{folder}", "M:0:0:1777", f"R:{base}", "a:0:0:755", "Z:Q1abc="]
        blocks.append("".join(f"{line}\n" for line in lines))
    return "\n".join([*blocks, ""]).encode()
