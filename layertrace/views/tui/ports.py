"""What the TUI asks of whoever opens images; the pipeline offers it.

Calls other than reading attributes may take long and are made in one thread
that is not the TUI's: see :mod:`layertrace.views.tui.background`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from layertrace.model.files import FileRecord, FileTable, ShareRow, Version
    from layertrace.model.image import Platform
    from layertrace.model.origin import Chain
    from layertrace.model.trace import ImageHead
    from layertrace.pipeline.watch import Phase
    from layertrace.provenance.trees import Item
    from layertrace.views.lists.rows import Listing
    from layertrace.views.picking.offers import Kind, Offer


class WalkProgress(Protocol):
    """How far the walk is."""

    @property
    def layer(self) -> int:
        """Index of the layer being read."""
        ...

    @property
    def layers(self) -> int:
        """How many there are."""
        ...

    @property
    def bytes_done(self) -> int:
        """Bytes read of all layers."""
        ...

    @property
    def bytes_total(self) -> int | None:
        """Bytes to read in all; None where the source does not say."""
        ...

    @property
    def entries(self) -> int:
        """Entries met so far."""
        ...

    @property
    def phase(self) -> Phase:
        """What is read now."""
        ...

    @property
    def estimated(self) -> bool:
        """Whether the bytes in all are about right, and layers come in any order."""
        ...


class Trace(Protocol):
    """An image whose layers were walked."""

    @property
    def head(self) -> ImageHead:
        """With sizes and what each stage ships."""
        ...

    @property
    def table(self) -> FileTable:
        """Every path."""
        ...

    def record(self, path: str) -> FileRecord:
        """Return all that is known of one path.

        Raises:
            PathNotFoundError: the final image does not hold it.
        """
        ...

    def chain(self, path: str) -> Chain:
        """Return where one path came from; may hash content."""
        ...

    def versions(self, path: str) -> tuple[Version, ...]:
        """Return what each layer did to one path."""
        ...

    def item_at(self, row: int) -> Item | None:
        """Return the entry behind a row of the table; quick, so called while drawing.

        None: no entry made it, only what lies below it.
        """
        ...

    def shares(self) -> tuple[ShareRow, ...]:
        """Return stages, bases, context and what of each ships."""
        ...


class Opening(Protocol):
    """An image that was opened, its layers not walked yet."""

    @property
    def head(self) -> ImageHead:
        """Stages, layers and Dockerfile; sizes are None."""
        ...

    @property
    def compared(self) -> tuple[str, ...]:
        """Names of what the image is compared with, as they are."""
        ...

    def walk(self, progress: Callable[[WalkProgress], None], stop: Callable[[], bool]) -> Trace:
        """Read the layers.

        Raises:
            LayertraceError: a layer cannot be read.
            StoppedError: ``stop`` returned True.
        """
        ...

    def so_far(self) -> Trace | None:
        """Return the image by the layers that were read by now, while or after walking.

        None: not one was.
        """
        ...

    def head_so_far(self) -> ImageHead:
        """Return the head with the sizes of the layers that were read by now; quick."""
        ...


class Opener(Protocol):
    """Opens an image; called in the thread that reads."""

    def __call__(
        self, progress: Callable[[WalkProgress], None], stop: Callable[[], bool], /
    ) -> Opening:
        """Return the image, opened.

        Raises:
            LayertraceError: it cannot be.
            StoppedError: ``stop`` returned True.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TuiOptions:
    """How the TUI looks and what it may say about the command that started it."""

    ascii: bool = False
    """Marks, folds and frames in ASCII."""
    theme: str | None = None
    """A theme's name; None: chosen by the terminal and ``NO_COLOR``."""
    color: bool = True
    """False: a theme without hues."""
    columns: tuple[str, ...] = ()
    """Columns of pane 2 besides those that it always has, by their names."""
    keys: Mapping[str, str] = field(default_factory=dict)
    """Other keys for actions, by the ids of those."""
    asked: tuple[str, ...] = ()
    """Options of the command that say how to read the image: one that is copied needs them too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparing:
    """How an image is compared with an older one."""

    make: Callable[[Any, str], Listing]
    """Opens the image of that name and lists what changed since; reads both."""
    against: str | None = None
    """The older one to compare with from the start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What else there is to opening images."""

    open: Callable[[str, Platform | None], Opener]
    """Makes what opens the image of that reference for that platform; None: as the user said."""
    chosen: bool = False
    """The user named a platform: there is nothing to ask."""
    trouble: Callable[[], str] = str
    """Says why nothing can be kept for the next time; nothing where all is well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picking:
    """What can be opened, where no image was named."""

    open: Callable[[str], Opener]
    """Makes what opens the image of that reference."""
    look: Mapping[Kind, Callable[[], tuple[Offer, ...]]]
    """Looks for images, a kind each in the order in which they are shown; may take its time,
    and raise a :class:`LayertraceError` that says why there are none."""
