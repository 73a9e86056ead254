"""Visible leftovers: which rule counts which bytes, worked out by hand in each case."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from layertrace.analysis.leftovers.patterns import Matcher
from layertrace.analysis.leftovers.rules import KEPT, RULES
from tests.builders import folder, hardlink, sparse, symlink
from tests.leftover_images import find_leftovers, leftovers, traced

if TYPE_CHECKING:
    from collections.abc import Mapping

    from layertrace.model.waste import Leftover
    from tests.builders import Content


@pytest.mark.parametrize(
    ("path", "rule", "root"),
    [
        pytest.param("var/lib/apt/lists/deb_Packages", "apt-lists", "var/lib/apt/lists"),
        pytest.param("var/cache/apt/archives/a.deb", "apt-cache", "var/cache/apt"),
        pytest.param("var/cache/debconf/templates.dat-old", "dpkg-backups", None),
        pytest.param("var/cache/apk/APKINDEX.1.tar.gz", "apk-cache", "var/cache/apk"),
        pytest.param("var/cache/dnf/x/y.solv", "dnf-cache", "var/cache/dnf"),
        pytest.param("root/.cache/pip/http/a", "pip-cache", "root/.cache/pip"),
        pytest.param("home/node/.npm/_cacache/i", "npm-cache", "home/node/.npm/_cacache"),
        pytest.param("usr/local/share/.cache/yarn/v6/a", "yarn-cache", None),
        pytest.param("root/.local/share/pnpm/store/v3/a", "pnpm-cache", None),
        pytest.param("go/pkg/mod/cache/download/a", "go-cache", "go/pkg/mod"),
        pytest.param("root/.cache/go-build/00/a", "go-cache", "root/.cache/go-build"),
        pytest.param("usr/local/cargo/registry/src/a.rs", "cargo-cache", None),
        pytest.param("usr/local/bundle/cache/rails.gem", "gem-cache", "usr/local/bundle/cache"),
        pytest.param("root/.m2/repository/a/a.jar", "maven-cache", "root/.m2/repository"),
        pytest.param("root/.gradle/caches/a", "gradle-cache", "root/.gradle/caches"),
        pytest.param("root/.composer/cache/a", "composer-cache", "root/.composer/cache"),
        pytest.param("app/.pytest_cache/v", "tool-caches", "app/.pytest_cache"),
        pytest.param("app/.git/objects/pack/a.pack", "vcs", "app/.git"),
        pytest.param("app/.hg/store/a", "vcs", "app/.hg"),
        pytest.param("app/node_modules/qs/test/a.js", "tests", "app/node_modules/qs/test"),
        pytest.param("a/node_modules/@s/p/tests/a.js", "tests", "a/node_modules/@s/p/tests"),
        pytest.param("v/site-packages/numpy/tests/a.py", "tests", "v/site-packages/numpy/tests"),
        pytest.param("usr/lib/python3.11/test/a.py", "tests", "usr/lib/python3.11/test"),
        pytest.param("app/__pycache__/a.pyc", "pycache", "app/__pycache__"),
        pytest.param("usr/share/doc/bash/README", "docs", "usr/share/doc"),
        pytest.param("usr/share/man/man1/ls.1.gz", "man-pages", "usr/share/man"),
        pytest.param("usr/share/locale/de/LC_MESSAGES/a.mo", "locales", "usr/share/locale"),
        pytest.param("usr/lib/debug/.build-id/00/a.debug", "debug-files", "usr/lib/debug"),
        pytest.param("app/dist/main.js.map", "source-maps", None),
        pytest.param("app/dist/main.css.map", "source-maps", None),
        pytest.param("var/log/dpkg.log", "logs", "var/log"),
        pytest.param("app/npm-debug.log", "logs", None),
        pytest.param("tmp/build/a.o", "temp", "tmp/build"),
        pytest.param("tmp/a", "temp", "tmp/a"),
        pytest.param("root/.cache/other/a", "home-cache", "root/.cache/other"),
        pytest.param("home/app/.cache/a", "home-cache", "home/app/.cache/a"),
    ],
)
def test_rule_counts_what_it_names(tmp_path: Path, path: str, rule: str, root: str | None) -> None:
    """A folder stands for what lies below it, else the file for itself."""
    if root is None:
        found = leftovers(tmp_path, {path: b"x" * 70})
        assert {each: sum(rows.values()) for each, rows in found.items()} == {rule: 70}
    else:
        assert leftovers(tmp_path, {path: b"x" * 70}) == {rule: {root: 70}}


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("usr/share/doc/bash/copyright", id="licence that slim images keep"),
        pytest.param("usr/share/locale/locale.alias", id="names that the C library reads"),
        pytest.param("usr/share/locale/en_GB/LC_MESSAGES/a.mo", id="English"),
        pytest.param("root/.cache/huggingface/hub/model", id="models"),
        pytest.param("root/.cache/ms-playwright/chromium/chrome", id="browsers"),
        pytest.param("app/node_modules/test/index.js", id="a package called test"),
        pytest.param("app/node_modules/a/lib/test/index.js", id="test deep in a package"),
        pytest.param("app/test/index.js", id="tests of the application, or its name"),
        pytest.param("v/site-packages/django/test/client.py", id="django.test"),
        pytest.param("app/.yarn/cache/lodash.zip", id="what Plug'n'Play runs from"),
        pytest.param("root/.npm/_npx/1/node_modules/a/a.js", id="what npx runs"),
        pytest.param("srv/tmp/a", id="another tmp"),
        pytest.param("srv/var/log/a", id="another var"),
        pytest.param("app/world.map", id="no source map"),
        pytest.param("app/.gitignore", id="no repository"),
        pytest.param("usr/lib/ImageMagick/modules/coders/png.la", id="loaded as a module"),
    ],
)
def test_nothing_is_said_of_what_may_be_needed(tmp_path: Path, path: str) -> None:
    """A false claim is worse than none."""
    assert leftovers(tmp_path, {path: b"# libtool" * 10}) == {}


def test_folder_is_without_what_another_rule_counts(tmp_path: Path) -> None:
    """Each byte counts once: 7 of them are pip's, 5 the repository's, 3 other leftovers."""
    assert leftovers(
        tmp_path,
        {
            "root/.cache/pip/a": b"7" * 7,
            "root/.cache/x/a": b"2" * 2,
            "root/.cache/x/b/c": b"1",
            "tmp/src/.git/HEAD": b"5" * 5,
            "tmp/src/__pycache__/a.pyc": b"4" * 4,
            "tmp/src/dist/a.js.map": b"9" * 9,
        },
    ) == {
        "pip-cache": {"root/.cache/pip": 7},
        "home-cache": {"root/.cache/x": 3},
        "vcs": {"tmp/src/.git": 5},
        "pycache": {"tmp/src/__pycache__": 4},
        "source-maps": {"tmp/src/dist/a.js.map": 9},
    }


def test_outer_folder_keeps_what_a_later_rule_would_count(tmp_path: Path) -> None:
    """In a repository everything is the repository's."""
    inside = {"app/.git/a/__pycache__/x": b"1" * 3, "app/.git/var/log/x.js.map": b"2" * 4}
    assert leftovers(tmp_path, inside) == {"vcs": {"app/.git": 7}}


