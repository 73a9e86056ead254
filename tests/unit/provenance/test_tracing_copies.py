"""Chains through COPY: from one stage to the next, and where the source does not fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from layertrace.dockerfile.parse import parse_build
from layertrace.model.origin import OriginKind, Trust
from layertrace.provenance.tracer import Knowledge, Tracer
from tests.builders import file, folder, hardlink, symlink
from tests.tracing import Steps, hops, origin, trace, traced_image

if TYPE_CHECKING:
    from collections.abc import Mapping

    from layertrace.model.origin import Chain
    from tests.builders import Content

BASE: tuple[str, Mapping[str, Content]] = ("ADD rootfs /", {"bin/sh": b"sh", "bin/": folder()})
DOCKERFILE = """\
FROM node:14 AS build
WORKDIR /app
RUN npm run build
FROM node:14-slim
WORKDIR /app
COPY --from=build /app/dist /app/dist
"""
BUILD: Steps = [
    BASE,
    ("WORKDIR /app", {"app/": folder()}),
    ("RUN npm run build", {"app/dist/": folder(), "app/dist/server.js": file(b"js", mtime=7)}),
]
FINAL: Steps = [
    BASE,
    ("WORKDIR /app", {"app/": folder()}),
    (
        "COPY /app/dist /app/dist",
        {"app/dist/": folder(), "app/dist/server.js": file(b"js", mtime=7)},
    ),
]


def _copied(copy: str, content: Mapping[str, Content], source: Mapping[str, Content]) -> Tracer:
    """Return the tracer of a COPY out of stage ``build``, made by a RUN on scratch."""
    dockerfile = f"FROM scratch AS build\nRUN make\nFROM scratch\n{copy}\n"
    (instruction,) = parse_build(dockerfile).stages[1].instructions
    flags = ["--parents"] if "parents" in instruction.flags else []
    created_by = " ".join(["COPY", *flags, *instruction.args])
    return trace(dockerfile, [(created_by, content)], stages={"build": [("RUN make", source)]})


def _chain(tracer: Tracer, path: str) -> Chain:
    chain = tracer.chain(path)
    assert chain is not None
    return chain


def test_chain_goes_through_a_copy_to_the_step_that_made_the_file() -> None:
    """The same content at the source verifies the copy; the RUN there made it."""
    tracer = trace(DOCKERFILE, FINAL, stages={"build": BUILD})
    chain = _chain(tracer, "app/dist/server.js")
    assert hops(chain) == [
        "final/L3 copy :6 /app/dist/server.js verified matched",
        "build/L3 write :3 /app/dist/server.js verified declared",
    ]
    assert origin(chain) == "run build :3 /app/dist/server.js verified"
    assert chain.origin.instruction == "RUN npm run build"
    assert chain.origin.stage_index == 0
    assert chain.carried_from == "build"
    assert chain.hops[0].detail == "same sha256 (build:/app/dist/server.js)"
    assert chain.hops[0].stage == "stage-1"


def test_chain_ends_at_a_stage_whose_image_is_not_at_hand() -> None:
    """The carrier is known and inferred; who made the bytes is not, and nobody is named."""
    chain = _chain(trace(DOCKERFILE, FINAL), "app/dist/server.js")
    assert hops(chain) == [
        "final/L3 copy :6 /app/dist/server.js inferred declared",
        "build write /app/dist/server.js unknown unknown",
    ]
    assert origin(chain) == "unknown unknown"
    assert chain.carried_from == "build"
    assert chain.hops[1].candidates == (
        "build/2 :3 RUN npm run build", "base node:14 :1",
    )  # fmt: skip
    assert chain.hops[1].detail.endswith("give --stage build=IMAGE")


def test_chain_of_a_scratch_stage_names_no_base_as_its_maker() -> None:
    """FROM scratch brings nothing, so it is no candidate."""
    dockerfile = "FROM scratch AS build\nCOPY a /a\nFROM scratch\nCOPY --from=build /a /a\n"
    chain = _chain(trace(dockerfile, [("COPY /a /a", {"a": b"1"})]), "a")
    assert chain.hops[1].candidates == ("build/1 :2 COPY a /a",)


def test_chain_inherits_from_the_base() -> None:
    """What lies below the Dockerfile's first step came with the image that FROM names."""
    chain = _chain(trace(DOCKERFILE, FINAL), "bin/sh")
    assert hops(chain) == ["final/L1 inherit :4 /bin/sh verified declared"]
    assert origin(chain) == "base stage-1 :4 node:14-slim /bin/sh verified"
    assert chain.carried_from is None
    assert chain.hops[0].detail == "base node:14-slim"
    assert chain.hops[0].instruction == "FROM node:14-slim"


