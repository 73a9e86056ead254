"""OCI image layouts, folder or tar, through ``open_archive``.

Source: OCI image-spec, ``image-layout.md``, ``image-index.md``, ``manifest.md``.
"""

from __future__ import annotations

import hashlib
import json
import platform as host
from typing import TYPE_CHECKING, Any

import pytest

from layertrace.archive.source import open_archive, parse_platform, parse_reference
from layertrace.errors import (
    ArchiveError,
    DecodeError,
    DigestMismatchError,
    LayerError,
    LayertraceError,
    SourceError,
)
from layertrace.layers.walk import walk_layer
from layertrace.model.image import Absence
from layertrace.model.limits import DEFAULTS
from tests.builders import (
    OCI,
    Content,
    SampleImage,
    blob_name,
    docker_files,
    folder,
    image,
    layer,
    oci_archive,
    oci_files,
    sha256,
    to_json,
    write_folder,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from layertrace.archive.source import ArchiveSource

Files = dict[str, Content]
Json = dict[str, Any]

BASE = layer({"etc/": folder(), "etc/hosts": b"x"})
TOP = layer({"app": b"y"})
AMD = image(BASE, TOP, tags=["v1"])
ARM = image(TOP, tags=["v1"], platform="linux/arm64/v8", history=["arm"])
ARM7 = image(BASE, tags=["v1"], platform="linux/arm/v7", history=["arm7"])
WIN = image(TOP, tags=["v1"], platform="windows/amd64", history=["win"])
INDEX_TYPE = f"{OCI}.index.v1+json"
MANIFEST_TYPE = f"{OCI}.manifest.v1+json"
CONFIG_TYPE = f"{OCI}.config.v1+json"


@pytest.fixture(autouse=True)
def _on_amd64(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "machine", lambda: "x86_64")


def opened(path: Path, files: Files, **how: str) -> ArchiveSource:
    """Write a layout as an archive and open it."""
    (path / "app.tar").write_bytes(layer(files))
    return reopened(path / "app.tar", **how)


def reopened(
    path: Path, *, name: str = "", platform: str = "", transport: str = ""
) -> ArchiveSource:
    """Open what is at ``path``."""
    text = f"{transport or 'oci-archive'}:{path}:{name}" if transport or name else str(path)
    wanted = parse_platform(platform) if platform else None
    return open_archive(parse_reference(text), platform=wanted)


def refusal(path: Path, files: Files, **how: str) -> LayertraceError:
    """Return the error that opening a layout ends in."""
    with pytest.raises(LayertraceError) as caught:
        opened(path, files, **how)
    assert (len(str(caught.value).splitlines()) <= 3, caught.value.exit_code) == (True, 3)
    return caught.value


def paths(source: ArchiveSource) -> list[list[str]]:
    """Return the paths of every layer, each of them verified; close the source."""
    found = []
    for ref in source.image.layers:
        with source.open_layer(ref) as reader:
            found.append(list(walk_layer(reader, name="x").index.paths))
            reader.verify()
    source.close()
    return found


def shown(source: ArchiveSource) -> str:
    """Return the digest of the configuration that was opened; close the source."""
    source.close()
    return source.image.config.digest


def index_of(files: Files) -> Json:
    """Return ``index.json`` as a value."""
    data = files["index.json"]
    assert isinstance(data, bytes)
    value: Json = json.loads(data)
    return value


def add(files: Files, value: object) -> Json:
    """Add a JSON document as a blob; return its descriptor but for the media type."""
    data = to_json(value)
    files[blob_name(sha256(data))] = data
    return {"digest": sha256(data), "size": len(data)}


def add_manifest(files: Files, one: SampleImage, **changes: object) -> Json:
    """Add a manifest of an image that is stored already; return its descriptor."""
    config = {"mediaType": CONFIG_TYPE, "digest": sha256(one.config), "size": len(one.config)}
    layers = [{"mediaType": f"{OCI}.layer.v1.tar", "digest": sha256(tar), "size": len(tar)}
              for tar in one.layers]  # fmt: skip
    fields: Json = {"schemaVersion": 2, "config": config, "layers": layers}
    return add(files, fields | changes) | {"mediaType": MANIFEST_TYPE}


def listing(*manifests: object) -> Json:
    """Return an index."""
    return {"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": list(manifests)}


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize("nested", [False, True], ids=["flat", "nested"])
@pytest.mark.parametrize("form", ["archive", "folder"])
@pytest.mark.parametrize("transport", [True, False], ids=["named", "looked into"])
def test_layout_is_read_whole(
    tmp_path: Path, form: str, *, transport: bool, nested: bool, packed: bool
) -> None:
    """Configuration, layers, digests and names, in every form it may have."""
    files = oci_files(AMD, packed=packed, nested=nested, attested=True)
    if form == "folder":
        path = write_folder(tmp_path / "layout", files)
        source = reopened(path, transport="oci" if transport else "")
    else:
        (tmp_path / "app.tar").write_bytes(layer(files))
        source = reopened(tmp_path / "app.tar", transport="oci-archive" if transport else "")
    assert source.image.config.digest == sha256(AMD.config)
    assert [ref.diff_id for ref in source.image.layers] == list(AMD.diff_ids)
    assert all(blob_name(str(ref.digest)) == ref.blob for ref in source.image.layers)
    assert (source.image.layers[0].digest == AMD.diff_ids[0]) is not packed
    assert source.image.manifest_digest is not None
    assert (source.image.tags[0], source.findings) == ("v1", ())
    assert paths(source) == [["etc", "etc/hosts"], ["app"]]


@pytest.mark.parametrize(
    ("images", "platform", "chosen"),
    [
        pytest.param((ARM, AMD), "", AMD, id="this machine's"),
        pytest.param((ARM, ARM7, WIN), "", ARM, id="else the first"),
        pytest.param((WIN, AMD), "", AMD, id="Linux before others"),
        pytest.param((ARM,), "", ARM, id="the only one"),
        pytest.param((AMD, ARM), "linux/arm64", ARM, id="asked for"),
        pytest.param((AMD, ARM), "linux/aarch64/v8", ARM, id="asked for in other words"),
        pytest.param((AMD, ARM, ARM7), "linux/arm", ARM7, id="any variant"),
        pytest.param((AMD, WIN), "windows/amd64", WIN, id="another system"),
        pytest.param((AMD, ARM), "linux/arm/v7", None, id="not there"),
        pytest.param((ARM7,), "linux/arm/v6", None, id="another variant"),
        pytest.param((ARM7,), "linux/amd64", None, id="not the only one"),
    ],
)
@pytest.mark.parametrize("nested", [False, True], ids=["flat", "nested"])
def test_platform_is_chosen(
    tmp_path: Path,
    images: tuple[SampleImage, ...],
    platform: str,
    chosen: SampleImage | None,
    *,
    nested: bool,
) -> None:
    """As asked for; else Linux on this machine's architecture, the only one or the first."""
    files = oci_files(*images, nested=nested)
    if chosen is None:
        error = refusal(tmp_path, files, platform=platform)
        assert f"has no image for {platform}" in error.what
        assert error.why == "it has " + ", ".join(sorted(one.platform for one in images))
        return
    assert shown(opened(tmp_path, files, platform=platform)) == sha256(chosen.config)


def test_other_platforms_are_named_in_a_finding(tmp_path: Path) -> None:
    """Nobody should take one image of several for the only one."""
    source = opened(tmp_path, oci_files(AMD, ARM, ARM7, nested=True, attested=True))
    (finding,) = source.findings
    assert finding.code == "other-platforms"
    assert finding.message == (
        "showing linux/amd64; also there: linux/arm/v7, linux/arm64/v8 (choose with --platform)"
    )
    assert finding.facts == {"platforms": ["linux/arm/v7", "linux/arm64/v8"]}
    source.close()
    source = opened(tmp_path, oci_files(AMD, ARM, nested=True), platform="linux/amd64")
    assert source.findings == ()
    source.close()


def test_platform_that_no_index_tells_is_that_of_the_configuration(tmp_path: Path) -> None:
    """A single image is no choice, and still not what it is not."""
    files = oci_files(ARM)
    files["index.json"] = to_json(listing(add_manifest(files, ARM)))
    assert shown(opened(tmp_path, files)) == sha256(ARM.config)
    assert shown(opened(tmp_path, files, platform="linux/arm64")) == sha256(ARM.config)
    error = refusal(tmp_path, files, platform="linux/amd64")
    assert error.why == "it has linux/arm64/v8"


def test_image_that_the_layout_does_not_hold_is_not_chosen(tmp_path: Path) -> None:
    """An index of all platforms may come with one image alone."""
    files = oci_files(AMD, ARM, nested=True)
    without = {name: data for name, data in files.items() if name != blob_name(_digest(files, 0))}
    source = opened(tmp_path, without)
    assert (source.image.config.digest, source.findings) == (sha256(ARM.config), ())
    source.close()
    error = refusal(tmp_path, without, platform="linux/amd64")
    assert error.why == "it has linux/arm64/v8"


def _digest(files: Files, number: int) -> str:
    """Return the digest of a manifest in the nested index."""
    data = files[blob_name(index_of(files)["manifests"][0]["digest"])]
    assert isinstance(data, bytes)
    digest: str = json.loads(data)["manifests"][number]["digest"]
    return digest


def test_layout_that_holds_none_of_its_images_says_which_file_is_missing(tmp_path: Path) -> None:
    """Better than that there is no image."""
    files = oci_files(AMD)
    name = blob_name(index_of(files)["manifests"][0]["digest"])
    del files[name]
    assert f"has no file {name}" in str(refusal(tmp_path, files))


@pytest.mark.parametrize(
    ("name", "chosen"),
    [
        ("v1", AMD),
        ("v2", 1),
        ("docker.io/library/app:v2", 1),
        ("app:v2", 1),
        ("v3", None),
        ("digest", 1),
    ],
)
def test_name_chooses_among_several_images(
    tmp_path: Path, name: str, chosen: SampleImage | int | None
) -> None:
    """By reference name, by containerd's image name, or by digest."""
    other = image(TOP, tags=["v2"])
    files = oci_files(AMD, other)
    index = index_of(files)
    index["manifests"][1]["annotations"]["io.containerd.image.name"] = "docker.io/library/app:v2"
    files["index.json"] = to_json(index)
    if name == "digest":
        name = index["manifests"][1]["digest"][7:20]
    if chosen is None:
        error = refusal(tmp_path, files, name=name)
        assert (error.what.endswith("has no image v3"), error.why) == (
            True, "it has v1, docker.io/library/app:v2, v2",
        )  # fmt: skip
        return
    expected = AMD if chosen is AMD else other
    assert shown(opened(tmp_path, files, name=name)) == sha256(expected.config)


def test_several_images_and_no_name_are_listed(tmp_path: Path) -> None:
    """With how to name one, in the form that was used."""
    files = oci_files(AMD, image(TOP, tags=["v2"]))
    error = refusal(tmp_path, files, transport="oci-archive")
    assert isinstance(error, SourceError)
    assert error.what.endswith("holds 2 images: v1, v2")
    assert error.hint == f"name one: oci-archive:{tmp_path / 'app.tar'}:NAME"
    # Looked into, it is nothing that docker saved.
    assert refusal(tmp_path, files).hint == error.hint


def test_images_that_nothing_tells_apart_are_listed_by_digest(tmp_path: Path) -> None:
    """Without names and platforms none of them is the first by right."""
    files = oci_files(AMD, ARM)
    found = [add_manifest(files, AMD), add_manifest(files, ARM)]
    files["index.json"] = to_json(listing(*found))
    error = refusal(tmp_path, files)
    assert all(str(one["digest"]) in error.what for one in found)
    assert shown(opened(tmp_path, files, name=found[1]["digest"])) == sha256(ARM.config)


def test_image_that_is_listed_twice_is_one(tmp_path: Path) -> None:
    """The same manifest under the same name is no choice."""
    files = oci_files(AMD)
    index = index_of(files)
    files["index.json"] = to_json(listing(*index["manifests"] * 2))
    assert shown(opened(tmp_path, files)) == sha256(AMD.config)


def signature(files: Files) -> Json:
    """Return what cosign stores beside an image: the configuration is that of an image."""
    payload = add(files, {"critical": {}})
    one = image(history=["sig"])
    files[blob_name(sha256(one.config))] = one.config
    found = {"mediaType": "application/vnd.dev.cosign.simplesigning.v1+json"} | payload
    return add_manifest(files, one, layers=[found]) | {
        "annotations": {"org.opencontainers.image.ref.name": "sha256-12.sig"}
    }


def artifact(files: Files) -> Json:
    """Return an artifact: its manifest's configuration is of another type."""
    empty = add(files, {}) | {"mediaType": "application/vnd.oci.empty.v1+json"}
    return add_manifest(files, AMD, config=empty)


def declared_artifact(files: Files) -> Json:
    """Return an artifact that the index calls one."""
    return add_manifest(files, AMD) | {"artifactType": "application/vnd.example+type"}


def missing_attestation(files: Files) -> Json:
    """Return an attestation that was left behind when the layout was copied."""
    return {
        "mediaType": MANIFEST_TYPE, "digest": sha256(b"none"), "size": 1,
        "annotations": {"vnd.docker.reference.type": "attestation-manifest"},
    }  # fmt: skip


@pytest.mark.parametrize("make", [signature, artifact, declared_artifact, missing_attestation])
def test_what_is_no_image_is_passed_over(tmp_path: Path, make: Callable[[Files], Json]) -> None:
    """Signatures, attestations and other artifacts beside an image."""
    files = oci_files(AMD)
    files["index.json"] = to_json(listing(make(files), *index_of(files)["manifests"]))
    assert shown(opened(tmp_path, files)) == sha256(AMD.config)
    files["index.json"] = to_json(listing(make(files)))
    assert refusal(tmp_path, files).what.endswith("holds no image")


@pytest.mark.parametrize(
    "artifact_type", [None, "", CONFIG_TYPE, "application/vnd.docker.container.image.v1+json"]
)
def test_image_may_say_that_it_is_one(tmp_path: Path, artifact_type: str | None) -> None:
    """An artifact type that is an image configuration's makes no artifact."""
    files = oci_files(AMD)
    found = add_manifest(files, AMD) | {"artifactType": artifact_type}
    files["index.json"] = to_json(listing(found))
    assert shown(opened(tmp_path, files)) == sha256(AMD.config)


def test_docker_media_types_are_those_of_an_image_too(tmp_path: Path) -> None:
    """Tools keep them when they copy."""
    docker = "application/vnd.docker"
    files = oci_files(AMD)
    config = {"mediaType": f"{docker}.container.image.v1+json", "digest": sha256(AMD.config),
              "size": len(AMD.config)}  # fmt: skip
    layers = [{"mediaType": f"{docker}.image.rootfs.diff.tar.gzip", "digest": sha256(tar),
               "size": len(tar)} for tar in AMD.layers]  # fmt: skip
    manifest = add_manifest(files, AMD, config=config, layers=layers) | {
        "mediaType": f"{docker}.distribution.manifest.v2+json"
    }
    inner = add(files, listing(manifest)) | {
        "mediaType": f"{docker}.distribution.manifest.list.v2+json"
    }
    files["index.json"] = to_json(listing(inner))
    assert paths(opened(tmp_path, files)) == [["etc", "etc/hosts"], ["app"]]


def test_names_of_an_index_are_those_of_its_images(tmp_path: Path) -> None:
    """``ref.name`` stands beside the index, not beside the manifests in it."""
    source = opened(tmp_path, oci_files(AMD, ARM, nested=True), name="v1")
    assert source.image.tags == ("v1",)
    source.close()


def nest(files: Files, depth: int) -> None:
    """Put the index into another one, so many times."""
    for _ in range(depth):
        inner = add(files, index_of(files)) | {"mediaType": INDEX_TYPE}
        files["index.json"] = to_json(listing(inner))


def test_indexes_may_be_nested_so_deep_and_no_deeper(tmp_path: Path) -> None:
    """No tool nests more than one."""
    files = oci_files(AMD)
    nest(files, DEFAULTS.nesting)
    assert shown(opened(tmp_path, files)) == sha256(AMD.config)
    nest(files, 1)
    assert "nested more than 8 deep" in str(refusal(tmp_path, files))


def test_index_bomb_is_refused(tmp_path: Path) -> None:
    """A few small indexes that name each other a hundred times over are not followed."""
    files = oci_files(AMD)
    for number in range(7):
        inner = add(files, index_of(files)) | {"mediaType": INDEX_TYPE}
        named = [inner | {"annotations": {"org.opencontainers.image.ref.name": f"{number}.{n}"}}
                 for n in range(100)]  # fmt: skip
        files["index.json"] = to_json(listing(*named))
    assert "lists more than 10,000 manifests" in str(refusal(tmp_path, files))


def changed(**fields: object) -> Callable[[Files], None]:
    """Return what changes the manifest of a layout, its digest made right."""

    def change(files: Files) -> None:
        files["index.json"] = to_json(listing(add_manifest(files, AMD, **fields)))

    return change


def indexed(*manifests: object) -> Callable[[Files], None]:
    """Return what changes the index of a layout."""

    def change(files: Files) -> None:
        files["index.json"] = to_json(listing(*manifests))

    return change


def replaced(data: bytes) -> Callable[[Files], None]:
    """Return what gives ``index.json`` another content."""

    def change(files: Files) -> None:
        files["index.json"] = data

    return change


def lost(digest: str, data: bytes | None = None) -> Callable[[Files], None]:
    """Return what takes a blob away, or gives it another content."""

    def change(files: Files) -> None:
        del files[blob_name(digest)]
        if data is not None:
            files[blob_name(digest)] = data

    return change


def recased(files: Files) -> None:
    """Write a key of the index as no tool does."""
    index = files["index.json"]
    assert isinstance(index, bytes)
    files["index.json"] = index.replace(b'"manifests"', b'"Manifests"')


def nested_otherwise(files: Files) -> None:
    """Put the index into another one, and a byte behind it."""
    index = files["index.json"]
    assert isinstance(index, bytes)
    files[blob_name(sha256(index))] = index + b" "
    entry = {"mediaType": f"{OCI}.index.v1+json", "digest": sha256(index), "size": len(index)}
    files["index.json"] = to_json(listing(entry))


LAYER = {"mediaType": f"{OCI}.layer.v1.tar", "digest": sha256(TOP), "size": len(TOP)}
CONFIG = {"mediaType": CONFIG_TYPE, "digest": sha256(AMD.config), "size": len(AMD.config)}
ENTRY = {"mediaType": MANIFEST_TYPE, "size": 1}


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        pytest.param(replaced(b""), ArchiveError, "is not valid JSON", id="empty index"),
        pytest.param(replaced(b"[]"), DecodeError, "document: expected an object, got []",
                     id="index is a list"),
        pytest.param(replaced(b"{}"), SourceError, "holds no image", id="index of nothing"),
        pytest.param(replaced(b'{"manifests": {}}'), DecodeError,
                     "manifests: expected an array, got {}", id="manifests are no list"),
        pytest.param(indexed(3), DecodeError, "manifests[0]: expected an object, got 3",
                     id="manifest is a number"),
        pytest.param(indexed(ENTRY), DecodeError,
                     'manifests[0].digest: expected "sha256:" and 64 hex digits, got nothing',
                     id="no digest"),
        pytest.param(indexed(ENTRY | {"digest": "sha1:" + "0" * 40}), DecodeError,
                     'expected "sha256:" and 64 hex digits', id="another hash"),
        pytest.param(indexed(ENTRY | {"digest": "sha256:../../../../etc/passwd"}), DecodeError,
                     'expected "sha256:" and 64 hex digits', id="path for a digest"),
        pytest.param(indexed(ENTRY | {"digest": sha256(b"none")}), ArchiveError,
                     f"has no file {blob_name(sha256(b'none'))}", id="manifest missing"),
        pytest.param(indexed({"mediaType": INDEX_TYPE, "digest": sha256(b"none")}), ArchiveError,
                     "has no file", id="index missing"),
        pytest.param(indexed(ENTRY | {"annotations": []}), DecodeError,
                     "manifests[0].annotations: expected an object", id="annotations are a list"),
        pytest.param(indexed(ENTRY | {"digest": sha256(TOP)}), ArchiveError, "is not valid JSON",
                     id="layer for a manifest"),
        pytest.param(changed(layers=[LAYER, LAYER | {"size": "7"}]), DecodeError,
                     'layers[1].size: expected an integer, got "7"', id="size is text"),
        pytest.param(changed(layers=[LAYER, {}]), DecodeError, "layers[1].digest: expected",
                     id="layer without a digest"),
        pytest.param(changed(config={"mediaType": CONFIG_TYPE}), DecodeError,
                     "config.digest: expected", id="configuration without a digest"),
    ],
)  # fmt: skip
def test_damaged_layout_is_refused(
    tmp_path: Path,
    change: Callable[[Files], None],
    error: type[LayertraceError],
    message: str,
) -> None:
    """Exit code 3 and at most three lines that say what is wrong where."""
    files = oci_files(AMD)
    change(files)
    caught = refusal(tmp_path, files)
    assert type(caught) is error
    assert message in str(caught)