def test_only_what_is_in_sight_counts(tmp_path: Path) -> None:
    """What a layer above removed or replaced is waste, and no leftover."""
    assert leftovers(
        tmp_path,
        {"var/log/a": b"1" * 100, "var/log/b": b"2" * 10, "var/log/c": b"3" * 5},
        {"var/log/.wh.a": b"", "var/log/b": b"4" * 20},
    ) == {"logs": {"var/log": 25}}


def test_links_and_empty_files_weigh_nothing(tmp_path: Path) -> None:
    """Images have logs that are links to a terminal, and lock files."""
    assert (
        leftovers(
            tmp_path,
            {
                "var/log/access.log": symlink("/dev/stdout"),
                "var/lib/apt/lists/lock": b"",
                "var/cache/apt/archives": folder(),
            },
        )
        == {}
    )


def test_hard_links_count_where_all_names_are_leftovers(tmp_path: Path) -> None:
    """Removing a cache frees nothing that a package folder holds too."""
    assert leftovers(
        tmp_path,
        {
            "root/.cache/uv/a/one.py": b"1" * 30,
            "root/.cache/uv/a/two.py": b"2" * 40,
            "root/.cache/uv/b/two.py": hardlink("root/.cache/uv/a/two.py"),
            "venv/lib/one.py": hardlink("root/.cache/uv/a/one.py"),
        },
    ) == {"pip-cache": {"root/.cache/uv": 40}}


