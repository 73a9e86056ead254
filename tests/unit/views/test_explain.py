"""Why a path is as it is, in rows, and what would make the answer stronger."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from layertrace.model.origin import Action, Chain, Evidence, Hop, Origin, OriginKind, Trust
from layertrace.views.explain import (
    WhyKind,
    explain_directory,
    explain_file,
    explain_removed,
    next_step,
    origin_words,
)
from layertrace.views.filetree import FileTree, Scope
from layertrace.views.treesums import Sums
from tests.tui.fakes import FakeTrace, head, table

if TYPE_CHECKING:
    from layertrace.model.trace import ImageHead

TRACE = FakeTrace(head=head(), table=table())
UNKNOWN = Origin(kind=OriginKind.UNKNOWN)


def _hop(action: Action, trust: Trust = Trust.INFERRED, **more: object) -> Hop:
    plain = Hop(
        place="final", layer=2, action=action, path="/x", trust=trust,
        evidence=Evidence.DECLARED, detail="", stage="stage-1", stage_index=1, line=11,
        instruction="COPY --from=build /app/dist /app/dist",
    )  # fmt: skip
    return replace(plain, **more)  # type: ignore[arg-type]


def _chain(*hops: Hop, origin: Origin = UNKNOWN, trust: Trust = Trust.INFERRED) -> Chain:
    return Chain(hops=hops, origin=origin, trust=trust)


def test_a_chain_names_each_place_and_where_it_leads() -> None:
    """A layer of the image, then a step of the other stage, then the origin."""
    path = "app/dist/server.js"
    answer = explain_file(TRACE.head, TRACE.record(path), TRACE.chain(path))
    subject, first, second, origin = answer.rows
    assert subject.text == "/app/dist/server.js"
    assert "94.2 kB  0644  0:0" in subject.detail
    assert (first.place, first.target, first.line) == ("L3", "layer:2", 11)
    assert (second.place, second.target, second.stage_index) == ("build/5", "step:0:6", 0)
    assert origin.text == "made by `RUN npm run build` in stage build"
    assert (answer.trust, answer.summary) == (Trust.VERIFIED, "verified by content")


def test_equal_candidates_are_listed_after_the_answer() -> None:
    """None of them is passed off as the one."""
    chain = _chain(_hop(Action.COPY, Trust.UNKNOWN, candidates=("build:/a", "build:/b")))
    answer = explain_file(TRACE.head, TRACE.record("app/dist/server.js"), chain)
    others = [row.text for row in answer.rows if row.kind is WhyKind.OTHER]
    assert others == ["build:/a", "build:/b"]


def test_a_hop_without_an_instruction_shows_what_the_history_recorded() -> None:
    """As of an image without its Dockerfile."""
    chain = _chain(_hop(Action.WRITE, instruction=None, stage=None, stage_index=None, line=None))
    answer = explain_file(TRACE.head, TRACE.record("app/dist/server.js"), chain)
    assert answer.rows[1].text == "COPY --from=build /app/dist /app/dist"


@pytest.mark.parametrize(
    ("chain", "words"),
    [
        pytest.param(_chain(_hop(Action.COPY), trust=Trust.VERIFIED), "", id="nothing-missing"),
        pytest.param(_chain(_hop(Action.COPY), trust=Trust.CONTRADICTED), "-f", id="contradicted"),
        pytest.param(_chain(_hop(Action.COPY)), "--stage build=IMAGE would verify", id="stage"),
        pytest.param(_chain(_hop(Action.INHERIT, layer=0)), "--base IMAGE", id="base"),
        pytest.param(
            _chain(
                _hop(Action.COPY, layer=3, place="build"),
                origin=Origin(kind=OriginKind.CONTEXT, path="x"),
            ),
            "--context DIR",
            id="context",
        ),
        pytest.param(
            replace(_chain(_hop(Action.WRITE)), carried_from="build"),
            "--stage build=IMAGE would lead further",
            id="carried",
        ),
        pytest.param(_chain(_hop(Action.WRITE)), "", id="nothing-helps"),
        pytest.param(
            _chain(_hop(Action.COPY, evidence=Evidence.MATCHED, instruction="RUN cp $A /x")),
            "",
            id="guessed-copy-of-a-run",
        ),
        pytest.param(
            _chain(
                _hop(Action.COPY, evidence=Evidence.MATCHED, instruction="RUN cp $A /x"),
                _hop(Action.INHERIT, layer=0),
            ),
            "--base IMAGE",
            id="base-of-what-a-run-copied",
        ),
    ],
)
def test_a_weak_answer_names_the_option_that_helps(chain: Chain, words: str) -> None:
    """The weakest hop decides."""
    hint = next_step(TRACE.head, chain)
    assert words in hint
    assert bool(words) is bool(hint)


def test_without_a_dockerfile_the_first_step_is_to_give_it() -> None:
    """Nothing else would help."""
    chain = _chain(_hop(Action.COPY))
    assert "-f Dockerfile" in next_step(head(dockerfile=False), chain)
    sparse = replace(head(dockerfile=False), provenance_min=True)
    told = "trace stops here: give -f Dockerfile, which provenance of mode=min lacks"
    assert next_step(sparse, chain) == told
    # The Dockerfile was given: then it is as good as any.
    assert next_step(replace(head(), provenance_min=True), chain) == next_step(head(), chain)


@pytest.mark.parametrize("kind", list(OriginKind))
def test_every_origin_has_its_words(kind: OriginKind) -> None:
    """Even where no part of it is known."""
    assert origin_words(Origin(kind=kind))
    assert "None" not in origin_words(Origin(kind=kind))


def test_what_was_carried_but_not_made_known_says_so() -> None:
    """``build?`` in a row, a sentence here."""
    assert "carried from stage build" in origin_words(UNKNOWN, "build")


def test_a_removed_path_names_who_wrote_and_who_removed_it() -> None:
    """Newest first, with the layer's line."""
    answer = explain_removed(TRACE.head, "app/old.map", TRACE.versions("app/old.map"))
    hops = [row for row in answer.rows if row.kind is WhyKind.HOP]
    assert [(row.place, row.detail) for row in hops] == [
        ("L5", "removed"),
        ("L3", "added 307.2 kB"),
    ]
    assert answer.rows[-1].kind is WhyKind.HINT


