"""What random builds leave out, in one Dockerfile that both builders take.

Triggers of a base that BuildKit made, an escape directive, a SHELL, names with spaces
and backslashes, an argument nobody told of, a Dockerfile outside of its context, and
``docker commit`` upon it all. Each file says its own origin, ``kind|line|path``.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from secrets import token_hex
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.engine_support import LABEL, docker

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.sample_support import Command

pytestmark = pytest.mark.engine

NAME: Final = f"layertrace.odd.{token_hex(6)}"
BASE: Final = f"""\
FROM {LABEL}/shell:1
CMD ["sh"]
ONBUILD COPY trigger.txt /triggered/
ONBUILD RUN echo 'run|3|/ran' > /ran
"""
DOCKERFILE: Final = f"""\
# escape=`
ARG TAG
FROM {NAME}/base:${{TAG:-1}} AS build
SHELL ["/bin/sh", "-eu", "-c"]
RUN mkdir /out `
    && echo 'run|5|/out/a' > /out/a
COPY ["sp ace/b.txt", "/out/b\\\\c/"]
FROM {LABEL}/shell:1
ENV PLACE=/srv
ARG WHERE
COPY --from=build /$WHERE $PLACE/
COPY --from=0 /triggered /ran /onb/
COPY --from=0 ["/out/b\\\\c/b.txt", "/named"]
COPY . /all/
"""
CONTEXT: Final = ("trigger.txt", "sp ace/b.txt", "src/c.txt")
CARRIED: Final = {
    "/srv/a": ("run", 5, "/out/a"),
    "/srv/b\\c/b.txt": ("context", 7, "sp ace/b.txt"),
    "/onb/trigger.txt": ("context", 3, "trigger.txt"),
    "/onb/ran": ("run", 3, "/ran"),
    "/named": ("context", 7, "sp ace/b.txt"),
    **{f"/all/{path}": ("context", 14, path) for path in (*CONTEXT, ".dockerignore")},
}


@dataclass(frozen=True)
class Built:
    """The image of a build, of its first stage and of a commit, saved, and what it was made of."""

    folder: Path
    builder: str

    def told(self, layertrace: Command, image: str, *words: str | Path) -> Mapping[str, Any]:
        """Return the records of the carried files; nothing at all may be contradicted."""
        options = ("-f", self.folder / "Dockerfile", *words)
        answer = json.loads(layertrace.run("files", self.folder / image, *options, "--json"))
        assert not [f for f in answer["findings"] if "contradicted" in f["code"]], answer
        assert not [r for r in answer["data"] if r["trust"] == "contradicted"]
        return {r["path"]: r for r in answer["data"] if r["path"] in CARRIED}


@pytest.fixture(scope="module")
def built(builder: str, shell: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Built]:
    """Build it all; what was made in the engine is removed at the end."""
    folder = tmp_path_factory.mktemp(f"odd-{builder}")
    context = folder / "context"
    for path in CONTEXT:
        (context / path).parent.mkdir(parents=True, exist_ok=True)
        # Else the builders' caches know the files, with other times.
        (context / path).write_text(f"context||{path}\n{token_hex(4)}\n")
    (context / ".dockerignore").write_text("*.log\n")
    (context / "left-out.log").write_text("log\n")
    (folder / "Dockerfile").write_text(DOCKERFILE)
    (folder / "base").mkdir()
    (folder / "base" / "Dockerfile").write_text(BASE)
    docker("build", "--network=none", "-t", f"{NAME}/base:1", folder / "base", builder="buildkit")
    what = ("--network=none", "--build-arg=WHERE=out", "-f", folder / "Dockerfile", context)
    docker("build", "-t", f"{NAME}/app:1", *what, builder=builder)
    docker("build", "--target=build", "-t", f"{NAME}/build:1", *what, builder=builder)
    container = docker("create", f"{NAME}/app:1", "sh", "-c", "edit")
    docker("cp", folder / "Dockerfile", f"{container}:/committed")
    docker("commit", container, f"{NAME}/committed:1")
    docker("rm", container)
    names = ("app", "build", "committed", "base")
    for name in names:
        docker("save", "-o", folder / f"{name}.tar", f"{NAME}/{name}:1")
    docker("save", "-o", folder / "shell.tar", shell)
    yield Built(folder, builder)
    docker("rmi", "-f", *(f"{NAME}/{name}:1" for name in names))
    shutil.rmtree(folder)


def _is_true(record: Mapping[str, Any]) -> bool:
    origin = record["origin"]
    told = (origin["kind"], origin["line"], origin["path"])
    return all(a in {None, b} for a, b in zip(told, CARRIED[record["path"]], strict=True))


def test_no_origin_is_wrong_without_the_stages(built: Built, layertrace: Command) -> None:
    """The triggers are in no history, and an argument is missing: that is unknown at most."""
    for more in ((), ("--context", built.folder / "context")):
        told = built.told(layertrace, "app.tar", *more)
        assert told.keys() == CARRIED.keys()
        for record in told.values():
            assert record["origin"]["kind"] == "unknown" or _is_true(record), record


def test_every_origin_is_known_with_the_stages(built: Built, layertrace: Command) -> None:
    """With context, stage and base nothing is open but what the stage's own base may hold."""
    more = ("--context", built.folder / "context", "--stage", f"build={built.folder / 'build.tar'}")
    arguments = ("--build-arg", "WHERE=out", "--base", built.folder / "shell.tar")
    told = built.told(layertrace, "app.tar", *more, *arguments)
    for path, record in told.items():
        if path.startswith("/onb/"):
            # That base is not given: it, or a trigger of it.
            assert record["origin"]["kind"] == "unknown" or _is_true(record), record
            continue
        assert _is_true(record), record
        # The classic client sent another ignore file than there is.
        assert record["trust"] == "verified" or path.endswith(".dockerignore"), record


def test_what_was_committed_is_told_from_the_build(built: Built, layertrace: Command) -> None:
    """BuildKit's steps bear its mark; among the classic builder's a commit looks like a RUN."""
    words = ("-f", built.folder / "Dockerfile", "--build-arg", "WHERE=out")
    answer = layertrace.json("files", built.folder / "committed.tar", *words)
    codes = [finding["code"] for finding in answer["findings"]]
    found = {record["path"]: record for record in answer["data"]}
    assert found["/committed"]["trust"] in {"unknown", "contradicted"}
    if built.builder == "classic":
        assert codes == ["dockerfile-contradicted"]
    else:
        assert codes == ["added-layers"]
        assert found["/all/src/c.txt"]["origin"]["line"] == CARRIED["/all/src/c.txt"][1]
