"""Where tools disagree about an image: what layertrace decided, a test a decision."""

from __future__ import annotations

import tarfile
from typing import TYPE_CHECKING, Any

import pytest

from tests.builders import (
    Content,
    Member,
    docker_archive,
    docker_files,
    file,
    folder,
    from_json,
    hardlink,
    image,
    layer,
    oci_archive,
    oci_files,
    sha256,
    step,
    symlink,
    to_json,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.cli_support import Cli

GLOBAL = Member(type=tarfile.XGLTYPE, content=b"30 comment=0123456789abcdef01\n")


def save(folder_: Path, *layers: bytes, history: Sequence[Any] | None = None) -> None:
    """Write an image as ``docker save`` does."""
    (folder_ / "app.tar").write_bytes(docker_archive(image(*layers, history=history)))


def rows(cli: Cli, *words: str) -> dict[str, dict[str, Any]]:
    """Return the record of every path."""
    data = cli.checked_json("files", "app.tar", "--digests", *words)["data"]
    return {row["path"]: row for row in data}


def codes(cli: Cli, command: str = "layers") -> list[str]:
    """Return the codes of all findings."""
    return [finding["code"] for finding in cli.json(command, "app.tar")["findings"]]


@pytest.mark.parametrize("order", [1, -1])
def test_a_whiteout_never_reaches_its_own_layer(cli: Cli, alone: Path, order: int) -> None:
    """Wherever in the layer it stands: lower layers lose the path, its own keeps it."""
    base = layer({"a": b"old", "d/old": b"", "gone": b""})
    own: list[tuple[str, Content]] = [
        (".wh.a", b""), ("a", b"new!"), ("d/.wh..wh..opq", b""), ("d/new", b""), (".wh.gone", b""),
    ]  # fmt: skip
    save(alone, base, layer(own[::order]))
    found = rows(cli)
    assert sorted(found) == ["/a", "/d", "/d/new"]
    assert (found["/a"]["size"], found["/a"]["layer"]) == (4, 1)


def test_of_a_member_named_twice_the_last_wins(cli: Cli, alone: Path) -> None:
    """A finding says so, once for all of them."""
    entries: list[tuple[str, Content]] = [
        (name, content)
        for content in (b"first", b"second!", file(b"last", mode=0o600))
        for name in ("a", "./b", "c")
    ]
    save(alone, layer(entries))
    found = rows(cli)
    assert {(row["size"], row["mode"]) for row in found.values()} == {(4, 0o600)}
    (finding,) = cli.json("layers", "app.tar")["findings"]
    assert (finding["code"], finding["layer"]) == ("repeated-path", 0)
    assert len(cli.run("layers", "app.tar").err.splitlines()) == 1


def test_a_hard_link_shows_its_targets_mode_and_owner(cli: Cli, alone: Path) -> None:
    """Whatever its own header says."""
    link = Member(type=tarfile.LNKTYPE, link="file", mode=0o777, uid=9, gid=9, mtime=99)
    save(alone, layer({"file": file(b"12345", mode=0o640, uid=1, gid=2, mtime=3), "link": link}))
    found = rows(cli)
    keys = ("size", "mode", "uid", "gid", "mtime", "digest")
    assert [found["/link"][key] for key in keys] == [5, 0o640, 1, 2, 3, sha256(b"12345")]
    assert [found["/file"][key] for key in keys] == [found["/link"][key] for key in keys]
    assert (found["/link"]["type"], found["/link"]["link_target"]) == ("hardlink", "/file")


def test_a_global_header_is_no_entry(cli: Cli, alone: Path) -> None:
    """``git archive`` begins with one; no container sees a file called so."""
    save(alone, layer([("pax_global_header", GLOBAL), ("a", b"x")]))
    assert list(rows(cli)) == ["/a"]
    assert codes(cli) == []


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("/etc/passwd", "/etc/passwd"),
        ("../../etc/passwd", "/etc/passwd"),
        ("a/../../b", "/b"),
        ("//c", "/c"),
        ("d/..", None),
    ],
)
def test_names_never_leave_the_root(cli: Cli, alone: Path, name: str, path: str | None) -> None:
    """Dots and a first slash are taken out, and a finding says so."""
    save(alone, layer({name: b"x" if path else folder(), "plain": b""}))
    found = {row for row in rows(cli) if not row.startswith("/plain")}
    assert (path in found) or path is None
    assert all(".." not in row for row in found)
    assert codes(cli) == ["unsafe-name"]


