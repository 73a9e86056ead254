"""``audit``: words in; exit code, lines and documents out."""

from __future__ import annotations

import json
import tomllib
from typing import TYPE_CHECKING, Any, Final

import pytest

from layertrace.analysis.audit.catalog import BY_ID, RULES
from layertrace.model.audit import (
    AuditReport,
    Excepted,
    Level,
    Match,
    RuleResult,
    Status,
    Unit,
)
from layertrace.views.audit.lines import audit_lines
from tests.builders import docker_archive, file, image, layer
from tests.cli_support import Cli, check_schema, spawn
from tests.sample_support import ROOT, SAMPLES

if TYPE_CHECKING:
    from pathlib import Path

SAMPLE: Final = SAMPLES / "tiny-app" / "regular.tar.xz"


@pytest.fixture
def app(alone: Path) -> str:
    """An image with a program that runs as root, and waste."""
    tar = docker_archive(
        image(
            layer({"a": bytes(1500), "bin/su": file(b"x", mode=0o4755)}),
            layer({".wh.a": b""}),
            history=["COPY a / # buildkit", "RUN /bin/sh -c rm a # buildkit"],
            runtime={"User": "1000"},
        )
    )
    (alone / "app.tar").write_bytes(tar)
    (alone / "Dockerfile").write_text("FROM scratch\nCOPY a /\nRUN rm a\n")
    return "app.tar"


def policy(folder: Path, text: str, name: str = "layertrace.toml") -> str:
    """Write a policy that asks nothing but what it names."""
    (folder / name).write_text(f"[audit]\ndefaults = false\n{text}")
    return name


def test_text_is_a_rule_a_line_and_its_matches_below(cli: Cli, app: str, alone: Path) -> None:
    """What fails says where and how to mend it; what is skipped says why."""
    policy(
        alone,
        """
        [audit.rules]
        no-setuid = "error"
        no-vcs = "error"
        no-unknown-origin = "warning"
        [audit.rules.max-wasted]
        limit = 1000
        [audit.rules.max-size]
        limit = "2kB"
        """,
    )
    answer = cli.run("audit", app, code=1)
    assert answer.lines == [
        "pass  max-size           1.5 kB <= 2.0 kB",
        "WARN  max-wasted         1.5 kB > 1.0 kB",
        "      L1  -  -  removed later, still shipped: 1,500 bytes of 1 file, undone by L2",
        f"      fix: {BY_ID['max-wasted'].fix}",
        f"pass  no-vcs             {BY_ID['no-vcs'].asks}",
        f"FAIL  no-setuid          1 found; it asks that {BY_ID['no-setuid'].asks}",
        "      L1  -  -  /bin/su  setuid, 4755, owner 0:0",
        f"      fix: {BY_ID['no-setuid'].fix}",
        "skip  no-unknown-origin  no Dockerfile is known: give -f Dockerfile",
        "",
        "2 of 5 rules failed: 1 error, 1 warning; 1 skipped",
    ]
    assert answer.err == ""
    answer = cli.run("audit", app, "-f", "Dockerfile", code=1)
    assert "      L1  stage-0  :2  /bin/su  setuid, 4755, owner 0:0" in answer.lines
    assert "pass  no-unknown-origin" in answer.out


@pytest.mark.parametrize(
    ("level", "words", "code"),
    [
        ("error", (), 1),
        ("warning", (), 0),
        ("warning", ("--fail-on", "warning"), 1),
        ("note", ("--fail-on", "warning"), 0),
        ("note", ("--fail-on", "note"), 1),
        ("off", ("--fail-on", "note"), 0),
    ],
)
def test_exit_code_is_one_from_the_level_asked_for(  # noqa: PLR0913
    cli: Cli, app: str, alone: Path, *, level: str, words: tuple[str, ...], code: int
) -> None:
    """A rule that fails below it is told and no more."""
    policy(alone, f'[audit.rules]\nno-setuid = "{level}"\n')
    cli.run("audit", app, *words, code=code)


def test_the_policy_may_say_what_level_fails(cli: Cli, app: str, alone: Path) -> None:
    """The command's own word goes before it."""
    policy(alone, 'fail-on = "warning"\n[audit.rules]\nno-setuid = "warning"\n')
    cli.run("audit", app, code=1)
    cli.run("audit", app, "--fail-on", "error")


