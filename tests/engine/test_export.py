"""Exporting images and builds with a real engine, looked at with nothing of ours."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Literal

import pytest

from layertrace.archive.export.builder import export_build
from layertrace.archive.export.buildkit import find_buildkit
from layertrace.archive.export.saved_image import Progress, export_image
from layertrace.archive.trace_json import read_bundle
from layertrace.dockerfile.parse import parse_build
from layertrace.errors import EngineError, SourceError, StoppedError
from tests.engine_support import LABEL

if TYPE_CHECKING:
    from collections.abc import Mapping

    from docker import DockerClient

    from layertrace.archive.export.buildkit import BuildCommand
    from layertrace.archive.export.saved_image import ExportResult
    from layertrace.model.bundle import TraceBundle

pytestmark = pytest.mark.engine

Builder = Literal["classic", "buildkit"]


# --- a base image, and a way to look at what was exported


@pytest.fixture(scope="module")
def base(shell: str, client: DockerClient) -> str:
    """A small image with a shell; what is made of it is removed at the end."""
    return shell


def buildkit() -> BuildCommand:
    """Return the command that uses BuildKit; without one the test says nothing."""
    command = find_buildkit()
    if command is None:
        pytest.skip("no docker command on PATH can use BuildKit")
    return command


@dataclass(frozen=True)
class Exported:
    """A trace archive, taken apart with tarfile, json and hashlib alone."""

    result: ExportResult
    members: Mapping[str, bytes]
    log: tuple[str, ...]

    @property
    def bundle(self) -> TraceBundle:
        """What the archive says of its build."""
        return read_bundle(self.members["layertrace/trace.json"])

    def config(self, digest: str) -> dict[str, object]:
        """Return a configuration by its digest."""
        value = json.loads(self.members[_blob(digest)])
        assert isinstance(value, dict)
        return value

    def diff_ids(self, digest: str) -> list[str]:
        """Return the layers of the image with that configuration."""
        rootfs = self.config(digest)["rootfs"]
        assert isinstance(rootfs, dict)
        return list(rootfs["diff_ids"])

    @property
    def final(self) -> str:
        """The configuration that manifest.json names."""
        (image,) = json.loads(self.members["manifest.json"])
        return f"sha256:{image['Config'].rpartition('/')[2]}"

    def files(self, config: str) -> dict[str, bytes]:
        """Return the regular files of an image, whiteouts left aside."""
        found: dict[str, bytes] = {}
        for diff_id in self.diff_ids(config):
            with tarfile.open(fileobj=io.BytesIO(self.members[_blob(diff_id)])) as layer:
                for member in layer:
                    if member.isreg():
                        found[member.name] = b"".join(layer.extractfile(member) or ())
        return found

    def stage(self, name: str) -> str:
        """Return the configuration of a stage."""
        return next(stage.config for stage in self.bundle.stages if stage.name == name)


def _blob(digest: str) -> str:
    return f"blobs/sha256/{digest.removeprefix('sha256:')}"


@dataclass(frozen=True)
class Project:
    """A build context, and where its archive goes."""

    folder: Path
    target: Path

    def write(self, files: Mapping[str, str]) -> None:
        """Write files into the context; each gets a time of its own past."""
        for name, content in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)

    def export(  # noqa: PLR0913 - as the function it calls
        self,
        builder: Builder,
        *,
        dockerfile: Path | None = None,
        build_target: str | None = None,
        build_args: Mapping[str, str] | None = None,
        no_cache: bool = False,
        tag: str | None = None,
    ) -> Exported:
        """Build, export, and take the archive apart."""
        log: list[str] = []
        file = dockerfile or self.folder / "Dockerfile"
        build = parse_build(
            file.read_text(), target=build_target, build_args=build_args or {}, builder=builder
        )
        result = export_build(
            self.folder,
            build,
            dockerfile=file,
            target_file=self.target,
            progress=lambda _: None,
            stop=lambda: False,
            log=log.append,
            builder=builder,
            network="none",
            no_cache=no_cache,
            tag=tag,
            force=True,
        )
        with tarfile.open(self.target) as archive:
            members = {item.name: b"".join(archive.extractfile(item) or ()) for item in archive}
        return Exported(result=result, members=members, log=tuple(log))

    def left(self) -> list[str]:
        """Return all that stands where the archive goes, hidden files too."""
        return sorted(path.name for path in self.target.parent.iterdir())


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """An empty context."""
    (tmp_path / "context").mkdir()
    (tmp_path / "out").mkdir()
    return Project(tmp_path / "context", tmp_path / "out/app.tar")


def temporary_tags(client: DockerClient) -> list[str]:
    """Return the tags an export would have to take away again."""
    return [name for name in tags(client) if name.startswith("layertrace-export")]


def tags(client: DockerClient) -> set[str]:
    """Return the tags of images made here; others may be at work in the same engine."""
    images = client.api.images(filters={"label": LABEL})
    found = {name for image in images for name in image.get("RepoTags") or ()}
    return found - {"<none>:<none>"}


TWO_STAGES = """\
FROM {base} AS build
WORKDIR /app
COPY package.json ./
RUN mkdir dist && cat /proc/sys/kernel/random/uuid > dist/id && cat package.json > dist/info

