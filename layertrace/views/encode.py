"""Values to JSON as scripts rely on it: CONTRACT.md, section 4."""

from __future__ import annotations

import base64
import json
import re
from typing import TYPE_CHECKING, Final

from layertrace import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from layertrace.model.files import FileRecord, ShareRow, Version
    from layertrace.model.origin import Chain, Finding, Hop, Origin
    from layertrace.model.trace import Carrier, ImageHead, LayerInfo, StageInfo

Json = dict[str, object]


def envelope(command: str, head: ImageHead, data: object) -> Json:
    """Return the outer object that every command's JSON shares."""
    findings = [finding_json(finding) for finding in head.findings]
    return document(command, image=image_json(head), findings=findings, data=data)


def document(name: str, **fields: object) -> Json:
    """Return a JSON document that says which schema it follows."""
    tool = {"name": "layertrace", "version": __version__}
    return {"schema": f"layertrace.{name}/1", "tool": tool, **fields}


_HIDDEN: Final = re.compile(
    "[\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f]"
)
_WIDE: Final = re.compile("[^\x00-\x7f]")
_SURROGATES: Final = re.compile("[\ud800-\udfff]")
_COMPACT: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def to_text(value: object) -> str:
    """Return JSON text over many lines, for people too."""
    return _visible(json.dumps(value, ensure_ascii=False, indent=2))


def to_line(value: object) -> str:
    """Return JSON text on one line."""
    return _visible(_COMPACT.encode(value))


def _visible(text: str) -> str:
    """Escape what a terminal would obey or hide; JSON reads the same."""
    return _HIDDEN.sub(_escape_character, text)


def to_ascii_json(text: str) -> str:
    r"""Return the same JSON in ASCII.

    >>> to_ascii_json('["\u00e9\U0001f600"]')
    '["\\u00e9\\ud83d\\ude00"]'
    """
    return _WIDE.sub(_escape_character, text)


def _escape_character(found: re.Match[str]) -> str:
    return json.dumps(found[0])[1:-1]


def image_json(head: ImageHead) -> Json:
    """Return ``image``."""
    image = head.image
    return {
        "reference": plain(image.reference),
        "config_digest": image.config.digest or None,
        "manifest_digest": image.manifest_digest,
        "platform": plain(str(image.config.platform)),
        "size": head.size,
        "layers": [layer_json(layer) for layer in head.layers],
        "stages": [stage_json(stage) for stage in head.stages],
    }


def layer_json(layer: LayerInfo) -> Json:
    """Return one of ``image.layers[]``."""
    return {
        "index": layer.index,
        "diff_id": layer.diff_id or None,
        "digest": layer.digest,
        "size": layer.size,
        "files": layer.files,
        "wasted": layer.wasted,
        "base": layer.base,
        "stage": layer.stage,
        "stage_index": layer.stage_index,
        "line": layer.line,
        **({"lines": list(layer.lines)} if layer.lines else {}),
        "instruction": _text(layer.instruction),
        "created_by": plain(layer.created_by),
        "source": _text(layer.source),
        "evidence": layer.evidence.value,
        "trust": layer.trust.value,
    }


def stage_json(stage: StageInfo) -> Json:
    """Return one of ``image.stages[]``."""
    return {
        "index": stage.index,
        "name": stage.name,
        "from": plain(stage.base),
        "line": stage.line,
        "used": stage.used,
        "in_image": stage.in_image,
        "shipped_bytes": stage.shipped_bytes,
        "shipped_files": stage.shipped_files,
        "size": stage.size,
        "carried_by": [carrier_json(carrier) for carrier in stage.carried_by],
    }


def carrier_json(carrier: Carrier) -> Json:
    """Return one of ``carried_by[]``."""
    return {
        "layer": carrier.layer,
        "line": carrier.line,
        "instruction": _text(carrier.instruction),
    }


def finding_json(finding: Finding) -> Json:
    """Return one of ``findings[]``."""
    return {"code": finding.code, "message": plain(finding.message), **_plain_values(finding.facts)}


