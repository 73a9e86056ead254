"""A history tied to layers and instructions: when it fits, and where it first does not."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from layertrace.dockerfile.parse import parse_build
from layertrace.model.build import BaseDefaults
from layertrace.model.image import HistoryEntry, ImageConfig, Platform
from layertrace.model.origin import Evidence, Trust
from layertrace.provenance.alignment.history import ADDED, CONTRADICTED, MISMATCH, SQUASHED, align
from layertrace.provenance.alignment.spelling import KEYWORDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from layertrace.model.build import Build
    from layertrace.provenance.alignment.history import Alignment

LAYERS = frozenset({"RUN", "COPY", "ADD", "WORKDIR"})
HASH = "9b758a0c44cea84997fb3aabe1e2e4e095cf872635f64c8766d55ace86fc29de"
NOP = "/bin/sh -c #(nop)"
BASE = (
    "COPY rootfs / # buildkit",
    "ENV PATH=/bin",
    "RUN /bin/sh -c setup # buildkit",
    'CMD ["sh"]',
)
DOCKERFILE = """\
FROM node:14 AS build
WORKDIR /app
RUN npm run build
FROM node:14-slim
WORKDIR /app
ENV MODE=production
COPY --from=build /app/dist dist
RUN npm install
CMD ["node"]
"""
OURS = (
    "WORKDIR /app",
    "ENV MODE=production",
    "COPY /app/dist dist # buildkit",
    "RUN /bin/sh -c npm install # buildkit",
    'CMD ["node"]',
)


def _entry(created_by: str, comment: str = "", author: str = "") -> HistoryEntry:
    """Return an entry as builders mark it: what changes no file has no layer."""
    word = created_by.removeprefix(NOP).split(maxsplit=1)[0] if created_by else ""
    return HistoryEntry(
        created_by=created_by,
        comment=comment,
        author=author,
        empty_layer=word in KEYWORDS - LAYERS,
    )


def _config(*history: str | HistoryEntry, workdir: str = "") -> ImageConfig:
    """Return a configuration with one layer for each entry that has one."""
    entries = tuple(_entry(each) if isinstance(each, str) else each for each in history)
    layers = [entry for entry in entries if not entry.empty_layer]
    return ImageConfig(
        digest="sha256:00",
        platform=Platform(os="linux", architecture="amd64"),
        diff_ids=tuple(f"sha256:{number}-{e.created_by}" for number, e in enumerate(layers)),
        history=entries,
        working_dir=workdir,
    )


def _build(text: str = DOCKERFILE, args: Mapping[str, str] | None = None) -> Build:
    return parse_build(text, build_args=args or {})


def _lines(alignment: Alignment) -> list[int | None]:
    """Return, for each layer, its instruction's line; 0 for the base, None for unknown."""
    return [
        0 if step.base else step.instruction.line if step.instruction is not None else None
        for step in alignment.steps
    ]


def _difference(alignment: Alignment) -> tuple[object, object]:
    (finding,) = alignment.findings
    assert finding.code == CONTRADICTED
    assert alignment.contradicted
    assert not alignment.exact
    return finding.facts["declared"], finding.facts["recorded"]


def test_align_ties_every_layer_to_its_instruction() -> None:
    """Base entries come first; the rest match one by one, those without a layer too."""
    alignment = align(_config(*BASE, *OURS), _build())
    assert alignment.exact
    assert not alignment.contradicted
    assert alignment.findings == ()
    assert _lines(alignment) == [0, 0, 5, 7, 8]
    assert {step.trust for step in alignment.steps} == {Trust.VERIFIED}
    assert {step.evidence for step in alignment.steps} == {Evidence.DECLARED}
    assert [step.stage.name for step in alignment.steps if step.stage] == ["stage-1"] * 5
    assert alignment.base is not None
    assert alignment.base.base == "node:14-slim"
    assert [step.created_by for step in alignment.steps][-1].startswith("RUN")


def test_align_ties_a_stage_image_to_its_stage() -> None:
    """The image of another stage than the target is lined up with that stage."""
    config = _config(*BASE, "WORKDIR /app", "RUN /bin/sh -c npm run build # buildkit")
    alignment = align(config, _build(), stage_index=0)
    assert _lines(alignment) == [0, 0, 2, 3]
    assert {step.stage.name for step in alignment.steps if step.stage} == {"build"}


