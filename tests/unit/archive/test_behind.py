"""Hashing in another thread comes to what hashing at once does."""

from __future__ import annotations

import hashlib
import threading

import pytest

from layertrace.archive.behind import HashingBehind


@pytest.mark.parametrize(
    "sizes", [[10], [1 << 20], [5, 1 << 20, 7, 1 << 17, 1 << 17], [1 << 16] * 40]
)
def test_pieces_are_hashed_in_their_order(sizes: list[int]) -> None:
    """Small ones at once, large ones behind, and none overtakes another."""
    hashing, first, second = HashingBehind(), hashlib.sha256(), hashlib.sha512()
    pieces = [bytes([number]) * size for number, size in enumerate(sizes)]
    for piece in pieces:
        hashing.update(first, piece)
        hashing.update(second, piece)
    hashing.settle()
    assert first.digest() == hashlib.sha256(b"".join(pieces)).digest()
    assert second.digest() == hashlib.sha512(b"".join(pieces)).digest()
    hashing.close()


def test_thread_is_there_only_while_it_is_needed() -> None:
    """None for small pieces; that for large ones ends, and what waited is hashed."""
    before = threading.active_count()
    hashing, hashed = HashingBehind(), hashlib.sha256()
    hashing.update(hashed, b"x")
    hashing.close()
    assert threading.active_count() == before
    hashing.update(hashed, bytes(1 << 20))
    assert threading.active_count() == before + 1
    hashing.close()
    hashing.settle()
    for thread in threading.enumerate():
        if thread.name.startswith("ThreadPool"):
            thread.join(10)
    assert threading.active_count() == before
    assert hashed.digest() == hashlib.sha256(b"x" + bytes(1 << 20)).digest()
