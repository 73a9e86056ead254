"""Fuzz one target, guided by which code an input reaches.

    python fuzz/fuzz_one.py {archive,layer,json,dockerfile,content} [--seconds N] [--input FILE]

What was found to reach more stays in ``build/fuzz/NAME`` for the next time; an input that
ends in anything but one of our errors is written to ``build/fuzz/NAME-crash-…`` and ends
the run with an exit code. ``--input`` reads one such file again, without fuzzing.
"""

from __future__ import annotations

import argparse
import random
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
OUT: Final = ROOT / "build" / "fuzz"
_BLOCK: Final = 512
_CHECKSUM: Final = slice(148, 156)
_NAMES: Final = ("archive", "layer", "json", "dockerfile", "content")
_RAW: Final = 1 / 4
"""How many mutations are of bytes alone."""
_MEGABYTES: Final = 500
_TIMEOUT: Final = 10
_LONGEST: Final = 64 * 1024


def main() -> None:
    """Read the command line and fuzz."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("name", choices=_NAMES)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--input", type=Path)
    given = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    if given.input is not None:
        from targets import TARGETS  # noqa: PLC0415 - found only once the path is set

        TARGETS[given.name](given.input.read_bytes())
        return
    _fuzz(given.name, given.seconds)


def _fuzz(name: str, seconds: int) -> None:
    import atheris  # noqa: PLC0415 - reading an input again needs none

    # Imported so that every branch taken is told to the fuzzer.
    with atheris.instrument_imports(include=["layertrace", "tarfile", "e2b_dockerfile_utils"]):
        from targets import TARGETS  # noqa: PLC0415
    from documents import reshaped  # noqa: PLC0415
    from seeds import write_seeds  # noqa: PLC0415

    corpus = OUT / name
    dictionary = OUT / f"{name}.dict"
    write_seeds(name, corpus, dictionary)
    words = [
        sys.argv[0],
        f"-max_total_time={seconds}",
        f"-timeout={_TIMEOUT}",
        f"-rss_limit_mb={_MEGABYTES}",
        f"-max_len={_LONGEST}",
        f"-artifact_prefix={OUT / name}-",
        f"-dict={dictionary}",
        "-print_final_stats=1",
        str(corpus),
    ]

    def mutate(data: bytes, limit: int, seed: int) -> bytes:
        dice = random.Random(seed)  # noqa: S311 - no secret
        if dice.random() < _RAW or name == "dockerfile":
            return bytes(atheris.Mutate(data, limit))
        if name == "json":
            return reshaped(data, dice)[:limit]
        return _summed(atheris.Mutate(data, limit))

    atheris.Setup(words, TARGETS[name], custom_mutator=mutate)
    atheris.Fuzz()


def _summed(data: bytes) -> bytes:
    """Return a tar with its headers' checksums made right: else nothing gets past them."""
    whole = bytearray(data)
    for start in range(0, len(whole) - _BLOCK + 1, _BLOCK):
        header = whole[start : start + _BLOCK]
        if header[257:262] == b"ustar":
            header[_CHECKSUM] = b" " * 8
            header[_CHECKSUM] = b"%06o\0 " % sum(header)
            whole[start : start + _BLOCK] = header
    return bytes(whole)


if __name__ == "__main__":
    main()
