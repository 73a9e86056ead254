"""Files that stand elsewhere now."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.builders import hardlink
from tests.difference_images import compared, of_layers

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.builders import Content

BIG = b"b" * 300
OTHER = b"o" * 300
TINY = b"t" * 255


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        pytest.param({"a": BIG}, {"b": BIG}, {"a": "b"}, id="renamed"),
        pytest.param({"a": BIG}, {"b": OTHER}, {}, id="other content of one size"),
        pytest.param({"a": TINY}, {"b": TINY}, {}, id="too small to tell"),
        pytest.param({"a": b""}, {"b": b""}, {}, id="empty"),
        pytest.param({"a": BIG}, {"b": BIG, "c": BIG}, {}, id="one became two"),
        pytest.param({"a": BIG}, {"a": OTHER, "b": BIG}, {}, id="not removed"),
        pytest.param(
            {"app/x/LICENSE": BIG, "app/y/LICENSE": BIG},
            {"srv/x/LICENSE": BIG, "srv/y/LICENSE": BIG},
            {"app/x/LICENSE": "srv/x/LICENSE", "app/y/LICENSE": "srv/y/LICENSE"},
            id="told apart by their folders",
        ),
        pytest.param(
            {"x/one": BIG, "x/two": BIG}, {"y/one": BIG, "y/three": BIG}, {"x/one": "y/one"},
            id="as far as names agree",
        ),
        pytest.param(
            {f"x/{n}": BIG for n in range(33)}, {f"y/{n}": BIG for n in range(33)}, {},
            id="content that is everywhere",
        ),
        pytest.param(
            {"a": BIG, "k": OTHER, "l": hardlink("k")}, {"b": BIG, "k": OTHER, "m": hardlink("k")},
            {"a": "b"}, id="another name is no other file",
        ),
    ],
)  # fmt: skip
def test_renamed_files_are_found(
    tmp_path: Path,
    old: Mapping[str, Content],
    new: Mapping[str, Content],
    expected: Mapping[str, str],
) -> None:
    """By content, where no other path could be meant."""
    changes = compared(tmp_path, of_layers(old), of_layers(new)).changes
    found = {changes.paths[gone]: changes.paths[come] for gone, come in changes.renames.items()}
    assert found == expected
