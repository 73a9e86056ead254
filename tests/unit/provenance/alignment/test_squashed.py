"""Layers that hold the work of several instructions, and which instructions those are."""

from __future__ import annotations

import pytest

from layertrace.dockerfile.parse import parse_build
from layertrace.model.image import HistoryEntry, ImageConfig, Platform
from layertrace.model.origin import Trust
from layertrace.provenance.alignment.history import (
    CONTRADICTED,
    SQUASHED,
    Alignment,
    LayerStep,
    align,
)

NOP = "/bin/sh -c #(nop)"
HASH = "0" * 64
COPY, RUN, WORKDIR = f"{NOP} COPY file:{HASH} in /a ", "/bin/sh -c make", f"{NOP} WORKDIR /w"
CMD = f'{NOP} CMD ["x"]'
BASE = HistoryEntry(created_by=f"{NOP} ADD file:{HASH} in / ")
LINES = 'WORKDIR /w\nCOPY a /a\nRUN make\nCMD ["x"]\n'


def _config(*history: HistoryEntry) -> ImageConfig:
    layers = [entry for entry in history if not entry.empty_layer]
    return ImageConfig(
        digest="sha256:00",
        platform=Platform(os="linux", architecture="amd64"),
        diff_ids=tuple(f"sha256:{n:064}" for n, _ in enumerate(layers)),
        history=history,
    )


def _buildah(*texts: str, comment: str = "FROM base") -> tuple[HistoryEntry, ...]:
    """Return what buildah records of one layer for all."""
    *empty, last = texts
    return (
        *(HistoryEntry(created_by=text, empty_layer=True) for text in empty),
        HistoryEntry(created_by=last, comment=comment),
    )


def _kaniko(*texts: str) -> tuple[HistoryEntry, ...]:
    return tuple(HistoryEntry(created_by=text, author="kaniko") for text in texts)


def _top(alignment: Alignment) -> LayerStep:
    assert CONTRADICTED not in [finding.code for finding in alignment.findings]
    return alignment.steps[-1]


def _parts(step: LayerStep) -> list[tuple[int, Trust]]:
    """Return the lines of the instructions of a layer, and how surely they are."""
    return [(e.instruction.line, e.trust) for e in step.parts if e.instruction is not None]


def test_align_names_the_instructions_of_one_layer_for_all() -> None:
    """They are the stage's own, as far as they change files, each tied to its entry."""
    history = _config(BASE, *_buildah(WORKDIR, COPY, RUN, CMD))
    alignment = align(history, parse_build(f"FROM base\n{LINES}"))
    top = _top(alignment)
    assert _parts(top) == [(n, Trust.VERIFIED) for n in (2, 3, 4)]
    assert (top.instruction, top.recorded, top.trust, top.others) == (None, None, Trust.UNKNOWN, ())
    recorded = [each.recorded.keyword for each in top.parts if each.recorded is not None]
    assert recorded == ["WORKDIR", "COPY", "RUN"]
    (finding,) = alignment.findings
    assert finding.code == SQUASHED
    assert finding.message.endswith("known only as far as content tells")
    assert top.part(3, "COPY a /a").recorded is top.parts[1].recorded
    assert top.part(9, "COPY a /a") is top


def test_align_parts_layers_between_the_stages_of_a_chain() -> None:
    """Each stage was committed on its own: its instructions are in its own layer."""
    dockerfile = "FROM base AS one\nRUN make\nCOPY a /a\nFROM one\nCOPY a /a\nRUN make\n"
    history = _config(BASE, *_buildah(RUN, COPY), *_buildah(COPY, RUN))
    steps = align(history, parse_build(dockerfile)).steps
    assert [_parts(step) for step in steps] == [
        [], [(2, Trust.VERIFIED), (3, Trust.VERIFIED)], [(5, Trust.VERIFIED), (6, Trust.VERIFIED)],
    ]  # fmt: skip


def test_align_ties_one_layer_to_the_only_instruction_that_changes_files() -> None:
    """Then it is that instruction's, whatever entry it stands on."""
    history = _config(BASE, *_buildah(f"{NOP} ENV A=b", COPY, CMD))
    alignment = align(history, parse_build('FROM base\nENV A=b\nCOPY a /a\nCMD ["x"]\n'))
    top = _top(alignment)
    assert top.instruction is not None
    assert (top.instruction.line, top.trust, top.created_by) == (3, Trust.VERIFIED, CMD)
    assert alignment.findings == ()


