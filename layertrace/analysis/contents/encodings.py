"""How a text is encoded: UTF-8, or what it declares itself to be.

Sources: Unicode 15 section 23.8 (byte order marks); PEP 263; XML 1.0 section 4.3.3.
"""

from __future__ import annotations

import codecs
import re
from typing import Final

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_DECLARED: Final = re.compile(
    rb"""\A(?:[^\n]{0,200}\n)?[^\n]{0,200}?(?:coding[:=][ \t]*|encoding=["'])([-\w.]{1,40})"""
)
# Asking for any name at all would have Python import what a file names.
_KNOWN: Final = re.compile(
    r"(?:iso-?8859-\d{1,2}|latin-?1|(?:windows-|cp)125\d|koi8-[ru]|shift_?jis|euc-(?:jp|kr)"
    r"|gb(?:k|2312|18030)|big5)"
)
_CONTROLS: Final = bytes(set(range(32)) - set(b"\t\n\f\r\x08\x1b")) + b"\x7f"
"""What no text has; a backspace and an escape stand in manuals and coloured logs."""


def text_encoding(head: bytes) -> str | None:
    r"""Return how a text that begins like this is encoded, None if it is no text.

    >>> text_encoding("é".encode()), text_encoding("é".encode()[:1])
    ('utf-8', 'utf-8')
    >>> text_encoding(b"caf\xe9\n"), text_encoding(b"# coding: latin-1\n# caf\xe9\n")
    (None, 'iso8859-1')
    """
    marked = next((name for mark, name in _MARKS if head.startswith(mark)), None)
    if marked is not None:
        return marked if _decodes(head, marked) else None
    if head.translate(None, _CONTROLS) != head:
        return None
    if _decodes(head, "utf-8"):
        return "utf-8"
    found = _DECLARED.match(head)
    name = found[1].decode().lower() if found else ""
    if not _KNOWN.fullmatch(name):
        return None
    try:
        codec = codecs.lookup(name).name
    except LookupError:
        return None
    return codec if _decodes(head, codec) else None


def _decodes(head: bytes, encoding: str) -> bool:
    """Whether it is text so encoded; the last character may be cut."""
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(head)
    except UnicodeError:
        return False
    return "\0" not in text
