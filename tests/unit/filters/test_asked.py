"""Terms that ask for more than the table holds: what they ask, of which rows, and what matches."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from layertrace.filters.facts import Cost
from layertrace.filters.language import FilterError, parse_filter
from layertrace.model.entry import EntryKind
from layertrace.model.files import FileTable, Label
from layertrace.model.origin import Change, OriginKind, Trust
from layertrace.model.packages import Package, PackageKind, PackageTable

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from layertrace.filters.facts import Rows

FILE, DIR, LINK, HARD = EntryKind.FILE, EntryKind.DIR, EntryKind.SYMLINK, EntryKind.HARDLINK
ROWS = [
    # path, kind, change, mode, owner, instruction, digest, form
    ("app", DIR, Change.ADDED, -1, (-1, -1), "", None, None),
    ("app/run.sh", FILE, Change.ADDED, 0o755, (1000, 1000), "copy", "ab12", "script"),
    ("app/old.zip", FILE, Change.REMOVED, 0o644, (0, 0), "run", "ab99", "zip"),
    ("tmp", DIR, Change.ADDED, 0o1777, (0, 0), "from", None, None),
    ("usr/bin/su", FILE, Change.ADDED, 0o4755, (0, 0), "from", "cd00", "elf"),
    ("usr/bin/sudo", HARD, Change.ADDED, 0o4755, (0, 0), "from", "cd00", "elf"),
    ("usr/bin/wall", FILE, Change.ADDED, 0o2755, (0, 5), "from", "ef00", "elf"),
    ("usr/bin/x", LINK, Change.ADDED, 0o777, (0, 0), "run", None, None),
]
TABLE = FileTable(
    paths=[row[0] for row in ROWS],
    kinds=bytes(row[1] for row in ROWS),
    sizes=[0] * len(ROWS),
    layers=[0] * len(ROWS),
    changes=[row[2] for row in ROWS],
    trusts=[Trust.UNKNOWN] * len(ROWS),
    label_ids=[0] * len(ROWS),
    labels=(Label(kind=OriginKind.UNKNOWN),),
)
PACKAGES = PackageTable(
    packages=(
        Package(kind=PackageKind.DPKG, name="bsdutils", version="2"),
        Package(kind=PackageKind.NPM, name="@app/Run", version="1", path="app"),
        Package(kind=PackageKind.PIP, name="bsdutils", version="3", path="usr"),
    ),
    owners={"usr/bin/wall": 0, "app/run.sh": 1, "usr/bin/x": 2},
)
RUN, OLD, SU, SUDO, WALL, X = (ROWS[number][0] for number in (1, 2, 4, 5, 6, 7))


class Known:
    """Facts that are written above, and what was asked."""

    def __init__(self) -> None:
        """Begin with no question."""
        self.asked: list[tuple[str, list[str]]] = []

    def modes(self, rows: Rows) -> list[int]:
        """Return the modes."""
        self._note("modes", rows)
        return [ROWS[row][3] for row in rows]

    def owners(self, rows: Rows) -> list[tuple[int, int]]:
        """Return the owners."""
        self._note("owners", rows)
        return [ROWS[row][4] for row in rows]

    def instructions(self, rows: Rows) -> list[str]:
        """Return the instructions."""
        self._note("instructions", rows)
        return [ROWS[row][5] for row in rows]

    def packages(self) -> PackageTable:
        """Return the packages."""
        return PACKAGES

    def digests(self, rows: Rows) -> Mapping[int, str]:
        """Return the digests of files."""
        self._note("digests", rows)
        return {row: f"sha256:{ROWS[row][6]}" for row in rows if ROWS[row][6]}

    def forms(self, rows: Rows) -> Mapping[int, str]:
        """Return the forms of files."""
        self._note("forms", rows)
        return {row: form for row in rows if (form := ROWS[row][7])}

    def duplicates(self) -> Collection[int]:
        """Return two rows."""
        return {4, 6}

    def wasted(self) -> Collection[int]:
        """Return one row."""
        return {2}

    def _note(self, question: str, rows: Rows) -> None:
        self.asked.append((question, [ROWS[row][0] for row in rows]))


def matching(text: str) -> list[str]:
    """Return the paths that ``text`` chooses."""
    return [TABLE.paths[row] for row in parse_filter(text).rows(TABLE, Known())]


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        pytest.param("via:copy", [RUN], id="instruction"),
        pytest.param("via:FROM type:file", [SU, WALL], id="base image"),
        pytest.param("mode:setuid", [SU, SUDO], id="setuid"),
        pytest.param("mode:setgid", [WALL], id="setgid"),
        pytest.param("mode:sticky", ["tmp"], id="sticky"),
        pytest.param("mode:world-writable", ["tmp"], id="world-writable, links apart"),
        pytest.param("mode:0755", [RUN], id="exact mode"),
        pytest.param("mode:4755", [SU, SUDO], id="exact mode with bits"),
        pytest.param("mode:777", [], id="a link has none"),
        pytest.param("owner:1000", [RUN], id="uid"),
        pytest.param("owner:0:5", [WALL], id="uid and gid"),
        pytest.param("owner:1000:0", [], id="another gid"),
        pytest.param("!owner:0", ["app", RUN], id="not root's"),
        pytest.param("pkg:bsdutils", [WALL, X], id="package of any kind"),
        pytest.param("pkg:dpkg/bsdutils", [WALL], id="package of a kind"),
        pytest.param("pkg:BSD*", [WALL, X], id="package by glob"),
        pytest.param("pkg:npm", [RUN], id="all packages of a kind"),
        pytest.param("pkg:rpm", [], id="no package of a kind"),
        pytest.param("pkg:@app/run", [RUN], id="scope is no kind"),
        pytest.param("pkg:npm/@app/run", [RUN], id="kind and scope"),
        pytest.param("pkg:none", [SU, SUDO], id="nobody's, directories and removed apart"),
        pytest.param("digest:ab", [RUN, OLD], id="digest"),
        pytest.param("digest:sha256:AB12", [RUN], id="digest in full spelling"),
        pytest.param("type:elf", [SU, SUDO, WALL], id="ELF, by any name"),
        pytest.param("type:script | type:zip", [RUN, OLD], id="script or zip"),
        pytest.param("dup:yes", [SU, WALL], id="duplicates"),
        pytest.param("dup:no type:file", [RUN, OLD], id="no duplicates"),
        pytest.param("wasted:yes", [OLD], id="wasted"),
        pytest.param("!wasted:yes owner:0:5 | wasted:yes", [OLD, WALL], id="among others"),
    ],
)
def test_term_matches_by_facts(text: str, paths: list[str]) -> None:
    """Each asks its own question."""
    assert matching(text) == paths


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        pytest.param("digest:cd su owner:0", [("owners", [SU, SUDO]), ("digests", [SU, SUDO])],
                     id="dear terms last"),
        pytest.param("digest:cd type:dir", [("digests", [])], id="of files only"),
        pytest.param("!type:elf app", [("forms", [RUN, OLD])], id="of what is left"),
    ],
)  # fmt: skip
def test_dear_question_is_asked_of_the_rows_that_are_left(
    text: str, asked: list[tuple[str, list[str]]]
) -> None:
    """Contents are not read for what a cheaper term has ruled out, whatever the order."""
    facts = Known()
    parse_filter(text).rows(TABLE, facts)
    assert facts.asked == asked


@pytest.mark.parametrize(
    ("text", "cost"),
    [
        pytest.param("", Cost.TABLE, id="everything"),
        pytest.param("a type:file | stage:x", Cost.TABLE, id="table"),
        pytest.param("a mode:setuid | b", Cost.ENTRIES, id="headers"),
        pytest.param("wasted:yes pkg:none", Cost.DATABASES, id="databases"),
        pytest.param("pkg:none | !dup:yes", Cost.CONTENTS, id="contents"),
    ],
)
def test_filter_costs_what_its_dearest_term_does(text: str, cost: Cost) -> None:
    """A view decides by it whether to wait."""
    assert parse_filter(text).cost is cost


def test_term_without_its_facts_says_so() -> None:
    """Where only a table is at hand, what cannot be asked is an error at its place."""
    with pytest.raises(FilterError, match="mode: asks for more of the image") as caught:
        parse_filter("x !mode:setuid").rows(TABLE)
    assert caught.value.column == 3
    assert caught.value.text == "x !mode:setuid"
