"""A policy's own rules and its exceptions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from layertrace.analysis.audit.reading import read_policy
from layertrace.analysis.audit.run import needs_origins, run_audit
from layertrace.model.audit import Status, Unit
from tests.audit_support import TODAY, paths
from tests.builders import file, folder

if TYPE_CHECKING:
    from collections.abc import Mapping

    from layertrace.model.audit import RuleResult
    from tests.audit_support import Bench
    from tests.builders import Content

BUILT: Final[dict[str, Any]] = {
    "dockerfile": """\
FROM node AS build
RUN make
FROM scratch
COPY --from=build /out /app
COPY notes /notes
RUN rm /app/old
""",
    "history": [
        "COPY /out /app # buildkit",
        "COPY notes /notes # buildkit",
        "RUN /bin/sh -c rm /app/old # buildkit",
    ],
}
LAYERS: Final[tuple[Mapping[str, Content], ...]] = (
    {"app/": folder(), "app/dist/x.js": bytes(30), "app/y.elf": bytes(20), "app/old": bytes(5)},
    {"notes": bytes(7)},
    {"app/.wh.old": b""},
)


def one(bench: Bench, rule: str, **image: Any) -> RuleResult:  # noqa: ANN401
    """Return what came of a rule of the policy's own."""
    (result,) = bench.audit(f'[[audit.rule]]\nid = "own"\n{rule}', *LAYERS, **image).rules
    return result


@pytest.mark.parametrize(
    ("rule", "found"),
    [
        ('deny = "*.elf"', ["app/y.elf"]),
        ('deny = "size:>20B type:file"', ["app/dist/x.js"]),
        ('deny = "*.exe"', []),
        ('deny = "/app/** type:file"\nlimit = 2', []),
        ('deny = "old"', []),
        ('deny = "old"\nremoved = true', ["-app/old"]),
        ('stage = "build"\nonly = ["/app/dist/**"]', ["app/y.elf"]),
        ('stage = "0"\nonly = ["/app"]', []),
        ('stage = "BUILD"\nonly = []', ["app/dist/x.js", "app/y.elf"]),
    ],
)
def test_own_rules_find_what_the_filter_does(bench: Bench, rule: str, found: list[str]) -> None:
    """Of what the image shows, unless the rule asks for what was removed."""
    result = one(bench, rule, **BUILT)
    if "limit = 2" in rule:
        assert (result.status, result.value, result.limit) == (Status.PASS, 2, 2)
        return
    assert paths(result) == found
    assert result.status is (Status.FAIL if found else Status.PASS)


def test_a_match_of_an_own_rule_names_its_line(bench: Bench) -> None:
    """And a rule's own words on what to do."""
    result = one(bench, 'deny = "*.elf"\nlevel = "note"\nfix = "strip it"', **BUILT)
    (match,) = result.matches
    assert (match.layer, match.line, match.detail) == (0, 4, "20 bytes")
    assert (result.level, result.fix) == ("note", "strip it")
    assert result.asks == "no path matches *.elf"


@pytest.mark.parametrize(
    ("size", "status"), [("50", Status.PASS), ("49", Status.FAIL), ('"1kB"', Status.PASS)]
)
def test_a_budget_is_the_weight_of_what_matches(bench: Bench, size: str, status: Status) -> None:
    """Over it the largest come first; what was removed is not in it."""
    result = one(bench, f'files = "/app/**"\nmax-size = {size}', **BUILT)
    assert (result.status, result.value, result.unit) == (status, 50, Unit.BYTES)
    assert paths(result) == (["app/dist/x.js", "app/y.elf"] if status is Status.FAIL else [])


@pytest.mark.parametrize(
    "rule",
    [
        'deny = "stage:build"',
        'files = "/app/** stage:build | stage:\\"build\\""\nmax-size = 1',
        'stage = "build"\nonly = []',
    ],
)
def test_stages_are_not_asked_for_without_a_dockerfile(bench: Bench, rule: str) -> None:
    """Nothing would match, which is no pass."""
    result = one(bench, rule)
    assert (result.status, result.reason) == (
        Status.SKIPPED,
        "no Dockerfile is known: give -f Dockerfile",
    )
    wrong = {**BUILT, "dockerfile": "FROM scratch\nRUN other\n"}
    assert "not the one" in one(bench, rule, **wrong).reason


UNTOLD: Final = "the images of these stages are not at hand, give --stage: build"


@pytest.mark.parametrize(
    ("rule", "status"),
    [
        ('deny = "stage:build"', Status.SKIPPED),
        ('deny = "stage:build | *.elf"', Status.FAIL),
        ('deny = "!stage:build"', Status.SKIPPED),
        ('deny = "*.exe"', Status.PASS),
        ('files = "stage:build"\nmax-size = 1', Status.SKIPPED),
        ('files = "stage:build | *.elf"\nmax-size = 1', Status.FAIL),
        ('files = "*.elf"\nmax-size = 20', Status.PASS),
        ('stage = "build"\nonly = ["/app"]', Status.PASS),
        ('stage = "other"\nonly = []', Status.SKIPPED),
    ],
)
def test_what_a_stage_made_is_no_pass_where_only_its_image_tells(
    bench: Bench, rule: str, status: Status
) -> None:
    """What is found all the same fails, but for what a missing stage would be taken for."""
    dockerfile = f"FROM node AS other\nRUN x\n{BUILT['dockerfile']}"
    result = one(bench, rule, **{**BUILT, "dockerfile": dockerfile})
    assert result.status is status
    assert result.reason == (UNTOLD if status is Status.SKIPPED else "")


