"""The filter language: what matches, and what is said of what cannot be read."""

from __future__ import annotations

import pickle
import time
from typing import TYPE_CHECKING

import pytest

from layertrace.errors import UsageError
from layertrace.filters.language import HELP, Filter, FilterError, parse_filter
from layertrace.model.entry import EntryKind
from layertrace.model.files import FileTable, Label
from layertrace.model.origin import Change, OriginKind, Trust

if TYPE_CHECKING:
    from collections.abc import Sequence

LABELS = (
    Label(kind=OriginKind.BASE, image="node:14-slim"),
    Label(kind=OriginKind.RUN, stage="build", stage_index=0, carried_from="build"),
    Label(kind=OriginKind.RUN, stage="stage-1", stage_index=1),
    Label(kind=OriginKind.CONTEXT),
)
FILE, DIR, LINK = EntryKind.FILE, EntryKind.DIR, EntryKind.SYMLINK
ROWS = [
    # path, kind, size, layer, change, trust, label
    ("app", DIR, 0, -1, Change.ADDED, Trust.VERIFIED, 3),
    ("app/README.md", FILE, 1_000, 3, Change.ADDED, Trust.INFERRED, 3),
    ("app/a b|c.txt", FILE, 0, 3, Change.ADDED, Trust.INFERRED, 3),
    ("app/dist", DIR, 0, 2, Change.ADDED, Trust.VERIFIED, 1),
    ("app/dist/server.js", FILE, 1_500_000, 2, Change.MODIFIED, Trust.VERIFIED, 1),
    ("app/dist/server.js.map", FILE, 2_000_000, 4, Change.REMOVED, Trust.VERIFIED, 1),
    ("bin", LINK, 0, 0, Change.ADDED, Trust.VERIFIED, 0),
    ("dev/null", EntryKind.CHAR, 0, 0, Change.ADDED, Trust.VERIFIED, 0),
    ("dev/sda", EntryKind.BLOCK, 0, 0, Change.ADDED, Trust.VERIFIED, 0),
    ("run/pipe", EntryKind.FIFO, 0, 4, Change.ADDED, Trust.UNKNOWN, 2),
    ("usr/bin/node", FILE, 1_048_576, 0, Change.METADATA, Trust.CONTRADICTED, 0),
    ("usr/bin/nodejs", EntryKind.HARDLINK, 0, 0, Change.ADDED, Trust.VERIFIED, 0),
    ("usr/lib/x86/libz.so", FILE, 10, 0, Change.ADDED, Trust.VERIFIED, 0),
    ("usr/libc6:amd64.list", FILE, 10, 0, Change.ADDED, Trust.VERIFIED, 0),
]


def table_of(rows: Sequence[tuple[str, int, int, int, Change, Trust, int]]) -> FileTable:
    """Return the table with these rows."""
    paths, kinds, sizes, layers, changes, trusts, labels = zip(*rows, strict=True)
    return FileTable(
        paths=paths,
        kinds=kinds,
        sizes=sizes,
        layers=layers,
        changes=changes,
        trusts=trusts,
        label_ids=labels,
        labels=LABELS,
    )


TABLE = table_of(ROWS)
JS, MAP, NODE, README = (
    "app/dist/server.js",
    "app/dist/server.js.map",
    "usr/bin/node",
    "app/README.md",
)


