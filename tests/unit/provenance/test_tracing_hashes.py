"""Chains whose copies the classic builder's hash proves, and those it does not.

The hashes are those that engine 20.10.24 left for these very files.
"""

from __future__ import annotations

import tarfile
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from layertrace.dockerfile.parse import parse_build
from layertrace.provenance.tracer import Knowledge, Tracer
from tests.builders import Member, file, folder, layer
from tests.tracing import Steps, context_tree, hops, origin, rootfs_tree, trace, traced_image

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pytest

    from tests.builders import Content

NOP: Final = "/bin/sh -c #(nop)"
ONE: Final = "file:10e2dd0f00fd23499597fed9d8453224b97b76b22ed1f8bfab8efdf2b79ed26d"
"""Of ``a.txt``, ``one`` and a line's end, out of the context."""
BOTH: Final = "multi:e350acbe9ce058df57bfaa920e0ff831c3fdc5643694173e274fa72ac5e52171"
"""Of ``a.txt`` and ``b.txt``, ``two`` and a line's end, out of the context."""
USR: Final = "file:f466cbd9843bc98a6fab2852e843cc3c6ac94677091bb0f89d7fb765d89e69e9"
"""Of ``usr/f``, ``f`` and a line's end, out of a stage."""
ARCHIVE: Final = "file:b721debbdef4a812f5f6b51ce9ce19968ca00dbe742f07609a8906fbd6a749db"
"""Of ``in.tar``, a tar with one file, out of the context."""
TWINS: Final = "dir:ec1a65e763cb581942ed6b5ce2c7a5e74f876c3b4838c6d2565d3ab69789317c"
"""Of ``usr``, which holds ``f`` and a hard link to it, out of a stage."""
CONTEXT: Final[Mapping[str, Content]] = {"a.txt": b"one\n", "b.txt": b"two\n"}
DOCKERFILE: Final = """\
FROM scratch AS build
COPY a.txt /usr/f
RUN make
FROM scratch
COPY --from=build /usr/f /f
COPY a.txt b.txt /t/
"""
BUILD: Final[Steps] = [
    (f"{NOP} COPY {ONE} in /usr/f ", {"usr/": folder(), "usr/f": file(b"one\n", mtime=5)}),
    ("/bin/sh -c make", {"usr/f": file(b"f\n", mtime=7)}),
]


def final(time: int, both: str = BOTH) -> Steps:
    """Return the final image of the Dockerfile, files copied at some time."""
    return [
        (f"{NOP} COPY {USR} in /f ", {"f": file(b"f\n", mtime=time)}),
        (
            f"{NOP} COPY {both} in /t/ ",
            {"t/a.txt": file(b"one\n", mtime=time), "t/b.txt": file(b"two\n", mtime=time)},
        ),
    ]


def test_hash_proves_a_copy_whose_times_are_older() -> None:
    """A cached COPY kept the times of its first run: the hash shows the source all the same."""
    tracer = trace(DOCKERFILE, final(3), stages={"build": BUILD}, context=CONTEXT)

    assert hops(tracer.chain("t/a.txt")) == ["final/L2 copy :6 /t/a.txt verified hashed"]
    chain = tracer.chain("f")
    assert hops(chain) == [
        "final/L1 copy :5 /f verified hashed",
        "build/L2 write :3 /usr/f verified declared",
    ]
    assert chain is not None
    assert chain.hops[0].detail == (
        "same sha256, but another time (build:/usr/f); COPY hash file:f466cbd9843b recomputes"
    )
    assert origin(chain) == "run build :3 /usr/f verified"
    place = tracer._final.tree.rootfs.place("t/a.txt")
    assert place is not None
    assert tracer.verdict("t/a.txt", place).trust.value == "verified"


def test_hash_that_does_not_recompute_leaves_a_copy_inferred() -> None:
    """The content is that of the source, but something else was copied beside it."""
    other = {**CONTEXT, "b.txt": b"TWO\n"}
    tracer = trace(DOCKERFILE, final(3), stages={"build": BUILD}, context=other)

    chain = tracer.chain("t/a.txt")

    assert hops(chain) == ["final/L2 copy :6 /t/a.txt inferred matched"]
    assert chain is not None
    assert chain.hops[0].detail.endswith("; COPY hash multi:e350acbe9ce0 does not recompute")
    assert hops(tracer.chain("t/b.txt")) == ["final/L2 copy :6 /t/b.txt contradicted declared"]


def test_hash_confirms_what_was_compared_already() -> None:
    """Where the times agree the copy is verified without it, and its evidence is the better."""
    tracer = trace(DOCKERFILE, final(0), context=CONTEXT)

    assert hops(tracer.chain("t/a.txt")) == ["final/L2 copy :6 /t/a.txt verified hashed"]


def test_hash_of_something_else_takes_nothing_away() -> None:
    """A file that was compared whole stays verified where the hash is of another set."""
    other = {**CONTEXT, "b.txt": b"TWO\n"}
    tracer = trace(DOCKERFILE, final(0), context=other)

    assert hops(tracer.chain("t/a.txt")) == ["final/L2 copy :6 /t/a.txt verified matched"]


