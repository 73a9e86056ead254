"""Archives that are strange, legal or damaged, through the command."""

from __future__ import annotations

import gzip
import hashlib
import sys
from typing import TYPE_CHECKING

import pytest

from tests.builders import (
    Content,
    docker_archive,
    docker_files,
    folder,
    hardlink,
    image,
    layer,
    oci_files,
    sha256,
    to_json,
)

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli_support import Cli

BASE = layer({"etc/hosts": b"127.0.0.1", "bin/sh": b"#!"})
TOP = layer({"app": b"y" * 700})


def rows(cli: Cli, *words: str) -> dict[str, tuple[object, object, object, object]]:
    """Return what ``files`` says of every path: type, size, link target, digest."""
    data = cli.checked_json("files", *words, "--digests")["data"]
    return {r["path"]: (r["type"], r["size"], r["link_target"], r["digest"]) for r in data}


def test_plain_tar_has_an_honest_head(cli: Cli, alone: Path) -> None:
    """No configuration, no platform, no history; its own digest once it was read."""
    (alone / "root.tar").write_bytes(BASE)
    for _ in range(2):
        document = cli.checked_json("layers", "root.tar")
        head = document["image"]
        assert (head["config_digest"], head["manifest_digest"], head["platform"]) == (
            None, None, "",
        )  # fmt: skip
        assert [layer["diff_id"] for layer in head["layers"]] == [sha256(BASE)]
        assert [finding["code"] for finding in document["findings"]] == ["no-image"]
    assert cli.run("cat", "root.tar", "/etc/hosts").out == "127.0.0.1"
    assert "shown as one layer" in cli.run("root.tar").err
    record = cli.json("why", "root.tar", "/etc/hosts")["data"][0]["record"]
    assert (record["trust"], record["origin"]["kind"]) == ("unknown", "unknown")


def test_plain_tars_are_not_each_others_base(cli: Cli, alone: Path) -> None:
    """Nothing known of both is nothing in common."""
    (alone / "root.tar").write_bytes(BASE)
    (alone / "other.tar").write_bytes(TOP)
    (alone / "Dockerfile").write_text("FROM base\nCOPY a /a\n")
    for layers in ([], ["-f", "Dockerfile"]):
        data = cli.json("layers", "root.tar", "--base", "other.tar", *layers)["data"]
        assert [row["base"] for row in data] == [False]


def test_layers_of_every_packing_are_read(cli: Cli, alone: Path) -> None:
    """Also several in one image, and the archive itself."""
    packings: tuple[Callable[[bytes], bytes], ...] = (gzip.compress, zstd.compress, bytes)
    tars = [layer({f"{number}": b"x" * number}) for number in range(len(packings))]
    one = image(*tars)
    files = docker_files(one)
    for tar, pack in zip(tars, packings, strict=True):
        name = next(name for name, content in files.items() if content == tar)
        files[name] = pack(tar)
    (alone / "app.tar").write_bytes(layer(files))
    expected = rows(cli, "app.tar")
    assert list(expected) == ["/0", "/1", "/2"]
    (alone / "app.tar.zst").write_bytes(zstd.compress(layer(files)))
    assert rows(cli, "app.tar.zst") == expected
    assert rows(cli, "app.tar.zst", "--no-cache") == expected


def test_layers_that_claim_one_diff_id_are_kept_apart(cli: Cli, alone: Path) -> None:
    """An archive that lies about two layers gives each its own files, today and tomorrow."""
    first, second = layer({"a": b"1"}), layer({"b": b"22"})
    honest = image(TOP, TOP, history=["one", "two"])
    files: dict[str, Content] = {
        "config.json": honest.config,
        "first": first,
        "second": second,
        "manifest.json": to_json([{"Config": "config.json", "Layers": ["first", "second"]}]),
    }
    (alone / "app.tar").write_bytes(layer(files))
    for _ in range(2):
        found = rows(cli, "app.tar")
        assert {path: size for path, (_, size, _, _) in found.items()} == {"/a": 1, "/b": 2}
        assert found["/b"][3] == sha256(b"22")
    (alone / "good.tar").write_bytes(docker_archive(honest))
    assert list(rows(cli, "good.tar")) == ["/app"]


def test_hard_link_to_a_file_of_a_lower_layer_is_that_file(cli: Cli, alone: Path) -> None:
    """Size, digest and content are its own; once its name is gone, so is the target."""
    linked = layer({"a/link": hardlink("a/file"), "a/two": hardlink("a/link")})
    base = layer({"a/file": b"content"})
    digest = sha256(b"content")
    (alone / "app.tar").write_bytes(docker_archive(image(base, linked)))
    assert rows(cli, "app.tar") == {
        "/a": ("dir", 0, None, None),
        "/a/file": ("file", 7, None, digest),
        "/a/link": ("hardlink", 7, "/a/file", digest),
        "/a/two": ("hardlink", 7, "/a/link", digest),
    }
    assert cli.run("cat", "app.tar", "/a/two").out == "content"
    gone = layer({"a/.wh.file": b""})
    (alone / "gone.tar").write_bytes(docker_archive(image(base, linked, gone)))
    found = rows(cli, "gone.tar")
    assert found["/a/link"] == ("file", 7, None, digest)
    assert cli.run("cat", "gone.tar", "/a/link").out == "content"