def matching(text: str, table: FileTable = TABLE) -> list[str]:
    """Return the paths that ``text`` chooses."""
    return [table.paths[row] for row in parse_filter(text).rows(table)]


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        pytest.param("readme", [README], id="word in any case"),
        pytest.param("README", [README], id="capitals must match"),
        pytest.param("Readme", [], id="capitals that do not"),
        pytest.param("/app/dist", ["app/dist", JS, MAP], id="word with the root"),
        pytest.param("server .map", [MAP], id="space is and"),
        pytest.param("readme | .map", [README, MAP], id="bar is or"),
        pytest.param("readme|.map", [README, MAP], id="bar needs no spaces"),
        pytest.param("server | server.js", [JS, MAP], id="a row once"),
        pytest.param("server !map", [JS], id="! is not"),
        pytest.param("server -map", [JS], id="leading - is not"),
        pytest.param("server !!map", [MAP], id="twice not"),
        pytest.param("server !*.map", [JS], id="not a glob"),
        pytest.param('"a b|c"', ["app/a b|c.txt"], id="double quotes"),
        pytest.param("'a b'", ["app/a b|c.txt"], id="single quotes"),
        pytest.param("!\"a\" stage:stage-1 'pipe'", ["run/pipe"], id="not before quotes"),
        pytest.param('"*.js"', [], id="quoted star is a star"),
        pytest.param('a" b"', ["app/a b|c.txt"], id="quotes within a word"),
        pytest.param("libc6:amd64", ["usr/libc6:amd64.list"], id="a colon that is no key's"),
        pytest.param('"type:dir"', [], id="quoted key is a word"),
        pytest.param("*.js", [JS], id="glob on the name"),
        pytest.param("*.MD", [], id="glob with capitals"),
        pytest.param("*.md", [README], id="glob in any case"),
        pytest.param("server.*", [JS, MAP], id="glob at the end"),
        pytest.param("se**r.js", [JS], id="two stars in a name are one"),
        pytest.param("/usr/**/*.so", ["usr/lib/x86/libz.so"], id="folders between"),
        pytest.param("/**/usr/bin/node", [NODE], id="no folders between"),
        pytest.param("/usr/*.so", [], id="star stops at a slash"),
        pytest.param("/usr/bin/*", [NODE, "usr/bin/nodejs"], id="one folder"),
        pytest.param("/app/dist/**", [JS, MAP], id="all below"),
        pytest.param("dist/*.js", [JS], id="glob below any folder"),
        pytest.param("nod?", [NODE], id="question mark"),
        pytest.param("*", [row[0] for row in ROWS], id="star alone"),
        pytest.param("*.[jt]s", [JS], id="one of some"),
        pytest.param("*.[!t]s", [JS], id="none of some"),
        pytest.param("*.[a-k]s", [JS], id="a range"),
        pytest.param("*[", [], id="a bracket alone"),
        pytest.param("re:^/app/.*\\.map$", [MAP], id="regular expression"),
        pytest.param("re:map$|md$", [README, MAP], id="bar inside a regular expression"),
        pytest.param("!re:a|b|n", [], id="not before one"),
        pytest.param('re:"a b"', ["app/a b|c.txt"], id="quotes inside one"),
        pytest.param("re:[[]", [], id="set that Python warns of"),
        pytest.param("stage:build", ["app/dist", JS, MAP], id="stage by name"),
        pytest.param("stage:Build", ["app/dist", JS, MAP], id="stage in any case"),
        pytest.param("stage:1", ["run/pipe"], id="stage by number"),
        pytest.param('stage:"stage-1"', ["run/pipe"], id="stage quoted"),
        pytest.param("layer:3", ["app/dist", JS], id="L3 is index 2"),
        pytest.param("layer:L3", ["app/dist", JS], id="layer as shown"),
        pytest.param("layer:4..5 type:file", [README, "app/a b|c.txt", MAP], id="layers from to"),
        pytest.param("layer:5..", [MAP, "run/pipe"], id="layers from"),
        pytest.param("layer:..1 type:link", ["bin", "usr/bin/nodejs"], id="layers up to"),
        pytest.param("origin:context size:>0", [README], id="origin"),
        pytest.param("origin:made stage:stage-1", ["run/pipe"], id="origin by its shown word"),
        pytest.param("origin:RUN stage:1", ["run/pipe"], id="origin in capitals"),
        pytest.param("trust:unknown", ["run/pipe"], id="trust"),
        pytest.param("trust:contradicted", [NODE], id="trust contradicted"),
        pytest.param("mark:~", [JS], id="modified"),
        pytest.param("mark:m", [NODE], id="metadata"),
        pytest.param("mark:-", [MAP], id="removed"),
        pytest.param("mark:~m-", [JS, MAP, NODE], id="several marks"),
        pytest.param("mark:+ readme", [README], id="added"),
        pytest.param("size:>1.5MB", [MAP], id="size above"),
        pytest.param("size:>=1.5mb", [JS, MAP], id="size at least"),
        pytest.param("size:1MiB", [NODE], id="size"),
        pytest.param("size:=1k", [README], id="size equal"),
        pytest.param("size:<1kB !lib", ["app/a b|c.txt"], id="size below: files alone"),
        pytest.param("size:<=0", ["app/a b|c.txt"], id="size at most"),
        pytest.param("size:>.001GB", [JS, MAP, NODE], id="size in parts"),
        pytest.param("type:dir", ["app", "app/dist"], id="directories"),
        pytest.param("type:symlink", ["bin"], id="symlinks"),
        pytest.param("type:hardlink", ["usr/bin/nodejs"], id="hard links"),
        pytest.param("type:LINK", ["bin", "usr/bin/nodejs"], id="both links"),
        pytest.param("type:char|type:block", ["dev/null", "dev/sda"], id="devices"),
        pytest.param("type:fifo", ["run/pipe"], id="fifos"),
        pytest.param("TYPE:file node", [NODE], id="key in capitals"),
    ],
)
def test_filter_chooses_rows_in_order(text: str, paths: list[str]) -> None:
    """Each form of the language, on one table."""
    assert matching(text) == paths


