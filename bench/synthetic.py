"""Archives that no build makes, written as a stream: many small files, few large, many layers.

    python bench/synthetic.py FOLDER [NAME ...]

The same bytes each time. Contents are as small as a tar allows, so that what is measured is
entries; large files are holes on disk.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

from measure import BenchError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_BLOCK: Final = 512
_PIECE: Final = 1 << 20
_REWRITTEN: Final = 20
"""One of so many files of a layer is written again by the next."""
_IN_FOLDER: Final = 100
_TIME: Final = 1_700_000_000
_OCI: Final = "application/vnd.oci.image"
_SPARE: Final = 2 << 30
"""Bytes that are to stay free on the disk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What an archive holds."""

    files: int
    layers: int
    size: int = 100
    """Bytes of each file."""
    packed: str = ""
    """``gzip`` or ``zstd``: an OCI archive; else one of docker."""

    @property
    def stored(self) -> int:
        """About the bytes of all layers as tars."""
        return self.files * (_BLOCK + -(-self.size // _BLOCK) * _BLOCK)


SHAPES: Final = {
    "small-100k": Shape(files=100_000, layers=20),
    "small-1m": Shape(files=1_000_000, layers=20),
    "layers-200": Shape(files=100_000, layers=200),
    "large-4g": Shape(files=20, layers=1, size=200 << 20),
    "small-100k-gzip-oci": Shape(files=100_000, layers=20, packed="gzip"),
    "small-100k-zstd-oci": Shape(files=100_000, layers=20, packed="zstd"),
}


@contextmanager
def synthetic(name: str, folder: Path) -> Iterator[Path]:
    """Yield an archive of a shape, which is gone again afterwards.

    Raises:
        BenchError: the disk has no room for it.
    """
    shape = SHAPES[name]
    if shutil.disk_usage(folder).free < shape.stored + _SPARE:
        raise BenchError(f"no room for {name} in {folder}")
    target = folder / f"{name}.tar"
    try:
        write(target, shape)
        yield target
    finally:
        target.unlink(missing_ok=True)


def write(target: Path, shape: Shape) -> None:
    """Write an archive of a shape."""
    with target.open("wb") as file:
        (_write_oci if shape.packed else _write_docker)(_Archive(file), shape)


class _Archive:
    """The outer tar, member by member."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def add(self, name: str, data: bytes) -> None:
        self._file.write(_header(name, len(data)) + data + bytes(-len(data) % _BLOCK))

    def stream(self, name: str, pieces: Iterator[bytes | int]) -> tuple[str, int]:
        """Add what comes, ints being so many zeros; return its sha256 and size."""
        start = self._file.tell()
        self._file.write(bytes(_BLOCK))
        sha256 = hashlib.sha256()
        for piece in pieces:
            if isinstance(piece, int):
                for size in range(piece, 0, -_PIECE):
                    sha256.update(bytes(min(size, _PIECE)))
                self._file.seek(piece, 1)
            else:
                sha256.update(piece)
                self._file.write(piece)
        size = self._file.tell() - start - _BLOCK
        self._file.seek(start)
        self._file.write(_header(name, size))
        self._file.seek(0, 2)
        # Holes at the end are none until something stands behind them.
        self._file.seek(start + _BLOCK + size)
        self._file.write(bytes(-size % _BLOCK))
        return sha256.hexdigest(), size

    def end(self) -> None:
        self._file.write(bytes(2 * _BLOCK))


def _write_docker(archive: _Archive, shape: Shape) -> None:
    diff_ids, names = [], []
    for number in range(shape.layers):
        names.append(f"layer-{number:03}/layer.tar")
        sha256, _ = archive.stream(names[-1], _layer(number, shape))
        diff_ids.append(f"sha256:{sha256}")
    archive.add("config.json", _config(diff_ids))
    manifest = [{"Config": "config.json", "RepoTags": ["synthetic:1"], "Layers": names}]
    archive.add("manifest.json", json.dumps(manifest).encode())
    archive.end()


