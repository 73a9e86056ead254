"""Prints two versions of one path in the form that was asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layertrace.views.contents.words import status
from layertrace.views.output import print_lines, print_notes, write_json

if TYPE_CHECKING:
    from layertrace.pipeline.answers import ImageTrace


def print_contents(old: ImageTrace, new: ImageTrace, path: str, *, form: str) -> bool:
    """Print how a path differs as ``text``, ``json`` or ``markdown``; return whether it does.

    Raises:
        PathNotFoundError: neither image has it.
        LayertraceError: a content cannot be had.
    """
    from layertrace.analysis.contents.sides import compare_paths  # noqa: PLC0415

    found, difference = compare_paths(old, new, path)
    if form == "json":
        from layertrace.views.contents.document import content_document  # noqa: PLC0415
        from layertrace.views.encode import to_text  # noqa: PLC0415

        write_json(f"{to_text(content_document(old, new, found, difference))}\n")
        return status(difference) != "same"
    print_notes((*old.sized_head.findings, *new.sized_head.findings))
    if form == "markdown":
        from layertrace.views.contents.markdown import content_markdown  # noqa: PLC0415

        print_lines(content_markdown(found, difference))
    else:
        from layertrace.views.contents.text import content_lines  # noqa: PLC0415
        from layertrace.views.tables import stdout_width  # noqa: PLC0415

        print_lines(content_lines(found, difference, width=stdout_width()))
    return status(difference) != "same"
