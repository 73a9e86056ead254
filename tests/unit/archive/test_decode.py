"""JSON documents to values: every error names its key."""

from __future__ import annotations

import json
import sys
from dataclasses import replace

import pytest

from layertrace.archive.decode import decode_config, decode_platform, parse_json
from layertrace.errors import ArchiveError, DecodeError, LimitError
from layertrace.model.image import HistoryEntry, ImageConfig, Platform
from layertrace.model.limits import DEFAULTS

DIGEST = "sha256:" + "0123456789abcdef" * 4


def read(value: object) -> ImageConfig:
    """Return the configuration in a JSON value."""
    return decode_config(json.dumps(value).encode(), digest=DIGEST, document="c.json")


def test_configuration_is_read_whole() -> None:
    """What tracing asks for, and nothing of the rest is in the way."""
    config = read({
        "os": "linux", "architecture": "arm", "variant": "v7", "created": "2024-01-02T03:04:05Z",
        "author": "me", "docker_version": "29",
        "config": {
            "Env": ["PATH=/bin", "EMPTY=", "LIST=a=b", "BARE"], "WorkingDir": "/app", "User": "1:2",
            "OnBuild": ["RUN x"], "Labels": {"a": "b", "n": None}, "Cmd": ["sh"],
        },
        "rootfs": {"type": "layers", "diff_ids": [DIGEST]},
        "history": [
            {"created_by": "RUN x", "comment": "buildkit", "created": "2024", "author": "me"},
            {"created_by": "CMD", "empty_layer": True}, {"empty_layer": False}, {},
        ],
    })  # fmt: skip
    assert config == ImageConfig(
        digest=DIGEST,
        platform=Platform(os="linux", architecture="arm", variant="v7"),
        diff_ids=(DIGEST,),
        history=(
            HistoryEntry(created_by="RUN x", comment="buildkit", created="2024", author="me"),
            HistoryEntry(created_by="CMD", empty_layer=True),
            HistoryEntry(),
            HistoryEntry(),
        ),
        created="2024-01-02T03:04:05Z",
        env={"PATH": "/bin", "EMPTY": "", "LIST": "a=b", "BARE": ""},
        working_dir="/app",
        user="1:2",
        on_build=("RUN x",),
        labels={"a": "b", "n": ""},
    )


@pytest.mark.parametrize(
    "value",
    [
        {},
        None,
        {"config": None, "rootfs": None, "history": None, "os": None},
        {"config": {"Env": None, "Labels": None}, "rootfs": {"diff_ids": None}},
    ],
)
def test_what_is_missing_or_null_is_empty(value: object) -> None:
    """Go writes null for an empty list."""
    assert read(value) == ImageConfig(
        digest=DIGEST, platform=Platform(os="", architecture=""), diff_ids=()
    )


@pytest.mark.parametrize(
    ("value", "where", "expected", "got"),
    [
        ([], "document", "an object", "[]"),
        ("x", "document", "an object", '"x"'),
        ({"config": 3}, "config", "an object", "3"),
        ({"config": {"Env": "A=b"}}, "config.Env", "an array", '"A=b"'),
        ({"config": {"Env": ["A=b", 7]}}, "config.Env[1]", "a string", "7"),
        ({"config": {"Labels": {"a": 1}}}, "config.Labels.a", "a string", "1"),
        ({"config": {"Labels": ["a"]}}, "config.Labels", "an object", '["a"]'),
        ({"history": {}}, "history", "an array", "{}"),
        ({"history": [{}, {"created_by": []}]}, "history[1].created_by", "a string", "[]"),
        ({"rootfs": {"diff_ids": [DIGEST, None]}}, "rootfs.diff_ids[1]",
         '"sha256:" and 64 hex digits', "nothing"),
        ({"rootfs": {"diff_ids": ["sha256:12ab"]}}, "rootfs.diff_ids[0]",
         '"sha256:" and 64 hex digits', '"sha256:12ab"'),
        ({"rootfs": {"diff_ids": [DIGEST.upper()]}}, "rootfs.diff_ids[0]",
         '"sha256:" and 64 hex digits', f'"{DIGEST.upper()[:58]}…'),
        ({"rootfs": {"diff_ids": [DIGEST + "x"]}}, "rootfs.diff_ids[0]",
         '"sha256:" and 64 hex digits', f'"{DIGEST[:58]}…'),
        ({"rootfs": {"diff_ids": [DIGEST + "\n"]}}, "rootfs.diff_ids[0]",
         '"sha256:" and 64 hex digits', f'"{DIGEST[:58]}…'),
        ({"os": True}, "os", "a string", "true"),
    ],
)  # fmt: skip
def test_wrong_type_is_named_with_its_place(
    value: object, where: str, expected: str, got: str
) -> None:
    """Key, what it should hold, what it holds, and the document."""
    with pytest.raises(DecodeError) as caught:
        read(value)
    error = caught.value
    assert (error.where, error.expected, error.got) == (where, expected, got)
    assert error.document == "c.json"
    assert str(error) == f"{where}: expected {expected}, got {got}\nin c.json"


