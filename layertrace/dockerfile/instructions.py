"""Statements of one stage to instructions: variables, directories, sources.

Source: the Dockerfile reference; BuildKit, ``dockerfile2llb/convert.go``.
"""

from __future__ import annotations

import csv
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from layertrace.dockerfile.contexts import Outside
from layertrace.dockerfile.rules import check_statement
from layertrace.dockerfile.stages import declare_arguments
from layertrace.dockerfile.statements import heredoc_name, read_statements
from layertrace.dockerfile.variables import DEFAULT_PATH, Scope, Substitution
from layertrace.errors import DockerfileError
from layertrace.model.build import Instruction, Stage
from layertrace.model.entry import clean_path

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from layertrace.dockerfile.stages import Flags, Plan, StageHead
    from layertrace.dockerfile.statements import Statement
    from layertrace.model.build import BaseDefaults, Heredoc

_COPYING: Final = frozenset({"COPY", "ADD"})
_WORDWISE: Final = frozenset({"STOPSIGNAL", "USER", "VOLUME", "WORKDIR"})
_EXPANDED_FLAGS: Final = frozenset({"checksum", "chmod", "chown", "from"})


class StageReader:
    """Reads the statements of one stage in order; its state is the stage's so far."""

    def __init__(
        self,
        head: StageHead,
        plan: Plan,
        *,
        scope: Scope,
        workdir: str | None,
        build_args: Mapping[str, str],
    ) -> None:
        """Start with what the stage's base hands down."""
        self._head = head
        self._plan = plan
        self._build_args = build_args
        self._warnings: list[str] = []
        self.scope = scope
        self.workdir = workdir

    @classmethod
    def on_stage(
        cls, head: StageHead, plan: Plan, parent: StageReader, *, build_args: Mapping[str, str]
    ) -> StageReader:
        """Return the reader of a stage that starts from the stage of ``parent``."""
        return cls(
            head,
            plan,
            scope=parent.scope.child(),
            workdir=parent.workdir,
            build_args=build_args,
        )

    @classmethod
    def on_image(
        cls,
        head: StageHead,
        plan: Plan,
        base: BaseDefaults | None,
        *,
        build_args: Mapping[str, str],
    ) -> StageReader:
        """Return the reader of a stage that starts from an image, None: unknown."""
        scope = Scope(
            escape=plan.arguments.escape,
            open_ended=base is None,
            arguments_yield=plan.arguments.arguments_yield,
        )
        workdir = None
        if base is not None:
            for name, value in ({"PATH": DEFAULT_PATH} | dict(base.env)).items():
                scope.set_env(name, value)
            workdir = f"/{clean_path(base.workdir)}"
        return cls(head, plan, scope=scope, workdir=workdir, build_args=build_args)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What was found on the way, each with its line in front."""
        return tuple(self._warnings)

    def read(self, triggers: Sequence[Statement]) -> Stage:
        """Return the stage, the ``triggers`` of its base first."""
        start = self._head.statement
        instructions = [
            self._instruction(
                replace(trigger, line=start.line, end_line=start.end_line),
                check_statement(trigger),
                step=0,
            )
            for trigger in triggers
        ]
        instructions.extend(
            self._instruction(statement, flags, step=step)
            for step, (statement, flags) in enumerate(self._head.body, start=1)
        )
        return Stage(
            index=self._head.index,
            name=self._head.name,
            named=self._head.named,
            base=self._head.base,
            base_stage=self._head.base_stage,
            line=start.line,
            end_line=instructions[-1].end_line if instructions else start.end_line,
            text=start.text,
            platform=self._head.platform,
            instructions=tuple(instructions),
        )

    def _instruction(self, statement: Statement, flags: Flags, *, step: int) -> Instruction:
        workdir = self.workdir
        substitution = Substitution(self.scope, line=statement.line)
        flags = self._flags(statement, flags, substitution)
        heredocs = _heredocs(statement, substitution)
        source_stage, outside = self._source(statement, flags)
        mounts, images = self._mounts(flags)
        args, unresolved = self._apply(statement, substitution)
        return Instruction(
            keyword=statement.keyword,
            text=statement.text,
            line=statement.line,
            end_line=statement.end_line,
            stage_index=self._head.index,
            step=step,
            args=args,
            flags=flags,
            json_form=statement.json_form,
            heredocs=heredocs,
            workdir=workdir,
            source_stage=source_stage,
            source_image=outside.image,
            source_context=outside.context,
            source_doubtful=outside.doubtful,
            mount_stages=mounts,
            mount_images=images,
            triggered=step == 0,
            unresolved=unresolved,
        )

    def _apply(
        self, statement: Statement, substitution: Substitution
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return the arguments and what is unresolved; change the stage's state."""
        match statement.keyword:
            case "ARG":
                return declare_arguments(
                    statement, self.scope, self._build_args, self._plan.arguments
                )
            case "ENV" | "LABEL":
                args = self._pairs(statement, substitution)
            case "COPY" | "ADD":
                args = _sources(statement, substitution)
            case "EXPOSE":
                args = tuple(w for word in statement.words for w in substitution.words(word))
            case keyword if keyword in _WORDWISE:
                args = tuple(substitution.word(word) for word in statement.words)
            case _:
                args = statement.words
        if statement.keyword == "WORKDIR":
            self._enter(args[0], known=not substitution.unresolved)
        return args, substitution.unresolved

    def _pairs(self, statement: Statement, substitution: Substitution) -> tuple[str, ...]:
        names, values = statement.words[::2], statement.words[1::2]
        pairs = [
            (substitution.word(name), substitution.known(value))
            for name, value in zip(names, values, strict=True)
        ]
        if statement.keyword == "ENV":
            # After all of them: "ENV a=1 b=$a" gives b the a of the line before.
            for name, (_, value) in pairs:
                self.scope.set_env(name, value)
        return tuple(f"{name}={shown}" for name, (shown, _) in pairs)

    def _enter(self, path: str, *, known: bool) -> None:
        if not known or (self.workdir is None and not path.startswith("/")):
            self.workdir = None
        elif path.startswith("/"):
            self.workdir = f"/{clean_path(path)}"
        else:
            self.workdir = f"/{clean_path(f'{self.workdir}/{path}')}"

    def _flags(self, statement: Statement, flags: Flags, substitution: Substitution) -> Flags:
        if not any("$" in value for values in flags.values() for value in values):
            return flags
        if "$" in "".join(flags.get("from", ())):
            self._warnings.append(
                f"{statement.line}: BuildKit refuses a variable in --from, other builders may not"
            )
        return {
            name: tuple(substitution.word(value) for value in values)
            if name in _EXPANDED_FLAGS or name == "mount"
            else values
            for name, values in flags.items()
        }

    def _source(self, statement: Statement, flags: Flags) -> tuple[int | None, Outside]:
        name = flags.get("from", ("",))[0]
        index = self._plan.source(name, line=statement.line) if name else None
        return index, Outside() if index is not None or not name else self._plan.outside(name)

    def _mounts(self, flags: Flags) -> tuple[tuple[int, ...], tuple[str, ...]]:
        """Return the stages that mounts name, and the images outside the Dockerfile."""
        stages: list[int] = []
        images: list[str] = []
        for mount in flags.get("mount", ()):
            for option in next(csv.reader([mount]), []):
                key, _, value = option.partition("=")
                if key.strip().lower() != "from":
                    continue
                index = self._plan.named(value)
                image = self._plan.outside(value).image
                if index is not None:
                    stages.append(index)
                elif image:
                    images.append(image)
        return tuple(stages), tuple(images)


