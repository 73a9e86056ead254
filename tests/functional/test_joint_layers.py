"""Images whose stages were committed as one layer, from the archive to the answer."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.builders import docker_archive, file, folder, image, layer, step

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.builders import Content, SampleImage
    from tests.cli_support import Cli

NOP: Final = "/bin/sh -c #(nop)"
HASH: Final = "0" * 64
DOCKERFILE: Final = """\
FROM base AS build
COPY src /src
RUN make
FROM base
WORKDIR /app
COPY --from=build /dist /app/dist
COPY conf /app/conf
RUN setup
CMD ["x"]
"""
BASE: Final = layer({"bin/sh": b"sh"})
BUILD_FILES: Final[Mapping[str, Content]] = {
    "src/": folder(), "src/a": file(b"a"), "dist/": folder(), "dist/app": file(b"app", mtime=5),
}  # fmt: skip
APP_FILES: Final[Mapping[str, Content]] = {
    "app/": folder(), "app/dist/": folder(), "app/dist/app": file(b"app", mtime=5),
    "app/conf": b"conf", "app/state": b"state",
}  # fmt: skip
BUILD: Final = image(
    BASE,
    layer(BUILD_FILES),
    history=[
        "ADD x",
        step(f"{NOP} COPY dir:{HASH} in /src ", empty=True),
        step("/bin/sh -c make", comment="FROM base"),
    ],
    tags=("build:1",),
)  # fmt: skip
APP: Final = image(
    BASE,
    layer(APP_FILES),
    history=[
        "ADD x",
        step(f"{NOP} WORKDIR /app", empty=True),
        step(f"{NOP} COPY dir:{HASH} in /app/dist ", empty=True),
        step(f"{NOP} COPY file:{HASH} in /app/conf ", empty=True),
        step("/bin/sh -c setup", empty=True),
        step(f'{NOP} CMD ["x"]', comment="FROM base"),
    ],
)  # fmt: skip


@pytest.fixture
def words(alone: Path) -> tuple[str | Path, ...]:
    """Write what is known of the build; return how to tell of it."""
    context = alone / "context"
    (context / "src").mkdir(parents=True)
    (context / "src" / "a").write_bytes(b"a")
    (context / "conf").write_bytes(b"conf")
    (alone / "Dockerfile").write_text(DOCKERFILE)
    (alone / "app.tar").write_bytes(docker_archive(APP))
    (alone / "build.tar").write_bytes(docker_archive(BUILD))
    return (
        alone / "app.tar", "-f", alone / "Dockerfile",
        "--context", context, "--stage", f"build={alone / 'build.tar'}",
    )  # fmt: skip


def _steps(one: SampleImage) -> list[dict[str, object]]:
    history: list[dict[str, object]] = json.loads(one.config)["history"]
    return history


def _origins(document: dict[str, Any]) -> dict[str, tuple[str, str | None, int | None]]:
    """Return kind, stage and line of every file's origin."""
    return {
        each["path"]: tuple(each["origin"][key] for key in ("kind", "stage", "line"))
        for each in document["data"]
        if each["type"] == "file"
    }


def test_files_of_one_layer_are_of_the_instructions_that_made_them(
    words: tuple[str | Path, ...], cli: Cli
) -> None:
    """What was copied is told by content, the rest is of the one RUN."""
    found = cli.checked_json("files", *words)
    assert _origins(found) == {
        "/bin/sh": ("base", "stage-1", 4),
        "/app/dist/app": ("run", "build", 3),
        "/app/conf": ("context", "stage-1", 7),
        "/app/state": ("run", "stage-1", 8),
    }
    trusts = {each["trust"] for each in found["data"] if not each["implicit"]}
    assert "unknown" not in trusts


def test_shares_of_one_layer_add_up_to_the_image(words: tuple[str | Path, ...], cli: Cli) -> None:
    """A stage is carried by the COPY that took from it, though the layer is not its alone."""
    document = cli.checked_json("stages", *words)
    rows = {each["name"]: each for each in document["data"]}
    assert rows["build"]["shipped_bytes"] == len("app")
    assert rows["build"]["carried_by"] == [
        {"layer": 1, "line": 6, "instruction": "COPY --from=build /dist /app/dist"}
    ]
    assert rows["stage-1"]["shipped_bytes"] == len("state")
    assert sum(each["shipped_bytes"] for each in rows.values()) == document["image"]["size"]


