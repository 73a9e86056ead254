"""What layers tell of waste is found once, and the same when it was kept."""

from __future__ import annotations

import json
import zlib
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from layertrace.analysis.leftovers.leftovers import Counted
from layertrace.analysis.waste import keeping
from layertrace.analysis.waste.bloat import find_bloat
from layertrace.analysis.waste.groups import Undone
from layertrace.analysis.waste.keeping import Found, dump_found, load_found, mark_of
from layertrace.errors import LimitError
from layertrace.model.waste import Cause, Duplicate
from layertrace.pipeline.stored import StoredArchive
from tests.builders import file, layer
from tests.leftover_images import traced

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from layertrace.rootfs.places import Place
    from tests.builders import Content

FOUND = Found(
    undone=(
        Undone(Cause.REMOVED, 0, 2, {"a\udcff": 7, "": 1 << 40}),
        Undone(Cause.METADATA, 0, 2, {"b": 7}),
    ),
    leftovers=(Counted("logs", {"var/log": 12}, {1: 5, 0: 7}),),
    duplicates=(Duplicate(digest="sha256:1", size=9, paths=("c", "d")),),
    dive_efficiency=0.1 + 0.2,
)
MARK: keeping.Mark = [1, 2, 3, "amd64", 3]
DATA = dump_found(FOUND, MARK) or b""

LAYERS: tuple[dict[str, Content], ...] = (
    {"var/log/a": b"1" * 10, "one": b"x" * 5000, "two": b"x" * 5000, "old": b"o" * 30},
    {"one": file(b"x" * 5000, mode=0o600), ".wh.old": b""},
)
DOCKERFILE = "FROM scratch\nCOPY a /\nRUN b\n"


def test_what_was_found_is_the_same_after_it_was_kept() -> None:
    """Names that are no UTF-8 too, in the order they were found, and every digit."""
    assert load_found(DATA, MARK) == FOUND
    assert list(load_found(DATA, MARK).undone[0].paths) == ["a\udcff", ""]  # type: ignore[union-attr]


def _altered(**values: object) -> bytes:
    return zlib.compress(json.dumps(json.loads(zlib.decompress(DATA)) | values).encode())


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"no", id="not packed"),
        pytest.param(DATA[:-9], id="cut short"),
        pytest.param(zlib.compress(b"no"), id="no JSON"),
        pytest.param(zlib.compress(b"[" * 100_000), id="too deep"),
        pytest.param(zlib.compress(b"[]"), id="no object"),
        pytest.param(zlib.compress(b"{}"), id="nothing in it"),
        pytest.param(_altered(mark=[0]), id="another format"),
        pytest.param(_altered(undone=[["burnt", 0, 1, {}]]), id="no cause"),
        pytest.param(_altered(undone=[["removed", 0, 1, {"a": "x"}]]), id="no size"),
        pytest.param(_altered(leftovers=[["logs", {}]]), id="no layers"),
        pytest.param(_altered(duplicates=3), id="no list"),
    ],
)
def test_what_is_not_whole_or_not_of_this_version_is_not_used(data: bytes) -> None:
    """A cache may hold anything."""
    assert load_found(data, MARK) is None


def test_more_than_is_quick_to_load_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Paths are counted wherever they stand: five."""
    monkeypatch.setattr(keeping, "_MOST_PATHS", 6)
    assert dump_found(FOUND, MARK) == DATA
    monkeypatch.setattr(keeping, "_MOST_PATHS", 5)
    assert dump_found(FOUND, MARK) is None


@pytest.mark.parametrize("packed", [False, True])
def test_waste_is_looked_for_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, packed: bool
) -> None:
    """Afterwards the cache knows it, of an archive too that nobody proved; no path is looked at."""
    with traced(tmp_path, *LAYERS, packed=packed, cached=True) as trace:
        first = find_bloat(trace)
    assert [(group.cause, group.bytes) for group in first.groups] == [
        (Cause.METADATA, 5000),
        (Cause.REMOVED, 30),
    ]
    assert [(each.rule, each.bytes) for each in first.maybe] == [("logs", 10)]
    assert [each.paths for each in first.duplicates] == [("one", "two")]
    assert (first.stored_bytes, first.visible_bytes) == (15_040, 10_010)
    monkeypatch.setattr("layertrace.pipeline.keeping.folding.squash", None)
    with traced(tmp_path, *LAYERS, packed=packed, cached=True) as trace:
        assert find_bloat(trace) == first


def test_advice_is_that_of_the_dockerfile_at_hand(tmp_path: Path) -> None:
    """What is kept is of the layers alone."""
    with traced(tmp_path, *LAYERS, cached=True) as trace:
        assert {group.written_by.line for group in find_bloat(trace).groups} == {None}
    with traced(tmp_path, *LAYERS, dockerfile=DOCKERFILE, cached=True) as trace:
        assert {group.written_by.line for group in find_bloat(trace).groups} == {2}


def test_spoiled_cache_is_read_past(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And written anew."""
    with traced(tmp_path, *LAYERS, cached=True) as trace:
        trace.keep_bloat(b"no")
        first = find_bloat(trace)
        monkeypatch.setattr(trace, "hand_out", None)
        assert find_bloat(trace) == first


def test_lower_layers_have_an_answer_of_their_own(tmp_path: Path) -> None:
    """They are another image."""
    with traced(tmp_path, *LAYERS, cached=True) as trace:
        whole, lower = find_bloat(trace), find_bloat(trace.upto(0))
        assert lower.groups == ()
        assert (find_bloat(trace), find_bloat(trace.upto(0))) == (whole, lower)


def test_mark_tells_images_apart_whose_processors_differ(tmp_path: Path) -> None:
    """The same layers may be leftovers on one and not on another."""
    with traced(tmp_path, *LAYERS) as trace:
        head = trace.sized_head
    config = head.image.config
    other = replace(config, platform=replace(config.platform, architecture="arm64"))
    assert mark_of(head) != mark_of(replace(head, image=replace(head.image, config=other)))


def test_what_could_not_all_be_read_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a damaged layer, or of contents that would unpack to too much."""
    tar = layer({"b": b"b" * 9000})
    with traced(tmp_path, *LAYERS, tar[:5000], cached=True) as trace:
        find_bloat(trace)
        assert trace.recall_bloat() is None

    def refuse(_: StoredArchive, places: Iterable[Place]) -> dict[Place, str]:
        if list(places):
            raise LimitError("too much", limit="ratio", allowed=1)
        return {}

    monkeypatch.setattr(StoredArchive, "digests", refuse)
    files: dict[str, Content] = {"one": b"y" * 50}
    with traced(tmp_path, {"one": b"x" * 50}, files, cached=True) as trace:
        (group,) = find_bloat(trace).groups
        assert (group.cause, group.bytes) == (Cause.OVERWRITTEN, 50)
        assert trace.recall_bloat() is None
