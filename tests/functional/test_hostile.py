"""Archives made to hurt: every command answers, or refuses in words, in little memory."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import os
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from backports import zstd

from tests.bombs import (
    MIB,
    exabytes,
    extended,
    header,
    index_of,
    large_dictionary,
    large_window,
    nested_indexes,
    record,
    repeated,
    write_image,
    write_layout,
    zeros,
)
from tests.builders import BLOCK, image, layer, oci_files, symlink, to_json
from tests.sample_support import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.cli_support import Cli

MEMORY: Final = 300 * MIB
"""As much as a command may take of whatever it is given."""
SECONDS: Final = 240
"""Of all commands on one archive: a hundred times what they take where nothing else runs."""
READ: Final = (("layers",), ("files",), ("why", "/a"), ("tree",), ("open", "--plain"))
CAT: Final = ("cat", "/a")
_DRIVER: Final = """
import contextlib, io, json, os, resource, sys
from layertrace.views.cli import main
answers = []
for words in json.loads(sys.argv[1]):
    out, err = io.TextIOWrapper(io.BytesIO()), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(words)
        out.flush()
    shown = out.buffer.getvalue()
    answers.append([code, shown[:99_999].decode("utf-8", "replace"), err.getvalue()])
try:
    # What getrusage tells begins with the most that the parent ever took.
    with open("/proc/self/status") as status:
        peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))
except FileNotFoundError:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps([peak, answers]))
"""
_KILOBYTES: Final = 1 if sys.platform == "darwin" else 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What one command left."""

    code: int
    out: str
    err: str


def ask(*commands: tuple[str | Path, ...]) -> list[Said]:
    """Run commands, one after the other in one process of little memory."""
    words = [[str(word) for word in each] for each in commands]
    folder = next(word for word in commands[0] if isinstance(word, Path)).parent
    environment = {k: v for k, v in os.environ.items() if not k.startswith("COVERAGE")}
    environment |= {
        "PYTHONPATH": str(ROOT),
        "LAYERTRACE_CACHE_DIR": str(folder / "cache"),
        "TMPDIR": str(folder),
    }
    done = subprocess.run(  # noqa: S603 - our own words
        [sys.executable, "-c", _DRIVER, json.dumps(words)],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=SECONDS,
        check=True,
    )
    memory, answers = json.loads(done.stdout)
    assert memory * _KILOBYTES < MEMORY
    said = [Said(code=code, out=out, err=err) for code, out, err in answers]
    for one in said:
        assert "Traceback" not in one.err
        assert "bug in layertrace" not in one.err
        assert one.code in {0, 3, 4}, one.err
    return said


def every(path: Path) -> list[tuple[str | Path, ...]]:
    """Return what every reading command is called with."""
    return [(name, path, *more) for name, *more in (*READ, CAT)]


def refused(limit: str, *commands: tuple[str | Path, ...]) -> None:
    """Every command ends in three lines that name the limit and how to raise it."""
    for said in ask(*commands):
        assert (said.code, said.out) == (3, "")
        assert len(said.err.splitlines()) == 3
        assert f"the limit {limit} is " in said.err
        assert f"--max {limit}=NUMBER" in said.err


