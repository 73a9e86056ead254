"""``layertrace/trace.json``: what a trace archive adds to its image, as text and back."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from layertrace.archive.decode import Node, parse_json
from layertrace.archive.regions import TRACE_MEMBER
from layertrace.model.bundle import (
    TRACE_SCHEMA,
    BundleBase,
    BundleImage,
    BundleStage,
    ContextEntry,
    TraceBundle,
)
from layertrace.model.limits import DEFAULTS

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from layertrace.model.limits import Limits

    T = TypeVar("T")

MAX_TRACE_BYTES: Final = DEFAULTS.statement
"""Of ``trace.json``; some 200,000 files of a context fit."""

_SCHEMA: Final = re.compile(r"layertrace\.trace/([0-9]{1,6})")
_FIDELITIES: Final = ("same-build", "cached", "rebuilt")
_BUILDERS: Final = ("buildkit", "classic")
_KINDS: Final = ("file", "dir", "symlink")
_MAX_NUMBER: Final = 1 << 63


def encode_bundle(bundle: TraceBundle) -> bytes:
    """Return ``bundle`` as JSON; the same bundle always gives the same bytes."""
    document = {
        "schema": TRACE_SCHEMA,
        "builder": bundle.builder,
        "dockerfile_name": bundle.dockerfile_name,
        "dockerfile": bundle.dockerfile,
        "target": bundle.target,
        "build_args": dict(sorted(bundle.build_args.items())),
        "stages": [
            {
                "index": stage.index,
                "name": stage.name,
                "config": stage.config,
                "fidelity": stage.fidelity,
            }
            for stage in bundle.stages
        ],
        "bases": [{"reference": base.reference, "config": base.config} for base in bundle.bases],
        "images": [
            {"reference": image.reference, "config": image.config} for image in bundle.images
        ],
        "context": [_encode_entry(entry) for entry in bundle.context],
        "provenance": None if bundle.provenance is None else dict(bundle.provenance),
    }
    # ASCII only: a file name that is not UTF-8 survives as escaped surrogates.
    return json.dumps(document, separators=(",", ":")).encode("ascii") + b"\n"


def _encode_entry(entry: ContextEntry) -> dict[str, object]:
    fields: dict[str, object] = {
        "path": entry.path,
        "kind": entry.kind,
        "size": entry.size,
        "mode": entry.mode,
        "mtime": entry.mtime,
    }
    if entry.digest is not None:
        fields["digest"] = entry.digest
    if entry.link_target is not None:
        fields["link_target"] = entry.link_target
    if entry.copy_sum is not None:
        fields["copy_sum"] = entry.copy_sum
    return fields


def read_bundle(text: bytes, limits: Limits = DEFAULTS) -> TraceBundle:
    """Read ``trace.json``, which may come from anyone.

    Keys that are not known are left out: the schema number rises when one of
    these changes its meaning, not when one is added.

    Raises:
        ArchiveError: it is not JSON.
        LimitError: it is nested deeper, or holds more values, than any listing.
        DecodeError: it is of another schema, or a key does not hold what it should.
    """
    root = parse_json(text, TRACE_MEMBER, limits)
    _check_schema(root.get("schema"))
    return TraceBundle(
        builder=_choice(root.get("builder"), _BUILDERS),
        dockerfile_name=root.get("dockerfile_name").text(),
        dockerfile=root.get("dockerfile").text(),
        target=_optional(Node.text, root.get("target")),
        build_args=root.get("build_args").texts(),
        stages=tuple(_stage(node) for node in root.get("stages").items()),
        bases=tuple(_base(node) for node in root.get("bases").items()),
        images=tuple(_image(node) for node in root.get("images").items()),
        context=tuple(_entry(node) for node in root.get("context").items()),
        provenance=_optional(Node.mapping, root.get("provenance")),
    )


def _check_schema(node: Node) -> None:
    if node.value == TRACE_SCHEMA:
        return
    error = node.wrong(f'"{TRACE_SCHEMA}"')
    if isinstance(node.value, str) and _SCHEMA.fullmatch(node.value):
        error.hint = "another version of layertrace wrote it: update, or export the image again"
    raise error


def _stage(node: Node) -> BundleStage:
    return BundleStage(
        index=_whole(node.get("index")),
        name=node.get("name").text(),
        config=node.get("config").digest(),
        fidelity=_choice(node.get("fidelity"), _FIDELITIES),
    )


def _base(node: Node) -> BundleBase:
    return BundleBase(
        reference=node.get("reference").text(),
        config=node.get("config").digest(),
    )


def _image(node: Node) -> BundleImage:
    return BundleImage(
        reference=node.get("reference").text(),
        config=node.get("config").digest(),
    )


def _entry(node: Node) -> ContextEntry:
    return ContextEntry(
        path=_path(node.get("path")),
        kind=_choice(node.get("kind"), _KINDS),
        size=_whole(node.get("size")),
        mode=_whole(node.get("mode"), below=0o10000),
        # Times before 1970 exist.
        mtime=_whole(node.get("mtime"), least=-_MAX_NUMBER),
        digest=_optional(Node.digest, node.get("digest")),
        link_target=_optional(Node.text, node.get("link_target")),
        copy_sum=_optional(Node.text, node.get("copy_sum")),
    )


def _optional(decode: Callable[[Node], T], node: Node) -> T | None:
    return None if node.value is None else decode(node)


def _whole(node: Node, *, least: int = 0, below: int = _MAX_NUMBER) -> int:
    number = node.number()
    if not least <= number < below:
        raise node.wrong(f"a whole number from {least} to {below - 1}")
    return number


def _choice(node: Node, words: tuple[str, ...]) -> str:
    text = node.text()
    if text not in words:
        raise node.wrong(" or ".join(words))
    return text


def _path(node: Node) -> str:
    text = node.text()
    if not text or text.startswith("/") or ".." in text.split("/"):
        raise node.wrong("a path within the context")
    return text