def told(source: ArchiveSource) -> list[str]:
    """Return the codes of what is strange about an image; close the source."""
    source.close()
    return [finding.code for finding in source.findings]


@pytest.mark.parametrize(
    ("change", "codes", "diff_ids"),
    [
        pytest.param(changed(layers=[LAYER]), ["layer-count"], ("",), id="too few layers"),
        pytest.param(changed(layers=[LAYER, LAYER | {"size": 7}]), ["size-mismatch"], AMD.diff_ids,
                     id="layer of another size"),
        pytest.param(changed(layers=[LAYER, {"digest": sha256(TOP)}]), [], AMD.diff_ids,
                     id="layer of no size"),
        pytest.param(changed(config=CONFIG | {"digest": sha256(b"none")}), ["config-missing"],
                     ("", ""), id="configuration missing"),
        pytest.param(lost(sha256(AMD.config), AMD.config + b" "),
                     ["digest-mismatch", "size-mismatch"], AMD.diff_ids, id="other configuration"),
        pytest.param(changed(Layers=[]), ["key-case"], AMD.diff_ids, id="keys of both cases"),
        pytest.param(recased, ["key-case"], AMD.diff_ids, id="another case in the index"),
        pytest.param(nested_otherwise, ["digest-mismatch", "size-mismatch"], AMD.diff_ids,
                     id="other nested index"),
    ],
)  # fmt: skip
def test_what_is_wrong_and_does_not_matter_is_told(
    tmp_path: Path, change: Callable[[Files], None], codes: list[str], diff_ids: tuple[str, ...]
) -> None:
    """A finding, and the image is shown."""
    files = oci_files(AMD)
    change(files)
    source = opened(tmp_path, files)
    assert source.image.config.diff_ids == diff_ids
    assert tuple(ref.diff_id for ref in source.image.layers) == diff_ids
    assert told(source) == codes


