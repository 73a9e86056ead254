"""What filters ask of an image beyond its table, on images in memory."""

from __future__ import annotations

import hashlib
import zipfile
from contextlib import contextmanager
from dataclasses import replace
from io import BytesIO
from typing import TYPE_CHECKING

import pytest

from layertrace.analysis.facts import ImageFacts
from layertrace.filters.language import parse_filter
from layertrace.layers.cache import IndexCache
from layertrace.pipeline.hints import Hints
from layertrace.pipeline.trace import open_image
from tests.builders import (
    docker_archive,
    file,
    folder,
    hardlink,
    image,
    layer,
    sparse,
    step,
    symlink,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from layertrace.pipeline.answers import ImageTrace
    from tests.builders import Content


@contextmanager
def _traced(
    path: Path,
    *layers: Mapping[str, Content],
    history: Sequence[str | dict[str, object]] | None = None,
    dockerfile: str = "",
) -> Iterator[ImageTrace]:
    archive, given = path / "app.tar", path / "Dockerfile"
    archive.write_bytes(docker_archive(image(*map(layer, layers), history=history)))
    given.write_text(dockerfile)
    context = path / "context"
    hints = Hints(dockerfile=given) if dockerfile else Hints()
    hints = replace(hints, context=context) if context.is_dir() else hints
    opening = open_image(str(archive), hints, IndexCache(path / "cache", limit=0))
    try:
        yield opening.walk()
    finally:
        opening.close()


def _asked(trace: ImageTrace, *texts: str) -> dict[str, list[str]]:
    facts = ImageFacts(trace)
    paths = trace.table.paths
    return {t: [paths[row] for row in parse_filter(t).rows(trace.table, facts)] for t in texts}


def _zip() -> bytes:
    made = BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("x", b"x")
    return made.getvalue()


def test_modes_and_owners_are_those_of_the_entries(tmp_path: Path) -> None:
    """Of a hard link its file's, of a removed path the last; an implicit folder has none."""
    base: dict[str, Content] = {
        "bin/su": file(b"x", mode=0o4755),
        "bin/sudo": hardlink("bin/su"),
        "bin/gone": file(b"y", mode=0o4711, uid=7, gid=8),
        "bin/link": symlink("su"),
        "tmp": folder(0o1777),
    }
    upper: dict[str, Content] = {"bin/.wh.gone": b"", "new/x": file(b"", uid=7)}
    with _traced(tmp_path, base, upper) as trace:
        found = _asked(
            trace, "mode:setuid", "mode:world-writable", "owner:7", "owner:7:8", "!owner:0"
        )
    assert found == {
        "mode:setuid": ["bin/gone", "bin/su", "bin/sudo"],
        "mode:world-writable": ["tmp"],
        "owner:7": ["bin/gone", "new/x"],
        "owner:7:8": ["bin/gone"],
        "!owner:0": ["bin", "bin/gone", "new", "new/x"],
    }


def test_instruction_is_the_layers(tmp_path: Path) -> None:
    """By its history, however the builder spells it; nothing is said of what is unknown."""
    history = [
        "/bin/sh -c #(nop) ADD file:abc in / ",
        "COPY b / # buildkit",
        "RUN /bin/sh -c make # buildkit",
        "made by hand",
    ]
    layers: list[Mapping[str, Content]] = [{f"d/{name}": b""} for name in "abcd"]
    with _traced(tmp_path, *layers, history=history) as trace:
        found = _asked(trace, "via:add", "via:copy", "via:run", "via:from", "via:workdir")
    assert list(found.values()) == [["d/a"], ["d/b"], ["d/c"], [], []]


def test_instruction_is_the_dockerfiles_and_the_base_is_from(tmp_path: Path) -> None:
    """What lies below the build is none of its instructions."""
    dockerfile = "FROM base\nCOPY x /x\nRUN make\nWORKDIR /w\n"
    history = ["RUN base", "COPY x /x # buildkit", "RUN make", "WORKDIR /w"]
    layers: list[Mapping[str, Content]] = [{"base": b""}, {"x": b""}, {"y": b""}, {"w": folder()}]
    with _traced(tmp_path, *layers, history=history, dockerfile=dockerfile) as trace:
        found = _asked(trace, "via:from", "via:copy", "via:run", "via:workdir")
    assert list(found.values()) == [["base"], ["x"], ["y"], ["w"]]


def test_each_path_of_a_joint_layer_has_its_own_instruction(tmp_path: Path) -> None:
    """A layer that several instructions made together: the trace of each path tells."""
    nop = "/bin/sh -c #(nop)"
    (tmp_path / "context").mkdir()
    (tmp_path / "context" / "conf").write_bytes(b"1")
    history: list[str | dict[str, object]] = [
        "ADD x",
        step(f"{nop} WORKDIR /app", empty=True),
        step(f"{nop} COPY file:{'0' * 64} in /app/conf ", empty=True),
        step("/bin/sh -c setup", comment="FROM base"),
    ]
    dockerfile = "FROM base\nWORKDIR /app\nCOPY conf /app/conf\nRUN setup\n"
    upper: dict[str, Content] = {"app/": folder(), "app/conf": b"1", "app/state": b"2"}
    with _traced(tmp_path, {"x": b"", "old": b""}, upper | {".wh.old": b""},
                 history=history, dockerfile=dockerfile) as trace:  # fmt: skip
        assert len(trace.sized_head.layers[1].lines) == 3
        found = _asked(trace, "via:workdir", "via:copy", "via:run", "via:from")
    assert list(found.values()) == [["app"], ["app/conf"], ["app/state"], ["x"]]


def test_contents_are_told_by_digest_form_and_copies(tmp_path: Path) -> None:
    """Of links to a file as of the file; of what was removed too."""
    elf, big = b"\x7fELF" + bytes(60), bytes(8192)
    tree: dict[str, Content] = {
        "a.elf": elf,
        "b.elf": hardlink("a.elf"),
        "c.sh": b"#!/bin/sh\n",
        "d.jar": _zip(),
        "e.txt": b"text",
        "f.hole": sparse(8192, {4096: elf}),
        "g.none": b"",
        "h.one": big,
        "i.two": big,
        "j.gone": b"#!/bin/sh\nx\n",
        "k": symlink("a.elf"),
    }
    start = hashlib.sha256(elf).hexdigest()[:12]
    texts = ("type:elf", "type:script", "type:zip", f"digest:{start}", "dup:yes")
    with _traced(tmp_path, tree, {".wh.j.gone": b""}) as trace:
        found = _asked(trace, *texts)
        again = _asked(trace, *texts)
    assert list(found.values()) == [
        ["a.elf", "b.elf"],
        ["c.sh", "j.gone"],
        ["d.jar"],
        ["a.elf", "b.elf"],
        ["h.one", "i.two"],
    ]
    assert again == found


def test_forms_are_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And so are packages, copies and what is wasted."""
    texts = ("type:elf", "pkg:none", "dup:yes", "wasted:yes")
    with _traced(tmp_path, {"a": b"\x7fELF", "b": bytes(5000), "c": bytes(5000)}) as trace:
        facts, table = ImageFacts(trace), trace.table
        first = [list(parse_filter(text).rows(table, facts)) for text in texts]
        monkeypatch.setattr(
            "layertrace.analysis.leftovers.duplicates.find_duplicates",
            lambda _: pytest.fail("again"),
        )
        monkeypatch.setattr(
            trace, "hand_out", lambda places, _: pytest.fail("again") if places else None
        )
        assert [list(parse_filter(text).rows(table, facts)) for text in texts] == first
    assert first == [[0], [0, 1, 2], [1, 2], []]


def test_paths_with_wasted_bytes_are_the_overwritten_and_the_removed(tmp_path: Path) -> None:
    """A path that ships and has an older copy below it is one; an empty file costs nothing."""
    base = {"old": b"1", "gone": b"2", "same": b"3", "empty": b""}
    upper = {"old": b"4", ".wh.gone": b"", ".wh.empty": b""}
    with _traced(tmp_path, base, upper) as trace:
        found = _asked(trace, "wasted:yes", "wasted:no")
    assert found == {"wasted:yes": ["gone", "old"], "wasted:no": ["empty", "same"]}