def test_layers_show_one_layer_of_several_instructions(
    words: tuple[str | Path, ...], cli: Cli
) -> None:
    """It has no line of its own, and names those that are in it."""
    document = cli.checked_json("layers", *words)
    below, joint = document["image"]["layers"]
    assert (joint["line"], joint["instruction"], joint["stage"]) == (None, None, "stage-1")
    assert joint["lines"] == [5, 6, 7, 8]
    assert (joint["evidence"], joint["trust"]) == ("declared", "verified")
    assert "lines" not in below
    assert [each["code"] for each in document["findings"]] == ["squashed-layers"] * 2
    row = cli.run("layers", *words).lines[2]
    assert row.split(maxsplit=2)[:2] == ["L2", "stage-1"]
    assert row.endswith("4 instructions in one layer, lines 5-8")


def test_base_at_hand_parts_the_layer_it_was_squashed_into(
    words: tuple[str | Path, ...], alone: Path, cli: Cli
) -> None:
    """What it has is its own, in a stage that was squashed like that as well."""
    for name, whole in (("app.tar", APP), ("build.tar", BUILD)):
        contents = {"bin/sh": file(b"sh"), **(APP_FILES if whole is APP else BUILD_FILES)}
        one = image(layer(contents), history=_steps(whole)[1:])
        (alone / name).write_bytes(docker_archive(one))
    (alone / "base.tar").write_bytes(docker_archive(image(BASE)))
    found = cli.checked_json("files", *words, "--base", alone / "base.tar")
    assert _origins(found) == {
        "/bin/sh": ("base", "stage-1", 4),
        "/app/dist/app": ("run", "build", 3),
        "/app/conf": ("context", "stage-1", 7),
        "/app/state": ("run", "stage-1", 8),
    }
    assert {each["trust"] for each in found["data"] if each["type"] == "file"} == {"inferred"}
    plain = cli.checked_json("files", *words)
    assert _origins(plain)["/app/state"] == ("unknown", None, None)


def test_base_at_hand_tells_its_triggers_in_such_a_layer(alone: Path, cli: Cli) -> None:
    """They ran in the layer that the base is in, and the Dockerfile has none of them."""
    base = image(BASE, runtime={"OnBuild": ["COPY conf /conf"]})
    whole = image(
        layer({"bin/sh": b"sh", "conf": b"conf", "state": b"state"}),
        history=[
            step(f"{NOP} COPY file:{HASH} in /conf ", empty=True),
            step("/bin/sh -c setup", comment="FROM base"),
        ],
    )
    (alone / "context").mkdir()
    (alone / "context" / "conf").write_bytes(b"conf")
    (alone / "Dockerfile").write_text("FROM base\nRUN setup\n")
    (alone / "app.tar").write_bytes(docker_archive(whole))
    (alone / "base.tar").write_bytes(docker_archive(base))
    words = (alone / "app.tar", "-f", alone / "Dockerfile", "--context", alone / "context")
    found = cli.checked_json("files", *words, "--base", alone / "base.tar")
    assert _origins(found) == {
        "/bin/sh": ("base", "stage-0", 1),
        "/conf": ("context", "stage-0", 1),
        "/state": ("run", "stage-0", 2),
    }
    assert set(_origins(cli.checked_json("files", *words)).values()) == {("unknown", None, None)}


def test_layer_of_one_instruction_and_the_base_is_nobodys(alone: Path, cli: Cli) -> None:
    """``--squash`` of buildah puts the base into the layer: it is of no stage alone."""
    (alone / "Dockerfile").write_text("FROM base\nRUN setup\n")
    squashed = image(
        layer({"bin/sh": b"sh"}), history=[step("/bin/sh -c setup", comment="FROM base")]
    )
    (alone / "app.tar").write_bytes(docker_archive(squashed))
    words = ("layers", alone / "app.tar", "-f", alone / "Dockerfile")
    (only,) = cli.checked_json(*words)["image"]["layers"]
    assert (only["stage"], only["line"], only["lines"]) == (None, None, [2])
    assert cli.run(*words).lines[1].endswith("1 instruction and more in one layer, line 2")