def headers(count: int) -> bytes:
    """Return a small gzip of so many headers of empty files."""
    return repeated(header("a") * 65_536, count // 65_536)


def endless_names() -> bytes:
    """Return a small gzip of long names, each another."""
    names = (f"{n:04}" + "n" * 4000 for n in range(1024))
    block = b"".join(extended(b"x", record("path", name)) + header("x") for name in names)
    return repeated(block, 99)


def forest() -> bytes:
    """Return a small gzip of paths that lie in hundreds of directories each, none shared."""
    names = (f"{n:04}" + "/d" * 900 for n in range(1024))
    block = b"".join(extended(b"x", record("path", name)) + header("x") for name in names)
    return gzip.compress(block)


def declaring(kind: bytes) -> bytes:
    """Return an extended header that declares a gigabyte."""
    return extended(kind, b"", size=1 << 30) + header("a")


zstd_fast: Final[Callable[[bytes], bytes]] = partial(zstd.compress, level=1)
LAYERS: Final[Mapping[str, tuple[Callable[[], bytes], str]]] = {
    "10 GB of zeros, gzip": (partial(zeros, 10 << 30), "ratio"),
    "10 GB of zeros without an end, zstd": (
        lambda: repeated(bytes(64 * MIB), 160, zstd_fast), "ratio"),
    "50 million headers": (partial(headers, 50_000_000), "entries"),
    "long names": (endless_names, "names"),
    "directories nobody made": (forest, "names"),
    "PAX header of 1 GB": (partial(declaring, b"x"), "pax"),
    "global PAX header of 1 GB": (partial(declaring, b"g"), "pax"),
    "long name of 1 GB": (partial(declaring, b"L"), "pax"),
}  # fmt: skip


@pytest.mark.parametrize("name", LAYERS)
def test_layer_that_is_a_bomb_is_refused(tmp_path: Path, name: str) -> None:
    """Soon after the limit is passed, whatever the command."""
    make, limit = LAYERS[name]
    path = write_image(tmp_path / "app.tar", [make()])
    assert path.stat().st_size < 128 * MIB
    less = ("--max", "names=20M") if limit == "names" else ()
    refused(limit, *(every(path) if limit == "pax" else [("layers", path, *less)]))


@pytest.mark.parametrize(
    ("pack", "block"),
    [
        pytest.param(bz2.compress, 8 * MIB, id="bzip2"),
        pytest.param(partial(lzma.compress, preset=0), 8 * MIB, id="xz"),
        pytest.param(zstd_fast, 64 * MIB, id="zstd"),
        pytest.param(gzip.compress, 64 * MIB, id="gzip"),
    ],
)
def test_bomb_in_every_compression_is_refused(
    tmp_path: Path, pack: Callable[[bytes], bytes], block: int
) -> None:
    """A layer, and a whole archive, which is put on disk: no more than the limit of it."""
    bomb = pack(header("a", size=10 << 30)) + repeated(bytes(block), (10 << 30) // block, pack)
    path = write_image(tmp_path / "app.tar", [bomb])
    outer = tmp_path / "outer.tar.packed"
    outer.write_bytes(bomb)
    refused("size", *(("cat", each, "/a", "--max=size=96MiB") for each in (path, outer)))


def test_window_larger_than_memory_is_refused(tmp_path: Path) -> None:
    """A few bytes may ask an unpacker for gigabytes."""
    one = write_image(tmp_path / "xz.tar", [large_dictionary()])
    two = write_image(tmp_path / "zstd.tar", [large_window()])
    refused("window", ("layers", one), ("layers", two))


def test_deep_path_is_left_out(tmp_path: Path) -> None:
    """100,000 folders deep: no container can open it; the finding names the limit."""
    names = ["d/" * 100_000 + "f", "e/" * 1_500 + "f"]
    tar = b"".join(extended(b"x", record("path", name)) + header("x") for name in names)
    path = write_image(tmp_path / "app.tar", [tar + layer({"a": b"1"})])
    answers = ask(*every(path))
    assert {one.code for one in answers} == {0}
    files, cat = answers[1], answers[-1]
    assert files.out.split()[-1] == "/a"
    assert cat.out == "1"
    assert "--max path=NUMBER" in files.err
    assert "--max depth=NUMBER" in files.err


JSON: Final = {
    "nested": (b"[" * 100_000 + b"]" * 100_000, "json-depth"),
    "nested, cut short": (b'{"a":' * 100_000, "json-depth"),
    "empty arrays": (b"[" + b"[]," * 5_000_000 + b"[]]", "json"),
}


@pytest.mark.parametrize("name", JSON)
def test_json_that_is_a_bomb_is_refused(tmp_path: Path, name: str) -> None:
    """Before it is parsed, wherever it stands."""
    bomb, limit = JSON[name]
    tar = [layer({"a": b""})]
    manifest = write_image(tmp_path / "manifest.tar", tar, manifest=bomb)
    config = write_image(tmp_path / "config.tar", tar, config=bomb)
    index = write_layout(tmp_path / "index.tar", [], bomb)
    refused(limit, ("layers", config), ("layers", index), *every(manifest))


def test_manifest_of_2_gb_is_refused_by_its_header(tmp_path: Path) -> None:
    """Nothing of it is read."""
    path = tmp_path / "app.tar"
    size = 2 << 30
    with path.open("wb") as file:
        file.write(header("manifest.json", size=size))
        # A hole: whitespace would take its room on disk.
        file.truncate(BLOCK + size)
        file.seek(0, os.SEEK_END)
        file.write(bytes(2 * BLOCK))
    refused("json", *every(path))


def test_100_000_layers_are_refused(tmp_path: Path) -> None:
    """However small each of them."""
    digest = f"sha256:{'0' * 64}"
    config = to_json({"rootfs": {"type": "layers", "diff_ids": [digest] * 100_000}})
    manifest = to_json([{"Config": "config.json", "Layers": ["x"] * 100_000}])
    path = write_image(tmp_path / "app.tar", [], config=config, manifest=manifest)
    refused("layers", ("layers", path))


def test_nested_indexes_are_refused(tmp_path: Path) -> None:
    """A thousand deep, or in a circle, which only a digest that lies can close."""
    deep = write_layout(tmp_path / "deep.tar", *nested_indexes(1_000))
    index = index_of("0" * 64)
    circle = tmp_path / "circle.tar"
    circle.write_bytes(layer({
        "oci-layout": b"{}", f"blobs/sha256/{'0' * 64}": index, "index.json": index,
    }))  # fmt: skip
    refused("nesting", ("layers", deep), *every(circle))


def test_archive_of_too_many_files_is_refused(tmp_path: Path) -> None:
    """By its headers alone; one of a file system is one layer, however many files it has."""
    path = tmp_path / "app.tar"
    name = "blobs/sha256/{:064}"
    path.write_bytes(b"".join(header(name.format(n)) for n in range(5_001)) + bytes(2 * BLOCK))
    refused("members", ("layers", path, "--max", "members=5k"))


def test_header_of_the_archive_that_declares_a_gigabyte_is_refused(tmp_path: Path) -> None:
    """By what it says, whether it is there or not."""
    path = tmp_path / "app.tar"
    path.write_bytes(declaring(tarfile.XHDTYPE))
    refused("pax", *every(path))


def test_links_in_a_circle_lead_nowhere(tmp_path: Path) -> None:
    """They are listed as what they are; whoever follows them is told."""
    tar = layer([("a", symlink("b")), ("b", symlink("/a")), ("c/d", symlink("../c"))])
    path = write_image(tmp_path / "app.tar", [tar])
    *shown, cat, below = ask(*every(path), ("cat", path, "/a/x"))
    assert {one.code for one in shown} == {0}
    assert len(shown[1].out.splitlines()) >= 3
    for one in (cat, below):
        assert (one.code, one.out) == (4, "")
        assert "--max links=NUMBER" in one.err


def test_names_that_climb_out_stay_inside(tmp_path: Path) -> None:
    """``..`` and absolute names are cleaned."""
    names = ["../../../etc/passwd", "/abs", "a/../../b", "..", "./../c"]
    tar = b"".join(header(name) for name in names) + bytes(2 * BLOCK)
    path = write_image(tmp_path / "app.tar", [tar])
    files, cat = ask(("files", path, "--jsonl"), ("cat", path, "/etc/passwd"))
    found = {json.loads(line)["path"] for line in files.out.splitlines()}
    assert found >= {"/etc/passwd", "/abs", "/b", "/c"}
    assert not any(".." in name for name in found)
    assert (cat.code, cat.out) == (0, "")


def test_file_of_exabytes_is_listed_and_not_written(tmp_path: Path) -> None:
    """Its holes take no room until someone writes them."""
    path = write_image(tmp_path / "app.tar", [exabytes("a")])
    layers, files, why, tree, summary, cat = ask(*every(path))
    (record,) = ask(("files", path, "--jsonl"))
    assert {one.code for one in (layers, files, tree, summary, record)} == {0}
    assert json.loads(record.out.splitlines()[0])["size"] == 1 << 60
    for one in (why, cat):
        assert (one.code, one.out) == (3, "")
        assert "expands to 1,152,921,504,606,846,976 bytes out of 512" in one.err
        assert "--max size=NUMBER" in one.err


@pytest.mark.parametrize(
    "limit",
    ["entries=0", "names=0", "json=9", "json-depth=1", "members=1", "layers=0", "size=9", "pax=9",
     "window=1", "manifests=0", "nesting=0", "path=0", "depth=1", "links=0"],
)  # fmt: skip
def test_raised_limit_lets_through_what_it_stopped(cli: Cli, alone: Path, limit: str) -> None:
    """The way that the refusal names is one, for every limit, and the cache never is in it."""
    one = image(layer([("b", symlink("d")), ("d/a", b"1"), ("n" * 200, b"")]))
    files = oci_files(one, nested=True)
    packed = lzma.compress(layer(files))
    (alone / "app.tar").write_bytes(packed)
    assert cli.run("cat", "app.tar", "/b/a").out == "1"
    code = 4 if limit.startswith(("path", "depth", "links")) else 3
    said = cli.run("cat", "app.tar", "/b/a", "--max", limit, code=code)
    assert ("--max" in said.err) is not limit.startswith(("path", "depth"))
    name = limit.partition("=")[0]
    more = cli.run("cat", "app.tar", "/b/a", "--max", limit, "--max", f"{name}=9M")
    assert more.out == "1"