@pytest.mark.parametrize(
    "text", ["", "js", "*.js", "re:^/usr", "type:file !js", "js | layer:1", "!usr", "/usr/**"]
)
def test_rows_found_in_pieces_are_those_found_at_once(text: str) -> None:
    """A table may be looked through piece by piece, so that others have their turn."""
    wanted = parse_filter(text)
    found = [
        row
        for start in range(0, len(TABLE), 4)
        for row in wanted.rows(TABLE, among=range(start, min(start + 4, len(TABLE))))
    ]
    assert found == list(wanted.rows(TABLE))


@pytest.mark.parametrize("text", ["", "   ", "\t"])
def test_empty_filter_chooses_everything(text: str) -> None:
    """Nothing asked, nothing hidden."""
    assert list(parse_filter(text).rows(TABLE)) == list(range(len(ROWS)))


@pytest.mark.parametrize("text", ["a", "*.a", "re:a", "layer:1", "a|b", ""])
def test_empty_table_gives_no_rows(text: str) -> None:
    """An image without files is no special case."""
    empty = FileTable(
        paths=(), kinds=(), sizes=(), layers=(), changes=(), trusts=(), label_ids=(), labels=()
    )
    assert list(parse_filter(text).rows(empty)) == []


def test_names_that_break_lists_are_still_found() -> None:
    """A tar may hold any bytes; the row found is the right one."""
    assert matching('"\0"') == []
    names = ["a\0b", "line\nbreak.js", "\udce9.js", "İ", "END"]
    table = table_of([(name, FILE, 0, 0, Change.ADDED, Trust.VERIFIED, 0) for name in names])
    assert matching("*.js", table) == ["line\nbreak.js", "\udce9.js"]
    assert matching("end", table) == ["END"]
    assert matching("END", table) == ["END"]


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        pytest.param("a stge:build", 2, "there is no stge:, did you mean stage:?", id="typo"),
        pytest.param("http://x", 0, "quote it to look for the text", id="no key at all"),
        pytest.param("stage:", 6, "stage: needs a value", id="no value"),
        pytest.param("stage: build", 6, "stage: needs a value", id="space before the value"),
        pytest.param('a "b', 2, 'this " has no partner', id="double quote"),
        pytest.param("ab'c d", 2, "this ' has no partner", id="single quote"),
        pytest.param('a ""', 2, "nothing between the quotes", id="nothing quoted"),
        pytest.param("a !", 2, "not what?", id="not alone"),
        pytest.param("a - b", 2, "not what?", id="dash alone"),
        pytest.param("| a", 0, "nothing stands before this |", id="bar first"),
        pytest.param("a || b", 3, "nothing stands before this |", id="two bars"),
        pytest.param("a |", 2, "nothing stands after this |", id="bar last"),
        pytest.param("a re:b(c", 6, "not a regular expression: missing \\)", id="expression"),
        pytest.param("re:a{9999999999}", 3, "not a regular expression", id="huge repetition"),
        pytest.param("x[z-a]", 0, "not a glob: x\\[z-a\\]", id="range the wrong way"),
        pytest.param("layer:0", 6, "numbered from 1, as shown: L1", id="layer 0"),
        pytest.param("layer:5..3", 6, "write 3..5", id="layers the wrong way"),
        pytest.param("layer:x", 6, "layer: takes 3, 3..5, 3.. or ..5, not x", id="layer word"),
        pytest.param("layer:..", 6, "layer: takes", id="layer without ends"),
        pytest.param("layer:9999999", 6, "layer: takes", id="layer too large"),
        pytest.param("origin:nowhere", 7, "origin: takes run, context, url", id="origin"),
        pytest.param("trust:high", 6, "trust: takes verified, inferred", id="trust"),
        pytest.param("mark:+x", 6, "mark: takes \\+ ~ m -, not x", id="mark"),
        pytest.param("type:exe", 5, "type: takes file, dir, symlink.*elf, script", id="type"),
        pytest.param("via:volume", 4, "via: takes copy, add, run", id="via"),
        pytest.param("!mode:0888", 6, "mode: takes setuid, .* or octal", id="mode, negated"),
        pytest.param("mode:suid", 5, "mode: takes setuid, .*, not suid", id="mode word"),
        pytest.param("owner:root", 6, "owner: takes numbers", id="owner name"),
        pytest.param("owner:0:", 6, "owner: takes numbers", id="owner without a gid"),
        pytest.param("pkg:npm/", 8, "pkg:npm/ needs a name", id="package"),
        pytest.param("digest:xy", 7, "digest: takes the first hex digits", id="digest"),
        pytest.param("dup:maybe", 4, "dup: takes yes, no, not maybe", id="dup"),
        pytest.param("wasted:1", 7, "wasted: takes yes, no, not 1", id="wasted"),
        pytest.param("size:big", 5, "size: takes a size like >1MB", id="size word"),
        pytest.param("size:>1XB", 7, "there is no unit XB", id="size unit"),
        pytest.param("size:>1.2.3", 5, "size: takes a size", id="size number"),
    ],
)
def test_unreadable_filter_says_where_and_what_to_write(
    text: str, column: int, message: str
) -> None:
    """The column is an index into the text, for a caret."""
    with pytest.raises(FilterError, match=message) as caught:
        parse_filter(text)
    assert (caught.value.column, caught.value.text) == (column, text)


