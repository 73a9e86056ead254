"""Which way of comparing two contents get, and what their entries say."""

from __future__ import annotations

import gzip
import lzma
import tempfile
import zipfile
from io import BytesIO
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layertrace.analysis.contents.compare import Given, compare_contents
from layertrace.analysis.contents.kinds import Kind
from layertrace.analysis.contents.stored import Stored
from layertrace.analysis.contents.values import (
    AttributeChange,
    BytesDifference,
    ContentDifference,
    ElfDifference,
    HexRow,
    ListDifference,
    SectionChange,
    TextDifference,
    Withheld,
)
from layertrace.errors import LayerError, StorageError
from layertrace.model.entry import EntryKind
from layertrace.provenance.trees import Item
from tests.builders import layer
from tests.elf_builder import Part, dynamic, make_elf, string
from tests.unit.analysis.contents.test_listing import ar_of, zip_of

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY = b"-----BEGIN EC PRIVATE KEY-----\nMHcCAQ%s\n-----END EC PRIVATE KEY-----\n"


def side(content: bytes, *, mode: int = 0o644, mtime: int = 0) -> Given:
    """Return a regular file, its content in pieces."""
    pieces = (content[at : at + 1000] for at in range(0, len(content), 1000))
    item = Item(kind=EntryKind.FILE, size=len(content), mode=mode, uid=0, gid=0, mtime=mtime)
    return Given(item=item, pieces=pieces)


def compare(old: bytes | None, new: bytes | None, path: str = "") -> ContentDifference:
    """Compare two contents."""
    sides = (None if each is None else side(each) for each in (old, new))
    return compare_contents(next(sides), next(sides), path=path)


def elf(text: bytes, *needed: str, extra: tuple[Part, ...] = ()) -> bytes:
    """Return a library."""
    strings = string(*needed)
    return make_elf(
        Part(name=".text", type=1, data=text, flags=6),
        Part(name=".rodata", type=1, data=b"r" * 8, flags=2),
        Part(name=".dynstr", type=3, data=strings, flags=2),
        Part(name=".dynamic", type=6, data=dynamic(strings, needed=needed), link=".dynstr"),
        *extra,
    )


TAR, OTHER_TAR = layer({"a": b"1"}), layer({"a": b"2"})
BYTES = bytes(range(128, 256))


@pytest.mark.parametrize(
    ("old", "new", "body"),
    [
        pytest.param(b"a\n", b"b\n", TextDifference, id="text"),
        pytest.param(b"#!/bin/sh\n", b"x\n", TextDifference, id="script and text"),
        pytest.param(b"", b"x\n", TextDifference, id="text and nothing"),
        pytest.param(elf(b"1"), elf(b"2"), ElfDifference, id="elf"),
        pytest.param(b"", elf(b"2"), ElfDifference, id="elf and nothing"),
        pytest.param(zip_of({"a": b"1"}), zip_of({"a": b"2"}), ListDifference, id="zip"),
        pytest.param(TAR, OTHER_TAR, ListDifference, id="tar"),
        pytest.param(zip_of({"a": b"1"}), TAR, ListDifference, id="zip and tar"),
        pytest.param(ar_of((b"a/", b"1")), ar_of((b"a/", b"2")), ListDifference, id="ar"),
        pytest.param(BYTES, BYTES[:-1] + b"\0", BytesDifference, id="bytes"),
        pytest.param(elf(b"1"), b"#!/bin/sh\n", BytesDifference, id="elf and script"),
        pytest.param(elf(b"1"), b"\x7fELF\2\1\1", BytesDifference, id="elf and its beginning"),
        pytest.param(b"PK\3\4" + BYTES, b"PK\3\4", BytesDifference, id="zips of no end"),
        pytest.param(KEY % b"AA", KEY % b"BB", Withheld, id="private keys"),
        pytest.param(b"x\n", KEY % b"BB", Withheld, id="text and a private key"),
        pytest.param(b"x\n" * 2_000 + b"\0", b"x\n", BytesDifference, id="text with a payload"),
    ],
)  # fmt: skip
def test_contents_decide_how_they_are_compared(old: bytes, new: bytes, body: type) -> None:
    """Both ways round."""
    assert type(compare(old, new).body) is body
    assert type(compare(new, old).body) is body


