"""The index cache: kept by diff_id, safe among processes, never more than a help."""

from __future__ import annotations

import multiprocessing
import sqlite3
import time
from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from layertrace.errors import StorageError
from layertrace.layers import cache as cache_module
from layertrace.layers import database
from layertrace.layers.cache import CachedItem, IndexCache
from tests.builders import layer
from tests.readers import walk

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from layertrace.layers.index import LayerIndex

OWN = walk(layer({"a": b"x"}))
PROVED = replace(OWN, verified=True, length=2048)
ONE, TWO = "sha256:" + "1" * 64, "sha256:" + "2" * 64


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder that is not there yet."""
    return tmp_path / "cache" / "layertrace"


@pytest.fixture
def cache(folder: Path) -> Iterator[IndexCache]:
    """Return an empty cache."""
    cache = IndexCache(folder)
    yield cache
    cache.close()


def reopened(cache: IndexCache) -> IndexCache:
    """Return the cache as the next process finds it."""
    cache.close()
    return IndexCache(cache.path.parent)


def test_empty_cache_knows_nothing_and_makes_nothing(cache: IndexCache, folder: Path) -> None:
    """Asking leaves no trace on the disk."""
    assert cache.load_layer(ONE, "archive") == (None, False)
    assert (cache.load_config(ONE), cache.load_digests(ONE, ""), cache.items()) == (None, {}, ())
    assert (cache.prune(0), cache.clear()) == (0, 0)
    assert not folder.exists()


def test_index_is_found_again_by_the_next_process(cache: IndexCache) -> None:
    """What one process stored the next one loads."""
    cache.store_layer(ONE, "archive", OWN)
    again = reopened(cache)
    assert again.load_layer(ONE, "archive") == (OWN, True)
    assert again.load_layer(TWO, "archive") == (None, False)
    again.close()


def test_index_that_was_not_verified_answers_for_its_archive_alone(cache: IndexCache) -> None:
    """An archive that lies about a diff_id never answers for another one."""
    cache.store_layer(ONE, "liar", OWN)
    cache.store_digests(ONE, "liar", {0: b"l" * 32})
    assert cache.load_layer(ONE, "honest") == (None, False)
    assert cache.load_verified(ONE) is None
    assert cache.load_digests(ONE, "honest") == {}


def test_verified_index_answers_for_all_and_says_whose_it_is(cache: IndexCache) -> None:
    """Another archive gets it as another's, until its own copy is confirmed too."""
    cache.store_layer(ONE, "honest", PROVED)
    assert cache.load_layer(ONE, "honest") == (PROVED, True)
    assert cache.load_layer(ONE, "other") == (PROVED, False)
    cache.confirm_layer(ONE, "other")
    assert cache.load_layer(ONE, "other") == (PROVED, True)
    assert cache.load_verified(ONE) == PROVED


def test_verified_index_of_no_archive_confirms_none(cache: IndexCache) -> None:
    """A layer streamed from an engine proves nothing about an archive on disk."""
    cache.store_layer(ONE, "", PROVED)
    assert cache.load_verified(ONE) == PROVED
    assert cache.load_layer(ONE, "archive") == (PROVED, False)


def test_own_index_goes_before_the_verified_one(cache: IndexCache) -> None:
    """What was walked in this very archive is what this archive holds."""
    cache.store_layer(ONE, "", PROVED)
    cache.store_layer(ONE, "liar", OWN)
    assert cache.load_layer(ONE, "liar") == (OWN, True)


def test_trouble_with_the_disk_is_told_and_work_goes_on(tmp_path: Path) -> None:
    """A file stands where the folder should be."""
    (tmp_path / "cache").write_bytes(b"")
    cache = IndexCache(tmp_path / "cache")
    told = [cache.trouble]
    cache.store_config("sha256:aa", b"{}")
    told.append(cache.trouble)
    assert not told[0]
    assert told[1].endswith(f": {tmp_path / 'cache'}")
    assert cache.load_config("sha256:aa") is None


def test_configuration_and_digests_are_kept(cache: IndexCache) -> None:
    """Configurations by digest, content digests by entry number."""
    digests = {7: b"7" * 32, 0: b"0" * 32, 1 << 31: b"n" * 32}
    cache.store_config(ONE, b"{}")
    cache.store_digests(ONE, "", digests)
    again = reopened(cache)
    assert (again.load_config(ONE), again.load_digests(ONE, "")) == (b"{}", digests)
    again.close()


