"""What one content is and begins with, and a path through the layers."""

from __future__ import annotations

import gzip
import io
import struct
import zipfile
import zlib
from typing import TYPE_CHECKING

import pytest

from layertrace.analysis.contents.compare import Given
from layertrace.analysis.contents.kinds import Kind
from layertrace.analysis.contents.pictures import picture_of
from layertrace.analysis.contents.preview import Looked, look_into
from layertrace.analysis.contents.versions import compare_versions, find_versions, given_in
from layertrace.errors import PathNotFoundError, StoppedError
from layertrace.model.entry import EntryKind
from layertrace.provenance.trees import Item
from tests.builders import docker_archive, file, folder, hardlink, image, layer, symlink
from tests.elf_builder import Part, make_elf
from tests.tui.real import opened

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from layertrace.pipeline.answers import ImageTrace


def look(data: bytes, *, shown: int = 1 << 20, limit: int = 1 << 20) -> Looked:
    """Return what a regular file is, given in small pieces."""
    pieces = (data[at : at + 1000] for at in range(0, len(data), 1000))
    given = Given(item=Item(kind=EntryKind.FILE, size=len(data)), pieces=pieces)
    found = look_into(given, shown=shown, limit=limit).looked
    assert found is not None
    return found


def packed_zip(**members: bytes) -> bytes:
    """Return a zip."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def test_of_a_text_only_the_beginning_is_read() -> None:
    """What is beyond the bytes that are shown stays where it is."""
    taken: list[int] = []

    def pieces() -> Iterator[bytes]:
        for number in range(100):
            taken.append(number)
            yield b"x" * 999 + b"\n"

    item = Item(kind=EntryKind.FILE, size=100_000)
    found = look_into(Given(item=item, pieces=pieces()), shown=10_000).looked
    assert found is not None
    assert (found.nature.kind, len(found.data), found.whole) == (Kind.TEXT, 10_000, False)
    assert len(taken) < 15


def test_a_program_is_read_to_the_table_at_its_end() -> None:
    """The bytes that are kept are still the first ones."""
    data = make_elf(Part(name=".text", type=1, data=b"\xc3" * 5_000, flags=6))
    found = look(data, shown=100)
    assert found.elf is not None
    assert ".text" in [section.name for section in found.elf.sections]
    assert (found.data, found.whole) == (data[:100], False)
    assert not (look(data, shown=100, limit=4_096).elf or found.elf).complete


def test_an_archive_lists_its_members() -> None:
    """In its own order, with sizes unpacked."""
    found = look(packed_zip(b=b"12345", a=b""))
    assert found.members is not None
    assert (found.members.sizes, found.members.complete) == ((("b", 5), ("a", 0)), True)
    tar = look(layer({"etc/": folder(), "etc/hosts": b"abc"}))
    assert tar.members is not None
    assert tar.members.sizes == (("etc", 0), ("etc/hosts", 3))


def test_what_is_no_archive_after_all_lists_nothing() -> None:
    """Its beginning may promise what the rest does not keep."""
    found = look(b"PK\3\4" + b"\0" * 100)
    assert (found.nature.kind, found.members) == (Kind.ZIP, None)


def test_too_many_members_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tar with more than is looked at is shown as bytes."""
    from layertrace.analysis.contents import listing  # noqa: PLC0415
    from layertrace.model.limits import Limits  # noqa: PLC0415

    monkeypatch.setattr(listing, "UNPACKING", Limits(entries=1))
    assert look(layer({"a": b"", "b": b""})).members is None


def test_what_is_packed_is_unpacked_once() -> None:
    """A text, an archive, and something packed twice."""
    text = look(gzip.compress(b"words\n"))
    assert text.inner is not None
    assert (text.inner.nature.kind, text.inner.data) == (Kind.TEXT, b"words\n")
    tar = look(gzip.compress(layer({"a": b"abc"})))
    assert tar.inner is not None
    assert tar.inner.members is not None
    twice = look(gzip.compress(gzip.compress(b"x")))
    assert twice.inner is not None
    assert (twice.inner.nature.kind, twice.inner.inner) == (Kind.GZIP, None)


def test_what_cannot_be_unpacked_is_what_it_is() -> None:
    """Damaged, it has bytes and nothing in it."""
    found = look(gzip.compress(b"x" * 5_000)[:20])
    assert (found.nature.kind, found.inner) == (Kind.GZIP, None)


def _webp(form: bytes, data: bytes) -> bytes:
    return b"RIFF" + struct.pack("<I", 22) + b"WEBP" + form + struct.pack("<I", 10) + data


def _ico(*pictures: tuple[int, int, int, int]) -> bytes:
    entries = (
        struct.pack("<BBBBHHII", width, height, 0, 0, planes, 32, 100, offset)
        for width, height, planes, offset in pictures
    )
    return struct.pack("<HHH", 0, 1, len(pictures)) + b"".join(entries)


