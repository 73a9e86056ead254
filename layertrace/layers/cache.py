"""The index cache: what was walked once is not walked again.

One sqlite file for all images of a user. A layer never changes, so its index
is kept by diff_id: under the bare diff_id once its whole tar was seen to have
it, else under the diff_id and the archive it came from, so that an archive
that lies about a layer can never answer for an honest one. A cache is only
ever a help: when the disk or the file fails, work goes on without it.
"""

from __future__ import annotations

import sqlite3
import struct
import time
import zlib
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from layertrace.errors import StorageError
from layertrace.layers import database
from layertrace.layers.index import (
    FORMAT,
    DamagedIndexError,
    LayerIndex,
    dump_index,
    load_index,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

DEFAULT_LIMIT: Final = 1 << 30
"""Bytes kept before the least recently used go."""
_FILE_NAME: Final = "index-1.sqlite"
"""The number grows with the schema; an older layertrace leaves a newer file alone."""
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS item (
    kind TEXT NOT NULL, key TEXT NOT NULL, witness TEXT NOT NULL,
    crc INTEGER NOT NULL, used INTEGER NOT NULL, size INTEGER NOT NULL, data BLOB NOT NULL,
    UNIQUE (kind, key, witness));
"""
_SELECT: Final = (
    "SELECT rowid, crc, used, data FROM item WHERE kind = ? AND key = ? AND witness = ?"
)
_LAYER: Final = "layer"
_CONFIG: Final = "config"
_PROVENANCE: Final = "provenance"
_NO_PROVENANCE: Final = "no-provenance"
_STAGES: Final = "stages"
_SEEN: Final = "seen"
_DIGESTS: Final = "digests"
_VISIBLE: Final = "visible"
_VISIBLE_FORMAT: Final = 1
"""Grows with the rule of what a container sees."""
_PACKAGES: Final = "packages"
_BLOAT: Final = "bloat"
_SHA256: Final = 32
_TIME: Final = struct.Struct("<q")
_DAY: Final = 86_400
_HOUR: Final = 3_600


@dataclass(frozen=True, slots=True, kw_only=True)
class CachedItem:
    """One thing in the cache."""

    kind: str
    key: str
    """A diff_id, a configuration digest, or that of several diff_ids."""
    verified: bool
    """Kept for every archive that has it; False: for one archive only."""
    size: int
    used: int
    """Seconds since the epoch."""


class IndexCache:
    """The cache in one folder; every method is safe among several processes."""

    def __init__(self, folder: Path, *, limit: int = DEFAULT_LIMIT) -> None:
        """Open nothing yet; a missing folder is made at the first write.

        A ``limit`` of 0 bytes keeps nothing and finds nothing.
        """
        self.path = folder / _FILE_NAME
        self._limit = limit
        self._connection: sqlite3.Connection | None = None
        self._trouble = ""
        """Why the cache is done without from here on."""
        self._grown = False
        self._lock = Lock()

    @property
    def trouble(self) -> str:
        """Why nothing is kept from here on; empty where all is well."""
        return self._trouble

    def load_layer(self, diff_id: str, witness: str) -> tuple[LayerIndex | None, bool]:
        """Return a layer's index, and whether it was made or confirmed from this archive.

        ``witness`` stands for the archive; an index that another archive
        proved to be the diff_id's is returned too, for the caller to judge.
        """
        index = self._load_index(diff_id, witness)
        if index is not None:
            return index, True
        return self.load_verified(diff_id), self._load(_SEEN, diff_id, witness) is not None

    def load_verified(self, diff_id: str) -> LayerIndex | None:
        """Return the index of a layer whose whole tar was seen to have this diff_id."""
        return self._load_index(diff_id, "")

    def store_layer(self, diff_id: str, witness: str, index: LayerIndex, data: bytes = b"") -> None:
        """Keep a layer's index; ``data`` is the same dumped, where somebody did that already."""
        kept_for = "" if index.verified else witness
        items = [(_LAYER, diff_id, kept_for, data or dump_index(index))]
        if index.verified and witness:
            items.append((_SEEN, diff_id, witness, b""))
        self._store_all(items)

    def confirm_layer(self, diff_id: str, witness: str) -> None:
        """Remember that this archive's copy of a layer was seen to have its diff_id."""
        self._store(_SEEN, diff_id, witness, b"")

    def load_config(self, digest: str) -> bytes | None:
        """Return an image configuration's bytes by their digest."""
        return self._load(_CONFIG, digest, "")

    def store_config(self, digest: str, data: bytes) -> None:
        """Keep a configuration whose digest the caller has checked."""
        self._store(_CONFIG, digest, "", data)

    def load_provenance(self, image_id: str) -> bytes | None:
        """Return what the engine recorded of an image's build."""
        return self._load(_PROVENANCE, image_id, "")

    def store_provenance(self, image_id: str, data: bytes) -> None:
        """Keep what the engine recorded, which it forgets and is slow to tell."""
        self._store(_PROVENANCE, image_id, "", data)

    def lacks_provenance(self, image_id: str) -> bool:
        """Say whether the engine had no record of an image's build within the last hour."""
        return _within_hour(self._load(_NO_PROVENANCE, image_id, ""))

    def store_no_provenance(self, image_id: str) -> None:
        """Keep for an hour that the engine has no record of an image's build."""
        self._store(_NO_PROVENANCE, image_id, "", _now())

    def load_stages(self, image_id: str, build: str) -> tuple[bytes | None, bool]:
        """Return which images of the engine serve as stages, and whether that is an hour old.

        ``build`` stands for the Dockerfile they are stages of.
        """
        data = self._load(_STAGES, image_id, build)
        if data is None:
            return None, True
        return data[_TIME.size :], not _within_hour(data)

    def store_stages(self, image_id: str, build: str, data: bytes) -> None:
        """Keep which images of the engine serve as an image's stages."""
        self._store(_STAGES, image_id, build, _now() + data)

    def load_digests(self, diff_id: str, witness: str) -> dict[int, bytes]:
        """Return the content digests known of a layer, by entry number."""
        data = self._load(_DIGESTS, diff_id, witness) or b""
        count = len(data) // (_SHA256 + 4)
        numbers = struct.unpack_from(f"<{count}I", data)
        return {
            number: data[start : start + _SHA256]
            for number, start in zip(numbers, range(4 * count, len(data), _SHA256), strict=True)
        }

    def store_digests(self, diff_id: str, witness: str, digests: Mapping[int, bytes]) -> None:
        """Keep all content digests known of a layer, by entry number."""
        data = struct.pack(f"<{len(digests)}I", *digests) + b"".join(digests.values())
        self._store(_DIGESTS, diff_id, witness, data)

    def load_visible(self, key: str, witness: str, *, count: int) -> Sequence[int] | None:
        """Return the bytes of each of some layers, together, that a container sees."""
        sizes = struct.Struct(f"<{count + 2}q")
        data = self._load(_VISIBLE, key, witness)
        if data is None or len(data) != sizes.size:
            return None
        index_format, own_format, *visible = sizes.unpack(data)
        return visible if (index_format, own_format) == (FORMAT, _VISIBLE_FORMAT) else None

    def store_visible(self, key: str, witness: str, visible: Sequence[int]) -> None:
        """Keep the bytes of each of some layers, together, that a container sees."""
        data = struct.pack(f"<{len(visible) + 2}q", FORMAT, _VISIBLE_FORMAT, *visible)
        self._store(_VISIBLE, key, witness, data)

    def load_packages(self, key: str, witness: str) -> bytes | None:
        """Return what the layers that ``key`` stands for say of their packages."""
        return self._load(_PACKAGES, key, witness)

    def store_packages(self, key: str, witness: str, data: bytes) -> None:
        """Keep what some layers, together, say of their packages."""
        self._store(_PACKAGES, key, witness, data)

    def load_bloat(self, key: str, witness: str) -> bytes | None:
        """Return what the layers that ``key`` stands for tell of waste."""
        return self._load(_BLOAT, key, witness)

    def store_bloat(self, key: str, witness: str, data: bytes) -> None:
        """Keep what some layers, together, tell of waste."""
        self._store(_BLOAT, key, witness, data)

    def load_answer(self, kind: str, key: str, witness: str) -> bytes | None:
        """Return an answer of some kind that was kept under ``key``."""
        return self._load(kind, key, witness)

    def store_answer(self, kind: str, key: str, witness: str, data: bytes) -> None:
        """Keep an answer of some kind under a key that stands for all it depends on."""
        self._store(kind, key, witness, data)

    def items(self) -> tuple[CachedItem, ...]:
        """Return what is kept, the most recently used first."""
        query = "SELECT kind, key, witness, size, used FROM item ORDER BY used DESC, kind, key"
        return tuple(
            CachedItem(kind=kind, key=key, verified=not witness, size=size, used=used)
            for kind, key, witness, size, used in self._run(query, (), create=False)
        )

    def prune(self, limit: int) -> int:
        """Drop the least recently used until at most ``limit`` bytes are left.

        Returns:
            Bytes dropped.

        Raises:
            StorageError: the cache cannot be written.
        """
        with self._lock:
            connection = self._open(create=False)
            if self._trouble:
                raise StorageError(f"cannot open {self.path}", why=self._trouble)
            if connection is None:
                return 0
            try:
                dropped = _prune(connection, limit)
                connection.execute("VACUUM")
            except sqlite3.Error as error:
                raise StorageError(f"cannot prune {self.path}", why=str(error)) from error
            return dropped

    def clear(self) -> int:
        """Remove the cache; return how many bytes it took.

        Raises:
            StorageError: the file cannot be removed.
        """
        self.close()
        size = 0
        for path in database.files(self.path):
            try:
                size += path.stat().st_size
                path.unlink()
            except FileNotFoundError:
                continue
            except OSError as error:
                raise StorageError(f"cannot remove {path}", why=error.strerror or "") from error
        return size

    def close(self) -> None:
        """Close the file, first dropping what is beyond its limit."""
        with self._lock:
            if self._connection is None:
                return
            if self._grown:
                with suppress(sqlite3.Error):
                    _prune(self._connection, self._limit)
            self._connection.close()
            self._connection = None

    def _load_index(self, diff_id: str, witness: str) -> LayerIndex | None:
        data = self._load(_LAYER, diff_id, witness)
        if data is not None:
            with suppress(DamagedIndexError):
                return load_index(data)
        return None

    def _load(self, kind: str, key: str, witness: str) -> bytes | None:
        rows = self._run(_SELECT, (kind, key, witness), create=False)
        for rowid, crc, used, data in rows:
            if not isinstance(data, bytes) or _checksum(kind, key, witness, data) != crc:
                self._run("DELETE FROM item WHERE rowid = ?", (rowid,), create=False)
                return None
            now = int(time.time())
            if not isinstance(used, int) or now - used > _DAY:
                # A day is exact enough for "least recently used", and most
                # readings then write nothing.
                self._run("UPDATE item SET used = ? WHERE rowid = ?", (now, rowid), create=False)
            return data
        return None

    def _store(self, kind: str, key: str, witness: str, data: bytes) -> None:
        self._store_all([(kind, key, witness, data)])

    def _store_all(self, items: Iterable[tuple[str, str, str, bytes]]) -> None:
        """Keep kind, key, witness and data of each, in one go."""
        now = int(time.time())
        rows = [
            (kind, key, witness, _checksum(kind, key, witness, data), now, len(data), data)
            for kind, key, witness, data in items
            if len(data) <= self._limit
        ]
        if rows:
            values = ", ".join(["(?, ?, ?, ?, ?, ?, ?)"] * len(rows))
            query = f"INSERT OR REPLACE INTO item VALUES {values}"  # noqa: S608 - question marks
            self._run(query, tuple(chain.from_iterable(rows)), create=True)
            self._grown = True

    def _run(
        self, query: str, parameters: tuple[object, ...], *, create: bool
    ) -> list[tuple[Any, ...]]:
        with self._lock:
            for _ in range(2):
                connection = self._open(create=create)
                if connection is None:
                    break
                try:
                    with connection:
                        return connection.execute(query, parameters).fetchall()
                except sqlite3.Error as error:
                    if database.is_damaged(error):
                        connection.close()
                        self._connection = None
                        database.remove(self.path)
                    else:
                        self._trouble = database.reason(error, self.path)
            return []

    def _open(self, *, create: bool) -> sqlite3.Connection | None:
        if self._trouble or not self._limit:
            return None
        if self._connection is None and (create or self.path.exists()):
            try:
                self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                self._connection = database.connect(self.path, _SCHEMA)
            except (OSError, sqlite3.Error) as error:
                self._trouble = database.reason(error, self.path)
        return self._connection


def closed_cache() -> IndexCache:
    """Return a cache that keeps nothing and finds nothing."""
    return IndexCache(Path(), limit=0)


def _now() -> bytes:
    return _TIME.pack(int(time.time()))


def _within_hour(data: bytes | None) -> bool:
    if data is None or len(data) < _TIME.size:
        return False
    (kept,) = _TIME.unpack_from(data)
    return bool(0 <= time.time() - kept < _HOUR)


def _checksum(kind: str, key: str, witness: str, data: bytes) -> int:
    """Return a checksum of an item and of what it is kept under.

    A damaged file may answer with a whole item that belongs to another key.
    """
    return zlib.crc32(data, zlib.crc32(f"{kind}\0{key}\0{witness}".encode()))


def _prune(connection: sqlite3.Connection, limit: int) -> int:
    """Drop the least recently used beyond ``limit`` bytes; return the bytes dropped."""
    (total,) = connection.execute("SELECT coalesce(sum(size), 0) FROM item").fetchone()
    dropped, doomed = 0, []
    if total > limit:
        for rowid, size in connection.execute("SELECT rowid, size FROM item ORDER BY used, rowid"):
            if total - dropped <= limit:
                break
            doomed.append((rowid,))
            dropped += size
    with connection:
        connection.executemany("DELETE FROM item WHERE rowid = ?", doomed)
    return dropped
