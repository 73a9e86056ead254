"""Archives of the build context looked into: by content, whatever they are packed with."""

from __future__ import annotations

import bz2
import gzip
import lzma
import sys
from typing import TYPE_CHECKING

import pytest

from layertrace.archive.build_context import ContextFile, ignore_matcher, walk_context
from layertrace.pipeline.opening import unpacked
from layertrace.pipeline.opening.unpacked import unpack_file
from tests.builders import file, folder, layer, sha256, sparse

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

if TYPE_CHECKING:
    from pathlib import Path

TAR = layer({"./": folder(), "./bin/x": file(b"content", uid=7), "bin/y": b""})


def _file(folder: Path, content: bytes) -> ContextFile:
    (folder / "app.dat").write_bytes(content)
    (found,) = walk_context(folder, ignore_matcher(()))
    return found


@pytest.mark.parametrize(
    "packed",
    [
        pytest.param(TAR, id="plain"),
        pytest.param(gzip.compress(TAR), id="gzip"),
        pytest.param(bz2.compress(TAR), id="bzip2"),
        pytest.param(lzma.compress(TAR), id="xz"),
        pytest.param(zstd.compress(TAR), id="zstd"),
    ],
)
def test_archives_of_every_compression_are_looked_into(tmp_path: Path, packed: bytes) -> None:
    """Their content tells how they are packed."""
    found = unpack_file(_file(tmp_path, packed))
    assert found.sure
    assert found.tree is not None
    item = found.tree.find("bin/x")
    assert item is not None
    assert (item.size, item.uid) == (7, 7)
    assert found.tree.digest("bin/x") == sha256(b"content")


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"text\n" * 500, id="text"),
        pytest.param(gzip.compress(b"text\n" * 500), id="packed-text"),
        pytest.param(b"\x1f\x8bnothing", id="gzip-by-its-first-bytes"),
        pytest.param(layer(), id="archive-of-nothing"),
    ],
)
def test_other_files_are_no_archives(tmp_path: Path, content: bytes) -> None:
    """Builders copy them as they are."""
    found = unpack_file(_file(tmp_path, content))
    assert found.sure
    assert found.tree is None


def test_damaged_archives_are_no_evidence(tmp_path: Path) -> None:
    """One that ends early may have held anything."""
    found = unpack_file(_file(tmp_path, gzip.compress(TAR)[:-20]))
    cut = unpack_file(_file(tmp_path, layer({"a": b"1", "b": bytes(2000)})[:2000]))
    assert (found.tree, cut.tree) == (None, None)
    assert not found.sure
    assert not cut.sure


def test_archives_that_grow_without_end_are_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A few bytes may unpack to terabytes."""
    monkeypatch.setattr(unpacked, "MAX_UNPACKED", 1 << 20)
    bomb = gzip.compress(layer({"a": b"1", "zeros": bytes(4 << 20), "z": b"1"}))
    found = unpack_file(_file(tmp_path, bomb))
    assert found.tree is None
    assert not found.sure


def test_files_with_holes_have_their_digest(tmp_path: Path) -> None:
    """The archive holds their data only."""
    found = unpack_file(_file(tmp_path, gzip.compress(layer({"s": sparse(9000, {4096: b"1"})}))))
    assert found.tree is not None
    assert found.tree.digest("s") == sha256(bytes(4096) + b"1" + bytes(9000 - 4097))
