"""ADD of local archives whose content is at hand: told by it, and compared with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from layertrace.dockerfile.parse import parse_build
from layertrace.provenance.tracer import Knowledge, Tracer
from layertrace.provenance.trees import Unpacked
from tests.builders import Content, file, folder, hardlink, symlink
from tests.tracing import Steps, context_tree, hops, origin, rootfs_tree, trace, traced_image

if TYPE_CHECKING:
    from collections.abc import Mapping


INSIDE: Mapping[str, Content] = {
    "bin/": folder(0o750, uid=3),
    "bin/x": file(b"1", mode=0o4755, uid=5, mtime=9),
    "link": symlink("bin/x"),
}
PACKED: Mapping[str, Content] = {"app.dat": b"packed", "b.tar": b"more", "plain.tar": b"plain"}


def _tracer(
    instruction: str,
    content: Mapping[str, Content],
    archives: Mapping[str, Unpacked] | None = None,
    base: Mapping[str, Content] | None = None,
) -> Tracer:
    """Return the tracer of an ADD whose context holds an archive ``app.dat``."""
    lower: list[tuple[str, Mapping[str, Content] | None]] = (
        [] if base is None else [("RUN base", base)]
    )
    dockerfile = f"FROM scratch\n{'RUN base' if lower else 'ENV a=b'}\n{instruction}\n"
    parsed = parse_build(dockerfile).stages[0].instructions[-1]
    created_by = " ".join([parsed.keyword, *parsed.args])
    return trace(
        dockerfile,
        [*(lower or [("ENV a=b", None)]), (created_by, content)],
        context=PACKED,
        archives=archives or {"app.dat": Unpacked(tree=rootfs_tree(INSIDE))},
    )


def test_members_are_verified_whatever_the_archive_is_called() -> None:
    """Content, mode, owner, time and link target are the archive's, so they came out of it."""
    tracer = _tracer("ADD app.dat /opt/", {"opt/": folder(), **_below("opt", INSIDE)})
    assert hops(tracer.chain("opt/bin/x")) == ["final/L1 copy :3 /opt/bin/x verified matched"]
    for path in ("opt/bin", "opt/bin/x", "opt/link"):
        assert origin(tracer.chain(path)) == "context stage-0 :3 app.dat verified"
    chain = tracer.chain("opt/bin/x")
    assert chain is not None
    assert chain.hops[0].detail == "same sha256 (bin/x in the build context:/app.dat)"
    assert origin(tracer.chain("opt")) == "workdir stage-0 :3 /opt verified"
    unslashed = _tracer("ADD app.dat /opt", {"opt/": folder(), **_below("opt", INSIDE)})
    assert origin(unslashed.chain("opt")) == "workdir stage-0 :3 /opt verified"


def _below(place: str, files: Mapping[str, Content]) -> dict[str, Content]:
    return {f"{place}/{path}": content for path, content in files.items()}


@pytest.mark.parametrize(
    ("shipped", "detail"),
    [
        (file(b"2", mode=0o4755, uid=5, mtime=9), "other content there"),
        (file(b"22", mode=0o4755, uid=5, mtime=9), "1 bytes there, 2 here"),
        (folder(), "a file there, a dir here"),
    ],
    ids=["content", "size", "kind"],
)
def test_other_members_contradict(shipped: Content, detail: str) -> None:
    """The archive at hand does not hold what was unpacked."""
    tracer = _tracer("ADD app.dat /opt/", {"opt/bin/x": shipped})
    chain = tracer.chain("opt/bin/x")
    assert origin(chain) == "context stage-0 :3 app.dat contradicted"
    assert chain is not None
    assert detail in chain.hops[0].detail


def test_files_that_are_not_in_the_archive_contradict() -> None:
    """Every source is at hand, and none has it."""
    tracer = _tracer("ADD app.dat /opt/", {"opt/y": b"1"})
    assert origin(tracer.chain("opt/y")) == "context stage-0 :3 app.dat contradicted"


def test_other_attributes_are_inferred() -> None:
    """An archive that was packed anew has other times."""
    tracer = _tracer("ADD app.dat /opt/", {"opt/bin/x": file(b"1", mode=0o755, uid=5, mtime=9)})
    chain = tracer.chain("opt/bin/x")
    assert origin(chain) == "context stage-0 :3 app.dat inferred"
    assert chain is not None
    assert "but another mode" in chain.hops[0].detail


def test_an_archive_by_name_alone_is_copied() -> None:
    """What is no archive is a plain file, and contradicted by other content."""
    plain = _tracer("ADD plain.tar /opt/", {"opt/plain.tar": b"plain"})
    assert origin(plain.chain("opt/plain.tar")) == "context stage-0 :3 plain.tar verified"
    other = _tracer("ADD plain.tar /opt/", {"opt/plain.tar": b"other"})
    assert origin(other.chain("opt/plain.tar")) == "context stage-0 :3 plain.tar contradicted"
    below = _tracer("ADD plain.tar /opt/", {"opt/bin/x": b"1"})
    assert origin(below.chain("opt/bin/x")) == "context stage-0 :3 contradicted"


def test_an_archive_that_was_not_unpacked_is_copied() -> None:
    """Some builders cannot read every compression, and ``--unpack=false`` asks for the file."""
    for add in ("ADD app.dat /opt/", "ADD --unpack=false app.dat /opt/"):
        tracer = _tracer(add, {"opt/app.dat": b"packed"})
        assert origin(tracer.chain("opt/app.dat")) == "context stage-0 :3 app.dat verified"
    kept = _tracer("ADD --unpack=false app.dat /opt/", {"opt/bin/x": b"1"})
    assert origin(kept.chain("opt/bin/x")) == "context stage-0 :3 contradicted"


