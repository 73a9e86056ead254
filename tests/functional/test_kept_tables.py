"""What the cache has of an image's files is what would be found, and is of this very question."""

from __future__ import annotations

import multiprocessing
import sqlite3
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from layertrace.layers.cache import IndexCache
from layertrace.model.limits import DEFAULTS
from layertrace.model.origin import Change
from layertrace.pipeline.hints import Hints
from layertrace.pipeline.trace import open_image
from tests.builders import docker_archive, file, hardlink, image, layer, oci_archive
from tests.sample_support import SAMPLES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from layertrace.model.files import FileRecord, FileTable
    from layertrace.pipeline.answers import ImageTrace

FILES = "files"
SQUASH = "squash"
TINY = SAMPLES / "tiny-app"
LAYERS = (
    layer({"a": file(b"xxx"), "l": hardlink("a"), "d/b": file(b"yy"), "keep/e": b"1"}),
    layer({"d/b": file(b"z"), ".wh.a": b"", "keep/.wh..wh..opq": b"", "new": b"n"}),
)
IMAGE = image(*LAYERS, history=["COPY src /", "RUN make"])
COPIED = image(*LAYERS, history=["COPY src /", "COPY dst /"])
DOCKERFILE = "FROM scratch AS sole\nCOPY src /\nRUN make"
STAGES = "FROM scratch AS build\nCOPY x /\nFROM scratch\nCOPY src /\nCOPY --from=build dst /\n"


@contextmanager
def traced(cache: Path, reference: Path, hints: Hints | None = None) -> Iterator[ImageTrace]:
    """Open an image with a cache."""
    kept = IndexCache(cache)
    opening = open_image(str(reference), hints or Hints(), kept)
    try:
        yield opening.walk()
    finally:
        opening.close()
        kept.close()


def table_of(cache: Path, reference: Path, hints: Hints | None = None) -> FileTable:
    """Return all rows of an image."""
    with traced(cache, reference, hints) as trace:
        return trace.table


def kinds(cache: Path) -> list[str]:
    """Return of which kinds the things are that the cache keeps."""
    kept = IndexCache(cache)
    found = sorted(item.kind for item in kept.items() if item.kind in {FILES, SQUASH})
    kept.close()
    return found


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Return a small image of two layers."""
    path = tmp_path / "app.tar"
    path.write_bytes(docker_archive(IMAGE))
    return path


def records(trace: ImageTrace) -> list[FileRecord]:
    """Return all that the table of an image tells."""
    return [*map(trace.record_at, range(len(trace.table)))]


def everything(trace: ImageTrace) -> tuple[object, ...]:
    """Return all that the rows of an image's table lead to, and what is seen of its layers."""
    rows = range(len(trace.table))
    rootfs = trace.rootfs
    folded = (dict(rootfs.seen), dict(rootfs.below), {*rootfs.hidden}, dict(rootfs.promoted))
    items = [trace.item_at(row) for row in rows]
    details = [*trace.details(rows)]
    return trace.table, records(trace), items, details, trace.head, trace.shares(), folded


