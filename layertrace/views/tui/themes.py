"""Colours: five themes, and the styles that rows are drawn with.

Stage colours are those of Okabe and Ito, given in order of first use; a name
always stands beside them, so they may repeat, and go away without colour.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from rich.style import Style
from textual.theme import Theme

from layertrace.model.origin import Trust
from layertrace.views.filetree import Mark

if TYPE_CHECKING:
    from collections.abc import Mapping

DARK: Final = "layertrace-dark"
LIGHT: Final = "layertrace-light"
MONO: Final = "layertrace-mono"
TERMINAL: Final = "ansi-dark"
"""Textual's own: follows the palette of the terminal."""
TERMINAL_LIGHT: Final = "ansi-light"
"""The same for a light ground."""

THEMES: Final = (
    Theme(
        name=DARK,
        primary="#56b4e9",
        secondary="#7aa6ff",
        accent="#56b4e9",
        warning="#f0e442",
        error="#ff7f50",
        success="#2ec4a0",
        foreground="#d8dee6",
        # Of so little hue that they are greys in 256 colours too, where the next is a navy.
        background="#15181c",
        surface="#15181c",
        panel="#22262b",
        dark=True,
    ),
    Theme(
        name=LIGHT,
        primary="#00688b",
        secondary="#1f4fbf",
        accent="#00688b",
        warning="#8a5a00",
        error="#b03a00",
        success="#00664a",
        foreground="#20262d",
        background="#f7f7f5",
        surface="#f7f7f5",
        panel="#e6e8ea",
        dark=False,
    ),
    Theme(
        name=MONO,
        primary="#ffffff",
        secondary="#c8c8c8",
        accent="#ffffff",
        warning="#ffffff",
        error="#ffffff",
        success="#ffffff",
        foreground="#e4e4e4",
        background="#000000",
        surface="#000000",
        panel="#262626",
        dark=True,
    ),
)

_ON_DARK: Final = (
    "#e69f00", "#56b4e9", "#2ec4a0", "#f0e442", "#7aa6ff", "#ff7f50", "#e38fc0",
)  # fmt: skip
_ON_LIGHT: Final = (
    "#8a5a00", "#00688b", "#00664a", "#6b6300", "#1f4fbf", "#b03a00", "#8f3f73",
)  # fmt: skip
_ANSI: Final = ("yellow", "cyan", "green", "bright_blue", "red", "magenta")
_ANSI_ON_LIGHT: Final = ("blue", "magenta", "red", "cyan", "green", "yellow")
"""The palest come last: most palettes have yellow and green that hardly show on white."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Palette:
    """The styles of one theme; none holds a background but the cursor's."""

    stages: tuple[Style, ...]
    base: Style
    """Whatever came from a base image."""
    dim: Style
    strong: Style
    removed: Style
    lit: Style
    """The Dockerfile lines of the hop at the cursor."""
    warning: Style
    cursor: Style
    """The cursor's row in the focused pane."""
    cursor_away: Style
    """The cursor's row in another pane."""
    trusts: Mapping[Trust, Style]
    marks: Mapping[Mark, Style]

    def stage(self, index: int | None) -> Style:
        """Return the colour of a stage; None is the base image or nobody."""
        return self.base if index is None else self.stages[index % len(self.stages)]


def palette(theme: str) -> Palette:
    """Return the styles that go with a theme."""
    if theme == MONO:
        return _mono()
    if theme == TERMINAL_LIGHT:
        roles = _Roles(good="blue", warm="magenta", cool="default", bad="red")
        return _colored(_ANSI_ON_LIGHT, roles, base="dim", cursor="reverse", away="underline")
    if theme.startswith("ansi"):
        roles = _Roles(good="green", warm="yellow", cool="cyan", bad="red")
        return _colored(_ANSI, roles, base="dim", cursor="reverse", away="underline")
    if theme == LIGHT:
        roles = _Roles(good="#00664a", warm="#8a5a00", cool="#00688b", bad="#b03a00")
        return _colored(_ON_LIGHT, roles, base="#505860", cursor="on #cfe3f2", away="on #e3e6e9")
    roles = _Roles(good="#2ec4a0", warm="#e69f00", cool="#56b4e9", bad="#ff7f50")
    return _colored(_ON_DARK, roles, base="#a8b0ba", cursor="on #22405f", away="on #2a2f35")


class _Roles(NamedTuple):
    """Colours of what is not a stage; a mark or a word says it as well."""

    good: str
    warm: str
    cool: str
    bad: str


def _colored(hues: tuple[str, ...], roles: _Roles, *, base: str, cursor: str, away: str) -> Palette:
    grey = Style.parse(base)
    good, warm, cool, bad = (Style(color=role) for role in roles)
    return Palette(
        stages=tuple(Style(color=hue) for hue in hues),
        base=grey,
        dim=grey,
        strong=Style(bold=True),
        removed=grey + Style(strike=True),
        lit=Style(bold=True, underline=True),
        warning=warm + Style(bold=True),
        cursor=Style.parse(cursor) + Style(bold=True),
        cursor_away=Style.parse(away),
        trusts={
            Trust.VERIFIED: good,
            Trust.INFERRED: cool,
            Trust.UNKNOWN: warm,
            Trust.CONTRADICTED: bad + Style(bold=True),
        },
        marks={
            Mark.UNTOUCHED: grey,
            Mark.ADDED: good,
            Mark.MODIFIED: warm,
            Mark.METADATA: cool,
            Mark.REMOVED: bad,
        },
    )


def _mono() -> Palette:
    plain, dim, bold = Style(), Style(dim=True), Style(bold=True)
    return Palette(
        stages=(plain,),
        base=plain,
        dim=dim,
        strong=bold,
        removed=Style(dim=True, strike=True),
        lit=Style(bold=True, underline=True),
        warning=bold,
        cursor=Style(reverse=True),
        cursor_away=Style(bold=True, underline=True),
        trusts={
            Trust.VERIFIED: plain,
            Trust.INFERRED: plain,
            Trust.UNKNOWN: bold,
            Trust.CONTRADICTED: bold,
        },
        marks=dict.fromkeys(Mark, plain) | {Mark.UNTOUCHED: dim},
    )


def choose_theme(*, color: bool, environ: Mapping[str, str] = os.environ) -> str:
    """Return the theme for this terminal, as far as it says what it is.

    ``COLORFGBG`` is what some terminals set; a last field of 7 or 15 is white.
    """
    if not color or environ.get("NO_COLOR"):
        return MONO
    ground = environ.get("COLORFGBG", "").rpartition(";")[2]
    light = ground in {"7", "15"}
    if _has_few_colors(environ):
        return TERMINAL_LIGHT if light else TERMINAL
    return LIGHT if light else DARK


def _has_few_colors(environ: Mapping[str, str]) -> bool:
    """Return whether Rich, by the same signs, will draw in sixteen colours."""
    if environ.get("COLORTERM", "").strip().lower() in {"truecolor", "24bit"}:
        return False
    term = environ.get("TERM", "").strip().lower()
    return bool(term) and term.rpartition("-")[2] not in {"256color", "kitty"}
