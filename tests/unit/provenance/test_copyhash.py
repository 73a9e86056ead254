"""The classic builder's COPY hash, against what real builds wrote into their histories.

Built by engine 20.10.24 on a Debian host; the contexts were sent by the docker command of
20.10, and by that of 28.2, which sends what the Docker SDK sends. Every expected hash stands
in the history of the image that the instruction beside it made.
"""

from __future__ import annotations

import hashlib
import tarfile
from typing import TYPE_CHECKING, Final

import pytest

from layertrace.dockerfile.parse import parse_build
from layertrace.model.bundle import ContextEntry
from layertrace.model.image import HistoryEntry
from layertrace.provenance.alignment.spelling import read_created_by
from layertrace.provenance.context_tree import ContextTree
from layertrace.provenance.copyhash import CopyHash, Owners, read_hash
from layertrace.provenance.rootfs_tree import RootfsTree
from tests.builders import Content, Member, file, folder, symlink
from tests.tracing import context_tree, rootfs_tree

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from layertrace.model.build import Instruction
    from layertrace.rootfs.places import Place

CONTEXT: Final[Mapping[str, Content]] = {
    "a.txt": b"one\n",
    "b.txt": b"two\n",
    "none": b"",
    "d": folder(),
    "d/f": file(b"d1\n", mode=0o4755),
    "d/link": symlink("f"),
    "d/gone": symlink("missing"),
    "d/up": symlink("/"),
    "d/ü": folder(0o700),
    "d/ü/x": b"x\n",
    "l": symlink("d"),
    "m": folder(),
    "m/1.c": b"1\n",
    "m/2.c": folder(),
    "m/2.c/in": b"in\n",
    "m/3.h": b"3\n",
}
PARTLY_IGNORED: Final[Mapping[str, Content]] = {
    "h1": b"h\n",
    "h2": Member(type=tarfile.LNKTYPE, link="h1", content=b"h\n"),
    "ign/keep": folder(),
    "ign/keep/q": b"q\n",
}
"""``ign`` was ignored and ``!ign/keep`` was not; ``h2`` is a hard link."""
CAPABILITY: Final = bytes.fromhex("0100000200040000000000000000000000000000")
STAGE: Final[Mapping[str, Content]] = {
    "usr": folder(),
    "usr/f": b"f\n",
    "usr/www": file(b"w\n", uid=33, gid=33),
    "usr/odd": file(b"o\n", uid=4321, gid=4322),
    "usr/cap": file(b"c\n", mode=0o755, capability=CAPABILITY),
    "usr/pipe": Member(type=tarfile.FIFOTYPE),
    "usr/s": symlink("f"),
    "usr/gone": symlink("../lost"),
    "usr/dir": symlink("sub"),
    "usr/sub": folder(0o1777),
    "usr/twin": Member(type=tarfile.LNKTYPE, link="usr/f"),
    "usr/sub/e": b"",
    "deep/er/y": b"y\n",
}
HOST: Final = Owners(users={0: "root", 33: "www-data"}, groups={0: "root", 33: "www-data"})


def copying(text: str) -> Instruction:
    """Return one COPY or ADD."""
    build = parse_build(f"FROM scratch AS build\nRUN make\nFROM scratch\n{text}\n")
    return build.stages[1].instructions[0]


