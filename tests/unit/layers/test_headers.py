"""Headers that are damaged, hostile or beyond a limit: an error, soon, and no crash."""

from __future__ import annotations

import tarfile
import time
from dataclasses import replace

import pytest

from layertrace.errors import LimitError
from layertrace.layers.headers import MAX_EXTENDED
from layertrace.layers.walk import walk_layer
from layertrace.model import pax
from layertrace.model.limits import DEFAULTS
from tests.builders import BLOCK, Member, checksummed, file, folder, layer, padded, sparse
from tests.readers import MemoryReader, walk, walk_damaged


def extended(records: bytes, *, kind: bytes = tarfile.XHDTYPE) -> bytes:
    """Return an extended header that holds ``records``."""
    return layer({"x": Member(type=kind, content=records)}, form=tarfile.USTAR_FORMAT, end=False)


def record(keyword: str, value: bytes) -> bytes:
    """Return one PAX record, its own length in front."""
    rest = b" " + keyword.encode() + b"=" + value + b"\n"
    length = len(rest)
    while length != len(rest) + len(str(length)):
        length = len(rest) + len(str(length))
    return str(length).encode() + rest


def patched(tar: bytes, start: int, field: bytes) -> bytes:
    """Return ``tar`` with ``field`` in its first header, the checksum made right."""
    header = tar[:start] + field + tar[start + len(field) : BLOCK]
    return checksummed(header) + tar[BLOCK:]


def base256(value: int, size: int = 12) -> bytes:
    """Return a number as GNU tar writes those that octal digits cannot hold."""
    return (value % (1 << 8 * size) | 1 << (8 * size - 1)).to_bytes(size, "big")


def refusal(tar: bytes) -> str:
    """Return why a layer is refused; it must not be what keeps a reader busy for hours."""
    start = time.process_time()
    damage = walk_damaged(tar).damage
    assert time.process_time() - start < 30
    assert damage
    assert "\n" not in damage
    return damage


A = layer({"a": b"x"})
MANY = MAX_EXTENDED + 1


