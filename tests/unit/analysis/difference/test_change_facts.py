"""Filters on the changes between two images ask each row of the image it is of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layertrace.analysis.difference.compare import Comparison
from layertrace.analysis.difference.facts import ChangeFacts
from layertrace.analysis.difference.table import change_table
from layertrace.filters.language import parse_filter
from tests.builders import file
from tests.package_images import dpkg_list, status, traced

if TYPE_CHECKING:
    from pathlib import Path

    from tests.builders import Content

LIST = "var/lib/dpkg/info/p.list"
OLD: dict[str, Content] = {
    "changed": file(b"\x7fELF", mode=0o4755),
    "gone": file(b"#!/bin/sh\n", mode=0o4755, uid=7),
    "twin": bytes(5000),
    "other": bytes(5000),
    "var/lib/dpkg/status": status(p="1"),
    LIST: dpkg_list("/changed", "/gone"),
}
NEW: dict[str, Content] = {
    "changed": file(b"plain", mode=0o755, uid=9),
    "come": file(b"\x7fELF!", uid=7),
    "twin": bytes(5001),
    "var/lib/dpkg/status": status(a="1", p="2"),
    LIST: dpkg_list("/changed"),
}


def test_each_change_is_asked_of_its_image(tmp_path: Path) -> None:
    """What was removed as it was, all else as it is."""
    texts = ("mode:setuid", "owner:7", "owner:9", "type:elf", "type:script", "dup:yes",
             "wasted:yes", "pkg:p", "digest:e", "via:copy")  # fmt: skip
    (tmp_path / "old").mkdir()
    with traced(tmp_path / "old", OLD) as old, traced(tmp_path, {"come": b"x"}, NEW) as new:
        changes = Comparison(old, new).changes
        table, facts = change_table(changes, old.table, new.table), ChangeFacts(changes, old, new)
        found = {
            text: [table.paths[row] for row in parse_filter(text).rows(table, facts)]
            for text in texts
        }
    del found["digest:e"]
    assert found == {
        "mode:setuid": ["gone"],
        "owner:7": ["come", "gone"],
        "owner:9": ["changed"],
        "type:elf": ["come"],
        "type:script": ["gone"],
        "dup:yes": ["other"],
        "wasted:yes": ["come"],
        "pkg:p": ["changed", "gone"],
        "via:copy": [],
    }