@pytest.mark.parametrize(
    ("history", "keyword"),
    [
        pytest.param((BASE, *_buildah(RUN, CMD)), "RUN", id="one"),
        pytest.param((BASE, *_buildah(COPY, RUN)), None, id="two"),
        pytest.param(_buildah(COPY, CMD, comment=""), "COPY", id="on scratch"),
        pytest.param(_buildah(RUN, CMD), None, id="with the base"),
        pytest.param(_buildah(RUN), None, id="the last alone"),
        pytest.param((BASE, *_kaniko('CMD ["x"]')), None, id="kaniko"),
        pytest.param((BASE, *_kaniko("RUN make")), None, id="kaniko RUN"),
    ],
)
def test_align_goes_by_the_history_where_it_has_one_step_for_a_layer(
    history: tuple[HistoryEntry, ...], keyword: str | None
) -> None:
    """Without a Dockerfile a layer is tied to the one entry that can have made it."""
    top = _top(align(_config(*history), None))
    assert (top.recorded.keyword if top.recorded is not None else None) == keyword
    assert top.trust is (Trust.UNKNOWN if keyword is None else Trust.INFERRED)


def test_align_sees_that_a_copy_without_a_layer_is_in_the_next() -> None:
    """On scratch buildah leaves no comment: no other builder records a COPY like that."""
    dockerfile = "FROM scratch\nCOPY a /a\nCOPY b /b\n"
    other = f"{NOP} COPY file:{HASH} in /b "
    top = _top(align(_config(*_buildah(COPY, other, comment="")), parse_build(dockerfile)))
    assert _parts(top) == [(2, Trust.VERIFIED), (3, Trust.VERIFIED)]
    assert top.others == ()


@pytest.mark.parametrize(
    ("texts", "trusts"),
    [
        pytest.param((WORKDIR, COPY, RUN, CMD), [Trust.VERIFIED] * 3, id="all its own"),
        pytest.param((RUN, CMD), [Trust.INFERRED] * 3, id="the end"),
        pytest.param((CMD,), [Trust.INFERRED] * 3, id="the last"),
    ],
)
def test_align_finds_the_base_in_the_layer_of_what_was_squashed_with_it(
    texts: tuple[str, ...], trusts: list[Trust]
) -> None:
    """Of the history only the end is left, and the base given is not below: no contradiction."""
    build = parse_build(f"FROM base\n{LINES}")
    for base in (None, _config(BASE, BASE)):
        alignment = align(_config(*_buildah(*texts)), build, base=base)
        top = _top(alignment)
        assert _parts(top) == list(zip((2, 3, 4), trusts, strict=True))
        assert top.others == ("base base :1",)


def test_align_knows_of_triggers_that_ran_in_the_same_layer() -> None:
    """Of a base that is not at hand nothing tells how many; they are there all the same."""
    dockerfile = parse_build("FROM base\nCOPY a /a\nRUN make\n")
    trigger = "/bin/sh -c trigger"
    top = _top(align(_config(BASE, *_buildah(trigger, COPY, RUN)), dockerfile))
    assert _parts(top) == [(2, Trust.VERIFIED), (3, Trust.VERIFIED)]
    assert top.others == ("an ONBUILD trigger of base base :1",)
    known = align(_config(BASE, *_buildah(trigger, COPY, RUN)), dockerfile, base=_config(BASE))
    assert known.steps[-1].others == ()
    whole = _top(align(_config(*_buildah(trigger, COPY, RUN)), dockerfile))
    assert _parts(whole) == [(2, Trust.VERIFIED), (3, Trust.VERIFIED)]
    assert whole.others == ("base base :1",)


def test_align_still_contradicts_a_wrong_dockerfile_of_such_a_build() -> None:
    """What is left of the history must be the Dockerfile's end."""
    build = parse_build('FROM base\nCOPY a /a\nRUN other\nCMD ["x"]\n')
    for history in (_config(BASE, *_buildah(COPY, RUN, CMD)), _config(*_buildah(RUN, CMD))):
        assert align(history, build).contradicted


@pytest.mark.parametrize("whole", [True, False])
def test_align_names_the_instructions_that_docker_squashed(whole: bool) -> None:  # noqa: FBT001
    """``docker build --squash`` keeps their entries and adds one for the layer."""
    comment = "create new from sha256:ab" if whole else "merge sha256:ab to sha256:cd"
    steps = [HistoryEntry(created_by=text, empty_layer=True) for text in (WORKDIR, COPY, RUN, CMD)]
    base = () if whole else (BASE,)
    start = "scratch" if whole else "base"
    history = _config(*base, *steps, HistoryEntry(comment=comment))
    top = _top(align(history, parse_build(f"FROM {start}\n{LINES}")))
    assert _parts(top) == [(n, Trust.VERIFIED) for n in (2, 3, 4)]
    assert top.others == ()
    plain = _config(HistoryEntry(comment=comment))
    assert align(plain, parse_build("FROM scratch\nCMD x\n")).contradicted
    assert _top(align(plain, parse_build("FROM scratch\n"))).parts == ()


def test_align_names_the_instructions_of_a_single_snapshot() -> None:
    """Kaniko records the last one: the others are known from the Dockerfile alone."""
    history = _config(BASE, *_kaniko('CMD ["x"]'))
    top = _top(align(history, parse_build(f"FROM base\n{LINES}")))
    assert _parts(top) == [(n, Trust.INFERRED) for n in (2, 3, 4)]
    assert [each.recorded for each in top.parts] == [None, None, None]
