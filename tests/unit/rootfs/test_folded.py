"""A fold is kept as few numbers, and is not made before somebody looks at it."""

from __future__ import annotations

import struct
import sys

import pytest

from layertrace.rootfs.folded import LazyRootfs, dump_rootfs, load_rootfs
from layertrace.rootfs.squash import Rootfs, squash
from tests.builders import hardlink, layer
from tests.readers import walk

LAYERS = (
    walk(layer({"a": b"xxx", "l": hardlink("a"), "b": b"yy", "d/e": b"1"})),
    walk(layer({"b": b"z", ".wh.a": b"", ".wh.d": b""})),
)
FOLDED = squash(LAYERS)
DATA = dump_rootfs(FOLDED)


def test_a_fold_is_the_same_after_it_was_kept() -> None:
    """A hard link that stands alone for a file that is gone, too."""
    assert FOLDED.promoted
    assert FOLDED.below
    assert load_rootfs(DATA, LAYERS) == FOLDED


def test_numbers_are_little_endian_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """A home directory may be one for several machines."""
    monkeypatch.setattr(sys, "byteorder", "big")
    swapped = dump_rootfs(FOLDED)
    assert len(swapped) == len(DATA)
    assert swapped != DATA
    assert load_rootfs(swapped, LAYERS) == FOLDED


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(DATA[:-8], id="cut short"),
        pytest.param(DATA[:-3], id="cut inside a number"),
        pytest.param(DATA + bytes(8), id="more"),
        pytest.param(struct.pack("<q", 99) + DATA[8:], id="another format"),
        pytest.param(DATA[:8] + struct.pack("<q", 99) + DATA[16:], id="of other indexes"),
        pytest.param(DATA[:48] + struct.pack("<q", 99) + DATA[56:], id="no such entry"),
        pytest.param(DATA[:48] + struct.pack("<q", 1 << 40) + DATA[56:], id="no such layer"),
    ],
)
def test_what_is_not_whole_or_not_of_these_layers_is_not_used(data: bytes) -> None:
    """A cache may hold anything."""
    assert load_rootfs(data, LAYERS) is None


def test_a_fold_of_other_layers_is_not_used() -> None:
    """Its numbers would mean other entries."""
    assert load_rootfs(DATA, LAYERS[:1]) is None


def test_layers_are_folded_once_and_only_if_asked_for() -> None:
    """Who asks for sizes alone never waits for it."""
    folds: list[int] = []

    def fold() -> Rootfs:
        folds.append(1)
        return FOLDED

    lazy = LazyRootfs(LAYERS, fold)
    assert lazy.layers == LAYERS
    with pytest.raises(AttributeError, match="LazyRootfs has no others"):
        lazy.others  # type: ignore[attr-defined] # noqa: B018
    assert not folds
    assert lazy.place("b") == FOLDED.place("b")
    assert (lazy.seen, lazy.below) == (FOLDED.seen, FOLDED.below)
    assert (lazy.hidden, lazy.promoted) == (FOLDED.hidden, FOLDED.promoted)
    assert folds == [1]
