"""Measure layertrace beside dive and syft, on the same archives, in turns.

    python bench/run.py [--archive FILE ...] [--base FILE] [--trace FILE --final FILE]
                        [--repeat N] [--quick] [--strict]

Every figure is of a whole process, as a user starts it: wall time, processor time and peak
memory, the archive in the page cache. Without ``--archive`` the regular and the multi-stage
build of ``sample_images/node-app`` are built, for which a Docker engine must answer, and the
first is packed with skopeo, where that is installed, as a registry would hand it out; the
base image and a trace archive of the second are saved too. With ``--base`` the first archive
is the regular build and ``--base`` its base image: all its files are traced with Dockerfile,
context and base as well. ``--trace`` is a trace archive, measured against dive on ``--final``,
its final image alone. Unless ``--quick`` or ``--archive`` is given, archives that
:mod:`synthetic` writes are measured too, one at a time in a folder of their own, and syft on the
first. Results go to ``build/bench/``, as JSON and as Markdown.
"""

from __future__ import annotations

import argparse
import compileall
import os
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

from measure import BenchError, Run, measure, summarize, warm
from samples import APP, Inputs, find_inputs
from synthetic import SHAPES, synthetic
from table import SYFT, TRACED, UNPACKING, Measured, Result, as_markdown, write_json

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

ROOT: Final = Path(__file__).resolve().parents[1]
OUT: Final = ROOT / "build" / "bench"
SCRIPTS: Final = Path(sys.executable).parent
CACHE_VARIABLE: Final = "LAYERTRACE_CACHE_DIR"
_REPEAT: Final = 5
_QUICK_REPEAT: Final = 3
_DONE: Final = frozenset({0})
_DIVE_DONE: Final = frozenset({0, 1})
"""1: its own rules on waste failed, which is no matter here."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; 0 is done, 1 could not or (``--strict``) missed a limit."""
    args = _parser().parse_args(argv)
    try:
        result = _measure_all(args)
    except (BenchError, OSError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    args.out.mkdir(parents=True, exist_ok=True)
    text = as_markdown(result)
    (args.out / "result.md").write_text(text, encoding="utf-8")
    write_json(result, args.out / "result.json")
    print(text)
    return 1 if args.strict and not result.holds else 0


def _measure_all(args: argparse.Namespace) -> Result:
    inputs = Inputs(
        archives=tuple(args.archive), base=args.base, trace=args.trace, final=args.final
    )
    shapes = args.synthetic or ([] if args.quick or inputs.archives else list(SHAPES))
    if not inputs.archives:
        inputs = find_inputs(args.out / "images", quick=args.quick)
    dive = shutil.which("dive", path=str(SCRIPTS)) or shutil.which("dive")
    if dive is None:
        raise BenchError("dive is not installed: make bench installs it")
    # First: a view that never comes up is known before all else has run.
    tui = _measure_tui(inputs.archives[0], dive)
    repeat = args.repeat or (_QUICK_REPEAT if args.quick else _REPEAT)
    measured = [
        _measure(
            archive,
            dive,
            repeat=repeat,
            base=inputs.base if number == 0 else None,
            syft=inputs.archives[0] if shapes and number else None,
        )
        for number, archive in enumerate(inputs.archives)
    ]
    with tempfile.TemporaryDirectory(prefix="layertrace-bench-", dir=args.scratch) as folder:
        for shape in shapes:
            print(f"writing {shape} …", file=sys.stderr, flush=True)
            with synthetic(shape, Path(folder)) as archive:
                measured.append(_measure(archive, dive, repeat=repeat, layers_alone=True))
    traced = None
    if inputs.trace is not None and inputs.final is not None:
        traced = _measure(inputs.trace, dive, repeat=repeat, final=inputs.final)
    return Result(measured=tuple(measured), traced=traced, tui=tui)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """One command, and what is done before it, outside of the measured time."""

    argv: tuple[str, ...]
    env: Mapping[str, str]
    codes: frozenset[int] = _DONE
    once: bool = False
    """It takes so long that one run has to do."""
    prepare: Callable[[], None] = lambda: None


def _measure(  # noqa: PLR0913 - what there is besides the archive
    archive: Path,
    dive: str,
    *,
    repeat: int,
    base: Path | None = None,
    final: Path | None = None,
    syft: Path | None = None,
    layers_alone: bool = False,
) -> Measured:
    print(f"measuring {archive.name} …", file=sys.stderr, flush=True)
    for path in filter(None, (archive, base, final)):
        warm(str(path))
    with (
        tempfile.TemporaryDirectory(prefix="layertrace-bench-") as folder,
        tempfile.TemporaryFile() as log,
    ):
        cases = _cases(archive, Path(folder), base=base, traced=final is not None)
        if layers_alone:
            cases = {name: case for name, case in cases.items() if name.startswith("layers")}
        # dive cannot read what is not as ``docker save`` writes it.
        is_oci = _is_oci_archive(archive)
        peers = _peers(archive, syft) if is_oci else {"dive": _dive(dive, final or archive)}
        runs = _run_in_turns(peers | cases, repeat, log)
    return Measured(
        archive=archive.name,
        bytes=archive.stat().st_size,
        summaries={name: summarize(each) for name, each in runs.items()},
    )


def _run_in_turns(
    cases: Mapping[str, _Case], repeat: int, log: IO[bytes]
) -> Mapping[str, Sequence[Run]]:
    """Run each so often; one after the other, so that what else the machine does hits all alike."""
    runs: dict[str, list[Run]] = {name: [] for name in cases}
    # One run of each before the clock counts: the files of all programs, and the
    # cache that "cached" reads.
    for turn in range(repeat + 1):
        for name, case in cases.items():
            if turn == 1 or not case.once:
                runs[name].append(_run(case, log))
    return {name: each if cases[name].once else each[1:] for name, each in runs.items()}


def _run(case: _Case, log: IO[bytes]) -> Run:
    case.prepare()
    return measure(case.argv, env=case.env, log=log, codes=case.codes)


def _cases(archive: Path, folder: Path, *, base: Path | None, traced: bool) -> dict[str, _Case]:
    # As pip does where it installs anything but a working copy.
    compileall.compile_dir(str(ROOT / "layertrace"), quiet=1)
    cold, kept = folder / "cold", folder / "kept"

    def empty() -> None:
        shutil.rmtree(cold, ignore_errors=True)

    def twice(name: str, *words: str) -> dict[str, _Case]:
        argv = (str(SCRIPTS / "layertrace"), *words)
        return {
            f"{name}, cold": _Case(argv=argv, env=_environment(cold), prepare=empty),
            f"{name}, cached": _Case(argv=argv, env=_environment(kept)),
        }

    if traced:
        return twice("files --json", "files", str(archive), "--json")
    cases = twice("layers", "layers", str(archive))
    cases |= twice("files --json", "files", str(archive), "--json")
    if not _is_oci_archive(archive):
        cases |= twice("bloat", "bloat", str(archive))
        cases |= twice("files --digests", "files", str(archive), "--digests", "-0")
    if base is not None:
        told = ("-f", str(APP / "Dockerfile.regular"), "--context", str(APP / "app"))
        words = ("files", str(archive), *told, "--base", str(base), "--json")
        cases |= twice(TRACED, *words)
    return cases


def _dive(program: str, archive: Path) -> _Case:
    argv = (program, "--source", "docker-archive", str(archive))
    return _Case(argv=argv, env={**_environment(None), "CI": "true"}, codes=_DIVE_DONE)


def _peers(archive: Path, syft: Path | None) -> dict[str, _Case]:
    """Return what an OCI archive is compared with: dive cannot read it."""
    peers: dict[str, _Case] = {}
    if "zstd" not in archive.name:
        unpack = (sys.executable, str(ROOT / "bench" / "unpack.py"), str(archive))
        peers[UNPACKING] = _Case(argv=unpack, env=_environment(None))
    program = shutil.which("syft", path=str(SCRIPTS)) or shutil.which("syft")
    if syft is not None and program is not None:
        argv = (program, "scan", f"docker-archive:{syft}", "--quiet", "--output", "json")
        env = {**_environment(None), "SYFT_CHECK_FOR_APP_UPDATE": "false"}
        peers[SYFT] = _Case(argv=argv, env=env, once=True)
    return peers


def _environment(cache: Path | None) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if name != CACHE_VARIABLE}
    return clean if cache is None else {**clean, CACHE_VARIABLE: str(cache)}