def test_chain_goes_through_three_stages() -> None:
    """A file handed on twice shows each hop, and the first maker is the origin."""
    dockerfile = (
        "FROM scratch AS one\nRUN make\nFROM scratch AS two\nCOPY --from=one /out /in\n"
        "FROM scratch\nCOPY --from=two /in/x /y\nRUN chmod 755 /y\n"
    )
    chain = _chain(
        trace(
            dockerfile,
            [("COPY /in/x /y", {"y": b"1"}), ("RUN chmod 755 /y", {"y": file(b"1", mode=0o755)})],
            stages={
                "two": [("COPY /out /in", {"in/x": b"1"})],
                "one": [("RUN make", {"out/x": b"1"})],
            },
        ),
        "y",
    )
    assert hops(chain) == [
        "final/L2 metadata :7 /y verified declared",
        "final/L1 copy :6 /y verified matched",
        "two/L1 copy :4 /in/x verified matched",
        "one/L1 write :2 /out/x verified declared",
    ]
    assert origin(chain) == "run one :2 /out/x verified"
    assert chain.hops[0].detail == "same content; mode 0644 → 0755"
    assert chain.carried_from == "two"


def test_chain_goes_down_through_a_stage_made_from_a_stage() -> None:
    """Steps of the stage below are the target's own layers."""
    dockerfile = "FROM scratch AS one\nRUN make\nFROM one\nRUN more\n"
    tracer = trace(dockerfile, [("RUN make", {"a": b"1"}), ("RUN more", {"b": b"2"})])
    assert origin(tracer.chain("a")) == "run one :2 /a verified"
    assert origin(tracer.chain("b")) == "run stage-1 :4 /b verified"
    assert _chain(tracer, "a").hops[0].place == "final"


def test_chain_is_contradicted_where_the_stage_has_other_content() -> None:
    """A stage of another build did not make this file, and is not said to have."""
    other: Steps = [*BUILD[:2], ("RUN npm run build", {"app/dist/server.js": b"xx"})]
    chain = _chain(trace(DOCKERFILE, FINAL, stages={"build": other}), "app/dist/server.js")
    assert hops(chain) == ["final/L3 copy :6 /app/dist/server.js contradicted declared"]
    assert origin(chain) == "unknown contradicted"
    assert chain.carried_from == "build"
    assert chain.hops[0].detail == "other content there (build:/app/dist/server.js)"


def test_chain_is_contradicted_where_the_stage_lacks_the_file() -> None:
    """What the COPY should have taken is not in the stage that was given."""
    chain = _chain(trace(DOCKERFILE, FINAL, stages={"build": BUILD[:2]}), "app/dist/server.js")
    assert hops(chain) == ["final/L3 copy :6 /app/dist/server.js contradicted declared"]
    assert chain.hops[0].detail == "not there (build:/app/dist/server.js)"


def test_chain_is_contradicted_where_the_stages_own_history_is() -> None:
    """Even with the same content, a stage built from another Dockerfile is not this one's."""
    other: Steps = [*BUILD[:2], ("RUN npm run other", BUILD[2][1])]
    chain = _chain(trace(DOCKERFILE, FINAL, stages={"build": other}), "app/dist/server.js")
    assert chain.trust is Trust.CONTRADICTED


def test_chain_is_inferred_where_attributes_differ() -> None:
    """The same content with another time may be another file: the source is only likely."""
    final: Steps = [*FINAL[:2], ("COPY /app/dist /app/dist", {"app/dist/server.js": b"js"})]
    chain = _chain(trace(DOCKERFILE, final, stages={"build": BUILD}), "app/dist/server.js")
    assert hops(chain)[0] == "final/L3 copy :6 /app/dist/server.js inferred matched"
    assert origin(chain) == "run build :3 /app/dist/server.js inferred"