@pytest.mark.parametrize(
    ("tar", "why"),
    [
        pytest.param(b"no tar" * 200, "invalid header", id="no tar"),
        pytest.param(b"\xff" * 2000, "bad checksum", id="all ones"),
        pytest.param(A.replace(b"a", b"b", 1), "bad checksum", id="wrong checksum"),
        pytest.param(patched(A, 124, b"-0000000001\0"), "negative size", id="negative size"),
        pytest.param(patched(A, 124, base256(-512)), "negative size", id="negative base 256"),
        pytest.param(patched(A, 124, base256(1 << 70)), "64 bits", id="size of 71 bits"),
        pytest.param(patched(A, 136, base256(1 << 70)), "64 bits", id="time of 71 bits"),
        pytest.param(extended(record("mtime", b"1e30")) + A, "64 bits", id="far future"),
        pytest.param(extended(record("mtime", b"nan")) + A, "NaN", id="time is no number"),
        pytest.param(extended(record("uid", b"9" * 30)) + A, "64 bits", id="owner of 30 digits"),
        pytest.param(extended(record("path", b"a\0b")) + A, "NUL byte", id="NUL in a name"),
        pytest.param(
            extended(record("linkpath", b"a\0b"))
            + layer({"l": Member(type=tarfile.SYMTYPE, link="x")}), "NUL byte",
            id="NUL in a target"),
        pytest.param(
            extended(b"", kind=tarfile.XGLTYPE) * 1_000_000, "more than 32", id="nested globals"),
        pytest.param(
            patched(extended(b""), 124, base256(1 << 40)) + A, "no octal number",
            id="base-256 PAX header"),
        pytest.param(
            patched(extended(b""), 124, b"00000000009\0") + A, "no octal number",
            id="PAX header whose size is no number"),
        pytest.param(
            extended(b"2 " * (DEFAULTS.pax // 2 - 1) + b"=") + A, "without a value",
            id="records that end before their value"),
        pytest.param(
            extended(b"0" * 29 + b"5 path" + record("path", b"b")) + A, "without a value",
            id="30 digits of length"),
        pytest.param(
            extended(record("comment", b"0123456789" * 10_000)) + A, "digits in a row",
            id="all digits"),
        pytest.param(
            extended(record("comment", (b"0" * 8000 + b".") * 100)) + A, "digits in a row",
            id="nearly all digits"),
        pytest.param(extended(b"0 a=b\n") + A, "without a value", id="record of no length"),
        pytest.param(
            layer({"s": Member(type=tarfile.GNUTYPE_SPARSE, parts=((-1, 1),), size=9)}),
            "negative number", id="negative sparse map"),
        pytest.param(
            extended(record("GNU.sparse.map", b"1,2")) + extended(record("a", b"b"))
            + layer({"s": file(b"xx")}), "", id="sparse map lost to a second header"),
        pytest.param(
            extended(record("GNU.sparse.map", b"a,b")) + A, "invalid literal",
            id="sparse map of no numbers"),
        pytest.param(
            layer({"s": Member(content=b"x" * 512, pax={
                "GNU.sparse.major": "1", "GNU.sparse.minor": "0"})}), "not enough values",
            id="sparse map without a line"),
    ],
)  # fmt: skip
def test_header_is_refused(tar: bytes, why: str) -> None:
    """What no program writes is an error that says what is wrong, and is found soon."""
    if why:
        assert why in refusal(tar)
        assert refusal(tar).startswith("layer 0: damaged tar header at byte 0: ")
    else:
        assert list(walk(tar).paths) == ["s"]


MANY_ATTRIBUTES = extended(record("comment", b"x" * (DEFAULTS.pax - 99)), kind=tarfile.XGLTYPE)


@pytest.mark.parametrize(
    ("tar", "why"),
    [
        pytest.param(
            extended(record("comment", b"x" * DEFAULTS.pax)) + A, "1,048,", id="huge PAX header"),
        pytest.param(
            extended(b"n" * (DEFAULTS.pax + 1), kind=tarfile.GNUTYPE_LONGNAME) + A, "1,048,577",
            id="huge name"),
        pytest.param(MANY_ATTRIBUTES * 5 + A, "4,194,304", id="many large headers"),
        pytest.param(
            layer({"s": sparse(1 << 30, {n * 4096: b"x" for n in range(200_000)})}),
            "4,194,304", id="sparse map of 5 MB"),
    ],
)  # fmt: skip
def test_header_beyond_the_limit_is_refused(tar: bytes, why: str) -> None:
    """The whole layer is, with the name of the limit, which may be raised."""
    with pytest.raises(LimitError, match=why) as caught:
        walk_damaged(tar)
    assert (caught.value.limit, caught.value.allowed) == ("pax", 1 << 20)
    raised = replace(DEFAULTS, pax=8 << 20)
    index = walk_layer(MemoryReader(tar), name="layer 0", limits=raised).index
    assert (len(index), index.damage) in {(1, ""), (0, "")}


def test_many_global_records_for_many_members_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each member takes over all of them: that would take hours."""
    monkeypatch.setattr(pax, "MAX_APPLIED", 1000)
    records = b"".join(record(f"a{number}", b"") for number in range(50))
    tar = extended(records, kind=tarfile.XGLTYPE) + layer({f"{n}": b"" for n in range(23)})
    assert "global headers with too many records" in refusal(tar)


def test_damage_names_the_byte_of_the_first_header() -> None:
    """The place is that of the member, its extended headers included."""
    tar = layer({"a": b"x"}, end=False) + extended(record("path", b"b")) + b"junk" * 400
    assert "damaged tar header at byte 1,024" in refusal(tar)


@pytest.mark.parametrize(
    "text",
    [b"x" * 400, b"12 path", b"", b"1\0\0\0", b" 12 a=b\n", b"12a4 path=b\n", b"\xff\xfe"],
    ids=repr,
)
def test_what_is_no_pax_record_ends_the_records(text: bytes) -> None:
    """As in tarfile, the records before it count and it does not."""
    tar = extended(record("path", b"named") + text) + layer({"a": b"x"})
    assert list(walk(tar).paths) == ["named"]


@pytest.mark.parametrize("size", [b"00000000013\0", b"         13 ", b"13\0garbage.", b" 13\0"])
def test_size_of_an_extended_header_may_stand_anyhow_in_its_field(size: bytes) -> None:
    """Old writers fill numbers up with blanks on either side."""
    tar = patched(extended(record("path", b"nam")), 124, size.ljust(12, b"\0"))
    assert list(walk(tar + A).paths) == ["nam"]


def test_as_many_global_headers_as_the_limit_are_read() -> None:
    """The limit is far beyond what tar programs write, and exact."""
    globals_ = [extended(record(f"k{n}", b"v"), kind=tarfile.XGLTYPE) for n in range(MANY)]
    assert list(walk(b"".join(globals_[:-1]) + A).paths) == ["a"]
    assert f"more than {MAX_EXTENDED} ext" in refusal(b"".join(globals_) + A)
    large = extended(b"7 k=vv\n" * 100_000, kind=tarfile.XGLTYPE)
    with pytest.raises(LimitError, match="4,194,304 bytes"):
        walk(large * 7 + A)


def longname(name: bytes) -> bytes:
    """Return a GNU header of a long name."""
    return extended(name, kind=tarfile.GNUTYPE_LONGNAME)


@pytest.mark.parametrize(
    ("headers", "path"),
    [
        (extended(record("path", b"first")) + extended(record("path", b"last")), "last"),
        (extended(record("path", b"first")) + extended(record("uid", b"1")), "a"),
        (longname(b"first\0") + longname(b"last\0"), "last"),
        (longname(b"first\0") + longname(b"\0"), "a"),
        (longname(b""), "a"),
        (extended(record("path", b"x")) * 100_000, "x"),
        (longname(b"n\0") * 100_000, "n"),
    ],
    ids=["PAX", "other PAX", "long", "long of a NUL", "long of nothing", "many PAX", "many long"],
)
def test_last_of_several_extended_headers_counts(headers: bytes, path: str) -> None:
    """As for other tar programs; however many there are, they take no memory and no stack."""
    assert list(walk(headers + A).paths) == [path]


def test_extended_headers_before_the_end_are_noted() -> None:
    """No member follows that they could be about."""
    tar = layer({"a": b"x"}, end=False) + extended(record("path", b"x")) * 3 + bytes(2 * BLOCK)
    index = walk(tar)
    assert (list(index.paths), [code for code, _ in index.notes]) == (["a"], ["header-of-nothing"])


def test_attributes_up_to_the_limit_are_read() -> None:
    """An attribute of nearly a mebibyte is legal, digits in it too."""
    value = (b"0123456789" * 10 + b".") * 10_000
    tar = extended(record("SCHILY.xattr.user.big", value)) + A
    assert list(walk(tar).paths) == ["a"]


def test_fields_that_a_kind_does_not_use_are_not_judged() -> None:
    """A directory has no size and a file no device: old writers left junk there."""
    tar = patched(layer({"d": folder()}), 124, b"junk.junk.ju")
    assert list(walk(patched(tar, 329, b"junkjunk")).paths) == ["d"]


def test_checksum_is_exact() -> None:
    """A sum that is wrong by adler32's modulus is wrong."""
    full = bytes(0 if 148 <= n < 156 else 0xFF for n in range(BLOCK))
    header = b"n" * 100 + A[100:257] + full[257:]
    good = checksummed(header)
    wrong = b"%06o\0 " % (int(good[148:154], 8) - 65521)
    assert list(walk(good + padded(b"x") + bytes(1024)).paths) == ["n" * 100]
    assert "bad checksum" in refusal(good[:148] + wrong + good[156:])