def _is_oci_archive(archive: Path) -> bool:
    """Say whether dive cannot read it: it knows only what ``docker save`` writes."""
    return archive.name.endswith("-oci.tar")


def _measure_tui(archive: Path, dive: str) -> Mapping[str, float]:
    from tui import measure_dive, measure_tui  # noqa: PLC0415 - it needs a terminal's other end: not Windows

    warm(str(archive))
    with tempfile.TemporaryDirectory(prefix="layertrace-bench-") as folder:
        env = {**os.environ, CACHE_VARIABLE: folder}
        print(f"measuring the terminal view of {archive.name} …", file=sys.stderr, flush=True)
        found = measure_tui((str(SCRIPTS / "layertrace"), str(archive)), env=env)
        argv = (dive, "--source", "docker-archive", str(archive))
        return {**found, "dive's first screen": measure_dive(argv, env=env)}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--archive", type=Path, action="append", default=[], metavar="FILE")
    add("--base", type=Path, metavar="FILE", help="the base image of the first archive")
    add("--trace", type=Path, metavar="FILE", help="a trace archive")
    add("--final", type=Path, metavar="FILE", help="the final image of it alone")
    add("--repeat", type=int, metavar="N", help=f"runs of each; default {_REPEAT}")
    add("--quick", action="store_true", help=f"{_QUICK_REPEAT} runs, nothing packed")
    add(
        *("--synthetic", "-s"),
        choices=SHAPES,
        action="append",
        default=[],
        help="measure this one; default: all, unless --quick or --archive is given",
    )
    add("--scratch", type=Path, metavar="DIR", help="where those are written; default: TMPDIR")
    add("--strict", action="store_true", help="exit 1 if a limit is missed")
    add("--out", type=Path, metavar="DIR", default=OUT)
    return parser


if __name__ == "__main__":
    sys.exit(main())