@pytest.mark.parametrize(
    ("name", "dockerfile"),
    [
        pytest.param("regular.tar.xz", None, id="regular"),
        pytest.param("regular.tar.xz", "Dockerfile.regular", id="with a Dockerfile"),
        pytest.param("multistage.tar.xz", None, id="trace archive"),
        pytest.param("multistage-classic.tar.xz", None, id="trace archive, classic"),
    ],
)
def test_kept_answers_are_those_that_were_found(
    name: str, dockerfile: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of every row, of every attribute; nothing is folded or traced for it."""
    hints = Hints(dockerfile=TINY / dockerfile if dockerfile else None)
    with traced(tmp_path, TINY / name, hints) as trace:
        found = everything(trace)
        assert {*trace.table.changes} >= {Change.ADDED, Change.REMOVED}
        for record in records(trace):
            if record.change is not Change.REMOVED:
                assert trace.record(record.path) == record
    monkeypatch.setattr("layertrace.pipeline.tracing.make_table", None)
    monkeypatch.setattr("layertrace.pipeline.keeping.folding.squash", None)
    with traced(tmp_path, TINY / name, hints) as trace:
        assert everything(trace) == found


def test_everything_that_has_a_say_makes_another_question(archive: Path, tmp_path: Path) -> None:
    """A Dockerfile, its words, arguments, a base and limits; and those asked before stay."""
    cache, dockerfile, base = tmp_path / "cache", tmp_path / "Dockerfile", tmp_path / "base.tar"
    dockerfile.write_text(DOCKERFILE)
    changed = tmp_path / "changed"
    changed.write_text(f"# told\n{DOCKERFILE}")
    base.write_bytes(docker_archive(image(LAYERS[0], history=["COPY src /"])))
    questions = [
        Hints(),
        Hints(dockerfile=dockerfile),
        Hints(dockerfile=changed),
        Hints(dockerfile=dockerfile, build_args={"A": "1"}),
        Hints(base=str(base)),
        Hints(limits=replace(DEFAULTS, links=7)),
    ]
    found = []
    for number, hints in enumerate(questions):
        found.append(table_of(cache, archive, hints))
        assert kinds(cache).count(FILES) == number + 1
    lines = [{origin.line for origin in table.origins} - {None} for table in found[:3]]
    assert lines == [set(), {2, 3}, {3, 4}]
    for hints, table in zip(questions, found, strict=True):
        assert table_of(cache, archive, hints) == table
    assert kinds(cache) == [FILES] * len(questions) + [SQUASH]


def test_a_stage_of_other_layers_is_another_question(archive: Path, tmp_path: Path) -> None:
    """By whatever name it is given: its files are what is compared."""
    cache, stage, dockerfile = tmp_path / "cache", tmp_path / "stage.tar", tmp_path / "Dockerfile"
    dockerfile.write_text(STAGES)
    archive.write_bytes(docker_archive(COPIED))
    hints = Hints(dockerfile=dockerfile, stages={"build": str(stage)})
    trusts = []
    for content in (b"n", b"m"):
        files = layer({"dst/d/b": b"z", "dst/new": content})
        stage.write_bytes(docker_archive(image(files, history=["COPY x /"])))
        trusts.append(table_of(cache, archive, hints).trusts)
    assert trusts[0] != trusts[1]
    assert kinds(cache).count(FILES) == 2


def test_another_history_is_another_question(archive: Path, tmp_path: Path) -> None:
    """The layers are the same, and who made them is not."""
    cache = tmp_path / "cache"
    first = table_of(cache, archive)
    archive.write_bytes(docker_archive(COPIED))
    assert table_of(cache, archive) != first
    assert kinds(cache) == [FILES, FILES, SQUASH]


def test_the_same_image_in_another_archive_is_known(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its layers were seen to be what they are called; packed ones cost more to compare."""
    cache, other, packed = tmp_path / "cache", tmp_path / "other.tar", tmp_path / "packed.tar"
    first = table_of(cache, archive)
    packed.write_bytes(oci_archive(IMAGE, packed=True))
    assert table_of(cache, packed) == first
    assert kinds(cache) == [FILES, FILES, SQUASH]
    other.write_bytes(archive.read_bytes())
    monkeypatch.setattr("layertrace.pipeline.tracing.make_table", None)
    assert table_of(cache, other) == first


def test_an_archive_that_is_taken_at_its_word_answers_for_no_other(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody saw that its large layers have what they are called by."""
    monkeypatch.setattr("layertrace.pipeline.kept_layers.VERIFY_LIMIT", 0)
    cache, other = tmp_path / "cache", tmp_path / "other.tar"
    other.write_bytes(archive.read_bytes())
    for each in (archive, other, archive, other):
        table_of(cache, each)
    assert kinds(cache) == [FILES, FILES, SQUASH, SQUASH]


def test_nothing_is_kept_that_a_context_file_could_make_stale(
    archive: Path, tmp_path: Path
) -> None:
    """What stands in the context tomorrow is not known today."""
    cache, context, dockerfile = tmp_path / "cache", tmp_path / "context", tmp_path / "Dockerfile"
    (context / "src").mkdir(parents=True)
    (context / "src/l").write_bytes(b"xxx")
    dockerfile.write_text(DOCKERFILE)
    hints = Hints(dockerfile=dockerfile, context=context)
    before = table_of(cache, archive, hints)
    assert kinds(cache) == [SQUASH]
    (context / "src/l").write_bytes(b"yyy")
    assert table_of(cache, archive, hints) != before


def test_nothing_is_kept_of_a_damaged_image(tmp_path: Path) -> None:
    """What is missing may be there tomorrow."""
    archive = tmp_path / "app.tar"
    cut = layer({"b": b"1", "c": b"c" * 9000})[:5000]
    archive.write_bytes(docker_archive(image(LAYERS[0], cut)))
    with traced(tmp_path / "cache", archive) as trace:
        assert trace.damaged == (1,)
        assert "b" in trace.table.paths
    assert kinds(tmp_path / "cache") == []


def test_nothing_is_kept_where_nobody_can_tell_what_it_depends_on(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rules that cannot be told from others, and values that are no data."""
    cache = tmp_path / "cache"
    with monkeypatch.context() as patched:
        patched.setattr("layertrace.pipeline.keeping.tables.own_code", lambda: None)
        first = table_of(cache, archive)
    with monkeypatch.context() as patched:
        patched.setattr("layertrace.pipeline.keeping.tables.user_names", lambda: print)
        assert table_of(cache, archive) == first
    assert kinds(cache) == [SQUASH]


def test_lower_layers_have_an_answer_of_their_own(archive: Path, tmp_path: Path) -> None:
    """They are another image."""
    for _ in range(2):
        with traced(tmp_path / "cache", archive) as trace:
            whole, lower = trace.table.paths, trace.upto(0).table.paths
        assert whole == ["a", "d", "d/b", "keep", "keep/e", "l", "new"]
        assert lower == ["a", "d", "d/b", "keep", "keep/e", "l"]
    assert kinds(tmp_path / "cache") == [FILES, FILES, SQUASH, SQUASH]


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param("UPDATE item SET data = zeroblob(length(data))", id="zeros"),
        pytest.param("UPDATE item SET data = substr(data, 1, length(data) / 2)", id="half"),
        pytest.param("UPDATE item SET data = ''", id="nothing"),
        pytest.param("UPDATE item SET data = 7", id="no bytes"),
        pytest.param("UPDATE item SET crc = crc + 1", id="another checksum"),
    ],
)
def test_damaged_answers_are_found_anew(archive: Path, tmp_path: Path, damage: str) -> None:
    """Without a word, and written once more."""
    cache = tmp_path / "cache"
    with traced(cache, archive) as trace:
        found = everything(trace)
    before = kinds(cache)
    with sqlite3.connect(cache / "index-1.sqlite") as connection:
        connection.execute(f"{damage} WHERE kind IN (?, ?)", (FILES, SQUASH))
    connection.close()
    for _ in range(2):
        with traced(cache, archive) as trace:
            assert everything(trace) == found
        assert kinds(cache) == before


