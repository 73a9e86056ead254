"""Provenance statements read, and found beside the image they are about."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import pytest

from layertrace.archive.attestation import decode_attestation
from layertrace.archive.oci_layout import find_attestation
from layertrace.archive.store import open_store
from layertrace.errors import ArchiveError, DecodeError, DigestMismatchError
from layertrace.model.attestation import Edge, LineRange, StepKind, Wire
from tests.builders import (
    Content,
    blob_name,
    from_json,
    image,
    layer,
    oci_files,
    sha256,
    to_json,
    write_folder,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from layertrace.model.attestation import Attestation, BuildStep

DOCKERFILE = "FROM base\nRUN make\n"
V02_METADATA = "https://mobyproject.org/buildkit@v1#metadata"


def decode(document: object) -> Attestation:
    """Return what a document says."""
    return decode_attestation(to_json(document), document="prov.json")


def parts(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Return the parts that both versions hold, each in its own place."""
    usual: dict[str, Any] = {
        "steps": [{"id": "step0", "op": {"Op": {"source": {"identifier": "local://context"}}}}],
        "locations": {},
        "infos": [{"filename": "app.Dockerfile", "data": encoded(DOCKERFILE)}],
        "layers": {},
        "args": {},
        "materials": [],
    }
    return usual | changes


def encoded(text: str) -> str:
    """Return a Dockerfile as provenance holds it."""
    return base64.b64encode(text.encode()).decode()


