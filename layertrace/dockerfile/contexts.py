"""Named build contexts: what a name in ``FROM`` or ``--from`` is replaced by.

Source: BuildKit, ``frontend/dockerui/namedcontext.go``; ``docker buildx build
--build-context``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_IMAGE: Final = "docker-image:"
_LAYOUT: Final = "oci-layout:"
_ANOTHER_BUILD: Final = "input:"
_WORD: Final = re.compile(r"[\w.\-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """What a name that is no stage stands for."""

    image: str | None = None
    context: str | None = None
    doubtful: bool = False


def find_context(name: str, contexts: Mapping[str, str] | None) -> str | None:
    """Return what replaces ``name``, spelled as builders look for it.

    >>> find_context("docker.io/library/node:latest", {"node": "local:node"})
    'local:node'
    """
    familiar = name.removeprefix("docker.io/").removeprefix("library/").removesuffix(":latest")
    return (contexts or {}).get(familiar)


def resolve_outside(name: str, contexts: Mapping[str, str] | None) -> Outside:
    """Return what ``--from=name`` means where no stage has that name.

    >>> resolve_outside("tools", {"tools": "docker-image://acme/tools:1"}).image
    'acme/tools:1'
    """
    value = find_context(name, contexts)
    if value is None:
        # A tag, a registry or an owner make it an image. A word alone is as often
        # an image ("nginx") as a context ("assets"), and nothing in the Dockerfile
        # or the history tells which: only who knows the contexts may say "image".
        return Outside(image=name, doubtful=contexts is None and bool(_WORD.fullmatch(name)))
    if value.startswith((_IMAGE, _LAYOUT)):
        return Outside(image=context_base(name, value))
    # The result of another target: its files have an origin, in another Dockerfile.
    return Outside(context=name, doubtful=value.startswith(_ANOTHER_BUILD))


def context_base(name: str, value: str) -> str:
    """Return what a FROM of a named context starts from."""
    if value.startswith(_IMAGE):
        return value.removeprefix(_IMAGE).removeprefix("//")
    return value if value.startswith(_LAYOUT) else name


def contexts_for(contexts: Mapping[str, str], platform: str) -> dict[str, str]:
    """Return the contexts that a build for one platform saw.

    >>> contexts_for({"a": "local:x", "a::linux/386": "local:y"}, "linux/386")
    {'a': 'local:y'}
    """
    chosen = {name: value for name, value in contexts.items() if "::" not in name}
    for key, value in contexts.items():
        name, mark, wanted = key.partition("::")
        if mark and wanted == platform:
            chosen[name] = value
    return chosen
