"""Every exception raised on purpose.

```
LayertraceError              exit code of its class, CONTRACT.md 3
  UsageError             2   the words of the command do not fit together
    ExistsError              what would be written over stands there already
  SourceError            3   the image cannot be found
    SeveralImagesError       nothing says which of those that are there
  ArchiveError           3   the outer files are wrong
    DecodeError              JSON: where, expected, got
    DigestMismatchError      expected, actual, of which blob
  LayerError             3   one layer's tar breaks the specification
    InvalidWhiteoutError
  LimitError             3   more of something than any image has reason to hold
  DockerfileError        3   with its line
  PolicyError            3   an audit's policy: which file, which key
  PathNotFoundError      4   the path is not in the image
  EngineError            5   the engine is away or refused
  StorageError           5   disk or cache trouble
  StoppedError         130   the user stopped the work
```

An error words itself in at most three lines: what, why, what to do.
"""

from __future__ import annotations

from typing import ClassVar


class LayertraceError(Exception):
    """Something a user can act on; its text is at most three lines."""

    exit_code: ClassVar[int] = 3

    def __init__(self, what: str, *, why: str = "", hint: str = "") -> None:
        """Keep the three lines: what is wrong, why, and what to do about it."""
        super().__init__(what)
        self.what = what
        self.why = why
        self.hint = hint

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.__dict__.copy(), self.args))

    def __str__(self) -> str:
        return "\n".join(line for line in (self.what, self.why, self.hint) if line)


def _rebuild(
    cls: type[LayertraceError], state: dict[str, object], args: tuple[object, ...]
) -> LayertraceError:
    error = cls.__new__(cls)
    error.args = args
    error.__dict__.update(state)
    return error


class UsageError(LayertraceError):
    """The words of the command do not fit together."""

    exit_code = 2


class ExistsError(UsageError):
    """What would be written over stands there already; whoever says so may replace it."""


class SourceError(LayertraceError):
    """The image cannot be found where the reference points."""


class SeveralImagesError(SourceError):
    """There are several images, and nothing says which is meant."""

    def __init__(
        self, what: str, *, hint: str, asked: str, choices: tuple[tuple[str, str], ...]
    ) -> None:
        """Keep the reference that was asked for, and of each image name and reference."""
        super().__init__(what, hint=hint)
        self.asked = asked
        self.choices = choices


class ArchiveError(LayertraceError):
    """The outer files of an archive or layout are wrong."""


class DecodeError(ArchiveError):
    """JSON that is not what its specification says."""

    def __init__(self, *, where: str, expected: str, got: str, document: str) -> None:
        """Name the key, what it should hold, what it holds, and the file."""
        super().__init__(f"{where}: expected {expected}, got {got}", why=f"in {document}")
        self.where = where
        self.expected = expected
        self.got = got
        self.document = document


class DigestMismatchError(ArchiveError):
    """Content that is not what its digest says."""

    def __init__(self, *, subject: str, expected: str, actual: str) -> None:
        """Name the blob, the digest it should have and the one it has."""
        super().__init__(
            f"{subject} does not have the digest the image gives for it",
            why=f"expected {expected}, got {actual}",
            hint="the archive is damaged or was altered: save the image again",
        )
        self.subject = subject
        self.expected = expected
        self.actual = actual


class LayerError(LayertraceError):
    """One layer's tar breaks the specification or is cut short."""


class InvalidWhiteoutError(LayerError):
    """A whiteout marker that names no path."""

    def __init__(self, path: str) -> None:
        """Keep the marker's path."""
        super().__init__(
            f"invalid whiteout {path!r}: it names no path to remove",
            why="OCI image-spec, layer.md, Whiteouts",
        )
        self.path = path


class LimitError(ArchiveError, LayerError):
    """More of something than any image has reason to hold: who trusts it may raise the limit."""

    def __init__(self, what: str, *, limit: str, allowed: int) -> None:
        """Keep the limit's name, as ``--max`` takes it, and its value."""
        super().__init__(
            what,
            why=f"the limit {limit} is {allowed:,}",
            hint=f"if the image is to be trusted, raise it: --max {limit}=NUMBER",
        )
        self.limit = limit
        self.allowed = allowed


class DockerfileError(LayertraceError):
    """A Dockerfile that its builder would refuse."""

    def __init__(self, message: str, *, line: int | None = None, name: str = "Dockerfile") -> None:
        """Keep the line (from 1) and the file's name."""
        place = name if line is None else f"{name}:{line}"
        super().__init__(f"{place}: {message}")
        self.message = message
        self.line = line
        self.name = name


class PolicyError(LayertraceError):
    """An audit's policy that cannot be read, or asks for what there is not."""

    def __init__(self, message: str, *, document: str, key: str = "", hint: str = "") -> None:
        """Name the file and the key, ``audit.rules.max-size.limit``."""
        place = ": ".join(filter(None, (document, key)))
        super().__init__(f"{place}: {message}", hint=hint)
        self.message = message
        self.document = document
        self.key = key


class PathNotFoundError(LayertraceError):
    """The path is not in the image."""

    exit_code = 4


class EngineError(LayertraceError):
    """The engine is away, refused, or broke off."""

    exit_code = 5


class StorageError(LayertraceError):
    """The disk or the cache failed."""

    exit_code = 5


class StoppedError(LayertraceError):
    """The user stopped the work."""

    exit_code = 130

    def __init__(self) -> None:
        """Say that nothing more happened."""
        super().__init__("stopped")