FROM_CONTEXT: Final = {
    "COPY a.txt /": (
        "file:10e2dd0f00fd23499597fed9d8453224b97b76b22ed1f8bfab8efdf2b79ed26d",
        "file:fb2ef221e83c84a93740c829bee4baab212d1689bfb4058b34bada70a5899e97",
    ),
    "COPY none /": (
        "file:efd6fe3d9928fd194c0cf935df03eb2b920768f0a11fc83e6098989337d3ff97",
        "file:fbe96f6877cee81211407579ab20cd4301acbf8c0e4f759855cba6e1b81d3465",
    ),
    "COPY ./a.txt b.txt /t/": (
        "multi:e350acbe9ce058df57bfaa920e0ff831c3fdc5643694173e274fa72ac5e52171",
        "multi:92a9dcb8a757994f4dfc2a0ca59354a4d4146763a390eec1277851edc62e346c",
    ),
    "COPY d /d": (
        "dir:d010573938d7e7ded5cc4747cecd25aef38b7616347b2a24caaff666a9f3ec4f",
        "dir:e5f3ae9c2657aa41b6132d0038e61b5c4473fe0289bf551fdd4a5cced4b1af16",
    ),
    "COPY l /l": (
        "dir:d010573938d7e7ded5cc4747cecd25aef38b7616347b2a24caaff666a9f3ec4f",
        "dir:e5f3ae9c2657aa41b6132d0038e61b5c4473fe0289bf551fdd4a5cced4b1af16",
    ),
    "COPY m/*.c /c/": (
        "multi:e88e9a591c3aa812909d5f8b65684991534b2f40e33f1ac0decf6c8bad376013",
        "multi:50c033f52791ec8f3a7caedc7483d51eed2758f9e28b729022179ff381fe3ac7",
    ),
    "COPY --chown=7:7 a.txt /o": (
        "file:10e2dd0f00fd23499597fed9d8453224b97b76b22ed1f8bfab8efdf2b79ed26d",
        "file:fb2ef221e83c84a93740c829bee4baab212d1689bfb4058b34bada70a5899e97",
    ),
    "COPY m /m": (
        "dir:1678a07a70fd5cc4a498458d971fcea3da2d44c26166c92ea5eab37cf3b05b2a",
        "dir:f971b218dc4a46328b26ab5e674f7afc31f81bd7c643d4c9a560ced2d24aed0a",
    ),
}
"""Instruction to its hash, the context sent by the command of 20.10 and by that of 28.2."""
FROM_PARTLY_IGNORED: Final = {
    "COPY h2 /": (
        "file:f6991074de2eae9f32a0d394546e11b58c52f74b131a5f278eeb01c73ac2ce7f",
        "file:c88cd226a465eb3c7a0e6b5df2e8ef85b9c21e092064a4202b3ead354762f279",
    ),
    "COPY h1 h2 /hh/": (
        "multi:58a9b1e854abc67da6141ebe8b02fe8ccb1a94785589953861bae52a64ac1f37",
        "multi:314fd084f0a79247e86ea3badbbc7b4dd6fdc59360382578079e3fb57f796702",
    ),
    "COPY ign /ign": (
        "dir:04cc686dfa10fc63ecf00c3af3fab055a881ae72722082465d3159d491a08bd4",
        "dir:b498e4d131bd29fa8357a71d1a568334dbaf6863e21d69f54b2be40c6831b68b",
    ),
    "COPY . /": (
        "dir:238636a38c0b644609675b26c9711e9971c7f54894ea842c5ef592fca2adf0e4",
        "dir:7bbdded29fe3f34211589bfd517a2f45d17241608f0be7095ef27ba0a7e93adb",
    ),
}
FROM_STAGE: Final = {
    "COPY --from=build /usr /usr": (
        "dir:d2429985f1f6427777c56be94c87448339f4b3354ec9c026ee7b503a782826b9"
    ),
    "COPY --from=build /usr/f /f": (
        "file:f466cbd9843bc98a6fab2852e843cc3c6ac94677091bb0f89d7fb765d89e69e9"
    ),
    "COPY --from=build usr/s /s": (
        "file:f466cbd9843bc98a6fab2852e843cc3c6ac94677091bb0f89d7fb765d89e69e9"
    ),
    "COPY --from=build /usr/dir /dir": (
        "dir:101276da2b5df128990932ce5e1c0fcc518745eb046d51d979f7321d3bb97382"
    ),
    "COPY --from=build /deep /deep": (
        "dir:5eb2e1d84d1fd9576933cd81a88ffbf529786f1ea3b00aa469ca15bd4b554b16"
    ),
    "COPY --from=build /usr/[of]* /q/": (
        "multi:7ddc54138a74419c262c3a91a0bf3129ada9168e3ab62944f393e18fc3150bc4"
    ),
    "COPY --from=build /usr/odd /odd": (
        "file:2817f6dfd170ede3ec72083da855c504313a1cd87d0b1e96d35b336e7bcbf6a4"
    ),
    "COPY --from=build /usr/www /www": (
        "file:f30b3ad88eb7dca3c5034329fef5c8106c3eb007d3100266a5af2d2ce3514938"
    ),
    "COPY --from=build /usr/cap /cap": (
        "file:054a9c34751105d52e7e35accfe6079cb072b989e7723dcbe74d2a5a467ffe94"
    ),
    "COPY --from=build /usr/sub /sub": (
        "dir:101276da2b5df128990932ce5e1c0fcc518745eb046d51d979f7321d3bb97382"
    ),
}