def test_align_follows_a_chain_of_stages() -> None:
    """A stage made from a stage holds both stages' steps, each tied to its own."""
    text = "FROM base AS one\nRUN a\nFROM one AS two\nRUN b\nFROM two\nRUN c\n"
    config = _config("ADD x", "RUN a", "RUN b", "RUN c")
    alignment = align(config, _build(text))
    assert [step.stage.name for step in alignment.steps if step.stage] == [
        "one", "one", "two", "stage-2",
    ]  # fmt: skip
    assert _lines(alignment) == [0, 2, 4, 6]


@pytest.mark.parametrize("known", [True, False], ids=["base with history", "base's layers only"])
def test_align_takes_the_base_that_is_given(known: bool) -> None:  # noqa: FBT001
    """The layers of the given base image are the base's, and the rest must fit."""
    config, base = _config(*BASE, *OURS), _config(*BASE)
    alignment = align(config, _build(), base=base if known else replace(base, history=()))
    assert _lines(alignment) == [0, 0, 5, 7, 8]


def test_align_uses_the_layers_of_a_base_whose_history_is_another() -> None:
    """An image with the same layers and other settings still says where the base ends."""
    base = _config(*BASE[:3], "ENV OTHER=1")
    assert _lines(align(_config(*BASE, *OURS), _build(), base=base)) == [0, 0, 5, 7, 8]


def test_align_has_no_base_below_scratch() -> None:
    """FROM scratch: the first entry is the Dockerfile's first step."""
    text = "FROM scratch\nCOPY a /\nRUN b\n"
    config = _config("COPY a / # buildkit", "RUN b")
    assert _lines(align(config, _build(text))) == [2, 3]
    longer = align(_config("ADD x / # buildkit", "COPY a / # buildkit", "RUN b"), _build(text))
    assert _difference(longer) == ("line 2, COPY a /", "ADD x /")
    assert _lines(align(_config(), _build("FROM scratch\nCMD x\n"))) == []
    assert _lines(align(_config(), _build("FROM scratch\n"))) == []


def test_align_takes_labels_of_the_command_line() -> None:
    """The classic builder records each ``--label`` as a step of its own, at the end."""
    labels = (f"{NOP}  LABEL a=1", f"{NOP}  LABEL b=two words")
    config = _config(*BASE, *OURS, *labels)
    assert _lines(align(config, _build())) == [0, 0, 5, 7, 8]
    own = _build(f"{DOCKERFILE}LABEL x=1\n")
    assert _lines(align(_config(*BASE, *OURS, "LABEL x=1", *labels), own)) == [0, 0, 5, 7, 8]


def test_align_passes_over_onbuild_that_left_no_entry() -> None:
    """BuildKit records no ONBUILD, the classic builder does: both fit."""
    text = "FROM base\nRUN a\nONBUILD RUN x\nRUN b\n"
    for entries in (("RUN a", "RUN b"), ("RUN a", f"{NOP}  ONBUILD RUN x", "RUN b")):
        assert _lines(align(_config("ADD x", *entries), _build(text))) == [0, 2, 4]


def test_align_ties_triggers_of_a_known_base_to_the_from_line() -> None:
    """What the base's ONBUILD ran stands first and carries the line of FROM."""
    bases = {"base": BaseDefaults(on_build=("COPY a /a", "RUN x"))}
    build = parse_build("FROM base\nRUN b\n", bases=bases)
    config = _config("ADD x", "COPY a /a # buildkit", "RUN x", "RUN b")
    alignment = align(config, build)
    assert _lines(alignment) == [0, 1, 1, 2]
    assert [bool(s.instruction and s.instruction.triggered) for s in alignment.steps] == [
        False, True, True, False,
    ]  # fmt: skip


