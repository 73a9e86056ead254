"""What a command does without: modules, and work that was done before. Times are for the bench."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from layertrace.layers import walk
from layertrace.layers.cache import IndexCache
from layertrace.layers.index import LayerIndex
from layertrace.pipeline.hints import Hints
from layertrace.pipeline.keeping import folding
from layertrace.pipeline.trace import open_image
from tests.builders import docker_archive, file, hardlink, image, layer
from tests.sample_support import ROOT

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from layertrace.pipeline.answers import ImageTrace

IMAGE = image(
    layer({"a": file(b"xxx"), "l": hardlink("a"), "b": file(b"yy")}),
    layer({"b": file(b"z"), "c/.wh.d": b""}),
    history=["COPY a /", "RUN true"],
)
_TUI = "layertrace.views.tui"
_FIRST_SCREEN = f"import sys, {_TUI}.app, {_TUI}.settings, layertrace.views.picking.openings"
_COUNT = "import sys; from layertrace.views.cli import main; main({!r}); print(len(sys.modules))"


def modules(*argv: str) -> int:
    """Return how many modules are loaded in a process that has run a command."""
    return int(printed(_COUNT.format(list(argv))).splitlines()[-1])


def printed(code: str) -> str:
    """Return what a process prints that runs some Python."""
    # Measuring coverage loads modules of its own.
    env = {key: value for key, value in os.environ.items() if not key.startswith("COVERAGE")}
    env["PYTHONPATH"] = str(ROOT)
    done = subprocess.run(  # noqa: S603 - this Python
        [sys.executable, "-c", code], capture_output=True, check=True, text=True, env=env
    )
    return done.stdout


@pytest.mark.parametrize(
    ("argv", "most"),
    [
        pytest.param(["--version"], 110, id="--version"),
        pytest.param(["--help"], 125, id="--help"),
        pytest.param(["layers", "app.tar"], 240, id="layers"),
    ],
)
def test_a_command_loads_no_more_modules_than_it_needs(
    argv: Sequence[str], most: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Loading takes longer than the work on a small image: some tenth of a millisecond each."""
    (tmp_path / "app.tar").write_bytes(docker_archive(IMAGE))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LAYERTRACE_CACHE_DIR", str(tmp_path / "cache"))
    assert modules(*argv) <= most


def test_files_that_are_known_are_listed_without_what_traces_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fifth of the modules is there to find out what the cache has the second time."""
    (tmp_path / "app.tar").write_bytes(docker_archive(IMAGE))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LAYERTRACE_CACHE_DIR", str(tmp_path / "cache"))
    first, again = (modules("files", "--json", "app.tar") for _ in range(2))
    assert again <= 255
    assert again <= first - 30


def test_the_first_screen_is_there_before_what_it_can_do_without_is_loaded() -> None:
    """Dialogs, other views, the picker, and all that reads a filter."""
    loaded = set(printed(f"{_FIRST_SCREEN}; print(*sys.modules)").split())
    assert f"{_TUI}.browse" in loaded
    later = ("dialogs", "asking", "picker", "platforms", "preview", "history", "writing", "keyed",
             "file_tools", "panes.filterbar", "panes.listing", "panes.map")  # fmt: skip
    assert loaded & {f"{_TUI}.{name}" for name in later} == set()
    assert loaded & {"layertrace.filters.language", "layertrace.model.packages", "tomllib"} == set()
    assert len([name for name in loaded if name.startswith("layertrace.")]) <= 130


def test_layers_from_the_cache_fold_and_unpack_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sizes and what is seen of them were kept; no path of the image is needed to tell them."""
    path = tmp_path / "app.tar"
    path.write_bytes(docker_archive(IMAGE))

    def sized(hints: Hints) -> tuple[tuple[object, ...], ImageTrace]:
        cache = IndexCache(tmp_path / "cache")
        opening = open_image(str(path), hints, cache)
        trace = opening.walk(hashing=False)
        rows = tuple((each.size, each.files, each.wasted) for each in trace.sized_head.layers)
        opening.close()
        cache.close()
        return rows, trace

    first, _ = sized(Hints())
    assert first == ((5, 3, 2), (1, 1, 0))
    monkeypatch.setattr(folding, "squash", None)
    monkeypatch.setattr(walk, "walk_layer", None)
    again, trace = sized(Hints())
    assert again == first
    monkeypatch.undo()
    assert trace.upto(0).sized_head.layers[0].wasted == 0
    indexes = trace.rootfs.layers
    assert all(isinstance(index, LayerIndex) for index in indexes)
    assert [list(index.paths) for index in indexes] == [["a", "l", "b"], ["b"]]
