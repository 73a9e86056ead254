"""Finding visible files that an image could do without, each byte under one rule."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from layertrace.analysis.leftovers.advice import word_advice
from layertrace.analysis.leftovers.node_modules import find_development
from layertrace.analysis.leftovers.patterns import Claim, Matcher
from layertrace.analysis.leftovers.probe import find_facts
from layertrace.analysis.leftovers.rules import FOREIGN, NODE_DEV, RULES, UNSTRIPPED
from layertrace.analysis.leftovers.visible import list_visible
from layertrace.model.waste import Leftover, Step, StepBytes, WastedPath
from layertrace.rootfs.squash import STRIDE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from layertrace.analysis.leftovers.programs import Program
    from layertrace.model.trace import LayerInfo
    from layertrace.pipeline.answers import ImageTrace

_NUMBERS: Final = {rule.name: number for number, rule in enumerate(RULES)}
_EMULATORS: Final = ("usr/bin/qemu-", "usr/local/bin/qemu-")
_FOR_OTHERS: Final = ("usr/share/", "usr/lib/firmware/", "lib/firmware/")
"""Where programs lie that something else is to run than this image's processor."""
_CROSS: Final = "-linux-"
"""In the names of folders for a compiler's targets, ``/usr/aarch64-linux-gnu``."""


def find_leftovers(trace: ImageTrace) -> tuple[Leftover, ...]:
    """Return what rules say an image could do without, the largest first.

    A file with several hard links counts where rules count all its names: else its bytes
    would stay.

    Raises:
        LayertraceError: a content that a rule asks for cannot be had.
    """
    files = list_visible(trace)
    facts = find_facts(trace, files)
    development = find_development(facts.locks, facts.versions, trace.rootfs.seen)
    matcher = Matcher(RULES, dict.fromkeys(development, _NUMBERS[NODE_DEV]))
    programs = _Programs(trace)
    tally = _Tally()
    for row, claim in enumerate(matcher.claims(files.paths)):
        if claim is not None and row in files.names:
            claim = _common(matcher.claims(files.names[row]))  # noqa: PLW2901 - that of all names
        if claim is not None and RULES[claim.rule].magic and row not in facts.genuine:
            continue
        layer = files.places[row] // STRIDE
        if claim is not None:
            tally.add(RULES[claim.rule].name, claim.root, layer, files.sizes[row])
        elif (program := facts.programs.get(row)) is not None:
            rule, size = programs.judge(files.paths[row], files.sizes[row], program)
            tally.add(rule, files.paths[row], layer, size)
    return tally.leftovers(trace.sized_head.layers)


def _common(claims: Iterable[Claim | None]) -> Claim | None:
    """Return the first rule for all names of a file, None where one of them is no leftover."""
    found = tuple(claims)
    return None if None in found else min(filter(None, found))


class _Programs:
    """What rules say of programs and libraries."""

    def __init__(self, trace: ImageTrace) -> None:
        self._architecture = trace.sized_head.image.config.platform.architecture
        self._emulates = any(path.startswith(_EMULATORS) for path in trace.rootfs.seen)

    def judge(self, path: str, size: int, program: Program) -> tuple[str, int]:
        """Return the rule that counts bytes of a program, and how many; 0 if none does."""
        if program.runs_on(self._architecture):
            return UNSTRIPPED, program.strippable
        # What is made for another processor is not this image's to strip either.
        meant = self._emulates or path.startswith(_FOR_OTHERS) or _CROSS in path
        return FOREIGN, 0 if meant else size


class _Tally:
    """Bytes by rule, and there by path and by layer."""

    def __init__(self) -> None:
        self._paths: defaultdict[str, defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))
        self._layers: defaultdict[str, defaultdict[int, int]] = defaultdict(
            lambda: defaultdict(int)
        )

    def add(self, rule: str, path: str, layer: int, size: int) -> None:
        """Count bytes of a path that a layer holds."""
        if not size:
            return
        self._paths[rule][path] += size
        self._layers[rule][layer] += size

    def leftovers(self, layers: Sequence[LayerInfo]) -> tuple[Leftover, ...]:
        """Return what was counted."""
        found = [self._leftover(name, layers) for name in self._paths]
        return tuple(sorted(found, key=lambda each: (-each.bytes, each.rule)))

    def _leftover(self, name: str, layers: Sequence[LayerInfo]) -> Leftover:
        paths = _largest(self._paths[name].items())
        shares = sorted(self._layers[name].items(), key=lambda item: (-item[1], item[0]))
        written_by = tuple(_share(layers[layer], size) for layer, size in shares)
        return Leftover(
            rule=name,
            bytes=sum(each.bytes for each in paths),
            paths=paths,
            advice=word_advice(RULES[_NUMBERS[name]], paths, written_by, layers),
            written_by=written_by,
        )


def _largest(sizes: Iterable[tuple[str, int]]) -> tuple[WastedPath, ...]:
    found = sorted(sizes, key=lambda item: (-item[1], item[0]))
    return tuple(WastedPath(path=path, bytes=size) for path, size in found)


def _share(layer: LayerInfo, size: int) -> StepBytes:
    step = Step(
        layer=layer.index, stage=layer.stage, line=layer.line, instruction=layer.instruction
    )
    return StepBytes(step=step, base=layer.base, bytes=size)
