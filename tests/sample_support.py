"""The command under test, and what it must answer about the small samples.

The same checks hold for the archives beside the samples and for those a test builds anew.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROOT: Final = Path(__file__).resolve().parents[1]
SAMPLES: Final = ROOT / "sample_images"


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """``python -m layertrace``, with a cache of its own."""

    environment: Mapping[str, str]

    def run(self, *words: str | Path, timeout: float = 900) -> str:
        """Return what the command prints; it must end with 0."""
        done = subprocess.run(  # noqa: S603 - the command under test
            [sys.executable, "-m", "layertrace", *map(str, words)],
            cwd=ROOT,
            env=dict(self.environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        assert done.returncode == 0, f"{words}: exit {done.returncode}\n{done.stderr[-2000:]}"
        return done.stdout

    def json(self, *words: str | Path) -> dict[str, Any]:
        """Return the envelope of a reading command."""
        envelope: dict[str, Any] = json.loads(self.run(*words, "--json"))
        assert envelope["schema"] == f"layertrace.{words[0]}/1"
        return envelope


def tiny_answers(kind: str) -> dict[str, Any]:
    """Return the answers written beside ``tiny-app`` for one of its Dockerfiles."""
    text = (SAMPLES / "tiny-app" / "expected.json").read_text(encoding="utf-8")
    answers: dict[str, Any] = json.loads(text)[kind]
    return answers


def _fits(found: object, wanted: object) -> bool:
    """Whether a line is the expected one, or one of those expected."""
    return found in wanted if isinstance(wanted, list) else found == wanted


def _check_record(record: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    path = wanted["path"]
    for key in {"type", "layer", "change", "mode", "link_target", "trust"} & wanted.keys():
        assert record[key] == wanted[key], (path, key)
    for key, value in wanted["origin"].items():
        assert _fits(record["origin"][key], value), (path, key, record["origin"])
    made_here = wanted["origin"]["kind"] == "run"
    assert record["stage"] == (wanted["origin"]["stage"] if made_here else None), path


def _check_hops(path: str, hops: Sequence[Mapping[str, Any]], wanted: Sequence[Any]) -> None:
    found = [(hop["action"], hop["place"], hop["line"]) for hop in hops]
    assert len(found) == len(wanted), (path, found)
    for (action, place, line), (wanted_action, wanted_place, wanted_line) in zip(
        found, wanted, strict=True
    ):
        assert (action, place) == (wanted_action, wanted_place), (path, found)
        assert _fits(line, wanted_line), (path, found)


def check_files(layertrace: Command, archive: Path, expected: Mapping[str, Any]) -> None:
    """Layer, change, origin, trust and every hop are those written beside the sample."""
    wanted = {answer["path"]: answer for answer in expected["files"]}
    answers = layertrace.json("why", archive, *wanted)["data"]
    assert [answer["path"] for answer in answers] == list(wanted)
    for answer in answers:
        _check_record(answer["record"], wanted[answer["path"]])
        _check_hops(answer["path"], answer["hops"], wanted[answer["path"]]["hops"])


def check_contents(layertrace: Command, archive: Path, expected: Mapping[str, Any]) -> None:
    """The shipped bytes carry the words of the instruction that wrote them."""
    # One file for each origin: every answer starts the command anew.
    spoken = {str(a["origin"]["line"]): a for a in expected["files"] if "says" in a}
    for answer in spoken.values():
        assert answer["says"] in layertrace.run("cat", archive, answer["path"]), answer["path"]


def check_removed(layertrace: Command, archive: Path, expected: Mapping[str, Any]) -> None:
    """A removed file shows with ``--all`` only; what stayed behind never does."""
    shipped = {record["path"] for record in layertrace.json("files", archive)["data"]}
    every = layertrace.json("files", archive, "--all")["data"]
    removed = {record["path"] for record in every if record["change"] == "removed"}
    for path, _ in expected["removed"]:
        assert path in removed
        assert path not in shipped
    for path in expected["absent"]:
        assert not {name for name in shipped if name == path or name.startswith(f"{path}/")}


def check_heads(layertrace: Command, archive: Path, expected: Mapping[str, Any]) -> None:
    """Every layer above the base has its line, every stage its base and its carriers."""
    image = layertrace.json("stages", archive)["image"]
    assert image["size"] == expected["size"]
    base = sum(line is None for line, _ in expected["layers"])
    found = [[layer["line"], layer["instruction"]] for layer in image["layers"]]
    assert found[base:] == expected["layers"][base:]
    stages = [[stage["name"], stage["from"], stage["line"]] for stage in image["stages"]]
    assert stages == [[want["name"], want["from"], want["line"]] for want in expected["stages"]]
    for stage, want in zip(image["stages"], expected["stages"], strict=True):
        carriers = [carrier["line"] for carrier in stage["carried_by"]]
        assert carriers == want.get("carried_by", carriers)


class SampleAnswers:
    """Tests of one archive of a small sample, wherever it comes from.

    They ask for the fixtures ``archive``, ``kind`` and ``layertrace``.
    """

    def test_every_expected_file_has_its_answer(
        self, archive: Path, kind: str, layertrace: Command
    ) -> None:
        """Layer, change, origin, trust and hops are those written beside the sample."""
        check_files(layertrace, archive, tiny_answers(kind))

    def test_a_file_says_itself_what_made_it(
        self, archive: Path, kind: str, layertrace: Command
    ) -> None:
        """The shipped bytes carry the words of the instruction that wrote them."""
        check_contents(layertrace, archive, tiny_answers(kind))

    def test_removed_files_are_told_and_others_are_not_there(
        self, archive: Path, kind: str, layertrace: Command
    ) -> None:
        """A removed file shows with ``--all`` only; what stayed behind never does."""
        check_removed(layertrace, archive, tiny_answers(kind))

    def test_layers_and_stages_are_those_of_the_dockerfile(
        self, archive: Path, kind: str, layertrace: Command
    ) -> None:
        """Layers above the base have their lines, stages their bases and carriers."""
        check_heads(layertrace, archive, tiny_answers(kind))
