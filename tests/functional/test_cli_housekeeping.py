"""cache, doctor, schema, completion, and the help."""

from __future__ import annotations

import json
import shutil
import sqlite3
from typing import TYPE_CHECKING

import click
import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from layertrace import __version__
from layertrace.views.cli import cli as group
from tests.builders import docker_archive, image, layer
from tests.cli_support import Cli, check_schema, engine_away, sh, spawn
from tests.fake_engine import FakeEngine, serving

if TYPE_CHECKING:
    from pathlib import Path

SCHEMAS = ("why", "files", "layers", "stages", "tree", "cache", "doctor", "record")
COMMANDS = tuple(group.list_commands(click.Context(group)))


@pytest.fixture
def archive(alone: Path) -> Path:
    """An archive of one file."""
    path = alone / "app.tar"
    path.write_bytes(docker_archive(image(layer({"a": b"a" * 5000}))))
    return path


@pytest.fixture
def cache(alone: Path) -> Path:
    """The cache's folder."""
    return alone.parent / "cache"


# --- cache


def test_an_empty_cache_lists_nothing(cli: Cli, cache: Path) -> None:
    """Looking at it does not make it."""
    answer = cli.run("cache", "list")
    assert answer.out == ""
    assert answer.err.startswith("0 B in ")
    assert not cache.exists()


def test_cache_list_shows_what_is_kept(cli: Cli, archive: Path, cache: Path) -> None:
    """Kind, key, size and day; the sum and the place go to stderr."""
    cli.run("why", archive, "/a")
    answer = cli.run("cache", "list")
    assert answer.lines[0].split() == ["KIND", "KEY", "SIZE", "USED"]
    assert ["layer", "sha256"] in [line.replace(":", " ").split()[:2] for line in answer.lines]
    assert f" in {cache}" in answer.err


def test_cache_list_as_json(cli: Cli, archive: Path, cache: Path) -> None:
    """The same for scripts, by its schema."""
    cli.run("layers", archive)
    document = json.loads(cli.run("cache", "list", "--json").out)
    check_schema(document, "cache")
    assert document["path"].startswith(str(cache))
    assert {row["kind"] for row in document["data"]} >= {"layer"}
    assert len(document["data"]) == len(cli.run("cache", "list").lines) - 1


def test_no_cache_neither_uses_nor_spoils_what_is_kept(cli: Cli, archive: Path) -> None:
    """A reading with ``--no-cache`` leaves the cache as it was."""
    cli.run("why", archive, "/a")
    kept = json.loads(cli.run("cache", "list", "--json").out)["data"]
    cli.run("why", archive, "/a", "--no-cache")
    assert json.loads(cli.run("cache", "list", "--json").out)["data"] == kept


def test_cache_prune_keeps_what_fits(cli: Cli, archive: Path) -> None:
    """``--keep`` is a size as people write it."""
    cli.run("layers", archive)
    assert cli.run("cache", "prune").err == "dropped 0 B\n"
    assert cli.run("cache", "prune", "--keep", "1GiB").err == "dropped 0 B\n"
    assert cli.run("cache", "list").out
    assert cli.run("cache", "prune", "--keep", "1B").err != "dropped 0 B\n"
    assert "layer " not in cli.run("cache", "list").out


def test_cache_clear_removes_the_file(cli: Cli, archive: Path, cache: Path) -> None:
    """And the second time there is nothing to remove."""
    cli.run("layers", archive)
    assert cli.run("cache", "clear").err.startswith("removed ")
    assert list(cache.iterdir()) == []
    assert cli.run("cache", "clear").err == "removed 0 B\n"
    cli.run("layers", archive)


