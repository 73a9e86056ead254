"""The default policy as TOML, to start one's own from: what it says is what is asked anyway."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from layertrace.analysis.audit.catalog import RULES

if TYPE_CHECKING:
    from layertrace.analysis.audit.kinds import RuleKind

_HEAD: Final = """\
# What `layertrace audit IMAGE` asks of an image. Save it as layertrace.toml beside where the
# command runs, and keep what you change: a rule that is not named here is asked as it stands.

[audit]
# Exit 1 where a rule of this level, or a graver one, fails: error, warning or note.
fail-on = "error"
# false: only the rules named in this file are asked.
defaults = true
"""
_TAIL: Final = """
# Rules of your own. FILTER is what `layertrace files IMAGE FILTER` takes.
#
# [[audit.rule]]
# id = "no-programs-of-build"
# deny = "stage:build type:file /usr/**"     # no path may match; limit = N allows as many
#
# [[audit.rule]]
# id = "small-modules"
# files = "/app/node_modules/**"             # or stage:deps
# max-size = "120MB"
#
# [[audit.rule]]
# id = "stage-ships-only"
# stage = "build"
# only = ["/app/dist/**"]                    # nothing else may come from that stage
#
# Exceptions: a reason is a must, and after its last day an exception counts no more.
#
# [[audit.except]]
# rule = "no-setuid"
# path = "/usr/bin/su"
# reason = "the entry point drops its rights with it"
# until = 2027-01-31
"""


def policy_text() -> str:
    """Return the default policy, every rule with what it asks."""
    return _HEAD + "".join(map(_rule_text, RULES)) + _TAIL


def _rule_text(kind: RuleKind) -> str:
    lines = ["", f"[audit.rules.{kind.id}]", f"# {kind.asks}"]
    if kind.enabled:
        lines.append(f'level = "{kind.level}"')
    else:
        lines.append(f'level = "off"  # or "{kind.level}"')
    if "limit" in kind.options:
        limit = f'"{kind.limit}"' if isinstance(kind.limit, str) else kind.limit
        lines.append(f"limit = {limit}")
    if "allow" in kind.options:
        lines.append('allow = []  # paths and globs: ["/usr/bin/su", "/opt/**"]')
    if "base" in kind.options:
        lines.append(f"base = {str(kind.base).lower()}  # what the base image brought counts too")
    if "strict" in kind.options:
        lines.append("strict = false  # true: what comes out of a stage not at hand counts too")
    return "\n".join([*lines, ""])
