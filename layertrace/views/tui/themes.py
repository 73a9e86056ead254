"""Colours: four themes, and the styles that rows are drawn with.

Stage colours are those of Okabe and Ito, given in order of first use; a name
always stands beside them, so they may repeat, and go away without colour.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

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
        background="#14181d",
        surface="#14181d",
        panel="#20262d",
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
_ANSI: Final = ("yellow", "cyan", "green", "blue", "red", "magenta")


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
    if theme.startswith("ansi"):
        return _colored(_ANSI, base="default", cursor="reverse", away="underline", good="green")
    if theme == LIGHT:
        return _colored(
            _ON_LIGHT, base="#505860", cursor="on #cfe3f2", away="on #e3e6e9", good="#00664a"
        )
    return _colored(
        _ON_DARK, base="#a8b0ba", cursor="on #1f3a55", away="on #272e36", good="#2ec4a0"
    )


def _colored(hues: tuple[str, ...], *, base: str, cursor: str, away: str, good: str) -> Palette:
    warm, cool, red = hues[0], hues[1], hues[-2 if len(hues) > len(_ANSI) else 4]
    grey = Style.parse(base) if base != "default" else Style(dim=True)
    return Palette(
        stages=tuple(Style(color=hue) for hue in hues),
        base=grey,
        dim=grey,
        strong=Style(bold=True),
        removed=grey + Style(strike=True),
        lit=Style(bold=True, underline=True),
        warning=Style(color=warm, bold=True),
        cursor=Style.parse(cursor) + Style(bold=True),
        cursor_away=Style.parse(away),
        trusts={
            Trust.VERIFIED: Style(color=good),
            Trust.INFERRED: Style(color=cool),
            Trust.UNKNOWN: Style(color=warm),
            Trust.CONTRADICTED: Style(color=red, bold=True),
        },
        marks={
            Mark.UNTOUCHED: grey,
            Mark.ADDED: Style(color=good),
            Mark.MODIFIED: Style(color=warm),
            Mark.METADATA: Style(color=cool),
            Mark.REMOVED: Style(color=red),
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
    if ground in {"7", "15"}:
        return LIGHT
    few = environ.get("TERM", "") in {"linux", "xterm", "screen"}
    return TERMINAL if few and not environ.get("COLORTERM") else DARK
