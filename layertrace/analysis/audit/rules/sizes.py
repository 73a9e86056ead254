"""Rules about what an image weighs, and what of that nobody sees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from layertrace.analysis.audit.kinds import Verdict
from layertrace.analysis.audit.subject import counted, of_image
from layertrace.analysis.waste.dive_score import dive_efficiency
from layertrace.rootfs.waste import find_wasted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from layertrace.analysis.audit.policy import Setting
    from layertrace.analysis.audit.subject import Subject
    from layertrace.model.audit import Match
    from layertrace.rootfs.places import Place

_PERCENT: Final = 100


def judge_size(subject: Subject, setting: Setting) -> Verdict:
    """Weigh the whole image; what is over the limit is named by its largest layer."""
    size = subject.head.size or 0
    over = () if size <= _limit(setting) else (_largest(subject),)
    return Verdict(value=size, matches=over)


def judge_layer_size(subject: Subject, setting: Setting) -> Verdict:
    """Weigh each layer."""
    layers = [layer for layer in subject.head.layers if setting.base or not layer.base]
    sizes = {layer.index: layer.size or 0 for layer in layers}
    return Verdict(
        value=max(sizes.values(), default=0),
        matches=tuple(
            subject.match(None, layer, f"the layer holds {counted(size, 'byte')}")
            for layer, size in sizes.items()
            if size > _limit(setting)
        ),
    )


def judge_wasted(subject: Subject, setting: Setting) -> Verdict:
    """Count the bytes that layers store and no container sees."""
    wasted = _wasted(subject)
    return Verdict(value=wasted, matches=_wasters(subject) if wasted > _limit(setting) else ())


def judge_wasted_percent(subject: Subject, setting: Setting) -> Verdict:
    """Count them as a part of all the image stores."""
    size = subject.head.size or 0
    percent = _PERCENT * _wasted(subject) / size if size else 0.0
    over = percent > _limit(setting)
    return Verdict(value=round(percent, 4), matches=_wasters(subject) if over else ())


def judge_user_wasted(subject: Subject, setting: Setting) -> Verdict:
    """Count them as a part of what lies above the first layer, as dive does."""
    above = sum(layer.size or 0 for layer in subject.head.layers[1:])
    ratio = _wasted(subject) / above if above else 0.0
    over = ratio > _limit(setting)
    return Verdict(value=round(ratio, 6), matches=_wasters(subject) if over else ())


def judge_efficiency(subject: Subject, setting: Setting) -> Verdict:
    """Score the image as dive does."""
    score = dive_efficiency(subject.trace.rootfs.layers)
    under = score < _limit(setting)
    return Verdict(value=round(score, 6), matches=_wasters(subject) if under else ())


def _limit(setting: Setting) -> int | float:
    return setting.limit if setting.limit is not None else float("inf")


def _wasted(subject: Subject) -> int:
    return sum(layer.wasted or 0 for layer in subject.head.layers)


def _largest(subject: Subject) -> Match:
    layer = max(subject.head.layers, key=lambda each: each.size or 0)
    return subject.match(
        None, layer.index, f"the largest layer holds {counted(layer.size or 0, 'byte')}"
    )


def _wasters(subject: Subject) -> tuple[Match, ...]:
    """Return what wrote bytes in vain, by who undid it, the most bytes first."""
    files: dict[tuple[int, int], int] = {}
    sizes: dict[tuple[int, int], int] = {}
    # That content was the same is of no matter here, and nothing is read for it.
    for each in find_wasted(subject.trace.rootfs, _unknown):
        pair = (each.layer, each.by)
        files[pair] = files.get(pair, 0) + 1
        sizes[pair] = sizes.get(pair, 0) + each.bytes
    if not sizes:
        # dive counts what is no waste to us: a folder whose mode changed, a hard link.
        return (of_image("no byte is wasted by our count"),)
    return tuple(
        subject.match(
            None,
            layer,
            f"{counted(size, 'byte')} of {counted(files[layer, by], 'file')}, undone by L{by + 1}"
            f"{_at(subject, by)}",
            visible=False,
        )
        for (layer, by), size in sorted(sizes.items(), key=lambda item: (-item[1], item[0]))
    )


def _at(subject: Subject, layer: int) -> str:
    line = subject.head.layers[layer].line
    return "" if line is None else f", line {line}"


def _unknown(_: Iterable[Place]) -> Mapping[Place, str]:
    return {}