def test_a_stage_that_there_is_not_is_told(bench: Bench) -> None:
    """With the nearest that there is."""
    result = one(bench, 'deny = "!stage:bild"', **BUILT)
    assert result.reason == "the Dockerfile has no stage bild: did you mean build?"
    result = one(bench, "stage = 'zzz'\nonly = []", **BUILT)
    assert result.reason == "the Dockerfile has no stage zzz: there are build, stage-1"


DPKG: Final = b"""Package: ssl
Status: install ok installed
Version: 3.0.1
Architecture: amd64

"""


def test_filters_ask_for_packages_and_modes(bench: Bench) -> None:
    """As they do of ``files``; without a database nobody knows what is whose."""
    files: Mapping[str, Content] = {
        "var/lib/dpkg/status": DPKG,
        "var/lib/dpkg/info/ssl.list": b"/usr/bin/ssl\n",
        "usr/bin/ssl": file(b"x", mode=0o755),
        "app": b"x",
    }
    policy = '[[audit.rule]]\nid = "own"\ndeny = "pkg:ssl"\n'
    (result,) = bench.audit(policy, files).rules
    assert paths(result) == ["usr/bin/ssl"]
    (result,) = bench.audit(policy, {"app": b"x"}).rules
    assert (result.status, result.value) == (Status.SKIPPED, None)
    assert result.reason == "no database of packages was found in the image"
    (result,) = bench.audit(policy.replace("pkg:ssl", "mode:755 type:file"), files).rules
    assert paths(result) == ["usr/bin/ssl"]


def test_a_path_that_holds_the_word_stage_asks_for_none(bench: Bench) -> None:
    """Quotes take its meaning away."""
    assert one(bench, """deny = '"stage:x"'""").status is Status.PASS


SETUID: Final[Mapping[str, Content]] = {
    name: file(b"x", mode=0o4755) for name in ("bin/su", "bin/mount", "opt/x")
}


def test_what_is_excepted_does_not_count_and_is_told(bench: Bench) -> None:
    """With its reason and its last day."""
    report = bench.audit(
        """
        [audit.rules.no-setuid]
        [[audit.except]]
        rule = "no-setuid"
        path = "/bin"
        reason = "needed"
        until = 2026-11-23
        [[audit.except]]
        path = "/opt/*"
        reason = "of a vendor"
        """,
        SETUID,
    )
    (result,) = report.rules
    assert (result.status, result.value, result.matches) == (Status.PASS, 0, ())
    assert sorted((e.match.path, e.reason, e.until) for e in result.excepted) == [
        ("bin/mount", "needed", "2026-11-23"),
        ("bin/su", "needed", "2026-11-23"),
        ("opt/x", "of a vendor", None),
    ]
    assert report.notes == ()


def test_an_exception_that_has_ended_counts_again_and_says_so(bench: Bench) -> None:
    """The day after its last; another that is alive holds."""
    text = """
        [audit.rules.no-setuid]
        [[audit.except]]
        rule = "no-setuid"
        reason = "until the next release"
        until = 2026-11-22
        [[audit.except]]
        rule = "no-setuid"
        path = "/opt"
        reason = "ours"
        """
    report = bench.audit(text, SETUID)
    (result,) = report.rules
    assert (result.status, paths(result)) == (Status.FAIL, ["bin/mount", "bin/su"])
    assert result.matches[0].detail.endswith(
        "the exception ended on 2026-11-22: until the next release"
    )
    assert [each.match.path for each in result.excepted] == ["opt/x"]


def test_a_whole_image_is_excepted_by_the_rule_alone(bench: Bench) -> None:
    """A path excepts nothing that has none."""
    limit = '[audit.rules.max-size]\nlimit = 1\n[[audit.except]]\nrule = "max-size"\nreason = "r"\n'
    (result,) = bench.audit(limit, {"a": b"12"}).rules
    assert (result.status, result.value, len(result.excepted)) == (Status.PASS, 2, 1)
    (result,) = bench.audit(f'{limit}path = "/a"\n', {"a": b"12"}).rules
    assert result.status is Status.FAIL


def test_exceptions_that_nothing_needs_are_told(bench: Bench) -> None:
    """But not those of rules that were not asked."""
    report = bench.audit(
        """
        [audit.rules.no-setuid]
        [[audit.except]]
        rule = "no-setuid"
        path = "/gone"
        reason = "old"
        [[audit.except]]
        rule = "no-vcs"
        reason = "other"
        [[audit.except]]
        path = "/nowhere"
        reason = "old too"
        """,
        {"a": b"x"},
    )
    assert report.notes == (
        "nothing needs the exception for no-setuid /gone: old",
        "nothing needs the exception for /nowhere: old too",
    )


def test_of_very_many_matches_the_first_are_listed_and_all_counted(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hostile image may hold any number."""
    monkeypatch.setattr("layertrace.analysis.audit.run.MOST", 2)
    result = bench.ask("no-setuid", SETUID)
    assert (paths(result), result.more, result.value) == (["bin/mount", "bin/su"], 1, 3)


def test_nothing_is_traced_that_no_rule_asks_for(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sizes and modes stand in the layers' headers."""
    policy = read_policy(b"[audit.rules]\nno-unknown-origin = 'off'\nno-secrets = 'off'\n", "p")
    assert not needs_origins(policy)
    trace = bench.trace(*LAYERS, **BUILT)
    for name in ("table", "head"):
        monkeypatch.delattr(type(trace), name)
    monkeypatch.setattr(type(trace), "hand_out", None)
    monkeypatch.setattr(type(trace), "digests", None)
    report = run_audit(trace, policy, TODAY)
    assert (report.dockerfile or "").endswith("/Dockerfile")
    own = b"[audit]\ndefaults = false\n[[audit.rule]]\nid = 'a'\ndeny = 'x'\n"
    assert needs_origins(read_policy(b"", "p"))
    assert needs_origins(read_policy(own, "p"))
