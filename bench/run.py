"""Measure layertrace beside dive, on the same archives, in turns.

    python bench/run.py [--archive FILE ...] [--repeat N] [--quick] [--strict]

Every figure is of a whole process, as a user starts it: wall time, processor time and peak
memory, the archive in the page cache. Without ``--archive`` the regular and the multi-stage
build of ``sample_images/node-app`` are built, for which a Docker engine must answer, and the
first is packed with skopeo, where that is installed, as a registry would hand it out. The
limits are for the first archive. Results go to ``build/bench/``, as JSON and as Markdown.
"""

from __future__ import annotations

import argparse
import compileall
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

from measure import BenchError, Run, measure, summarize, warm
from table import Measured, Result, as_markdown, write_json

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
    archives = list(args.archive)
    if not archives:
        folder = args.out / "images"
        archives = _sample_archives(folder)
        archives += [] if args.quick else _packed(archives[0], folder)
    dive = shutil.which("dive", path=str(SCRIPTS)) or shutil.which("dive")
    if dive is None:
        raise BenchError("dive is not installed: make bench installs it")
    repeat = args.repeat or (_QUICK_REPEAT if args.quick else _REPEAT)
    measured = []
    for archive in archives:
        print(f"measuring {archive.name} …", file=sys.stderr, flush=True)
        warm(str(archive))
        measured.append(_measure(archive, dive, repeat=repeat))
    return Result(measured=tuple(measured), tui=_measure_tui(archives[0]))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """One command, and what is done before it, outside of the measured time."""

    argv: tuple[str, ...]
    env: Mapping[str, str]
    codes: frozenset[int] = _DONE
    prepare: Callable[[], None] = lambda: None


def _measure(archive: Path, dive: str, *, repeat: int) -> Measured:
    with (
        tempfile.TemporaryDirectory(prefix="layertrace-bench-") as folder,
        tempfile.TemporaryFile() as log,
    ):
        cases = _cases(archive, dive, Path(folder))
        # One run of each before the clock counts: the files of both programs,
        # and the cache that "cached" reads.
        for case in cases.values():
            _run(case, log)
        runs: dict[str, list[Run]] = {name: [] for name in cases}
        # In turns, so that whatever else the machine does hits all alike.
        for _ in range(repeat):
            for name, case in cases.items():
                runs[name].append(_run(case, log))
    return Measured(
        archive=archive.name,
        bytes=archive.stat().st_size,
        summaries={name: summarize(each) for name, each in runs.items()},
    )


def _run(case: _Case, log: IO[bytes]) -> Run:
    case.prepare()
    return measure(case.argv, env=case.env, log=log, codes=case.codes)


def _cases(archive: Path, dive: str, folder: Path) -> dict[str, _Case]:
    # As pip does where it installs anything but a working copy.
    compileall.compile_dir(str(ROOT / "layertrace"), quiet=1)
    layertrace = (str(SCRIPTS / "layertrace"),)
    cold, kept = folder / "cold", folder / "kept"
    clean = {name: value for name, value in os.environ.items() if name != CACHE_VARIABLE}

    def empty() -> None:
        shutil.rmtree(cold, ignore_errors=True)

    def case(cache: Path, *words: str, prepare: Callable[[], None] = lambda: None) -> _Case:
        env = {**clean, CACHE_VARIABLE: str(cache)}
        return _Case(argv=(*layertrace, *words), env=env, prepare=prepare)

    cases = {
        "layers, cold": case(cold, "layers", str(archive), prepare=empty),
        "layers, cached": case(kept, "layers", str(archive)),
        "files --json, cold": case(cold, "files", str(archive), "--json", prepare=empty),
        "files --json, cached": case(kept, "files", str(archive), "--json"),
    }
    if not _is_oci_archive(archive):
        argv = (dive, "--source", "docker-archive", str(archive))
        cases = {"dive": _Case(argv=argv, env={**clean, "CI": "true"}, codes=_DIVE_DONE), **cases}
    return cases


def _is_oci_archive(archive: Path) -> bool:
    """Say whether dive cannot read it: it knows only what ``docker save`` writes."""
    return archive.name.endswith("-oci.tar")


def _sample_archives(folder: Path) -> list[Path]:
    """Build the two node images, unless they are there from the last time."""
    archives = [folder / "regular.tar", folder / "multistage.tar"]
    if not all(archive.exists() for archive in archives):
        script = ROOT / "sample_images" / "build.py"
        argv = [sys.executable, str(script), "node", "--out", str(folder)]
        done = subprocess.run(  # noqa: S603 - a script of the project
            [*argv, "--builder", "classic", "--reuse"], check=False
        )
        if done.returncode:
            raise BenchError("no archive to measure: start a Docker engine, or give --archive FILE")
    return archives


def _packed(archive: Path, folder: Path) -> list[Path]:
    """Return the image as a gzip OCI archive, where skopeo is at hand to make one."""
    if shutil.which("skopeo") is None:
        return []
    packed = folder / f"{archive.stem}-oci.tar"
    if not packed.exists():
        print(f"packing {packed.name} …", file=sys.stderr, flush=True)
        argv = ["skopeo", "--insecure-policy", "copy", "--quiet"]
        what = [f"docker-archive:{archive}", f"oci-archive:{packed}"]
        subprocess.run([*argv, *what], check=True)  # noqa: S603
    return [packed]


def _measure_tui(archive: Path) -> Mapping[str, float]:
    from tui import measure_tui  # noqa: PLC0415 - it needs a terminal's other end: not Windows

    with tempfile.TemporaryDirectory(prefix="layertrace-bench-") as folder:
        env = {**os.environ, CACHE_VARIABLE: folder}
        print(f"measuring the terminal view of {archive.name} …", file=sys.stderr, flush=True)
        return measure_tui((str(SCRIPTS / "layertrace"), str(archive)), env=env)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--archive", type=Path, action="append", default=[], metavar="FILE")
    add("--repeat", type=int, metavar="N", help=f"runs of each; default {_REPEAT}")
    add("--quick", action="store_true", help=f"{_QUICK_REPEAT} runs, nothing packed")
    add("--strict", action="store_true", help="exit 1 if a limit is missed")
    add("--out", type=Path, metavar="DIR", default=OUT)
    return parser


if __name__ == "__main__":
    sys.exit(main())
