"""Damage to an archive ends in an error in words, a finding, or the right answer."""

from __future__ import annotations

import functools
import lzma
import resource
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

import pytest
from backports import zstd
from hypothesis import given, settings
from hypothesis import strategies as st

from layertrace.errors import LayertraceError
from tests.builders import (
    OCI,
    blob_name,
    docker_archive,
    docker_files,
    file,
    folder,
    hardlink,
    image,
    layer,
    oci_archive,
    sha256,
    sparse,
    symlink,
    to_json,
)
from tests.readings import read_whole

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.builders import Content
    from tests.readings import File

IMAGE: Final = image(
    layer({
        "etc/": folder(0o755), "etc/hosts": file(b"localhost", mode=0o640, uid=3),
        "n" * 200: b"long", "a": hardlink("etc/hosts"), "s": sparse(9999, {4096: b"x" * 512}),
    }),
    layer({"etc/.wh.hosts": b"", "etc/link": symlink("../a"), "b/": folder(), "b/c": b"c" * 700}),
    history=["COPY etc /etc", "RUN true"],
)  # fmt: skip


def _zstd() -> bytes:
    """Return an OCI archive whose layers are packed with zstd."""
    blobs = [IMAGE.config, *map(zstd.compress, IMAGE.layers)]
    config, *layers = (
        {"mediaType": f"{OCI}.{kind}", "digest": sha256(blob), "size": len(blob)}
        for kind, blob in zip(("config.v1+json", *["layer.v1.tar+zstd"] * 2), blobs, strict=True)
    )
    manifest = to_json({"schemaVersion": 2, "config": config, "layers": layers})
    listed = {"mediaType": f"{OCI}.manifest.v1+json", "digest": sha256(manifest),
              "size": len(manifest)}  # fmt: skip
    files: dict[str, Content] = {blob_name(sha256(b)): b for b in (*blobs, manifest)}
    return layer(files | {"index.json": to_json({"manifests": [listed]})})


def _legacy() -> Mapping[str, Content]:
    """Return what engines saved before there were manifests."""
    names = [f"{number:064x}" for number in (1, 2)]
    files: dict[str, Content] = {"repositories": to_json({"app": {"1": names[1]}})}
    for number, (name, tar) in enumerate(zip(names, IMAGE.layers, strict=True)):
        parent = {"parent": names[0]} if number else {}
        files |= {f"{name}/json": to_json({"id": name, **parent}), f"{name}/layer.tar": tar}
    return files


ARCHIVES: Final = {
    "docker-archive": docker_archive(IMAGE),
    "docker-archive, packed": lzma.compress(docker_archive(IMAGE), preset=0),
    "hybrid, gzip": docker_archive(IMAGE, hybrid=True, packed=True),
    "oci-archive, gzip": oci_archive(IMAGE, packed=True, nested=True),
    "oci-archive, zstd": _zstd(),
    "legacy": layer(_legacy()),
    "layer": IMAGE.layers[0],
    "two images": layer(docker_files(IMAGE, image(layer({"x": b""}), tags=["other:1"]))),
}
UNCHECKED: Final = frozenset({"legacy", "layer"})
"""Forms in which nothing tells what the bytes should be."""
MEMORY: Final = 300 << 10
"""Kibibytes by which this process may grow while it reads."""


@functools.cache
def undamaged(name: str) -> tuple[File, ...] | str:
    """Return what the archive holds, or why nothing says which image is meant."""
    return read(ARCHIVES[name])[0]


def read(data: bytes) -> tuple[tuple[File, ...] | str, tuple[str, ...]]:
    """Return the files of an archive, or its error in words; and the codes of findings."""
    with TemporaryDirectory() as folder_name:
        path = Path(folder_name) / "app.tar"
        path.write_bytes(data)
        start = time.process_time()
        try:
            return read_whole(path)
        except LayertraceError as error:
            return str(error), ()
        finally:
            assert time.process_time() - start < 10


@pytest.mark.parametrize("name", ARCHIVES)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_damaged_bytes_end_in_words_or_the_right_answer(name: str, data: st.DataObject) -> None:
    """A few bytes are others: what is told without a finding is what was there."""
    whole = bytearray(ARCHIVES[name])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(data.draw(st.integers(1, 3))):
        # Half of a small archive is padding, in which nothing is damaged.
        offset = data.draw(
            st.integers(0, len(whole) - 1).filter(lambda at: any(whole[at & -16 : (at | 15) + 1]))
        )
        whole[offset] ^= data.draw(st.integers(1, 255))
    files, codes = read(bytes(whole))
    if isinstance(files, str):
        assert 1 <= len(files.splitlines()) <= 3
    elif name not in UNCHECKED and not codes:
        assert files == undamaged(name)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < MEMORY


@pytest.mark.parametrize("name", ARCHIVES)
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_cut_archives_end_in_words_or_the_right_answer(name: str, data: st.DataObject) -> None:
    """What is cut off is told, or was nothing but the end mark."""
    whole = ARCHIVES[name]
    files, codes = read(whole[: data.draw(st.integers(0, len(whole) - 1))])
    if not isinstance(files, str) and not codes:
        assert files == undamaged(name)


@pytest.mark.parametrize("name", ARCHIVES)
def test_undamaged_archives_are_read(name: str) -> None:
    """Else the laws above would hold of nothing."""
    files, codes = read(ARCHIVES[name])
    if name == "two images":
        assert "holds 2 images" in str(files)
    else:
        assert len(files) >= 4
        assert set(codes) <= {"no-image", "no-end-marker"}
