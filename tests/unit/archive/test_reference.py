"""An ``IMAGE`` argument, taken apart. Source: CONTRACT.md, section 1."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from layertrace.archive.source import Reference, parse_platform, parse_reference
from layertrace.errors import UsageError
from layertrace.model.image import Platform

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the working folder, with a file, a folder and a file with a colon in its name."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "app.tar").write_bytes(b"")
    (tmp_path / "app").mkdir()
    (tmp_path / "a:b.tar").write_bytes(b"")
    (tmp_path / "node").write_bytes(b"")
    return tmp_path


@pytest.mark.parametrize(
    ("text", "transport", "target", "name"),
    [
        pytest.param("-", "stdin", "-", None, id="stdin"),
        pytest.param("docker-daemon:app:1", "docker-daemon", "app:1", None, id="engine"),
        pytest.param("docker-daemon:host:5000/a/b:1", "docker-daemon", "host:5000/a/b:1", None,
                     id="engine, with a registry's port"),
        pytest.param("docker-archive:app.tar", "docker-archive", "app.tar", None, id="archive"),
        pytest.param("docker-archive:app.tar:app:1", "docker-archive", "app.tar", "app:1",
                     id="archive and name"),
        pytest.param("docker-archive:app.tar:", "docker-archive", "app.tar", None,
                     id="archive and an empty name"),
        pytest.param("docker-archive:a:b.tar", "docker-archive", "a:b.tar", None,
                     id="colon in the file's name"),
        pytest.param("docker-archive:a:b.tar:x:1", "docker-archive", "a:b.tar", "x:1",
                     id="colon in the file's name and a name"),
        pytest.param("docker-archive:none.tar:x:1", "docker-archive", "none.tar", "x:1",
                     id="file that is not there"),
        pytest.param("oci-archive:app.tar:v1", "oci-archive", "app.tar", "v1", id="OCI archive"),
        pytest.param("oci:app:v1", "oci", "app", "v1", id="layout"),
        pytest.param("app.tar", "path", "app.tar", None, id="file"),
        pytest.param("app", "path", "app", None, id="folder"),
        pytest.param("node", "path", "node", None, id="file with a bare word's name"),
        pytest.param("none.tar", "path", "none.tar", None, id="file's name, not there"),
        pytest.param("NONE.TGZ", "path", "NONE.TGZ", None, id="in capitals"),
        pytest.param("./none", "path", "./none", None, id="path, not there"),
        pytest.param("/none", "path", "/none", None, id="absolute path, not there"),
        pytest.param("alpine", "docker-daemon", "alpine", None, id="bare word"),
        pytest.param("node:14", "docker-daemon", "node:14", None, id="image and tag"),
        pytest.param("docker.io/library/node:14@sha256:12", "docker-daemon",
                     "docker.io/library/node:14@sha256:12", None, id="full reference"),
        pytest.param("n" * 5000, "docker-daemon", "n" * 5000, None, id="longer than any file"),
        pytest.param("a\0b", "docker-daemon", "a\0b", None, id="NUL byte"),
    ],
)  # fmt: skip
def test_reference_is_taken_apart(
    here: Path, text: str, transport: str, target: str, name: str | None
) -> None:
    """What is there decides where the words leave it open."""
    expected = Reference(text=text, transport=transport, target=target, name=name)
    assert parse_reference(text) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the image's name is empty"),
        ("docker-archive:", "docker-archive: names no image"),
        ("oci:", "oci: names no image"),
        ("docker-daemon:", "docker-daemon: names no image"),
        ("docker://node:14", "docker://node:14 names an image of a registry"),
    ],
)
def test_reference_to_nothing_is_refused(text: str, message: str) -> None:
    """It is a mistake in the command, not in the image."""
    with pytest.raises(UsageError, match=message) as caught:
        parse_reference(text)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("text", "platform"),
    [
        ("linux/amd64", Platform(os="linux", architecture="amd64")),
        ("linux/x86_64", Platform(os="linux", architecture="amd64")),
        ("Linux/AArch64", Platform(os="linux", architecture="arm64")),
        ("linux/arm/v7", Platform(os="linux", architecture="arm", variant="v7")),
        ("windows/amd64", Platform(os="windows", architecture="amd64")),
    ],
)
def test_platform_is_read_in_the_words_of_images(text: str, platform: Platform) -> None:
    """The kernel's names of architectures are understood too."""
    assert parse_platform(text) == platform


@pytest.mark.parametrize("text", ["", "linux", "linux/", "/amd64", "linux/arm/v7/x", "a/b/c/d"])
def test_what_is_no_platform_is_refused(text: str) -> None:
    """With the shape it should have."""
    with pytest.raises(UsageError, match="is not a platform") as caught:
        parse_platform(text)
    assert "OS/ARCH" in str(caught.value)
