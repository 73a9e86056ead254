"""How much of a layer fits in memory: its entries and names, counted while it is walked."""

from __future__ import annotations

from sys import getsizeof
from typing import TYPE_CHECKING

from layertrace.errors import LimitError
from layertrace.layers.index import memory_of

if TYPE_CHECKING:
    from layertrace.layers.columns import Columns
    from layertrace.model.limits import Limits


class Room:
    """What one layer may still hold."""

    def __init__(self, name: str, limits: Limits) -> None:
        """Keep what messages call the layer, and its limits."""
        self._name = name
        self._limits = limits
        self.short = min(limits.path, limits.depth)
        """Characters of a path that is certainly not too long."""
        self._weighed = 0
        """Entries whose paths were counted."""
        self.names = 0
        """Bytes that their paths take in memory; whoever keeps other names adds them."""
        self._implied = 0
        """Directories without an entry of their own."""

    def refusal(self, path: str) -> tuple[str, str] | None:
        """Return code and message of why a path is left out, None where it is not."""
        length, depth = self._limits.path, self._limits.depth
        if len(path) > length:
            return (
                "path-too-long",
                f"paths of more than {length:,} characters, left out (--max path=NUMBER)",
            )
        if path.count("/") >= depth:
            return (
                "path-too-deep",
                f"paths of more than {depth:,} directories, left out (--max depth=NUMBER)",
            )
        return None

    def weigh(self, columns: Columns, markers: int) -> None:
        """Refuse a layer that holds more than it may so far.

        Raises:
            LimitError: too many entries, or too much memory for their names.
        """
        entries = len(columns.kinds) + markers + self._implied
        if entries > self._limits.entries:
            raise LimitError(
                f"{self._name} has more than {self._limits.entries:,} entries",
                limit="entries",
                allowed=self._limits.entries,
            )
        self.names += memory_of(columns.paths[self._weighed :])
        self._weighed = len(columns.paths)
        if self.names + columns.extras > self._limits.names:
            raise LimitError(
                f"the names in {self._name} take more than {self._limits.names:,} bytes of memory",
                limit="names",
                allowed=self._limits.names,
            )

    def take(self, columns: Columns, directories: int, path: str) -> None:
        """Make room for directories that no entry made, and for a path.

        Raises:
            LimitError: there is none.
        """
        self._implied += directories
        # The path of a directory is kept once more when layers are folded.
        self.names += getsizeof(path) * (1 + directories)
        self.weigh(columns, 0)
