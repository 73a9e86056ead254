"""Chains that end outside the stages: context, images, URLs, heredocs, archives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from layertrace.dockerfile.parse import parse_build
from layertrace.model.origin import OriginKind
from layertrace.provenance.tracer import Knowledge, Tracer
from tests.builders import Content, file, folder, sha256, symlink
from tests.tracing import context_tree, hops, origin, rootfs_tree, trace, traced_image

if TYPE_CHECKING:
    from collections.abc import Mapping

    from layertrace.model.origin import Chain

NOP = "/bin/sh -c #(nop)"


def _tracer(
    instruction: str,
    content: Mapping[str, Content],
    context: Mapping[str, Content] | None = None,
    images: Mapping[str, Mapping[str, Content]] | None = None,
) -> Tracer:
    """Return the tracer of one instruction on scratch."""
    dockerfile = f"FROM scratch\n{instruction}\n"
    (parsed,) = parse_build(dockerfile).stages[0].instructions
    created_by = " ".join([parsed.keyword, *parsed.args])
    return trace(dockerfile, [(created_by, content)], context=context, images=images)


def _chain(tracer: Tracer, path: str) -> Chain:
    chain = tracer.chain(path)
    assert chain is not None
    return chain


def test_chain_ends_in_the_context_that_has_the_content() -> None:
    """The same content and attributes in the context verify where a file came from."""
    tracer = _tracer(
        "COPY app.js /srv/", {"srv/app.js": file(b"1", mtime=5)}, {"app.js": file(b"1", mtime=5)}
    )
    chain = _chain(tracer, "srv/app.js")
    assert hops(chain) == ["final/L1 copy :2 /srv/app.js verified matched"]
    assert origin(chain) == "context stage-0 :2 app.js verified"
    assert chain.hops[0].detail == "same sha256 (the build context:/app.js)"
    assert chain.carried_from is None


def test_chain_infers_the_context_without_it() -> None:
    """The Dockerfile names the source; nothing compares it."""
    chain = _chain(_tracer("COPY app.js /srv.js", {"srv.js": b"1"}), "srv.js")
    assert hops(chain) == ["final/L1 copy :2 /srv.js inferred declared"]
    assert origin(chain) == "context stage-0 :2 app.js inferred"
    assert chain.hops[0].detail == "from the build context:/app.js, not compared"


def test_chain_names_no_path_of_the_context_that_may_be_another() -> None:
    """A source may be a file or a folder: both are candidates, neither is claimed."""
    for copy, candidates in (
        ("COPY app /srv/", ("/app/app", "/app")),
        ("COPY *.js ap* /srv/", ("/ap*/app", "/app", "/*.js/app")),
    ):
        chain = _chain(_tracer(copy, {"srv/app": b"1"}), "srv/app")
        assert origin(chain) == "context stage-0 :2 inferred"
        assert set(chain.hops[0].candidates) == set(candidates)


def test_chain_is_contradicted_by_another_context() -> None:
    """Other content, or none, where the COPY took the file."""
    other = _tracer("COPY a /b", {"b": b"1"}, {"a": b"2"})
    assert hops(other.chain("b")) == ["final/L1 copy :2 /b contradicted declared"]
    assert origin(other.chain("b")) == "context stage-0 :2 a contradicted"
    none = _tracer("COPY a /b", {"b": b"1"}, {})
    assert origin(none.chain("b")) == "context stage-0 :2 a contradicted"


def test_chain_is_inferred_where_the_context_differs_in_attributes() -> None:
    """A checkout with new times has the content still."""
    tracer = _tracer("COPY a /b", {"b": file(b"1", mtime=1)}, {"a": file(b"1", mtime=2)})
    assert origin(tracer.chain("b")) == "context stage-0 :2 a inferred"


def test_chain_allows_for_the_line_that_the_classic_client_adds() -> None:
    """A Dockerfile outside the context is sent along, its name added to the ignore file."""
    line = b"\n.dockerfile.0123456789abcdef0123\n"
    context = {".dockerignore": b"*.log\n", "src/.dockerignore": b"*.log\n"}
    for created_by, path, added, expected in (
        (f"{NOP} COPY dir:{'0' * 64} in / ", "", line, "inferred"),
        (f"{NOP} COPY dir:{'0' * 64} in / ", "", b"", "verified"),
        (f"{NOP} COPY dir:{'0' * 64} in / ", "", b"more", "contradicted"),
        (f"{NOP} COPY dir:{'0' * 64} in / ", "src/", line, "contradicted"),
        ("COPY . / # buildkit", "", line, "contradicted"),
    ):
        shipped = {f"{path}.dockerignore": b"*.log\n" + added}
        tracer = trace("FROM scratch\nCOPY . /\n", [(created_by, shipped)], context=context)
        chain = _chain(tracer, f"{path}.dockerignore")
        assert origin(chain) == f"context stage-0 :2 {path}.dockerignore {expected}"


def test_chain_follows_links_of_the_context() -> None:
    """A source that is a link, or lies below one, is what it leads to."""
    context: Mapping[str, Content] = {"real/a": b"1", "l": symlink("real"), "f": symlink("real/a")}
    tracer = _tracer("COPY l /d", {"d/a": b"1"}, context)
    assert origin(tracer.chain("d/a")) == "context stage-0 :2 real/a verified"
    tracer = _tracer("COPY f /d/", {"d/f": b"1"}, context)
    assert origin(tracer.chain("d/f")) == "context stage-0 :2 real/a verified"
    tracer = _tracer("COPY . /d", {"d/f": symlink("real/a")}, context)
    assert origin(tracer.chain("d/f")) == "context stage-0 :2 f verified"


def test_chain_of_directories_out_of_the_context() -> None:
    """A folder of the context is copied, one that only takes files is made."""
    content: Mapping[str, Content] = {"d/": folder(), "d/sub/": folder(), "d/sub/a": b"1"}
    whole = _tracer(
        "COPY src /d", content, {"src": folder(), "src/sub": folder(), "src/sub/a": b"1"}
    )
    assert origin(whole.chain("d/sub")) == "context stage-0 :2 src/sub verified"
    assert origin(whole.chain("d")) == "context stage-0 :2 src verified"
    root = _tracer("COPY . /d", content, {"sub": folder(), "sub/a": b"1"})
    assert origin(root.chain("d")) == "context stage-0 :2 . verified"
    into = _tracer("COPY a /d/sub/", content, {"a": b"1"})
    assert origin(into.chain("d/sub")) == "workdir stage-0 :2 /d/sub verified"
    assert origin(into.chain("d")) == "workdir stage-0 :2 /d verified"


def test_chain_does_not_guess_at_directories_without_the_context() -> None:
    """A folder at the destination was copied or made for files."""
    chain = _chain(_tracer("COPY a /d/", {"d/": folder()}), "d")
    assert hops(chain) == ["final/L1 copy :2 /d unknown declared"]
    assert origin(chain) == "unknown unknown"
    assert "copied, or made" in chain.hops[0].detail


def test_chain_ends_in_an_image_outside_the_dockerfile() -> None:
    """COPY --from=IMAGE: the image is the origin, verified where its files are at hand."""
    copy = "COPY --from=alpine:3 /bin/sh /bin/sh"
    known = _tracer(copy, {"bin/sh": b"1"}, images={"alpine:3": {"bin/sh": b"1"}})
    assert origin(known.chain("bin/sh")) == "image stage-0 :2 alpine:3 /bin/sh verified"
    assert _chain(known, "bin/sh").hops[0].detail == "same sha256 (alpine:3:/bin/sh)"
    unknown = _tracer(copy, {"bin/sh": b"1"})
    assert origin(unknown.chain("bin/sh")) == "image stage-0 :2 alpine:3 /bin/sh inferred"
    assert _chain(unknown, "bin/sh").carried_from is None


def test_chain_is_verified_but_never_contradicted_by_what_has_an_images_name() -> None:
    """A name in the engine may have meant another image when the build ran."""
    copy = "COPY --from=alpine:3 /bin/sh /etc/conf /bin/"
    build = parse_build(f"FROM scratch\n{copy}\n")
    content: Mapping[str, Content] = {"bin/sh": b"1", "bin/conf": b"2"}
    known = Knowledge(
        build=build,
        images={"alpine:3": rootfs_tree({"bin/sh": b"1", "etc/conf": b"3"})},
        by_name=frozenset({"alpine:3"}),
    )
    image = traced_image([("COPY /bin/sh /etc/conf /bin/", content)], build)
    tracer = Tracer(image, known)
    assert origin(tracer.chain("bin/sh")) == "image stage-0 :2 alpine:3 /bin/sh verified"
    assert hops(tracer.chain("bin/conf")) == ["final/L1 copy :2 /bin/conf inferred declared"]


def test_chain_ends_in_a_heredoc() -> None:
    """What the Dockerfile itself holds is compared with it."""
    tracer = _tracer("COPY <<EOF /v.txt\nhello\nEOF", {"v.txt": b"hello\n"})
    assert hops(tracer.chain("v.txt")) == ["final/L1 write :2 /v.txt verified matched"]
    assert origin(tracer.chain("v.txt")) == "inline stage-0 :2 /v.txt verified"
    other = _tracer("COPY <<EOF /v.txt\nhello\nEOF", {"v.txt": b"other\n"})
    assert origin(other.chain("v.txt")) == "inline stage-0 :2 /v.txt inferred"


def test_chain_tells_heredocs_from_the_files_beside_them() -> None:
    """One COPY may write heredocs and copy files: each path has its own origin."""
    copy = "COPY <<one.sh <<two.sh a.txt /d/\n1\none.sh\n2\ntwo.sh"
    content: Mapping[str, Content] = {
        "d/": folder(), "d/one.sh": b"1\n", "d/two.sh": b"2\n", "d/a.txt": b"a",
    }  # fmt: skip
    dockerfile = f"FROM scratch\n{copy}\n"
    tracer = trace(
        dockerfile, [("COPY a.txt <<one.sh <<two.sh /d/", content)], context={"a.txt": b"a"}
    )
    assert origin(tracer.chain("d/one.sh")) == "inline stage-0 :2 /d/one.sh verified"
    assert origin(tracer.chain("d/two.sh")) == "inline stage-0 :2 /d/two.sh verified"
    assert origin(tracer.chain("d/a.txt")) == "context stage-0 :2 a.txt verified"
    assert origin(tracer.chain("d")) == "workdir stage-0 :2 /d verified"


def test_chain_of_the_folder_above_a_heredoc() -> None:
    """COPY made it on the way, as for any destination."""
    tracer = _tracer("COPY <<EOF /a/b/v.txt\nx\nEOF", {"a/": folder(), "a/b/": folder()})
    assert origin(tracer.chain("a/b")) == "workdir stage-0 :2 /a/b verified"
    into = _tracer("COPY <<EOF /a/\nx\nEOF", {"a/": folder(), "a/EOF": b"x\n"}, {})
    assert origin(into.chain("a")) == "workdir stage-0 :2 /a verified"
    assert origin(into.chain("a/EOF")) == "inline stage-0 :2 /a/EOF verified"


def test_chain_ends_at_a_url() -> None:
    """ADD fetched it; a folder it made to put it in is its own."""
    content: Mapping[str, Content] = {"opt/": folder(), "opt/x": b"1"}
    tracer = _tracer("ADD https://h/x /opt/", content)
    assert hops(tracer.chain("opt/x")) == ["final/L1 write :2 /opt/x verified declared"]
    assert origin(tracer.chain("opt/x")) == "url stage-0 :2 https://h/x verified"
    assert origin(tracer.chain("opt")) == "workdir stage-0 :2 /opt verified"


def test_chain_ends_at_a_repository() -> None:
    """Folders below the destination came with the repository."""
    for url in ("https://h/r.git#main", "git@h:r.git", "https://h/r.git"):
        tracer = _tracer(f"ADD {url} /src", {"src/": folder(), "src/d/": folder(), "src/d/x": b"1"})
        assert origin(tracer.chain("src/d")) == f"url stage-0 :2 {url} verified"
        assert origin(tracer.chain("src/d/x")) == f"url stage-0 :2 {url} verified"


def test_chain_tells_urls_from_the_files_beside_them() -> None:
    """An ADD of both: the name tells the URL's file, the context the other."""
    content: Mapping[str, Content] = {"d/": folder(), "d/x": b"1", "d/a.txt": b"a"}
    tracer = _tracer("ADD https://h/x?v=1 a.txt /d/", content, {"a.txt": b"a"})
    assert origin(tracer.chain("d/x")) == "url stage-0 :2 https://h/x?v=1 verified"
    assert origin(tracer.chain("d/a.txt")) == "context stage-0 :2 a.txt verified"
    assert origin(tracer.chain("d")) == "workdir stage-0 :2 /d verified"


