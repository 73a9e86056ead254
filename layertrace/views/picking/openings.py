"""The images that one run of the terminal view opens: with one cache, closed together."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from layertrace.pipeline.hints import Hints
from layertrace.pipeline.trace import open_image
from layertrace.views.options import cache_folder, open_cache

if TYPE_CHECKING:
    from collections.abc import Callable

    from layertrace.model.image import Platform
    from layertrace.pipeline.answers import ImageTrace
    from layertrace.pipeline.trace import Opening
    from layertrace.views.lists.rows import Listing
    from layertrace.views.options import Reading
    from layertrace.views.picking.offers import Kind, Offer
    from layertrace.views.tui.ports import Means, Opener, Picking, WalkProgress


class Openings:
    """Opens images as the user's options say, and remembers which."""

    def __init__(self, reading: Reading, *, remembering: bool) -> None:
        """Open nothing yet.

        Args:
            reading: the options; its image may be none.
            remembering: images that were opened are kept in a list.

        Raises:
            UsageError: an option means nothing.
        """
        self._hints = reading.hints()
        # What the cache holds was made, and left out, by the usual limits.
        off = reading.no_cache or self._hints.limits.alters_index
        self._cache = open_cache(off=off)
        self._remembering = remembering
        self._open: list[Opening] = []

    def opener(self, reference: str, platform: Platform | None = None) -> Opener:
        """Return what opens an image, for another platform than the options say."""
        hints = self._hints if platform is None else replace(self._hints, platform=platform)

        def open_it(
            progress: Callable[[WalkProgress], None], stop: Callable[[], bool], /
        ) -> Opening:
            opening = open_image(
                reference, hints, self._cache, progress=progress, stop=stop, early=True
            )
            self._open.append(opening)
            if self._remembering:
                # After the image is open, and not for somebody who wants nothing remembered.
                from layertrace.views.picking.recent import remember  # noqa: PLC0415

                remember(cache_folder(), reference, time.time())
            return opening

        return open_it

    def means(self) -> Means:
        """Return how to open images for other platforms, and whether the cache works."""
        from layertrace.views.tui.ports import Means  # noqa: PLC0415 - views without it draw too

        return Means(
            open=self.opener,
            chosen=self._hints.platform is not None,
            trouble=lambda: self._cache.trouble,
        )

    def picking(self) -> Picking:
        """Return what can be opened, for a user who named nothing."""
        from layertrace.views.picking.offers import (  # noqa: PLC0415 - nobody else asks
            Kind,
            engine_offers,
            offers_here,
        )
        from layertrace.views.picking.recent import load_recent  # noqa: PLC0415
        from layertrace.views.tui.ports import Picking  # noqa: PLC0415 - views without it draw too

        look: dict[Kind, Callable[[], tuple[Offer, ...]]] = {}
        if self._remembering:
            look[Kind.RECENT] = lambda: load_recent(cache_folder())
        look[Kind.FOLDER] = lambda: offers_here(Path())
        look[Kind.ENGINE] = engine_offers
        return Picking(open=self.opener, look=look)

    def compare(self, trace: ImageTrace, reference: str) -> Listing:
        """Open an older image and list what changed since.

        Raises:
            LayertraceError: it cannot be opened or read.
        """
        from layertrace.analysis.difference.compare import Comparison  # noqa: PLC0415
        from layertrace.views.lists.difference import list_difference  # noqa: PLC0415

        self._open.append(open_image(reference, Hints(limits=self._hints.limits), self._cache))
        difference = Comparison(self._open[-1].walk(), trace).difference()
        return list_difference(difference, reference)

    def close(self) -> None:
        """Keep what was learned; let go of files and connections."""
        for opening in self._open:
            opening.close()
        self._cache.close()