@pytest.mark.parametrize(
    ("kind", "absence"),
    [
        (f"{OCI}.layer.v1.tar", Absence.MISSING),
        (f"{OCI}.layer.nondistributable.v1.tar+gzip", Absence.FOREIGN),
        ("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", Absence.FOREIGN),
        (f"{OCI}.layer.v1.tar+gzip+encrypted", Absence.ENCRYPTED),
    ],
)
@pytest.mark.parametrize("stored", [False, True])
def test_layer_that_cannot_be_read_leaves_the_others(
    tmp_path: Path, kind: str, absence: Absence, *, stored: bool
) -> None:
    """Missing, foreign or encrypted; a foreign layer that is there is like any other."""
    digest = sha256(BASE if stored else b"none")
    files = oci_files(AMD)
    changed(layers=[{"mediaType": kind, "digest": digest, "size": len(BASE)}, LAYER])(files)
    source = opened(tmp_path, files)
    encrypted = absence is Absence.ENCRYPTED
    expected = absence if encrypted or not stored else None
    assert [ref.absence for ref in source.image.layers] == [expected, None]
    with source.open_layer(source.image.layers[1]) as reader:
        assert list(walk_layer(reader, name="x").index.paths) == ["app"]
    with source.open_layer(source.image.layers[0]) as reader:
        index = walk_layer(reader, name="x").index
        assert bool(index.damage) == (expected is not None)
        assert ("encrypted" in index.damage) == encrypted
    assert told(source) == []