def test_a_cache_that_cannot_be_made_is_done_without(
    cli: Cli, archive: Path, alone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reading works, and says so once; who asks for the cache itself gets an error."""
    usual = cli.run("layers", "--no-cache", archive)
    (alone / "file").write_text("", encoding="utf-8")
    place = alone / "file" / "cache"
    monkeypatch.setenv("LAYERTRACE_CACHE_DIR", str(place))
    answer = cli.run("layers", archive)
    assert (answer.out, usual.err) == (usual.out, "")
    assert answer.err == (
        f"note: nothing is kept for the next time: Not a directory: {place}; "
        "make room, or set LAYERTRACE_CACHE_DIR\n"
    )
    assert cli.run("layers", "--no-cache", archive).err == ""
    # Two images, one cache.
    assert cli.run("diff", archive, archive).err.count("nothing is kept") == 1
    assert cli.fail("cat", archive, "/none", code=4)[0].startswith("error: ")
    assert cli.run("cache", "list").out == ""
    assert "Not a directory" in cli.fail("cache", "clear", code=5)[1]


def test_a_damaged_cache_is_made_anew(cli: Cli, archive: Path, cache: Path) -> None:
    """Garbage in its file costs no answer."""
    wanted = cli.run("files", archive).out
    (database,) = [path for path in cache.iterdir() if path.suffix == ".sqlite"]
    database.write_bytes(b"garbage" * 1000)
    assert cli.run("files", archive).out == wanted
    assert cli.run("files", archive).out == wanted
    assert "layer " in cli.run("cache", "list").out


def test_a_locked_cache_does_not_prune(
    cli: Cli, archive: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot be written ends with 5."""
    cli.run("layers", archive)
    (database,) = [path for path in cache.iterdir() if path.suffix == ".sqlite"]

    def refuse(*_: object) -> int:
        raise sqlite3.OperationalError("database is locked")

    monkeypatch.setattr("layertrace.layers.cache._prune", refuse)
    lines = cli.fail("cache", "prune", code=5)
    assert lines == [f"error: cannot prune {database}", "  database is locked"]


def test_the_cache_stands_where_the_platform_puts_it(
    cli: Cli, archive: Path, alone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a variable of ours, the user's cache folder."""
    monkeypatch.delenv("LAYERTRACE_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(alone / "xdg"))
    monkeypatch.setenv("HOME", str(alone / "home"))
    cli.run("layers", archive)
    place = json.loads(cli.run("cache", "list", "--json").out)["path"]
    assert place.startswith(str(alone))
    assert "layertrace" in place


# --- doctor


@engine_away
def test_doctor_says_what_works_without_an_engine(
    cli: Cli, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seven lines, and 0: nothing of it is an error."""
    monkeypatch.setattr("layertrace.archive.export.buildkit.find_buildkit", lambda: None)
    answer = cli.run("doctor")
    rows = {line.split()[1]: line for line in answer.lines}
    assert list(rows) == [
        "version", "terminal", "configuration", "cache", "temporary", "engine", "builder",
    ]  # fmt: skip
    assert f"layertrace {__version__}, Python 3." in rows["version"]
    assert "summaries are printed" in rows["terminal"]
    assert str(cache) in rows["cache"]
    assert rows["engine"].startswith("no  engine")
    assert "saved archives work without one" in rows["engine"]
    assert "classic builder" in rows["builder"]
    assert not cache.exists()


@engine_away
def test_doctor_as_json(cli: Cli) -> None:
    """The same checks by their schema."""
    document = json.loads(cli.run("doctor", "--json").out)
    check_schema(document, "doctor")
    assert [row["name"] for row in document["data"]] == [
        "version", "terminal", "configuration", "cache", "temporary", "engine", "builder",
    ]  # fmt: skip


def test_doctor_finds_an_engine_and_its_builder(
    cli: Cli, alone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Version of the engine; the command that offers BuildKit."""
    docker = alone / "docker"
    docker.write_text("#!/bin/sh\necho 'github.com/docker/buildx v0.19'\n", encoding="utf-8")
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", str(alone))
    monkeypatch.setenv("DOCKER_HOST", f"unix://{alone}/engine.sock")
    with serving(FakeEngine(), alone / "engine.sock"):
        rows = {line.split()[1]: line for line in cli.run("doctor").lines}
    assert rows["engine"].startswith("ok  engine")
    assert "API 1.41" in rows["engine"]


@engine_away
def test_doctor_says_that_the_cache_cannot_be_written(cli: Cli, cache: Path) -> None:
    """Nothing will be kept where a file stands in the folder's place."""
    cache.write_text("", encoding="utf-8")
    assert "nothing will be kept" in cli.run("doctor").out


# --- schema and completion


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_schema_is_one(cli: Cli, name: str) -> None:
    """A JSON Schema of the draft it names, with a title."""
    schema = json.loads(cli.run("schema", name).out)
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["title"].startswith("layertrace ")


def test_an_unknown_schema_gets_the_known_ones(cli: Cli) -> None:
    """Or the one that was meant."""
    assert cli.fail("schema", "file", code=2)[1] == "  did you mean files?"
    listed = cli.fail("schema", "zzz", code=2)[1]
    assert all(name in listed for name in SCHEMAS)


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_completion_prints_a_script(cli: Cli, shell: str) -> None:
    """The script asks layertrace itself."""
    out = cli.run("completion", shell).out
    assert "_LAYERTRACE_COMPLETE" in out
    assert "layertrace" in out


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_completion_completes_commands_and_options(alone: Path) -> None:
    """What bash asks is answered; its script is one that bash reads."""

    def complete(line: str, position: int) -> list[str]:
        environment = {
            "_LAYERTRACE_COMPLETE": "bash_complete",
            "COMP_WORDS": line,
            "COMP_CWORD": str(position),
        }
        return spawn(environment=environment).stdout.decode().split()

    assert complete("layertrace la", 1) == ["plain,layers"]
    assert "plain,--require" in complete("layertrace why app.tar --re", 3)
    assert complete("layertrace files app.tar trust:v", 3) == ["plain,trust:verified"]
    done = sh("layertrace completion bash > script && bash -n script", folder=alone)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


# --- help and version


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(cli: Cli, command: str) -> None:
    """Words, options and nothing on stderr; ``-h`` is the same."""
    answer = cli.run(command, "--help")
    assert answer.lines[0].startswith(f"Usage: layertrace {command} ")
    assert answer.err == ""
    assert cli.run(command, "-h").out == answer.out


def test_bare_help_names_every_command(cli: Cli) -> None:
    """With no word at all too."""
    out = cli.run("--help").out
    assert all(f"  {command} " in out for command in COMMANDS)
    assert cli.run().out == out
    assert cli.run("-h").out == out


def test_version(cli: Cli) -> None:
    """One line."""
    assert cli.run("--version").out == cli.run("-V").out == f"layertrace, version {__version__}\n"


def test_a_command_does_what_its_summary_in_the_help_says() -> None:
    """The list of commands in the help and each command's own help do not disagree in names."""
    context = click.Context(group)
    for command in COMMANDS:
        found = group.get_command(context, command)
        assert found is not None
        assert found.name == command
    assert group.get_command(context, "nope") is None


@engine_away
def test_doctor_tells_where_the_configuration_is(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And what is wrong with it."""
    path = tmp_path / "config.toml"
    monkeypatch.setenv("LAYERTRACE_CONFIG", str(path))
    path.write_text("ascii = true\n")
    row = next(line for line in cli.run("doctor").lines if "configuration" in line)
    assert str(path) in row
    assert "says nothing" not in row
    path.write_text("asci = true\n")
    row = next(line for line in cli.run("doctor").lines if "configuration" in line)
    assert "there is no setting asci" in row
