"""The command line as users meet it: words in; exit code, stdout and stderr out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from layertrace.views.cli import main
from layertrace.views.schemas import json_schema
from tests.sample_support import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

Test = TypeVar("Test", bound="Callable[..., None]")
Word = str | os.PathLike[str]
SECONDS: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a command left."""

    code: int
    out: str
    """What is not UTF-8 as surrogates."""
    err: str

    @property
    def lines(self) -> list[str]:
        """The lines of stdout."""
        return self.out.splitlines()


class Cli:
    """The command in this process, stdout and stderr captured."""

    def __init__(self, captured: pytest.CaptureFixture[bytes], *, terminal: bool = False) -> None:
        """Keep what captures the output, as a terminal or as a pipe."""
        self._captured = captured
        self._terminal = terminal

    def run(self, *words: Word, code: int = 0) -> Answer:
        """Run a command; it must end with ``code``."""
        self._captured.readouterr()
        for stream in (sys.stdout, sys.stderr):
            # Capturing makes them anew for each test.
            vars(stream)["isatty"] = lambda: self._terminal
        found = main([os.fspath(word) for word in words])
        out, err = (stream.decode("utf-8", "surrogateescape") for stream in self._taken())
        assert found == code, f"{words}: exit {found}\n{err}"
        return Answer(code=found, out=out, err=err)

    def json(self, *words: Word, code: int = 0) -> dict[str, Any]:
        """Return the envelope of a command."""
        envelope: dict[str, Any] = json.loads(self.run(*words, "--json", code=code).out)
        return envelope

    def checked_json(self, *words: Word, code: int = 0) -> dict[str, Any]:
        """Return the envelope of a command, which must be what the published schema says."""
        envelope = self.json(*words, code=code)
        check_schema(envelope, os.fspath(words[0]))
        return envelope

    def fail(self, *words: Word, code: int) -> list[str]:
        """Return the lines of an error: at most three, with nothing on stdout."""
        answer = self.run(*words, code=code)
        check_error(answer)
        return answer.err.splitlines()

    def _taken(self) -> tuple[bytes, bytes]:
        taken = self._captured.readouterr()
        return taken.out, taken.err


def engine_away(test: Test) -> Test:
    """Let a test talk to an engine that is not there.

    The SDK leaves a socket open where connecting fails; it has to go while the
    test's filter of warnings holds.
    """
    for mark in (
        pytest.mark.usefixtures("sockets_closed"),
        pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
    ):
        test = mark(test)
    return test


def check_error(answer: Answer) -> None:
    """An error is up to three lines on stderr: no traceback, no result, no note."""
    lines = answer.err.splitlines()
    assert answer.out == ""
    assert lines[0].startswith("error: "), answer.err
    assert len(lines) <= 3, answer.err
    assert "Traceback" not in answer.err
    assert "bug in layertrace" not in answer.err


def check_schema(value: object, name: str) -> None:
    """A value is what ``layertrace schema NAME`` says, and no field of it is kept secret."""
    Draft202012Validator(_closed(json_schema(name))).validate(value)


def _closed(schema: Any) -> Any:  # noqa: ANN401 - any JSON
    """Return a schema whose objects may have no further fields."""
    if isinstance(schema, list):
        return [_closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: _closed(value) for key, value in schema.items()}
    # What a finding says besides differs from finding to finding.
    if "properties" in schema and "code" not in schema["properties"]:
        closed["additionalProperties"] = False
    return closed


def spawn(
    *words: Word, environment: Mapping[str, str] | None = None, folder: Path = ROOT
) -> subprocess.CompletedProcess[bytes]:
    """Run the command in a process of its own, in ``folder``."""
    return subprocess.run(  # noqa: S603 - the command under test
        [sys.executable, "-m", "layertrace", *(os.fspath(word) for word in words)],
        env={**os.environ, "PYTHONPATH": str(ROOT), **(environment or {})},
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=SECONDS,
        check=False,
    )


def sh(script: str, *, folder: Path) -> subprocess.CompletedProcess[bytes]:
    """Run a line of shell in which ``layertrace`` is the command under test."""
    command = f'layertrace() {{ "{sys.executable}" -m layertrace "$@"; }}\n'
    return subprocess.run(  # noqa: S603 - our own words
        ["/bin/sh", "-c", command + script],
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "LAYERTRACE_CACHE_DIR": str(folder / "cache"),
        },
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=SECONDS,
        check=False,
    )
