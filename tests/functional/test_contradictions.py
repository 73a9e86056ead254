"""What is wrong beside an image is said to be wrong, with the first thing that differs.

A Dockerfile, a stage's image, a context or a provenance of another build is no reason not
to read the image: the exit code stays 0, unless ``why --require verified`` asks for more.
"""

from __future__ import annotations

import base64
import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.builders import docker_archive, file, image, layer, step

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.builders import Content
    from tests.cli_support import Cli

DOCKERFILE: Final = """\
FROM base:1 AS build
COPY src /src
RUN make /src /out
FROM base:1
COPY --from=build /out /app/out
COPY conf /etc/conf
RUN touch /done
"""
TIME: Final = 1_600_000_000
BASE: Final = ("ADD rootfs /", {"bin/sh": b"sh"})
BUILD: Final = (
    BASE,
    ("COPY src /src # buildkit", {"src/a.c": b"int a;"}),
    ("RUN /bin/sh -c make /src /out # buildkit", {"out": file(b"made of a.c", mtime=TIME)}),
)
FINAL: Final = (
    BASE,
    ("COPY /out /app/out # buildkit", {"app/out": file(b"made of a.c", mtime=TIME)}),
    ("COPY conf /etc/conf # buildkit", {"etc/conf": file(b"level=1", mtime=TIME)}),
    ("RUN /bin/sh -c touch /done # buildkit", {"done": b""}),
)
CARRIED: Final = ("/app/out", "/etc/conf", "/done")


def save(path: Path, steps: tuple[tuple[str, Mapping[str, Content]], ...]) -> Path:
    """Write an image as ``docker save`` does."""
    history = [step(text) for text, _ in steps]
    path.write_bytes(docker_archive(image(*(layer(each) for _, each in steps), history=history)))
    return path


@dataclass(frozen=True)
class Project:
    """An image and all that there is of its build."""

    folder: Path

    @property
    def image(self) -> Path:
        """The image."""
        return self.folder / "app.tar"

    def options(self, **other: str) -> list[str]:
        """Return what is told of the build; ``other`` is told instead."""
        told = {
            "dockerfile": str(self.folder / "Dockerfile"),
            "stage": f"build={self.folder / 'build.tar'}",
            "context": str(self.folder / "context"),
        }
        return [word for name, value in (told | other).items() for word in (f"--{name}", value)]


@pytest.fixture
def project(alone: Path) -> Project:
    """The image, its Dockerfile, its build stage and its context."""
    (alone / "Dockerfile").write_text(DOCKERFILE)
    save(alone / "build.tar", BUILD)
    save(alone / "app.tar", FINAL)
    write_context(alone / "context", {"src/a.c": "int a;", "conf": "level=1"})
    return Project(alone)


def write_context(folder: Path, files: Mapping[str, str]) -> Path:
    """Write a build context."""
    for path, content in files.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(content)
        place.chmod(0o644)
        os.utime(place, (TIME, TIME))
    return folder


def records(cli: Cli, project: Project, *options: str) -> dict[str, Any]:
    """Return the record of each carried path."""
    answers = cli.checked_json("why", project.image, *CARRIED, *options)["data"]
    return {answer["path"]: answer["record"] for answer in answers}


def check(cli: Cli, project: Project, options: list[str], wrong: set[str]) -> dict[str, Any]:
    """Check that nothing but ``wrong`` is contradicted, and what exit codes say; return why."""
    for command in ("files", "layers", "stages"):
        cli.checked_json(command, project.image, *options)
    envelope = cli.checked_json("why", project.image, *CARRIED, *options)
    trusts = {answer["path"]: answer["record"]["trust"] for answer in envelope["data"]}
    assert {path for path, trust in trusts.items() if trust == "contradicted"} == wrong
    for path in CARRIED:
        code = 0 if trusts[path] == "verified" else 1
        cli.run("why", project.image, path, *options, "--require", "verified", code=code)
    assert not wrong & {path for path, trust in trusts.items() if trust == "verified"}
    return envelope


def newest(envelope: Mapping[str, Any], path: str) -> Mapping[str, Any]:
    """Return the newest hop of a path."""
    (answer,) = (answer for answer in envelope["data"] if answer["path"] == path)
    hop: Mapping[str, Any] = answer["hops"][0]
    return hop


def codes(envelope: Mapping[str, Any]) -> list[str]:
    """Return the codes of what was found."""
    return [finding["code"] for finding in envelope["findings"]]


def test_nothing_is_contradicted_when_all_is_of_the_build(cli: Cli, project: Project) -> None:
    """Every file is verified, so that the other tests show what is wrong and nothing else."""
    envelope = check(cli, project, project.options(), set())
    assert {answer["record"]["trust"] for answer in envelope["data"]} == {"verified"}
    assert codes(envelope) == []


