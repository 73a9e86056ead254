"""``export --build``: orders to either builder, and what is made of their answers."""

from __future__ import annotations

import io
import tarfile
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from layertrace.archive.export import builder, buildkit
from layertrace.archive.export.build_plan import named_stages
from layertrace.archive.export.builder import export_build
from layertrace.archive.export.buildkit import BuildCommand, find_buildkit
from layertrace.archive.export.plain_progress import BuildSteps
from layertrace.archive.trace_json import read_bundle
from layertrace.dockerfile.parse import parse_build
from layertrace.errors import (
    DockerfileError,
    EngineError,
    LayertraceError,
    StoppedError,
    UsageError,
)
from tests.builders import docker_archive, image, layer, sha256
from tests.fake_engine import FakeEngine, serving

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from layertrace.archive.export.builder import Builder
    from layertrace.archive.export.saved_image import ExportResult, Progress
    from layertrace.model.bundle import TraceBundle

SHELL = layer({"bin/sh": b"#!"})
BASE = image(SHELL, tags=("base:1",))
STAGE = image(SHELL, layer({"dist": b"made"}), tags=())
FINAL = image(SHELL, layer({"app/dist": b"made"}), tags=())
TWO_STAGES = "FROM base:1 AS build\nRUN make\n\nFROM base:1\nCOPY --from=build /dist /app/\n"

CACHED = """\
#1 [internal] load build definition from Dockerfile
#1 DONE 0.0s

#4 [build 1/2] FROM docker.io/library/base:1
#4 DONE 0.0s

#5 [build 2/2] RUN make
#5 sha256:48cb806c5e3531429c6af34822ba32bad9983b360b7f730e4d83baa0b5aa4cfe
#5 CACHED

#6 exporting to image
#6 DONE 0.0s
"""
REBUILT = CACHED.replace("#5 CACHED", "#5 0.100 #5 CACHED\n#5 DONE 0.1s")

METADATA = '{"buildx.build.provenance": {"buildType": "x"}}'
SCRIPT = """\
#!/bin/sh
if [ "$1 $2" = "buildx version" ]; then exit {no_buildx}; fi
if [ "$1" = --version ]; then echo "Docker version {version}, build 297e128"; exit; fi
echo "DOCKER_BUILDKIT=$DOCKER_BUILDKIT $*" >> {here}/calls
for word in "$@"; do
    case "$word" in
    --file=*) cat "${{word#--file=}}" > {here}/dockerfile.$(wc -l < {here}/calls) ;;
    --metadata-file=*) cat {here}/metadata.json > "${{word#*=}}" ;;
    --target=*) target=yes ;;
    esac
done
cat {here}/${{target:-no}}.log
exit {status}
"""


@dataclass
class Command:
    """A docker command line that answers from files, and writes down its calls."""

    folder: Path

    def install(
        self, *, buildx: bool = False, version: str = "20.10.24+dfsg1", status: int = 0
    ) -> None:
        """Put it there."""
        self.folder.mkdir(exist_ok=True)
        docker = self.folder / "docker"
        docker.write_text(
            SCRIPT.format(
                no_buildx=0 if buildx else 1, version=version, here=self.folder, status=status
            )
        )
        docker.chmod(0o755)
        (self.folder / "metadata.json").write_text(METADATA)
        self.says(final=CACHED, stage=CACHED)

    def says(self, *, final: str = CACHED, stage: str = CACHED) -> None:
        """Set what it prints with and without ``--target``."""
        (self.folder / "no.log").write_text(final)
        (self.folder / "yes.log").write_text(stage)

    def fails_from(self, call: int) -> None:
        """Fail that call to build, and every later one."""
        docker = self.folder / "docker"
        lines = f"[ $(wc -l < {self.folder}/calls) -ge {call} ] && exit 1\nexit 0\n"
        docker.write_text(docker.read_text().removesuffix("exit 0\n") + lines)

    def calls(self) -> list[list[str]]:
        """Return the words of each call to build."""
        return [line.split() for line in (self.folder / "calls").read_text().splitlines()]

    def dockerfile(self, call: int) -> str:
        """Return the Dockerfile of a call, from 1."""
        return (self.folder / f"dockerfile.{call}").read_text()