def test_hard_link_that_was_removed_is_no_name_any_more(tmp_path: Path) -> None:
    """Nor is one that leads to something else than a file, or to an empty one, a leftover."""
    assert leftovers(
        tmp_path,
        {
            "var/log/a": b"1" * 30,
            "srv/a": hardlink("var/log/a"),
            "var/log/b": symlink("a"),
            "var/log/c": hardlink("var/log/b"),
            "var/log/d": b"",
            "var/log/e": hardlink("var/log/d"),
        },
        {"srv/.wh.a": b""},
    ) == {"logs": {"var/log": 30}}


def test_hard_link_alone_keeps_its_content(tmp_path: Path) -> None:
    """A later layer removed the file itself, and its bytes still ship."""
    assert leftovers(
        tmp_path,
        {"srv/a": b"1" * 30, "var/log/a": hardlink("srv/a")},
        {"srv/.wh.a": b""},
    ) == {"logs": {"var/log": 30}}


def test_static_library_is_told_by_its_content(tmp_path: Path) -> None:
    """Any file may be called so."""
    archive = b"!<arch>\n" + b"x" * 92
    assert leftovers(
        tmp_path,
        {
            "usr/lib/libz.a": archive,
            "srv/question.a": b"42" * 50,
            "usr/lib/libz.la": b"# libz.la - a libtool library file\n",
            "usr/lib/x86_64-linux-gnu/liby.la": b"# something else\n",
        },
    ) == {"static-libs": {"usr/lib/libz.a": 100, "usr/lib/libz.la": 35}}


def test_packed_layers_tell_the_same(tmp_path: Path) -> None:
    """They can only be read forward."""
    files: dict[str, Content] = {
        "usr/lib/libz.a": b"!<arch>\n" + b"x" * 92,
        "usr/bin/tool": b"#!/bin/sh\n",
        "usr/lib/liby.a": b"!<arch>\n" + b"y" * 192,
    }
    with traced(tmp_path, files, packed=True) as trace:
        (found,) = find_leftovers(trace)
    assert [(row.path, row.bytes) for row in found.paths] == [
        ("usr/lib/liby.a", 200),
        ("usr/lib/libz.a", 100),
    ]


def test_file_of_holes_is_not_unpacked(tmp_path: Path) -> None:
    """It says 8 GB, of which 4 bytes are stored; as a leftover it counts as containers see it."""
    size = (1 << 33) - 1
    found = leftovers(
        tmp_path,
        {"usr/lib/liba.a": sparse(size, {1 << 20: b"data"}), "var/log/lastlog": sparse(size, {})},
    )
    assert found == {"logs": {"var/log": size}}


def test_hostile_names_are_paths_as_any(tmp_path: Path) -> None:
    """Names that are patterns, that have no end, and that would be an escape sequence."""
    assert leftovers(
        tmp_path,
        {
            "home/\x1b[2J/.npm/_cacache/a": b"1" * 3,
            "home/*/.cache/x\n/a": b"2" * 4,
            "/".join(["__pycache__"] * 300): b"3" * 5,
        },
    ) == {
        "npm-cache": {"home/\x1b[2J/.npm/_cacache": 3},
        "home-cache": {"home/*/.cache/x\n": 4},
        "pycache": {"__pycache__": 5},
    }


