"""Tars that are no archives of images, and how they are told from those that are."""

from __future__ import annotations

import bz2
import gzip
from typing import TYPE_CHECKING

import pytest

from layertrace.archive import tar_store
from layertrace.archive.source import open_archive, parse_platform, parse_reference
from layertrace.errors import ArchiveError, LayertraceError
from layertrace.layers.walk import walk_layer
from tests.builders import (
    Content,
    docker_files,
    folder,
    image,
    layer,
    oci_files,
    sha256,
    symlink,
    to_json,
)

if TYPE_CHECKING:
    from pathlib import Path

    from layertrace.archive.source import ArchiveSource

ROOT: dict[str, Content] = {
    "bin/": folder(), "bin/sh": b"#!", ".dockerenv": b"", "sbin": symlink("bin"),
}  # fmt: skip
TAR = layer(ROOT)
NAMES = ["bin", "bin/sh", ".dockerenv", "sbin"]


def opened(path: Path, data: bytes, transport: str = "") -> ArchiveSource:
    """Write a file and open it."""
    (path / "root.tar").write_bytes(data)
    return open_archive(parse_reference(f"{transport}{path / 'root.tar'}"))


def shown(source: ArchiveSource) -> tuple[list[str], str]:
    """Return the names in the one layer, and what is wrong with it; close the source."""
    (only,) = source.image.layers
    with source.open_layer(only) as reader:
        index = walk_layer(reader, name="layer 0").index
    source.close()
    return list(index.paths), index.damage


def codes(source: ArchiveSource) -> list[str]:
    """Return the codes of what is strange about an image."""
    return [finding.code for finding in source.findings]


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress])
def test_root_file_system_is_one_layer(tmp_path: Path, pack: type[bytes]) -> None:
    """``docker export`` writes nothing but files: nothing else is known."""
    source = opened(tmp_path, pack(TAR))
    config = source.image.config
    assert (config.digest, config.diff_ids, config.history, str(config.platform)) == (
        "", ("",), (), "",
    )  # fmt: skip
    assert source.image.manifest_digest is None
    assert codes(source) == ["no-image"]
    assert source.attestation() is None
    assert shown(source) == (NAMES, "")


def test_empty_layer_is_a_layer(tmp_path: Path) -> None:
    """A tar of nothing."""
    assert shown(opened(tmp_path, layer({}))) == ([], "")


def test_any_platform_may_be_asked_for(tmp_path: Path) -> None:
    """Nothing says that it is another."""
    (tmp_path / "root.tar").write_bytes(TAR)
    reference = parse_reference(str(tmp_path / "root.tar"))
    open_archive(reference, platform=parse_platform("linux/s390x")).close()


@pytest.mark.parametrize("transport", ["docker-archive:", "oci-archive:"])
def test_what_is_called_an_archive_has_to_be_one(tmp_path: Path, transport: str) -> None:
    """Only a bare path is looked into."""
    with pytest.raises(ArchiveError, match="is not an"):
        opened(tmp_path, TAR, transport)


@pytest.mark.parametrize(
    "more",
    [
        {"manifest.json": to_json({"name": "an extension"})},
        {"manifest.json": b"{ // not JSON"},
        {"manifest.json": to_json(["a", "b"])},
        {"manifest.json": to_json([{"name": "x"}])},
        {"index.json": to_json({"entries": []})},
        {"index.json": to_json([])},
        {"index.json": b"export {}"},
        {"repositories": b"http://example.org"},
    ],
)
def test_files_that_are_called_as_in_an_image_may_be_any(
    tmp_path: Path, more: dict[str, Content]
) -> None:
    """Where nothing else looks like an image, they are read before they are believed."""
    source = opened(tmp_path, layer(ROOT | more))
    assert shown(source) == ([*NAMES, *more], "")


@pytest.mark.parametrize("number", range(2))
def test_archive_without_its_lists_is_no_file_system(tmp_path: Path, number: int) -> None:
    """A lost manifest is damage."""
    one = image(layer({"a": b""}))
    files = (docker_files(one), oci_files(one))[number]
    for name in ("manifest.json", "index.json"):
        files.pop(name, None)
    with pytest.raises(ArchiveError, match=r"it has no manifest\.json and no index\.json"):
        opened(tmp_path, layer(files))


def test_image_among_unlikely_names_is_an_image(tmp_path: Path) -> None:
    """Other tools call layers what they like."""
    one = image(layer({"a": b""}))
    files: dict[str, Content] = {"config": one.config, "first": one.layers[0]}
    files["manifest.json"] = to_json([{"Config": "config", "Layers": ["first"]}])
    source = opened(tmp_path, layer(files))
    assert source.image.config.digest == sha256(one.config)
    assert shown(source) == (["a"], "")
    listed = oci_files(one)
    index = layer({"index.json": listed["index.json"], "x": b""})
    with pytest.raises(LayertraceError, match="has no file blobs"):
        opened(tmp_path, index)


def test_large_file_system_is_not_searched_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A million files would be read twice for nothing."""
    monkeypatch.setattr(tar_store, "MAX_UNLIKELY", 3)
    many: dict[str, Content] = {f"f{number}": b"" for number in range(9)}
    assert shown(opened(tmp_path, layer(many)))[0] == list(many)
    one = image(layer({"a": b""}))
    assert shown(opened(tmp_path, layer(many | docker_files(one)))) == (
        [*many, *(name.rstrip("/") for name in docker_files(one))], "",
    )  # fmt: skip
    assert shown(opened(tmp_path, layer(docker_files(one) | many))) == (["a"], "")


def test_damage_is_the_layers(tmp_path: Path) -> None:
    """What stands before it is shown."""
    names, damage = shown(opened(tmp_path, layer(ROOT, end=False) + b"junk" * 300))
    assert names == NAMES
    assert "damaged tar header" in damage
    big = layer({"a": b"x", "b": b"y" * 9000})
    assert shown(opened(tmp_path, big[:4000])) == (
        ["a"], "layer 0 is cut short: its tar ends after 4,000 bytes",
    )  # fmt: skip


def test_damage_of_the_packing_is_told(tmp_path: Path) -> None:
    """A tail that is no gzip is passed over; what is lost with a cut is the layer's damage."""
    source = opened(tmp_path, gzip.compress(TAR) + b"tail")
    assert codes(source) == ["archive-damaged", "no-image"]
    assert shown(source) == (NAMES, "")
    packed = gzip.compress(layer({"a": b"x", "b": bytes(range(256)) * 9000}), compresslevel=0)
    source = opened(tmp_path, packed[:100_000])
    assert codes(source) == ["archive-damaged", "no-image"]
    names, damage = shown(source)
    assert (names, "cut short" in damage) == (["a"], True)


def test_damage_behind_an_image_is_told(tmp_path: Path) -> None:
    """All of it is there, and something more or less."""
    archive = layer(docker_files(image(layer({"a": b""}))), end=False)
    source = opened(tmp_path, archive)
    assert codes(source) == ["archive-damaged"]
    assert shown(source) == (["a"], "")
