"""The user's configuration: what it sets, and what is said of what cannot be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from layertrace.errors import UsageError
from layertrace.views.config import Config, config_path, load_config
from layertrace.views.tui.keyed import key_ids
from layertrace.views.tui.settings import make_options

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return where the configuration of this test goes."""
    path = tmp_path / "config.toml"
    monkeypatch.setenv("LAYERTRACE_CONFIG", str(path))
    return path


def test_a_configuration_sets_theme_marks_columns_and_keys(written: Path) -> None:
    """All that it can say, said."""
    written.write_text(
        'theme = "layertrace-light"\nascii = true\ncolumns = ["mode", "owner"]\n'
        '[keys]\n"browse.filter" = "f,slash"\n'
    )
    options = make_options(load_config(), ascii_only=False, color=True)
    assert options.theme == "layertrace-light"
    assert options.ascii
    assert options.columns == ("mode", "owner")
    assert options.keys == {"browse.filter": "f,slash"}


def test_no_colour_goes_before_a_theme() -> None:
    """Whoever asks for no hues gets none."""
    config = Config(path="c", theme="layertrace-light")
    assert make_options(config, ascii_only=False, color=False).theme is None


def test_without_a_file_all_is_as_usual(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody has to write one."""
    monkeypatch.delenv("LAYERTRACE_CONFIG", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    assert config_path().is_relative_to(tmp_path)
    assert load_config() == Config()


def test_a_file_that_is_named_must_be_there(written: Path) -> None:
    """A slip in the variable is not taken for no configuration."""
    with pytest.raises(UsageError, match="is not there"):
        load_config()
    written.mkdir()
    with pytest.raises(UsageError, match="cannot be read"):
        load_config()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("theme = 3", "theme takes a theme's name"),
        ("ascii = 1", "ascii takes true or false"),
        ("columns = [1]", "columns takes names of columns"),
        ("keys = {q = 1}", "keys takes keys as texts"),
        ("theem = 'x'", "there is no setting theem"),
        ("theme = ", "is not TOML"),
        ("x = '" + "a" * (1 << 20) + "'", "too long"),
    ],
)
def test_what_cannot_be_is_refused(written: Path, text: str, words: str) -> None:
    """With the file and the key that is wrong."""
    written.write_text(text)
    with pytest.raises(UsageError, match=words) as refused:
        load_config()
    assert str(written) in refused.value.what


@pytest.mark.parametrize(
    ("config", "hint"),
    [
        (Config(path="c", theme="layertrace-drak"), "did you mean layertrace-dark?"),
        (Config(path="c", columns=("mod",)), "did you mean mode?"),
        (Config(path="c", keys={"browse.filtr": "f"}), "did you mean browse.filter?"),
        (Config(path="c", columns=("zzz",)), "there is mode, owner, share, time, type"),
    ],
)
def test_what_there_is_not_is_named_with_the_nearest(config: Config, hint: str) -> None:
    """Of themes, columns and actions."""
    with pytest.raises(UsageError) as refused:
        make_options(config, ascii_only=False, color=True)
    assert refused.value.hint.startswith(hint.partition(" share")[0])


def test_every_action_of_every_pane_has_an_id() -> None:
    """Those of the app, the screen, the panes and the dialogs."""
    assert {"app.quit", "browse.filter", "files.sort", "list.fold", "copy.choose"} <= key_ids()
    assert {"move.up", "dialog.close", "columns.toggle"} & key_ids()
