"""``--max NAME=NUMBER``: limits as words, and what the cache may still say."""

from __future__ import annotations

import re
from dataclasses import fields, replace

import pytest

from layertrace.errors import UsageError
from layertrace.model.limits import DEFAULTS, Limits
from layertrace.views.limits import limit_rows, parse_limits
from layertrace.views.options import Reading


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("7", 7), ("2k", 2_000), ("2K", 2_000), ("5M", 5_000_000), ("5MB", 5_000_000),
        ("1G", 10**9), ("3T", 3 * 10**12), ("64MiB", 64 << 20), ("1Gi", 1 << 30), ("1kib", 1024),
    ],
)  # fmt: skip
def test_limit_is_a_number_with_or_without_a_unit(text: str, value: int) -> None:
    """Decimal as Docker counts; with an i, binary."""
    assert parse_limits((f"size={text}",)) == replace(DEFAULTS, size=value)


def test_last_of_several_values_counts() -> None:
    """As for any option."""
    given = parse_limits(("json-depth=5", "layers=9", "json-depth=6"))
    assert given == replace(DEFAULTS, json_depth=6, layers=9)


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("sizes=1", "there is no limit sizes"), ("=1", "there is no limit "),
        ("json_depth=1", "there is no limit json_depth"), ("size", "not a number"),
        ("size=", "not a number"), ("size=-1", "not a number"), ("size=1.5G", "not a number"),
        ("size=1X", "not a number"), ("size=\u0661", "not a number"), ("size=1 G", "not a number"),
    ],
)  # fmt: skip
def test_what_is_no_limit_is_refused(value: str, why: str) -> None:
    """With the word that is wrong, and how to write it."""
    with pytest.raises(UsageError, match=re.escape(f"--max {value}: {why}")):
        parse_limits((value,))


def test_every_limit_is_listed_as_it_may_be_given() -> None:
    """What the help shows can be typed, and is the default."""
    rows = limit_rows()
    assert len(rows) == len(fields(Limits))
    assert parse_limits(tuple(name for name, _ in rows)) == DEFAULTS
    assert all(re.fullmatch(r"[A-Z].{10,90}\.", bounds) for _, bounds in rows)


@pytest.mark.parametrize(
    ("given", "alters"),
    [((), False), (("entries=9",), False), (("path=9",), True), (("depth=9k",), True)],
)
def test_limits_that_leave_paths_out_do_without_the_cache(
    given: tuple[str, ...],
    alters: bool,  # noqa: FBT001 - drawn
) -> None:
    """It holds what the usual ones leave."""
    reading = Reading(image="app.tar", max=given)
    assert reading.hints().limits == reading.limits() == parse_limits(given)
    assert reading.limits().alters_index is alters
