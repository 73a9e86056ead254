"""Sources of copies found by nothing but the classic builder's hash.

The hashes are those that engine 20.10.24 left for these very files.
"""

from __future__ import annotations

import tarfile
from typing import TYPE_CHECKING, Final

import pytest

from layertrace.dockerfile.parse import parse_build
from layertrace.provenance.copyhash import CopyHash, has_hashes
from layertrace.provenance.proven_copies import prove_copies
from layertrace.provenance.tracer import Knowledge, Tracer
from tests.builders import Member, file, folder, symlink
from tests.tracing import (
    Steps,
    context_tree,
    hops,
    image_config,
    origin,
    rootfs_tree,
    traced_image,
)
from tests.unit.provenance.test_tracing_hashes import BOTH, BUILD, CONTEXT, NOP, ONE, TWINS, USR

if TYPE_CHECKING:
    from collections.abc import Mapping

    from layertrace.model.build import Build, Instruction
    from tests.builders import Content

ONE_FILE: Final[Mapping[str, Content]] = {"f": file(b"f\n", mtime=3)}


def _tracer(
    final: Steps,
    stages: Mapping[str, Steps] | None = None,
    context: Mapping[str, Content] | None = None,
    images: Mapping[str, Mapping[str, Content]] | None = None,
    build: Build | None = None,
) -> Tracer:
    """Return the tracer of an image whose copies were looked for; without a Dockerfile."""
    known = Knowledge(
        build=build,
        stages={
            index: traced_image(steps, name=name)
            for index, (name, steps) in enumerate((stages or {}).items())
        },
        context=None if context is None else context_tree(context),
        images={name: rootfs_tree(files) for name, files in (images or {}).items()},
    )
    return Tracer(*prove_copies(traced_image(final, build), known))


def test_a_file_is_found_in_the_stage_it_was_copied_from() -> None:
    """No Dockerfile tells: the hash holds path and content, so stage and path are proven."""
    tracer = _tracer([(f"{NOP} COPY {USR} in /f ", ONE_FILE)], {"build": BUILD}, CONTEXT)
    chain = tracer.chain("f")
    assert hops(chain) == [
        "final/L1 copy /f verified hashed",
        "build/L2 write /usr/f inferred recorded",
    ]
    assert chain is not None
    assert chain.carried_from == "build"
    assert chain.hops[0].instruction == f"COPY {USR} in /f"
    assert origin(chain) == "run /usr/f inferred"


def test_a_stages_own_copies_are_found_too() -> None:
    """The chain goes on through the stage to the context."""
    stage = [(f"{NOP} COPY {ONE} in /usr/f ", {"usr/f": file(b"one\n", mtime=5)})]
    dockerless = _tracer(stage, {"build": stage}, CONTEXT)
    assert origin(dockerless.chain("usr/f")) == "context a.txt verified"
    assert hops(dockerless.chain("usr/f")) == ["final/L1 copy /usr/f verified hashed"]


def test_several_files_are_found_whatever_their_order_and_folder() -> None:
    """A list may be in any order, and the hash is of one of them."""
    both: Mapping[str, Content] = {"t/a.txt": b"one\n", "t/b.txt": b"two\n"}
    tracer = _tracer([(f"{NOP} COPY {BOTH} in /t/ ", both)], None, CONTEXT)
    assert origin(tracer.chain("t/a.txt")) == "context a.txt verified"
    assert origin(tracer.chain("t/b.txt")) == "context b.txt verified"
    context = {**CONTEXT, "x/a.txt": b"one\n", "a[1].txt": b"one\n"}
    tracer = _tracer([(f"{NOP} COPY {BOTH} in /t/ ", both)], None, context)
    assert origin(tracer.chain("t/a.txt")) == "context a.txt verified"
    hashed = CopyHash(_copy("b.txt", "a.txt", "/t/"), context_tree(CONTEXT))
    assert hashed.choose(BOTH, [["b.txt"], ["a.txt"]]) == {("a.txt", "b.txt")}
    missing = CopyHash(_copy("gone", "/t/"), context_tree(CONTEXT))
    assert missing.choose(BOTH, [["gone"]]) == set()


def _copy(*words: str) -> Instruction:
    (parsed,) = parse_build(f"FROM scratch\nCOPY {' '.join(words)}\n").stages[0].instructions
    return parsed


@pytest.mark.parametrize(
    "files",
    [
        pytest.param({"t/a.txt": b"one\n", "t/b.txt": b"TWO\n"}, id="other-content"),
        pytest.param({"t/a.txt": b"one\n", "u/b.txt": b"two\n"}, id="two-folders"),
        pytest.param({f"t/{n}.txt": b"one\n" for n in "abcde"}, id="more-than-a-list"),
        pytest.param({"t/a.txt": b"one\n", "t/z.txt": b"two\n"}, id="another-name"),
        pytest.param({}, id="nothing"),
    ],
)
def test_several_files_that_are_not_there_are_not_found(files: Mapping[str, Content]) -> None:
    """Nothing is claimed of what no source explains."""
    tracer = _tracer([(f"{NOP} COPY {BOTH} in /t/ ", files)], None, CONTEXT)
    assert {origin(tracer.chain(path)) for path in files} <= {"unknown unknown"}


LINK: Final = Member(type=tarfile.LNKTYPE, link="usr/f")
USR_FOLDER: Final[Mapping[str, Content]] = {"usr/": folder(), "usr/f": b"f\n", "usr/twin": LINK}
MADE: Final[Steps] = [("/bin/sh -c make", {**USR_FOLDER, "other/g": b"f\n", "h/usr/f": b"f\n"})]


