"""What ``doctor`` looks at."""

from __future__ import annotations

import os
import platform
import shutil
import tempfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

from layertrace import __version__
from layertrace.errors import LayertraceError
from layertrace.views.config import Config, config_path, load_config
from layertrace.views.options import cache_folder
from layertrace.views.terminal import can_browse, draws_marks, utf8_locale
from layertrace.views.text import show_name, show_size

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing looked at."""

    name: str
    ok: bool
    detail: str


def check_up() -> tuple[Check, ...]:
    """Look at everything once; nothing is changed."""
    return (_versions(), _terminal(), _config(), _cache(), _space(), _engine(), _builder())


def _versions() -> Check:
    detail = f"layertrace {__version__}, Python {platform.python_version()}, {platform.platform()}"
    return Check(name="version", ok=True, detail=detail)


def _terminal() -> Check:
    size = shutil.get_terminal_size()
    words = [f"TERM={show_name(os.environ.get('TERM', ''))}", f"{size.columns}x{size.lines}"]
    words.append("UTF-8" if utf8_locale() else "no UTF-8: ASCII marks")
    if utf8_locale() and not draws_marks():
        words.append("the console's font: ASCII marks in the full-screen view")
    if not can_browse():
        words.append("no full-screen view: summaries are printed")
    return Check(name="terminal", ok=can_browse(), detail=", ".join(words))


def _config() -> Check:
    path = show_name(str(config_path()))
    try:
        known = load_config() != Config()
    except LayertraceError as error:
        why = f": {error.why}" if error.why else ""
        return Check(name="configuration", ok=False, detail=show_name(f"{error.what}{why}"))
    return Check(name="configuration", ok=True, detail=path if known else f"{path} (says nothing)")


def _cache() -> Check:
    folder = cache_folder()
    place = _nearest_existing(folder)
    ok = place.is_dir() and os.access(place, os.W_OK | os.X_OK)
    state = "" if ok else " (cannot be written: nothing will be kept)"
    return Check(name="cache", ok=ok, detail=f"{show_name(str(folder))}{state}")


def _nearest_existing(folder: Path) -> Path:
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder


def _space() -> Check:
    folder = tempfile.gettempdir()
    free = shutil.disk_usage(folder).free
    detail = f"{show_size(free)} free in {show_name(folder)}, for packed archives"
    return Check(name="temporary", ok=free > 1 << 30, detail=detail)


def _engine() -> Check:
    from layertrace.archive.engine import connect  # noqa: PLC0415 - takes a quarter of a second

    try:
        client = connect()
        version = client.version()
        client.close()
    except LayertraceError as error:
        detail = f"{error.what}; saved archives work without one"
        return Check(name="engine", ok=False, detail=show_name(detail))
    except OSError as error:
        return Check(name="engine", ok=False, detail=show_name(str(error)))
    detail = f"{version.get('Version', '?')}, API {version.get('ApiVersion', '?')}"
    return Check(name="engine", ok=True, detail=show_name(detail))


def _builder() -> Check:
    from layertrace.archive.export.buildkit import find_buildkit  # noqa: PLC0415

    command = find_buildkit()
    if command is None:
        detail = "no docker command offers BuildKit: export --build uses the classic builder"
        return Check(name="builder", ok=False, detail=detail)
    return Check(name="builder", ok=True, detail=f"BuildKit by {show_name(' '.join(command.argv))}")
