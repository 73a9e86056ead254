"""The build context: what of it a builder is sent, told file by file.

Source: the Dockerfile reference, ``.dockerignore``; moby ``builder/remotecontext``
for what the classic builder takes out again.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from e2b_dockerfile_utils.dockerignore import PatternMatcher

from layertrace.errors import SourceError
from layertrace.model.bundle import ContextEntry

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

_CHUNK: Final = 1 << 20
IGNORE_FILE: Final = ".dockerignore"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextFile:
    """One path below the context folder that is not ignored."""

    path: str
    """Relative to the context, POSIX."""
    source: str
    """On the user's disk."""
    status: os.stat_result


def read_ignore(context: Path, dockerfile: Path | None) -> tuple[str, ...]:
    """Return the ignore patterns of ``context``, in their order.

    ``NAME.dockerignore`` beside the Dockerfile ``NAME`` comes before
    ``.dockerignore``, as BuildKit has it; the classic builder knows only the
    latter (``dockerfile`` None).

    Raises:
        SourceError: the file cannot be read.
    """
    candidates = [context / IGNORE_FILE]
    if dockerfile is not None:
        candidates.insert(0, dockerfile.with_name(dockerfile.name + IGNORE_FILE))
    for candidate in candidates:
        try:
            text = candidate.read_text("utf-8-sig", "surrogateescape")
        except FileNotFoundError:
            continue
        except OSError as error:
            raise unreadable(str(candidate), error) from error
        # At no other character: a name may hold what Python takes for a line's end.
        return tuple(line.removesuffix("\r") for line in text.split("\n"))
    return ()


def pattern_of(context: Path, path: Path) -> tuple[str, ...]:
    r"""Return the pattern that ignores ``path`` alone; none where it is outside the context.

    >>> pattern_of(Path("/a"), Path("/a/out/#1*.tar")), pattern_of(Path("/a"), Path("/b"))
    (('/out/#1\\*.tar',), ())
    """
    place = path.parent.resolve() / path.name
    if not place.is_relative_to(context.resolve()):
        return ()
    name = place.relative_to(context.resolve()).as_posix()
    escaped = re.sub(r"([*?\[\\])", r"\\\1", name)
    # A pattern is one line, without the space around it.
    return ("/" + re.sub(r"\s$|[\r\n]", "?", escaped),)


def ignore_matcher(patterns: tuple[str, ...]) -> PatternMatcher:
    """Return what tells ignored paths.

    Raises:
        SourceError: a pattern is malformed; a builder would refuse it too.
    """
    try:
        return PatternMatcher(list(patterns))
    except ValueError as error:
        raise SourceError(f"{IGNORE_FILE}: {error}") from error


def walk_context(
    context: Path, ignored: PatternMatcher, *, keep: frozenset[str] = frozenset()
) -> Iterator[ContextFile]:
    """Yield every path that is not ignored, or is in ``keep``; folders before their content.

    Raises:
        SourceError: a folder or file cannot be read.
    """
    todo: list[tuple[str, str]] = [("", os.fspath(context))]
    while todo:
        folder, source = todo.pop()
        try:
            with os.scandir(source) as found:
                entries = sorted(found, key=lambda entry: entry.name)
        except OSError as error:
            raise unreadable(source, error) from error
        below: list[tuple[str, str]] = []
        for entry in entries:
            path = f"{folder}/{entry.name}" if folder else entry.name
            drop = path not in keep and ignored.matches(path)
            if entry.is_dir(follow_symlinks=False) and (
                not drop
                or ignored.may_match_under(path)
                or any(kept.startswith(f"{path}/") for kept in keep)
            ):
                below.append((path, entry.path))
            if not drop:
                yield ContextFile(
                    path=path, source=entry.path, status=entry.stat(follow_symlinks=False)
                )
        todo.extend(reversed(below))


def list_context(context: Path, ignored: PatternMatcher) -> Iterator[ContextEntry]:
    """Yield every path a build may copy, with the digest of each file's content.

    Raises:
        SourceError: something in the context cannot be read.
    """
    for file in walk_context(context, ignored):
        digest = file_digest(file) if stat.S_ISREG(file.status.st_mode) else None
        if (entry := context_entry(file, digest)) is not None:
            yield entry


def file_digest(file: ContextFile) -> str:
    """Return the digest of a regular file's content.

    Raises:
        SourceError: it cannot be read, or is shorter than when it was listed.
    """
    sha256 = hashlib.sha256()
    for chunk in read_file(file):
        sha256.update(chunk)
    return f"sha256:{sha256.hexdigest()}"


class FolderContents:
    """The contents of a context's files, for sums over a header and what follows it."""

    def __init__(self, files: Mapping[str, ContextFile]) -> None:
        """Keep the files by path."""
        self._files = files

    def cost(self, files: Iterable[str]) -> int:
        """Return how many bytes these files have."""
        return sum(self._files[path].status.st_size for path in files)

    def sums(self, headers: Mapping[str, Sequence[bytes]]) -> Mapping[str, Sequence[str]]:
        """Return the sha256 of each header with the file's content after it, in hex.

        Raises:
            SourceError: a file cannot be read, or is shorter than when it was listed.
        """
        found: dict[str, Sequence[str]] = {}
        for path, each in headers.items():
            hashes = [hashlib.sha256(header) for header in each]
            for chunk in read_file(self._files[path]):
                for sha256 in hashes:
                    sha256.update(chunk)
            found[path] = tuple(sha256.hexdigest() for sha256 in hashes)
        return found

    def first_names(self) -> Mapping[str, str]:
        """Return the hard links to files that a builder is sent under an earlier path."""
        first: dict[tuple[int, int], str] = {}
        links: dict[str, str] = {}
        for path in sorted(self._files, key=lambda path: path.split("/")):
            status = self._files[path].status
            if stat.S_ISREG(status.st_mode) and status.st_nlink > 1:
                name = first.setdefault((status.st_dev, status.st_ino), path)
                if name != path:
                    links[path] = name
        return links


def context_entry(
    file: ContextFile, digest: str | None, copy_sum: str | None = None
) -> ContextEntry | None:
    """Return ``file`` as a trace archive lists it; None for a kind no COPY compares."""
    mode = file.status.st_mode
    kind = next(
        (
            word
            for test, word in (
                (stat.S_ISREG, "file"),
                (stat.S_ISDIR, "dir"),
                (stat.S_ISLNK, "symlink"),
            )
            if test(mode)
        ),
        None,
    )
    if kind is None:
        return None
    return ContextEntry(
        path=file.path,
        kind=kind,
        size=file.status.st_size if kind == "file" else 0,
        mode=stat.S_IMODE(mode),
        mtime=int(file.status.st_mtime),
        digest=digest,
        link_target=os.fspath(Path(file.source).readlink()) if kind == "symlink" else None,
        copy_sum=copy_sum,
    )


def read_file(file: ContextFile) -> Iterator[bytes]:
    """Yield a file's content, exactly as long as it was when it was listed.

    Raises:
        SourceError: it cannot be read, or is shorter now.
    """
    left = file.status.st_size
    try:
        with open(file.source, "rb") as opened:  # noqa: PTH123
            while left and (chunk := opened.read(min(left, _CHUNK))):
                left -= len(chunk)
                yield chunk
    except OSError as error:
        raise unreadable(file.source, error) from error
    if left:
        raise SourceError(f"{file.source}: became shorter while it was read")


def unreadable(source: str, error: OSError) -> SourceError:
    """Say why something of the context cannot be read."""
    return SourceError(
        f"{source}: cannot be read", why=os.strerror(error.errno) if error.errno else str(error)
    )