def _below(place: str) -> dict[str, Content]:
    link = Member(type=tarfile.LNKTYPE, link=f"{place}/f")
    return {f"{place}/": folder(), f"{place}/f": file(b"f\n", mtime=9), f"{place}/twin": link}


@pytest.mark.parametrize("written", ["/srv/x", "./", "x"])
def test_a_folder_is_found_by_what_was_in_it(written: str) -> None:
    """Its files lead to it, also where the destination is relative to who knows what."""
    tracer = _tracer([(f"{NOP} COPY {TWINS} in {written} ", _below("srv/x"))], {"build": MADE})
    assert hops(tracer.chain("srv/x/twin"))[0] == "final/L1 copy /srv/x/twin verified hashed"
    assert hops(tracer.chain("srv/x/f"))[1] == "build/L1 write /usr/f inferred recorded"


def test_a_folder_is_found_through_links_of_the_image() -> None:
    """``/lib`` may lead to ``/usr/lib``."""
    steps: Steps = [
        ("/bin/sh -c base", {"lib": symlink("srv/lib")}),
        (f"{NOP} COPY {TWINS} in /lib ", _below("srv/lib")),
    ]
    tracer = _tracer(steps, {"build": MADE})
    assert hops(tracer.chain("srv/lib/f"))[0] == "final/L2 copy /srv/lib/f verified hashed"


@pytest.mark.parametrize(
    "more",
    [{"usr/z": b"z"}, {"usr/f": b"F\n"}, {"usr/deep/z": b""}],
    ids=["more", "other", "deeper"],
)
def test_a_folder_of_other_files_is_not_found(more: Mapping[str, Content]) -> None:
    """What was not copied was not there."""
    made = [("/bin/sh -c make", {**USR_FOLDER, **more})]
    tracer = _tracer([(f"{NOP} COPY {TWINS} in /x ", _below("x"))], {"build": made})
    assert origin(tracer.chain("x/f")) == "unknown unknown"


def test_a_folder_that_lacks_files_is_not_found() -> None:
    """All that was copied must be there."""
    copied: Mapping[str, Content] = {**_below("x"), "x/more": b"more"}
    made = [("/bin/sh -c make", {**USR_FOLDER, "y/more": b"more"})]
    tracer = _tracer([(f"{NOP} COPY {TWINS} in /x ", copied)], {"build": made})
    assert origin(tracer.chain("x/f")) == "unknown unknown"


def test_of_very_many_files_some_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """The hash decides in the end."""
    monkeypatch.setattr("layertrace.provenance.proven_copies.MAX_FILES", 0)
    nothing = _tracer([(f"{NOP} COPY {TWINS} in /x ", _below("x"))], {"build": MADE})
    assert origin(nothing.chain("x/f")) == "unknown unknown"
    monkeypatch.setattr("layertrace.provenance.proven_copies.MAX_FILES", 1)
    copied: Mapping[str, Content] = {**_below("x"), "x/g": b"g"}
    made = [("/bin/sh -c make", {**USR_FOLDER, "x/f": b"f\n"})]
    tracer = _tracer([(f"{NOP} COPY {TWINS} in /x ", copied)], {"build": made})
    assert hops(tracer.chain("x/f"))[0] == "final/L1 copy /x/f verified hashed"


def test_the_same_in_two_stages_names_none() -> None:
    """Which of them was meant the hash does not hold."""
    final = [(f"{NOP} COPY {USR} in /f ", ONE_FILE)]
    tracer = _tracer(final, {"build": BUILD, "test": BUILD})
    assert origin(tracer.chain("f")) == "unknown unknown"


def test_a_file_is_found_in_an_image_outside() -> None:
    """The image is the origin."""
    images: Mapping[str, Mapping[str, Content]] = {"tools:1": {"usr/": folder(), "usr/f": b"f\n"}}
    tracer = _tracer([(f"{NOP} COPY {USR} in /f ", ONE_FILE)], images=images)
    assert origin(tracer.chain("f")) == "image tools:1 /usr/f verified"


def test_a_source_that_hangs_on_a_variable_is_found() -> None:
    """The Dockerfile's line stays; stage and path are the hash's."""
    build = parse_build(
        "FROM scratch AS build\nRUN make\nFROM scratch\nARG X\nCOPY --from=build /usr/$X /f\n"
    )
    final: Steps = [(f"{NOP}  ARG X", None), (f"{NOP} COPY {USR} in /f ", ONE_FILE)]
    tracer = _tracer(final, {"build": BUILD}, CONTEXT, build=build)
    assert hops(tracer.chain("f"))[0] == "final/L1 copy :5 /f verified hashed"
    without = _tracer(final, build=build)
    assert origin(without.chain("f")) == "unknown unknown"


def test_a_hash_is_looked_for_in_histories_alone() -> None:
    """Only the classic builder leaves one."""
    assert has_hashes(image_config([(f"{NOP} COPY {USR} in /f ", {})]))
    assert not has_hashes(image_config([("COPY a /f # buildkit", {})]))
    copied = _tracer([("COPY a /f # buildkit", ONE_FILE)], {"build": BUILD})
    assert origin(copied.chain("f")) == "unknown unknown"


def test_a_file_of_an_odd_name_or_of_two_is_not_looked_for() -> None:
    """A wildcard stands for others; and ``file:`` is the hash of one file."""
    odd = [("/bin/sh -c make", {"usr/[f]": b"f\n"})]
    assert origin(_tracer([(f"{NOP} COPY {USR} in /f ", ONE_FILE)], {"b": odd}).chain("f")) == (
        "unknown unknown"
    )
    two: Mapping[str, Content] = {**ONE_FILE, "g": b"f\n"}
    tracer = _tracer([(f"{NOP} COPY {USR} in /f ", two)], {"build": BUILD})
    assert origin(tracer.chain("f")) == "unknown unknown"