def test_align_does_not_take_recorded_triggers_for_the_base() -> None:
    """Where only the history tells of ONBUILD, what it ran is not the base's."""
    onbuild = (f"{NOP}  ONBUILD COPY a /a", f"{NOP}  ONBUILD RUN x")
    ran = (f"{NOP} COPY file:{HASH} in /a ", "/bin/sh -c x")
    alignment = align(_config("ADD x", *onbuild, *ran, "RUN b"), _build("FROM base\nRUN b\n"))
    assert _lines(alignment) == [0, None, None, 2]
    assert [step.trust for step in alignment.steps] == [
        Trust.VERIFIED, Trust.INFERRED, Trust.INFERRED, Trust.VERIFIED,
    ]  # fmt: skip
    assert [step.recorded and step.recorded.keyword for step in alignment.steps[1:3]] == [
        "COPY", "RUN",
    ]  # fmt: skip


def test_align_does_not_take_triggers_the_builder_told_of_for_the_base() -> None:
    """BuildKit's history has no ONBUILD: how many layers its triggers made says the provenance."""
    build = _build("FROM base\nRUN b\n")
    build = replace(build, stages=(replace(build.stages[0], triggers=2),))
    history = ("ADD x", "CMD y", "COPY a /a # buildkit", "ENV b=1", "RUN x", "RUN b")
    alignment = align(_config(*history), build)
    assert _lines(alignment) == [0, None, None, 2]
    assert [step.base for step in alignment.steps] == [True, False, False, False]
    assert {step.stage and step.stage.line for step in alignment.steps} == {1}
    more = replace(build, stages=(replace(build.stages[0], triggers=9),))
    assert not any(step.base for step in align(_config(*history), more).steps)


def _dated(
    config: ImageConfig, *, above: str = "buildkit.dockerfile.v0", days: int = 0
) -> ImageConfig:
    """Return a configuration whose last step ran ``days`` after the others, by its own builder."""
    entries = [
        replace(
            entry,
            comment="" if NOP in entry.created_by else "buildkit.dockerfile.v0",
            created="2026-01-01T10:00:00.5Z",
        )
        for entry in config.history
    ]
    last = replace(entries[-1], comment=above, created=f"2026-01-{1 + days:02}T11:00:00Z")
    return replace(config, history=(*entries[:-1], last))


@pytest.mark.parametrize(
    ("below", "certain"),
    [
        pytest.param(("RUN a", "CMD x"), "bb", id="a CMD ends the base"),
        pytest.param(("CMD x", "RUN a"), "b?", id="a step after it"),
        pytest.param(("CMD x", "COPY a / # buildkit", "ENV a=1", "RUN b"), "b??", id="several"),
        pytest.param(("RUN a", "RUN b"), "b??", id="no CMD at all"),
        pytest.param(("RUN a", f"{NOP}  ENV a=1"), "bb", id="by another builder"),
    ],
)
def test_align_does_not_tell_triggers_from_the_base(below: tuple[str, ...], certain: str) -> None:
    """Steps that end an unknown base of BuildKit's may be those of its ONBUILD."""
    config, build = _dated(_config("ADD x", *below, "RUN own")), _build("FROM base\nRUN own\n")
    *steps, own = align(config, build).steps
    assert "".join("?" if step.doubt else "b" for step in steps if not own.base) == certain
    assert [step.base for step in steps] == [mark == "b" for mark in certain]
    assert {step.trust for step in steps} <= {Trust.VERIFIED, Trust.UNKNOWN}
    base = replace(config, history=(), diff_ids=config.diff_ids[:-1])
    assert {step.trust for step in align(config, build, base=base).steps} == {Trust.VERIFIED}


def test_align_infers_the_base_from_long_ago() -> None:
    """What ran days before the Dockerfile's own steps is hardly a trigger's."""
    history, build = ("ADD x", "RUN a", "RUN own"), _build("FROM base\nRUN own\n")
    steps = align(_dated(_config(*history), days=3), build).steps
    assert [(step.base, step.trust) for step in steps[:2]] == [
        (True, Trust.VERIFIED),
        (True, Trust.INFERRED),
    ]
    bare = [replace(entry, created="") for entry in _dated(_config(*history), days=3).history]
    assert align(replace(_config(*history), history=tuple(bare)), build).steps[1].doubt


