"""Statements to stages: where each begins, what it starts from, what names mean.

Source: the Dockerfile reference, "FROM", "ARG" and "COPY --from"; BuildKit,
``dockerfile2llb/convert.go``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from layertrace.dockerfile.contexts import (
    Outside,
    context_base,
    find_context,
    resolve_outside,
)
from layertrace.dockerfile.rules import check_statement
from layertrace.dockerfile.variables import PLATFORM_ARGUMENTS, Scope, Substitution
from layertrace.errors import DockerfileError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from layertrace.dockerfile.statements import Document, Statement
    from layertrace.model.build import Build

Flags = Mapping[str, tuple[str, ...]]
Checked = tuple["Statement", Flags]

_INDEX: Final = re.compile(r"[+-]?[0-9]+")
_DEFAULT_NAME: Final = re.compile(r"stage-([0-9]{1,6})")
# Host and path, a tag, a digest: enough to see where something is missing.
_REFERENCE: Final = re.compile(
    r"[\w.\-]+(?::\d+)?(?:/[\w.\-]+)*(?::\w[\w.\-]*)?(?:@\w+:[0-9a-f]+)?", re.ASCII
)
_MOST_DIGITS: Final = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class StageHead:
    """A FROM with its names resolved, and the statements below it."""

    index: int
    name: str
    named: bool
    base: str
    base_stage: int | None
    platform: str
    statement: Statement
    body: tuple[Checked, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Every stage of a file and the arguments set before the first."""

    heads: tuple[StageHead, ...]
    arguments: Scope
    warnings: tuple[str, ...]
    contexts: Mapping[str, str] | None = None
    """Named build contexts; None: not told."""

    def named(self, name: str) -> int | None:
        """Return the stage that ``--from`` or ``--target`` means by ``name``."""
        # The last of that name: only FROM looks no further than its own line.
        found = [head.index for head in self.heads if head.named and head.name == name.lower()]
        return found[-1] if found else None

    def source(self, name: str, *, line: int) -> int | None:
        """Return the stage that ``COPY --from`` names, None for an image.

        Raises:
            DockerfileError: it is a number without a stage.
        """
        if not _INDEX.fullmatch(name):
            return self.named(name)
        index = int(name) if len(name) <= _MOST_DIGITS else -1
        if not 0 <= index < len(self.heads):
            message = f"--from={name}: there is no such stage, the last is {len(self.heads) - 1}"
            raise DockerfileError(message, line=line)
        return index

    def outside(self, name: str) -> Outside:
        """Return what a ``--from`` that names no stage means."""
        return resolve_outside(name, self.contexts)

    def target(self, name: str | None) -> int:
        """Return the stage to build: by name, else by number; default the last.

        Raises:
            DockerfileError: there is no such stage.
        """
        if not name:
            return len(self.heads) - 1
        index = self.named(name)
        if index is not None:
            return index
        default = _DEFAULT_NAME.fullmatch(name.lower())
        digits = default.group(1) if default else name
        if digits.isascii() and digits.isdigit() and len(digits) <= _MOST_DIGITS:
            index = int(digits)
            if index < len(self.heads) and not (default and self.heads[index].named):
                return index
        message = f"there is no stage {name!r}, there are {', '.join(h.name for h in self.heads)}"
        raise DockerfileError(message)


def plan_stages(
    document: Document,
    build_args: Mapping[str, str],
    *,
    target: str | None = None,
    classic: bool = False,
    contexts: Mapping[str, str] | None = None,
) -> Plan:
    """Cut ``document`` at its FROMs and resolve what each stage starts from.

    Raises:
        DockerfileError: a builder would refuse it.
    """
    checked = [(statement, check_statement(statement)) for statement in document.statements]
    starts = [n for n, (statement, _) in enumerate(checked) if statement.keyword == "FROM"]
    if not starts:
        message = "the file has no FROM" if checked else "the file is empty"
        raise DockerfileError(message)
    arguments = Scope(escape=document.escape, arguments_yield=classic)
    _set_automatic(arguments, build_args, target, last=checked[starts[-1]][0])
    for statement, _ in checked[: starts[0]]:
        if statement.keyword != "ARG":
            message = f"{statement.keyword} before the first FROM: only ARG may stand there"
            raise DockerfileError(message, line=statement.line)
        declare_arguments(statement, arguments, build_args)
    heads: list[StageHead] = []
    warnings = list(document.warnings)
    for start, end in zip(starts, [*starts[1:], len(checked)], strict=True):
        body = tuple(checked[start + 1 : end])
        heads.append(
            _head(checked[start], body, heads=heads, arguments=arguments, contexts=contexts)
        )
        warnings.extend(_warnings(heads))
    return Plan(
        heads=tuple(heads), arguments=arguments, warnings=tuple(warnings), contexts=contexts
    )


