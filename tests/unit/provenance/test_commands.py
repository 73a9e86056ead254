"""What the commands of a RUN copy, read from its text."""

from __future__ import annotations

import pytest

from layertrace.dockerfile.parse import parse_build
from layertrace.provenance.commands import (
    MAX_COPIES,
    Commands,
    CopyCommand,
    read_commands,
    read_text,
)


def _of(instruction: str, workdir: str = "/w") -> Commands:
    build = parse_build(f"FROM base\nWORKDIR {workdir}\n{instruction}\n")
    return read_commands(build.stages[0].instructions[-1])


def _shown(commands: Commands) -> list[str]:
    """Return the commands as ``source, source -> destination``."""
    return [f"{', '.join(each.sources)} -> {each.destination}" for each in commands.copies]


@pytest.mark.parametrize(
    ("text", "copies"),
    [
        pytest.param("cp /a b", ["a -> w/b"], id="relative to the working directory"),
        pytest.param("cp -a /a /b /c/", ["a, b -> c"], id="several sources"),
        pytest.param("cp -- -a /b", ["w/-a -> b"], id="a source like an option"),
        pytest.param("cp -rt /d /a /b", ["a, b -> d"], id="the destination in an option"),
        pytest.param("mv --target-directory=/d /a", ["a -> d"], id="in a long option"),
        pytest.param("cp -t /d", [], id="no source"),
        pytest.param("cp '/a b' \"/c d\"", ["a b -> c d"], id="quoted"),
        pytest.param("cp /a/* /b", ["a/* -> b"], id="a pattern"),
        pytest.param("/usr/bin/install -Dm 755 -o root /a /b", ["a -> b"], id="install"),
        pytest.param("install -d /a /b && install --directory /c /d", [], id="folders made"),
        pytest.param("ln /a /b && ln /c", ["a -> b", "c -> w"], id="hard links"),
        pytest.param("ln -sf /a /b && ln --symbolic /a /b && cp -s /a /b", [], id="symbolic links"),
        pytest.param("rsync -a /a/ /b", ["a -> b"], id="rsync"),
        pytest.param("cat /a > /b", ["a -> b"], id="cat to a file"),
        pytest.param("cat /a /c >> /b", ["a, c -> b"], id="cat appended"),
        pytest.param("cat /a; cat > /b; cat /a >&2; cat /a 2> /b", [], id="cat elsewhere"),
        pytest.param("dd if=/a of=/b bs=1k; dd if=/a; dd of=/b", ["a -> b"], id="dd"),
        pytest.param("tar xzf /a -C /b; tar -x -f /a; cpio -idm < /a", [], id="unpacking"),
        pytest.param("cp /a /b 2>/dev/null || true", ["a -> b"], id="errors redirected"),
        pytest.param("A=1 B=2 cp /a /b", ["a -> b"], id="after assignments"),
        pytest.param("A=1", [], id="an assignment alone"),
        pytest.param("sudo -u me nice cp /a /b; sudo make", ["a -> b"], id="through a launcher"),
        pytest.param("if test -f /a; then mv /a /b; fi", ["a -> b"], id="in a condition"),
        pytest.param("sh -ec 'cp /a b'; sh ./x", ["a -> w/b"], id="in a shell's words"),
        pytest.param("eval cp /a b", ["a -> w/b"], id="evaluated"),
        pytest.param("cd /x && cp a b", ["x/a -> x/b"], id="after cd"),
        pytest.param("(cd /x; cp a b); cp a b", ["x/a -> x/b", "w/a -> w/b"], id="in a subshell"),
        pytest.param("make) && cp a b", ["w/a -> w/b"], id="an end without a start"),
        pytest.param("cp a b # cp c d; cp e f", ["w/a -> w/b"], id="before a comment"),
        pytest.param("apt-get install cp mv; echo cp /a /b", [], id="words that are no command"),
        pytest.param("cp '' /b", ["w -> b"], id="an empty word"),
    ],
)
def test_read_commands_tells_what_is_copied_where(text: str, copies: list[str]) -> None:
    """Sources and destination are read, whatever stands before, after and around them."""
    commands = _of(f"RUN {text}")
    assert _shown(commands) == copies
    assert commands.into == (("d",) if text == "cp -t /d" else ())


