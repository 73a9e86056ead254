"""The classic builder's COPY hashes, of a real build, recomputed from context and stages."""

from __future__ import annotations

import io
import os
import shutil
import tarfile
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tests.engine_support import docker

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.sample_support import Command

pytestmark = pytest.mark.engine

DOCKERFILE = """\
FROM scratch AS build
COPY src /work/src
COPY one.txt /work/
FROM scratch
COPY one.txt /file
COPY src /dir
COPY one.txt two.txt /several/
COPY src/*.c /glob/
COPY --from=build /work/src/sub /stage
COPY --from=build /work/one.txt /work/src/b.c /both/
ADD packed.tar /unpacked/
"""
PATHS = {
    "/file": "one.txt",
    "/dir/sub/deep.txt": "src/sub/deep.txt",
    "/dir/a.c": "src/a.c",
    "/several/two.txt": "two.txt",
    "/glob/b.c": "src/b.c",
    "/stage/deep.txt": "src/sub/deep.txt",
    "/both/one.txt": "one.txt",
    "/unpacked/in.txt": "packed.tar",
}
"""Path in the image to the path in the context that its bytes came from."""


@dataclass(frozen=True, kw_only=True)
class Built:
    """A project and what was built of it before its files were touched."""

    context: Path
    final: str
    stage: str

    def hints(self, context: Path | None = None) -> list[str]:
        """Return what is told beside the image."""
        folder = context or self.context
        return ["-f", str(self.context / "Dockerfile"), "--context", str(folder)]


def _write_project(folder: Path, mark: str) -> None:
    files = {
        "Dockerfile": DOCKERFILE,
        ".dockerignore": "Dockerfile\n",
        "one.txt": mark,
        "two.txt": "two\n",
        "src/a.c": "a\n",
        "src/b.c": "b\n",
        "src/sub/deep.txt": "deep\n",
        "src/sub/empty": "",
        "src/mark": mark,
    }
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    (folder / "src" / "b.c").chmod(0o755)
    (folder / "src" / "link").symlink_to("a.c")
    with tarfile.open(folder / "packed.tar", "w") as packed:
        member = tarfile.TarInfo("in.txt")
        member.size = 3
        packed.addfile(member, io.BytesIO(b"in\n"))


def _set_times(folder: Path, time: int) -> None:
    for path in folder.rglob("*"):
        os.utime(path, (time, time), follow_symlinks=False)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Built]:
    """Return a project that was built, then touched, then built again out of the cache."""
    context = tmp_path_factory.mktemp("project")
    # Nobody else's cached step can have these contents.
    _write_project(context, uuid.uuid4().hex)
    final = f"layertrace-hashes:{uuid.uuid4().hex}"
    stage = f"{final}-build"
    _set_times(context, 1_500_000_000)
    docker("build", "-t", final, str(context))
    first = docker("image", "inspect", "-f", "{{.Id}}", final)
    _set_times(context, 1_600_000_000)
    docker("build", "-t", final, str(context))
    assert docker("image", "inspect", "-f", "{{.Id}}", final) == first
    docker("build", "-t", stage, "--target", "build", str(context))
    yield Built(context=context, final=final, stage=stage)
    docker("rmi", final, stage)


def _answers(layertrace: Command, image: str, *hints: str) -> dict[str, Any]:
    envelope = layertrace.json("why", image, *PATHS, *hints)
    return {each["path"]: each for each in envelope["data"]}


@pytest.mark.parametrize("place", ["engine", "archive"])
def test_cached_copies_are_proven_though_the_times_are_old(
    built: Built, place: str, layertrace: Command, tmp_path: Path
) -> None:
    """Each copy of a file, folder, several, a wildcard, a stage and an archive is hashed."""
    final, stage = f"docker-daemon:{built.final}", f"docker-daemon:{built.stage}"
    if place == "archive":
        final, stage = str(tmp_path / "final.tar"), str(tmp_path / "stage.tar")
        docker("save", "-o", final, built.final)
        docker("save", "-o", stage, built.stage)

    answers = _answers(layertrace, final, *built.hints(), "--stage", f"build={stage}")

    for path, source in PATHS.items():
        hops = answers[path]["hops"]
        assert {hop["evidence"] for hop in hops} == {"hashed"}, hops
        assert {hop["trust"] for hop in hops} == {"verified"}, hops
        assert all("hash" in hop["detail"] for hop in hops)
        assert answers[path]["record"]["origin"]["kind"] == "context"
        assert answers[path]["record"]["origin"]["path"] == source
    assert len(answers["/stage/deep.txt"]["hops"]) == 2


