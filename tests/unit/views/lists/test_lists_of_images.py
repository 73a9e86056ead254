"""Waste, duplicates, packages and flow as rows."""

from __future__ import annotations

from array import array
from dataclasses import replace
from typing import TYPE_CHECKING

from layertrace.filters.language import parse_filter
from layertrace.model.audit import AuditReport, Level, Match, RuleResult, Status
from layertrace.model.difference import (
    Cause as DiffCause,
)
from layertrace.model.difference import (
    CauseKind,
    Changes,
    Counts,
    Difference,
    DiffKind,
    Maker,
    Part,
    Weight,
    Why,
)
from layertrace.model.entry import EntryKind
from layertrace.model.files import FileTable, Label, ShareRow
from layertrace.model.origin import Change, OriginKind, Trust
from layertrace.model.packages import Package, PackageKind, PackageTable, PackageVersion
from layertrace.model.trace import Carrier
from layertrace.model.waste import Bloat, Cause, Duplicate, Leftover, Step, WastedPath, WasteGroup
from layertrace.views.lists.audit import list_audit
from layertrace.views.lists.difference import list_difference
from layertrace.views.lists.duplicates import list_duplicates
from layertrace.views.lists.flow import list_flow
from layertrace.views.lists.narrowing import narrow
from layertrace.views.lists.packages import list_packages
from layertrace.views.lists.waste import list_waste
from tests.tui.fakes import FakeOpening

if TYPE_CHECKING:
    from layertrace.model.trace import LayerInfo
    from layertrace.views.lists.rows import Listing


def lines(listing: Listing) -> list[str]:
    """Return every row as a line."""
    rows = [listing.row(line) for line in range(len(listing))]
    return [" | ".join(field.text for field in row.fields if field.text) for row in rows]


def step(layer: int, line: int | None) -> Step:
    """Return a step of the final stage."""
    return Step(layer=layer, stage="final", line=line, instruction="RUN x")


def laid(index: int, *, base: bool = False) -> LayerInfo:
    """Return a layer of 1 kB."""
    head = FakeOpening().head
    return replace(head.layers[0], index=index, base=base, size=1000)


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
    assert listing.row(0).note.endswith(" → delete it where it is made")
    assert (listing.row(0).layer, listing.row(3).path) == (2, "b/c")
    whole = "1.0 kB of 4.0 kB could go (25.0%)"
    layers = [laid(0, base=True), laid(1), laid(2)]
    assert list_waste(bloat, layers).summary == f"{whole}; your layers: 1.0 kB (50.0%)"
    assert list_waste(bloat, layers[1:]).summary == whole
    found = narrow(listing, parse_filter("c"), set)
    assert lines(found) == ["1.0 kB | removed later: written L2 :4, removed L3", "300 B | /b/c"]
    assert found.summary == f"1 of 3 paths · {whole}"


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
    assert listing.summary == "10.0 kB in vain, by files of 4 KiB and more"
    assert lines(listing) == ["10.0 kB | 3 | 5.0 kB | a", "/x/a", "/y/b", "/c"]
    assert lines(narrow(listing, parse_filter("*b"), set))[1:] == ["/y/b"]


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
    # By its name, by the files of it, and by what the image alone tells of those.
    assert lines(narrow(listing, parse_filter("small"), set)) == [
        "10 B | 1 | dpkg | L4 | small 1",
        "10 B | L1 | /a",
    ]
    for text in ("*c", "size:>80B", "!b !small !a !e"):
        found = narrow(listing, parse_filter(text), lambda: {"c", "e"})
        assert lines(found)[:2] == ["110 B | 2 | npm | large", "90 B | L1 | /c"]
        assert found.tally.endswith(" of 4 paths")
    listing.toggle(0)
    assert lines(listing)[1:3] == ["90 B | L1 | /c", "20 B | L1 | /b"]
    assert (listing.place_of("b"), listing.place_of("no"), listing.open_at(0, 1)) == (
        (0, 1),
        None,
        2,
    )
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
    assert listing.row(0).note == (
        "75 B in 1 file of the image are from a, which is built on node:20. "
        "L3 carried them: Enter goes to L3"
    )


