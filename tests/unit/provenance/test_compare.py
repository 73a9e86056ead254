"""A copied path beside its source: what builders keep must agree."""

from __future__ import annotations

from dataclasses import replace

import pytest

from layertrace.dockerfile.parse import parse_build
from layertrace.model.entry import EntryKind
from layertrace.provenance.compare import Comparison, Likeness, compare
from layertrace.provenance.trees import Item

FILE = Item(kind=EntryKind.FILE, size=3, mode=0o644, uid=1, gid=2, mtime=100)
DIR = Item(kind=EntryKind.DIR, size=0, mode=0o755, uid=0, gid=0, mtime=100)
LINK = Item(kind=EntryKind.SYMLINK, size=0, mode=0o777, uid=0, gid=0, mtime=1, link_target="a")


def _compare(
    copied: Item,
    source: Item,
    flags: str = "",
    *,
    digests: tuple[str | None, str | None] = ("sha256:1", "sha256:1"),
    top: bool = False,
) -> Comparison:
    build = parse_build(f"FROM scratch\nCOPY {flags} a /b\n")
    (instruction,) = build.stages[0].instructions
    return compare(copied, source, instruction, digests=lambda: digests, top=top)


@pytest.mark.parametrize(
    ("copied", "source", "flags", "likeness", "detail"),
    [
        pytest.param(FILE, FILE, "", Likeness.SAME, "same sha256", id="same"),
        pytest.param(
            FILE, replace(FILE, size=4), "", Likeness.OTHER, "4 bytes there, 3 here", id="size"
        ),
        pytest.param(
            FILE, DIR, "", Likeness.OTHER, "a dir there, a file here", id="another kind"
        ),
        pytest.param(
            replace(FILE, mode=0o600), FILE, "", Likeness.CONTENT,
            "same sha256, but another mode", id="mode",
        ),
        pytest.param(
            replace(FILE, mode=0o600), FILE, "--chmod=600", Likeness.SAME, "same sha256",
            id="mode that --chmod gave",
        ),
        pytest.param(
            FILE, replace(FILE, mode=0o4644), "--chown=1:2", Likeness.SAME, "same sha256",
            id="setuid that --chown took",
        ),
        pytest.param(
            replace(FILE, mode=0o600), FILE, "--chown=1:2", Likeness.CONTENT,
            "same sha256, but another mode", id="mode that --chown does not change",
        ),
        pytest.param(
            FILE, replace(FILE, mode=None), "", Likeness.SAME, "same sha256", id="unknown mode"
        ),
        pytest.param(
            replace(FILE, uid=9), FILE, "", Likeness.CONTENT,
            "same sha256, but another owner", id="owner",
        ),
        pytest.param(
            replace(FILE, gid=9), FILE, "--chown=1:9", Likeness.SAME, "same sha256",
            id="owner that --chown gave",
        ),
        pytest.param(
            replace(FILE, uid=9, gid=9), replace(FILE, uid=None, gid=None), "", Likeness.SAME,
            "same sha256", id="unknown owner",
        ),
        pytest.param(
            replace(FILE, mtime=101), FILE, "", Likeness.CONTENT,
            "same sha256, but another time", id="time",
        ),
        pytest.param(
            FILE, replace(FILE, mtime=None), "", Likeness.SAME, "same sha256", id="unknown time"
        ),
        pytest.param(
            FILE, replace(FILE, capability=b"x"), "", Likeness.CONTENT,
            "same sha256, but another capabilities", id="capabilities",
        ),
        pytest.param(
            FILE, replace(FILE, capability=b"x"), "--chown=1:2", Likeness.SAME, "same sha256",
            id="capabilities that --chown took",
        ),
        pytest.param(
            replace(FILE, mode=0o600, mtime=1), FILE, "", Likeness.CONTENT,
            "same sha256, but another mode and time", id="several",
        ),
        pytest.param(
            DIR, replace(DIR, mtime=5), "", Likeness.SAME, "directory at the source too",
            id="a directory's time",
        ),
        pytest.param(
            DIR, replace(DIR, mode=0o700), "", Likeness.CONTENT,
            "directory at the source too, but another mode", id="a directory's mode",
        ),
        pytest.param(LINK, LINK, "", Likeness.SAME, "same link target", id="a link"),
        pytest.param(
            LINK, replace(LINK, link_target="b"), "", Likeness.OTHER, "another link target",
            id="a link's target",
        ),
        pytest.param(
            replace(FILE, kind=EntryKind.FIFO), replace(FILE, kind=EntryKind.FIFO, mode=0), "",
            Likeness.SAME, "fifo at the source too", id="a pipe",
        ),
    ],
)  # fmt: skip
def test_compare_weighs_what_builders_keep(
    copied: Item, source: Item, flags: str, likeness: Likeness, detail: str
) -> None:
    """Content first; then the attributes that the COPY and its flags leave alone."""
    assert _compare(copied, source, flags) == Comparison(likeness=likeness, detail=detail)


def test_compare_finds_other_content_of_the_same_size() -> None:
    """Only the digests tell; where one is missing nothing is claimed to be the same."""
    for digests in (("sha256:1", "sha256:2"), (None, None)):
        comparison = _compare(FILE, FILE, digests=digests)
        assert comparison == Comparison(likeness=Likeness.OTHER, detail="other content there")


def test_compare_leaves_the_attributes_of_the_destination_itself_alone() -> None:
    """The directory a COPY writes to gets the builder's own mode and owner."""
    comparison = _compare(DIR, replace(DIR, mode=0o700, uid=9), top=True)
    assert comparison.likeness is Likeness.SAME