FROM {base}
WORKDIR /app
COPY --from=build /app/dist /app/dist
RUN cat dist/id > copy
CMD ["cat", "dist/id"]
"""


@pytest.fixture
def two_stages(project: Project, base: str) -> Project:
    """A build that copies what another stage made, which is new each time it runs."""
    nonce = token_hex(8)
    project.write({"Dockerfile": TWO_STAGES.format(base=base), "package.json": nonce})
    return project


# --- what the archive holds


def test_export_build_holds_every_blob_under_its_digest(
    two_stages: Project, builder: Builder
) -> None:
    """Each blob's name is the digest of its bytes, and each is stored once."""
    exported = two_stages.export(builder)
    blobs = [name for name in exported.members if name.startswith("blobs/")]
    for name in blobs:
        assert name == _blob(hashlib.sha256(exported.members[name]).hexdigest())
    with tarfile.open(two_stages.target) as archive:
        names = archive.getnames()
        assert {member.mtime for member in archive} == {0}
    assert len(names) == len(set(names))
    assert exported.result.size == two_stages.target.stat().st_size


def test_export_build_holds_the_stages_of_the_build(
    two_stages: Project, builder: Builder, client: DockerClient
) -> None:
    """Both stages are there, with the layers the engine gives for them."""
    exported = two_stages.export(builder)
    bundle = exported.bundle
    assert [(stage.index, stage.name) for stage in bundle.stages] == [(0, "build"), (1, "stage-1")]
    assert bundle.stages[1].config == exported.final
    fidelity = "same-build" if builder == "classic" else "cached"
    assert [stage.fidelity for stage in bundle.stages] == [fidelity, "same-build"]
    for stage in bundle.stages:
        assert all(
            _blob(diff_id) in exported.members for diff_id in exported.diff_ids(stage.config)
        )
    if builder == "classic":
        # Its images stay in the engine, as its build cache.
        for stage in bundle.stages:
            attributes = client.images.get(stage.config).attrs
            assert attributes["RootFS"]["Layers"] == exported.diff_ids(stage.config)


def test_export_build_holds_the_very_stage_that_was_copied_from(
    two_stages: Project, builder: Builder
) -> None:
    """What a RUN made by chance is the same in the stage and in the final image."""
    exported = two_stages.export(builder)
    shipped = exported.files(exported.final)
    assert exported.files(exported.stage("build"))["app/dist/id"] == shipped["app/dist/id"]
    assert shipped["app/copy"] == shipped["app/dist/id"]


def test_export_build_without_cache_holds_the_new_stage(
    two_stages: Project, builder: Builder
) -> None:
    """With the cache switched off the stage is that of the new build, not an older one."""
    old = two_stages.export(builder)
    new = two_stages.export(builder, no_cache=True)
    name = "app/dist/id"
    assert new.files(new.final)[name] != old.files(old.final)[name]
    assert new.files(new.stage("build"))[name] == new.files(new.final)[name]


