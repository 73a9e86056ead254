"""Chains of what a RUN brought from elsewhere: copied, moved, linked, or out of a mount."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from layertrace.model.origin import Action, Evidence, OriginKind, Trust
from layertrace.provenance.brought import MAX_SHOWN, TINY
from layertrace.provenance.commands import MAX_PATHS
from layertrace.provenance.tracer import Knowledge, Tracer
from layertrace.rootfs.places import STRIDE, Place
from tests.builders import file, folder, hardlink, symlink
from tests.tracing import Steps, hops, origin, trace, traced_image

if TYPE_CHECKING:
    from collections.abc import Mapping

    from layertrace.model.origin import Chain, Hop
    from tests.builders import Content

ONE, TWO, THREE, FOUR, FIVE = (bytes([each]) * TINY for each in b"12345")
GONE = b""
"""Of a whiteout."""


def _chain(tracer: Tracer, path: str) -> Chain:
    chain = tracer.chain(path)
    assert chain is not None
    return chain


def _first(tracer: Tracer, path: str) -> Hop:
    return _chain(tracer, path).hops[0]


def _after(
    command: str, base: Mapping[str, Content], made: Mapping[str, Content], workdir: str = "/"
) -> Tracer:
    """Return the tracer of a base, a RUN that made the file ``old``, and a RUN of a command."""
    steps: Steps = [
        ("ADD rootfs /", base),
        ("RUN make", {"old": FIVE}),
        (f"WORKDIR {workdir}", {}),
        (f"RUN {command}", made),
    ]
    dockerfile = f"FROM base\nRUN make\nWORKDIR {workdir}\nRUN {command}\n"
    return trace(dockerfile, steps)


# --- commands that name what they copy


@pytest.mark.parametrize(
    ("command", "path"),
    [
        pytest.param("cp /old /new", "new", id="a file to a file"),
        pytest.param("cp -p /old /d/", "d/old", id="a file into a folder"),
        pytest.param("mv old d", "d/old", id="relative to the working directory"),
        pytest.param("cd /d && install -m 755 ../old .", "d/old", id="after cd"),
        pytest.param("cat /old > /new", "new", id="by redirection"),
        pytest.param("cp /ol* /d", "d/old", id="by a pattern"),
        pytest.param("cp /old /tmp/x && mv /tmp/x /new", "new", id="in two steps"),
        pytest.param("cp /old /link/new", "d/new", id="through a link to a folder"),
        pytest.param("cp /alias /new", "new", id="through a link to the file"),
    ],
)
def test_chain_goes_on_at_what_a_command_copied(command: str, path: str) -> None:
    """The same content at both ends of a cp, mv or the like has the origin of its source."""
    base: Mapping[str, Content] = {"d/": folder(), "link": symlink("d"), "alias": symlink("old")}
    tracer = _after(command, base, {path: FIVE})
    assert hops(tracer.chain(path)) == [
        f"final/L4 copy :4 /{path} verified matched",
        "final/L2 write :2 /old verified declared",
    ]
    assert origin(tracer.chain(path)) == "run stage-0 :2 /old verified"
    assert _first(tracer, path).detail == "same sha256 as L2:/old, copied here"
    assert _first(tracer, path).candidates == ()


def test_chain_follows_the_folder_that_was_copied() -> None:
    """Of equal files in a copied folder each is the one of its own path below it."""
    base = {"from/a": ONE, "from/sub/a": ONE}
    made = {"to/a": ONE, "to/sub/a": ONE, "into/from/sub/a": ONE}
    tracer = _after("cp -r /from /to && cp -r /from /into", base, made)
    assert origin(tracer.chain("to/a")) == "base stage-0 :1 base /from/a verified"
    assert origin(tracer.chain("to/sub/a")) == "base stage-0 :1 base /from/sub/a verified"
    assert origin(tracer.chain("into/from/sub/a")) == "base stage-0 :1 base /from/sub/a verified"


def test_chain_sees_what_stood_there_when_the_run_began() -> None:
    """What the RUN moved away and replaced was copied as it stood before."""
    tracer = _after("mv /a /b && echo new > /a", {"a": ONE}, {"b": ONE, "a": TWO})
    assert origin(tracer.chain("b")) == "base stage-0 :1 base /a verified"
    assert origin(tracer.chain("a")) == "run stage-0 :4 /a verified"


def test_chain_believes_the_text_only_where_the_content_agrees() -> None:
    """A copy that was changed afterwards is the RUN's own, and so is one of nothing."""
    tracer = _after("cp /old /new && cp /absent /other && sed -i s/5/6/ /new", {}, {
        "new": ONE, "other": TWO, "more": FIVE,
    })  # fmt: skip
    for path in ("new", "other", "more"):
        assert origin(tracer.chain(path)) == f"run stage-0 :4 /{path} verified"