def test_ordinary_names_are_not_called_unsafe(cli: Cli, alone: Path) -> None:
    """Two dots are a name like others; ten thousand unsafe ones make one line."""
    save(alone, layer({"./": folder(), "./a..b": b"", "..c/d..": b""}))
    assert codes(cli) == []
    save(alone, layer({f"/{number}": b"" for number in range(10_000)}))
    lines = cli.run("layers", "app.tar").err.splitlines()
    assert len(lines) == 1
    assert lines[0].endswith("(10,000 times)")


def test_directories_that_no_entry_made_are_implicit(cli: Cli, alone: Path) -> None:
    """Nothing is known of their mode and owner, and nothing is made up."""
    save(alone, layer({"a/b/c": b"", "d": folder(0o700)}))
    found = rows(cli)
    assert {path: (row["implicit"], row["mode"]) for path, row in found.items()} == {
        "/a": (True, None), "/a/b": (True, None), "/a/b/c": (False, 0o644), "/d": (False, 0o700),
    }  # fmt: skip


def test_wrong_digests_sizes_and_diff_ids_are_findings(cli: Cli, alone: Path) -> None:
    """Everything is shown; ``verify`` fails."""
    one = image(layer({"a": b"aaaa"}))
    (tar,) = one.layers
    for content in (tar.replace(b"aaaa", b"aaab"), tar + bytes(512)):
        for files in (docker_files(one), oci_files(one)):
            wrong = {n: content if c == tar else c for n, c in files.items()}
            (alone / "app.tar").write_bytes(layer(wrong))
            assert set(codes(cli, "files")) <= {"digest-mismatch", "size-mismatch"}
            assert list(rows(cli)) == ["/a"]
            assert cli.run("cat", "app.tar", "/a").out in {"aaaa", "aaab"}
            head = cli.json("files", "app.tar")["image"]
            assert head["layers"][0]["trust"] == "contradicted"
            cli.run("verify", "app.tar", code=1)


@pytest.mark.parametrize("history", [["one", "two", "three"], ["one"]])
def test_more_history_than_layers_or_less_ties_no_instruction(
    cli: Cli, alone: Path, history: list[str]
) -> None:
    """No layer is said to be the work of a line."""
    save(alone, layer({"a": b""}), layer({"b": b""}), history=history)
    data = cli.json("layers", "app.tar")["data"]
    assert [(row["instruction"], row["created_by"]) for row in data] == [(None, "")] * 2
    assert codes(cli) == ["history-mismatch"]


def test_more_diff_ids_than_layers_ties_no_instruction(cli: Cli, alone: Path) -> None:
    """Which is missing nobody knows."""
    files = docker_files(image(layer({"a": b""}), layer({"b": b""}), history=["one", "two"]))
    manifest = files["manifest.json"]
    assert isinstance(manifest, bytes)
    (item,) = (from_json(manifest[1:-1]),)
    layers: Any = item["Layers"]
    for kept in (layers[:1], layers[1:]):
        (alone / "app.tar").write_bytes(
            layer(files | {"manifest.json": to_json([item | {"Layers": kept}])})
        )
        data = cli.json("layers", "app.tar")["data"]
        assert [(row["instruction"], row["created_by"]) for row in data] == [(None, "")]
        assert codes(cli) == ["layer-count"]


def test_empty_layers_of_the_history_are_no_layers(cli: Cli, alone: Path) -> None:
    """They count neither as too many nor as too few."""
    history = [step("ENV A=1", empty=True), "one", step("CMD x", empty=True)]
    save(alone, layer({"a": b""}), history=history)
    assert cli.json("layers", "app.tar")["data"][0]["created_by"] == "one"
    assert codes(cli) == []


def test_whiteouts_that_hide_nothing_show_nowhere(cli: Cli, alone: Path) -> None:
    """Not as a path, not as a removed one, not as a note."""
    save(alone, layer({"a": b""}), layer({".wh.nothing": b"", "d/.wh..wh..opq": b""}))
    assert [p for p in rows(cli, "--all") if "nothing" in p] == []
    assert rows(cli, "--all").keys() - {"/a", "/d"} == set()
    assert codes(cli) == []
    assert cli.run("layers", "app.tar").err == ""


def test_whiteouts_of_nothing_valid_are_told(cli: Cli, alone: Path) -> None:
    """A marker that names no path removes none; all of them make one finding."""
    entries: dict[str, Content] = {f"{n}/.wh.": b"" for n in range(100)}
    save(alone, layer({"1/kept": b""}), layer(entries | {"b": b""}))
    assert "/1/kept" in rows(cli)
    assert codes(cli) == ["invalid-whiteout"]
    assert "(100 times)" in cli.run("layers", "app.tar").err


