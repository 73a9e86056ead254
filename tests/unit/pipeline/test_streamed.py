"""An image of the engine is read while it comes."""

from __future__ import annotations

import random
from threading import Event
from typing import TYPE_CHECKING

import pytest

from layertrace.archive.daemon import EngineSource
from layertrace.layers.cache import IndexCache
from layertrace.pipeline.streamed import StoredInEngine
from layertrace.pipeline.watch import Watcher
from tests.builders import docker_archive, image, layer
from tests.fake_engine import FakeEngine, serving

if TYPE_CHECKING:
    from pathlib import Path

    from layertrace.pipeline.watch import WalkProgress

NOISE = random.Random(6).randbytes(4 << 20)  # noqa: S311 - only so that it does not pack
MADE = image(layer({f"{n}": NOISE[n << 14 : (n + 1) << 14] for n in range(256)}), layer({"a": b""}))


@pytest.mark.parametrize("packed", [False, True])
def test_layer_is_walked_while_it_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, packed: bool
) -> None:
    """The engine sends the last quarter only when files of the first were met."""
    saved, met, seen = docker_archive(MADE, packed=packed), Event(), set[int]()
    engine = FakeEngine(saved=saved, hold=(len(saved) * 3 // 4, met))
    engine.add(MADE)

    def note(progress: WalkProgress) -> None:
        seen.add(progress.entries)
        if progress.entries:
            met.set()

    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/engine.sock")
    cache = IndexCache(tmp_path, limit=0)
    watcher = Watcher(note, lambda: False)
    with serving(engine, tmp_path / "engine.sock"):
        stored = StoredInEngine(EngineSource("app:1"), cache, watcher)
        indexes = stored.walk(watcher, hashing=True, verify=True)
        stored.close()
    cache.close()
    assert engine.went_on
    assert [len(index) for index in indexes] == [256, 1]
    assert len(seen) > 2