@pytest.mark.parametrize(
    ("below", "certain"),
    [
        pytest.param(("RUN a", "CMD x", f"{NOP} COPY file:{HASH} in /t "), "bb?", id="buildkit's"),
        pytest.param(("RUN a",), "bb", id="no step of this builder's"),
        pytest.param((f"{NOP}  CMD x", f"{NOP} COPY file:{HASH} in /t "), "b?", id="a CMD"),
    ],
)
def test_align_does_not_tell_classic_triggers_from_the_base(
    below: tuple[str, ...], certain: str
) -> None:
    """The classic builder runs the triggers of BuildKit's bases, of which no history tells."""
    config = _dated(_config("ADD x", *below, f"{NOP} COPY file:{HASH} in /own "), above="")
    *steps, own = align(config, _build("FROM base\nCOPY own /own\n")).steps
    assert "".join("?" if step.doubt else "b" for step in steps) == certain
    assert own.trust is Trust.VERIFIED


def test_align_knows_layers_that_were_added_to_the_build() -> None:
    """``docker commit`` puts layers upon an image that the Dockerfile made all the same."""
    dockerfile = _build("FROM base\nCOPY a /\nCMD sh\n")
    history = ("COPY rootfs /", "CMD x", "COPY a / # buildkit", 'CMD ["/bin/sh" "-c" "sh"]')
    built = [_entry(each, comment="buildkit.dockerfile.v0") for each in history]
    alignment = align(_config(*built, _entry("sh -c x", "mine"), _entry("bash")), dockerfile)
    assert not alignment.contradicted
    assert _lines(alignment) == [0, 2, None, None]
    assert [step.trust for step in alignment.steps[1:]] == [Trust.VERIFIED] + [Trust.UNKNOWN] * 2
    (finding,) = alignment.findings
    assert finding.code == ADDED
    assert finding.facts == {"layers": [2, 3]}
    for other in ("RUN /bin/sh -c x # buildkit", "COPY b / # buildkit", "bash"):
        more = _entry(other, comment="buildkit.dockerfile.v0")
        assert align(_config(*built, more), dockerfile).contradicted
    assert align(_config(*built, _entry("COPY b /")), dockerfile).contradicted
    assert align(_config(*history, "bash"), dockerfile).contradicted


def test_align_knows_the_classic_builders_own_bases() -> None:
    """Its history would tell of triggers: without any, all below is the base's."""
    config = _config(f"{NOP} ADD file:{HASH} in / ", "/bin/sh -c a", "/bin/sh -c own")
    steps = align(config, _build("FROM base\nRUN own\n")).steps
    assert [(step.base, step.trust) for step in steps[:2]] == [(True, Trust.VERIFIED)] * 2


@pytest.mark.parametrize(
    ("text", "recorded", "args"),
    [
        ("COPY a /$X/", "COPY a /x/ # buildkit", ("a", "/x/")),
        ("COPY --chown=1 $A b $X/", "COPY --chown=1 a b x/ # buildkit", ("a", "b", "x/")),
        ("ADD a /$X/", f"{NOP} ADD file:{HASH} in /x/ ", ("a", "/x/")),
        ("COPY a /$X/", f"{NOP} COPY file:{HASH} in /$X/ ", ("a", "/$X/")),
        ("COPY a /$X/", f"{NOP} COPY a in /x/", ("a", "/$X/")),
        ("COPY a /$X/", "COPY a b /x y/ # buildkit", ("a", "/$X/")),
        ("COPY <<E /$X/\nE", "COPY <<E /x/ # buildkit", ("<<E", "/$X/")),
        ("WORKDIR $X", "WORKDIR /x", ("$X",)),
        ("COPY a b", "COPY a b # buildkit", ("a", "b")),
    ],
)
def test_align_takes_words_that_no_variable_gives_from_the_history(
    text: str, recorded: str, args: tuple[str, ...]
) -> None:
    """Builders record a COPY after substitution: what they wrote to is known all the same."""
    alignment = align(_config("ADD x", recorded), _build(f"FROM base\n{text}\n"))
    instruction = alignment.steps[1].instruction
    assert instruction is not None
    assert instruction.args == args
    assert (alignment.steps[1].trust is Trust.INFERRED) is bool(instruction.unresolved)