def test_manifest_that_was_altered_is_told(tmp_path: Path) -> None:
    """What the index says of it does not hold: its own digest counts."""
    files = oci_files(AMD, attested=True)
    name = blob_name(index_of(files)["manifests"][0]["digest"])
    manifest = files[name]
    assert isinstance(manifest, bytes)
    source = opened(tmp_path, files | {name: manifest + b" "})
    assert source.image.manifest_digest == sha256(manifest + b" ")
    assert source.attestation() is None
    assert told(source) == ["digest-mismatch", "size-mismatch"]


def attested() -> tuple[Files, str]:
    """Return a layout with a provenance, and the name of its file."""
    files = oci_files(AMD)
    (main,) = index_of(files)["manifests"]
    body = to_json({"predicateType": "https://slsa.dev/provenance/v1"})
    marks = {"in-toto.io/predicate-type": "https://slsa.dev/provenance/v1"}
    files[blob_name(sha256(body))] = body
    described = {"digest": sha256(body), "size": len(body), "annotations": marks}
    names = {"type": "attestation-manifest", "digest": main["digest"]}
    entry = add(files, {"layers": [described]}) | {
        "annotations": {f"vnd.docker.reference.{key}": value for key, value in names.items()}
    }
    files["index.json"] = to_json(listing(main, entry))
    return files, blob_name(sha256(body))


