"""A list with no more than a filter leaves of it: its paths, under the heads they stand below."""

from __future__ import annotations

from array import array
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from layertrace.views.lists.rows import Listing

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from layertrace.filters.language import Filter
    from layertrace.model.files import FileTable
    from layertrace.views.lists.rows import Group, ListRow


def sift(
    listing: Listing,
    wanted: Filter | None,
    table: FileTable,
    rows: Sequence[int],
    path: str | None,
) -> tuple[Listing, tuple[int, int] | None]:
    """Return what a filter leaves of a list, and where in it the cursor belongs.

    Args:
        listing: the whole list.
        wanted: the filter; None: none, so that only the place is looked for.
        table: of the image.
        rows: of it, that the filter let through.
        path: where the cursor was; where the filter hides it, the first path is as good.
    """
    if wanted is None:
        return listing, None if path is None else listing.place_of(path)
    found = narrow(listing, wanted, lambda: {table.paths[row] for row in rows})
    return found, (path and found.place_of(path)) or found.place_of(None)


def narrow(listing: Listing, wanted: Filter, matches: Callable[[], Collection[str]]) -> Listing:
    """Return a list with the paths that a filter lets through; figures stay those of the whole.

    A group whose name holds the words that are looked for stays as it is: a package is
    found by its name, and a rule by its own.

    Args:
        listing: the whole list.
        wanted: the filter.
        matches: returns the paths of the image that match; only asked where names do not tell.
    """
    named = _named(listing.groups, wanted)
    kept: Collection[str] = () if wanted.asks_names else matches()
    groups: list[Group] = []
    shown = total = 0
    for number, group in enumerate(listing.groups):
        rows = list(group.paths())
        total += len(rows)
        if number in named:
            shown += len(rows)
            groups.append(group)
            continue
        found = list(_found(rows, wanted, kept))
        shown += len(found)
        if found and group.item is not None:
            item = partial(_item, group.item, array("q", (place for place, _ in found)))
            path = partial(_path, tuple(path for _, path in found))
            groups.append(replace(group, count=len(found), item=item, path=path))
    words = f"{shown:,} of {total:,} paths"
    if groups and not shown:
        words = f"{len(groups):,} of {len(listing.groups):,} groups"
    narrowed = Listing(
        title=listing.title,
        columns=listing.columns,
        groups=groups,
        summary=" · ".join(filter(None, (words, listing.summary))),
        empty="nothing matches: Esc clears the filter",
    )
    narrowed.tally = words
    return narrowed


def _named(groups: Sequence[Group], wanted: Filter) -> frozenset[int]:
    """Return which groups are asked for by their names."""
    numbers = [number for number, group in enumerate(groups) if group.name]
    if any(term.key or term.negated for terms in wanted.alternatives for term in terms):
        return frozenset()
    return frozenset(numbers[at] for at in wanted.among([groups[n].name for n in numbers]))


def _found(
    rows: Sequence[tuple[int, str]], wanted: Filter, kept: Collection[str]
) -> Iterator[tuple[int, str]]:
    """Yield the rows whose path matches."""
    if wanted.asks_names:
        yield from (rows[at] for at in wanted.among([path for _, path in rows]))
    else:
        yield from (row for row in rows if row[1] in kept)


def _item(make: Callable[[int], ListRow], places: Sequence[int], number: int) -> ListRow:
    return make(places[number])


def _path(paths: Sequence[str], number: int) -> str:
    return paths[number]
