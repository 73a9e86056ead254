"""What archives list, against what the standard library reads; lies cost nothing."""

from __future__ import annotations

import gzip
import io
import random
import struct
import tarfile
import zipfile
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layertrace.analysis.contents.ar_members import ar_members
from layertrace.analysis.contents.kinds import Kind
from layertrace.analysis.contents.listing import compare_listings, list_members
from layertrace.analysis.contents.values import MemberChange
from layertrace.analysis.contents.zip_directory import ZipMember, zip_members
from layertrace.model.origin import Change
from tests.builders import folder, hardlink, layer, symlink
from tests.content_store import storing

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from layertrace.analysis.contents.stored import Stored
    from tests.builders import Content
    from tests.content_store import Store

FILES = {"a.txt": b"a" * 10, "d/é.txt": b"", "d/c": b"c" * 3_000}


@pytest.fixture
def stored() -> Iterator[Store]:
    """Return what stores pieces of a content until the test ends."""
    with storing() as store:
        yield store


def zip_of(files: Mapping[str, bytes], *, before: bytes = b"", comment: bytes = b"") -> bytes:
    """Return a zip."""
    out = io.BytesIO(before)
    with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED) as packed:
        for name, content in files.items():
            packed.writestr(name, content)
        packed.comment = comment
    return out.getvalue()


def ar_of(*members: tuple[bytes, bytes]) -> bytes:
    """Return an ``ar`` archive; names as they are to be stored."""
    pieces = [b"!<arch>\n"]
    for name, content in members:
        pieces.append(b"%-16s%-12d%-6d%-6d%-8s%-10d`\n" % (name, 0, 0, 0, b"644", len(content)))
        pieces.append(content + b"\n" * (len(content) % 2))
    return b"".join(pieces)


def listed_zip(data: bytes, *, limit: int = 1_000) -> tuple[list[ZipMember], bool]:
    """List a zip in memory."""
    return zip_members(lambda at, size: data[at : at + size], len(data), limit=limit)


def listed_ar(data: bytes, *, limit: int = 1_000) -> tuple[list[tuple[str, bytes]], bool]:
    """List an ``ar`` archive in memory, with contents."""
    found, whole = ar_members(lambda at, size: data[at : at + size], len(data), limit=limit)
    return [(each.name, data[each.offset : each.offset + each.size]) for each in found], whole


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(zip_of(FILES), id="plain"),
        pytest.param(zip_of({}), id="empty"),
        pytest.param(zip_of(FILES, before=b"#!/usr/bin/python3\n"), id="behind a script"),
        pytest.param(zip_of(FILES, comment=b"x" * 30), id="with a comment"),
        pytest.param(zip_of({f"{n:05}" * 20: b"" for n in range(9_000)}), id="a long directory"),
    ],
)
def test_a_zip_lists_what_the_standard_library_reads(data: bytes) -> None:
    """Names, sizes, checksums and modes are those of ``zipfile``."""
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        want = [
            ZipMember(each.filename, each.file_size, each.CRC, each.external_attr >> 16 & 0o7777)
            for each in packed.infolist()
        ]
    assert listed_zip(data, limit=10_000) == (want, True)


def test_a_member_too_large_for_its_field_has_its_size_elsewhere() -> None:
    """Sizes and counts of 64 bits stand in an extra field and a record of their own."""
    name, extra = b"big", struct.pack("<HHQHHQQ", 0x5455, 8, 0, 1, 16, 5 << 32, 7)
    entry = struct.pack(
        "<4s6H3L5H2L", b"PK\1\2", 3 << 8, 45, 0, 0, 0, 0, 9, 7, 0xFFFFFFFF,
        len(name), len(extra), 0, 0, 0, 0o100644 << 16, 0,
    ) + name + extra  # fmt: skip
    far = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, 1, 1, len(entry), 0)
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, len(entry), 1)
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    found = listed_zip(entry + far + locator + end)
    assert found == ([ZipMember("big", 5 << 32, 9, 0o644)], True)
    without = entry[: -len(extra)]
    short = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, len(without), 0, 0)
    (member,), _ = listed_zip(without + short)
    assert member.name == "big"


def test_a_zip_that_lies_is_not_complete() -> None:
    """More members than it has, fewer than are looked at, or no end at all."""
    data = zip_of(FILES)
    end = data.rindex(b"PK\5\6")
    many = data[: end + 10] + b"\xff\xff" + data[end + 12 :]
    assert (len(listed_zip(many)[0]), listed_zip(many)[1]) == (3, False)
    assert (len(listed_zip(data, limit=2)[0]), listed_zip(data, limit=2)[1]) == (2, False)
    assert listed_zip(data[:-30]) == ([], False)


@given(st.integers(0, 1 << 30))
def test_no_changed_zip_raises(seed: int) -> None:
    """Whatever its directory says."""
    dice = random.Random(seed)  # noqa: S311 - no secret
    data = bytearray(zip_of(FILES))
    for _ in range(dice.randrange(1, 20)):
        data[dice.randrange(len(data) - 250, len(data))] = dice.choice((0, 1, 80, 255))
    found, _ = listed_zip(bytes(data[: dice.randrange(len(data) + 1)] if seed % 2 else data))
    assert len(found) <= 3


