"""Browsing before all is read, after Esc, on other platforms; and work that takes long."""

from __future__ import annotations

import threading
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from layertrace.errors import EngineError, LayerError, SeveralImagesError, StoppedError
from layertrace.model.image import Platform
from layertrace.model.origin import Finding
from layertrace.pipeline.watch import Phase
from layertrace.pipeline.watch import WalkProgress as Told
from layertrace.views.progress import describe_walk
from layertrace.views.tui.browse import BrowseScreen
from layertrace.views.tui.pace import (
    Pace,
    brief_words,
    opening_rows,
    progress_words,
    reading_rows,
    tracing_rows,
)
from layertrace.views.tui.platforms import PlatformScreen
from layertrace.views.tui.ports import Means
from layertrace.views.tui.startup import OpeningScreen
from layertrace.views.tui.working import Job, WorkingScreen
from tests.builders import docker_archive, image, layer
from tests.tui.driver import Driver, run
from tests.tui.fakes import (
    BASE,
    BUILD,
    FakeOpening,
    FakeProgress,
    FakeTrace,
    Row,
    directory,
    head,
    table,
)
from tests.tui.real import opened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    import pytest

    from layertrace.model.trace import ImageHead
    from layertrace.pipeline.answers import ImageTrace
    from layertrace.pipeline.trace import Opening as ImageOpening
    from layertrace.views.treerows import TreeRows
    from layertrace.views.tui.ports import Opener, Opening, WalkProgress

READ = (
    directory("app", 2, BUILD),
    Row(path="app/big.js", size=900, layer=2, label=BUILD),
    Row(path="app/small.js", size=20, layer=2, label=BUILD),
    directory("etc", 0, BASE),
    Row(path="etc/hosts", size=7, layer=0, label=BASE),
)
FOUND = Finding(code="layers-unread", message="2 layers were not read: they may replace files")


def _partial(known: ImageHead) -> FakeTrace:
    """Return an image of which the last two layers are not read."""
    layers = tuple(
        replace(layer, size=None, files=None, wasted=None) if layer.index > 2 else layer
        for layer in known.layers
    )
    told = replace(known, size=None, layers=layers, findings=(FOUND,))
    return FakeTrace(head=told, table=table(READ))


def _opening(gate: threading.Event) -> FakeOpening:
    return FakeOpening(gate=gate, read=_partial(head()))


def _rows(tui: Driver) -> TreeRows:
    rows = tui.browse.files.rows
    assert rows is not None
    return rows


def _here(tui: Driver) -> str:
    node = tui.browse.files.current
    assert node is not None
    return _rows(tui).tree.table.paths[node]


def test_files_of_layers_that_are_read_are_browsed_while_reading_goes_on() -> None:
    """``b`` shows them; where the user was stays when the rest comes in."""
    gate = threading.Event()

    async def script(tui: Driver) -> None:
        await tui.see("61%", "b browses what is read so far", "b Browse now")
        await tui.press("b")
        await tui.see("L1-L3 of 5 layers", "small.js", "reading L3 of 5 61%", "F): 2 layers")
        assert "reading…" in tui.row("Final image")
        assert "reading…" in tui.row("L5 RUN npm install")
        assert "kB" in tui.row("L3 COPY --from") or "MB" in tui.row("L3 COPY --from")
        assert "Browse now" not in tui.text()
        assert "npm ERR" not in tui.text()
        await tui.press("s", "S")
        await tui.press("home")
        assert _here(tui) == "etc"
        gate.set()
        await tui.see("7 files", "by name ↓", "28.8 MB")
        assert _here(tui) == "etc"
        assert "2 layers" not in tui.text()

    run(script, _opening(gate), read=False)


def test_what_was_read_before_esc_is_browsed_and_says_what_is_missing() -> None:
    """Sizes of the rest are "not read"; a file may still be replaced there, and Why says so."""
    gate = threading.Event()
    opening = _opening(gate)

    async def script(tui: Driver) -> None:
        await tui.see("61%")
        await tui.press("escape")
        await tui.see("L4-L5 not read", "L1-L3 of 5 layers", "big.js", "r Read on")
        assert "not read" in tui.row("Final image")
        assert "not read" in tui.row("L5 RUN npm install")
        await tui.see("L4-L5 are not read: sums are of the other layers alone")
        await tui.press("down")
        await tui.see("L4-L5 are not read: it may be replaced or removed there")
        assert _rows(tui).sums.scope.title == "L1-L3 of 5 layers"
        gate.set()
        await tui.press("r")
        await tui.see("7 files", "28.8 MB")
        assert opening.walks == 2
        assert "not read" not in tui.text()

    run(script, opening, read=False)


