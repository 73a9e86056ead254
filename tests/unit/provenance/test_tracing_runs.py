"""Chains that a RUN or WORKDIR made, rewrote or took out of a mount."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from layertrace.dockerfile.parse import parse_build
from layertrace.model.origin import Action, Trust
from layertrace.provenance.tracer import Knowledge, Tracer
from tests.builders import fifo, file, folder, hardlink, symlink
from tests.tracing import Steps, hops, image_config, origin, trace, traced_image

if TYPE_CHECKING:
    from collections.abc import Mapping

    from layertrace.model.origin import Chain
    from tests.builders import Content


def _runs(*layers: Mapping[str, Content]) -> Tracer:
    """Return the tracer of a base and of one RUN a layer above it."""
    texts = [f"RUN step {number}" for number in range(1, len(layers))]
    steps = [("ADD rootfs /", layers[0]), *zip(texts, layers[1:], strict=True)]
    return trace("\n".join(["FROM base", *texts]), steps)


def _chain(tracer: Tracer, path: str) -> Chain:
    chain = tracer.chain(path)
    assert chain is not None
    return chain


def test_chain_ends_at_the_run_that_made_the_file() -> None:
    """A RUN that wrote a path which was not there made it."""
    chain = _chain(_runs({}, {"a": b"1"}), "a")
    assert hops(chain) == ["final/L2 write :2 /a verified declared"]
    assert origin(chain) == "run stage-0 :2 /a verified"
    assert chain.hops[0].detail == "created here"


def test_chain_says_what_would_make_a_base_sure() -> None:
    """Where nothing shows that a layer is the base's, the base image would."""
    steps = [("ADD rootfs /", {"a": b"1"})]
    hop = _chain(trace("FROM base\n", steps), "a").hops[0]
    assert (hop.detail, hop.trust) == ("base base; give --base IMAGE to be sure", Trust.INFERRED)
    hop = _chain(trace("FROM base\n", steps, base=image_config(steps)), "a").hops[0]
    assert (hop.detail, hop.trust) == ("base base", Trust.VERIFIED)


def test_chain_ends_at_the_run_that_replaced_the_content() -> None:
    """Other content under the same path is new, whatever stood there."""
    for old in (b"xx", b"x"):
        chain = _chain(_runs({"a": old}, {"a": b"1"}), "a")
        assert origin(chain) == "run stage-0 :2 /a verified"
        assert chain.hops[0].detail == "other content than L1's"


@pytest.mark.parametrize(
    ("old", "new", "detail"),
    [
        pytest.param(
            file(b"1", mode=0o644),
            file(b"1", mode=0o755),
            "same content; mode 0644 → 0755",
            id="chmod",
        ),
        pytest.param(
            file(b"1", uid=1), file(b"1", uid=2), "same content; owner 1:0 → 2:0", id="chown"
        ),
        pytest.param(file(b"1", mtime=1), file(b"1", mtime=2), "same content; time", id="touch"),
        pytest.param(b"1", b"1", "listed again, unchanged", id="listed again"),
        pytest.param(folder(0o755), folder(0o700), "same content; mode 0755 → 0700", id="folder"),
        pytest.param(
            symlink("x"), symlink("x"), "listed again, unchanged", id="the same link again"
        ),
        pytest.param(fifo(), fifo(), "listed again, unchanged", id="the same pipe again"),
    ],
)
def test_chain_keeps_the_origin_of_what_only_changed_its_attributes(
    old: Content, new: Content, detail: str
) -> None:
    """A rewrite without new content is a hop, and the origin lies below it."""
    chain = _chain(_runs({"a": old}, {"a": new}), "a")
    assert [hop.action for hop in chain.hops] == [Action.METADATA, Action.INHERIT]
    assert chain.hops[0].detail == detail
    assert origin(chain) == "base stage-0 :1 base /a verified"


def test_chain_keeps_the_origin_through_several_rewrites() -> None:
    """Each rewrite is a hop of its own, newest first."""
    tracer = _runs({}, {"a": b"1"}, {"a": file(b"1", mode=0o600)}, {"a": file(b"1", mode=0o700)})
    assert hops(tracer.chain("a")) == [
        "final/L4 metadata :4 /a verified declared",
        "final/L3 metadata :3 /a verified declared",
        "final/L2 write :2 /a verified declared",
    ]
    assert origin(tracer.chain("a")) == "run stage-0 :2 /a verified"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param(b"1", symlink("x"), id="file to link"),
        pytest.param(symlink("x"), symlink("y"), id="another target"),
        pytest.param(folder(), b"", id="folder to file"),
        pytest.param(b"", folder(), id="file to folder"),
    ],
)
def test_chain_ends_at_the_run_that_put_another_thing_there(old: Content, new: Content) -> None:
    """Another kind or another link target is new."""
    assert origin(_runs({"a": old}, {"a": new}).chain("a")) == "run stage-0 :2 /a verified"


def test_chain_ends_at_the_run_that_made_a_removed_file_anew() -> None:
    """What a layer between removed is not what stands there now, alike or not."""
    tracer = _runs({"a": b"1", "d/x": b"1"}, {".wh.a": b"", ".wh.d": b""}, {"a": b"1", "d/x": b"1"})
    for path in ("a", "d/x"):
        assert origin(tracer.chain(path)) == f"run stage-0 :3 /{path} verified"