@pytest.mark.parametrize(
    ("old", "new", "first"),
    [
        pytest.param(
            "RUN touch /done",
            "RUN touch /other",
            "line 7, RUN touch /other; the image has RUN touch /done",
            id="another command",
        ),
        pytest.param(
            "COPY conf /etc/conf\n",
            "",
            "line 6, RUN touch /done; the image has COPY conf /etc/conf",
            id="a step less",
        ),
        pytest.param(
            "RUN touch /done\n",
            "RUN touch /done\nRUN more\n",
            "line 8, RUN more; the image has no such step",
            id="a step more",
        ),
    ],
)
def test_a_wrong_dockerfile_is_contradicted_at_its_first_difference(
    cli: Cli, project: Project, old: str, new: str, first: str
) -> None:
    """No line of it is told of any file, nor is any other origin."""
    wrong = project.folder / "Wrong"
    wrong.write_text(DOCKERFILE.replace(old, new))
    envelope = check(cli, project, project.options(dockerfile=str(wrong)), set(CARRIED))
    assert codes(envelope) == ["dockerfile-contradicted"]
    assert f"first difference at {first}" in envelope["findings"][0]["message"]
    assert {answer["record"]["origin"]["line"] for answer in envelope["data"]} == {None}
    told = cli.run("why", project.image, "/done", *project.options(dockerfile=str(wrong)))
    assert f"first difference at {first}" in told.err


def test_a_stage_image_of_another_build_is_contradicted_by_its_content(
    cli: Cli, project: Project
) -> None:
    """The same Dockerfile built again made other bytes: what made those did not make these."""
    rebuilt = (*BUILD[:2], (BUILD[2][0], {"out": file(b"made later", mtime=TIME)}))
    other = save(project.folder / "other.tar", rebuilt)
    envelope = check(cli, project, project.options(stage=f"build={other}"), {"/app/out"})
    assert newest(envelope, "/app/out")["detail"] == "10 bytes there, 11 here (build:/out)"
    (answer, *_) = envelope["data"]
    assert answer["record"]["origin"]["kind"] == "unknown"


def test_a_stage_image_that_lacks_the_file_is_contradicted(cli: Cli, project: Project) -> None:
    """Nothing stands at the source path of the COPY."""
    lacking = (*BUILD[:2], (BUILD[2][0], {"elsewhere": b"made of a.c"}))
    other = save(project.folder / "other.tar", lacking)
    envelope = check(cli, project, project.options(stage=f"build={other}"), {"/app/out"})
    assert newest(envelope, "/app/out")["detail"] == "not there (build:/out)"


def test_a_stage_image_of_another_dockerfile_is_told_with_its_first_difference(
    cli: Cli, project: Project
) -> None:
    """Even where the copied content is the same, nothing that made it is verified."""
    changed = (*BUILD[:2], ("RUN /bin/sh -c cmake # buildkit", BUILD[2][1]))
    other = save(project.folder / "other.tar", changed)
    envelope = check(cli, project, project.options(stage=f"build={other}"), {"/app/out"})
    assert codes(envelope) == ["stage-contradicted"]
    message = envelope["findings"][0]["message"]
    assert message.startswith("the image given for stage build is of another build: ")
    assert "first difference at line 3, RUN make /src /out; the image has RUN cmake" in message


@pytest.mark.parametrize(
    ("files", "detail"),
    [
        pytest.param({"conf": "level=2"}, "other content there", id="other content"),
        pytest.param({"conf": "level=10"}, "8 bytes there, 7 here", id="another size"),
        pytest.param({"src/a.c": "int a;"}, "not there", id="no such file"),
        pytest.param({"conf/conf": "level=1"}, "a dir there, a file here", id="a directory"),
    ],
)
def test_a_wrong_context_is_contradicted_by_its_content(
    cli: Cli, project: Project, files: Mapping[str, str], detail: str
) -> None:
    """The file that COPY took stands otherwise in the context given."""
    other = write_context(project.folder / "other", files)
    envelope = check(cli, project, project.options(context=str(other)), {"/etc/conf"})
    assert newest(envelope, "/etc/conf")["detail"].startswith(detail)


