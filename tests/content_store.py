"""Contents that are closed when a test ends."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from layertrace.analysis.contents.stored import Stored

if TYPE_CHECKING:
    from collections.abc import Iterator

Store = Callable[..., Stored]


@contextmanager
def storing() -> Iterator[Store]:
    """Give what stores pieces of a content."""
    with ExitStack() as stack:
        yield lambda *pieces: stack.enter_context(Stored(pieces))