def test_chain_ends_at_the_run_that_made_a_folder_anew() -> None:
    """An opaque directory is a new one, not the old one listed again."""
    tracer = _runs({"d/": folder(), "d/x": b""}, {"d/": folder(), "d/.wh..wh..opq": b""})
    assert origin(tracer.chain("d")) == "run stage-0 :2 /d verified"


def test_chain_of_a_hard_link_is_that_of_its_bytes() -> None:
    """A link beside its rewritten file is rewritten with it."""
    old: Mapping[str, Content] = {"a": b"1", "b": hardlink("a")}
    new: Mapping[str, Content] = {"a": file(b"1", mode=0o700), "b": hardlink("a")}
    tracer = _runs(old, new)
    assert origin(tracer.chain("b")) == "base stage-0 :1 base /b verified"


def test_chain_of_a_working_directory() -> None:
    """WORKDIR made its directory and those above it."""
    tracer = trace(
        "FROM scratch\nWORKDIR /a/b\n", [("WORKDIR /a/b", {"a/b/": folder(), "a/": folder()})]
    )
    for path in ("a", "a/b"):
        assert origin(tracer.chain(path)) == f"workdir stage-0 :2 /{path} verified"


@pytest.mark.parametrize("dockerfile", ["FROM scratch\nWORKDIR /a\n", None])
def test_chain_does_not_believe_a_file_in_the_layer_of_a_directory(dockerfile: str | None) -> None:
    """No builder writes files for a WORKDIR: what did is not known."""
    steps: Steps = [("WORKDIR /a", {"a/": folder(), "a/file": b"1"})]
    tracer = (
        Tracer(traced_image(steps), Knowledge()) if dockerfile is None else trace(dockerfile, steps)
    )
    assert origin(tracer.chain("a/file")) == "unknown unknown"
    assert origin(tracer.chain("a")).startswith("workdir")


def test_chain_of_a_directory_no_entry_made_is_empty() -> None:
    """Only paths below it exist: there is no hop and no origin."""
    chain = _chain(_runs({}, {"a/b": b"1"}), "a")
    assert chain.hops == ()
    assert origin(chain) == "unknown unknown"
    assert _runs({}, {"a/b": b"1"}).chain("c") is None


def test_chain_by_history_alone_infers_what_a_run_made() -> None:
    """Without a Dockerfile a RUN's own entry names it; the stage and line are not known."""
    steps: Steps = [
        ("/bin/sh -c #(nop) ADD file:x in / ", {"bin/": folder()}),
        ("/bin/sh -c make", {"a": b"1", "bin/": folder()}),
        ("/bin/sh -c chmod 700 a", {"a": file(b"1", mode=0o700)}),
        ("", {"b": b"1"}),
    ]
    tracer = Tracer(traced_image(steps), Knowledge())
    assert hops(tracer.chain("a")) == [
        "final/L3 metadata /a inferred recorded",
        "final/L2 write /a inferred recorded",
    ]
    assert origin(tracer.chain("a")) == "run /a inferred"
    assert _chain(tracer, "a").origin.instruction == "RUN make"
    assert origin(tracer.chain("b")) == "unknown unknown"
    assert origin(tracer.chain("bin")) == "unknown unknown"


def test_chain_of_a_given_base_is_verified_without_a_dockerfile() -> None:
    """The layers of the base image given are its own, whatever made the rest."""
    steps: Steps = [("ADD rootfs /", {"a": b"1"}), ("/bin/sh -c make", {"b": b"1"})]
    image = traced_image(steps, base=image_config(steps[:1]))
    named = Tracer(
        type(image)(
            name=image.name, tree=image.tree, alignment=image.alignment, base_reference="node:14"
        ),
        Knowledge(),
    )
    assert hops(named.chain("a")) == ["final/L1 inherit /a verified matched"]
    assert origin(named.chain("a")) == "base node:14 /a verified"
    unnamed = Tracer(image, Knowledge())
    assert _chain(unnamed, "a").hops[0].detail == "base image"


def test_chain_does_not_choose_between_the_base_and_its_triggers() -> None:
    """What an unknown base, or an ONBUILD of it, may have made has no origin until it is given."""
    build = parse_build("FROM base\nRUN own\n")
    final = traced_image([("ADD x", {"a": b"1"}), ("RUN b", {"b": b"2"}), ("RUN own", {})], build)
    doubtful = replace(final.alignment.steps[1], doubt="ONBUILD", base=False, trust=Trust.UNKNOWN)
    steps = (final.alignment.steps[0], doubtful, final.alignment.steps[2])
    image = replace(final, alignment=replace(final.alignment, steps=steps))
    tracer = Tracer(image, Knowledge(build=build))
    chain = tracer.chain("b")
    assert origin(chain) == "unknown unknown"
    assert chain is not None
    assert "ONBUILD" in chain.hops[0].detail
    place = image.tree.rootfs.place("b")
    assert place is not None
    assert tracer.verdict("b", place).trust is Trust.UNKNOWN