@pytest.mark.parametrize(
    ("copy", "path", "content", "source", "expected"),
    [
        pytest.param(
            "COPY --from=build /a /b", "b", b"1", {"a": b"1"}, "/a", id="file to file"
        ),
        pytest.param(
            "COPY --from=build /a /d/", "d/a", b"1", {"a": b"1"}, "/a", id="file to directory"
        ),
        pytest.param(
            "COPY --from=build /o /p /d/", "d/x", b"2", {"o/x": b"1", "p/x": b"2"}, "/p/x",
            id="the later source wins",
        ),
        pytest.param(
            "COPY --from=build /o /p /d/", "d/y", b"1", {"o/y": b"1", "p/x": b"2"}, "/o/y",
            id="the earlier has it alone",
        ),
        pytest.param(
            "COPY --from=build /lib/*.so /d/", "d/a.so", b"1", {"lib/a.so": b"1", "lib/b": b"1"},
            "/lib/a.so", id="a wildcard",
        ),
        pytest.param(
            "COPY --from=build /in /d", "d/x", b"1", {"in": symlink("real"), "real/x": b"1"},
            "/real/x", id="a source that is a link to a directory",
        ),
        pytest.param(
            "COPY --from=build /in/x /d/", "d/x", b"1", {"in": symlink("real"), "real/x": b"1"},
            "/real/x", id="a source below a link",
        ),
        pytest.param(
            "COPY --from=build /l /d/", "d/l", b"1", {"l": symlink("deep/x"), "deep/x": b"1"},
            "/deep/x", id="a source that is a link to a file",
        ),
        pytest.param(
            "COPY --from=build /o /d", "d/l", symlink("x"), {"o/l": symlink("x"), "o/x": b"1"},
            "/o/l", id="a link inside a directory",
        ),
        pytest.param(
            "COPY --from=build /o /d", "d/h", b"1", {"o/x": b"1", "o/h": hardlink("o/x")},
            "/o/h", id="a hard link",
        ),
        pytest.param(
            "COPY --parents --from=build /o/./a/x /d/", "d/a/x", b"1", {"o/a/x": b"1"},
            "/o/a/x", id="with parents",
        ),
        pytest.param(
            'COPY --from=build ["/a b", "/c d"]', "c d", b"1", {"a b": b"1"}, "/a b",
            id="json form",
        ),
        pytest.param(
            "COPY --from=build --chown=1:1 --chmod=600 /a /b", "b",
            file(b"1", uid=1, gid=1, mode=0o600), {"a": b"1"}, "/a", id="owner and mode given",
        ),
        pytest.param(
            "COPY --from=build / /", "a", b"1", {"a": b"1"}, "/a", id="everything",
        ),
        pytest.param(
            "COPY --from=build /e /e", "e", b"", {"e": b""}, "/e", id="an empty file",
        ),
    ],
)  # fmt: skip
def test_chain_finds_the_source_as_the_builder_copied(
    copy: str, path: str, content: Content, source: Mapping[str, Content], expected: str
) -> None:
    """Each way to copy leads to the path in the stage, verified by content."""
    chain = _copied(copy, {path: content}, source).chain(path)
    assert origin(chain) == f"run build :2 {expected} verified"


def test_chain_uses_the_last_source_that_has_the_path() -> None:
    """That an earlier source has the right content does not make it the one copied."""
    chain = _chain(
        _copied("COPY --from=build /o /p /d/", {"d/x": b"1"}, {"o/x": b"1", "p/x": b"2"}), "d/x"
    )
    assert chain.trust is Trust.CONTRADICTED
    assert chain.origin.kind is OriginKind.UNKNOWN


