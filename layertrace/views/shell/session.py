"""One traced image and who asks about it: a line in, lines out, one folder to stand in."""

from __future__ import annotations

import posixpath
import shlex
from difflib import get_close_matches
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Final

from layertrace.analysis.facts import ImageFacts
from layertrace.errors import UsageError
from layertrace.filters.language import parse_filter
from layertrace.model.origin import Change
from layertrace.views.filetree import FileTree, Scope
from layertrace.views.options import layer_number
from layertrace.views.packages import package_line
from layertrace.views.shell import sentences
from layertrace.views.text import plural, show_name
from layertrace.views.treesums import Sums

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from layertrace.pipeline.answers import ImageTrace

PAGE: Final = 20
"""Lines after which a person is asked."""
LARGEST: Final = 100
"""Files that ``largest`` names at most."""
COMMANDS: Final = {
    "ls": ("ls [FOLDER]", "what lies in a folder"),
    "cd": ("cd [FOLDER]", "stand in another folder; without one in the root"),
    "pwd": ("pwd", "say which folder that is"),
    "why": ("why PATH", "where a path came from, hop by hop"),
    "largest": ("largest [FOLDER]", "the largest files of a folder, and of those below it"),
    "find": ("find EXPR", "the paths that a filter chooses: find stage:build *.js"),
    "cat": ("cat PATH [LAYER]", "what a file holds, or held in a layer such as L2"),
    "layers": ("layers", "the layers and the instructions that made them"),
    "stages": ("stages", "what each stage weighs and what of it ships"),
    "waste": ("waste", "what is stored and nobody sees, and what to change"),
    "next": ("next", "more of the last answer"),
    "help": ("help", "these commands"),
    "quit": ("quit", "end; so does the end of the input"),
}
_OTHER_NAMES: Final = {"exit": "quit", "bloat": "waste", "dir": "ls", "?": "help", "n": "next"}


