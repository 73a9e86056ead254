"""Rules about programs that build images and have no work in one that runs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from layertrace.analysis.audit.kinds import Verdict
from layertrace.analysis.audit.subject import in_order
from layertrace.model.entry import EntryKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from layertrace.analysis.audit.policy import Setting
    from layertrace.analysis.audit.subject import Subject
    from layertrace.layers.index import LayerIndex

_COMPILERS: Final = (
    "as c++ c89 c99 cargo cc clang clang++ cpp csc f77 flang g++ gcc gccgo gdc gfortran ghc "
    "gnat go javac kotlinc ld ld.bfd ld.gold ld.lld lld nvcc ocamlc ocamlopt rustc scalac "
    "swiftc tcc zig"
)
_BUILDERS: Final = (
    "ant autoconf automake bazel bison cmake flex gmake gradle lein libtool make meson mvn ninja "
    "patch sbt scons swig"
)
_DEVELOPERS: Final = "bzr cvs gdb git hg lldb ltrace strace svn valgrind"
_MANAGERS: Final = (
    "apk apt apt-get aptitude conda corepack dnf dnf5 dpkg easy_install gem mamba microdnf "
    "micromamba npm npx pacman pip pip3 pipx pnpm pnpx poetry rpm tdnf uv yarn yarnpkg yum zypper "
    "bundle bundler composer opkg"
)
_FOLDERS: Final = ("/bin", "/sbin", "/games")
"""How folders end that a PATH may lead to."""
_TRIPLET: Final = r"(?:[a-z0-9_]+(?:-[a-z0-9_]+)?-linux-(?:gnu|musl)[a-z0-9]*-)?"
_VERSION: Final = r"(?:-?[0-9]+(?:\.[0-9]+)*)?"
_FILES: Final = frozenset({int(EntryKind.FILE), int(EntryKind.HARDLINK), int(EntryKind.SYMLINK)})
_MULTICALL: Final = frozenset({"busybox", "toybox", "[", "sbase-box", "coreutils"})
"""Programs that have many names: their ``dpkg`` and ``ar`` are none."""


def _named(names: str) -> re.Pattern[str]:
    some = "|".join(re.escape(name) for name in sorted(names.split(), key=len, reverse=True))
    return re.compile(f"{_TRIPLET}(?:{some}){_VERSION}")


_BUILD_TOOLS: Final = _named(f"{_COMPILERS} {_BUILDERS} {_DEVELOPERS}")
_PACKAGE_MANAGERS: Final = _named(_MANAGERS)


def judge_build_tools(subject: Subject, setting: Setting) -> Verdict:
    """Find compilers, linkers, build tools, debuggers and version control."""
    return _judge(subject, setting, _BUILD_TOOLS, "a build tool")


def judge_package_managers(subject: Subject, setting: Setting) -> Verdict:
    """Find what installs packages."""
    return _judge(subject, setting, _PACKAGE_MANAGERS, "a package manager")


def _judge(subject: Subject, setting: Setting, names: re.Pattern[str], what: str) -> Verdict:
    def programs(index: LayerIndex) -> Iterator[int]:
        for number, path in enumerate(index.paths):
            folder, _, name = path.rpartition("/")
            if (
                f"/{folder}".endswith(_FOLDERS)
                and names.fullmatch(name)
                and _is_program(index, number)
            ):
                yield number

    found = (subject.found(stored, what) for stored in subject.visible(setting, programs))
    return Verdict(matches=in_order(found))


def _is_program(index: LayerIndex, number: int) -> bool:
    kind = index.kinds[number]
    if kind not in _FILES:
        return False
    target = index.links.get(number, "").rpartition("/")[2]
    if target in _MULTICALL:
        return False
    # The first name of a program that many names are of is a file like any other.
    return kind == int(EntryKind.SYMLINK) or bool(index.modes[number] & 0o111)