def test_the_flow_leads_to_what_no_layer_carried_alone() -> None:
    """A stage of the image and the build context, with how much of that is used at all."""
    own = replace(share("last", 9, 9), in_image=True, carried_by=())
    context = replace(
        share("build context", 5, None, files=2),
        kind="context",
        stage_index=None,
        base=None,
        carried_by=(),
    )
    base = list_flow(
        [replace(own, kind="base", in_image=False, carried_by=share("", 1, 1).carried_by)]
    )
    assert (base.row(0).target, base.row(0).layer) == ("base", None)
    assert base.row(0).note.endswith(". L3 carried them. Enter shows them")
    listing = list_flow([own, context], 1920)
    heads = [listing.row(line) for line in range(2)]
    assert [(row.layer, row.target) for row in heads] == [
        (None, "stage:0"),
        (None, "source:context"),
    ]
    assert heads[1].note == "5 B in 2 files of the image are from build context. Enter shows them"
    assert lines(listing)[2] == "2 files of the build context ship, of 1,920 that it has"
    assert lines(list_flow([context]))[1] == "2 files of the build context ship"


def test_the_flow_of_one_source_and_of_none() -> None:
    """One line needs no corner."""
    assert lines(list_flow([share("a", 5, None)])) == ["a | node:20 | 5 B | ───► 5 B"]
    assert len(list_flow([])) == 0


def test_an_audit_has_a_group_for_each_rule() -> None:
    """Those that failed first, with what they found; then those not asked, then the rest."""
    found = Match(
        path="a/b", layer=1, stage="s", line=7, instruction="RUN x", visible=False, detail="setuid"
    )
    bare = Match(
        path=None, layer=None, stage=None, line=None, instruction=None, visible=True, detail="root"
    )

    def rule(name: str, level: Level, status: Status, *matches: Match) -> RuleResult:
        return RuleResult(
            id=name,
            level=level,
            status=status,
            asks=f"{name} holds",
            fix="mend it",
            limit=None,
            value=None,
            matches=matches,
            reason="nothing tells",
        )

    report = AuditReport(
        policy="layertrace.toml",
        dockerfile=None,
        rules=(
            rule("one", Level.ERROR, Status.PASS),
            rule("two", Level.WARNING, Status.FAIL, bare),
            rule("three", Level.ERROR, Status.FAIL, found),
            rule("four", Level.NOTE, Status.SKIPPED),
        ),
    )
    listing = list_audit(report)
    assert listing.summary == "2 of 4 rules failed: may not ship by layertrace.toml"
    assert lines(listing) == [
        "FAIL | three: asks that three holds",
        "L2 | :7 | /a/b  setuid  (removed later, still ships)",
        "WARN | two: asks that two holds",
        "root",
        "skip | four: not asked: nothing tells",
        "pass | one: one holds",
    ]
    assert (listing.row(1).path, listing.row(1).line) == ("a/b", 7)
    assert listing.row(0).note.endswith(" → mend it")
    # A rule is found by its name, whatever it found; what it found, by its path.
    found_rule = narrow(listing, parse_filter("one"), set)
    assert lines(found_rule) == ["pass | one: one holds"]
    assert found_rule.tally == "1 of 4 groups"
    assert lines(narrow(listing, parse_filter("a/b"), set))[0].startswith("FAIL | three")
    assert len(narrow(listing, parse_filter("a/c"), set)) == 0


def test_a_difference_has_a_group_for_each_cause() -> None:
    """With its parts, and its paths, the most bytes first."""
    counts = Counts(bytes_delta=-70, added=1, removed=1)
    cause = DiffCause(
        kind=CauseKind.INSTRUCTION,
        why=Why.ADDED,
        counts=counts,
        new=Maker(instruction="RUN make", line=4, stage="s"),
        parts=(
            Part(sort="sources", name="ms", counts=counts),
            Part(sort="sources", name="same", counts=Counts(bytes_delta=0, metadata=1)),
        ),
    )
    changes = Changes(
        paths=("a", "b"),
        old_rows=array("q", [-1, 0]),
        new_rows=array("q", [0, -1]),
        kinds=bytes([DiffKind.ADDED, DiffKind.REMOVED]),
        attributes=bytes(2),
        bytes_deltas=array("q", [30, -100]),
        causes=array("i", [0, 0]),
    )
    difference = Difference(
        old=Weight(visible=100, stored=100),
        new=Weight(visible=30, stored=30),
        changes=changes,
        causes=(cause,),
        counts=counts,
        total=counts,
    )
    listing = list_difference(difference, "images/old.tar")
    assert listing.summary == "-70 B  +1 -1  against old.tar"
    found = lines(listing)
    assert found[0].startswith("-70 B | added: RUN make (line 4, stage s)")
    assert found[1] == "-70 B | sources, 3 paths: ms -70 B, same"
    assert found[2:] == ["-100 B | - | /b", "+30 B | + | /a"]
    assert [listing.row(line).note for line in (2, 3)] == ["only the older image has it", ""]
    assert listing.row(0).line == 4
    # What only the older image has no table of this one tells of.
    assert lines(narrow(listing, parse_filter("/b"), set))[1:] == ["-100 B | - | /b"]
