"""Layers that several instructions made together: which of them a path is of."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from layertrace.dockerfile.parse import parse_build
from layertrace.model.origin import Trust
from layertrace.provenance.tracer import Knowledge, Tracer
from layertrace.provenance.trees import Unpacked
from tests.builders import file, folder, hardlink, sha256, symlink
from tests.tracing import Steps, context_tree, hops, origin, rootfs_tree, trace, traced_image

if TYPE_CHECKING:
    from collections.abc import Mapping

    from layertrace.model.origin import Chain
    from tests.builders import Content

NOP = "/bin/sh -c #(nop)"
HASH = "file:" + "0" * 64
BASE: tuple[str, Mapping[str, Content]] = (
    "ADD rootfs /",
    {"bin/": folder(), "etc/": folder(), "etc/os": b"base", "lnk": symlink("bin")},
)
LONG = b"content that is not written twice by chance"
MADE = ("RUN make", {"dist/": folder(), "dist/app": file(LONG, mtime=7), "dist/x": file(b"x")})
"""What stage ``build`` made."""


def _together(dockerfile: str, content: Mapping[str, Content]) -> Steps:
    """Return the history that buildah leaves of a Dockerfile's last stage, on ``BASE`` if on any.

    It ends with a CMD that the one layer stands on.
    """
    stage = parse_build(dockerfile).stages[-1]
    texts = []
    for step in stage.instructions:
        if step.keyword == "RUN":
            texts.append(f"/bin/sh -c {step.args[0]}")
        elif step.keyword in {"COPY", "ADD"}:
            texts.append(f"{NOP} {step.keyword} {HASH} in {step.args[-1]} ")
        else:
            texts.append(f"{NOP} {step.text}")
    below = [] if stage.base == "scratch" else [BASE]
    return [*below, *((text, None) for text in texts[:-1]), (texts[-1], content)]


def _joint(  # noqa: PLR0913
    lines: str,
    content: Mapping[str, Content],
    *,
    start: str = "FROM base",
    context: Mapping[str, Content] | None = None,
    archives: Mapping[str, Unpacked] | None = None,
    built: bool = False,
    images: Mapping[str, Mapping[str, Content]] | None = None,
) -> Tracer:
    """Return the tracer of one layer for all of ``lines``, the first of which is line 4.

    Args:
        lines: of the final stage.
        content: of its layer.
        start: its FROM.
        context: the build context, where it is at hand.
        archives: what its archives hold.
        built: whether the image of stage ``build`` is at hand.
        images: external images that a COPY names.
    """
    dockerfile = f'FROM scratch AS build\nRUN make\n{start}\n{lines}\nCMD ["x"]\n'
    return trace(
        dockerfile,
        _together(dockerfile, content),
        stages={"build": [MADE]} if built else None,
        context=context,
        archives=archives,
        images=images,
    )


def _chain(tracer: Tracer, path: str) -> Chain:
    chain = tracer.chain(path)
    assert chain is not None
    return chain


def _answer(tracer: Tracer, path: str) -> str:
    """Return the origin in short, and in how many ways it may have come."""
    chain = _chain(tracer, path)
    numbers = [each.split(":")[1].split()[0] for hop in chain.hops for each in hop.candidates]
    return " ".join([origin(chain), *(f"or:{number}" for number in numbers)])


def test_chain_leads_to_the_copy_whose_source_has_the_content() -> None:
    """Whatever ran after it, a COPY with that very file at its source brought it."""
    tracer = _joint(
        "COPY a /app/a\nRUN one\nCOPY --from=build /dist /app/dist\nRUN two",
        {"app/a": file(b"a"), "app/dist/app": file(LONG, mtime=7), "app/dist/new": file(b"n")},
        context={"a": b"a"},
        built=True,
    )
    assert hops(tracer.chain("app/a")) == ["final/L2 copy :4 /app/a verified matched"]
    assert origin(tracer.chain("app/a")) == "context stage-1 :4 a verified"
    assert hops(tracer.chain("app/dist/app")) == [
        "final/L2 copy :6 /app/dist/app verified matched",
        "build/L1 write :2 /dist/app verified declared",
    ]
    assert _chain(tracer, "app/dist/app").carried_from == "build"
    assert _answer(tracer, "app/dist/new") == "unknown unknown or:7 or:5"


def test_chain_tells_that_a_later_run_changed_the_attributes() -> None:
    """A mode that COPY does not give leaves the content matched, and inferred."""
    tracer = _joint(
        "COPY a /a\nRUN chmod 700 /a", {"a": file(b"a", mode=0o700)}, context={"a": b"a"}
    )
    (hop,) = _chain(tracer, "a").hops
    assert (hop.line, hop.trust) == (4, Trust.INFERRED)
    assert hop.detail.startswith("same sha256, but another mode (the build context:/a)")


def test_chain_leads_to_the_newest_of_several_copies() -> None:
    """The last COPY of a file wrote it; other content there rules out the copies before it."""
    lines = "COPY one /a\nCOPY two /a"
    same = _joint(lines, {"a": b"1"}, context={"one": b"1", "two": b"1"})
    assert _answer(same, "a") == "context stage-1 :5 two verified"
    other = _joint(f"{lines}\nRUN back", {"a": b"1"}, context={"one": b"1", "two": b"22"})
    assert _answer(other, "a") == "run stage-1 :6 /a inferred"
    wrong = _joint(lines, {"a": b"1"}, context={"one": b"1", "two": b"22"})
    assert _answer(wrong, "a") == "context stage-1 :5 two contradicted"


def test_chain_leads_to_the_only_run_that_is_left() -> None:
    """What no COPY has at its source is of the one RUN after them."""
    tracer = _joint(
        "COPY . /app/\nRUN make",
        {"app/a": b"a", "app/out": b"out", "app/sub/": folder(), "app/ln": symlink("out")},
        context={"a": b"a"},
    )
    (hop,) = _chain(tracer, "app/out").hops
    assert (hop.line, hop.trust, hop.detail) == (
        5, Trust.INFERRED, "nothing else in L2 can have made it",
    )  # fmt: skip
    assert _answer(tracer, "app/ln") == "run stage-1 :5 /app/ln inferred"
    assert _answer(tracer, "app/sub") == "run stage-1 :5 /app/sub inferred"


def test_chain_names_all_that_may_have_made_a_file() -> None:
    """Where a source is not at hand it is as likely as a RUN, or as another COPY."""
    lines = "RUN one\nCOPY --from=build /dist /app\nRUN two"
    tracer = _joint(lines, {"app/new": b"n", "usr": b"u"})
    chain = _chain(tracer, "app/new")
    assert chain.hops[0].candidates == (
        "stage-1/3 :6 RUN two", "stage-1/2 :5 COPY --from=build /dist /app", "stage-1/1 :4 RUN one",
    )  # fmt: skip
    assert (chain.origin.kind.value, chain.trust) == ("unknown", Trust.UNKNOWN)
    assert _answer(tracer, "usr") == "unknown unknown or:6 or:4"


def test_chain_believes_the_dockerfile_where_no_run_can_have_written() -> None:
    """Without a RUN a COPY whose source is not at hand is declared, as it always is."""
    tracer = _joint("COPY a /a\nCOPY b /b", {"a": b"a", "b": b"b"})
    assert hops(tracer.chain("a")) == ["final/L2 copy :4 /a inferred declared"]
    before = _joint("RUN one\nCOPY a /a", {"a": b"a"})
    assert _answer(before, "a") == "context stage-1 :5 a inferred"
    after = _joint("COPY a /a\nRUN one", {"a": b"a"})
    assert _answer(after, "a") == "unknown unknown or:5 or:4"


def test_chain_does_not_pass_over_a_copy_whose_source_is_not_at_hand() -> None:
    """It may have written the same again, and then it is the newest."""
    tracer = _joint(
        "COPY a /app/a\nCOPY --from=build /dist /app", {"app/a": b"a"}, context={"a": b"a"}
    )
    assert _answer(tracer, "app/a") == "unknown unknown or:5 or:4"


def test_chain_of_what_no_instruction_writes_is_unknown() -> None:
    """Nothing in the Dockerfile leads to such a path."""
    tracer = _joint("COPY a /a\nWORKDIR /w", {"b": b"b", "w/": folder()}, context={"a": b"a"})
    assert _answer(tracer, "b") == "unknown unknown"
    assert _chain(tracer, "b").hops[0].detail == "no instruction in L2 writes it"


def test_chain_contradicts_a_copy_that_nothing_can_have_changed() -> None:
    """Other content than the source's, and no RUN: the context is not what was built from."""
    tracer = _joint("COPY a /a\nCOPY b /b", {"a": b"1", "b": b"b"}, context={"a": b"2", "b": b"b"})
    assert _answer(tracer, "a") == "context stage-1 :4 a contradicted"


