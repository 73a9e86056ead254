"""Archives made to hurt whoever opens them, written in no time.

A bomb is a compressed block repeated: every format lets streams follow each other.
"""

from __future__ import annotations

import gzip
import hashlib
import lzma
import tarfile
import zlib
from typing import TYPE_CHECKING, Final

from tests.builders import BLOCK, checksummed, layer, padded, sparse, to_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

MIB: Final = 1 << 20


def header(name: str, *, size: int = 0, kind: bytes = tarfile.REGTYPE) -> bytes:
    """Return a tar header; its size field says whatever it is told."""
    info = tarfile.TarInfo(name)
    info.size, info.type = size, kind
    return info.tobuf(tarfile.GNU_FORMAT)


def repeated(block: bytes, times: int, pack: Callable[[bytes], bytes] = gzip.compress) -> bytes:
    """Return what unpacks to ``block`` so many times."""
    return pack(block) * times


def zeros(size: int, pack: Callable[[bytes], bytes] = gzip.compress) -> bytes:
    """Return what unpacks to a tar of one file of so many zeros, told by a fast packer."""
    return pack(header("zeros", size=size)) + repeated(bytes(32 * MIB), size // (32 * MIB), pack)


def write_image(
    path: Path,
    layers: Iterable[bytes],
    *,
    config: bytes | None = None,
    manifest: bytes | None = None,
) -> Path:
    """Write a docker-archive around layers as they are stored, whatever is in them."""
    blobs = list(layers)
    digests = [hashlib.sha256(blob).hexdigest() for blob in blobs]
    if config is None:
        # Of what a bomb unpacks to nobody knows the digest: any will do.
        diff_ids = [f"sha256:{digest}" for digest in digests]
        config = to_json({"os": "linux", "rootfs": {"type": "layers", "diff_ids": diff_ids}})
    names = [f"blobs/sha256/{digest}" for digest in digests]
    if manifest is None:
        manifest = to_json([{"Config": "config.json", "RepoTags": ["app:1"], "Layers": names}])
    with path.open("wb") as file:
        for name, content in (
            ("manifest.json", manifest),
            ("config.json", config),
            *zip(names, blobs, strict=True),
        ):
            file.write(header(name, size=len(content)))
            file.write(padded(content))
        file.write(bytes(2 * BLOCK))
    return path


def write_layout(path: Path, blobs: Iterable[bytes], index: bytes) -> Path:
    """Write an OCI layout as a tar, its blobs under their digests."""
    files = {f"blobs/sha256/{hashlib.sha256(blob).hexdigest()}": blob for blob in blobs}
    path.write_bytes(layer({"oci-layout": b'{"imageLayoutVersion": "1.0.0"}'} | files
                           | {"index.json": index}))  # fmt: skip
    return path


def nested_indexes(depth: int) -> tuple[list[bytes], bytes]:
    """Return indexes that name each other, and the outermost."""
    blobs: list[bytes] = []
    inner = to_json({"schemaVersion": 2, "manifests": []})
    for _ in range(depth):
        blobs.append(inner)
        inner = index_of(hashlib.sha256(inner).hexdigest())
    return blobs, inner


def index_of(hexadecimal: str) -> bytes:
    """Return an index that names one index."""
    media_type = "application/vnd.oci.image.index.v1+json"
    item = {"mediaType": media_type, "digest": f"sha256:{hexadecimal}", "size": 1}
    return to_json({"schemaVersion": 2, "manifests": [item]})


def extended(kind: bytes, content: bytes, *, size: int | None = None) -> bytes:
    """Return one extended header, whose size field may say anything."""
    told = len(content) if size is None else size
    return header("x", size=told, kind=kind) + padded(content)


def record(keyword: str, value: str) -> bytes:
    """Return one PAX record."""
    rest = len(f" {keyword}={value}\n".encode())
    length = rest + len(str(rest))
    length = rest + len(str(length))
    return f"{length} {keyword}={value}\n".encode()


def exabytes(name: str) -> bytes:
    """Return a sparse file of GNU's form that claims 2**60 bytes and stores one block."""
    tar = layer({name: sparse(BLOCK, {0: b"x" * BLOCK})})
    claim = (1 << 60 | 1 << 95).to_bytes(12, "big")
    return checksummed(tar[:483] + claim + tar[495:BLOCK]) + tar[BLOCK:]


def large_dictionary() -> bytes:
    """Return an xz stream whose header asks for a dictionary of 4 GiB."""
    packed = bytearray(lzma.compress(layer({"a": b"x"}), preset=0))
    # Block header: size, flags, filter id 0x21, one byte of properties, the dictionary.
    start = packed.index(b"\x21\x01", 12)
    packed[start + 2] = 40
    size = (packed[12] + 1) * 4
    packed[12 + size - 4 : 12 + size] = zlib.crc32(packed[12 : 12 + size - 4]).to_bytes(4, "little")
    return bytes(packed)


def large_window() -> bytes:
    """Return a zstd frame whose header asks for a window of 2 GiB."""
    return b"\x28\xb5\x2f\xfd" + bytes([0, 21 << 3]) + b"\x01\0\0"
