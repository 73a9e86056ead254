"""Whatever is built, what the cache has of its files is what would be found without one."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING, Final

from hypothesis import given, settings
from hypothesis import strategies as st

from layertrace.layers.cache import IndexCache
from layertrace.model.origin import Change
from layertrace.pipeline.hints import Hints
from layertrace.pipeline.trace import open_image
from tests.builders import docker_archive, image, layer, step
from tests.model_builder import Maker, Node

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from layertrace.model.files import FileRecord, FileTable

CONTEXT: Final = {
    "a.txt": Node("f", b"ctx a"),
    "src": Node("d", mode=0o755),
    "src/x.js": Node("f", b"ctx x"),
    "src/link": Node("l", link="x.js"),
}
BASE: Final = {
    "bin": Node("d", mode=0o755),
    "bin/sh": Node("f", b"sh", mode=0o755),
    "lib": Node("l", link="bin"),
    "a": Node("d", mode=0o700),
    "a/f1": Node("f", b"base f1"),
}

Answers = tuple["FileTable", list["FileRecord"]]


def _build(folder: Path, seed: int) -> tuple[Path, Hints]:
    """Save the images of a random Dockerfile's stages; return the final one and the others."""
    random = Random(seed)  # noqa: S311 - the same programs every time
    maker = Maker(random, classic=random.random() < 0.5, context=dict(CONTEXT), base=dict(BASE))
    program = maker.make(random.randint(1, 4))
    (folder / "Dockerfile").write_text(program.dockerfile, encoding="utf-8")
    for stage in program.stages:
        layers = [layer(members) for _, members in stage.steps if members is not None]
        history = [step(text, empty=members is None) for text, members in stage.steps]
        saved = docker_archive(image(*layers, history=history))
        (folder / f"{stage.name}.tar").write_bytes(saved)
    *others, final = (stage.name for stage in program.stages)
    given = {name: str(folder / f"{name}.tar") for name in others if random.random() < 0.7}
    hints = Hints(dockerfile=folder / "Dockerfile", stages=given)
    return folder / f"{final}.tar", hints if random.random() < 0.9 else Hints()


def _ask(archive: Path, hints: Hints, cache: IndexCache) -> Answers:
    opening = open_image(str(archive), hints, cache)
    trace = opening.walk()
    records = [trace.record_at(row) for row in range(len(trace.table))]
    for record in records:
        if record.change is not Change.REMOVED:
            assert trace.record(record.path) == record
    opening.close()
    cache.close()
    # Digests are told as far as somebody asked for them.
    return trace.table, [replace(record, digest=None) for record in records]


@settings(max_examples=15, deadline=None, derandomize=True)
@given(seed=st.integers(min_value=0, max_value=1 << 32))
def test_a_kept_table_is_the_one_that_was_found(
    tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    """Row by row, and each row as tracing its path alone would answer."""
    folder = tmp_path_factory.mktemp("kept")
    archive, hints = _build(folder, seed)
    found = _ask(archive, hints, IndexCache(folder, limit=0))
    assert _ask(archive, hints, IndexCache(folder)) == found
    assert _ask(archive, hints, IndexCache(folder)) == found