@pytest.mark.parametrize("content", [b"", b"a\n", elf(b"1"), TAR, BYTES, KEY % b"A"])
def test_equal_contents_have_no_difference(content: bytes) -> None:
    """Whatever they are."""
    found = compare(content, content)
    assert (found.same, found.body, found.attributes) == (True, None, ())


@pytest.mark.parametrize(
    ("content", "body"),
    [(b"a\n", TextDifference), (elf(b"1"), ElfDifference), (TAR, ListDifference),
     (gzip.compress(TAR, mtime=0), ListDifference), (BYTES, BytesDifference), (b"", type(None))],
)  # fmt: skip
def test_one_side_may_be_absent(content: bytes, body: type) -> None:
    """All of the other is what was added or removed."""
    come, gone = compare(None, content), compare(content, None)
    assert (type(come.body), type(gone.body)) == (body, body)
    assert (come.old, gone.new, come.same, come.attributes) == (None, None, False, ())


def test_packed_contents_are_compared_unpacked() -> None:
    """However each is packed; of tars the members."""
    found = compare(gzip.compress(b"a\nb\n"), lzma.compress(b"a\nc\n"))
    assert (found.unpacked, found.same_unpacked) == (Kind.TEXT, False)
    assert isinstance(found.body, TextDifference)
    assert (found.body.added, found.body.removed) == (1, 1)
    tars = compare(gzip.compress(TAR), gzip.compress(OTHER_TAR))
    assert (tars.unpacked, type(tars.body)) == (Kind.TAR, ListDifference)
    same = compare(gzip.compress(b"a" * 100, mtime=1), gzip.compress(b"a" * 100, mtime=2))
    assert (same.same, same.same_unpacked, same.body) == (False, True, None)


def test_what_cannot_be_unpacked_is_compared_as_it_is() -> None:
    """Damaged, or packed on one side alone."""
    packed = gzip.compress(b"a\n" * 100)
    for other in (packed[:-9], b"plain\n"):
        found = compare(packed, other)
        assert (found.unpacked, type(found.body)) == (None, BytesDifference)


def test_elf_files_are_compared_by_what_they_say() -> None:
    """Libraries and sections that came, went, grew or hold something else."""
    symbols = Part(name=".symtab", type=2, data=b"s" * 24)
    old = elf(b"12", "liba.so", "libb.so", extra=(symbols,))
    found = compare(old, elf(b"34", "libb.so", "libc.so")).body
    assert isinstance(found, ElfDifference)
    assert (found.needed_added, found.needed_removed) == (("libc.so",), ("liba.so",))
    assert found.facts == (
        AttributeChange(name="stripped", old=False, new=True),
        AttributeChange(name="symbol_bytes", old=24, new=0),
    )
    sections = {each.name: each for each in found.sections}
    assert sections[".text"] == SectionChange(name=".text", old=2, new=2)
    assert sections[".symtab"] == SectionChange(name=".symtab", old=24, new=None)
    assert ".rodata" not in sections
    # .rodata and the tags, whose offsets are the same.
    assert found.same_sections == 2


def test_sections_that_all_claim_the_whole_file_are_not_read_again_and_again() -> None:
    """After as many bytes as the files have, sections count as changed."""
    parts = [Part(name=f".x{n}", type=1, data=b"", size=40_000) for n in range(200)]
    old, new = (make_elf(*parts) + bytes((n,)) for n in range(2))
    found = compare(old, new).body
    assert isinstance(found, ElfDifference)
    assert len(found.sections) > 150


def test_bytes_show_where_they_differ_first() -> None:
    """How many differ, and the rows around the first."""
    old = bytes(100) + b"\1\2" + bytes(98)
    new = bytes(100) + b"\1\3" + bytes(90)
    found = compare(old, new).body
    assert isinstance(found, BytesDifference)
    assert (found.first, found.differing, found.compared) == (101, 1, 192)
    assert [row.offset for row in found.rows] == [80, 96, 112, 128, 144]
    assert found.rows[1] == HexRow(offset=96, old=old[96:112], new=new[96:112])


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_differing_bytes_are_counted_exactly(old: bytes, new: bytes) -> None:
    """As a loop over both would."""
    apart = [at for at, (a, b) in enumerate(zip(old, new, strict=False)) if a != b]
    found = compare(b"\0" + old, b"\0" + new).body
    if old == new:
        assert found is None
        return
    assert isinstance(found, BytesDifference)
    first = 1 + min([*apart, min(len(old), len(new))])
    assert (found.differing, found.first) == (len(apart), first)