def test_chain_of_a_directory_leads_to_what_made_it_first() -> None:
    """A WORKDIR, a folder on the way and a copied one, if nothing before can have made them."""
    tracer = _joint(
        "WORKDIR /app/w\nCOPY src /app/src\nCOPY a /deep/er/a\nWORKDIR lib",
        {
            "app/": folder(), "app/w/": folder(), "app/src/": folder(), "app/src/in/": folder(),
            "app/w/lib/": folder(), "deep/": folder(), "deep/er/": folder(), "deep/er/a": b"a",
        },
        context={"src/in/": folder(), "src/": folder(), "a": b"a"},
    )  # fmt: skip
    assert _answer(tracer, "app") == "workdir stage-1 :4 /app verified"
    assert _answer(tracer, "app/w") == "workdir stage-1 :4 /app/w verified"
    assert _answer(tracer, "app/w/lib") == "workdir stage-1 :7 /app/w/lib verified"
    assert _answer(tracer, "app/src/in") == "context stage-1 :5 src/in verified"
    assert _answer(tracer, "deep/er") == "workdir stage-1 :6 /deep/er verified"


def test_chain_of_a_directory_that_a_run_may_have_made_is_not_sure() -> None:
    """A RUN before may have made it first, one after may have made it anew."""
    after = _joint("WORKDIR /app\nRUN make", {"app/": folder()})
    assert _answer(after, "app") == "workdir stage-1 :4 /app inferred"
    before = _joint("RUN make\nWORKDIR /app", {"app/": folder(), "x": b"x"})
    assert _answer(before, "app") == "unknown unknown or:4 or:5"
    assert _answer(before, "x") == "run stage-1 :4 /x inferred"
    relative = _joint(
        "COPY a /a\nWORKDIR app\nCOPY b b", {"app/": folder(), "a": b"a"}, context={"a": b"a"}
    )
    assert _answer(relative, "app") == "unknown unknown or:5 or:6"
    hidden = _joint("COPY --from=build /dist /app\nWORKDIR /app/w", {"app/": folder()})
    assert _answer(hidden, "app") == "unknown unknown or:4 or:5"


