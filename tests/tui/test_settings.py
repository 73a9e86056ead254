"""Keys and columns of the user's own."""

from __future__ import annotations

import pytest

from layertrace.errors import UsageError
from layertrace.views.config import Config
from layertrace.views.tui.ports import TuiOptions
from layertrace.views.tui.settings import make_options
from layertrace.views.tui.themes import DARK
from tests.tui.driver import Driver, run


def test_a_key_can_be_another() -> None:
    """It does what its id says, the old one nothing, and help lists the new one."""

    async def script(driver: Driver) -> None:
        await driver.press("slash")
        assert not driver.browse.filter_bar.display
        await driver.press("question_mark", "pagedown", "pagedown")
        await driver.see("browse.filter")
        assert "Ctrl+Y" in driver.row("browse.filter")
        await driver.press("escape", "ctrl+y")
        assert driver.browse.filter_bar.display

    run(script, options=TuiOptions(theme=DARK, keys={"browse.filter": "ctrl+y"}))


def test_columns_can_stand_there_from_the_start() -> None:
    """Those that the configuration names."""

    async def script(driver: Driver) -> None:
        await driver.see("Owner")

    run(script, options=TuiOptions(theme=DARK, columns=("owner",)))


def _keys(**keys: str) -> dict[str, str]:
    given = {action.replace("_", "."): words for action, words in keys.items()}
    config = Config(path="config.toml", keys=given)
    return dict(make_options(config, ascii_only=False, color=True).keys)


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ("f", "f"),
        ("Z", "Z"),
        ("/, Ctrl+F", "slash,ctrl+f"),
        ("F1", "f1"),
        ("Shift+F2", "shift+f2"),
        ("Alt+X,comma", "alt+x,comma"),
        ("\\", "backslash"),
        ("é", "é"),
    ],
)
def test_keys_are_written_as_the_help_writes_them(words: str, named: str) -> None:
    """Textual takes its own names only, and says nothing about any other."""
    assert _keys(browse_filter=words, browse_older="f5") == {
        "browse.filter": named,
        "browse.older": "f5",
    }


@pytest.mark.parametrize("words", ["notakey", "", "f,", "Ctr+F", "Ctrl+Nothing"])
def test_a_key_that_there_is_not_is_refused(words: str) -> None:
    """It would take the usual one away and be none itself."""
    with pytest.raises(UsageError, match=r"config\.toml: keys: browse\.filter: there is no key"):
        _keys(browse_filter=words)


@pytest.mark.parametrize(
    ("keys", "other"),
    [
        ({"browse_filter": "q"}, "app.quit"),
        ({"browse_filter": "f", "files_sort": "f"}, "files.sort"),
        ({"files_sort": "W"}, "browse.waste"),
        ({"browse_map": "PgUp"}, "move.page-up"),
        ({"preview_bytes": "d, H"}, "preview.history"),
    ],
)
def test_one_key_for_two_actions_is_refused(keys: dict[str, str], other: str) -> None:
    """Only one of them would ever be done, and nothing would say which."""
    with pytest.raises(UsageError, match=f"of {other}") as caught:
        _keys(**keys)
    assert f'"{other}" = ' in (caught.value.hint or "")


def test_keys_may_change_places_and_be_the_same_in_other_places() -> None:
    """What gave its key away can take another; a page has keys of its own."""
    assert _keys(browse_filter="q", app_quit="Q")["browse.filter"] == "q"
    assert _keys(preview_bytes="s", picker_open="enter")["preview.bytes"] == "s"
