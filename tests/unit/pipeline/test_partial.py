"""A reading that was stopped: what was read is kept and told, and nothing else is."""

from __future__ import annotations

import lzma
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from layertrace.errors import LayerError, StoppedError
from layertrace.layers.cache import IndexCache
from layertrace.model.origin import Change
from layertrace.pipeline.hints import Hints
from layertrace.pipeline.partial import UNCOMPARED, UNREAD
from layertrace.pipeline.trace import open_image
from layertrace.pipeline.watch import Phase, Watcher
from tests.builders import docker_archive, image, layer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from layertrace.pipeline.answers import ImageTrace
    from layertrace.pipeline.trace import Opening
    from layertrace.pipeline.watch import WalkProgress

LAYERS = (
    layer({"etc/hosts": b"one", "etc/gone": b"gone", "a": b"12345"}),
    layer({"etc/hosts": b"longer", "etc/.wh.gone": b""}),
    layer({"a": b"1", "b": b"22", "etc/.wh.hosts": b""}),
    layer({}),
)


@contextmanager
def opened(path: Path, *, limit: int = 1 << 20) -> Iterator[Opening]:
    """Open an archive, with a cache of its own unless that may hold nothing."""
    cache = IndexCache(path.parent / "cache", limit=limit)
    opening = open_image(str(path), Hints(), cache)
    try:
        yield opening
    finally:
        opening.close()
        cache.close()


def stopped(opening: Opening, *, after: int) -> ImageTrace | None:
    """Walk until so many layers are read, and return what there is then."""
    seen: list[WalkProgress] = []
    with pytest.raises(StoppedError):
        opening.walk(seen.append, lambda: seen[-1].layer >= after)
    return opening.so_far()


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Four layers, the last of them empty."""
    path = tmp_path / "app.tar"
    path.write_bytes(docker_archive(image(*LAYERS)))
    return path


def test_what_was_read_is_told_and_what_was_not_is_not_guessed(archive: Path) -> None:
    """Sizes of layers that were read are exact; all that unread ones may change is unknown."""
    with opened(archive) as opening:
        trace = stopped(opening, after=2)
        assert trace is not None
        assert trace.unread == trace.damaged == (2, 3)
        head = trace.head
        assert [each.size for each in head.layers] == [12, 6, None, None]
        assert [each.files for each in head.layers] == [3, 1, None, None]
        assert [each.wasted for each in head.layers] == [None] * 4
        assert head.size is None
        assert head.findings[0].code == UNREAD
        assert head.findings[0].facts == {"layers": [2, 3]}
        assert head.findings[0].message.startswith("2 layers were not read: they may")
        table = trace.table
        rows = dict(zip(table.paths, zip(table.sizes, table.changes, strict=True), strict=True))
        assert rows["etc/hosts"] == (6, Change.MODIFIED)
        assert rows["etc/gone"] == (4, Change.REMOVED)
        assert b"".join(trace.read("etc/hosts")) == b"longer"
        with pytest.raises(LayerError, match="as far as that can be read"):
            trace.chain("b")


def test_one_unread_layer_is_told_as_one_and_leaves_nothing_below_it_sure(archive: Path) -> None:
    """It might hide anything, so no layer's waste is known."""
    with opened(archive) as opening:
        trace = stopped(opening, after=3)
        assert trace is not None
        assert trace.unread == (3,)
        assert trace.head.findings[0].message.startswith("one layer was not read: it may")
        assert trace.head.layers[2].wasted is None
        with pytest.raises(LayerError, match="not known"):
            trace.extractor.require(["a"], trace.damaged)
        assert trace.upto(2).head.layers[0].wasted == 12


def test_nothing_of_half_an_image_is_kept_as_if_it_were_all(archive: Path) -> None:
    """Neither what a container sees nor what views add up."""
    with opened(archive) as opening:
        trace = stopped(opening, after=2)
        assert trace is not None
        trace.keep_packages(b"half")
        trace.keep_bloat(b"half")
        assert trace.sized_head.size is None
        assert trace.recall_packages() is None
        assert trace.recall_bloat() is None
        whole = opening.walk()
        assert whole.recall_packages() is None
        assert whole.recall_bloat() is None
        assert [each.wasted for each in whole.head.layers] == [12, 6, 0, 0]
        assert whole.head.size == 21
        assert whole.unread == ()


@pytest.mark.parametrize("limit", [0, 1 << 20])
def test_reading_goes_on_where_it_was_stopped(archive: Path, limit: int) -> None:
    """Also where nothing can be kept: what was read is not read again."""
    with opened(archive, limit=limit) as opening:
        assert stopped(opening, after=2) is not None
        seen: list[WalkProgress] = []
        whole = opening.walk(seen.append)
        assert {each.layer for each in seen} == {2, 3}
        assert whole.head.size == 21


def test_a_reading_stopped_before_its_first_layer_has_nothing_to_show(archive: Path) -> None:
    """Not an empty image: none at all."""
    with opened(archive) as opening:
        assert opening.so_far() is None
        assert stopped(opening, after=0) is None


def test_all_layers_read_and_nothing_compared_is_said(archive: Path) -> None:
    """Their sizes are as good as ever, origins are not."""
    with opened(archive) as opening:
        opening.walk()
        trace = opening.so_far()
        assert trace is not None
        assert trace.unread == ()
        assert trace.head.size == 21
        assert [each.code for each in trace.head.findings] == [UNCOMPARED]


def test_progress_counts_layers_as_they_are_stored(tmp_path: Path) -> None:
    """Of packed ones their packed bytes: those are what there is to read, and known."""
    path = tmp_path / "app.tar"
    path.write_bytes(docker_archive(image(layer({"a": bytes(3 << 20)})), packed=True))
    seen: list[WalkProgress] = []
    with opened(path) as opening:
        opening.walk(seen.append)
    assert {each.bytes_total for each in seen} == {seen[0].bytes_total}
    assert seen[0].bytes_total is not None
    assert seen[0].bytes_total < 1 << 20
    assert all(0 < each.bytes_done <= seen[0].bytes_total for each in seen[1:])


def test_unpacking_an_archive_tells_how_far_it_is_and_stops(tmp_path: Path) -> None:
    """By its packed bytes, before any image is known."""
    path = tmp_path / "app.tar.xz"
    path.write_bytes(lzma.compress(docker_archive(image(*LAYERS))))
    seen: list[WalkProgress] = []
    cache = IndexCache(tmp_path / "cache")
    open_image(str(path), Hints(), cache, progress=seen.append).close()
    assert {each.phase for each in seen} == {Phase.ARCHIVE}
    assert seen[-1].bytes_done == seen[-1].bytes_total == path.stat().st_size
    with pytest.raises(StoppedError):
        open_image(str(path), Hints(), cache, stop=lambda: True)
    cache.close()


def test_another_phase_is_counted_anew() -> None:
    """Layers of stages are not layers of the image."""
    seen: list[WalkProgress] = []
    watcher = Watcher(seen.append, lambda: False)
    watcher.expect(2, 100)
    watcher.finish_layer(60, 6)
    watcher.begin(Phase.STAGES)
    watcher.expect(1, 10)
    assert not watcher.see(5, 1)
    (told,) = seen
    assert (told.phase, told.layer, told.layers) == (Phase.STAGES, 0, 1)
    assert (told.bytes_done, told.bytes_total, told.entries) == (5, 10, 1)
