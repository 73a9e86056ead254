"""Errors: an exit code, at most three lines, and facts that survive a process."""

from __future__ import annotations

import pickle

import pytest

from layertrace import errors
from layertrace.errors import (
    ArchiveError,
    DecodeError,
    DigestMismatchError,
    DockerfileError,
    EngineError,
    ExistsError,
    InvalidWhiteoutError,
    LayerError,
    LayertraceError,
    LimitError,
    PathNotFoundError,
    PolicyError,
    SeveralImagesError,
    SourceError,
    StoppedError,
    StorageError,
    UsageError,
)

DECODE = DecodeError(where="layers[2].digest", expected="a string", got="3", document="m.json")
MISMATCH = DigestMismatchError(subject="layer 0's tar", expected="sha256:1", actual="sha256:2")


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (UsageError("no", hint="write this"), 2, "no\nwrite this"),
        (ExistsError("it is there"), 2, "it is there"),
        (SourceError("x does not exist"), 3, "x does not exist"),
        (SeveralImagesError("two", hint="name one", asked="a.tar", choices=(("b", "a.tar:b"),)), 3,
         "two\nname one"),
        (ArchiveError("bad", why="because", hint="save again"), 3, "bad\nbecause\nsave again"),
        (DECODE, 3, "layers[2].digest: expected a string, got 3\nin m.json"),
        (MISMATCH, 3, ("layer 0's tar does not have the digest the image gives for it\n"
         "expected sha256:1, got sha256:2\n"
         "the archive is damaged or was altered: save the image again")),
        (LayerError("cut short"), 3, "cut short"),
        (LimitError("too large", limit="entries", allowed=2000), 3,
         ("too large\nthe limit entries is 2,000\n"
         "if the image is to be trusted, raise it: --max entries=NUMBER")),
        (InvalidWhiteoutError("a/.wh."), 3,
         ("invalid whiteout 'a/.wh.': it names no path to remove\n"
         "OCI image-spec, layer.md, Whiteouts")),
        (DockerfileError("unknown instruction", line=3), 3, "Dockerfile:3: unknown instruction"),
        (DockerfileError("empty", name="D"), 3, "D: empty"),
        (PolicyError("not so", document="p.toml", key="audit.a", hint="did you mean b?"), 3,
         "p.toml: audit.a: not so\ndid you mean b?"),
        (PolicyError("no TOML", document="p.toml"), 3, "p.toml: no TOML"),
        (PathNotFoundError("/x is not in the image"), 4, "/x is not in the image"),
        (EngineError("away"), 5, "away"),
        (StorageError("full"), 5, "full"),
        (StoppedError(), 130, "stopped"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)  # fmt: skip
def test_error_says_what_why_and_what_to_do(error: LayertraceError, code: int, text: str) -> None:
    """In that order, a line each, with the exit code of its class; the same after pickling."""
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    for one in (error, again):
        assert (type(one), one.exit_code, str(one)) == (type(error), code, text)
        assert len(str(one).splitlines()) <= 3
    assert again.__dict__ == error.__dict__


def test_every_error_has_its_case_above() -> None:
    """A new class is not forgotten here."""
    classes = {c for c in vars(errors).values() if isinstance(c, type)}
    known = {
        "UsageError", "SourceError", "ArchiveError", "DecodeError", "DigestMismatchError",
        "LayerError", "InvalidWhiteoutError", "LimitError", "DockerfileError",
        "PolicyError", "ExistsError", "SeveralImagesError",
        "PathNotFoundError", "EngineError", "StorageError", "StoppedError", "LayertraceError",
    }  # fmt: skip
    assert {c.__name__ for c in classes if issubclass(c, Exception)} == known
