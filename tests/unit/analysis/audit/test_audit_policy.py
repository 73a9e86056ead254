"""Policies: what they may say, and how every mistake in one is told."""

from __future__ import annotations

import tomllib
from datetime import date
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from layertrace.analysis.audit.catalog import BY_ID, IDS, RULES
from layertrace.analysis.audit.dive_ci import read_dive_rules
from layertrace.analysis.audit.policy import Budget, Deny, ShipsOnly
from layertrace.analysis.audit.printed import policy_text
from layertrace.analysis.audit.reading import (
    default_policy,
    only_rules,
    read_policy,
    with_dive_rules,
)
from layertrace.errors import PolicyError, UsageError
from layertrace.model.audit import Level
from layertrace.views.schemas import json_schema

FULL = """
[audit]
fail-on = "warning"
defaults = false
[audit.rules]
no-secrets = "warning"
no-vcs = "off"
[audit.rules.max-size]
level = "error"
limit = "1.5 MB"
[audit.rules.max-wasted-percent]
limit = 12.5
[audit.rules.no-setuid]
limit = 3
allow = ["/usr/bin/su", "*.so"]
base = false
[audit.rules.known-base]
level = "off"
[[audit.rule]]
id = "a"
deny = "stage:build type:file"
limit = 2
removed = true
[[audit.rule]]
id = "b"
level = "note"
files = "/app/**"
max-size = 100
[[audit.rule]]
id = "c"
stage = "build"
only = ["/app/dist/**"]
fix = "copy less"
[[audit.rule]]
id = "d"
level = "off"
deny = "*"
[[audit.except]]
rule = "a"
path = "/x"
reason = "because"
until = 2027-01-31
[[audit.except]]
rule = "d"
reason = "of a rule that is off"
""".replace("1.5 MB", "1.5MB")


def plain(value: Any) -> Any:  # noqa: ANN401 - any TOML
    """Return TOML as the JSON that editors check: dates as text."""
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [plain(each) for each in value]
    return value.isoformat() if isinstance(value, date) else value


def is_valid(text: str) -> bool:
    """Say whether the published schema takes a policy."""
    schema = json_schema("policy")
    Draft202012Validator.check_schema(schema)
    found: bool = Draft202012Validator(schema).is_valid(plain(tomllib.loads(text)))
    return found


def test_every_key_is_read() -> None:
    """A policy that uses all of them."""
    policy = read_policy(FULL.encode(), "p.toml")
    assert is_valid(FULL)
    assert (policy.name, policy.fail_on) == ("p.toml", Level.WARNING)
    settings = {each.id: each for each in policy.settings}
    assert list(settings) == ["max-size", "max-wasted-percent", "no-secrets", "no-setuid"]
    assert (settings["max-size"].limit, settings["max-size"].level) == (1_500_000, Level.ERROR)
    assert settings["max-wasted-percent"].limit == 12.5
    assert settings["no-secrets"].level is Level.WARNING
    setuid = settings["no-setuid"]
    assert (setuid.limit, setuid.allow, setuid.base) == (3, ("/usr/bin/su", "*.so"), False)
    deny, budget, ships = policy.own
    assert isinstance(deny, Deny)
    assert (deny.files.text, deny.limit, deny.removed) == ("stage:build type:file", 2, True)
    assert isinstance(budget, Budget)
    assert (budget.files.text, budget.max_size, budget.level) == ("/app/**", 100, Level.NOTE)
    assert isinstance(ships, ShipsOnly)
    assert (ships.stage, ships.paths, ships.fix) == ("build", ("/app/dist/**",), "copy less")
    first = policy.exemptions[0]
    assert (first.rule, first.path, first.until) == ("a", "/x", date(2027, 1, 31))
    assert policy.ids == (*settings, "a", "b", "c")


def test_what_a_policy_does_not_name_is_asked_by_default() -> None:
    """An empty one is the default policy; a new rule is not missed."""
    assert read_policy(b"", "p").settings == default_policy().settings
    policy = read_policy(b"[audit.rules]\nno-secrets = 'off'\nprovenance = 'error'\n", "p")
    ids = set(default_policy().ids)
    assert set(policy.ids) == (ids - {"no-secrets"}) | {"provenance"}


