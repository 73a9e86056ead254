"""The prompt that is kept on one image: by a script, and by somebody who types."""

from __future__ import annotations

import builtins
import io
import sys
from typing import TYPE_CHECKING

import pytest

from layertrace.views.commands import shell as command
from layertrace.views.shell.session import COMMANDS, PAGE
from tests.builders import docker_archive, image, layer, symlink

if TYPE_CHECKING:
    from pathlib import Path

    from tests.builders import Content
    from tests.cli_support import Answer, Cli


@pytest.fixture
def archive(alone: Path) -> Path:
    """Two layers: the upper one changes a file, removes one, and adds names that do harm."""
    lower: dict[str, Content] = {
        "app/a.txt": b"one\n",
        "app/gone.bin": b"x" * 5_000,
        "app/sub dir/b": b"12",
        "link": symlink("app"),
    }
    upper: dict[str, Content] = {
        "app/a.txt": b"two\n",
        "app/.wh.gone.bin": b"",
        "evil/\x1b[31m\n[@click=x]": b"\x1b]0;t\x07\n",
    }
    path = alone / "app.tar"
    path.write_bytes(docker_archive(image(layer(lower), layer(upper))))
    return path


class Typing:
    """Gives lines to the command as its stdin."""

    def __init__(self, cli: Cli, archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._cli, self._archive, self._patch = cli, archive, monkeypatch

    def script(self, *lines: str | bytes, code: int = 0, plain: bool = True) -> Answer:
        """Run it on lines that come through a pipe."""
        data = b"".join((n if isinstance(n, bytes) else n.encode()) + b"\n" for n in lines)
        self._patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data), encoding="utf-8"))
        form = ["--plain"] if plain else []
        return self._cli.run("shell", self._archive, *form, code=code)

    def person(self, *lines: str | BaseException) -> tuple[Answer, list[str]]:
        """Run it on lines that are typed; return the prompts too."""
        prompts: list[str] = []
        left = iter(lines)

        def type_line(prompt: str) -> str:
            prompts.append(prompt)
            line = next(left, EOFError())
            if isinstance(line, BaseException):
                raise line
            return line

        self._patch.setattr(command, "is_terminal", lambda _: True)
        self._patch.setattr(builtins, "input", type_line)
        return self._cli.run("shell", self._archive, "--plain"), prompts


@pytest.fixture
def typing(cli: Cli, archive: Path, monkeypatch: pytest.MonkeyPatch) -> Typing:
    """Somebody who gives it lines."""
    return Typing(cli, archive, monkeypatch)


def test_ls_says_of_each_entry_what_is_known_in_a_sentence(typing: Typing) -> None:
    """Folders with what they hold; what was removed with what it still costs."""
    assert typing.script("ls app").lines == [
        "/app holds 3 entries, 1 of them removed.",
        "a.txt, file, 4 B, of unknown, in L2, modified, unknown.",
        "gone.bin, file, removed by L2, still costs 5.0 kB.",
        "sub dir, folder, 2 B in 1 file, of unknown, in L1, added, unknown.",
    ]
    assert typing.script("ls").lines[0] == "/ holds 3 entries."


def test_cd_goes_to_folders_and_paths_are_from_there(typing: Typing) -> None:
    """Up with two dots, through links, with blanks in quotes; without a folder to the root."""
    answer = typing.script(
        "cd app", "cd 'sub dir'", "ls", "cd ../../link", "pwd", "cat a.txt", "cd", "cd ../.."
    )
    assert answer.lines == [
        "/app",
        "/app/sub dir",
        "/app/sub dir holds 1 entry.",
        "b, file, 2 B, of unknown, in L1, added, unknown.",
        "/app",
        "/app",
        "two",
        "/",
        "/",
    ]


def test_why_tells_hops_origin_and_versions(typing: Typing) -> None:
    """A line each."""
    lines = typing.script("cd app", "why a.txt", "why /link").lines[1:]
    assert lines[0].startswith("/app/a.txt, file, 4 B, mode 0644, owner 0, group 0, ")
    assert lines[1].startswith("Hop 1: ")
    assert "Origin: unknown." in lines
    assert "L1 added it, 4 B." in lines
    assert "L2 modified it, 4 B." in lines
    assert any(
        line.startswith("/link, symbolic link,") and "leads to app" in line for line in lines
    )


