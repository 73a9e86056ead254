"""Provenance found and used when an image is opened."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from layertrace.errors import DecodeError, LimitError, SourceError, UsageError
from layertrace.layers.cache import IndexCache
from layertrace.model.bundle import TraceBundle
from layertrace.model.image import Image, ImageConfig, Platform
from layertrace.model.origin import Evidence, OriginKind, Trust
from layertrace.pipeline.hints import Hints
from layertrace.pipeline.opening.evidence import find_provenance
from layertrace.pipeline.trace import open_image
from tests.builders import (
    OCI,
    SampleImage,
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
    from layertrace.model.trace import ImageHead
    from layertrace.pipeline.answers import ImageTrace

_IMAGE = Image(
    reference="app",
    config=ImageConfig(digest="", platform=Platform(os="linux", architecture="amd64"), diff_ids=()),
    layers=(),
)
TEXT = "FROM base AS app\nRUN make\nCOPY --from=src x /x\n"
LAYERS = (layer({"b": b"base"}), layer({"made": b"made"}), layer({"x": b"copied"}))
HISTORY = ("ADD b / # buildkit", "RUN /bin/sh -c make # buildkit", "COPY x /x # buildkit")


def located(lines: dict[str, int]) -> dict[str, Any]:
    """Return the places of steps of one line each."""
    return {
        step: {"locations": [{"ranges": [{"start": {"line": line}, "end": {"line": line}}]}]}
        for step, line in lines.items()
    }


def predicate(text: str = TEXT, contexts: dict[str, str] | None = None) -> dict[str, Any]:
    """Return the predicate of a build of :data:`TEXT`, or of its shape."""
    edge = {"output": 0, "input": 0}
    steps = [
        {"id": "s0", "op": {"Op": {"source": {"identifier": "docker-image://base"}}}},
        {"id": "s1", "inputs": ["s0:0"], "op": {"Op": {"exec": {"mounts": [{"dest": "/"}]}}}},
        {"id": "s2", "inputs": ["s1:0"], "op": {"Op": {"file": {"actions": [edge]}}}},
        {"id": "s3", "inputs": ["s2:0"], "op": {"Op": {}}},
    ]
    places = located({"s0": 1, "s1": 2, "s2": 3})
    named = {"src": "local:src"} if contexts is None else contexts
    data = base64.b64encode(text.encode()).decode()
    source = {"locations": places, "infos": [{"filename": "Dockerfile", "data": data}]}
    arguments = {f"context:{name}": value for name, value in named.items()}
    return {
        "buildDefinition": {
            "externalParameters": {"request": {"frontend": "dockerfile.v0", "args": arguments}},
            "internalParameters": {"buildConfig": {"llbDefinition": steps}},
            "resolvedDependencies": [
                {"uri": "pkg:docker/base@latest", "digest": {"sha256": "ab" * 32}}
            ],
        },
        "runDetails": {"metadata": {"buildkit_metadata": {"source": source}}},
    }


def sample(*, history: tuple[str, ...] = HISTORY) -> SampleImage:
    """Return the image of that build."""
    return image(*LAYERS, history=history)


def folder(path: Path, one: SampleImage, statement: object | None = None) -> str:
    """Write a layout, with an attestation beside the image where there is one."""
    files = oci_files(one)
    if statement is not None:
        body = to_json(statement)
        marks = {"in-toto.io/predicate-type": "https://slsa.dev/provenance/v1"}
        manifest = to_json({"layers": [{"digest": sha256(body), "annotations": marks}]})
        listed: Any = from_json(files["index.json"])["manifests"]
        entry = {
            "mediaType": f"{OCI}.manifest.v1+json",
            "digest": sha256(manifest),
            "annotations": {
                "vnd.docker.reference.type": "attestation-manifest",
                "vnd.docker.reference.digest": listed[0]["digest"],
            },
        }
        files |= {blob_name(sha256(blob)): blob for blob in (body, manifest)}
        files["index.json"] = to_json({"manifests": [*listed, entry]})
    return str(write_folder(path / "layout", files))


def opened(path: str, **hints: Any) -> ImageTrace:  # noqa: ANN401
    """Return an image, walked."""
    opening = open_image(path, Hints(**hints), IndexCache(Path(path), limit=0))
    try:
        return opening.walk()
    finally:
        opening.close()


def head(path: str, **hints: Any) -> ImageHead:  # noqa: ANN401
    """Return what is known before the layers are walked."""
    opening = open_image(path, Hints(**hints), IndexCache(Path(path), limit=0))
    opening.close()
    return opening.head


def codes(found: ImageHead) -> list[str]:
    """Return the codes of the findings."""
    return [finding.code for finding in found.findings]


def file(path: Path, content: object) -> Path:
    """Write a JSON file."""
    target = path / "prov.json"
    target.write_text(json.dumps(content), encoding="utf-8")
    return target


def test_the_provenance_in_the_image_is_enough(tmp_path: Path) -> None:
    """With no option at all every layer has its stage, line and evidence, the base its digest."""
    trace = opened(folder(tmp_path, sample(), {"predicate": predicate()}))
    layers = trace.head.layers
    assert [(each.stage, each.line) for each in layers] == [("app", 1), ("app", 2), ("app", 3)]
    assert {each.evidence for each in layers} == {Evidence.ATTESTED}
    assert codes(trace.head) == []
    (hop,) = trace.chain("b").hops
    assert (hop.evidence, hop.trust) == (Evidence.ATTESTED, Trust.VERIFIED)
    assert hop.detail == f"base base@sha256:{'ab' * 32}"
    assert trace.chain("b").origin.image == "base"


def test_a_named_context_is_no_image(tmp_path: Path) -> None:
    """COPY --from of a folder the build was given: of that context, by its path there."""
    trace = opened(folder(tmp_path, sample(), {"predicate": predicate()}))
    chain = trace.chain("x")
    assert (chain.origin.kind, chain.origin.path, chain.origin.image) == (
        OriginKind.CONTEXT,
        "x",
        None,
    )
    assert chain.hops[0].detail == "from the build context src:/x, not compared"
    assert trace.head.layers[2].source == "src"


def test_a_named_context_is_not_compared_with_the_main_one(tmp_path: Path) -> None:
    """A file of the same path there is another file."""
    context = tmp_path / "context"
    context.mkdir()
    (context / "x").write_bytes(b"something else")
    chain = opened(folder(tmp_path, sample(), {"predicate": predicate()}), context=context).chain(
        "x"
    )
    assert (chain.origin.kind, chain.trust) == (OriginKind.CONTEXT, Trust.INFERRED)


@pytest.mark.parametrize(
    ("value", "kind", "reference"),
    [
        pytest.param("docker-image://a/b:1", OriginKind.IMAGE, "a/b:1", id="an image"),
        pytest.param("input:other", OriginKind.UNKNOWN, None, id="another target"),
    ],
)
def test_other_contexts_are_what_they_are(
    tmp_path: Path, value: str, kind: OriginKind, reference: str | None
) -> None:
    """The name in the Dockerfile is not the image's; another target's files are not traced."""
    told = {"predicate": predicate(contexts={"src": value})}
    origin = opened(folder(tmp_path, sample(), told)).chain("x").origin
    assert (origin.kind, origin.image) == (kind, reference)


def test_a_word_alone_is_in_doubt_without_a_provenance(tmp_path: Path) -> None:
    """An image or a context of that name: unknown, and the hop says why."""
    dockerfile = tmp_path / "Dockerfile"
    dockerfile.write_text(TEXT, encoding="utf-8")
    chain = opened(folder(tmp_path, sample()), dockerfile=dockerfile).chain("x")
    assert (chain.origin.kind, chain.trust) == (OriginKind.UNKNOWN, Trust.UNKNOWN)
    assert "src may be an image or a build context" in chain.hops[0].detail


def test_layers_without_history_are_tied(tmp_path: Path) -> None:
    """An image whose history was stripped has its stages and lines from its provenance."""
    bare = sample(history=())
    found = head(folder(tmp_path, bare, {"predicate": predicate()}))
    assert [each.line for each in found.layers] == [1, 2, 3]
    assert {each.trust for each in found.layers} == {Trust.VERIFIED}
    assert codes(found) == []


def test_a_file_that_names_no_image_is_not_sure_of_one_without_history(tmp_path: Path) -> None:
    """Only the number of layers speaks for it; a statement about the manifest is enough."""
    path = folder(tmp_path, sample(history=()))
    found = head(path, provenance=file(tmp_path, predicate()))
    assert [each.line for each in found.layers] == [1, 2, 3]
    assert {each.trust for each in found.layers} == {Trust.INFERRED}
    manifest = found.image.manifest_digest
    assert manifest is not None
    subject = {"subject": [{"digest": {"sha256": manifest[7:]}}], "predicate": predicate()}
    found = head(path, provenance=file(tmp_path, subject))
    assert {each.trust for each in found.layers} == {Trust.VERIFIED}


def test_the_least_mode_names_the_base(tmp_path: Path) -> None:
    """Without a graph history decides, with the Dockerfile given and the contexts told."""
    least = predicate()
    del least["buildDefinition"]["internalParameters"]
    del least["runDetails"]
    dockerfile = tmp_path / "Dockerfile"
    dockerfile.write_text(TEXT, encoding="utf-8")
    path = folder(tmp_path, sample(), {"predicate": least})
    assert head(path).build is None
    trace = opened(path, dockerfile=dockerfile)
    assert "@sha256:abab" in trace.chain("b").hops[0].detail
    assert trace.chain("x").origin.kind is OriginKind.CONTEXT
    assert {each.evidence for each in trace.head.layers} == {Evidence.DECLARED}


def test_a_provenance_of_another_image_is_told_and_not_used(tmp_path: Path) -> None:
    """A finding where they part; nothing is verified; reading goes on."""
    other = file(tmp_path, predicate(TEXT.replace("make", "other")))
    trace = opened(folder(tmp_path, sample()), provenance=other)
    assert codes(trace.head) == ["provenance-contradicted"]
    assert "line 2, RUN other" in trace.head.findings[0].message
    assert trace.head.build is None
    assert trace.chain("made").trust is Trust.CONTRADICTED


def test_the_target_and_arguments_given_are_held_against_the_provenance(tmp_path: Path) -> None:
    """Without -f they are about the Dockerfile that the provenance holds."""
    text = TEXT + "FROM base AS more\nRUN more\n"
    told = predicate(text)
    told["buildDefinition"]["externalParameters"]["request"]["args"]["target"] = "app"
    path = folder(tmp_path, sample(), {"predicate": told})
    assert codes(head(path, target="app")) == []
    assert codes(head(path, build_args={"UNUSED": "1"})) == []
    assert codes(head(path, target="more")) == ["dockerfile-contradicted"]


def test_another_language_is_no_dockerfile(tmp_path: Path) -> None:
    """A frontend of its own leaves its own text: said, and the image opens all the same."""
    path = folder(tmp_path, sample(), {"predicate": predicate("apt:\n  packages: [a]\n")})
    found = head(path)
    assert codes(found) == ["provenance-unreadable"]
    assert found.build is None
    with pytest.raises(UsageError):
        head(path, target="app")


def test_a_statement_of_another_shape_does_not_stop_anyone(tmp_path: Path) -> None:
    """In the image it is a finding; a file that was named is an error."""
    path = folder(tmp_path, sample(), {"predicate": 5})
    assert codes(head(path)) == ["provenance-unreadable"]
    with pytest.raises(DecodeError):
        head(path, provenance=file(tmp_path, {"predicate": 5}))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """So is one larger than any provenance."""
    path = folder(tmp_path, sample())
    with pytest.raises(SourceError, match="cannot read"):
        head(path, provenance=tmp_path / "none.json")
    large = tmp_path / "large.json"
    with large.open("wb") as target:
        target.truncate((64 << 20) + 1)
    with pytest.raises(LimitError, match="has more than"):
        head(path, provenance=large)


def test_triggers_of_the_base_have_the_line_of_from(tmp_path: Path) -> None:
    """ONBUILD of a base that is not at hand: made by FROM, by the text in the history."""
    told = predicate("FROM base AS app\nCOPY x /x\n", contexts={})
    source = told["runDetails"]["metadata"]["buildkit_metadata"]["source"]
    source["locations"] = located({"s0": 1, "s1": 1, "s2": 2})
    trace = opened(folder(tmp_path, sample(), {"predicate": told}))
    assert [(each.stage, each.line) for each in trace.head.layers] == [
        ("app", 1),
        ("app", 1),
        ("app", 2),
    ]
    chain = trace.chain("made")
    assert (chain.origin.kind, chain.origin.line, chain.trust) == (
        OriginKind.RUN,
        1,
        Trust.VERIFIED,
    )


def test_a_trace_archive_may_hold_the_provenance(tmp_path: Path) -> None:
    """Without one in the image that of the archive is used."""
    bundle = TraceBundle(
        builder="buildkit",
        dockerfile_name="Dockerfile",
        dockerfile="FROM base\n",
        target=None,
        provenance=predicate(),
    )
    found = find_provenance(_IMAGE, None, None, bundle)
    assert found.bound
    assert found.attestation is not None
    assert found.attestation.dockerfiles == (TEXT,)
    assert find_provenance(_IMAGE, None, None, None).attestation is None
