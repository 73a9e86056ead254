"""Which names of an image a disk can hold.

Source: POSIX, ``limits.h`` (``NAME_MAX`` of Linux and macOS); Microsoft, "Naming
Files, Paths, and Namespaces".
"""

from __future__ import annotations

import os
import re
from typing import Final

_NAME_MAX: Final = 255
_WINDOWS: Final = os.name == "nt"
_RESERVED: Final = re.compile(
    r"(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9\u00b9\u00b2\u00b3])(?:\..*)?",
    re.IGNORECASE | re.DOTALL,
)
# A backslash parts folders there, and what follows a colon is a stream of the file before it.
_FORBIDDEN: Final = re.compile(r'[\x00-\x1f<>:"/\\|?*]')


def holds_name(name: str, *, windows: bool = _WINDOWS) -> bool:
    r"""Say whether one part of a path, as images spell it, can be written here.

    >>> holds_name("caf\udce9"), holds_name("x" * 256), holds_name("..")
    (True, False, False)
    >>> [holds_name(name, windows=True) for name in ("a.txt", "NUL.txt", "..\\a", "a:b", "a.")]
    [True, False, False, False, False]
    """
    if name in {"", ".", ".."} or "/" in name or "\0" in name:
        return False
    if not windows:
        return len(name.encode("utf-8", "surrogateescape")) <= _NAME_MAX
    units = len(name.encode("utf-16-le", "surrogatepass")) // 2
    stripped = name.rstrip(". ")
    if units > _NAME_MAX or stripped != name or _FORBIDDEN.search(name):
        return False
    return _RESERVED.fullmatch(name.partition(".")[0].rstrip(" ")) is None


def disk_name(name: str, *, windows: bool = _WINDOWS) -> str | bytes:
    """Return a name as the system is to be given it: its very bytes where names are bytes.

    As text, a locale other than UTF-8 would have it spelled otherwise.
    """
    return name if windows else name.encode("utf-8", "surrogateescape")