def v1(**changes: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return a bare predicate of SLSA v1."""
    has = parts(**changes)
    source = {"locations": has["locations"], "infos": has["infos"]}
    return {
        "buildDefinition": {
            "externalParameters": {"request": {"frontend": "dockerfile.v0", "args": has["args"]}},
            "internalParameters": {"buildConfig": {"llbDefinition": has["steps"]}},
            "resolvedDependencies": has["materials"],
        },
        "runDetails": {
            "metadata": {"buildkit_metadata": {"source": source, "layers": has["layers"]}}
        },
    }


def v02(**changes: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return a bare predicate of SLSA v0.2."""
    has = parts(**changes)
    source = {"locations": has["locations"], "infos": has["infos"]}
    return {
        "invocation": {"parameters": {"frontend": "dockerfile.v0", "args": has["args"]}},
        "buildConfig": {"llbDefinition": has["steps"]},
        "materials": has["materials"],
        "metadata": {V02_METADATA: {"source": source, "layers": has["layers"]}},
    }


def statement(predicate: object, *digests: str) -> dict[str, Any]:
    """Return an in-toto statement about manifests."""
    subjects = [{"name": "app", "digest": {"sha256": digest}} for digest in digests]
    return {"_type": "https://in-toto.io/Statement/v0.1", "subject": subjects} | {
        "predicate": predicate
    }


FULL = {
    "args": {
        "target": "app",
        "build-arg:V": "1",
        "context:src": "local:src",
        "label:x": "y",
    },
    "materials": [
        {
            "uri": "pkg:docker/acme/tools@1?platform=linux%2Famd64",
            "digest": {"sha256": "ab" * 32},
        },
        {"uri": "pkg:docker/host%3A5000/app"},
        {"uri": "https://example.org/a.tar", "digest": {}},
    ],
    "layers": {"step1:0": [[{"digest": "sha256:01"}, {"digest": "sha256:02"}], [{}]]},
}


@pytest.mark.parametrize("predicate", [v1(**FULL), v02(**FULL)], ids=["v1", "v0.2"])
@pytest.mark.parametrize("whole", [True, False], ids=["statement", "predicate"])
def test_every_version_says_the_same(predicate: dict[str, Any], *, whole: bool) -> None:
    """Statement or bare predicate, v0.2 or v1: the same attestation comes of it."""
    found = decode(statement(predicate, "cd" * 32) if whole else predicate)
    assert found.target == "app"
    assert found.build_args == {"V": "1"}
    assert found.contexts == {"src": "local:src"}
    assert found.dockerfiles == (DOCKERFILE,)
    assert found.dockerfile_name == "app.Dockerfile"
    assert found.subjects == ((f"sha256:{'cd' * 32}",) if whole else ())
    assert found.chains == (("sha256:01", "sha256:02"), ("",))
    assert [(m.reference, m.digest) for m in found.materials] == [
        ("acme/tools:1", f"sha256:{'ab' * 32}"),
        ("host:5000/app", ""),
        ("", ""),
    ]
    assert [s.source for s in found.steps] == ["local://context"]


def test_the_least_mode_tells_bases_and_contexts_alone() -> None:
    """mode=min has neither graph nor Dockerfile; the request is there."""
    predicate = v1(**FULL)
    del predicate["buildDefinition"]["internalParameters"]["buildConfig"]
    del predicate["runDetails"]["metadata"]["buildkit_metadata"]
    found = decode(predicate)
    assert (found.steps, found.dockerfiles, found.chains) == ((), (), ())
    assert found.dockerfile_name == "Dockerfile"
    assert found.contexts == {"src": "local:src"}
    assert len(found.materials) == 3
    assert found.is_min
    assert not decode(v1(**FULL)).is_min


def test_another_builders_provenance_tells_of_no_contexts() -> None:
    """Whether there were named contexts is not known from a request of another shape."""
    found = decode({"buildDefinition": {"externalParameters": {"workflow": {}}}})
    assert found.contexts is None
    assert found.steps == ()
    assert not found.is_min


def one_step(operation: object, **more: Any) -> BuildStep:  # noqa: ANN401
    """Return the step that an operation is decoded to."""
    return decode(v1(steps=[{"id": "step0", "op": {"Op": operation}} | more])).steps[0]


@pytest.mark.parametrize(
    ("operation", "kind", "wires"),
    [
        pytest.param({}, StepKind.TERMINAL, (), id="empty: terminal"),
        pytest.param(None, StepKind.TERMINAL, (), id="null: terminal, older builders"),
        pytest.param({"source": {"identifier": "x"}}, StepKind.SOURCE, (), id="source"),
        pytest.param({"diff": {}}, StepKind.OTHER, (), id="anything else"),
        pytest.param(
            {"file": {"actions": [{"input": 0, "output": -1}, {"input": 2, "output": 0}, {}]}},
            StepKind.FILE,
            (Wire(0, -1), Wire(2, 0), Wire(0, 0)),
            id="file actions, zeros left out",
        ),
        pytest.param(
            {"exec": {"mounts": [{"dest": "/"}, {"input": 1, "output": -1}, {"input": -1}]}},
            StepKind.EXEC,
            (Wire(0, 0), Wire(1, -1), Wire(-1, 0)),
            id="exec mounts, zeros left out",
        ),
        pytest.param(
            {"merge": {"inputs": [{}, {"input": 1}]}},
            StepKind.MERGE,
            (Wire(0, 0), Wire(1, 0)),
            id="merge, zeros left out",
        ),
    ],
)
def test_operations_are_decoded(operation: object, kind: StepKind, wires: tuple[Wire, ...]) -> None:
    """Each kind of operation gives its wiring."""
    step = one_step(operation)
    assert (step.kind, step.wires) == (kind, wires)


def test_inputs_are_edges() -> None:
    """An input names a step and which of its outputs."""
    step = one_step({}, inputs=["step7:0", "step8:12"])
    assert step.inputs == (Edge("step7", 0), Edge("step8", 12))


@pytest.mark.parametrize(
    ("location", "lines"),
    [
        pytest.param({}, (), id="none: contexts, heredocs"),
        pytest.param({"locations": [{"ranges": []}]}, (), id="no ranges"),
        pytest.param(
            {"locations": [{"ranges": [{"start": {"line": 9}, "end": {"line": 9}},
                                       {"start": {"line": 8}, "end": {"line": 8}}]}]},
            (LineRange(0, 8, 9),),
            id="a range a line, in any order",
        ),
        pytest.param(
            {"locations": [{"ranges": [{"start": {"line": 3}, "end": {"line": 4}}]},
                           {"sourceIndex": 1, "ranges": [{"start": {}, "end": {"line": 1}}]}]},
            (LineRange(0, 3, 4), LineRange(1, 0, 1)),
            id="several places, one in the second Dockerfile",
        ),
    ],
)  # fmt: skip
def test_locations_are_decoded(location: object, lines: tuple[LineRange, ...]) -> None:
    """A step's lines are the least and the greatest of each of its places."""
    found = decode(v1(locations={"step0": location}))
    assert found.steps[0].lines == lines


def _steps(step: object) -> dict[str, Any]:
    return v1(steps=[step])


@pytest.mark.parametrize(
    ("document", "where"),
    [
        pytest.param([], "document", id="not an object"),
        pytest.param({"subject": {}}, "subject", id="subjects no list"),
        pytest.param({"predicate": 5}, "predicate", id="predicate a number"),
        pytest.param(_steps({"op": {}}), "llbDefinition[0].id", id="no id"),
        pytest.param(_steps({"id": "s", "inputs": ["s"]}), ".inputs[0]", id="no output"),
        pytest.param(_steps({"id": "s", "inputs": ["s:-1"]}), ".inputs[0]", id="below 0"),
        pytest.param(
            _steps({"id": "s", "inputs": ["s:" + "9" * 5000]}), ".inputs[0]", id="beyond reason"
        ),
        pytest.param(_steps({"id": "s", "inputs": [":1"]}), ".inputs[0]", id="no step"),
        pytest.param(_steps({"id": "s", "op": {"Op": []}}), ".op.Op", id="operation a list"),
        pytest.param(
            _steps({"id": "s", "op": {"Op": {"file": {"actions": [{"input": "0"}]}}}}),
            ".actions[0].input",
            id="input a string",
        ),
        pytest.param(
            v1(locations={"step0": {"locations": [{"ranges": [{"start": {"line": "1"}}]}]}}),
            ".ranges[0].start.line",
            id="line a string",
        ),
        pytest.param(v1(infos=[{"data": "%"}]), ".infos[0].data", id="not base64"),
        pytest.param(v1(infos=[{"data": "é"}]), ".infos[0].data", id="not even ASCII"),
        pytest.param(v1(args={"target": 1}), ".args.target", id="an argument a number"),
        pytest.param(v1(layers=[]), ".layers", id="layers a list"),
        pytest.param(v02(materials=[{"uri": 1}]), "materials[0].uri", id="uri a number"),
    ],
)
def test_what_is_of_another_shape_is_named(document: object, where: str) -> None:
    """The error names the key that is wrong."""
    with pytest.raises(DecodeError) as caught:
        decode(document)
    assert caught.value.where.endswith(where)
    assert caught.value.document == "prov.json"


def test_what_is_not_json_is_refused() -> None:
    """Garbage and endless nesting are an archive error, no traceback."""
    for data in (b"\xff{", b"", b"[" * 200_000):
        with pytest.raises(ArchiveError):
            decode_attestation(data, document="prov.json")


def test_a_dockerfile_keeps_bytes_that_are_no_text() -> None:
    """A Dockerfile that is not UTF-8 is kept as it is."""
    data = base64.b64encode(b"# \xff\nFROM a\n").decode()
    assert decode(v1(infos=[{"data": data}])).dockerfiles == ("# \udcff\nFROM a\n",)


# Finding it


def attested(
    subject: str, predicate: object, kind: str = "https://slsa.dev/provenance/v1"
) -> tuple[dict[str, object], dict[str, bytes]]:
    """Return the index entry of an attestation manifest, and its blobs."""
    body = to_json(statement(predicate))
    described = {
        "digest": sha256(body),
        "size": len(body),
        "annotations": {"in-toto.io/predicate-type": kind},
    }
    manifest = to_json({"layers": [described]})
    entry: dict[str, object] = {
        "digest": sha256(manifest),
        "annotations": {
            "vnd.docker.reference.type": "attestation-manifest",
            "vnd.docker.reference.digest": subject,
        },
    }
    return entry, {blob_name(sha256(b)): b for b in (body, manifest)}


class Layout:
    """An OCI layout of two platforms, to which attestations are added."""

    def __init__(self) -> None:
        """Start without any."""
        images = [
            image(layer({"a": p.encode()}), platform=p) for p in ("linux/amd64", "linux/arm64")
        ]
        self.files: dict[str, Content] = oci_files(*images)
        self.listed: list[Any] = list(from_json(self.files["index.json"])["manifests"])  # type: ignore[call-overload]
        self.digests = [entry["digest"] for entry in self.listed]

    def add(self, entry: dict[str, object], blobs: Mapping[str, bytes]) -> None:
        """Add an entry to the index and its blobs to the layout."""
        self.listed.append(entry)
        self.files.update(blobs)

    def find(self, path: Path, digest: str, *, nested: int = 0) -> bytes | None:
        """Return the attestation found, the index below ``nested`` others."""
        index = to_json({"manifests": self.listed})
        for _ in range(nested):
            self.files[blob_name(sha256(index))] = index
            kind = "application/vnd.oci.image.index.v1+json"
            entry = {"mediaType": kind, "digest": sha256(index), "size": len(index)}
            # Twice: what was looked into is not looked into again.
            index = to_json({"manifests": [entry, entry]})
        self.files["index.json"] = index
        store = open_store(write_folder(path, self.files))
        try:
            return find_attestation(store, digest)
        finally:
            store.close()


@pytest.mark.parametrize("nested", [0, 1, 3])
def test_each_platform_has_its_own(tmp_path: Path, nested: int) -> None:
    """The statement is the one whose annotation names the image's manifest."""
    layout = Layout()
    for digest in layout.digests:
        layout.add(*attested(digest, {"of": digest}))
    for digest in layout.digests:
        found = layout.find(tmp_path, digest, nested=nested)
        assert found is not None
        assert from_json(found)["predicate"] == {"of": digest}


def test_there_may_be_none(tmp_path: Path) -> None:
    """An image without an attestation, or with another image's, has none."""
    layout = Layout()
    assert layout.find(tmp_path, layout.digests[0]) is None
    layout.add(*attested(layout.digests[1], {}))
    assert layout.find(tmp_path, layout.digests[0]) is None


def test_other_statements_are_passed_over(tmp_path: Path) -> None:
    """An SBOM beside the image is not its provenance."""
    layout = Layout()
    layout.add(*attested(layout.digests[0], {}, kind="https://spdx.dev/Document"))
    assert layout.find(tmp_path, layout.digests[0]) is None
    layout.add(*attested(layout.digests[0], {}, kind="https://slsa.dev/provenance/v0.2"))
    assert layout.find(tmp_path, layout.digests[0]) is not None


def test_a_layout_may_lack_the_blobs(tmp_path: Path) -> None:
    """An attestation that is listed and not stored is none, as with ``docker save --platform``."""
    for missing in range(2):
        layout = Layout()
        entry, blobs = attested(layout.digests[0], {})
        layout.add(entry, {k: v for n, (k, v) in enumerate(blobs.items()) if n != missing})
        assert layout.find(tmp_path / str(missing), layout.digests[0]) is None


def test_a_damaged_statement_is_refused(tmp_path: Path) -> None:
    """Manifest and statement are checked against their digests."""
    for spoiled in range(2):
        layout = Layout()
        entry, blobs = attested(layout.digests[0], {})
        layout.add(entry, {k: v + b" " * (n == spoiled) for n, (k, v) in enumerate(blobs.items())})
        with pytest.raises(DigestMismatchError):
            layout.find(tmp_path / str(spoiled), layout.digests[0])
