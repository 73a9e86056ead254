"""A policy's TOML to a :class:`Policy`.

Rules that a policy does not name are asked as the default policy asks them, so that a policy
holds what is particular about an image, and a new version's rules are not missed in silence.

docs/audit.md describes the format.
"""

from __future__ import annotations

import tomllib
from dataclasses import replace
from datetime import date, datetime
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

from layertrace.analysis.audit.catalog import BY_ID, IDS, RULES
from layertrace.analysis.audit.policy import (
    Budget,
    Deny,
    Exemption,
    Policy,
    Setting,
    ShipsOnly,
)
from layertrace.analysis.audit.section import Section
from layertrace.errors import PolicyError, UsageError
from layertrace.filters.terms import parse_size
from layertrace.model.audit import Level, Unit

if TYPE_CHECKING:
    from collections.abc import Iterable

    from layertrace.analysis.audit.kinds import RuleKind
    from layertrace.analysis.audit.policy import OwnRule

_SECTION: Final = "audit"
_KEYS: Final = ("defaults", "fail-on", "rules", "rule", "except")
_COMMON: Final = ("id", "level", "fix")
_FORMS: Final = (
    ("deny", ("deny", "limit", "removed")),
    ("max-size", ("files", "max-size")),
    ("only", ("stage", "only")),
)
"""By its telling key, what a rule of the policy's own may hold besides."""
_MOST: Final = {Unit.PERCENT: 100, Unit.RATIO: 1}


def default_policy() -> Policy:
    """Return the policy for who has none."""
    return Policy(settings=tuple(default_setting(kind) for kind in RULES if kind.enabled))


def default_setting(kind: RuleKind) -> Setting:
    """Return how a rule is asked where a policy says nothing of it."""
    limit = kind.limit
    if isinstance(limit, str):
        limit = int(parse_size(limit)[1])
    return Setting(id=kind.id, level=kind.level, limit=limit, base=kind.base)


def read_policy(text: bytes, name: str) -> Policy:
    """Return the policy in a TOML document.

    Args:
        text: the document.
        name: of the file, for messages.

    Raises:
        PolicyError: it is no TOML, or holds what no policy may.
    """
    top = Section(name, "", _load(text, name))
    top.allow_only([_SECTION], what="section")
    audit = top.below(_SECTION)
    audit.allow_only(_KEYS)
    fail_on = audit.level("fail-on") if "fail-on" in audit else Level.ERROR
    if fail_on is None:
        raise audit.error("expected error, warning or note", key="fail-on")
    settings = _settings(audit.below("rules"), defaults=audit.flag("defaults", default=True))
    sections = audit.many("rule")
    own = _own(sections)
    ids = [*BY_ID, *(each.text("id") for each in sections)]
    exemptions = tuple(_exemption(each, ids) for each in audit.many("except"))
    return Policy(name=name, fail_on=fail_on, settings=settings, own=own, exemptions=exemptions)


def with_dive_rules(policy: Policy, dive: tuple[Setting, ...], name: str) -> Policy:
    """Return a policy that asks dive's rules too, but for those it sets itself."""
    own = set(policy.ids)
    settings = (*policy.settings, *(each for each in dive if each.id not in own))
    return replace(policy, name=f"{policy.name}, {name}", settings=settings)


def only_rules(policy: Policy, names: Iterable[str]) -> Policy:
    """Return the policy with these rules alone, asked even where it turns them off.

    Raises:
        UsageError: there is no such rule.
    """
    wanted = set()
    ids = [*BY_ID, *(rule.id for rule in policy.own)]
    for name in names:
        found = IDS.get(name, name)
        if found not in ids:
            near = get_close_matches(name, ids, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(ids)}"
            raise UsageError(f"there is no rule {name}", hint=hint)
        wanted.add(found)
    settings = {each.id: each for each in policy.settings}
    return replace(
        policy,
        settings=tuple(
            settings.get(kind.id) or default_setting(kind) for kind in RULES if kind.id in wanted
        ),
        own=tuple(rule for rule in policy.own if rule.id in wanted),
    )