def test_align_finds_a_relative_directory_in_the_history() -> None:
    """Below an unknown base the history's WORKDIR entries tell where a path is relative to."""
    text = "FROM base\nCOPY a .\nWORKDIR sub\nCOPY b .\n"
    config = _config(
        "ADD x", "WORKDIR /srv", "COPY a . # buildkit", "WORKDIR /srv/sub", "COPY b . # buildkit"
    )
    steps = align(config, _build(text)).steps
    assert [s.instruction.workdir for s in steps if s.instruction] == ["/srv", "/srv", "/srv/sub"]


@pytest.mark.parametrize(("workdir", "expected"), [("/srv", "/srv"), ("", "/")])
def test_align_finds_an_unchanged_directory_in_the_configuration(
    workdir: str, expected: str
) -> None:
    """Where no step ever changed it, the image's working directory is the base's."""
    config = _config("ADD x", "COPY a . # buildkit", workdir=workdir)
    step = align(config, _build("FROM base\nCOPY a .\n")).steps[-1]
    assert step.instruction is not None
    assert step.instruction.workdir == expected


def test_align_leaves_a_directory_that_nothing_tells_unknown() -> None:
    """A base without a recorded WORKDIR and a later one: what held before is not known."""
    config = _config("ADD x", "COPY a . # buildkit", f"{NOP} WORKDIR sub", workdir="/x/sub")
    steps = align(config, _build("FROM base\nCOPY a .\nWORKDIR sub\n")).steps
    assert [s.instruction.workdir for s in steps if s.instruction] == [None, None]


def test_align_uses_the_recorded_shell() -> None:
    """Behind a recorded SHELL commands stand after that shell."""
    text = 'FROM base\nSHELL ["/opt/py", "-c"]\nRUN print(1)\n'
    for spelled in ("SHELL [/opt/py -c]", f'{NOP} SHELL ["/opt/py", "-c"]'):
        config = _config("ADD x", spelled, "RUN /opt/py -c print(1) # buildkit")
        assert _lines(align(config, _build(text))) == [0, 3]


def test_align_infers_a_step_with_unknown_variables() -> None:
    """What a variable hides is not verified."""
    config = _config("ADD x", "COPY a /b # buildkit")
    step = align(config, _build("FROM base\nCOPY $X /b\n")).steps[-1]
    assert step.instruction is not None
    assert step.trust is Trust.INFERRED


def test_align_accepts_the_recorded_default_of_a_given_argument() -> None:
    """``--build-arg`` changes no ARG entry of the classic builder."""
    config = _config("ADD x", f"{NOP}  ARG V=1", "|1 V=2 /bin/sh -c make $V")
    text = "FROM base\nARG V=1\nRUN make $V\n"
    assert _lines(align(config, _build(text, {"V": "2"}))) == [0, 3]


def test_align_verifies_nothing_without_a_step_to_compare() -> None:
    """A Dockerfile of a lone FROM fits every image: all is inferred to be its base."""
    alignment = align(_config(*BASE), _build("FROM base\n"))
    assert not alignment.exact
    assert _lines(alignment) == [0, 0]
    assert {step.trust for step in alignment.steps} == {Trust.INFERRED}
    with_base = align(_config(*BASE), _build("FROM base\n"), base=_config(*BASE))
    assert with_base.exact
    assert {step.trust for step in with_base.steps} == {Trust.VERIFIED}


def _changed(old: str, new: str) -> str:
    head, final = DOCKERFILE.split("FROM node:14-slim\n")
    assert old in final
    return f"{head}FROM node:14-slim\n{final.replace(old, new)}"


