"""Packages of npm and Python: nearest folders, records, and what another package brought."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layertrace.analysis.packages import npm, pip
from layertrace.analysis.packages.records import Listed
from layertrace.model.packages import PackageKind
from tests.builders import symlink
from tests.package_images import dpkg_list, owners, packages, status

if TYPE_CHECKING:
    from pathlib import Path

SITE = "usr/lib/python3/dist-packages"


@pytest.mark.parametrize(
    ("data", "found"),
    [
        pytest.param(b'{"name": "a", "version": "1"}', Listed("a", "1"), id="plain"),
        pytest.param(b'\xef\xbb\xbf{"name": "a"}', Listed("a", ""), id="byte order mark"),
        pytest.param(b'{"version": "1"}', Listed("folder", "1"), id="without a name"),
        pytest.param(b'{"name": 7, "version": {}}', Listed("folder", ""), id="other types"),
        pytest.param(b'{"name": "' + b"x" * 999 + b'"}', Listed("folder", ""), id="long name"),
        pytest.param(b"[]", None, id="no object"),
        pytest.param(b"{", None, id="no JSON"),
        pytest.param(b"[" * 100_000, None, id="too deep"),
        pytest.param(b"\xff\xfe\0", None, id="no text"),
    ],
)
def test_manifest_tells_its_package(data: bytes, found: Listed | None) -> None:
    """As far as it can be read."""
    assert npm.parse_manifest(data, "folder") == found


@pytest.mark.parametrize(
    ("path", "name"),
    [
        pytest.param("node_modules/a/package.json", "a", id="at the root"),
        pytest.param("x/node_modules/@s/a/package.json", "@s/a", id="scope"),
        pytest.param("x/node_modules/a/node_modules/b/package.json", "b", id="nested"),
        pytest.param("x/node_modules/@s/package.json", None, id="scope alone"),
        pytest.param("x/node_modules/.bin/package.json", None, id="hidden"),
        pytest.param("x/node_modules/a/lib/package.json", None, id="inside a package"),
        pytest.param("my_node_modules/a/package.json", None, id="another folder"),
        pytest.param("app/package.json", None, id="the application's"),
    ],
)
def test_package_is_what_lies_in_a_modules_folder(path: str, name: str | None) -> None:
    """Nothing else with a manifest is one."""
    assert npm.package_name(path) == name


def test_file_belongs_to_the_nearest_npm_package(tmp_path: Path) -> None:
    """Nested and scoped; what lies in no package's folder is the application's own."""
    table = packages(
        tmp_path,
        {
            "app/package.json": b'{"name": "app", "version": "1"}',
            "app/node_modules/.package-lock.json": b"{}",
            "app/node_modules/a/package.json": b'{"name": "a", "version": "1.0.0"}',
            "app/node_modules/a/lib/x.js": b"",
            "app/node_modules/a/lib/package.json": b'{"type": "module"}',
            "app/node_modules/a/node_modules/b/package.json": b'{"name": "b", "version": "2"}',
            "app/node_modules/a/node_modules/b/y.js": b"",
            "app/node_modules/@s/c/package.json": b'{"name": "@s/c", "version": "3"}',
            "app/node_modules/@s/README": b"",
            "app/node_modules/bad/package.json": b"no",
            "app/node_modules/bad/z.js": b"",
            "app/node_modules/link": symlink("a"),
        },
    )
    assert owners(table) == {
        "app/node_modules/@s/c/package.json": "npm/@s/c",
        "app/node_modules/a/lib/package.json": "npm/a",
        "app/node_modules/a/lib/x.js": "npm/a",
        "app/node_modules/a/node_modules/b/package.json": "npm/b",
        "app/node_modules/a/node_modules/b/y.js": "npm/b",
        "app/node_modules/a/package.json": "npm/a",
    }
    places = [(each.name, each.version, each.path) for each in table.packages]
    assert places == [
        ("@s/c", "3", "app/node_modules/@s/c"),
        ("a", "1.0.0", "app/node_modules/a"),
        ("b", "2", "app/node_modules/a/node_modules/b"),
    ]


def test_npm_package_changes_from_layer_to_layer(tmp_path: Path) -> None:
    """Each layer with another version counts; one that wrote the same does not."""
    path = "node_modules/a/package.json"
    one, two = (b'{"name": "a", "version": "%d"}' % number for number in (1, 2))
    table = packages(tmp_path, {path: one}, {path: one + b"\n"}, {path: b"?"}, {path: two})
    (package,) = table.packages
    assert [(each.layer, each.version) for each in package.versions] == [(0, "1"), (3, "2")]
    assert packages(tmp_path, {path: one}, {path: b"?"}).packages == ()


def test_python_package_has_what_it_records(tmp_path: Path) -> None:
    """Beside its metadata, above it by ``..``, quoted, absolute; and all of its own folder."""
    info = f"{SITE}/Foo_Bar-1.2.dist-info"
    record = (
        b'foo/__init__.py,sha256=x,0\r\n"foo/a,b.py",,\r\n../../../bin/foo,,\n/etc/foo.conf,,\n'
        b'foo/gone.py,,\n,,\n"' + b"x" * 200_000 + b'",,\n'
    )
    table = packages(
        tmp_path,
        {
            f"{SITE}/foo/__init__.py": b"",
            f"{SITE}/foo/a,b.py": b"",
            f"{SITE}/foo/other.py": b"",
            "usr/bin/foo": b"",
            "etc/foo.conf": b"",
            f"{info}/METADATA": b"Metadata-Version: 2.1\r\nName: Foo.Bar\r\nVersion: 1.2\r\n\r\n"
            b"Name: not this\n" + b"x" * 100_000,
            f"{info}/RECORD": record,
            f"{info}/INSTALLER": b"pip",
        },
    )
    assert owners(table) == dict.fromkeys(
        (
            "etc/foo.conf",
            "usr/bin/foo",
            f"{info}/INSTALLER",
            f"{info}/METADATA",
            f"{info}/RECORD",
            f"{SITE}/foo/__init__.py",
            f"{SITE}/foo/a,b.py",
        ),
        "pip/Foo.Bar",
    )
    (package,) = table.packages
    assert (package.version, package.path) == ("1.2", SITE)


def test_egg_info_is_a_folder_or_a_file(tmp_path: Path) -> None:
    """What a folder lists counts from it; a file tells of nothing but itself."""
    table = packages(
        tmp_path,
        {
            f"{SITE}/y.py": b"",
            f"{SITE}/y-3-py3.11.egg-info/PKG-INFO": b"Name: y\nVersion: 3\n",
            f"{SITE}/y-3-py3.11.egg-info/installed-files.txt": b"../y.py\n\nPKG-INFO\n",
            f"{SITE}/z-4.egg-info": b"Name: z\nVersion: 4\n",
            f"{SITE}/w-5.dist-info/METADATA": b"no name",
        },
    )
    assert owners(table) == {
        f"{SITE}/y-3-py3.11.egg-info/PKG-INFO": "pip/y",
        f"{SITE}/y-3-py3.11.egg-info/installed-files.txt": "pip/y",
        f"{SITE}/y.py": "pip/y",
        f"{SITE}/z-4.egg-info": "pip/z",
    }


def test_python_package_changes_from_layer_to_layer(tmp_path: Path) -> None:
    """Its metadata folder is another for every version, so the hidden ones count too."""

    def tree(version: str) -> dict[str, bytes]:
        head = f"Name: Foo_Bar\nVersion: {version}\n".encode()
        return {f"{SITE}/foo.bar-{version}.dist-info/METADATA": head}

    gone = {f"{SITE}/.wh.foo.bar-1.0.dist-info": b"", f"{SITE}/unrelated": b""}
    table = packages(tmp_path, tree("1.0"), {"x": b""}, tree("2.0") | gone)
    (package,) = table.packages
    assert (package.kind, package.name) == (PackageKind.PIP, "Foo_Bar")
    assert [(each.layer, each.version) for each in package.versions] == [(0, "1.0"), (2, "2.0")]


def test_what_the_system_brought_for_a_language_is_the_systems(tmp_path: Path) -> None:
    """It is no package of its own: dpkg would be asked to update it."""
    info = f"{SITE}/six-1.16.egg-info/PKG-INFO"
    module = "usr/share/nodejs/npm/node_modules/x/package.json"
    table = packages(
        tmp_path,
        {
            "var/lib/dpkg/status": status(python3_six="1.16", npm="9"),
            "var/lib/dpkg/info/python3_six.list": dpkg_list(f"/{info}", f"/{SITE}/six.py"),
            "var/lib/dpkg/info/npm.list": dpkg_list(f"/{module}"),
            f"{SITE}/six.py": b"",
            info: b"Name: six\nVersion: 1.16\n",
            module: b'{"name": "x", "version": "1"}',
            "app/node_modules/x/package.json": b'{"name": "x", "version": "2"}',
        },
    )
    assert [each.name for each in table.packages] == ["npm", "python3_six", "x"]
    assert owners(table) == {
        "app/node_modules/x/package.json": "npm/x",
        info: "dpkg/python3_six",
        f"{SITE}/six.py": "dpkg/python3_six",
        module: "dpkg/npm",
    }


@given(data=st.binary(max_size=300))
def test_any_bytes_are_read_or_passed_over(data: bytes) -> None:
    """Hostile contents raise nothing."""
    npm.parse_manifest(data, "x")
    pip.parse_metadata(b"Name: " + data)
    list(pip.parse_record(data, "a/b.dist-info"))
    list(pip.parse_installed(data, "a/b.egg-info"))
    pip.named(data.decode("utf-8", "surrogateescape"))