def test_export_build_keeps_what_was_asked_for(two_stages: Project, builder: Builder) -> None:
    """Dockerfile, builder and base are in the archive, the final image under its tag alone."""
    exported = two_stages.export(builder, tag="acme/app")
    text = (two_stages.folder / "Dockerfile").read_text()
    bundle = exported.bundle
    assert exported.members["layertrace/Dockerfile"].decode() == text
    assert bundle.dockerfile == text
    assert bundle.builder == builder
    assert bundle.target is None
    (image,) = json.loads(exported.members["manifest.json"])
    assert image["RepoTags"] == ["acme/app:latest"]
    assert image["Layers"] == [_blob(diff_id) for diff_id in exported.diff_ids(exported.final)]
    (base,) = bundle.bases
    layers = exported.diff_ids(base.config)
    assert layers
    assert exported.diff_ids(exported.final)[: len(layers)] == layers


def test_export_build_shows_what_the_builder_says(two_stages: Project, builder: Builder) -> None:
    """The builder's own lines reach the user."""
    exported = two_stages.export(builder)
    assert any("COPY --from=build /app/dist /app/dist" in line for line in exported.log)


def test_export_build_names_stages_by_number(project: Project, base: str, builder: Builder) -> None:
    """Stages without a name, one on top of another, are found by their number."""
    project.write({
        "Dockerfile": f"""\
# escape=`
FROM `
  # a comment within
  {base}
RUN mkdir /out && `
    cat /proc/sys/kernel/random/uuid > /out/id
FROM {base} as middle
COPY --from=0 /out/id /id
FROM middle
COPY --from=0 /out /out
""",
    })  # fmt: skip
    exported = project.export(builder)
    stages = exported.bundle.stages
    assert [(stage.index, stage.name) for stage in stages] == [
        (0, "stage-0"),
        (1, "middle"),
        (2, "stage-2"),
    ]
    made = exported.files(stages[0].config)["out/id"]
    assert exported.files(stages[1].config)["id"] == made
    assert exported.files(exported.final)["out/id"] == made
    assert {stage.fidelity for stage in stages} <= {"same-build", "cached"}


@pytest.mark.parametrize(
    "named", [pytest.param("0", id="unnamed"), pytest.param("two", id="named")]
)
def test_export_build_stops_at_the_target(
    project: Project, base: str, builder: Builder, named: str
) -> None:
    """A target in the middle is the final image; what comes after is not built."""
    project.write({
        "Dockerfile": (
            f"FROM {base}\nRUN touch /one\n"
            f"FROM scratch AS two\nCOPY --from=0 /one /two\nLABEL {LABEL}=1\n"
            "FROM scratch\nCOPY --from=0 /nowhere /\n"
        ),
    })  # fmt: skip
    exported = project.export(builder, build_target=named)
    expected = "two" if named == "two" else "one"
    assert expected in exported.files(exported.final)
    last = exported.bundle.stages[-1]
    assert last.config == exported.final
    assert exported.bundle.target == last.name == {"0": "stage-0"}.get(named, named)


def test_export_build_passes_build_arguments(project: Project, base: str, builder: Builder) -> None:
    """Arguments decide the build and are kept with it."""
    project.write({
        "Dockerfile": (
            "ARG FROM=unset\nFROM $FROM AS build\nARG WORD=none\nRUN echo $WORD > /word\n"
            "FROM scratch\nCOPY --from=build /word /\n"
            f"LABEL {LABEL}=1\n"
        ),
    })  # fmt: skip
    exported = project.export(builder, build_args={"FROM": base, "WORD": "said"})
    assert exported.files(exported.final)["word"] == b"said\n"
    assert exported.bundle.build_args == {"FROM": base, "WORD": "said"}
    assert [item.reference for item in exported.bundle.bases] == [base]


def test_export_build_includes_only_stages_that_were_built(
    project: Project, base: str, builder: Builder
) -> None:
    """The classic builder makes unused stages too; BuildKit leaves them out."""
    project.write({
        "Dockerfile": (
            f"FROM {base} AS used\nRUN touch /used\n"
            f"FROM {base} AS unused\nRUN touch /unused\n"
            "FROM scratch AS empty\n"
            f"FROM scratch\nCOPY --from=used /used /\nLABEL {LABEL}=1\n"
        ),
    })  # fmt: skip
    exported = project.export(builder)
    names = [stage.name for stage in exported.bundle.stages]
    assert names == (["used", "unused", "stage-3"] if builder == "classic" else ["used", "stage-3"])
    assert "used" in exported.files(exported.final)


