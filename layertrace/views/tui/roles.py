"""How what pure modules call a role looks in a theme."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.style import Style

from layertrace.model.origin import Trust
from layertrace.views.filetree import Mark
from layertrace.views.lists.rows import Role

if TYPE_CHECKING:
    from layertrace.views.tui.themes import Palette


def role_style(palette: Palette, role: Role) -> Style:
    """Return the style of a role."""
    styles: dict[Role, Style] = {
        Role.PLAIN: Style.null(),
        Role.DIM: palette.dim,
        Role.STRONG: palette.strong,
        Role.REMOVED: palette.removed,
        Role.WARNING: palette.warning,
        Role.GOOD: palette.trusts[Trust.VERIFIED],
        Role.BASE: palette.base,
        Role.ADDED: palette.marks[Mark.ADDED],
        Role.MODIFIED: palette.marks[Mark.MODIFIED],
        Role.GONE: palette.marks[Mark.REMOVED],
    }
    return styles[role]