def test_the_printed_policy_is_the_default_policy() -> None:
    """It is valid, names every rule, and its examples are right too."""
    text = policy_text()
    assert is_valid(text)
    assert read_policy(text.encode(), "default") == default_policy()
    assert set(tomllib.loads(text)["audit"]["rules"]) == set(BY_ID)
    examples = "".join(
        f"{line.removeprefix('# ')}\n" for line in text.splitlines() if line.startswith("# ")
    )
    examples = examples[examples.index("[[audit.rule]]") :]
    shown = "\n".join(
        line for line in examples.splitlines() if " = " in line or line.startswith("[[")
    )
    assert is_valid(shown)
    policy = read_policy(shown.encode(), "p")
    assert [type(rule) for rule in policy.own] == [Deny, Budget, ShipsOnly]
    assert len(policy.exemptions) == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = ", "p.toml: not TOML\nInvalid value (at end of document)"),
        ("audits = 1", 'p.toml: audits: there is no section "audits"\ndid you mean audit?'),
        ("audit = 1", "p.toml: audit: expected a table, got 1"),
        ("[audit]\nrulez = 1", 'p.toml: audit.rulez: there is no key "rulez"\ndid you mean rule?'),
        ("[audit]\nfail-on = 'off'", "p.toml: audit.fail-on: expected error, warning or note"),
        ("[audit]\nfail-on = 1",
         "p.toml: audit.fail-on: expected error, warning, note or off, got 1"),
        ("[audit]\ndefaults = 'no'",
         'p.toml: audit.defaults: expected true or false, got "no"'),
        ("[audit.rules]\nmax-sise = 1",
         'p.toml: audit.rules.max-sise: there is no rule "max-sise"\ndid you mean max-size?'),
        ("[audit.rules]\nno-vcs = 'maybe'",
         'p.toml: audit.rules.no-vcs: expected error, warning, note or off, got "maybe"'),
        ("[audit.rules]\nno-vcs = true", "p.toml: audit.rules.no-vcs: expected a table, got true"),
        ("[audit.rules.max-size]\nlimits = 1",
         'p.toml: audit.rules.max-size.limits: there is no key "limits"\ndid you mean limit?'),
        ("[audit.rules.pinned-base]\nzzz = 1",
         'p.toml: audit.rules.pinned-base.zzz: there is no key "zzz"\nthere are level'),
        ("[audit.rules.max-size]\nlimit = 'big'",
         'p.toml: audit.rules.max-size.limit: expected a size such as "20MB", got "big"'),
        ("[audit.rules.max-size]\nlimit = '>1MB'",
         'p.toml: audit.rules.max-size.limit: expected a size such as "20MB", got ">1MB"'),
        ("[audit.rules.max-size]\nlimit = true",
         'p.toml: audit.rules.max-size.limit: expected a size such as "20MB", got true'),
        ("[audit.rules.max-wasted-percent]\nlimit = 101",
         "p.toml: audit.rules.max-wasted-percent.limit: expected a number from 0 to 100, got 101"),
        ("[audit.rules.lowestEfficiency]\nlimit = '0.9'",
         'p.toml: audit.rules.lowestEfficiency.limit: expected a number from 0 to 1, got "0.9"'),
        ("[audit.rules]\nlowestEfficiency = 'note'\nlowest-efficiency = 'note'",
         "p.toml: audit.rules.lowest-efficiency: lowestEfficiency is set twice"),
        ("[audit.rules.no-vcs]\nlimit = -1",
         "p.toml: audit.rules.no-vcs.limit: expected a whole number, got -1"),
        ("[audit.rules.no-vcs]\nallow = '/a'",
         'p.toml: audit.rules.no-vcs.allow: expected a list of texts, got "/a"'),
        ("[audit.rules.no-vcs]\nallow = [1]",
         "p.toml: audit.rules.no-vcs.allow: expected a list of texts, got a list"),
        ("[audit.rules.no-vcs]\nallow = ['/a', '/']",
         "p.toml: audit.rules.no-vcs.allow[1]: an empty path"),
        ("[audit.rules.no-vcs]\nallow = ['[z-a]']",
         "p.toml: audit.rules.no-vcs.allow[0]: not a glob: [z-a]"),
        ("[audit]\nrule = 1",
         "p.toml: audit.rule: expected a list of tables, [[audit.rule]], got 1"),
        ("[[audit.rule]]\ndeny = 'x'", "p.toml: audit.rule[0]: id is missing"),
        ("[[audit.rule]]\nid = ' '\ndeny = 'x'",
         'p.toml: audit.rule[0].id: expected a text, got " "'),
        ("[[audit.rule]]\nid = 'a'",
         "p.toml: audit.rule[0]: needs one of deny; files and max-size; stage and only"),
        ("[[audit.rule]]\nid = 'a'\ndeny = 'x'\nmax-size = 1",
         "p.toml: audit.rule[0]: needs one of deny; files and max-size; stage and only"),
        ("[[audit.rule]]\nid = 'a'\ndenny = 'x'",
         'p.toml: audit.rule[0].denny: there is no key "denny"\ndid you mean deny?'),
        ("[[audit.rule]]\nid = 'a'\ndeny = 'stage:'",
         'p.toml: audit.rule[0].deny: stage: needs a value\nin "stage:"'),
        ("[[audit.rule]]\nid = 'a'\nmax-size = 1", "p.toml: audit.rule[0]: files is missing"),
        ("[[audit.rule]]\nid = 'no-vcs'\ndeny = 'x'",
         "p.toml: audit.rule[0].id: there is another rule no-vcs"),
        ("[[audit.rule]]\nid = 'a'\ndeny = 'x'\n[[audit.rule]]\nid = 'a'\ndeny = 'y'",
         "p.toml: audit.rule[1].id: there is another rule a"),
        ("[[audit.except]]\nreason = 'x'", "p.toml: audit.except[0]: needs rule or path"),
        ("[[audit.except]]\nrule = 'no-vcs'", "p.toml: audit.except[0]: reason is missing"),
        ("[[audit.except]]\nrule = 'no-vsc'\nreason = 'x'",
         'p.toml: audit.except[0].rule: there is no rule "no-vsc"\ndid you mean no-vcs?'),
        ("[[audit.except]]\nrule = 'no-vcs'\nreason = 'x'\nuntil = '2027-01-31'",
         "p.toml: audit.except[0].until: expected a date such as 2027-01-31, without quotes"),
        ("[[audit.except]]\nrule = 'no-vcs'\nreason = 'x'\nuntil = 2027-01-31T00:00:00",
         "p.toml: audit.except[0].until: expected a date such as 2027-01-31, without quotes"),
        ("[[audit.except]]\npath = '/'\nreason = 'x'",
         "p.toml: audit.except[0].path: an empty path"),
        ("[audit.rules]\n'a b' = 1", None),
        (f"[audit.rules]\nno-vcs = '{'x' * 90}'", None),
        ("[[audit.rule]]\nid = 'a'\ndeny = {}", None),
    ],
)  # fmt: skip
def test_every_mistake_is_told_by_its_key(text: str, message: str | None) -> None:
    """In at most three lines, with the nearest name where a name is wrong."""
    with pytest.raises(PolicyError) as caught:
        read_policy(text.encode(), "p.toml")
    error = caught.value
    assert error.exit_code == 3
    assert len(str(error).splitlines()) <= 3
    assert len(error.what) < 200
    assert message is None or str(error) == message