# --- the context


def test_export_build_lists_the_context_without_what_is_ignored(
    project: Project, builder: Builder
) -> None:
    """The list has what COPY can see, with each file's digest, and no contents."""
    project.write({
        "Dockerfile": f"FROM scratch\nCOPY . /\nLABEL {LABEL}=1\n",
        ".dockerignore": "# nothing of these\n*.log\nsecret\n!keep.log\nDockerfile\n",
        "app.js": "app",
        "a.log": "log",
        "keep.log": "kept",
        "secret/key": "key",
        "deep/er/file": "deep",
    })  # fmt: skip
    (project.folder / "link").symlink_to("app.js")
    exported = project.export(builder)
    entries = {entry.path: entry for entry in exported.bundle.context}
    assert set(entries) == {
        ".dockerignore",
        "app.js",
        "keep.log",
        "deep",
        "deep/er",
        "deep/er/file",
        "link",
    }
    files = exported.files(exported.final)
    assert set(files) == {path for path, entry in entries.items() if entry.kind == "file"}
    for path, content in files.items():
        assert entries[path].digest == f"sha256:{hashlib.sha256(content).hexdigest()}"
        assert entries[path].size == len(content)
    assert (entries["deep"].kind, entries["link"].link_target) == ("dir", "app.js")
    assert b"key" not in exported.members["layertrace/trace.json"]


def test_export_build_takes_a_dockerfile_from_elsewhere(
    project: Project, builder: Builder, tmp_path: Path
) -> None:
    """A Dockerfile outside the context builds, and COPY does not see it."""
    project.write({"app.js": "app", ".dockerignore": "*.log\n", "a.log": "log"})
    dockerfile = tmp_path / "Elsewhere"
    dockerfile.write_text(f"FROM scratch\nCOPY . /\nLABEL {LABEL}=1\n")
    exported = project.export(builder, dockerfile=dockerfile)
    files = exported.files(exported.final)
    entries = {entry.path: entry.digest for entry in exported.bundle.context}
    assert set(files) == set(entries) == {"app.js", ".dockerignore"}
    digests = {name: f"sha256:{hashlib.sha256(data).hexdigest()}" for name, data in files.items()}
    assert digests == entries


def test_export_build_honours_the_dockerfiles_own_ignore_file(
    project: Project, client: DockerClient
) -> None:
    """BuildKit prefers ``NAME.dockerignore`` beside the Dockerfile."""
    buildkit()
    project.write({
        "app.Dockerfile": f"FROM scratch\nCOPY . /\nLABEL {LABEL}=1\n",
        "app.Dockerfile.dockerignore": "*\n!b\n",
        ".dockerignore": "b\n",
        "a": "a",
        "b": "b",
    })  # fmt: skip
    exported = project.export("buildkit", dockerfile=project.folder / "app.Dockerfile")
    assert set(exported.files(exported.final)) == {"b"}
    assert [entry.path for entry in exported.bundle.context] == ["b"]


def test_export_build_never_copies_its_own_archive(project: Project, builder: Builder) -> None:
    """An archive that is written into the context, again and again, is not part of the build."""
    project.write({"Dockerfile": f"FROM scratch\nCOPY . /\nLABEL {LABEL}=1\n", "app.js": "app"})
    inside = Project(project.folder, project.folder / "app.tar")
    first, second = inside.export(builder), inside.export(builder)
    assert set(first.files(first.final)) == {"Dockerfile", "app.js"}
    assert second.final == first.final
    assert {entry.path for entry in second.bundle.context} == {"Dockerfile", "app.js"}
    assert inside.left() == ["Dockerfile", "app.js", "app.tar"]


# --- what is left in the engine


def test_export_build_leaves_no_tag(
    two_stages: Project, builder: Builder, client: DockerClient
) -> None:
    """The engine's tags are afterwards what they were."""
    before = tags(client)
    two_stages.export(builder, tag="acme/app:1")
    assert tags(client) == before


