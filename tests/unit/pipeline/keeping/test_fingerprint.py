"""A fingerprint tells any two values apart, and is the same for the same ones."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from enum import Enum
from itertools import combinations
from types import MappingProxyType
from typing import TYPE_CHECKING

import pytest

from layertrace.pipeline.keeping import fingerprint as module
from layertrace.pipeline.keeping.fingerprint import UnknownValueError, fingerprint, own_code

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class Color(Enum):
    """Two that have the value of a text."""

    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True)
class Leaf:
    """One field."""

    name: str


@dataclass(frozen=True, slots=True)
class Branch:
    """Fields of all sorts."""

    leaf: Leaf
    others: tuple[object, ...] = ()
    flags: Mapping[str, object] = field(default_factory=dict)


DIFFERENT = [
    (),
    None,
    "",
    "None",
    b"",
    0,
    1,
    "1",
    "red",
    Color.RED,
    Color.BLUE,
    ("red", "blue"),
    ("redblue",),
    (("red",), "blue"),
    {"red": "blue"},
    {"red": "blue", "a": 1},
    {"a": 1, "red": "blue"},
    frozenset({"red", "blue"}),
    frozenset({"red"}),
    Leaf("red"),
    Leaf("r\udcff"),
    Branch(Leaf("red")),
    Branch(Leaf("blue")),
    Branch(Leaf("red"), (Leaf("red"),)),
    Branch(Leaf("red"), (), {"x": Leaf("red")}),
]


def test_different_values_have_different_fingerprints() -> None:
    """None is taken for another that reads like it."""
    for one, other in combinations(DIFFERENT, 2):
        assert fingerprint(one) != fingerprint(other), (one, other)


def test_equal_values_have_the_same_fingerprint() -> None:
    """In whatever order a set has them, and whoever keeps a mapping from being changed."""
    assert fingerprint(Branch(Leaf("a"))) == fingerprint(Branch(Leaf("a")))
    assert fingerprint({"c", "a", "b"}) == fingerprint(frozenset("bac"))
    assert fingerprint({"a": [1]}) == fingerprint(MappingProxyType({"a": (1,)}))


def test_what_is_told_twice_is_told_where_it_stands() -> None:
    """One object at two places is not two objects at one."""
    one, other = Leaf("a"), Leaf("b")
    assert fingerprint(one, one, other) != fingerprint(one, other, other)
    assert fingerprint(one, one, other) != fingerprint(one, other, one)


@pytest.mark.parametrize("value", [len, object(), Leaf, Branch(Leaf("a"), (print,))])
def test_what_is_no_data_has_none(value: object) -> None:
    """What a function does is nowhere to be read."""
    with pytest.raises(UnknownValueError):
        fingerprint(value)


def test_a_changed_module_is_another_layertrace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rules may be another's without a new version; modules that are not there keep nothing."""
    assert own_code() is not None
    monkeypatch.setattr(module, "__file__", str(tmp_path / "pipeline/keeping/fingerprint.py"))
    monkeypatch.setattr(module, "_DECIDING", ("pipeline",))
    (tmp_path / "pipeline/__pycache__").mkdir(parents=True)
    (tmp_path / "pipeline/__pycache__/a.py").write_text("")
    (tmp_path / "pipeline/keeping").mkdir()
    changed = tmp_path / "pipeline/keeping/rules.py"
    changed.write_text("a")
    (tmp_path / "pipeline/notes.txt").write_text("")
    os.utime(changed, (0, 0))
    found = own_code.__wrapped__()
    assert found == ((str(changed), 1, 0),)
    os.utime(changed, (0, 1))
    assert own_code.__wrapped__() != found
    monkeypatch.setattr(module, "_DECIDING", ("zipped",))
    assert own_code.__wrapped__() is None
