"""What ``docker save`` writes, of either generation, through ``open_archive``."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from layertrace.archive.regions import TRACE_MEMBER
from layertrace.archive.source import open_archive, parse_platform, parse_reference
from layertrace.errors import (
    ArchiveError,
    DecodeError,
    LayerError,
    LayertraceError,
    LimitError,
    SeveralImagesError,
    SourceError,
)
from layertrace.layers.walk import walk_layer
from layertrace.model.image import Absence
from tests.builders import (
    Content,
    SampleImage,
    blob_name,
    docker_archive,
    docker_files,
    folder,
    image,
    layer,
    sha256,
    symlink,
    to_json,
    write_folder,
)

if TYPE_CHECKING:
    from pathlib import Path

    from layertrace.archive.source import ArchiveSource

BASE = layer({"etc/": folder(), "etc/hosts": b"x"})
TOP = layer({"app": b"y"})
APP = image(BASE, TOP, BASE, history=["FROM", "COPY", "COPY"], tags=["app:1", "app:latest"])
TOOL = image(TOP, tags=["registry:5000/team/tool:2"])
BARE = image(BASE, TOP, tags=[])


def opened(path: Path, data: bytes, *, name: str = "", transport: str = "") -> ArchiveSource:
    """Write an archive and open it."""
    file = path / "app.tar"
    file.write_bytes(data)
    start, end = (f"{transport}:", f":{name}") if transport else ("", "")
    return open_archive(parse_reference(f"{start}{file}{end if name else ''}"))


def refused(path: Path, files: dict[str, Content], **how: str) -> LayertraceError:
    """Return the error that opening an archive of ``files`` ends in."""
    with pytest.raises(LayertraceError) as caught:
        opened(path, layer(files), **how)
    assert len(str(caught.value).splitlines()) <= 3
    assert caught.value.exit_code == 3
    return caught.value


def paths(source: ArchiveSource) -> list[list[str]]:
    """Return the paths of every layer, each of them verified."""
    found = []
    for ref in source.image.layers:
        with source.open_layer(ref) as reader:
            found.append(list(walk_layer(reader, name="x").index.paths))
            reader.verify()
    return found


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize("hybrid", [False, True], ids=["classic", "hybrid"])
@pytest.mark.parametrize("transport", ["", "docker-archive"])
def test_image_is_read_whole(tmp_path: Path, transport: str, *, hybrid: bool, packed: bool) -> None:
    """Configuration, layers base first, one that comes again included, and tags."""
    source = opened(
        tmp_path, docker_archive(APP, hybrid=hybrid, packed=packed), transport=transport
    )
    assert source.image.config.digest == sha256(APP.config)
    assert source.image.config.diff_ids == APP.diff_ids
    assert [ref.diff_id for ref in source.image.layers] == list(APP.diff_ids)
    assert [ref.index for ref in source.image.layers] == [0, 1, 2]
    assert paths(source) == [["etc", "etc/hosts"], ["app"], ["etc", "etc/hosts"]]
    assert "app:1" in source.image.tags
    assert (source.bundle, source.findings) == (None, ())
    is_layout = hybrid and not transport
    assert (source.image.manifest_digest is not None) is is_layout
    assert (source.image.layers[0].digest is not None) is hybrid
    source.close()


def test_reference_is_as_the_user_wrote_it(tmp_path: Path) -> None:
    """Transport and name included."""
    source = opened(tmp_path, docker_archive(APP), transport="docker-archive", name="app:1")
    assert source.image.reference == f"docker-archive:{tmp_path / 'app.tar'}:app:1"
    source.close()


def test_folder_with_the_files_of_an_archive_is_read_too(tmp_path: Path) -> None:
    """Somebody unpacked it."""
    write_folder(tmp_path, docker_files(image(BASE, TOP)))
    source = open_archive(parse_reference(str(tmp_path)))
    assert paths(source) == [["etc", "etc/hosts"], ["app"]]
    source.close()


def test_image_without_layers_is_an_image(tmp_path: Path) -> None:
    """``FROM scratch`` and nothing else."""
    source = opened(tmp_path, docker_archive(image()))
    assert source.image.layers == ()
    source.close()


@pytest.mark.parametrize(
    ("name", "chosen"),
    [
        ("app:1", APP),
        ("app:latest", APP),
        ("app", APP),
        ("docker.io/library/app:1", APP),
        ("library/app:1", APP),
        ("registry:5000/team/tool:2", TOOL),
        ("2", TOOL),
        ("none:1", None),
        ("app:3", None),
        (sha256(BARE.config), BARE),
        (sha256(BARE.config)[7:19], BARE),
        (sha256(BARE.config)[7:12], None),
        (f"{sha256(BARE.config)[7:]}.json", None),
    ],
)
def test_name_chooses_among_several_images(
    tmp_path: Path, name: str, chosen: SampleImage | None
) -> None:
    """In full, in short, or as the beginning of the configuration's digest."""
    data = docker_archive(APP, TOOL, BARE)
    if chosen is None:
        with pytest.raises(SourceError, match="has no image") as caught:
            opened(tmp_path, data, transport="docker-archive", name=name)
        assert "app:1, app:latest, registry:5000/team/tool:2, " in caught.value.why
        return
    source = opened(tmp_path, data, transport="docker-archive", name=name)
    assert source.image.config.digest == sha256(chosen.config)
    source.close()


