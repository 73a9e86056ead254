"""What commands write: results to stdout, notes to stderr."""

from __future__ import annotations

import codecs
import sys
from itertools import islice
from typing import TYPE_CHECKING, Final

import click

from layertrace.errors import LayerError
from layertrace.views.terminal import fit_locale

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from layertrace.errors import LayertraceError
    from layertrace.model.origin import Finding
    from layertrace.model.packages import PackageTable
    from layertrace.pipeline.answers import ImageTrace

_AT_ONCE: Final = 500
"""Records in one piece of text."""


def print_json(
    command: str, trace: ImageTrace, data: object, findings: Iterable[Finding] = ()
) -> None:
    """Print the envelope with ``data`` in it, and with more findings than the image's own."""
    from layertrace.pipeline.heads import with_findings  # noqa: PLC0415
    from layertrace.views.encode import envelope, to_text  # noqa: PLC0415

    head = with_findings(trace.head, tuple(findings))
    write_json(f"{to_text(envelope(command, head, data))}\n")


def print_records(
    trace: ImageTrace, rows: list[int], *, jsonl: bool, packages: PackageTable | None = None
) -> None:
    """Print records some at a time, so that a large image costs no more than a small one.

    Nothing is written before every path was traced: what fails, fails until then.
    """
    from layertrace.views.encode import envelope, to_text  # noqa: PLC0415
    from layertrace.views.recordlines import record_lines  # noqa: PLC0415

    head = trace.head
    records = record_lines(trace, rows)
    if packages is not None:
        from layertrace.pipeline.heads import with_findings  # noqa: PLC0415
        from layertrace.views.packages import with_packages  # noqa: PLC0415

        head = with_findings(head, packages.findings)
        records = with_packages(records, packages, [trace.table.paths[row] for row in rows])
    if jsonl:
        while some := list(islice(records, _AT_ONCE)):
            write_json("\n".join([*some, ""]))
        return
    opening, _, closing = to_text(envelope("files", head, [])).rpartition("]")
    write_json(opening)
    comma = ""
    while some := list(islice(records, _AT_ONCE)):
        write_json(f"{comma}\n    " + ",\n    ".join(some))
        comma = ","
    write_json("\n  " * bool(rows) + f"]{closing}\n")


def write_json(text: str) -> None:
    """Write JSON text so that it is JSON in whatever encoding stdout has."""
    if not text.isascii() and "utf" not in (sys.stdout.encoding or "utf-8").lower():
        from layertrace.views.encode import to_ascii_json  # noqa: PLC0415

        text = to_ascii_json(text)
    sys.stdout.write(text)


def print_paths(paths: Iterable[str]) -> None:
    """Write exact paths, each ended by a NUL byte."""
    out = sys.stdout.buffer
    for path in paths:
        out.write(f"/{path}\0".encode("utf-8", "surrogateescape"))
    out.flush()


def print_bytes(pieces: Iterable[bytes]) -> None:
    """Write content as it is."""
    out = sys.stdout.buffer
    for piece in pieces:
        out.write(piece)
    out.flush()


def print_safely(pieces: Iterable[bytes]) -> None:
    """Write content with whatever a terminal would obey made visible."""
    from layertrace.views.text import show_name  # noqa: PLC0415

    for text in _decoded(pieces):
        lines = text.split("\n")
        shown = "\n".join("\t".join(map(show_name, line.split("\t"))) for line in lines)
        sys.stdout.write(shown)


def _decoded(pieces: Iterable[bytes]) -> Iterator[str]:
    # A character may begin in one piece and end in the next.
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    for piece in pieces:
        yield decoder.decode(piece)
    yield decoder.decode(b"", final=True)


def print_findings(trace: ImageTrace) -> None:
    """Tell on stderr what is strange about the image."""
    print_notes(trace.sized_head.findings)


def print_notes(findings: Iterable[Finding]) -> None:
    """Tell on stderr what was found, of layers by the names they have in tables."""
    found = tuple(findings)
    if found:
        from layertrace.views.findings import finding_words  # noqa: PLC0415 - most have none

        print_remarks(map(finding_words, found))


def print_remarks(remarks: Iterable[str]) -> None:
    """Tell on stderr what is worth knowing, a line each."""
    from layertrace.views.text import show_name  # noqa: PLC0415

    for remark in remarks:
        click.echo(f"note: {fit_locale(show_name(remark))}", err=True)


def is_whole(trace: ImageTrace) -> bool:
    """Say whether every layer could be read to its end."""
    return not trace.damaged


def require_whole(trace: ImageTrace, layer: int | None = None) -> None:
    """End with an error where rows are missing in what was shown, of all layers or of one.

    A layer that is another than the configuration names is there, and a finding.

    Raises:
        LayerError: a layer could not be read to its end.
    """
    names = ", ".join(f"L{number + 1}" for number in trace.damaged if layer in {None, number})
    if names:
        raise LayerError(f"what is shown is not whole: {names} could not be read to the end")


def print_lines(lines: list[str]) -> None:
    """Print lines of text that are safe to show."""
    if lines:
        click.echo("\n".join(map(fit_locale, lines)))


def print_error(error: LayertraceError) -> None:
    """Tell on stderr what went wrong, why, and what to do, in at most three lines."""
    from layertrace.views.text import show_name  # noqa: PLC0415

    # By its parts: a newline in one of them, out of an image, makes no line of its own.
    told = [f"error: {error.what}", *(f"  {part}" for part in (error.why, error.hint) if part)]
    click.echo("\n".join(fit_locale(show_name(line)) for line in told), err=True)
