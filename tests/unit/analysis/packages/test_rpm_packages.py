"""Packages of rpm: both forms of its database that are read, and what is said of the third."""

from __future__ import annotations

import sqlite3
import struct
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layertrace.analysis.packages import rpm
from layertrace.analysis.packages.records import Listed, UnreadableError
from layertrace.analysis.packages.rpm_header import Header
from tests.builders import symlink
from tests.package_images import owners, packages, rpm_header, rpm_ndb, rpm_sqlite

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

BASH = rpm_header("bash", "5.1", "/bin/bash", "/usr/share/doc/bash", release="9.el9")
ZLIB = rpm_header("zlib", "1.2", "/lib64/libz.so.1", epoch=1, arch="i686", old=True)
BARE = rpm_header("gpg-pubkey", "abc", release="def")


def test_header_tells_package_and_files() -> None:
    """The version with its release, and with its epoch if there is one."""
    assert Header(BASH).package() == Listed("bash", "5.1-9.el9", "x86_64")
    assert Header(ZLIB).package() == Listed("zlib", "1:1.2-1", "i686")
    assert list(Header(BASH).files()) == ["bin/bash", "usr/share/doc/bash"]
    assert list(Header(ZLIB).files()) == ["lib64/libz.so.1"]
    assert list(Header(BARE).files()) == []


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(BASH[:40], id="index cut short"),
        pytest.param(BASH[:-1], id="store cut short"),
        pytest.param(struct.pack(">II", 1 << 31, 0), id="a tag too many"),
    ],
)
def test_header_that_is_not_whole_is_told(data: bytes) -> None:
    """Counts are checked before anything is made of them."""
    with pytest.raises(UnreadableError, match="cut short"):
        Header(data)


@pytest.mark.parametrize(
    ("tag", "kind", "offset", "count"),
    [
        pytest.param(1117, 8, 0, 1 << 31, id="more texts than there are"),
        pytest.param(1117, 4, 0, 1, id="texts that are numbers"),
        pytest.param(1117, 8, 1 << 31, 1, id="texts beyond the store"),
        pytest.param(1116, 4, 0, 1 << 30, id="more numbers than there are"),
        pytest.param(1116, 8, 0, 1, id="numbers that are texts"),
        pytest.param(1118, 8, 1 << 31, 1, id="no folders"),
    ],
)
def test_header_that_lies_has_no_files(tag: int, kind: int, offset: int, count: int) -> None:
    """What a tag claims is taken as far as the bytes go."""
    start = BASH.index(struct.pack(">I", tag))
    data = BASH[:start] + struct.pack(">IIII", tag, kind, offset, count) + BASH[start + 16 :]
    assert len(list(Header(data).files())) <= 2


@given(data=st.binary(max_size=200), place=st.integers(0, len(BASH)))
def test_any_header_is_read_or_refused(data: bytes, place: int) -> None:
    """Nothing but the error for it comes of hostile bytes."""
    try:
        header = Header(BASH[:place] + data + BASH[place + len(data) :])
    except UnreadableError:
        return
    header.package()
    list(header.files())


@pytest.mark.parametrize("make", [rpm_sqlite, rpm_ndb])
def test_database_yields_every_header(make: Callable[..., bytes]) -> None:
    """In the order they were installed."""
    name = {rpm_sqlite: rpm.SQLITE, rpm_ndb: rpm.NDB}[make]
    found = [header.package() for header in rpm.read_database(make(BASH, ZLIB, BARE), name)]
    assert [each.name for each in found if each] == ["bash", "zlib", "gpg-pubkey"]
    assert list(rpm.read_database(make(), name)) == []


def _view(loop: str) -> bytes:
    with closing(sqlite3.connect(":memory:")) as database:
        database.execute(f"CREATE VIEW Packages AS {loop}")
        return database.serialize()


def _busy() -> bytes:
    with closing(sqlite3.connect(":memory:")) as database:
        database.execute("CREATE TABLE t (x)")
        database.executemany("INSERT INTO t VALUES (?)", [(n,) for n in range(200)])
        database.execute(
            "CREATE VIEW Packages AS SELECT 1 AS hnum, x'00' AS blob "
            "FROM t a, t b, t c, t d, t e WHERE a.x + b.x + c.x + d.x + e.x < 0"
        )
        database.commit()
        return database.serialize()


@pytest.mark.parametrize(
    ("data", "why"),
    [
        pytest.param(b"", "does not begin", id="nothing"),
        pytest.param(b"SQLite format 3\0", "not a database|no such table", id="a start"),
        pytest.param(_view("SELECT 1").replace(b"Packages", b"Baggages"), "no such", id="other"),
        pytest.param(rpm_sqlite(BASH)[:5000], "malformed|holds no header", id="cut short"),
        pytest.param(rpm_sqlite("text"), "holds no header", id="text for a header"),
        pytest.param(rpm_sqlite(None), "holds no header", id="nothing for a header"),
        pytest.param(
            _view("SELECT 1 AS hnum, load_extension('x') AS blob"), "not auth|unsafe", id="code"
        ),
        pytest.param(_busy(), "interrupted", id="busy"),
        pytest.param(
            _view(
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
                "SELECT i AS hnum, x'00' AS blob FROM n"
            ),
            "not auth|interrupted",
            id="without end",
        ),
    ],
)
def test_damaged_or_hostile_sqlite_is_told(data: bytes, why: str) -> None:
    """It is only read, and not for long."""
    with pytest.raises(UnreadableError, match=why):
        list(rpm.read_sqlite(data))