def test_chain_of_a_directory_that_was_there_goes_on_below() -> None:
    """A layer lists the folders above what it writes; they are of the base all the same."""
    tracer = _joint(
        "COPY a /etc/a\nRUN make", {"etc/": folder(), "etc/a": b"a"}, context={"a": b"a"}
    )
    assert hops(tracer.chain("etc")) == [
        "final/L2 metadata /etc inferred declared",
        "final/L1 inherit :3 /etc verified declared",
    ]


def test_chain_of_a_file_that_was_there_goes_on_below() -> None:
    """The same content as before, and no COPY of it: a RUN gave it other attributes."""
    content: Mapping[str, Content] = {"etc/os": file(b"base", mode=0o600), "a": b"a"}
    one = _joint("COPY a /a\nRUN chmod", content, context={"a": b"a"})
    assert hops(one.chain("etc/os"))[0] == "final/L2 metadata :5 /etc/os inferred declared"
    assert origin(one.chain("etc/os")) == "base stage-1 :3 base /etc/os inferred"
    several = _joint("RUN one\nRUN chmod", content)
    assert _answer(several, "etc/os") == "base stage-1 :3 base /etc/os inferred or:5 or:4"
    perhaps = _joint("COPY b /etc/\nRUN chmod", content)
    assert _answer(perhaps, "etc/os") == "unknown unknown or:5 or:4"
    other = _joint("COPY a /a\nRUN edit", {"etc/os": b"new"}, context={"a": b"a"})
    assert _answer(other, "etc/os") == "run stage-1 :5 /etc/os inferred"
    kind = _joint("COPY a /a\nRUN edit", {"etc/os": symlink("/a")}, context={"a": b"a"})
    assert _answer(kind, "etc/os") == "run stage-1 :5 /etc/os inferred"


