"""A file that appears at its path only when it is complete."""

from __future__ import annotations

import io
import os
import secrets
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, BinaryIO, Final, cast

from layertrace.errors import StorageError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from _typeshed import ReadableBuffer

_BUFFER: Final = 1 << 20


class _Part(io.FileIO):
    """A file whose failing writes name the target it will become."""

    def __init__(self, descriptor: int, target: Path) -> None:
        super().__init__(descriptor, "r+")
        self._target = target

    def write(self, data: ReadableBuffer, /) -> int:
        with _storage_errors(self._target):
            return super().write(data)


@contextmanager
def complete_file(target: Path, *, force: bool = False) -> Iterator[BinaryIO]:
    """Open a file that takes the name ``target`` when the block ends without error.

    Whatever ends the block otherwise, Ctrl-C too, removes it and leaves an
    existing ``target`` as it was.

    Raises:
        UsageError: ``target`` exists (and ``force`` is not set) or is no regular file.
        StorageError: the disk is full, or the folder cannot be written.
    """
    check_target(target, force=force)
    target = target.resolve()
    part = target.with_name(f".layertrace-{secrets.token_hex(8)}.part")
    try:
        with _storage_errors(target):
            # Private until complete: nobody is to read half an image.
            descriptor = os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with io.BufferedRandom(_Part(descriptor, target), _BUFFER) as file:
            # The type checker does not count it as a binary file, which it is.
            yield cast("BinaryIO", file)
            file.flush()
            with _storage_errors(target):
                os.fchmod(descriptor, 0o666 & ~_umask())
                os.fsync(descriptor)
        with _storage_errors(target):
            _put_in_place(part, target, force=force)
    except BaseException:
        with suppress(OSError):
            part.unlink()
        raise


def check_target(target: Path, *, force: bool) -> None:
    """Refuse a target that must not be written, before any work is done for it.

    Raises:
        UsageError: ``target`` exists (and ``force`` is not set) or is no regular file.
        StorageError: its folder is not there, or not to be written.
    """
    with _storage_errors(target):
        folder = target.resolve().parent
        if not folder.is_dir():
            raise StorageError(f"{target}: cannot be written", why=f"{folder} is not a folder")
        if not os.access(folder, os.W_OK | os.X_OK):
            raise StorageError(f"{target}: cannot be written", why=f"{folder} may not be written")
        if target.exists() and not target.is_file():
            raise UsageError(f"{target}: is not a regular file, so it is not overwritten")
        if os.path.lexists(target) and not force:
            raise _exists(target)


def _exists(target: Path) -> UsageError:
    return UsageError(f"{target}: exists already", hint="name another file, or remove that one")


def _put_in_place(part: Path, target: Path, *, force: bool) -> None:
    if force:
        os.replace(part, target)  # noqa: PTH105 - beside os.link, which pathlib names otherwise
    else:
        _rename_new(part, target)
    folder = os.open(target.parent, os.O_RDONLY | os.O_CLOEXEC)
    try:
        # The rename itself must outlive a power cut; some file systems see to
        # that alone and refuse to be asked.
        with suppress(OSError):
            os.fsync(folder)
    finally:
        os.close(folder)


def _rename_new(part: Path, target: Path) -> None:
    """Give ``part`` its name, unless another took it since it was checked."""
    try:
        os.link(part, target)
    except FileExistsError:
        raise _exists(target) from None
    except OSError:
        # A file system without hard links: there the gap between look and rename stays.
        check_target(target, force=False)
        os.replace(part, target)  # noqa: PTH105
    else:
        part.unlink()


def _umask() -> int:
    # The mask can be read only by setting it; a strict one meanwhile harms nobody.
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


@contextmanager
def _storage_errors(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageError(
            f"{target}: cannot be written",
            why=os.strerror(error.errno) if error.errno else str(error),
            hint="nothing was left behind",
        ) from error
