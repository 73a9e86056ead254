"""Named build contexts: what a name in FROM or --from is replaced by."""

from __future__ import annotations

import pytest

from layertrace.dockerfile.contexts import contexts_for, find_context
from layertrace.dockerfile.parse import parse_build


def copied(name: str, contexts: dict[str, str] | None) -> tuple[str | None, str | None, bool]:
    """Return what a COPY --from of a name is taken for: image, context, whether in doubt."""
    build = parse_build(f"FROM x\nCOPY --from={name} a b\n", contexts=contexts)
    step = build.stages[0].instructions[0]
    return step.source_image, step.source_context, step.source_doubtful


@pytest.mark.parametrize(
    ("name", "contexts", "expected"),
    [
        pytest.param("src", {"src": "local:src"}, (None, "src", False), id="a folder"),
        pytest.param("src", {"src": "https://x/y.git"}, (None, "src", False), id="a repository"),
        pytest.param("src", {"src": "input:app"}, (None, "src", True), id="another target"),
        pytest.param("i", {"i": "docker-image://a/b:1"}, ("a/b:1", None, False), id="an image"),
        pytest.param(
            "i", {"i": "oci-layout://i@sha256:0"}, ("oci-layout://i@sha256:0", None, False),
            id="a layout",
        ),
        pytest.param("nginx", {}, ("nginx", None, False), id="a word, no contexts"),
        pytest.param("nginx", {"a": "local:a"}, ("nginx", None, False), id="a word, others"),
        pytest.param("nginx", None, ("nginx", None, True), id="a word, contexts not told"),
        pytest.param("nginx:1", None, ("nginx:1", None, False), id="a tag"),
        pytest.param("acme/nginx", None, ("acme/nginx", None, False), id="an owner"),
        pytest.param("host:5000/a", None, ("host:5000/a", None, False), id="a registry"),
    ],
)  # fmt: skip
def test_a_source_that_is_no_stage_is_an_image_or_a_context(
    name: str, contexts: dict[str, str] | None, expected: tuple[str | None, str | None, bool]
) -> None:
    """Told by the contexts of the build; a word alone is in doubt without them."""
    assert copied(name, contexts) == expected


def test_a_stage_is_no_outside_source() -> None:
    """A name that a stage has needs no further knowledge."""
    build = parse_build("FROM x AS a\nFROM y\nCOPY --from=a b c\n", contexts=None)
    step = build.stages[1].instructions[0]
    assert (step.source_stage, step.source_image, step.source_doubtful) == (0, None, False)
    assert build.contexts is None


def test_names_are_found_however_they_are_spelled() -> None:
    """As builders do: without the default registry and tag."""
    contexts = {"node": "local:a", "acme/x:1": "local:b"}
    assert find_context("docker.io/library/node:latest", contexts) == "local:a"
    assert find_context("docker.io/acme/x:1", contexts) == "local:b"
    assert find_context("node:1", contexts) is None
    assert find_context("node", None) is None


def test_a_platforms_own_context_comes_first() -> None:
    """NAME::PLATFORM is looked for before NAME, on that platform alone."""
    contexts = {"a::linux/386": "local:y", "a": "local:x", "b::linux/amd64": "local:z"}
    assert contexts_for(contexts, "linux/386") == {"a": "local:y"}
    assert contexts_for(contexts, "linux/amd64") == {"a": "local:x", "b": "local:z"}


def test_from_a_context_starts_from_what_it_is() -> None:
    """An image stands for the name; a folder has no other name; a stage comes before both."""
    contexts = {"i": "docker-image://real:2", "d": "local:d", "s": "input:s"}
    build = parse_build("FROM i\nFROM d\nFROM plain\n", contexts=contexts)
    assert [stage.base for stage in build.stages] == ["real:2", "d", "plain"]


def test_a_context_of_a_stages_name_replaces_the_stage() -> None:
    """None of its instructions is run: the result is the context."""
    text = "FROM x AS a\nRUN make\nFROM a AS b\nRUN more\nFROM b\n"
    build = parse_build(text, contexts={"b": "docker-image://real:2"})
    replaced = build.stages[1]
    assert (replaced.base, replaced.base_stage, replaced.instructions) == ("real:2", None, ())
    assert [stage.index for stage in build.chain(2)] == [1, 2]


def test_a_mount_of_a_context_is_none_of_an_image() -> None:
    """Only what is an image can be looked for among images."""
    contexts = {"assets": "local:assets", "tools": "docker-image://acme/tools:1"}
    text = "FROM x\nRUN --mount=from=assets,target=/a --mount=from=tools,target=/t make\n"
    (made,) = parse_build(text, contexts=contexts).stages[0].instructions
    assert made.mount_images == ("acme/tools:1",)
