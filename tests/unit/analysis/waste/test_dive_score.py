"""Dive's efficiency: every number here was printed by dive 0.13.1 for the same layers."""

from __future__ import annotations

import pytest

from layertrace.analysis.waste.dive_score import dive_efficiency
from tests.builders import Content, folder, hardlink, layer, symlink
from tests.readers import walk

Stack = list[dict[str, Content]]
FIFTY = b"x" * 50
OPAQUE = ".wh..wh..opq"


@pytest.mark.parametrize(
    ("stack", "expected"),
    [
        pytest.param([], 1, id="no layers"),
        pytest.param([{}], 1, id="empty layer"),
        pytest.param([{"a": b"12"}], 1, id="one layer"),
        pytest.param(
            [{"a": FIFTY}, {"a": b"x" * 40}, {"a": b"x" * 90}], 0.2222222222222222,
            id="the least of a path is taken for what it needs"),
        pytest.param(
            [{"a": FIFTY, "b": FIFTY}, {".wh.a": b""}], 0.5, id="file removed"),
        pytest.param(
            [{"d/": folder(), "d/a": FIFTY, "b": FIFTY}, {".wh.d": b""}], 1,
            id="directory removed: on both sides"),
        pytest.param(
            [{"d/a": FIFTY, "b": FIFTY}, {".wh.d": b""}], 1, id="without an entry of its own"),
        pytest.param(
            [{"d/": folder(), "d/a": FIFTY, "b": FIFTY}, {"d/c": b"1"}, {".wh.d": b""}], 1,
            id="directory whose entry a later layer left out"),
        pytest.param(
            [{"d/": folder(), "d/a": FIFTY, "b": FIFTY}, {"d/.wh.a": b""}, {".wh.d": b""}], 0.5,
            id="file removed, then its directory"),
        pytest.param(
            [{"d/": folder(), "d/e/": folder(), "d/e/a": FIFTY, "b": FIFTY},
             {".wh.d": b"", "d/.wh.e": b""}], 1, id="directory in a directory"),
        pytest.param(
            [{"d/": folder(), "d/a": FIFTY}, {"d/": folder(), f"d/{OPAQUE}": b"", "d/b": b"12"}],
            1, id="opaque directory"),
        pytest.param(
            [{"d": FIFTY}, {f"d/{OPAQUE}": b"", "c": b"12"}], 0.038461538461538464,
            id="opaque directory in a file's place"),
        pytest.param([{"d": FIFTY}, {OPAQUE: b"", "c": b"12"}], 1, id="opaque root"),
        pytest.param(
            [{"a": FIFTY}, {".wh.b": b"", "c": FIFTY, "-": FIFTY}], 0.99,
            id="a layer ends at the marker of nothing"),
        pytest.param([{"a": FIFTY}, {".wh.b": b""}], 0.98, id="only a marker of nothing"),
        pytest.param(
            [{"a": FIFTY}, {".wh.b": b""}, {"b": FIFTY}, {"b": b"x" * 30}], 0.6153846153846154,
            id="marker of nothing, later there"),
        pytest.param(
            [{"a/": folder(), "a/f": FIFTY}, {".wh.a": b"", "a/": folder(), "a/g": b"x" * 20},
             {".wh.a": b""}], 0.6428571428571429, id="removed and put there again"),
        pytest.param(
            [{"-a/": folder(), "-a/f": FIFTY}, {".wh.-a": b"", "-a/": folder(), "-a/g": b"x" * 20},
             {"b": b"1", ".wh.-a": b""}], 1, id="marker that comes after its path"),
        pytest.param(
            [{".wh.b": b"", "a/": folder(), "a/f": FIFTY, ".wh.a": b""}, {".wh.a": b""}], 0.49,
            id="markers in the base"),
        pytest.param(
            [{"a/": folder(), "a/f": FIFTY, ".wh.a": b"", "z": b"x" * 9}, {"z": b"x" * 9}],
            0.923728813559322, id="base that removes what it has"),
        pytest.param(
            [{"a": FIFTY, "b": hardlink("a")}, {"b": FIFTY, "a": symlink("b")}], 0, id="links"),
    ],
)  # fmt: skip
def test_efficiency_is_what_dive_prints(stack: Stack, expected: float) -> None:
    """To the last digit: dive divides the same integers."""
    assert dive_efficiency([walk(layer(members)) for members in stack]) == expected