@pytest.mark.parametrize("target", ["build", None])
def test_export_build_keeps_an_untagged_image_that_was_there(
    two_stages: Project, client: DockerClient, target: str | None
) -> None:
    """A cached build yields the user's own image: it must not go with our tag."""
    command = buildkit()
    iid = two_stages.target.parent / "iid"
    wanted = [] if target is None else [f"--target={target}"]
    subprocess.run(  # noqa: S603 - the docker command on PATH
        [*command.argv, *wanted, "--network=none", f"--iidfile={iid}", str(two_stages.folder)],
        check=True,
        capture_output=True,
        env={**os.environ, **command.environment},
    )
    image = iid.read_text()
    exported = two_stages.export("buildkit")
    assert image in {stage.config for stage in exported.bundle.stages}
    assert client.images.get(image).id == image
    assert not temporary_tags(client)


# --- other tools


def test_export_build_writes_an_archive_the_engine_loads(
    two_stages: Project, builder: Builder, client: DockerClient
) -> None:
    """``docker load`` takes it and has the final image."""
    exported = two_stages.export(builder, tag=f"{LABEL}/loaded:1")
    (image,) = client.images.load(two_stages.target.read_bytes())
    assert image.id == exported.final
    assert image.attrs["RootFS"]["Layers"] == exported.diff_ids(exported.final)
    assert f"{LABEL}/loaded:1" in image.tags


def test_export_build_writes_an_archive_skopeo_copies(
    two_stages: Project, builder: Builder, tmp_path: Path
) -> None:
    """``skopeo copy`` finds the final image with all its layers."""
    skopeo = shutil.which("skopeo")
    if skopeo is None:
        pytest.skip("skopeo is not installed")
    exported = two_stages.export(builder)
    copy = tmp_path / "copy"
    subprocess.run(  # noqa: S603
        [
            skopeo,
            "--insecure-policy",
            "copy",
            f"docker-archive:{two_stages.target}",
            f"dir:{copy}",
        ],
        check=True,
        capture_output=True,
    )
    manifest = json.loads((copy / "manifest.json").read_text())
    assert manifest["config"]["digest"] == exported.final
    assert len(manifest["layers"]) == len(exported.diff_ids(exported.final))


