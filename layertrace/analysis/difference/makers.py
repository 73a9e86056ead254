"""What made the files of one image: base images, instructions, and layers nothing is known of."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from layertrace.model.difference import Maker
from layertrace.model.image import HistoryEntry
from layertrace.model.origin import OriginKind
from layertrace.provenance.alignment.spelling import read_created_by, split_command

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    from layertrace.model.build import Instruction, Stage
    from layertrace.model.trace import ImageHead, LayerInfo
    from layertrace.pipeline.answers import ImageTrace

_WRITES: Final = frozenset({"RUN", "COPY", "ADD", "WORKDIR"})
_SUM: Final = re.compile(r"\b(file|dir|multi):[0-9a-f]{64}\b")
_NAME: Final = re.compile(r"(?:^| )([A-Za-z_]\w*)=")

_BASE: Final = ("base",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A maker and what tells it from others."""

    maker: Maker
    order: tuple[int, int, int]
    """Where it stands in its build: the base first."""
    texts: frozenset[str] = frozenset()
    """Its instruction as written and as recorded, without what no two builds share."""
    diff_ids: tuple[str, ...] = ()
    """Of the layers it made."""
    arguments: tuple[tuple[str, str], ...] = ()
    """The build arguments in effect, as far as they are known."""
    words: tuple[str, ...] = ()
    """A COPY's paths after substitution."""
    flags: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """As written: not every builder records them."""
    folder: str | None = None
    """What its paths are relative to, of an instruction that has such."""
    context: bool = False
    """It took what it made out of the build context."""
    absent: bool = False
    """The image has no layer of it, and it is of no other stage: what it makes is not there."""


class Makers:
    """The makers of one image, and whose each path is."""

    def __init__(self, trace: ImageTrace) -> None:
        """Line up the base, the instructions of all stages, and layers of neither."""
        self._head: ImageHead = trace.sized_head
        self._trace = trace
        self.all: list[Made] = []
        self._ids: dict[Hashable, int] = {}
        self._of_label: dict[tuple[int, int], int] = {}
        self._layers: list[int] = []
        self._add_base()
        self._add_build()
        self._layers = [self._layer_maker(layer) for layer in self._head.layers]
        self._learn_layers()
        self._part_absent()

    def of_layer(self, layer: int) -> int:
        """Return the number of what made a layer."""
        return self._layers[layer]

    def of_row(self, label_id: int, layer: int) -> int:
        """Return the number of what made the bytes of a row of the table."""
        key = label_id, layer
        found = self._of_label.get(key)
        if found is None:
            found = self._of_label[key] = self._origin_maker(label_id, layer)
        return found

    def _add_base(self) -> None:
        layers = tuple(layer.index for layer in self._head.layers if layer.base)
        if not layers:
            return
        stage = self._trace.alignment.base
        claim = self._head.image.claimed_base
        maker = Maker(
            base=True,
            layers=layers,
            line=stage.line if stage is not None else None,
            instruction=stage.text if stage is not None else None,
            image=stage.base if stage is not None else (claim.name if claim else None) or None,
            digest=stage.base_digest if stage is not None else (claim.digest if claim else None),
        )
        self._add(_BASE, Made(maker=maker, order=(0, 0, 0)))

    def _add_build(self) -> None:
        build = self._head.build
        if build is None or self._trace.alignment.contradicted:
            return
        chain = {stage.index for stage in build.chain(build.target)}
        for index in sorted(build.used()):
            stage = build.stages[index]
            if index not in chain and stage.base_stage is None:
                self._add(("from", stage.line), _stage_base(stage))
            arguments: dict[str, str] = {}
            for step in stage.instructions:
                if step.keyword == "ARG":
                    words = (word.partition("=") for word in step.args)
                    arguments.update({name: value for name, equals, value in words if equals})
                elif step.keyword in _WRITES:
                    self._add((step.line, step.text), _made_by(stage, step, arguments))

    def _layer_maker(self, layer: LayerInfo) -> int:
        if layer.base:
            return self._ids[_BASE]
        found = self._ids.get((layer.line, layer.instruction))
        if found is not None:
            return found
        maker = Maker(
            stage=layer.stage,
            stage_index=layer.stage_index,
            line=layer.line,
            instruction=layer.instruction or layer.created_by or None,
        )
        made = Made(maker=maker, order=(2, layer.index, 0))
        return self._add(("layer", layer.index), made)

    def _learn_layers(self) -> None:
        """Tell each maker which layers it made, and how their history spells it."""
        for layer in self._head.layers:
            number = self._layers[layer.index]
            made = self.all[number]
            texts = {text for text in (layer.instruction, layer.created_by) if text}
            layers = tuple(sorted({*made.maker.layers, layer.index}))
            self.all[number] = replace(
                made,
                maker=replace(made.maker, layers=layers),
                texts=made.texts if layer.base else made.texts | set(map(normal_text, texts)),
                diff_ids=(*made.diff_ids, *filter(None, [layer.diff_id])),
                arguments=made.arguments or _recorded_arguments(layer.created_by),
            )

    def _part_absent(self) -> None:
        """Leave out instructions of the image itself that left no layer: not made yet, or empty."""
        chain = {stage.index for stage in self._head.stages if stage.in_image}
        for number, made in enumerate(self.all):
            maker = made.maker
            if maker.stage_index in chain and not maker.layers and not maker.base:
                self.all[number] = replace(made, absent=True)

    def _origin_maker(self, label_id: int, layer: int) -> int:
        table = self._trace.table
        origin = table.origins[label_id]
        if origin.kind is OriginKind.UNKNOWN or origin.line is None:
            return self._layers[layer]
        if origin.kind is OriginKind.BASE:
            own = self._head.layers[layer].base
            found = self._ids.get(_BASE if own else ("from", origin.line))
            return self._layers[layer] if found is None else found
        found = self._ids.get((origin.line, origin.instruction))
        if found is None:
            return self._layers[layer]
        if origin.kind is OriginKind.CONTEXT and not self.all[found].context:
            self.all[found] = replace(self.all[found], context=True)
        return found

    def _add(self, key: Hashable, made: Made) -> int:
        number = self._ids.setdefault(key, len(self.all))
        if number == len(self.all):
            self.all.append(made)
        return number


