"""JSON documents to model values, every error naming its key: ``layers[2].digest``.

Source: OCI image-spec, ``manifest.md``, ``config.md``, ``descriptor.md``.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Final

from layertrace.errors import ArchiveError, DecodeError, LimitError
from layertrace.model.image import HistoryEntry, ImageConfig, Platform
from layertrace.model.limits import DEFAULTS

if TYPE_CHECKING:
    from layertrace.archive.store import BlobStore
    from layertrace.model.limits import Limits

MAX_JSON: Final = DEFAULTS.json
"""Bytes of one document that an engine sends."""
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}\Z|sha512:[0-9a-f]{128}\Z")
_SHOWN: Final = 60
_SPARSEST: Final = 5
"""Bytes of a document to each of its values: less is not written by any program, and
each takes a hundred bytes of memory."""
_STRING: Final = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
_BRACKETS: Final = {"[": 1, "{": 1, "]": -1, "}": -1}
_NO_BRACKET: Final = re.compile(r"[^][{}]+")


@dataclass(frozen=True, slots=True)
class Node:
    """A value inside a JSON document that knows where it stands."""

    value: object
    where: str
    document: str

    def get(self, key: str) -> Node:
        """Return the member ``key``; its value is None where it is missing.

        Another case will do, as for the Go programs that read and write these
        documents.
        """
        fields = self.mapping()
        if key not in fields:
            folded = key.casefold()
            key = next((name for name in fields if name.casefold() == folded), key)
        return Node(fields.get(key), f"{self.where}.{key}" if self.where else key, self.document)

    def misspelt(self, *keys: str) -> tuple[str, ...]:
        """Return the members that are one of ``keys`` but for their case."""
        folded = {key.casefold() for key in keys}
        return tuple(n for n in self.mapping() if n not in keys and n.casefold() in folded)

    def mapping(self) -> dict[str, object]:
        """Return the object; ``null`` counts as empty.

        Raises:
            DecodeError: it is something else.
        """
        if self.value is None:
            return {}
        if not isinstance(self.value, dict):
            raise self.wrong("an object")
        return self.value

    def items(self) -> list[Node]:
        """Return the array's items; ``null`` and a missing key count as empty."""
        if self.value is None:
            return []
        if not isinstance(self.value, list):
            raise self.wrong("an array")
        return [Node(v, f"{self.where}[{i}]", self.document) for i, v in enumerate(self.value)]

    def text(self, default: str | None = None) -> str:
        """Return the string; ``default`` where it is missing or null."""
        if self.value is None and default is not None:
            return default
        if not isinstance(self.value, str):
            raise self.wrong("a string")
        return self.value

    def number(self) -> int:
        """Return the integer."""
        if not isinstance(self.value, int) or isinstance(self.value, bool):
            raise self.wrong("an integer")
        return self.value

    def digest(self) -> str:
        """Return the digest."""
        if not isinstance(self.value, str) or not _DIGEST.match(self.value):
            raise self.wrong('"sha256:" and 64 hex digits')
        return self.value

    def texts(self) -> dict[str, str]:
        """Return an object whose values are strings."""
        fields = self.mapping()
        return {key: self.get(key).text("") for key in fields}

    def wrong(self, expected: str) -> DecodeError:
        """Return the error that says what stands here instead."""
        try:
            shown = json.dumps(self.value)
        except RecursionError:
            shown = "something nested too deeply"
        if len(shown) > _SHOWN:
            shown = shown[: _SHOWN - 1] + "…"
        got = "nothing" if self.value is None else shown
        return DecodeError(
            where=self.where or "document", expected=expected, got=got, document=self.document
        )


def parse_json(data: bytes, document: str, limits: Limits = DEFAULTS) -> Node:
    """Return the root of the JSON text ``data``.

    Raises:
        ArchiveError: it is not JSON.
        LimitError: it is nested deeper, or holds more values, than any document.
    """
    try:
        text = data.decode(json.detect_encoding(data), "surrogatepass")
        _check_shape(text, document, limits)
        return Node(json.loads(text), "", document)
    except (ValueError, RecursionError) as error:
        why = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise ArchiveError(f"{document} is not valid JSON", why=why) from error


def read_json(store: BlobStore, blob: str, document: str = "") -> Node:
    """Return the root of a JSON file of an archive; ``document`` is what messages call it.

    Raises:
        ArchiveError: it is missing, cut short or not JSON.
        LimitError: it is larger or nested deeper than any document.
    """
    data = store.read(blob, limit=store.limits.json)
    return parse_json(data, document or f"{blob} in {store.name}", store.limits)


def _check_shape(text: str, document: str, limits: Limits) -> None:
    opening = text.count("[") + text.count("{")
    values = opening + text.count(",") + text.count(":")
    if values > max(limits.json, len(text)) // _SPARSEST:
        raise LimitError(
            f"{document} holds up to {values:,} values", limit="json", allowed=limits.json
        )
    if opening <= limits.json_depth:
        return
    brackets = _NO_BRACKET.sub("", _STRING.sub("", text))
    depth = max(accumulate(map(_BRACKETS.__getitem__, brackets)), default=0)
    if depth > limits.json_depth:
        raise LimitError(
            f"{document} is nested {depth:,} deep", limit="json-depth", allowed=limits.json_depth
        )


def decode_platform(node: Node) -> Platform:
    """Return the platform an index entry or configuration names."""
    return Platform(
        os=node.get("os").text(""),
        architecture=node.get("architecture").text(""),
        variant=node.get("variant").text(""),
    )


def decode_config(
    data: bytes, *, digest: str, document: str, limits: Limits = DEFAULTS
) -> ImageConfig:
    """Return an image configuration."""
    root = parse_json(data, document, limits)
    rootfs = root.get("rootfs")
    runtime = root.get("config")
    environment = (node.text().partition("=") for node in runtime.get("Env").items())
    return ImageConfig(
        digest=digest,
        platform=decode_platform(root),
        diff_ids=tuple(node.digest() for node in rootfs.get("diff_ids").items()),
        history=tuple(_history(node) for node in root.get("history").items()),
        created=root.get("created").text(""),
        env={name: value for name, _, value in environment},
        working_dir=runtime.get("WorkingDir").text(""),
        user=runtime.get("User").text(""),
        on_build=tuple(node.text() for node in runtime.get("OnBuild").items()),
        labels=runtime.get("Labels").texts(),
    )


def _history(node: Node) -> HistoryEntry:
    return HistoryEntry(
        created_by=node.get("created_by").text(""),
        comment=node.get("comment").text(""),
        created=node.get("created").text(""),
        author=node.get("author").text(""),
        empty_layer=node.get("empty_layer").value is True,
    )
