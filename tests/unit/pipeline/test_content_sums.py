"""Sums over headers and contents, out of archives, packed layers and the engine's stream."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

import pytest

from layertrace.archive.daemon import EngineSource
from layertrace.archive.source import open_archive, parse_reference
from layertrace.errors import StoppedError
from layertrace.layers.cache import IndexCache
from layertrace.pipeline.stored import StoredArchive
from layertrace.pipeline.streamed import StoredInEngine
from layertrace.pipeline.watch import Watcher
from layertrace.rootfs.places import Place
from tests.builders import docker_archive, image, layer, oci_archive, sparse
from tests.fake_engine import FakeEngine, serving

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from layertrace.layers.index import LayerIndex
    from layertrace.pipeline.stored_image import StoredImage

LARGE: Final = bytes(range(256)) * 9000
"""More than two pieces of a stream."""
LAYERS: Final = ({"a": b"short"}, {"b": b"bb", "c": LARGE, "d": b"dd"}, {"b": b"new"})
MADE: Final = image(*[layer(each) for each in LAYERS], tags=["app:1"])


def sums(content: bytes, *headers: bytes) -> tuple[str, ...]:
    """Return what is expected of one file."""
    return tuple(hashlib.sha256(header + content).hexdigest() for header in headers)


@pytest.fixture(params=["plain", "packed", "engine"])
def stored(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[StoredImage]:
    """Open the same layers as they lie in each kind of source."""
    cache = IndexCache(tmp_path, limit=0)
    if request.param == "engine":
        engine = FakeEngine(saved=docker_archive(MADE))
        engine.add(MADE)
        monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/engine.sock")
        with serving(engine, tmp_path / "engine.sock"):
            opened: StoredImage = StoredInEngine(EngineSource("app:1"), cache, watcher())
            yield opened
            opened.close()
        return
    archive = tmp_path / "app.tar"
    archive.write_bytes(oci_archive(MADE, packed=request.param == "packed"))
    source = open_archive(parse_reference(str(archive)), platform=None)
    opened = StoredArchive(source, source.image, cache)
    yield opened
    opened.close()


def watcher() -> Watcher:
    """Return one that nobody listens to."""
    return Watcher(lambda _: None, lambda: False)


def place(indexes: tuple[LayerIndex, ...], number: int, path: str) -> Place:
    """Return where a layer has a path."""
    return Place(number, indexes[number].numbers[path])


def test_sums_are_those_of_each_header_and_the_content(stored: StoredImage) -> None:
    """Files of several layers, in any order, one of them longer than a piece of a stream."""
    indexes = stored.walk(watcher(), hashing=False, verify=False)
    a, c = place(indexes, 0, "a"), place(indexes, 1, "c")
    d, b = place(indexes, 1, "d"), place(indexes, 2, "b")

    found = stored.sums({d: [b"4"], c: [b"", b"3"], b: [b"2"], a: [b"1"]})

    assert {key: tuple(value) for key, value in found.items()} == {
        a: sums(b"short", b"1"),
        b: sums(b"new", b"2"),
        c: sums(LARGE, b"", b"3"),
        d: sums(b"dd", b"4"),
    }


def test_content_is_read_out_of_any_layer(stored: StoredImage) -> None:
    """A layer that is shorter than the file's place in another is not mistaken for it."""
    indexes = stored.walk(watcher(), hashing=False, verify=False)

    assert b"".join(stored.read(place(indexes, 1, "c"))) == LARGE
    assert b"".join(stored.read(place(indexes, 2, "b"))) == b"new"


def test_cost_is_what_is_read(stored: StoredImage, request: pytest.FixtureRequest) -> None:
    """Plain: the files; packed: their layers; the engine sends nothing less than the image."""
    indexes = stored.walk(watcher(), hashing=False, verify=False)
    lengths = [len(layer(each)) for each in LAYERS]
    wanted = {"plain": 7, "packed": lengths[0] + lengths[1], "engine": sum(lengths)}
    kind = request.node.callspec.params["stored"]

    assert stored.cost([place(indexes, 0, "a"), place(indexes, 1, "b")]) == wanted[kind]


def test_sparse_file_is_left_out_of_a_stream(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its holes are not in the stream; no builder writes such a layer."""
    made = image(layer({"hole": sparse(4096, {512: b"x"}), "z": b"z"}, form=1), tags=["app:1"])
    engine = FakeEngine(saved=docker_archive(made))
    engine.add(made)
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/engine.sock")
    with serving(engine, tmp_path / "engine.sock"):
        stored = StoredInEngine(EngineSource("app:1"), IndexCache(tmp_path, limit=0), watcher())
        indexes = stored.walk(watcher(), hashing=False, verify=False)
        hole, z = place(indexes, 0, "hole"), place(indexes, 0, "z")

        found = stored.sums({hole: [b"1"], z: [b"2"]})
        stored.close()

    assert {key: tuple(value) for key, value in found.items()} == {z: sums(b"z", b"2")}


def test_digests_are_those_of_the_contents(stored: StoredImage) -> None:
    """Files of several layers at once, shipped or not, some of them asked for before."""
    indexes = stored.walk(watcher(), hashing=False, verify=False)
    a, c = place(indexes, 0, "a"), place(indexes, 1, "c")
    hidden, b = place(indexes, 1, "b"), place(indexes, 2, "b")
    before = stored.digest(a)

    found = stored.digests([b, hidden, c, a])

    assert found == {
        each: f"sha256:{hashlib.sha256(content).hexdigest()}"
        for each, content in ((b, b"new"), (hidden, b"bb"), (c, LARGE), (a, b"short"))
    }
    assert found[a] == before
    assert stored.known_digest(c) == found[c]


def test_reading_up_to_a_file_ends_when_it_is_said(
    stored: StoredImage, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What lies before it in a packed layer, or in the engine's stream, takes its time."""
    kind = request.node.callspec.params["stored"]
    indexes = stored.walk(watcher(), hashing=False, verify=False)
    monkeypatch.setattr("layertrace.pipeline.handing._STRIDE", 1000)
    wanted = place(indexes, 1, "d")
    asked, taken = [0], list[bytes]()

    def stop() -> bool:
        asked[0] += 1
        return asked[0] > 3

    def take(_: Place, parts: Iterable[tuple[int, bytes]]) -> None:
        taken.append(b"".join(piece for _, piece in parts))

    if kind == "plain":
        # It is gone to at once.
        stored.hand_out([wanted], take, stop=stop)
        assert (taken, b"".join(stored.read(wanted, stop=stop)), asked) == ([b"dd"], b"dd", [0])
        return
    with pytest.raises(StoppedError):
        stored.hand_out([wanted], take, stop=stop)
    assert taken == []
    asked[0] = 0
    with pytest.raises(StoppedError):
        list(stored.read(wanted, stop=stop))
    assert 3 < asked[0] < 20
    stored.hand_out([wanted], take)
    assert taken == [b"dd"]
