"""Wildcards of COPY: every rule of Go's filepath.Match, one part at a time."""

from __future__ import annotations

import pytest

from layertrace.provenance.patterns import has_wildcards, name_matches, parts_match


@pytest.mark.parametrize(
    ("pattern", "name", "expected"),
    [
        ("abc", "abc", True),
        ("abc", "abd", False),
        ("*", "abc", True),
        ("*", "", True),
        ("*", ".hidden", True),
        ("*c", "abc", True),
        ("a*", "a", True),
        ("a*/", "ab", False),
        ("a*b*c*d*e*", "axbxcxdxexxx", True),
        ("a*b?c*x", "abxbbxdbxebxczzx", True),
        ("a*b?c*x", "abxbbxdbxebxczzy", False),
        ("?", "é", True),
        ("a?b", "a\nb", True),
        ("ab[c]", "abc", True),
        ("ab[b-d]", "abc", True),
        ("ab[e-g]", "abc", False),
        ("ab[^c]", "abc", False),
        ("ab[^b-d]", "abc", False),
        ("ab[^e-g]", "abc", True),
        ("a\\*b", "a*b", True),
        ("a\\*b", "ab", False),
        ("a[^a]b", "a\u263ab", True),
        ("a???b", "a\u263ab", False),
        ("[a-\u03b6]*", "\u03b1", True),
        ("[\\]a]", "]", True),
        ("[\\-]", "-", True),
        ("[x\\-]", "x", True),
        ("[x\\-]", "z", False),
        ("[\\-x]", "-", True),
        ("arr[[]0].txt", "arr[0].txt", True),
        ("[&&~|]", "~", True),
        ("[z-a]", "m", False),
        ("[^z-a]", "m", True),
        ("[z-ab]", "b", True),
        ("a.b", "axb", False),
        # Malformed in Go:
        ("[]a]", "]", False),
        ("[-]", "-", False),
        ("[x-]", "x", False),
        ("[-x]", "x", False),
        ("[a-b-c]", "a", False),
        ("[", "a", False),
        ("[^", "a", False),
        ("[^bc", "a", False),
        ("a[", "a", False),
        ("[a\\", "a", False),
        ("\\", "\\", False),
    ],
)
def test_name_matches_as_go_does(pattern: str, name: str, expected: bool) -> None:  # noqa: FBT001
    """A table from Go's own tests; what Go calls malformed matches nothing."""
    assert name_matches(pattern, name) is expected


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("src/*.c", "src/a.c", True),
        ("src/*.c", "src/a.h", False),
        ("src", "src/below/it", True),
        ("src/lib/x", "src", True),
        ("**/*.c", "a.c", True),
        ("**/*.c", "a/b/c.c", True),
        ("src/**/x", "src/x", True),
        ("src/**/x", "lib/x", False),
    ],
)
def test_parts_match_reaches_through_folders(
    pattern: str,
    path: str,
    expected: bool,  # noqa: FBT001
) -> None:
    """Two stars stand for any number of folders; what lies above or below fits too."""
    assert parts_match(pattern.split("/"), path.split("/")) is expected


def test_has_wildcards_knows_every_special_character() -> None:
    """Only these make a source a pattern; a backslash alone is a part of the name."""
    assert all(has_wildcards(text) for text in ("*", "a?", "[a]", "a\\\\*", "\\a?"))
    assert not any(has_wildcards(text) for text in ("a-b]c", "a\\b", "a\\*b", "a\\"))
