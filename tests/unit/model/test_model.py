"""The nouns: what they say of themselves."""

from __future__ import annotations

import pytest

from layertrace.model.build import Build, Instruction, Stage
from layertrace.model.entry import EntryKind, clean_path
from layertrace.model.files import FileTable
from layertrace.model.image import Platform
from layertrace.model.origin import Action, Change, Evidence, OriginKind, Trust, weakest


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("a/b", "a/b"),
        ("./a", "a"),
        ("/a", "a"),
        ("a/", "a"),
        ("a//b///c", "a/b/c"),
        ("a/./b/.", "a/b"),
        ("a/../b", "b"),
        ("../../a", "a"),
        ("a/../../b", "b"),
        ("", ""),
        (".", ""),
        ("/", ""),
        ("..", ""),
        ("...", "..."),
        (" a / b ", " a / b "),
    ],
)
def test_path_is_relative_to_the_root_and_never_above_it(name: str, path: str) -> None:
    """One spelling a path, whatever the archive's."""
    assert clean_path(name) == path
    assert clean_path(path) == path


@pytest.mark.parametrize(
    ("words", "values"),
    [
        ("file dir symlink hardlink char block fifo", [kind.word for kind in EntryKind]),
        ("verified inferred unknown contradicted", [str(trust) for trust in Trust]),
        ("matched attested hashed declared recorded unknown", [str(e) for e in Evidence]),
        ("write metadata copy mount inherit", [str(action) for action in Action]),
        ("run context url inline base image workdir unknown", [str(k) for k in OriginKind]),
        ("added modified metadata removed", [change.value for change in Change]),
    ],
)
def test_words_are_those_of_the_contract(words: str, values: list[str]) -> None:
    """Scripts rely on them."""
    assert values == words.split()


def test_chain_is_as_good_as_its_weakest_hop() -> None:
    """Verified, inferred, unknown, contradicted: the later the worse."""
    assert [trust.rank for trust in Trust] == [0, 1, 2, 3]
    assert weakest(Trust.VERIFIED, Trust.VERIFIED) is Trust.VERIFIED
    assert weakest(Trust.VERIFIED, Trust.UNKNOWN, Trust.INFERRED) is Trust.UNKNOWN
    assert weakest(Trust.CONTRADICTED, Trust.UNKNOWN) is Trust.CONTRADICTED


def test_nothing_known_is_unknown() -> None:
    """No hops are no proof."""
    assert weakest() is Trust.UNKNOWN


@pytest.mark.parametrize(
    ("platform", "text"),
    [
        (Platform(os="linux", architecture="amd64"), "linux/amd64"),
        (Platform(os="linux", architecture="arm", variant="v7"), "linux/arm/v7"),
        (Platform(os="", architecture=""), ""),
    ],
)
def test_platform_reads_as_it_is_written_on_the_command_line(platform: Platform, text: str) -> None:
    """``OS/ARCH[/VARIANT]``; what is not known is left out."""
    assert str(platform) == text


def stage(index: int, base: int | None, *, copies: int | None = None, mounts: int = -1) -> Stage:
    """Return a stage with one instruction."""
    instruction = Instruction(
        keyword="RUN", text="RUN x", line=1, end_line=1, stage_index=index, step=1,
        source_stage=copies, mount_stages=() if mounts < 0 else (mounts,),
    )  # fmt: skip
    return Stage(
        index=index, name=f"stage-{index}", named=False, base="b", base_stage=base, line=1,
        end_line=2, text="FROM b", instructions=(instruction,),
    )  # fmt: skip


STAGES = (
    stage(0, None),
    stage(1, 0),
    stage(2, None, copies=1),
    stage(3, None),
    stage(4, 2, mounts=1),
    stage(5, None),
    stage(6, None, mounts=5),
)


@pytest.mark.parametrize(
    ("index", "chain"), [(0, [0]), (1, [0, 1]), (4, [2, 4])], ids=["image", "stage", "last"]
)
def test_chain_of_a_stage_goes_from_its_base_to_itself(index: int, chain: list[int]) -> None:
    """The stages whose layers are in its image."""
    build = Build(name="Dockerfile", text="", stages=STAGES, target=4)
    assert [link.index for link in build.chain(index)] == chain


@pytest.mark.parametrize(("target", "used"), [(0, {0}), (3, {3}), (4, {0, 1, 2, 4}), (6, {5, 6})])
def test_used_stages_are_those_the_target_starts_from_copies_or_mounts(
    target: int, used: set[int]
) -> None:
    """A builder leaves the others alone."""
    assert Build(name="Dockerfile", text="", stages=STAGES, target=target).used() == used


def test_table_is_as_long_as_its_columns() -> None:
    """A row a path."""
    empty: tuple[int, ...] = ()
    table = FileTable(
        paths=("a", "b"), kinds=(0, 0), sizes=(1, 2), layers=(0, 0), trusts=(), changes=(),
        label_ids=empty, labels=(),
    )  # fmt: skip
    assert len(table) == 2