def test_visible_bytes_are_kept_with_the_formats_they_are_of(
    cache: IndexCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a container sees of some layers, together; another number of them is another image."""
    assert cache.load_visible(ONE, "archive", count=2) is None
    cache.store_visible(ONE, "archive", [1 << 40, 0])
    assert cache.load_visible(ONE, "archive", count=2) == [1 << 40, 0]
    assert cache.load_visible(ONE, "archive", count=3) is None
    assert cache.load_visible(ONE, "", count=2) is None
    monkeypatch.setattr(cache_module, "FORMAT", -1)
    assert cache.load_visible(ONE, "archive", count=2) is None


def test_packages_are_kept_for_the_layers_and_the_archive(cache: IndexCache) -> None:
    """What one archive says is no answer for another."""
    cache.store_packages("sha256:1", "archive", b"here")
    assert cache.load_packages("sha256:1", "archive") == b"here"
    assert cache.load_packages("sha256:1", "") is None
    assert cache.load_packages("sha256:2", "archive") is None
    assert [(item.kind, item.verified) for item in cache.items()] == [("packages", False)]


def test_waste_is_kept_for_the_layers_and_the_archive(cache: IndexCache) -> None:
    """What one archive holds is no answer for another."""
    cache.store_bloat("sha256:1", "archive", b"here")
    assert cache.load_bloat("sha256:1", "archive") == b"here"
    assert cache.load_bloat("sha256:1", "") is None
    assert cache.load_bloat("sha256:2", "archive") is None
    assert [(item.kind, item.verified) for item in cache.items()] == [("bloat", False)]


def test_items_are_listed_the_most_recently_used_first(
    cache: IndexCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each with its kind, key, size and time, and whether all archives share it."""
    now = 1_700_000_000
    monkeypatch.setattr(time, "time", lambda: now)
    cache.store_config(ONE, b"{}")
    cache.store_digests(ONE, "archive", {0: b"0" * 32})
    monkeypatch.setattr(time, "time", lambda: now + 86_400)
    cache.load_config(ONE)
    assert {item.used for item in cache.items()} == {now}
    monkeypatch.setattr(time, "time", lambda: now + 86_401)
    cache.load_config(ONE)
    assert cache.items() == (
        CachedItem(kind="config", key=ONE, verified=True, size=2, used=now + 86_401),
        CachedItem(kind="digests", key=ONE, verified=False, size=36, used=now),
    )


def fill(cache: IndexCache, count: int) -> None:
    """Store ``count`` configurations of 100 bytes, the first one used last."""
    for number in range(count):
        cache.store_config(f"{number}", b"%100d" % number)


def keys(cache: IndexCache) -> set[str]:
    """Return what is kept."""
    return {item.key for item in cache.items()}


def test_prune_drops_the_least_recently_used(
    cache: IndexCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Down to the limit and no further; the bytes dropped are told."""
    fill(cache, 4)
    monkeypatch.setattr(time, "time", lambda: 4_000_000_000)
    assert cache.load_config("0") is not None
    assert (cache.prune(200), keys(cache)) == (200, {"0", "3"})
    assert (cache.prune(200), keys(cache)) == (0, {"0", "3"})
    assert (cache.prune(0), keys(cache)) == (200, set())


def test_pruned_file_is_smaller(cache: IndexCache) -> None:
    """Room that was freed goes back to the disk."""
    cache.store_config(ONE, bytes(1 << 20))
    assert cache.prune(0) == 1 << 20
    cache.close()
    assert cache.path.stat().st_size < 1 << 19


def test_cache_stays_below_its_limit(folder: Path) -> None:
    """What is beyond it goes when the cache is closed; what exceeds it alone is not kept."""
    cache = IndexCache(folder, limit=250)
    fill(cache, 3)
    cache.store_config("large", bytes(251))
    cache.close()
    again = IndexCache(folder, limit=250)
    assert keys(again) == {"1", "2"}
    again.close()


def test_clear_removes_the_file_and_the_cache_goes_on(cache: IndexCache) -> None:
    """The bytes it took are told; the next write makes it anew."""
    cache.store_config(ONE, bytes(1 << 16))
    assert cache.clear() > 1 << 16
    assert list(cache.path.parent.iterdir()) == []
    assert cache.load_config(ONE) is None
    cache.store_config(ONE, b"{}")
    assert cache.load_config(ONE) == b"{}"


def test_clear_says_what_it_cannot_remove(cache: IndexCache) -> None:
    """A folder in the file's place is not the cache's to remove."""
    cache.path.mkdir(parents=True)
    with pytest.raises(StorageError, match="cannot remove") as caught:
        cache.clear()
    assert caught.value.exit_code == 5


def spoil(path: Path, start: int, data: bytes) -> None:
    """Overwrite a part of a file."""
    with path.open("r+b") as file:
        file.seek(start)
        file.write(data)


@pytest.mark.parametrize(
    "size", [0, 1, 99, 100, 4096, 5000, 12_288], ids=lambda size: f"{size} bytes left"
)
def test_truncated_file_is_made_anew(cache: IndexCache, size: int) -> None:
    """A file that was cut off is no obstacle: what is lost is walked again."""
    cache.store_layer(ONE, "archive", OWN)
    cache.store_config(TWO, bytes(50_000))
    cache.close()
    with cache.path.open("r+b") as file:
        file.truncate(size)
    again = IndexCache(cache.path.parent)
    assert again.load_config(TWO) is None
    again.store_layer(ONE, "archive", OWN)
    last = reopened(again)
    assert last.load_layer(ONE, "archive") == (OWN, True)
    last.close()


@pytest.mark.parametrize(
    ("start", "junk"),
    [
        pytest.param(0, b"not a database at all", id="magic"),
        pytest.param(0, b"\xff" * 20_000, id="all"),
        pytest.param(4096, b"\xff" * 40_960, id="pages"),
        pytest.param(100, b"\xff" * 300, id="schema"),
    ],
)
def test_damaged_file_is_made_anew(cache: IndexCache, start: int, junk: bytes) -> None:
    """Nobody hears of the damage, and what is stored next is kept."""
    fill(cache, 200)
    cache.close()
    spoil(cache.path, start, junk)
    again = IndexCache(cache.path.parent)
    for number in range(200):
        assert again.load_config(f"{number}") in {None, b"%100d" % number}
    again.store_layer(ONE, "archive", OWN)
    last = reopened(again)
    assert last.load_layer(ONE, "archive") == (OWN, True)
    last.close()


def test_no_damage_is_taken_for_an_answer(cache: IndexCache) -> None:
    """Whatever single byte of the file is wrong, an item comes back whole or not at all."""
    stored = {f"{number}": b"%100d" % number for number in range(3)}
    for key, data in stored.items():
        cache.store_config(key, data)
    cache.close()
    whole = cache.path.read_bytes()
    written = [at for at, byte in enumerate(whole) if byte]
    for at in written[:: max(1, len(written) // 300)]:
        spoilt = bytearray(whole)
        spoilt[at] ^= 0x15
        cache.path.write_bytes(spoilt)
        again = IndexCache(cache.path.parent)
        for key, data in stored.items():
            assert again.load_config(key) in {None, data}
        again.close()


def change(cache: IndexCache, statement: str, *parameters: object) -> None:
    """Do something to the file behind the cache's back."""
    cache.close()
    connection = sqlite3.connect(cache.path)
    with connection:
        connection.execute(statement, parameters)
    connection.close()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE item SET data = x'00'",
        "UPDATE item SET data = 'text'",
        "UPDATE item SET crc = 'text'",
        "UPDATE item SET key = (SELECT 'moved')",
    ],
)
def test_item_that_is_not_what_was_stored_is_dropped(cache: IndexCache, statement: str) -> None:
    """A checksum holds an item to its bytes and to its key."""
    cache.store_config("moved" if "key" not in statement else ONE, b"{}")
    change(cache, statement)
    again = IndexCache(cache.path.parent)
    assert again.load_config("moved") is None
    assert again.items() == ()
    again.close()


