"""COPY turned round: which source a path came from, one case a rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from layertrace.dockerfile.parse import parse_build
from layertrace.provenance import copies
from layertrace.provenance.copies import Copying, Sources
from tests.builders import folder, symlink
from tests.tracing import context_tree, rootfs_tree

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.builders import Content

SOURCE: Mapping[str, Content] = {
    "a.txt": b"a",
    "b c.txt": b"b",
    "dir/x.js": b"x",
    "dir/sub/y.js": b"y",
    "dir/sub/empty": folder(),
    "other/x.js": b"other",
    "link.txt": symlink("a.txt"),
    "linked": symlink("dir"),
    "deep/linked": symlink("../dir"),
    "dangling": symlink("nowhere"),
    "lib-1/z.js": b"1",
    "lib-2/z.js": b"2",
    "[0].txt": b"0",
    ".hidden": b"h",
}
IMAGE: Mapping[str, Content] = {
    "srv/app": folder(),
    "app": symlink("srv/app"),
    "there": folder(),
    "implied/below/file": b"",
    "plain": b"",
}


def _sources(text: str, path: str, *, source: bool = True, workdir: str = "/w") -> Sources:
    head = f"FROM scratch\nWORKDIR {workdir}\n" if workdir else "FROM base\n"
    instruction = parse_build(f"{head}{text}\n").stages[0].instructions[-1]
    image = rootfs_tree({**IMAGE, f"{workdir.strip('/')}/": folder()}, {"later": b""}).below(1)
    tree = context_tree(SOURCE) if source else None
    return Copying(instruction=instruction, image=image, source=tree).sources(path)


@pytest.mark.parametrize(
    ("text", "path", "expected"),
    [
        pytest.param("COPY a.txt /b.txt", "b.txt", ["a.txt"], id="file to file"),
        pytest.param("COPY a.txt /b.txt", "a.txt", [], id="file to file, not under its own name"),
        pytest.param("COPY a.txt /d/", "d/a.txt", ["a.txt"], id="file to a new directory"),
        pytest.param("COPY a.txt /d/", "d", [], id="the directory made for it"),
        pytest.param("COPY a.txt /there", "there/a.txt", ["a.txt"], id="file into a directory"),
        pytest.param("COPY a.txt /there", "there", [], id="the directory it went into"),
        pytest.param("COPY a.txt /there/.", "there/a.txt", ["a.txt"], id="into dir/."),
        pytest.param("COPY a.txt /plain", "plain", ["a.txt"], id="file over a file"),
        pytest.param(
            "COPY a.txt /implied/below", "implied/below/a.txt", ["a.txt"], id="into an implied one"
        ),
        pytest.param("COPY a.txt .", "w/a.txt", ["a.txt"], id="into the working directory"),
        pytest.param("COPY a.txt ./", "w/a.txt", ["a.txt"], id="into ./"),
        pytest.param("COPY a.txt sub/", "w/sub/a.txt", ["a.txt"], id="relative to it"),
        pytest.param("COPY a.txt ../x.txt", "x.txt", ["a.txt"], id="above it"),
        pytest.param("COPY a.txt ..", "a.txt", ["a.txt"], id="into the one above"),
        pytest.param("COPY a.txt /", "a.txt", ["a.txt"], id="into the root"),
        pytest.param("COPY dir /d", "d/x.js", ["dir/x.js"], id="what is in a directory"),
        pytest.param("COPY dir /d/", "d/sub/y.js", ["dir/sub/y.js"], id="folders below it"),
        pytest.param("COPY dir /d", "d", ["dir"], id="the directory itself"),
        pytest.param("COPY dir/ /d", "d/dir/x.js", ["dir/dir/x.js"], id="never its own name"),
        pytest.param("COPY dir/. /d/", "d/x.js", ["dir/x.js"], id="dir/."),
        pytest.param("COPY . .", "w/dir/x.js", ["dir/x.js"], id="everything"),
        pytest.param("COPY . .", "w", [""], id="the root of everything"),
        pytest.param("COPY / /", "dir/x.js", ["dir/x.js"], id="everything into the root"),
        pytest.param("COPY ./ /d/", "d/a.txt", ["a.txt"], id="./ as the source"),
        pytest.param("COPY /dir/x.js /d.js", "d.js", ["dir/x.js"], id="a slash in front"),
        pytest.param("COPY a.txt dir/x.js /d/", "d/x.js", ["dir/x.js"], id="several sources"),
        pytest.param("COPY a.txt dir/x.js /d/", "d/a.txt", ["a.txt"], id="several, the first"),
        pytest.param(
            "COPY dir other /d/", "d/x.js", ["other/x.js", "dir/x.js"], id="the later one wins"
        ),
        pytest.param("COPY a.txt link.txt /d", "d/a.txt", ["a.txt"], id="several need a directory"),
        pytest.param('COPY ["b c.txt", "/sp ace/"]', "sp ace/b c.txt", ["b c.txt"], id="json form"),
        pytest.param("COPY a.txt /app/", "app/a.txt", ["a.txt"], id="through a link, as written"),
        pytest.param("COPY a.txt /app/", "srv/app/a.txt", ["a.txt"], id="through a link"),
        pytest.param("COPY dir /app", "srv/app/x.js", ["dir/x.js"], id="a directory through one"),
        pytest.param("COPY linked /d", "d/x.js", ["linked/x.js"], id="a link to a directory"),
        pytest.param("COPY link.txt /d/", "d/link.txt", ["link.txt"], id="a link keeps its name"),
        pytest.param("COPY dangling /d/", "d/dangling", ["dangling", "dangling/dangling"],
                     id="a dangling link"),
        pytest.param("COPY no /d/", "d/no", ["no", "no/no"], id="a source that is not there"),
        pytest.param("COPY *.txt /d/", "d/a.txt", ["a.txt"], id="a wildcard"),
        pytest.param("COPY *.txt /d/", "d/x.js", [], id="a wildcard that does not match"),
        pytest.param("COPY *.txt /d/", "d/.hidden", [], id="only what matches"),
        pytest.param("COPY .* /d/", "d/.hidden", [".hidden"], id="dots are nothing special"),
        pytest.param("COPY dir/*.js /d/", "d/x.js", ["dir/x.js"], id="a wildcard in a folder"),
        pytest.param("COPY */x.js /d/", "d/x.js", ["other/x.js", "dir/x.js"], id="a folder's"),
        pytest.param("COPY linked/*.js /d/", "d/x.js", ["linked/x.js"], id="below a link"),
        pytest.param("COPY deep/l*/x.js /d/", "d/x.js", [], id="a wildcard follows no link"),
        pytest.param("COPY lib-* /d/", "d/z.js", ["lib-2/z.js", "lib-1/z.js"], id="directories"),
        pytest.param("COPY [[]0].txt /d/", "d/[0].txt", ["[0].txt"], id="a quoted bracket"),
        pytest.param("COPY a*.txt /d", "d", ["a.txt"], id="a wildcard to a file"),
        pytest.param("COPY nothing* /d/", "d/nothing", [], id="a wildcard without a match"),
        pytest.param("COPY --parents dir/sub/y.js /d/", "d/dir/sub/y.js", ["dir/sub/y.js"],
                     id="parents"),
        pytest.param("COPY --parents dir/sub/y.js /d/", "d/dir", ["dir"], id="parents, a folder"),
        pytest.param("COPY --parents dir/./sub/y.js /d/", "d/sub/y.js", ["dir/sub/y.js"],
                     id="parents from the pivot on"),
        pytest.param("COPY --parents dir/./ /d/", "d/sub/y.js", ["dir/sub/y.js"],
                     id="parents, all below the pivot"),
        pytest.param("COPY --parents dir /d/", "d/dir/sub/y.js", ["dir/sub/y.js"],
                     id="parents of a directory"),
        pytest.param("COPY --parents **/*.js /d/", "d/dir/sub/y.js", ["dir/sub/y.js"],
                     id="parents with stars"),
        pytest.param("COPY --parents dir/*.js /d/", "d/other/x.js", [], id="parents, another"),
        pytest.param("COPY --parents dir /d/", "d", [], id="parents, the destination"),
        pytest.param("COPY --parents dir /d/", "e/dir", [], id="parents, beside it"),
        pytest.param("COPY --parents dir /", "dir/x.js", ["dir/x.js"], id="parents to the root"),
        pytest.param("COPY <<EOF a.txt /d/\nx\nEOF", "d/a.txt", ["a.txt"], id="beside a heredoc"),
        pytest.param("COPY <<EOF a.txt /d/\nx\nEOF", "d/EOF", [], id="not the heredoc"),
    ],
)  # fmt: skip
def test_sources_turns_a_copy_round(text: str, path: str, expected: list[str]) -> None:
    """With the source tree at hand a COPY leaves no doubt which paths it may have taken."""
    sources = _sources(text, path)
    assert list(sources.paths) == expected
    assert sources.complete


@pytest.mark.parametrize(
    ("text", "path", "expected", "complete"),
    [
        pytest.param("COPY a /b", "b", ["a"], True, id="file or directory"),
        pytest.param("COPY a /b", "b/x", ["a/x"], True, id="a directory"),
        pytest.param("COPY a /b/", "b/a", ["a", "a/a"], True, id="either of two"),
        pytest.param("COPY . /b/", "b/a", ["a"], True, id="everything is no file"),
        pytest.param("COPY *.js /b/", "b/x.js", ["x.js", "*.js/x.js"], False, id="a wildcard"),
        pytest.param("COPY src/* /b/", "b/x/y", ["src/*/x/y"], False, id="a directory's"),
        pytest.param("COPY *.js /b/", "b", [], False, id="the directory"),
        pytest.param("COPY *.js /b/", "c/x.js", [], False, id="elsewhere"),
        pytest.param("COPY x *.js /b/", "b/x", ["*.js/x", "x", "x/x"], False, id="both"),
        pytest.param("COPY *.js /", "x.js", ["x.js", "*.js/x.js"], False, id="into the root"),
    ],
)
def test_sources_leaves_open_what_the_source_would_tell(
    text: str,
    path: str,
    expected: list[str],
    complete: bool,  # noqa: FBT001
) -> None:
    """Without the source tree a source may be a file or a directory, a wildcard anything."""
    sources = _sources(text, path, source=False)
    assert list(sources.paths) == expected
    assert sources.complete is complete


def test_sources_knows_none_below_an_unknown_directory() -> None:
    """Relative to a directory that is not known a destination could be anywhere."""
    sources = _sources("COPY a.txt sub/", "sub/a.txt", workdir="")
    assert sources == Sources(paths=(), complete=False)
    assert _sources("COPY a.txt /sub/", "sub/a.txt", workdir="").paths == ("a.txt",)


def test_sources_expands_so_much_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wildcard over a huge folder stands for a bounded number of sources."""
    monkeypatch.setattr(copies, "MAX_EXPANDED", 2)
    assert _sources("COPY */* /d/", "d/x.js").paths == ("dir/sub/x.js", "deep/linked/x.js")