def _write_oci(archive: _Archive, shape: Shape) -> None:
    diff_ids, listed = [], []
    for number in range(shape.layers):
        tar = b"".join(bytes(p) if isinstance(p, int) else p for p in _layer(number, shape))
        diff_ids.append(f"sha256:{hashlib.sha256(tar).hexdigest()}")
        packed = _packer(shape.packed)(tar)
        media_type = f"{_OCI}.layer.v1.tar+{shape.packed}"
        listed.append(_add_blob(archive, packed, media_type))
    config = _add_blob(archive, _config(diff_ids), f"{_OCI}.config.v1+json")
    document = {"schemaVersion": 2, "config": config, "layers": listed}
    manifest = _add_blob(archive, json.dumps(document).encode(), f"{_OCI}.manifest.v1+json")
    archive.add("oci-layout", b'{"imageLayoutVersion": "1.0.0"}')
    archive.add("index.json", json.dumps({"schemaVersion": 2, "manifests": [manifest]}).encode())
    archive.end()


def _add_blob(archive: _Archive, data: bytes, media_type: str) -> dict[str, object]:
    digest = hashlib.sha256(data).hexdigest()
    archive.add(f"blobs/sha256/{digest}", data)
    return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(data)}


def _packer(name: str) -> Callable[[bytes], bytes]:
    if name == "gzip":
        return lambda data: gzip.compress(data, compresslevel=6, mtime=0)
    from backports import zstd  # noqa: PLC0415 - Python before 3.14

    return zstd.compress


def _config(diff_ids: Sequence[str]) -> bytes:
    history = [{"created_by": f"RUN step {number}"} for number in range(len(diff_ids))]
    rootfs = {"type": "layers", "diff_ids": diff_ids}
    document = {"architecture": "amd64", "os": "linux", "history": history, "rootfs": rootfs}
    return json.dumps(document).encode()


def _layer(number: int, shape: Shape) -> Iterator[bytes | int]:
    """Yield the tar of one layer: its own files, and some of the layer below once more."""
    each = shape.files // shape.layers
    own = range(number * each, (number + 1) * each)
    again = range((number - 1) * each, number * each, _REWRITTEN) if number else range(0)
    padded = -(-shape.size // _BLOCK) * _BLOCK
    content: bytes | int = padded if shape.size > _PIECE else b"x".ljust(padded, b"\0")
    folder, pieces = -1, list[bytes]()
    for file in (*again, *own):
        if file // _IN_FOLDER != folder:
            folder = file // _IN_FOLDER
            pieces.append(_header(f"{_folder(folder)}/", 0, kind=b"5", mode=0o755))
        pieces.append(_header(f"{_folder(folder)}/file-{file:07}.txt", shape.size))
        if isinstance(content, int):
            yield b"".join(pieces)
            yield content
            pieces.clear()
        else:
            pieces.append(content)
        if len(pieces) > 1000:  # noqa: PLR2004 - about a mebibyte
            yield b"".join(pieces)
            pieces.clear()
    yield b"".join((*pieces, bytes(2 * _BLOCK)))


def _folder(number: int) -> str:
    return f"srv/part-{number // 100:03}/folder-{number:05}"


def _header(name: str, size: int, *, kind: bytes = b"0", mode: int = 0o644) -> bytes:
    """Return a ustar header; ``tarfile`` takes ten times as long to write one."""
    fields = b"%07o\0%07o\0%07o\0%011o\0%011o\0" % (mode, 0, 0, size, _TIME)
    start = name.encode().ljust(100, b"\0") + fields
    rest = kind + bytes(100) + b"ustar\x0000" + bytes(247)
    total = sum(start) + sum(rest) + 8 * ord(" ")
    return start + b"%06o\0 " % total + rest


def main(words: Sequence[str]) -> int:
    """Write the archives that are named, all of them if none is, and leave them."""
    folder = Path(words[0])
    for name in words[1:] or SHAPES:
        write(folder / f"{name}.tar", SHAPES[name])
        print(folder / f"{name}.tar")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
