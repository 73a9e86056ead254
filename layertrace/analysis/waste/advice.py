"""What to change so that bytes are not stored in vain: one line for each pair of steps."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, assert_never

from layertrace.model.waste import Cause

if TYPE_CHECKING:
    from collections.abc import Sequence

    from layertrace.model.waste import WastedPath

_CACHES: Final = (
    "var/cache/apt", "var/lib/apt/lists", "var/cache/apk", "etc/apk/cache", "var/cache/dnf",
    "var/cache/yum", "var/cache/zypp", "var/cache/pacman", ".cache/pip", ".cache/uv",
    ".cache/pypoetry", ".npm", ".cache/yarn", ".yarn/cache", ".cache/node-gyp",
    ".local/share/pnpm/store", ".cache/go-build", "go/pkg/mod", ".cargo/registry", ".cargo/git",
    ".m2/repository", ".gradle/caches", ".nuget/packages", ".composer/cache", ".cache/composer",
    ".bundle/cache", ".cache",
)  # fmt: skip
"""Where package managers keep what they could fetch again, below any folder."""
_DATABASES: Final = ("var/lib/dpkg", "var/cache/debconf", "var/lib/rpm", "lib/apk/db")
"""What a package manager writes anew whenever it installs something."""
# Bounded, for the text may be of a hostile image.
_CHMOD: Final = re.compile(r"\bchmod\s+(?:-\S+\s+){0,4}([0-7]{3,4})\s")
_CHOWN: Final = re.compile(r"\bchown\s+(?:-\S+\s+){0,4}([\w.-]{1,64}(?::[\w.-]{0,64})?)\s")
_REWRITES: Final = re.compile(r"\b(?:chmod|chown|chgrp)\b")
_MOVES: Final = re.compile(r"\bmv\s+([^;&|]{1,400})")
_UPGRADES: Final = re.compile(
    r"\b(?:apt|apk|dnf|yum|zypper)\b[^;&|]{0,200}?upgrade\b"
    r"|\b(?:dnf|yum|zypper)\b[^;&|]{0,200}?\bupdate\b"
)
_LOCKS: Final = re.compile(r"\bnpm\s+(?:i|install|add)\b")
_COPIES: Final = frozenset({"COPY", "ADD"})
_MANY: Final = 2
"""Caches that one line of advice names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Maker:
    """What made a layer, as far as advice depends on it."""

    layer: int
    base: bool = False
    """It came with the base image."""
    line: int | None = None
    keyword: str = ""
    """Of the instruction; empty where several made the layer, or nothing tells."""
    text: str = ""
    source: str | None = None
    """The stage, image or other context that it copied from."""
    source_is_stage: bool = False

    @property
    def name(self) -> str:
        """What the advice calls it."""
        return f"line {self.line}" if self.line is not None else f"L{self.layer + 1}"


def advise(cause: Cause, writer: Maker, undoer: Maker, paths: Sequence[WastedPath]) -> str:
    """Return what to change about what ``writer`` stored and ``undoer`` undid."""
    if writer.layer == undoer.layer:
        return "the builder stored more than one member for a path in this layer: build it anew"
    if undoer.base:
        return "nothing here: it is inside the base image, only another one is without it"
    if writer.base:
        return _about_base(cause, undoer, paths)
    return _about_own(cause, writer, undoer, paths)


def _about_own(cause: Cause, writer: Maker, undoer: Maker, paths: Sequence[WastedPath]) -> str:
    """Return the advice about two steps of the user's own."""
    caches = _caches(paths) if writer.keyword == "RUN" else ()
    if caches:
        mounts = " ".join(f"--mount=type=cache,target=/{cache}" for cache in caches)
        return f"RUN {mounts} in {writer.name}: what is in a cache mount is in no layer"
    match cause:
        case Cause.METADATA:
            return _about_metadata(writer, undoer)
        case Cause.OVERWRITTEN:
            return _about_overwriting(writer, undoer, paths)
        case Cause.REMOVED | Cause.HIDDEN:
            if undoer.keyword == "RUN" and _is_moved(undoer.text, paths):
                return f"put it in its last place in {writer.name}: {undoer.name} moves it"
            return _about_removing(writer, undoer)
    assert_never(cause)


def _about_base(cause: Cause, undoer: Maker, paths: Sequence[WastedPath]) -> str:
    if cause is Cause.METADATA:
        return f"the base image has it otherwise: without {undoer.name}, or with another base image"
    if cause is not Cause.OVERWRITTEN:
        return "a base image without it, such as a slim variant: removing it frees nothing"
    if _UPGRADES.search(undoer.text):
        return f"a newer base image instead of the upgrade in {undoer.name}"
    if _is_mostly(paths, _DATABASES):
        return "a base image that has these packages: to install any rewrites the database"
    return f"a base image that has it as {undoer.name} leaves it"


