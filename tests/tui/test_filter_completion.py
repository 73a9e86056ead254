"""Tab in the filter: keys, then the values that the image has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.events import Key

from layertrace.views.tui.ports import TuiOptions
from layertrace.views.tui.themes import DARK
from tests.builders import docker_archive, image, layer
from tests.tui.driver import Driver, run
from tests.tui.real import opened

if TYPE_CHECKING:
    from pathlib import Path


def test_tab_writes_a_key_and_then_a_value() -> None:
    """What may be typed stands under the input as long as it has the keys."""

    async def script(tui: Driver) -> None:
        await tui.press("slash")
        await tui.see("⇥ re:  stage:  layer:")
        await tui.press("s", "t", "tab")
        assert tui.browse.filter_bar.entry.value == "stage:"
        await tui.see("⇥ stage:build  stage:stage-1")
        await tui.press("b", "tab")
        assert tui.browse.filter_bar.entry.value == "stage:build"
        await tui.see("2 of 8")
        await tui.press("enter")
        assert "⇥" not in tui.text()
        await tui.press("slash", "tab")
        await tui.see("nothing is known to go on with here")

    run(script)


def test_tab_goes_through_several_and_back() -> None:
    """Each is in force at once; a letter ends the round."""

    async def script(tui: Driver) -> None:
        entry = tui.browse.filter_bar.entry
        await tui.filter("server | origin:")
        await tui.press("end", "tab")
        assert entry.value == "server | origin:run"
        await tui.press("tab")
        assert entry.value == "server | origin:context"
        await tui.see("origin:context  origin:base", "package.json")
        await tui.press("shift+tab", "shift+tab")
        assert entry.value == "server | origin:unknown"
        await tui.press("home", "tab")
        assert entry.value == "server | origin:unknown"

    run(script)


def test_half_a_value_is_no_error_until_it_is_left() -> None:
    """While it may go on, how is shown; then what is wrong with it."""

    async def script(tui: Driver) -> None:
        await tui.filter("origin:c")
        await tui.press("end")
        await tui.see("> origin:context")
        assert "^" not in tui.text()
        await tui.press("enter")
        await tui.see("^ origin: takes")

    run(script, options=TuiOptions(theme=DARK, ascii=True))


def test_offers_that_do_not_fit_are_counted() -> None:
    """At eighty columns, from the chosen one on."""

    async def script(tui: Driver) -> None:
        await tui.press("slash")
        await tui.see("⇥ re:", "more")
        row = tui.row("⇥")
        assert len(row.rstrip()) <= 80
        await tui.press("tab")
        await tui.press("tab")
        assert tui.row("⇥").startswith(" ⇥ stage:")

    run(script, size=(80, 24))


def test_names_of_packages_are_read_once_they_are_asked_for(tmp_path: Path) -> None:
    """A hostile one is offered as a glob that nothing raw is in."""
    tree = {
        "app/node_modules/a/package.json": b'{"name": "a", "version": "1"}',
        "app/node_modules/b/package.json": b'{"name": "b\\u001b[31m[@click=x]", "version": "1"}',
    }
    path = tmp_path / "app.tar"
    path.write_bytes(docker_archive(image(layer(tree))))

    async def script(tui: Driver) -> None:
        await tui.filter("pkg:")
        await tui.press("end")
        await tui.see("⇥ pkg:npm  pkg:none  pkg:a  pkg:b?[[]31m[[]@click=x]")
        await tui.press("b", "tab")
        await tui.see("1 of 2", "package.json")
        assert "\x1b" not in tui.browse.filter_bar.entry.value

    with opened(path, tmp_path) as opening:
        run(script, opening)


def test_letters_that_come_with_the_key_of_the_filter_are_the_filters() -> None:
    """Typed faster than the screen goes on, or pasted: none of them acts on the files."""

    async def script(tui: Driver) -> None:
        before = tui.browse.files.cursor_line
        for letter in "/jdosL.q":
            key = {"/": "slash", ".": "full_stop"}.get(letter, letter)
            tui.app.post_message(Key(key, letter))
        await tui.until(lambda: tui.browse.filter_bar.entry.value == "jdosL.q")
        assert tui.browse.files.cursor_line == before
        assert not tui.browse.files.is_by_size

    run(script)