def test_chain_of_a_small_file_goes_by_the_command_that_names_it() -> None:
    """Few bytes decide nothing alone, but they are not alone where a command says the path."""
    tracer = _after("cp /a /b && touch /e2", {"a": b"1", "e": b""}, {"b": b"1", "e2": b""})
    assert origin(tracer.chain("b")) == "base stage-0 :1 base /a verified"
    assert origin(tracer.chain("e2")) == "run stage-0 :4 /e2 verified"


def test_chain_reads_an_exec_form_and_a_heredoc() -> None:
    """Words of the JSON form are the command's own; a heredoc is a script."""
    script = "RUN <<END\nset -e\ncp /a /b\nEND"
    for text, recorded in (
        ('RUN ["cp", "/a", "/b"]', "RUN cp /a /b # buildkit"),
        (script, "RUN /bin/sh -c set -e\ncp /a /b\n # buildkit"),
    ):
        steps: Steps = [("ADD rootfs /", {"a": ONE}), (recorded, {"b": ONE})]
        assert _chain(trace(f"FROM base\n{text}\n", steps), "b").origin.path == "/a", text


def test_chain_by_history_alone_follows_a_copy() -> None:
    """Without a Dockerfile the recorded command names its source as well."""
    steps: Steps = [
        ("/bin/sh -c make", {"a": ONE, "c": TWO}),
        ("/bin/sh -c cp /a /b && cp $C /d", {"b": ONE, "d": TWO}),
    ]
    tracer = Tracer(traced_image(steps), Knowledge())
    assert hops(tracer.chain("b")) == [
        "final/L2 copy /b inferred matched",
        "final/L1 write /a inferred recorded",
    ]
    assert origin(tracer.chain("d")) == "unknown unknown"
    assert _first(tracer, "d").detail == (
        "same sha256 as L1:/c: copied from there or out of a mount, "
        "of which no history tells; give -f Dockerfile"
    )


def test_chain_of_a_copied_copy_keeps_what_stage_carried_it() -> None:
    """A RUN that moves what a COPY brought changes nothing about the stage it came from."""
    dockerfile = "FROM scratch AS build\nRUN make\nFROM base\nCOPY --from=build /a /a\nRUN mv /a /b"
    steps: Steps = [
        ("ADD rootfs /", {}),
        ("COPY /a /a", {"a": ONE}),
        ("RUN mv /a /b", {"b": ONE, ".wh.a": GONE}),
    ]
    alone = _chain(trace(dockerfile, steps), "b")
    assert (alone.carried_from, alone.origin.kind) == ("build", OriginKind.UNKNOWN)
    chain = _chain(trace(dockerfile, steps, stages={"build": [("RUN make", {"a": ONE})]}), "b")
    assert hops(chain) == [
        "final/L3 copy :5 /b verified matched",
        "final/L2 copy :4 /a verified matched",
        "build/L1 write :2 /a verified declared",
    ]
    assert chain.carried_from == "build"


def test_chain_gives_up_where_too_many_places_are_named() -> None:
    """What a file is looked for at has a bound, whatever a Dockerfile says."""
    many = " ".join(f"/x{number}" for number in range(MAX_PATHS))
    few = _after("cp /old /y && cp /y /new", {}, {"new": FIVE})
    assert origin(few.chain("new")) == "run stage-0 :2 /old verified"
    tracer = _after(f"cp /old /y && cp {many} /y /new", {}, {"new": FIVE})
    assert origin(tracer.chain("new")) == "run stage-0 :4 /new verified"