def test_provenance_that_was_altered_is_not_used(tmp_path: Path) -> None:
    """It may say anything."""
    files, statement = attested()
    source = opened(tmp_path, files)
    assert source.attestation() == files[statement]
    source.close()
    source = opened(tmp_path, files | {statement: b"{}"})
    assert source.attestation() is None
    assert told(source) == ["provenance-unreadable"]


def test_digests_may_be_sha512(tmp_path: Path) -> None:
    """Each algorithm has its folder of blobs."""
    long = f"sha512:{hashlib.sha512(TOP).hexdigest()}"
    files = oci_files(AMD) | {f"blobs/sha512/{long[7:]}": TOP}
    base = {"mediaType": f"{OCI}.layer.v1.tar", "digest": sha256(BASE), "size": len(BASE)}
    changed(layers=[base, LAYER | {"digest": long}])(files)
    assert paths(opened(tmp_path, files)) == [["etc", "etc/hosts"], ["app"]]


def test_media_types_may_be_left_out(tmp_path: Path) -> None:
    """Old tools write none; without a configuration it is no image."""
    files = oci_files(AMD)
    changed(config={k: v for k, v in CONFIG.items() if k != "mediaType"})(files)
    assert paths(opened(tmp_path, files)) == [["etc", "etc/hosts"], ["app"]]
    files = oci_files(AMD)
    changed(config=None)(files)
    assert "holds no image" in str(refusal(tmp_path, files))