def test_json_is_what_its_schema_says(cli: Cli, app: str, alone: Path) -> None:
    """The contract's keys, and all else that is known."""
    policy(
        alone,
        """
        [audit.rules]
        no-setuid = "error"
        no-unknown-origin = "error"
        [[audit.except]]
        rule = "no-setuid"
        path = "/bin"
        reason = "known"
        until = 2999-12-31
        [[audit.except]]
        path = "/nothing"
        reason = "old"
        """,
    )
    answer = cli.run("audit", app, "--json")
    found = json.loads(answer.out)
    check_schema(found, "audit")
    assert answer.err == ""
    data = found["data"]
    assert (data["policy"], data["failed"], data["fail_on"]) == ("layertrace.toml", False, "error")
    assert data["notes"] == ["nothing needs the exception for /nothing: old"]
    setuid, origin = data["rules"]
    assert (setuid["id"], setuid["status"], setuid["limit"], setuid["value"]) == (
        "no-setuid", "pass", 0, 0,
    )  # fmt: skip
    assert setuid["excepted"] == [
        {
            "path": "/bin/su", "layer": 0, "stage": None, "line": None,
            "instruction": "COPY a /", "visible": True, "detail": "setuid, 4755, owner 0:0",
            "reason": "known", "until": "2999-12-31",
        }
    ]  # fmt: skip
    assert (origin["status"], origin["value"], origin["matches"]) == ("skipped", None, [])
    assert "Dockerfile" in origin["reason"]
    assert "note: nothing needs the exception for /nothing: old" in cli.run("audit", app).err


def test_the_default_policy_on_the_sample(cli: Cli) -> None:
    """Everything is asked; every rule has an answer."""
    found = cli.checked_json("audit", SAMPLE, code=1)
    rules = {rule["id"]: rule for rule in found["data"]["rules"]}
    assert set(rules) == {kind.id for kind in RULES if kind.enabled}
    failed = {name for name, rule in rules.items() if rule["status"] == "fail"}
    assert failed == {
        "max-wasted-percent", "no-source-maps", "no-build-tools", "no-package-managers",
        "no-package-caches", "no-setuid", "no-root-user", "pinned-base",
    }  # fmt: skip
    maps = rules["no-source-maps"]["matches"]
    assert [(each["path"], each["layer"], each["line"]) for each in maps] == [
        ("/app/dist/server.js.map", 7, 9)
    ]
    lines = cli.run("audit", SAMPLE, "--rule", "provenance").lines
    assert lines[0].startswith("WARN  provenance  1 found")


@pytest.mark.parametrize("form", ["sarif", "junit", "markdown", "github", "json", "text"])
def test_every_format_goes_to_stdout_and_to_a_file(cli: Cli, app: str, form: str) -> None:
    """The same bytes in both."""
    words = ("audit", app, "--format", form, "--rule", "no-setuid", "--fail-on", "warning")
    out = cli.run(*words, code=1).out
    assert "su" in out
    assert out.endswith("\n")
    answer = cli.run(*words, "-o", "result", code=1)
    assert answer.out == ""
    with open("result", encoding="utf-8") as written:  # noqa: PTH123 - beside where it runs
        assert written.read() == out


def test_only_the_rules_asked_for(cli: Cli, app: str) -> None:
    """Also those that are off, and by their other names."""
    answer = cli.run("audit", app, "--rule", "highest-wasted-bytes", "--rule", "no-vcs")
    assert answer.lines[-1] == "0 of 2 rules failed"
    lines = cli.fail("audit", app, "--rule", "no-vsc", code=2)
    assert lines == ["error: there is no rule no-vsc", "  did you mean no-vcs?"]


