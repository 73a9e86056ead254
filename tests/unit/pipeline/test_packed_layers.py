"""Packed layers that are read at once give what they give one after the other."""

from __future__ import annotations

import gzip
import random
import threading
import time
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from layertrace.errors import DigestMismatchError, LimitError, StoppedError
from layertrace.layers.cache import IndexCache
from layertrace.layers.walk import walk_layer
from layertrace.model.limits import DEFAULTS
from layertrace.pipeline import abreast, walking
from layertrace.pipeline.hints import Hints
from layertrace.pipeline.trace import open_image
from tests.builders import docker_archive, docker_files, image, layer, oci_archive

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from layertrace.archive.blob import LayerReader
    from layertrace.layers.walk import Walked
    from layertrace.model.image import LayerRef
    from layertrace.model.limits import Limits
    from layertrace.pipeline.trace import Opening
    from layertrace.pipeline.watch import WalkProgress
    from tests.builders import SampleImage

NOISE = random.Random(6).randbytes(1 << 20)  # noqa: S311 - only so that it does not pack
BASE = {f"lib/{n}": NOISE[n << 12 : n + 1 << 12] for n in range(200)}
LAYERS = (
    layer({**BASE, "etc/hosts": b"one", "etc/gone": b"gone"}),
    layer({"etc/hosts": b"longer", "etc/.wh.gone": b""}),
    layer({"large": NOISE * 2}),
    layer({"etc/hosts": b"longer", "etc/.wh.gone": b""}),
    layer({"b": NOISE[:70_000], "c": b"c"}),
)
BOTH = pytest.mark.parametrize("cores", [1, 2, 8])


@contextmanager
def opened(
    path: Path, cache: Path, *, limits: Limits = DEFAULTS, verify: bool = False
) -> Iterator[Opening]:
    """Open an archive."""
    kept = IndexCache(cache)
    opening = open_image(str(path), Hints(limits=limits, verify=verify), kept)
    try:
        yield opening
    finally:
        opening.close()
        kept.close()


@pytest.fixture
def processors(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], list[str]]:
    """Say how many there are, however small the layers; get who walks them."""

    def have(cores: int) -> list[str]:
        walkers: list[str] = []

        def walk(*args: object, **options: object) -> Walked:
            walkers.append(threading.current_thread().name)
            return walk_layer(*args, **options)  # type: ignore[arg-type]

        monkeypatch.setattr(abreast, "cores", lambda: cores)
        monkeypatch.setattr(abreast, "_WORTH", 0)
        monkeypatch.setattr("layertrace.layers.walk.walk_layer", walk)
        return walkers

    return have


def write(path: Path, one: SampleImage) -> Path:
    """Write an archive of packed layers."""
    path.write_bytes(oci_archive(one, packed=True))
    return path


@BOTH
def test_image_is_the_same_on_any_number_of_processors(
    tmp_path: Path, processors: Callable[[int], list[str]], cores: int
) -> None:
    """Layers, files, digests and what the cache keeps; a layer that comes twice is read once."""
    walkers = processors(cores)
    path = write(tmp_path / "app.tar", image(*LAYERS))
    plain = tmp_path / "plain.tar"
    plain.write_bytes(docker_archive(image(*LAYERS)))
    with opened(plain, tmp_path / "other") as opening:
        known = opening.walk()
        wanted = [known.digest(path) for path in known.table.paths if path != "lib"]
        sizes, paths = [each.size for each in known.head.layers], known.table.paths
    walkers.clear()
    for again in (False, True):
        with opened(path, tmp_path / "cache") as opening:
            trace = opening.walk()
            assert again or len(walkers) == 4
            apart = [name for name in walkers if name.startswith("layertrace-abreast")]
            assert len(apart) == (0 if again or cores == 1 else 4)
            assert trace.table.paths == paths
            assert [trace.digest(path) for path in paths if path != "lib"] == wanted
            assert [each.size for each in trace.head.layers] == sizes
            assert all(index.verified for index in trace.rootfs.layers)
        walkers.clear()