@pytest.mark.parametrize("base", ["known", "layers", "unknown"])
@pytest.mark.parametrize(
    ("text", "declared", "recorded"),
    [
        pytest.param(
            _changed("RUN npm install", "RUN npm ci"),
            "line 8, RUN npm ci",
            "RUN npm install",
            id="changed",
        ),
        pytest.param(
            _changed("dist\n", "out\n"),
            "line 7, COPY --from=build /app/dist out",
            "COPY /app/dist dist",
            id="another destination",
        ),
        pytest.param(
            _changed("ENV MODE=production", "ENV MODE=test"),
            "line 6, ENV MODE=test",
            "ENV MODE=production",
            id="changed without a layer",
        ),
        pytest.param(
            _changed("ENV MODE=production", "USER node\nENV MODE=production"),
            "line 6, USER node",
            "ENV MODE=production",
            id="added",
        ),
        pytest.param(
            _changed('CMD ["node"]', 'CMD ["node"]\nRUN more'),
            "line 10, RUN more",
            "no such step",
            id="added at the end",
        ),
        pytest.param(
            _changed("ENV MODE=production\n", ""),
            "line 6, COPY --from=build /app/dist dist",
            "ENV MODE=production",
            id="removed",
        ),
        pytest.param(
            _changed('CMD ["node"]\n', ""),
            "the end",
            'one more step, CMD ["node"]',
            id="removed at the end",
        ),
        pytest.param(
            _changed(
                "COPY --from=build /app/dist dist\nRUN npm install",
                "RUN npm install\nCOPY --from=build /app/dist dist",
            ),
            "line 7, RUN npm install",
            "COPY /app/dist dist",
            id="reordered",
        ),
    ],
)
def test_align_names_the_first_step_that_differs(
    base: str, text: str, declared: str, recorded: str
) -> None:
    """Whatever was changed in a Dockerfile, the first such step in its order is told."""
    given = {
        "known": _config(*BASE), "layers": replace(_config(*BASE), history=()), "unknown": None,
    }[base]  # fmt: skip
    alignment = align(_config(*BASE, *OURS), _build(text), base=given)
    assert _difference(alignment) == (declared, recorded)


@pytest.mark.parametrize(
    ("text", "declared"),
    [
        pytest.param(
            _changed("WORKDIR /app", "WORKDIR /srv"), "line 5, WORKDIR /srv", id="changed"
        ),
        pytest.param(
            _changed("WORKDIR /app", "RUN first\nWORKDIR /app"), "line 5, RUN first", id="added"
        ),
        pytest.param(
            _changed(
                "WORKDIR /app\nENV MODE=production\nCOPY --from=build /app/dist dist",
                "COPY --from=build /app/dist dist\nWORKDIR /app\nENV MODE=production",
            ),
            "line 5, COPY --from=build /app/dist dist",
            id="moved to the front",
        ),
    ],
)
def test_align_names_a_first_step_that_differs_above_an_unknown_base(
    text: str, declared: str
) -> None:
    """The very first step is found to differ, though where the base ends is not known."""
    assert _difference(align(_config(*BASE, *OURS), _build(text)))[0] == declared


@pytest.mark.parametrize("known", [True, False], ids=["with history", "layers only"])
def test_align_refuses_a_dockerfile_that_fits_only_because_it_is_shorter(
    known: bool,  # noqa: FBT001
) -> None:
    """Steps the Dockerfile lacks do not become the base's where the base is known."""
    base = _config(*BASE) if known else replace(_config(*BASE), history=())
    shorter = _changed("WORKDIR /app\nENV MODE=production\n", "")
    alignment = align(_config(*BASE, *OURS), _build(shorter), base=base)
    assert _difference(alignment)[0] == "line 5, COPY --from=build /app/dist dist"
    lone = align(_config(*BASE, *OURS), _build("FROM base\n"), base=base)
    assert _difference(lone) == ("the end", "one more step, WORKDIR /app")


def test_align_refuses_a_dockerfile_longer_than_the_history() -> None:
    """A Dockerfile with more steps than the whole history has differs somewhere."""
    alignment = align(_config("ADD x", "RUN a"), _build("FROM base\nRUN a\nRUN b\nRUN c\n"))
    assert _difference(alignment) == ("line 3, RUN b", "no such step")


def test_align_words_a_step_that_the_history_does_not_name() -> None:
    """An entry without a word is a difference like any other."""
    alignment = align(_config("RUN a", _entry("")), _build("FROM scratch\nRUN a\nRUN b\n"))
    assert _difference(alignment) == ("line 3, RUN b", "a step that it does not name")


def test_align_refuses_another_base() -> None:
    """A base image whose layers are not the lowest contradicts the Dockerfile at FROM."""
    other = _config("COPY other / # buildkit")
    alignment = align(_config(*BASE, *OURS), _build(), base=other)
    assert _difference(alignment) == (
        "line 4, FROM node:14-slim", "layers that are not those of the base image given",
    )  # fmt: skip
    assert {step.trust for step in alignment.steps} == {Trust.CONTRADICTED}