class Session:
    """Answers lines about one image."""

    def __init__(
        self,
        trace: ImageTrace,
        *,
        plain: bool = True,
        width: Callable[[], int | None] = lambda: None,
        page: int | None = None,
    ) -> None:
        """Stand in the root of an image.

        Args:
            trace: the image.
            plain: sentences rather than the tables of the commands.
            width: returns how wide a table may be.
            page: lines of an answer before ``next`` is asked for; None: all.
        """
        self.ended = False
        self.folder = ""
        """Rootfs-relative."""
        self._trace = trace
        self._plain, self._width, self._page = plain, width, page
        self._rest: Iterator[str] = iter(())
        self._facts = ImageFacts(trace)

    def answer(self, line: str) -> Iterator[str]:
        """Yield the lines that answer one line; none for an empty one.

        Raises:
            LayertraceError: it cannot be answered; the session goes on.
        """
        word, _, rest = line.strip().partition(" ")
        if not word or word.startswith("#"):
            return
        name = _OTHER_NAMES.get(word, word)
        if name not in COMMANDS:
            near = get_close_matches(name, COMMANDS, n=1)
            hint = f"did you mean {near[0]}?" if near else "help lists what there is"
            raise UsageError(f"there is no command {word}", hint=hint)
        if name != "next":
            self._rest = iter(self._asked(name, rest.strip()))
        elif (first := next(self._rest, None)) is not None:
            self._rest = _with_first(first, self._rest)
        else:
            # Whoever does not see the screen cannot tell nothing from an answer yet to come.
            self._rest = iter(["There is no more."])
        yield from self._some()

    def _some(self) -> Iterator[str]:
        """Yield the next page of the answer, and say so if that is not all."""
        yield from islice(self._rest, self._page)
        following = next(self._rest, None)
        if following is not None:
            self._rest = _with_first(following, self._rest)
            yield "There is more: next shows it."

    def _asked(self, name: str, rest: str) -> Iterable[str]:
        if name == "find":
            # A filter has quotes of its own.
            return self._find(rest)
        words = _words(rest)
        most = {"ls": 1, "cd": 1, "largest": 1, "why": 1, "cat": 2}.get(name, 0)
        least = 1 if name in {"why", "cat"} else 0
        if not least <= len(words) <= most:
            raise UsageError(f"{name}: {plural(len(words), 'word')}", hint=COMMANDS[name][0])
        ask: Callable[..., Iterable[str]] = getattr(self, f"_{name}")
        return ask(*words)

    # -- where ----------------------------------------------------------------

    @cached_property
    def _tree(self) -> FileTree:
        return FileTree(self._trace.table)

    @cached_property
    def _sums(self) -> Sums:
        base = frozenset(layer.index for layer in self._trace.head.layers if layer.base)
        return Sums(self._tree, Scope(title="", below=base))

    def _path(self, word: str) -> str:
        """Return the path that a word means from here."""
        joined = posixpath.join("/", self.folder, word)
        return posixpath.normpath(joined).lstrip("/")

    def _node(self, path: str) -> int:
        """Return the row of a path, -1 of the root.

        Raises:
            PathNotFoundError: there is none.
        """
        node = self._tree.find(path) if path else -1
        if node is None:
            raise self._trace.missing(path)
        return node

    def _folder_of(self, word: str) -> int:
        """Return the row of the folder that a word means, through links too."""
        path = self._path(word)
        node = self._tree.find(path)
        if node is None or not self._tree.is_dir[node]:
            path = self._trace.follow(path)
        node = self._node(path)
        if node >= 0 and not self._tree.is_dir[node]:
            raise UsageError(f"/{path} is no folder", hint="cat shows what a file holds")
        return node

    def _ls(self, word: str = "") -> Iterator[str]:
        node = self._folder_of(word)
        nodes = list(self._tree.children(node))
        gone = sum(self._tree.table.changes[each] is Change.REMOVED for each in nodes)
        removed = f", {gone:,} of them removed" if gone else ""
        path = self._tree.table.paths[node] if node >= 0 else ""
        yield f"/{show_name(path)} holds {plural(len(nodes), 'entry')}{removed}."
        for each in nodes:
            yield sentences.node_sentence(self._tree, self._sums, each, name=self._tree.name(each))

    def _cd(self, word: str = "/") -> Iterator[str]:
        node = self._folder_of(word)
        self.folder = "" if node < 0 else self._tree.table.paths[node]
        return self._pwd()

    def _pwd(self) -> Iterator[str]:
        yield f"/{show_name(self.folder)}"

    def _largest(self, word: str = "") -> Iterator[str]:
        node = self._folder_of(word)
        sizes = self._tree.table.sizes
        found = self._sums.largest_files(self._tree, node, LARGEST)
        rows = [row for row in found if sizes[row]]
        path = self._tree.table.paths[node] if node >= 0 else ""
        yield f"The largest {plural(len(rows), 'file')} in /{show_name(path)}."
        yield from self._rows(rows)

    # -- what -----------------------------------------------------------------

    def _why(self, word: str) -> Iterable[str]:
        trace = self._trace
        path = trace.resolve(self._path(word))
        record, chain, versions = trace.record(path), trace.chain(path), trace.versions(path)
        package = package_line(self._facts.packages().owner(path))
        if self._plain:
            return sentences.why_sentences(record, chain, versions, package)
        from layertrace.views.report import why_lines  # noqa: PLC0415

        found = (trace.sized_head, record, chain, versions, trace.shares_below(path))
        return why_lines(*found, width=self._width(), package=package)

    def _find(self, expr: str) -> Iterator[str]:
        table = self._trace.table
        if not expr:
            raise UsageError("find: what?", hint=COMMANDS["find"][0])
        rows = parse_filter(expr).rows(table, self._facts)
        yield f"{plural(len(rows), 'path')} of {len(table):,}."
        yield from self._rows(rows)

    def _rows(self, rows: Sequence[int]) -> Iterator[str]:
        table = self._trace.table
        if self._plain:
            for row in rows:
                yield sentences.node_sentence(
                    self._tree, self._sums, row, name=f"/{table.paths[row]}"
                )
            return
        from layertrace.views.report import files_lines  # noqa: PLC0415

        yield from files_lines(table, rows, width=self._width())

    def _cat(self, word: str, layer: str | None = None) -> Iterator[str]:
        from layertrace.analysis.contents.preview import look_into  # noqa: PLC0415
        from layertrace.analysis.contents.versions import find_versions, given_in  # noqa: PLC0415
        from layertrace.views.preview.plain import SHOWN, plain_lines  # noqa: PLC0415

        trace = self._trace
        number = layer_number(layer, len(trace.sized_head.layers))
        path = self._path(word)
        path = trace.locate(path) if number is None else trace.resolve(path)
        stores = find_versions(trace, path)
        number = stores.shipped if number is None else number
        if number not in stores.layers:
            names = " ".join(f"L{each + 1}" for each in stores.layers)
            raise UsageError(f"L{number + 1} does not store /{path}", hint=f"these do: {names}")
        preview = look_into(given_in(trace, path, number), shown=SHOWN)
        return _without_last_blank(plain_lines(preview, path))

    def _layers(self) -> Iterable[str]:
        head = self._trace.sized_head
        if self._plain:
            return sentences.layer_sentences(head)
        from layertrace.views.report import layers_lines  # noqa: PLC0415

        return layers_lines(head, width=self._width())

    def _stages(self) -> Iterable[str]:
        shares = self._trace.shares()
        if self._plain:
            return sentences.stage_sentences(shares)
        from layertrace.views.report import stages_lines  # noqa: PLC0415

        return stages_lines(shares, width=self._width())

    def _waste(self) -> Iterable[str]:
        from layertrace.analysis.waste.bloat import find_bloat  # noqa: PLC0415

        found = find_bloat(self._trace)
        if self._plain:
            return sentences.waste_sentences(found)
        from layertrace.views.bloat.lines import bloat_lines  # noqa: PLC0415
        from layertrace.views.bloat.words import Bounds  # noqa: PLC0415

        bounds = Bounds(rows=None, paths=3)
        return bloat_lines(self._trace.sized_head, found, bounds, width=self._width())

    # -- the prompt itself ------------------------------------------------------

    def _help(self) -> Iterator[str]:
        return (f"{usage}: {meaning}." for usage, meaning in COMMANDS.values())

    def _quit(self) -> Iterator[str]:
        self.ended = True
        return iter(())


def _words(text: str) -> list[str]:
    """Return the words of a line; a blank in a name stands in quotes.

    Raises:
        UsageError: a quote has no partner.
    """
    try:
        return shlex.split(text)
    except ValueError as error:
        raise UsageError(f"cannot be read: {error}", hint="quote a name with blanks") from error


def _with_first(first: str, rest: Iterator[str]) -> Iterator[str]:
    yield first
    yield from rest


def _without_last_blank(lines: Iterator[str]) -> Iterator[str]:
    """Yield lines but for the empty one that stands behind the last newline of a text."""
    before: str | None = None
    for line in lines:
        if before is not None:
            yield before
        before = line
    if before:
        yield before