@pytest.mark.parametrize("value", [1.5, True, "1", None, [1]])
def test_number_is_an_integer(value: object) -> None:
    """Not text, not a truth value, not a fraction."""
    with pytest.raises(DecodeError, match="size: expected an integer"):
        parse_json(json.dumps({"size": value}).encode(), "m.json").get("size").number()
    assert parse_json(b'{"size": 7}', "m.json").get("size").number() == 7


def test_another_case_of_a_key_will_do() -> None:
    """Go programs read such documents, and some tools write them; the exact key wins."""
    root = parse_json(b'{"config": "lower", "LAYERS": ["x"], "Layers": ["y"]}', "m.json")
    assert root.get("Config").text() == "lower"
    assert [node.text() for node in root.get("Layers").items()] == ["y"]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "Expecting value"),
        (b"{", "Expecting property name"),
        (b"\xff\xfe\x00", "can't decode"),
        (b'{"a": "\xe9"}', "can't decode"),
        (b"9" * 5000, "Exceeds the limit"),
        (b"{} {}", "Extra data"),
    ],
    ids=lambda value: repr(value[:9]) if isinstance(value, bytes) else "",
)
def test_what_is_no_json_is_refused(data: bytes, why: str) -> None:
    """With the document's name and what is wrong."""
    with pytest.raises(ArchiveError, match=r"^m\.json is not valid JSON") as caught:
        parse_json(data, "m.json")
    assert why in caught.value.why
    assert len(str(caught.value).splitlines()) <= 3


def test_what_is_nested_as_deep_as_can_be_read_is_still_an_error() -> None:
    """Showing what was found instead must not fail on its own, whatever the limit."""
    limits = replace(DEFAULTS, json_depth=1 << 20)
    for depth in range(sys.getrecursionlimit() // 2, sys.getrecursionlimit()):
        data = b'{"os": ' + b"[" * depth + b"]" * depth + b"}"
        with pytest.raises(ArchiveError):
            decode_platform(parse_json(data, "m.json", limits))
    with pytest.raises(ArchiveError, match="is not valid JSON") as caught:
        parse_json(b"[" * 200_000, "m.json", limits)
    assert caught.value.why == "nested too deeply"


@pytest.mark.parametrize(
    ("data", "depth"),
    [
        (b"[" * 200_000, 200_000),
        (b'{"a":' * 100_000, 100_000),
        (b'["]"' + b"[" * 300, 301),
        (b'["\\"]]]", ' * 250, 250),
        (b"[" * 250 + b'"\\', 250),
    ],
    ids=lambda value: repr(value[:9]) if isinstance(value, bytes) else "",
)
def test_json_nested_deeper_than_the_limit_is_refused(data: bytes, depth: int) -> None:
    """Before it is parsed; what stands in strings does not count."""
    with pytest.raises(LimitError, match=rf"^m\.json is nested {depth:,} deep") as caught:
        parse_json(data, "m.json")
    assert (caught.value.limit, caught.value.allowed) == ("json-depth", 200)


def test_brackets_in_strings_and_side_by_side_are_not_nested() -> None:
    """However many there are."""
    assert len(parse_json(json.dumps(["[{" * 999] * 99 + [[]] * 999).encode(), "m").items()) == 1098


def test_json_of_more_values_than_bytes_have_reason_to_hold_is_refused() -> None:
    """An empty array is three bytes, and seventy in memory."""
    limits = replace(DEFAULTS, json=30)
    assert len(parse_json(b"[[], [], []]", "m.json", limits).items()) == 3
    with pytest.raises(LimitError, match=r"^m\.json holds up to 8 values") as caught:
        parse_json(b"[[],[],[],[]]", "m.json", limits)
    assert caught.value.limit == "json"
