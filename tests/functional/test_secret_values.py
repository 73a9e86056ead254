"""No value of a secret is in anything that an audit writes."""

from __future__ import annotations

import re
import traceback
from typing import TYPE_CHECKING, Final

import pytest

from layertrace.views.commands import audit as command
from tests.builders import docker_archive, image, layer, step
from tests.cli_support import Cli
from tests.planted import Grower, Plant, all_plants

if TYPE_CHECKING:
    from pathlib import Path

GROWER: Final = Grower(17)
PASSWORD: Final = GROWER.draw(20)
TOKEN: Final = GROWER.github()
PLANTS: Final = (
    *all_plants(),
    Plant(kind="variable", path="", content=b"", value=PASSWORD),
    Plant(kind="argument", path="", content=b"", value=TOKEN),
)
FORMATS: Final = ("text", "json", "sarif", "junit", "markdown", "github")


@pytest.fixture
def planted(tmp_path: Path) -> Path:
    """Return an archive with every kind of secret: in files, some removed, and in its history."""
    files = {plant.path: plant.content for plant in all_plants()}
    gone = {f"{p.rpartition('/')[0]}/.wh.{p.rpartition('/')[2]}": b"" for p in [*files][::2]}
    made = image(
        layer(files),
        layer(gone),
        layer({"x": b"x"}),
        history=[
            step(f"ENV DB_PASSWORD={PASSWORD}", empty=True),
            "ADD base /",
            "RUN rm # buildkit",
            f"RUN |1 GH_TOKEN={TOKEN} /bin/sh -c curl -u me:$GH_TOKEN # buildkit",
        ],
        runtime={"Env": [f"DB_PASSWORD={PASSWORD}"]},
    )
    path = tmp_path / "image.tar"
    path.write_bytes(docker_archive(made))
    (tmp_path / "Dockerfile").write_text(
        f"FROM base\nENV DB_PASSWORD={PASSWORD}\nCOPY . /\nRUN rm\n"
        f"ARG GH_TOKEN={TOKEN}\nRUN curl -u me:$GH_TOKEN\n",
        encoding="utf-8",
    )
    return path


def shown_of(text: str) -> list[Plant]:
    """Return the secrets of which a text holds the value, or a long part of it."""
    unescaped = re.sub(r"\\(.)", r"\1", text)
    return [
        plant
        for plant in PLANTS
        if any(
            plant.value[start : start + 14] in each
            for each in (text, unescaped)
            for start in range(12, max(13, len(plant.value) - 14), 7)
        )
    ]


@pytest.mark.parametrize("dockerfile", [False, True])
@pytest.mark.parametrize("form", FORMATS)
def test_no_format_shows_a_value(
    planted: Path, capsysbinary: pytest.CaptureFixture[bytes], form: str, *, dockerfile: bool
) -> None:
    """The secrets are told by kind, path and line; stdout and stderr hold none of them."""
    words = ["-f", str(planted.parent / "Dockerfile")] if dockerfile else []
    answer = Cli(capsysbinary).run(
        "audit", planted, *words, "--format", form, "--rule", "no-secrets", "--all", code=1
    )
    assert "GitHub token" in answer.out
    assert shown_of(answer.out + answer.err) == []


def test_no_traceback_shows_a_value(
    planted: Path,
    capsysbinary: pytest.CaptureFixture[bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A bug told with --debug shows no value either: neither message nor code line holds one."""

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(command, "_write", broken)
    with pytest.raises(RuntimeError, match="broken") as caught:
        Cli(capsysbinary).run("--debug", "audit", planted, "--rule", "no-secrets")
    answer = capsysbinary.readouterr()
    told = "".join(traceback.format_exception(caught.value)) + repr(answer)
    assert shown_of(told) == []
