"""Finding what a user means by a path, and which of its copies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from layertrace.errors import PathNotFoundError
from layertrace.layers.cache import IndexCache
from layertrace.pipeline.hints import Hints
from layertrace.pipeline.trace import open_image
from tests.builders import docker_archive, image, layer, symlink

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from layertrace.pipeline.answers import ImageTrace

LOWER = layer({"etc/app.conf": b"one", "usr/bin/env": b"#!", "bin": symlink("usr/bin")})
UPPER = layer({"etc/app.conf": b"two", "opt/tool/bin/env": b"", "round": symlink("round")})


@pytest.fixture
def trace(tmp_path: Path) -> Iterator[ImageTrace]:
    """An image of two layers."""
    path = tmp_path / "app.tar"
    path.write_bytes(docker_archive(image(LOWER, UPPER)))
    opening = open_image(str(path), Hints(), IndexCache(tmp_path / "cache", limit=0))
    try:
        yield opening.walk()
    finally:
        opening.close()


def _content(trace: ImageTrace, path: str, layer_index: int | None = None) -> bytes:
    return b"".join(trace.read(path, layer_index))


def test_read_gives_the_copy_that_ships_or_that_of_a_layer(trace: ImageTrace) -> None:
    """An index from 0 names the layer."""
    assert _content(trace, "etc/app.conf") == b"two"
    assert _content(trace, "etc/app.conf", 0) == b"one"
    assert _content(trace, "etc/app.conf", 1) == b"two"


@pytest.mark.parametrize("layer_index", [-1, 2])
def test_read_refuses_a_layer_that_is_not_there(trace: ImageTrace, layer_index: int) -> None:
    """It says how many there are."""
    with pytest.raises(PathNotFoundError, match="there is no layer") as caught:
        _content(trace, "etc/app.conf", layer_index)
    assert caught.value.why == "the image has 2"


def test_read_refuses_a_path_the_layer_does_not_have(trace: ImageTrace) -> None:
    """Though another one has it."""
    with pytest.raises(PathNotFoundError, match="layer 1 has no /usr/bin/env"):
        _content(trace, "usr/bin/env", 1)


@pytest.mark.parametrize(
    ("path", "resolved"),
    [
        pytest.param("/etc/app.conf", "etc/app.conf", id="absolute"),
        pytest.param("etc//./app.conf/", "etc/app.conf", id="as-people-write"),
        pytest.param("/bin/env", "usr/bin/env", id="link-on-the-way"),
        pytest.param("/bin", "bin", id="a-last-link-stays"),
        pytest.param("/bin/none", "usr/bin/none", id="not-there"),
        pytest.param("/none", "none", id="not-there-at-the-top"),
        pytest.param("/", "", id="root"),
        pytest.param("/round/x", "round/x", id="link-to-itself"),
    ],
)
def test_resolve_follows_links_but_the_last(trace: ImageTrace, path: str, resolved: str) -> None:
    """A link has an origin of its own."""
    assert trace.resolve(path) == resolved


def test_follow_follows_the_last_link_too(trace: ImageTrace) -> None:
    """As a program that opens the path."""
    assert trace.follow("/bin") == "usr/bin"
    assert trace.follow("/bin/env") == "usr/bin/env"
    assert trace.follow("/round") == "round"


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        pytest.param("usr/sbin/env", "did you mean /usr/bin/env?", id="most-folders-in-common"),
        pytest.param("etc/app.cnf", "did you mean /etc/app.conf?", id="a-slip"),
        pytest.param("et", "did you mean /etc?", id="at-the-top"),
        pytest.param("srv/www/index.html", "", id="nothing-like-it"),
    ],
)
def test_missing_offers_the_nearest_path(trace: ImageTrace, path: str, hint: str) -> None:
    """The same name elsewhere, else a similar name in the same folder."""
    assert trace.missing(path).hint == hint


def test_record_and_versions_refuse_what_was_never_there(trace: ImageTrace) -> None:
    """With the same words."""
    for ask in (trace.record, trace.versions, trace.chain):
        with pytest.raises(PathNotFoundError, match="/none is not in"):
            ask("none")