def test_several_images_and_no_name_are_listed(tmp_path: Path) -> None:
    """With how to name one; only so many of them."""
    many = [image(TOP, tags=[f"app:{number}"], history=[f"{number}"]) for number in range(12)]
    error = refused(tmp_path, docker_files(*many))
    assert error.what.endswith("holds 12 images: " + ", ".join(
        f"app:{number}" for number in range(8)) + " and 4 more")  # fmt: skip
    assert error.hint == f"name one: docker-archive:{tmp_path / 'app.tar'}:NAME"


def test_each_of_several_images_has_a_reference_that_opens_it(tmp_path: Path) -> None:
    """Also one without a name, and those that share one."""
    twins = [image(TOP, tags=["twin:1"], history=[text]) for text in ("one", "other")]
    nameless = image(TOP, tags=[], history=["nameless"])
    images = (APP, *twins, nameless)
    error = refused(tmp_path, docker_files(*images))
    assert isinstance(error, SeveralImagesError)
    assert error.choices[0] == ("app:1", f"docker-archive:{tmp_path / 'app.tar'}:app:1")
    found = []
    for _, reference in error.choices:
        with closing(open_archive(parse_reference(reference))) as source:
            found.append(source.image.config.digest)
    assert found == [sha256(each.config) for each in images]


@pytest.mark.parametrize("manifest", [[], None])
def test_archive_that_lists_no_image_says_so(tmp_path: Path, manifest: object) -> None:
    """An empty list is no damage."""
    error = refused(tmp_path, {"manifest.json": to_json(manifest)})
    assert error.what == f"{tmp_path / 'app.tar'} holds no image"


@pytest.mark.parametrize(
    ("wanted", "fits"),
    [
        ("linux/amd64", True),
        ("linux/x86_64", True),
        ("linux/arm64", False),
        ("windows/amd64", False),
    ],
)
def test_image_of_another_platform_than_asked_for_is_refused(
    tmp_path: Path, wanted: str, *, fits: bool
) -> None:
    """There is nothing to choose from, but a wrong answer would be worse."""
    (tmp_path / "app.tar").write_bytes(docker_archive(APP))
    reference = parse_reference(str(tmp_path / "app.tar"))
    if fits:
        open_archive(reference, platform=parse_platform(wanted)).close()
        return
    with pytest.raises(SourceError, match=f"has no image for {wanted}") as caught:
        open_archive(reference, platform=parse_platform(wanted))
    assert caught.value.why == "it has linux/amd64"


def with_manifest(**changes: object) -> dict[str, Content]:
    """Return an archive whose one image is listed in another way."""
    files = docker_files(image(BASE, TOP))
    config = f"{sha256(image(BASE, TOP).config)[7:]}.json"
    layers = [name for name in files if name.endswith("layer.tar")]
    item = {"Config": config, "RepoTags": ["app:1"], "Layers": layers} | changes
    return files | {"manifest.json": to_json([item])}


def test_another_case_of_the_keys_will_do(tmp_path: Path) -> None:
    """``docker load`` takes it, and there are tools that write it."""
    files = docker_files(image(TOP))
    manifest = files["manifest.json"]
    assert isinstance(manifest, bytes)
    source = opened(tmp_path, layer(files | {"manifest.json": manifest.lower()}))
    assert paths(source) == [["app"]]
    (finding,) = source.findings
    assert (finding.code, finding.facts["keys"]) == ("key-case", ["config", "repotags", "layers"])
    source.close()


