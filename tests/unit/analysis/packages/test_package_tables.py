"""Tables of packages: kept in the cache, compared, against dpkg itself, and hostile bytes."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from layertrace.analysis.packages import apk, dpkg
from layertrace.analysis.packages.changes import package_changes
from layertrace.analysis.packages.keeping import dump_table, load_table
from layertrace.analysis.packages.table import read_packages
from layertrace.model.origin import Finding
from layertrace.model.packages import (
    Package,
    PackageChange,
    PackageKind,
    PackageTable,
    PackageVersion,
)
from tests.builders import file, symlink
from tests.package_images import (
    apk_database,
    dpkg_list,
    owners,
    packages,
    rpm_header,
    rpm_sqlite,
    status,
    traced,
)

if TYPE_CHECKING:
    from tests.builders import Content

INFO = "var/lib/dpkg/info"
DEBIAN = {
    "a": b"",
    "var/lib/dpkg/status": status(p="1"),
    f"{INFO}/p.list": dpkg_list("/a"),
}
TABLE = PackageTable(
    packages=(
        Package(
            kind=PackageKind.PIP,
            name="p\udcff",
            version="1",
            path="x",
            versions=(
                PackageVersion(layer=0, version="0"),
                PackageVersion(layer=1, version=None),
                PackageVersion(layer=2, version="1"),
            ),
        ),
        Package(kind=PackageKind.RPM, name="r", version="", architecture="noarch"),
    ),
    owners={"b\udcff": 1, "c": 0},
    findings=(Finding(code="x", message="y", facts={"layer": 1}),),
)
PATHS = ("a", "b\udcff", "c")


@pytest.mark.parametrize("order", ["little", "big"])
def test_table_is_the_same_after_it_was_kept(monkeypatch: pytest.MonkeyPatch, order: str) -> None:
    """Names that are no UTF-8 too, and on a machine of either kind."""
    monkeypatch.setattr(sys, "byteorder", order)
    data = dump_table(TABLE, PATHS)
    assert load_table(data, PATHS) == TABLE


@pytest.mark.parametrize(
    ("data", "paths"),
    [
        pytest.param(dump_table(TABLE, PATHS), ("a", "c", "b\udcff"), id="another order"),
        pytest.param(dump_table(TABLE, PATHS), PATHS[:2], id="fewer paths"),
        pytest.param(b"no", PATHS, id="not packed"),
        pytest.param(zlib.compress(b"no"), PATHS, id="no JSON"),
        pytest.param(zlib.compress(b"{}"), PATHS, id="no head"),
        pytest.param(zlib.compress(b"[]"), PATHS, id="no object"),
        pytest.param(zlib.compress(b'{"format": 0}\n'), PATHS, id="another format"),
        pytest.param(
            zlib.compress(zlib.decompress(dump_table(TABLE, PATHS))[:-1]), PATHS, id="cut short"
        ),
    ],
)
def test_what_was_kept_of_other_files_is_not_used(data: bytes, paths: tuple[str, ...]) -> None:
    """A cache may hold anything."""
    assert load_table(data, paths) is None


@pytest.mark.parametrize("packed", [False, True])
def test_packages_are_read_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, packed: bool
) -> None:
    """Afterwards the cache knows them, of an archive too that nobody proved."""
    with traced(tmp_path, DEBIAN, packed=packed, cached=True) as trace:
        first = read_packages(trace)
    with traced(tmp_path, DEBIAN, packed=packed, cached=True) as trace:
        monkeypatch.setattr(trace, "hand_out", None)
        assert read_packages(trace) == first
    assert owners(first) == {"a": "dpkg/p"}


def test_lower_layers_have_packages_of_their_own(tmp_path: Path) -> None:
    """Neither answers for the other, nor takes its place in the cache."""
    upper = {"var/lib/dpkg/status": status(p="2"), "b": b""}
    for _ in range(2):
        with traced(tmp_path, DEBIAN, upper, cached=True) as trace:
            versions = [read_packages(each).packages[0].version for each in (trace, trace.upto(0))]
        assert versions == ["2", "1"]


def test_spoiled_cache_is_read_past(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And written anew."""
    with traced(tmp_path, DEBIAN, cached=True) as trace:
        trace.keep_packages(b"no")
        first = read_packages(trace)
        monkeypatch.setattr(trace, "hand_out", None)
        assert read_packages(trace) == first


