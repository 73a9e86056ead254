"""The build context: a folder that the user names, or the listing in a trace archive."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from layertrace.errors import SourceError

if TYPE_CHECKING:
    from pathlib import Path

    from layertrace.model.build import Build
    from layertrace.model.bundle import TraceBundle
    from layertrace.model.image import ImageConfig
    from layertrace.pipeline.hints import Hints
    from layertrace.provenance.context_tree import ContextTree


def open_context(
    hints: Hints, bundle: TraceBundle | None, own: Build | None, config: ImageConfig
) -> ContextTree | None:
    """Return the files that the build could copy, None where nobody tells them.

    Args:
        hints: may name the folder and the Dockerfile.
        bundle: of a trace archive.
        own: the build as the image's provenance has it.
        config: of the image.

    Raises:
        SourceError: the folder cannot be read.
    """
    folder = hints.context
    if folder is not None:
        dockerfile = hints.dockerfile
        if dockerfile is None and own is not None:
            # What a provenance calls it may lead anywhere.
            dockerfile = folder / PurePosixPath(own.name).name
        return _read_context(folder, _ignored(folder, dockerfile, config))
    if bundle is not None and bundle.context:
        from layertrace.provenance.context_tree import ContextTree  # noqa: PLC0415

        return ContextTree(bundle.context)
    return None


def _ignored(folder: Path, dockerfile: Path | None, config: ImageConfig) -> tuple[str, ...]:
    """Return the patterns that the build ignored; none where it is not known which file held.

    What was ignored but counts here costs a proof at most; what was not ignored and
    does not count here would seem to be missing.
    """
    from layertrace.archive.build_context import IGNORE_FILE, read_ignore  # noqa: PLC0415

    if dockerfile is not None:
        beside = dockerfile.with_name(f"{dockerfile.name}{IGNORE_FILE}")
        by_buildkit = any(entry.comment.startswith("buildkit.") for entry in config.history[-1:])
        # The classic builder does not look beside the Dockerfile.
        if not dockerfile.is_file() or (beside.exists() and not by_buildkit):
            return ()
    return read_ignore(folder, dockerfile)


def _read_context(folder: Path, patterns: tuple[str, ...]) -> ContextTree:
    # Few questions come with a context.
    from layertrace.archive.build_context import (  # noqa: PLC0415
        FolderContents,
        context_entry,
        file_digest,
        ignore_matcher,
        walk_context,
    )
    from layertrace.pipeline.opening.unpacked import unpack_file  # noqa: PLC0415
    from layertrace.provenance.context_tree import ContextTree  # noqa: PLC0415

    if not folder.is_dir():
        raise SourceError(f"{folder} is not a folder", why="--context names the build context")
    ignored = ignore_matcher(patterns)
    files = {file.path: file for file in walk_context(folder, ignored)}
    entries = [entry for file in files.values() if (entry := context_entry(file, None))]
    contents = FolderContents(files)
    return ContextTree(
        entries,
        lambda path: file_digest(files[path]),
        contents,
        contents.first_names(),
        lambda path: unpack_file(files[path]),
    )
