"""What an ELF file says of itself; whatever it is made of, nothing else happens."""

from __future__ import annotations

import random
import struct
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layertrace.analysis.contents.elf import ElfSection, read_elf
from layertrace.analysis.contents.elf_tables import ElfKind
from tests.elf_builder import Part, dynamic, make_elf, note, pie_tag, string, strings_tag

if TYPE_CHECKING:
    from layertrace.analysis.contents.elf import Elf

STRINGS = string("libssl.so.3", "libc.so.6", "libx.so.1")


def read(data: bytes) -> Elf | None:
    """Read a file in memory."""
    return read_elf(lambda offset, size: data[offset : offset + size], len(data))


def whole(data: bytes) -> Elf:
    """Read what is an ELF file."""
    found = read(data)
    assert found is not None
    return found


def library(*, bits: int = 64, order: str = "<", far_counts: bool = False) -> bytes:
    """Return a library with all that is asked about."""
    needs = ("libssl.so.3", "libc.so.6")
    tags = dynamic(STRINGS, bits=bits, order=order, needed=needs, soname=("libx.so.1",))
    return make_elf(
        Part(name=".text", type=1, data=b"\xc3" * 100, flags=6),
        Part(name=".dynstr", type=3, data=STRINGS, flags=2),
        Part(name=".dynamic", type=6, data=tags, flags=3, link=".dynstr"),
        Part(name=".note.gnu.build-id", type=7, data=note(b"\xab\xcd" * 10, order=order), flags=2),
        Part(name=".bss", type=8, data=b"", flags=3, size=1 << 40 if bits == 64 else 1 << 20),
        Part(name=".debug_info", type=1, data=b"d" * 70),
        Part(name=".debug_str", type=1, data=b"s" * 30),
        Part(name=".debuglink_in_memory", type=1, data=b"m" * 9, flags=2),
        Part(name=".symtab", type=2, data=b"y" * 48, link=".strtab"),
        Part(name=".strtab", type=3, data=b"n" * 11),
        bits=bits,
        order=order,
        far_counts=far_counts,
    )


@pytest.mark.parametrize("bits", [32, 64])
@pytest.mark.parametrize("order", ["<", ">"])
def test_every_width_and_byte_order_is_read_the_same(bits: int, order: str) -> None:
    """Sections, libraries, names, build id and symbols are those the file was made of."""
    found = whole(library(bits=bits, order=order))
    assert (found.bits, found.endian) == (bits, "little" if order == "<" else "big")
    assert (found.kind, found.machine) == (ElfKind.SHARED, "amd64")
    assert found.needed == ("libssl.so.3", "libc.so.6")
    assert (found.soname, found.interpreter) == ("libx.so.1", None)
    assert found.build_id == "abcd" * 10
    assert (found.stripped, found.symbol_bytes, found.debug_bytes) == (False, 48 + 11, 70 + 30)
    assert found.complete
    assert [section.name for section in found.sections] == [
        ".text", ".dynstr", ".dynamic", ".note.gnu.build-id", ".bss", ".debug_info", ".debug_str",
        ".debuglink_in_memory", ".symtab", ".strtab", ".shstrtab",
    ]  # fmt: skip
    head = 52 + 32 if bits == 32 else 64 + 56
    assert found.sections[0] == ElfSection(
        name=".text", type="PROGBITS", offset=head, size=100, allocated=True
    )
    assert (found.sections[4].type, found.sections[4].stored) == ("NOBITS", 0)


def test_counts_that_do_not_fit_the_header_are_read_from_the_first_section() -> None:
    """More than 65,279 sections have their number and that of their names elsewhere."""
    near, far = whole(library()), whole(library(far_counts=True))
    assert far.sections == near.sections
    assert far.complete


def program(*, kind: int, sections: bool, interpreter: bytes = b"/lib/ld.so\0") -> bytes:
    """Return a program whose strings are found by its segments."""
    start = 64 + 56 * 3 + len(interpreter)
    tags = strings_tag(start) + dynamic(STRINGS, needed=("libc.so.6",))
    return make_elf(
        Part(name=".interp", type=1, data=interpreter, flags=2, segment=3),
        Part(name=".dynstr", type=3, data=STRINGS, flags=2),
        Part(name=".dynamic", type=6, data=tags, flags=3, link=".dynstr", segment=2),
        kind=kind,
        sections=sections,
    )


@pytest.mark.parametrize("sections", [True, False])
@pytest.mark.parametrize("kind", [2, 3])
def test_a_program_is_one_with_or_without_sections(kind: int, *, sections: bool) -> None:
    """Its loader and libraries are what a kernel finds, by program headers alone."""
    found = whole(program(kind=kind, sections=sections))
    assert found.kind is ElfKind.EXECUTABLE
    assert (found.interpreter, found.needed) == ("/lib/ld.so", ("libc.so.6",))
    assert (bool(found.sections), found.stripped, found.complete) == (sections, True, True)


