"""A traced image as text for people: the same answers as the JSON, a line each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from layertrace.model.entry import EntryKind
from layertrace.model.origin import Action, OriginKind, Trust
from layertrace.views.outline_row import joint_text
from layertrace.views.tables import format_table
from layertrace.views.text import CHANGE_MARKS, TRUST_MARKS, plural, show_name, show_size

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from layertrace.model.files import FileRecord, FileTable, Label, ShareRow, Version
    from layertrace.model.origin import Chain, Hop, Origin
    from layertrace.model.trace import ImageHead, LayerInfo

_SHORT_DIGEST: Final = 19
_KIND_NAMES: Final = {
    OriginKind.BASE: "base",
    OriginKind.CONTEXT: "context",
    OriginKind.URL: "url",
    OriginKind.IMAGE: "image",
}


def label_text(label: Label) -> str:
    """Return whose a file is in one word; ``build?`` where only the carrier is known."""
    if label.stage is not None:
        return show_name(label.stage)
    if label.kind is OriginKind.UNKNOWN and label.carried_from:
        return f"{show_name(label.carried_from)}?"
    if label.kind is OriginKind.UNKNOWN:
        return "unknown"
    return _KIND_NAMES.get(label.kind, label.kind.value)


def head_line(head: ImageHead) -> str:
    """Return one line about an image."""
    parts = [show_name(head.image.reference), show_name(str(head.image.config.platform))]
    if head.size is not None:
        parts.append(show_size(head.size))
    parts.append(plural(len(head.layers), "layer"))
    if head.stages:
        parts.append(plural(len(head.stages), "stage"))
    return "  ".join(parts)


def layers_lines(head: ImageHead, *, width: int | None) -> list[str]:
    """Return the table of ``layers``."""
    rows = [_layer_row(layer) for layer in head.layers]
    wasted = sum(layer.wasted or 0 for layer in head.layers)
    files = sum(layer.files or 0 for layer in head.layers)
    total = ["", "", show_size(head.size or 0), f"{files:,}", show_size(wasted), "", ""]
    return format_table(
        [*rows, total],
        align="<<>>>><",
        head=["LAYER", "STAGE", "SIZE", "FILES", "WASTED", "LINE", "INSTRUCTION"],
        width=width,
    )


def _layer_row(layer: LayerInfo) -> list[str]:
    return [
        f"L{layer.index + 1}",
        _layer_stage(layer),
        show_size(layer.size or 0),
        f"{layer.files or 0:,}",
        show_size(layer.wasted or 0),
        f":{layer.line}" if layer.line is not None else "",
        _made_by(layer),
    ]


def _made_by(layer: LayerInfo) -> str:
    if layer.lines:
        return joint_text(layer)
    return show_name(layer.instruction or layer.created_by or "(not recorded)")


def _layer_stage(layer: LayerInfo) -> str:
    if layer.base:
        return "base"
    return show_name(layer.stage) if layer.stage is not None else "?"


def stages_lines(shares: Sequence[ShareRow], *, width: int | None) -> list[str]:
    """Return the table of ``stages``."""
    return format_table(
        [line for row in shares for line in _share_rows(row)],
        align="<<<>>>><",
        head=["", "STAGE", "FROM", "WEIGHS", "SHIPPED", "FILES", "STAYS BEHIND", "CARRIED BY"],
        width=width,
    )


def _share_rows(row: ShareRow) -> list[list[str]]:
    """Return a stage's line, and one more for each further layer that carried it."""
    carriers = [
        f"L{c.layer + 1} {show_name(c.instruction or '')} :{c.line}" for c in row.carried_by
    ]
    if row.kind == "base" and carriers:
        first, last = row.carried_by[0].layer + 1, row.carried_by[-1].layer + 1
        span = f"L{first}" if first == last else f"L{first}-L{last}"
        carriers = [f"{span} {show_name(row.carried_by[0].instruction or '')}".strip()]
    first_line = [
        TRUST_MARKS[row.trust] if row.shipped_files else " ",
        show_name(row.name),
        show_name(row.base or "-"),
        show_size(row.size) if row.size is not None else "-",
        show_size(row.shipped_bytes),
        f"{row.shipped_files:,}",
        show_size(row.stays_behind) if row.stays_behind is not None else "-",
        carriers[0] if carriers else "-",
    ]
    return [first_line, *([*[""] * 7, carrier] for carrier in carriers[1:])]


def files_lines(
    table: FileTable,
    rows: Iterable[int],
    *,
    width: int | None,
    package: Callable[[int], str] | None = None,
) -> list[str]:
    """Return one line a path: trust, stage, layer, size, change, package if asked for, path."""
    if package is None:
        return format_table((_file_row(table, row) for row in rows), align="<<>><<", width=width)
    cells = ((_file_row(table, row), package(row)) for row in rows)
    lines = ([*before, owner, path] for (*before, path), owner in cells)
    return format_table(lines, align="<<>><<<", width=width)


def _file_row(table: FileTable, row: int) -> list[str]:
    layer, kind = table.layers[row], table.kinds[row]
    path = f"/{show_name(table.paths[row])}" + ("/" if kind == EntryKind.DIR else "")
    return [
        TRUST_MARKS[table.trusts[row]],
        label_text(table.labels[table.label_ids[row]]),
        f"L{layer + 1}" if layer >= 0 else "-",
        show_size(table.sizes[row]) if kind != EntryKind.DIR else "",
        CHANGE_MARKS[table.changes[row]],
        path,
    ]