def test_stage_is_found_among_what_the_builder_left(built: Built, layertrace: Command) -> None:
    """By what was copied from it; it need not be named, and is not looked for again."""
    final = f"docker-daemon:{built.final}"
    stage = docker("image", "inspect", "-f", "{{.Id}}", built.stage)

    for _ in range(2):
        envelope = layertrace.json("why", final, "/both/b.c", *built.hints())
        (found,) = envelope["findings"]
        assert (found["code"], found["stages"]) == ("stage-in-engine", {"build": stage})
        hops = envelope["data"][0]["hops"]
        assert [(hop["place"], hop["evidence"]) for hop in hops] == [
            ("final", "hashed"),
            ("build", "hashed"),
        ]


def test_context_with_a_changed_file_is_not_verified(
    built: Built, layertrace: Command, tmp_path: Path
) -> None:
    """The file that changed is contradicted, and no file copied with it is verified."""
    other = tmp_path / "other"
    shutil.copytree(built.context, other, symlinks=True)
    (other / "src" / "a.c").write_text("A\n", encoding="utf-8")
    _set_times(other, 1_600_000_000)

    answers = _answers(layertrace, f"docker-daemon:{built.final}", *built.hints(other))

    trusts = {path: answers[path]["record"]["trust"] for path in PATHS}
    assert trusts["/dir/a.c"] == "contradicted"
    assert trusts["/dir/sub/deep.txt"] == trusts["/glob/b.c"] == "inferred"
    assert "does not recompute" in answers["/glob/b.c"]["hops"][0]["detail"]
    # Copied by other lines, which the change does not concern.
    assert trusts["/file"] == trusts["/several/two.txt"] == "verified"


def test_stage_of_another_build_is_not_verified(
    built: Built, layertrace: Command, tmp_path: Path
) -> None:
    """What a stage image holds otherwise than the build did is contradicted."""
    other = tmp_path / "other"
    shutil.copytree(built.context, other, symlinks=True)
    (other / "src" / "b.c").write_text("B\n", encoding="utf-8")
    stage = f"{built.stage}-other"
    docker("build", "-t", stage, "--target", "build", str(other))
    try:
        answers = _answers(
            layertrace,
            f"docker-daemon:{built.final}",
            *built.hints(),
            "--stage",
            f"build=docker-daemon:{stage}",
        )
        data = layertrace.json(
            "why",
            f"docker-daemon:{built.final}",
            "/both/b.c",
            *built.hints(),
            "--stage",
            f"build=docker-daemon:{stage}",
        )["data"]
    finally:
        docker("rmi", stage)

    assert data[0]["record"]["trust"] == "contradicted"
    assert answers["/both/one.txt"]["hops"][0]["evidence"] == "matched"
    # The folder beside it is as it was in that build.
    assert answers["/stage/deep.txt"]["hops"][0]["evidence"] == "hashed"


def test_trace_archive_of_a_cached_build_is_verified(
    built: Built, layertrace: Command, tmp_path: Path
) -> None:
    """The archive itself knows what was sent: no option is needed, whatever the times are."""
    archive = tmp_path / "trace.tar"
    folder = str(built.context)
    how = ["--builder", "classic", "-o", str(archive)]
    layertrace.run("export", "--build", folder, *how)
    _set_times(built.context, 1_700_000_000)
    layertrace.run("export", "--build", folder, *how)

    answers = _answers(layertrace, str(archive))

    for path in PATHS:
        assert {hop["evidence"] for hop in answers[path]["hops"]} == {"hashed"}, path
        assert answers[path]["record"]["trust"] == "verified"


def test_hashes_tell_sources_without_the_dockerfile(built: Built, layertrace: Command) -> None:
    """Which stage, and which path of it or of the context, nothing else in a history says."""
    answers = _answers(
        layertrace,
        f"docker-daemon:{built.final}",
        "--stage",
        f"build=docker-daemon:{built.stage}",
        "--context",
        str(built.context),
    )
    for path, source in PATHS.items():
        # An archive is not found by what came out of it.
        if path == "/unpacked/in.txt":
            assert answers[path]["record"]["trust"] == "unknown"
            continue
        hops, origin = answers[path]["hops"], answers[path]["record"]["origin"]
        assert {hop["evidence"] for hop in hops} == {"hashed"}, hops
        assert {hop["trust"] for hop in hops} == {"verified"}, hops
        assert {hop["line"] for hop in hops} == {None}
        assert (origin["kind"], origin["path"]) == ("context", source)
    assert [hop["place"] for hop in answers["/stage/deep.txt"]["hops"]] == ["final", "build"]
    assert answers["/stage/deep.txt"]["record"]["carried_from"] == "build"


def test_contents_come_out_of_any_layer_of_the_engine(built: Built, layertrace: Command) -> None:
    """A file is read where it is, however short the layers before its own are."""
    found = layertrace.run("cat", f"docker-daemon:{built.final}", "/stage/deep.txt")

    assert found == "deep\n"
