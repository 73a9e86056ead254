"""Whatever ships is looked at, once, and no more of it than is needed."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, cast

import pytest

from layertrace.analysis.audit import secrets
from layertrace.analysis.audit.scanning import FIRST_PART, Content, scan_contents
from layertrace.analysis.audit.secrets import Secrets, SecretScanner, search_secrets
from layertrace.errors import LayerError
from layertrace.layers.cache import IndexCache
from layertrace.pipeline.hints import Hints
from layertrace.pipeline.trace import open_image
from layertrace.rootfs.places import Place
from tests.builders import (
    Content as File,
)
from tests.builders import docker_archive, file, hardlink, image, layer, oci_archive, sparse
from tests.planted import Grower, pem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from layertrace.pipeline.answers import ImageTrace
    from layertrace.pipeline.contents import FileParts
    from layertrace.pipeline.handing import Take

    Traced = Callable[..., ImageTrace]

TOKEN = Grower(3).github()


@pytest.fixture
def traced(tmp_path: Path) -> Iterator[Traced]:
    """Return what traces layers, given as files by path."""
    openings = []

    def trace(*layers: Mapping[str, File], packed: bool = False) -> ImageTrace:
        made = image(*(layer(each) for each in layers))
        path = tmp_path / "image.tar"
        path.write_bytes(oci_archive(made, packed=True) if packed else docker_archive(made))
        openings.append(open_image(str(path), Hints(), IndexCache(tmp_path, limit=0)))
        return openings[-1].walk(hashing=False)

    yield trace
    for opening in openings:
        opening.close()


def places(found: Secrets) -> list[tuple[str | None, int | None, bool]]:
    """Return where matches are."""
    return [(match.path, match.layer, match.visible) for match in found.matches]


@pytest.mark.parametrize("packed", [False, True])
def test_removed_and_replaced_copies_are_found(traced: Traced, *, packed: bool) -> None:
    """A secret that a later layer removed or overwrote is found in the layer that stores it."""
    secret = TOKEN.encode()
    trace = traced(
        {"app/gone": secret, "app/changed": secret, "app/kept": secret, "opaque/x": secret},
        {"app/.wh.gone": b"", "app/changed": b"clean", "opaque/.wh..wh..opq": b""},
        packed=packed,
    )
    assert places(search_secrets(trace)) == [
        ("app/changed", 0, False),
        ("app/gone", 0, False),
        ("app/kept", 0, True),
        ("opaque/x", 0, False),
    ]


def test_hard_link_keeps_a_removed_secret_in_sight(traced: Traced) -> None:
    """A file that was removed but for another name of it is named by the one that is left."""
    trace = traced({"a": TOKEN.encode(), "b": hardlink("a")}, {".wh.a": b""})
    assert places(search_secrets(trace)) == [("b", 0, True)]


def test_a_file_may_have_its_telling_name_by_a_hard_link(traced: Traced) -> None:
    """Which of two names a tar stores the content under is chance."""
    line = f"//h/:_authToken={Grower(5).draw(30)}".encode()
    trace = traced({"app/copy": line, "root/.npmrc": hardlink("app/copy"),
                    "b": line, "c": hardlink("b"), ".netrc": hardlink("gone")})  # fmt: skip
    (match,) = search_secrets(trace).matches
    assert (match.path, match.detail) == (
        "app/copy", "npm credentials, line 1 (30 characters)",
    )  # fmt: skip


def test_each_stored_file_is_read_once(traced: Traced, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two scanners share one reading: no byte of a file is asked for twice."""
    big = b"x\n" * FIRST_PART
    trace = traced({"a": TOKEN.encode(), "b": b"b", "big": big}, {"a": b"", "b": b"c"})
    read: Counter[tuple[Place, int]] = Counter()
    sizes: Counter[Place] = Counter()
    hand_out = trace.hand_out

    def counted(some: Iterator[Place], take: Take) -> None:
        def counting(place: Place, parts: Iterator[tuple[int, bytes]]) -> None:
            def pass_on() -> Iterator[tuple[int, bytes]]:
                for offset, piece in parts:
                    read[place, offset] += 1
                    sizes[place] += len(piece)
                    yield offset, piece

            take(place, cast("FileParts", pass_on()))

        hand_out(some, counting)

    monkeypatch.setattr(trace, "hand_out", counted)
    both = [SecretScanner(trace), SecretScanner(trace)]
    scan_contents(trace, both)
    assert [len(each.result().matches) for each in both] == [1, 1]
    assert set(read.values()) == {1}
    assert {place: sizes[place] for place in sizes if sizes[place] < 9999} == {
        Place(0, 0): len(TOKEN), Place(0, 1): 1, Place(1, 1): 1
    }  # fmt: skip
    assert sizes[Place(0, 2)] == FIRST_PART