# --- commands of which the text does not tell


def test_chain_offers_what_an_unreadable_copy_may_have_copied() -> None:
    """Where only a shell could tell what is copied, the one file of that content is offered."""
    tracer = _after("for f in $LIST; do cp $f /b; done", {"x": ONE}, {"b": FIVE})
    assert origin(tracer.chain("b")) == "run stage-0 :2 /old inferred"
    assert _first(tracer, "b").detail == "same sha256 as L2:/old, which this RUN may have copied"
    assert _first(tracer, "b").evidence is Evidence.MATCHED
    for path, found in (("d/b", "/old inferred"), ("other", "/other verified")):
        tracer = _after("cp $X /d/ && make", {"d/": folder(), "x": ONE}, {path: FIVE})
        assert origin(tracer.chain(path)).endswith(found)
    made = _after("make install", {"x": ONE}, {"b": FIVE})
    assert origin(made.chain("b")) == "run stage-0 :4 /b verified"


def test_chain_offers_nothing_that_was_not_there_any_more() -> None:
    """What lower layers hid, the RUN could not copy; what was removed since, it could."""
    dockerfile = "FROM base\nRUN rm /a\nRUN cp $X ${Y}\nRUN rm /c\n"
    steps: Steps = [
        ("ADD rootfs /", {"a": ONE, "c": TWO, "l": hardlink("c")}),
        ("RUN rm /a", {".wh.a": GONE}),
        ("RUN cp $X ${Y}", {"b": ONE, "d": TWO}),
        ("RUN rm /c", {".wh.c": GONE, ".wh.l": GONE}),
    ]
    tracer = trace(dockerfile, steps)
    assert origin(tracer.chain("b")) == "run stage-0 :3 /b verified"
    assert origin(tracer.chain("d")) == "base stage-0 :1 base inferred"
    assert _first(tracer, "d").candidates == ("L1:/c", "L1:/l")


def test_chain_leaves_it_open_which_of_several_origins_was_copied() -> None:
    """Equal files that different steps made are candidates, no answer."""
    chain = _chain(_after("cp $X .", {"x": FIVE}, {"b": FIVE}), "b")
    assert origin(chain) == "unknown unknown"
    assert chain.hops[0].candidates == ("L1:/x", "L2:/old")
    assert chain.hops[0].detail == (
        "same sha256 at 2 places of other origins, which this RUN may have copied"
    )


def test_chain_lists_no_more_candidates_than_one_reads() -> None:
    """A content of hundreds of files is told by some of them."""
    base = {f"licenses/{number}": ONE for number in range(MAX_SHOWN + 9)}
    tracer = _after("cp $X .", base, {"b": ONE, "c": ONE})
    for path in ("b", "c"):
        assert len(_first(tracer, path).candidates) == MAX_SHOWN
        assert origin(tracer.chain(path)) == "base stage-0 :1 base inferred"


def test_chain_says_of_few_bytes_that_they_tell_nothing() -> None:
    """A tiny file is the RUN's own, and not sure to be, where nothing but its content speaks."""
    few, more = b"x" * (TINY - 1), b"x" * TINY
    tracer = _after("cp $X .", {"a": few, "m": more}, {"b": few, "n": more})
    assert hops(tracer.chain("b")) == ["final/L4 write :4 /b inferred declared"]
    assert origin(tracer.chain("b")) == "run stage-0 :4 /b inferred"
    assert "L1:/a has the same few bytes" in _first(tracer, "b").detail
    assert _chain(tracer, "n").origin.kind is OriginKind.BASE
    many = _after("cp $X .", {"a": few, "c": few, "d": few}, {"b": few})
    assert "L1:/a and 2 more" in _first(many, "b").detail


# --- what the layer removed, and links