@pytest.mark.parametrize("sent_by", [0, 1], ids=["20.10", "28.2"])
@pytest.mark.parametrize("text", FROM_CONTEXT)
def test_hash_of_a_copy_from_the_context_recomputes(text: str, sent_by: int) -> None:
    """Either command's context gives the hash that the history holds."""
    copied = CopyHash(copying(text), context_tree(CONTEXT))

    assert copied.recomputes(FROM_CONTEXT[text][sent_by])


@pytest.mark.parametrize("sent_by", [0, 1], ids=["20.10", "28.2"])
@pytest.mark.parametrize("text", FROM_PARTLY_IGNORED)
def test_hash_recomputes_where_links_were_sent_and_a_folder_was_not(
    text: str, sent_by: int
) -> None:
    """A hard link counts as such, and a folder that was ignored by its name."""
    copied = CopyHash(copying(text), context_tree(PARTLY_IGNORED))

    assert copied.recomputes(FROM_PARTLY_IGNORED[text][sent_by])


@pytest.mark.parametrize("text", FROM_STAGE)
def test_hash_of_a_copy_from_a_stage_recomputes(text: str) -> None:
    """Engine 20.10's hash comes out, links, owners, pipes and capabilities included."""
    copied = CopyHash(copying(text), rootfs_tree(STAGE), HOST)

    assert copied.recomputes(FROM_STAGE[text])


def test_owner_that_this_host_does_not_know_is_not_guessed() -> None:
    """A file of an owner that had a name on the building host proves nothing elsewhere."""
    text = "COPY --from=build /usr/www /www"

    assert not CopyHash(copying(text), rootfs_tree(STAGE)).recomputes(FROM_STAGE[text])


def test_engine_29_writes_neither_the_kind_nor_names() -> None:
    """What engine 29 hashes of a stage's file is its plain mode, and nobody's name."""
    text = "COPY --from=build /usr/f /f"
    header = "nameusr/fmode420uid0gid0size2typeflag0linknameunamegnamedevmajor0devminor0"
    wanted = f"file:{hashlib.sha256(f'{header}f{chr(10)}'.encode()).hexdigest()}"

    assert CopyHash(copying(text), rootfs_tree(STAGE), HOST).recomputes(wanted)


@pytest.mark.parametrize(
    ("path", "other"),
    [
        pytest.param("d/ü/x", b"X\n", id="content"),
        pytest.param("d/f", file(b"d1\n", mode=0o755), id="mode"),
        pytest.param("d/link", symlink("ü/x"), id="link"),
        pytest.param("d/new", b"", id="one-more"),
    ],
)
def test_hash_of_another_context_is_another(path: str, other: Content) -> None:
    """One file changed, added or led elsewhere: that was not what was copied."""
    copied = CopyHash(copying("COPY d /d"), context_tree({**CONTEXT, path: other}))

    assert not any(map(copied.recomputes, FROM_CONTEXT["COPY d /d"]))


def test_times_are_not_in_the_hash() -> None:
    """A source that was only touched has the hash it had."""
    touched = context_tree({**CONTEXT, "a.txt": file(b"one\n", mtime=1234567890)})

    assert CopyHash(copying("COPY a.txt /"), touched).recomputes(FROM_CONTEXT["COPY a.txt /"][0])


@pytest.mark.parametrize(
    "text",
    ["COPY lost /", "COPY a.txt lost /", "COPY x*.c /", "ADD https://example.org/a.txt /"],
)
def test_source_that_is_not_there_has_no_hash(text: str) -> None:
    """What is missing, matched by nothing or on the net is never read and never right."""
    copied = CopyHash(copying(text), context_tree(CONTEXT))

    assert copied.cost is None
    assert not copied.recomputes(FROM_CONTEXT["COPY a.txt /"][0])


