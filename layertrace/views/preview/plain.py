"""One content as lines of plain text that a pager may be given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from layertrace.views.preview.content import content_page
from layertrace.views.preview.pages import TextLines, expanded
from layertrace.views.text import show_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from layertrace.analysis.contents.preview import Preview

SHOWN: Final = 32 << 20
"""First bytes of a content that a pager is given."""


def plain_lines(preview: Preview, path: str) -> Iterator[str]:
    """Yield all lines of a content, as long as they are, secrets too, nothing raw."""
    page = content_page(preview, path, secrets=True)
    for spans in page.facts:
        yield "".join(show_name(text) for text, _ in spans).rstrip()
    body = page.body
    if isinstance(body, TextLines):
        # A page counts no more than a million lines; a pager has no such bounds.
        for line in body.text().split("\n"):
            yield show_name(expanded(line.removesuffix("\r")))
        return
    for number in range(len(body)):
        yield "".join(show_name(text) for text, _ in body.line(number)).rstrip()