def test_index_of_an_older_version_is_not_used(cache: IndexCache) -> None:
    """Bytes that are whole but no index count as absent."""
    cache._store("layer", ONE, "archive", b"older")
    assert cache.load_layer(ONE, "archive") == (None, False)


def test_time_that_is_none_is_mended(cache: IndexCache) -> None:
    """When an item was used is not worth an error."""
    cache.store_config(ONE, b"{}")
    change(cache, "UPDATE item SET used = 'long ago'")
    assert cache.load_config(ONE) == b"{}"
    assert isinstance(cache.items()[0].used, int)


@pytest.mark.parametrize("place", ["folder", "parent"])
def test_work_goes_on_where_no_folder_can_be_made(tmp_path: Path, place: str) -> None:
    """A file in the way, like a disk that may not be written, costs the cache alone."""
    (tmp_path / "file").write_bytes(b"")
    cache = IndexCache(tmp_path / "file" if place == "folder" else tmp_path / "file" / "cache")
    cache.store_layer(ONE, "archive", OWN)
    assert cache.load_layer(ONE, "archive") == (None, False)
    assert cache.items() == ()
    with pytest.raises(StorageError, match="cannot open") as caught:
        cache.prune(0)
    assert caught.value.exit_code == 5
    cache.close()


@pytest.mark.parametrize(
    ("free", "words"),
    [
        pytest.param(1 << 30, "database or disk is full", id="some limit"),
        pytest.param(0, "the disk is full", id="the disk"),
        pytest.param(None, "database or disk is full", id="nobody knows"),
    ],
)
def test_work_goes_on_where_the_disk_is_full(
    cache: IndexCache, monkeypatch: pytest.MonkeyPatch, free: int | None, words: str
) -> None:
    """A failed write ends caching for this process and harms nothing kept before."""
    cache.store_config(ONE, b"{}")
    cache.close()
    connect = database.connect

    def full(path: Path, schema: str) -> sqlite3.Connection:
        connection = connect(path, schema)
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages}")
        return connection

    def usage(_: object) -> SimpleNamespace:
        if free is None:
            raise OSError
        return SimpleNamespace(free=free)

    monkeypatch.setattr(database, "connect", full)
    monkeypatch.setattr("shutil.disk_usage", usage)
    cache.store_config(TWO, bytes(100_000))
    assert cache.trouble == words
    assert cache.load_config(ONE) is None
    with pytest.raises(StorageError, match="cannot open"):
        cache.prune(0)
    cache.close()
    monkeypatch.undo()
    again = IndexCache(cache.path.parent)
    assert again.load_config(ONE) == b"{}"
    again.close()