def test_only_the_first_part_of_a_text_is_looked_at(traced: Traced) -> None:
    """What is behind the first part is not read, and the file is counted."""
    filler = b"-" * (FIRST_PART - 20)
    trace = traced({
        "far": filler + b"\n" * 40 + TOKEN.encode(),
        "near": filler[: -len(TOKEN)] + b"\n" + TOKEN.encode() + b"\n" * 40,
    })  # fmt: skip
    found = search_secrets(trace)
    assert places(found) == [("near", 0, True)]
    assert (found.files, found.cut, found.binary) == (2, 2, 0)


def test_binary_files_are_not_text(traced: Traced) -> None:
    """A NUL in the head of a file ends the search, but UTF-16 is text."""
    trace = traced({
        "binary": b"\0" + TOKEN.encode(),
        "late": b"x" * 9000 + b"\0\n" + TOKEN.encode(),
        "wide": b"\xff\xfe" + f"a\n{TOKEN}\n".encode("utf-16-le"),
    })  # fmt: skip
    found = search_secrets(trace)
    assert [match.path for match in found.matches] == ["late", "wide"]
    assert "line 2" in found.matches[1].detail
    assert found.binary == 1


def test_sparse_files_are_searched_without_their_holes(traced: Traced) -> None:
    """A terabyte of nothing costs nothing."""
    trace = traced({"hole": sparse(1 << 32, {1 << 31: TOKEN.encode()})})
    found = search_secrets(trace)
    assert places(found) == [("hole", 0, True)]


def test_a_content_that_cannot_be_read_is_counted(traced: Traced) -> None:
    """A damaged file does not hide the secrets of the others."""
    trace = traced({"a": TOKEN.encode()})

    def broken() -> Iterator[tuple[int, bytes]]:
        yield 0, TOKEN.encode()
        raise LayerError("cut short")

    scanner = SecretScanner(trace)
    content = Content(Place(0, 0), "a", 100, broken())
    scanner.see(content)
    found = scanner.result()
    assert (len(found.matches), found.unreadable) == (1, 1)


def test_many_secrets_of_a_file_are_one_match(traced: Traced) -> None:
    """A match names the first lines of a kind and counts the rest."""
    grower = Grower(5)
    text = "\n".join(grower.github() for _ in range(9))
    (match,) = search_secrets(traced({"a": text.encode()})).matches
    assert match.detail == "GitHub token, lines 1, 2, 3 and 6 more (ghp_…, 40 characters)"


def test_matches_are_bounded(traced: Traced, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hostile image cannot fill memory with matches; those beyond are counted."""
    monkeypatch.setattr(secrets, "MOST", 2)
    trace = traced({str(number): TOKEN.encode() for number in range(5)})
    found = search_secrets(trace)
    assert (len(found.matches), found.more) == (2, 3)


def test_doubtful_ones_are_told_apart(traced: Traced) -> None:
    """A key in a package's tests is no match, and says why."""
    key = pem("PRIVATE" + " KEY", Grower(5).der()).encode()
    found = search_secrets(traced({"usr/lib/python3/test/k.pem": key}))
    assert found.matches == ()
    (match,) = found.doubtful
    assert match.detail.endswith("in the tests or documents of an installed package")


def test_a_files_own_format_gives_way_to_a_tokens(traced: Traced) -> None:
    """A token in a file of credentials is named once, by what it is."""
    found = search_secrets(traced({"root/.npmrc": f"//r/:_authToken={TOKEN}\n".encode()})).matches
    assert [match.detail for match in found] == ["GitHub token, line 1 (ghp_…, 40 characters)"]


def test_empty_files_and_folders_are_not_read(traced: Traced) -> None:
    """There is nothing to look for in them, whatever they are called."""
    found = search_secrets(traced({"root/.npmrc": b"", "x": file(b"")}))
    assert (found.files, found.matches) == (0, ())
