"""dive's ``.dive-ci``: its three rules, by the names they had and the names they have.

Source: dive 0.13, ``README.md``, "CI Integration", for ``rules:`` and names such as
``lowestEfficiency``; dive's ``ci_rules.go`` since, for ``lowest-efficiency-threshold`` and its
like, with no ``rules:`` above them. A rule that the file does not name has dive's default.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from layertrace.analysis.audit.catalog import BY_ID, DIVE
from layertrace.analysis.audit.policy import Setting
from layertrace.analysis.audit.section import Section
from layertrace.errors import PolicyError
from layertrace.filters.paths import TermError
from layertrace.filters.terms import parse_size
from layertrace.model.audit import Unit

if TYPE_CHECKING:
    from layertrace.analysis.audit.kinds import RuleKind

FILE: Final = ".dive-ci"
_OFF: Final = frozenset({"", "disabled", "off", "false"})
_DEFAULTS: Final = {
    "lowestEfficiency": "0.9",
    "highestWastedBytes": "disabled",
    "highestUserWastedPercent": "0.1",
}


def read_dive_rules(text: bytes, name: str) -> tuple[Setting, ...]:
    """Return how dive's rules are to be asked; one that is disabled is not among them.

    Raises:
        PolicyError: it is no YAML, or holds what dive has no rule for.
    """
    top = Section(name, "", _load(text, name) or {})
    # All below it may be commented out.
    empty = Section(name, "rules", {})
    inner = empty if top.value("rules") is None else top.below("rules")
    rules = inner if "rules" in top else top
    names = {alias.lower(): kind for kind in map(BY_ID.get, DIVE) if kind for alias in _names(kind)}
    if rules is not top:
        top.allow_only(["rules"])
    found = dict(_DEFAULTS)
    for key in rules.keys():  # noqa: SIM118 - no mapping
        # dive looks them up in any case.
        kind = names.get(key.lower())
        if kind is None:
            raise rules.unknown(key, [*DIVE], what="rule of dive", at=key)
        found[kind.id] = _word(rules.value(key))
    settings = (_setting(rules, BY_ID[rule], word) for rule, word in found.items())
    return tuple(setting for setting in settings if setting is not None)


def _names(kind: RuleKind) -> tuple[str, ...]:
    return (kind.id, *kind.names)


def _load(text: bytes, name: str) -> object:
    # Few have such a file.
    import yaml  # noqa: PLC0415

    try:
        found: object = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        message = " ".join(str(error).split())
        raise PolicyError("not YAML", document=name, hint=message[:200]) from error
    return _with_names(found, depth=2)


def _with_names(value: object, *, depth: int) -> object:
    """Return a value with texts for keys, which YAML takes for numbers where they look so.

    No deeper than rules lie: aliases can make a short file endless.
    """
    if not isinstance(value, dict) or not depth:
        return value
    return {str(key): _with_names(each, depth=depth - 1) for key, each in value.items()}


def _word(value: object) -> str:
    if value is None or value is False:
        return ""
    # The text of anything else could be endless.
    return str(value).strip() if isinstance(value, str | int | float) else "something else"


def _setting(rules: Section, kind: RuleKind, word: str) -> Setting | None:
    if word.lower() in _OFF:
        return None
    return Setting(id=kind.id, level=kind.level, limit=_limit(rules, kind, word))


def _limit(rules: Section, kind: RuleKind, word: str) -> int | float:
    if kind.unit is Unit.BYTES:
        try:
            sign, size = parse_size(word.replace(" ", ""))
        except TermError:
            sign, size = "?", 0.0
        if sign:
            raise rules.error(f'expected a size such as "20MB", got "{word}"', key=kind.id)
        return int(size)
    try:
        limit = float(word)
    except ValueError:
        limit = -1.0
    if not 0 <= limit <= 1:
        raise rules.error(f'expected a number from 0 to 1, got "{word}"', key=kind.id)
    return limit