def _set_automatic(
    arguments: Scope, build_args: Mapping[str, str], target: str | None, *, last: Statement
) -> None:
    """Give the arguments that a builder sets by itself."""
    for name in PLATFORM_ARGUMENTS:
        arguments.set_argument(name, build_args.get(name))
    stage = target or (last.words[2] if len(last.words) > 1 else "default")
    arguments.set_argument("TARGETSTAGE", build_args.get("TARGETSTAGE", stage.lower()))


def declare_arguments(
    statement: Statement,
    scope: Scope,
    build_args: Mapping[str, str],
    outer: Scope | None = None,
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Apply an ARG; return its words with the values in effect, and what is unresolved.

    ``outer`` holds the ARGs before the first FROM, which a stage sees only where
    it declares them again without a default.
    """
    words: list[str] = []
    unresolved: dict[str, None] = {}
    for word in statement.words:
        name, equals, default = word.partition("=")
        value: str | None = None
        shown: str | None = None
        if name in build_args:
            shown = value = build_args[name]
            scope.set_argument(name, value)
        elif equals:
            substitution = Substitution(scope, line=statement.line)
            shown, value = substitution.known(default)
            unresolved.update(dict.fromkeys(substitution.unresolved))
            scope.set_argument(name, value)
        elif outer is not None and name in outer.values:
            shown = value = outer.values[name]
            scope.set_argument(name, value)
        elif name in PLATFORM_ARGUMENTS or (outer is not None and name in outer.unknown):
            scope.set_argument(name, None)
        elif name not in scope.values:
            scope.unset.add(name)
        words.append(name if shown is None else f"{name}={shown}")
    return tuple(words), tuple(unresolved)


def check_order(build: Build) -> None:
    """Refuse a stage that takes files from itself or from one that is not built yet.

    Raises:
        DockerfileError: with the instruction that does.
    """
    used = build.used()
    for stage in build.stages:
        for instruction in stage.instructions:
            sources = (instruction.source_stage, *instruction.mount_stages)
            for source in sources:
                if source is None or source < stage.index:
                    continue
                if source == stage.index or stage.index in _needs(build, source):
                    message = f"stage {stage.name} takes files from itself"
                    raise DockerfileError(message, line=instruction.line)
                if stage.index in used:
                    later = build.stages[source].name
                    message = f"stage {later} must be defined before stage {stage.name} uses it"
                    raise DockerfileError(message, line=instruction.line)


def _needs(build: Build, index: int) -> frozenset[int]:
    """Return the stages that ``index`` copies from or mounts, directly or not."""
    seen: set[int] = set()
    todo = [index]
    while todo:
        stage = build.stages[todo.pop()]
        found = {
            source
            for instruction in stage.instructions
            for source in (instruction.source_stage, *instruction.mount_stages)
            if source is not None
        }
        todo.extend(found - seen)
        seen |= found
    return frozenset(seen)


def _head(
    start: Checked,
    body: tuple[Checked, ...],
    *,
    heads: Sequence[StageHead],
    arguments: Scope,
    contexts: Mapping[str, str] | None,
) -> StageHead:
    statement, flags = start
    substitution = Substitution(arguments, line=statement.line)
    base = _base_name(statement, substitution)
    platform = substitution.word(flags["platform"][0]) if "platform" in flags else ""
    if "platform" in flags and not platform:
        raise DockerfileError("--platform is empty", line=statement.line)
    named = len(statement.words) > 1
    name = statement.words[2].lower() if named else f"stage-{len(heads)}"
    parents = [head.index for head in heads if head.named and head.name == base.lower()]
    replaced = find_context(name, contexts) if named else None
    if replaced is not None:
        # A build context of the stage's name stands for it, instructions and all.
        base, parents, body = context_base(name, replaced), [], ()
    elif not parents:
        base = context_base(base, find_context(base, contexts) or "")
    return StageHead(
        index=len(heads),
        name=name,
        named=named,
        base=base,
        base_stage=parents[-1] if parents else None,
        platform=platform,
        statement=statement,
        body=body,
    )


def _base_name(statement: Statement, substitution: Substitution) -> str:
    """Return the FROM argument; as written where a value for it is missing.

    A builder would take the hole for nothing and then refuse what is left. The
    image exists, so someone gave the value: that is no reason to stop here.
    """
    written = statement.words[0]
    base = substitution.word(written)
    if _REFERENCE.fullmatch(base) or substitution.unresolved or "$" not in written:
        if not base:
            raise DockerfileError("FROM has an empty image name", line=statement.line)
        return base
    return written


def _warnings(heads: Sequence[StageHead]) -> list[str]:
    head = heads[-1]
    line = head.statement.line
    found: list[str] = []
    if "$" in head.base:
        found.append(
            f"{line}: FROM {head.base}: not every variable has a value, --build-arg gives one"
        )
    twin = next((h for h in heads[:-1] if h.named and head.named and h.name == head.name), None)
    if twin is not None:
        found.append(
            f"{line}: stage {head.name} has the name of the one in line {twin.statement.line}"
        )
    return found