def test_hash_is_not_computed_for_what_is_large_and_verified(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Better evidence for the same trust is not worth reading very much."""
    monkeypatch.setattr("layertrace.provenance.proofs.MAX_UNASKED", 7)
    tracer = trace(DOCKERFILE, final(0), stages={"build": BUILD}, context=CONTEXT)

    assert hops(tracer.chain("t/a.txt")) == ["final/L2 copy :6 /t/a.txt verified matched"]
    # For what nothing else verifies the limit does not count.
    assert hops(tracer.chain("f"))[0] == "final/L1 copy :5 /f verified hashed"


def test_other_builders_hashes_are_not_looked_for() -> None:
    """BuildKit's history has no hash: the time alone is told, as before."""
    steps = [("COPY a.txt b.txt /t/ # buildkit", {"t/a.txt": file(b"one\n", mtime=3)})]
    dockerfile = "FROM scratch\nCOPY a.txt b.txt /t/\n"

    chain = trace(dockerfile, steps, context=CONTEXT).chain("t/a.txt")

    assert hops(chain) == ["final/L1 copy :2 /t/a.txt inferred matched"]
    assert chain is not None
    assert "hash" not in chain.hops[0].detail


def test_hash_proves_the_archive_that_add_unpacked() -> None:
    """What stood in the archive is not compared, but the archive is the one that was added."""
    context = {"in.tar": layer({"y": b"in\n"})}
    steps: Steps = [(f"{NOP} ADD {ARCHIVE} in /x/ ", {"x/": folder(), "x/y": b"in\n"})]
    dockerfile = "FROM scratch\nADD in.tar /x/\n"

    chain = trace(dockerfile, steps, context=context).chain("x/y")

    assert hops(chain) == ["final/L1 copy :2 /x/y verified hashed"]
    assert origin(chain) == "context stage-0 :2 in.tar verified"
    assert chain is not None
    assert chain.hops[0].detail == (
        f"from the build context:/in.tar; ADD hash {ARCHIVE[:17]} recomputes"
    )


def test_hash_shows_that_a_doubtful_name_is_an_image() -> None:
    """A name that may be a build context's is the image's where its files have the hash."""
    dockerfile = "FROM scratch\nCOPY --from=tools /usr/f /f\n"
    build = parse_build(dockerfile, contexts=None)
    steps = [(f"{NOP} COPY {USR} in /f ", {"f": file(b"f\n", mtime=3)})]
    tree = rootfs_tree({"usr/": folder(), "usr/f": b"f\n"})

    tracer = Tracer(traced_image(steps, build), Knowledge(build=build, images={"tools": tree}))

    assert hops(tracer.chain("f")) == ["final/L1 copy :2 /f verified hashed"]
    assert origin(tracer.chain("f")) == "image stage-0 :2 tools /usr/f verified"


def test_stage_called_as_the_final_image_is_not_mistaken_for_it() -> None:
    """A stage may be called ``final``: its copies are not the final image's."""
    dockerfile = """\
FROM scratch AS final
COPY a.txt /usr/f
RUN make
FROM scratch
COPY --from=final /usr/f /f
"""
    steps: Steps = [
        (f"{NOP} COPY {ONE} in /usr/f ", {"usr/": folder(), "usr/f": b"one\n"}),
        ("/bin/sh -c make", None),
    ]
    image: Steps = [(f"{NOP} COPY {USR} in /f ", {"f": b"one\n"})]

    chain = trace(dockerfile, image, stages={"final": steps}, context=CONTEXT).chain("f")

    assert hops(chain) == [
        "final/L1 copy :5 /f verified matched",
        "final/L1 copy :2 /usr/f verified matched",
    ]


def test_context_listing_without_contents_proves_nothing() -> None:
    """Digests alone cannot be put into the hash; nothing is said of it."""
    build = parse_build("FROM scratch\nCOPY a.txt b.txt /t/\n")
    context = context_tree(CONTEXT)
    bare = type(context)(tuple(context._entries.values()))
    tracer = Tracer(traced_image(final(3)[1:], build), Knowledge(build=build, context=bare))

    chain = tracer.chain("t/a.txt")

    assert hops(chain) == ["final/L1 copy :2 /t/a.txt inferred matched"]
    assert chain is not None
    assert "hash" not in chain.hops[0].detail


def test_sums_kept_in_a_trace_archive_are_enough() -> None:
    """An export knows what it sent: a cached copy is proven without the files themselves."""
    build = parse_build("FROM scratch\nCOPY a.txt b.txt /t/\n")
    context = context_tree(CONTEXT)
    first = "fb2ef221e83c84a93740c829bee4baab212d1689bfb4058b34bada70a5899e97"
    second = "062502c1a20aed79f3b245a28e3ef30f7cc2f6da1f5d715ce557ead911028514"
    sent_by_sdk = "multi:92a9dcb8a757994f4dfc2a0ca59354a4d4146763a390eec1277851edc62e346c"
    entries = tuple(
        replace(context._entries[path], copy_sum=kept)
        for path, kept in (("a.txt", first), ("b.txt", second))
    )
    knowledge = Knowledge(build=build, context=type(context)(entries))

    tracer = Tracer(traced_image(final(3, sent_by_sdk)[1:], build), knowledge)

    assert hops(tracer.chain("t/a.txt")) == ["final/L1 copy :2 /t/a.txt verified hashed"]
    assert type(context)((entries[0], replace(entries[1], copy_sum=None))).sums(
        {"a.txt": [b""], "b.txt": [b""]}
    ) == {"a.txt": (first,)}


def test_hard_link_counts_as_its_file() -> None:
    """Two names of one file are two sources with headers of their own and one content."""
    dockerfile = "FROM scratch AS build\nRUN make\nFROM scratch\nCOPY --from=build /usr /usr\n"
    twin = Member(type=tarfile.LNKTYPE, link="usr/f")
    layers: Mapping[str, Content] = {"usr/": folder(), "usr/f": b"f\n", "usr/twin": twin}

    chain = trace(
        dockerfile,
        [(f"{NOP} COPY {TWINS} in /usr ", {"usr/": folder(), "usr/f": b"f\n", "usr/twin": twin})],
        stages={"build": [("/bin/sh -c make", layers)]},
    ).chain("usr/twin")

    assert hops(chain)[0] == "final/L1 copy :4 /usr/twin verified hashed"
