"""Work done in threads comes to what it comes to one after the other, errors too."""

from __future__ import annotations

import threading
import time
from threading import Event
from typing import TYPE_CHECKING

import pytest

from layertrace.errors import LayerError, StoppedError
from layertrace.pipeline.abreast import Abreast, Task

if TYPE_CHECKING:
    from collections.abc import Callable

    from layertrace.pipeline.abreast import See

WAIT = 20.0


def see(size: int, entries: int) -> bool:
    """Go on."""
    del size, entries
    return False


def anything(result: object) -> bool:
    """Say that there is room."""
    del result
    return True


def fail(place: int) -> Callable[[See], int]:
    """Return work that fails."""

    def run(_: See) -> int:
        raise LayerError(f"no {place}")

    return run


def give(place: int) -> Callable[[See], int]:
    """Return work that is done at once."""
    return lambda _: place


def until_stopped(begun: Event) -> Callable[[See], int]:
    """Return work that goes on until it is told to stop."""

    def run(told: See) -> int:
        begun.set()
        end = time.monotonic() + WAIT
        while time.monotonic() < end:
            if told(7, 1):
                raise StoppedError
            time.sleep(0.001)
        raise AssertionError

    return run


def ended() -> bool:
    """Say whether the threads end."""
    end = time.monotonic() + WAIT
    while any(each.name.startswith("layertrace-abreast") for each in threading.enumerate()):
        if time.monotonic() > end:
            return False
        time.sleep(0.001)
    return True


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_each_task_gives_its_own_result(threads: int) -> None:
    """However many threads there are, and in whatever order they come to the tasks."""
    tasks = {place: Task(size=place, run=give(place)) for place in (1, 4, 2, 8)}
    with Abreast(tasks, threads=threads, fits=anything) as work:
        assert 4 in work
        assert 3 not in work
        assert [work.take(place, see) for place in sorted(tasks)] == [1, 2, 4, 8]
    assert ended()


def test_two_are_worked_on_at_once() -> None:
    """Each of the first two ends only after the other began."""
    begun = Event(), Event()

    def meet(place: int) -> Callable[[See], bool]:
        def run(_: See) -> bool:
            begun[place].set()
            return begun[not place].wait(WAIT)

        return run

    tasks = {place: Task(size=1, run=meet(place)) for place in (0, 1)}
    with Abreast(tasks, threads=2, fits=anything) as work:
        assert work.take(0, see)
        assert work.take(1, see)


def test_what_outweighs_all_others_is_begun_first() -> None:
    """It would be worked on alone at the end; else the first is, which is asked for first."""
    order: list[int] = []

    def note(place: int) -> Callable[[See], int]:
        def run(_: See) -> int:
            order.append(place)
            return place

        return run

    sizes = {0: 3, 1: 2, 2: 20, 3: 4, 4: 4}
    tasks = {place: Task(size=size, run=note(place)) for place, size in sizes.items()}
    with Abreast(tasks, threads=1, fits=anything) as work:
        assert [work.take(place, see) for place in range(5)] == [0, 1, 2, 3, 4]
    assert order == [2, 0, 1, 3, 4]


def test_first_error_in_order_is_told_whichever_was_met_first() -> None:
    """The later task fails while the earlier one has not begun to."""
    failed = Event()

    def slow(_: See) -> int:
        assert failed.wait(WAIT)
        time.sleep(0.02)
        raise LayerError("no 1")

    def fast(_: See) -> int:
        failed.set()
        raise LayerError("no 2")

    tasks = {
        0: Task(size=1, run=give(0)),
        1: Task(size=1, run=slow),
        2: Task(size=1, run=fast),
    }
    with Abreast(tasks, threads=2, fits=anything) as work:
        assert work.take(0, see) == 0
        with pytest.raises(LayerError, match="no 1"):
            work.take(1, see)


def test_nothing_behind_an_error_is_gone_on_with() -> None:
    """What was begun is stopped, what was not is not begun; what is before it is done."""
    begun, never_begun = Event(), Event()

    def early(_: See) -> int:
        assert begun.wait(WAIT)
        raise LayerError("no 1")

    def late(_: See) -> int:
        never_begun.set()
        return 3

    tasks = {
        1: Task(size=1, run=early),
        2: Task(size=9, run=until_stopped(begun)),
        3: Task(size=1, run=late),
    }
    with Abreast(tasks, threads=2, fits=anything) as work:
        with pytest.raises(LayerError, match="no 1"):
            work.take(1, see)
        assert ended()
    assert not never_begun.is_set()


def test_stopping_while_waiting_stops_all_work_soon() -> None:
    """Whoever waits is asked again and again, and told how far all work together is."""
    begun = Event(), Event()
    told: list[tuple[int, int]] = []

    def stop(size: int, entries: int) -> bool:
        told.append((size, entries))
        return size == 14

    tasks = {place: Task(size=1, run=until_stopped(begun[place])) for place in (0, 1)}
    with Abreast(tasks, threads=2, fits=anything) as work:
        assert begun[0].wait(WAIT)
        assert begun[1].wait(WAIT)
        with pytest.raises(StoppedError):
            work.take(0, stop)
    assert told[-1] == (14, 2)
    assert ended()


def test_leaving_early_stops_all_work() -> None:
    """An error of whoever takes the results is one."""
    begun = Event()
    tasks = {0: Task(size=1, run=until_stopped(begun)), 1: Task(size=1, run=give(1))}

    def leave() -> None:
        with Abreast(tasks, threads=1, fits=anything):
            assert begun.wait(WAIT)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        leave()
    assert ended()


def test_results_that_were_not_taken_can_be_kept() -> None:
    """For who was stopped; errors among them are nobody's then."""
    begun = Event()
    tasks = {
        0: Task(size=9, run=until_stopped(begun)),
        1: Task(size=1, run=give(1)),
        2: Task(size=1, run=fail(2)),
    }
    with Abreast(tasks, threads=2, fits=anything) as work:
        with pytest.raises(StoppedError):
            work.take(0, lambda *_: bool(work.finished()))
        assert work.finished() == {1: 1}


@pytest.mark.parametrize("threads", [1, 2])
def test_what_does_not_fit_is_done_again_in_its_turn(threads: int) -> None:
    """Nothing is held that was not taken, and the order of errors is that of the tasks."""
    runs: list[int] = []

    def count(place: int) -> Callable[[See], int]:
        def run(_: See) -> int:
            runs.append(place)
            return place

        return run

    room = [True, False]
    tasks = {place: Task(size=1, run=count(place)) for place in range(3)}
    tasks[3] = Task(size=1, run=fail(3))
    with Abreast(tasks, threads=threads, fits=lambda _: bool(room) and room.pop(0)) as work:
        assert ended()
        assert work.finished() == {}
        assert [work.take(place, see) for place in range(3)] == [0, 1, 2]
        with pytest.raises(LayerError, match="no 3"):
            work.take(3, see)
    assert sorted(set(runs)) == [0, 1, 2]
    assert len(runs) > 3


def test_nothing_to_do_needs_no_thread() -> None:
    """An image whose layers are all known."""
    with Abreast[int]({}, threads=2, fits=anything) as work:
        assert 0 not in work
        assert ended()
