"""The options that every reading command shares: CONTRACT.md, sections 1 and 2."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from layertrace.errors import UsageError
from layertrace.model.limits import DEFAULTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from layertrace.layers.cache import IndexCache
    from layertrace.model.limits import Limits
    from layertrace.pipeline.answers import ImageTrace
    from layertrace.pipeline.hints import Hints
    from layertrace.pipeline.trace import Opening

CACHE_VARIABLE: Final = "LAYERTRACE_CACHE_DIR"
_DECIDING: Final = (
    "dockerfile", "target", "build_arg", "context", "stage", "stage_cache", "base", "provenance",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The image and all options of section 2, as given."""

    image: str
    dockerfile: Path | None = None
    target: str | None = None
    build_arg: tuple[str, ...] = ()
    context: Path | None = None
    stage: tuple[str, ...] = ()
    stage_cache: Path | None = None
    base: str | None = None
    provenance: Path | None = None
    platform: str | None = None
    verify: bool = False
    max: tuple[str, ...] = ()
    no_cache: bool = False

    def hints(self) -> Hints:
        """Return them as the pipeline takes them.

        Raises:
            UsageError: a ``K=V`` without ``=``, or a platform of another shape.
        """
        from layertrace.archive.source import parse_platform  # noqa: PLC0415
        from layertrace.pipeline.hints import Hints  # noqa: PLC0415

        return Hints(
            dockerfile=self.dockerfile,
            target=self.target,
            build_args=pairs("--build-arg", self.build_arg),
            context=self.context,
            stages=pairs("--stage", self.stage),
            stage_cache=self.stage_cache,
            base=self.base,
            provenance=self.provenance,
            platform=parse_platform(self.platform) if self.platform else None,
            verify=self.verify,
            limits=self.limits(),
        )

    def words(self) -> tuple[str, ...]:
        """Return the options that decide what is said of an image, as they are typed.

        Not the platform, which may be chosen later, and of build arguments the names
        only: a value may be a secret, and the environment can have it as well.
        """
        found: list[str] = []
        for name in _DECIDING:
            value = getattr(self, name)
            for each in value if isinstance(value, tuple) else (value,) * (value is not None):
                word = str(each).partition("=")[0] if name == "build_arg" else str(each)
                found += [f"--{name.replace('_', '-')}", word]
        return (*found, *(["--verify"] if self.verify else []))

    def limits(self) -> Limits:
        """Return how much the image may hold.

        Raises:
            UsageError: there is no such limit, or a value that is no number.
        """
        if not self.max:
            return DEFAULTS
        from layertrace.views.limits import parse_limits  # noqa: PLC0415

        return parse_limits(self.max)


def reading_options(command: Callable[..., object]) -> Callable[..., object]:
    """Give a command IMAGE and the options of section 2."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def build_options(command: Callable[..., object]) -> Callable[..., object]:
    """Give a command the options of section 2; it names its images itself."""
    for option in reversed(_OPTIONS[1:]):
        command = option(command)
    return command


def take_reading(values: dict[str, Any]) -> Reading:
    """Take the shared options out of a command's keyword arguments."""
    names = Reading.__dataclass_fields__
    return Reading(**{name: values.pop(name) for name in names})


def pairs(option: str, values: tuple[str, ...]) -> dict[str, str]:
    """Return ``K=V`` words as a mapping; a bare ``K`` takes the environment's value.

    Raises:
        UsageError: there is no value, here or in the environment.

    >>> pairs("--build-arg", ("A=1=2",))
    {'A': '1=2'}
    """
    found: dict[str, str] = {}
    for value in values:
        key, equals, rest = value.partition("=")
        if not equals and option == "--build-arg" and key in os.environ:
            rest, equals = os.environ[key], "="
        if not key or not equals:
            raise UsageError(f"{option} {value}: no value", hint=f"write {option} NAME=VALUE")
        found[key] = rest
    return found


def open_cache(*, off: bool = False) -> IndexCache:
    """Return the user's index cache; ``off`` gives one that keeps nothing."""
    from layertrace.layers.cache import DEFAULT_LIMIT, IndexCache  # noqa: PLC0415

    return IndexCache(cache_folder(), limit=0 if off else DEFAULT_LIMIT)


