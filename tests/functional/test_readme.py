"""What README.md and docs/ say is what happens."""

from __future__ import annotations

import html
import os
import re
import shlex
from typing import TYPE_CHECKING, Final

import click
import pytest

from layertrace.model.image import Absence
from layertrace.views.cli import cli
from tests.sample_support import ROOT, Command

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

README: Final = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS: Final = (
    "README.md", "CHANGELOG.md", "docs/architecture.md", "docs/audit.md",
    "docs/findings.md", "docs/performance.md",
)  # fmt: skip


def _sessions() -> Iterator[tuple[str, str]]:
    """Yield each command of the README that is shown with its output."""
    for block in re.findall(r"^```console\n(.*?)^```$", README, re.MULTILINE | re.DOTALL):
        yield from re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE)


def _commands() -> Iterator[list[str]]:
    """Yield the words of every layertrace command that a code block of the README has."""
    for line in re.findall(r"^(?: {4}|\$ )(.*)$", README, re.MULTILINE):
        for part in line.split(" && "):
            words = shlex.split(part)
            if words and words[0].rpartition("/")[2] == "layertrace":
                yield words[1:]


@pytest.mark.parametrize(("command", "output"), list(_sessions()))
def test_a_session_prints_what_the_readme_shows(command: str, output: str, tmp_path: Path) -> None:
    """Every command of a console block runs and prints exactly the lines below it."""
    name, *words = shlex.split(command)
    assert name == "layertrace"
    layertrace = Command(environment={**os.environ, "LAYERTRACE_CACHE_DIR": str(tmp_path)})
    assert layertrace.run(*words) == output


def test_the_readme_has_sessions_of_why_stages_and_files() -> None:
    """The three questions have an answer to look at."""
    assert {command.split()[1] for command, _ in _sessions()} >= {"why", "stages", "files"}


@pytest.mark.parametrize("words", list(_commands()), ids=" ".join)
def test_a_command_of_the_readme_exists_with_its_options(words: list[str]) -> None:
    """No example uses a command or an option that is not there."""
    context = click.Context(cli)
    command = cli.get_command(context, words[0]) if words else None
    known = command or cli.get_command(context, "open")
    assert known is not None
    options = {name for parameter in known.params for name in parameter.opts}
    given = {word.partition("=")[0] for word in words if word.startswith("-")}
    assert given <= options


def test_make_targets_of_the_readme_exist() -> None:
    """``make demo`` and the others are in the Makefile."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    named = set(re.findall(r"\bmake ([a-z]+)\b(?=`|$)", README, re.MULTILINE))
    assert named >= {"demo", "test", "check", "bench"}
    for target in named:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_between_documents_lead_somewhere(document: str) -> None:
    """A relative link or picture is a file of the project."""
    path = ROOT / document
    for target in re.findall(r"\]\(([^)#]+)", path.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (path.parent / target).exists(), target


def test_every_module_has_its_place_in_the_architecture() -> None:
    """Files the architecture names exist, and it names every module below the views."""
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    package = ROOT / "layertrace"
    named = set(re.findall(r"([a-z_]+\.py)`", text))
    there = {path.name for path in package.rglob("*.py")}
    assert named <= there, f"docs/architecture.md names what is gone: {named - there}"
    below = {
        path.name
        for path in package.glob("*/**/*.py")
        if package / "views" not in path.parents and path.name != "__init__.py"
    }
    assert below <= named, f"docs/architecture.md says nothing of: {below - named}"


def test_every_finding_is_in_the_documents() -> None:
    """``docs/findings.md`` lists every code there is, and none that is not."""
    text = (ROOT / "docs" / "findings.md").read_text(encoding="utf-8")
    cells = re.findall(r"^\| (`.*?) \|", text, re.MULTILINE)
    listed = set(re.findall(r"`([a-z-]+)`", "".join(cells)))
    source = "".join(
        path.read_text(encoding="utf-8") for path in (ROOT / "layertrace").rglob("*.py")
    )
    named = dict(re.findall(r'^([A-Z_]+): Final = "([a-z-]+)"', source, re.MULTILINE))
    codes = {named[name] for name in re.findall(r"code=([A-Z][A-Z_]+),", source) if name in named}
    codes |= set(re.findall(r'(?:code=|notes\.add\(\s*)"([a-z-]+)"', source))
    assert len(codes) > 30
    assert codes <= listed
    written = set(re.findall(r'"([a-z]+(?:-[a-z]+)+)"', source))
    assert listed <= written | {f"layer-{absence.value}" for absence in Absence}


PICTURES: Final = tuple(re.findall(r"\]\((docs/images/[^)]+)\)", README))


@pytest.mark.parametrize(
    ("picture", "words"),
    [("browse", "made by `RUN npm run build` in stage build"), ("waste", "could go"),
     ("diff", "against regular.tar.xz")],
)  # fmt: skip
def test_a_picture_needs_nothing_from_elsewhere(picture: str, words: str) -> None:
    """It is whole in itself, shows the sample, and is in the README with words for it."""
    path = f"docs/images/{picture}.svg"
    assert path in PICTURES
    drawn = (ROOT / path).read_text(encoding="utf-8")
    assert re.findall(r"https?://[^\"]+", drawn) == ["http://www.w3.org/2000/svg"]
    assert not re.search(r"<(script|image|foreignObject|use)\b|@import|url\((?!#)|href=", drawn)
    text = html.unescape(re.sub(r"<[^>]+>", "", drawn)).replace("\xa0", " ")
    assert "multistage.tar.xz" in text
    assert words in text