class _Halting:
    """An archive of which the user stops the first reading after a layer."""

    def __init__(self, opening: ImageOpening) -> None:
        self.head, self.compared = opening.head, opening.compared
        self.so_far, self.head_so_far = opening.so_far, opening.head_so_far
        self._opening = opening
        self._walks = 0

    def walk(
        self, progress: Callable[[WalkProgress], None], stop: Callable[[], bool]
    ) -> ImageTrace:
        """Read the layers, all of them from the second time on."""
        self._walks += 1
        seen: list[WalkProgress] = []

        def tell(told: WalkProgress) -> None:
            seen.append(told)
            progress(told)

        return self._opening.walk(tell, lambda: stop() or (self._walks == 1 and seen[-1].layer > 0))


def test_an_archive_of_which_a_layer_was_read_is_browsed_and_read_on(tmp_path: Path) -> None:
    """Contents are those of that layer, History says which layers may hold more versions."""
    path = tmp_path / "app.tar"
    path.write_bytes(docker_archive(image(layer({"a": b"one"}), layer({"a": b"two!", "b": b""}))))

    async def script(tui: Driver) -> None:
        await tui.see("L2 not read", "L1 of 2 layers", "1 file", "one layer was not read")
        assert "3 B" in tui.row("L1 layer 0")
        await tui.press("v")
        await tui.see("one", "Esc Close")
        await tui.press("escape", "H")
        await tui.see("History /a", "; L2 not read")
        await tui.press("escape", "r")
        await tui.see("final image", "2 files", "7 B")
        assert "not read" not in tui.text()

    with opened(path, tmp_path) as opening:
        run(script, _Halting(opening), read=False)


def test_what_is_read_that_cannot_be_read_again_is_told() -> None:
    """Its file is gone, say: the reading ends as it may, and so does the program."""
    gate = threading.Event()

    class Gone(FakeOpening):
        def so_far(self) -> FakeTrace:
            raise LayerError("the file is gone", hint="save it again")

    async def script(tui: Driver) -> None:
        await tui.see("61%")
        await tui.press("b")
        await tui.see("the file is gone. save it again", "61%")
        await tui.press("escape")
        await tui.see("the file is gone", "r Read on")
        assert tui.app.exit_code == LayerError.exit_code

    run(script, Gone(gate=gate), read=False)


def test_esc_while_what_was_read_is_traced_stops_nothing() -> None:
    """It would keep no less and show nothing sooner: that is said."""
    gate = threading.Event()

    async def script(tui: Driver) -> None:
        await tui.see("61%")
        tui.browse._say_tracing()
        await tui.see("tracing every file", "tracing…")
        await tui.press("escape")
        await tui.see("tracing them ends by itself")
        gate.set()
        await tui.see("7 files", "28.8 MB")

    run(script, _opening(gate), read=False)


def test_a_layer_that_is_not_read_shows_no_files_and_not_none() -> None:
    """Nor does a stage of which a layer is missing pass for whole."""
    gate = threading.Event()

    async def script(tui: Driver) -> None:
        await tui.see("61%")
        await tui.press("escape")
        await tui.see("big.js")
        assert tui.browse.stages.go_to("layer:4")
        tui.browse._follow_scope()
        await tui.see("L5 is not read yet", "2 Files · L5, L5 not read")

    run(script, _opening(gate), read=False)


def test_what_takes_every_layer_is_refused_until_they_are_read() -> None:
    """Half an image would pass an audit, and its waste would be too little."""
    gate = threading.Event()

    async def script(tui: Driver) -> None:
        await tui.see("61%")
        await tui.press("escape")
        await tui.see("big.js")
        told: list[str] = []
        tui.browse.tell = told.append  # type: ignore[assignment]
        await tui.press("down", "W", "U", "P", "A", "O", "x")
        assert set(told) == {"this takes every layer, and L4-L5 not read yet: r reads on"}
        assert len(told) == 6
        assert "2 Files" in tui.text()

    run(script, _opening(gate), read=False)