@pytest.mark.parametrize(
    ("files", "error", "message"),
    [
        pytest.param({"blobs/sha256/" + "0" * 64: b"", "b/": folder()}, ArchiveError,
                     "it has no manifest.json and no index.json\nit holds blobs/sha256/000",
                     id="no manifest"),
        pytest.param({f"{'0' * 64}.json": b"{}", "manifest.json": symlink("manifest.json")},
                     ArchiveError, "it has no manifest.json", id="manifest is a link to itself"),
        pytest.param(with_manifest(Config=None), DecodeError,
                     "[0].Config: expected a string, got nothing", id="no configuration"),
        pytest.param(with_manifest(Layers="x"), DecodeError,
                     '[0].Layers: expected an array, got "x"', id="layers are text"),
        pytest.param(with_manifest(Layers=[1, 2]), DecodeError,
                     "[0].Layers[0]: expected a string, got 1", id="layer is a number"),
        pytest.param(with_manifest(RepoTags={}), DecodeError, "[0].RepoTags: expected an array",
                     id="tags are no list"),
        pytest.param({"manifest.json": b"{}"}, DecodeError, "document: expected an array, got {}",
                     id="manifest is no list"),
        pytest.param({"manifest.json": b"[3]"}, DecodeError, "[0]: expected an object, got 3",
                     id="image is a number"),
        pytest.param({"manifest.json": b"[nul"}, ArchiveError, "is not valid JSON", id="no JSON"),
        pytest.param({"manifest.json": b""}, ArchiveError, "is not valid JSON", id="empty"),
        pytest.param({"manifest.json": b"[" * 90_000}, LimitError, "nested 90,000 deep",
                     id="nested too deeply"),
        pytest.param({"manifest.json": b" " * (16 << 20) + b"[]"}, LimitError,
                     "has 16,777,218 bytes, more than 16,777,216", id="too large"),
    ],
)  # fmt: skip
def test_damaged_archive_is_refused(
    tmp_path: Path, files: dict[str, Content], error: type[LayertraceError], message: str
) -> None:
    """Exit code 3 and at most three lines that say what is wrong where."""
    caught = refused(tmp_path, files)
    assert type(caught) is error
    assert message in str(caught)
    assert "app.tar" in str(caught)


def codes(source: ArchiveSource) -> list[str]:
    """Return the codes of what is strange about an image, and close it."""
    source.close()
    return [finding.code for finding in source.findings]


@pytest.mark.parametrize(
    "name",
    ["none/layer.tar", "../../../etc/passwd", "", "a/layer.tar"],
)
def test_layer_that_is_not_there_leaves_the_others(tmp_path: Path, name: str) -> None:
    """Missing, outside of the archive, or a symbolic link round in a circle."""
    there = with_manifest()
    layers = [n for n in there if n.endswith("layer.tar")]
    files = with_manifest(Layers=[name, layers[1]])
    files |= {"a/layer.tar": symlink("../b/layer.tar"), "b/layer.tar": symlink("../a/layer.tar")}
    source = opened(tmp_path, layer(files))
    missing, other = source.image.layers
    assert (missing.absence, other.absence) == (Absence.MISSING, None)
    with source.open_layer(missing) as reader, pytest.raises(LayerError, match="is not there"):
        reader.read_at(0, 512)
    with source.open_layer(other) as reader:
        assert list(walk_layer(reader, name="x").index.paths) == ["app"]
    assert codes(source) == []


@pytest.mark.parametrize(
    ("media_type", "absence"),
    [
        ("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", Absence.FOREIGN),
        ("application/vnd.oci.image.layer.nondistributable.v1.tar", Absence.FOREIGN),
        ("application/vnd.oci.image.layer.v1.tar+gzip", Absence.MISSING),
    ],
)
def test_layer_sources_tell_why_a_layer_is_not_there(
    tmp_path: Path, media_type: str, absence: Absence
) -> None:
    """``docker save`` leaves foreign layers out and says so."""
    diff_id = sha256(BASE)
    sources = {diff_id: {"mediaType": media_type, "digest": diff_id, "size": len(BASE)}}
    layers = [name for name in with_manifest() if name.endswith("layer.tar")]
    files = with_manifest(Layers=["none/layer.tar", layers[1]], LayerSources=sources)
    source = opened(tmp_path, layer(files))
    assert source.image.layers[0].absence is absence
    source.close()


@pytest.mark.parametrize("layers", [[], None, 1, 3])
def test_more_diff_ids_or_fewer_than_layers_tie_nothing(
    tmp_path: Path, layers: list[str] | int | None
) -> None:
    """Nothing says which belongs to which."""
    names = [name for name in with_manifest() if name.endswith("layer.tar")]
    listed = (names * 2)[:layers] if isinstance(layers, int) else layers
    source = opened(tmp_path, layer(with_manifest(Layers=listed)))
    count = len(listed or [])
    assert source.image.config.diff_ids == ("",) * count
    assert source.image.config.history == ()
    assert [ref.diff_id for ref in source.image.layers] == [""] * count
    assert source.image.config.platform.os == "linux"
    for ref in source.image.layers:
        with source.open_layer(ref) as reader:
            assert walk_layer(reader, name="x").index.damage == ""
    assert codes(source) == ["layer-count"]