def test_a_member_may_be_called_as_its_archive() -> None:
    """The file beside it is another one."""
    inside = Unpacked(tree=rootfs_tree({"app.dat": b"inner"}))
    tracer = _tracer("ADD app.dat /opt/", {"opt/app.dat": b"inner"}, {"app.dat": inside})
    assert origin(tracer.chain("opt/app.dat")) == "context stage-0 :3 app.dat verified"


def test_the_last_of_several_archives_wins() -> None:
    """Where two hold a path it is the later one's, unless only the first has that content."""
    archives = {
        "app.dat": Unpacked(tree=rootfs_tree({"x": b"1", "y": b"1"})),
        "b.tar": Unpacked(tree=rootfs_tree({"x": b"1", "y": b"2"})),
    }
    tracer = _tracer("ADD app.dat b.tar /opt/", {"opt/x": b"1", "opt/y": b"1"}, archives)
    assert origin(tracer.chain("opt/x")) == "context stage-0 :3 b.tar verified"
    assert origin(tracer.chain("opt/y")) == "context stage-0 :3 app.dat verified"


def test_members_are_written_through_links_of_the_image() -> None:
    """``lib/x`` of an archive stands below ``/usr/lib`` where ``/lib`` leads there."""
    files: Mapping[str, Content] = {"a": b"2", "lib/x": b"1", "lib/l": symlink("x")}
    inside = {"app.dat": Unpacked(tree=rootfs_tree(files))}
    layer: Mapping[str, Content] = {"usr/lib/x": b"1", "usr/lib/l": symlink("x")}
    tracer = _tracer("ADD app.dat /", layer, inside, {"lib": symlink("usr/lib")})
    assert origin(tracer.chain("usr/lib/x")) == "context stage-0 :3 app.dat verified"
    linked = _tracer("ADD app.dat /lib/", {"usr/lib/a": b"2"}, inside, {"lib": symlink("usr/lib")})
    assert origin(linked.chain("usr/lib/a")) == "context stage-0 :3 app.dat verified"
    # Links cannot be found by their content.
    assert origin(tracer.chain("usr/lib/l")) == "context stage-0 :3 app.dat inferred"


def test_a_destination_below_an_unknown_directory_contradicts_nothing() -> None:
    """The base's working directory is not known: members are told by the end of their path."""
    build = parse_build("FROM base\nADD app.dat sub/\n")
    layer = {"work/sub/": folder(), **_below("work/sub", INSIDE), "work/sub/y": b"y"}
    inside = Unpacked(tree=rootfs_tree({**INSIDE, "y": b"z"}))
    steps: Steps = [("RUN base", {"a": b"a"}), ("WORKDIR $X", {}), ("ADD app.dat sub/", layer)]
    known = context_tree(PACKED, {"app.dat": inside})
    tracer = Tracer(traced_image(steps, build), Knowledge(build=build, context=known))
    assert origin(tracer.chain("work/sub/bin/x")) == "context stage-0 :2 app.dat verified"
    assert origin(tracer.chain("work/sub/y")) == "context stage-0 :2 inferred"
    assert origin(tracer.chain("work/sub/link")) == "context stage-0 :2 inferred"
    # Out of the archive, or made to put that in.
    assert origin(tracer.chain("work/sub/bin")) == "unknown unknown"


def test_hard_links_count_as_their_file() -> None:
    """Both names of a file in an archive have its content."""
    inside: Mapping[str, Content] = {"a": b"1", "b": hardlink("a")}
    archives = {"app.dat": Unpacked(tree=rootfs_tree(inside))}
    layer: Mapping[str, Content] = {"opt/a": b"1", "opt/b": hardlink("opt/a")}
    tracer = _tracer("ADD app.dat /opt/", layer, archives)
    assert origin(tracer.chain("opt/b")) == "context stage-0 :3 app.dat verified"


def test_an_archive_that_cannot_be_read_to_its_end_proves_nothing() -> None:
    """What is not known to be no archive may have held anything."""
    unsure = {"app.dat": Unpacked(sure=False)}
    layer: Mapping[str, Content] = {"opt/": folder(), "opt/x": b"1"}
    tracer = _tracer("ADD app.dat /opt/", layer, unsure)
    assert origin(tracer.chain("opt/x")) == "context stage-0 :3 inferred"
    assert origin(tracer.chain("opt")) == "workdir stage-0 :3 /opt verified"


def test_only_files_of_a_context_are_looked_into() -> None:
    """A folder is copied, what an image holds is never unpacked, and a listing has no content."""
    context = context_tree({"d": folder(), "f": b"1"}, {})
    assert context.unpacked("d") == context.unpacked("nowhere") == Unpacked()
    assert rootfs_tree({"f": b"1"}).unpacked("f") == Unpacked()
    assert context_tree({"f": b"1"}).unpacked("f") == Unpacked(sure=False)


def test_plain_sources_beside_the_archive_are_copied() -> None:
    """An ADD of an archive and a folder: each path has its own source."""
    tracer = _tracer(
        "ADD app.dat b.tar /opt/", {"opt/b.tar": b"more", "opt/bin/x": INSIDE["bin/x"]}
    )
    assert origin(tracer.chain("opt/b.tar")) == "context stage-0 :3 b.tar verified"
    assert origin(tracer.chain("opt/bin/x")) == "context stage-0 :3 app.dat verified"
