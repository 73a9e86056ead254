"""What is kept of an error that nobody foresaw, and what never is."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from layertrace.views.crashlog import keep_crash

if TYPE_CHECKING:
    from pathlib import Path


def _fail(content: str, depth: int = 0) -> NoReturn:
    if depth:
        _fail(content, depth - 1)
    raise ValueError(f"cannot read {content}")


def _crash(content: str, depth: int = 0) -> Exception:
    try:
        try:
            _fail(content, depth)
        except ValueError as error:
            raise KeyError(content) from error
    except KeyError as error:
        return error


def test_the_way_is_kept_and_nothing_that_was_read(tmp_path: Path) -> None:
    """Contents of files stand in variables and in the words of errors."""
    read = "correct horse battery"
    path = keep_crash(_crash(read), tmp_path / "new" / "cache")
    assert path is not None
    text = path.read_text(encoding="utf-8")
    assert read not in text
    assert 'raise ValueError(f"cannot read {content}")' in text
    names = [line for line in text.splitlines() if not line.startswith(" ")][1:]
    assert names == ["ValueError", "and while that was handled, or because of it:", "KeyError"]


def test_the_last_error_replaces_the_one_before_and_follows_no_link(tmp_path: Path) -> None:
    """Else somebody else's link would say which file is written."""
    other = tmp_path / "other"
    other.write_text("mine", encoding="utf-8")
    (tmp_path / "crash.log").symlink_to(other)
    path = keep_crash(_crash("x", depth=900), tmp_path)
    assert path == tmp_path / "crash.log"
    assert other.read_text(encoding="utf-8") == "mine"
    assert not path.is_symlink()
    # Errors that call themselves without end fill no disk.
    assert len(path.read_text(encoding="utf-8").splitlines()) < 500
    assert keep_crash(_crash("y"), tmp_path) == path
    assert len(path.read_text(encoding="utf-8").splitlines()) < 20


def test_an_error_that_led_to_itself_ends(tmp_path: Path) -> None:
    """Nothing forbids a ring."""
    one, two = ValueError(), KeyError()
    one.__cause__, two.__cause__ = two, one
    assert keep_crash(one, tmp_path) is not None


def test_where_nothing_can_be_written_there_is_no_file(tmp_path: Path) -> None:
    """The error itself is told all the same."""
    (tmp_path / "file").write_bytes(b"")
    assert keep_crash(_crash("x"), tmp_path / "file") is None