def test_chain_looks_at_the_destination_as_the_copy_found_it() -> None:
    """A link that a later step put at the destination, or removed, changes nothing."""
    dockerfile = (
        "FROM scratch AS build\nRUN make\nFROM base\nCOPY --from=build /x /app/\n"
        "RUN rm /app && mkdir /app\n"
    )
    final: Steps = [
        ("ADD rootfs /", {"app": symlink("srv"), "srv/": folder()}),
        ("COPY /x /app/", {"srv/x": b"1"}),
        ("RUN rm /app && mkdir /app", {"app/": folder()}),
    ]
    tracer = trace(dockerfile, final, stages={"build": [("RUN make", {"x": b"1"})]})
    assert origin(tracer.chain("srv/x")) == "run build :2 /x verified"


def test_chain_takes_the_same_bytes_copied_again_for_a_copy() -> None:
    """A COPY over what was there already brought its own bytes, alike or not."""
    dockerfile = "FROM scratch AS build\nRUN make\nFROM base\nCOPY --from=build /x /x\n"
    tracer = trace(
        dockerfile,
        [("ADD rootfs /", {"x": b"1"}), ("COPY /x /x", {"x": b"1"})],
        stages={"build": [("RUN make", {"x": b"1"})]},
    )
    assert origin(tracer.chain("x")) == "run build :2 /x verified"


def test_chain_of_directories_that_a_copy_made_on_its_way() -> None:
    """Folders above a destination, and one made for files, are the COPY's own."""
    content: Mapping[str, Content] = {
        "opt/": folder(), "opt/new/": folder(), "opt/new/a": b"1",
    }  # fmt: skip
    tracer = _copied("COPY --from=build /a /opt/new/", content, {"a": b"1"})
    assert origin(tracer.chain("opt")) == "workdir stage-1 :4 /opt verified"
    assert origin(tracer.chain("opt/new")) == "workdir stage-1 :4 /opt/new verified"
    assert hops(tracer.chain("opt")) == ["final/L1 write :4 /opt verified declared"]


def test_chain_of_a_directory_that_was_copied() -> None:
    """Directories are traced to their source too; the topmost whatever its attributes."""
    content: Mapping[str, Content] = {"d/": folder(), "d/sub/": folder(0o700)}
    source: Mapping[str, Content] = {"o/": folder(0o711, uid=5), "o/sub/": folder(0o700)}
    tracer = _copied("COPY --from=build /o /d", content, source)
    assert origin(tracer.chain("d")) == "run build :2 /o verified"
    assert origin(tracer.chain("d/sub")) == "run build :2 /o/sub verified"


@pytest.mark.parametrize(
    ("mode", "maker"),
    [(0o700, "/a/sub verified"), (0o711, "/b/sub verified"), (0o755, "/a/sub inferred")],
)
def test_chain_of_a_directory_that_several_sources_have(mode: int, maker: str) -> None:
    """Its attributes tell which of them made it; the first where none has them."""
    content: Mapping[str, Content] = {"d/": folder(), "d/sub/": folder(mode)}
    source: Mapping[str, Content] = {
        "a/": folder(), "a/sub/": folder(0o700), "b/": folder(), "b/sub/": folder(0o711),
    }  # fmt: skip
    tracer = _copied("COPY --from=build /a /b /d/", content, source)
    assert origin(tracer.chain("d/sub")) == f"run build :2 {maker}"


def test_chain_does_not_guess_at_directories_without_the_source() -> None:
    """A directory at the destination was copied or made for files: without the stage unknown."""
    dockerfile = "FROM base AS build\nRUN make\nFROM scratch\nCOPY --from=build /o /a/d\n"
    content: Mapping[str, Content] = {"a/": folder(), "a/d/": folder(), "a/d/sub/": folder()}
    tracer = trace(dockerfile, [("COPY /o /a/d", content)])
    assert origin(tracer.chain("a")) == "workdir stage-1 :4 /a verified"
    for path in ("a/d", "a/d/sub"):
        chain = _chain(tracer, path)
        assert origin(chain) == "unknown unknown"
        assert chain.carried_from == "build"


def test_chain_of_a_directory_that_no_entry_of_the_stage_made() -> None:
    """Folders that only paths below them tell of have no maker to name."""
    content: Mapping[str, Content] = {"d/": folder(), "d/sub/": folder(), "d/sub/x": b"1"}
    tracer = _copied("COPY --from=build /o /d", content, {"o/sub/x": b"1"})
    assert origin(tracer.chain("d")) == "workdir stage-1 :4 /d verified"
    assert origin(tracer.chain("d/sub")) == "unknown unknown"
    root = _copied("COPY --from=build / /d", content, {"sub/": folder(), "sub/x": b"1"})
    assert origin(root.chain("d")) == "workdir stage-1 :4 /d verified"


