"""The image that an audit looks at: what several rules ask of it, asked once."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from layertrace.analysis.audit.globs import PathSet
from layertrace.analysis.facts import ImageFacts
from layertrace.model.audit import Match
from layertrace.rootfs.places import STRIDE, Place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from layertrace.analysis.audit.policy import Setting
    from layertrace.analysis.audit.secrets import Secrets
    from layertrace.layers.index import LayerIndex
    from layertrace.model.build import Build
    from layertrace.model.trace import ImageHead
    from layertrace.pipeline.answers import ImageTrace

    Choose = Callable[[LayerIndex], Iterable[int]]
    """Returns the numbers of the entries of a layer that a rule looks at."""


class Stored(NamedTuple):
    """One entry of one layer."""

    path: str
    place: Place
    visible: bool


class Subject:
    """A traced image, for rules; nothing is worked out before a rule asks for it."""

    def __init__(self, trace: ImageTrace) -> None:
        """Keep the trace."""
        self.trace = trace

    @cached_property
    def head(self) -> ImageHead:
        """The image with sizes."""
        return self.trace.sized_head

    @cached_property
    def build(self) -> Build | None:
        """The Dockerfile, where the image was built from it."""
        return None if self.trace.alignment.contradicted else self.head.build

    @cached_property
    def facts(self) -> ImageFacts:
        """What filters ask beyond the table; each answer is found once."""
        return ImageFacts(self.trace)

    @cached_property
    def secrets(self) -> Secrets:
        """What looks like credentials; every stored file is read for it, once."""
        # It brings its patterns along: only who asks for it pays.
        from layertrace.analysis.audit.secrets import search_secrets  # noqa: PLC0415

        return search_secrets(self.trace)

    def index(self, place: Place) -> LayerIndex:
        """Return the layer that an entry is in."""
        return self.trace.rootfs.layers[place.layer]

    def visible(self, setting: Setting, choose: Choose) -> Iterator[Stored]:
        """Yield what a container sees of what is chosen, without what the setting leaves out."""
        return (stored for stored in self.stored(setting, choose) if stored.visible)

    def stored(self, setting: Setting, choose: Choose) -> Iterator[Stored]:
        """Yield what is chosen of the entries of each layer, without what the setting leaves out.

        A layer at a time, so that of a million entries only those that matter become values.
        """
        allowed, seen = PathSet(setting.allow), self.trace.rootfs.seen
        for layer in self._layers(setting):
            index = self.trace.rootfs.layers[layer]
            for number in choose(index):
                path = index.paths[number]
                if not (setting.allow and path in allowed):
                    is_seen = seen.get(path) == layer * STRIDE + number
                    yield Stored(path, Place(layer, number), visible=is_seen)

    def _layers(self, setting: Setting) -> Iterator[int]:
        return (layer.index for layer in self.head.layers if setting.base or not layer.base)

    def match(self, path: str | None, layer: int, detail: str, *, visible: bool = True) -> Match:
        """Return a match in a layer, with the instruction to change."""
        info = self.head.layers[layer]
        return Match(
            path=path,
            layer=layer,
            stage=info.stage,
            line=info.line,
            instruction=info.instruction,
            visible=visible,
            detail=detail,
        )

    def found(self, stored: Stored, detail: str) -> Match:
        """Return the match that an entry is."""
        return self.match(stored.path, stored.place.layer, detail, visible=stored.visible)


def counted(count: int, noun: str) -> str:
    """Return how many of something there are.

    >>> counted(1, "file"), counted(1200, "byte")
    ('1 file', '1,200 bytes')
    """
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def in_order(matches: Iterable[Match]) -> tuple[Match, ...]:
    """Return matches by path, those that a container sees first."""
    return tuple(sorted(matches, key=lambda m: (not m.visible, m.path or "", m.layer or 0)))


def of_image(detail: str) -> Match:
    """Return a match that is about the image as a whole."""
    return Match(
        path=None, layer=None, stage=None, line=None, instruction=None, visible=True, detail=detail
    )