def test_a_filter_marks_and_folds_stay_when_more_is_read() -> None:
    """The files they are of are others then."""
    gate = threading.Event()

    async def script(tui: Driver) -> None:
        await tui.see("61%")
        await tui.press("b")
        await tui.see("big.js")
        await tui.press("minus")
        await tui.filter("server")
        gate.set()
        await tui.see("server.js", "1 of 8")
        assert _rows(tui).wish.hidden

    run(script, _opening(gate), read=False)


AMD, ARM = Platform(os="linux", architecture="amd64"), Platform(os="linux", architecture="arm64")


def _of(platform: Platform) -> FakeOpening:
    known = head()
    config = replace(known.image.config, platform=platform)
    image = replace(known.image, config=config, platforms=(AMD, ARM))
    return FakeOpening(known=replace(known, image=image))


def _means(*, chosen: bool = False) -> Means:
    def opener(_reference: str, platform: Platform | None) -> Opener:
        return lambda _progress, _stop: _of(platform or AMD)

    return Means(open=opener, chosen=chosen)


def test_an_index_of_several_platforms_asks_which_and_can_be_asked_again() -> None:
    """The one that was opened is on view meanwhile, and Esc keeps it."""

    async def script(tui: Driver) -> None:
        await tui.see("Which platform?", "linux/arm64", "Esc keeps linux/amd64")
        assert "on view" in tui.row(" linux/amd64  on")
        await tui.press("down", "enter")
        await tui.until(lambda: isinstance(tui.app.screen, BrowseScreen))
        await tui.until(lambda: tui.browse.platform == ARM)
        await tui.see("linux/arm64", "7 files", "I Platforms")
        assert sum(isinstance(each, BrowseScreen) for each in tui.app.screen_stack) == 1
        await tui.press("I")
        await tui.see("Esc keeps linux/arm64")
        await tui.press("escape")
        await tui.until(lambda: isinstance(tui.app.screen, BrowseScreen))
        assert tui.browse.platform == ARM

    run(script, _of(AMD), read=False, means=_means())


def test_an_archive_of_several_images_asks_which() -> None:
    """Where nobody could ask, that is an error; Esc ends in it too."""
    choices = (
        ("shop:1", "docker-archive:all.tar:shop:1"),
        ("\x1b[5mx", "docker-archive:all.tar:x"),
    )
    error = SeveralImagesError(
        "all.tar holds 2 images", hint="name one: …:NAME", asked="all.tar", choices=choices
    )
    tried: list[str] = []

    def several() -> Opening:
        raise error

    def opener(reference: str, _platform: Platform | None) -> Opener:
        tried.append(reference)
        return lambda _progress, _stop: FakeOpening()

    means = Means(open=opener)

    async def chosen(tui: Driver) -> None:
        await tui.see("Which image?", "shop:1", "\\x1b[5mx")
        await tui.press("down", "enter")
        await tui.see("1 Stages & layers", "7 files")
        assert tried == ["docker-archive:all.tar:x"]

    run(chosen, open_image=several, read=False, means=means, title="all.tar")

    async def left(tui: Driver) -> None:
        await tui.see("Which image?")
        await tui.press("escape")
        await tui.see("Cannot open", "all.tar holds 2 images", "name one")
        await tui.press("r")
        await tui.see("Which image?")

    run(left, open_image=several, read=False, means=means, title="all.tar")

    async def of_a_stage(tui: Driver) -> None:
        await tui.see("Cannot open app.tar", "all.tar holds 2 images")

    run(of_a_stage, open_image=several, read=False, means=means, title="app.tar")


def test_a_platform_that_was_named_is_not_asked_for() -> None:
    """The key for it is there all the same; where there is but one image, it is not."""

    async def script(tui: Driver) -> None:
        await tui.see("I Platforms")
        await tui.press("I")
        await tui.until(lambda: isinstance(tui.app.screen, PlatformScreen))

    run(script, _of(AMD), means=_means(chosen=True))

    async def alone(tui: Driver) -> None:
        await tui.press("I")
        assert isinstance(tui.app.screen, BrowseScreen)

    run(alone, FakeOpening(), means=_means())