def _load(text: bytes, name: str) -> dict[str, object]:
    try:
        return tomllib.loads(text.decode())
    except UnicodeDecodeError as error:
        raise PolicyError("not UTF-8 text, so no TOML", document=name) from error
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        message = str(error).partition("\n")[0]
        raise PolicyError("not TOML", document=name, hint=message) from error


def _settings(rules: Section, *, defaults: bool) -> tuple[Setting, ...]:
    rules.allow_only(IDS, what="rule")
    named: dict[str, Setting | None] = {}
    for key in rules.keys():  # noqa: SIM118 - no mapping
        kind = BY_ID[IDS[key]]
        if kind.id in named:
            raise rules.error(f"{kind.id} is set twice", key=key)
        named[kind.id] = _setting(rules, key, kind)
    found = {kind.id: default_setting(kind) for kind in RULES if kind.enabled and defaults} | named
    in_order = (found.get(kind.id) for kind in RULES)
    return tuple(setting for setting in in_order if setting is not None)


def _setting(rules: Section, key: str, kind: RuleKind) -> Setting | None:
    """Return how a rule is asked, None where it is off."""
    default = default_setting(kind)
    if isinstance(rules.value(key), str):
        level = rules.level(key)
        return None if level is None else replace(default, level=level)
    rule = rules.below(key)
    rule.allow_only(["level", *sorted(kind.options)])
    level = rule.level("level") if "level" in rule else default.level
    setting = Setting(
        id=kind.id,
        level=level or default.level,
        limit=_limit(rule, kind) if "limit" in rule else default.limit,
        allow=rule.globs("allow"),
        base=rule.flag("base", default=kind.base),
        strict=rule.flag("strict", default=False),
    )
    return None if level is None else setting


def _limit(rule: Section, kind: RuleKind) -> int | float:
    if kind.unit is Unit.BYTES:
        return rule.size("limit")
    if kind.unit is Unit.MATCHES:
        return rule.count("limit", default=0)
    return rule.number("limit", most=_MOST[kind.unit])


def _own(rules: Iterable[Section]) -> tuple[OwnRule, ...]:
    found: dict[str, OwnRule] = {}
    for each in rules:
        rule = _own_rule(each)
        if rule is None:
            continue
        if rule.id in IDS or rule.id in found:
            raise each.error(f"there is another rule {rule.id}", key="id")
        found[rule.id] = rule
    return tuple(found.values())


def _own_rule(section: Section) -> OwnRule | None:
    """Return one rule of the policy's own, None where it is off."""
    forms = [(key, keys) for key, keys in _FORMS if key in section]
    known = [*_COMMON, *(key for _, keys in forms or _FORMS for key in keys)]
    section.allow_only(known)
    if len(forms) != 1:
        raise section.error("needs one of deny; files and max-size; stage and only")
    level = section.level("level") if "level" in section else Level.ERROR
    common = Level.ERROR if level is None else level
    name, fix = section.text("id"), section.text("fix") if "fix" in section else ""
    rule: OwnRule
    match forms[0][0]:
        case "deny":
            rule = Deny(
                id=name,
                level=common,
                fix=fix,
                files=section.filter("deny"),
                limit=section.count("limit", default=0),
                removed=section.flag("removed", default=False),
            )
        case "max-size":
            files, size = section.filter("files"), section.size("max-size")
            rule = Budget(id=name, level=common, fix=fix, files=files, max_size=size)
        case _:
            stage, paths = section.text("stage"), section.globs("only")
            rule = ShipsOnly(id=name, level=common, fix=fix, stage=stage, paths=paths)
    return None if level is None else rule


def _exemption(section: Section, ids: list[str]) -> Exemption:
    section.allow_only(["rule", "path", "reason", "until"])
    rule = None
    if "rule" in section:
        name = section.text("rule")
        rule = IDS.get(name, name)
        if rule not in ids:
            raise section.unknown(name, ids, what="rule", at="rule")
    elif "path" not in section:
        raise section.error("needs rule or path")
    path = section.glob("path") if "path" in section else None
    return Exemption(rule=rule, path=path, reason=section.text("reason"), until=_until(section))


def _until(section: Section) -> date | None:
    value = section.value("until")
    if value is None or (isinstance(value, date) and not isinstance(value, datetime)):
        return value
    raise section.error("expected a date such as 2027-01-31, without quotes", key="until")