def test_chain_of_a_file_that_a_program_renamed() -> None:
    """Content and time of a file that its layer removed make it that file, whatever ran."""
    removed: Mapping[str, Content] = {
        ".wh.old": GONE,
        "new": file(FIVE, mode=0o700),
        "later": file(FIVE, mtime=7),
    }
    tracer = _after("./build.sh", {}, removed)
    assert origin(tracer.chain("new")) == "run stage-0 :2 /old inferred"
    assert _first(tracer, "new").detail == (
        "same sha256 as L2:/old, of the same time, which this layer removed"
    )
    assert origin(tracer.chain("later")) == "run stage-0 :4 /later verified"
    other = _after("./build.sh", {}, {".wh.old": GONE, "new": ONE})
    assert origin(other.chain("new")) == "run stage-0 :4 /new verified"


def test_chain_of_what_lay_in_a_removed_folder() -> None:
    """A renamed folder takes its files along."""
    base: Mapping[str, Content] = {"from/a": ONE, "from/b": b"1", "from/": folder()}
    tracer = _after("./build.sh", base, {".wh.from": GONE, "to/a": ONE, "to/b": b"1"})
    assert origin(tracer.chain("to/a")) == "base stage-0 :1 base /from/a inferred"
    assert origin(tracer.chain("to/b")) == "run stage-0 :4 /to/b inferred"


def test_chain_of_a_hard_link_to_a_file_of_a_lower_layer() -> None:
    """Such a link takes the file along into its layer: whichever name holds the bytes there."""
    lower: Mapping[str, Content] = {"a": b"1"}
    several: list[Mapping[str, Content]] = [
        {"a": b"1", "b": hardlink("a")},
        {"b": b"1", "a": hardlink("b")},
        {"b": hardlink("a")},
    ]
    for made in several:
        tracer = _after("./script", lower, made)
        assert origin(tracer.chain("b")) == "base stage-0 :1 base /a verified"
        assert _first(tracer, "b").detail == "same sha256 as L1:/a, hard-linked here"
    both = _after("ln /a /b", lower, several[0])
    assert origin(both.chain("b")) == "base stage-0 :1 base /a verified"
    twins: Mapping[str, Content] = {"a": b"1", "z": hardlink("a")}
    assert _chain(_after("./x", twins, {**twins, "b": hardlink("a")}), "b").origin.path is None
    forced = _after("ln -f /a /z", {"a": b"1", "z": b"2"}, {"a": b"1", "z": hardlink("a")})
    assert origin(forced.chain("z")) == "base stage-0 :1 base /a verified"
    apart = _after("./script", lower, {"b": b"2", "c": hardlink("b"), "d": hardlink("d")})
    for path in ("b", "c"):
        assert origin(apart.chain(path)) == f"run stage-0 :4 /{path} verified"


# --- mounts

MOUNTED = """\
FROM scratch AS build
RUN make
RUN more
FROM scratch AS other
RUN others
FROM scratch
RUN --mount=from=build,source=/out,target=/m --mount=type=bind,from=other,target=/n ./x
"""
BUILD: Steps = [
    (
        "RUN make",
        {"out/a": ONE, "out/same": TWO, "out/twin": TWO, "in/b": THREE, "out/c": FOUR},
    ),
    ("RUN more", {"out/late": FOUR, "out/few": b"1"}),
]
OTHER: Steps = [("RUN others", {"x": FIVE})]


def _mounted(content: Mapping[str, Content], command: str = "./x", **stages: Steps) -> Tracer:
    steps = [(f"RUN {command}", content)]
    return trace(MOUNTED.replace("./x", command), steps, stages=stages)


def test_chain_goes_through_a_mount_by_content() -> None:
    """Bytes that a mounted stage holds came from there, under whatever name."""
    tracer = _mounted({"x": ONE, "y": FIVE}, build=BUILD, other=OTHER)
    assert hops(tracer.chain("x")) == [
        "final/L1 mount :7 /x verified matched",
        "build/L1 write :2 /out/a verified declared",
    ]
    assert origin(tracer.chain("x")) == "run build :2 /out/a verified"
    assert origin(tracer.chain("y")) == "run other :5 /x verified"
    assert _first(tracer, "x").candidates == ()
    assert _first(tracer, "x").detail == "same sha256 as build:/out/a, mounted here"


