"""Text cut and filled to a number of terminal cells, wide characters counted as two."""

from __future__ import annotations

from rich.cells import cell_len, chop_cells, set_cell_size


def crop(text: str, width: int) -> str:
    """Return ``text`` in at most ``width`` cells; what is cut ends in an ellipsis.

    >>> crop("node_modules", 8), crop("漢字", 3), crop("x", 0)
    ('node_mo…', '漢…', '')
    """
    if cell_len(text) <= width:
        return text
    return set_cell_size(text, width - 1).rstrip() + "…" if width > 0 else ""


def crop_middle(text: str, width: int) -> str:
    """Return ``text`` in at most ``width`` cells, its end kept: of a path the name.

    >>> crop_middle("/app/node_modules/typescript/lib/tsc.js", 20)
    '/app/no…t/lib/tsc.js'
    """
    if cell_len(text) <= width:
        return text
    if width < 2:  # noqa: PLR2004 - no room for both ends
        return crop(text, width)
    tail = _last_cells(text, (width - 1) - (width - 1) // 3 - 1)
    head = set_cell_size(text, width - 1 - cell_len(tail)).rstrip()
    return f"{head}…{tail}"


def _last_cells(text: str, width: int) -> str:
    backward = chop_cells(text[::-1], max(1, width))
    return backward[0][::-1] if backward else ""


def wrap_cells(text: str, width: int) -> list[str]:
    """Return ``text`` in lines of at most ``width`` cells, broken at spaces where it can be.

    >>> wrap_cells("made by RUN npm install", 12), wrap_cells("漢字漢字", 5), wrap_cells("", 3)
    (['made by RUN', 'npm install'], ['漢字', '漢字'], [''])
    """
    lines, line = [], ""
    for word in text.split(" "):
        longer = f"{line} {word}" if line else word
        if line and cell_len(longer) > width:
            lines.append(line)
            longer = word
        # Where a word is too long for any line, its last piece goes on with the next word.
        *full, line = chop_cells(longer, max(2, width)) or [""]
        lines += full
    return [*lines, line]


def fill(text: str, width: int) -> str:
    """Return ``text`` in exactly ``width`` cells, left-aligned.

    >>> fill("ab", 4), fill("abcdef", 4)
    ('ab  ', 'abc…')
    """
    text = crop(text, width)
    return text + " " * (width - cell_len(text))


def fill_left(text: str, width: int) -> str:
    """Return ``text`` right-aligned in ``width`` cells; a number is never cut.

    >>> fill_left("1.2 MB", 9)
    '   1.2 MB'
    """
    return " " * (width - cell_len(text)) + text