def test_image_listed_twice_is_one(tmp_path: Path) -> None:
    """Under a name and without one."""
    files = oci_files(AMD)
    first = index_of(files)["manifests"][0]
    again = {key: value for key, value in first.items() if key != "annotations"}
    indexed(first, again)(files)
    assert shown(opened(tmp_path, files)) == sha256(AMD.config)


def test_index_that_is_not_stored_is_passed_over(tmp_path: Path) -> None:
    """A layout may name more than it holds."""
    files, _ = attested()
    gone = {"mediaType": INDEX_TYPE, "digest": sha256(b"none"), "size": 1}
    indexed(gone, *index_of(files)["manifests"])(files)
    source = opened(tmp_path, files)
    assert source.attestation() is not None
    assert told(source) == []


def disagreeing(**changes: object) -> Files:
    """Return an archive of both kinds whose ``manifest.json`` lists its image in another way."""
    files = docker_files(AMD, hybrid=True)
    data = files["manifest.json"]
    assert isinstance(data, bytes)
    return files | {"manifest.json": to_json([json.loads(data)[0] | changes])}


def test_image_that_is_there_wins_over_one_that_is_not(tmp_path: Path) -> None:
    """Where ``index.json`` and ``manifest.json`` name different images, and a finding says so."""
    files = disagreeing(Layers=[blob_name(sha256(TOP)), blob_name(sha256(BASE))])
    assert told(opened(tmp_path, files)) == ["manifests-disagree"]
    source = opened(tmp_path, files)
    assert source.findings[0].facts == {"shown": "index.json"}
    assert paths(source) == [["etc", "etc/hosts"], ["app"]]
    for transport, expected in (
        ("oci-archive", [["etc", "etc/hosts"], ["app"]]),
        ("docker-archive", None),
    ):
        source = opened(tmp_path, files, transport=transport)
        assert source.findings == ()
        assert expected is None or paths(source) == expected
        source.close()
    other = layer({"other": b""})
    files = disagreeing() | {"other": other}
    changed(layers=[LAYER | {"digest": sha256(b"none")}, LAYER])(files)
    files["manifest.json"] = disagreeing()["manifest.json"]
    source = opened(tmp_path, files)
    assert paths(source) == [["etc", "etc/hosts"], ["app"]]
    assert [f.facts for f in source.findings] == [{"shown": "manifest.json"}]


