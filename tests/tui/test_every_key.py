"""Every key of the panes, in the pane and view it is for: what it does, seen from outside."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pytest

from layertrace.views.treerows import Wish
from layertrace.views.treeselect import SortKey
from layertrace.views.tui.chooser import ColumnsScreen
from layertrace.views.tui.dialogs import CopyScreen
from layertrace.views.tui.history import HistoryScreen
from layertrace.views.tui.navigation import Trail
from layertrace.views.tui.ports import Comparing
from layertrace.views.tui.preview import PreviewScreen
from tests.builders import docker_archive, file, image, layer, symlink
from tests.tui.driver import Driver, run
from tests.tui.real import compare, opened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from layertrace.pipeline.trace import Opening

DOCKERFILE: Final = """\
FROM scratch AS made
COPY all /
FROM made
RUN edit
RUN chmod
"""
LAST: Final = {f"many/{number:02}": b"" for number in range(40)}
MARKS: Final = {
    "plus": "ADDED",
    "minus": "REMOVED",
    "tilde": "MODIFIED",
    "m": "METADATA",
    "full_stop": "UNTOUCHED",
}
VIEWS: Final = {
    "L": "Largest",
    "W": "Waste",
    "U": "Duplicates",
    "P": "Packages",
    "A": "Audit",
    "O": "Flow",
    "M": "Map",
}
WHERE: Final = {"stages": "1", "files": "2", "why": "3", "code": "4"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Press:
    """A key in a pane, and what is true once it was pressed, not before."""

    pane: str
    key: str
    then: Callable[[Driver], object]
    view: str = "T"
    path: str = "etc/conf"
    """Where the cursor of the tree is."""
    line: int | None = None
    """Where that of the pane is, if the pane is another."""
    first: tuple[str, ...] = ()
    """Keys pressed before, which are not what is tested."""

    def __str__(self) -> str:
        return f"{' '.join((*self.first, self.key))} in {self.pane}, view {self.view}"


def _pane(name: str) -> Callable[[Driver], bool]:
    return lambda tui: tui.browse.current_pane == name


def _line(line: int) -> Callable[[Driver], bool]:
    return lambda tui: tui.browse.panes[tui.browse.current_pane].cursor_line == line


def _sees(*words: str) -> Callable[[Driver], bool]:
    return lambda tui: all(word in tui.text() for word in words)


def _at(path: str) -> Callable[[Driver], bool]:
    return lambda tui: tui.browse.path_here == path


def _hides(name: str) -> Callable[[Driver], bool]:
    return lambda tui: (
        tui.browse.files.rows is not None
        and name in {mark.name for mark in tui.browse.files.rows.wish.hidden}
    )


def _page(kind: type) -> Callable[[Driver], bool]:
    return lambda tui: isinstance(tui.app.screen, kind)


def _sorted(key: SortKey, *, reverse: bool = False) -> Callable[[Driver], bool]:
    return lambda tui: (
        tui.browse.files.rows is not None
        and (
            tui.browse.files.rows.wish.sort is key and tui.browse.files.rows.wish.reverse is reverse
        )
    )


def _folded(tui: Driver) -> bool:
    return tui.browse.files.row_count() <= 7


def _unfolded(tui: Driver) -> bool:
    return tui.browse.files.row_count() > 40


def _keys() -> Iterator[Press]:
    yield from _moving()
    yield from _folding()
    yield from _showing()
    yield from _everywhere()
    yield from _about_a_file()
    yield from _lists()


def _moving() -> Iterator[Press]:
    for pane in WHERE:
        other = "files" if pane != "files" else "why"
        yield Press(pane=other, key=WHERE[pane], then=_pane(pane))
    for key in ("5", "v"):
        yield Press(pane="files", key=key, then=_page(PreviewScreen))
    yield Press(pane="files", key="tab", then=_pane("why"))
    yield Press(pane="files", key="shift+tab", then=_pane("stages"))
    for key in ("down", "j"):
        yield Press(pane="files", key=key, then=_line(1), path="a")
    for key in ("up", "k", "home", "g", "pageup", "u"):
        yield Press(pane="files", key=key, then=_line(0), path="a", first=("down",))
    for key in ("end", "G", "pagedown", "d"):
        yield Press(pane="files", key=key, path="a", then=_below(2))
    for pane in sorted(WHERE.keys() - {"files"}):
        down, up = "down j end G pagedown ctrl+d", "up k home g pageup ctrl+u"
        yield from (Press(pane=pane, key=key, line=0, then=_below(0)) for key in down.split())
        yield from (Press(pane=pane, key=key, line=1, then=_line(0)) for key in up.split())


def _below(line: int) -> Callable[[Driver], bool]:
    return lambda tui: tui.browse.panes[tui.browse.current_pane].cursor_line > line


def _folding() -> Iterator[Press]:
    yield Press(pane="files", key="asterisk", path="a", then=_unfolded)
    yield from (
        Press(pane="files", key=key, path="a", first=("asterisk",), then=_folded)
        for key in ("ctrl+@", "ctrl+space")
    )
    for key in ("right", "l", "space", "enter"):
        yield Press(pane="files", key=key, path="many", then=_unfolded)
    for key in ("left", "h"):
        yield Press(pane="files", key=key, then=_at("etc"))
    yield Press(pane="files", key="e", path="a", then=_at("a/b/c"))
    for key in ("ctrl+@", "ctrl+space", "space"):
        yield Press(pane="stages", key=key, line=1, then=_stages_folded)
    yield Press(
        pane="stages",
        key="asterisk",
        line=0,
        first=("ctrl+@",),
        then=lambda tui: not _stages_folded(tui),
    )


def _showing() -> Iterator[Press]:
    # From every pane; dive's keys in pane 2.
    for key, name in MARKS.items():
        yield Press(pane="files", key=key, then=_hides(name))
        yield Press(pane="stages", key=key, then=_hides(name))
    dive = {"ctrl+a": "ADDED", "ctrl+r": "REMOVED", "ctrl+u": "UNTOUCHED"}
    yield from (Press(pane="files", key=key, then=_hides(name)) for key, name in dive.items())
    for pane in ("files", "stages"):
        for key in ("s", "ctrl+o"):
            yield Press(pane=pane, key=key, then=_sorted(SortKey.NAME))
        yield Press(pane=pane, key="S", then=_sorted(SortKey.SIZE, reverse=True))
        yield Press(pane=pane, key="grave_accent", then=_sees("2 Largest", "flat by size"))
        yield Press(pane=pane, key="c", then=_page(ColumnsScreen))
        yield Press(pane=pane, key="ctrl+b", then=_sees("Mode"))
        yield Press(pane=pane, key="n", then=_sees("/ starts one"))
    yield Press(pane="files", key="N", then=_sees("/ starts one"))
    for pane in ("why", "code"):
        yield Press(pane=pane, key="s", then=_sorted(SortKey.NAME))
        yield Press(pane=pane, key="m", then=_hides("METADATA"))
    yield Press(pane="stages", key="ctrl+a", line=3, then=_sees("up to L"))
    yield Press(
        pane="stages",
        key="ctrl+l",
        line=3,
        first=("ctrl+a",),
        then=lambda tui: "up to L" not in tui.text(),
    )


def _stages_folded(tui: Driver) -> bool:
    return bool(tui.browse.stages._folded)


def _everywhere() -> Iterator[Press]:
    for key in ("slash", "ctrl+f"):
        yield Press(pane="code", key=key, then=lambda tui: tui.browse.filter_bar.display)
    for key in ("colon", "ctrl+p"):
        yield Press(pane="files", key=key, then=_sees("Attributes on or off"))
    for pane in WHERE:
        yield Press(pane=pane, key="z", then=lambda tui: tui.browse.zoomed)
        yield Press(pane=pane, key="question_mark", then=_sees("Pane ", "Everywhere"))
        yield Press(pane=pane, key="R", then=_sees("Write what this pane lists"))
    for key, title in VIEWS.items():
        yield Press(pane="files", key=key, then=_sees(f"2 {title}"))
    yield Press(pane="why", key="O", then=_sees("2 Flow"))
    yield Press(pane="stages", key="T", view="O", then=_sees("2 Files"))
    yield Press(pane="code", key="D", then=_sees("The older image"))
    yield Press(pane="files", key="left_square_bracket", then=_sees("no further jumps"))
    back = {"left_square_bracket": ("enter",), "right_square_bracket": ("enter", "[")}
    for key, first in back.items():
        keys = tuple("left_square_bracket" if each == "[" else each for each in first)
        pane = "why" if len(first) == 1 else "stages"
        yield Press(pane="why", key=key, line=1, first=keys, then=_pane(pane))


def _about_a_file() -> Iterator[Press]:
    for pane in ("files", "why"):
        yield Press(pane=pane, key="y", then=_page(CopyScreen))
        yield Press(pane=pane, key="H", then=_page(HistoryScreen))
    yield Press(pane="files", key="comma", then=_sees("L1, version 1 of 2, not what ships"))
    yield Press(pane="files", key="semicolon", then=_page(PreviewScreen))
    for key in ("x", "ctrl+e"):
        yield Press(pane="files", key=key, then=_sees("Write /etc/conf, as it ships"))
    for key in ("enter", "space"):
        yield Press(pane="why", key=key, line=1, then=_pane("stages"))
    yield Press(pane="code", key="enter", line=3, then=_sees("2 Files · L2"))
    yield Press(pane="stages", key="enter", line=4, then=_pane("files"))


def _lists() -> Iterator[Press]:
    for key in ("s", "S", "n", "m", "plus", "c", "grave_accent", "ctrl+b"):
        yield Press(pane="files", key=key, view="O", then=_sees("the tree's: T shows it"))
    yield Press(pane="files", key="slash", view="O", then=_sees("2 Files"))
    for key in ("space", "ctrl+@", "left", "h"):
        yield Press(pane="files", key=key, view="W", then=_group_is(open_=False))
    for key in ("right", "l", "asterisk", "enter"):
        then = _group_is(open_=True)
        yield Press(pane="files", key=key, view="W", first=("space",), then=then)
    for key in ("d", "ctrl+d", "pagedown", "end", "G"):
        yield Press(
            pane="files", key=key, view="A", then=lambda tui: tui.browse.list.cursor_line > 3
        )
    yield Press(pane="files", key="c", view="M", then=_sees("by layer"))


def _group_is(*, open_: bool) -> Callable[[Driver], bool]:
    def is_it(tui: Driver) -> bool:
        listing = tui.browse.list.listing
        return listing is not None and listing.fold_mark(0) is open_

    return is_it


@pytest.fixture(scope="module")
def opening(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opening]:
    """An image in which every key has something to do."""
    place = tmp_path_factory.mktemp("keys")
    first = layer(
        {
            "a/b/c/x.js": b"x" * 900,
            "a/b/c/y.js": b"y",
            "bin/sh": b"#!",
            "etc/conf": b"one\n",
            "gone": b"gone",
            "link": symlink("etc/conf"),
            **LAST,
        }
    )
    second = layer({"etc/conf": b"two\n", ".wh.gone": b""})
    third = layer({"bin/sh": file(b"#!", mode=0o700)})
    commands = ("COPY all /", "RUN /bin/sh -c edit", "RUN /bin/sh -c chmod")
    history = [f"{command} # buildkit" for command in commands]
    (place / "old.tar").write_bytes(docker_archive(image(first)))
    (place / "new.tar").write_bytes(docker_archive(image(first, second, third, history=history)))
    (place / "Dockerfile").write_text(DOCKERFILE, encoding="utf-8")
    with opened(place / "new.tar", place, dockerfile=place / "Dockerfile") as found:
        yield found


async def _rest(tui: Driver) -> None:
    """Wait until no thread works and no timer of the cursor runs."""
    browse = tui.browse
    threads = (browse._reader, browse._counter)
    while True:
        await asyncio.sleep(0.04)
        await tui.pilot.pause()
        busy = any(each._todo or each._running for each in threads)
        if not busy and "tracing" not in str(browse.why.border_subtitle):
            return


async def _place(tui: Driver, press: Press) -> None:
    """Put everything where the key is to be pressed."""
    browse, app = tui.browse, tui.app
    _tidy_up(tui)
    browse.action_view("tree")
    browse.files.go_to(_node(tui, press.path))
    await _rest(tui)
    if press.view != "T":
        app.simulate_key(press.view)
        await _rest(tui)
        if browse.list.display and browse.list.listing is not None:
            browse.list.listing.open_all(0)
            browse.list.rows_changed(0)
    browse.action_pane(press.pane)
    if press.line is not None:
        browse.panes[press.pane].move_to(press.line)
    await _rest(tui)
    for key in press.first:
        app.simulate_key(key)
        await _rest(tui)


def _tidy_up(tui: Driver) -> None:
    browse, app = tui.browse, tui.app
    while app.screen is not browse:
        app.pop_screen()
    app.clear_notifications()
    browse.filter_bar.clear()
    if browse.zoomed:
        browse.action_zoom()
    rows = browse.files.rows
    assert rows is not None
    rows.change(Wish(sums=rows.sums))
    rows.fold_all()
    browse.files._cells.columns = frozenset()
    browse._trail = Trail()
    browse.stages.go_to(browse.stages.first_key)
    browse.stages.action_unfold_all()
    browse.action_scope("only")


def _node(tui: Driver, path: str) -> int:
    assert tui.browse._walked is not None
    node = tui.browse._walked.tree.find(path)
    assert node is not None
    return node


def test_no_key_does_nothing(opening: Opening) -> None:
    """Each of them brings about what it says, wherever it may be pressed."""
    broken: list[str] = []

    async def script(tui: Driver) -> None:
        for press in _keys():
            await _place(tui, press)
            if press.then(tui):
                broken.append(f"nothing to do for {press}")
                continue
            tui.app.simulate_key(press.key)
            for _ in range(60):
                await tui.pilot.pause()
                if press.then(tui):
                    break
                await asyncio.sleep(0.02)
            else:
                broken.append(str(press))

    run(script, opening, comparing=Comparing(make=compare, against=None))
    assert not broken, "\n".join(broken)
