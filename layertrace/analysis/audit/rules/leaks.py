"""Rules about what was needed to build and is nobody's business who runs it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from layertrace.analysis.audit.globs import PathSet
from layertrace.analysis.audit.kinds import Verdict
from layertrace.analysis.audit.subject import Stored, counted, in_order, of_image
from layertrace.analysis.leftovers.patterns import Matcher
from layertrace.analysis.leftovers.rules import RULES
from layertrace.model.entry import EntryKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from layertrace.analysis.audit.policy import Setting
    from layertrace.analysis.audit.subject import Subject
    from layertrace.layers.index import LayerIndex
    from layertrace.model.audit import Match
    from layertrace.rootfs.places import Place

_FILE: Final = int(EntryKind.FILE)
_SUFFIXES: Final = (
    "ts tsx mts cts jsx vue svelte coffee scss sass less elm c cc cpp cxx h hh hpp hxx m mm go rs "
    "java kt kts scala groovy clj cs fs vb swift zig hs ml mli f90 f95 pyx pxd erl dart proto"
)
_SOURCE: Final = re.compile(rf"(?<!\.d)\.(?:{'|'.join(_SUFFIXES.split())})\Z")
_MAP: Final = re.compile(r"\.(?:[cm]?js|css)\.map\Z")
_OTHERS: Final = re.compile(
    r"(?:^|/)(?:node_modules|site-packages|dist-packages|vendor|bower_components)/"
    r"|^(?:usr/(?:local/)?(?:include|lib(?:32|64|exec)?|share|go)|lib(?:32|64)?|etc|proc|sys)/"
)
"""Where dependencies and the system lie: not the sources of who builds the image."""
_CACHES: Final = tuple(
    rule for rule in RULES if rule.name.endswith(("-cache", "-lists")) and rule.name != "home-cache"
)
_VCS: Final = re.compile(
    r"(?:^|/)(?:\.git|\.hg|\.svn|\.bzr|\.jj|_darcs|CVS(?=/(?:Root|Entries)))(?=/)"
)


def judge_sources(subject: Subject, setting: Setting) -> Verdict:
    """Find source code that a compiler has to read before it can run."""
    return _judge(subject, setting, _SOURCE, "source code")


def judge_source_maps(subject: Subject, setting: Setting) -> Verdict:
    """Find source maps: they hold the sources, whole."""
    return _judge(subject, setting, _MAP, "a source map")


def _judge(subject: Subject, setting: Setting, names: re.Pattern[str], what: str) -> Verdict:
    def own(index: LayerIndex) -> Iterator[int]:
        for number, path in enumerate(index.paths):
            is_named = names.search(path) is not None and _OTHERS.search(path) is None
            if is_named and index.kinds[number] == _FILE and index.sizes[number]:
                yield number

    matches = []
    for stored in subject.stored(setting, own):
        size = subject.index(stored.place).sizes[stored.place.number]
        matches.append(subject.found(stored, f"{what}, {counted(size, 'byte')}"))
    return Verdict(matches=in_order(matches))


@dataclass(slots=True)
class _Folder:
    """What all layers hold of one folder."""

    path: str
    place: Place
    """Of its first entry, in the lowest layer."""
    visible: bool = False
    files: int = 0
    bytes: int = 0

    @property
    def stored(self) -> Stored:
        """The folder as an entry."""
        return Stored(self.path, self.place, visible=self.visible)

    @property
    def words(self) -> str:
        """How much it is."""
        return f"{counted(self.files, 'file')}, {counted(self.bytes, 'byte')}"

    def add(self, size: int, *, visible: bool) -> None:
        """Count one more entry."""
        self.files += 1
        self.bytes += size
        self.visible |= visible


def judge_vcs(subject: Subject, setting: Setting) -> Verdict:
    """Find folders of version control, which hold every version of every file."""
    folders: dict[str, _Folder] = {}
    for stored in subject.stored(setting, _under_control):
        found = _VCS.search(stored.path)
        path = stored.path if found is None else stored.path[: found.end()]
        folder = folders.setdefault(path, _Folder(path, stored.place))
        size = subject.index(stored.place).sizes[stored.place.number]
        folder.add(size, visible=stored.visible)
    return Verdict(
        matches=in_order(
            subject.found(folder.stored, f"version control, {folder.words}")
            for folder in folders.values()
        )
    )


def _under_control(index: LayerIndex) -> Iterator[int]:
    for number, path in enumerate(index.paths):
        if index.kinds[number] == _FILE and _VCS.search(path):
            yield number


def judge_caches(subject: Subject, setting: Setting) -> Verdict:
    """Find what package managers keep for the next time, which an image does not have."""
    matcher = Matcher(_CACHES, {})
    folders: dict[tuple[int, str], _Folder] = {}

    def kept(index: LayerIndex) -> Iterator[int]:
        for number, path in enumerate(index.paths):
            if index.kinds[number] == _FILE and index.sizes[number] and matcher.claim(path):
                yield number

    for stored in subject.visible(setting, kept):
        claim = matcher.claim(stored.path)
        if claim is not None:
            folder = folders.setdefault(claim, _Folder(claim.root, stored.place))
            size = subject.index(stored.place).sizes[stored.place.number]
            folder.add(size, visible=True)
    return Verdict(
        matches=in_order(
            subject.found(
                folder.stored,
                f"{_CACHES[rule].name}, {folder.words}: {_CACHES[rule].advice}",
            )
            for (rule, _), folder in folders.items()
        )
    )


def judge_secrets(subject: Subject, setting: Setting) -> Verdict:
    """Find credentials by name and content, also in files that only lower layers hold."""
    found = subject.secrets
    verdict = _judge_secrets(subject, setting, found.matches)
    if found.more and found.matches:
        more = of_image(f"{found.more:,} more, which are not listed")
        return replace(verdict, matches=(*verdict.matches, more))
    return verdict


def judge_doubtful_secrets(subject: Subject, setting: Setting) -> Verdict:
    """Find what has the form of credentials and is likely an example, or public."""
    return _judge_secrets(subject, setting, subject.secrets.doubtful)


def _judge_secrets(subject: Subject, setting: Setting, found: Iterable[Match]) -> Verdict:
    allowed = PathSet(setting.allow)
    brought = {layer.index for layer in subject.head.layers if layer.base and not setting.base}
    matches = in_order(
        match
        for match in found
        if match.layer not in brought and not (match.path is not None and match.path in allowed)
    )
    unreadable = subject.secrets.unreadable
    skipped = f"{counted(unreadable, 'stored file')} could not be read" if unreadable else ""
    return Verdict(matches=matches, skipped=skipped)
