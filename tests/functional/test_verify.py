"""``verify``: every stored byte is read once and held against what the image says of it."""

from __future__ import annotations

import gzip
import io
import lzma
import os
import sys
from typing import TYPE_CHECKING, Any, Final

import pytest

from layertrace.errors import StoppedError
from layertrace.pipeline.verification.verify import verify_image
from layertrace.pipeline.watch import WalkProgress, Watcher
from layertrace.views.progress import describe_check
from tests.builders import (
    Content,
    blob_name,
    docker_archive,
    docker_files,
    file,
    from_json,
    image,
    layer,
    oci_archive,
    oci_files,
    sha256,
    to_json,
    write_folder,
)
from tests.cli_support import Cli, check_error, check_schema, engine_away
from tests.fake_engine import FakeEngine, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.builders import SampleImage

BASE = layer({"etc/hosts": b"127.0.0.1"})
TOP = layer({"a": b"a" * 2000, "dir/c": b"c"})
APP = image(BASE, TOP, history=["FROM", "COPY a /a"])
ARM = image(BASE, layer({"arm": b"x"}), platform="linux/arm64")
OTHER = image(BASE, layer({"other": b"x"}), tags=("other:2",))
BIG: Final = 1_300_000
"""More than one piece."""


def found(cli: Cli, *words: str | Path, code: int) -> dict[str, Any]:
    """Return ``data``; the document is what its schema says, and the exit code what it says."""
    data: dict[str, Any] = cli.checked_json("verify", *words, code=code)["data"]
    assert data["ok"] is (code == 0)
    assert data["ok"] is all(blob["ok"] for blob in data["blobs"])
    return data


def wrong(data: dict[str, Any]) -> list[tuple[str, list[str]]]:
    """Return what is wrong: kind and codes of every file that is not as it should be."""
    return [
        (blob["kind"], [each["code"] for each in blob["problems"]])
        for blob in data["blobs"]
        if not blob["ok"]
    ]


def kinds(data: dict[str, Any]) -> list[str]:
    """Return what was checked."""
    return [blob["kind"] for blob in data["blobs"]]


def archive(folder: Path, files: dict[str, Content]) -> Path:
    """Write an archive of ``files``."""
    path = folder / "app.tar"
    path.write_bytes(layer(files))
    return path


SAVED = ["archive", "manifest", "config", "layer", "layer"]
LAYOUT = ["archive", "index", "manifest", "config", "layer", "layer"]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param(docker_archive(APP), SAVED, id="saved"),
        pytest.param(docker_archive(APP, packed=True), SAVED, id="saved-packed"),
        pytest.param(docker_archive(APP, hybrid=True), [*LAYOUT, "manifest"], id="hybrid"),
        pytest.param(oci_archive(APP), LAYOUT, id="oci"),
        pytest.param(oci_archive(APP, packed=True), LAYOUT, id="oci-packed"),
        pytest.param(
            layer(oci_files(APP, nested=True, attested=True)),
            ["archive", "index", "index", *LAYOUT[2:], *["attestation"] * 3], id="attested",
        ),
        pytest.param(lzma.compress(oci_archive(APP)), LAYOUT, id="archive-packed"),
        pytest.param(BASE, ["layer"], id="plain-tar"),
    ],
)  # fmt: skip
def test_whole_images_pass(cli: Cli, alone: Path, content: bytes, expected: list[str]) -> None:
    """Every document, layer and attestation has its row, with the digests it has."""
    (alone / "app.tar").write_bytes(content)
    data = found(cli, "app.tar", code=0)
    assert kinds(data) == expected
    layers = [blob for blob in data["blobs"] if blob["kind"] == "layer"]
    assert [blob["diff_id"] for blob in layers] == list(APP.diff_ids)[: len(layers)]
    assert [blob["layer"] for blob in layers] == list(range(len(layers)))


