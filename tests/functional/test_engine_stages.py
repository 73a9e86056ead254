"""Stages that an engine kept of an image's build: found without ``--stage``, or not at all."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

import pytest

from layertrace.archive.daemon import EngineSource
from layertrace.errors import StoppedError
from layertrace.layers.cache import IndexCache
from layertrace.pipeline.hints import Hints
from layertrace.pipeline.stages import engine_answer, engine_shelf
from layertrace.pipeline.streamed import open_together
from layertrace.pipeline.trace import open_image
from layertrace.pipeline.watch import Watcher
from tests.builders import docker_archive, file, image, layer
from tests.fake_engine import FakeEngine, serving
from tests.kept_builds import NOP, build_kept, copied

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.builders import Content
    from tests.cli_support import Cli
    from tests.kept_builds import Step

DOCKERFILE: Final = """\
FROM base:1 AS build
COPY src /src
RUN make
FROM scratch
COPY --from=build /out/app /app
COPY --from=build /out/lib /lib
"""
COPY_SOURCE: Final = f"{NOP} COPY dir:{'5' * 64} in /src "
NOON: Final = 1_700_000_000
WATCHER: Final = Watcher(lambda _: None, lambda: False)


def made(app: bytes = b"app", lib: bytes = b"lib", *, mtime: int = 7) -> list[Step]:
    """Return the steps of stage ``build``."""
    times = {"out/app": file(app, mtime=mtime), "out/lib": file(lib, mtime=mtime)}
    return [(COPY_SOURCE, {"src/main.c": b"main " + app}), ("/bin/sh -c make", times)]


def shipped(app: bytes = b"app", lib: bytes = b"lib", *, mtime: int = 7) -> list[Step]:
    """Return the steps of the final stage."""
    return [
        (copied("out/app", app, "/app"), {"app": file(app, mtime=mtime)}),
        (copied("out/lib", lib, "/lib"), {"lib": file(lib, mtime=mtime)}),
    ]


class Bench:
    """An engine and the project whose builds it kept."""

    def __init__(self, cli: Cli, engine: FakeEngine, folder: Path) -> None:
        self.cli = cli
        self.engine = engine
        self.base = engine.add(image(layer({"bin/sh": b"sh"}), tags=("base:1",), history=["ADD /"]))
        self.dockerfile = folder / "Dockerfile"
        self.dockerfile.write_text(DOCKERFILE)

    def stage(self, *content: bytes, at: int, mtime: int = 7) -> str:
        """Keep a build of the stage; return its image."""
        return build_kept(self.engine, made(*content, mtime=mtime), at=at, below=self.base)

    def final(self, *content: bytes, at: int, mtime: int = 7) -> str:
        """Keep a build of the final stage, called ``app:1``."""
        return build_kept(self.engine, shipped(*content, mtime=mtime), at=at, tag="app:1")

    def why(self, path: str = "/app", *options: str) -> tuple[list[str], list[dict[str, Any]]]:
        """Return the hops of a path, and the findings."""
        words = ("app:1", path, "-f", "Dockerfile", *options)
        envelope = self.cli.checked_json("why", *words)
        (answer,) = envelope["data"]
        hops = [
            f"{hop['place']} :{hop['line']} {hop['trust']} {hop['evidence']}"
            for hop in answer["hops"]
        ]
        return hops, envelope["findings"]


@pytest.fixture
def bench(cli: Cli, alone: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """An engine with a base image."""
    engine = FakeEngine(saves_what_is_asked=True)
    monkeypatch.setenv("DOCKER_HOST", f"unix://{alone}/engine.sock")
    with serving(engine, alone / "engine.sock"):
        yield Bench(cli, engine, alone)


PROVEN: Final = ["final :5 verified hashed", "build :3 verified declared"]
UNKNOWN: Final = ["final :5 inferred declared", "build :None unknown unknown"]


def test_stage_is_found_and_said_to_be(bench: Bench) -> None:
    """By the hashes of what was copied from it; which image it is is told."""
    stage = bench.stage(at=NOON)
    bench.final(at=NOON + 10)

    hops, findings = bench.why()

    assert hops == PROVEN
    assert [each["code"] for each in findings] == ["stage-in-engine"]
    assert findings[0]["stages"] == {"build": stage}
    assert f"build is {stage[:19]}" in findings[0]["message"]
    weights = {
        row["name"]: row["size"]
        for row in bench.cli.json("stages", "app:1", "-f", "Dockerfile")["data"]
        if row["kind"] == "stage"
    }
    assert weights["build"] == len(b"shmain appapplib")


def test_second_opening_asks_for_nothing(bench: Bench) -> None:
    """Neither for images nor for how they were made, and not for their layers."""
    bench.stage(at=NOON)
    bench.final(at=NOON + 10)
    first = bench.why()
    engine = bench.engine
    asked = (engine.listings, list(engine.histories), list(engine.asked))

    assert bench.why() == first
    assert (engine.listings, engine.histories, engine.asked) == asked
    assert engine.listings == 1


def test_list_of_layers_needs_no_stage(bench: Bench) -> None:
    """What asks for no origins waits for none."""
    bench.stage(at=NOON)
    bench.final(at=NOON + 10)

    assert "COPY --from=build" in bench.cli.run("layers", "app:1", "-f", "Dockerfile").out
    assert bench.engine.listings == 0


def test_stage_of_another_build_is_not_taken(bench: Bench) -> None:
    """Built of other sources just before and after; the older one is the image's own."""
    own = bench.stage(at=NOON)
    bench.stage(b"other", at=NOON + 5)
    bench.stage(b"app", b"bil", at=NOON + 7)
    bench.final(at=NOON + 10)
    bench.stage(b"newer", at=NOON + 20)

    hops, findings = bench.why()

    assert hops == PROVEN
    assert findings[0]["stages"] == {"build": own}