def test_chain_takes_the_origin_that_several_candidates_share() -> None:
    """Of two files made by one step either may be it; their common maker is the origin."""
    chain = _chain(_mounted({"x": TWO}, build=BUILD, other=OTHER), "x")
    assert origin(chain) == "run build :2 verified"
    assert chain.hops[0].candidates == ("build:/out/same", "build:/out/twin")


def test_chain_leaves_candidates_of_several_origins_open() -> None:
    """Where different steps made equal files, which one was copied is not known."""
    chain = _chain(_mounted({"x": FOUR}, build=BUILD, other=OTHER), "x")
    assert origin(chain) == "unknown unknown"
    assert chain.hops[0].action is Action.MOUNT
    assert chain.hops[0].evidence is Evidence.MATCHED
    assert chain.hops[0].candidates == ("build:/out/c", "build:/out/late")


def test_chain_takes_the_candidate_that_a_command_names() -> None:
    """A path in a mount that a command copies is the one, however many are alike."""
    made = {"x": FOUR, "d/few": b"1"}
    tracer = _mounted(made, "cp /m/late /x && cp /m/f* /d/", build=BUILD, other=OTHER)
    assert origin(tracer.chain("x")) == "run build :3 /out/late verified"
    assert origin(tracer.chain("d/few")) == "run build :3 /out/few verified"
    assert _first(tracer, "x").candidates == ()


def test_chain_looks_only_into_the_folder_that_is_mounted() -> None:
    """What a stage has beside the mounted folder, the RUN could not copy."""
    chain = _chain(_mounted({"x": THREE}, build=BUILD, other=OTHER), "x")
    assert origin(chain) == "run stage-2 :7 /x verified"
    assert chain.hops[0].detail == "created here; nothing it mounts has such content"


def test_chain_of_few_bytes_that_a_mount_holds_too() -> None:
    """What little a RUN wrote is not taken for a copy out of a mount by its content alone."""
    tracer = _mounted({"x": b"1", "y": b"2"}, build=BUILD, other=OTHER)
    assert origin(tracer.chain("x")) == "run stage-2 :7 /x inferred"
    assert "build:/out/few has the same few bytes" in _first(tracer, "x").detail
    assert origin(tracer.chain("y")) == "run stage-2 :7 /y verified"


def test_chain_does_not_say_who_made_what_an_absent_mount_may_hold() -> None:
    """With a mounted stage not at hand a RUN may have made a file or copied it."""
    chain = _chain(_mounted({"x": THREE}, build=BUILD), "x")
    assert hops(chain) == ["final/L1 write :7 /x unknown unknown"]
    assert chain.origin.kind is OriginKind.UNKNOWN
    assert chain.trust is Trust.UNKNOWN
    assert chain.hops[0].detail == (
        "this RUN mounts other (give --stage other=IMAGE), not at hand: "
        "made here, or copied from there"
    )
    found = _mounted({"x": ONE}, build=BUILD)
    assert origin(found.chain("x")) == "run build :2 /out/a verified"


def test_chain_takes_nothing_below_for_what_an_absent_mount_may_hold() -> None:
    """The one file that is alike and at hand need not be the one that was copied."""
    dockerfile = "FROM base\nRUN --mount=target=/m cp /m/$X /b\n"
    steps: Steps = [("ADD rootfs /", {"a": ONE}), ("RUN cp /m/$X /b", {"b": ONE})]
    assert origin(trace(dockerfile, steps).chain("b")) == "unknown unknown"
    told = trace(dockerfile, steps, context={"other": TWO})
    assert origin(told.chain("b")) == "base stage-0 :1 base /a inferred"


