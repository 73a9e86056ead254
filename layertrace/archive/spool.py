"""A stream put on disk for as long as it is read from: a pipe or a packed archive."""

from __future__ import annotations

import os
import shutil
import tempfile
from typing import TYPE_CHECKING

from layertrace.archive.compression import too_large
from layertrace.errors import LayerError, LayertraceError, LimitError, StoppedError, StorageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import BinaryIO

    from layertrace.model.limits import Limits


def spool(
    pieces: Iterator[bytes], name: str, limits: Limits, stop: Callable[[], bool] | None = None
) -> tuple[BinaryIO, str]:
    """Return the bytes in a temporary file that vanishes with its last use.

    Of damaged ones, as many as can be had, and what is wrong with them.

    Args:
        pieces: the bytes.
        name: of what they are, for messages.
        limits: how many there may be.
        stop: asked after each piece.

    Raises:
        StoppedError: ``stop`` returned True.
        StorageError: there is no room for them.
        LayerError: not one can be had.
        LimitError: there are more than of any archive.
    """
    try:
        # Closed with the store; a with-block would end its life here.
        file = tempfile.TemporaryFile(prefix="layertrace-", buffering=0)  # noqa: SIM115
    except OSError as error:
        raise _no_room(name, error) from error
    damage = ""
    try:
        for piece in pieces:
            if file.tell() + len(piece) > limits.size:
                raise too_large(name, limits)
            _write_all(file.fileno(), piece)
            if stop is not None and stop():
                raise StoppedError
    except OSError as error:
        file.close()
        raise _no_room(name, error) from error
    except LayertraceError as error:
        damage = error.what
        if not (isinstance(error, LayerError) and file.tell()) or isinstance(error, LimitError):
            file.close()
            raise
    file.seek(0)
    return file, damage


def _write_all(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def _no_room(name: str, error: OSError) -> StorageError:
    folder = tempfile.gettempdir()
    free = shutil.disk_usage(folder).free
    return StorageError(
        f"cannot unpack {name} to read it: {error.strerror or error}",
        why=f"{folder} has {free:,} bytes free",
        hint="set TMPDIR to a larger disk, or unpack the archive first",
    )
