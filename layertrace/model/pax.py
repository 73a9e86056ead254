"""What a PAX header may cost: a few bytes can keep ``tarfile`` busy for hours.

Some of its regular expressions go over the rest of a header again for every
digit or record in it (CVE-2024-6232; later Pythons mended the worst), so the
headers of layers and of archives are looked at before it reads them.
"""

from __future__ import annotations

import re
from typing import Final

MAX_TOIL: Final = 1 << 28
"""Sum of the squares of the lengths of digits in a row in a tar's PAX headers: a second."""
MAX_APPLIED: Final = 1 << 24
"""Global records times members that take them over, in headers read one by one: a second."""
_DIGITS: Final = re.compile(rb"[0-9]{64,}")
_RECORD_HEAD: Final = 20
_LENGTH: Final = re.compile(rb"([0-9]{1,20}) ")
_SHORTEST: Final = len(b"5 k=\n")


def records_alone(data: bytes) -> bytes:
    """Return a header's content with zeros for all from the first bytes on that are no record.

    What to do about those is left open by POSIX, and done differently by the
    ``tarfile`` of different Pythons: some refuse the tar. So does a record that
    ends in anything but a newline, which is given one.
    """
    position = 0
    records: list[bytes] = []
    while (found := _LENGTH.match(data, position)) is not None:
        end = position + int(found[1])
        keyword, equals, _ = data[found.end() : end - 1].partition(b"=")
        if not _SHORTEST <= end - position <= len(data) - position or not keyword or not equals:
            break
        records.append(data[position : end - 1] + b"\n")
        position = end
    return b"".join(records).ljust(len(data), b"\0")


class CostlyHeaderError(ValueError):
    """A header that no program writes and that would take too long to read."""


class PaxGuard:
    """Looks at the PAX headers of one tar."""

    def __init__(self) -> None:
        self._toil = 0
        self._applied = 0

    def check(self, data: bytes) -> None:
        """Look at one header's content.

        Raises:
            CostlyHeaderError: reading it would take too long.
        """
        self._toil += sum(len(run) ** 2 for run in _DIGITS.findall(data))
        if self._toil > MAX_TOIL:
            raise CostlyHeaderError("PAX headers with too many digits in a row")
        _check_records(data)

    def apply(self, records: int) -> None:
        """Count what one member takes over from global headers.

        Raises:
            CostlyHeaderError: so many of them for so many members would take too long.
        """
        self._applied += records
        if self._applied > MAX_APPLIED:
            raise CostlyHeaderError("PAX global headers with too many records")


def _check_records(data: bytes) -> None:
    """Refuse records that run into later ones: tarfile looks to the end for each."""
    position = 0
    while True:
        digits, space, _ = data[position : position + _RECORD_HEAD].partition(b" ")
        if not digits.isdigit() or (not space and len(digits) < _RECORD_HEAD):
            # Not the start of a record: tarfile, too, ends here.
            return
        end = position + int(digits)
        if data.find(b"=", position, end) == -1:
            if data.find(b"=", end) == -1:
                return
            raise CostlyHeaderError("a PAX record without a value")
        position = end