def test_image_without_packages_costs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is read of it."""
    monkeypatch.setattr("layertrace.pipeline.stored.hand_out", None)
    assert packages(tmp_path, {"app": b"x"}) == PackageTable()


def _package(name: str, version: str, path: str | None = None, arch: str = "") -> Package:
    kind = PackageKind.DPKG if path is None else PackageKind.NPM
    return Package(kind=kind, name=name, version=version, path=path, architecture=arch)


@pytest.mark.parametrize(
    ("old", "new", "changes"),
    [
        pytest.param([("a", "1")], [("a", "1")], [], id="same"),
        pytest.param([("a", "1")], [("a", "2")], ["a 1 2"], id="another version"),
        pytest.param([("a", "1")], [], ["a 1 -"], id="gone"),
        pytest.param([], [("a", "1")], ["a - 1"], id="new"),
        pytest.param([("b", "1"), ("a", "1")], [("c", "1")], ["a 1 -", "b 1 -", "c - 1"],
                     id="in order of names"),
        pytest.param([("a", "1", "x")], [("a", "1", "y")], [], id="moved"),
        pytest.param([("a", "1", "x")], [("a", "2", "y")], ["a 1 2"], id="moved and changed"),
        pytest.param([("a", "1", "x"), ("a", "2", "y")], [("a", "2", "x"), ("a", "2", "y")],
                     ["a 1 2"], id="one of two, by its place"),
        pytest.param([("a", "1", "x"), ("a", "2", "y")], [("a", "3", "z")],
                     ["a 1 -", "a 2 -", "a - 3"], id="nobody's counterpart"),
        pytest.param([("a", "1", None, "i386"), ("a", "1", None, "amd64")],
                     [("a", "1", None, "i386"), ("a", "2", None, "amd64")], ["a 1 2"],
                     id="one architecture"),
        pytest.param([("k", "5"), ("k", "6")], [("k", "6"), ("k", "7")], ["k 5 7"],
                     id="several versions at once"),
        pytest.param([("a", "1")], [("a", "2", "x")], ["a 1 -", "a - 2"], id="another kind"),
    ],
)  # fmt: skip
def test_changes_pair_packages_with_their_counterparts(
    old: list[tuple[str, str]], new: list[tuple[str, str]], changes: list[str]
) -> None:
    """By place and version first, then by name."""
    tables = (PackageTable(packages=tuple(_package(*each) for each in side)) for side in (old, new))
    found = package_changes(*tables)
    told = [
        f"{c.package.name} {c.old.version if c.old else '-'} {c.new.version if c.new else '-'}"
        for c in found
    ]
    assert sorted(told) == sorted(changes)
    assert [c.package.name for c in found] == sorted(c.package.name for c in found)


def test_change_of_nothing_has_no_package() -> None:
    """Nobody makes one."""
    with pytest.raises(ValueError, match="of a package"):
        _ = PackageChange(old=None, new=None).package


def test_package_without_history_has_no_layers() -> None:
    """As a table that was made by hand."""
    package = _package("a", "1")
    assert (package.first_layer, package.version_layer) == (None, None)
    assert list(TABLE.rows(PATHS)) == [-1, 1, 0]
    assert TABLE.owner("a") is None
    assert TABLE.packages[0].first_layer == 0
    assert TABLE.packages[0].version_layer == 2


def test_same_owners_as_dpkg_says(tmp_path: Path) -> None:
    """Of an image made of this machine's own packages, for every file of some of them."""
    if shutil.which("dpkg-query") is None or not Path(f"/{INFO}").is_dir():
        pytest.skip("this machine has no dpkg")
    lists = sorted(Path(f"/{INFO}").glob("*.list"))[::9]
    wanted = [p for each in lists for p in each.read_text().splitlines() if Path(p).is_file()]
    real = {path: str(Path(path).parent.resolve() / Path(path).name)[1:] for path in wanted}
    tree: dict[str, Content] = {
        str(path)[1:]: file(path.read_bytes())
        for path in (*lists, Path(f"/{dpkg.STATUS}"), Path(f"/{dpkg.DIVERSIONS}"))
        if path.exists()
    }
    tree |= {path: file() for path in real.values()}
    links = (Path(f"/{name}") for name in ("bin", "lib", "sbin", "lib64"))
    tree |= {link.name: symlink(str(link.readlink())) for link in links if link.is_symlink()}
    table = packages(tmp_path, tree)
    truth = {real[path]: names for path, names in _asked(wanted).items()}
    ours = {path: table.packages[number].name for path, number in table.owners.items()}
    assert len(truth) > 100
    assert {p: (n, truth[p]) for p, n in ours.items() if p in truth and n not in truth[p]} == {}
    assert truth.keys() <= ours.keys()


def _asked(paths: list[str]) -> dict[str, set[str]]:
    """Return what dpkg says of some paths: the names of their packages."""
    said = subprocess.run(  # noqa: S603
        ["dpkg-query", "-S", *paths],  # noqa: S607
        capture_output=True,
        text=True,
        check=False,
        env={"LC_ALL": "C.UTF-8"},
    ).stdout
    found = {}
    for line in said.splitlines():
        names, _, path = line.partition(": ")
        if path in paths and not line.startswith("diversion"):
            found[path] = {name.partition(":")[0] for name in names.split(", ")}
    return found


DATABASES = {
    dpkg.STATUS: status(p="1", q="2"),
    dpkg.DIVERSIONS: b"/a\n/b\nq\n",
    f"{INFO}/p.list": dpkg_list("/a", "/bin/x"),
    f"{INFO}/q.md5sums": b"0" * 32 + b"  b\n",
    apk.DATABASES[0]: apk_database({"z-1-r0": ["a"]}),
    "var/lib/rpm/rpmdb.sqlite": rpm_sqlite(rpm_header("r", "1", "/a")),
    "node_modules/n/package.json": b'{"name": "n"}',
    "x/m-1.dist-info/METADATA": b"Name: m\nVersion: 1\n",
    "x/m-1.dist-info/RECORD": b"m.py,,\n",
}


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    path=st.sampled_from(sorted(DATABASES)),
    start=st.integers(0, 400),
    junk=st.binary(max_size=60) | st.sampled_from([b"\n\n", b"/../..", b"\0", b"\xff" * 9]),
)
def test_hostile_databases_never_crash(tmp_path: Path, path: str, start: int, junk: bytes) -> None:
    """Whatever a database holds, the others are read, and no path is out of the image."""
    tree: dict[str, Content] = {**DATABASES, "a": b"", "b": b""}
    tree |= {"bin": symlink("bin"), "n": symlink("..")}
    data = DATABASES[path]
    tree[path] = data[:start] + junk + data[start + len(junk) :]
    table = packages(tmp_path, tree)
    assert table.owners.keys() <= tree.keys()
    kinds = {each.kind for each in table.packages}
    assert len(kinds) >= 4
