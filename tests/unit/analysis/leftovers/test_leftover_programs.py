"""What stripping would free, and programs that an image's processor cannot run."""

from __future__ import annotations

import re
import shutil
import struct
import subprocess
from typing import TYPE_CHECKING

import pytest

from layertrace.analysis.leftovers.programs import Program, read_program
from layertrace.pipeline.contents import FileParts
from tests.builders import file, layer, sparse
from tests.leftover_images import leftovers
from tests.readers import walk

if TYPE_CHECKING:
    from pathlib import Path

    from tests.builders import Content

AMD64, ARM64 = 62, 183
EXECUTABLE, SHARED, RELOCATABLE = 2, 3, 1
SYMTAB = 2
TOOLS = [shutil.which(name) for name in ("gcc", "strip", "readelf")]

DEBUG = [(".symtab", 2, b"s" * 48), (".strtab", 3, b"t" * 10), (".debug_info", 1, b"d" * 100)]
"""158 bytes that stripping frees."""


def elf(
    *sections: tuple[str, int, bytes], machine: int = AMD64, kind: int = SHARED, gap: int = 0
) -> bytes:
    """Return a 64-bit ELF file: header, sections with their names last, table.

    Args:
        sections: name, type and content.
        machine: as in the header.
        kind: as in the header.
        gap: bytes before the sections.
    """
    names, contents, table = b"\0", bytes(gap), bytes(64)
    for row, (name, number, content) in enumerate((*sections, (".shstrtab", 3, b"")), start=1):
        if name == ".shstrtab":
            content = names + b".shstrtab\0"  # noqa: PLW2901 - it holds its own name
        link = row + 1 if number == SYMTAB else 0
        at = (len(names), number, 0, 0, 64 + len(contents), len(content), link, 0, 1, 0)
        table += struct.pack("<IIQQQQIIQQ", *at)
        names += name.encode() + b"\0"
        contents += content
    count = len(sections) + 2
    header = b"\x7fELF\2\1\1" + bytes(9) + struct.pack(
        "<HHIQQQIHHHHHH", kind, machine, 1, 0, 0, 64 + len(contents), 0, 64, 56, 0, 64, count,
        count - 1,
    )  # fmt: skip
    return header + contents + table


class Tar:
    """A layer's tar that may be read anywhere, or goes forward only."""

    def __init__(self, data: bytes, *, forward: bool) -> None:
        self._data = data
        self._forward = forward
        self._end = 0
        self.read = 0

    def read_at(self, offset: int, size: int) -> bytes:
        """Return bytes."""
        assert offset >= self._end or not self._forward, "went back"
        found = self._data[offset : offset + size]
        self._end = offset + len(found)
        self.read += len(found)
        return found


def _program(data: Content, *, forward: bool = False) -> tuple[Program | None, int]:
    """Return what is found, the same either way, and how many bytes were read for it."""
    tar = layer({"a": data})
    index, reader = walk(tar), Tar(tar, forward=forward)
    parts = FileParts(reader, index, 0, random_access=not forward)
    return read_program(parts, index.sizes[0]), reader.read


def _both(data: Content) -> Program | None:
    """Return what is found, the same of a plain layer and of a packed one."""
    found = {_program(data, forward=forward)[0] for forward in (False, True)}
    assert len(found) == 1
    return found.pop()


def test_symbols_and_debug_sections_are_what_stripping_frees(tmp_path: Path) -> None:
    """48 + 10 + 100 bytes; other sections stay."""
    program = elf((".text", 1, b"x" * 500), *DEBUG, (".comment", 1, b"c" * 9))
    files: dict[str, Content] = {
        "usr/bin/tool": file(program, mode=0o755),
        "usr/lib/libx.so.1": program,
    }
    assert leftovers(tmp_path, files) == {
        "unstripped": {"usr/bin/tool": 158, "usr/lib/libx.so.1": 158}
    }