def record_json(record: FileRecord) -> Json:
    """Return one of ``files.data[]``."""
    return {
        **path_json("path", f"/{record.path}"),
        "implicit": record.implicit,
        "type": record.kind.word,
        "size": record.size,
        "mode": record.mode,
        "uid": record.uid,
        "gid": record.gid,
        "mtime": record.mtime,
        **path_json("link_target", record.link_target),
        "digest": record.digest,
        "layer": record.layer,
        "change": record.change.value,
        "stage": record.stage,
        "stage_index": record.stage_index,
        "carried_from": record.carried_from,
        "origin": origin_json(record.origin),
        "trust": record.trust.value,
    }


def origin_json(origin: Origin) -> Json:
    """Return ``origin``."""
    return {
        "kind": origin.kind.value,
        "stage": origin.stage,
        "stage_index": origin.stage_index,
        "line": origin.line,
        "instruction": _text(origin.instruction),
        **path_json("path", origin.path),
        "image": _text(origin.image),
    }


def hop_json(hop: Hop) -> Json:
    """Return one of ``why.data[].hops[]``."""
    return {
        "place": hop.place,
        "layer": hop.layer,
        "stage": hop.stage,
        "stage_index": hop.stage_index,
        "line": hop.line,
        "instruction": _text(hop.instruction),
        "action": hop.action.value,
        **path_json("path", hop.path or None),
        "trust": hop.trust.value,
        "evidence": hop.evidence.value,
        "detail": plain(hop.detail),
        **({"candidates": [plain(c) for c in hop.candidates]} if hop.candidates else {}),
    }


def version_json(version: Version) -> Json:
    """Return one of ``why.data[].history[]``."""
    return {
        "layer": version.layer,
        "change": version.change.value,
        "size": version.size,
        "mode": version.mode,
        "digest": version.digest,
    }


def why_json(
    record: FileRecord,
    chain: Chain,
    versions: Iterable[Version],
    shares: Iterable[ShareRow],
    package: Json | None,
) -> Json:
    """Return one of ``why.data[]``."""
    return {
        **path_json("path", f"/{record.path}"),
        "record": record_json(record),
        "package": package,
        "hops": [hop_json(hop) for hop in chain.hops],
        "history": [version_json(version) for version in versions],
        "shares": [_part_json(row) for row in shares],
    }


def _part_json(row: ShareRow) -> Json:
    """Return one of ``why.data[].shares[]``: what a directory holds of one source."""
    return {
        "kind": row.kind,
        "name": plain(row.name),
        "stage_index": row.stage_index,
        "bytes": row.shipped_bytes,
        "files": row.shipped_files,
        "trust": row.trust.value,
    }


def share_json(row: ShareRow) -> Json:
    """Return one of ``stages.data[]``."""
    return {
        "kind": row.kind,
        "name": plain(row.name),
        "stage_index": row.stage_index,
        "from": _text(row.base),
        "steps": row.steps,
        "size": row.size,
        "shipped_bytes": row.shipped_bytes,
        "shipped_files": row.shipped_files,
        "stays_behind": row.stays_behind,
        "trust": row.trust.value,
        "carried_by": [carrier_json(carrier) for carrier in row.carried_by],
    }


def plain(text: str) -> str:
    r"""Return text that JSON can hold: bytes that are not UTF-8 become ``\xNN``.

    Half a character of UTF-16, which hostile JSON may hold, becomes ``\uNNNN``.
    """
    return text if text.isascii() else _SURROGATES.sub(_escape_surrogate, text)


def _escape_surrogate(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code - 0xDC00:02x}" if 0xDC80 <= code <= 0xDCFF else f"\\u{code:04x}"  # noqa: PLR2004


def _text(text: str | None) -> str | None:
    return None if text is None else plain(text)


def path_json(key: str, path: str | None) -> Json:
    """Return a path, and its exact bytes beside it where it is not UTF-8."""
    if path is None or path == (shown := plain(path)):
        return {key: path}
    exact = base64.b64encode(path.encode("utf-8", "surrogateescape")).decode()
    return {key: shown, f"{key}_b64": exact}


def _plain_values(facts: Mapping[str, object]) -> Json:
    return {key: plain(v) if isinstance(v, str) else v for key, v in facts.items()}
