"""What views find behind the rows of a real image's table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from layertrace.layers.cache import IndexCache
from layertrace.model.origin import Change
from layertrace.pipeline.hints import Hints
from layertrace.pipeline.trace import open_image
from tests.sample_support import SAMPLES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from layertrace.pipeline.answers import ImageTrace


@pytest.fixture(scope="module")
def trace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ImageTrace]:
    """Return the small sample of several stages, walked."""
    cache = IndexCache(tmp_path_factory.mktemp("cache"))
    opening = open_image(str(SAMPLES / "tiny-app" / "multistage.tar.xz"), Hints(), cache)
    yield opening.walk()
    opening.close()
    cache.close()


def test_a_row_has_the_attributes_of_its_record(trace: ImageTrace) -> None:
    """Mode, owner and time, without tracing the path."""
    kept = [row for row, change in enumerate(trace.table.changes) if change is not Change.REMOVED]
    assert len(kept) > 60
    for row in kept:
        record, item = trace.record(trace.table.paths[row]), trace.item_at(row)
        assert item is not None
        assert (item.mode, item.uid, item.gid, item.mtime) == (
            record.mode,
            record.uid,
            record.gid,
            record.mtime,
        )


def test_a_removed_row_has_the_attributes_it_had(trace: ImageTrace) -> None:
    """As the last layer that held it wrote them."""
    gone = [row for row, change in enumerate(trace.table.changes) if change is Change.REMOVED]
    assert gone
    for row in gone:
        record, item = trace.record_at(row), trace.item_at(row)
        assert item is not None
        assert item.mode is not None
        assert (item.mode, item.mtime) == (record.mode, record.mtime)


def test_a_label_names_the_line_that_made_the_bytes(trace: ImageTrace) -> None:
    """That of the RUN in the stage, not of the COPY that carried them."""
    table = trace.table
    row = list(table.paths).index("app/dist/server.js")
    label = table.labels[table.label_ids[row]]
    build = trace.head.build
    assert build is not None
    (step,) = [s for s in build.stages[0].instructions if s.text == "RUN npm run build"]
    assert label.line == step.line == trace.chain("app/dist/server.js").origin.line