NDB = rpm_ndb(BASH, ZLIB)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        pytest.param(b"", "does not begin", id="nothing"),
        pytest.param(b"Rpm?" + NDB[4:], "does not begin", id="signature"),
        pytest.param(NDB[:4] + b"\1" + NDB[5:], "version not known", id="version"),
        pytest.param(NDB[:12] + b"\xff\xff" + NDB[14:], "cut short", id="pages"),
        pytest.param(NDB[:32] + b"slot" + NDB[36:], "slot of it", id="slot"),
        pytest.param(NDB[:40] + b"\xff\xff" + NDB[42:], "cut short", id="block"),
        pytest.param(NDB[:4096] + b"blbs" + NDB[4100:], "package's header", id="blob"),
        pytest.param(NDB[:4100] + b"\x09" + NDB[4101:], "package's header", id="number"),
        pytest.param(NDB[:4108] + b"\xff\xff" + NDB[4110:], "package's header", id="size"),
    ],
)
def test_damaged_ndb_is_told(data: bytes, why: str) -> None:
    """Each number is checked before it is followed."""
    with pytest.raises(UnreadableError, match=why):
        list(rpm.read_ndb(data))


@given(place=st.integers(0, len(NDB)), data=st.binary(max_size=40))
def test_any_ndb_is_read_or_refused(place: int, data: bytes) -> None:
    """Nothing but the error for it comes of hostile bytes."""
    try:
        list(rpm.read_ndb(NDB[:place] + data + NDB[place + len(data) :]))
    except UnreadableError:
        return


@pytest.mark.parametrize(
    ("path", "make"),
    [
        pytest.param("var/lib/rpm/rpmdb.sqlite", rpm_sqlite, id="sqlite"),
        pytest.param("usr/lib/sysimage/rpm/Packages.db", rpm_ndb, id="ndb"),
    ],
)
def test_files_belong_to_the_package_that_lists_them(
    tmp_path: Path, path: str, make: Callable[..., bytes]
) -> None:
    """Through a merged /usr, with the layers that brought each version."""
    table = packages(
        tmp_path,
        {
            "bin": symlink("usr/bin"),
            "lib64": symlink("usr/lib64"),
            "usr/bin/bash": b"",
            "usr/lib64/libz.so.1": b"",
            path: make(rpm_header("bash", "5.0", "/bin/bash", release="9.el9")),
        },
        {"x": b""},
        {path: make(BASH, rpm_header("", "1", "/bin/bash"), ZLIB, BARE)},
    )
    assert owners(table) == {"usr/bin/bash": "rpm/bash", "usr/lib64/libz.so.1": "rpm/zlib"}
    versions = {each.name: [(v.layer, v.version) for v in each.versions] for each in table.packages}
    assert versions == {
        "bash": [(0, "5.0-9.el9"), (2, "5.1-9.el9")],
        "gpg-pubkey": [(2, "abc-def")],
        "zlib": [(2, "1:1.2-1")],
    }
    assert table.findings == ()


def test_several_versions_of_one_package_are_several_packages(tmp_path: Path) -> None:
    """As of a kernel: each keeps the layer that it came in."""
    path = "var/lib/rpm/rpmdb.sqlite"
    old, new = rpm_header("kernel", "5"), rpm_header("kernel", "6")
    table = packages(tmp_path, {path: rpm_sqlite(old)}, {path: rpm_sqlite(old, new)})
    versions = [[(v.layer, v.version) for v in each.versions] for each in table.packages]
    assert versions == [[(0, "5-1")], [(0, "5-1"), (1, "6-1")]]


def test_database_that_moved_is_one_history(tmp_path: Path) -> None:
    """Its folder is another since; the link that stays behind is no second one."""
    table = packages(
        tmp_path,
        {"usr/lib/sysimage/rpm/rpmdb.sqlite": rpm_sqlite(BASH)},
        {"var/lib/rpm": symlink("../../usr/lib/sysimage/rpm")},
    )
    assert [each.name for each in table.packages] == ["bash"]


@pytest.mark.parametrize(
    ("tree", "path", "why"),
    [
        pytest.param({"var/lib/rpm/Packages": b"x"}, "/var/lib/rpm/Packages", "Berkeley DB",
                     id="Berkeley DB"),
        pytest.param({"var/lib/rpm/rpmdb.sqlite": b"x"}, "/var/lib/rpm/rpmdb.sqlite",
                     "does not begin", id="damaged"),
        pytest.param({"usr/share/rpm/Packages.db": NDB[:-400]}, "/usr/share/rpm/Packages.db",
                     "cut short", id="damaged ndb"),
    ],
)  # fmt: skip
def test_unread_database_is_a_finding(
    tmp_path: Path, tree: dict[str, bytes], path: str, why: str
) -> None:
    """Nobody takes the image for one without packages."""
    table = packages(tmp_path, tree)
    (finding,) = table.findings
    assert (finding.code, finding.facts) == (
        "packages-unread",
        {"path": path, "layer": 0, "count": 1},
    )
    assert why in finding.message
    assert table.packages == ()


def test_log_beside_the_database_is_a_finding(tmp_path: Path) -> None:
    """An empty one holds nothing; of another what it holds is not known."""
    path = "var/lib/rpm/rpmdb.sqlite"
    tree = {path: rpm_sqlite(BASH), f"{path}-wal": b""}
    assert packages(tmp_path, tree).findings == ()
    table = packages(tmp_path, tree | {f"{path}-wal": b"x"})
    assert [each.facts["path"] for each in table.findings] == [f"/{path}-wal"]
    assert [each.name for each in table.packages] == ["bash"]
