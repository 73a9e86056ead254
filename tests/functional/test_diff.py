"""``diff`` as people and scripts meet it."""

from __future__ import annotations

import io
import json
import lzma
import tarfile
from typing import TYPE_CHECKING, Any

import pytest

from tests.builders import docker_archive, file, folder, image, layer, symlink
from tests.cli_support import check_schema
from tests.disk import Disk
from tests.sample_support import SAMPLES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.builders import Content
    from tests.cli_support import Cli

BASE = "/bin/sh -c #(nop) ADD file:" + 64 * "1" + " in / "


RESULT = "same instruction, other result: RUN make (line 2, stage stage-0)"


def save(
    path: Path, *layers: Mapping[str, Content], steps: tuple[str, ...] = (), text: str = ""
) -> Path:
    """Write an image, and its Dockerfile beside it."""
    history = [BASE, *(f"RUN /bin/sh -c {step} # buildkit" for step in steps)]
    tars = [layer(each) for each in layers]
    path.write_bytes(docker_archive(image(*tars, history=history if steps else None)))
    path.with_suffix(".Dockerfile").write_text(text)
    return path


@pytest.fixture
def pair(alone: Path) -> tuple[Path, Path]:
    """Return two builds of one Dockerfile, the second with more, less and other."""
    base: dict[str, Content] = {"etc/os": b"1", "bin/": folder(), "bin/tool": b"t" * 1000}
    text = "FROM base:1\nRUN make\n"
    old: dict[str, Content] = {"app/a": b"a" * 10, "app/b": b"b", "app/old": b"m" * 400}
    new: dict[str, Content] = {"app/a": b"A" * 30, "app/c": b"cc", "app/new": b"m" * 400}
    return (
        save(alone / "old.tar", base, old, steps=("make",), text=text),
        save(alone / "new.tar", base, new, {"bin/.wh.tool": b""}, steps=("make", "rm /bin/tool"),
             text=f"{text}RUN rm /bin/tool\n"),
    )  # fmt: skip


def told(pair: tuple[Path, Path]) -> list[str | Path]:
    """Return the words that compare a pair, each image with its Dockerfile."""
    old, new = pair
    return [
        old, new, "--old-dockerfile", old.with_suffix(".Dockerfile"),
        "--new-dockerfile", new.with_suffix(".Dockerfile"),
    ]  # fmt: skip


def test_text_says_why_first(cli: Cli, pair: tuple[Path, Path]) -> None:
    """How much, what it adds up to, and by which instruction."""
    answer = cli.run("diff", *told(pair))
    assert answer.lines == [
        "433 B  (-979 B, -69.3%)  +2 -3 ~1",
        "1,412 bytes visible -979 = 433",
        "1,412 bytes stored +21 = 1,433, of which hidden by later layers 0 +1,000 = 1,000",
        "renamed: 1 of the files removed are among those added",
        "   SIZE   BYTES  PATHS     CAUSE",
        "-1.0 kB  -1,000  -1        added: RUN rm /bin/tool (line 3, stage stage-0)",
        "-1.0 kB  -1,000              other files, 1 path: /bin -1.0 kB",
        f"  +21 B     +21  +2 -2 ~1  {RESULT}",
        "  +21 B     +21              other files, 5 paths: /app +21 B",
        "",
        "largest:",
        "-  -1.0 kB  L1     /bin/tool",
        "+   +400 B  L2     /app/new  (renamed from /app/old)",
        "-   -400 B  L2     /app/old  (renamed to /app/new)",
        "~    +20 B  L2→L2  /app/a",
        "+     +2 B  L2     /app/c",
        "-     -1 B  L2     /app/b",
    ]
    assert answer.err == ""


def test_all_changes_can_be_listed(cli: Cli, pair: tuple[Path, Path]) -> None:
    """In the order of folders, renamed files with where they are now."""
    lines = cli.run("diff", *told(pair), "--files").lines
    assert lines[-6:] == [
        "~    +20 B  L2→L2  /app/a",
        "-     -1 B  L2     /app/b",
        "+     +2 B  L2     /app/c",
        "+   +400 B  L2     /app/new  (renamed from /app/old)",
        "-   -400 B  L2     /app/old  (renamed to /app/new)",
        "-  -1.0 kB  L1     /bin/tool",
    ]
    stat = cli.run("diff", *told(pair), "--stat").lines
    assert stat[-3:] == [
        "   SIZE    MORE     LESS  PATHS  FOLDER",
        "-1.0 kB    +0 B  -1.0 kB      1  /bin",
        "  +21 B  +422 B   -401 B      5  /app",
    ]


