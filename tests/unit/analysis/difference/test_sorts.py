"""Of which sort a path is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from layertrace.analysis.difference.sorts import Sorter
from layertrace.analysis.packages.table import read_packages
from layertrace.model.packages import Package, PackageKind, PackageTable
from tests.difference_images import compared, of_layers, traces

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.builders import Content


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("root/.npm/_cacache/x", ("caches", "/root/.npm")),
        ("var/lib/apt/lists/deb", ("caches", "/var/lib/apt/lists")),
        ("usr/lib/python3/a/__pycache__/x.pyc", ("caches", "__pycache__")),
        ("var/log/dpkg.log", ("logs and temporary files", "/var/log")),
        ("var/tmp/x", ("logs and temporary files", "/var/tmp")),  # noqa: S108 - a name in an image
        ("app/.git/HEAD", ("version control", "")),
        ("usr/share/doc/x/copyright", ("documentation", "/usr/share/doc")),
        ("usr/include/stdio.h", ("build tools", "headers of libraries")),
        ("usr/lib/gcc/x86_64-linux-gnu/12/cc1", ("build tools", "gcc")),
        ("usr/lib/llvm-14/bin/clang", ("build tools", "clang and llvm")),
        ("usr/lib/python3.11/os.py", ("build tools", "python3")),
        ("usr/lib/git-core/git", ("build tools", "git")),
        ("usr/bin/x86_64-linux-gnu-gcc-12", ("build tools", "gcc")),
        ("usr/bin/make", ("build tools", "make")),
        ("usr/bin/makeinfo", ("other files", "/usr/bin")),
        ("usr/lib/x/libz.a", ("build tools", "static libraries")),
        ("app/x.a", ("other files", "/app")),
        ("app/node_modules/.bin/x", ("dependencies", "")),
        ("app/dist/a/b", ("other files", "/app/dist")),
        ("x", ("other files", "/x")),
    ],
)
def test_paths_tell_their_sort(tmp_path: Path, path: str, expected: tuple[str, str]) -> None:
    """Where no package owns them."""
    image = of_layers({path: b"1"})
    with traces(tmp_path, image, image) as (trace, _):
        assert Sorter(trace, PackageTable()).sort(path, context=False) == expected


def test_sources_are_what_the_context_brought(tmp_path: Path) -> None:
    """But for what is a cache, history or a dependency wherever it came from."""
    image = of_layers({"app/main.c": b"1", "app/.git/HEAD": b"1"})
    with traces(tmp_path, image, image) as (trace, _):
        sorter = Sorter(trace, PackageTable())
        assert sorter.sort("app/main.c", context=True) == ("sources", "")
        assert sorter.sort("app/.git/HEAD", context=True) == ("version control", "")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("gcc-12", ("build tools", "gcc")),
        ("libstdc++-12-dev", ("build tools", "gcc")),
        ("libstdc++6", ("system packages", "libstdc++6")),
        ("libgcc-s1", ("system packages", "libgcc-s1")),
        ("g++", ("build tools", "gcc")),
        ("libllvm14", ("build tools", "clang and llvm")),
        ("make", ("build tools", "make")),
        ("git-man", ("build tools", "git")),
        ("gitlab", ("system packages", "gitlab")),
        ("python3.11-minimal", ("build tools", "python3")),
        ("libssl-dev", ("build tools", "headers of libraries")),
        ("openssl", ("system packages", "openssl")),
    ],
)
def test_packages_tell_the_sort_of_their_files(
    tmp_path: Path, name: str, expected: tuple[str, str]
) -> None:
    """By their names."""
    image = of_layers({"usr/share/x": b"1"})
    package = Package(kind=PackageKind.DPKG, name=name, version="1")
    table = PackageTable(packages=(package,), owners={"usr/share/x": 0})
    with traces(tmp_path, image, image) as (trace, _):
        assert Sorter(trace, table).sort("usr/share/x", context=False) == expected


def _project(lock: bytes) -> Mapping[str, Content]:
    return {
        "app/package-lock.json": lock,
        "app/node_modules/a/package.json": json.dumps({"name": "a", "version": "1.0.0"}).encode(),
        "app/node_modules/d/package.json": json.dumps({"name": "d", "version": "1.0.0"}).encode(),
        "app/node_modules/d/index.js": b"d",
    }


LOCK = {
    "lockfileVersion": 3,
    "packages": {
        "": {},
        "node_modules/a": {"version": "1.0.0"},
        "node_modules/d": {"version": "1.0.0", "dev": True},
    },
}


def test_a_lock_file_tells_what_development_needs(tmp_path: Path) -> None:
    """Package by package."""
    image = of_layers(_project(json.dumps(LOCK).encode()))
    with traces(tmp_path, image, image) as (trace, _):
        sorter = Sorter(trace, read_packages(trace))
        found = [
            sorter.sort(f"app/node_modules/{name}", context=False)
            for name in ("a/package.json", "d/index.js")
        ]
    assert found == [("dependencies", "a"), ("development dependencies", "d")]


@pytest.mark.parametrize("lock", [b"", b"[]", b"{", b"[" * 100_000, b'{"packages": 3}'])
def test_a_spoiled_lock_file_tells_nothing(tmp_path: Path, lock: bytes) -> None:
    """What is installed is a dependency, of which sort is not known."""
    image = of_layers(_project(lock))
    with traces(tmp_path, image, image) as (trace, _):
        found = Sorter(trace, read_packages(trace)).sort(
            "app/node_modules/d/index.js", context=False
        )
    assert found == ("dependencies", "d")


def test_packages_that_changed_are_told(tmp_path: Path) -> None:
    """With their versions."""
    status = "Package: openssl\nStatus: install ok installed\nArchitecture: amd64\nVersion: {}\n\n"
    sides = [
        of_layers({"var/lib/dpkg/status": status.format(version).encode()})
        for version in ("3.0.11", "3.0.15")
    ]
    (change,) = compared(tmp_path, *sides).packages
    assert (change.package.name, change.old and change.old.version) == ("openssl", "3.0.11")
    assert change.new is not None
    assert change.new.version == "3.0.15"
