"""What ``verify`` found, as a table and as JSON."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from layertrace.model.origin import Trust
from layertrace.views.encode import document, finding_json, image_json, path_json, plain
from layertrace.views.tables import format_table
from layertrace.views.text import TRUST_MARKS, plural, show_name, show_size

if TYPE_CHECKING:
    from layertrace.model.verification import BlobCheck
    from layertrace.pipeline.verification.verify import Verification
    from layertrace.views.encode import Json

_HEX: Final = re.compile(r"([0-9a-f]{12})[0-9a-f]{52,}")
_TITLES: Final = ("", "WHAT", "NAME", "SIZE", "DIGEST", "DIFF_ID", "RESULT")


def verification_lines(found: Verification, *, width: int | None) -> list[str]:
    """Return a row a stored file, what is wrong in full, and what to make of it all."""
    several = len({image for check in found.checks for image in check.images}) > 1
    rows = [_row(check, several=several) for check in found.checks]
    titles = list(_TITLES)
    if several:
        titles.insert(2, "IMAGE")
    table = format_table(rows, align="<<<<><<<" if several else "<<<><<<", head=titles, width=width)
    details = [
        f"{_what(check)} {_short(check.blob)}: {show_name(each.message)}"
        for check in found.checks
        for each in check.problems
    ]
    return [*table, "", *details, *[""] * bool(details), _verdict(found)]


def _what(check: BlobCheck) -> str:
    return check.kind.value + (f" L{check.layer + 1}" if check.layer is not None else "")


def _row(check: BlobCheck, *, several: bool) -> list[str]:
    result = ", ".join(dict.fromkeys(each.code for each in check.problems)) or "ok"
    mark = TRUST_MARKS[Trust.VERIFIED if check.ok else Trust.CONTRADICTED]
    if check.ok and check.size is None:
        mark, result = " ", "; ".join(each.message for each in check.notes)
    first, *others = check.images or ("-",)
    images = [show_name(first) + (f" +{len(others)}" if others else "")] if several else []
    return [
        mark,
        _what(check),
        *images,
        _short(check.blob),
        "-" if check.size is None else show_size(check.size),
        _short(check.digest or "-"),
        _short(check.diff_id or "-"),
        _short(result),
    ]


def _verdict(found: Verification) -> str:
    wrong = sum(not check.ok for check in found.checks)
    there = [check for check in found.checks if check.size is not None]
    of = f" of {len(found.images)} images" if len(found.images) > 1 else ""
    if wrong:
        count = plural(len(found.checks), "file")
        return f"{TRUST_MARKS[Trust.CONTRADICTED]} {wrong:,} of {count}{of} not as it should be"
    return f"{TRUST_MARKS[Trust.VERIFIED]} {plural(len(there), 'file')}{of}: all as it should be"


def _short(text: str) -> str:
    """Return a text that is safe to show, its digests as long as people need them."""
    return _HEX.sub(r"\1…", show_name(text))


def verification_json(found: Verification) -> Json:
    """Return the whole document; ``image`` is null where no single one was meant."""
    return document(
        "verify",
        image=image_json(found.head) if found.head is not None else None,
        findings=[finding_json(finding) for finding in found.findings],
        data={
            "ok": found.ok,
            "images": [plain(image) for image in found.images],
            "blobs": [_check_json(check) for check in found.checks],
        },
    )


def _check_json(check: BlobCheck) -> Json:
    return {
        "kind": check.kind.value,
        **path_json("name", check.blob),
        "images": [plain(image) for image in check.images],
        "layer": check.layer,
        "size": check.size,
        "digest": check.digest or None,
        "diff_id": check.diff_id,
        "ok": check.ok,
        "problems": [finding_json(finding) for finding in check.problems],
        "notes": [finding_json(finding) for finding in check.notes],
    }
