"""An archive that lies about a large layer's contents answers for no honest one."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from layertrace.layers.cache import IndexCache
from layertrace.pipeline import kept_layers
from layertrace.pipeline.hints import Hints
from layertrace.pipeline.trace import open_image
from tests.builders import docker_archive, image, layer

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def digest(archive: Path, cache: IndexCache, *, verify: bool = False) -> str | None:
    """Return the digest of the one file of an archive."""
    opening = open_image(str(archive), Hints(verify=verify), cache)
    try:
        return opening.walk().digest("a")
    finally:
        opening.close()


def test_what_is_learned_of_unseen_bytes_stays_with_their_archive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same diff_id and length, other bytes: too large to be read whole at once."""
    monkeypatch.setattr(kept_layers, "VERIFY_LIMIT", 0)
    honest, lying = tmp_path / "honest.tar", tmp_path / "lying.tar"
    tar = layer({"a": b"honest"})
    honest.write_bytes(docker_archive(image(tar, tags=["app:1"])))
    content = honest.read_bytes()
    assert content.count(b"honest") == 1
    lying.write_bytes(content.replace(b"honest", b"lying!"))

    cache = IndexCache(tmp_path / "cache")
    opening = open_image(str(honest), Hints(verify=True), cache)
    opening.walk()
    opening.close()
    assert digest(lying, cache) == f"sha256:{hashlib.sha256(b'lying!').hexdigest()}"
    assert digest(honest, cache) == f"sha256:{hashlib.sha256(b'honest').hexdigest()}"
    assert digest(lying, cache) == f"sha256:{hashlib.sha256(b'lying!').hexdigest()}"
    cache.close()
