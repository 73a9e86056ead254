"""One streamed answer of the Docker engine, which can be cut off while it is waited for."""

from __future__ import annotations

import json
from contextlib import contextmanager, suppress
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from docker import DockerClient

_CHUNK: Final = 1 << 20


def _in_large_pieces(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Join what arrives in the 32 KiB an engine sends at a time.

    Handing over each of these to another thread would cost more than reading it.
    """
    pieces: list[bytes] = []
    size = 0
    for chunk in chunks:
        pieces.append(chunk)
        size += len(chunk)
        if size >= _CHUNK:
            yield b"".join(pieces)
            pieces, size = [], 0
    yield b"".join(pieces)


def _message(answer: str) -> str:
    """Return the engine's words in an answer that refuses, which is JSON or plain text."""
    try:
        return str(json.loads(answer)["message"])
    except (ValueError, TypeError, KeyError):
        return answer


class Exchange:
    """One streamed answer of the engine, which another thread may cut off."""

    def __init__(self, client: DockerClient) -> None:
        self.api = client.api
        self._interrupt: Callable[[], None] | None = None

    def get(self, path: str, parameters: list[tuple[str, str]]) -> Iterator[bytes]:
        """Yield the answer to a GET of the API's ``path``."""
        from docker.errors import APIError, NotFound  # noqa: PLC0415

        url = f"{self.api.base_url}/v{self.api.api_version}/{path}"
        response = self.api.get(url, params=parameters, stream=True, timeout=None)
        with response:
            # urllib3 before 2.3 cannot cut a read short; its thread then waits
            # for the engine while the caller goes on.
            self._interrupt = getattr(response.raw, "shutdown", None)
            if not response.ok:
                kind = NotFound if response.status_code == HTTPStatus.NOT_FOUND else APIError
                raise kind(response.reason, response=response, explanation=_message(response.text))
            yield from _in_large_pieces(response.iter_content(_CHUNK))

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """Learn of answers the SDK itself asks for, so that they can be cut off too."""

        def remember(response: object, **_: object) -> None:
            self._interrupt = getattr(getattr(response, "raw", None), "shutdown", None)

        hooks = self.api.hooks["response"]
        hooks.append(remember)
        try:
            yield
        finally:
            hooks.remove(remember)

    def interrupt(self) -> None:
        """Make a read that waits for the engine end."""
        # An answer that has just ended has nothing to cut off, which urllib3
        # says in three ways.
        with suppress(OSError, RuntimeError, ValueError):
            if self._interrupt is not None:
                self._interrupt()