def _about_metadata(writer: Maker, undoer: Maker) -> str:
    rewrites = undoer.keyword == "RUN" and _REWRITES.search(undoer.text)
    if writer.keyword in _COPIES and rewrites:
        flags = _flags(undoer.text)
        return f"{writer.keyword} {flags} in {writer.name}, instead of {undoer.name}"
    if writer.keyword in _COPIES and undoer.keyword in _COPIES:
        return (
            f"{undoer.name} copies it again: leave it out there (--exclude, .dockerignore), "
            f"or do without {writer.name}"
        )
    if rewrites:
        return f"set owner and mode in {writer.name}, where it is written"
    return f"{undoer.name} writes the same content again: leave it out there"


def _about_overwriting(writer: Maker, undoer: Maker, paths: Sequence[WastedPath]) -> str:
    if writer.keyword == undoer.keyword == "RUN":
        if _is_mostly(paths, _DATABASES):
            return f"install all packages in one RUN: join {writer.name} and {undoer.name}"
        return f"join {writer.name} and {undoer.name} in one RUN, or move both to an earlier stage"
    if undoer.keyword in _COPIES:
        return f"{undoer.name} puts other content there: do not write it in {writer.name}"
    if writer.keyword in _COPIES and undoer.keyword == "RUN":
        if _LOCKS.search(undoer.text) and all(_is_lock(each.path) for each in paths):
            return f"npm ci in {undoer.name}: it leaves the lock file as {writer.name} copies it"
        return f"have it so before {writer.name} copies it: in the source, or an earlier stage"
    return f"write it once: in {writer.name}, or in {undoer.name}"


def _about_removing(writer: Maker, undoer: Maker) -> str:
    if writer.keyword in _COPIES:
        return _about_copying(writer)
    if writer.keyword == undoer.keyword == "RUN":
        return (
            f"delete it in the RUN of {writer.name} that writes it, or write it in an earlier stage"
        )
    if not writer.keyword:
        return (
            f"a base image without it, if {writer.name} is of one; else delete it there "
            "(-f Dockerfile tells which)"
        )
    return f"delete it in {writer.name}, where it is written: {undoer.name} only hides it"


def _about_copying(writer: Maker) -> str:
    """Return how a COPY does without what is removed later."""
    if writer.source_is_stage:
        return f"delete it in stage {writer.source} before {writer.name} copies it"
    if writer.source is not None:
        return f"copy less of {writer.source} in {writer.name}"
    if "://" in writer.text:
        return f"fetch, use and delete it in one RUN, or keep {writer.name} to an earlier stage"
    return (
        f"keep it out of {writer.name} by .dockerignore; what only a RUN needs, "
        "RUN --mount=type=bind shows it"
    )


def _is_moved(text: str, paths: Sequence[WastedPath]) -> bool:
    """Say whether a command moves the first of some paths, or a folder that it lies in."""
    path = f"/{paths[0].path}/"
    words = (word for found in _MOVES.findall(text) for word in found.split()[:-1])
    names = (word.strip("\"'").rstrip("*").strip("/") for word in words if word[0] != "-")
    return any(name and f"/{name}/" in path for name in names)


def _flags(text: str) -> str:
    """Return the options of COPY that do what the command does."""
    modes, owners = set(_CHMOD.findall(text)), set(_CHOWN.findall(text))
    flags = []
    if re.search(r"\bchmod\b", text):
        flags.append(f"--chmod={modes.pop() if len(modes) == 1 else 'MODE'}")
    if re.search(r"\bch(?:own|grp)\b", text):
        flags.append(f"--chown={owners.pop() if len(owners) == 1 else 'USER:GROUP'}")
    return " ".join(flags)


def _is_lock(path: str) -> bool:
    return path.rpartition("/")[2] == "package-lock.json"


def _caches(paths: Sequence[WastedPath]) -> tuple[str, ...]:
    """Return the caches that most of the bytes lie in, the largest first; () if they do not."""
    found: Counter[str] = Counter()
    for each in paths:
        cache = _folder_of(each.path, _CACHES)
        if cache is not None:
            found[cache] += each.bytes
    if 2 * found.total() <= sum(each.bytes for each in paths):
        return ()
    return tuple(cache for cache, _ in found.most_common(_MANY))


def _is_mostly(paths: Sequence[WastedPath], folders: Sequence[str]) -> bool:
    inside = sum(each.bytes for each in paths if _folder_of(each.path, folders) is not None)
    return 2 * inside > sum(each.bytes for each in paths)


def _folder_of(path: str, folders: Sequence[str]) -> str | None:
    """Return the path's part up to the end of the first of ``folders`` that it holds."""
    within = f"/{path}"
    for folder in folders:
        start = within.find(f"/{folder}/")
        if start >= 0:
            return within[1 : start + 1 + len(folder)]
    return None
