"""Rules that look at files: what they find, and what they leave alone."""

from __future__ import annotations

import tarfile
from typing import TYPE_CHECKING, Any, Final

import pytest

from layertrace.analysis.audit.reading import default_policy
from layertrace.analysis.audit.rules.modes import capability_words
from layertrace.analysis.audit.run import run_audit
from layertrace.analysis.audit.secrets import Secrets
from layertrace.model.audit import Level, Status
from tests.audit_support import TODAY, paths
from tests.builders import Member, char, file, folder, hardlink, step, symlink

if TYPE_CHECKING:
    from tests.audit_support import Bench
    from tests.builders import Content

NET_RAW: Final = bytes.fromhex("0100000200200000000000000000000000000000")
NETRC: Final = b"machine h login u password hunter2hunter2\n"
PROGRAM: Final = file(b"\x7fELF", mode=0o755)


@pytest.mark.parametrize(
    ("rule", "files", "found"),
    [
        pytest.param(
            "no-setuid",
            {
                "bin/su": file(b"x", mode=0o4755),
                "bin/wall": file(b"x", mode=0o2755),
                "bin/ls": file(b"x", mode=0o755),
                "var/mail/": folder(0o2775),
                "bin/link": symlink("su"),
            },
            ["bin/su", "bin/wall"],
            id="setuid",
        ),
        pytest.param(
            "no-capabilities",
            {"bin/ping": file(b"x", capability=NET_RAW), "bin/ls": file(b"x")},
            ["bin/ping"],
            id="capabilities",
        ),
        pytest.param(
            "no-world-writable",
            {
                "app/open": file(b"x", mode=0o666),
                "app/all/": folder(0o777),
                "tmp/": folder(0o1777),
                "app/link": symlink("open"),
                "dev/null": char(1, 3),
                "app/own": file(b"x", mode=0o664),
            },
            ["app/all", "app/open"],
            id="world-writable",
        ),
        pytest.param(
            "no-build-tools",
            {
                "usr/bin/gcc-12": PROGRAM,
                "usr/bin/gcc": symlink("gcc-12"),
                "usr/bin/aarch64-linux-gnu-ld": PROGRAM,
                "usr/local/go/bin/go": PROGRAM,
                "usr/bin/git": PROGRAM,
                "usr/bin/python3": PROGRAM,
                "usr/bin/node": PROGRAM,
                "usr/bin/make": file(b"notes", mode=0o644),
                "usr/share/make": PROGRAM,
                "usr/lib/git-core/git": PROGRAM,
                "app/node_modules/.bin/tsc": PROGRAM,
                "app/cabin/gcc": PROGRAM,
                "bin/cc": PROGRAM,
                "usr/bin/make.d/": folder(),
            },
            [
                "bin/cc",
                "usr/bin/aarch64-linux-gnu-ld",
                "usr/bin/gcc",
                "usr/bin/gcc-12",
                "usr/bin/git",
                "usr/local/go/bin/go",
            ],
            id="build-tools",
        ),
        pytest.param(
            "no-build-tools",
            {"bin/git/": folder(), "bin/git/x": PROGRAM},
            [],
            id="folder-named-like-a-tool",
        ),
        pytest.param(
            "no-package-managers",
            {
                "bin/[": PROGRAM,
                "bin/dpkg": hardlink("bin/["),
                "bin/rpm": symlink("/bin/busybox"),
                "sbin/apk": PROGRAM,
                "usr/local/bin/pip3.11": PROGRAM,
            },
            ["sbin/apk", "usr/local/bin/pip3.11"],
            id="package-managers",
        ),
        pytest.param(
            "no-sources",
            {
                "app/main.ts": b"x",
                "app/types.d.ts": b"x",
                "app/main.js": b"x",
                "app/empty.c": b"",
                "app/node_modules/a/index.ts": b"x",
                "usr/include/stdio.h": b"x",
                "usr/src/app/main.go": b"x",
                "app/dir.go/": folder(),
            },
            ["app/main.ts", "usr/src/app/main.go"],
            id="sources",
        ),
        pytest.param(
            "no-source-maps",
            {"app/a.js.map": b"{}", "app/b.css.map": b"{}", "app/world.map": b"x", "app/a.js": b""},
            ["app/a.js.map", "app/b.css.map"],
            id="source-maps",
        ),
        pytest.param(
            "no-vcs",
            {
                "app/.git/HEAD": b"ref: refs/heads/main",
                "app/.git/objects/ab/cd": b"x",
                "app/.gitignore": b"x",
                "app/.git.bak": b"x",
                "opt/.hg/store": b"x",
                "old/CVS/Root": b":pserver:",
                "usr/share/doc/CVS/README": b"x",
                "sub/.git": b"gitdir: ../.git/modules/sub",
            },
            ["app/.git", "old/CVS", "opt/.hg"],
            id="vcs",
        ),
        pytest.param(
            "no-package-caches",
            {
                "var/lib/apt/lists/deb_Packages": b"Package: a",
                "var/lib/apt/lists/lock": b"",
                "root/.npm/_cacache/index-v5/a": b"x",
                "root/.cache/pip/http/a": b"x",
                "root/.cache/fontconfig/a": b"x",
                "app/a.js": b"x",
            },
            ["root/.cache/pip", "root/.npm/_cacache", "var/lib/apt/lists"],
            id="package-caches",
        ),
        pytest.param(
            "no-package-caches", {"var/lib/apt/lists/lock": b""}, [], id="an-empty-lock-is-no-cache"
        ),
    ],
)
def test_rule_finds_what_it_asks_for_and_nothing_else(
    bench: Bench, rule: str, files: dict[str, Content], found: list[str]
) -> None:
    """Each in one layer, with what only looks alike."""
    result = bench.ask(rule, files)
    assert paths(result) == found
    assert result.status is (Status.FAIL if found else Status.PASS)
    assert (result.limit, result.value) == (0, len(found))