def test_a_directory_divides_by_owner_and_names_its_largest_files() -> None:
    """Removed files are a part of their own, and none of the largest."""
    files = table()
    tree = FileTree(files)
    sums = Sums(tree, Scope(title="image"))
    answer = explain_directory(TRACE.head, tree, sums, 0)
    parts = [(row.text, row.size) for row in answer.rows if row.kind is WhyKind.PART]
    assert parts == [
        ("stage-1", 22_700_000),
        ("build", 1_494_200),
        ("context", 900),
        ("removed", 307_200),
    ]
    largest = [row.path for row in answer.rows if row.kind is WhyKind.LARGEST]
    assert largest == [
        "app/node_modules/left-pad.js",
        "app/dist/vendor.js",
        "app/dist/server.js",
    ]


def test_a_directory_of_unknown_origin_asks_for_the_dockerfile() -> None:
    """Before its files, so that a strip of few lines shows it; not where there is one already."""
    files = replace(table(), trusts=[Trust.UNKNOWN] * len(table().paths))
    tree = FileTree(files)
    sums = Sums(tree, Scope(title="image"))
    known, blind = head(), head(dockerfile=False)
    kinds = [row.kind for row in explain_directory(blind, tree, sums, 0).rows]
    assert kinds.index(WhyKind.HINT) < kinds.index(WhyKind.LARGEST)
    assert all(row.kind is not WhyKind.HINT for row in explain_directory(known, tree, sums, 0).rows)


@pytest.mark.parametrize(
    ("trust", "known", "words"),
    [
        pytest.param(
            Trust.UNKNOWN,
            replace(head(dockerfile=False), provenance_min=True),
            "give -f Dockerfile, which provenance of mode=min lacks",
            id="mode=min",
        ),
        pytest.param(
            Trust.CONTRADICTED,
            head(),
            "give the Dockerfile it was built from with -f",
            id="another Dockerfile",
        ),
    ],
)
def test_a_directory_says_what_its_files_would_say(
    trust: Trust, known: ImageHead, words: str
) -> None:
    """Which the cursor may never come to."""
    tree = FileTree(replace(table(), trusts=[trust] * len(table().paths)))
    rows = explain_directory(known, tree, Sums(tree, Scope(title="image")), 0).rows
    assert [row.text for row in rows if row.kind is WhyKind.HINT] == [words]
