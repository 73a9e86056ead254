"""The engine's record of its builds, as the buildx plugin tells it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from layertrace.archive import build_history
from layertrace.archive.build_history import find_build_record

if TYPE_CHECKING:
    from pathlib import Path

IMAGE = "sha256:12fe9e77cf8619eb40118bde3b1358e60beebeed13510109b34e346ef8de4894"
CREATED = "2026-11-23T11:27:21.433625855Z"
V02, V1 = "https://slsa.dev/provenance/v0.2", "https://slsa.dev/provenance/v1"
# As buildx 0.29 prints it for an engine 28.5.
LISTED = (
    '{"cached_steps":10,"completed_at":"2026-11-23T11:27:22.901423232Z","completed_steps":16,'
    '"created_at":"2026-11-23T11:27:22.862448949Z","name":"ctx",'
    '"ref":"default/default/8hhrpqabou3qcsjugj7c21cz5","status":"Completed","total_steps":16}\n'
    '{"cached_steps":0,"completed_at":"2026-11-23T11:27:21.484242752Z","completed_steps":16,'
    '"created_at":"2026-11-23T11:27:20.9997666Z","name":"ctx",'
    '"ref":"default/default/3til5ji6c5myjghkvdom4wilo","status":"Completed","total_steps":16}\n'
)
FIRST, SECOND = "3til5ji6c5myjghkvdom4wilo", "8hhrpqabou3qcsjugj7c21cz5"


class Docker:
    """A ``docker`` whose plugin tells of builds; it notes what it was asked."""

    def __init__(self, folder: Path) -> None:
        """Put it into a folder for PATH."""
        folder.mkdir()
        self.folder = folder
        (folder / "docker").write_text(
            f'#!/bin/sh\necho "$*" >>{folder}/asked\n'
            f'exec /bin/cat "{folder}/$(echo "$*" | /usr/bin/tr " /:" ___)" 2>&1\n'
        )
        (folder / "docker").chmod(0o755)

    def answers(self, words: str, answer: str) -> Docker:
        """Give the answer to a command; to any other it fails."""
        (self.folder / words.translate(str.maketrans(" /:", "___"))).write_text(answer)
        return self

    def lists(self, listed: str = LISTED) -> Docker:
        """Answer with a list of builds."""
        return self.answers("buildx history ls --format json", listed)

    def record(self, reference: str, *attachments: tuple[str, str]) -> Docker:
        """Answer with the record of a build, digests and kinds of what is attached to it."""
        listed = [{"Digest": digest, "Type": kind} for digest, kind in attachments]
        words = f"buildx history inspect {reference} --format json"
        return self.answers(words, json.dumps({"Name": "ctx", "Attachments": listed}))

    def attached(self, reference: str, kind: str, data: str) -> Docker:
        """Answer with what is attached to a build."""
        return self.answers(f"buildx history inspect attachment {reference} --type {kind}", data)

    @property
    def asked(self) -> list[str]:
        """The commands it was given."""
        return (self.folder / "asked").read_text().splitlines()


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Docker:
    """The only docker on PATH."""
    made = Docker(tmp_path / "bin")
    monkeypatch.setenv("PATH", str(made.folder))
    return made


@pytest.mark.parametrize("kind", [V02, V1])
def test_record_of_the_build_that_made_the_image_is_found(docker: Docker, kind: str) -> None:
    """The one that ran when the image was made and names it, in either version."""
    docker.lists().record(
        FIRST, (IMAGE, "application/vnd.docker.container.image.v1+json"), ("sha256:1", kind)
    )
    docker.attached(FIRST, kind, '{"buildType": "x"}')
    assert find_build_record(IMAGE, CREATED) == b'{"buildType": "x"}'
    assert not any(SECOND in words for words in docker.asked)


@pytest.mark.parametrize(
    ("image", "created"),
    [
        pytest.param("sha256:00", CREATED, id="another image"),
        pytest.param(IMAGE, "2026-11-23T11:27:21.999Z", id="made between two builds"),
        pytest.param(IMAGE, "2026-11-23T11:27:20.9997665Z", id="made before"),
        pytest.param(IMAGE, "0001-01-01T00:00:00Z", id="without a time"),
        pytest.param(IMAGE, "", id="time not told"),
        pytest.param(IMAGE, "2026-11-23T11:27:21+01:00", id="time of another zone"),
    ],
)
def test_record_of_another_build_is_none(docker: Docker, image: str, created: str) -> None:
    """By time alone no build is taken for the image's."""
    docker.lists().record(FIRST, (IMAGE, "image"), ("sha256:1", V1)).attached(FIRST, V1, "{}")
    assert find_build_record(image, created) is None


def test_build_without_provenance_tells_nothing(docker: Docker) -> None:
    """Or with one that cannot be had."""
    docker.lists().record(FIRST, (IMAGE, "image"))
    assert find_build_record(IMAGE, CREATED) is None
    docker.record(FIRST, (IMAGE, "image"), ("sha256:1", V1))
    assert find_build_record(IMAGE, CREATED) is None


def test_plugin_that_is_too_old_or_missing_is_passed_over(
    docker: Docker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A docker further down PATH may have it."""
    assert find_build_record(IMAGE, CREATED) is None
    newer = Docker(tmp_path / "newer").lists().record(FIRST, (IMAGE, "image"), ("sha256:1", V1))
    newer.attached(FIRST, V1, "{}")
    monkeypatch.setenv("PATH", f"{docker.folder}:{newer.folder}")
    assert find_build_record(IMAGE, CREATED) == b"{}"


@pytest.mark.parametrize("listed", ["[", "[]", '{"created_at": 7}', '{"ref": "x"}', "\n"])
def test_answer_of_another_shape_is_no_answer(docker: Docker, listed: str) -> None:
    """The image is none the worse."""
    docker.lists(listed)
    assert find_build_record(IMAGE, CREATED) is None


def test_few_builds_are_looked_into(docker: Docker) -> None:
    """A farm that builds all day must not make opening slow."""
    line = LISTED.splitlines()[1]
    docker.lists("\n".join(line.replace(FIRST, f"b{number}") for number in range(50)))
    assert find_build_record(IMAGE, CREATED) is None
    assert len(docker.asked) == 1 + build_history.MAX_ASKED