def test_align_knows_no_base_by_layers_without_a_digest() -> None:
    """Of an archive that names none, as those before manifests: alike is not the same."""
    config = replace(_config("RUN /bin/sh -c one", "RUN /bin/sh -c two"), diff_ids=("", ""))
    alignment = align(config, None, base=replace(config, diff_ids=("",)))
    assert [step.base for step in alignment.steps] == [False, False]


def test_align_keeps_a_known_base_when_the_rest_is_contradicted() -> None:
    """The base was seen to lie below, whatever the Dockerfile says of the rest."""
    alignment = align(_config(*BASE, *OURS), _build("FROM base\nRUN z\n"), base=_config(*BASE))
    assert [step.trust for step in alignment.steps] == [
        *[Trust.VERIFIED] * 2, *[Trust.CONTRADICTED] * 3,
    ]  # fmt: skip
    assert [step.base for step in alignment.steps] == [True, True, False, False, False]
    assert alignment.steps[0].evidence is Evidence.MATCHED


def test_align_tells_by_history_alone_without_a_dockerfile() -> None:
    """Without a Dockerfile a layer is what its entry says, and no stage is known."""
    steps = align(_config(*BASE, *OURS), None).steps
    assert [s.recorded.text for s in steps if s.recorded][-1] == "RUN npm install"
    assert {(s.trust, s.evidence, s.base, s.stage) for s in steps} == {
        (Trust.INFERRED, Evidence.RECORDED, False, None)
    }
    with_base = align(_config(*BASE, *OURS), None, base=_config(*BASE)).steps
    assert [(s.base, s.trust) for s in with_base[1:3]] == [
        (True, Trust.VERIFIED), (False, Trust.INFERRED),
    ]  # fmt: skip


@pytest.mark.parametrize("dockerfile", [True, False])
def test_align_ties_nothing_where_entries_and_layers_differ(
    dockerfile: bool,  # noqa: FBT001
) -> None:
    """A history that is partial says of no layer what made it; a known base stays known."""
    config = replace(_config(*BASE, *OURS), history=_config(*BASE, *OURS).history[1:])
    alignment = align(config, _build() if dockerfile else None, base=_config(*BASE))
    (finding,) = alignment.findings
    assert finding.code == MISMATCH
    assert finding.facts == {"entries": 4, "layers": 5}
    assert [(s.base, s.trust) for s in alignment.steps] == [
        *[(True, Trust.VERIFIED)] * 2, *[(False, Trust.UNKNOWN)] * 3,
    ]  # fmt: skip


def test_align_says_that_a_dockerfile_cannot_be_checked_without_a_history() -> None:
    """An image without any history is no finding by itself, but one where -f was given."""
    config = replace(_config(*BASE), history=())
    assert align(config, None).findings == ()
    (finding,) = align(config, _build()).findings
    assert finding.code == MISMATCH
    assert [step.recorded for step in align(config, None).steps] == [None, None]


def _buildah(layered: bool) -> list[HistoryEntry]:  # noqa: FBT001
    """Return what buildah records, one layer a step or one for all."""
    texts = (
        f"{NOP} WORKDIR /app", f"{NOP} ENV MODE=production", f"{NOP} COPY dir:{HASH} in dist ",
        "/bin/sh -c npm install", f'{NOP} CMD ["node"]',
    )  # fmt: skip
    if not layered:
        comments = ("", "", "", "", "FROM docker.io/library/node:14-slim")
        return [
            HistoryEntry(created_by=t, comment=c, empty_layer=not c)
            for t, c in zip(texts, comments, strict=True)
        ]
    return [
        HistoryEntry(created_by=text, comment=f"FROM {n}", empty_layer=n not in {2, 3})
        for n, text in enumerate(texts)
    ]


def test_align_ties_what_buildah_wrote_layer_by_layer() -> None:
    """``buildah bud --layers`` makes no layer of a WORKDIR; the rest is one a step."""
    alignment = align(_config(*BASE, *_buildah(layered=True)), _build())
    assert _lines(alignment) == [0, 0, 7, 8]
    assert alignment.findings == ()


