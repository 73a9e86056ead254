"""A Dockerfile's text to a :class:`Build`: the one entrance to this package."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal

from layertrace.errors import DockerfileError
from layertrace.model.build import BaseDefaults, Build

if TYPE_CHECKING:
    from collections.abc import Mapping

    from layertrace.dockerfile.stages import Plan
    from layertrace.model.build import Stage

_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})
_NO_BASES: Final[Mapping[str, BaseDefaults]] = MappingProxyType({})
_SCRATCH: Final = BaseDefaults()


def parse_build(  # noqa: PLR0913
    text: str,
    *,
    name: str = "Dockerfile",
    target: str | None = None,
    build_args: Mapping[str, str] = _NOTHING,
    bases: Mapping[str, BaseDefaults] = _NO_BASES,
    builder: Literal["buildkit", "classic"] = "buildkit",
    contexts: Mapping[str, str] | None = _NOTHING,
) -> Build:
    """Return the build that ``text`` describes.

    ``bases`` holds what is known of external base images by their FROM
    reference. ``builder`` matters where the two disagree: with BuildKit an ARG
    after an ENV of the same name wins and a stage hands its ARGs to the stages
    that start from it; the classic builder does neither. ``contexts`` are the named
    build contexts; None where there may be some that are not known.

    Raises:
        DockerfileError: a builder would refuse the text, or it has no ``target``.
    """
    # The parser behind these takes 10 ms to import: not for a run without a
    # Dockerfile.
    from layertrace.dockerfile.stages import check_order, plan_stages  # noqa: PLC0415
    from layertrace.dockerfile.statements import read_statements  # noqa: PLC0415

    try:
        document = read_statements(text)
        plan = plan_stages(
            document,
            build_args,
            target=target,
            classic=builder == "classic",
            contexts=contexts,
        )
        read = _read_stages(plan, build_args, bases)
        build = Build(
            name=name,
            text=text,
            stages=tuple(stage for stage, _ in read),
            target=plan.target(target),
            arguments=dict(build_args),
            contexts=None if contexts is None else dict(contexts),
            warnings=plan.warnings + tuple(w for _, warnings in read for w in warnings),
        )
        check_order(build)
    except DockerfileError as error:
        # Only here is the file's name known.
        raise DockerfileError(error.message, line=error.line, name=name) from error.__cause__
    return build


def _read_stages(
    plan: Plan, build_args: Mapping[str, str], bases: Mapping[str, BaseDefaults]
) -> list[tuple[Stage, tuple[str, ...]]]:
    """Return each stage and what is to be said about it."""
    from layertrace.dockerfile.instructions import (  # noqa: PLC0415
        StageReader,
        image_triggers,
        stage_triggers,
    )

    readers: list[StageReader] = []
    read: list[tuple[Stage, tuple[str, ...]]] = []
    for head in plan.heads:
        if head.base_stage is None:
            base = _SCRATCH if head.base == "scratch" else bases.get(head.base)
            reader = StageReader.on_image(head, plan, base, build_args=build_args)
            triggers = image_triggers(base, line=head.statement.line)
        else:
            parent = readers[head.base_stage]
            reader = StageReader.on_stage(head, plan, parent, build_args=build_args)
            triggers = stage_triggers(plan.heads[head.base_stage])
        stage = reader.read(triggers)
        readers.append(reader)
        read.append((stage, reader.warnings))
    return read
