"""Findings in words: whose layer, what is wrong, what to do."""

from __future__ import annotations

from array import array

import pytest

from layertrace.errors import LayerError
from layertrace.layers.index import LayerIndex
from layertrace.model.image import Absence, Image, ImageConfig, LayerRef, Platform
from layertrace.model.origin import Finding
from layertrace.pipeline.damage import layer_findings, refuse_nothing
from layertrace.views.findings import fact_words, finding_words, next_step, worst_first

CUT = "layer 1 (sha256:0123456789ab…) is cut short"


@pytest.mark.parametrize(
    ("message", "facts", "words", "brief"),
    [
        pytest.param(
            CUT,
            {"layer": 1},
            "L2 (sha256:0123456789ab…) is cut short",
            "L2 is cut short",
            id="layer",
        ),
        pytest.param("layer 0: x", {"layer": 0}, "L1: x", "L1: x", id="no digest"),
        pytest.param(CUT, {}, CUT, CUT, id="no layer of this image"),
        pytest.param("layer 10 x", {"layer": 1}, "layer 10 x", "layer 10 x", id="another's name"),
        pytest.param("a layer 1", {"layer": 1}, "a layer 1", "a layer 1", id="in the middle"),
    ],
)
def test_a_layer_is_called_as_its_row(
    message: str, facts: dict[str, object], words: str, brief: str
) -> None:
    """Only where the facts say that it is one: a message may quote anything."""
    finding = Finding(code="x", message=message, facts=facts)
    assert finding_words(finding) == words
    assert finding_words(finding, brief=True) == brief


def test_the_first_difference_of_a_dockerfile_comes_first_in_a_line() -> None:
    """The line under the head is short; its facts are all there is to it."""
    facts: dict[str, object] = {"declared": "line 3, RUN a \\\n b", "recorded": "RUN c"}
    finding = Finding(code="dockerfile-contradicted", message="D is not it", facts=facts)
    assert finding_words(finding) == "D is not it"
    told = "not this image's Dockerfile: line 3, RUN a \\ b; it has RUN c"
    assert finding_words(finding, brief=True) == told
    finding = Finding(code="dockerfile-contradicted", message="D is not it")
    assert finding_words(finding, brief=True) == "D is not it"


def _index(damage: str = "") -> LayerIndex:
    none = array("q")
    return LayerIndex(
        paths=(), kinds=b"", sizes=none, modes=none, uids=none, gids=none, mtimes=none,
        offsets=none, damage=damage,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("absence", "step"),
    [
        pytest.param(None, "save or copy the image again", id="damaged"),
        pytest.param(Absence.MISSING, "save or copy the image again, with all", id="missing"),
        pytest.param(Absence.FOREIGN, "skopeo copy IMAGE docker-archive:FILE", id="foreign"),
        pytest.param(Absence.ENCRYPTED, "skopeo copy --decryption-key KEY", id="encrypted"),
    ],
)
def test_what_cannot_be_read_has_a_next_step(absence: Absence | None, step: str) -> None:
    """As a finding beside other layers, and as the error where there is no other."""
    layer = LayerRef(index=0, diff_id="", blob="x", absence=absence)
    config = ImageConfig(
        digest="", platform=Platform(os="linux", architecture="amd64"), diff_ids=("",)
    )
    image = Image(reference="app.tar", config=config, layers=(layer,))
    (found,) = layer_findings(image, [_index("layer 0 is away")])
    assert next_step(found.code).startswith(step)
    with pytest.raises(LayerError, match="is away") as caught:
        refuse_nothing(image, [_index("layer 0 is away")])
    assert caught.value.hint == next_step(found.code)
    refuse_nothing(image, [_index()])


def test_a_finding_that_says_enough_has_no_step() -> None:
    """Most do."""
    assert not next_step("no-end-marker")


def test_what_is_lost_comes_before_what_is_only_strange() -> None:
    """There is a line for one of them; the others of a kind stay as they are."""
    codes = ("squashed-layers", "layer-missing", "repeated-path", "stage-contradicted")
    found = [Finding(code=code, message=code) for code in (*codes, "archive-damaged")]
    assert [each.code for each in worst_first(found)] == [
        "layer-missing",
        "archive-damaged",
        "stage-contradicted",
        "squashed-layers",
        "repeated-path",
    ]


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("layers", [0, 2], "L1, L3"),
        ("layers", 3, "3"),
        ("platforms", ["linux/386", "linux/arm64"], "linux/386, linux/arm64"),
        ("stages", {"build": ["a", "b"], "test": "c"}, "build: a, b, test: c"),
        ("truncated", True, "yes"),
        ("expected", None, "not known"),
    ],
)
def test_facts_are_said_as_people_write_them(name: str, value: object, words: str) -> None:
    """Layers as their rows are called: in JSON they are counted from 0."""
    assert fact_words(name, value) == words
