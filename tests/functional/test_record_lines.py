"""Many records at once: the text is that of each alone, and nothing is worked out twice."""

from __future__ import annotations

import json
import os
import shutil
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from layertrace.layers import walk
from layertrace.layers.cache import IndexCache
from layertrace.model.origin import Change
from layertrace.pipeline import hashing, stored
from layertrace.pipeline.hints import Hints
from layertrace.pipeline.trace import open_image
from layertrace.provenance.tracer import Tracer
from layertrace.views.encode import record_json, to_line
from layertrace.views.recordlines import record_lines
from tests.builders import docker_archive, fifo, file, folder, hardlink, image, layer, symlink
from tests.sample_support import SAMPLES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from layertrace.pipeline.answers import ImageTrace
    from tests.builders import Content
    from tests.cli_support import Cli

TINY = SAMPLES / "tiny-app"
ODD = (
    "plain", "sp ace", 'quo"te', "back\\slash", "tab\t", "line\nfeed", "del\x7f", "é", "😀",
    "shy\u00ad", "nbsp\u00a0", "rtl\u202e", "\u2028", "\udcff.bin", 'mixed\udc80\u200b"',
)  # fmt: skip


def odd_archive(path: Path) -> Path:
    """Write an image of all that is not a plain file with a plain name."""
    lower: dict[str, Content] = {
        "gone/file": b"1",
        "gone/link": symlink("file"),
        "kept": b"12345",
        "first": b"x" * 10,
        "second": hardlink("first"),
        "implied/only/file": b"22",
    }
    names = {f"odd/{name}": file(b"3", mtime=7) for name in ODD}
    links = {f"links/{number}": symlink(name) for number, name in enumerate(ODD)}
    upper: dict[str, Content] = {
        **names,
        **links,
        ".wh.gone": b"",
        ".wh.first": b"",
        "kept": file(b"12345", mode=0o4755, uid=12, gid=34),
        "third": hardlink("kept"),
        "queue": fifo(),
        "d/": folder(0o700),
    }
    made = image(layer(lower), layer(upper), history=["base", "RUN /bin/sh -c make"])
    path.write_bytes(docker_archive(made))
    return path


def hints_of(kind: str) -> Hints:
    """Return what is told besides the archive."""
    if kind != "regular":
        return Hints()
    return Hints(dockerfile=TINY / "Dockerfile.regular", context=TINY / "app")


@pytest.fixture(params=["regular", "multistage", "multistage-classic", "odd"])
def trace(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ImageTrace]:
    """An image that was walked."""
    kind = request.param
    sample = TINY / f"{kind}.tar.xz"
    archive = sample if sample.exists() else odd_archive(tmp_path / "odd.tar")
    cache = IndexCache(tmp_path / "cache")
    opening = open_image(str(archive), hints_of(kind), cache)
    yield opening.walk()
    opening.close()
    cache.close()


def test_text_is_that_of_each_record(trace: ImageTrace, monkeypatch: pytest.MonkeyPatch) -> None:
    """To the letter, for removed and implicit paths too; no path is traced for it again."""
    rows = range(len(trace.table))
    assert len(rows) > 30
    monkeypatch.setattr(Tracer, "verdict", None)
    lines = list(record_lines(trace, rows))
    assert lines == [to_line(record_json(trace.record_at(row))) for row in rows]
    assert all(json.loads(line)["path"].startswith("/") for line in lines)


def test_row_of_the_table_is_what_the_path_alone_is_told(trace: ImageTrace) -> None:
    """Worked out once from the columns, once from the path."""
    table = trace.table
    for row, path in enumerate(table.paths):
        if table.changes[row] is not Change.REMOVED:
            assert trace.record_at(row) == trace.record(path)


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Count the layers that are walked and the contents that are read."""
    counts: Counter[str] = Counter()

    def counting(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*args: Any, **options: Any) -> Any:  # noqa: ANN401 - any function's
            counts[name] += 1
            return function(*args, **options)

        return counted

    for module, name in ((walk, "walk_layer"), (hashing, "hash_files"), (stored, "sums_of")):
        monkeypatch.setattr(module, name, counting(name, getattr(module, name)))
    return counts


@pytest.mark.parametrize("kind", ["multistage", "multistage-classic"])
def test_second_listing_reads_no_layer_and_no_content(
    cli: Cli, kind: str, work: Counter[str]
) -> None:
    """Stages' layers and contents are kept as the image's own are."""
    archive = TINY / f"{kind}.tar.xz"
    first = cli.checked_json("files", archive)
    assert work["walk_layer"]
    assert work["hash_files"]
    work.clear()
    assert cli.checked_json("files", archive) == first
    assert not work


def test_changed_context_is_noticed(cli: Cli, alone: Path, work: Counter[str]) -> None:
    """A file of the same length and time with other content: no answer is older than it."""
    context = alone / "app"
    shutil.copytree(TINY / "app", context)
    words = (
        "files", TINY / "regular.tar.xz", "-f", TINY / "Dockerfile.regular", "--context", context,
    )  # fmt: skip

    def told() -> tuple[str, str]:
        records = cli.checked_json(*words)["data"]
        (record,) = [r for r in records if r["path"] == "/app/package.json"]
        return record["trust"], record["origin"]["kind"]

    first = told()
    # The checkout of this project has other times than the build had.
    assert first in {("verified", "context"), ("inferred", "context")}
    work.clear()
    changed = context / "package.json"
    content, before = changed.read_bytes(), changed.stat()
    changed.write_bytes(content.replace(b"e", b"3", 1))
    os.utime(changed, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert told()[0] == "contradicted"
    assert not work
    changed.write_bytes(content)
    os.utime(changed, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert told() == first