def test_match_names_layer_stage_line_and_instruction(bench: Bench) -> None:
    """Those of the instruction that brought the file into the image."""
    result = bench.ask(
        "no-setuid",
        {"bin/sh": b"x"},
        {"app/run": file(b"x", mode=0o4755, uid=3, gid=4)},
        dockerfile="FROM scratch AS base\nADD a /\nFROM base\nUSER app\nRUN make\n",
        history=[
            "ADD a / # buildkit",
            step("USER app", empty=True),
            "RUN /bin/sh -c make # buildkit",
        ],
    )
    (match,) = result.matches
    assert (match.layer, match.stage, match.line) == (1, "stage-1", 5)
    assert (match.instruction, match.visible) == ("RUN make", True)
    assert match.detail == "setuid, 4755, owner 3:4"


@pytest.mark.parametrize(
    ("rule", "files", "folder_or_file"),
    [
        ("no-sources", {"app/main.ts": b"x"}, "app/main.ts"),
        ("no-source-maps", {"app/a.js.map": b"x"}, "app/a.js.map"),
        ("no-vcs", {"app/.git/HEAD": b"x"}, "app/.git"),
    ],
)
def test_what_a_later_layer_removed_still_ships(
    bench: Bench, rule: str, files: dict[str, Content], folder_or_file: str
) -> None:
    """Whoever has the image can read it in its layer."""
    result = bench.ask(rule, files, {".wh.app": b""})
    assert paths(result) == [f"-{folder_or_file}"]
    assert result.matches[0].layer == 0


def test_a_version_control_folder_that_is_partly_removed_is_one_visible_match(
    bench: Bench,
) -> None:
    """It is named once, by the layer that began it, with all that layers store of it."""
    result = bench.ask(
        "no-vcs", {"a/.git/one": b"123"}, {"a/.git/.wh.one": b"", "a/.git/two": b"1"}
    )
    (match,) = result.matches
    assert (match.path, match.layer, match.visible) == ("a/.git", 0, True)
    assert match.detail == "version control, 2 files, 4 bytes"


@pytest.mark.parametrize("rule", ["no-build-tools", "no-setuid", "no-package-caches"])
def test_what_nobody_can_run_any_more_is_no_match(bench: Bench, rule: str) -> None:
    """Of these what is gone is only waste."""
    files: dict[str, Content] = {
        "bin/gcc": file(b"x", mode=0o4755),
        "var/lib/apt/lists/a": b"x",
    }
    gone = {".wh.bin": b"", ".wh.var": b""}
    assert bench.ask(rule, files, gone).status is Status.PASS


def test_allow_takes_paths_and_globs_out(bench: Bench) -> None:
    """A path stands for all below it."""
    files = {
        name: file(b"x", mode=0o4755) for name in ("bin/su", "opt/a/x", "usr/bin/mount", "bin/sudo")
    }
    result = bench.ask("no-setuid", files, options='allow = ["/bin/su", "/opt", "mount"]')
    assert paths(result) == ["bin/sudo"]


def test_limit_allows_as_many(bench: Bench) -> None:
    """One more fails."""
    files = {name: file(b"x", mode=0o4755) for name in ("bin/a", "bin/b")}
    assert bench.ask("no-setuid", files, options="limit = 2").status is Status.PASS
    assert bench.ask("no-setuid", files, options="limit = 1").status is Status.FAIL