def test_chain_follows_links_and_folders_that_the_same_layer_made() -> None:
    """A destination that a RUN of the layer made is a folder or a link to one."""
    tracer = _joint(
        "RUN mkdir /out && ln -s /out /to\nCOPY a /out\nCOPY b /to/\nCOPY c /lnk/",
        {
            "out/": folder(), "to": symlink("/out"), "out/a": b"a", "out/b": b"b",
            "bin/c": b"c",
        },
        context={"a": b"a", "b": b"b", "c": b"c"},
    )  # fmt: skip
    assert _answer(tracer, "out/a") == "context stage-1 :5 a verified"
    assert _answer(tracer, "out/b") == "context stage-1 :6 b verified"
    assert _answer(tracer, "bin/c") == "context stage-1 :7 c verified"
    assert _answer(tracer, "to") == "run stage-1 :4 /to inferred"


def test_chain_follows_what_a_run_moved_away_from_where_it_was_copied() -> None:
    """The commands of a RUN name the place; the COPY that wrote there brought the content."""
    tracer = _joint(
        "COPY src /tmp/src\nRUN mv /tmp/src/a /usr/a && cp /not/there /usr/b",
        {"usr/a": b"a", "usr/b": b"b"},
        context={"src/a": b"a", "src/b": b"2"},
    )
    assert hops(tracer.chain("usr/a")) == [
        "final/L2 copy :5 /usr/a inferred matched",
        "final/L2 copy :4 /tmp/src/a verified matched",
    ]
    assert origin(tracer.chain("usr/a")) == "context stage-1 :4 src/a inferred"
    assert _answer(tracer, "usr/b") == "run stage-1 :5 /usr/b inferred"
    changed = _joint(
        "COPY a /tmp/a\nRUN edit\nWORKDIR /w\nRUN cp /tmp/a /usr/a",
        {"usr/a": b"edited"},
        context={"a": b"a"},
    )
    assert _answer(changed, "usr/a") == "unknown unknown or:7 or:5"


def test_chain_finds_by_content_what_a_run_moved_without_a_word() -> None:
    """Content of some size that a COPY of the layer took is that, wherever it stands now."""
    tracer = _joint(
        "COPY src /s\nCOPY --from=build /dist /d\nCOPY --from=tools /t /t\n"
        "WORKDIR /w\nRUN ./install",
        {"opt/a": LONG, "opt/b": LONG + b"b", "opt/t": LONG + b"t", "opt/n": LONG + b"n"},
        context={"src/b": LONG + b"b", "out/n": LONG + b"n"},
        built=True,
        images={"tools": {"t/t": LONG + b"t"}},
    )
    assert origin(tracer.chain("opt/a")) == "run build :2 /dist/app inferred"
    assert origin(tracer.chain("opt/b")) == "context stage-1 :4 src/b inferred"
    assert origin(tracer.chain("opt/t")) == "image stage-1 :6 tools /t/t inferred"
    # COPY src does not take what lies beside it.
    assert origin(tracer.chain("opt/n")) == "run stage-1 :8 /opt/n inferred"
    assert "moved by a later RUN" in _chain(tracer, "opt/b").hops[0].detail


def test_chain_does_not_choose_between_equal_files_that_were_copied() -> None:
    """Two sources of one content are two origins, unless one COPY took both."""
    source = {"s/a": LONG, "s/b": LONG, "t": LONG}
    several = _joint("COPY s /s\nCOPY t /t\nRUN x", {"o": LONG}, context=source)
    chain = _chain(several, "o")
    assert (chain.origin.kind.value, chain.trust, len(chain.hops[0].candidates)) == (
        "unknown", Trust.UNKNOWN, 3,
    )  # fmt: skip
    one = _joint("COPY s /s\nCOPY u /u\nRUN x", {"o": LONG}, context=source)
    assert origin(one.chain("o")) == "context stage-1 :4 inferred"


def test_chain_follows_what_one_of_several_runs_mounted() -> None:
    """Content of a mount tells which RUN it was."""
    tracer = _joint(
        "RUN one\nRUN --mount=from=build,target=/m cp /m/dist/app /opt/app",
        {"opt/app": LONG, "opt/x": b"x"},
        built=True,
    )
    assert hops(tracer.chain("opt/app"))[0] == "final/L2 mount :5 /opt/app inferred matched"
    assert origin(tracer.chain("opt/app")) == "run build :2 /dist/app inferred"
    assert _answer(tracer, "opt/x") == "unknown unknown or:5 or:4"