def test_chain_of_what_a_command_copied_out_of_an_absent_mount() -> None:
    """It came from there, and nothing that is alike elsewhere is taken for it."""
    chain = _chain(_mounted({"x": ONE}, "cp /n/x /x", build=BUILD), "x")
    assert origin(chain) == "unknown unknown"
    assert chain.hops[0].detail == "copied out of other (give --stage other=IMAGE), not at hand"


def test_chain_of_what_a_mount_does_not_hold_where_a_command_says() -> None:
    """Then the command failed, and something else made the file."""
    tracer = _mounted({"x": THREE}, "cp /m/absent /x || ./x", build=BUILD, other=OTHER)
    assert origin(tracer.chain("x")) == "run stage-2 :7 /x verified"


def test_chain_through_a_mount_of_which_the_target_is_not_known() -> None:
    """Below a working directory that nothing tells, content has to do."""
    dockerfile = (
        "FROM scratch AS build\nRUN make\nFROM x\n"
        "RUN --mount=from=build,target=m --mount=from=build cp /w/m/a /x\n"
    )
    tracer = trace(
        dockerfile,
        [("ADD x", {}), ("RUN cp /w/m/a /x", {"x": ONE})],
        stages={"build": [("RUN make", {"a": ONE})]},
    )
    assert origin(tracer.chain("x")) == "run build :2 /a verified"


def test_chain_of_what_has_no_bytes_is_the_runs_own() -> None:
    """Empty files, folders and links hold nothing that a mount could have handed over."""
    tracer = _mounted({"e": b"", "d/": folder(), "l": symlink("x")})
    for path in ("e", "d", "l"):
        assert origin(tracer.chain(path)) == f"run stage-2 :7 /{path} verified"


def test_chain_of_a_mounted_context_or_image_is_open() -> None:
    """A bind without a stage is the context or an image: made here or copied from there."""
    for mount in ("type=bind,target=/m", "target=/m", "from=alpine,target=/m", "type=cache,from=x"):
        dockerfile = f"FROM scratch\nRUN --mount={mount} cp\n"
        assert origin(trace(dockerfile, [("RUN cp", {"x": ONE})]).chain("x")) == "unknown unknown"
    for mount in ("type=cache,target=/m", "type=tmpfs,target=/m", "type=secret,id=x"):
        dockerfile = f"FROM scratch\nRUN --mount={mount} cp\n"
        tracer = trace(dockerfile, [("RUN cp", {"x": ONE})])
        assert origin(tracer.chain("x")) == "run stage-0 :2 /x verified"


def test_chain_ends_in_a_mounted_context_or_image() -> None:
    """What the build context or an image at hand holds, the RUN copied out of it."""
    dockerfile = (
        "FROM scratch\nWORKDIR /w\n"
        "RUN --mount=target=ctx --mount=from=tools,target=/t cp ctx/sub/a /w/b && ./x\n"
    )
    made = {"w/b": ONE, "w/c": TWO, "w/t": THREE, "w/own": FOUR}
    steps: Steps = [("WORKDIR /w", {"w/": folder()}), ("RUN cp ctx/sub/a /w/b && ./x", made)]
    tracer = trace(
        dockerfile,
        steps,
        context={"sub/a": ONE, "twin": ONE, "p": TWO, "q": TWO},
        images={"tools": {"bin/t": THREE}},
    )
    assert hops(tracer.chain("w/b")) == ["final/L2 mount :3 /w/b verified matched"]
    assert origin(tracer.chain("w/b")) == "context stage-0 :3 sub/a verified"
    assert _first(tracer, "w/b").detail == "same sha256 as the build context:/sub/a, mounted here"
    assert origin(tracer.chain("w/c")) == "context stage-0 :3 verified"
    assert _first(tracer, "w/c").candidates == ("the build context:/p", "the build context:/q")
    assert origin(tracer.chain("w/t")) == "image stage-0 :3 tools /bin/t verified"
    assert origin(tracer.chain("w/own")) == "run stage-0 :3 /w/own verified"