def test_an_image_that_could_not_be_opened_is_tried_again() -> None:
    """The engine was started meanwhile; the error is forgotten, its exit code too."""
    tries: list[int] = []

    def open_image() -> Opening:
        tries.append(1)
        if len(tries) == 1:
            raise EngineError("the engine does not answer", hint="start it")
        return FakeOpening()

    async def script(tui: Driver) -> None:
        await tui.see("start it", "r Try again")
        assert tui.app.exit_code == EngineError.exit_code
        await tui.press("r")
        await tui.see("7 files")
        assert tui.app.exit_code == 0

    run(script, open_image=open_image, read=False)


def test_a_cache_that_cannot_be_written_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Work goes on; saying it at every look would be no help."""
    monkeypatch.setattr("layertrace.views.tui.app._LOOK", 0.05)
    asked: list[int] = []

    def trouble() -> str:
        asked.append(1)
        return "database or disk is \x1b[2Jfull"

    means = Means(open=_means().open, trouble=trouble)

    async def script(tui: Driver) -> None:
        await tui.see("nothing is kept for the next time", "\\x1b[2Jfull", "7 files")
        count = len(asked)
        await tui.pilot.pause(0.2)
        assert len(asked) == count == 1

    run(script, means=means)


def test_work_that_takes_long_says_how_far_it_is_and_stops_at_a_key() -> None:
    """What is quick shows nothing; what is over goes away by itself."""

    async def script(tui: Driver) -> None:
        app = tui.app
        job = Job(app, app.options, app.reader, "Extracting", "/usr to ./out")
        assert not isinstance(app.screen, WorkingScreen)
        await tui.see("Extracting", "/usr to ./out", "reading…  0:00", "Esc stops")
        job.tell(512, 1024)
        await tui.see("50%", "512 B of 1.0 kB")
        await tui.press("escape")
        await tui.see("stopping…")
        assert job.is_stopped()
        job.finish()
        await tui.until(lambda: isinstance(app.screen, BrowseScreen))
        quick = Job(app, app.options, app.reader, "Extracting")
        quick.finish()
        await tui.pilot.pause(0.4)
        assert isinstance(app.screen, BrowseScreen)
        covered = Job(app, app.options, app.reader, "Extracting")
        await tui.until(lambda: isinstance(app.screen, WorkingScreen))
        await tui.press("ctrl+p")
        covered.finish()
        await tui.press("escape")
        await tui.until(lambda: isinstance(app.screen, BrowseScreen))

    run(script)


def test_unpacking_says_how_far_it_is() -> None:
    """Before there is an image: by the bytes of the archive."""
    gate = threading.Event()

    def open_slowly(progress: object, stop: object, /) -> Opening:
        told = FakeProgress(
            layer=0, layers=0, bytes_done=3, bytes_total=12, entries=0, phase=Phase.ARCHIVE
        )
        while not gate.wait(0.05):
            progress(told)  # type: ignore[operator]
            if stop():  # type: ignore[operator]
                raise StoppedError
        return FakeOpening()

    means = Means(open=lambda _name, _platform: open_slowly)

    async def script(tui: Driver) -> None:
        tui.app._begin(open_slowly, "app.tar.xz")
        await tui.until(lambda: isinstance(tui.app.screen, OpeningScreen))
        await tui.see("unpacking the archive", "25%", "3 B of 12 B", "Esc Stop")
        gate.set()
        await tui.see("1 Stages & layers")

    run(script, means=means)


def test_each_step_to_an_image_is_ticked_when_it_is_done() -> None:
    """Configuration, layers, what they are compared with, tracing: those that come are told."""
    layers = FakeProgress(layer=1, layers=3, bytes_done=50, bytes_total=200, entries=9)
    others = replace(layers, phase=Phase.STAGES, layer=0)
    unpacking = replace(layers, phase=Phase.ARCHIVE)

    def signs(rows: Iterable[str]) -> str:
        return "".join(row[0] for row in rows if row[:1] in {"✔", "▸", "·"})

    settled, compared = "3 layers, 2 stages", ("build", "node:14")
    assert signs(opening_rows(None, 0)) == signs(opening_rows(unpacking, 1)) == "▸··"
    assert signs(reading_rows(settled, compared, None, 0)) == "✔▸··"
    rows = list(reading_rows(settled, compared, layers, 2))
    assert signs(rows) == "✔▸··"
    assert rows[0] == "✔ configuration and history: 3 layers, 2 stages"
    assert rows[1].startswith("▸ layers: L2 of 3  ████░")
    assert rows[2] == "50 B of 200 B  25 B/s  0:02 so far  0:06 left"
    assert rows[3] == "· stage content: build, node:14"
    assert any("b browses" in row for row in rows)
    assert signs(reading_rows(settled, (), layers, 2)) == "✔▸·"
    rows = list(reading_rows(settled, compared, others, 2))
    assert signs(rows) == "✔✔▸·"
    assert rows[2].startswith("▸ stage content: layer 1 of 3")
    assert not any("b browses" in row for row in rows)
    assert signs(tracing_rows(settled, compared)) == "✔✔✔▸"
    assert signs(tracing_rows(settled, ())) == "✔✔▸"


def test_what_an_engine_sends_is_told_by_about_how_much_it_is() -> None:
    """It says what layers hold, not what it sends: no bar stands at the end before that comes."""
    coming = FakeProgress(
        layer=1, layers=3, bytes_done=50, bytes_total=200, entries=9, estimated=True
    )
    waiting, more = replace(coming, bytes_done=0, layer=0), replace(coming, bytes_done=200, layer=3)
    assert list(reading_rows("3 layers", (), coming, 2))[1:3] == [
        "▸ layers: layer 2 of 3  ████░░░░░░░░░░░░░░ about 25%",
        "50 B of about 200 B  25 B/s  0:02 so far  0:06 left",
    ]
    rows = list(reading_rows("3 layers", (), waiting, 9))
    assert rows[1:3] == ["▸ layers: waiting for the engine to send it", "0:09 so far"]
    assert not any("b browses" in row for row in rows)
    assert progress_words(more, 4) == ("layer 3 of 3", "200 B  50 B/s  0:04 so far")
    assert brief_words(coming, 2) == "reading layer 2 of 3 about 25%  0:06 left"
    assert brief_words(waiting, 9) == "waiting for the engine to send it  0:09"
    assert brief_words(more, 4) == "reading layer 3 of 3"
    assert "they come with the last layer" in next(iter(opening_rows(coming, 2)))
    now = [0.0]
    pace = Pace(lambda: now[0])
    pace.seconds(waiting)
    now[0] = 7
    assert (pace.seconds(waiting), pace.seconds(coming)) == (7, 0)
    on_stderr = [describe_walk(Told(**asdict(each)), 2) for each in (coming, more)]
    assert on_stderr[0].startswith("reading layer 2 of 3  50 B of about 200 B  25 B/s")
    assert on_stderr[1].startswith("reading layer 3 of 3  200 B  100 B/s")


def test_each_phase_is_named_and_timed_by_itself() -> None:
    """The bytes of stages would otherwise seem to come at the rate of all before them."""
    now = [0.0]
    pace = Pace(lambda: now[0])
    layers = FakeProgress(layer=0, layers=2, bytes_done=0, bytes_total=None, entries=0)
    assert pace.seconds(layers) == 0
    now[0] = 10
    assert pace.seconds(layers) == 10
    stages = replace(layers, phase=Phase.STAGES, layer=1, bytes_done=20, bytes_total=100)
    assert pace.seconds(stages) == 0
    now[0] = 15
    assert pace.seconds(stages) == 5
    bar, figures = progress_words(stages, 5)
    assert bar.startswith("layer 2 of 2  ████░")
    assert figures == "20 B of 100 B  4 B/s  0:05 so far  0:20 left"
    assert brief_words(stages, 5) == "reading stages 20%  0:20 left"
    stream = replace(layers, layers=0, layer=3)
    assert progress_words(stream, 0) == ("layer 4", "0 B  0:00 so far")
    pipe = replace(layers, phase=Phase.ARCHIVE)
    assert progress_words(pipe, 0)[0] == "taking in the archive"
