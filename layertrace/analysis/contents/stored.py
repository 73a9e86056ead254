"""A content that may be read at any place, in bounded memory, however it came."""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING, Final

from layertrace.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import TracebackType
    from typing import Self

LIMIT: Final = 512 << 20
"""Bytes of one content that are looked at."""
_MEMORY: Final = 8 << 20
_PIECE: Final = 1 << 20


class Stored:
    """A content, or its first bytes, in memory or in a temporary file that vanishes."""

    def __init__(self, pieces: Iterable[bytes], *, limit: int = LIMIT) -> None:
        """Take ``pieces`` until they end or are more than ``limit``.

        Raises:
            StorageError: there is no room for them; what ``pieces`` raises, too.
        """
        self.size = 0
        self.whole = True
        """False: it goes on, and that was not taken."""
        # Closed by close(): a with-block here would end its life.
        self._file = tempfile.SpooledTemporaryFile(  # noqa: SIM115
            max_size=_MEMORY, prefix="layertrace-"
        )
        try:
            self._take(pieces, limit)
        except BaseException:
            self._file.close()
            raise

    def _take(self, pieces: Iterable[bytes], limit: int) -> None:
        for piece in pieces:
            kept = piece[: limit - self.size]
            self.whole = len(kept) == len(piece)
            try:
                self._file.write(kept)
            except OSError as error:
                raise StorageError(
                    "cannot put a content on disk to compare it",
                    why=f"{tempfile.gettempdir()}: {error.strerror or error}",
                    hint="set TMPDIR to a larger disk",
                ) from error
            self.size += len(kept)
            if not self.whole:
                break

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def read_at(self, offset: int, size: int) -> bytes:
        """Return up to ``size`` bytes; fewer only at the end of what was taken."""
        if not 0 <= offset < self.size:
            return b""
        self._file.seek(offset)
        return self._file.read(min(size, self.size - offset))

    def length(self) -> int:
        """Return how many bytes were taken."""
        return self.size

    def pieces(self, offset: int = 0, size: int | None = None) -> Iterator[bytes]:
        """Yield what was taken, or a part of it; other reading may go on in between."""
        end = self.size if size is None else min(self.size, offset + size)
        while offset < end and (piece := self.read_at(offset, min(_PIECE, end - offset))):
            yield piece
            offset += len(piece)
