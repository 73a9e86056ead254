"""The lists there are, each by its name and key, and how each is made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from layertrace.pipeline.answers import ImageTrace
    from layertrace.views.lists.rows import Listing


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One list."""

    key: str
    title: str
    working: str
    """What is done while it is made."""
    make: Callable[[Any], Listing]
    """Makes it of an :class:`ImageTrace`; may read the image."""
    shown: bool = False
    """It has a place in the line of keys."""
    paths: bool = True
    """Its rows are about paths, so that a filter leaves some of them."""


def _flow(trace: ImageTrace) -> Listing:
    from layertrace.views.lists.flow import list_flow  # noqa: PLC0415

    return list_flow(trace.shares(), trace.context_files)


def _duplicates(trace: ImageTrace) -> Listing:
    # What reads contents is imported where somebody asks for it.
    from layertrace.analysis.leftovers.duplicates import find_duplicates  # noqa: PLC0415
    from layertrace.views.lists.duplicates import list_duplicates  # noqa: PLC0415

    return list_duplicates(find_duplicates(trace))


def _packages(trace: ImageTrace) -> Listing:
    from layertrace.analysis.packages.table import read_packages  # noqa: PLC0415
    from layertrace.views.lists.packages import list_packages  # noqa: PLC0415

    return list_packages(trace.table, read_packages(trace))


def _waste(trace: ImageTrace) -> Listing:
    from layertrace.analysis.waste.bloat import find_bloat  # noqa: PLC0415
    from layertrace.views.lists.waste import list_waste  # noqa: PLC0415

    return list_waste(find_bloat(trace), trace.head.layers)


def _audit(trace: ImageTrace) -> Listing:
    from layertrace.analysis.audit.run import run_audit  # noqa: PLC0415
    from layertrace.views.audit.asked import find_policy, today  # noqa: PLC0415
    from layertrace.views.lists.audit import list_audit  # noqa: PLC0415

    return list_audit(run_audit(trace, find_policy(), today()))


VIEWS: Final[Mapping[str, View]] = {
    "waste": View(
        key="W", title="Waste", working="adding up what nobody sees", make=_waste, shown=True
    ),
    "duplicates": View(
        key="U",
        title="Duplicates",
        working="comparing the contents of files of one size",
        make=_duplicates,
    ),
    "packages": View(
        key="P", title="Packages", working="reading the databases of packages", make=_packages
    ),
    "audit": View(key="A", title="Audit", working="asking the rules of the policy", make=_audit),
    "flow": View(
        key="O", title="Flow", working="adding up what each stage ships", make=_flow, paths=False
    ),
}