def test_chain_does_not_rely_on_an_image_found_by_its_name() -> None:
    """What such an image holds came from it; what it does not hold, another one may have."""
    dockerfile = "FROM scratch\nRUN --mount=from=tools,target=/t cp /t/a /a && cp /t/b /b && ./x\n"
    steps: Steps = [("RUN cp /t/a /a && cp /t/b /b && ./x", {"a": ONE, "b": TWO, "c": THREE})]
    sure = trace(dockerfile, steps, images={"tools": {"a": ONE}})
    tracer = Tracer(sure._final, replace(sure._known, by_name=frozenset({"tools"})))
    assert origin(tracer.chain("a")) == "image stage-0 :2 tools /a verified"
    assert origin(sure.chain("c")) == "run stage-0 :2 /c verified"
    for path, start in (("b", "copied out of tools"), ("c", "this RUN mounts tools")):
        assert origin(tracer.chain(path)) == "unknown unknown"
        assert _first(tracer, path).detail.startswith(f"{start} (give --stage tools=IMAGE)")


def test_chain_of_a_mounted_file_of_the_context() -> None:
    """A single file that is mounted is all that the RUN can have copied."""
    dockerfile = (
        "FROM scratch\nRUN --mount=type=bind,source=p.json,target=/p.json ./x && cp /p.json /w/\n"
    )
    made = {"w/p.json": ONE, "w/other": TWO}
    tracer = trace(
        dockerfile,
        [("RUN ./x && cp /p.json /w/", made)],
        context={"p.json": ONE, "q.json": TWO},
    )
    assert origin(tracer.chain("w/p.json")) == "context stage-0 :2 p.json verified"
    assert origin(tracer.chain("w/other")) == "run stage-0 :2 /w/other verified"


# --- what is asked of many files at once


def test_is_uniform_tells_which_paths_share_an_answer() -> None:
    """Of the base, and of what a RUN can but have made, one answer stands for all."""
    dockerfile = (
        "FROM base\nRUN one\nWORKDIR /w\nRUN --mount=type=bind,target=/m two\n"
        "RUN --mount=type=cache,target=/c three\nRUN cp /b /f && cp $X $Y\nRUN ln /b /h\n"
        "RUN four\n"
    )
    steps: Steps = [
        ("ADD rootfs /", {"a": b"", "b": b"123", "i": b"1234"}),
        ("RUN one", {"a": b"1", "c": b"12"}),
        ("WORKDIR /w", {"w/": folder()}),
        ("RUN two", {"d": b"1", "d0": b""}),
        ("RUN three", {"e": b"1"}),
        ("RUN cp /b /f && cp $X $Y", {"f": b"123", "f1": b"1234", "f2": b"12345"}),
        ("RUN ln /b /h", {"h": hardlink("b"), "h2": b"123"}),
        ("RUN four", {".wh.i": GONE, "j": b"1234", "k": b"12345"}),
    ]
    tracer = trace(dockerfile, steps)
    rootfs = traced_image(steps).tree.rootfs
    places = {path: Place(*divmod(packed, STRIDE)) for path, packed in rootfs.seen.items()}
    uniform = {path for path, place in places.items() if tracer.is_uniform(path, place)}
    assert uniform == {"b", "c", "d0", "e", "f2", "h2", "k"}
    recorded = Tracer(traced_image(steps), Knowledge())
    uniform = {path for path, place in places.items() if recorded.is_uniform(path, place)}
    assert uniform == {"b", "c", "d", "d0", "e", "f2", "h2", "k"}


def test_verdict_is_what_the_chain_ends_in() -> None:
    """The short way to an answer and the long one agree on every path."""
    made: Mapping[str, Content] = {
        "b": ONE, "c": TWO, "d": b"1", "e": b"", "l": hardlink("old"), "old": FIVE, "n": b"99",
    }  # fmt: skip
    tracer = _after("cp $X /b && mv /p /c", {"x": ONE, "p": TWO, "t": b"1"}, made)
    for path, packed in tracer._final.tree.rootfs.seen.items():
        place = Place(*divmod(packed, STRIDE))
        chain, verdict = _chain(tracer, path), tracer.verdict(path, place)
        assert (verdict.origin, verdict.trust) == (chain.origin, chain.trust), path