def _advised(path: Path, dockerfile: str, *layers: Mapping[str, Content]) -> Leftover:
    with traced(path, *layers, dockerfile=dockerfile) as trace:
        (found,) = find_leftovers(trace)
    return found


def test_advice_names_the_line_that_wrote_most(tmp_path: Path) -> None:
    """And every step that wrote some is told, with its bytes."""
    found = _advised(
        tmp_path,
        "FROM scratch\nRUN a\nRUN npm install\n",
        {"root/.npm/_cacache/a": b"1" * 5},
        {"root/.npm/_cacache/b": b"1" * 7},
    )
    assert found.advice.startswith("line 3: end the RUN with `npm cache clean --force`")
    assert "--mount=type=cache,target=/root/.npm`" in found.advice
    assert [
        (each.step.line, each.step.layer, each.base, each.bytes) for each in found.written_by
    ] == [
        (3, 1, False, 7),
        (2, 0, False, 5),
    ]


def test_advice_names_the_home_that_the_cache_is_in(tmp_path: Path) -> None:
    """A cache mount at another home caches nothing."""
    found = _advised(
        tmp_path, "FROM scratch\nRUN npm ci\n", {"home/node/.npm/_cacache/a": b"1" * 5}
    )
    assert "--mount=type=cache,target=/home/node/.npm`" in found.advice


def test_advice_for_the_context_is_dockerignore(tmp_path: Path) -> None:
    """What a COPY brought no RUN takes back."""
    found = _advised(tmp_path, "FROM scratch\nCOPY . /app\n", {"app/.git/HEAD": b"ref"})
    assert found.advice == "line 2: leave it out by .dockerignore, or copy less"


def test_advice_for_another_stage_is_to_copy_less(tmp_path: Path) -> None:
    """Or to do in that stage what the rule says."""
    found = _advised(
        tmp_path,
        "FROM scratch AS build\nFROM scratch\nCOPY --from=build /app /app\n",
        {"app/x.js.map": b"{}"},
    )
    assert found.advice.startswith("line 3: copy less, or where it comes from: build without")


def test_advice_tells_what_is_the_base_images(tmp_path: Path) -> None:
    """No line takes it back."""
    layers = ({"var/log/a": b"1" * 9, "tmp/a": b"1"}, {"var/log/b": b"2" * 4})
    with traced(tmp_path, *layers, base=1) as trace:
        logs, temp = find_leftovers(trace)
    assert [(each.base, each.bytes) for each in logs.written_by] == [(True, 9), (False, 4)]
    assert logs.advice.startswith("remove them in the RUN that wrote them; what the base image has")
    assert temp.advice == "part of the base image: only another base image is without it"


def test_without_a_dockerfile_the_advice_names_no_line(tmp_path: Path) -> None:
    """Nor does it say where the bytes come from."""
    with traced(tmp_path, {"app/.git/HEAD": b"ref"}) as trace:
        (found,) = find_leftovers(trace)
    assert found.advice == next(rule.advice for rule in RULES if rule.name == "vcs")


def test_file_pattern_fits_in_its_folders_only() -> None:
    """A star is part of one name."""
    matcher = Matcher(RULES, {})
    assert matcher.claim("usr/lib/a-linux-gnu/x.la") is not None
    assert matcher.claim("usr/lib/a-linux-gnu/y/x.la") is None
    assert matcher.claim("x.la") is None
    assert matcher.claim("") is None


def test_documentation_has_every_rule() -> None:
    """docs/bloat.md: name, patterns and advice, in the order they count, and what is left out."""
    text = Path("docs/bloat.md").read_text(encoding="utf-8")
    for rule in RULES:
        for word in (rule.name, rule.advice, *rule.patterns):
            assert word in text, word
    for pattern in KEPT:
        assert f"`{pattern}`" in text, pattern
    rows = [line.split("`")[1] for line in text.splitlines() if line.startswith("| `")]
    names = list(dict.fromkeys(rule.name for rule in RULES))
    assert [row for row in rows if row in names] == names