@pytest.mark.parametrize(
    "text",
    [
        "cp /a ${B}",
        "cp /a /b*",
        "cp",
        "cd $A && cp a b",
        "cd && cp a b",
        "cd a b && cp a b",
        "find / -name x -execdir cp {} y \\;",
        "ls | xargs -I% sh -c 'x'",
        "ls | xargs cp /a",
        "ls | xargs -I% cp /a /b/%",
        "chroot /x cp /a /b",
        "tar cf - /a | tar xf - -C /b",
        "tar -C /a -cf /b .",
        "tar --create /a",
        "cpio -pdm /a",
        "rename x y *",
        "mv 'unclosed",
        "eval eval eval eval eval cp /a /b",
        ";".join(["cp /a /b"] * (MAX_COPIES + 1)),
    ],
)
def test_read_commands_knows_what_only_a_shell_could_tell(text: str) -> None:
    """Such a command may copy anything to anywhere, and nothing is guessed of its words."""
    assert _of(f"RUN {text}") == Commands(into=("",))


@pytest.mark.parametrize(
    "text",
    [
        "cp $A /b",
        "cp `which` /b",
        "cp ~/a /b",
        "cp /{a,c} /b",
        "cp /*/a /b",
        "sh -c 'cp $A /b'",
        "find / -name x -exec cp {} /b \\;",
        "find / -name x -exec mv -t /b {} +",
        "ls | xargs -r cp -t /b",
        "ls | xargs -I% cp /x/% /b",
        "ls | xargs -I XX cp XX /b",
        "ls | xargs -i cp {} /b",
        "ls | xargs --replace=@ mv @ /b",
        "find / -name x | wc; xargs cp -t /b",
    ],
)
def test_read_commands_knows_where_a_copy_of_the_unknown_went(text: str) -> None:
    """The destination may be told where the source is not."""
    assert _of(f"RUN {text}").into == ("b",)


def test_read_commands_keeps_the_sources_that_are_readable() -> None:
    """One word that cannot be read does not hide the others."""
    commands = _of("RUN cp /a $B /c")
    assert _shown(commands) == ["a -> c"]
    assert commands.into == ("c",)


def test_read_commands_reads_heredocs_and_exec_forms() -> None:
    """A heredoc is a script, one command a line; the words of an exec form are one command."""
    script = "RUN <<END\ncp /a /b\n# it's cp /c /d\nmv \\\n  /e \\\n  /f\nEND"
    assert _shown(_of(script.replace("it's ", ""))) == ["a -> b", "e -> f"]
    assert _of(script).into == ("",)
    assert _shown(_of('RUN ["cp", "/a b", "/c"]')) == ["a b -> c"]
    assert _shown(_of('RUN ["/bin/sh", "-c", "cp /a /b"]')) == ["a -> b"]


def test_read_text_knows_no_working_directory() -> None:
    """Of a recorded RUN only absolute paths mean anything."""
    assert _shown(read_text("cp /a /b")) == ["a -> b"]
    assert read_text("cp a /b") == Commands(into=("b",))


@pytest.mark.parametrize(
    ("source", "path", "origins"),
    [
        pytest.param("a", "b", ["a"], id="the destination itself"),
        pytest.param("x/a", "b/a", ["x/a", "x/a/a"], id="into a folder"),
        pytest.param("x/a", "b/a/c", ["x/a/c", "x/a/a/c"], id="a folder into a folder"),
        pytest.param("x/a", "b/c", ["x/a/c"], id="a folder as the destination"),
        pytest.param("x/*.js", "b/c.js", ["x/c.js"], id="a pattern"),
        pytest.param("*", "b/c/d", ["c/d"], id="a folder of a pattern"),
        pytest.param("x/*.js", "b/c.ts", [], id="another name"),
        pytest.param("x/*", "b", [], id="a pattern and the destination itself"),
        pytest.param("a", "bc", [], id="beside it"),
    ],
)
def test_origins_of_turns_a_copy_round(source: str, path: str, origins: list[str]) -> None:
    """Where a path may have stood before, its destination a directory or not."""
    copy = CopyCommand(sources=(source,), destination="b")
    assert list(copy.origins_of(path, "b")) == origins


def test_origins_of_a_copy_to_the_root_and_with_parents() -> None:
    """The root is a destination like any other; with ``--parents`` the whole path goes along."""
    assert list(CopyCommand(sources=("x/a",), destination="").origins_of("a", "")) == [
        "x/a",
        "x/a/a",
    ]
    copies = _of("RUN cp --parents /x/a /b").copies
    assert list(copies[0].origins_of("b/x/a", "b")) == ["x/a"]