def test_align_passes_over_triggers_that_buildah_does_not_run() -> None:
    """Buildah leaves the ONBUILD of a stage to images made from it; other builders run it."""
    build = _build("FROM base AS a\nONBUILD RUN one\nFROM a\nRUN two\n")
    history = (f"{NOP} ADD file:{HASH} in / ", f"{NOP}  ONBUILD RUN one", "/bin/sh -c two")
    assert align(_config(*history), build).contradicted
    alignment = align(_config(*(_entry(each, comment="FROM base") for each in history)), build)
    assert _lines(alignment) == [0, 4]
    assert alignment.steps[1].trust is Trust.VERIFIED


@pytest.mark.parametrize("dockerfile", [True, False])
@pytest.mark.parametrize("last", ["CMD", "RUN"])
def test_align_does_not_tie_one_layer_of_several_steps_to_the_last(
    dockerfile: bool,  # noqa: FBT001
    last: str,
) -> None:
    """The default of buildah: the one layer stands on the last entry and is not its work alone."""
    entries, text = _buildah(layered=False), DOCKERFILE
    if last == "RUN":
        entries[-1] = replace(entries[-1], created_by="/bin/sh -c x")
        text = DOCKERFILE.replace('CMD ["node"]', "RUN x")
    alignment = align(_config(*BASE, *entries), _build(text) if dockerfile else None)
    assert not alignment.contradicted
    joint = alignment.steps[-1]
    assert (joint.instruction, joint.recorded, joint.trust) == (None, None, Trust.UNKNOWN)
    (finding,) = alignment.findings
    assert (finding.code, finding.facts) == (SQUASHED, {"layers": [2]})
    assert finding.message.startswith("L3 ")


@pytest.mark.parametrize("dockerfile", [True, False])
@pytest.mark.parametrize("comment", ["merge sha256:ab to sha256:cd", "create new from sha256:ab"])
def test_align_knows_a_squashed_build(dockerfile: bool, comment: str) -> None:  # noqa: FBT001
    """``docker build --squash`` keeps every step and adds an entry with the one layer."""
    whole = comment.startswith("create")
    steps = [replace(_entry(each), empty_layer=True) for each in OURS]
    base = [replace(_entry(each), empty_layer=True) if whole else _entry(each) for each in BASE]
    config = _config(*base, *steps, HistoryEntry(comment=comment))
    alignment = align(config, _build() if dockerfile else None)
    assert not alignment.contradicted
    assert alignment.findings[0].code == SQUASHED
    assert [step.trust for step in alignment.steps][-1] is Trust.UNKNOWN
    if dockerfile:
        assert _lines(alignment) == ([None] if whole else [0, 0, None])


def _kaniko(*texts: str) -> list[HistoryEntry]:
    return [HistoryEntry(created_by=text, author="kaniko") for text in texts]


def test_align_passes_over_what_kaniko_does_not_record() -> None:
    """Of kaniko's build is recorded what changed a file, as it was written."""
    config = _config(
        *BASE, *_kaniko("WORKDIR /app", "COPY --from=build /app/dist dist", "RUN npm install")
    )
    alignment = align(config, _build())
    assert _lines(alignment) == [0, 0, 5, 7, 8]
    assert alignment.findings == ()


@pytest.mark.parametrize("dockerfile", [True, False])
def test_align_does_not_trust_a_lone_entry_of_kaniko(dockerfile: bool) -> None:  # noqa: FBT001
    """One entry for a whole build may be a single snapshot of all its steps."""
    config = _config(*BASE, *_kaniko("RUN npm install"))
    alignment = align(config, _build() if dockerfile else None)
    assert not alignment.contradicted
    assert alignment.steps[-1].trust is Trust.UNKNOWN


def test_align_does_not_tie_kanikos_layer_over_a_step_without_one() -> None:
    """A COPY without an entry before a layer: perhaps that layer holds its files too."""
    config = _config(*BASE, *_kaniko("WORKDIR /app", "RUN npm install"))
    assert _lines(align(config, _build())) == [0, 0, 5, None]


def test_align_refuses_kanikos_steps_that_the_dockerfile_lacks() -> None:
    """An entry that no instruction can have left contradicts the Dockerfile."""
    config = _config(*BASE, *_kaniko("WORKDIR /app", "RUN other"))
    assert _difference(align(config, _build())) == ("the end", "one more step, RUN other")