def provenance(path: Path, text: str, lines: list[int]) -> Path:
    """Write a BuildKit provenance: one layer a line, on a base image."""
    steps: list[dict[str, Any]] = [
        {"id": "s0", "op": {"Op": {"source": {"identifier": "docker-image://base:1"}}}}
    ]
    for number in range(1, len(lines) + 1):
        op = {"Op": {"exec": {"mounts": [{"dest": "/"}]}}}
        steps.append({"id": f"s{number}", "inputs": [f"s{number - 1}:0"], "op": op})
    steps.append({"id": "end", "inputs": [f"s{len(lines)}:0"], "op": {"Op": {}}})
    places = {
        f"s{number}": {
            "locations": [{"ranges": [{"start": {"line": line}, "end": {"line": line}}]}]
        }
        for number, line in enumerate(lines, start=1)
    }
    data = base64.b64encode(text.encode()).decode()
    source = {"locations": places, "infos": [{"filename": "Dockerfile", "data": data}]}
    predicate = {
        "buildDefinition": {
            "externalParameters": {"request": {"frontend": "dockerfile.v0", "args": {}}},
            "internalParameters": {"buildConfig": {"llbDefinition": steps}},
        },
        "runDetails": {"metadata": {"buildkit_metadata": {"source": source}}},
    }
    path.write_text(json.dumps(predicate))
    return path


def test_a_provenance_of_this_build_contradicts_nothing(cli: Cli, project: Project) -> None:
    """So that those of other builds are contradicted for what they say."""
    own = provenance(project.folder / "own.json", DOCKERFILE, [5, 6, 7])
    check(cli, project, project.options(provenance=str(own)), set())


def test_the_ignore_file_of_a_dockerfile_elsewhere_is_not_known(cli: Cli, project: Project) -> None:
    """Patterns may stand beside the Dockerfile: without that, none is taken to have held."""
    own = provenance(project.folder / "own.json", DOCKERFILE, [5, 6, 7])
    context = project.folder / "context"
    (context / ".dockerignore").write_text("conf\n")
    words = (str(project.image), "/etc/conf", "--provenance", str(own), "--context", str(context))

    def trust() -> str:
        envelope = cli.checked_json("why", *words)
        return str(envelope["data"][0]["record"]["trust"])

    assert trust() == "verified"
    (context / "Dockerfile").write_text(DOCKERFILE)
    assert trust() == "contradicted"


@pytest.mark.parametrize(
    ("text", "lines", "first"),
    [
        pytest.param(
            DOCKERFILE.replace("touch /done", "touch /other"),
            [5, 6, 7],
            "first difference at line 7, RUN touch /other; the image has RUN touch /done",
            id="another dockerfile",
        ),
        pytest.param(
            DOCKERFILE, [6, 5, 7], "first difference at layer 1, for which it has line 6",
            id="another order",
        ),
        pytest.param(
            DOCKERFILE, [2, 3, 5, 6, 7], "it cannot have made 4 layers", id="more layers"
        ),
    ],
)  # fmt: skip
def test_a_provenance_of_another_image_is_contradicted_at_its_first_difference(
    cli: Cli, project: Project, text: str, lines: list[int], first: str
) -> None:
    """With the Dockerfile at hand or not, nothing is verified by its history any more."""
    other = provenance(project.folder / "other.json", text, lines)
    for options in (["--provenance", str(other)], project.options(provenance=str(other))):
        envelope = cli.checked_json("why", project.image, *CARRIED, *options)
        assert codes(envelope) == ["provenance-contradicted"]
        assert first in envelope["findings"][0]["message"]
        assert {answer["record"]["trust"] for answer in envelope["data"]} == {"contradicted"}
        cli.run("why", project.image, "/done", *options, "--require", "verified", code=1)


def test_a_dockerfile_that_is_not_the_provenance_s_own_is_contradicted(
    cli: Cli, project: Project
) -> None:
    """No history keeps ``--from``: only the provenance shows that the stage is another."""
    own = provenance(project.folder / "own.json", DOCKERFILE, [5, 6, 7])
    wrong = project.folder / "Wrong"
    wrong.write_text(DOCKERFILE.replace("--from=build", "--from=other:1"))
    options = ["--dockerfile", str(wrong), "--provenance", str(own)]
    envelope = check(cli, project, options, set(CARRIED))
    assert codes(envelope) == ["dockerfile-contradicted"]
    message = envelope["findings"][0]["message"]
    assert "first difference at line 5, COPY --from=other:1 /out /app/out" in message
    assert "the provenance has line 5, COPY --from=build /out /app/out" in message


def test_a_base_image_that_is_not_below_is_contradicted(cli: Cli, project: Project) -> None:
    """The lowest layers are not those of the base given."""
    other = save(project.folder / "base.tar", (("ADD rootfs /", {"bin/sh": b"another"}),))
    envelope = check(cli, project, project.options(base=str(other)), set(CARRIED))
    assert codes(envelope) == ["dockerfile-contradicted"]
    assert "layers that are not those of the base image given" in envelope["findings"][0]["message"]