def test_json_is_what_its_schema_says(cli: Cli, pair: tuple[Path, Path]) -> None:
    """Whole, with both records of each path."""
    found = cli.checked_json("diff", *told(pair))
    data = found["data"]
    assert found["image"] == data["new"]
    sizes = data["old"]["size"], data["new"]["size"], data["size_delta"]
    assert sizes == (1412, 1433, 21)
    assert data["weights"] == {
        "old": {"visible": 1412, "stored": 1412, "wasted": 0},
        "new": {"visible": 433, "stored": 1433, "wasted": 1000},
    }
    assert data["visible_delta"] == sum(cause["bytes_delta"] for cause in data["causes"]) == -979
    removed, result = data["causes"]
    assert (removed["kind"], removed["why"], removed["removed"]) == ("instruction", "added", 1)
    assert (result["kind"], result["why"], result["new"]["line"]) == ("stage", "result", 2)
    files = {each["path"]: each for each in data["files"]}
    assert list(files) == ["/app/a", "/app/b", "/app/c", "/app/new", "/app/old", "/bin/tool"]
    assert files["/app/a"]["old"]["size"] == 10
    assert files["/app/a"]["new"]["origin"]["line"] == 2
    assert files["/app/c"]["old"] is files["/app/b"]["new"] is None
    assert files["/app/old"]["renamed_to"] == "/app/new"
    assert files["/app/new"]["renamed_from"] == "/app/old"
    assert data["causes"][files["/bin/tool"]["cause"]] == removed


def test_json_of_many_files_is_written_in_pieces(cli: Cli, alone: Path) -> None:
    """And is the same as if it were not."""
    old = save(alone / "old.tar", {f"f{n:04}": b"1" for n in range(1203)})
    new = save(alone / "new.tar", {f"f{n:04}": b"22" for n in range(1203)})
    text = cli.run("diff", old, new, "--json").out
    found = json.loads(text)
    check_schema(found, "diff")
    assert [each["path"] for each in found["data"]["files"]] == [f"/f{n:04}" for n in range(1203)]
    same = cli.json("diff", old, old)["data"]
    assert (same["files"], same["causes"], same["size_delta"]) == ([], [], 0)


def test_one_image_twice_does_not_differ(cli: Cli, pair: tuple[Path, Path]) -> None:
    """Said in one line, and nothing for --exit-code to see."""
    old, new = pair
    assert cli.run("diff", old, old, "--exit-code").lines == [
        "no difference in what a container sees"
    ]
    assert cli.run("diff", old, new, "--exit-code", code=1).out
    assert cli.run("diff", old, new).err.startswith("hint: give -f Dockerfile")


def test_changes_can_be_chosen(cli: Cli, pair: tuple[Path, Path]) -> None:
    """By the filter of files; the marks are those of the comparison."""
    lines = cli.run("diff", *told(pair), "--filter", "mark:- /app").lines
    assert "chosen: 2 of 6 changes, -401 bytes" in lines
    data = cli.checked_json("diff", *told(pair), "--filter", "mark:- /app")["data"]
    assert [each["path"] for each in data["files"]] == ["/app/b", "/app/old"]
    assert data["filter"] == "mark:- /app"
    assert data["chosen"]["bytes_delta"] == sum(c["bytes_delta"] for c in data["causes"]) == -401
    assert data["total"]["bytes_delta"] == data["visible_delta"] == -979
    cli.run("diff", *told(pair), "--filter", "nowhere", "--exit-code")
    both = cli.checked_json("diff", *told(pair), "--filter", "app/new | app/old")["data"]
    assert both["renamed"] == 1


def test_times_can_be_left_out(cli: Cli, alone: Path) -> None:
    """As of two builds of the same."""
    old = save(alone / "old.tar", {"a": file(b"1", mtime=1)})
    new = save(alone / "new.tar", {"a": file(b"1", mtime=2)})
    assert "m     0 B  L1→L1  /a  (time)" not in cli.run("diff", old, new).lines
    assert cli.run("diff", old, new, "--files").lines[-1] == "m  0 B  L1→L1  /a  (time)"
    cli.run("diff", old, new, "--ignore-times", "--exit-code")


def test_two_layers_of_one_image(cli: Cli, pair: tuple[Path, Path]) -> None:
    """What a container saw after the one against what it saw after the other."""
    _, new = pair
    told_new: list[str | Path] = [new, "-f", new.with_suffix(".Dockerfile")]
    data = cli.checked_json("diff", *told_new, "--layers", "0", "L2")["data"]
    assert [each["path"] for each in data["files"]] == ["/app", "/app/a", "/app/c", "/app/new"]
    assert [len(data[side]["layers"]) for side in ("old", "new")] == [1, 2]
    (cause,) = data["causes"]
    assert cause["cause"] == "added: RUN make (line 2, stage stage-0)"
    back = cli.json("diff", *told_new, "--layers", "2", "1")["data"]
    assert [(f["path"], f["change"]) for f in back["files"]] == [("/bin/tool", "added")]
    assert back["causes"][0]["cause"] == "removed: RUN rm /bin/tool (line 3, stage stage-0)"
    assert cli.run("diff", *told_new, "--layers", "1", "1", "--exit-code").lines == [
        "no difference in what a container sees"
    ]


