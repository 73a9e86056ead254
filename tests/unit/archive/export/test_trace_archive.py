"""A trace archive's layers, images and trace.json: written, and read from anyone."""

from __future__ import annotations

import io
import json
import tarfile
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from layertrace.archive.export import trace_archive
from layertrace.archive.export.saved_stream import copy_saved, walk_saved
from layertrace.archive.export.trace_archive import SavedImages, TraceArchive
from layertrace.archive.regions import TRACE_MEMBER
from layertrace.archive.source import open_archive, parse_reference
from layertrace.archive.trace_json import encode_bundle, read_bundle
from layertrace.errors import (
    ArchiveError,
    DecodeError,
    DigestMismatchError,
    EngineError,
    LimitError,
)
from layertrace.model.bundle import (
    TRACE_SCHEMA,
    BundleBase,
    BundleImage,
    BundleStage,
    ContextEntry,
    TraceBundle,
)
from layertrace.model.limits import DEFAULTS
from tests.builders import (
    blob_name,
    docker_archive,
    docker_files,
    from_json,
    image,
    layer,
    oci_files,
    sha256,
    symlink,
    to_json,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.builders import SampleImage

BASE = layer({"bin/sh": b"#!" * 999})
STAGE = image(BASE, layer({"app/dist": b"made"}), layer(), tags=())
FINAL = image(BASE, BASE, layer({"app/dist": b"made"}), tags=("app:1",))
DIGEST = "sha256:" + "0" * 64
BUNDLE = TraceBundle(
    builder="classic",
    dockerfile_name="Dockerfile",
    dockerfile="FROM scratch\n",
    target="build",
    build_args={"B": "2", "A": ""},
    stages=(BundleStage(index=0, name="build", config=DIGEST, fidelity="same-build"),),
    bases=(BundleBase(reference="node:14", config=DIGEST),),
    images=(BundleImage(reference="acme/tools:1", config=DIGEST),),
    context=(
        ContextEntry(
            path="a",
            kind="file",
            size=1,
            mode=0o4755,
            mtime=-5,
            digest=DIGEST,
            copy_sum="ab" * 32,
        ),
        ContextEntry(path="d\udcff/l", kind="symlink", size=0, mode=0o777, mtime=0, link_target=""),
        ContextEntry(path="d", kind="dir", size=0, mode=0o1777, mtime=1 << 40),
    ),
    provenance={"buildType": "x", "list": [1, {"deep": None}]},
)


# --- from what an engine saves to a trace archive


def rewrite(*images: SampleImage, saved: bytes | None = None) -> tuple[bytes, SavedImages]:
    """Write a trace archive of the last of ``images``; return it and what was learnt."""
    out = io.BytesIO()
    archive = TraceArchive(out)
    known = SavedImages(archive)
    known.copy(io.BytesIO(docker_archive(*images) if saved is None else saved))
    found = [known.image(sha256(one.config)) for one in images]
    for one in found:
        archive.add_blob(one.text)
    size = archive.finish(found[-1], BUNDLE, tags=("app:1",))
    assert size == len(out.getvalue())
    return out.getvalue(), known


def members(archive: bytes) -> dict[str, bytes]:
    """Return the members of a tar; each name must stand once."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        pairs = [(item.name, b"".join(opened.extractfile(item) or ())) for item in opened]
    assert len(pairs) == len(dict(pairs))
    return dict(pairs)


FORMS = {
    "classic": docker_files(STAGE, FINAL),
    "hybrid": docker_files(STAGE, FINAL, hybrid=True),
    "packed": docker_files(STAGE, FINAL, hybrid=True, packed=True),
}


@pytest.mark.parametrize("form", FORMS)
def test_trace_archive_stores_each_layer_once_under_its_diff_id(form: str) -> None:
    """Whatever generation of engine saved it, layers are plain, named by digest, and not twice."""
    found = members(rewrite(STAGE, FINAL, saved=layer(FORMS[form]))[0])
    blobs = {name: data for name, data in found.items() if name.startswith("blobs/")}
    expected = [*STAGE.layers, *FINAL.layers, STAGE.config, FINAL.config]
    assert blobs == {blob_name(sha256(data)): data for data in expected}


def test_trace_archive_lists_the_final_image_alone() -> None:
    """Other tools see one ordinary image, its repeated layer listed twice."""
    found = members(rewrite(STAGE, FINAL)[0])
    (listed,) = json.loads(found["manifest.json"])
    assert listed == {
        "Config": blob_name(sha256(FINAL.config)),
        "RepoTags": ["app:1"],
        "Layers": [blob_name(diff_id) for diff_id in FINAL.diff_ids],
    }
    assert found["layertrace/Dockerfile"] == b"FROM scratch\n"
    assert read_bundle(found["layertrace/trace.json"]) == BUNDLE


def test_trace_archive_depends_on_its_content_alone() -> None:
    """The same images give the same bytes: no times, no owners."""
    archive, _ = rewrite(STAGE, FINAL)
    assert archive == rewrite(STAGE, FINAL)[0]
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        assert {(item.mtime, item.uid, item.uname, item.mode) for item in opened} == {
            (0, 0, "", 0o644)
        }


def test_trace_archive_takes_a_link_that_stands_before_its_layer() -> None:
    """Engines sort what they save by name, so a link may come before its target."""
    files = dict(reversed(docker_files(STAGE, FINAL).items()))
    assert set(members(rewrite(STAGE, FINAL, saved=layer(files))[0])) == set(
        members(rewrite(STAGE, FINAL)[0])
    )


def test_trace_archive_header_holds_sizes_past_eight_gibibytes() -> None:
    """A large layer's header is one block, so that it can be written again in place."""
    header = trace_archive._header("blobs/sha256/" + "0" * 64, 9 << 30)
    assert len(header) == 512
    assert tarfile.TarInfo.frombuf(header, "utf-8", "strict").size == 9 << 30


def test_saved_images_refuse_a_layer_that_is_not_the_configurations() -> None:
    """A layer with other bytes than its diff_id says is found while it passes."""
    files = docker_files(STAGE)
    name = next(name for name, data in files.items() if data == STAGE.layers[1])
    files[name] = layer({"app/dist": b"forged"})
    with pytest.raises(DigestMismatchError) as caught:
        rewrite(STAGE, saved=layer(files))
    assert STAGE.diff_ids[1] in caught.value.expected
    assert sha256(layer({"app/dist": b"forged"})) in caught.value.actual


@pytest.mark.parametrize("part", ["layer", "configuration"])
def test_saved_images_refuse_an_archive_that_lacks_a_part(part: str) -> None:
    """What manifest.json names must have passed."""
    files = docker_files(STAGE)
    wanted = STAGE.layers[1] if part == "layer" else STAGE.config
    name = next(name for name, data in files.items() if data == wanted)
    del files[name]
    with pytest.raises(ArchiveError, match=name):
        rewrite(STAGE, saved=layer(files))


def test_saved_images_refuse_links_in_a_ring() -> None:
    """Links that lead nowhere end in an error, not in a loop."""
    files = docker_files(image(BASE, BASE))
    name = next(name for name, data in files.items() if data == BASE)
    files[name] = symlink(f"../{name}")
    with pytest.raises(ArchiveError, match="which its manifest names"):
        rewrite(image(BASE, BASE), saved=layer(files))


def test_saved_images_refuse_more_json_than_images_have(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is kept in memory is bounded."""
    monkeypatch.setattr(trace_archive, "_MAX_DOCUMENTS", 100)
    with pytest.raises(ArchiveError, match="far more JSON"):
        rewrite(STAGE)


def test_saved_images_name_the_image_that_was_not_saved() -> None:
    """An id the engine did not answer for is an error, not another image."""
    _, known = rewrite(STAGE)
    with pytest.raises(ArchiveError, match=DIGEST):
        known.image(DIGEST)


def test_saved_images_find_an_image_by_its_index_or_manifest() -> None:
    """With the containerd store an image's id is not its configuration's digest."""
    files = oci_files(FINAL, nested=True, attested=True)
    files |= docker_files(FINAL, hybrid=True)
    outer = from_json(oci_files(FINAL, nested=True, attested=True)["index.json"])
    (index,) = _manifests(outer)
    files["index.json"] = to_json(outer)
    _, known = rewrite(FINAL, saved=layer(files))
    manifest, _ = _manifests(from_json(files[blob_name(index)]))
    config = sha256(FINAL.config)
    assert [known.image(name).config for name in (index, manifest, config)] == [config] * 3


def _manifests(document: dict[str, object]) -> list[str]:
    listed = document["manifests"]
    assert isinstance(listed, list)
    return [item["digest"] for item in listed]


def test_saved_images_give_the_provenance_that_came_along() -> None:
    """An attestation in the index is found from the image's id; without one there is none."""
    files = oci_files(FINAL, nested=True, attested=True)
    (index,) = _manifests(from_json(files["index.json"]))
    saved = layer(docker_files(FINAL, hybrid=True) | files)
    _, known = rewrite(FINAL, saved=saved)
    found = known.provenance(index)
    assert found is not None
    assert found["predicateType"] == "https://slsa.dev/provenance/v1"
    _, bare = rewrite(FINAL)
    assert bare.provenance(sha256(FINAL.config)) is None


def test_saved_images_take_a_layer_that_looks_like_json() -> None:
    """A layer whose first file begins with a brace is still a layer."""
    odd = image(layer({"{odd": b"x"}))
    found = members(rewrite(odd)[0])
    assert found[blob_name(odd.diff_ids[0])] == odd.layers[0]


def test_copy_saved_copies_every_byte() -> None:
    """Padding behind the archive belongs to it."""
    saved = docker_archive(STAGE, FINAL) + bytes(9 * 512)
    out = io.BytesIO()
    assert copy_saved(io.BytesIO(saved), out) == ("app:1",)
    assert out.getvalue() == saved


def _read_on(_: tarfile.TarInfo, content: Iterator[bytes]) -> None:
    for _chunk in content:
        pass


def test_walk_saved_refuses_every_shorter_stream() -> None:
    """Wherever it is cut, up to the end mark, the stream is known to be incomplete."""
    saved = docker_archive(image(layer({"x": b"y"})))
    for size in [*range(0, len(saved) - 1024, 256), len(saved) - 1024]:
        with pytest.raises(EngineError):
            walk_saved(io.BytesIO(saved[:size]), _read_on)


# --- trace.json


def test_read_bundle_gives_what_encode_bundle_took() -> None:
    """Nothing is lost or changed on the way, names that are not UTF-8 included."""
    text = encode_bundle(BUNDLE)
    assert read_bundle(text) == BUNDLE
    assert text.isascii()
    assert text == encode_bundle(read_bundle(text))


def test_read_bundle_passes_over_keys_it_does_not_know() -> None:
    """A later version may add keys under the same schema number."""
    document = json.loads(encode_bundle(BUNDLE)) | {"new": 1}
    document["stages"][0]["new"] = {}
    assert read_bundle(to_json(document)) == BUNDLE


def _changed(path: str, value: object) -> bytes:
    """Return trace.json with one value set: ``stages.0.index``."""
    document = json.loads(encode_bundle(BUNDLE))
    node = document
    *keys, last = [int(key) if key.isdigit() else key for key in path.split(".")]
    for key in keys:
        node = node[key]
    node[last] = value
    return json.dumps(document).encode()


@pytest.mark.parametrize(
    ("path", "value", "where"),
    [
        ("builder", "kaniko", "builder"),
        ("builder", None, "builder"),
        ("dockerfile", 7, "dockerfile"),
        ("target", [], "target"),
        ("build_args", ["A=1"], "build_args"),
        ("build_args.A", 1, "build_args.A"),
        ("stages", {"0": {}}, "stages"),
        ("stages.0", "build", "stages[0]"),
        ("stages.0.index", -1, "stages[0].index"),
        ("stages.0.index", True, "stages[0].index"),
        ("stages.0.index", 1.5, "stages[0].index"),
        ("stages.0.config", "sha256:12ab", "stages[0].config"),
        ("stages.0.fidelity", "surely", "stages[0].fidelity"),
        ("bases.0.reference", None, "bases[0].reference"),
        ("bases.0.config", "../../etc/passwd", "bases[0].config"),
        ("images.0.reference", [], "images[0].reference"),
        ("images.0.config", "sha512:x", "images[0].config"),
        ("context.1.path", "/etc/passwd", "context[1].path"),
        ("context.1.path", "a/../../b", "context[1].path"),
        ("context.1.path", "", "context[1].path"),
        ("context.1.kind", "socket", "context[1].kind"),
        ("context.1.size", -1, "context[1].size"),
        ("context.1.size", 1 << 70, "context[1].size"),
        ("context.1.mode", 0o10000, "context[1].mode"),
        ("context.1.mtime", "now", "context[1].mtime"),
        ("context.0.digest", "md5:x", "context[0].digest"),
        ("context.1.link_target", 1, "context[1].link_target"),
        ("provenance", "x", "provenance"),
    ],
)
def test_read_bundle_names_the_key_that_is_wrong(path: str, value: object, where: str) -> None:
    """Each error says where, what was expected, what is there, and in which file."""
    with pytest.raises(DecodeError) as caught:
        read_bundle(_changed(path, value))
    assert caught.value.where == where
    assert caught.value.document == "layertrace/trace.json"
    assert caught.value.expected
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("schema", ["layertrace.trace/2", "layertrace.trace/10"])
def test_read_bundle_says_that_a_newer_version_wrote_it(schema: str) -> None:
    """An archive of the future is told from one that is damaged."""
    with pytest.raises(DecodeError, match=schema) as caught:
        read_bundle(_changed("schema", schema))
    assert "another version of layertrace" in caught.value.hint


@pytest.mark.parametrize("schema", [None, 1, "layertrace.files/1", "layertrace.trace/x"])
def test_read_bundle_refuses_another_schema(schema: object) -> None:
    """Whatever is not this schema is not read by luck."""
    with pytest.raises(DecodeError, match="schema") as caught:
        read_bundle(_changed("schema", schema))
    assert caught.value.expected == f'"{TRACE_SCHEMA}"'
    assert caught.value.hint == ""


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"{", id="cut"),
        pytest.param(b"\xff\xfe{}", id="not-utf-8"),
        pytest.param(b"[]", id="a-list"),
        pytest.param(b"null", id="null"),
        pytest.param(b"[" * 100_000, id="deep"),
        pytest.param(b"9" * 10_000, id="a-long-number"),
        pytest.param(b'{"schema":' + b"[" * 900 + b"]" * 900 + b"}", id="deep-value"),
    ],
)
def test_read_bundle_refuses_what_is_no_such_document(text: bytes) -> None:
    """A hostile document is an error in words, never a traceback."""
    with pytest.raises(ArchiveError):
        read_bundle(text)


def test_listing_past_its_limit_is_refused(tmp_path: Path) -> None:
    """Size is looked at before anything is read."""
    path = tmp_path / "app.tar"
    path.write_bytes(layer(docker_files(image(layer())) | {TRACE_MEMBER: b" " * 4001}))
    limits = replace(DEFAULTS, json=1000)
    with pytest.raises(LimitError, match=r"trace\.json in .* has 4,001 bytes, more than 4,000"):
        open_archive(parse_reference(str(path)), limits=limits)
