"""What is known of an image in sentences: nothing to align, no marks, each line whole by itself.

A table read aloud is a row of numbers; here every value has its noun beside it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from layertrace.model.entry import EntryKind
from layertrace.model.origin import Change
from layertrace.views.bloat.words import CAUSES, percent
from layertrace.views.filetree import NO_LAYER, Mark
from layertrace.views.outline_row import joint_text, layer_name
from layertrace.views.report import origin_text
from layertrace.views.text import plural, show_name, show_size
from layertrace.views.treesums import SEVERAL_LAYERS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from layertrace.model.files import FileRecord, ShareRow, Version
    from layertrace.model.origin import Chain, Hop
    from layertrace.model.trace import ImageHead, LayerInfo
    from layertrace.model.waste import Bloat, Step
    from layertrace.views.filetree import FileTree
    from layertrace.views.treesums import Sums

_MARKS: Final = {
    Mark.UNTOUCHED: "untouched",
    Mark.ADDED: "added",
    Mark.MODIFIED: "modified",
    Mark.METADATA: "only its metadata changed",
    Mark.REMOVED: "removed",
}
_KINDS: Final = {EntryKind.DIR: "folder", EntryKind.SYMLINK: "symbolic link"}
_CHANGES: Final = {
    Change.ADDED: "added it",
    Change.MODIFIED: "modified it",
    Change.METADATA: "changed its metadata",
    Change.REMOVED: "removed it",
}
_CONTENTS: Final = 10
"""Contents that are there more than once of which each is named."""
_PATHS: Final = 3
"""Paths that are named of many."""


def image_sentence(head: ImageHead) -> str:
    """Return what image this is, and how to go on."""
    words = [show_name(head.image.reference), show_size(head.size or 0)]
    words.append(plural(len(head.layers), "layer"))
    if head.stages:
        words.append(plural(len(head.stages), "stage"))
    return f"{_sentence(words)} help lists the commands."


def node_sentence(tree: FileTree, sums: Sums, node: int, *, name: str) -> str:
    """Return what is known of one path, which is called ``name`` here."""
    kind, layer = EntryKind(tree.table.kinds[node]), sums.layers[node]
    words = [show_name(name), _KINDS.get(kind, kind.word)]
    mark = Mark(sums.marks[node])
    if mark is Mark.REMOVED:
        words.append(f"removed by {layer_name(layer)}" if layer >= 0 else "removed")
        words.append(f"still costs {show_size(sums.lost[node])}")
        return _sentence(words)
    if kind is EntryKind.DIR:
        words.append(f"{show_size(sums.sizes[node])} in {plural(sums.files[node], 'file')}")
    elif kind is EntryKind.FILE:
        words.append(show_size(sums.sizes[node]))
    owners = [show_name(tree.owners[label].text) for label in sums.owner_labels(node)]
    words.append(f"of {owners[0]}" if len(owners) == 1 else f"of {len(owners)} origins")
    if layer not in {NO_LAYER, SEVERAL_LAYERS}:
        words.append(f"in {layer_name(layer)}")
    trust = sums.trust(node)
    return _sentence([*words, _MARKS[mark], *([] if trust is None else [trust.value])])


def layer_sentences(head: ImageHead) -> Iterator[str]:
    """Yield a sentence for each layer, base first."""
    for layer in head.layers:
        stage = "base image" if layer.base else f"stage {show_name(layer.stage or 'not known')}"
        weight = f"{show_size(layer.size or 0)} in {plural(layer.files or 0, 'file')}"
        words = [layer_name(layer.index), stage, weight, f"{show_size(layer.wasted or 0)} wasted"]
        line = "" if layer.line is None else f"line {layer.line} "
        yield f"{', '.join(words)}: {line}{_made_by(layer)}"


def _made_by(layer: LayerInfo) -> str:
    if layer.lines:
        return joint_text(layer)
    return show_name(layer.instruction or layer.created_by or "not recorded")


def stage_sentences(shares: Sequence[ShareRow]) -> Iterator[str]:
    """Yield a sentence for each stage, base and context."""
    for row in shares:
        words = [show_name(row.name if row.kind in row.name else f"{row.kind} {row.name}")]
        if row.base:
            words.append(f"from {show_name(row.base)}")
        if row.size is not None:
            words.append(f"weighs {show_size(row.size)}")
        words.append(f"ships {show_size(row.shipped_bytes)} in {plural(row.shipped_files, 'file')}")
        if row.stays_behind is not None:
            words.append(f"{show_size(row.stays_behind)} stay behind")
        words += [
            f"carried by {layer_name(each.layer)}"
            + (f" line {each.line}" if each.line is not None else "")
            for each in row.carried_by
        ]
        yield _sentence([*words, row.trust.value] if row.shipped_files else words)


def why_sentences(
    record: FileRecord, chain: Chain, versions: Sequence[Version], package: str
) -> Iterator[str]:
    """Yield what a path is, each hop on its way, where it began, and its versions."""
    words = [f"/{show_name(record.path)}", _KINDS.get(record.kind, record.kind.word)]
    if record.kind is EntryKind.FILE:
        words.append(show_size(record.size))
    if record.mode is not None:
        words.append(f"mode {record.mode:04o}, owner {record.uid}, group {record.gid}")
    if record.link_target is not None:
        words.append(f"leads to {show_name(record.link_target)}")
    yield _sentence([*words, chain.trust.value])
    for number, hop in enumerate(chain.hops, 1):
        yield f"Hop {number}: {_hop(hop)}"
    yield f"Origin: {origin_text(chain.origin)}."
    if package:
        yield f"{package}."
    if len(versions) > 1:
        for version in versions:
            size = "" if version.size is None else f", {show_size(version.size)}"
            yield f"{layer_name(version.layer)} {_CHANGES[version.change]}{size}."


def _hop(hop: Hop) -> str:
    final = hop.place == "final"
    place = "the final image" if final else show_name(hop.place)
    words = [hop.trust.value, f"in {'stage ' if hop.place == hop.stage else ''}{place}"]
    if final and hop.layer is not None:
        # Those of other images count from 1 too: L7 would be taken for one of this.
        words.append(layer_name(hop.layer))
    if hop.line is not None:
        words.append(f"line {hop.line}")
    said = [show_name(part) for part in (hop.instruction, hop.detail) if part]
    return f"{', '.join(words)}: {'; '.join(said) or hop.action.value}."


def waste_sentences(bloat: Bloat) -> Iterator[str]:
    """Yield what is stored and not seen, then what is seen and hardly needed."""
    wasted, stored = bloat.wasted_bytes, bloat.stored_bytes
    yield f"{show_size(wasted)} of {show_size(stored)} are wasted, {percent(wasted, stored)}."
    for group in bloat.groups:
        steps = f"written by {_step(group.written_by)}, undone by {_step(group.undone_by)}"
        paths = _some([each.path for each in group.paths])
        words = f"{show_size(group.bytes)}, {CAUSES[group.cause]}, {steps}"
        yield f"{words}: {paths}. What to do: {show_name(group.advice)}."
    for left in bloat.maybe:
        paths = _some([each.path for each in left.paths])
        head = f"{show_size(left.bytes)} could perhaps go, {show_name(left.rule)}"
        yield f"{head}: {paths}. What to do: {show_name(left.advice)}."
    for copies in bloat.duplicates[:_CONTENTS]:
        times = f"{show_size(copies.size)} is there {plural(len(copies.paths), 'time')}"
        yield f"One content of {times}: {_some(copies.paths)}."
    more = bloat.duplicates[_CONTENTS:]
    if more:
        size = show_size(sum(each.bytes for each in more))
        yield f"{plural(len(more), 'content')} more are there several times, {size} too much."


def _step(step: Step) -> str:
    return layer_name(step.layer) + (f" line {step.line}" if step.line is not None else "")


def _some(paths: Sequence[str]) -> str:
    names = [f"/{show_name(path)}" for path in paths[:_PATHS]]
    more = len(paths) - len(names)
    return ", ".join([*names, *([f"and {more:,} more"] if more else [])])


def _sentence(words: Sequence[str]) -> str:
    return f"{', '.join(words)}."
