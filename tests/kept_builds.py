"""Builds of the classic builder as an engine keeps them: each step an image of its own."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from layertrace.model.copysum import sum_header
from tests.builders import SampleImage, image, layer, sha256, step, to_json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.builders import Content
    from tests.fake_engine import FakeEngine

NOP: Final = "/bin/sh -c #(nop)"
Step = tuple[str, "Mapping[str, Content] | None"]
"""``created_by`` and what the layer holds; None for a step without a layer."""


def file_hash(path: str, content: bytes) -> str:
    """Return the hash that COPY leaves of a file of root's in a stage."""
    header = sum_header(path, mode=0o100644, size=len(content), uname="root", gname="root")
    return f"file:{hashlib.sha256(header + content).hexdigest()}"


def copied(path: str, content: bytes, destination: str) -> str:
    """Return what a COPY --from of a file is recorded as."""
    return f"{NOP} COPY {file_hash(path, content)} in {destination} "


def build_kept(
    engine: FakeEngine,
    steps: Sequence[Step],
    *,
    at: int,
    below: str | None = None,
    tag: str | None = None,
) -> str:
    """Give an engine what a build leaves, a step a second; return the id of the last.

    Args:
        engine: keeps the images of all steps.
        steps: what was done.
        at: when the first step was done.
        below: the id of the image it starts from; None for ``scratch``.
        tag: of the last.
    """
    made = engine.images[below] if below is not None else image(tags=())
    known = json.loads(made.config)
    layers, history = list(made.layers), list(known["history"])
    parent = below or ""
    for second, (created_by, content) in enumerate(steps):
        when = datetime.fromtimestamp(at + second, UTC).isoformat()
        history.append(step(created_by, empty=content is None) | {"created": when})
        if content is not None:
            layers.append(layer(content))
        config = known | {
            "created": when,
            "history": history,
            "rootfs": {"type": "layers", "diff_ids": [sha256(each) for each in layers]},
        }
        made = SampleImage(layers=tuple(layers), config=to_json(config))
        last = second == len(steps) - 1
        child = engine.add(replace(made, tags=(tag,)) if tag is not None and last else made)
        engine.parents[child] = parent
        parent = child
    return parent
