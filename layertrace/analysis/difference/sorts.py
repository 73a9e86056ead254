"""Of which sort a changed path is: build tools, caches, sources and so on."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Final, NamedTuple

from layertrace.analysis.leftovers.node_modules import LIMITS, find_development, is_lock, read_lock
from layertrace.errors import LayertraceError
from layertrace.model.entry import EntryKind
from layertrace.model.packages import PackageKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from layertrace.analysis.leftovers.node_modules import Lock
    from layertrace.model.packages import PackageTable
    from layertrace.pipeline.answers import ImageTrace

TOOLS: Final = "build tools"
DEVELOPMENT: Final = "development dependencies"
DEPENDENCIES: Final = "dependencies"
CACHES: Final = "caches"
LEFTOVERS: Final = "logs and temporary files"
SOURCES: Final = "sources"
DOCUMENTS: Final = "documentation"
SYSTEM: Final = "system packages"
HISTORY: Final = "version control"
OTHER: Final = "other files"

_MODULES: Final = "node_modules"
_LANGUAGES: Final = frozenset({PackageKind.NPM, PackageKind.PIP})
_LOCKS: Final = 64
"""Lock files that are read."""
_BYTECODE: Final = "__pycache__"
_CACHES: Final = re.compile(
    r"(?:^|/)(?:\.npm|\.cache|_cacache|\.yarn|\.pnpm-store|\.m2|\.gradle|\.ivy2|\.nuget"
    r"|\.cargo/registry|go/pkg/mod|\.node-gyp)(?=/|$)|^var/(?:cache|lib/apt/lists)(?=/|$)"
)
_LEFTOVERS: Final = re.compile(r"^(?:tmp|var/tmp|var/log)(?=/|$)")
_DOCUMENTS: Final = re.compile(r"^usr/(?:local/)?share/(?:doc|man|info|locale|gtk-doc)(?=/|$)")
_TOOL_FOLDERS: Final = re.compile(
    r"^usr/(?:local/)?(?:(?:lib|libexec)/(?=gcc|git-core|clang|llvm-)|(?:lib|share)/(?=python|cmake"
    r"|autoconf|automake|aclocal|libtool|bison)|(?=include))(?P<name>gcc-cross|git-core|[a-z]+"
    r"(?:-?\d[\d.-]*)?)(?=/|$)"
)
_TOOL_NAMES: Final = re.compile(
    r"^(?:usr/)?(?:local/)?bin/(?:[\w-]+-linux-[a-z]+-)?(?P<name>gcc|g\+\+|c\+\+|cpp|cc|clang|make"
    r"|gmake|cmake|ld|as|ar|git|python|gdb|autoconf|automake|m4|hg|svn|patch|strip|objdump|nm"
    r"|ranlib|pkg-config)(?:-?\d[\w.]*)?$"
)
_STATIC: Final = re.compile(r"^(?:usr/)?(?:local/)?lib(?:64)?/.*\.(?:a|la|o)$")
_FAMILIES: Final = (
    ("clang and llvm", r"(lib)?(clang|llvm)"),
    ("gcc", r"(gcc|g\+\+|cpp)(-|$)|lib(gcc|stdc\+\+|objc)-\d+-dev"),
    ("gcc", r"lib(asan|tsan|ubsan|lsan|itm|quadmath|cc1|isl|mpc|mpfr|gomp|atomic)-?\d"),
    ("binutils", r"(lib)?binutils|libctf"),
    ("python3", r"(lib)?python\d|python3?-"),
    ("git", r"git(-|$)"),
    ("mercurial", "mercurial"),
    ("subversion", "subversion|libsvn"),
    ("make", "make$"),
    ("cmake", "cmake"),
    ("autotools", r"autoconf|automake|autotools|libtool|m4$"),
    ("gdb", "gdb"),
    ("build tools", r"build-(essential|base)|(lib)?dpkg-(dev|perl)|patch$|pkg-?conf|bison$|flex$"),
    ("headers of libraries", r".*-dev(el)?(-bin)?$|linux-(libc-dev|headers)|libc-dev-bin|gir1\.2"),
)
"""Of packages that builds need: what people call them, and how their names begin."""
_FAMILY: Final = tuple((name, re.compile(pattern)) for name, pattern in _FAMILIES)
_WORDS: Final = {
    "git-core": "git", "hg": "mercurial", "svn": "subversion", "gcc-cross": "gcc", "g++": "gcc",
    "c++": "gcc", "cpp": "gcc", "cc": "gcc", "clang": "clang and llvm", "gmake": "make",
    "ld": "binutils", "as": "binutils", "ar": "binutils", "strip": "binutils",
    "objdump": "binutils", "nm": "binutils", "ranlib": "binutils", "autoconf": "autotools",
    "automake": "autotools", "aclocal": "autotools", "libtool": "autotools", "m4": "autotools",
    "python": "python3", "llvm": "clang and llvm", "include": "headers of libraries",
    "patch": "build tools", "pkg-config": "build tools", "bison": "build tools",
}  # fmt: skip
"""What people call files and folders of the same that no package owns."""
_NUMBER: Final = re.compile(r"-?\d[\d.-]*$")


class Sort(NamedTuple):
    """A sort, and what of it."""

    sort: str
    name: str


class Sorter:
    """Tells the sort of the paths of one image."""

    def __init__(self, trace: ImageTrace, packages: PackageTable) -> None:
        """Read the lock files that tell what only development needs."""
        self._packages = packages
        self._development = frozenset(_development(trace, packages))
        self._of_folder = cache(_folder_sort)
        self._of_package = cache(_package_sort)

    def sort(self, path: str, *, context: bool) -> Sort:
        """Return the sort of a path; ``context``: it came out of the build context."""
        found = self._of_folder(path.rpartition("/")[0])
        if found is not None and found.sort in {CACHES, LEFTOVERS, HISTORY}:
            return found
        owner = self._packages.owner(path)
        if owner is not None and owner.kind in _LANGUAGES:
            dev = owner.path in self._development
            return Sort(DEVELOPMENT if dev else DEPENDENCIES, owner.name)
        if context:
            return Sort(SOURCES, "")
        if owner is not None:
            return self._of_package(owner.name)
        if _MODULES in path.split("/"):
            return Sort(DEPENDENCIES, "")
        # The folder itself, where the path is that of one.
        return found or self._of_folder(path) or _file_sort(path) or Sort(OTHER, _top(path))


def _development(trace: ImageTrace, packages: PackageTable) -> Iterator[str]:
    rootfs = trace.rootfs
    paths = sorted(path for path in rootfs.seen if is_lock(path))
    locks = {path: lock for path in paths[:_LOCKS] if (lock := _lock(trace, path)) is not None}
    npm = (each for each in packages.packages if each.kind is PackageKind.NPM)
    versions = {f"{each.path}/package.json": each.version for each in npm}
    return find_development(locks, versions, rootfs.seen)


def _lock(trace: ImageTrace, path: str) -> Lock | None:
    place = trace.rootfs.place(path)
    if place is None:
        return None
    index = trace.rootfs.layers[place.layer]
    if index.kinds[place.number] != EntryKind.FILE or index.sizes[place.number] > LIMITS.json:
        return None
    try:
        return read_lock(b"".join(trace.read(path)))
    except LayertraceError:
        # What cannot be read tells of no dependency; comparing the contents says the rest.
        return None


def _package_sort(name: str) -> Sort:
    for family, pattern in _FAMILY:
        if pattern.match(name):
            return Sort(TOOLS, family)
    return Sort(SYSTEM, name)


def _folder_sort(folder: str) -> Sort | None:
    names = folder.split("/")
    if ".git" in names:
        return Sort(HISTORY, "")
    if _BYTECODE in names:
        return Sort(CACHES, _BYTECODE)
    for pattern, sort in ((_CACHES, CACHES), (_LEFTOVERS, LEFTOVERS), (_DOCUMENTS, DOCUMENTS)):
        found = pattern.search(folder)
        if found is not None:
            return Sort(sort, f"/{folder[: found.end()]}")
    found = _TOOL_FOLDERS.match(folder)
    return Sort(TOOLS, _tool(found["name"])) if found is not None else None


def _file_sort(path: str) -> Sort | None:
    found = _TOOL_NAMES.match(path)
    if found is not None:
        return Sort(TOOLS, _tool(found["name"]))
    return Sort(TOOLS, "static libraries") if _STATIC.match(path) else None


def _tool(name: str) -> str:
    word = _NUMBER.sub("", name)
    return _WORDS.get(word, word)


def _top(path: str) -> str:
    names = path.split("/")
    return "/" + "/".join(names[: min(2, max(1, len(names) - 1))])
