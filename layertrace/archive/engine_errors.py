"""What goes wrong with the Docker engine, worded for whoever has to mend it."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from layertrace.errors import EngineError, LayertraceError, SourceError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from docker.errors import DockerException

UNREACHABLE: Final = "the Docker engine cannot be reached"
_BROKE_OFF: Final = "the exchange with the Docker engine broke off"


@contextmanager
def engine_errors(image: str | None = None, *, doing: str = _BROKE_OFF) -> Iterator[None]:
    """Turn what the SDK raises into an error of ours.

    ``image`` is what was asked for, ``doing`` the first line where nothing
    better is known.

    Raises:
        SourceError: the engine has no such ``image``.
        EngineError: anything else that the SDK or the connection raised.
    """
    from docker.errors import DockerException, NotFound  # noqa: PLC0415

    try:
        yield
    except LayertraceError:
        raise
    except NotFound as error:
        if image is None:
            raise _refused(error) from error
        raise SourceError(
            f"{image}: no such image in the Docker engine",
            hint="nothing is ever pulled: build or pull it first, or name an archive",
        ) from error
    # Every exception of requests is an OSError, and so is what the socket raises.
    except (DockerException, OSError) as error:
        raise _worded(error, doing) from error


def _worded(error: DockerException | OSError, doing: str) -> EngineError:
    """Say what a failed exchange with the engine was, by its innermost cause."""
    if getattr(error, "status_code", None) is not None:
        return _refused(error)
    causes = tuple(_causes(error))
    if any(isinstance(cause, PermissionError) for cause in causes):
        return EngineError(
            "no permission to talk to the Docker engine",
            why=f"at {_place()}",
            hint="run as a user of the docker group, or set DOCKER_HOST",
        )
    if any(isinstance(cause, FileNotFoundError | ConnectionRefusedError) for cause in causes):
        return EngineError(
            "the Docker engine is not running, or not there",
            why=f"nothing answers at {_place()}",
            hint="start it, set DOCKER_HOST, or name a saved archive instead",
        )
    if any("timeout" in type(cause).__name__.lower() for cause in causes):
        return EngineError(
            "the Docker engine does not answer in time",
            why=f"at {_place()}",
            hint="see whether `docker version` answers there",
        )
    return EngineError(doing, why=_first_line(error), hint=f"it is looked for at {_place()}")


def _refused(error: BaseException) -> EngineError:
    why = _first_line(error)
    # All that older engines say of an image without a layer.
    hint = "it saves no image that has no layer: there is no file to trace"
    return EngineError(
        "the Docker engine refused", why=why, hint=hint if why.startswith("empty export") else ""
    )


def _first_line(error: BaseException) -> str:
    text = str(getattr(error, "explanation", None) or error)
    return text.strip().partition("\n")[0]


def _place() -> str:
    """Return where the engine was looked for, as a user would set it."""
    if host := os.environ.get("DOCKER_HOST"):
        return host
    if context := os.environ.get("DOCKER_CONTEXT"):
        return f"the docker context {context}"
    return "the current docker context, or the usual socket"


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Give ``error`` and all it wraps: urllib3 and requests keep causes in ``args``."""
    todo: list[object] = [error]
    seen: set[int] = set()
    while todo:
        item = todo.pop()
        if isinstance(item, BaseException) and id(item) not in seen:
            seen.add(id(item))
            yield item
            todo += (item.__cause__, item.__context__, getattr(item, "reason", None), *item.args)