def test_dive_rules_are_read_where_they_are(cli: Cli, app: str, alone: Path) -> None:
    """Or from the file named; the policy's rules are asked besides."""
    policy(alone, "")
    (alone / ".dive-ci").write_text("rules:\n  lowestEfficiency: 0\n  highestWastedBytes: 1kB\n")
    answer = cli.run("audit", app, code=1)
    assert [line.split()[:2] for line in answer.lines if line[:4] in {"pass", "FAIL"}] == [
        ["pass", "lowestEfficiency"],
        ["FAIL", "highestWastedBytes"],
        ["pass", "highestUserWastedPercent"],
    ]
    (alone / "other.yml").write_text(
        "lowest-efficiency-threshold: 0\nhighest-wasted-bytes: disabled\n"
    )
    found = cli.json("audit", app, "--dive-ci", "other.yml")["data"]
    assert found["policy"] == "layertrace.toml, other.yml"
    assert [rule["id"] for rule in found["rules"]] == [
        "lowestEfficiency", "highestUserWastedPercent",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("[audit.rules]\nmax-sise = 'off'\n", "there is no rule"),
        ("[audit.rules.max-size]\nlimit = 'x'\n", "expected a size"),
        ("=", "not TOML"),
    ],
)
def test_a_wrong_policy_is_an_error_and_no_finding(
    cli: Cli, app: str, alone: Path, text: str, what: str
) -> None:
    """Exit 3, as for a Dockerfile that cannot be read."""
    (alone / "layertrace.toml").write_text(text)
    lines = cli.fail("audit", app, code=3)
    assert what in lines[0]
    assert lines[0].startswith("error: layertrace.toml: ")


def test_a_policy_that_is_not_there_is_an_error(cli: Cli, app: str) -> None:
    """Exit 3: nothing was found where the words point."""
    assert "gone.toml" in cli.fail("audit", app, "--policy", "gone.toml", code=3)[0]
    assert "gone" in cli.fail("audit", app, "--dive-ci", "gone", code=3)[0]


@pytest.mark.parametrize("name", ["layertrace.toml", ".dive-ci"])
def test_what_stands_where_a_policy_is_looked_for_is_never_passed_over(
    cli: Cli, app: str, alone: Path, name: str
) -> None:
    """A link to nowhere, or a folder: the default rules instead would let an image pass."""
    (alone / name).symlink_to("gone.toml")
    assert cli.fail("audit", app, code=3)[0] == f"error: cannot read {name}"
    (alone / name).unlink()
    (alone / name).mkdir()
    assert cli.fail("audit", app, code=3)[0] == f"error: cannot read {name}"


@pytest.mark.parametrize("option", ["--policy", "--dive-ci"])
def test_a_file_too_long_for_a_policy_is_not_read(
    cli: Cli, app: str, alone: Path, option: str
) -> None:
    """And no limit is named that would help nobody."""
    (alone / "long").write_text("#" * ((1 << 20) + 1))
    assert cli.fail("audit", app, option, "long", code=3) == [
        "error: long: more than 1,048,576 bytes, no policy is that long"
    ]


def test_an_image_that_is_not_there_is_no_finding(cli: Cli) -> None:
    """Nor words that do not fit together, nor a result that cannot be written."""
    cli.fail("audit", "./gone.tar", code=3)
    cli.fail("audit", SAMPLE, "--json", "--format", "junit", code=2)
    cli.fail("audit", SAMPLE, "--format", "pdf", code=2)
    cli.fail("audit", SAMPLE, "--rule", "no-vcs", "-o", "gone/result", code=5)


def test_a_damaged_image_ends_with_an_error(cli: Cli, alone: Path) -> None:
    """What was read is told, and that it is not all: the rest may hold anything."""
    whole, other = layer({"a": bytes(1500)}), layer({"b": bytes(1500), "c": bytes(1500)})
    cut = image(whole, other[:2600], runtime={"User": "1000"})
    (alone / "cut.tar").write_bytes(docker_archive(cut))
    answer = cli.run("audit", "cut.tar", code=3)
    assert "error: " in answer.err
    passed = [line.split()[1] for line in answer.lines if line.startswith("pass")]
    assert passed == ["no-root-user"]
    rules = json.loads(cli.run("audit", "cut.tar", "--json", code=3).out)["data"]["rules"]
    secrets = next(rule for rule in rules if rule["id"] == "no-secrets")
    assert secrets["status"] == "skipped"
    assert "could not be read to the end" in secrets["reason"]


def test_a_dash_stands_for_stdout(cli: Cli, alone: Path) -> None:
    """As everywhere; there is no file of that name afterwards."""
    answer = cli.run("audit", SAMPLE, "--rule", "no-vcs", "-o", "-")
    assert "no-vcs" in answer.out
    assert not (alone / "-").exists()


