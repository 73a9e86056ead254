"""Opening what is there, stdin included, and leaving nothing open behind a refusal."""

from __future__ import annotations

import gzip
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest

from layertrace.archive.source import open_archive, parse_reference
from layertrace.errors import ArchiveError, LayertraceError, SourceError
from tests.builders import (
    docker_archive,
    docker_files,
    image,
    layer,
    oci_archive,
    oci_files,
    sha256,
    write_folder,
)

if TYPE_CHECKING:
    from collections.abc import Callable

APP = image(layer({"a": b"x"}))
ARCHIVE = docker_archive(APP)


class Stdin:
    """The process's input, read from a file."""

    def __init__(self, path: Path) -> None:
        self._fd = os.open(path, os.O_RDONLY)

    def fileno(self) -> int:
        """Return its descriptor."""
        return self._fd

    def close(self) -> None:
        """Close it."""
        os.close(self._fd)


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "packed"])
def test_archive_is_read_from_stdin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pack: Callable[[bytes], bytes]
) -> None:
    """And stdin stays open for whoever it belongs to."""
    (tmp_path / "in").write_bytes(pack(ARCHIVE))
    stdin = Stdin(tmp_path / "in")
    monkeypatch.setattr(sys, "stdin", stdin)
    source = open_archive(parse_reference("-"))
    assert source.image.reference == "-"
    assert source.image.config.diff_ids == APP.diff_ids
    source.close()
    os.fstat(stdin.fileno())
    stdin.close()


def test_stdin_that_holds_nothing_is_said_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pipe whose other end failed."""
    (tmp_path / "in").write_bytes(b"")
    stdin = Stdin(tmp_path / "in")
    monkeypatch.setattr(sys, "stdin", stdin)
    with pytest.raises(ArchiveError, match="stdin is empty"):
        open_archive(parse_reference("-"))
    stdin.close()


def test_stdin_that_was_closed_is_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """``layertrace - <&-``."""

    def closed(fd: int) -> NoReturn:
        raise OSError(9, "Bad file descriptor")

    monkeypatch.setattr(sys, "stdin", None)
    monkeypatch.setattr(os, "dup", closed)
    with pytest.raises(SourceError, match="cannot read stdin") as caught:
        open_archive(parse_reference("-"))
    assert caught.value.why == "Bad file descriptor"


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"garbage" * 999, id="garbage"),
        pytest.param(layer({"blobs/sha256/0": b""}), id="no image"),
        pytest.param(ARCHIVE[:3000], id="cut short"),
        pytest.param(docker_archive(APP, image()), id="two images"),
        pytest.param(gzip.compress(ARCHIVE)[:300], id="packed and cut short"),
        pytest.param(layer({"manifest.json": b"[{}]"}), id="damaged manifest"),
        pytest.param(oci_archive(APP)[:3000], id="layout cut short"),
        pytest.param(
            layer(docker_files(APP) | {"layertrace/trace.json": b"{"}), id="damaged trace"
        ),
    ],
)
def test_refusal_leaves_no_file_open(tmp_path: Path, data: bytes) -> None:
    """Whatever it was that was wrong."""
    path = tmp_path / "app.tar"
    path.write_bytes(data)
    before = sum(1 for _ in Path("/dev/fd").iterdir())
    with pytest.raises(LayertraceError) as caught:
        open_archive(parse_reference(str(path)))
    assert sum(1 for _ in Path("/dev/fd").iterdir()) == before
    assert len(str(caught.value).splitlines()) <= 3


def test_refused_folder_leaves_no_file_open(tmp_path: Path) -> None:
    """A folder opens its files one by one: the manifest before the config."""
    files = oci_files(APP)
    files[f"blobs/sha256/{sha256(APP.config).removeprefix('sha256:')}"] = b"{"
    write_folder(tmp_path, files)
    before = sum(1 for _ in Path("/dev/fd").iterdir())
    with pytest.raises(ArchiveError, match="is not valid JSON"):
        open_archive(parse_reference(str(tmp_path)))
    assert sum(1 for _ in Path("/dev/fd").iterdir()) == before


def test_attestation_of_a_docker_archive_is_none(tmp_path: Path) -> None:
    """Only a layout has a place for one."""
    (tmp_path / "app.tar").write_bytes(ARCHIVE)
    source = open_archive(parse_reference(str(tmp_path / "app.tar")))
    assert source.attestation() is None
    source.close()