def test_answers_that_make_no_sense_are_found_anew(archive: Path, tmp_path: Path) -> None:
    """Although their checksum is right: another layertrace may have written them."""
    cache = tmp_path / "cache"
    with traced(cache, archive) as trace:
        found = everything(trace)
    kept = IndexCache(cache)
    with sqlite3.connect(kept.path) as connection:
        rows = connection.execute("SELECT kind, key, witness FROM item").fetchall()
    connection.close()
    rows = [row for row in rows if row[0] in {FILES, SQUASH}]
    for kind, key, witness in rows:
        kept.store_answer(kind, key, witness, b"no")
    kept.close()
    assert len(rows) == 2
    with traced(cache, archive) as trace:
        assert everything(trace) == found


def test_a_cache_that_is_too_small_keeps_no_answers(archive: Path, tmp_path: Path) -> None:
    """They count as all else does, and the least recently used go."""
    kept = IndexCache(tmp_path / "cache", limit=900)
    opening = open_image(str(archive), Hints(), kept)
    table = opening.walk().table
    opening.close()
    kept.close()
    assert sum(item.size for item in kept.items()) <= 900
    kept.close()
    assert table_of(tmp_path / "cache", archive) == table


def open_again(cache: Path, archive: Path, start: object) -> None:
    """Ask as another process would."""
    start.wait()  # type: ignore[attr-defined]
    for _ in range(4):
        with traced(cache, archive) as trace:
            assert trace.table.paths == ["a", "d", "d/b", "keep", "keep/e", "l", "new"]
            assert trace.rootfs.place("a") is None


def test_processes_find_and_keep_at_once(archive: Path, tmp_path: Path) -> None:
    """Whoever is first, all get the same answer."""
    context = multiprocessing.get_context("spawn")
    start = context.Barrier(2)
    given = (tmp_path / "cache", archive, start)
    processes = [context.Process(target=open_again, args=given) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0]
    assert kinds(tmp_path / "cache") == [FILES, SQUASH]
