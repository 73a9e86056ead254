"""Whatever is built, every origin is the true one where it is known, and never a wrong one."""

from __future__ import annotations

import os
from random import Random
from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layertrace.layers.cache import IndexCache
from layertrace.model.entry import EntryKind
from layertrace.model.origin import OriginKind, Trust
from layertrace.pipeline.hints import Hints
from layertrace.pipeline.trace import open_image
from tests.builders import docker_archive, image, layer, step
from tests.model_builder import Maker, Node, follow

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from layertrace.model.files import FileRecord
    from tests.model_builder import ModelStage, Program, Truth

EXAMPLES: Final = 60
CONTEXT: Final = {
    "a.txt": Node("f", b"ctx a"),
    "b.txt": Node("f", b"ctx b", mode=0o755),
    "src": Node("d", mode=0o755),
    "src/x.js": Node("f", b"ctx x"),
    "src/f1": Node("f", b"ctx f1"),
    "src/lib": Node("d", mode=0o700),
    "src/lib/y.js": Node("f", b"ctx y", mtime=1_500_000_000),
    "src/link": Node("l", link="x.js"),
    "sp ace": Node("d", mode=0o755),
    "sp ace/z.txt": Node("f", b"ctx z"),
    "to": Node("l", link="src/lib"),
}
BASE: Final = {
    "bin": Node("d", mode=0o755),
    "bin/sh": Node("f", b"sh", mode=0o755),
    "usr": Node("d", mode=0o755),
    "usr/lib": Node("d", mode=0o755),
    "usr/lib/f2": Node("f", b"base f2"),
    "usr/lib/x.js": Node("f", b"base x", uid=3),
    "lib": Node("l", link="usr/lib"),
    "a": Node("d", mode=0o700),
    "a/f1": Node("f", b"base f1"),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the build context in it."""
    path = tmp_path_factory.mktemp("origins")
    context = path / "context"
    context.mkdir()
    for name, node in CONTEXT.items():
        target = context / name
        if node.kind == "d":
            target.mkdir()
        elif node.kind == "l":
            target.symlink_to(node.link)
        else:
            target.write_bytes(node.content)
    for name, node in reversed(CONTEXT.items()):
        if node.kind != "l":
            (context / name).chmod(node.mode)
        os.utime(context / name, (0, node.mtime), follow_symlinks=False)
    return path


def _save(path: Path, stage: ModelStage) -> None:
    layers = [layer(members) for _, members in stage.steps if members is not None]
    history = [step(text, empty=members is None) for text, members in stage.steps]
    path.write_bytes(docker_archive(image(*layers, history=history)))


def _program(folder: Path, seed: int, *, classic: bool) -> Program:
    random = Random(seed)  # noqa: S311 - the same programs every time
    maker = Maker(random, classic=classic, context=dict(CONTEXT), base=dict(BASE))
    program = maker.make(random.randint(1, 4))
    (folder / "Dockerfile").write_text(program.dockerfile, encoding="utf-8")
    for stage in program.stages:
        _save(folder / f"{stage.name}.tar", stage)
    return program


def _records(folder: Path, program: Program, hints: Hints) -> Iterator[tuple[Node, FileRecord]]:
    """Yield every path of the final image with the truth about it."""
    final = program.stages[-1]
    cache = IndexCache(folder, limit=0)
    opening = open_image(str(folder / f"{final.name}.tar"), hints, cache)
    try:
        trace = opening.walk()
        assert {path for path in final.files if path} == {
            path for path, change in zip(trace.table.paths, trace.table.changes, strict=True)
            if change.value != "removed"
        }  # fmt: skip
        assert not [f.message for f in trace.head.findings if "contradicted" in f.code]
        for path, node in final.files.items():
            # One answers for many paths at once, the other for one.
            record, chain = trace.record(path), trace.chain(path)
            assert (record.origin, record.trust) == (chain.origin, chain.trust), path
            yield node, record
    finally:
        opening.close()


def _fits(record: FileRecord, truths: tuple[Truth, ...]) -> bool:
    """Say whether an origin is one of the true ones, as far as it goes."""
    found = record.origin
    path = found.path
    if found.kind is OriginKind.CONTEXT and path and record.kind is not EntryKind.SYMLINK:
        # The Dockerfile's own words for a file may lead through links.
        path = follow(CONTEXT, path) or "."
    told = (found.kind.value, found.stage, found.line, path)
    return any(
        all(mine in {None, true} for mine, true in zip(told, truth, strict=True))
        for truth in truths
    )


def _all_stages(folder: Path, program: Program) -> Mapping[str, str]:
    return {stage.name: str(folder / f"{stage.name}.tar") for stage in program.stages[:-1]}


@pytest.mark.parametrize("classic", [False, True], ids=["buildkit", "classic"])
@settings(max_examples=EXAMPLES, deadline=None, derandomize=True)
@given(seed=st.integers(min_value=0, max_value=1 << 32))
def test_every_origin_is_true_and_verified_with_all_at_hand(
    folder: Path,
    seed: int,
    classic: bool,  # noqa: FBT001
) -> None:
    """With the context and the images of all stages nothing is left open."""
    program = _program(folder, seed, classic=classic)
    hints = Hints(
        dockerfile=folder / "Dockerfile",
        context=folder / "context",
        stages=_all_stages(folder, program),
    )
    # A stage without a step of its own leaves nothing to compare.
    bare = {each.name for each in program.stages if len(each.steps) == len(program.base.steps)}
    for node, record in _records(folder, program, hints):
        message = f"{program.dockerfile}\n/{record.path}: {record.origin} is not {node.truths}"
        assert record.origin.path is not None, message
        assert record.origin.line is not None, message
        assert _fits(record, node.truths), message
        assert record.trust is Trust.VERIFIED or record.origin.stage in bare, message


@pytest.mark.parametrize("classic", [False, True], ids=["buildkit", "classic"])
@settings(max_examples=EXAMPLES, deadline=None, derandomize=True)
@given(seed=st.integers(min_value=0, max_value=1 << 32))
def test_no_origin_is_wrong_with_less_at_hand(
    folder: Path,
    seed: int,
    classic: bool,  # noqa: FBT001
) -> None:
    """With the Dockerfile alone, or with only some stages, what is told is still true."""
    program = _program(folder, seed, classic=classic)
    dockerfile = folder / "Dockerfile"
    stages = _all_stages(folder, program)
    some = dict(list(stages.items())[seed % 3 :: 2])
    for hints in (
        Hints(dockerfile=dockerfile),
        Hints(dockerfile=dockerfile, stages=some),
        Hints(dockerfile=dockerfile, context=folder / "context"),
        Hints(),
    ):
        for node, record in _records(folder, program, hints):
            message = f"{program.dockerfile}\n/{record.path}: {record.origin} is not {node.truths}"
            known = record.origin.kind is not OriginKind.UNKNOWN
            assert not known or _fits(record, node.truths), message
            assert record.trust is not Trust.CONTRADICTED, message
            assert known or record.trust is not Trust.VERIFIED, message
