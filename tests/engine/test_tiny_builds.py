"""The small samples, built anew by both builders, against their expected answers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.engine.engine_support import SAMPLES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from tests.engine.engine_support import Command

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module", params=["multistage", "regular"])
def kind(request: pytest.FixtureRequest) -> str:
    """Return which of the two Dockerfiles."""
    return str(request.param)


@pytest.fixture(scope="module")
def archive(
    kind: str,
    builder: str,
    make_bases: Callable[[str], None],
    export: Callable[[str, str, str], Path],
) -> Path:
    """Return the trace archive of one build."""
    make_bases("tiny")
    return export("tiny-app", kind, builder)


@pytest.fixture(scope="module")
def expected(kind: str) -> dict[str, Any]:
    """Return the answers written beside the sample."""
    answers: dict[str, Any] = json.loads((SAMPLES / "tiny-app" / "expected.json").read_text())[kind]
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


def test_every_expected_file_has_its_answer(
    archive: Path, layertrace: Command, expected: Mapping[str, Any]
) -> None:
    """Layer, change, origin, trust and every hop are those written beside the sample."""
    wanted = {answer["path"]: answer for answer in expected["files"]}
    answers = layertrace.json("why", archive, *wanted)["data"]
    assert [answer["path"] for answer in answers] == list(wanted)
    for answer in answers:
        _check_record(answer["record"], wanted[answer["path"]])
        _check_hops(answer["path"], answer["hops"], wanted[answer["path"]]["hops"])


def test_a_file_says_itself_what_made_it(
    archive: Path, layertrace: Command, expected: Mapping[str, Any]
) -> None:
    """The shipped bytes carry the words of the instruction that wrote them."""
    for answer in expected["files"]:
        if says := answer.get("says"):
            assert says in layertrace.run("cat", archive, answer["path"]), answer["path"]


def test_removed_files_are_told_and_others_are_not_there(
    archive: Path, layertrace: Command, expected: Mapping[str, Any]
) -> None:
    """A file that a RUN removed shows with ``--all`` only; what stayed behind never does."""
    shipped = {record["path"] for record in layertrace.json("files", archive)["data"]}
    every = layertrace.json("files", archive, "--all")["data"]
    removed = {r["path"]: r["layer"] for r in every if r["change"] == "removed"}
    for path, _ in expected["removed"]:
        assert path in removed
        assert path not in shipped
    for path in expected["absent"]:
        assert not {name for name in shipped if name == path or name.startswith(f"{path}/")}


def test_layers_and_stages_are_those_of_the_dockerfile(
    archive: Path, layertrace: Command, expected: Mapping[str, Any]
) -> None:
    """Every layer above the base has its line, every stage its base and its carriers."""
    image = layertrace.json("stages", archive)["image"]
    assert image["size"] == expected["size"]
    base = sum(line is None for line, _ in expected["layers"])
    found = [[layer["line"], layer["instruction"]] for layer in image["layers"]]
    assert found[base:] == expected["layers"][base:]
    assert len(image["stages"]) == len(expected["stages"])
    for stage, wanted in zip(image["stages"], expected["stages"], strict=True):
        assert (stage["name"], stage["from"], stage["line"]) == (
            wanted["name"],
            wanted["from"],
            wanted["line"],
        )
        lines = [carrier["line"] for carrier in stage["carried_by"]]
        assert lines == wanted.get("carried_by", lines)
