"""Packages of node_modules that only development needs, and when nothing is said."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from layertrace.analysis.leftovers.node_modules import (
    find_development,
    is_lock,
    is_package,
    read_lock,
    read_version,
)
from tests.builders import to_json
from tests.leftover_images import leftovers

if TYPE_CHECKING:
    from pathlib import Path

    from tests.builders import Content


def _package(version: str) -> bytes:
    return to_json({"version": version}).ljust(40)


MODERN = to_json({
    "lockfileVersion": 3,
    "packages": {
        "": {"name": "app", "version": "1.0.0", "devDependencies": {"tsc": "5"}},
        "node_modules/koa": {"version": "2.0.0"},
        "node_modules/tsc": {"version": "5.0.0", "dev": True},
        "node_modules/@types/node": {"version": "20.1.0", "dev": True},
        "node_modules/tsc/node_modules/old": {"version": "1.0.0", "dev": True},
        "node_modules/both": {"version": "1.0.0", "devOptional": True},
        "packages/own": {"version": "1.0.0"},
        "node_modules/own": {"resolved": "packages/own", "link": True},
    },
})  # fmt: skip
OLD = to_json({
    "lockfileVersion": 1,
    "dependencies": {
        "koa": {
            "version": "2.0.0",
            "dependencies": {"probe": {"version": "9.0.0", "dev": True}},
        },
        "tsc": {
            "version": "5.0.0",
            "dev": True,
            "dependencies": {"old": {"version": "1.0.0", "dev": True}},
        },
        "@types/node": {"version": "20.1.0", "dev": True},
    },
})  # fmt: skip
WRONG = to_json({"packages": {"node_modules/koa": {"version": "2.0.0", "dev": True}}})
INSTALLED: dict[str, Content] = {
    "app/package.json": b"{}",
    "app/node_modules/koa/package.json": _package("2.0.0"),
    "app/node_modules/koa/index.js": b"k" * 1000,
    "app/node_modules/tsc/package.json": _package("5.0.0"),
    "app/node_modules/tsc/lib/tsc.js": b"t" * 200,
    "app/node_modules/tsc/node_modules/old/package.json": _package("1.0.0"),
    "app/node_modules/tsc/node_modules/old/o.js": b"o" * 30,
    "app/node_modules/@types/node/package.json": _package("20.1.0"),
    "app/node_modules/both/package.json": _package("1.0.0"),
}
DEVELOPMENT = {
    "app/node_modules/tsc": 40 + 200 + 40 + 30,
    "app/node_modules/@types/node": 40,
}


@pytest.mark.parametrize(
    "lock",
    [
        pytest.param({"app/package-lock.json": MODERN}, id="version 3"),
        pytest.param({"app/package-lock.json": OLD}, id="version 1"),
        pytest.param({"app/npm-shrinkwrap.json": MODERN}, id="shrinkwrap"),
        pytest.param({"app/node_modules/.package-lock.json": MODERN}, id="npm's own note"),
        pytest.param(
            {"app/node_modules/.package-lock.json": MODERN, "app/package-lock.json": WRONG},
            id="npm's own note before all",
        ),
    ],
)
def test_packages_that_a_lock_file_marks_are_counted(
    tmp_path: Path, lock: dict[str, Content]
) -> None:
    """A package stands for those inside of it."""
    assert leftovers(tmp_path, {**INSTALLED, **lock}) == {"npm-dev": DEVELOPMENT}


def test_project_at_the_root_has_a_lock_file_too(tmp_path: Path) -> None:
    """Its folder has no name."""
    files = {path.removeprefix("app/"): content for path, content in INSTALLED.items()}
    found = leftovers(tmp_path, files, {"package-lock.json": MODERN})
    assert sum(found["npm-dev"].values()) == 350


@pytest.mark.parametrize(
    "others",
    [
        pytest.param({}, id="no lock file"),
        pytest.param({"app/package-lock.json": b"{"}, id="no JSON"),
        pytest.param({"app/package-lock.json": b"[1]"}, id="no object"),
        pytest.param({"app/package-lock.json": b'{"name": "app"}'}, id="no packages"),
        pytest.param({"app/package-lock.json": b"[" * 5000}, id="nested deeply"),
        pytest.param({"app/package-lock.json": MODERN + b" " * (8 << 20)}, id="too large"),
        pytest.param({"package-lock.json": MODERN}, id="of another folder"),
        pytest.param(
            {"app/package-lock.json": MODERN, "app/node_modules/.yarn-integrity": b"{}"},
            id="yarn installed them",
        ),
        pytest.param(
            {"app/package-lock.json": MODERN, "app/node_modules/.modules.yaml": b"{}"},
            id="pnpm installed them",
        ),
    ],
)
def test_nothing_is_said_where_it_cannot_be_known(
    tmp_path: Path, others: dict[str, Content]
) -> None:
    """Packages alone do not tell what they are for."""
    assert leftovers(tmp_path, {**INSTALLED, **others}) == {}


def test_nothing_is_said_of_another_version_than_the_lock_file_has(tmp_path: Path) -> None:
    """The lock file is of another install."""
    files = {**INSTALLED, "app/node_modules/tsc/package.json": _package("4.9.0")}
    assert leftovers(tmp_path, {**files, "app/package-lock.json": MODERN}) == {
        "npm-dev": {
            "app/node_modules/@types/node": 40,
            "app/node_modules/tsc/node_modules/old": 70,
        }
    }


def test_package_that_holds_one_for_production_is_kept() -> None:
    """No npm writes that; a folder must not stand for what is needed."""
    inside = {"version": "1"}
    packages = {
        "node_modules/a": {**inside, "dev": True},
        "node_modules/a/node_modules/b": inside,
    }
    lock = read_lock(to_json({"packages": packages}))
    assert lock is not None
    assert list(find_development({"node_modules/.package-lock.json": lock}, {}, set())) == []


@pytest.mark.parametrize(
    "folder",
    ["../node_modules/a", "node_modules/../../etc", "node_modules/", "etc", "/node_modules/a"],
)
@pytest.mark.parametrize("form", ["packages", "dependencies"])
def test_lock_file_names_no_path_outside(folder: str, form: str) -> None:
    """It is an image's, and may say anything."""
    name = folder if form == "packages" else folder.replace("node_modules/", "..", 1)
    lock = read_lock(to_json({form: {name: {"version": "1", "dev": True}, "x": 7}}))
    assert lock is not None
    assert lock.development == {} or ".." not in "".join(lock.development).split("/")


def test_lock_files_and_packages_are_told_by_their_paths() -> None:
    """A package that ships its own lock file is no project."""
    assert is_lock("package-lock.json")
    assert is_lock("app/node_modules/.package-lock.json")
    assert not is_lock("app/node_modules/a/package-lock.json")
    assert not is_lock("app/node_modules/a/node_modules/.package-lock.json")
    assert not is_lock("app/my-package-lock.json")
    assert is_package("app/node_modules/a/package.json")
    assert is_package("app/node_modules/@s/a/package.json")
    assert not is_package("app/node_modules/a/lib/package.json")
    assert not is_package("app/package.json")


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"version": 1}', b"\xff"])
def test_package_without_a_version_has_none(data: bytes) -> None:
    """Whatever stands in its place."""
    assert read_version(data) is None