def unkept_words(trouble: str) -> str:
    """Return what it means that the cache cannot be written, and what to do; safe to show."""
    from layertrace.views.text import show_name  # noqa: PLC0415 - most caches can

    words = f"nothing is kept for the next time: {show_name(trouble)}"
    return f"{words}; make room, or set {CACHE_VARIABLE}"


def cache_folder() -> Path:
    """Return where the cache is: ``LAYERTRACE_CACHE_DIR``, else the platform's place."""
    folder = os.environ.get(CACHE_VARIABLE)
    if folder:
        return Path(folder)
    from platformdirs import user_cache_path  # noqa: PLC0415

    return user_cache_path("layertrace", appauthor=False)


@contextmanager
def opened(reading: Reading) -> Iterator[Opening]:
    """Open the image with progress on stderr; close it in the end."""
    from layertrace.pipeline.trace import open_image  # noqa: PLC0415
    from layertrace.views.progress import walking  # noqa: PLC0415

    # What the cache holds was made, and left out, by the usual limits.
    cache = open_cache(off=reading.no_cache or reading.limits().alters_index)
    try:
        with walking() as progress:
            opening = open_image(reading.image, reading.hints(), cache, progress=progress)
        try:
            yield opening
        finally:
            opening.close()
        _tell_unkept(cache)
    finally:
        cache.close()


def _tell_unkept(cache: IndexCache) -> None:
    """Say on stderr, once there is a result, that the next run will take as long."""
    context = click.get_current_context(silent=True)
    told = context.meta if context is not None else {}
    if cache.trouble and not told.get(CACHE_VARIABLE):
        from layertrace.views.output import print_remarks  # noqa: PLC0415 - most caches can

        # Whoever opens two images has one cache.
        told[CACHE_VARIABLE] = True
        print_remarks([unkept_words(cache.trouble)])


def walk(opening: Opening, *, hashing: bool = True, contents: bool = False) -> ImageTrace:
    """Read the layers with progress on stderr; the rest as for :meth:`Opening.walk`."""
    from layertrace.views.progress import walking  # noqa: PLC0415

    with walking() as progress:
        return opening.walk(progress, hashing=hashing, contents=contents)


def layer_number(text: str | None, layers: int) -> int | None:
    """Return the layer index that ``3`` or ``L4`` names.

    Raises:
        UsageError: it is neither, or there is no such layer.
    """
    if text is None:
        return None
    shown = text[:1] in {"L", "l"}
    digits = text[1:] if shown else text
    known = digits.isascii() and digits.isdigit() and len(digits) <= _MAX_DIGITS
    number = int(digits) - shown if known else -1
    if not 0 <= number < layers:
        span = f": index 0 to {layers - 1}, shown as L1 to L{layers}" if layers else ""
        raise UsageError(f"--layer {text}: no such layer", why=f"the image has {layers}{span}")
    return number


def json_option(command: Callable[..., object]) -> Callable[..., object]:
    """Give a command ``--json``."""
    return click.option("--json", "as_json", is_flag=True, help="JSON on stdout.")(command)


_MAX_DIGITS: Final = 9
_FOLDER: Final = click.Path(path_type=Path)
_OPTIONS: Final = (
    click.argument("image"),
    click.option(
        "-f", "--dockerfile", type=_FOLDER, metavar="FILE", help="The Dockerfile it was built from."
    ),
    click.option("--target", metavar="STAGE", help="The stage that was built; default the last."),
    click.option("--build-arg", multiple=True, metavar="K=V", help="As given to the build."),
    click.option("--context", type=_FOLDER, metavar="DIR", help="The build context, to verify."),
    click.option(
        "--stage", multiple=True, metavar="NAME=IMAGE", help="An image of that stage, to verify."
    ),
    click.option(
        "--stage-cache", type=_FOLDER, metavar="DIR", help="The build's exported cache, to verify."
    ),
    click.option("--base", metavar="IMAGE", help="The final stage's base image."),
    click.option(
        "--provenance", type=_FOLDER, metavar="FILE", help="SLSA provenance; default the image's."
    ),
    click.option("--platform", metavar="OS/ARCH", help="Which image of an index."),
    click.option("--verify", is_flag=True, help="Read every layer whole and check its diff_id."),
    click.option(
        "--max",
        multiple=True,
        metavar="NAME=N",
        help="Raise a limit; layertrace --help lists them.",
    ),
    click.option("--no-cache", is_flag=True, help="Neither use nor keep layer indexes."),
)