def test_find_takes_the_filters_of_every_view(typing: Typing) -> None:
    """With its own quotes; first how many match."""
    assert typing.script("find 'sub dir' type:file").lines == [
        "1 path of 8.",
        "/app/sub dir/b, file, 2 B, of unknown, in L1, added, unknown.",
    ]
    assert typing.script("find nothing").lines == ["0 paths of 8."]


def test_largest_tells_what_makes_an_image_big(typing: Typing) -> None:
    """Below a folder, the largest first; what was removed does not ship."""
    assert typing.script("largest app").lines == [
        "The largest 2 files in /app.",
        "/app/a.txt, file, 4 B, of unknown, in L2, modified, unknown.",
        "/app/sub dir/b, file, 2 B, of unknown, in L1, added, unknown.",
    ]
    lines = typing.script("largest", plain=False).lines
    assert lines[0] == "The largest 3 files in /."
    assert [line.split()[-1][:5] for line in lines[1:]] == ["/evil", "/app/", "dir/b"]


def test_layers_stages_and_waste_are_sentences(typing: Typing) -> None:
    """Each with the nouns beside its numbers."""
    lines = typing.script("layers", "stages", "waste").lines
    assert lines[0].startswith("L1, stage not known, 5.0 kB in 4 files, 5.0 kB wasted: ")
    assert any("5.0 kB of 5.0 kB are wasted" in line for line in lines)
    assert any(
        "removed later, written by L1, undone by L2: /app/gone.bin." in line for line in lines
    )