@dataclass
class Bench:
    """An engine, a docker command, a context, and where the archive goes."""

    engine: FakeEngine
    command: Command
    context: Path
    target: Path
    log: list[str] = field(default_factory=list)
    told: list[Progress] = field(default_factory=list)

    def export(
        self,
        builder: Builder,
        *,
        target: str | None = None,
        no_cache: bool = False,
        network: str | None = None,
        tag: str | None = None,
    ) -> ExportResult:
        """Build the context's Dockerfile and export it."""
        file = self.context / "Dockerfile"
        return export_build(
            self.context,
            parse_build(file.read_text(), target=target, build_args={"K": "V"}),
            dockerfile=file,
            target_file=self.target,
            progress=self.told.append,
            stop=lambda: False,
            log=self.log.append,
            builder=builder,
            network=network,
            no_cache=no_cache,
            tag=tag,
        )

    def bundle(self) -> TraceBundle:
        """Return what the archive says of the build."""
        with tarfile.open(self.target) as archive:
            return read_bundle(b"".join(archive.extractfile("layertrace/trace.json") or ()))

    def left(self) -> list[str]:
        """Return all that stands where the archive goes."""
        return sorted(path.name for path in self.target.parent.iterdir())


class TaggingEngine(FakeEngine):
    """An engine in which the temporary tags name what a real build would have made."""

    def resolve(self, name: str) -> str:
        """Give a tag of an export the image it was meant for, at its first use."""
        if name.startswith("layertrace-export:") and name not in self.tags:
            made = FINAL if name.endswith("-final") else STAGE
            self.images.setdefault(sha256(made.config), made)
            self.tags[name] = sha256(made.config)
        return super().resolve(name)


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """All of it, with a build of two stages."""
    for name in ("context", "out"):
        (tmp_path / name).mkdir()
    command = Command(tmp_path / "bin")
    command.install()
    (tmp_path / "context/Dockerfile").write_text(TWO_STAGES)
    (tmp_path / "context/app.js").write_text("app")
    engine = TaggingEngine(saved=docker_archive(STAGE, FINAL, BASE))
    engine.add(BASE)
    monkeypatch.setenv("PATH", f"{command.folder}:/usr/bin:/bin")
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/engine.sock")
    monkeypatch.delenv("DOCKER_BUILDKIT", raising=False)
    with serving(engine, tmp_path / "engine.sock"):
        yield Bench(engine, command, tmp_path / "context", tmp_path / "out/app.tar")


# --- which docker command