def test_text_that_is_compared_as_bytes_shows_none() -> None:
    """They may be a secret's: a text too long, a store of credentials."""
    long = compare(b"x\n" * 2_000 + b"\0", b"y\n").body
    store = compare(BYTES, BYTES[1:], "app/keystore.jks").body
    for body in (long, store):
        assert isinstance(body, BytesDifference)
        assert body.rows == ()


def test_what_is_longer_than_the_limit_is_compared_as_far() -> None:
    """And says so: the same so far is not the same."""
    found = compare_contents(side(b"a" * 3_000), side(b"a" * 2_999 + b"b"), limit=1_500)
    assert (found.compared, found.same) == (1_500, True)


def test_entries_say_what_else_changed() -> None:
    """Every attribute with both values; a link has no content."""
    old = Item(kind=EntryKind.FILE, size=1, mode=0o644, uid=0, gid=1, mtime=5, capability=b"\1")
    new = Item(kind=EntryKind.SYMLINK, size=0, mode=0o777, uid=0, gid=2, mtime=6, link_target="b")
    found = compare_contents(Given(item=old, pieces=[b"x"]), Given(item=new))
    assert {each.name: (each.old, each.new) for each in found.attributes} == {
        "type": ("file", "symlink"), "size": (1, 0), "mode": (0o644, 0o777), "gid": (1, 2),
        "mtime": (5, 6), "link_target": ("", "b"), "capability": ("01", None),
    }  # fmt: skip
    assert (found.same, found.body) == (False, None)


def test_what_a_content_raises_is_raised() -> None:
    """A layer that is cut short, a full disk."""

    def cut() -> Iterator[bytes]:
        yield b"x"
        raise LayerError("the layer is cut short")

    item = Item(kind=EntryKind.FILE, size=5)
    with pytest.raises(LayerError):
        compare_contents(Given(item=item, pieces=cut()), None)


def test_a_full_disk_is_told_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """With what to do about it."""

    class Full(tempfile.SpooledTemporaryFile[bytes]):
        def write(self, _: object) -> int:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(tempfile, "SpooledTemporaryFile", Full)
    with pytest.raises(StorageError, match="No space left"):
        Stored([b"x"])


def test_a_large_content_is_read_at_any_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """Out of a file as out of memory, several readers at once."""
    monkeypatch.setattr("layertrace.analysis.contents.stored._MEMORY", 10)
    with Stored([b"0123456789", b"abcdefghij"]) as stored:
        pieces = stored.pieces(5, 10)
        assert stored.read_at(18, 9) == b"ij"
        assert b"".join(pieces) == b"56789abcde"
        assert (stored.read_at(20, 1), stored.read_at(-1, 1), stored.length()) == (b"", b"", 20)


def test_a_bomb_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    """More than is looked at is compared as it is packed."""
    limits = "layertrace.analysis.contents.compare.UNPACKING"
    from layertrace.model.limits import Limits  # noqa: PLC0415

    monkeypatch.setattr(limits, Limits(size=10_000))
    found = compare(gzip.compress(bytes(100_000)), gzip.compress(bytes(100_001)))
    assert (found.unpacked, type(found.body)) == (None, BytesDifference)


@given(st.sampled_from([b"\x7fELF\2\1\1", b"PK\3\4", b"!<arch>\n", b"\x1f\x8b\x08", b"#!", b"",
                        TAR[:512], b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd"]),
       st.binary(max_size=300), st.binary(max_size=300))  # fmt: skip
def test_no_contents_raise(head: bytes, old: bytes, new: bytes) -> None:
    """Whatever they begin with, there is a difference or there is none."""
    found = compare(head + old, head + new)
    assert (found.body is None) == (old == new or found.same_unpacked)


def test_no_member_of_a_zip_is_unpacked() -> None:
    """It is compared by its directory: what its members claim to unpack to costs nothing."""
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("bomb", bytes(50_000_000))
    found = compare(out.getvalue(), zip_of({})).body
    assert isinstance(found, ListDifference)
    assert found.changes[0].old == 50_000_000
