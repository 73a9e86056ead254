"""Secrets that a build left in the image's configuration: variables and its history."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from layertrace.analysis.secrets.texts import find_in_text
from layertrace.analysis.secrets.values import is_secret_name, value_hit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from layertrace.analysis.secrets.hits import Hit
    from layertrace.model.image import ImageConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """One secret of a configuration, told once however often it stands there."""

    hit: Hit
    where: str
    """In words."""
    keyword: str
    """Of the instruction that tells it: ``ENV``; ``""`` where that is not known."""
    name: str
    """Of the variable or label; ``""`` where it has none."""
    entry: int | None
    """Of the history; None for a variable or label."""


def recorded_secrets(config: ImageConfig) -> tuple[Recorded, ...]:
    """Return the secrets of a configuration: variables first, labels, then history."""
    found: dict[bytes, Recorded] = {}
    for value, recorded in _all(config):
        # A variable is in the history too, an argument in each RUN after it.
        found.setdefault(value, recorded)
    return tuple(found.values())


def _all(config: ImageConfig) -> Iterator[tuple[bytes, Recorded]]:
    for keyword, values, where in (
        ("ENV", config.env, "an environment variable of the image"),
        ("LABEL", config.labels, "a label of the image"),
    ):
        for name, text in values.items():
            for value, hit in _variable(name, text, named=keyword == "ENV"):
                yield value, Recorded(hit=hit, where=where, keyword=keyword, name=name, entry=None)
    for number, entry in enumerate(config.history):
        for text in (entry.created_by, entry.comment, entry.author):
            yield from _recorded(text, "the image's history", number)
    for text in config.on_build:
        yield from _recorded(text, "an ONBUILD trigger of the image", None)


def _recorded(text: str, where: str, entry: int | None) -> Iterator[tuple[bytes, Recorded]]:
    for value, hit in _texts(text):
        keyword, name = _instruction(text, hit)
        yield value, Recorded(hit=hit, where=where, keyword=keyword, name=name, entry=entry)


def _variable(name: str, text: str, *, named: bool) -> Iterator[tuple[bytes, Hit]]:
    data = text.encode("utf-8", "replace")
    if named and is_secret_name(name.encode("utf-8", "replace")):
        hit = value_hit("value of a variable", data, 0, len(data))
        if hit is not None:
            yield data[hit.start : hit.end], replace(hit, start=0, end=0)
            return
    yield from _texts(text)


def _texts(text: str) -> Iterator[tuple[bytes, Hit]]:
    data = text.encode("utf-8", "replace")
    for hit in find_in_text(data):
        yield data[hit.start : hit.end], hit


def _instruction(text: str, hit: Hit) -> tuple[str, str]:
    """Return the keyword of a history entry, and the variable that a hit is the value of."""
    command = text.removeprefix("/bin/sh -c #(nop)").strip()
    word = command.split(" ", 1)[0]
    keyword = word if word in {"ENV", "ARG", "RUN", "LABEL", "CMD", "ENTRYPOINT"} else "RUN"
    name = hit.kind.removeprefix("value of ").lstrip("-") if "value of " in hit.kind else ""
    return keyword, name
