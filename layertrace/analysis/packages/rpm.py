"""The databases of rpm: sqlite, and the ndb of SUSE; the older Berkeley DB is not read.

Nothing on PyPI reads them without rpm's own library or a compiled one of another language,
and both forms only wrap the headers of :mod:`layertrace.analysis.packages.rpm_header`.

Source: rpm, "RPM Package Manager" database backends; ``lib/backend/ndb/rpmpkg.c``.
"""

from __future__ import annotations

import sqlite3
import struct
from contextlib import closing
from typing import TYPE_CHECKING, Final

from layertrace.analysis.packages.records import UnreadableError
from layertrace.analysis.packages.rpm_header import Header

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDERS: Final = ("usr/lib/sysimage/rpm", "var/lib/rpm", "usr/share/rpm")
"""Where the database is; of several the first counts, the others are links to it mostly."""
SQLITE: Final = "rpmdb.sqlite"
NDB: Final = "Packages.db"
BERKELEY: Final = "Packages"

_SQLITE: Final = b"SQLite format 3\0"
_STEPS: Final = 10_000
_MAX_PAUSES: Final = 2_000
"""How often sqlite may take so many steps: a database made to keep it busy ends there."""
_WAL: Final = slice(18, 20)
"""Which journal the file is written with: in memory there is none."""
_HEAD: Final = struct.Struct("<4sIII")
_SLOT: Final = struct.Struct("<4sIII")
_BLOB: Final = struct.Struct("<4sIII")
_PAGE: Final = 4096
_BLOCK: Final = 16


def read_database(data: bytes, name: str) -> Iterator[Header]:
    """Yield the header of each package of a database by its content and file name.

    Raises:
        UnreadableError: it is damaged, or another form.
    """
    return read_sqlite(data) if name == SQLITE else read_ndb(data)


def read_sqlite(data: bytes) -> Iterator[Header]:
    """Yield the headers of an ``rpmdb.sqlite``.

    Raises:
        UnreadableError: it is damaged, or not such a database.
    """
    if not data.startswith(_SQLITE):
        raise UnreadableError("it does not begin as such a database does")
    try:
        with closing(sqlite3.connect(":memory:")) as database:
            database.deserialize(b"".join((data[: _WAL.start], b"\1\1", data[_WAL.stop :])))
            _guard(database)
            for (blob,) in database.execute("SELECT blob FROM Packages ORDER BY hnum"):
                if not isinstance(blob, bytes):
                    raise UnreadableError("a package's row holds no header")
                yield Header(blob)
    except (sqlite3.Error, OverflowError) as error:
        raise UnreadableError(str(error)) from error


def _guard(database: sqlite3.Connection) -> None:
    """Let a foreign database do nothing but be read, and not for long."""
    pauses = iter(range(_MAX_PAUSES))

    def allow(action: int, *_: object) -> int:
        may = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ}
        return sqlite3.SQLITE_OK if action in may else sqlite3.SQLITE_DENY

    # Neither setting looks at what is in the database.
    database.set_progress_handler(lambda: next(pauses, None) is None, _STEPS)
    database.execute("PRAGMA trusted_schema = OFF")
    database.execute("PRAGMA cell_size_check = ON")
    database.set_authorizer(allow)


def read_ndb(data: bytes) -> Iterator[Header]:
    """Yield the headers of a ``Packages.db``.

    Raises:
        UnreadableError: it is damaged, or not such a database.
    """
    if len(data) < _PAGE or not data.startswith(b"RpmP"):
        raise UnreadableError("it does not begin as such a database does")
    _, version, _, pages = _HEAD.unpack_from(data)
    end = pages * _PAGE
    if version != 0 or end > len(data):
        raise UnreadableError("it is of a version not known, or cut short")
    # The first two slots of a page are its own on the first page alone: there the head is.
    for place in range(2 * _SLOT.size, end, _SLOT.size):
        magic, number, block, blocks = _SLOT.unpack_from(data, place)
        if magic != b"Slot":
            raise UnreadableError("a slot of it is damaged")
        if number:
            yield Header(_blob(data, number, block * _BLOCK, blocks * _BLOCK))


def _blob(data: bytes, number: int, start: int, room: int) -> bytes:
    if start + max(room, _BLOB.size) > len(data):
        raise UnreadableError("it is cut short")
    magic, own, _, size = _BLOB.unpack_from(data, start)
    if magic != b"BlbS" or own != number or size > room - _BLOB.size:
        raise UnreadableError("a package's header is damaged")
    return data[start + _BLOB.size : start + _BLOB.size + size]
