"""Tags that name images while they are exported, and are gone afterwards."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final, Self

from layertrace.archive.engine import inspect_image
from layertrace.archive.engine_errors import engine_errors
from layertrace.errors import EngineError, SourceError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from docker import DockerClient

_REPOSITORY: Final = "layertrace-export"


class TemporaryTags:
    """Hands out tags; at the end none of them is left, and no older image is gone.

    An image loses its last tag with itself, so whether it was there before
    decides: a build that was cached yields an image that may be the user's.
    """

    def __init__(self, client: DockerClient, log: Callable[[str], None]) -> None:
        self._client = client
        self._log = log
        self._run = secrets.token_hex(8)
        self._tags: list[str] = []
        self._before: frozenset[str] = frozenset()

    def new(self, word: str) -> str:
        """Return a tag that nothing else has, for an image that is not made yet."""
        if not self._tags:
            with engine_errors():
                images = self._client.api.images(all=True)
            self._before = frozenset(str(image["Id"]) for image in images)
        tag = f"{_REPOSITORY}:{self._run}-{word}"
        self._tags.append(tag)
        return tag

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for tag in self._tags:
            try:
                self._untag(tag)
            except SourceError:
                # The build never came so far.
                continue
            except EngineError as failure:
                self._log(f"The tag {tag} could not be taken away: {failure.what}")

    def _untag(self, tag: str) -> None:
        image = inspect_image(self._client, tag)
        if image.id in self._before and not set(image.tags) - {tag}:
            self._move_away(tag)
        with engine_errors(tag):
            self._client.api.remove_image(tag, noprune=True)

    def _move_away(self, tag: str) -> None:
        """Give ``tag`` to an image that has another, so that removing it removes no image."""
        with engine_errors(tag):
            for image in self._client.api.images():
                others = [name for name in image.get("RepoTags") or () if name not in self._tags]
                if others and others != ["<none>:<none>"]:
                    repository, _, name = tag.rpartition(":")
                    self._client.api.tag(str(image["Id"]), repository, name)
                    return
        raise EngineError(f"no other image has a tag to keep the image of {tag} alive")