def test_an_image_that_is_known_well_is_told_with_lines_and_stages(
    cli: Cli, sample: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the tables of the other commands say, in words."""
    answer = Typing(cli, sample, monkeypatch).script(
        "why /app/dist/bin/start", "stages", "layers", "waste"
    )
    for line in (
        "/app/dist/bin/start, file, 84 B, mode 0755, owner 0, group 0, verified.",
        (
            "Hop 2: verified, in the final image, L3, line 15: COPY --from=build /app/dist"
            " /app/dist; same sha256 (build:/app/dist/bin/start)."
        ),
        "Hop 3: verified, in stage build, line 9: RUN npm run build; created here.",
        "Origin: made by `RUN npm run build` in stage build (line 9).",
        "L6 changed its metadata, 84 B.",
        (
            "stage build, from tiny-node:14, weighs 3.4 MB, ships 524 B in 6 files,"
            " 3.4 MB stay behind, carried by L3 line 15, carried by L4 line 16, verified."
        ),
        "build context, ships 301 B in 1 file, verified.",
        "L2, stage stage-1, 0 B in 0 files, 0 B wasted: line 13 WORKDIR /app",
        (
            "84 B, metadata only, written by L3 line 15, undone by L6 line 19: /app/dist/bin/start."
            " What to do: COPY --chmod=0755 in line 15, instead of line 19."
        ),
    ):
        assert line in answer.lines, line
    assert any(line.startswith("539 B could perhaps go, npm-cache: ") for line in answer.lines)


def test_contents_that_are_there_several_times_are_told(
    alone: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first ten, then how many more."""
    path = alone / "copies.tar"
    tree: dict[str, Content] = {}
    for number in range(12):
        tree |= {f"{name}{number:02}": b"%02d" % number * 5_000 for name in "abcde"}
    path.write_bytes(docker_archive(image(layer(tree))))
    lines = Typing(cli, path, monkeypatch).script("waste").lines
    assert any(
        line == "One content of 10.0 kB is there 5 times: /a00, /b00, /c00, and 2 more."
        for line in lines
    )
    assert lines[-1] == "2 contents more are there several times, 80.0 kB too much."


def test_cat_shows_a_version_and_says_which_there_are(typing: Typing) -> None:
    """The shipped one, or that of a layer."""
    assert typing.script("cat app/a.txt L1", "cat app/a.txt").lines == ["one", "two"]
    answer = typing.script("cat link/a.txt L9", "cat 'app/sub dir/b' L2", code=2)
    assert "no such layer" in answer.err
    assert "error: L2 does not store /app/sub dir/b\n  these do: L1\n" in answer.err


def test_errors_keep_nobody_from_going_on_and_the_first_is_the_exit_code(typing: Typing) -> None:
    """At most three lines each, on stderr; of a script."""
    answer = typing.script(
        "lls", "ls nowhere", "ls app/a.txt", "why", "cat 'x", "find", "find size:x", "pwd x", "pwd",
        code=2,
    )  # fmt: skip
    assert answer.lines == ["/"]
    assert "error: there is no command lls\n  did you mean ls?\n" in answer.err
    assert "is no folder" in answer.err
    assert "error: why: 0 words\n  why PATH\n" in answer.err
    assert "No closing quotation" in answer.err
    assert "      ^" in answer.err
    assert typing.script("cat nowhere", "lls", code=4).lines == []


def test_empty_lines_comments_and_other_names_are_taken(typing: Typing) -> None:
    """The end of the input ends it; so does quit, and nothing after it is read."""
    assert typing.script("", "# a comment", "exit", "ls").lines == []
    assert len(typing.script("?").lines) == len(COMMANDS)
    assert typing.script("pwd", "next").lines == ["/", "There is no more."]


def test_hostile_names_and_contents_are_shown_escaped(typing: Typing) -> None:
    """No raw control character leaves, and what is typed raw is looked for."""
    answer = typing.script("ls evil", "find evil type:file", b"cat \xff\xfe", code=4)
    assert answer.lines[1].startswith("\\x1b[31m\\x0a[@click=x], file, 7 B, ")
    assert len(answer.lines) == 4
    assert "\x1b" not in answer.out + answer.err
    assert "\\xff\\xfe is not in" in answer.err


def test_without_plain_the_tables_of_the_commands_are_printed(typing: Typing, cli: Cli) -> None:
    """The very same lines."""
    archive = typing._archive
    for line in ("layers", "stages", "why /app/a.txt"):
        name, *path = line.split()
        assert typing.script(line, plain=False).out == cli.run(name, archive, *path).out
    assert typing.script("waste", plain=False).out.startswith("WASTED  5.0 kB")
    assert "/app/sub dir/b" in typing.script("find dir", plain=False).lines[-1]


def test_a_person_is_prompted_and_asked_before_more_is_printed(typing: Typing) -> None:
    """Ctrl-C ends an answer, not the session; an error is no exit code."""
    answer, prompts = typing.person("cd app", KeyboardInterrupt(), "nope", "find", "pwd")
    assert prompts[:2] == ["layertrace /> ", "layertrace /app> "]
    assert answer.lines[0].endswith("app.tar, 5.0 kB, 2 layers. help lists the commands.")
    assert answer.lines[-2:] == ["/app", ""]
    assert "stopped" in answer.err


def test_a_long_answer_is_given_by_pages_to_a_person(
    alone: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Next goes on where it ended; another command forgets the rest."""
    path = alone / "many.tar"
    tree: dict[str, Content] = {f"d/{number:03}": b"" for number in range(2 * PAGE + 5)}
    path.write_bytes(docker_archive(image(layer(tree))))
    typing = Typing(cli, path, monkeypatch)
    answer, _ = typing.person("ls d", "next", "n", "n", "quit")
    more = [number for number, line in enumerate(answer.lines) if line.startswith("There is more")]
    assert more == [PAGE + 1, 2 * PAGE + 2]
    assert answer.lines[-2].startswith("044, file")
    assert answer.lines[-1] == "There is no more."
    answer, _ = typing.person("ls d", "pwd", "next")
    assert answer.lines[PAGE + 2 :] == ["/", "There is no more.", ""]


def test_an_archive_on_stdin_cannot_be_asked_about(cli: Cli) -> None:
    """The lines come from there."""
    assert cli.fail("shell", "-", code=2)[0].startswith("error: stdin has the commands")