def test_export_build_writes_an_archive_dive_reads(
    two_stages: Project, builder: Builder, tmp_path: Path
) -> None:
    """``dive`` analyses the final image, layer by layer."""
    dive = shutil.which("dive", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if dive is None:
        pytest.skip("dive is not installed")
    exported = two_stages.export(builder)
    report = tmp_path / "dive.json"
    subprocess.run(  # noqa: S603
        [dive, "--source", "docker-archive", str(two_stages.target), "--json", str(report)],
        check=True,
        capture_output=True,
    )
    layers = json.loads(report.read_text())["layer"]
    assert len(layers) == len(exported.diff_ids(exported.final))
    paths = {file["path"] for layer in layers for file in layer["fileList"]}
    assert "app/dist/id" in paths


# --- when it does not work


def _start(project: Project, builder: Builder, base: str) -> None:
    """Write a build that never ends."""
    nonce = token_hex(8)
    project.write({"Dockerfile": f"FROM {base} AS a\nRUN touch /{nonce}\nRUN sleep 600\n"})


def _export_until(project: Project, builder: Builder, word: str) -> None:
    """Export, and stop when ``word`` shows in the builder's output."""
    log: list[str] = []
    file = project.folder / "Dockerfile"
    export_build(
        project.folder,
        parse_build(file.read_text()),
        dockerfile=file,
        target_file=project.target,
        progress=lambda _: None,
        stop=lambda: any(word in line for line in log),
        log=log.append,
        builder=builder,
        network="none",
    )


def _asleep() -> int:
    """Count the processes of such a build; the engine's are this machine's."""
    count = 0
    for status in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            count += b"sleep\x00600" in status.read_bytes()
        except OSError:
            continue
    return count


def test_export_build_stops_in_the_middle(
    project: Project, base: str, builder: Builder, client: DockerClient
) -> None:
    """A stopped build ends in the engine too, and leaves neither file nor tag."""
    _start(project, builder, base)
    before = _asleep()
    started = time.monotonic()
    with pytest.raises(StoppedError):
        _export_until(project, builder, "RUN sleep")
    assert time.monotonic() - started < 60
    deadline = time.monotonic() + 20
    while _asleep() > before and time.monotonic() < deadline:
        time.sleep(0.1)
    assert _asleep() <= before
    assert project.left() == []
    assert not temporary_tags(client)


def test_export_build_stops_while_it_saves(
    two_stages: Project, builder: Builder, client: DockerClient
) -> None:
    """Between the build and the end of the archive a stop leaves neither file nor tag."""
    phases: list[str] = []
    file = two_stages.folder / "Dockerfile"
    with pytest.raises(StoppedError):
        export_build(
            two_stages.folder,
            parse_build(file.read_text()),
            dockerfile=file,
            target_file=two_stages.target,
            progress=lambda progress: phases.append(progress.phase),
            stop=lambda: "save" in phases,
            log=lambda _: None,
            builder=builder,
            network="none",
        )
    assert two_stages.left() == []
    assert not temporary_tags(client)


def test_export_build_leaves_nothing_on_ctrl_c(
    project: Project, base: str, builder: Builder, client: DockerClient
) -> None:
    """An interrupt from the keyboard ends the build, and leaves neither file nor tag."""
    _start(project, builder, base)
    script = (
        "import sys\nfrom pathlib import Path\n"
        "from layertrace.archive.export.builder import export_build\n"
        "from layertrace.dockerfile.parse import parse_build\n"
        "folder, target, builder = sys.argv[1:]\n"
        "file = Path(folder, 'Dockerfile')\n"
        "export_build(Path(folder), parse_build(file.read_text()), dockerfile=file,\n"
        "    target_file=Path(target), progress=lambda _: None, stop=bool, builder=builder,\n"
        "    network='none', log=lambda line: print(line, flush=True))\n"
    )
    with subprocess.Popen(  # noqa: S603 - our own script
        [sys.executable, "-c", script, str(project.folder), str(project.target), builder],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        encoding="utf-8",
    ) as process:
        for line in process.stdout or ():
            if "RUN sleep" in line:
                break
        process.send_signal(signal.SIGINT)
        process.wait(60)
    assert process.returncode == -signal.SIGINT
    assert project.left() == []
    assert not temporary_tags(client)


def test_export_build_says_which_step_failed(
    project: Project, base: str, builder: Builder, client: DockerClient
) -> None:
    """A failing RUN is an error in three lines, its output in the log, and no file."""
    project.write({"Dockerfile": f"FROM {base} AS a\nRUN cat /nowhere/{token_hex(8)}\n"})
    with pytest.raises(EngineError) as caught:
        project.export(builder)
    assert caught.value.what == "the build failed"
    assert "cat /nowhere" in caught.value.why
    assert len(str(caught.value).splitlines()) <= 3
    assert project.left() == []
    assert not temporary_tags(client)


def test_export_build_says_that_the_context_is_missing(project: Project, builder: Builder) -> None:
    """A context that is no folder is an error of the source."""
    project.write({"Dockerfile": "FROM scratch\nCOPY . /\n"})
    nowhere = Project(project.folder / "nowhere", project.target)
    with pytest.raises(SourceError, match="no such folder"):
        nowhere.export(builder, dockerfile=project.folder / "Dockerfile")


# --- one image


def test_export_image_is_what_docker_save_writes(
    base: str, client: DockerClient, tmp_path: Path
) -> None:
    """The file has the same members, byte for byte."""
    target = tmp_path / "base.tar"
    result = export_image(base, target, progress=lambda _: None, stop=lambda: False)
    saved = b"".join(client.images.get(base).save(named=base))
    assert target.read_bytes() == saved
    assert result.tags == (base,)


def test_export_image_says_that_the_image_is_missing(client: DockerClient, tmp_path: Path) -> None:
    """An unknown image is exit code 3, and no file."""
    name = f"{LABEL}/nowhere:1"
    with pytest.raises(SourceError) as caught:
        export_image(name, tmp_path / "x.tar", progress=lambda _: None, stop=lambda: False)
    assert caught.value.exit_code == 3
    assert name in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_export_image_stops_in_the_middle(base: str, tmp_path: Path) -> None:
    """A stopped export leaves no file."""
    told: list[Progress] = []
    with pytest.raises(StoppedError):
        export_image(base, tmp_path / "x.tar", progress=told.append, stop=lambda: bool(told))
    assert list(tmp_path.iterdir()) == []
