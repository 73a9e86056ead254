"""Build caches that BuildKit exported."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import pytest

from layertrace.archive import stage_cache
from layertrace.archive.stage_cache import open_stage_cache
from layertrace.errors import ArchiveError, SourceError
from layertrace.model.buildcache import chain_id
from layertrace.model.image import Platform
from tests.builders import image, layer, oci_files, sha256, write_folder
from tests.cache_builder import cache_files

if TYPE_CHECKING:
    from pathlib import Path

    from layertrace.archive.stage_cache import CacheSource

BASE, DIST, OTHER = layer({"base": b"1"}), layer({"dist": b"2"}), layer({"other": b"3"})
LAYERS = [(BASE, -1), (DIST, None), (OTHER, 1)]


def stacks(source: CacheSource) -> list[list[list[str]]]:
    """Return for each step the diff_ids of its results."""
    return [
        [[each.diff_id for each in stack] for stack in step.stacks]
        for cache in source.caches
        for step in cache.steps
    ]


@pytest.mark.parametrize("as_index", [False, True])
def test_steps_have_whole_file_systems(tmp_path: Path, *, as_index: bool) -> None:
    """Of a manifest as of an index; a parent that is left out is the first layer."""
    files = cache_files(
        LAYERS, [([], []), ([2], [[0], [3, 0]]), ([1], []), ([0], [])], as_index=as_index
    )
    source = open_stage_cache(write_folder(tmp_path, files))
    base, dist, other = (sha256(tar) for tar, _ in LAYERS)
    assert stacks(source) == [[], [[base, dist, other]], [[base, dist]], [[base]]]
    assert [step.inputs for step in source.caches[0].steps] == [(), ((0,), (3, 0)), (), ()]
    source.close()


def test_stack_is_an_image_to_read(tmp_path: Path) -> None:
    """Its layers are unpacked and checked as any other's."""
    source = open_stage_cache(write_folder(tmp_path, cache_files(LAYERS, [([2], [])])))
    made = source.image(
        source.caches[0].steps[0].stacks[0], Platform(os="linux", architecture="arm")
    )
    assert made.config.diff_ids == tuple(sha256(tar) for tar, _ in LAYERS)
    with source.open_layer(made.layers[1]) as reader:
        assert reader.read_at(0, len(DIST)) == DIST
        reader.verify()
    source.close()


def test_merged_result_is_its_layers_in_order(tmp_path: Path) -> None:
    """COPY --link makes layers that are on top of nothing."""
    files = cache_files([(BASE, -1), (DIST, -1)], [([1], []), ([], [])], chains={1: [0, 1]})
    source = open_stage_cache(write_folder(tmp_path, files))
    assert stacks(source) == [[[sha256(DIST)]], [[sha256(BASE), sha256(DIST)]]]
    source.close()


def test_layer_that_is_not_stored_takes_what_is_on_it_along(tmp_path: Path) -> None:
    """A part of a file system says nothing of it."""
    files = cache_files(LAYERS, [([2], []), ([0], [])])
    packed = gzip.compress(DIST, mtime=0)
    del files[next(name for name, data in files.items() if data == packed)]
    source = open_stage_cache(write_folder(tmp_path, files))
    assert stacks(source) == [[], [[sha256(BASE)]]]
    source.close()


@pytest.mark.parametrize(
    ("layers", "records", "message"),
    [
        pytest.param([(BASE, 0)], [([0], [])], "over 1000 layers", id="circle"),
        pytest.param([(BASE, 5)], [([0], [])], "on top of one of 1", id="no such parent"),
        pytest.param([(BASE, -1)], [([1], [])], "a number below 1", id="no such layer"),
        pytest.param([(BASE, -1)], [([0], [[7]])], "a number below 1", id="no such step"),
        pytest.param([(BASE, -1)], [([-1], [])], "a number below 1", id="negative"),
    ],
)
def test_numbers_that_lead_nowhere_are_refused(
    tmp_path: Path,
    layers: list[tuple[bytes, int]],
    records: list[tuple[list[int], list[list[int]]]],
    message: str,
) -> None:
    """And a circle of parents ends."""
    with pytest.raises(ArchiveError, match=message):
        open_stage_cache(write_folder(tmp_path, cache_files(layers, records)))


def test_more_than_any_build_has_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Steps, and layers of all steps together."""
    write_folder(tmp_path, cache_files(LAYERS, [([2], []), ([2], [])]))
    monkeypatch.setattr(stage_cache, "MAX_STACKED", 5)
    with pytest.raises(ArchiveError, match="more than 5 layers"):
        open_stage_cache(tmp_path)
    monkeypatch.setattr(stage_cache, "MAX_STEPS", 1)
    with pytest.raises(ArchiveError, match="more than 1 steps"):
        open_stage_cache(tmp_path)


def test_what_is_no_cache_is_said_so(tmp_path: Path) -> None:
    """An image's layout, an empty folder, nothing at all."""
    write_folder(tmp_path / "layout", oci_files(image(BASE)))
    (tmp_path / "empty").mkdir()
    for folder, why in (
        ("layout", "configuration of one"),
        ("empty", "has no index.json"),
        ("no", ""),
    ):
        with pytest.raises(SourceError) as caught:
            open_stage_cache(tmp_path / folder)
        assert why in (caught.value.why or "")


def test_chain_id_is_the_specification_s() -> None:
    """Checked by hand against the formula of the image-spec."""
    one, two = sha256(b"1"), sha256(b"2")
    assert chain_id([]) == ""
    assert chain_id([one]) == one
    assert chain_id([one, two]) == sha256(f"{one} {two}".encode())
    assert chain_id([one, two, one]) == sha256(f"{chain_id([one, two])} {one}".encode())