@pytest.mark.parametrize(
    ("head", "size"),
    [
        pytest.param(
            b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", 640, 480),
            (640, 480),
            id="png",
        ),
        pytest.param(b"\x89PNG\r\n\x1a\n" + b"\0\0\0\rIHDR\0", None, id="png-cut"),
        pytest.param(b"GIF87a" + struct.pack("<HH", 3, 2), (3, 2), id="gif"),
        pytest.param(b"GIF89a\1", None, id="gif-cut"),
        pytest.param(
            b"\xff\xd8\xff\xe0\0\4ab\xff\x01\xff\xff\xc2\0\x11\x08" + struct.pack(">HH", 7, 9),
            (9, 7),
            id="jpeg",
        ),
        pytest.param(b"\xff\xd8\xff\xe0\xff\xff" + bytes(20), None, id="jpeg-without-end"),
        pytest.param(b"\xff\xd8\xff\xe0\0\2" + bytes(20), None, id="jpeg-without-marker"),
        pytest.param(zlib.compress(b"x"), None, id="no-picture"),
        pytest.param(_webp(b"VP8X", b"\x10\0\0\0\x1f\3\0\x57\2\0"), (800, 600), id="webp-extended"),
        pytest.param(
            _webp(b"VP8L", b"\x2f" + struct.pack("<I", 799 | 599 << 14) + bytes(5)),
            (800, 600),
            id="webp-lossless",
        ),
        pytest.param(
            _webp(b"VP8 ", b"\0\0\0\x9d\x01\x2a" + struct.pack("<HH", 800, 0x4000 | 600)),
            (800, 600),
            id="webp-lossy",
        ),
        pytest.param(_webp(b"VP8X", b""), None, id="webp-cut"),
        pytest.param(_webp(b"ANIM", bytes(10)), None, id="webp-other"),
        pytest.param(_webp(b"VP8L", bytes(10)), None, id="webp-without-signature"),
        pytest.param(_ico((16, 16, 1, 38), (0, 0, 1, 138)), (256, 256), id="ico"),
        pytest.param(_ico((16, 16, 1, 3)), None, id="ico-over-its-list"),
        pytest.param(_ico((16, 16, 2, 22)), None, id="ico-planes"),
        pytest.param(_ico(), None, id="ico-empty"),
        pytest.param(_ico((16, 16, 1, 22))[:-1], None, id="ico-cut"),
        pytest.param(b"<svg width='24px' height=\"16.5\">", (24, 16), id="svg"),
        pytest.param(
            b'<?xml version="1.0"?>\n<!-- <g> -->\n<svg\nviewBox="0 0, 32 48" width="100%">',
            (32, 48),
            id="svg-box",
        ),
        pytest.param(b"<svg viewBox='0 0 32'>", None, id="svg-half-a-box"),
        pytest.param(b"<svg>", None, id="svg-of-any-size"),
        pytest.param(b"<!DOCTYPE html><p>", None, id="no-svg"),
        pytest.param(b"text <svg width='1' height='1'>", None, id="text-about-svg"),
        pytest.param(b"<svg " * 5_000, None, id="svg-without-end"),
    ],
)
def test_a_picture_says_how_large_it_is(head: bytes, size: tuple[int, int] | None) -> None:
    """By its header; where that is cut short, not at all."""
    assert picture_of(head) == size


@pytest.fixture
def trace(tmp_path: Path) -> Iterator[ImageTrace]:
    """An image in which a file comes, changes, becomes a link and goes."""
    layers = (
        layer({"a.txt": b"one\ntwo\n", "hard": hardlink("a.txt")}),
        layer({"other": b"x"}),
        layer({"a.txt": file(b"one\nTWO\n", mode=0o600)}),
        layer({"a.txt": symlink("other")}),
        layer({".wh.a.txt": b""}),
    )
    archive = tmp_path / "app.tar"
    archive.write_bytes(docker_archive(image(*layers)))
    with opened(archive, tmp_path) as opening:
        yield opening.walk()


def test_the_layers_that_store_a_path_are_known(trace: ImageTrace) -> None:
    """Those that remove it store nothing; what is seen is what ships."""
    gone, seen = find_versions(trace, "a.txt"), find_versions(trace, "other")
    assert (gone.layers, gone.shipped, gone.removed) == ((0, 2, 3), 3, True)
    assert (seen.layers, seen.shipped, seen.removed) == ((1,), 1, False)
    with pytest.raises(PathNotFoundError, match="no layer has an entry for /nothing"):
        find_versions(trace, "nothing")


def test_each_layer_gives_its_own_content(trace: ImageTrace) -> None:
    """Of a hard link the file's, and of a symbolic link none."""
    contents = [b"".join(given_in(trace, "a.txt", number).pieces) for number in (0, 2, 3)]
    assert contents == [b"one\ntwo\n", b"one\nTWO\n", b""]
    assert b"".join(given_in(trace, "hard", 0).pieces) == b"one\ntwo\n"
    linked = look_into(given_in(trace, "a.txt", 3))
    assert (linked.looked, linked.item.link_target) == (None, "other")


def test_reading_stops_when_asked(trace: ImageTrace) -> None:
    """At the next piece."""
    given = given_in(trace, "a.txt", 0, lambda: True)
    with pytest.raises(StoppedError):
        look_into(given)


def test_versions_are_compared_as_two_images_are(trace: ImageTrace) -> None:
    """What is not there on one side is added or removed."""
    difference = compare_versions(trace, "a.txt", (0, 2))
    assert {change.name for change in difference.attributes} == {"mode"}
    assert difference.body is not None
    assert compare_versions(trace, "a.txt", (None, 0)).old is None
    assert compare_versions(trace, "a.txt", (2, None)).new is None