def test_chain_of_a_heredoc_is_its_own() -> None:
    """A document of the Dockerfile is compared like a source; expanded it is only declared."""
    tracer = _joint(
        "COPY <<one /d/\n1\none\nCOPY <<two /d/\n$X\ntwo\nRUN make",
        {"d/one": b"1\n", "d/two": b"x\n", "d/three": b"3"},
    )
    assert _answer(tracer, "d/one") == "inline stage-1 :4 /d/one verified"
    assert _answer(tracer, "d/two") == "unknown unknown or:10 or:7"
    assert _answer(tracer, "d/three") == "run stage-1 :10 /d/three inferred"


def test_chain_of_what_add_fetched_is_declared() -> None:
    """Of a URL nothing is at hand: a RUN after it is as likely."""
    lines = "RUN one\nADD https://x.org/f.txt?a=b /u/"
    content: Mapping[str, Content] = {
        "u/": folder(),
        "u/f.txt": b"f",
        "u/g": b"g",
        "u/d/": folder(),
        "v": b"v",
    }
    tracer = _joint(lines, content, context={"a": b"a"})
    assert _answer(tracer, "u/d") == "unknown unknown or:4 or:5"
    assert _answer(tracer, "v") == "run stage-1 :4 /v inferred"
    assert _answer(tracer, "u/f.txt") == ("url stage-1 :5 https://x.org/f.txt?a=b inferred")
    assert _answer(tracer, "u/g") == "unknown unknown or:5 or:4"
    assert _answer(tracer, "u") == "unknown unknown or:4 or:5"


def test_chain_goes_into_archives_that_add_unpacked() -> None:
    """What an archive of the context holds is of the ADD, what it does not is of a RUN."""
    archives = {"a.tar": Unpacked(tree=rootfs_tree({"in/one": b"1", "two": b"2"}))}
    tracer = _joint(
        "ADD a.tar /t\nRUN make",
        {"t/": folder(), "t/in/": folder(), "t/in/one": b"1", "t/two": b"22", "t/new": b"n"},
        context={"a.tar": b"tar"},
        archives=archives,
    )
    assert _answer(tracer, "t/in/one") == "context stage-1 :4 a.tar verified"
    assert _answer(tracer, "t") == "workdir stage-1 :4 /t inferred"
    assert _answer(tracer, "t/two") == "run stage-1 :5 /t/two inferred"
    assert _answer(tracer, "t/new") == "run stage-1 :5 /t/new inferred"


def test_chain_does_not_trust_an_image_found_by_its_name_alone() -> None:
    """It may have been another when the build ran: what is not in it tells nothing."""
    dockerfile = 'FROM base\nCOPY --from=tools /t /t\nCOPY a /a\nRUN x\nCMD ["x"]\n'
    build = parse_build(dockerfile)
    final = traced_image(_together(dockerfile, {"t/t": b"t", "t/u": b"u"}), build)
    known = Knowledge(
        build=build,
        context=context_tree({"a": b"a"}),
        images={"tools": rootfs_tree({"t/t": b"t"})},
        by_name=frozenset({"tools"}),
    )
    tracer = Tracer(final, known)
    assert _answer(tracer, "t/t") == "image stage-0 :2 tools /t/t verified"
    assert _answer(tracer, "t/u") == "unknown unknown or:4 or:2"
    sure = Tracer(final, replace(known, by_name=frozenset()))
    assert _answer(sure, "t/u") == "run stage-0 :4 /t/u inferred"


def test_chain_of_a_layer_that_holds_the_base_too_is_known_where_a_copy_tells() -> None:
    """With ``--squash`` of buildah everything may be the base's, but not what was copied."""
    dockerfile = 'FROM base\nCOPY a /a\nRUN x\nCMD ["x"]\n'
    steps = _together(dockerfile, {"a": b"a", "b": b"b", "d/": folder()})[1:]
    tracer = trace(dockerfile, steps, context={"a": b"a"})
    assert _answer(tracer, "a") == "context stage-0 :2 a verified"
    assert _chain(tracer, "b").hops[0].candidates == ("stage-0/2 :3 RUN x", "base base :1")
    assert _answer(tracer, "d") == "unknown unknown or:3 or:1"