@pytest.mark.parametrize(
    ("text", "stage"),
    [
        pytest.param(
            "COPY --from=build /dev /dev",
            {"dev/null": Member(type=tarfile.CHRTYPE, device=(1, 3))},
            id="device-inside",
        ),
        pytest.param(
            "COPY --from=build /null /",
            {"null": Member(type=tarfile.CHRTYPE, device=(1, 3))},
            id="device",
        ),
        pytest.param(
            "COPY --from=build /x /x",
            {"x/a": symlink("b"), "x/b": symlink("a")},
            id="links-in-a-circle",
        ),
    ],
)
def test_hash_is_not_tried_where_its_rule_is_not_known(
    text: str, stage: Mapping[str, Content]
) -> None:
    """Devices and links that lead nowhere but round were not measured."""
    assert CopyHash(copying(text), rootfs_tree(stage)).cost is None


def test_cost_is_what_must_be_read() -> None:
    """The files below the source are read, nothing else, and nothing before it is asked for."""
    assert CopyHash(copying("COPY a.txt b.txt /t/"), context_tree(CONTEXT)).cost == 8
    assert CopyHash(copying("COPY --from=build /usr/sub /s"), rootfs_tree(STAGE)).cost == 0
    assert CopyHash(copying("COPY none /"), context_tree(CONTEXT)).cost == 0


def test_tree_without_contents_gives_no_hash() -> None:
    """A listing with digests is not enough: the hash is over header and content together."""
    entry = ContextEntry(path="a.txt", kind="file", size=4, mode=0o644, mtime=0)
    bare = rootfs_tree(STAGE).rootfs

    assert CopyHash(copying("COPY a.txt /"), ContextTree([entry])).cost is None
    tree = RootfsTree(bare, lambda _: "")
    assert CopyHash(copying("COPY --from=build /usr/f /f"), tree).cost is None


def test_file_that_cannot_be_read_any_more_proves_nothing() -> None:
    """Contents that were there when the image was opened may be gone when they are read."""

    class Gone:
        def cost(self, files: Iterable[Place]) -> int:
            return 0

        def sums(self, headers: Mapping[Place, Sequence[bytes]]) -> Mapping[Place, Sequence[str]]:
            return {}

    tree = RootfsTree(rootfs_tree(STAGE).rootfs, lambda _: "", Gone())
    text = "COPY --from=build /usr/f /f"

    assert not CopyHash(copying(text), tree).recomputes(FROM_STAGE[text])


def test_hash_of_a_kind_that_cannot_be_is_refused_unread() -> None:
    """One file's hash is never that of a directory or of several sources."""
    copied = CopyHash(copying("COPY a.txt /"), context_tree(CONTEXT))

    assert not copied.recomputes(FROM_CONTEXT["COPY d /d"][0])


@pytest.mark.parametrize(
    ("created_by", "found"),
    [
        (f"/bin/sh -c #(nop) COPY file:{'a' * 64} in / ", f"file:{'a' * 64}"),
        (f"/bin/sh -c #(nop) COPY --chown=1:1dir:{'a' * 64} in /x ", f"dir:{'a' * 64}"),
        (f"/bin/sh -c #(nop) COPY --chown=1:1 multi:{'a' * 64} in /x ", f"multi:{'a' * 64}"),
        (f"/bin/sh -c #(nop) ADD file:{'a' * 64} in / ", f"file:{'a' * 64}"),
        (f"/bin/sh -c #(nop) ADD {'a' * 64} in / ", None),
        (f"/bin/sh -c #(nop) CMD file:{'a' * 64} in / ", None),
        (f"COPY file:{'a' * 64} in / # buildkit", None),
    ],
)
def test_recorded_hash_is_read_in_every_spelling(created_by: str, found: str | None) -> None:
    """20.10 leaves no space after an owner, 29 does; other builders have no such hash."""
    assert read_hash(read_created_by(HistoryEntry(created_by=created_by))) == found
    assert read_hash(None) is None