@pytest.mark.parametrize(
    "text",
    [
        "[audit]\nrulez = 1",
        "audits = 1",
        "[audit.rules]\nno-vcs = 'maybe'",
        "[audit.rules]\nmax-sise = 'error'",
        "[audit.rules.max-size]\nlimit = 'big'",
        "[audit.rules.max-wasted-percent]\nlimit = 101",
        "[audit.rules.pinned-base]\nlimit = 1",
        "[[audit.rule]]\nid = 'a'",
        "[[audit.except]]\nreason = 'x'",
        "[[audit.except]]\nrule = 'no-vcs'",
    ],
)
def test_the_schema_refuses_what_we_refuse(text: str) -> None:
    """So that an editor shows it first."""
    with pytest.raises(PolicyError):
        read_policy(text.encode(), "p.toml")
    assert not is_valid(text)


@pytest.mark.parametrize(
    ("data", "message"),
    [(b"\xff", "p: not UTF-8 text, so no TOML"), (b"a = " + b"[" * 5000, "p: not TOML")],
    ids=["bytes", "deep"],
)
def test_what_is_no_text_is_no_policy(data: bytes, message: str) -> None:
    """However deep it goes."""
    with pytest.raises(PolicyError) as caught:
        read_policy(data, "p")
    assert caught.value.what == message


def test_only_rules_asks_them_even_where_they_are_off() -> None:
    """By any of their names; the policy's own too."""
    policy = read_policy(b"[[audit.rule]]\nid = 'mine'\ndeny = 'x'\n", "p")
    found = only_rules(policy, ["provenance", "mine", "highest-wasted-bytes"])
    assert found.ids == ("highestWastedBytes", "provenance", "mine")
    with pytest.raises(UsageError, match="did you mean no-vcs"):
        only_rules(policy, ["no-vsc"])
    with pytest.raises(UsageError, match="there are max-size"):
        only_rules(policy, ["?"])


