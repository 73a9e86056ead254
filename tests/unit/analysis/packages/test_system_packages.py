"""Packages of dpkg and apk: whose each file is, where databases and images differ in paths."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from layertrace.analysis.packages import apk, dpkg, reading
from layertrace.analysis.packages.records import Listed
from layertrace.analysis.packages.table import read_packages
from layertrace.model.packages import PackageKind, PackageVersion
from tests.builders import folder, hardlink, sparse, symlink
from tests.package_images import apk_database, dpkg_list, owners, packages, status, traced

if TYPE_CHECKING:
    from pathlib import Path

    from tests.builders import Content

INFO = "var/lib/dpkg/info"


def test_status_tells_what_is_installed() -> None:
    """What was removed, or was never there, is not; a field must begin its line."""
    data = (
        b"Package: gone\nStatus: deinstall ok config-files\nVersion: 1\n\n"
        b"Package: never\nStatus: unknown ok not-installed\n \t\n"
        b"Version: 2\nArchitecture: all\nPackage: here\nStatus: install ok installed\n\n"
        b"Status: install ok installed\nVersion: 3\n\n"
        b"Package: half\nStatus: install reinstreq half-configured\nVersion:4~rc1\n\n"
        b"Package: " + b"x" * 300 + b"\nVersion: 5\n"
    )
    assert list(dpkg.parse_status(data)) == [Listed("here", "2", "all"), Listed("half", "4~rc1")]


def test_list_leaves_directories_out() -> None:
    """A path that others lie in is one, whatever stands there now."""
    data = dpkg_list("/lib/libx.so.1", "/usr/share/doc/x") + b"relative\n\n//usr//bin/../y\n"
    assert list(dpkg.parse_list(data)) == ["lib/libx.so.1", "usr/share/doc/x", "relative", "usr/y"]


def test_sums_name_files_that_a_list_would() -> None:
    """Without their leading slash, after the sum."""
    data = b"d41d8cd98f00b204e9800998ecf8427e  usr/bin/x\nno sum\n" + b"0" * 32 + b" *etc/a b\n"
    assert list(dpkg.parse_sums(data)) == ["usr/bin/x", "etc/a b"]


def test_debian_files_belong_to_the_package_that_lists_them(tmp_path: Path) -> None:
    """Through the links of a merged /usr, by architecture, and only what is in the image."""
    table = packages(
        tmp_path,
        {
            "bin": symlink("usr/bin"),
            "lib": symlink("/usr/lib"),
            "usr/bin/ls": b"ls",
            "usr/lib/libx.so": b"x",
            "usr/lib32/libx.so": b"x",
            "usr/bin/mine": b"",
            "etc/conf": folder(),
            "loop": symlink("loop"),
            "var/lib/dpkg/status": status(coreutils="9.1", libx="1", libx__i386="1", bare="0"),
            f"{INFO}/coreutils.list": dpkg_list(
                "/bin/ls", "/etc/conf", "/bin/not-there", "/loop/x", f"/{'d/' * 3_000}x"
            ),
            f"{INFO}/libx:amd64.list": dpkg_list("/lib/libx.so"),
            f"{INFO}/libx:i386.list": dpkg_list("/usr/lib32/libx.so"),
        },
    )
    assert owners(table) == {
        "usr/bin/ls": "dpkg/coreutils",
        "usr/lib/libx.so": "dpkg/libx",
        "usr/lib32/libx.so": "dpkg/libx",
    }
    names = [(each.name, each.architecture) for each in table.packages]
    assert names == [("bare", "amd64"), ("coreutils", "amd64"), ("libx", "amd64"), ("libx", "i386")]
    assert table.owner("usr/lib32/libx.so") == table.packages[3]
    assert table.findings == ()


def test_link_in_the_place_of_a_listed_directory_is_nobodys(tmp_path: Path) -> None:
    """Where the list has files in it; a link that it has no files in is a file of its own."""
    table = packages(
        tmp_path,
        {
            "lib": symlink("usr/lib"),
            "usr/lib/a": b"",
            "usr/lib/b": symlink("a"),
            "var/lib/dpkg/status": status(p="1"),
            f"{INFO}/p.list": dpkg_list("/lib/a", "/lib/b"),
        },
    )
    assert owners(table) == {"usr/lib/a": "dpkg/p", "usr/lib/b": "dpkg/p"}


def test_diverted_file_is_found_where_it_went(tmp_path: Path) -> None:
    """The package that diverted it has the path itself; all others what it was renamed to."""
    table = packages(
        tmp_path,
        {
            "bin/sh": b"dash",
            "bin/sh.distrib": b"bash",
            "sbin/init": b"true",
            "sbin/init.real": b"init",
            "var/lib/dpkg/status": status(bash="5", dash="1", init="2"),
            "var/lib/dpkg/diversions": (
                b"/bin/sh\n/bin/sh.distrib\ndash\n/sbin/init\n/sbin/init.real\n:\n/cut\n"
            ),
            f"{INFO}/bash.list": dpkg_list("/bin/sh"),
            f"{INFO}/dash.list": dpkg_list("/bin/sh"),
            f"{INFO}/init.list": dpkg_list("/sbin/init"),
        },
    )
    assert owners(table) == {
        "bin/sh": "dpkg/dash",
        "bin/sh.distrib": "dpkg/bash",
        "sbin/init.real": "dpkg/init",
    }


def test_sums_stand_in_for_a_list(tmp_path: Path) -> None:
    """As in images without a package manager, which have a file a package."""
    sums = b"0" * 32 + b"  "
    table = packages(
        tmp_path,
        {
            "usr/a": b"",
            "usr/b": b"",
            "usr/c": b"",
            "usr/d": b"",
            "var/lib/dpkg/status": status(two="1", three__arm64="1", four="1"),
            f"{INFO}/two.md5sums": sums + b"usr/b\n",
            f"{INFO}/three:arm64.md5sums": sums + b"usr/c\n",
            f"{INFO}/four.list": dpkg_list("/usr/d"),
            f"{INFO}/four.md5sums": sums + b"usr/a\n",
            "var/lib/dpkg/status.d/one": b"Package: one\nVersion: 7\nArchitecture: all\n",
            "var/lib/dpkg/status.d/one.md5sums": sums + b"usr/a\n",
        },
    )
    assert owners(table) == {
        "usr/a": "dpkg/one",
        "usr/b": "dpkg/two",
        "usr/c": "dpkg/three",
        "usr/d": "dpkg/four",
    }


def test_layers_tell_when_a_package_came_and_changed(tmp_path: Path) -> None:
    """By the databases of the layers that have one: first layer, and that of the version."""
    path, base = "var/lib/dpkg/status", {"x": b""}
    table = packages(
        tmp_path,
        {path: status(old="1", openssl="3.0.11", back="1")},
        base,
        {path: status(openssl="3.0.15", curl="8")},
        {path: status(openssl="3.0.15", curl="8", back="2")},
    )
    versions = {each.name: each.versions for each in table.packages}
    assert versions["openssl"] == (
        PackageVersion(layer=0, version="3.0.11"),
        PackageVersion(layer=2, version="3.0.15"),
    )
    assert versions["curl"] == (PackageVersion(layer=2, version="8"),)
    assert [each.version for each in versions["back"]] == ["1", None, "2"]
    openssl = next(each for each in table.packages if each.name == "openssl")
    assert (openssl.first_layer, openssl.version_layer, openssl.version) == (0, 2, "3.0.15")
    assert "old" not in versions


def test_removed_database_tells_nothing(tmp_path: Path) -> None:
    """What no container sees is not what is installed."""
    table = packages(
        tmp_path,
        {"var/lib/dpkg/status": status(x="1"), f"{INFO}/x.list": dpkg_list("/x"), "x": b""},
        {"var/lib/.wh.dpkg": b""},
    )
    assert (table.packages, table.owners) == ((), {})


def test_database_by_another_name_of_its_file_is_read(tmp_path: Path) -> None:
    """A hard link is as good; a symbolic link in its place is not followed."""
    tree: dict[str, Content] = {"kept": status(x="1"), "var/lib/dpkg/status": hardlink("kept")}
    assert [each.name for each in packages(tmp_path, tree).packages] == ["x"]
    tree["var/lib/dpkg/status"] = symlink("/kept")
    assert packages(tmp_path, tree).packages == ()


@pytest.mark.parametrize("path", apk.DATABASES)
def test_alpine_files_belong_to_the_package_that_lists_them(tmp_path: Path, path: str) -> None:
    """In either place of the database, through a merged /usr."""
    table = packages(
        tmp_path,
        {
            "bin": symlink("usr/bin"),
            "usr/bin/busybox": b"",
            "usr/lib/libz.so.1": b"",
            "top": b"",
            path: apk_database({"zlib-1.2-r0": ["usr/lib/libz.so.1"]}),
        },
        {
            path: apk_database(
                {"busy-box-1.36.1-r2": ["bin/busybox", "top"], "zlib-1.3-r0": ["usr/lib/libz.so.1"]}
            )
        },
    )
    assert owners(table) == {
        "top": "apk/busy-box",
        "usr/bin/busybox": "apk/busy-box",
        "usr/lib/libz.so.1": "apk/zlib",
    }
    zlib = table.owner("usr/lib/libz.so.1")
    assert zlib is not None
    assert (zlib.kind, zlib.version, zlib.architecture) == (PackageKind.APK, "1.3-r0", "x86_64")
    assert [(each.layer, each.version) for each in zlib.versions] == [(0, "1.2-r0"), (1, "1.3-r0")]


def test_apk_block_without_a_name_is_passed_over() -> None:
    """And the first line of a kind counts: those of files repeat."""
    data = b"V:1\nF:usr\nR:x\n\nP:a\nV:2\nA:x\nR:top\n"
    assert list(apk.parse_installed(data)) == [(Listed("a", "2", "x"), ("top",))]


def test_file_beyond_its_limit_is_a_finding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is left out in silence, and a hole of a sparse file counts as much."""
    monkeypatch.setattr("layertrace.analysis.packages.system.MAX_LIST", 20)
    table = packages(
        tmp_path,
        {
            "a": b"",
            "b": b"",
            "var/lib/dpkg/status": status(a="1", b="1", c="1"),
            f"{INFO}/a.list": dpkg_list("/a"),
            f"{INFO}/b.list": dpkg_list("/b" + "/x" * 20),
            f"{INFO}/c.list": sparse(1 << 32, {0: b"/b\n"}),
        },
    )
    assert owners(table) == {"a": "dpkg/a"}
    assert [(each.code, each.facts) for each in table.findings] == [
        (reading.CODE, {"path": f"/{INFO}/b.list", "layer": 0, "count": 2})
    ]
    assert "b.list of L1 and 1 more: it has more than 20 bytes" in table.findings[0].message


def test_all_lists_together_have_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many there are, no more is held; what is left out is told."""
    monkeypatch.setattr(reading, "MAX_HELD", 11)
    tree: dict[str, Content] = {"var/lib/dpkg/status": status(a="1", b="1"), "a": b"", "b": b""}
    tree |= {f"{INFO}/{name}.list": dpkg_list(f"/{name}") for name in "ab"}
    table = packages(tmp_path, tree)
    assert owners(table) == {"a": "dpkg/a"}
    assert [each.facts["path"] for each in table.findings] == [f"/{INFO}/b.list"]


def test_contents_that_cannot_be_had_are_a_finding(tmp_path: Path) -> None:
    """What was read before is told all the same."""
    last = {"var/lib/dpkg/status": status(a="2"), "pad": bytes(1 << 20)}
    with traced(tmp_path, {"var/lib/dpkg/status": status(a="1")}, last) as trace:
        os.truncate(tmp_path / "app.tar", 2048)
        table = read_packages(trace)
    assert [each.code for each in table.findings] == [reading.CODE]
    assert table.packages == ()
