"""Every kind of secret is found where it lies, and its value shown nowhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from layertrace.analysis.audit.secrets import Secrets, search_secrets
from layertrace.analysis.secrets.files import _RULES
from layertrace.analysis.secrets.vendors import TOKENS
from layertrace.layers.cache import IndexCache
from layertrace.pipeline.hints import Hints
from layertrace.pipeline.trace import open_image
from tests.builders import docker_archive, image, layer
from tests.planted import Plant, all_plants
from tests.sample_support import ROOT

if TYPE_CHECKING:
    from pathlib import Path

PLANTS: Final = all_plants()


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Secrets:
    """All plants in one image."""
    folder = tmp_path_factory.mktemp("planted")
    path = folder / "image.tar"
    files = {plant.path: plant.content for plant in PLANTS}
    path.write_bytes(docker_archive(image(layer(files))))
    return secrets_of(path)


def secrets_of(path: Path) -> Secrets:
    """Return the secrets of an archive."""
    opening = open_image(str(path), Hints(), IndexCache(path.parent, limit=0))
    try:
        return search_secrets(opening.walk(hashing=False))
    finally:
        opening.close()


@pytest.mark.parametrize("plant", PLANTS, ids=repr)
def test_planted_secret_is_found(found: Secrets, plant: Plant) -> None:
    """A secret in its vendor's format is a match, once, with its kind and without a doubt."""
    details = [match.detail for match in found.matches if match.path == plant.path]
    assert len(details) == 1, [kind.partition(" (")[0] for kind in details]
    assert details[0].startswith(plant.kind)
    assert not [match for match in found.doubtful if match.path == plant.path]


def test_nothing_else_is_found(found: Secrets) -> None:
    """Each match is a plant."""
    paths = {plant.path for plant in PLANTS}
    assert {match.path for match in (*found.matches, *found.doubtful)} == paths


def test_no_value_is_in_what_is_found(found: Secrets) -> None:
    """Neither a match nor its repr holds a value, nor eight characters of one in a row."""
    text = repr(found)
    for plant in PLANTS:
        pieces = [plant.value[n : n + 12] for n in range(12, len(plant.value) - 12)]
        shown = [each for each in (plant.value, *pieces) if each in text]
        assert not shown, f"{plant!r} is shown"


def test_line_is_told(found: Secrets) -> None:
    """A match says on which line of the file the secret is."""
    detail = {match.path: match.detail for match in found.matches}
    assert detail["srv/0.js"] == "GitHub token, line 3 (gho_…, 40 characters)"


def test_every_kind_is_planted_and_documented() -> None:
    """No pattern goes untested, and the documentation names each."""
    document = (ROOT / "docs/secrets.md").read_text(encoding="utf-8")
    planted = {plant.kind for plant in PLANTS}
    for kind in {*(each.kind for each in TOKENS), *(each.kind for each in _RULES)}:
        assert kind in planted | {"Google API key", "Stripe key"}, kind
        assert kind in document, kind