def test_filter_error_draws_its_caret() -> None:
    """Three lines: what, the filter, and the place in it."""
    with pytest.raises(UsageError) as caught:
        parse_filter("a\tlayer:x")
    assert str(caught.value).splitlines()[1:] == ["a layer:x", "        ^"]
    assert caught.value.exit_code == 2
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)  # noqa: S301


def test_filter_error_without_its_text_is_one_line() -> None:
    """There is nothing to point at."""
    assert str(FilterError("no", 3)) == "no"


def test_help_names_every_key_and_how_layers_are_numbered() -> None:
    """What the parser takes is what the help shows."""
    with pytest.raises(FilterError) as caught:
        parse_filter("nothing:like")
    known = caught.value.message.partition("There are ")[2].split(", ")
    assert len(known) > 10
    assert [key for key in known if key not in HELP] == []
    assert "L1 is the lowest" in HELP


def test_filter_keeps_its_text() -> None:
    """A view shows what was typed."""
    assert parse_filter("a | b").text == "a | b"
    assert isinstance(parse_filter("a"), Filter)


@pytest.mark.parametrize("word", ["/f", "f9", "f99", "/f0", "f127", "f1", "F1", "f128"])
def test_few_hits_and_many_hits_are_found_alike(word: str) -> None:
    """How rows are looked up depends on how many there are, what is found does not."""
    names = [f"d/f{number}" for number in range(128)]
    table = table_of([(name, FILE, 0, 0, Change.ADDED, Trust.VERIFIED, 0) for name in names])
    assert matching(word, table) == [name for name in names if word in f"/{name}"]


def test_word_is_looked_for_in_100_000_paths_within_a_keystroke() -> None:
    """50 ms is the budget; twice that here, for a machine under load."""
    rows = [
        (
            f"app/node_modules/package-{n // 40}/lib/File{n}.js",
            FILE,
            n,
            1,
            Change.ADDED,
            Trust.VERIFIED,
            0,
        )
        for n in range(100_000)
    ]
    table = table_of(rows)
    wanted = parse_filter("file99999")
    took = []
    for _ in range(5):
        start = time.perf_counter()
        assert list(wanted.rows(table)) == [99_999]
        took.append(time.perf_counter() - start)
    assert min(took) < 1


def test_names_are_looked_through_by_what_asks_for_nothing_else() -> None:
    """Words, globs and expressions, with all that joins them; not what only a file has."""
    names = ["openssl 3.0", "libssl3", "git"]
    assert list(parse_filter("ssl !lib | re:^/g").among(names)) == [0, 2]
    assert list(parse_filter("*3*").among(names)) == [0, 1]
    assert list(parse_filter("").among(names)) == [0, 1, 2]
    assert list(parse_filter("ssl size:>1B").among(names)) == []
