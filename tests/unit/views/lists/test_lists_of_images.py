"""Waste, duplicates, packages and flow as rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layertrace.model.entry import EntryKind
from layertrace.model.origin import Change, OriginKind, Trust
from layertrace.model.packages import Package, PackageKind, PackageTable, PackageVersion
from layertrace.model.trace import Carrier, FileTable, Label, ShareRow
from layertrace.model.waste import Bloat, Cause, Duplicate, Leftover, Step, WastedPath, WasteGroup
from layertrace.views.lists.duplicates import list_duplicates
from layertrace.views.lists.flow import list_flow
from layertrace.views.lists.packages import list_packages
from layertrace.views.lists.waste import list_waste

if TYPE_CHECKING:
    from layertrace.views.lists.rows import Listing


def lines(listing: Listing) -> list[str]:
    """Return every row as a line."""
    rows = [listing.row(line) for line in range(len(listing))]
    return [" | ".join(field.text for field in row.fields if field.text) for row in rows]


def step(layer: int, line: int | None) -> Step:
    """Return a step of the final stage."""
    return Step(layer=layer, stage="final", line=line, instruction="RUN x")


def test_waste_has_a_group_for_each_pair_of_instructions() -> None:
    """The sum, the causes, what to change, and apart from them what may be left out."""
    paths = (WastedPath(path="a", bytes=700), WastedPath(path="b/c", bytes=300))
    group = WasteGroup(
        cause=Cause.REMOVED,
        bytes=1000,
        written_by=step(1, 4),
        undone_by=step(2, None),
        paths=paths,
        advice="delete it where it is made",
    )
    leftover = Leftover(rule="apt-lists", bytes=50, paths=paths[:1], advice="rm them")
    bloat = Bloat(
        stored_bytes=4000,
        visible_bytes=3000,
        groups=(group,),
        maybe=(leftover,),
        duplicates=(),
        dive_efficiency=1,
    )
    listing = list_waste(bloat)
    assert listing.summary == "1.0 kB of 4.0 kB could go (25.0%)"
    assert lines(listing) == [
        "1.0 kB | removed later: written L2 :4, removed L3",
        "→ delete it where it is made",
        "700 B | /a",
        "300 B | /b/c",
        "50 B are seen, and could mostly be left out:",
        "50 B | apt-lists",
        "→ rm them",
        "700 B | /a",
    ]
    assert listing.row(0).note.endswith("delete it where it is made")
    assert (listing.row(0).layer, listing.row(3).path) == (2, "b/c")


def test_an_image_without_waste_says_so() -> None:
    """There is no row, and no division by nothing."""
    bloat = Bloat(
        stored_bytes=0, visible_bytes=0, groups=(), maybe=(), duplicates=(), dive_efficiency=1
    )
    listing = list_waste(bloat)
    assert (len(listing), listing.summary) == (0, "0 B of 0 B could go (0.0%)")
    assert list_duplicates(()).summary == ""


def test_duplicates_have_their_paths_below_them() -> None:
    """What all copies but one take, how many there are, and what each takes."""
    listing = list_duplicates([Duplicate(digest="sha256:1", size=5000, paths=("x/a", "y/b", "c"))])
    assert listing.summary == "10.0 kB in vain"
    assert lines(listing) == ["10.0 kB | 3 | 5.0 kB | a", "/x/a", "/y/b", "/c"]


def table(**sizes: int) -> FileTable:
    """Return files of one layer; one whose name begins with ``gone`` was removed."""
    paths = ["d", *sizes]
    return FileTable(
        paths=paths,
        kinds=[int(EntryKind.DIR), *[int(EntryKind.FILE)] * len(sizes)],
        sizes=[0, *sizes.values()],
        layers=[0] * len(paths),
        changes=[Change.REMOVED if p.startswith("gone") else Change.ADDED for p in paths],
        trusts=[Trust.VERIFIED] * len(paths),
        label_ids=[0] * len(paths),
        labels=(Label(kind=OriginKind.BASE),),
    )


def test_packages_weigh_what_their_files_do() -> None:
    """The largest first, nobody's files last; removed files weigh nothing."""
    small = Package(
        kind=PackageKind.DPKG,
        name="small",
        version="1",
        versions=(PackageVersion(layer=3, version="1"),),
    )
    large = Package(kind=PackageKind.NPM, name="large", version="")
    owners = {"a": 0, "b": 1, "c": 1, "gone": 0}
    listing = list_packages(
        table(a=10, b=20, c=90, gone=5, e=500), PackageTable(packages=(small, large), owners=owners)
    )
    assert listing.summary == "2 packages"
    assert lines(listing) == [
        "110 B | 2 | npm | large",
        "10 B | 1 | dpkg | L4 | small 1",
        "500 B | 1 | of no package",
    ]
    listing.toggle(0)
    assert lines(listing)[1:3] == ["90 B | L1 | /c", "20 B | L1 | /b"]
    assert list_packages(table(), PackageTable()).summary == "no package database found"


def share(name: str, shipped: int, size: int | None, *, files: int = 1) -> ShareRow:
    """Return what ships of a stage."""
    return ShareRow(
        kind="stage",
        name=name,
        stage_index=0,
        base="node:20",
        steps=2,
        size=size,
        shipped_bytes=shipped,
        shipped_files=files,
        trust=Trust.VERIFIED,
        carried_by=(Carrier(layer=2, line=3, instruction="COPY"),),
    )


def test_the_flow_joins_what_ships_and_tells_what_does_not() -> None:
    """Bars are as long as each one's part; a stage that ships nothing has a line of its own."""
    rows = [share("a", 75, 100_000), share("b", 25, 25), share("c", 0, 9, files=0)]
    listing = list_flow(rows)
    assert [listing.row(line).fields[-1].bar for line in range(2)] == [0.75, 0.25]
    assert lines(listing) == [
        "a | node:20 | 100.0 kB | 75 B | ┬──► 100 B",
        "b | node:20 | 25 B | 25 B | ┘         ",
        "99.9 kB of a stay behind (99.9%)",
        "nothing of c (9 B) ships",
    ]
    assert listing.row(0).layer == 2


def test_the_flow_of_one_source_and_of_none() -> None:
    """One line needs no corner."""
    assert lines(list_flow([share("a", 5, None)])) == ["a | node:20 | 5 B | ───► 5 B"]
    assert len(list_flow([])) == 0