@pytest.mark.parametrize(
    ("stack", "first"),
    [
        pytest.param([{"a": b"old", "b": hardlink("a"), "c": hardlink("a")}, {"a": b"new!"}], "/b",
                     id="replaced"),
        pytest.param([{"a": b"old"}, {"b": hardlink("a"), "c": hardlink("a")}, {"a": b"new!"}],
                     "/b", id="links of an upper layer, replaced"),
        pytest.param([{"a": b"old"}, {"b": hardlink("a"), "c": hardlink("a")},
                      {".wh.a": b""}, {"a": b"new!"}], "/b", id="removed and made anew"),
        pytest.param([{"b": b"old", "c": hardlink("b"), "a": hardlink("b")}, {"a": b"new!"}], "/b",
                     id="another link replaced"),
        pytest.param([{"b": b"old", "a": hardlink("b"), "c": hardlink("a")}, {"a": b"new!"}], "/b",
                     id="link to a link that was replaced"),
        pytest.param([{"b": b"old"}, {"a": hardlink("b"), "c": hardlink("a")}, {"a": b"new!"}],
                     "/b", id="link to an upper layer's link that was replaced"),
    ],
)  # fmt: skip
def test_hard_link_never_names_another_file_that_took_its_targets_path(
    cli: Cli, alone: Path, stack: list[dict[str, Content]], first: str
) -> None:
    """The names that are left are of the file they were of, one of them its first."""
    (alone / "app.tar").write_bytes(docker_archive(image(*map(layer, stack))))
    old, new = sha256(b"old"), sha256(b"new!")
    assert rows(cli, "app.tar") == {
        "/a": ("file", 4, None, new),
        first: ("file", 3, None, old),
        "/c": ("hardlink", 3, first, old),
    }


def test_hard_link_is_made_to_what_stands_there_already(cli: Cli, alone: Path) -> None:
    """Not to what its layer puts there afterwards; where nothing stands, there is but that."""
    link: tuple[str, Content] = ("link", hardlink("file"))
    upper = layer([link, ("file", b"new!")])
    (alone / "app.tar").write_bytes(docker_archive(image(layer({"file": b"old"}), upper)))
    old, new = sha256(b"old"), sha256(b"new!")
    assert rows(cli, "app.tar") == {
        "/file": ("file", 4, None, new),
        "/link": ("file", 3, None, old),
    }
    assert cli.run("cat", "app.tar", "/link").out == "old"
    (alone / "app.tar").write_bytes(docker_archive(image(upper)))
    assert rows(cli, "app.tar")["/link"] == ("hardlink", 4, "/file", new)
    tar = layer([("file", b"old"), link, ("file", b"new!")])
    (alone / "app.tar").write_bytes(docker_archive(image(tar)))
    assert rows(cli, "app.tar")["/link"] == ("file", 3, None, old)


def test_hard_links_to_nothing_stay_links(cli: Cli, alone: Path) -> None:
    """A file that no layer has, links in a circle, and too many in a row."""
    chain: dict[str, Content] = {f"l{n}": hardlink(f"l{n - 1}") for n in range(1, 99)}
    circle: dict[str, Content] = {"b": hardlink("c"), "c": hardlink("b")}
    tar = layer({"a": hardlink("none")} | circle | {"l0": b"x"} | chain)
    (alone / "app.tar").write_bytes(docker_archive(image(BASE, tar)))
    found = rows(cli, "app.tar")
    assert found["/a"] == ("hardlink", 0, "/none", None)
    assert found["/b"][:3] == ("hardlink", 0, "/c")
    assert found["/l9"][:3] == ("hardlink", 1, "/l8")
    assert found["/l98"][:3] == ("hardlink", 0, "/l97")
    assert "not a regular file but a hardlink" in cli.fail("cat", "app.tar", "/a", code=4)[0]


