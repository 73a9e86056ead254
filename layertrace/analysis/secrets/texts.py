"""Secrets in short texts: the instructions, commands and variables of a configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layertrace.analysis.secrets.search import find_hits
from layertrace.analysis.secrets.values import carried_values, word_values

if TYPE_CHECKING:
    from layertrace.analysis.secrets.hits import Hit


def find_in_text(data: bytes) -> tuple[Hit, ...]:
    """Return all secrets of a text in order, by form, by name and as URLs carry them."""
    found = [*find_hits(data), *carried_values(data), *(hit for _, hit in word_values(data))]
    hits: list[Hit] = []
    end = 0
    for hit in sorted(found, key=lambda hit: (hit.start, -hit.end)):
        if hit.start >= end:
            hits.append(hit)
            end = hit.end
    return tuple(hits)


def hide_secrets(text: str) -> str:
    """Return a text with every value that may be secret replaced by an ellipsis.

    >>> hide_secrets("RUN |1 NPM_TOKEN=hunter2 /bin/sh -c npm ci")
    'RUN |1 NPM_TOKEN=… /bin/sh -c npm ci'
    """
    # A byte for each character, so that offsets are the text's own.
    data = text.encode("ascii", "replace")
    parts, end = [], 0
    for hit in find_in_text(data):
        parts += [text[end : hit.start], "…"]
        end = hit.end
    return "".join((*parts, text[end:]))
