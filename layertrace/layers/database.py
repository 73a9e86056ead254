"""One sqlite file that several processes write, made anew where it is damaged."""

from __future__ import annotations

import shutil
import sqlite3
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

_PAGE: Final = 32_768
"""Bytes of a page of a new file: what is kept is large, and small pages cost twice the time."""
_ROOM: Final = 4 * _PAGE
"""Bytes without which sqlite can do nothing."""
_NO_ROOM: Final = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR})
_WAIT: Final = 10.0
_PAUSE: Final = 0.01


def connect(path: Path, schema: str) -> sqlite3.Connection:
    """Open the file; one that is missing or no whole database is made anew.

    Raises:
        sqlite3.Error: the disk, a lock or a limit is in the way.
    """
    try:
        return _try_connect(path, schema)
    except sqlite3.DatabaseError as error:
        if not is_damaged(error):
            raise
        remove(path)
        return _try_connect(path, schema)


def is_damaged(error: sqlite3.Error) -> bool:
    """Say whether the file itself is wrong, not the disk, a lock or a limit."""
    return _code(error) in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


def reason(error: OSError | sqlite3.Error, path: Path) -> str:
    """Return why the file cannot be opened or written, as people say it."""
    if isinstance(error, OSError):
        return f"{error.strerror or error}: {error.filename or path}"
    with suppress(OSError):
        # As long as the file is new sqlite calls this an I/O error.
        if _code(error) in _NO_ROOM and shutil.disk_usage(path.parent).free < _ROOM:
            return "the disk is full"
    return str(error)


def _code(error: sqlite3.Error) -> int:
    """Return sqlite's primary result code; 0 for an error of Python's own."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def remove(path: Path) -> None:
    """Remove the file as far as that is possible."""
    for file in files(path):
        with suppress(OSError):
            file.unlink()


def files(path: Path) -> tuple[Path, ...]:
    """Return the file and those that sqlite keeps beside it."""
    return tuple(Path(f"{path}{suffix}") for suffix in ("", "-wal", "-shm"))


def _try_connect(path: Path, schema: str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=_WAIT, check_same_thread=False)
    try:
        connection.execute(f"PRAGMA page_size = {_PAGE}")
        _write_ahead(connection)
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(schema)
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Let readers and a writer work at once.

    sqlite does not wait for another process that is about to do the same.
    """
    end = time.monotonic() + _WAIT
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if _code(error) != sqlite3.SQLITE_BUSY or time.monotonic() > end:
                raise
            time.sleep(_PAUSE)
        else:
            return