def test_one_path_is_compared_by_its_content(cli: Cli, alone: Path) -> None:
    """Line by line where it is text."""
    old = save(alone / "old.tar", {"etc/conf": b"one\ntwo\n"})
    new = save(alone / "new.tar", {"etc/conf": b"one\n2\n"}, {"etc/conf": b"one\nthree\n"})
    lines = cli.run("diff", old, new, "/etc/conf", "--exit-code", code=1).lines
    assert "-two" in lines
    assert "+three" in lines
    lines = cli.run("diff", new, "--layers", "L1", "L2", "etc/conf").lines
    assert "-2" in lines
    assert "+three" in lines
    cli.run("diff", old, old, "/etc/conf", "--exit-code")


def test_markdown_shows_names_as_they_are(cli: Cli, alone: Path) -> None:
    """No name or instruction is a table's end, HTML or a mention."""
    old = save(alone / "old.tar", {"a|b": b"1", "<img src=x>": b"1", "@all": b"1"})
    new = save(alone / "new.tar", {"\x1b[2J`": b"1"})
    out = cli.run("diff", old, new, "--format", "markdown").out
    assert "\x1b" not in out
    assert "| `-` | -1 | /a\\|b |" in out
    assert "/\\<img src=x\\>" in out
    assert "/\\@all" in out
    some = save(alone / "many.tar", {f"f{n:02}": b"1" for n in range(30)})
    assert "and 23 more" in cli.run("diff", old, some, "--format", "markdown").out
    everything = cli.run("diff", old, some, "--format", "markdown", "--files").out
    assert "/f29 |" in everything
    chosen = cli.run("diff", old, some, "--format", "markdown", "--filter", "f2").out
    assert "Chosen: 10 of 33 changes." in chosen
    assert cli.run("diff", old, old, "--format", "markdown").out.count("\n") <= 4


def test_hostile_names_reach_no_terminal(cli: Cli, alone: Path) -> None:
    """They are shown escaped, and are exact in JSON."""
    old = save(alone / "old.tar", {"a\x1b[31m": b"1", "k": symlink("x")})
    new = save(alone / "new.tar", {"b\udcff": b"1", "k": symlink("y")})
    text = cli.run("diff", old, new, "--files", "--stat").out
    assert "\x1b" not in text
    assert "/a\\x1b[31m" in text
    files = cli.checked_json("diff", old, new)["data"]["files"]
    assert [f["change"] for f in files] == ["removed", "added", "modified"]
    assert files[0]["path"] == "/a\x1b[31m"
    assert files[1]["path_b64"] == "L2L/"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["old.tar"], 2),
        (["old.tar", "new.tar", "/etc/os", "more"], 2),
        (["old.tar", "new.tar", "--layers", "0", "1", "/x"], 2),
        (["old.tar", "--layers", "0", "7"], 2),
        (["old.tar", "--layers", "0", "1", "--old-target", "x"], 2),
        (["old.tar", "new.tar", "--format", "yaml"], 2),
        (["old.tar", "new.tar", "--filter", "stag:x"], 2),
        (["old.tar", "new.tar", "--filter", "("], 0),
        (["old.tar", "gone.tar"], 3),
        (["old.tar", "new.tar", "--new-dockerfile", "gone"], 3),
        (["old.tar", "new.tar", "/gone"], 4),
    ],
)
def test_errors_say_what_to_do(
    cli: Cli, pair: tuple[Path, Path], words: list[str], code: int
) -> None:
    """In three lines, with the exit code of their kind."""
    assert pair[0].name == "old.tar"
    if code:
        cli.fail("diff", *words, code=code)
    else:
        cli.run("diff", *words)


def test_two_platforms_are_told(cli: Cli, alone: Path) -> None:
    """They can be compared, but it is mostly a mistake."""
    for name, platform in (("old.tar", "linux/amd64"), ("new.tar", "linux/arm64")):
        made = image(layer({"a": b"1"}), platform=platform)
        (alone / name).write_bytes(docker_archive(made))
    assert "linux/amd64 and linux/arm64" in cli.run("diff", "old.tar", "new.tar").err
    (finding,) = cli.checked_json("diff", "old.tar", "new.tar")["findings"]
    assert finding["code"] == "two-platforms"