def test_the_head_is_the_image_that_was_checked(cli: Cli, alone: Path) -> None:
    """As other commands give it, with what the layers weigh."""
    (alone / "app.tar").write_bytes(docker_archive(APP))
    document = cli.checked_json("verify", "app.tar")
    assert document["image"] == cli.json("layers", "app.tar")["image"]
    assert document["findings"] == []


def test_folders_and_streams_are_checked(
    cli: Cli, alone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An unpacked layout, and an archive on stdin."""
    write_folder(alone / "layout", oci_files(APP, packed=True))
    for reference in ("oci:layout", "./layout"):
        assert kinds(found(cli, reference, code=0)) == LAYOUT[1:]
    reading, writing = os.pipe()
    content = docker_archive(APP)
    assert os.write(writing, content) == len(content)
    os.close(writing)
    with os.fdopen(reading, "rb") as stream:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(stream))
        assert kinds(found(cli, "-", code=0)) == SAVED


def test_every_file_has_its_line(cli: Cli, alone: Path) -> None:
    """What, name, size, digest and diff_id, and a last line that says it all."""
    (alone / "app.tar").write_bytes(docker_archive(APP))
    lines = cli.run("verify", "app.tar").lines
    assert lines[0].split() == ["WHAT", "NAME", "SIZE", "DIGEST", "DIFF_ID", "RESULT"]
    assert lines[4].split()[:3] == ["✔", "layer", "L1"]
    assert lines[4].endswith(f"{APP.diff_ids[0][:19]}…  ok")
    assert lines[-1] == "✔ 5 files: all as it should be"
    altered = docker_archive(APP).replace(b"aaaa", b"aaab", 1)
    (alone / "app.tar").write_bytes(altered)
    answer = cli.run("verify", "app.tar", code=1)
    assert answer.lines[-1] == "✘ 1 of 5 files not as it should be"
    assert answer.lines[5].startswith("✘  layer L2")
    assert answer.lines[5].endswith("digest-mismatch")
    assert answer.lines[-3].startswith("layer L2 ")
    assert (
        f"another diff_id than the image says: expected {APP.diff_ids[1]}, got sha256:"
        in (answer.lines[-3])
    )
    assert answer.err == ""


# --- a byte is wrong


def _altered(files: dict[str, Content], old: Content, new: Content) -> dict[str, Content]:
    assert old in files.values()
    return {name: new if content == old else content for name, content in files.items()}


def _blob(files: dict[str, Content], text: bytes) -> bytes:
    """Return the only blob in which ``text`` stands."""
    (blob,) = {c for n, c in files.items() if "blobs/" in n and isinstance(c, bytes) and text in c}
    return blob


CONFIG = APP.config.replace(b"COPY a", b"COPY b")
FLIPPED = TOP.replace(b"aaaa", b"aaab", 1)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        pytest.param(
            _altered(docker_files(APP), TOP, FLIPPED),
            [("layer", ["digest-mismatch"])], id="saved-layer",
        ),
        pytest.param(
            _altered(docker_files(APP), APP.config, CONFIG),
            [("config", ["digest-mismatch"])], id="saved-config",
        ),
        pytest.param(
            _altered(oci_files(APP), TOP, FLIPPED),
            [("layer", ["digest-mismatch"])], id="oci-layer",
        ),
        pytest.param(
            _altered(oci_files(APP), TOP, TOP + bytes(512)),
            [("layer", ["size-mismatch", "digest-mismatch"])], id="oci-layer-longer",
        ),
        pytest.param(
            _altered(
                oci_files(APP, packed=True),
                gzip.compress(TOP, mtime=0),
                gzip.compress(TOP, compresslevel=1, mtime=0),
            ),
            [("layer", ["size-mismatch", "digest-mismatch"])], id="oci-packed-otherwise",
        ),
        pytest.param(
            _altered(oci_files(APP), APP.config, CONFIG),
            [("config", ["digest-mismatch"])], id="oci-config",
        ),
        pytest.param(
            _altered(
                files := oci_files(APP, nested=True, attested=True),
                blob := _blob(files, b"predicateType"), blob.replace(b"v1", b"v2"),
            ),
            [("attestation", ["digest-mismatch"])], id="statement",
        ),
        pytest.param(
            _altered(
                files, blob := _blob(files, b"attestation-manifest"),
                blob.replace(b"attestation-manifest", b"attestation-manifesT"),
            ),
            [("index", ["digest-mismatch"])], id="nested-index",
        ),
        pytest.param(
            _altered(
                files, blob := _blob(files, b'", "digest": "' + sha256(APP.config).encode()),
                blob.replace(b"schemaVersion", b"schemaversion"),
            ),
            [("manifest", ["digest-mismatch"])], id="manifest",
        ),
        pytest.param(
            oci_files(APP) | {blob_name(sha256(b"x")): b"y"},
            [("unnamed", ["digest-mismatch"])], id="blob-of-nothing",
        ),
    ],
)  # fmt: skip
def test_an_altered_file_is_found(
    cli: Cli, alone: Path, files: dict[str, Content], expected: list[tuple[str, list[str]]]
) -> None:
    """That one and no other; the exit code is 1."""
    archive(alone, files)
    assert wrong(found(cli, "app.tar", code=1)) == expected
    write_folder(alone / "folder", files)
    assert wrong(found(cli, "./folder", code=1)) == expected


def test_a_blob_that_nothing_names_is_checked_too(cli: Cli, alone: Path) -> None:
    """Its name says what it should be."""
    archive(alone, oci_files(APP) | {blob_name(sha256(b"x")): b"x", "blobs/sha256/readme": b""})
    assert kinds(found(cli, "app.tar", code=0)) == [*LAYOUT, "unnamed"]


@pytest.mark.parametrize("packed", [False, True])
def test_a_layer_of_many_pieces_is_read_to_its_end(cli: Cli, alone: Path, *, packed: bool) -> None:
    """A byte behind all that a listing looks at counts as well."""
    tar = layer({"big": os.urandom(BIG), "last": b"x"})
    late = tar[:-1] + b"!"
    archive(alone, _altered(oci_files(image(tar)), tar, gzip.compress(late) if packed else late))
    data = found(cli, "app.tar", code=1)
    assert [kind for kind, _ in wrong(data)] == ["layer"]
    (row,) = [blob for blob in data["blobs"] if blob["kind"] == "layer"]
    assert row["diff_id"] == sha256(late)
    assert [note["code"] for note in row["notes"]] == ["trailing-data"]


# --- something is missing, cut or damaged


def _manifest(**fields: object) -> bytes:
    item = {"Config": "config.json", "Layers": ["base", "top"], "RepoTags": ["app:1"]}
    return to_json([item | fields])


PARTS: dict[str, Content] = {
    "manifest.json": _manifest(), "config.json": APP.config, "base": BASE, "top": TOP,
}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param(
            {"manifest.json": _manifest(Layers=["base", "gone"])},
            [("layer", ["layer-missing"])], id="layer-missing",
        ),
        pytest.param(
            {"manifest.json": _manifest(Config="gone.json")},
            [("config", ["config-missing"])], id="config-missing",
        ),
        pytest.param(
            {"manifest.json": _manifest(Layers=["base"])},
            [("config", ["layer-count"])], id="too-few-layers",
        ),
        pytest.param(
            {"config.json": b"{"}, [("config", ["document-damaged"])], id="config-not-json",
        ),
        pytest.param(
            {"top": TOP[:1500]},
            [("layer", ["layer-damaged", "digest-mismatch"])], id="layer-cut",
        ),
        pytest.param(
            {"top": gzip.compress(TOP)[:-12]}, [("layer", ["layer-damaged"])], id="packed-cut",
        ),
        pytest.param(
            {"top": gzip.compress(TOP) + b"junk"}, [("layer", ["layer-damaged"])], id="tail",
        ),
        pytest.param(
            {"top": b"no tar at all" * 99},
            [("layer", ["layer-damaged", "digest-mismatch"])], id="no-tar",
        ),
    ],
)  # fmt: skip
def test_what_is_missing_or_damaged_is_found(
    cli: Cli, alone: Path, changes: dict[str, Content], expected: list[tuple[str, list[str]]]
) -> None:
    """The rest is checked all the same."""
    archive(alone, PARTS | changes)
    data = found(cli, "app.tar", code=1)
    assert wrong(data) == expected
    assert sum(blob["ok"] for blob in data["blobs"]) == len(data["blobs"]) - 1


def test_an_archive_that_is_cut_short_fails(cli: Cli, alone: Path) -> None:
    """The archive itself, and the layer it ends in."""
    content = layer(PARTS)
    (alone / "app.tar").write_bytes(content[: content.index(b"aaaa") + 700])
    assert wrong(found(cli, "app.tar", code=1)) == [
        ("archive", ["archive-damaged"]),
        ("layer", ["archive-damaged", "layer-damaged", "digest-mismatch"]),
    ]
    (alone / "app.tar").write_bytes(layer(PARTS)[:-1024] + b"\xff" * 512)
    assert wrong(found(cli, "app.tar", code=1)) == [("archive", ["archive-damaged"])]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (layer(PARTS) + b"garbage", "trailing-data"),
        (layer(PARTS)[:-1024], "no-end-marker"),
        (layer(PARTS | {"top": TOP + b"garbage"}), "digest-mismatch"),
    ],
)
def test_what_follows_the_end_is_a_note(cli: Cli, alone: Path, content: bytes, code: str) -> None:
    """Nobody reads it; behind a layer it makes another diff_id."""
    (alone / "app.tar").write_bytes(content)
    expected = int(code == "digest-mismatch")
    document = cli.checked_json("verify", "app.tar", code=expected)
    assert code in [finding["code"] for finding in document["findings"]]
    assert bool(cli.run("verify", "app.tar", code=expected).err)


def _manifest_name(files: dict[str, Content], one: SampleImage) -> str:
    """Return the file of an image's manifest."""
    config = sha256(one.config).encode()
    (name,) = (
        name for name, content in files.items()
        if isinstance(content, bytes) and b'"layers": [' in content and config in content
    )  # fmt: skip
    return name


def _with_layer(media_type: str, digest: str) -> dict[str, Content]:
    """Return a layout whose second layer is of another media type and digest."""
    files = oci_files(APP)
    manifest: Any = from_json(files.pop(_manifest_name(files, APP)))
    manifest["layers"][1] = {"mediaType": media_type, "digest": digest, "size": len(TOP)}
    data = to_json(manifest)
    entry = {"mediaType": manifest["mediaType"], "digest": sha256(data), "size": len(data)}
    return files | {
        blob_name(sha256(data)): data,
        "index.json": to_json({"schemaVersion": 2, "manifests": [entry]}),
    }


def test_what_need_not_be_there_is_told(cli: Cli, alone: Path) -> None:
    """A foreign layer is elsewhere, one that is encrypted has no diff_id to check."""
    tar = "application/vnd.oci.image.layer"
    for kind, digest, code in (
        ("nondistributable.v1.tar+gzip", sha256(b"away"), "layer-foreign"),
        ("v1.tar+gzip+encrypted", sha256(TOP), "layer-encrypted"),
    ):
        archive(alone, _with_layer(f"{tar}.{kind}", digest))
        document = cli.checked_json("verify", "app.tar")
        assert [finding["code"] for finding in document["findings"]] == [code]
    answer = cli.run("verify", "app.tar")
    assert "encrypted" in answer.err
    archive(alone, _with_layer(f"{tar}.nondistributable.v1.tar", sha256(b"away")))
    assert any("elsewhere" in line for line in cli.run("verify", "app.tar").lines)


# --- documents


def _index(*manifests: object) -> bytes:
    return to_json({"schemaVersion": 2, "manifests": list(manifests)})


@pytest.mark.parametrize(
    ("index", "expected"),
    [
        pytest.param({"digest": "sha256:12"}, [("index", ["document-damaged"])], id="digest"),
        pytest.param(
            {"digest": sha256(b"["), "size": 1, "mediaType": "application/json"},
            [("manifest", ["document-damaged"])], id="not-json",
        ),
        pytest.param(
            {"digest": sha256(b"[]"), "mediaType": "application/json"},
            [("manifest", ["document-damaged"])], id="no-object",
        ),
        pytest.param(
            {"digest": sha256(b"[]"), "mediaType": "application/vnd.oci.image.index.v1+json"},
            [("index", ["document-damaged"])], id="no-index",
        ),
        pytest.param(
            {"digest": sha256(b'{"config": {"digest": 5}}'), "mediaType": "x"},
            [("manifest", ["document-damaged"])], id="config-no-digest",
        ),
    ],
)  # fmt: skip
def test_a_damaged_document_leaves_the_others(
    cli: Cli, alone: Path, index: dict[str, object], expected: list[tuple[str, list[str]]]
) -> None:
    """What it would have named is not known; all else is checked."""
    files = oci_files(APP)
    first: Any = from_json(files["index.json"])
    files["index.json"] = _index(*first["manifests"], index)
    for blob in (b"[", b"[]", b'{"config": {"digest": 5}}'):
        files[blob_name(sha256(blob))] = blob
    archive(alone, files)
    data = found(cli, "app.tar", code=1)
    assert wrong(data) == expected
    assert kinds(data).count("layer") == 2


def test_documents_beside_the_layout_are_checked(cli: Cli, alone: Path) -> None:
    """A ``manifest.json`` that is none, and a configuration that is no configuration."""
    archive(alone, oci_files(APP) | {"manifest.json": b"{"})
    assert wrong(found(cli, "app.tar", code=1)) == [("manifest", ["document-damaged"])]
    odd = image(BASE)
    broken = b'{"rootfs": {"diff_ids": "none"}}'
    files = _altered(oci_files(odd), odd.config, broken)
    archive(alone, oci_files(APP) | files)
    assert wrong(found(cli, "app.tar", code=1))[0][1][0] == "document-damaged"


def test_artifacts_are_checked_as_they_are(cli: Cli, alone: Path) -> None:
    """A signature's parts have digests and no diff_ids."""
    files = oci_files(APP)
    signature = b"signed"
    manifest = to_json({
        "config": {"mediaType": "application/vnd.custom", "digest": sha256(b"{}"), "size": 2},
        "layers": [{"mediaType": "text/plain", "digest": sha256(signature), "size": 6}],
    })  # fmt: skip
    first: Any = from_json(files["index.json"])
    entry = {"mediaType": "x", "artifactType": "application/vnd.sig", "digest": sha256(manifest)}
    files["index.json"] = _index(*first["manifests"], entry, entry)
    for data in (manifest, b"{}", signature):
        files[blob_name(sha256(data))] = data
    archive(alone, files)
    assert kinds(found(cli, "app.tar", code=0)) == [*LAYOUT, *["artifact"] * 3]
    archive(alone, files | {blob_name(sha256(signature)): b"forged"})
    assert wrong(found(cli, "app.tar", code=1)) == [("artifact", ["digest-mismatch"])]
    del files[blob_name(sha256(signature))]
    archive(alone, files)
    assert wrong(found(cli, "app.tar", code=1)) == [("artifact", ["blob-missing"])]


# --- several images


def test_all_images_of_an_archive_are_checked(cli: Cli, alone: Path) -> None:
    """Or the one that is named; which, the answer says."""
    altered = OTHER.layers[1].replace(b"x", b"y", 1)
    archive(alone, _altered(docker_files(APP, OTHER), OTHER.layers[1], altered))
    document = cli.checked_json("verify", "app.tar", code=1)
    assert document["image"] is None
    assert document["data"]["images"] == ["app:1", "other:2"]
    rows = [(blob["images"], blob["layer"], blob["ok"]) for blob in document["data"]["blobs"]]
    assert (["app:1", "other:2"], 0, True) in rows
    assert (["other:2"], 1, False) in rows
    answer = cli.run("verify", "app.tar", code=1)
    assert "IMAGE" in answer.lines[0]
    assert answer.lines[-1] == "✘ 1 of 7 files of 2 images not as it should be"
    only = found(cli, "docker-archive:app.tar:app:1", code=0)
    assert only["images"] == ["app:1"]
    assert only["blobs"][-1]["images"] == ["app:1"]
    found(cli, "docker-archive:app.tar:other:2", code=1)


def test_all_platforms_are_checked_or_the_one_asked_for(cli: Cli, alone: Path) -> None:
    """The attestation of an image goes with it."""
    files = oci_files(APP, ARM, nested=True, attested=True)
    statement = _blob(files, b"predicateType")
    archive(alone, _altered(files, ARM.layers[1], ARM.layers[1].replace(b"x", b"y", 1)))
    data = found(cli, "app.tar", code=1)
    assert data["images"] == ["app:1 linux/amd64", "app:1 linux/arm64"]
    assert wrong(data) == [("layer", ["digest-mismatch"])]
    assert found(cli, "app.tar", "--platform", "linux/amd64", code=0)["images"] == [
        "app:1 linux/amd64"
    ]
    arm = found(cli, "app.tar", "--platform", "linux/arm64", code=1)
    assert [blob["kind"] for blob in arm["blobs"]].count("attestation") == 3
    assert any(blob["digest"] == sha256(statement) for blob in arm["blobs"])
    lines = cli.fail("verify", "app.tar", "--platform", "linux/s390x", code=3)
    assert "linux/arm64" in "\n".join(lines)


def test_platforms_that_are_only_named_are_no_mismatch(cli: Cli, alone: Path) -> None:
    """An index of all platforms may come with one image alone."""
    files = oci_files(APP, ARM, nested=True)
    del files[_manifest_name(files, ARM)]
    archive(alone, files)
    data = found(cli, "app.tar", code=0)
    (row,) = [blob for blob in data["blobs"] if blob["size"] is None]
    assert [note["code"] for note in row["notes"]] == ["blob-not-stored"]
    assert any("only named" in line for line in cli.run("verify", "app.tar").lines)


def test_a_saved_image_of_another_platform_is_told(cli: Cli, alone: Path) -> None:
    """There is nothing to check then."""
    (alone / "app.tar").write_bytes(docker_archive(APP))
    found(cli, "app.tar", "--platform", "linux/amd64", code=0)
    cli.fail("verify", "app.tar", "--platform", "linux/arm64", code=3)
    cli.fail("verify", "docker-archive:app.tar:third:3", code=3)


def test_stages_of_a_trace_archive_are_checked(cli: Cli, alone: Path, sample: Path) -> None:
    """Their layers, their configurations, those of their bases, and the listing itself."""
    data = found(cli, sample, code=0)
    assert {"tiny-app:multistage", "stage build", "base tiny-node:14"} <= {
        name for blob in data["blobs"] for name in blob["images"]
    }
    assert kinds(data).count("trace") == 1
    content = sample.read_bytes()
    (layer_6,) = (b for b in data["blobs"] if b["images"] == ["stage build"] and b["layer"] == 5)
    start = content.index(layer_6["name"].encode()) + 512
    spoilt = content[:start] + bytes([content[start] ^ 1]) + content[start + 1 :]
    (alone / "app.tar").write_bytes(spoilt)
    found(cli, "app.tar", code=1)
    cut = content.replace(b"layertrace.trace/1", b"layertrace.trace/x", 1)
    (alone / "app.tar").write_bytes(cut)
    assert wrong(found(cli, "app.tar", code=1)) == [("trace", ["document-damaged"])]


def test_a_damaged_part_of_a_trace_archive_leaves_the_rest(
    cli: Cli, alone: Path, sample: Path
) -> None:
    """A stage or a base whose configuration is another is not used; the image is shown."""
    content = sample.read_bytes()
    for image_, code in (("stage build", "stage-damaged"), ("base tiny-node:14", "base-damaged")):
        blobs = found(cli, sample, code=0)["blobs"]
        (row,) = (b for b in blobs if b["kind"] == "config" and b["images"] == [image_])
        start = content.index(b'"created"', content.index(row["name"].encode()))
        altered = content[:start] + b'"Created"' + content[start + 9 :]
        (alone / "app.tar").write_bytes(altered)
        assert wrong(found(cli, "app.tar", code=1)) == [("config", ["digest-mismatch"])]
        document = cli.json("layers", "app.tar")
        assert code in [finding["code"] for finding in document["findings"]]
        assert len(document["data"]) == 6


def test_documents_that_name_no_image_end_with_3(cli: Cli, alone: Path) -> None:
    """Nothing was listed that could be checked."""
    for index in (b'{"manifests": []}', b'{"manifests": 5}', b"{}"):
        archive(alone, oci_files(APP) | {"index.json": index})
        cli.fail("verify", "app.tar", code=3)


def test_hostile_indexes_are_refused(cli: Cli, alone: Path) -> None:
    """The limits hold here too, and name themselves."""
    files = oci_files(APP, nested=True)
    archive(alone, files)
    for limit in ("manifests=0", "nesting=0", "json=100", "entries=1"):
        lines = cli.fail("verify", "app.tar", "--max", limit, code=3)
        assert f"--max {limit.partition('=')[0]}=NUMBER" in lines[-1]
    archive(alone, oci_files(APP) | {"manifest.json": b"[" * 300})
    assert "json-depth" in cli.fail("verify", "app.tar", code=3)[-1]
    (alone / "app.tar").write_bytes(docker_archive(APP))
    cli.fail("verify", "app.tar", "--max", "json=100", code=3)


def test_archives_of_the_first_format_have_no_digests(cli: Cli, alone: Path) -> None:
    """Their tars are looked at."""
    top, base = "b" * 64, "a" * 64
    files: dict[str, Content] = {
        "repositories": to_json({"app": {"1": top}}),
        f"{base}/json": to_json({"id": base, "os": "linux"}), f"{base}/layer.tar": BASE,
        f"{top}/json": to_json({"id": top, "parent": base, "os": "linux"}),
        f"{top}/layer.tar": TOP,
    }  # fmt: skip
    archive(alone, files)
    data = found(cli, "app.tar", code=0)
    assert kinds(data) == ["archive", "index", *["config", "layer"] * 2]
    archive(alone, files | {f"{top}/layer.tar": TOP[:900]})
    assert wrong(found(cli, "app.tar", code=1)) == [("layer", ["layer-damaged"])]
    assert found(cli, "docker-archive:app.tar:app:1", code=1)["images"] == ["app:1"]
    cli.fail("verify", "docker-archive:app.tar:other", code=3)


# --- nothing can be read


@pytest.mark.parametrize("content", [b"", b"GIF89a" * 999, docker_archive(APP)[:4000], TOP[:100]])
def test_what_cannot_be_read_ends_with_3(cli: Cli, alone: Path, content: bytes) -> None:
    """As for every command."""
    (alone / "app.tar").write_bytes(content)
    cli.fail("verify", "app.tar", code=3)
    cli.fail("verify", "app.tar", "--json", code=3)
    cli.fail("verify", "gone.tar", code=3)


def test_a_tar_of_which_nothing_is_whole_ends_with_3(cli: Cli, alone: Path) -> None:
    """A header alone is no layer."""
    (alone / "app.tar").write_bytes(layer({"a": file(b"a" * 900)})[:700])
    cli.fail("verify", "app.tar", code=3)


def test_names_are_safe_to_show(cli: Cli, alone: Path) -> None:
    """They are the image's own words."""
    archive(alone, PARTS | {"manifest.json": _manifest(Layers=["base", "\x1b[2J\udce9"])})
    assert "\x1b" not in cli.run("verify", "app.tar", code=1).out
    found(cli, "app.tar", code=1)


@pytest.mark.parametrize(
    ("total", "seconds", "text"),
    [
        (4_000_000, 2.0, "checking file 2 of 3  1.0 MB of 4.0 MB  500.0 kB/s  6 seconds left"),
        (None, 0.0, "checking file 2 of 3  1.0 MB  0 B/s"),
    ],
)
def test_progress_is_one_line(total: int | None, seconds: float, text: str) -> None:
    """Files, bytes, rate and how much longer."""
    progress = WalkProgress(layer=1, layers=3, bytes_done=1_000_000, bytes_total=total, entries=0)
    assert describe_check(progress, seconds) == text


def test_progress_knows_how_much_there_is(alone: Path) -> None:
    """Every file is read once, however often it is named."""
    path = archive(alone, docker_files(APP, image(BASE, BASE, tags=("twice:1",))))
    told: list[WalkProgress] = []
    verify_image(str(path), platform=None, watcher=Watcher(told.append, lambda: False))
    assert told[-1].bytes_done == told[-1].bytes_total
    assert told[-1].layer + 1 == told[-1].layers
    with pytest.raises(StoppedError):
        verify_image(str(path), platform=None, watcher=Watcher(told.append, lambda: True))


# --- the engine


@pytest.fixture
def engine(alone: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeEngine]:
    """An engine that has ``app:1``."""
    fake = FakeEngine()
    fake.add(APP)
    monkeypatch.setenv("DOCKER_HOST", f"unix://{alone}/engine.sock")
    with serving(fake, alone / "engine.sock"):
        yield fake


def _sent(hybrid: bool, one: SampleImage = APP) -> dict[str, Content]:  # noqa: FBT001 - a test's parameter
    return docker_files(one, hybrid=hybrid)


@pytest.mark.parametrize("hybrid", [False, True])
def test_an_image_of_the_engine_is_checked_as_it_streams(
    cli: Cli, engine: FakeEngine, hybrid: bool  # noqa: FBT001 - a test's parameter
) -> None:  # fmt: skip
    """Once, and nothing of it is kept."""
    engine.saved = layer(_sent(hybrid))
    data = found(cli, "docker-daemon:app:1", code=0)
    assert kinds(data).count("layer") == 2
    assert data["images"] == ["app:1"]
    assert len(engine.asked) == 1
    engine.saved = layer(_altered(_sent(hybrid), TOP, FLIPPED))
    data = found(cli, "app:1", code=1)
    assert wrong(data) == [("layer", ["digest-mismatch"])]
    head = cli.json("verify", "app:1", code=1)["image"]
    assert [row["trust"] for row in head["layers"]] == ["inferred", "contradicted"]


def test_a_configuration_of_the_engine_is_checked(cli: Cli, engine: FakeEngine) -> None:
    """By the name the engine gives it."""
    engine.saved = layer(_altered(_sent(hybrid=False), APP.config, CONFIG))
    assert wrong(found(cli, "app:1", code=1)) == [("config", ["digest-mismatch"])]


@engine_away
def test_an_engine_that_is_away_is_told(cli: Cli) -> None:
    """Exit code 5."""
    answer = cli.run("verify", "docker-daemon:app:1", code=5)
    check_error(answer)


def test_the_schema_is_published(cli: Cli) -> None:
    """``layertrace schema verify`` is what the tests here hold the output to."""
    document = from_json(cli.run("schema", "verify").out.encode())
    assert document["title"] == "layertrace verify --json"
    with pytest.raises(Exception, match="required"):
        check_schema({}, "verify")
