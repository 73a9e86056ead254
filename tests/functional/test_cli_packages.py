"""Whose package a file is, on the command line: in why, in files, and as a filter."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.builders import docker_archive, image, layer
from tests.cli_support import Cli, check_schema
from tests.package_images import dpkg_list, status

if TYPE_CHECKING:
    from pathlib import Path

INFO = "var/lib/dpkg/info"
MODULE = "app/node_modules/left-pad"


@pytest.fixture
def app(alone: Path) -> Path:
    """An image with a package of Debian that a later layer updated, and one of npm."""
    path = alone / "app.tar"
    base = {
        "usr/bin/openssl": b"1",
        "var/lib/dpkg/status": status(openssl="3.0.11"),
        f"{INFO}/openssl.list": dpkg_list("/usr/bin/openssl"),
    }
    update = {
        "usr/bin/openssl": b"2",
        "var/lib/dpkg/status": status(openssl="3.0.15"),
        f"{MODULE}/package.json": b'{"name": "left-pad", "version": "1.3.0\\u001b[31m"}',
        f"{MODULE}/index.js": b"3",
        "app/own.js": b"4",
        "app/\udcff": b"5",
    }
    path.write_bytes(docker_archive(image(layer(base), layer({"x": b""}), layer(update))))
    return path


def test_why_names_the_package_and_the_layers_that_brought_it(cli: Cli, app: Path) -> None:
    """The one that installed it first, and that of the version."""
    answer = cli.run("why", app, "/usr/bin/openssl", "/app/own.js", "/app")
    told = [line for line in answer.lines if line.startswith("Package")]
    assert told == [
        "Package: openssl 3.0.15 (dpkg, amd64), first installed by L1, this version by L3",
    ]
    (openssl, own) = cli.checked_json("why", app, "/usr/bin/openssl", "/app/own.js")["data"]
    assert own["package"] is None
    assert openssl["package"] == {
        "kind": "dpkg",
        "name": "openssl",
        "version": "3.0.15",
        "architecture": "amd64",
        "path": None,
        "first_layer": 0,
        "versions": [{"layer": 0, "version": "3.0.11"}, {"layer": 2, "version": "3.0.15"}],
    }


def test_why_says_nothing_of_packages_where_there_are_none(cli: Cli, alone: Path) -> None:
    """An image of one program has no word more."""
    (alone / "app.tar").write_bytes(docker_archive(image(layer({"app": b""}))))
    assert "Package" not in cli.run("why", "app.tar", "/app").out


def test_files_name_packages_where_asked(cli: Cli, app: Path) -> None:
    """As a column, as a key of each record, and never unasked."""
    lines = cli.run("files", app, "*.js | /usr/bin/openssl", "--packages").lines
    assert [line.split()[-2:] for line in lines] == [
        [r"1.3.0\x1b[31m", f"/{MODULE}/index.js"],
        ["+", "/app/own.js"],
        ["3.0.15", "/usr/bin/openssl"],
    ]
    envelope = cli.checked_json("files", app, "--packages")
    found = {each["path"]: each["package"] for each in envelope["data"]}
    assert found["/usr/bin/openssl"] == {"kind": "dpkg", "name": "openssl", "version": "3.0.15"}
    assert found[f"/{MODULE}/index.js"]["name"] == "left-pad"
    assert found["/app/own.js"] is None
    assert found["/usr/bin"] is None
    assert "package" not in cli.json("files", app)["data"][0]


def test_jsonl_names_packages_where_asked(cli: Cli, app: Path) -> None:
    """Each line is a record as the schema says."""
    lines = cli.run("files", app, "--packages", "--jsonl").lines
    records = [json.loads(line) for line in lines]
    for record in records:
        check_schema(record, "record")
    assert {record["package"] and record["package"]["kind"] for record in records} == {
        None,
        "dpkg",
        "npm",
    }


@pytest.mark.parametrize(
    ("expression", "paths"),
    [
        pytest.param("pkg:openssl", ["/usr/bin/openssl"], id="package"),
        pytest.param("pkg:npm", [f"/{MODULE}/index.js", f"/{MODULE}/package.json"], id="kind"),
        pytest.param("pkg:none app", ["/app/own.js", "/app/\\xff"], id="nobody's"),
        pytest.param("wasted:yes openssl type:file !list", ["/usr/bin/openssl"], id="wasted"),
    ],
)
def test_files_are_filtered_by_facts(
    cli: Cli, app: Path, expression: str, paths: list[str]
) -> None:
    """Of the language of the terminal view."""
    found = [each["path"] for each in cli.json("files", app, expression)["data"]]
    assert found == paths


def test_unread_database_is_a_finding(cli: Cli, alone: Path) -> None:
    """Of the document, and a note for people."""
    (alone / "app.tar").write_bytes(docker_archive(image(layer({"var/lib/rpm/Packages": b"x"}))))
    for words in (["why", "app.tar", "/var"], ["files", "app.tar", "--packages"]):
        (finding,) = cli.checked_json(*words)["findings"]
        assert finding["code"] == "packages-unread"
        assert finding["path"] == "/var/lib/rpm/Packages"
        assert (
            "note: not all packages are known: not read: /var/lib/rpm/Packages"
            in cli.run(*words).err
        )