def test_manifest_that_is_none_beside_an_index_is_of_no_matter(tmp_path: Path) -> None:
    """The layout is whole without it."""
    assert told(opened(tmp_path, oci_files(AMD) | {"manifest.json": b"{}"})) == []
    assert told(opened(tmp_path, docker_files(AMD, hybrid=True))) == []


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_layer_that_was_altered_is_found_when_it_is_verified(
    tmp_path: Path, *, packed: bool
) -> None:
    """Its size is right; its bytes are not."""
    files = oci_files(AMD, packed=packed)
    source = opened(tmp_path, files)
    name = source.image.layers[1].blob
    source.close()
    data = files[name]
    assert isinstance(data, bytes)
    at = data.index(b"app") if not packed else len(data) - 6
    source = opened(tmp_path, files | {name: data[:at] + b"APP" + data[at + 3 :]})
    reader = source.open_layer(source.image.layers[1])
    with pytest.raises((DigestMismatchError, LayerError), match="layer 1"):
        reader.verify()
    source.close()


def test_file_that_is_no_layout_is_refused_where_one_was_meant(tmp_path: Path) -> None:
    """Named as a layout it is not read as anything else."""
    files: Files = {"manifest.json": b"[]"}
    error = refusal(tmp_path, files, transport="oci-archive")
    assert "has no index.json: it is not an OCI image layout" in error.what
    assert error.why == "it holds manifest.json …"
    (tmp_path / "folder").mkdir()
    with pytest.raises(ArchiveError, match="it is not an OCI image layout") as caught:
        reopened(tmp_path / "folder", transport="oci")
    assert caught.value.why == "it holds no files"


def test_folder_that_is_no_layout_is_refused(tmp_path: Path) -> None:
    """With what is in it instead."""
    (tmp_path / "src").mkdir()
    with pytest.raises(ArchiveError, match="is not an image archive") as caught:
        reopened(tmp_path)
    assert caught.value.why == "it holds src …"


def test_link_out_of_a_layout_is_not_followed(tmp_path: Path) -> None:
    """A blob must lie in the layout's own folder."""
    path = write_folder(tmp_path / "layout", oci_files(AMD))
    blob = path / blob_name(sha256(TOP))
    blob.rename(tmp_path / "elsewhere")
    blob.symlink_to(tmp_path / "elsewhere")
    source = reopened(path)
    assert [ref.absence for ref in source.image.layers] == [None, Absence.MISSING]
    source.close()


def test_archive_as_skopeo_writes_it_is_read_by_path_alone(tmp_path: Path) -> None:
    """Nothing but what is in the file decides."""
    (tmp_path / "image").write_bytes(oci_archive(AMD, packed=True))
    assert paths(reopened(tmp_path / "image")) == [["etc", "etc/hosts"], ["app"]]