def test_manifest_keys_are_read_whatever_their_case(cli: Cli, alone: Path) -> None:
    """As ``docker load`` does; a finding names them."""
    one = image(layer({"a": b"x"}))
    for files, name, keys in (
        (docker_files(one), "manifest.json", ("Config", "Layers")),
        (oci_files(one), "index.json", ("manifests",)),
    ):
        document = files[name]
        assert isinstance(document, bytes)
        for key in keys:
            document = document.replace(f'"{key}"'.encode(), f'"{key.swapcase()}"'.encode())
        (alone / "app.tar").write_bytes(layer(files | {name: document}))
        assert list(rows(cli)) == ["/a"]
        (finding,) = cli.json("layers", "app.tar")["findings"]
        assert finding["code"] == "key-case"
        assert sorted(finding["keys"]) == sorted(key.swapcase() for key in keys)


def test_of_two_lists_that_disagree_the_one_whose_blobs_are_there_wins(
    cli: Cli, alone: Path
) -> None:
    """``index.json`` and ``manifest.json`` name different images: a finding says which is shown."""
    one, other = image(layer({"one": b""})), image(layer({"other": b""}))
    listed = oci_files(one)
    missing = {name: content for name, content in listed.items() if content != one.layers[0]}
    for files, path, shown in (
        (docker_files(other) | listed, "/one", "index.json"),
        (docker_files(other) | missing, "/other", "manifest.json"),
    ):
        (alone / "app.tar").write_bytes(layer(files))
        assert list(rows(cli)) == [path]
        (finding,) = cli.json("layers", "app.tar")["findings"]
        assert (finding["code"], finding["shown"]) == ("manifests-disagree", shown)


def test_data_behind_a_layers_end_is_told(cli: Cli, alone: Path) -> None:
    """Nobody reads it; zeros are padding."""
    save(alone, layer({"a": b"x"}) + bytes(9000))
    assert codes(cli) == []
    save(alone, layer({"a": b"x"}) + layer({"b": b"x"}))
    assert (list(rows(cli)), codes(cli)) == (["/a"], ["trailing-data"])


def _header(**fields: bytes) -> bytes:
    """Return a header with fields that are none, its checksum right."""
    places = {"size": 124, "mtime": 136, "uid": 108}
    header = bytearray(layer({"a": b""}, form=tarfile.GNU_FORMAT)[:512])
    for name, content in fields.items():
        header[places[name] : places[name] + len(content)] = content
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header)


ESCAPING = {
    "long names in a row": b"".join(
        layer([("././@LongLink", Member(type=b"L", content=b"x\0"))], end=False)
        for _ in range(5000)
    ),
    "number too large": _header(mtime=b"\x80" + b"\xff" * 11) + bytes(1024),
    "size below zero": _header(size=b"\xff" * 12) + bytes(1024),
    "no number": _header(size=b"12x45678901 ") + bytes(1024),
    "sparse map of words": layer({
        "a": Member(content=b"x", pax={"GNU.sparse.major": "1", "GNU.sparse.minor": "0",
                                       "GNU.sparse.name": "a", "GNU.sparse.realsize": "many"}),
    }),
}  # fmt: skip


@pytest.mark.parametrize("tar", ESCAPING.values(), ids=ESCAPING)
def test_what_escapes_pythons_tarfile_is_damage(cli: Cli, alone: Path, tar: bytes) -> None:
    """RecursionError, OverflowError and ValueError: of a layer, and of the archive itself."""
    good = layer({"good": b"x"})
    save(alone, good, tar)
    answer = cli.run("files", "app.tar", code=3)
    assert "/good" in answer.out
    assert "L2 could not be read to the end" in answer.err
    (alone / "app.tar").write_bytes(tar)
    assert cli.run("files", "app.tar", code=3).err.startswith(("error: ", "note: "))
    assert cli.run("verify", "app.tar", code=3).out == ""


def test_links_into_themselves_end(cli: Cli, alone: Path) -> None:
    """A symbolic link round in a circle is a row, and no path leads through it."""
    save(alone, layer({"a": symlink("b"), "b": symlink("a"), "h": hardlink("h")}))
    assert list(rows(cli)) == ["/a", "/b", "/h"]
    cli.fail("cat", "app.tar", "/a", code=4)


def test_one_image_in_two_lists_is_one(cli: Cli, alone: Path) -> None:
    """What engines write since version 25 disagrees with itself nowhere."""
    one = image(layer({"a": b"x"}))
    for content in (docker_archive(one, hybrid=True), oci_archive(one)):
        (alone / "app.tar").write_bytes(content)
        assert (list(rows(cli)), codes(cli)) == (["/a"], [])
