"""Measure the terminal view on very many files, in a real pseudo-terminal, beside dive.

    python bench/view.py [--entries N] [--archive FILE] [--no-dive] [--strict] [--out DIR]

An archive of so many files in twenty layers is written first. Times are from a key to the first
byte it paints; for a letter of a filter to how many files it leaves, too. Results go to
``build/bench/tui.json``.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import sys
import tempfile
import time
import tracemalloc
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import TYPE_CHECKING, Final

from measure import BenchError, warm
from synthetic import Shape, write
from tui import DIVE_FIRST, FIRST, WALKED, Terminal, started

from layertrace.layers.cache import IndexCache
from layertrace.pipeline.hints import Hints
from layertrace.pipeline.trace import open_image
from layertrace.views.filetree import FileTree
from layertrace.views.outline import build_outline
from layertrace.views.scopes import layer_scope
from layertrace.views.treerows import TreeRows
from layertrace.views.treesums import Sums

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

ROOT: Final = Path(__file__).resolve().parents[1]
SCRIPTS: Final = Path(sys.executable).parent
_DOWN, _UP, _PAGE, _TAB = b"j", b"k", b"\x1b[6~", b"\t"
_UNFOLD, _FOLD, _FILTER = b"*", b"\x00", b"/"
_TYPED: Final = b"01234"
"""What a filter asks for, letter by letter: each leaves fewer files than the one before."""
_COUNT: Final = re.compile(rb"([\d,]+) of [\d,]+")
"""How many files a filter leaves, as it is shown beside it and on the frame."""
_DIVE_DOWN: Final = b"\x1b[B"
_KEYS: Final = (_DOWN,) * 80 + (_PAGE,) * 40 + (_UP,) * 80
_QUIET: Final = 0.1
"""Seconds: longer than the cursor has to rest before other panes follow it."""
_FOLDS: Final = 6
_LAYERS: Final = 20
_FILTERED: Final = 100_000
"""Files up to which a letter of the filter has to be answered at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One thing measured."""

    name: str
    value: float
    unit: str = "ms"
    limit: float | None = None

    @property
    def missed(self) -> bool:
        """Whether it is beyond its limit."""
        return self.limit is not None and self.value > self.limit


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; 0 is done, 1 could not or (``--strict``) missed a limit."""
    args = _parser().parse_args(argv)
    try:
        figures = list(_measure(args))
    except (BenchError, OSError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    args.out.mkdir(parents=True, exist_ok=True)
    document = {"entries": args.entries, "figures": [asdict(figure) for figure in figures]}
    (args.out / "tui.json").write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    print(f"| {args.entries:,} files | is | limit | |\n|---|---:|---:|---|")
    for each in figures:
        limit = "" if each.limit is None else f"{each.limit:g} {each.unit}"
        state = "" if each.limit is None else "MISSED" if each.missed else "holds"
        print(f"| {each.name} | {each.value:,.1f} {each.unit} | {limit} | {state} |")
    return 1 if args.strict and any(figure.missed for figure in figures) else 0


def _measure(args: argparse.Namespace) -> Iterator[Figure]:
    with tempfile.TemporaryDirectory(prefix="layertrace-bench-") as folder:
        archive = args.archive
        if archive is None:
            archive = Path(folder) / "synthetic.tar"
            print(f"writing {args.entries:,} files …", file=sys.stderr, flush=True)
            write(archive, Shape(files=args.entries, layers=_LAYERS))
        warm(str(archive))
        env = {**os.environ, "LAYERTRACE_CACHE_DIR": str(Path(folder) / "cache")}
        argv = (sys.executable, "-m", "layertrace", str(archive))
        print("measuring the terminal view …", file=sys.stderr, flush=True)
        yield from _cold(argv, env)
        yield from _cached(argv, env, entries=args.entries)
        yield _model(archive, Path(folder) / "cache")
        dive = shutil.which("dive", path=str(SCRIPTS)) or shutil.which("dive")
        if dive is not None and not args.no_dive:
            print("measuring dive …", file=sys.stderr, flush=True)
            yield from _dive((dive, "--source", "docker-archive", str(archive)))


def _cold(argv: Sequence[str], env: Mapping[str, str]) -> Iterator[Figure]:
    """Nothing is known yet: the first screen, and keys while the layers are read."""
    with started(argv, env) as terminal:
        yield _ms("first screen, cold", terminal.wait_for(FIRST), limit=1000)
        terminal.type(b"1")
        times: list[float] = []
        while not terminal.shows(WALKED):
            # Progress is painted ten times a second, so some of these are quicker than they are.
            taken = terminal.press((_DOWN, _UP)[len(times) % 2], quiet=0.02)
            times += [] if taken is None else [taken]
        yield _ms("files shown, cold", time.perf_counter() - terminal.started)
        if len(times) > 1:
            yield from _median("key to paint while reading", times, p95=50)


def _cached(argv: Sequence[str], env: Mapping[str, str], *, entries: int) -> Iterator[Figure]:
    with started(argv, env) as terminal:
        yield _ms("first screen, cached", terminal.wait_for(FIRST), limit=600)
        yield _ms("files shown, cached", terminal.wait_for(WALKED))
        terminal.settle()
        folds = [_settled(terminal, (_UNFOLD, _FOLD)[n % 2]) for n in range(_FOLDS)]
        yield _ms("fold or unfold all, slowest", max(folds), limit=150)
        terminal.press(_UNFOLD)
        yield from _keys(terminal, _KEYS)
        terminal.press(_FILTER)
        terminal.settle()
        letters = [_letter(terminal, _TYPED[n : n + 1]) for n in range(len(_TYPED))]
        yield _ms("letter of a filter to its echo, slowest", max(first for first, _ in letters))
        limit = 50 if entries <= _FILTERED else None
        answers = [last for _, last in letters]
        yield _ms("letter of a filter to its answer, median", median(answers), limit=limit)
        yield _ms("letter of a filter to its answer, slowest", max(answers))
        terminal.type(b"\x1b")
        terminal.settle()


def _keys(terminal: Terminal, keys: Sequence[bytes]) -> Iterator[Figure]:
    times, pages = [], []
    for key in keys:
        before = terminal.received
        taken = terminal.press(key, quiet=_QUIET)
        if taken is not None:
            times.append(taken)
        if key == _PAGE:
            pages.append(terminal.received - before)
    if len(times) < len(keys) // 2:
        raise BenchError(f"only {len(times)} of {len(keys)} keys painted anything")
    yield from _median("key to paint", times, middle=5, p95=20)
    yield Figure(name="sent for a page key", value=median(pages) / 1000, unit="kB", limit=20)


def _letter(terminal: Terminal, letter: bytes) -> tuple[float, float]:
    """Return the seconds from a letter of a filter to its echo, and to the files it leaves.

    Raises:
        BenchError: they were not counted.
    """
    start = time.perf_counter()
    terminal.forget()
    terminal.type(letter)
    echo = terminal.next_paint()
    while not _COUNT.search(terminal.seen):
        if not terminal.next_paint():
            raise BenchError(f"nothing was counted for the letter {letter.decode()!r}")
    answer = terminal.last - start
    terminal.settle()
    return echo - start, answer


def _settled(terminal: Terminal, key: bytes) -> float:
    """Return the seconds until the first byte of what a key paints."""
    return terminal.press(key, quiet=0.5) or 0.0


def _model(archive: Path, folder: Path) -> Figure:
    """Return what the view adds, in memory, to what is known of the files."""
    cache = IndexCache(folder)
    opening = open_image(str(archive), Hints(), cache)
    trace = opening.walk()
    scope = layer_scope(trace.head, build_outline(trace.head)[0], upto=False)
    tracemalloc.start()
    tree = FileTree(trace.table)
    rows = TreeRows(tree, Sums(tree, scope))
    rows.unfold_all()
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    opening.close()
    cache.close()
    return Figure(name="view model", value=taken / len(tree), unit="bytes a file", limit=120)


def _dive(argv: Sequence[str]) -> Iterator[Figure]:
    with started(argv, os.environ) as terminal:
        try:
            first = terminal.wait_for(DIVE_FIRST)
        except BenchError:
            print("dive shows nothing for a minute: not measured", file=sys.stderr)
            return
        yield _ms("dive: first screen", first)
        terminal.settle()
        terminal.press(_TAB)
        times = [terminal.press(_DIVE_DOWN, quiet=_QUIET) for _ in range(60)]
        painted = [taken for taken in times if taken is not None]
        if len(painted) > 1:
            yield from _median("dive: key to paint", painted)


def _median(
    name: str, seconds: Sequence[float], *, middle: float | None = None, p95: float | None = None
) -> Iterator[Figure]:
    yield _ms(f"{name}, median", median(seconds), limit=middle)
    yield _ms(f"{name}, 95 of 100", quantiles(seconds, n=20)[-1], limit=p95)


def _ms(name: str, seconds: float, limit: float | None = None) -> Figure:
    return Figure(name=name, value=1000 * seconds, limit=limit)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--entries", type=int, metavar="N", default=1_000_000, help="files of the archive")
    add("--archive", type=Path, metavar="FILE", help="an archive that is there already")
    add("--no-dive", action="store_true", help="the terminal view alone")
    add("--strict", action="store_true", help="exit 1 if a limit is missed")
    add("--out", type=Path, metavar="DIR", default=ROOT / "build" / "bench")
    return parser


if __name__ == "__main__":
    sys.exit(main())
