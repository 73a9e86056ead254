"""Stages and layers as one outline, and the scope each row stands for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from layertrace.model.origin import OriginKind
from layertrace.model.trace import ImageHead, StageInfo
from layertrace.views.outline import build_outline
from layertrace.views.outline_row import OutlineKind, OutlineRow, layer_text
from layertrace.views.scopes import layer_scope
from tests.tui.fakes import head, unread


def _keys(known: ImageHead) -> list[str]:
    return [row.key for row in build_outline(known)]


def _row(known: ImageHead, key: str) -> OutlineRow:
    return next(row for row in build_outline(known) if row.key == key)


def test_layers_stand_under_the_stage_that_wrote_them() -> None:
    """Base first, then the stage, each COPY --from with its link, then what is left behind."""
    assert _keys(head()) == [
        "image", "base", "layer:0", "stage:1", "layer:1", "layer:2", "link:2", "layer:3",
        "link:3", "layer:4", "left", "stage:0", "note:0", "step:0:2", "step:0:3", "step:0:4",
        "step:0:5", "step:0:6",
    ]  # fmt: skip


def test_sizes_are_sums_once_they_are_known() -> None:
    """Before that a group is being read; it is never zero."""
    assert _row(head(), "stage:1").size == 1_494_200 + 900 + 22_700_120
    waiting = _row(unread(head()), "stage:1")
    assert waiting.size is None
    assert waiting.reading


def test_a_stage_without_layers_stands_after_the_one_it_starts_from() -> None:
    """``FROM runtime AS final`` with nothing but ENV."""
    known = head()
    empty = StageInfo(index=2, name="final", base="stage-1", line=17, in_image=True, used=True)
    known = replace(known, stages=(*known.stages, empty))
    keys = _keys(known)
    assert keys.index("stage:2") > keys.index("layer:4")
    row = _row(known, "stage:2")
    assert (row.layers, row.size, row.folds) == ((), 0, False)


def test_layers_of_no_known_stage_have_a_group_of_their_own() -> None:
    """Without a Dockerfile every layer above the base is one."""
    known = head(dockerfile=False)
    assert _keys(known)[:4] == ["image", "base", "layer:0", "loose"]
    assert _row(known, "base").text == "base image"


def test_a_link_to_an_image_outside_the_dockerfile_leads_nowhere() -> None:
    """It is named, but has no row."""
    known = head()
    layers = list(known.layers)
    layers[2] = replace(layers[2], source="acme/tools:1", source_stage=None)
    row = _row(replace(known, layers=tuple(layers)), "link:2")
    assert (row.text, row.target) == ("acme/tools:1", None)


@pytest.mark.parametrize(
    ("stage", "words"),
    [
        pytest.param({"used": False}, "not used by this image", id="unused"),
        pytest.param({"shipped_files": 0, "shipped_bytes": 0}, "ships nothing", id="nothing"),
        pytest.param({"shipped_bytes": None}, "reading…", id="not-read"),
        pytest.param(
            {"shipped_files": 1, "shipped_bytes": 900}, "ships 900 B in 1 file", id="something"
        ),
    ],
)
def test_a_stage_left_behind_says_what_of_it_ships(stage: dict[str, object], words: str) -> None:
    """In its first row."""
    known = head()
    changed = replace(known.stages[0], **stage)  # type: ignore[arg-type]
    shown = replace(known, stages=(changed, known.stages[1]))
    assert _row(shown, "note:0").text == words
    # It stands beside the stage too, which is closed at first; not while there is nothing to tell.
    assert words.startswith(_row(shown, "stage:0").more or "reading…")


def test_each_row_stands_for_a_scope() -> None:
    """The image, a layer, what lies below it, a stage's layers, what came from a stage."""
    known = head()
    image = layer_scope(known, _row(known, "image"), upto=False)
    assert (image.layers, set(image.below)) == (None, {0})
    only = layer_scope(known, _row(known, "layer:2"), upto=False)
    assert (only.title, only.layers, set(only.below)) == ("L3", {2}, set())
    upto = layer_scope(known, _row(known, "layer:2"), upto=True)
    assert (upto.title, upto.layers, set(upto.below)) == ("up to L3", {0, 1, 2}, {0, 1})
    stage = layer_scope(known, _row(known, "stage:1"), upto=False)
    assert stage.layers == {1, 2, 3, 4}
    left = layer_scope(known, _row(known, "stage:0"), upto=False)
    assert (left.stage, left.layers) == ((0, "build"), None)
    step = layer_scope(known, _row(known, "step:0:4"), upto=False)
    assert (step.title, step.line) == ("made by build/3", 4)
    source = OutlineRow(
        key="source:url", kind=OutlineKind.SOURCE, depth=0, text="fetched", origin=OriginKind.URL
    )
    assert layer_scope(known, source, upto=True).kind is OriginKind.URL


def test_a_base_layer_is_named_by_what_its_own_builder_recorded() -> None:
    """FROM would say the same of each."""
    assert layer_text(head().layers[0]) == "ADD file:0123 in /"
    assert layer_text(head().layers[1]) == "WORKDIR /app"
