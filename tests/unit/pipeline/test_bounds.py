"""What an image may hold in all."""

from __future__ import annotations

from dataclasses import replace
from sys import getsizeof
from typing import TYPE_CHECKING

import pytest

from layertrace.errors import LimitError
from layertrace.layers.cache import IndexCache
from layertrace.model.limits import DEFAULTS, Limits
from layertrace.pipeline.hints import Hints
from layertrace.pipeline.trace import open_image
from tests.builders import docker_archive, image, layer, sparse

if TYPE_CHECKING:
    from pathlib import Path

    from layertrace.pipeline.answers import ImageTrace

TWO = {"a": b"1", "b": b"2"}


def trace(path: Path, limits: Limits) -> ImageTrace:
    """Return an image that was read with a cache."""
    cache = IndexCache(path.parent)
    opening = open_image(str(path), Hints(limits=limits), cache)
    try:
        return opening.walk()
    finally:
        opening.close()
        cache.close()


def refused(path: Path, **limits: int) -> LimitError:
    """Return why an image is not read."""
    with pytest.raises(LimitError) as caught:
        trace(path, replace(DEFAULTS, **limits))
    return caught.value


@pytest.fixture
def six(tmp_path: Path) -> Path:
    """An image of six layers of two entries each."""
    path = tmp_path / "app.tar"
    layers = [layer({f"{n}": b"", f"{n}b": b""}) for n in range(6)]
    path.write_bytes(docker_archive(image(*layers)))
    return path


def test_layers_are_counted_before_they_are_read(six: Path) -> None:
    """The number that counts is the manifest's."""
    assert refused(six, layers=5).what == f"{six} has 6 layers"
    assert len(trace(six, replace(DEFAULTS, layers=6)).head.layers) == 6


@pytest.mark.parametrize("cached", [False, True])
def test_layers_together_may_hold_five_times_as_much(
    six: Path,
    cached: bool,  # noqa: FBT001 - drawn
) -> None:
    """Read now or before, with other limits: the answer is the same."""
    if cached:
        trace(six, DEFAULTS)
    assert "has 2 entries, with the layers below it 12" in refused(six, entries=2).what
    assert refused(six, entries=1).limit == "entries"
    # What an empty text takes in memory depends on the Python.
    one = 2 * getsizeof("") + len("n" + "nb")
    told = f"{one} bytes of names, with the layers below it {6 * one}"
    assert refused(six, names=one).what.endswith(told)
    assert refused(six, names=99).limit == "names"
    assert len(trace(six, replace(DEFAULTS, entries=3, names=130)).head.layers) == 6


def test_sparse_file_is_expanded_so_far_and_no_further(tmp_path: Path) -> None:
    """Its size is what it claims, its bytes are few: neither shown nor hashed, but listed."""
    path = tmp_path / "app.tar"
    files = {
        "huge": sparse(8_000_000_000, {0: b"x" * 512}),
        "some": sparse(999_999, {0: b"x" * 512}),
    }
    path.write_bytes(docker_archive(image(layer(files))))
    cache = IndexCache(tmp_path, limit=0)
    for limits, name, limit in (
        (DEFAULTS, "huge", "ratio"),
        (replace(DEFAULTS, ratio=1 << 30, size=999_998), "some", "size"),
    ):
        opening = open_image(str(path), Hints(limits=limits), cache)
        found = opening.walk()
        assert found.record("huge").size == 8_000_000_000
        with pytest.raises(
            LimitError, match=rf"/{name} expands to [0-9,]+ bytes out of 512"
        ) as why:
            next(found.read(name))
        assert why.value.limit == limit
        with pytest.raises(LimitError):
            found.digest(name)
        opening.close()


def test_sparse_file_that_is_no_bomb_is_read(tmp_path: Path) -> None:
    """Holes are zeros."""
    path = tmp_path / "app.tar"
    path.write_bytes(docker_archive(image(layer({"some": sparse(999, {0: b"x" * 512})}))))
    opening = open_image(str(path), Hints(), IndexCache(tmp_path, limit=0))
    assert b"".join(opening.walk().read("some")) == b"x" * 512 + bytes(487)
    opening.close()