def test_find_buildkit_takes_the_first_that_can(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A newer docker without the plugin does not hide an older one with BuildKit in it."""
    bare, old, new = (Command(tmp_path / name) for name in ("bare", "old", "new"))
    bare.install(version="28.2.2")
    old.install(version="20.10.24+dfsg1")
    new.install(buildx=True, version="29.0.0")
    (tmp_path / "empty").mkdir()
    (tmp_path / "folder/docker").mkdir(parents=True)
    (tmp_path / "plain").mkdir()
    (tmp_path / "plain/docker").write_text("not a command")

    def found(*folders: str) -> tuple[str, ...] | None:
        monkeypatch.setenv("PATH", ":".join(str(tmp_path / folder) for folder in folders))
        command = find_buildkit()
        return None if command is None else command.argv

    assert found("empty", "folder", "plain", "bare") is None
    assert found("bare", "old", "new") == (f"{old.folder}/docker", "build")
    assert found("bare", "new", "old") == (f"{new.folder}/docker", "buildx", "build", "--load")


# --- BuildKit


@pytest.mark.parametrize(
    ("stage", "fidelity"), [(CACHED, "cached"), (REBUILT, "rebuilt")], ids=["cached", "rebuilt"]
)
def test_buildkit_stage_is_cached_only_if_every_step_was(
    bench: Bench, stage: str, fidelity: str
) -> None:
    """What a step prints cannot pass for the builder's own word."""
    bench.command.says(final=REBUILT, stage=stage)
    result = bench.export("buildkit")
    assert [(item.name, item.fidelity) for item in result.stages] == [
        ("build", fidelity),
        ("stage-1", "same-build"),
    ]
    bundle = bench.bundle()
    assert bundle.stages == result.stages
    assert bundle.builder == result.builder == "buildkit"
    assert [base.reference for base in bundle.bases] == ["base:1"]
    assert {entry.path for entry in bundle.context} == {"Dockerfile", "app.js"}


def test_buildkit_is_asked_for_the_target_then_for_each_stage(bench: Bench) -> None:
    """Only the target is built without the cache: the stages are to come out of it."""
    bench.export("buildkit", no_cache=True, network="none")
    final, stage = bench.command.calls()
    assert final[0] == stage[0] == "DOCKER_BUILDKIT=1"
    assert "--no-cache" in final
    assert "--no-cache" not in stage
    assert not [word for word in final if word.startswith("--target")]
    assert "--target=build" in stage
    for call in (final, stage):
        assert {"--build-arg=K=V", "--network=none", "--progress=plain"} <= set(call)
        assert call[-2:] == ["--", str(bench.context)]
    assert "#5 [build 2/2] RUN make" in bench.log
    assert {progress.phase for progress in bench.told} == {"context", "build", "stage", "save"}


def test_buildkit_through_buildx_tells_its_provenance(bench: Bench) -> None:
    """Where the command line writes metadata, the build's provenance is kept."""
    bench.command.install(buildx=True)
    bench.export("auto", network="host")
    final, stage = bench.command.calls()
    assert final[1:4] == ["buildx", "build", "--load"]
    assert "--allow=network.host" in final
    assert not [word for word in stage if word.startswith("--metadata-file")]
    assert bench.bundle().provenance == {"buildType": "x"}


def test_buildkit_stage_without_a_name_is_given_one(bench: Bench) -> None:
    """The target keeps the Dockerfile as it is; a nameless stage is named for its own build."""
    text = "FROM base:1\nRUN make\nFROM base:1\nCOPY --from=0 /dist /app/\n"
    (bench.context / "Dockerfile").write_text(text)
    bench.export("buildkit")
    assert bench.command.dockerfile(1) == text
    assert "--target=layertrace-0" in bench.command.calls()[1]
    assert bench.command.dockerfile(2).splitlines()[0] == "FROM base:1 AS layertrace-0"
    assert bench.bundle().stages[0].name == "stage-0"


def test_named_stages_changes_no_line_but_the_nameless_from() -> None:
    """Continuations, comments, heredocs and a second escape character stay as they are."""
    text = (
        "# escape=`\n# FROM nothing\nFROM `\n  # why\n\n  base:1\nRUN <<EOF\nFROM heredoc\nEOF\n"
        "from other AS layertrace-2\nFROM base:1\nRUN a `\n  FROM b\n"
    )
    named, names = named_stages(parse_build(text))
    assert names == ("layertrace-0", "layertrace-2", "layertrace-2-")
    before, after = text.split("\n"), named.split("\n")
    assert len(before) == len(after)
    changed = {line: new for line, (old, new) in enumerate(zip(before, after, strict=True), 1)
               if old != new}  # fmt: skip
    assert changed == {
        3: "FROM base:1 AS layertrace-0",
        4: "",
        6: "",
        11: "FROM base:1 AS layertrace-2-",
    }
    assert [stage.name for stage in parse_build(named).stages] == list(names)


@pytest.mark.parametrize(
    ("output", "kind", "text"),
    [
        pytest.param(
            '#5 ERROR: x\n------\nfailed to solve: process "/bin/sh -c make" did not complete',
            EngineError,
            'process "/bin/sh -c make" did not complete',
            id="a-step",
        ),
        pytest.param(
            "failed to solve with frontend dockerfile.v0: failed to create LLB definition: "
            "dockerfile parse error line 3: unknown instruction: NONSENSE",
            DockerfileError,
            "Dockerfile:3: unknown instruction: NONSENSE",
            id="the-dockerfile",
        ),
        pytest.param(
            "unknown flag: --progress\n\n",
            EngineError,
            "unknown flag: --progress",
            id="the-command",
        ),
        pytest.param("", EngineError, "it gave no reason", id="no-word"),
    ],
)
def test_buildkit_failure_is_told_in_its_words(
    bench: Bench, output: str, kind: type[LayertraceError], text: str
) -> None:
    """A failed build is three lines at most; all it printed went to the log."""
    bench.command.install(status=1)
    bench.command.says(final=output)
    with pytest.raises(kind) as caught:
        bench.export("buildkit")
    assert text in str(caught.value)
    assert len(str(caught.value).splitlines()) <= 3
    assert bench.log == [line.rstrip() for line in output.splitlines()]
    assert bench.left() == []


def test_buildkit_without_a_command_is_refused(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asking for BuildKit by name where nothing offers it is an error, not the other builder."""
    bench.command.install(version="28.2.2")
    monkeypatch.setenv("PATH", str(bench.command.folder))
    with pytest.raises(EngineError, match="no docker command on PATH can use BuildKit"):
        bench.export("buildkit")


def test_buildkit_command_that_does_not_heed_is_killed(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stop ends the command and its children, whatever they think of it."""
    monkeypatch.setattr(buildkit, "_STOP_TIMEOUT", 0.3)
    docker = bench.command.folder / "docker"
    stubborn = "trap '' TERM\necho $$\nsleep 60 &\nwait\nsleep 60\nexit\n"
    docker.write_text(docker.read_text().replace("for word in", f"{stubborn}for word in"))
    file = bench.context / "Dockerfile"
    started = time.monotonic()
    with pytest.raises(StoppedError):
        export_build(
            bench.context,
            parse_build(file.read_text()),
            dockerfile=file,
            target_file=bench.target,
            progress=bench.told.append,
            stop=lambda: bool(bench.log),
            log=bench.log.append,
            builder="buildkit",
        )
    assert time.monotonic() - started < 30
    assert not _running(group=bench.log[0])
    assert bench.left() == []


def _running(*, group: str) -> list[str]:
    """Return the processes of a group, those aside that only wait to be forgotten."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            # The name in brackets may hold anything.
            state, _, number = path.read_text().rpartition(")")[2].split()[:3]
            if number == group and state not in "ZX":
                found.append(path.parent.name)
    return found


def test_buildkit_command_that_cannot_run_is_the_engines_trouble(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A command that vanished since it was found is told in words."""
    command = BuildCommand(argv=(str(bench.context / "gone"), "build"), buildx=False)
    monkeypatch.setattr(builder, "find_buildkit", lambda: command)
    with pytest.raises(EngineError, match="gone: cannot be run"):
        bench.export("buildkit")


@pytest.mark.parametrize("metadata", ["", "[]", "{}", '{"buildx.build.provenance": 1}'])
def test_buildkit_without_usable_metadata_has_no_provenance(bench: Bench, metadata: str) -> None:
    """Older plugins write none, or none of use."""
    bench.command.install(buildx=True)
    (bench.command.folder / "metadata.json").write_text(metadata)
    bench.export("buildkit")
    assert bench.bundle().provenance is None


def test_buildkit_stops_while_the_context_is_listed(bench: Bench) -> None:
    """A large context is read before the builder starts; a stop is heeded there too."""
    file = bench.context / "Dockerfile"
    with pytest.raises(StoppedError):
        export_build(
            bench.context,
            parse_build(file.read_text()),
            dockerfile=file,
            target_file=bench.target,
            progress=bench.told.append,
            stop=lambda: bool(bench.told),
            log=bench.log.append,
            builder="buildkit",
        )
    assert {progress.phase for progress in bench.told} == {"context"}
    assert not (bench.command.folder / "calls").exists()


@pytest.mark.parametrize(
    ("lines", "cached"),
    [
        pytest.param([], False, id="nothing-said"),
        pytest.param(["STEP 1/2: FROM base", "COMMIT"], False, id="another-tool"),
        pytest.param(["#4 [1/1] FROM base", "#4 DONE 0.0s"], True, id="nothing-but-from"),
        pytest.param(
            ["#4 [linux/arm64 build 2/2] RUN x", "#4 CACHED", "#4 sha256:00"], True, id="platform"
        ),
        pytest.param(["#4 [2/3] RUN x", "#5 [3/3] COPY", "#5 CACHED"], False, id="one-ran"),
        pytest.param(["#4 [2/2] RUN x", "#4 0.120 CACHED"], False, id="its-output"),
        pytest.param(["#44 [2/2] RUN x", "#4 CACHED"], False, id="another-number"),
    ],
)
def test_build_steps_tell_whether_any_step_ran(lines: list[str], cached: bool) -> None:  # noqa: FBT001
    """Only the builder's own word for every step makes a build a cached one."""
    steps = BuildSteps()
    for line in lines:
        steps.read(line)
    assert steps.all_cached is cached


def test_build_steps_know_the_newer_words_of_failure() -> None:
    """What follows the reason, as a link to some program, is not taken for it."""
    steps = BuildSteps()
    for line in ("ERROR: failed to build: failed to solve: no such stage", "View build details: x"):
        steps.read(line)
    assert steps.failure == "no such stage"


# --- temporary tags


def test_temporary_tags_go_with_the_images_made_for_them(bench: Bench) -> None:
    """Images that were not there before are not left behind."""
    bench.export("buildkit", tag="acme/app:1")
    assert bench.engine.tags == {"base:1": sha256(BASE.config)}
    assert set(bench.engine.images) == {sha256(BASE.config)}


def test_temporary_tags_keep_an_untagged_image_that_was_there(bench: Bench) -> None:
    """An image loses its last tag with itself, so ours is moved away first."""
    kept = bench.engine.add(STAGE)
    bench.export("buildkit")
    assert bench.engine.tags == {"base:1": sha256(BASE.config)}
    assert set(bench.engine.images) == {sha256(BASE.config), kept}


def test_temporary_tags_keep_an_image_with_other_tags(bench: Bench) -> None:
    """The user's own tag of the same image stays."""
    kept = bench.engine.add(STAGE)
    bench.engine.tags["mine:1"] = kept
    bench.export("buildkit")
    assert bench.engine.tags == {"base:1": sha256(BASE.config), "mine:1": kept}


def test_temporary_tags_stay_where_nothing_else_would_save_the_image(bench: Bench) -> None:
    """Rather a tag too many, and a word about it, than an image of the user's gone."""
    (bench.context / "Dockerfile").write_text("FROM scratch\nCOPY . /\n")
    bench.engine.tags.clear()
    bench.engine.images.clear()
    kept = bench.engine.add(FINAL)
    bench.engine.saved = docker_archive(FINAL)
    bench.export("buildkit")
    (tag,) = bench.engine.tags
    assert bench.engine.tags[tag] == kept
    assert any(tag in line for line in bench.log)


def test_temporary_tags_go_when_the_build_fails(bench: Bench) -> None:
    """A save that breaks off leaves the engine as it was, and no file."""
    bench.engine.cut_after = 1000
    with pytest.raises(EngineError):
        bench.export("buildkit")
    assert bench.engine.tags == {"base:1": sha256(BASE.config)}
    assert bench.left() == []


def test_buildkit_hands_over_the_images_that_files_were_taken_from(bench: Bench) -> None:
    """It may have them for itself only: a build of nothing else puts each into the engine."""
    text = "FROM base:1\nCOPY --from=tools:2 /x /x\nRUN --mount=from=more,target=/m make\n"
    (bench.context / "Dockerfile").write_text(text)
    bench.export("buildkit")
    _, *taken = bench.command.calls()
    assert [call[-2] for call in taken] == ["--", "--"]
    config = sha256(STAGE.config)
    images = [(each.reference, each.config) for each in bench.bundle().images]
    assert images == [("more", config), ("tools:2", config)]


def test_buildkit_without_such_an_image_exports_the_rest(bench: Bench) -> None:
    """The build is done: what cannot be handed over is left out, and said to be."""
    (bench.context / "Dockerfile").write_text("FROM base:1\nCOPY --from=tools:2 /x /x\n")
    bench.command.fails_from(2)
    bench.export("buildkit")
    assert bench.bundle().images == ()
    assert any("no image tools:2" in line for line in bench.log)


def test_buildkit_takes_an_image_for_the_platform_of_its_stage(bench: Bench) -> None:
    """An image of several platforms is another one on each."""
    build = parse_build(
        "FROM --platform=linux/386 base:1\nCOPY --from=tools:2 /x /x\nCOPY --from=tools:2 /y /y\n"
    )
    assert build.images() == ("tools:2",)
    assert buildkit.only_image("tools:2", build) == "FROM --platform=linux/386 tools:2\n"
    plain = parse_build("FROM base:1\nCOPY --from=tools:2 /x /x\n")
    assert buildkit.only_image("tools:2", plain) == "FROM tools:2\n"


# --- the classic builder


def classic_log(*stages: str) -> list[Mapping[str, object]]:
    """Return what the engine says of a build: a step, and each stage's image."""
    log: list[Mapping[str, object]] = [
        {"stream": "Step 1/4 : FROM base:1 AS build"},
        {"stream": "\n"},
    ]
    log += [{"aux": {"ID": stage}} for stage in stages]
    return [*log, {"stream": "Successfully built\n"}]


@pytest.fixture
def classic(bench: Bench) -> Bench:
    """The bench, with both images as the classic builder leaves them."""
    bench.engine.build_log = classic_log(bench.engine.add(STAGE), bench.engine.add(FINAL))
    return bench


def test_classic_stages_are_those_of_this_build(classic: Bench) -> None:
    """The engine tells the image of each stage: no tag is needed and nothing built twice."""
    result = classic.export("classic", network="none", no_cache=True)
    assert [(stage.name, stage.config, stage.fidelity) for stage in result.stages] == [
        ("build", sha256(STAGE.config), "same-build"),
        ("stage-1", sha256(FINAL.config), "same-build"),
    ]
    ((query, _),) = classic.engine.built
    assert query["networkmode"] == "none"
    assert query["nocache"] == query["rm"] == query["forcerm"] == "True"
    assert query["buildargs"] == '{"K": "V"}'
    assert "target" not in query
    assert classic.engine.tags == {"base:1": sha256(BASE.config)}
    assert any("Step 1/4 : FROM base:1 AS build" in line for line in classic.log)
    assert [base.reference for base in classic.bundle().bases] == ["base:1"]


def test_classic_takes_files_from_images_of_the_engine(classic: Bench) -> None:
    """They are in the archive by the Dockerfile's names for them, but for one that is gone."""
    text = TWO_STAGES + "COPY --from=base:1 /bin/sh /sh\nCOPY --from=gone:1 /x /x\n"
    (classic.context / "Dockerfile").write_text(text)
    classic.export("classic")
    images = [(each.reference, each.config) for each in classic.bundle().images]
    assert images == [("base:1", sha256(BASE.config))]


def test_classic_is_used_where_no_command_offers_buildkit(
    classic: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``auto`` falls back to the SDK alone."""
    monkeypatch.setenv("PATH", "/nowhere")
    assert classic.export("auto").builder == "classic"


def test_classic_is_sent_the_context(classic: Bench) -> None:
    """The Dockerfile goes under its own name, ignored or not."""
    (classic.context / ".dockerignore").write_text("Dockerfile\n")
    classic.export("classic")
    ((query, body),) = classic.engine.built
    assert query["dockerfile"] == "Dockerfile"
    with tarfile.open(fileobj=io.BytesIO(body)) as archive:
        assert set(archive.getnames()) == {".dockerignore", "Dockerfile", "app.js"}
    assert {entry.path for entry in classic.bundle().context} == {".dockerignore", "app.js"}


def test_classic_target_without_a_name_is_given_one(classic: Bench) -> None:
    """The Dockerfile with the name is hidden from COPY, and the same each time."""
    (classic.context / "Dockerfile").write_text("FROM base:1\nRUN make\nFROM base:1\n")
    classic.engine.build_log = classic_log(sha256(STAGE.config))
    for _ in range(2):
        classic.export("classic", target="0")
        classic.target.unlink()
    (query, body), (again, _) = classic.engine.built
    assert query == again
    assert query["target"] == "layertrace-0"
    with tarfile.open(fileobj=io.BytesIO(body)) as archive:
        text = b"".join(archive.extractfile(query["dockerfile"]) or ())
        ignored = b"".join(archive.extractfile(".dockerignore") or ()).decode().split()
    assert text.startswith(b"FROM base:1 AS layertrace-0\n")
    assert ignored == [".dockerignore", query["dockerfile"]]


def test_classic_exports_the_last_image_where_stages_cannot_be_told(classic: Bench) -> None:
    """An engine that is silent about a stage must not have another taken for it."""
    classic.engine.build_log = classic_log(sha256(FINAL.config))
    result = classic.export("classic")
    assert [stage.name for stage in result.stages] == ["stage-1"]
    assert any("only the last is exported" in line for line in classic.log)


@pytest.mark.parametrize(
    ("log", "refusal", "kind", "text"),
    [
        pytest.param(
            [{"error": "The command '/bin/sh -c make' returned a non-zero code: 2", "x": 1}],
            None,
            EngineError,
            "returned a non-zero code: 2",
            id="a-step",
        ),
        pytest.param(
            [],
            (400, "dockerfile parse error line 2: unknown instruction: NONSENSE"),
            DockerfileError,
            "Dockerfile:2: unknown instruction: NONSENSE",
            id="the-dockerfile",
        ),
        pytest.param(
            [],
            (500, "no space left on device"),
            EngineError,
            "no space left on device",
            id="the-engine",
        ),
        pytest.param([{"stream": "x"}], None, EngineError, "made no image", id="no-image"),
    ],
)
def test_classic_failure_is_told_in_its_words(
    classic: Bench,
    log: list[Mapping[str, object]],
    refusal: tuple[int, str] | None,
    kind: type[LayertraceError],
    text: str,
) -> None:
    """A failed build is three lines at most, and no file."""
    classic.engine.build_log, classic.engine.refusal = log, refusal
    with pytest.raises(kind) as caught:
        classic.export("classic")
    assert text in str(caught.value)
    assert len(str(caught.value).splitlines()) <= 3
    assert classic.left() == []


def test_classic_build_stops_while_the_engine_is_silent(classic: Bench) -> None:
    """A stop is heeded while a step says nothing."""
    classic.engine.silent = threading.Event()
    file = classic.context / "Dockerfile"
    started = time.monotonic()
    with pytest.raises(StoppedError):
        export_build(
            classic.context,
            parse_build(file.read_text()),
            dockerfile=file,
            target_file=classic.target,
            progress=classic.told.append,
            stop=lambda: time.monotonic() > started + 0.3,
            log=classic.log.append,
            builder="classic",
        )
    classic.engine.silent.set()
    assert time.monotonic() - started < 15
    assert {progress.phase for progress in classic.told} == {"context"}
    assert classic.left() == []


# --- whichever builder


def test_export_build_refuses_an_existing_target_before_it_builds(bench: Bench) -> None:
    """A target that may not be replaced is told before minutes of work."""
    bench.target.write_text("mine")
    with pytest.raises(UsageError, match="exists already"):
        bench.export("classic")
    assert bench.target.read_text() == "mine"
    assert bench.engine.built == []


def test_export_build_leaves_out_a_base_that_is_another_by_now(classic: Bench) -> None:
    """A name that means an image the stages do not start with is not their base."""
    other = classic.engine.add(image(layer({"other": b""}), tags=("base:1",)))
    classic.export("classic")
    assert classic.engine.tags["base:1"] == other
    assert classic.bundle().bases == ()


def test_export_build_manages_without_the_base(classic: Bench) -> None:
    """BuildKit may have pulled it into a store of its own."""
    classic.engine.tags.clear()
    classic.export("classic")
    assert classic.bundle().bases == ()


def test_export_build_refuses_an_image_without_layers(classic: Bench) -> None:
    """No engine saves one, and there would be nothing to trace."""
    empty = classic.engine.add(image(tags=()))
    classic.engine.build_log = classic_log(sha256(STAGE.config), empty)
    with pytest.raises(EngineError, match="has no layers"):
        classic.export("classic")


def test_export_build_drops_a_list_of_files_past_the_limit(
    classic: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An archive that no reader would take is not written; the user is told what is missing."""
    monkeypatch.setattr(builder, "MAX_TRACE_BYTES", 100)
    classic.export("classic")
    assert classic.bundle().context == ()
    assert any("too many files" in line for line in classic.log)


@pytest.mark.parametrize("tag", ["Upper", "a b", "", "x:", "-x", "a:b:c d"])
def test_export_build_refuses_a_name_no_image_can_have(bench: Bench, tag: str) -> None:
    """The archive's name is checked before anything is built."""
    with pytest.raises(UsageError, match="not a name"):
        bench.export("classic", tag=tag)
    assert bench.engine.built == []