def why_lines(  # noqa: PLR0913 - all that is known of one path
    head: ImageHead,
    record: FileRecord,
    chain: Chain,
    versions: Sequence[Version],
    shares: Sequence[ShareRow],
    *,
    width: int | None,
    package: str = "",
) -> list[str]:
    """Return the chain of one path, and what each layer did to it where several did.

    Of a directory also how the bytes below it divide.
    """
    lines = [_record_line(record, chain.trust), ""]
    rows = [_hop_row(number, hop) for number, hop in enumerate(chain.hops, 1)]
    titles = ["HOP", "", "PLACE", "LINE", "INSTRUCTION", "EVIDENCE"]
    lines += [f"  {line}" for line in format_table(
        [_cut_instruction(row, width) for row in rows], align="><<><<", head=titles,
        width=None if width is None else width - 2,
    )]  # fmt: skip
    for hop in chain.hops:
        lines += [f"      candidate: {show_name(candidate)}" for candidate in hop.candidates]
    if not chain.hops:
        lines.append("  no layer has an entry for it: only paths below it do")
    lines += ["", f"Origin: {origin_text(chain.origin)}"]
    lines += [package] if package else []
    if shares:
        rows = [
            [show_size(r.shipped_bytes), f"{r.shipped_files:,}", TRUST_MARKS[r.trust],
             show_name(r.name)]
            for r in shares
        ]  # fmt: skip
        titles = ["HOLDS", "FILES", "", "FROM"]
        table = format_table(rows, align=">><<", head=titles, width=width and width - 2)
        lines += ["", *(f"  {line}" for line in table)]
    if len(versions) > 1:
        lines += ["", *_version_lines(head, versions, width=width)]
    return lines


def _record_line(record: FileRecord, trust: Trust) -> str:
    parts = [f"/{show_name(record.path)}", record.kind.word]
    if record.kind in {EntryKind.FILE, EntryKind.HARDLINK}:
        parts.append(show_size(record.size))
    if record.mode is not None:
        parts.append(f"{record.mode:04o}  {record.uid}:{record.gid}")
    if record.link_target is not None:
        parts.append(f"→ {show_name(record.link_target)}")
    if record.digest is not None:
        parts.append(f"{record.digest[:_SHORT_DIGEST]}…")
    return "  ".join([*parts, f"{TRUST_MARKS[trust]} {trust.value}"])


def _hop_row(number: int, hop: Hop) -> list[str]:
    place = f"L{hop.layer + 1}" if hop.layer is not None else "-"
    if hop.place != "final":
        place = f"{show_name(hop.place)} {place}" if hop.layer is not None else show_name(hop.place)
    return [
        str(number),
        TRUST_MARKS[hop.trust],
        place,
        f":{hop.line}" if hop.line is not None else "",
        show_name(hop.instruction or _ACTIONS[hop.action]),
        show_name(hop.detail),
    ]


_ACTIONS: Final = {
    Action.WRITE: "(a step of this stage)",
    Action.METADATA: "(attributes changed)",
    Action.COPY: "(copied)",
    Action.MOUNT: "(mounted)",
    Action.INHERIT: "(base image)",
}
_INSTRUCTION_CELLS: Final = 44


def _cut_instruction(row: list[str], width: int | None) -> list[str]:
    if width is not None and len(row[4]) > _INSTRUCTION_CELLS:
        row[4] = row[4][: _INSTRUCTION_CELLS - 1] + "…"
    return row


def origin_text(origin: Origin) -> str:
    """Return where bytes came from as a sentence's end."""
    line = f" (line {origin.line})" if origin.line is not None else ""
    instruction = show_name(origin.instruction or "")
    stage = f" in stage {show_name(origin.stage)}" if origin.stage else ""
    path = show_name(origin.path or "")
    image = show_name(origin.image or "")
    texts = {
        OriginKind.RUN: f"made by `{instruction}`{stage}{line}",
        OriginKind.CONTEXT: f"the build context, {path or 'path not known'}; "
        f"brought by `{instruction}`{stage}{line}",
        OriginKind.URL: f"{path}; fetched by `{instruction}`{stage}{line}",
        OriginKind.INLINE: f"written in the Dockerfile itself{stage}{line}",
        OriginKind.BASE: f"base image {image}{line}".rstrip(),
        OriginKind.IMAGE: f"image {image}, {path}; brought by `{instruction}`{stage}{line}",
        OriginKind.WORKDIR: f"a directory `{instruction}` made on the way{stage}{line}",
        OriginKind.UNKNOWN: "unknown",
    }
    return texts[origin.kind]


def _version_lines(head: ImageHead, versions: Sequence[Version], *, width: int | None) -> list[str]:
    rows = []
    for version in reversed(versions):
        layer = head.layers[version.layer]
        rows.append(
            [
                f"L{version.layer + 1}",
                CHANGE_MARKS[version.change],
                version.change.value,
                show_size(version.size) if version.size is not None else "",
                f":{layer.line}" if layer.line is not None else "",
                _made_by(layer),
            ]
        )
    titles = ["LAYER", "", "CHANGE", "SIZE", "LINE", "INSTRUCTION"]
    return [
        f"  {line}"
        for line in format_table(
            rows, align="<<<>><", head=titles, width=None if width is None else width - 2
        )
    ]
