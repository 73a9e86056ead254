"""The archives beside ``tiny-app``, written by ``layertrace export --build``.

The context is copied and given fixed times first, so that two checkouts, whose files have
the times of their checkout, write the same files.
"""

from __future__ import annotations

import lzma
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tiny_bases import fix_times

if TYPE_CHECKING:
    from docker_cli import Shell

_SAMPLE: Final = Path(__file__).resolve().parent / "tiny-app"
_ARCHIVES: Final = {
    "multistage": ("multistage", "buildkit"),
    "multistage-classic": ("multistage", "classic"),
    "regular": ("regular", "buildkit"),
}
"""By file name: which Dockerfile, which builder."""


def write_archives(shell: Shell, work: Path) -> None:
    """Build the samples and replace the archives that ship.

    Raises:
        BuildError: a build failed.
    """
    folder = work / "tiny-archives"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(_SAMPLE, folder, ignore=shutil.ignore_patterns("*.tar.xz"))
    fix_times(folder)
    paths = [str(_SAMPLE.parent.parent), os.environ.get("PYTHONPATH", "")]
    environment = {"PYTHONPATH": os.pathsep.join(filter(None, paths))}
    for name, (kind, builder) in _ARCHIVES.items():
        plain = folder / f"{name}.tar"
        # In the folder and with relative names: no path of this machine gets in.
        what = ["--build", "app", "--dockerfile", f"Dockerfile.{kind}", "--output", plain.name]
        # A step from the builder's cache keeps the times that the context had then.
        how = ["--builder", builder, "--network", "none", "--no-cache"]
        how += ["--tag", f"tiny-app:{kind}"]
        argv = [sys.executable, "-m", "layertrace", "export", *what, *how]
        shell.run(f"export {name}", argv, cwd=folder, env=environment)
        target = _SAMPLE / f"{name}.tar.xz"
        with plain.open("rb") as source, lzma.open(target, "wb", preset=9) as packed:
            shutil.copyfileobj(source, packed)
        print(f"{target.name}: {target.stat().st_size / 1e6:.1f} MB", flush=True)
