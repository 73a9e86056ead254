"""The archives that are measured where none is named: the sample images, built once."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from measure import BenchError

ROOT: Final = Path(__file__).resolve().parents[1]
APP: Final = ROOT / "sample_images" / "node-app"
_BASE: Final = "node:14"
"""What ``Dockerfile.regular`` starts from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """Everything there is to measure on."""

    archives: tuple[Path, ...]
    base: Path | None = None
    """The base image of the first archive, which then is the regular build."""
    trace: Path | None = None
    """A trace archive."""
    final: Path | None = None
    """Its final image alone, which dive reads."""


def find_inputs(folder: Path, *, quick: bool) -> Inputs:
    """Return the samples, built unless they are there from the last time.

    Raises:
        BenchError: no engine answers, or it could not build them.
    """
    regular, multistage = folder / "regular.tar", folder / "multistage.tar"
    if not (regular.exists() and multistage.exists()):
        _python(
            ROOT / "sample_images" / "build.py",
            *("node", "--out", str(folder), "--builder", "classic", "--reuse"),
        )
    base, trace = folder / "node-14.tar", folder / "trace-multistage.tar"
    if not base.exists():
        _export(base, _BASE)
    if not trace.exists():
        told = ("-f", str(APP / "Dockerfile.multistage"), "--builder", "classic")
        _export(trace, "--build", str(APP / "app"), *told, "--network", "host")
    packed = () if quick else _packed(regular, folder)
    return Inputs(archives=(regular, multistage, *packed), base=base, trace=trace, final=multistage)


def _export(target: Path, *words: str) -> None:
    print(f"saving {target.name} …", file=sys.stderr, flush=True)
    _python("-m", "layertrace", "export", *words, "-o", str(target), "--quiet")


def _python(*words: str | Path) -> None:
    done = subprocess.run(  # noqa: S603 - a script of the project
        [sys.executable, *words], check=False, cwd=ROOT
    )
    if done.returncode:
        raise BenchError("no archive to measure: start a Docker engine, or give --archive FILE")


def _packed(archive: Path, folder: Path) -> tuple[Path, ...]:
    """Return the image as a gzip OCI archive, where skopeo is at hand to make one."""
    if shutil.which("skopeo") is None:
        return ()
    packed = folder / f"{archive.stem}-oci.tar"
    if not packed.exists():
        print(f"packing {packed.name} …", file=sys.stderr, flush=True)
        argv = ["skopeo", "--insecure-policy", "copy", "--quiet"]
        what = [f"docker-archive:{archive}", f"oci-archive:{packed}"]
        subprocess.run([*argv, *what], check=True)  # noqa: S603
    return (packed,)