@pytest.mark.parametrize(
    ("name", "program"),
    [
        pytest.param("usr/lib/liba.so", elf((".text", 1, b"x" * 500)), id="stripped"),
        pytest.param("boot/ext4.so", elf(*DEBUG, kind=RELOCATABLE), id="needs its symbols"),
        pytest.param("usr/lib/libb.so", elf(*DEBUG) + b"p" * 9000, id="something behind it"),
        pytest.param("usr/lib/libc.so", elf(*DEBUG)[:300], id="cut off"),
        pytest.param("usr/lib/libd.so", b"/* GNU ld script */", id="no ELF file"),
        pytest.param("srv/data", elf(*DEBUG), id="no program"),
    ],
)
def test_nothing_is_said_of_what_strip_would_not_or_must_not_free(
    tmp_path: Path, name: str, program: bytes
) -> None:
    """A claim must hold for whoever follows the advice."""
    assert leftovers(tmp_path, {name: program}) == {}


def test_program_in_a_cache_counts_there_alone(tmp_path: Path) -> None:
    """And whole."""
    program = elf(*DEBUG)
    assert leftovers(tmp_path, {"root/.cache/pip/a.so": program}) == {
        "pip-cache": {"root/.cache/pip": len(program)}
    }


@pytest.mark.skipif(None in TOOLS, reason="needs gcc and binutils")
def test_bytes_are_those_of_the_sections_that_strip_drops(tmp_path: Path) -> None:
    """As readelf lists them before and after."""
    gcc, strip, readelf = map(str, TOOLS)
    source, built, stripped = (tmp_path / name for name in ("a.c", "a.out", "b.out"))
    source.write_text("int main(void) { return 0; }\n")
    _run(gcc, "-g", "-o", built, source)
    _run(strip, "-o", stripped, built)
    before, after = (_sections(readelf, each) for each in (built, stripped))
    program = _both(built.read_bytes())
    assert program is not None
    assert program.strippable == sum(size for name, size in before.items() if name not in after)
    again = _both(stripped.read_bytes())
    assert again is not None
    assert again.strippable == 0


def _run(*command: str | Path) -> str:
    done = subprocess.run(  # noqa: S603 - the compiler's own tools
        command, check=True, capture_output=True, text=True
    )
    return done.stdout


def _sections(readelf: str, path: Path) -> dict[str, int]:
    output = _run(readelf, "-SW", path)
    rows = re.findall(r"\] (\.\S+) +\S+ +[0-9a-f]+ [0-9a-f]+ ([0-9a-f]+)", output)
    return {name: int(size, 16) for name, size in rows}


def test_long_program_costs_its_header_and_its_table() -> None:
    """Of 40 MiB a few KiB are read, where they need not be unpacked."""
    data = elf((".text", 1, bytes(40 << 20)), *DEBUG)
    assert _both(data) == Program("amd64", 158)
    assert _program(data)[1] < 8192
    assert _program(b"#!/bin/sh" * 10_000)[1] <= 4096


def test_table_in_the_middle_is_found() -> None:
    """As where a tool put it; here so much follows that it is no part of the program."""
    data = elf(*DEBUG, gap=4 << 20)
    assert _both(data + bytes(40)) == Program("amd64", 158)
    assert _both(data + bytes(40 << 20)) == Program("amd64", 0)


@pytest.mark.parametrize(
    ("names_at", "strippable"),
    [
        pytest.param(1000, 158, id="in the first bytes"),
        pytest.param((1 << 20) + 90_000, 158, id="before the table"),
        pytest.param((3 << 20) + 10_000, 158, id="behind the table"),
        pytest.param(90_000, 58, id="long before the table"),
    ],
)
def test_names_of_sections_may_stand_elsewhere(names_at: int, strippable: int) -> None:
    """Out of reach only the symbol table, which is known by its type, is told."""
    data = bytearray(elf((".text", 1, bytes(2_000_000)), *DEBUG))
    (table,) = struct.unpack_from("<Q", data, 40)
    names_header = table + 5 * 64
    (at, size) = struct.unpack_from("<QQ", data, names_header + 24)
    names = data[at : at + size]
    data[at : at + size] = bytes(size)
    data += bytes(max(0, names_at + size - len(data)))
    data[names_at : names_at + size] = names
    struct.pack_into("<Q", data, names_header + 24, names_at)
    assert _both(bytes(data)) == Program("amd64", strippable)


