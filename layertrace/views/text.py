r"""Words, marks and names as people see them, the same in every view.

Everything that comes out of an image is hostile input: a path, a command or a
label may hold an escape sequence that rewrites the terminal, a newline that
forges a row, or a bidi mark that shows ``gpj.exe`` as ``exe.jpg``.
:func:`show_name` is the one way such a string reaches a screen; the exact name
stays in the model and in JSON.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from layertrace.model.origin import Change, Trust

if TYPE_CHECKING:
    from collections.abc import Mapping

TRUST_MARKS: Final[Mapping[Trust, str]] = MappingProxyType(
    {
        Trust.VERIFIED: "✔",
        Trust.INFERRED: "≈",
        Trust.UNKNOWN: "?",
        Trust.CONTRADICTED: "✘",
    }
)

TRUST_MARKS_ASCII: Final[Mapping[Trust, str]] = MappingProxyType(
    {
        Trust.VERIFIED: "V",
        Trust.INFERRED: "i",
        Trust.UNKNOWN: "?",
        Trust.CONTRADICTED: "X",
    }
)

CHANGE_MARKS: Final[Mapping[Change, str]] = MappingProxyType(
    {
        Change.ADDED: "+",
        Change.MODIFIED: "~",
        Change.REMOVED: "-",
        Change.METADATA: "m",
    }
)

UNTOUCHED_MARK: Final = "."
"""Of a path that the layers shown left as they found it."""

# Python calls these printable, yet a terminal draws nothing for them or lets
# them change the width of their neighbour, which breaks columns and hides text.
_INVISIBLE: Final = frozenset(
    {0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFFA0}
    | set(range(0x180B, 0x1810))
    | set(range(0xFE00, 0xFE10))
    | set(range(0xE0100, 0xE01F0))
)
# Cell for cell, so that a row is as wide in ASCII as it was.
_ASCII: Final = str.maketrans(
    "▸▾│─●○◆◇↳▌◀▶►…·→↓↑✔≈✘§█▓▒░┌┐└┘├┤┬┴┼",
    ">v|-*o#%`|<>>~->v^ViXA#=:.+++++++++",
)
_UNITS: Final = ((1, 1, "kB"), (2, 1, "MB"), (3, 2, "GB"), (4, 2, "TB"), (5, 2, "PB"))
"""Power of a thousand, decimals shown, name."""
_SHELL: Final = "/bin/sh -c "
_NOP: Final = "/bin/sh -c #(nop)"
_FIRST_BYTE: Final = 0xDC80
_LAST_BYTE: Final = 0xDCFF
_ASCII_END: Final = 0x80
_BMP_END: Final = 0x10000


def show_name(name: str, *, ascii_only: bool = False) -> str:
    r"""Return ``name`` with whatever a terminal would obey or hide made visible.

    Controls (C0, C1, DEL), bidi and zero-width marks, line separators, odd
    spaces and code points this Python does not know become ``\x1b``, ``\u202e``
    or ``\U000e0001``; a byte that is not UTF-8 (a surrogate, PEP 383) becomes
    ``\xe9``. The result is one line and printable.

    >>> show_name("café/[/red].js"), show_name("a\x1b[2Jb"), show_name("gpj\u202e.exe")
    ('café/[/red].js', 'a\\x1b[2Jb', 'gpj\\u202e.exe')
    >>> show_name("caf\udce9")
    'caf\\xe9'
    >>> show_name("café", ascii_only=True)
    'caf\\u00e9'
    """
    if name.isascii() and name.isprintable():
        return name
    if ascii_only:
        return "".join(c if " " <= c <= "~" else _escape(c) for c in name)
    return "".join(map(_show_character, name))


def to_ascii(text: str) -> str:
    """Return our own ``text`` with its marks and frames in ASCII; names go first.

    >>> to_ascii("▾ ● build  ✔ …")
    'v * build  V ~'
    """
    return text.translate(_ASCII)


def show_words(text: str, *, ascii_only: bool = False) -> str:
    r"""Return our own ``text`` around names from an image, fit for the terminal.

    >>> show_words("a → caf\u00e9", ascii_only=True), show_words("a → b")
    ('a > caf\\u00e9', 'a → b')
    """
    return show_name(to_ascii(text) if ascii_only else text, ascii_only=ascii_only)


def _show_character(character: str) -> str:
    if character.isprintable() and ord(character) not in _INVISIBLE:
        return character
    return _escape(character)


def _escape(character: str) -> str:
    code = ord(character)
    if _FIRST_BYTE <= code <= _LAST_BYTE:
        return f"\\x{code - 0xDC00:02x}"
    if code < _ASCII_END:
        return f"\\x{code:02x}"
    # Not "\x9b" for U+009B: that spelling is kept for a raw byte.
    return f"\\u{code:04x}" if code < _BMP_END else f"\\U{code:08x}"


def show_size(size: int, *, short: bool = False) -> str:
    """Return ``size`` bytes in decimal units, as Docker itself counts.

    Never shortened to fewer digits than its neighbours: one decimal up to MB,
    two above, so that 1.21 GB and 1.19 GB stay apart. ``short`` is for columns
    with room for six cells: no decimals.

    >>> [show_size(n) for n in (0, 999, 1_000, 94_208, 74_800_000, 1_214_000_000)]
    ['0 B', '999 B', '1.0 kB', '94.2 kB', '74.8 MB', '1.21 GB']
    >>> show_size(999_950), show_size(-14_100)
    ('1.0 MB', '-14.1 kB')
    >>> show_size(307_500, short=True), show_size(999_500, short=True)
    ('308 kB', '1 MB')
    """
    sign, rest = ("-", -size) if size < 0 else ("", size)
    if rest < 1000:  # noqa: PLR2004 - the step of the decimal prefixes
        return f"{sign}{rest} B"
    table = [(power, 0 if short else decimals, unit) for power, decimals, unit in _UNITS]
    fits = (
        (shown, decimals, unit)
        for power, decimals, unit in table
        if (shown := _decimal(rest, power, decimals)) < 1000 * 10**decimals
    )
    power, decimals, unit = table[-1]
    shown, decimals, unit = next(fits, (_decimal(rest, power, decimals), decimals, unit))
    whole, fraction = divmod(shown, 10**decimals)
    return f"{sign}{whole}.{fraction:0{decimals}d} {unit}" if decimals else f"{sign}{whole} {unit}"


def _decimal(size: int, power: int, decimals: int) -> int:
    # Integers: a float would round 1.25 down and 1.35 up.
    scale = 1000**power
    return int((2 * size * 10**decimals + scale) // (2 * scale))


def trust_mark(trust: Trust, *, ascii_only: bool = False) -> str:
    """Return the one-cell mark of ``trust``.

    >>> trust_mark(Trust.VERIFIED), trust_mark(Trust.VERIFIED, ascii_only=True)
    ('✔', 'V')
    """
    return (TRUST_MARKS_ASCII if ascii_only else TRUST_MARKS)[trust]


def plural(count: int, noun: str) -> str:
    """Return ``count`` with ``noun`` in the right number.

    >>> plural(1, "layer"), plural(18_202, "file"), plural(2, "entry")
    ('1 layer', '18,202 files', '2 entries')
    """
    if count == 1:
        return f"1 {noun}"
    return f"{count:,} {noun[:-1]}ies" if noun.endswith("ry") else f"{count:,} {noun}s"


def show_command(created_by: str) -> str:
    r"""Return a history entry's ``created_by`` as it would stand in a Dockerfile.

    Builders wrap what was written: the classic one in ``/bin/sh -c``, with
    ``#(nop)`` before all that runs nothing, BuildKit with ``# buildkit`` behind
    and the ARGs of a RUN as ``|COUNT NAME=VALUE``.

    >>> show_command("/bin/sh -c #(nop)  CMD node")
    'CMD node'
    >>> show_command("/bin/sh -c apt-get update")
    'RUN apt-get update'
    >>> show_command("RUN |1 V=1 /bin/sh -c npm ci # buildkit")
    'RUN npm ci'
    """
    text = " ".join(created_by.split()).removesuffix(" # buildkit")
    if text.startswith(_NOP):
        return text.removeprefix(_NOP).strip()
    if text.startswith(_SHELL):
        return f"RUN {text.removeprefix(_SHELL)}"
    if text.startswith("RUN "):
        _, shell, command = text.partition(f" {_SHELL}")
        return f"RUN {command}" if shell else text
    return text