def test_base_false_leaves_out_what_the_base_brought(bench: Bench) -> None:
    """A base is known by the Dockerfile."""
    image: dict[str, Any] = {
        "dockerfile": "FROM debian\nCOPY a /\n",
        "history": ["ADD rootfs / # buildkit", "COPY a / # buildkit"],
    }
    layers = ({"bin/su": file(b"x", mode=0o4755)}, {"a": file(b"x", mode=0o4755)})
    assert paths(bench.ask("no-setuid", *layers, **image)) == ["a", "bin/su"]
    assert paths(bench.ask("no-setuid", *layers, options="base = false", **image)) == ["a"]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (NET_RAW, "cap_net_raw, effective"),
        (bytes.fromhex("000000020004000000000000") + bytes(4) + bytes(4), "cap_net_bind_service"),
        (
            bytes.fromhex("0100000301000000000000000001000000000000") + bytes(4),
            "cap_chown, cap_checkpoint_restore, effective",
        ),
        (bytes.fromhex("0000000200000000"), "no capability known here"),
        (b"abc", "capabilities in an unknown form"),
    ],
    ids=["version-2", "permitted-only", "version-3", "none", "hostile"],
)
def test_capabilities_are_told_by_name(value: bytes, words: str) -> None:
    """Source: what ``getcap`` prints of such attributes."""
    assert capability_words(value) == words


def test_secrets_are_found_where_they_still_ship(bench: Bench) -> None:
    """Their values are in no match."""
    key = b"-----BEGIN OPENSSH PRIVATE KEY-----\n"
    token = b"ghp_" + b"aB3dE5gH7jK9mN1pQ3sT5vX7zA9cD1eF2gH4"
    layers = ({"root/.netrc": NETRC, "k": key + token},)
    result = bench.ask("no-secrets", *layers, {"root/.wh..netrc": b""})
    assert result.level is Level.ERROR
    assert "-root/.netrc" in paths(result)
    assert "hunter2" not in repr(result)
    left = bench.ask("no-secrets", *layers, options='allow = ["/root", "/k"]')
    assert left.status is Status.PASS


def _secrets(**fields: Any) -> Secrets:  # noqa: ANN401
    values: dict[str, Any] = {"matches": (), "doubtful": ()}
    counts = dict.fromkeys(("files", "binary", "cut", "unreadable", "more"), 0)
    return Secrets(**(values | counts | fields))


def test_secrets_that_were_not_all_seen_are_no_pass(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot be read may hold one; what is too much to list counts."""
    one = bench.ask("no-secrets", {"root/.netrc": NETRC}).matches
    found = _secrets(unreadable=2)
    monkeypatch.setattr("layertrace.analysis.audit.secrets.search_secrets", lambda _: found)
    result = bench.ask("no-secrets", {"a": b"x"})
    assert (result.status, result.reason) == (
        Status.SKIPPED,
        "2 stored files could not be read",
    )
    found = _secrets(matches=one, more=1200)
    result = bench.ask("no-secrets", {"a": b"x"})
    assert [match.path for match in result.matches] == ["root/.netrc", None]
    assert result.matches[1].detail == "1,200 more, which are not listed"
    found = _secrets(doubtful=one)
    assert bench.ask("no-secrets", {"a": b"x"}).status is Status.PASS
    assert paths(bench.ask("no-doubtful-secrets", {"a": b"x"})) == ["root/.netrc"]


def test_a_clean_image_passes_every_rule_of_the_default_policy(bench: Bench) -> None:
    """As distroless ones are: certificates, time zones, users, one program."""
    trace = bench.trace(
        {
            "etc/passwd": b"root:x:0:0:root:/root:/sbin/nologin\nnonroot:x:65532:65532:::\n",
            "etc/group": b"root:x:0:\n",
            "etc/ssl/certs/ca-certificates.crt": b"-----BEGIN CERTIFICATE-----\nMIIB\n",
            "usr/share/zoneinfo/UTC": b"TZif2",
            "usr/lib/os-release": b'NAME="Distroless"\n',
            "var/lib/dpkg/status.d/base": b"Package: base-files\n",
            "home/nonroot/": folder(0o700, uid=65532, gid=65532),
            "tmp/": folder(0o1777),
            "lib": symlink("usr/lib"),
            "dev/console": Member(type=tarfile.CHRTYPE, mode=0o666, device=(5, 1)),
        },
        {"app": PROGRAM},
        history=["bazel build ...", "COPY /out/app /app # buildkit"],
        runtime={"User": "65532"},
    )
    report = run_audit(trace, default_policy(), TODAY)
    status = {rule.id: rule.status for rule in report.rules}
    skipped = {rule for rule, found in status.items() if found is Status.SKIPPED}
    assert skipped == {"no-unknown-origin", "pinned-base"}
    assert not [rule for rule, found in status.items() if found is Status.FAIL]
    assert all(rule.reason for rule in report.rules if rule.status is Status.SKIPPED)