def test_chain_copies_no_url() -> None:
    """Only ADD fetches; to COPY such a word is a path."""
    tracer = _tracer("COPY https://h/x /d", {"d": b"1"})
    assert origin(tracer.chain("d")) == "context stage-0 :2 https:/h/x inferred"


ARCHIVE: Mapping[str, Content] = {"app/": folder(), "app/bin/": folder(), "app/bin/x": b"1"}


@pytest.mark.parametrize("context", [None, {"app.tar.gz": b"packed"}], ids=["without", "with"])
def test_chain_ends_at_an_archive_that_add_unpacked(
    context: Mapping[str, Content] | None,
) -> None:
    """What ADD unpacked came from the archive; its bytes are not compared."""
    tracer = _tracer("ADD app.tar.gz /app/", ARCHIVE, context)
    assert hops(tracer.chain("app/bin/x")) == ["final/L1 copy :2 /app/bin/x inferred declared"]
    for path in ("app/bin/x", "app/bin"):
        assert origin(tracer.chain(path)) == "context stage-0 :2 app.tar.gz inferred"


def test_chain_of_several_archives_names_none() -> None:
    """Which of two archives held a path is not known."""
    tracer = _tracer("ADD a.tar b.tgz /app/", ARCHIVE)
    assert origin(tracer.chain("app/bin/x")) == "context stage-0 :2 inferred"
    assert _chain(tracer, "app/bin/x").hops[0].candidates == ("/a.tar", "/b.tgz")


