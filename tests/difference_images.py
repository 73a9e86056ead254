"""Two images of a few files, compared."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from layertrace.analysis.difference.compare import Comparison
from layertrace.layers.cache import IndexCache
from layertrace.model.difference import Attribute, DiffKind
from layertrace.pipeline.hints import Hints
from layertrace.pipeline.trace import open_image
from tests.builders import docker_archive, image, layer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from layertrace.model.difference import Cause, Difference
    from layertrace.pipeline.answers import ImageTrace
    from tests.builders import Content

Row = tuple[str, str, tuple[str, ...], int]
"""Path, how it differs, in which attributes, bytes."""


@dataclass(frozen=True, kw_only=True)
class Built:
    """An image and what is told of its build."""

    steps: Sequence[tuple[str, Mapping[str, Content] | None]]
    """``created_by`` and what the layer holds; None: no layer."""
    dockerfile: str = ""
    build_args: Mapping[str, str] = field(default_factory=dict)
    stages: Mapping[str, Built] = field(default_factory=dict)

    def write(self, folder: Path) -> Hints:
        """Write the archive and all it takes to trace it."""
        folder.mkdir(parents=True)
        tars = [layer(content) for _, content in self.steps if content is not None]
        history = [
            {"created_by": text, **({"empty_layer": True} if content is None else {})}
            for text, content in self.steps
        ]
        (folder / "app.tar").write_bytes(docker_archive(image(*tars, history=history)))
        for name, stage in self.stages.items():
            stage.write(folder / name)
        given = folder / "Dockerfile"
        given.write_text(self.dockerfile)
        return Hints(
            dockerfile=given if self.dockerfile else None,
            build_args=self.build_args,
            stages={name: str(folder / name / "app.tar") for name in self.stages},
        )


def of_layers(*layers: Mapping[str, Content]) -> Built:
    """Return an image nothing is told of."""
    return Built(steps=[(f"layer {n}", content) for n, content in enumerate(layers)])


@contextmanager
def traces(folder: Path, old: Built, new: Built) -> Iterator[tuple[ImageTrace, ImageTrace]]:
    """Open both images."""
    cache = IndexCache(folder / "cache", limit=0)
    with ExitStack() as stack:
        found = []
        for name, built in (("old", old), ("new", new)):
            opening = open_image(str(folder / name / "app.tar"), built.write(folder / name), cache)
            stack.callback(opening.close)
            found.append(opening.walk())
        yield found[0], found[1]


def compared(folder: Path, old: Built, new: Built, *, times: bool = True) -> Difference:
    """Compare both images; what must hold of any difference holds of this one."""
    with traces(folder, old, new) as (before, after):
        found = Comparison(before, after, times=times).difference()
    check_sums(found)
    return found


def check_sums(found: Difference) -> None:
    """Check that nothing is counted twice, or not at all."""
    assert sum(cause.counts.bytes_delta for cause in found.causes) == found.visible_delta
    assert sum(found.changes.bytes_deltas) == found.visible_delta
    for name in ("added", "removed", "modified", "metadata", "retyped", "paths", "bytes_delta"):
        total = getattr(found.counts, name)
        assert sum(getattr(cause.counts, name) for cause in found.causes) == total
        for cause in found.causes:
            parts = (getattr(part.counts, name) for part in cause.parts)
            assert sum(parts) == getattr(cause.counts, name)
    assert found.counts.paths == len(found.changes)
    assert found.stored_delta == found.visible_delta + found.wasted_delta


def rows(found: Difference) -> list[Row]:
    """Return every change."""
    changes = found.changes
    return [
        (path, DiffKind(kind).word, Attribute(attributes).words, delta)
        for path, kind, attributes, delta in zip(
            changes.paths, changes.kinds, changes.attributes, changes.bytes_deltas, strict=True
        )
    ]


def cause_of(found: Difference, path: str) -> Cause:
    """Return why a path changed."""
    number = list(found.changes.paths).index(path)
    return found.causes[found.changes.causes[number]]