def test_ar_members_have_short_and_long_names() -> None:
    """As GNU and as BSD write them; indexes are left out."""
    long = b"a_long_name_of_an_object.o/\nanother_long_name.o/\n"
    data = ar_of(
        (b"/", b"index"), (b"//", long), (b"short.o/", b"12345"), (b"/0", b"one"),
        (b"/28", b"two"), (b"#1/20", b"name_of_twenty_char.three"), (b"plain", b""),
        (b"__.SYMDEF", b"x"), (b"/SYM64/", b"y"),
    )  # fmt: skip
    assert listed_ar(data) == (
        [
            ("short.o", b"12345"), ("a_long_name_of_an_object.o", b"one"),
            ("another_long_name.o", b"two"), ("name_of_twenty_char.", b"three"), ("plain", b""),
        ],
        True,
    )  # fmt: skip


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(ar_of((b"a/", b"1234"))[:-1], id="cut in a content"),
        pytest.param(ar_of((b"a/", b"1234"))[:40], id="cut in a head"),
        pytest.param(ar_of((b"a/", b"1234")) + b"junk" * 20, id="junk at the end"),
        pytest.param(ar_of((b"a/", b"1")).replace(b"1         `", b"-5        `"), id="below zero"),
        pytest.param(ar_of(*[(b"a/", b"1")] * 3), id="more than is looked at"),
    ],
)  # fmt: skip
def test_a_wrong_ar_is_not_complete(data: bytes) -> None:
    """What stands before the damage is listed."""
    found, whole = listed_ar(data, limit=2)
    assert not whole
    assert len(found) <= 2


@given(st.binary(max_size=400))
def test_no_bytes_after_the_mark_raise(rest: bytes) -> None:
    """Whatever a member's head says."""
    listed_ar(b"!<arch>\n" + rest)
    listed_zip(rest + b"PK\5\6" + rest[:18].ljust(18, b"\1"))


def listed(stored: Stored, kind: Kind) -> dict[str, int]:
    """Return paths and sizes of a whole archive."""
    listing = list_members(stored, kind)
    assert listing.complete
    return {path: member.size for path, member in listing.members.items()}


def test_a_tar_lists_every_kind_of_member(stored: Store) -> None:
    """Links and directories too, and what would be a whiteout in a layer."""
    members: dict[str, Content] = {
        "d/": folder(), "d/f": b"12", "s": symlink("d/f"), "h": hardlink("d/f"), ".wh.x": b"",
    }  # fmt: skip
    found = listed(stored(layer(members)), Kind.TAR)
    assert found == {"d": 0, "d/f": 2, "s": 0, "h": 0, ".wh.x": 0}


def test_a_debian_package_lists_what_it_installs(stored: Store) -> None:
    """Its two tars are looked into, however they are packed."""
    control = gzip.compress(layer({"./control": b"Package: x\n"}))
    data = layer({"./usr/bin/x": b"#!/bin/sh\n"})
    package = ar_of((b"debian-binary", b"2.0\n"), (b"control.tar.gz", control), (b"data.tar", data))
    assert listed(stored(package), Kind.DEB) == {
        "debian-binary": 4, "control/control": 11, "data/usr/bin/x": 10,
    }  # fmt: skip


def test_a_damaged_part_of_a_package_is_a_member_like_others(stored: Store) -> None:
    """It cannot be looked into, and is still there."""
    package = ar_of((b"debian-binary", b"2.0\n"), (b"control.tar.gz", b"\x1f\x8b\x08junk"),
                    (b"data.tar", b""))  # fmt: skip
    assert listed(stored(package), Kind.DEB) == {
        "debian-binary": 4, "control.tar.gz": 7, "data.tar": 0,
    }  # fmt: skip


def test_members_of_one_name_stay_apart_in_a_library(stored: Store) -> None:
    """Libraries may hold several objects of one name."""
    library = ar_of((b"/", b""), (b"a.o/", b"1"), (b"a.o/", b"22"))
    assert listed(stored(library), Kind.STATIC_LIBRARY) == {"a.o": 1, "a.o (2)": 2}


def test_what_changed_in_an_archive_is_listed(stored: Store) -> None:
    """Same size with another content is a change, another mode is one of its own."""
    out = []
    for files in (
        {"same": (b"1", 0o644), "gone": (b"22", 0o644), "other": (b"1", 0o644), "x": (b"", 0o644)},
        {"same": (b"1", 0o644), "come": (b"333", 0o644), "other": (b"2", 0o644), "x": (b"", 0o755)},
    ):
        data = io.BytesIO()
        with tarfile.open(fileobj=data, mode="w") as tar:
            for name, (content, mode) in files.items():
                member = tarfile.TarInfo(name)
                member.size, member.mode = len(content), mode
                tar.addfile(member, io.BytesIO(content))
        out.append(list_members(stored(data.getvalue()), Kind.TAR))
    found = compare_listings(*out)
    assert found.changes == (
        MemberChange(path="come", change=Change.ADDED, old=None, new=3),
        MemberChange(path="gone", change=Change.REMOVED, old=2, new=None),
        MemberChange(path="other", change=Change.MODIFIED, old=1, new=1),
        MemberChange(path="x", change=Change.METADATA, old=0, new=0),
    )
    assert (found.added, found.removed, found.modified, found.metadata) == (1, 1, 1, 1)
    assert (found.old_members, found.new_members, found.complete) == (4, 4, True)


def test_what_is_absent_lists_nothing() -> None:
    """An archive that was added had no members before."""
    assert list_members(None, None).members == {}
