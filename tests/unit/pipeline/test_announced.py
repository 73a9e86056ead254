"""An image of the engine is shown by what that tells of it, before the first byte of it comes."""

from __future__ import annotations

from contextlib import closing
from functools import partial
from threading import Event, Thread
from typing import TYPE_CHECKING

import pytest

from layertrace.errors import StoppedError
from layertrace.layers.cache import IndexCache
from layertrace.model.image import HistoryEntry
from layertrace.pipeline.hints import Hints
from layertrace.pipeline.opening.announced import settle_history
from layertrace.pipeline.trace import open_image
from tests.builders import docker_archive, image, layer
from tests.fake_engine import FakeEngine, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from layertrace.pipeline.watch import WalkProgress

BIG = bytes(3 << 20)
STEPS = ["ADD file:1 in /", "RUN /bin/sh -c make # buildkit", "COPY /a /a # buildkit"]
MADE = image(
    layer({"etc/hosts": b"x"}),
    layer({"big": BIG}),
    layer({"a": b"yy"}),
    history=STEPS,
    runtime={"Labels": {"of": "the configuration"}},
)


def _entry(text: str, *, empty: bool = False) -> HistoryEntry:
    return HistoryEntry(created_by=text, empty_layer=empty)


@pytest.mark.parametrize(
    ("layers", "made"),
    [
        pytest.param(1, "1000", id="bytes tell"),
        pytest.param(3, "1011", id="all that could make a layer did"),
        pytest.param(2, None, id="which of two is open"),
        pytest.param(0, None, id="fewer layers than steps with bytes"),
        pytest.param(4, None, id="more layers than steps"),
    ],
)
def test_steps_without_a_layer_are_told_only_where_that_is_certain(
    layers: int, made: str | None
) -> None:
    """A layer may hold no bytes: that of WORKDIR is a folder."""
    history = (
        _entry("/bin/sh -c #(nop) ADD file:1 in /"),
        _entry("/bin/sh -c #(nop) ENV A=1", empty=True),
        _entry("/bin/sh -c #(nop) WORKDIR /app", empty=True),
        _entry("/bin/sh -c true", empty=True),
    )
    found = settle_history(history, layers)
    assert (None if found is None else "".join("10"[e.empty_layer] for e in found)) == made
    assert found is None or [each.created_by for each in found] == [h.created_by for h in history]


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeEngine]:
    """Return one that has the image, and sends it up to the middle of its second layer."""
    saved = docker_archive(MADE)
    found = FakeEngine(saved=saved, hold=(len(saved) // 2, Event()))
    found.add(MADE)
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/engine.sock")
    with serving(found, tmp_path / "engine.sock"):
        yield found


def test_stages_are_known_before_and_layers_while_an_image_comes(
    tmp_path: Path, engine: FakeEngine
) -> None:
    """Its steps at once, its files layer by layer; to look at them asks for nothing again."""
    cache, passed = IndexCache(tmp_path, limit=0), Event()

    def note(progress: WalkProgress) -> None:
        assert progress.estimated or not progress.bytes_total
        if progress.layer == 1:
            passed.set()

    with closing(cache), closing(open_image("app:1", Hints(), cache, early=True)) as opening:
        assert not engine.asked
        assert [each.created_by for each in opening.head.layers] == STEPS
        assert opening.so_far() is None
        thread = Thread(target=partial(opening.walk, note), daemon=True)
        thread.start()
        assert passed.wait(20)
        assert [each.size for each in opening.head_so_far().layers] == [1, None, None]
        some = opening.so_far()
        assert some is not None
        assert [path for path in some.table.paths if path] == ["etc", "etc/hosts"]
        assert engine.hold is not None
        engine.hold[1].set()
        thread.join(20)
    assert len(engine.asked) == 1


def test_an_image_that_came_is_what_its_configuration_says(
    tmp_path: Path, engine: FakeEngine
) -> None:
    """And is opened by the cache from then on."""
    assert engine.hold is not None
    engine.hold[1].set()
    cache, sizes = IndexCache(tmp_path / "cache"), []
    with closing(cache):
        for _ in range(2):
            with closing(open_image("app:1", Hints(), cache, early=True)) as opening:
                trace = opening.walk()
                sizes.append(trace.head.size)
                assert opening.head.image is trace.head.image
                assert trace.head.image.config.labels == {"of": "the configuration"}
    assert sizes == [len(BIG) + 3] * 2
    assert len(engine.asked) == 1


def test_what_came_before_a_stop_stays_and_the_rest_can_be_had(
    tmp_path: Path, engine: FakeEngine
) -> None:
    """Also where nothing is kept in a cache."""
    cache, read = IndexCache(tmp_path, limit=0), list[int]()
    with closing(cache), closing(open_image("app:1", Hints(), cache, early=True)) as opening:
        with pytest.raises(StoppedError):
            opening.walk(lambda p: read.append(p.layer), lambda: bool(read) and read[-1] == 1)
        some = opening.so_far()
        assert some is not None
        assert [each.size for each in some.head.layers] == [1, None, None]
        assert engine.hold is not None
        engine.hold[1].set()
        assert opening.walk().head.size == len(BIG) + 3


def test_an_image_that_the_engine_describes_in_part_is_read_first(
    tmp_path: Path, engine: FakeEngine
) -> None:
    """A wrong outline is worse than none."""
    history = engine.history

    def less(image_id: str) -> list[dict[str, object]]:
        return history(image_id)[1:]

    engine.history = less  # type: ignore[method-assign]
    assert engine.hold is not None
    engine.hold[1].set()
    cache = IndexCache(tmp_path, limit=0)
    with closing(cache), closing(open_image("app:1", Hints(), cache, early=True)) as opening:
        assert len(engine.asked) == 1
        assert [each.created_by for each in opening.head.layers] == STEPS