@BOTH
@pytest.mark.parametrize("verify", [False, True])
def test_first_layer_that_lies_is_told(
    tmp_path: Path, processors: Callable[[int], list[str]], cores: int, *, verify: bool
) -> None:
    """Two are not what the configuration names; the lower one is larger and read for longer."""
    processors(cores)
    honest = image(*LAYERS[:3], LAYERS[4])
    lying = (*LAYERS[:2], layer({"large": NOISE}), layer({}))
    path = write(tmp_path / "app.tar", replace(honest, layers=lying))
    with opened(path, tmp_path / "cache", verify=verify) as opening:
        if verify:
            with pytest.raises(DigestMismatchError, match="layer 2"):
                opening.walk()
            return
        found = opening.walk().head.findings
    told = [each for each in found if each.code == "digest-mismatch"]
    assert [each.facts["layer"] for each in told] == [2, 3]


@BOTH
def test_damaged_layers_are_told_and_the_others_read(
    tmp_path: Path, processors: Callable[[int], list[str]], cores: int
) -> None:
    """What stands before the damage is there, whichever layer was done first."""
    processors(cores)
    files = docker_files(image(*LAYERS[:3]), packed=True)
    large = gzip.compress(LAYERS[2], mtime=0)
    name = next(name for name, content in files.items() if content == large)
    files[name] = large[:-100_000]
    path = tmp_path / "app.tar"
    path.write_bytes(layer(files))
    with opened(path, tmp_path / "cache") as opening:
        trace = opening.walk()
        assert trace.damaged == (2,)
        assert len(trace.rootfs.layers[0]) == 202
        assert [each.facts.get("layer") for each in trace.head.findings] == [2]


@BOTH
@pytest.mark.parametrize(
    ("limits", "told"),
    [
        # A layer that is too large by itself, and lower ones that are not.
        ({"size": 1_500_000}, "layer 2 .* has more than 1,500,000 bytes"),
        # Only all together: each has no more than 210.
        ({"entries": 210}, "layer 5 .* with the layers below it 1,2"),
    ],
)
def test_first_layer_that_is_too_much_is_told(
    tmp_path: Path,
    processors: Callable[[int], list[str]],
    cores: int,
    limits: dict[str, int],
    told: str,
) -> None:
    """Whatever was read before it came to be its turn."""
    processors(cores)
    tars = LAYERS[:3] if "size" in limits else [layer({**BASE, f"{n}": b"x"}) for n in range(8)]
    path = write(tmp_path / "app.tar", image(*tars))
    with (
        opened(path, tmp_path / "cache", limits=replace(DEFAULTS, **limits)) as opening,
        pytest.raises(LimitError, match=told),
    ):
        opening.walk()


@BOTH
def test_progress_adds_up(
    tmp_path: Path, processors: Callable[[int], list[str]], cores: int
) -> None:
    """It never goes back, and ends with all there is."""
    processors(cores)
    path = write(tmp_path / "app.tar", image(*LAYERS))
    seen: list[WalkProgress] = []
    with opened(path, tmp_path / "cache") as opening:
        opening.walk(seen.append)
    done = [(each.bytes_done, each.entries) for each in seen]
    assert done == sorted(done)
    assert all(each.bytes_done <= (each.bytes_total or 0) for each in seen)
    assert len({each.bytes_total for each in seen}) <= 1


def test_layers_read_before_the_user_stopped_are_kept(
    tmp_path: Path, processors: Callable[[int], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those above one that was not done, too: they need not be read again."""
    walkers = processors(2)
    go = threading.Event()
    make = walking.Walks._make

    def hold(self: walking.Walks, layer: LayerRef, reader: LayerReader, see: abreast.See) -> Walked:
        if not layer.index and not go.is_set():
            while not see(0, 0):
                time.sleep(0.001)
            raise StoppedError
        return make(self, layer, reader, see)

    def stop() -> bool:
        # The other thread ends when it finds nothing more to do.
        names = [each.name for each in threading.enumerate()]
        return sum(name.startswith("layertrace-abreast") for name in names) == 1

    monkeypatch.setattr(walking.Walks, "_make", hold)
    path = write(tmp_path / "app.tar", image(*LAYERS))
    with opened(path, tmp_path / "cache") as opening:
        with pytest.raises(StoppedError):
            opening.walk(None, stop)
        so_far = opening.so_far()
        assert so_far is not None
        assert so_far.unread == (0, 3)
        go.set()
        walkers.clear()
        assert opening.walk().unread == ()
        assert len(walkers) == 1
