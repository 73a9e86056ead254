"""Digests of many files at once are those of each."""

from __future__ import annotations

import hashlib
import threading

import pytest

from layertrace.errors import LayerError
from layertrace.pipeline import hashing
from layertrace.pipeline.hashing import hash_files
from tests.builders import file, layer, sparse
from tests.readers import walk, walk_damaged

CONTENTS = {
    "empty": b"",
    "a": b"a",
    "b": b"b" * 5000,
    "large": bytes(range(256)) * 9000,
    "c": b"c" * 70_000,
    "d": b"",
    "e": b"e" * 512,
}
TAR = layer(
    {name: file(data) for name, data in CONTENTS.items()}
    | {"holes": sparse(9000, {4096: b"x" * 100}), "last": file(b"z" * 600)}
)


class Tar:
    """A layer that may be read anywhere."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.threads: set[int] = set()
        self.reads: list[tuple[int, int]] = []

    def read_at(self, offset: int, size: int) -> bytes:
        """Return bytes, and keep who asked for which."""
        self.threads.add(threading.get_ident())
        self.reads.append((offset, size))
        return self._data[offset : offset + size]


@pytest.mark.parametrize("few", [0, 1 << 30], ids=["threads", "none"])
def test_digests_are_those_of_the_contents(few: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Small files read together, large ones and those with holes alone."""
    monkeypatch.setattr(hashing, "_FEW", few)
    index, tar = walk(TAR), Tar(TAR)
    expected = CONTENTS | {"holes": bytes(4096) + b"x" * 100 + bytes(4804), "last": b"z" * 600}
    found = hash_files(tar, index, reversed(range(len(index))))
    assert {index.paths[n]: digest for n, digest in found.items()} == {
        name: hashlib.sha256(data).digest() for name, data in expected.items()
    }
    assert (threading.get_ident() in tar.threads) == bool(few)


def test_files_that_stand_together_are_read_together() -> None:
    """What lies between is read too, up to a limit."""
    index, tar = walk(TAR), Tar(TAR)
    hash_files(tar, index, [index.numbers[name] for name in ("a", "b", "c", "e")])
    assert len(tar.reads) == 2
    assert hash_files(tar, index, []) == {}


def test_file_that_is_cut_short_is_an_error() -> None:
    """It has no digest; those before it were of no use either."""
    index = walk_damaged(TAR)
    with pytest.raises(LayerError, match="cut short inside 'last'"):
        hash_files(Tar(TAR[: index.offsets[index.numbers["last"]] + 599]), index, range(len(index)))
