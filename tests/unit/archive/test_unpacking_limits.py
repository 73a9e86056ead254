"""What is packed small and is large: as much as the limits allow, and no more."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from backports import zstd

from layertrace.archive import compression
from layertrace.archive.compression import unpack
from layertrace.archive.store import open_store
from layertrace.errors import LimitError
from layertrace.model.limits import DEFAULTS
from tests.bombs import large_dictionary, large_window
from tests.builders import layer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PACKERS = [gzip.compress, bz2.compress, lzma.compress, zstd.compress]
packed = pytest.mark.parametrize("pack", PACKERS, ids=["gzip", "bzip2", "xz", "zstd"])


def unpacked(data: bytes, **limits: int) -> int:
    """Return how many bytes come of packed ones."""
    return sum(map(len, unpack(iter([data]), "layer 0", replace(DEFAULTS, **limits))))


@packed
def test_unpacking_ends_at_the_limit_of_size(pack: Callable[[bytes], bytes]) -> None:
    """To the byte; several streams that follow each other count together."""
    data = pack(bytes(600)) + pack(bytes(400))
    assert unpacked(data, size=1000) == 1000
    with pytest.raises(LimitError, match="layer 0 has more than 999 bytes when unpacked") as why:
        unpacked(data, size=999)
    assert (why.value.limit, why.value.allowed) == ("size", 999)


def test_plain_bytes_are_no_larger_than_the_limit_either() -> None:
    """They may arrive without end."""
    with pytest.raises(LimitError):
        unpacked(b"x" * 1000, size=999)


def test_unpacking_ends_where_little_becomes_very_much(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not before a size that anything may have."""
    monkeypatch.setattr(compression, "GRACE", 5000)
    data = gzip.compress(bytes(5000))
    assert unpacked(data, ratio=2) == 5000
    data = gzip.compress(bytes(5001))
    assert unpacked(data, ratio=1000) == 5001
    with pytest.raises(LimitError, match="more than 2 times its size: 5,001 bytes out of ") as why:
        unpacked(data, ratio=2)
    assert why.value.limit == "ratio"


@pytest.mark.parametrize("data", [large_dictionary(), large_window()], ids=["xz", "zstd"])
def test_window_beyond_the_limit_is_refused(data: bytes) -> None:
    """Before the memory is taken."""
    with pytest.raises(LimitError, match="layer 0 needs too much memory to be unpacked") as why:
        unpacked(data)
    assert why.value.limit == "window"


def test_raised_window_is_one() -> None:
    """An xz of the largest usual dictionary takes 65 MiB."""
    data = lzma.compress(layer({"a": b"x"}), preset=9)
    assert unpacked(data) == len(layer({"a": b"x"}))
    with pytest.raises(LimitError):
        unpacked(data, window=60 << 20)


@packed
def test_packed_archive_beyond_the_limit_leaves_nothing(
    tmp_path: Path, pack: Callable[[bytes], bytes]
) -> None:
    """Not even what of it could be had: that would pass for the whole."""
    path = tmp_path / "app.tar"
    path.write_bytes(pack(layer({"a": b"x", "b": bytes(20_000)})))
    with pytest.raises(LimitError, match=r"app\.tar has more than 20,000 bytes"):
        open_store(path, replace(DEFAULTS, size=20_000))


def test_pipe_without_end_is_read_as_far_as_the_limit(tmp_path: Path) -> None:
    """It is put on disk, which is not without end."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    written = threading.Event()

    def write() -> None:
        with path.open("wb", buffering=0) as pipe:
            try:
                while True:
                    pipe.write(b"x" * 4096)
            except BrokenPipeError:
                written.set()

    writer = threading.Thread(target=write)
    writer.start()
    with pytest.raises(LimitError, match="more than 100,000 bytes"):
        open_store(path, replace(DEFAULTS, size=100_000))
    writer.join()
    assert written.is_set()