def test_count_of_many_sections_stands_in_the_table() -> None:
    """Where it does not fit into the header, and the number of the names' section with it."""
    data = bytearray(elf((".text", 1, bytes(9_000)), *DEBUG))
    (table,) = struct.unpack_from("<Q", data, 40)
    count, names = struct.unpack_from("<HH", data, 60)
    struct.pack_into("<HH", data, 60, 0, 0xFFFF)
    struct.pack_into("<QI", data, table + 32, count, names)
    assert _both(bytes(data)) == Program("amd64", 158)


def test_sections_that_lie_about_their_size_free_no_more_than_there_is() -> None:
    """A header may say anything."""
    data = bytearray(elf((".symtab", 2, b"s" * 48)))
    table = len(data) - 3 * 64
    data[table + 64 + 32 : table + 64 + 40] = struct.pack("<Q", 1 << 62)
    program = _both(bytes(data))
    assert program is not None
    assert program.strippable <= len(data)


def test_table_that_lies_about_its_place_or_size_tells_nothing() -> None:
    """Nor is more read than a table may have."""
    good = elf(*DEBUG)
    for at, form, value in ((40, "<Q", (1 << 64) - 1), (40, "<Q", 1 << 62), (58, "<H", 0xFFFF)):
        data = bytearray(good)
        struct.pack_into(form, data, at, value)
        assert _both(bytes(data)) == Program("amd64", 0)


def test_program_that_begins_with_a_hole_is_none() -> None:
    """A sparse file's content may begin anywhere."""
    assert _both(sparse(10_000, {4096: elf(*DEBUG)})) is None


def test_sparse_program_is_read_as_far_as_it_is_stored(tmp_path: Path) -> None:
    """Its holes are nothing to be read."""
    data = elf(*DEBUG)
    member = sparse(1 << 30, {0: data[:100], 4096: data[100:]})
    assert leftovers(tmp_path, {"usr/lib/libx.so": member}) == {}


@pytest.mark.parametrize(
    ("platform", "machine", "runs"),
    [
        pytest.param("linux/amd64", AMD64, True, id="its own"),
        pytest.param("linux/amd64", 3, True, id="32 bits of it"),
        pytest.param("linux/amd64", ARM64, False, id="another"),
        pytest.param("linux/arm64", 40, True, id="arm on arm64"),
        pytest.param("linux/arm64", AMD64, False, id="amd64 on arm64"),
        pytest.param("linux/386", AMD64, False, id="64 bits on 32"),
        pytest.param("linux/amd64", 247, True, id="BPF is no processor"),
        pytest.param("linux/amd64", 190, True, id="nor is a graphics card"),
        pytest.param("linux/unheard-of", AMD64, True, id="unknown platform"),
    ],
)
def test_program_for_another_processor_counts_whole(
    tmp_path: Path, platform: str, machine: int, *, runs: bool
) -> None:
    """As far as it is known what the image's runs."""
    program = elf((".text", 1, b"x" * 100), machine=machine)
    expected = {} if runs else {"foreign-elf": {"app/prebuilds/a.node": len(program)}}
    assert leftovers(tmp_path, {"app/prebuilds/a.node": program}, platform=platform) == expected


@pytest.mark.parametrize(
    "path",
    ["usr/share/qemu/a.so", "lib/firmware/a.so", "usr/aarch64-linux-gnu/lib/libc.so.6"],
)
def test_program_for_something_else_to_run_is_no_leftover(tmp_path: Path, path: str) -> None:
    """Firmware, and what a compiler links for its target; nor is it this image's to strip."""
    assert leftovers(tmp_path, {path: elf(*DEBUG, machine=ARM64)}) == {}


def test_emulator_runs_programs_for_other_processors(tmp_path: Path) -> None:
    """Whoever installs one means to."""
    files = {"app/a.so": elf(*DEBUG, machine=ARM64), "usr/bin/qemu-aarch64-static": b"q"}
    assert leftovers(tmp_path, files) == {}


def test_damaged_layer_is_not_read_for_programs(tmp_path: Path) -> None:
    """It ends in the middle of one; what it lists counts by its paths alone."""
    tar = layer({"var/log/a": b"1" * 10, "usr/lib/libx.so": elf(*DEBUG, gap=40_000)})
    found = leftovers(tmp_path, {"usr/lib/liby.so": elf(*DEBUG)}, tar[:20_000])
    assert found == {"unstripped": {"usr/lib/liby.so": 158}, "logs": {"var/log": 10}}