def stage_triggers(head: StageHead) -> tuple[Statement, ...]:
    """Return what the stage's ONBUILDs leave for a stage that starts from it."""
    return tuple(statement.trigger for statement, _ in head.body if statement.trigger is not None)


def image_triggers(base: BaseDefaults | None, *, line: int) -> tuple[Statement, ...]:
    """Return the ONBUILD triggers in an image's configuration.

    Raises:
        DockerfileError: one of them is not a single instruction.
    """
    triggers: list[Statement] = []
    for text in base.on_build if base is not None else ():
        statements = read_statements(text).statements
        if len(statements) != 1:
            message = f"the base image has an ONBUILD trigger that is no instruction: {text!r}"
            raise DockerfileError(message, line=line)
        triggers.extend(statements)
    return tuple(triggers)


def _sources(statement: Statement, substitution: Substitution) -> tuple[str, ...]:
    """Return sources and destination, a heredoc as ``<<NAME`` however it is spelled."""
    args: list[str] = []
    for word in statement.words:
        heredoc = heredoc_name(word) if "<<" in word and not statement.json_form else None
        args.append(substitution.word(word) if heredoc is None else f"<<{heredoc}")
        is_last = len(args) == len(statement.words)
        if heredoc is not None and is_last:
            message = f"{statement.keyword} cannot have a heredoc as its destination"
            raise DockerfileError(message, line=statement.line)
    return tuple(args)


def _heredocs(statement: Statement, substitution: Substitution) -> tuple[Heredoc, ...]:
    if statement.keyword not in _COPYING:
        # The shell expands a RUN's heredoc, not the builder.
        return statement.heredocs
    return tuple(
        replace(doc, content=substitution.body(doc.content)) if doc.expand else doc
        for doc in statement.heredocs
    )
