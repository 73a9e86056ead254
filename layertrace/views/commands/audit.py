"""``audit``: may this image ship?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from layertrace.errors import UsageError
from layertrace.views.options import json_option, opened, reading_options, take_reading, walk
from layertrace.views.output import (
    print_lines,
    print_notes,
    print_remarks,
    require_whole,
    write_json,
)
from layertrace.views.terminal import fit_locale

if TYPE_CHECKING:
    from layertrace.model.audit import AuditReport, Level
    from layertrace.model.trace import ImageHead
    from layertrace.pipeline.answers import ImageTrace

_FINDING: Final = 1
_FORMATS: Final = ("text", "json", "sarif", "junit", "markdown", "github")
_JSON: Final = frozenset({"json", "sarif"})
_LEVELS: Final = ("error", "warning", "note")
_FILE: Final = click.Path(path_type=Path)


def _print_policy(ctx: click.Context, _: click.Parameter, value: object) -> None:
    """Print the default policy; no image is asked for."""
    if value:
        from layertrace.analysis.audit.printed import policy_text  # noqa: PLC0415

        click.echo(policy_text(), nl=False)
        ctx.exit()


@click.command()
@reading_options
@click.option(
    "--policy", type=_FILE, metavar="FILE", help="Default ./layertrace.toml, where it is."
)
@click.option("--dive-ci", type=_FILE, metavar="FILE", help="dive's rules; default ./.dive-ci.")
@click.option("--rule", "rules", multiple=True, metavar="ID", help="Only that rule (repeatable).")
@click.option(
    "--fail-on", type=click.Choice(_LEVELS), help="Exit 1 from this level on; default error."
)
@click.option("--format", "form", type=click.Choice(_FORMATS), help="Default text.")
@click.option("-o", "--output", type=_FILE, metavar="FILE", help="Write there, not to stdout.")
@click.option("--all", "everything", is_flag=True, help="Every match, not the first five.")
@click.option(
    "--print-policy",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_policy,
    help="Print the default policy, to start from.",
)
@json_option
def audit(  # noqa: PLR0913 - a command's options
    *,
    policy: Path | None,
    dive_ci: Path | None,
    rules: tuple[str, ...],
    fail_on: str | None,
    form: str | None,
    output: Path | None,
    everything: bool,
    as_json: bool,
    **values: Any,  # noqa: ANN401
) -> int:
    """Ask of IMAGE the rules of a policy; exits 1 where one of level error fails.

    Without a policy the default one is asked; what layertrace.toml, [audit],
    says of a rule goes before it. A rule that cannot be asked is skipped, and
    says why; it is no pass.
    """
    if as_json and form not in {None, "json"}:
        raise UsageError(f"--json and --format {form} do not go together")
    from layertrace.analysis.audit.hiding import hide_in_findings  # noqa: PLC0415
    from layertrace.analysis.audit.run import needs_origins, run_audit  # noqa: PLC0415
    from layertrace.model.audit import Level  # noqa: PLC0415
    from layertrace.views.audit.asked import find_policy, today  # noqa: PLC0415

    form = "json" if as_json else form or "text"
    output = None if output == Path("-") else output
    asked = find_policy(policy, dive_ci, rules)
    day = today()
    least = asked.fail_on if fail_on is None else Level(fail_on)
    with opened(take_reading(values)) as opening:
        # JSON tells of each stage what ships of it.
        trace = walk(opening, hashing=form == "json" or needs_origins(asked))
        report = run_audit(trace, asked, day)
        if form != "json":
            print_notes(hide_in_findings(trace.sized_head.findings))
            print_remarks(report.notes)
        _write(trace, report, form, output, least=least, everything=everything)
        require_whole(trace)
    return _FINDING if report.fails_at(least) else 0


def _write(  # noqa: PLR0913 - what a result is, and where it goes
    trace: ImageTrace,
    report: AuditReport,
    form: str,
    output: Path | None,
    *,
    least: Level,
    everything: bool,
) -> None:
    """Write the result to stdout or a file; nothing before all of it is known."""
    if form == "text":
        from layertrace.views.audit.lines import audit_lines  # noqa: PLC0415
        from layertrace.views.tables import stdout_width  # noqa: PLC0415

        width = None if output is not None else stdout_width()
        lines = audit_lines(report, everything=everything, width=width)
        if output is None:
            print_lines(lines)
            return
        text = "\n".join([*lines, ""])
    else:
        text = _document(trace, report, form, least)
    if output is None:
        write_json(text if form in _JSON else "\n".join(map(fit_locale, text.split("\n"))))
        return
    from layertrace.archive.export.target_file import complete_file  # noqa: PLC0415

    # A report is written again and again; an older one stays until the new one is whole.
    with complete_file(output, force=True) as file:
        file.write(text.encode())


def _document(trace: ImageTrace, report: AuditReport, form: str, least: Level) -> str:
    if form == "json":
        from layertrace.analysis.audit.hiding import hide_in_head  # noqa: PLC0415
        from layertrace.views.audit.document import audit_json  # noqa: PLC0415
        from layertrace.views.encode import envelope, to_text  # noqa: PLC0415

        head = hide_in_head(trace.head)
        return f"{to_text(envelope('audit', head, audit_json(report, least)))}\n"
    text = _for_programs(report, trace.sized_head, form, least)
    return text if text.endswith("\n") else f"{text}\n"


def _for_programs(report: AuditReport, head: ImageHead, form: str, least: Level) -> str:
    match form:
        case "sarif":
            from layertrace.views.audit.sarif import sarif_text  # noqa: PLC0415

            return sarif_text(report, head)
        case "junit":
            from layertrace.views.audit.junit import junit_text  # noqa: PLC0415

            return junit_text(report, head, least)
        case "markdown":
            from layertrace.views.audit.markdown import markdown_text  # noqa: PLC0415

            return markdown_text(report, head, least)
        case _:
            from layertrace.views.audit.github import github_text  # noqa: PLC0415

            return github_text(report, head)