def test_prune_says_what_went_wrong(cache: IndexCache) -> None:
    """Somebody who asked for room is told that there is none."""
    cache.store_config(ONE, b"{}")
    change(cache, "CREATE TRIGGER no BEFORE DELETE ON item BEGIN SELECT raise(ABORT, 'held'); END")
    with pytest.raises(StorageError, match="cannot prune") as caught:
        cache.prune(0)
    assert caught.value.why == "held"


def test_file_that_is_damaged_again_and_again_is_let_be(
    cache: IndexCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that spoils what it is given is tried twice and no more."""

    def spoilt(path: Path, schema: str) -> sqlite3.Connection:
        path.write_bytes(b"not a database at all" * 200)
        return sqlite3.connect(path)

    monkeypatch.setattr(database, "connect", spoilt)
    cache.store_config(ONE, b"{}")
    assert cache.load_config(ONE) is None


def test_locked_file_costs_the_cache_alone(
    cache: IndexCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that holds the file for good stops nobody else."""
    monkeypatch.setattr(database, "_WAIT", 0.05)
    cache.store_config(ONE, b"{}")
    cache.close()
    holder = sqlite3.connect(cache.path, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    cache.store_config(TWO, b"{}")
    assert cache.load_config(TWO) is None
    cache.close()
    holder.close()


class Busy:
    """A connection to a file that another process is just changing to write-ahead."""

    def __init__(self, code: int, *, times: int) -> None:
        self.asked = 0
        self._code = code
        self._times = times

    def execute(self, statement: str) -> None:
        """Fail so many times."""
        self.asked += 1
        if self.asked <= self._times:
            error = sqlite3.OperationalError("database is locked")
            error.sqlite_errorcode = self._code
            raise error


def test_two_processes_that_make_the_file_wait_for_each_other() -> None:
    """There sqlite gives up at once, so the cache asks again; of other trouble it does not."""
    busy = Busy(sqlite3.SQLITE_BUSY_RECOVERY, times=2)
    database._write_ahead(cast("sqlite3.Connection", busy))
    assert busy.asked == 3
    broken = Busy(sqlite3.SQLITE_IOERR, times=1)
    with pytest.raises(sqlite3.OperationalError):
        database._write_ahead(cast("sqlite3.Connection", broken))


def write_many(folder: Path, name: str, index: LayerIndex, start: object) -> None:
    """Store and load as another process would."""
    start.wait()  # type: ignore[attr-defined]
    cache = IndexCache(folder)
    for number in range(40):
        cache.store_layer(f"{name}{number}", "archive", index)
        cache.store_layer("shared", "archive", index)
        assert cache.load_layer("shared", "archive")[0] == index
    cache.close()


@pytest.mark.parametrize("existing", [False, True], ids=["new file", "old file"])
def test_processes_write_at_once(cache: IndexCache, existing: bool) -> None:  # noqa: FBT001
    """Several of them at the same file, and nothing any of them stored is lost."""
    if existing:
        cache.store_config(ONE, b"{}")
        cache.close()
    context = multiprocessing.get_context("spawn")
    start = context.Barrier(3)
    processes = [
        context.Process(target=write_many, args=(cache.path.parent, name, OWN, start))
        for name in "abc"
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0, 0]
    stored = {item.key for item in cache.items() if item.kind == "layer"}
    assert stored == {f"{name}{number}" for name in "abc" for number in range(40)} | {"shared"}
