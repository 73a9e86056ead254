"""Random builds by the real engine: every origin is the true one where it is told.

The truth is read from the file system that was built, with tarfile alone: each file's
content says where its bytes were made. The plan that goes along adds what content cannot
say, and must agree with the engine on every file. What a RUN copies, moves, links or takes
out of a mount keeps the origin it had. With stages, images and context at hand all of it is
verified; without the context what came out of an archive that ADD unpacked may be inferred.
Only what a command copied of which only a shell could tell the source may be inferred, and
unknown where several lines brought the same content.

``LAYERTRACE_SEEDS=7,100-120`` runs other seeds.
"""

from __future__ import annotations

import io
import os
import shutil
import tarfile
from dataclasses import dataclass, replace
from random import Random
from secrets import token_hex
from typing import TYPE_CHECKING, Literal

import pytest

from layertrace.archive.export.builder import export_build
from layertrace.dockerfile.parse import parse_build
from layertrace.layers.cache import IndexCache
from layertrace.model.origin import OriginKind, Trust
from layertrace.pipeline.hints import Hints
from layertrace.pipeline.trace import open_image
from tests.engine_support import LABEL, docker, import_shell
from tests.random_builds import make_plan
from tests.random_plan import (
    BASES,
    CONTEXT_LINKS,
    LINKS,
    Node,
    base_files,
    resolved,
    says,
    write_context,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from docker import DockerClient

    from layertrace.model.files import FileRecord
    from tests.random_plan import Plan, Truth

pytestmark = pytest.mark.engine


def _seeds() -> Iterator[int]:
    for word in os.environ.get("LAYERTRACE_SEEDS", "1-25").split(","):
        first, _, last = word.partition("-")
        yield from range(int(first), int(last or first) + 1)


@pytest.fixture(scope="module")
def bases(client: DockerClient) -> Mapping[str, str]:
    """Return the names of two base images with a shell and files of their own."""
    names = {color: f"{LABEL}/{color}:1" for color in BASES}
    for name in names.values():
        files = base_files(name, _nowhere)
        import_shell(
            name,
            (
                _member(path, content=node.content, link=node.link)
                for path, node in files.items()
                if node.kind != "d"
            ),
        )
    return names


def _nowhere(path: str) -> Truth:
    return ("base", None, None, path)


def _member(path: str, *, content: str, link: str) -> tuple[tarfile.TarInfo, bytes]:
    member, data = tarfile.TarInfo(path), content.encode()
    member.type = tarfile.SYMTYPE if link else tarfile.REGTYPE
    member.size, member.linkname, member.mtime = len(data), link, 1_400_000_000
    return member, data


@dataclass(frozen=True)
class Built:
    """One build: what was asked for, what was made, and the archives of it."""

    plan: Plan
    folder: Path
    contents: Mapping[str, str]
    """Every regular file of a container."""

    @property
    def dockerfile(self) -> Path:
        """Where the Dockerfile is."""
        return self.folder / "context" / "Dockerfile"

    @property
    def files(self) -> Mapping[str, Node]:
        """Return the plan of every file that says its origin."""
        target = self.plan.target
        assert target is not None
        return {path: node for path, node in target.files.items() if node.kind == "f"}

    def records(self, archive: str, hints: Hints) -> Iterator[tuple[Node, FileRecord]]:
        """Yield every file that says its origin, and what is told of it."""
        opening = open_image(str(self.folder / archive), hints, IndexCache(self.folder, limit=0))
        try:
            trace = opening.walk()
            assert not [f.message for f in trace.head.findings if "contradicted" in f.code], self
            for path, node in self.files.items():
                yield node, trace.record(path)
        finally:
            opening.close()

    def __str__(self) -> str:
        """Return what it takes to see what is wrong."""
        told = [f"--target {self.plan.asked}, {self.plan.arguments}"]
        return "\n".join([*told, *(f"{n:3} {line}" for n, line in enumerate(self.plan.lines, 1))])


def _contents(client: DockerClient, image: str) -> Mapping[str, str]:
    """Return every regular file of a container made from an image."""
    container = client.api.create_container(image, command=["none"])["Id"]
    try:
        data = io.BytesIO(b"".join(client.api.export(container)))
    finally:
        client.api.remove_container(container)
    with tarfile.open(fileobj=data) as archive:
        return {
            member.name: b"".join(archive.extractfile(member) or ()).decode("utf-8", "replace")
            for member in archive
            if member.isreg() or member.islnk()
        }


@pytest.fixture(scope="module", params=list(_seeds()))
def built(
    request: pytest.FixtureRequest,
    builder: Literal["classic", "buildkit"],
    client: DockerClient,
    bases: Mapping[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Built]:
    """Return one random build, its image saved and its build exported."""
    plan = make_plan(
        Random(request.param),  # noqa: S311 - the same Dockerfiles every time
        bases,
        label=LABEL,
        nonce=token_hex(10),
        buildkit=builder == "buildkit",
    )
    folder = tmp_path_factory.mktemp(f"{builder}-{request.param}")
    context, image = folder / "context", f"{LABEL}/built:{builder}-{request.param}"
    context.mkdir()
    write_context(context, plan)
    arguments = [f"--build-arg={name}={value}" for name, value in plan.arguments.items()]
    target = plan.asked
    what = [*arguments, *([f"--target={target}"] if target else []), "--network=none"]
    docker("build", "-t", image, f"--label={LABEL}=1", *what, context, builder=builder)
    docker("save", "-o", folder / "saved.tar", image)
    dockerfile = context / "Dockerfile"
    export_build(
        context,
        parse_build(
            dockerfile.read_text(), target=target, build_args=plan.arguments, builder=builder
        ),
        dockerfile=dockerfile,
        target_file=folder / "trace.tar",
        progress=lambda _: None,
        stop=lambda: False,
        log=lambda _: None,
        builder=builder,
        network="none",
    )
    yield Built(plan, folder, _contents(client, image))
    shutil.rmtree(folder)


def _is_true(record: FileRecord, node: Node) -> bool:
    """Say whether an origin is a true one, as far as it goes."""
    origin = record.origin
    path = origin.path
    if path is not None and record.trust is not Trust.VERIFIED:
        # The Dockerfile's own words for a file may lead through links.
        if origin.kind is OriginKind.CONTEXT:
            path = resolved(_links(CONTEXT_LINKS), path)
        elif origin.kind is OriginKind.IMAGE:
            path = f"/{resolved(_links(LINKS), path)}"
    told = (origin.kind.value, origin.stage, origin.line, path)
    return any(
        all(mine in {None, true} for mine, true in zip(told, truth, strict=True))
        for truth in node.truths
    )


def _links(targets: Mapping[str, str]) -> dict[str, Node]:
    return {path: Node("l", link=target) for path, target in targets.items()}


def _fits(truth: Truth, node: Node) -> bool:
    """Say whether a truth of the plan is what the content says."""
    kind, *words = says(node.content).split("|")
    if kind == "run":
        told = ("run", words[0], int(words[1]), words[2])
        return truth[:3] == told[:3] and (node.copied or truth == told)
    return (
        truth[0] in {kind, "image" if kind == "base" else kind}
        and truth[3] == words[1 if kind == "base" else 0]
    )


def test_the_plan_is_what_the_engine_made(built: Built) -> None:
    """Every file that says its origin stands where the plan has it, with its content."""
    planned = {path: node.content for path, node in built.files.items()}
    found = {p: text for p, text in built.contents.items() if "|" in text and text[0] != "\x7f"}
    assert found == planned, f"{sorted(found)}\n{sorted(planned)}\n{built}"
    for path, node in built.files.items():
        fitting = {truth for truth in node.truths if _fits(truth, node)}
        assert fitting, f"/{path}: {node}\n{built}"
        assert fitting == node.truths, f"/{path}: {node}\n{built}"


@pytest.mark.parametrize("with_context", [False, True], ids=["alone", "with-context"])
def test_every_origin_is_true_and_verified_with_all_at_hand(
    built: Built, *, with_context: bool
) -> None:
    """A trace archive leaves nothing open but what ADD unpacked; the context tells that too."""
    hints = Hints(context=built.dockerfile.parent if with_context else None)
    for node, record in built.records("trace.tar", hints):
        message = f"/{record.path}: {record.origin} {record.trust}, true is {node.truths}\n{built}"
        if node.guessed and record.origin.kind is OriginKind.UNKNOWN:
            continue
        doubtful = node.guessed or (node.packed and not with_context)
        assert _is_true(record, node), message
        assert doubtful or None not in {record.origin.path, record.origin.line}, message
        assert doubtful or record.trust is Trust.VERIFIED, message
        assert record.trust in {Trust.VERIFIED, Trust.INFERRED}, message
        if record.origin.kind in {OriginKind.BASE, OriginKind.IMAGE}:
            assert f"/{says(node.content).split('|')[1]}:" in (record.origin.image or ""), message


def test_no_origin_is_wrong_with_the_dockerfile_alone(built: Built) -> None:
    """What an image and its Dockerfile do not tell is unknown; so it is without either."""
    target = built.plan.asked
    by_file = Hints(dockerfile=built.dockerfile, target=target, build_args=built.plan.arguments)
    for hints in (by_file, replace(by_file, context=built.dockerfile.parent), Hints()):
        records = list(built.records("saved.tar", hints))
        unknown = [record for _, record in records if record.origin.kind is OriginKind.UNKNOWN]
        for planned, record in records:
            # The image's own history is silent about mounts: the RUN is all it tells.
            alone = hints.dockerfile is None
            node = replace(planned, truths=planned.truths | planned.mounted) if alone else planned
            message = (
                f"/{record.path}: {record.origin} {record.trust}, true is {node.truths}; "
                f"{len(unknown)} of {len(records)} are unknown\n{built}"
            )
            known = record.origin.kind is not OriginKind.UNKNOWN
            assert not known or _is_true(record, node), message
            assert record.trust is not Trust.CONTRADICTED, message
            assert known == (record.trust is not Trust.UNKNOWN), message
