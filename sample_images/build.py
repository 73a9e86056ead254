"""Build the sample images with a real Docker engine and save them as archives.

    python sample_images/build.py node --out DIR    the tutorial on real node images
    python sample_images/build.py tiny --out DIR    the same shape on a busybox
    python sample_images/build.py tiny --archives   write the archives that ship

The engine is the one ``DOCKER_HOST`` names. Files that take long to make or fetch are kept
in ``--work``. No step asks anything; every step has a time limit and a log below ``--work``.
"""

from __future__ import annotations

import argparse
import os
import sys
import tarfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import node_bases
import tiny_archives
import tiny_bases
from docker_cli import BasePolicy, BuildError, Docker, Plan, Shell, find_docker

if TYPE_CHECKING:
    from collections.abc import Sequence

HERE: Final = Path(__file__).resolve().parent
BUILDERS: Final = ("classic", "buildkit")
KINDS: Final = ("regular", "multistage")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One application and its two Dockerfiles."""

    image: str
    folder: Path
    network: str


SAMPLES: Final = {
    "node": Sample(image="node-app", folder=HERE / "node-app", network="host"),
    "tiny": Sample(image="tiny-app", folder=HERE / "tiny-app", network="none"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; 0 is done, 1 could not, 130 stopped."""
    parser = _parser()
    args = parser.parse_args(argv)
    if args.archives and args.sample != "tiny":
        parser.error("--archives: only those of tiny ship")
    start = time.monotonic()
    try:
        _run(args)
    except BuildError as error:
        print(f"build.py: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("build.py: stopped", file=sys.stderr)
        return 130
    print(f"all: {time.monotonic() - start:.1f} s")
    return 0


def _run(args: argparse.Namespace) -> None:
    work: Path = args.work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    docker = find_docker(Shell(logs=work / "logs", timeout=args.timeout))
    policy = BasePolicy(reuse=args.reuse, replace=args.replace)
    if args.sample == "node":
        node_bases.make_bases(docker, work, policy)
    else:
        tiny_bases.make_bases(docker, work, policy, busybox=args.busybox)
    if args.archives:
        tiny_archives.write_archives(docker.shell, work)
    if args.bases_only or args.archives:
        return
    builders = BUILDERS if args.builder == "both" else (args.builder,)
    for builder in builders:
        for kind in KINDS:
            _build(docker, SAMPLES[args.sample], kind, builder, out=args.out)


def _build(docker: Docker, sample: Sample, kind: str, builder: str, *, out: Path | None) -> None:
    """Build one image; save it where ``out`` says so."""
    suffix = "" if builder == "classic" else f"-{builder}"
    tag = f"{sample.image}:{kind}{suffix}"
    plan = Plan(
        tag=tag,
        context=sample.folder / "app",
        dockerfile=sample.folder / f"Dockerfile.{kind}",
        builder=builder,
        network=sample.network,
    )
    docker.build(plan)
    if out is None:
        return
    out.mkdir(parents=True, exist_ok=True)
    target = out / f"{kind}{suffix}.tar"
    docker.save(tag, target)
    print(f"{target}: {target.stat().st_size / 1e6:.1f} MB, {count_entries(target)} layer entries")


def count_entries(archive: Path) -> int:
    """Count the tar entries of all layers of an archive, as an independent figure."""
    total = 0
    with tarfile.open(archive) as outer:
        for member in outer:
            # Both generations of `docker save`: <id>/layer.tar and blobs/sha256/<digest>.
            blob = member.name.startswith("blobs/") or member.name.endswith("/layer.tar")
            stream = outer.extractfile(member) if blob else None
            if stream is None:
                continue
            try:
                with tarfile.open(fileobj=stream) as layer:
                    total += sum(1 for _ in layer)
            except tarfile.ReadError:
                continue  # a blob that is JSON
    return total


def _parser() -> argparse.ArgumentParser:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sample", choices=sorted(SAMPLES))
    add = parser.add_argument
    add("--out", type=Path, metavar="DIR", help="save the images there; default: only build")
    add("--work", type=Path, metavar="DIR", default=cache / "layertrace-samples")
    add("--builder", choices=(*BUILDERS, "both"), default="both")
    add("--reuse", action="store_true", help="keep base images that the engine already has")
    add("--replace", action="store_true", help="overwrite base images not made by this script")
    add("--bases-only", action="store_true", help="stop when the base images are there")
    add("--archives", action="store_true", help="write tiny's archives with layertrace export")
    add("--busybox", type=Path, metavar="FILE", help="a static busybox; default: Debian's")
    add("--timeout", type=float, metavar="S", default=900.0, help="for one step; default 900")
    return parser


if __name__ == "__main__":
    sys.exit(main())