@pytest.mark.parametrize(
    ("text", "path", "expected"),
    [
        pytest.param("ADD app.tgz /app/", "app/bin/x", (), id="one archive"),
        pytest.param("ADD *.tgz /app/", "app/bin/x", ("/*.tgz",), id="a wildcard"),
        pytest.param("ADD src /app/", "app/bin/x", ("/src/bin/x",), id="no archive by name"),
        pytest.param(
            "ADD a.tar x /app/", "app/x", ("/x", "/x/x", "/a.tar"), id="a file beside an archive"
        ),
        pytest.param("ADD a.tar x /app/", "app/y", ("/x/y", "/a.tar"), id="a folder beside one"),
        pytest.param("ADD A.TAR /app/", "app/A.TAR", (), id="an archive that was not unpacked"),
    ],
)
def test_chain_names_no_source_of_an_add_that_may_be_another(
    text: str, path: str, expected: tuple[str, ...]
) -> None:
    """Without the context neither archives nor folders can be told from what they hold."""
    chain = _chain(_tracer(text, {"app/": folder(), "app/bin/": folder(), path: b"1"}), path)
    assert chain.origin.kind is OriginKind.CONTEXT
    assert chain.hops[0].candidates == expected
    assert (chain.origin.path is None) is bool(expected)


