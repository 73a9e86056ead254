"""An image of the engine by what that tells at once: before any of the image comes.

The engine says how an image was made but not which of its steps made no layer. Where that
cannot be told beyond doubt, there is nothing to show before the image itself is there.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from layertrace.model.image import Image, ImageConfig, LayerRef
from layertrace.provenance.alignment.spelling import KEYWORDS, read_created_by

if TYPE_CHECKING:
    from collections.abc import Sequence

    from layertrace.archive.daemon import EngineSource
    from layertrace.model.image import HistoryEntry

_MAKES_LAYERS: Final = frozenset({"ADD", "COPY", "RUN", "WORKDIR"})


def announced_image(source: EngineSource) -> Image | None:
    """Return the image as the engine describes it, None where that leaves anything open.

    Its layers have no ``blob`` and its configuration has no labels.

    Raises:
        EngineError: the engine is away or refuses.
    """
    facts = source.facts
    history = settle_history(source.history_of(facts.id), len(facts.diff_ids))
    if history is None:
        return None
    config = ImageConfig(
        digest=facts.id,
        platform=facts.platform,
        diff_ids=facts.diff_ids,
        history=history,
        created=facts.created,
        env=facts.defaults.env,
        working_dir=facts.defaults.workdir,
        on_build=facts.defaults.on_build,
    )
    layers = tuple(
        LayerRef(index=index, diff_id=diff_id, blob="")
        for index, diff_id in enumerate(facts.diff_ids)
    )
    return Image(reference=source.name, config=config, layers=layers, tags=facts.tags)


def settle_history(history: Sequence[HistoryEntry], layers: int) -> tuple[HistoryEntry, ...] | None:
    """Return a history with the steps that made no layer told apart; None: it cannot be told.

    Args:
        history: by it, what added no bytes made no layer.
        layers: how many the image has; some may be of no bytes, as of a folder.
    """
    empty = [entry for entry in history if entry.empty_layer]
    missing = layers - (len(history) - len(empty))
    if not missing:
        return tuple(history)
    if missing != sum(map(_may_make_layer, empty)):
        return None
    return tuple(
        replace(entry, empty_layer=False) if _may_make_layer(entry) else entry for entry in history
    )


def _may_make_layer(entry: HistoryEntry) -> bool:
    keyword = read_created_by(entry).keyword
    return keyword in _MAKES_LAYERS or keyword not in KEYWORDS