def test_only_other_builds_are_none(bench: Bench) -> None:
    """A wrong stage is worse than none: the answer is as without, and what to do is said."""
    bench.stage(b"other", at=NOON)
    bench.stage(b"app", b"other", at=NOON + 2)
    bench.final(at=NOON + 10)

    hops, findings = bench.why()

    assert hops == UNKNOWN
    assert [each["code"] for each in findings] == ["stage-not-in-engine"]
    assert "2 that its instructions made are not proven" in findings[0]["message"]
    assert "--stage build=IMAGE" in findings[0]["message"]


def test_nothing_kept_is_nothing_to_tell(bench: Bench) -> None:
    """An engine that has no such image is no news, now or the next time."""
    bench.final(at=NOON + 10)
    for _ in range(2):
        assert bench.why() == (UNKNOWN, [])
    assert bench.engine.listings == 1


def test_missing_stage_is_looked_for_again_after_an_hour(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may have been loaded since."""
    bench.final(at=NOON + 10)
    bench.why()
    bench.stage(at=NOON)
    assert bench.why()[0] == UNKNOWN
    later = time.time() + 4000
    monkeypatch.setattr(time, "time", lambda: later)
    assert bench.why()[0] == PROVEN


def test_of_a_stage_built_twice_the_one_with_the_right_times_is_it(bench: Bench) -> None:
    """The hash tells no times; the files do."""
    own = bench.stage(at=NOON, mtime=7)
    bench.stage(at=NOON + 5, mtime=8)
    bench.final(at=NOON + 10, mtime=7)

    hops, findings = bench.why()

    assert hops == PROVEN
    assert findings[0]["stages"] == {"build": own}


def test_stage_built_after_the_copy_cannot_be_it(bench: Bench) -> None:
    """Though it holds the very same."""
    bench.final(at=NOON)
    bench.stage(at=NOON + 10)

    assert bench.why() == (UNKNOWN, [])


def test_several_that_tell_different_origins_are_none(bench: Bench) -> None:
    """Both hold what was copied, at other times; one wrote it by COPY, the other by RUN."""
    wrote = {"out/app": file(b"app", mtime=1), "out/lib": file(b"lib", mtime=1)}
    early: list[Step] = [(COPY_SOURCE, wrote), ("/bin/sh -c make", {"log": b""})]
    images = [build_kept(bench.engine, early, at=NOON, below=bench.base)]
    images.append(bench.stage(at=NOON + 5, mtime=8))
    bench.stage(b"other", at=NOON + 7)
    bench.final(at=NOON + 10)

    hops, findings = bench.why()

    assert hops == UNKNOWN
    assert [each["code"] for each in findings] == ["stage-ambiguous"]
    assert set(findings[0]["images"]) == set(images)
    assert "--stage build=IMAGE" in findings[0]["message"]


def test_same_layers_twice_are_one_image(bench: Bench) -> None:
    """A build that changed nothing but its times of building."""
    bench.stage(at=NOON)
    bench.stage(b"other", at=NOON + 3)
    bench.stage(at=NOON + 5)
    bench.stage(b"other", at=NOON + 7)
    bench.final(at=NOON + 10)

    assert bench.why()[0] == PROVEN
    # The final image, the last built, then both that remain: nothing twice.
    assert len(bench.engine.asked) == 3 + 1


def test_images_with_the_same_layers_keep_their_own_histories(bench: Bench) -> None:
    """Opened together, one asked for twice: nothing in a stream tells the like apart."""
    engine = bench.engine
    first = build_kept(engine, [*made(), (f"{NOP} ENV a=1", None)], at=NOON, below=bench.base)
    second = build_kept(engine, [*made(), (f"{NOP} ENV a=2", None)], at=NOON, below=bench.base)
    source = EngineSource(first)
    sources = [source, source.other(second), source.other(first)]
    opened = open_together(sources, IndexCache(bench.dockerfile.parent / "none"), WATCHER)
    try:
        ends = [each.image.config.history[-1].created_by for each in opened]
        assert ends == [f"{NOP} ENV a={n}" for n in (1, 2, 1)]
    finally:
        for each in opened:
            each.close()
        source.close()


def test_many_other_images_cost_little(bench: Bench) -> None:
    """The last built before the copy is asked first; one history covers a whole build."""
    for number in range(150):
        steps: list[Step] = [(f"/bin/sh -c task {number}", None), ("/bin/sh -c two", None)]
        build_kept(bench.engine, steps, at=NOON - 1000 + number, below=bench.base)
    bench.stage(at=NOON)
    bench.final(at=NOON + 10)

    assert bench.why()[0] == PROVEN
    assert len(bench.engine.histories) <= 3


def test_search_that_would_take_too_long_is_cut_short_and_says_so(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stage built long before may be missed."""
    for module in (engine_answer, engine_shelf):
        monkeypatch.setattr(module, "MAX_ASKED", 20)
    bench.stage(at=NOON - 1000)
    for number in range(40):
        build_kept(bench.engine, [(f"/bin/sh -c {number}", None)], at=NOON, below=bench.base)
    bench.final(at=NOON + 10)

    hops, findings = bench.why()

    assert hops == UNKNOWN
    assert [each["code"] for each in findings] == ["stage-not-in-engine"]
    assert findings[0]["truncated"] is True
    assert "only the 20 built last" in findings[0]["message"]


def test_stage_that_a_stage_copied_from_is_found_too(bench: Bench) -> None:
    """Through the stage that took from it, which must be found first."""
    bench.dockerfile.write_text(
        "FROM scratch AS deps\nCOPY dep /dep\n"
        "FROM scratch AS build\nCOPY --from=deps /dep /out/dep\nENV A=1\n"
        "FROM scratch\nCOPY --from=build /out/dep /dep\n"
    )
    content = {"dep": file(b"dep", mtime=3)}
    put = f"{NOP} COPY file:{'1' * 64} in /dep "
    deps = build_kept(bench.engine, [(put, content)], at=NOON)
    build_kept(bench.engine, [(put, {"dep": b"another"})], at=NOON + 1)
    steps: list[Step] = [
        (copied("dep", b"dep", "/out/dep"), {"out/dep": file(b"dep", mtime=3)}),
        (f"{NOP}  ENV A=1", None),
    ]
    build = build_kept(bench.engine, steps, at=NOON + 3)
    last: list[Step] = [(copied("out/dep", b"dep", "/dep"), content)]
    build_kept(bench.engine, last, at=NOON + 6, tag="app:1")

    hops, findings = bench.why("/dep")

    assert hops == [
        "final :7 verified hashed", "build :4 verified hashed", "deps :2 inferred declared",
    ]  # fmt: skip
    assert findings[0]["stages"] == {"deps": deps, "build": build}


def test_stage_given_is_not_looked_for(bench: Bench) -> None:
    """Who names one means it."""
    own = bench.stage(at=NOON)
    bench.final(at=NOON + 10)

    hops, findings = bench.why("/app", "--stage", f"build=docker-daemon:{own}")

    assert hops == PROVEN
    assert findings == []
    assert bench.engine.listings == 0


def test_stage_that_is_gone_since_is_looked_for_anew(bench: Bench) -> None:
    """What was found is remembered, the engine may have dropped it."""
    own = bench.stage(at=NOON)
    bench.final(at=NOON + 10)
    assert bench.why()[0] == PROVEN
    del bench.engine.images[own]

    assert bench.why() == (UNKNOWN, [])


def test_stage_without_instructions_is_its_base(bench: Bench) -> None:
    """Whatever the image of that name is by now: it must hold what was copied."""
    bench.dockerfile.write_text("FROM tools:1 AS tools\nFROM scratch\nCOPY --from=tools /t /t\n")
    content = {"t": file(b"tool", mtime=3)}
    tools = bench.engine.add(image(layer(content), tags=("tools:1",), history=["ADD /"]))
    steps: list[Step] = [(copied("t", b"tool", "/t"), content)]
    build_kept(bench.engine, steps, at=NOON, tag="app:1")

    hops, findings = bench.why("/t")

    assert hops == ["final :3 verified hashed", "tools :1 verified declared"]
    assert findings[0]["stages"] == {"tools": tools}
    bench.engine.remove("tools:1")
    assert bench.why("/t", "--no-cache")[1] == []


def test_buildkit_stage_that_was_tagged_is_found_by_its_files(bench: Bench) -> None:
    """BuildKit leaves no hash: everything that was copied must be there, times and all."""
    bench.dockerfile.write_text(
        "FROM base:1 AS build\nRUN make\nFROM scratch\nCOPY --from=build /out /out\n"
    )

    def stage(tag: str, mtime: int) -> str:
        content: dict[str, Content] = {"out/app": file(b"app", mtime=mtime), "out/none": b""}
        steps = ["ADD /", "RUN /bin/sh -c make # buildkit"]
        base = layer({"bin/sh": b"sh"})
        return bench.engine.add(image(base, layer(content), tags=(tag,), history=steps))

    own = stage("build:1", 5)
    stage("build:2", 6)
    content: dict[str, Content] = {"out/app": file(b"app", mtime=5), "out/none": b""}
    bench.engine.add(image(layer(content), history=["COPY /out /out # buildkit"]))
    # Left by another builder: no stage of BuildKit's.
    steps: list[Step] = [("RUN /bin/sh -c make # buildkit", content)]
    build_kept(bench.engine, steps, at=NOON, below=bench.base)

    hops, findings = bench.why("/out/app")

    assert hops == ["final :4 verified matched", "build :2 verified declared"]
    assert findings[0]["stages"] == {"build": own}


def test_no_more_than_a_few_images_are_streamed(bench: Bench) -> None:
    """Of a stage built over and over those built last; that there were more is said."""
    bench.stage(at=NOON)
    for number in range(14):
        bench.stage(b"other %d" % number, at=NOON + 10 + 2 * number)
    bench.final(at=NOON + 100)

    hops, findings = bench.why()

    assert hops == UNKNOWN
    assert (findings[0]["tried"], findings[0]["truncated"]) == (12, True)
    assert "and not all were looked at" in findings[0]["message"]


def test_other_images_than_were_asked_for_are_not_taken(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Several come in one stream, and each must be one that was asked for."""
    bench.stage(at=NOON)
    for number in range(3):
        bench.stage(b"other %d" % number, at=NOON + 10 + 2 * number)
    bench.final(at=NOON + 100)
    save = bench.engine.save

    def other(names: list[str]) -> bytes:
        strangers = [image(layer({f"{number}": b""})) for number, _ in enumerate(names)]
        return save(names) if len(names) == 1 else docker_archive(*strangers)

    monkeypatch.setattr(bench.engine, "save", other)

    hops, findings = bench.why()

    assert hops == UNKNOWN
    assert [each["code"] for each in findings] == ["stages-not-searched"]
    assert "other images than" in findings[0]["message"]


def test_search_can_be_stopped(bench: Bench) -> None:
    """It may take a while in an engine with much in it."""
    bench.stage(at=NOON)
    bench.final(at=NOON + 10)
    cache = IndexCache(bench.dockerfile.parent / "indexes")
    opening = open_image("app:1", Hints(dockerfile=bench.dockerfile), cache)
    try:
        with pytest.raises(StoppedError):
            opening.walk(stop=lambda: bench.engine.listings > 0)
    finally:
        opening.close()
        cache.close()


def test_trouble_with_the_search_is_told_and_the_image_read(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody asked for it."""
    bench.stage(at=NOON)
    bench.final(at=NOON + 10)

    def broken(_: str) -> list[dict[str, object]]:
        raise ConnectionResetError

    monkeypatch.setattr(bench.engine, "history", broken)
    hops, findings = bench.why()

    assert hops == UNKNOWN
    assert [each["code"] for each in findings] == ["stages-not-searched"]


def test_image_that_is_removed_meanwhile_is_passed_over(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the list and the question."""
    own = bench.stage(at=NOON)
    gone = bench.stage(b"other", at=NOON + 4)
    bench.final(at=NOON + 10)
    history = bench.engine.history

    def told(image_id: str) -> list[dict[str, object]]:
        answer = history(image_id)
        if image_id == gone:
            del bench.engine.images[gone]
        return answer

    monkeypatch.setattr(bench.engine, "history", told)

    assert bench.why()[1][0]["stages"] == {"build": own}