def test_chain_knows_a_base_at_hand_in_the_layer_that_holds_it() -> None:
    """What the base has is its own unless a COPY wrote it; what it has not is of the RUN."""
    dockerfile = 'FROM base\nCOPY a /a\nCOPY --from=tools /t /t/\nRUN x\nCMD ["x"]\n'
    content: Mapping[str, Content] = {
        "a": b"a", "b": b"b", "c": b"c2", "d/": folder(), "e/": folder(), "f": symlink("b"),
        "g": b"g", "t/x": b"t",
    }  # fmt: skip
    base: dict[str, Content] = {
        "a": b"a",
        "b": b"b",
        "c": b"c1",
        "d/": folder(),
        "f": symlink("b"),
        "g": folder(),
    }
    base["t/x"] = b"t"
    steps = _together(dockerfile, content)[1:]
    tracer = trace(dockerfile, steps, context={"a": b"a"}, images={"base": base})
    assert _answer(tracer, "a") == "context stage-0 :2 a verified"
    assert hops(tracer.chain("b")) == ["final/L1 inherit :1 /b inferred matched"]
    assert _answer(tracer, "b") == "base stage-0 :1 base /b inferred"
    assert _answer(tracer, "f") == "base stage-0 :1 base /f inferred"
    assert _answer(tracer, "d") == "base stage-0 :1 base /d inferred"
    assert _answer(tracer, "c") == "run stage-0 :4 /c inferred"
    assert _answer(tracer, "g") == "run stage-0 :4 /g inferred"
    assert _answer(tracer, "e") == "run stage-0 :4 /e inferred"
    assert _answer(tracer, "t/x") == "unknown unknown or:4 or:3 or:1"


def test_chain_goes_on_in_a_stage_whose_layer_is_of_several_instructions() -> None:
    """The stage was built in one layer as well."""
    dockerfile = (
        'FROM scratch AS one\nCOPY a /a\nRUN make\nCMD ["x"]\n'
        'FROM base\nCOPY --from=one / /app\nRUN x\nCMD ["x"]\n'
    )
    stage: Steps = [
        (f"{NOP} COPY {HASH} in /a ", None),
        ("/bin/sh -c make", None),
        (f'{NOP} CMD ["x"]', {"a": b"a", "m": b"m"}),
    ]
    final = _together(dockerfile, {"app/a": b"a", "app/m": b"m"})
    tracer = trace(dockerfile, final, stages={"one": stage}, context={"a": b"a"})
    assert hops(tracer.chain("app/a")) == [
        "final/L2 copy :6 /app/a verified matched",
        "one/L1 copy :2 /a verified matched",
    ]
    assert origin(tracer.chain("app/m")) == "run one :3 /m inferred"


def test_chain_names_the_hash_of_a_copy_in_such_a_layer() -> None:
    """``docker build --squash`` keeps what the classic builder recorded of each step."""
    dockerfile = 'FROM base\nCOPY a /a\nRUN x\nCMD ["x"]\n'
    steps = list(_together(dockerfile, {"a": b"a"}))
    body = "nameamode420uid0gid0size1typeflag0linknameunamegnamedevmajor0devminor0a"
    found = sha256(body.encode()).removeprefix("sha256:")
    steps[1] = (f"{NOP} COPY file:{found} in /a ", None)
    tracer = trace(dockerfile, steps, context={"a": b"a"})
    assert hops(tracer.chain("a")) == ["final/L2 copy :2 /a verified hashed"]


@pytest.mark.parametrize("path", ["a", "b", "w"])
def test_verdict_agrees_with_the_chain_in_such_a_layer(path: str) -> None:
    """No answer is shared between the paths of a layer of several instructions."""
    tracer = _joint(
        "WORKDIR /w\nCOPY a /a\nRUN make",
        {"a": b"a", "b": b"b", "w/": folder(), "h": hardlink("a")},
        context={"a": b"a"},
    )
    place = tracer._final.tree.rootfs.place(path)
    assert place is not None
    assert not tracer.is_uniform(path, place)
    verdict, chain = tracer.verdict(path, place), _chain(tracer, path)
    assert (verdict.origin, verdict.trust) == (chain.origin, chain.trust)
    assert _answer(tracer, "h") == "run stage-1 :6 /h inferred"
