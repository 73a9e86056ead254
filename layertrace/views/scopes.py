"""Which files a row of the outline asks for, and what to say where there are none."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from layertrace.views.filetree import Scope
from layertrace.views.findings import LAYER_CODE, next_step
from layertrace.views.outline_row import OutlineKind, layer_name, layer_text, layers_name
from layertrace.views.unread import layer_runs, read_title, unread_layers

if TYPE_CHECKING:
    from layertrace.model.trace import ImageHead
    from layertrace.views.outline_row import OutlineRow

_BELOW: Final = "; Ctrl+A in pane 1 shows what is there up to it"
_OF_STAGES: Final = frozenset({OutlineKind.LEFT_STAGE, OutlineKind.STEP, OutlineKind.NOTE})


def layer_scope(head: ImageHead, row: OutlineRow, *, upto: bool) -> Scope:
    """Return which files the row at the cursor asks for.

    Args:
        head: the image.
        row: the row.
        upto: for a row that stands for layers, also show what lies below them.
    """
    if row.kind in {OutlineKind.IMAGE, OutlineKind.LEFT}:
        base = frozenset(layer.index for layer in head.layers if layer.base)
        title = read_title(head) if unread_layers(head) else "final image"
        return Scope(title=title, below=base)
    if row.kind is OutlineKind.SOURCE:
        return Scope(title=f"from {row.text}", kind=row.origin)
    if row.kind in _OF_STAGES:
        if row.kind is OutlineKind.STEP:
            return Scope(title=f"made by {row.stage}/{row.detail}", line=row.line)
        return Scope(title=f"from stage {row.stage}", stage=(row.stage_index or 0, row.stage))
    scope = _of_layers(row, upto=upto)
    missing = unread_layers(head, sorted(scope.layers or ()))
    if missing:
        scope = replace(scope, title=f"{scope.title}, {layer_runs(missing)} not read")
    return scope


def _of_layers(row: OutlineRow, *, upto: bool) -> Scope:
    if upto and row.layers:
        below = frozenset(range(row.layers[0]))
        layers = frozenset(range(row.layers[-1] + 1))
        return Scope(title=f"up to {layer_name(row.layers[-1])}", layers=layers, below=below)
    title = layers_name(row.layers)
    if row.kind is OutlineKind.STAGE:
        title = f"stage {row.text}"
    elif row.kind is OutlineKind.BASE:
        title = f"base {row.text}"
    elif row.step:
        title = f"{title}, made by {row.text}"
    line = row.line if row.step else None
    return Scope(title=title, layers=frozenset(row.layers), line=line)


def empty_words(head: ImageHead, row: OutlineRow) -> str:
    """Return why the scope of a row holds no file, and what that means."""
    if row.kind in _OF_STAGES:
        return _without_trace(row)
    if row.kind is OutlineKind.SOURCE:
        return f"nothing came from there: {row.text}"
    missing = unread_layers(head, row.layers)
    if missing:
        return f"{layer_runs(missing)} {'is' if len(missing) == 1 else 'are'} not read yet"
    return _without_files(head, row)


def _without_files(head: ImageHead, row: OutlineRow) -> str:
    if not head.layers:
        return "the image has no layer: nothing but its configuration"
    if not row.layers:
        return (
            f"{row.text} wrote no layer: its instructions only set the configuration, "
            "which pane 4 shows"
        )
    if any(head.layers[layer].files for layer in row.layers):
        return "nothing of it is left in the image: later layers replaced or removed all of it"
    below = _BELOW if row.layers[0] else ""
    if len(row.layers) > 1:
        return f"the layers are empty: they changed no file{below}"
    if row.flaw:
        step = next_step(f"{LAYER_CODE}{row.flaw}")
        words = f"nothing of the layer could be read: it is {row.flaw}"
        return f"{words}. {step}; F says more" if step else f"{words}; F says more"
    text = layer_text(head.layers[row.layers[0]])
    return f"the layer is empty: `{text}` changed no file{below}"


def _without_trace(row: OutlineRow) -> str:
    if row.kind is not OutlineKind.STEP:
        return f"nothing made in stage {row.stage} is in the image"
    step = f"step {row.stage}/{row.detail}"
    if row.idle:
        return f"nothing that {step} made is in the image"
    return f"nothing in the image is known to be made by {step}"