def test_a_program_without_a_loader_is_told_by_its_flag() -> None:
    """A static program that may be loaded anywhere is no library."""
    tags = pie_tag() + dynamic(STRINGS)
    parts = (
        Part(name=".dynstr", type=3, data=STRINGS),
        Part(name=".dynamic", type=6, data=tags, link=".dynstr"),
    )
    assert whole(make_elf(*parts)).kind is ElfKind.EXECUTABLE
    plain = (parts[0], Part(name=".dynamic", type=6, data=dynamic(STRINGS), link=".dynstr"))
    assert whole(make_elf(*plain)).kind is ElfKind.SHARED


@pytest.mark.parametrize(
    ("kind", "word"), [(1, ElfKind.RELOCATABLE), (4, ElfKind.CORE), (0xFE00, ElfKind.OTHER)]
)
def test_other_kinds_have_their_names(kind: int, word: ElfKind) -> None:
    """Objects, cores and what a system defines for itself."""
    found = whole(make_elf(Part(name=".note", type=7, data=note(b"\1" * 8)), kind=kind))
    assert found.kind is word
    assert found.build_id == (None if kind == 4 else "01" * 8)


def test_unknown_machines_and_types_are_numbers() -> None:
    """What has no name here is not guessed at."""
    found = whole(make_elf(Part(name=".odd", type=0x6FFF4C01, data=b"x"), machine=250))
    assert (found.machine, found.sections[0].type) == ("machine 250", "0x6fff4c01")


def test_debug_information_alone_has_no_loader() -> None:
    """Its program headers are those of the program it was taken from, and point nowhere."""
    file = make_elf(
        Part(name=".interp", type=8, data=b"junk\0", flags=2, segment=3),
        Part(name=".debug_info", type=1, data=b"d" * 10),
    )
    assert whole(file).interpreter is None


def test_a_section_that_claims_more_than_the_file_has_is_not_complete() -> None:
    """What it takes is what is there; all sections together take no more than the file."""
    parts = (Part(name=f".debug_{n}", type=1, data=b"d", size=1 << 50) for n in range(5))
    file = make_elf(*parts)
    found = whole(file)
    assert not found.complete
    assert found.debug_bytes == len(file)


@pytest.mark.parametrize("size", [0, 4, 15, 16, 40, 63])
def test_what_has_no_whole_header_is_no_elf_file(size: int) -> None:
    """It may be anything."""
    assert read(library()[:size]) is None


def test_wrong_classes_are_no_elf_files() -> None:
    """Neither 32 nor 64 bits, neither byte order."""
    file = library()
    assert read(file[:4] + b"\3" + file[5:]) is None
    assert read(file[:5] + b"\0" + file[6:]) is None


def test_every_cut_file_is_read_as_far_as_it_goes() -> None:
    """No cut raises, and none but the whole is complete."""
    file = library()
    for size in range(64, len(file)):
        found = read(file[:size])
        assert found is not None
        assert not found.complete


def test_hostile_tables_cost_little() -> None:
    """A table that claims 65,535 entries of 65,535 bytes reads no more than is there."""
    taken = 0
    file = bytearray(library())
    struct.pack_into("<HHHHH", file, 54, 0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF, 1)

    def at(offset: int, size: int) -> bytes:
        nonlocal taken
        piece = bytes(file[offset : offset + size])
        taken += len(piece)
        return piece

    found = read_elf(at, len(file))
    assert found is not None
    assert not found.complete
    assert taken < 10_000


@given(st.binary(max_size=300), st.integers(1, 2), st.integers(1, 2))
def test_no_bytes_after_the_magic_raise(rest: bytes, width: int, order: int) -> None:
    """Whatever stands in a header, there is an answer."""
    read(b"\x7fELF" + bytes((width, order, 1)) + rest)


@given(st.integers(0, 1 << 30))
def test_no_changed_bytes_raise(seed: int) -> None:
    """Nor do those of a real file with some of its bytes replaced."""
    dice = random.Random(seed)  # noqa: S311 - no secret
    file = bytearray(library(bits=dice.choice((32, 64)), order=dice.choice("<>")))
    for _ in range(dice.randrange(1, 12)):
        edge = dice.choice(((16, 64), (64, 200), (len(file) - 700, len(file))))
        file[dice.randrange(max(16, edge[0]), edge[1])] = dice.choice((0, 1, 0x7F, 0xFF))
    found = whole(bytes(file))
    assert found.debug_bytes <= len(file)
    assert found.symbol_bytes <= len(file)


@pytest.mark.skipif(sys.platform != "linux", reason="programs of other systems are no ELF files")
def test_the_running_python_is_a_program() -> None:
    """A real file: a whole program for this machine."""
    path = Path(sys.executable).resolve()
    found = whole(path.read_bytes())
    assert found.kind is ElfKind.EXECUTABLE
    assert (found.endian, found.complete) == (sys.byteorder, True)
    assert ".text" in {section.name for section in found.sections}
