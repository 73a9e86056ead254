"""Which images of an engine serve as an image's stages, what is told of it, and kept of it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from layertrace.model.origin import Finding
from layertrace.pipeline.stages.engine_shelf import MAX_ASKED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FOUND: Final = "stage-in-engine"
AMBIGUOUS: Final = "stage-ambiguous"
NOT_FOUND: Final = "stage-not-in-engine"
_SHOWN: Final = 19


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineAnswer:
    """Which images of the engine serve as which stages, and what to tell of it."""

    stages: Mapping[int, str] = field(default_factory=dict)
    proven: tuple[tuple[int, int], ...] = ()
    """Copies whose hash recomputed: of the image of which stage, and its layer."""
    findings: tuple[Finding, ...] = ()
    complete: bool = True
    """Every stage that something was copied from is at hand."""


def found_in_engine(stages: Mapping[str, str]) -> Finding:
    """Return the finding that names the images which serve as stages."""
    shown = ", ".join(f"{name} is {each[:_SHOWN]}" for name, each in stages.items())
    return Finding(
        code=FOUND,
        message=f"stages found in the engine, by what was copied from them: {shown}",
        facts={"stages": dict(stages)},
    )


def ambiguous(name: str, images: Sequence[str]) -> Finding:
    """Return the finding that several images may be one stage."""
    shown = ", ".join(each[:_SHOWN] for each in images)
    return Finding(
        code=AMBIGUOUS,
        message=f"{len(images)} images of the engine may be stage {name}, and nothing tells "
        f"which is: {shown}; give --stage {name}=IMAGE",
        facts={"stage": name, "images": list(images)},
    )


def not_found(name: str, tried: int, *, truncated: bool) -> Finding:
    """Return the finding that a stage is not in the engine, as far as was looked."""
    why = (
        f"{tried} that its instructions made are not proven to hold what was copied"
        if tried
        else f"of its images only the {MAX_ASKED} built last before were looked at"
    )
    if tried and truncated:
        why += ", and not all were looked at"
    return Finding(
        code=NOT_FOUND,
        message=f"the engine has no image of stage {name} that can be told to be this build's: "
        f"{why}; give --stage {name}=IMAGE",
        facts={"stage": name, "tried": tried, "truncated": truncated},
    )


def dump_answer(answer: EngineAnswer) -> bytes:
    """Return an answer as bytes for a cache."""
    findings = [[each.code, each.message, each.facts] for each in answer.findings]
    document = {
        "stages": [list(each) for each in answer.stages.items()],
        "proven": answer.proven,
        "findings": findings,
        "complete": answer.complete,
    }
    return json.dumps(document).encode()


def load_answer(data: bytes) -> EngineAnswer:
    """Return the answer that :func:`dump_answer` wrote."""
    document = json.loads(data)
    return EngineAnswer(
        stages={int(index): str(image_id) for index, image_id in document["stages"]},
        proven=tuple((int(index), int(layer)) for index, layer in document["proven"]),
        findings=tuple(
            Finding(code=code, message=message, facts=facts)
            for code, message, facts in document["findings"]
        ),
        complete=bool(document["complete"]),
    )