def normal_text(text: str) -> str:
    """Return an instruction, written or recorded, without what tells nothing of its wish.

    >>> normal_text("/bin/sh -c #(nop) COPY  dir:" + 64 * "a" + " in . ")
    'COPY dir:* in .'
    >>> normal_text("RUN |1 V=1 /bin/sh -c make  all # buildkit")
    'RUN make all'
    """
    recorded = read_created_by(HistoryEntry(created_by=text))
    return _SUM.sub(r"\1:*", " ".join(recorded.text.split()))


def _stage_base(stage: Stage) -> Made:
    maker = Maker(
        base=True,
        stage=stage.name,
        stage_index=stage.index,
        line=stage.line,
        instruction=stage.text,
        image=stage.base,
        digest=stage.base_digest,
    )
    return Made(maker=maker, order=(1, stage.index, stage.line))


def _made_by(stage: Stage, step: Instruction, arguments: Mapping[str, str]) -> Made:
    maker = Maker(stage=stage.name, stage_index=stage.index, line=step.line, instruction=step.text)
    documents = "\n".join(each.content for each in step.heredocs)
    from_context = step.keyword in {"COPY", "ADD"} and "from" not in step.flags
    return Made(
        maker=maker,
        order=(1, stage.index, step.line),
        texts=frozenset({normal_text(f"{step.text}\n{documents}")}),
        arguments=tuple(sorted(arguments.items())),
        words=step.args if step.keyword != "RUN" else (),
        flags=tuple(sorted(step.flags.items())),
        folder=step.workdir if from_context and not _target(step).startswith("/") else None,
        context=from_context,
    )


def _target(step: Instruction) -> str:
    return step.args[-1] if step.args else ""


def _recorded_arguments(created_by: str) -> tuple[tuple[str, str], ...]:
    """Return the build arguments that a builder wrote before a RUN's command.

    >>> _recorded_arguments("RUN |2 A=1 B=x y /bin/sh -c make # buildkit")
    (('A', '1'), ('B', 'x y'))
    """
    before, _ = split_command(read_created_by(HistoryEntry(created_by=created_by)).rest)
    if not before.startswith("|"):
        return ()
    # What stands behind the values is the shell, by its absolute path.
    values = before.partition(" ")[2].rpartition(" /")[0]
    names = list(_NAME.finditer(values))
    ends = [each.start() for each in names[1:]] + [len(values)]
    pairs = zip(names, ends, strict=True)
    return tuple(sorted((name[1], values[name.end() : end]) for name, end in pairs))