def test_configuration_that_is_not_there_leaves_the_layers(tmp_path: Path) -> None:
    """Of platform and history nothing is known."""
    source = opened(tmp_path, layer(with_manifest(Config="none.json")))
    assert (source.image.config.digest, str(source.image.config.platform)) == ("", "")
    assert [ref.diff_id for ref in source.image.layers] == ["", ""]
    assert codes(source) == ["config-missing"]


def test_configuration_under_another_digest_is_told(tmp_path: Path) -> None:
    """Its own digest is the one that counts."""
    config = image(BASE, TOP).config
    files = with_manifest(Config=f"{'0' * 64}.json") | {f"{'0' * 64}.json": config}
    source = opened(tmp_path, layer(files))
    assert source.image.config.digest == sha256(config)
    assert codes(source) == ["digest-mismatch"]


@pytest.mark.parametrize("hybrid", [False, True], ids=["classic", "hybrid"])
def test_archive_cut_at_any_place_is_refused_or_read_rightly(
    tmp_path: Path, *, hybrid: bool
) -> None:
    """In a header, in a document, inside a layer, in the end mark: never a wrong answer."""
    whole = docker_archive(APP, hybrid=hybrid)
    read = 0
    for size in range(0, len(whole), 256):
        (tmp_path / "app.tar").write_bytes(whole[:size])
        source = try_to_open(tmp_path / "app.tar")
        if source is not None:
            assert paths(source) == [["etc", "etc/hosts"], ["app"], ["etc", "etc/hosts"]]
            source.close()
            read += 1
    # Only what fills up the last file and the end mark may be missing.
    assert 1 <= read <= 2 * 1024 // 256


def try_to_open(path: Path) -> ArchiveSource | None:
    """Open an archive, None where it is refused as it should be."""
    try:
        return open_archive(parse_reference(str(path)))
    except LayertraceError as error:
        error_lines, code = str(error).splitlines(), error.exit_code
    assert (len(error_lines) <= 3, code) == (True, 3)
    return None


def test_cut_archive_says_that_it_is_cut(tmp_path: Path) -> None:
    """A manifest that is lost with the end is not just missing."""
    whole = docker_archive(APP)
    with pytest.raises(ArchiveError, match=r"no list of its images: no manifest\.json") as caught:
        opened(tmp_path, whole[: whole.index(b"manifest.json")])
    assert "cut short" in caught.value.why
    files = sum(isinstance(content, bytes) for content in docker_files(APP).values())
    assert caught.value.why.endswith(f"files in it that are whole: {files - 1}")
    with pytest.raises(ArchiveError) as caught:
        opened(tmp_path, whole[: whole.index(b"manifest.json") - 600])
    assert caught.value.why.endswith(f"files in it that are whole: {files - 2}")


def test_trace_archive_brings_what_it_was_built_from(tmp_path: Path) -> None:
    """Its final image opens like any other, with the build beside it."""
    record = {"schema": "layertrace.trace/1", "builder": "classic", "dockerfile_name": "Dockerfile",
              "dockerfile": "FROM scratch\n"}  # fmt: skip
    data = layer(docker_files(APP) | {TRACE_MEMBER: to_json(record)})
    source = opened(tmp_path, data)
    assert source.bundle is not None
    assert source.bundle.dockerfile == "FROM scratch\n"
    source.close()


def test_stage_image_is_found_by_its_configuration(tmp_path: Path) -> None:
    """Its layers are stored plain, each under its diff_id."""
    stage = image(TOP, BASE, history=["RUN", "COPY"])
    blobs = {blob_name(sha256(data)): data for data in (stage.config, TOP, BASE)}
    source = opened(tmp_path, layer(docker_files(APP) | blobs))
    found = source.stage_image(sha256(stage.config))
    assert [ref.diff_id for ref in found.layers] == list(stage.diff_ids)
    assert source.stored_config(sha256(stage.config)).diff_ids == stage.diff_ids
    with source.open_layer(found.layers[0]) as reader:
        assert list(walk_layer(reader, name="x").index.paths) == ["app"]
        reader.verify()
    with pytest.raises(ArchiveError, match="has no file"):
        source.stored_config(sha256(b"other"))
    source.close()


def test_configuration_that_is_not_its_digests_is_refused(tmp_path: Path) -> None:
    """Whatever name it is stored under."""
    name = sha256(b"other")
    source = opened(tmp_path, layer(docker_files(APP) | {blob_name(name): APP.config}))
    with pytest.raises(ArchiveError, match="does not have the digest"):
        source.stage_image(name)
    source.close()