def test_every_rule_says_what_it_asks_and_what_to_do() -> None:
    """In one line each, fit to stand after "it asks that"."""
    assert len(IDS) == len({*IDS}) == sum(1 + len(kind.names) for kind in RULES)
    for kind in RULES:
        assert "\n" not in kind.asks + kind.fix
        assert kind.asks[0].islower() or kind.asks.startswith("dive")
        assert ("limit" in kind.options) is (kind.limit is not None)


@pytest.mark.parametrize(
    ("text", "limits"),
    [
        (("rules:\n  lowestEfficiency: 0.95\n  highestWastedBytes: 20MB\n"
          "  highestUserWastedPercent: 0.20\n"), [0.95, 20_000_000, 0.2]),
        (("lowest-efficiency-threshold: 0.95\nhighest-wasted-bytes: 20 MiB\n"
          "highest-user-wasted-percent: '0.2'\n"), [0.95, 20 << 20, 0.2]),
        (("rules:\n  LOWESTEFFICIENCY: 1\n  highest-wasted-bytes: disabled\n"
          "  highestUserWastedPercent: off\n"), [1.0]),
        ("rules:\n  highestWastedBytes: 500\n  lowestEfficiency:\n", [500, 0.1]),
        ("", [0.9, 0.1]),
        ("# nothing\nrules: {}\n", [0.9, 0.1]),
        ("rules:\n  # lowestEfficiency: 0.95\n", [0.9, 0.1]),
    ],
    ids=["old", "new", "mixed", "some", "empty", "none", "commented"],
)  # fmt: skip
def test_dive_rules_by_old_and_new_names(text: str, limits: list[float]) -> None:
    """What is missing has dive's default, what is disabled is not asked."""
    found = read_dive_rules(text.encode(), ".dive-ci")
    assert [setting.limit for setting in found] == limits
    assert all(setting.level is Level.ERROR for setting in found)


def _aliases(count: int) -> str:
    """Return YAML that holds two of each table in the next: all of them fill no memory."""
    first = "t0: &t0 {x: 1}\n"
    more = (f"t{n}: &t{n} {{x: *t{n - 1}, y: *t{n - 1}}}\n" for n in range(1, count))
    return f"{first}{''.join(more)}rules: *t{count - 1}\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("rules: [", ".dive-ci: not YAML\nwhile parsing"),
        ("rules: 1", ".dive-ci: rules: expected a table, got 1"),
        ("- 1", ".dive-ci: expected a table, got a list"),
        ("rules:\n  lowestEfficency: 1\n",
         ('.dive-ci: rules.lowestEfficency: there is no rule of dive "lowestEfficency"\n'
          "did you mean lowestEfficiency?")),
        ("rules: {}\nother: 1\n", '.dive-ci: other: there is no key "other"'),
        ("lowestEfficiency: 2",
         '.dive-ci: lowestEfficiency: expected a number from 0 to 1, got "2"'),
        ("lowestEfficiency: high", ".dive-ci: lowestEfficiency: expected a number"),
        ("highestWastedBytes: much", ".dive-ci: highestWastedBytes: expected a size"),
        ("highestWastedBytes: '>1MB'", ".dive-ci: highestWastedBytes: expected a size"),
        ("rules:\n  1: 2\n", ".dive-ci: rules.1: there is no rule"),
        ("a: 2024-13-45", ".dive-ci: not YAML"),
        ("rules: {lowestEfficiency: [1]}",
         ".dive-ci: rules.lowestEfficiency: expected a number from 0 to 1, got "),
        ("&a\nrules: *a\n", ".dive-ci: rules.rules: there is no rule of dive"),
        (_aliases(60), '.dive-ci: t0: there is no key "t0"'),
    ],
)  # fmt: skip
def test_mistakes_in_dive_rules_are_told(text: str, message: str) -> None:
    """As those in a policy are."""
    with pytest.raises(PolicyError) as caught:
        read_dive_rules(text.encode(), ".dive-ci")
    assert str(caught.value).startswith(message)
    assert len(str(caught.value).splitlines()) <= 3


def test_a_policy_that_sets_a_rule_of_dive_goes_before_its_file() -> None:
    """The others are asked besides."""
    policy = read_policy(b"[audit.rules.lowestEfficiency]\nlimit = 0.5\n", "p.toml")
    both = with_dive_rules(policy, read_dive_rules(b"", ".dive-ci"), ".dive-ci")
    limits = {each.id: each.limit for each in both.settings}
    assert (limits["lowestEfficiency"], limits["highestUserWastedPercent"]) == (0.5, 0.1)
    assert both.name == "p.toml, .dive-ci"
