"""What a user's configuration file says: theme, marks, columns, keys.

Source: the file ``config.toml`` in the platform's folder for configurations, or the one
that ``LAYERTRACE_CONFIG`` names; TOML 1.0.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from layertrace.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

CONFIG_VARIABLE: Final = "LAYERTRACE_CONFIG"
_MOST: Final = 1 << 20
"""Bytes: no configuration is larger."""
_KINDS: Final[Mapping[str, tuple[type, str]]] = {
    "theme": (str, "a theme's name"),
    "ascii": (bool, "true or false"),
    "recent": (bool, "true or false"),
    "columns": (list, "a list of columns"),
    "keys": (dict, "a table of keys by the ids that ? lists"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """How the terminal view is to look and which keys it has."""

    path: str = ""
    """The file, for messages; empty: there is none."""
    theme: str | None = None
    ascii: bool = False
    recent: bool = True
    """Which images were opened is remembered."""
    columns: tuple[str, ...] = ()
    keys: Mapping[str, str] = field(default_factory=dict)
    """Id of an action to its keys, commas between them."""

    def known(self, key: str, words: Collection[str], known: Collection[str]) -> None:
        """Refuse words that are not known, naming the nearest that is.

        Raises:
            UsageError: there is one.
        """
        for word in words:
            if word not in known:
                raise _unknown(self.path, f"{key}: there is no {word}", word, known)


def config_path() -> Path:
    """Return where the configuration is, if there is one."""
    named = os.environ.get(CONFIG_VARIABLE)
    if named:
        return Path(named)
    from platformdirs import user_config_path  # noqa: PLC0415

    return user_config_path("layertrace", appauthor=False) / "config.toml"


def load_config() -> Config:
    """Return what the user's configuration says; without a file, the defaults.

    Raises:
        UsageError: it cannot be read, or has a key that there is not.
    """
    path = config_path()
    try:
        with path.open("rb") as file:
            text = file.read(_MOST + 1)
    except FileNotFoundError:
        if os.environ.get(CONFIG_VARIABLE):
            raise UsageError(f"{path} is not there", why=f"{CONFIG_VARIABLE} names it") from None
        return Config()
    except OSError as error:
        raise UsageError(f"{path} cannot be read", why=error.strerror or str(error)) from error
    if len(text) > _MOST:
        raise UsageError(f"{path} is too long for a configuration")
    # Most users have no such file.
    import tomllib  # noqa: PLC0415

    try:
        values = tomllib.loads(text.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path} is not TOML", why=str(error)) from error
    return _config(str(path), values)


def _config(path: str, values: dict[str, object]) -> Config:
    for key, value in values.items():
        if key not in _KINDS:
            raise _unknown(path, f"there is no setting {key}", key, _KINDS)
        kind, words = _KINDS[key]
        if not isinstance(value, kind):
            raise UsageError(f"{path}: {key} takes {words}")
    columns, keys = values.get("columns", []), values.get("keys", {})
    if not isinstance(columns, list) or not all(isinstance(each, str) for each in columns):
        raise UsageError(f"{path}: columns takes names of columns")
    if not isinstance(keys, dict) or not all(isinstance(each, str) for each in keys.values()):
        raise UsageError(f"{path}: keys takes keys as texts", hint='write "browse.filter" = "f"')
    theme = values.get("theme")
    return Config(
        path=path,
        theme=theme if isinstance(theme, str) else None,
        ascii=values.get("ascii") is True,
        recent=values.get("recent") is not False,
        columns=tuple(columns),
        keys=dict(keys),
    )


def _unknown(path: str, what: str, word: str, known: Collection[str]) -> UsageError:
    # Only where something is wrong.
    import difflib  # noqa: PLC0415

    near = difflib.get_close_matches(word, known, n=1)
    if near:
        return UsageError(f"{path}: {what}", hint=f"did you mean {near[0]}?")
    shown = sorted(known)[:12]
    return UsageError(f"{path}: {what}", hint=f"there is {', '.join(shown)}")
