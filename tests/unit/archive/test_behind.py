"""Hashing in another thread comes to what hashing at once does."""

from __future__ import annotations

import hashlib
import os
import threading

import pytest

from layertrace.archive import behind
from layertrace.archive.behind import HashingBehind, cores


@pytest.fixture(autouse=True)
def _two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(behind, "cores", lambda: 2)


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
    # Others may linger of readers that no test closed.
    before = set(threading.enumerate())
    hashing, hashed = HashingBehind(), hashlib.sha256()
    hashing.update(hashed, b"x")
    hashing.close()
    assert not set(threading.enumerate()) - before
    hashing.update(hashed, bytes(1 << 20))
    (thread,) = set(threading.enumerate()) - before
    hashing.close()
    thread.join(10)
    assert not thread.is_alive()
    assert hashed.digest() == hashlib.sha256(b"x" + bytes(1 << 20)).digest()


def test_one_processor_hashes_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread would only take time from the one that hands it the bytes."""
    monkeypatch.setattr(behind, "cores", lambda: 1)
    before = set(threading.enumerate())
    hashing, hashed = HashingBehind(), hashlib.sha256()
    hashing.update(hashed, bytes(1 << 20))
    assert not set(threading.enumerate()) - before
    assert hashed.digest() == hashlib.sha256(bytes(1 << 20)).digest()
    hashing.settle()
    hashing.close()


def test_processors_are_counted_on_any_system(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a process cannot be bound to some of them, all count; at least one there is."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 3}, raising=False)
    assert cores() == 2
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 5)
    assert cores() == 5
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert cores() == 1