def test_more_causes_than_are_shown_are_counted(cli: Cli, alone: Path) -> None:
    """JSON has all of them."""
    steps = tuple(f"step {number}" for number in range(30))
    base: dict[str, Content] = {"a": b"1"}
    old = save(alone / "old.tar", base, steps=("first",))
    new = save(alone / "new.tar", base, *({f"f{n}": b"1"} for n in range(30)), steps=steps)
    lines = cli.run("diff", old, new).lines
    assert "and 10 more causes, +10 B: --json has all" in lines
    assert len(cli.json("diff", old, new)["data"]["causes"]) == 30
    folders = save(alone / "folders.tar", {f"d{n:02}/x": b"1" for n in range(30)})
    assert cli.run("diff", old, folders, "--stat").lines[-1] == "and 11 more folders"


def test_packages_are_told_in_words(cli: Cli, alone: Path) -> None:
    """With the versions they had and have."""
    text = "Package: {}\nStatus: install ok installed\nArchitecture: amd64\nVersion: {}\n\n"
    sides = []
    for name, packages in (
        ("old.tar", {"openssl": "3.0.11", "gone": "1"}),
        ("new.tar", {"openssl": "3.0.15", **{f"p{n}": "1" for n in range(10)}}),
    ):
        status = "".join(text.format(*each) for each in packages.items()).encode()
        sides.append(save(alone / name, {"var/lib/dpkg/status": status}))
    lines = cli.run("diff", *sides).lines
    assert "packages: 1 changed: openssl 3.0.11 → 3.0.15" in lines
    assert "packages: 10 added: +p0, +p1, +p2, +p3, +p4, +p5, +p6, +p7, 2 more" in lines
    assert "packages: 1 removed: -gone" in lines
    told_of = cli.checked_json("diff", *sides)["data"]["packages"]
    assert [each for each in told_of if each["name"] == "openssl"] == [
        {"kind": "dpkg", "name": "openssl", "architecture": "amd64", "path": None,
         "old": "3.0.11", "new": "3.0.15"},
    ]  # fmt: skip
    assert "- packages 1 removed" in cli.run("diff", *sides, "--format", "markdown").out


def test_a_damaged_image_is_compared_as_far_as_it_goes(cli: Cli, alone: Path) -> None:
    """And the command says that it is not whole."""
    whole = save(alone / "old.tar", {"a": b"1" * 4000, "b": b"2" * 4000})
    cut = layer({"a": b"1" * 4000, "b": b"2" * 4000})[:5200]
    (alone / "new.tar").write_bytes(docker_archive(image(cut)))
    answer = cli.run("diff", whole, "new.tar", "--files", code=3)
    assert "/b" in answer.out
    assert "not whole" in answer.err


def _disk(cli_sample: Path) -> Disk:
    """Put a sample's layers on a disk, by the manifest in its archive."""
    disk = Disk()
    with tarfile.open(fileobj=io.BytesIO(lzma.decompress(cli_sample.read_bytes()))) as tar:

        def read(name: str) -> bytes:
            member = tar.extractfile(name)
            assert member is not None
            return member.read()

        manifest: list[dict[str, Any]] = json.loads(read("manifest.json"))
        for number, name in enumerate(manifest[0]["Layers"]):
            disk.put(number, read(name))
    return disk


def test_sums_of_a_sample_pair_are_what_two_disks_say(cli: Cli) -> None:
    """The tutorial's two builds in small: every byte is some cause's, and every path."""
    old, new = (SAMPLES / "tiny-app" / f"{kind}.tar.xz" for kind in ("regular", "multistage"))
    ours, theirs = _disk(old), _disk(new)
    before, after = (sum(disk.visible().values()) for disk in (ours, theirs))
    data = cli.checked_json("diff", old, new)["data"]
    assert before + sum(cause["bytes_delta"] for cause in data["causes"]) == after
    files = {each["path"][1:]: each for each in data["files"] if each["change"] == "added"}
    gone = {each["path"][1:]: each for each in data["files"] if each["change"] == "removed"}
    assert {p for p, f in files.items() if f["new"]["type"] != "dir"} == (
        theirs.files.keys() - ours.files.keys()
    )
    assert {p for p, f in gone.items() if f["old"]["type"] != "dir"} == (
        ours.files.keys() - theirs.files.keys()
    )
    words = [cause["cause"] for cause in data["causes"]]
    assert words[0] == "base image tiny-node:14 → tiny-node:14-slim (L1-L3 → L1)"
    assert words[1] == "left behind in stage build: RUN npm install (line 6, stage build)"
    assert "left behind in stage build: COPY . . (line 8, stage build)" in words