def test_chain_of_a_directory_that_the_source_lacks_is_contradicted() -> None:
    """Below the destination a COPY makes no folder of its own."""
    tracer = _copied("COPY --from=build /o /d", {"d/": folder(), "d/sub/": folder()}, {"o/x": b""})
    assert origin(tracer.chain("d/sub")) == "unknown contradicted"


def test_chain_does_not_contradict_what_variables_hide() -> None:
    """A source whose variable has no value is not missing, it is not known."""
    dockerfile = "FROM base AS build\nRUN make\nFROM base\nCOPY --from=build /$X /b\n"
    classic = f"/bin/sh -c #(nop) COPY file:{'0' * 64} in /b "
    final: Steps = [("ADD rootfs /", {}), (classic, {"b": b"1"})]
    stage: Steps = [("ADD rootfs /", {}), ("RUN make", {"a": b"1"})]
    chain = _chain(trace(dockerfile, final, stages={"build": stage}), "b")
    assert hops(chain) == ["final/L2 copy :4 /b unknown declared"]
    assert origin(chain) == "unknown unknown"


def test_chain_follows_a_source_that_only_the_history_names() -> None:
    """BuildKit records what a variable of a COPY became."""
    dockerfile = "FROM base AS build\nRUN make\nFROM base\nCOPY --from=build /$X /b\n"
    final: Steps = [("ADD rootfs /", {}), ("COPY /a /b", {"b": b"1"})]
    stage: Steps = [("ADD rootfs /", {}), ("RUN make", {"a": b"1"})]
    chain = _chain(trace(dockerfile, final, stages={"build": stage}), "b")
    assert hops(chain) == [
        "final/L2 copy :4 /b inferred matched",
        "build/L2 write :2 /a verified declared",
    ]
    assert origin(chain) == "run build :2 /a inferred"


def test_chain_does_not_contradict_below_an_unknown_directory() -> None:
    """Where the working directory is not known a relative destination proves nothing."""
    dockerfile = "FROM scratch AS build\nRUN make\nFROM base\nCOPY --from=build /x d/\nWORKDIR y\n"
    final: Steps = [
        ("ADD rootfs /", {}),
        ("COPY /x d/", {"w/d/x": b"1", "w/": folder(), "w/d/": folder()}),
        ("/bin/sh -c #(nop) WORKDIR y", {"w/y/": folder()}),
    ]
    for stages in ({"build": [("RUN make", {"x": b"1"})]}, None):
        tracer = trace(dockerfile, final, stages=stages)
        for path in ("w", "w/d", "w/d/x"):
            assert _chain(tracer, path).trust in {Trust.INFERRED, Trust.UNKNOWN}
            assert _chain(tracer, path).origin.kind is OriginKind.UNKNOWN


def test_chain_knows_the_carrier_without_the_other_stages() -> None:
    """Without a Dockerfile the history of a COPY names neither stage nor source."""
    chain = _chain(Tracer(traced_image(FINAL), Knowledge()), "app/dist/server.js")
    assert hops(chain) == ["final/L3 write /app/dist/server.js unknown unknown"]
    assert chain.hops[0].detail == "history does not name the source of a COPY; give -f Dockerfile"
    assert origin(chain) == "unknown unknown"
    assert chain.carried_from is None


def test_chain_below_a_dockerfile_that_does_not_fit_is_contradicted() -> None:
    """No maker is named by the wrong Dockerfile; the history's word is shown, not trusted."""
    tracer = trace(DOCKERFILE.replace("/app/dist /app/dist", "/x /y"), FINAL)
    chain = _chain(tracer, "app/dist/server.js")
    assert hops(chain) == ["final/L3 write /app/dist/server.js contradicted unknown"]
    assert chain.hops[0].detail.endswith("and no Dockerfile fits")
    assert tracer.chain("no/such") is None