def test_chain_of_what_add_did_not_unpack() -> None:
    """ADD of a plain file is a copy, contradicted by other content only."""
    tracer = _tracer("ADD a.txt /d/", {"d/a.txt": b"1"}, {"a.txt": b"1"})
    assert origin(tracer.chain("d/a.txt")) == "context stage-0 :2 a.txt verified"
    tracer = _tracer("ADD a.txt /d/", {"d/a.txt": b"1"}, {"a.txt": b"2"})
    assert origin(tracer.chain("d/a.txt")) == "context stage-0 :2 a.txt contradicted"


def test_chain_does_not_contradict_what_an_archive_without_its_name_may_hold() -> None:
    """Builders know an archive by its content: a path that is not there may come out of one."""
    tracer = _tracer("ADD bundle /d/", {"d/a.txt": b"1"}, {"bundle": b"packed"})
    assert hops(tracer.chain("d/a.txt")) == ["final/L1 copy :2 /d/a.txt inferred declared"]
    assert origin(tracer.chain("d/a.txt")) == "context stage-0 :2 inferred"
    alone = _tracer("ADD README /d", {"d": b"1"})
    assert origin(alone.chain("d")) == "context stage-0 :2 README inferred"


def test_chain_takes_a_stages_copy_out_of_the_context_too() -> None:
    """Context, stage, final image: two hops, and the origin is the stage's COPY."""
    dockerfile = "FROM scratch AS one\nCOPY a /b\nFROM scratch\nCOPY --from=one /b /c\n"
    tracer = trace(
        dockerfile,
        [("COPY /b /c", {"c": b"1"})],
        stages={"one": [("COPY a /b", {"b": b"1"})]},
        context={"a": b"1"},
    )
    assert hops(tracer.chain("c")) == [
        "final/L1 copy :4 /c verified matched",
        "one/L1 copy :2 /b verified matched",
    ]
    assert origin(tracer.chain("c")) == "context one :2 a verified"
    assert _chain(tracer, "c").carried_from == "one"


def test_chain_without_the_dockerfiles_build_stays_with_the_history() -> None:
    """Steps tied to stages, but no stages known: nothing is made up."""
    build = parse_build("FROM scratch AS one\nRUN a\nFROM scratch\nCOPY --from=one /b /c\n")
    image = traced_image([("COPY /b /c", {"c": b"1"})], build)
    tracer = Tracer(image, Knowledge(context=context_tree({"a": b"1"})))
    assert origin(tracer.chain("c")) == "unknown unknown"
    assert _chain(tracer, "c").carried_from is None
    assert sha256(b"1") == image.tree.digest("c")
