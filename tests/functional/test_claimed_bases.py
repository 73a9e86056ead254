"""Bases that images name in their annotations and labels: told, and never taken for a proof."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import pytest

from layertrace.archive.base_claim import read_claim
from layertrace.model.image import ClaimPlace
from tests.builders import docker_archive, file, image, layer, oci_files, sha256
from tests.fake_engine import FakeEngine, serving

if TYPE_CHECKING:
    from pathlib import Path

    from tests.builders import SampleImage
    from tests.cli_support import Cli

PREFIX: Final = "org.opencontainers.image.base"
DIGEST: Final = f"sha256:{'1' * 64}"
BASE: Final = image(layer({"bin/sh": b"sh"}), tags=("base:1",))
APP: Final = image(BASE.layers[0], layer({"app": file(b"app")}), history=["a", "RUN make # b"])
LABELLED: Final = image(*APP.layers, runtime={"Labels": {f"{PREFIX}.name": "base:1"}})


def _write(path: Path, *, manifest: object = None, index: dict[str, str] | None = None) -> Path:
    """Write the image as a layout whose manifest, or its descriptor, has annotations."""
    files = dict(oci_files(APP))
    document: dict[str, Any] = json.loads(bytes(files["index.json"]))  # type: ignore[arg-type]
    (listed,) = document["manifests"]
    name = "blobs/" + listed["digest"].replace(":", "/")
    text = json.loads(bytes(files.pop(name)))  # type: ignore[arg-type]
    if manifest is not None:
        text["annotations"] = manifest
    data = json.dumps(text).encode()
    listed["digest"], listed["size"] = sha256(data), len(data)
    listed["annotations"] = {**listed.get("annotations", {}), **(index or {})}
    files["blobs/" + sha256(data).replace(":", "/")] = data
    files["index.json"] = json.dumps(document).encode()
    path.write_bytes(layer(files))
    return path


def _finding(cli: Cli, *words: str | Path) -> dict[str, Any] | None:
    found = cli.checked_json("layers", *words)["findings"]
    return next((each for each in found if each["code"] == "base-recorded"), None)


def test_annotations_of_the_manifest_come_first(alone: Path, cli: Cli) -> None:
    """What is recorded there is told, with its digest, and that nothing was compared."""
    path = _write(
        alone / "app.tar",
        manifest={f"{PREFIX}.name": "base:1", f"{PREFIX}.digest": DIGEST},
        index={f"{PREFIX}.name": "other:2"},
    )
    finding = _finding(cli, path)
    assert finding is not None
    assert finding["message"] == (
        "the image's manifest says that its base is base:1 (sha256:111111111111…): "
        "recorded, and compared with nothing; give --base IMAGE"
    )
    assert (finding["name"], finding["digest"], finding["place"]) == ("base:1", DIGEST, "manifest")
    data = cli.checked_json("why", path, "/bin/sh")["data"]
    assert data[0]["record"]["origin"]["kind"] != "base"


def test_annotations_of_the_index_and_labels_are_told_as_such(alone: Path, cli: Cli) -> None:
    """A label may be the base image's own."""
    finding = _finding(cli, _write(alone / "app.tar", index={f"{PREFIX}.name": "other:2"}))
    assert finding is not None
    assert finding["message"].startswith("the image's index says that its base is other:2: ")
    (alone / "labelled.tar").write_bytes(docker_archive(LABELLED))
    finding = _finding(cli, alone / "labelled.tar")
    assert finding is not None
    assert "labels say that its base is base:1, or its base was labelled so" in finding["message"]


def test_a_base_that_is_given_or_in_the_dockerfile_needs_no_word(alone: Path, cli: Cli) -> None:
    """The layers tell that a given base is below; a FROM without a value tells nothing."""
    path = _write(alone / "app.tar", manifest={f"{PREFIX}.name": "base:1"})
    (alone / "base.tar").write_bytes(docker_archive(BASE))
    assert _finding(cli, path, "--base", alone / "base.tar") is None
    for start, told in (("base:1", False), ("$BASE", True)):
        (alone / "Dockerfile").write_text(f"ARG BASE\nFROM {start}\nRUN make\n")
        finding = _finding(cli, path, "-f", alone / "Dockerfile")
        assert (finding is not None) == told


@pytest.mark.parametrize("known", [BASE, image(layer({"x": b"x"}), tags=("base:1",))])
def test_a_base_in_the_engine_counts_where_it_is_below(
    alone: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch, known: SampleImage
) -> None:
    """Its layers are the image's lowest, or it is another by now and nothing is tied."""
    engine = FakeEngine(saved=docker_archive(LABELLED))
    engine.add(known)
    name = engine.add(LABELLED)
    monkeypatch.setenv("DOCKER_HOST", f"unix://{alone}/engine.sock")
    with serving(engine, alone / "engine.sock"):
        envelope = cli.checked_json("why", f"docker-daemon:{name}", "/bin/sh")
    record = envelope["data"][0]["record"]
    codes = {finding["code"] for finding in envelope["findings"]}
    if known is BASE:
        assert (record["origin"]["kind"], record["origin"]["image"]) == ("base", "base:1")
        assert record["trust"] == "verified"
        assert "base-recorded" not in codes
    else:
        assert record["origin"]["kind"] != "base"
        assert "base-recorded" in codes


@pytest.mark.parametrize(
    ("texts", "reference"),
    [
        ({f"{PREFIX}.name": "docker.io/library/node:20-slim"}, "docker.io/library/node:20-slim"),
        ({f"{PREFIX}.name": "host:5000/a/b"}, "host:5000/a/b"),
        ({f"{PREFIX}.name": f"a:1@{DIGEST}"}, f"a:1@{DIGEST}"),
        ({f"{PREFIX}.digest": DIGEST}, DIGEST),
        ({f"{PREFIX}.name": "a", f"{PREFIX}.digest": "md5:x"}, "a"),
        ({f"{PREFIX}.name": "../containers/json?x="}, None),
        ({f"{PREFIX}.name": "a/../../b"}, None),
        ({f"{PREFIX}.name": ["a"]}, None),
        ({}, None),
        ([], None),
        (None, None),
    ],
)
def test_only_what_can_be_a_reference_is_taken(texts: object, reference: str | None) -> None:
    """Annotations come from anyone, and an engine is asked for what they name."""
    claim = read_claim(texts, ClaimPlace.MANIFEST)
    assert (None if claim is None else claim.reference) == reference
