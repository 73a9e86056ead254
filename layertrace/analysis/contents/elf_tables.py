"""The numbers of ELF that are asked about, and their names.

Source: System V gABI 4.1; ``elf.h`` of glibc for machines and GNU's own types.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping


class ElfKind(StrEnum):
    """What an ELF file is for."""

    EXECUTABLE = "executable"
    """Also one that may be loaded anywhere (PIE), which its header calls a shared object."""
    SHARED = "shared object"
    RELOCATABLE = "relocatable"
    """An object file or a kernel module: to be linked yet."""
    CORE = "core"
    OTHER = "other"


class SectionType(IntEnum):
    """Of the types of section those that mean something here."""

    NULL = 0
    SYMTAB = 2
    STRTAB = 3
    DYNAMIC = 6
    NOTE = 7
    NOBITS = 8


class SegmentType(IntEnum):
    """Of the types of program header those that mean something here."""

    LOAD = 1
    DYNAMIC = 2
    INTERP = 3
    NOTE = 4


class Tag(IntEnum):
    """Of the tags of a dynamic section those that mean something here."""

    NULL = 0
    NEEDED = 1
    STRTAB = 5
    SONAME = 14
    FLAGS_1 = 0x6FFFFFFB


KINDS: Final[Mapping[int, ElfKind]] = MappingProxyType(
    {1: ElfKind.RELOCATABLE, 2: ElfKind.EXECUTABLE, 3: ElfKind.SHARED, 4: ElfKind.CORE}
)
PIE: Final = 0x08000000
"""The flag of ``DT_FLAGS_1`` that tells a program from a library."""
ALLOCATED: Final = 0x2
"""The flag of sections that are in memory when the program runs."""
DEBUG_NAMES: Final = (".debug", ".zdebug", ".gnu.debuglto_.debug_", ".gnu.linkonce.wi.", ".line",
                      ".stab", ".gdb_index")  # fmt: skip
"""How sections begin that ``strip --strip-debug`` drops."""

MACHINES: Final[Mapping[int, str]] = MappingProxyType({
    0: "none", 2: "sparc", 3: "386", 4: "m68k", 8: "mips", 15: "parisc", 18: "sparc32plus",
    20: "ppc", 21: "ppc64", 22: "s390x", 40: "arm", 42: "sh", 43: "sparcv9", 50: "ia64",
    62: "amd64", 94: "xtensa", 164: "hexagon", 183: "arm64", 190: "cuda", 224: "amdgpu",
    243: "riscv", 247: "bpf", 258: "loong64", 0x9026: "alpha",
})  # fmt: skip
"""Machines, named as platforms of images are."""

SECTION_TYPES: Final[Mapping[int, str]] = MappingProxyType({
    0: "NULL", 1: "PROGBITS", 2: "SYMTAB", 3: "STRTAB", 4: "RELA", 5: "HASH", 6: "DYNAMIC",
    7: "NOTE", 8: "NOBITS", 9: "REL", 10: "SHLIB", 11: "DYNSYM", 14: "INIT_ARRAY",
    15: "FINI_ARRAY", 16: "PREINIT_ARRAY", 17: "GROUP", 18: "SYMTAB_SHNDX", 19: "RELR",
    0x6FFFFFF5: "GNU_ATTRIBUTES", 0x6FFFFFF6: "GNU_HASH", 0x6FFFFFF7: "GNU_LIBLIST",
    0x6FFFFFFD: "VERDEF", 0x6FFFFFFE: "VERNEED", 0x6FFFFFFF: "VERSYM",
})  # fmt: skip
