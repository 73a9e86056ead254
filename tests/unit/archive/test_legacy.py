"""What ``docker save`` wrote before there were manifests, through ``open_archive``."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from layertrace.archive.source import open_archive, parse_reference
from layertrace.errors import LayertraceError, SourceError
from layertrace.layers.walk import walk_layer
from layertrace.model.image import Absence, HistoryEntry
from tests.builders import Content, layer, to_json, write_folder

if TYPE_CHECKING:
    from pathlib import Path

    from layertrace.archive.source import ArchiveSource

BASE = layer({"etc/hosts": b"x"})
TOP = layer({"app": b"y"})


def name(word: str) -> str:
    """Return the name of a layer."""
    return hashlib.sha256(word.encode()).hexdigest()


def saved(word: str, tar: bytes | None, parent: str = "", **more: object) -> dict[str, Content]:
    """Return the files of one layer."""
    about = {"id": name(word), "os": "linux", "architecture": "amd64"} | more
    if parent:
        about["parent"] = name(parent)
    files: dict[str, Content] = {f"{name(word)}/VERSION": b"1.0"}
    files[f"{name(word)}/json"] = to_json(about)
    return files | ({f"{name(word)}/layer.tar": tar} if tar is not None else {})


def two(**more: object) -> dict[str, Content]:
    """Return an image of two layers and its name."""
    made = {"container_config": {"Cmd": ["/bin/sh", "-c", "make"]}, "created": "2013-06-13"}
    return (
        saved("top", TOP, "base", comment="why", author="who", **made, **more)
        | saved("base", BASE)
        | {"repositories": to_json({"app": {"1": name("top"), "latest": name("top")}})}
    )


def opened(path: Path, files: dict[str, Content], reference: str = "{}") -> ArchiveSource:
    """Write an archive and open it."""
    (path / "app.tar").write_bytes(layer(files))
    return open_archive(parse_reference(reference.format(path / "app.tar")))


def refusal(path: Path, files: dict[str, Content]) -> str:
    """Return what opening an archive ends in."""
    with pytest.raises(LayertraceError) as caught:
        opened(path, files)
    assert (caught.value.exit_code, len(str(caught.value).splitlines()) <= 3) == (3, True)
    return str(caught.value)


def paths(source: ArchiveSource) -> list[list[str]]:
    """Return the paths of every layer; close the source."""
    found = []
    for ref in source.image.layers:
        with source.open_layer(ref) as reader:
            found.append(list(walk_layer(reader, name="x").index.paths))
    source.close()
    return found


@pytest.mark.parametrize("form", ["{}", "docker-archive:{}", "docker-archive:{}:app:1"])
def test_image_is_read_from_its_top_layer_down(tmp_path: Path, form: str) -> None:
    """Layers base first, each with its own line of history; no digest is known."""
    source = opened(tmp_path, two(config={"Env": ["A=1"], "WorkingDir": "/w"}), form)
    config = source.image.config
    assert (config.digest, config.diff_ids, str(config.platform)) == ("", ("", ""), "linux/amd64")
    assert (config.env, config.working_dir) == ({"A": "1"}, "/w")
    assert config.history == (
        HistoryEntry(),
        HistoryEntry(
            created_by="/bin/sh -c make", comment="why", created="2013-06-13", author="who"
        ),
    )
    assert source.image.tags == ("app:1", "app:latest")
    assert (source.findings, source.image.manifest_digest) == ((), None)
    assert paths(source) == [["etc/hosts"], ["app"]]


def test_folder_is_read_too(tmp_path: Path) -> None:
    """Somebody unpacked it; a folder's own names are all there is to see of it."""
    source = open_archive(parse_reference(str(write_folder(tmp_path, two()))))
    assert paths(source) == [["etc/hosts"], ["app"]]


def test_images_without_names_are_those_nothing_is_made_from(tmp_path: Path) -> None:
    """``docker save`` of an image that has no tag wrote no list of names."""
    files = two()
    del files["repositories"]
    assert paths(opened(tmp_path, files)) == [["etc/hosts"], ["app"]]
    files |= saved("other", TOP, "base")
    assert "holds 2 images" in refusal(tmp_path, files)
    assert "cut short" not in refusal(tmp_path, files)
    chosen = opened(tmp_path, files, f"docker-archive:{{}}:{name('other')[:12]}")
    assert paths(chosen) == [["etc/hosts"], ["app"]]


def test_archive_that_is_cut_off_is_not_taken_for_several_images(tmp_path: Path) -> None:
    """What would say that they are one stands behind the cut; each of them can be looked at."""
    files = two()
    del files["repositories"]
    path = tmp_path / "cut.tar"
    path.write_bytes(layer(files | saved("other", TOP, "base"))[:-1500])
    with pytest.raises(SourceError, match="which of its layers make an image is not") as caught:
        open_archive(parse_reference(str(path)))
    assert "cut short" in caught.value.why
    assert "2 layers are there that no other is made from" in caught.value.why
    named = caught.value.hint.rpartition("one: ")[2]
    assert named == f"docker-archive:{path}:{name('top')[:12]}"
    source = open_archive(parse_reference(named))
    assert [each.code for each in source.findings] == ["archive-damaged"]
    assert paths(source) == [["etc/hosts"], ["app"]]
    with pytest.raises(SourceError, match="has no image other"):
        open_archive(parse_reference(f"docker-archive:{path}:other"))


def test_layer_that_is_not_there_leaves_the_others(tmp_path: Path) -> None:
    """Its tar is missing, or all that is known of it is its name."""
    files = two()
    del files[f"{name('base')}/layer.tar"]
    source = opened(tmp_path, files)
    assert [ref.absence for ref in source.image.layers] == [Absence.MISSING, None]
    source.close()
    del files[f"{name('base')}/json"]
    source = opened(tmp_path, files)
    assert [ref.absence for ref in source.image.layers] == [Absence.MISSING, None]
    assert source.image.config.history[0] == HistoryEntry()
    source.close()


def test_image_whose_top_is_not_there_has_no_configuration(tmp_path: Path) -> None:
    """Its name alone is left."""
    files = saved("base", BASE) | {"repositories": to_json({"app": {"1": name("top")}})}
    source = opened(tmp_path, files)
    assert [ref.absence for ref in source.image.layers] == [Absence.MISSING]
    assert str(source.image.config.platform) == ""
    source.close()


@pytest.mark.parametrize("parent", ["top", "base"])
def test_layers_that_are_their_own_ancestors_end_there(tmp_path: Path, parent: str) -> None:
    """A finding says so."""
    files = two() | saved("base", BASE, parent)
    source = opened(tmp_path, files)
    assert [finding.code for finding in source.findings] == ["parent-loop"]
    assert paths(source) == [["etc/hosts"], ["app"]]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"repositories": b"{"}, "is not valid JSON"),
        ({"repositories": b"[]"}, "expected an object"),
        ({"repositories": b'{"app": 3}'}, "app: expected an object, got 3"),
        ({"repositories": b'{"app": {"1": "../../etc"}}'}, "app:1 names no image"),
        ({"repositories": b"{}"}, "holds no image"),
        ({f"{name('base')}/json": b"{"}, "is not valid JSON"),
        ({f"{name('top')}/json": b'{"parent": "../../etc"}'}, "names no parent"),
        ({f"{name('top')}/json": b'{"parent": 3}'}, "parent: expected a string, got 3"),
    ],
)
def test_damaged_archive_is_refused(
    tmp_path: Path, changes: dict[str, Content], message: str
) -> None:
    """With what is wrong where."""
    assert message in refusal(tmp_path, two() | changes)