def test_damaged_stage_is_not_compared_with(cli: Cli, alone: Path) -> None:
    """What is missing in half an image contradicts nothing."""
    dockerfile = "FROM scratch AS build\nCOPY a /a\nFROM scratch\nCOPY --from=build /a /b\n"
    (alone / "Dockerfile").write_text(dockerfile)
    final = image(layer({"b": b"x"}), history=["COPY /a /b # buildkit"])
    stage = layer({"other": b"", "a": b"x"})
    (alone / "app.tar").write_bytes(docker_archive(final))
    words = ("app.tar", "-f", "Dockerfile", "--stage", "build=stage.tar")
    for tar, trust, codes in (
        (stage, "verified", []), (stage[:700], "inferred", ["stage-damaged"]),
    ):  # fmt: skip
        one = docker_files(image(stage, history=["COPY a /a # buildkit"]))
        files = {name: tar if content == stage else content for name, content in one.items()}
        (alone / "stage.tar").write_bytes(layer(files))
        document = cli.json("why", *words, "/b")
        assert document["data"][0]["hops"][0]["trust"] == trust
        assert [finding["code"] for finding in document["findings"]] == codes


def test_stage_that_is_another_is_not_trusted(cli: Cli, alone: Path) -> None:
    """Nothing verified rests on a layer that its image's configuration does not know."""
    dockerfile = "FROM scratch AS build\nRUN make\nFROM scratch\nCOPY --from=build /a /b\n"
    (alone / "Dockerfile").write_text(dockerfile)
    final = image(layer({"b": b"x"}), history=["COPY /a /b # buildkit"])
    (alone / "app.tar").write_bytes(docker_archive(final))
    stage = image(layer({"a": b"x"}), history=["RUN /bin/sh -c make # buildkit"])
    lying = layer({"a": b"x", "more": b""})
    files = {n: lying if c in stage.layers else c for n, c in docker_files(stage).items()}
    words = ("app.tar", "-f", "Dockerfile", "--stage", "build=stage.tar", "/b")
    for content, trust, codes in (
        (docker_archive(stage), "verified", []),
        (layer(files), "contradicted", ["digest-mismatch"]),
    ):
        (alone / "stage.tar").write_bytes(content)
        document = cli.json("why", *words)
        assert document["data"][0]["hops"][1]["trust"] == trust
        assert [finding["code"] for finding in document["findings"]] == codes
    assert "note: stage build: layer 0" in cli.run("why", *words).err


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("nondistributable.v1.tar+gzip", "layer-foreign"),
        ("v1.tar+gzip+encrypted", "layer-encrypted"),
    ],
)
def test_layers_that_are_elsewhere_or_locked_are_named(
    cli: Cli, alone: Path, kind: str, code: str
) -> None:
    """The rest of the image is shown."""
    one = image(BASE, TOP)
    files = oci_files(one)
    manifest = {
        "schemaVersion": 2,
        "config": {
            "mediaType": "application/vnd.oci.image.config.v1+json",
            "digest": sha256(one.config),
        },
        "layers": [
            {
                "mediaType": f"application/vnd.oci.image.layer.{kind}",
                "digest": f"sha256:{hashlib.sha256(b'away').hexdigest()}",
                "size": 4,
            },
            {"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": sha256(TOP)},
        ],
    }
    data = to_json(manifest)
    files[f"blobs/sha256/{sha256(data)[7:]}"] = data
    entry = {"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": sha256(data)}
    files["index.json"] = to_json({"schemaVersion": 2, "manifests": [entry]})
    (alone / "app.tar").write_bytes(layer(files))
    answer = cli.run("files", "app.tar", code=3)
    assert "/app" in answer.out
    found = cli.json("why", "app.tar", "/app")["findings"]
    assert [(finding["code"], finding["layer"]) for finding in found] == [(code, 0)]


def test_what_follows_a_layers_tar_may_be_damaged(cli: Cli, alone: Path) -> None:
    """All of the layer is there, and a finding says what is not."""
    one = image(BASE)
    files = docker_files(one)
    name = next(name for name, content in files.items() if content == BASE)
    files[name] = gzip.compress(BASE) + b"junk that is no member"
    (alone / "app.tar").write_bytes(layer(files))
    document = cli.json("layers", "app.tar")
    assert [finding["code"] for finding in document["findings"]] == ["damaged-tail"]
    assert "cannot be unpacked" in cli.fail("layers", "app.tar", "--verify", code=3)[0]


@pytest.mark.parametrize("lower", [{"a": b"file"}, {"a": folder(), "a/old": b""}])
@pytest.mark.parametrize("marks", [{}, {".wh.a": b""}], ids=["replaced", "removed"])
def test_what_was_removed_and_lies_below_again_is_a_directory(
    cli: Cli, alone: Path, lower: dict[str, Content], marks: dict[str, Content]
) -> None:
    """No entry of the upper layer makes it, only what it has below."""
    upper = layer({**marks, "a/new": b"x"})
    (alone / "app.tar").write_bytes(docker_archive(image(layer(lower), upper)))
    records = cli.checked_json("files", "app.tar")["data"]
    found = {record["path"]: (record["type"], record["implicit"]) for record in records}
    assert found["/a/new"] == ("file", False)
    kept = "a/old" in lower and not marks
    assert found["/a"] == ("dir", not kept)