@pytest.mark.parametrize(
    ("epoch", "code"), [("1795305599", 0), ("1795305600", 1), ("", 0), ("soon", 2), ("9" * 30, 2)]
)
def test_exceptions_end_by_the_clock_or_by_the_build_s(  # noqa: PLR0913
    cli: Cli, app: str, alone: Path, monkeypatch: pytest.MonkeyPatch, *, epoch: str, code: int
) -> None:
    """1795305600 is midnight after 2026-11-21, in UTC."""
    until = "2999-01-01" if not epoch else "2026-11-21"
    policy(
        alone,
        f"""
        [audit.rules]
        no-setuid = "error"
        [[audit.except]]
        rule = "no-setuid"
        reason = "soon"
        until = {until}
        """,
    )
    monkeypatch.setenv("SOURCE_DATE_EPOCH", epoch)
    cli.run("audit", app, code=code)


def test_the_policy_is_printed_without_an_image(cli: Cli) -> None:
    """As TOML that says what each rule asks."""
    text = cli.run("audit", "--print-policy").out
    assert tomllib.loads(text)["audit"]["rules"]["no-secrets"]["level"] == "error"


def test_names_and_reasons_of_a_policy_cannot_move_the_cursor(
    cli: Cli, app: str, alone: Path
) -> None:
    """Neither can those out of an image."""
    policy(alone, '[[audit.rule]]\nid = "\\u001b[2J"\ndeny = "su"\nfix = "\\u202e"\n')
    answer = cli.run("audit", app, code=1)
    assert "\x1b" not in answer.out
    assert "\\x1b[2J" in answer.out
    assert "\\u202e" in answer.out


def _result(**fields: Any) -> RuleResult:  # noqa: ANN401
    values: dict[str, Any] = {
        "id": "r", "level": Level.NOTE, "status": Status.FAIL, "asks": "a", "fix": "f",
        "limit": 3, "value": 9,
    }  # fmt: skip
    return RuleResult(**(values | fields))


def _lines(rule: RuleResult, *, everything: bool = False) -> list[str]:
    report = AuditReport(policy="p", dockerfile=None, rules=(rule,))
    return audit_lines(report, everything=everything, width=None)


def test_matches_are_bounded_unless_all_are_asked_for() -> None:
    """How many more there are is told."""
    match = Match(
        path="x", layer=None, stage=None, line=7, instruction=None, visible=True, detail="d"
    )
    rule = _result(matches=(match,) * 8, excepted=(Excepted(match=match, reason="r", until=None),))
    lines = _lines(rule)
    assert lines[0] == "NOTE  r  8 found, 3 allowed; it asks that a (1 excepted)"
    assert lines[1:7] == ["      -  -  :7  /x  d"] * 5 + ["      +3 more: --all shows them"]
    assert len(_lines(rule, everything=True)) == 12
    lines = _lines(_result(matches=(match,) * 8, more=1000), everything=True)
    assert lines[0] == "NOTE  r  1,008 found, 3 allowed; it asks that a"
    assert lines[9] == "      +1,000 more: not listed"


def test_what_is_about_the_whole_image_has_no_empty_columns(cli: Cli, app: str) -> None:
    """Neither layer, stage nor line is to be told."""
    lines = cli.run("audit", app, "--rule", "provenance").lines
    assert lines[1] == "      no provenance came with the image"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"unit": Unit.BYTES, "value": 2000, "limit": 2000}, "2.0 kB <= 2.0 kB"),
        ({"unit": Unit.PERCENT, "value": 0.5, "limit": 10}, "0.5 % <= 10 %"),
        ({"unit": Unit.RATIO, "value": 0.95, "limit": 0.9}, "0.95 > 0.9"),
        ({"unit": Unit.BYTES, "value": None, "limit": "any"}, "- against any"),
        ({"value": 2, "matches": ()}, "a"),
    ],
)
def test_values_stand_beside_their_limits(fields: dict[str, Any], words: str) -> None:
    """In their unit."""
    assert _lines(_result(status=Status.PASS, **fields))[0] == f"pass  r  {words}"


def test_docs_have_every_rule() -> None:
    """Its id and its options, in one row."""
    text = (ROOT / "docs" / "audit.md").read_text(encoding="utf-8")
    for kind in RULES:
        (row,) = [line for line in text.splitlines() if line.startswith(f"| `{kind.id}`")]
        assert all(f"`{option}`" in row for option in kind.options)
        assert (kind.level.value if kind.enabled else "off") in row


def test_a_process_of_its_own_gives_the_code(app: str, alone: Path) -> None:
    """As CI sees it."""
    done = spawn("audit", app, "--rule", "no-setuid", "--fail-on", "warning", folder=alone)
    assert (done.returncode, done.stderr) == (1, b"")
