"""Finding what a user means by a path, and saying well that it is not there."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Final

from layertrace.errors import LayerError, PathNotFoundError
from layertrace.model.entry import EntryKind, clean_path
from layertrace.model.limits import DEFAULTS
from layertrace.provenance.trees import resolve
from layertrace.rootfs.places import Place

if TYPE_CHECKING:
    from layertrace.errors import LayertraceError
    from layertrace.provenance.rootfs_tree import RootfsTree

_NEAREST: Final = 0.6
"""How alike two names must be for one to be a slip of the other."""
_MAX_TARGET: Final = 4096
"""Characters of a link's target: Linux follows no longer one."""


class Lookup:
    """Paths of one image's final file system."""

    def __init__(
        self, tree: RootfsTree, reference: str, *, damage: str = "", links: int = DEFAULTS.links
    ) -> None:
        """Keep the file system and how it is spoken of.

        Args:
            tree: the file system.
            reference: what messages call the image.
            damage: why it is not whole.
            links: symbolic links followed in one path.
        """
        self._tree = tree
        self._reference = reference
        self._damage = damage
        self._links = links

    def resolve(self, path: str) -> str:
        """Return a path as people write it, with links in its folders followed.

        The last part is kept: a link has an origin of its own.
        """
        cleaned = clean_path(path)
        folder, _, name = cleaned.rpartition("/")
        if self._tree.find(cleaned) is not None or not folder:
            return cleaned
        return f"{resolve(self._tree, folder)}/{name}".lstrip("/")

    def follow(self, path: str) -> str:
        """Return a path with every link followed, the last one too, as far as they lead."""
        try:
            return self.locate(path, last=True)
        except PathNotFoundError:
            return resolve(self._tree, clean_path(path))

    def locate(self, path: str, *, last: bool) -> str:
        """Return where a program in a container gets to by a path as people write it.

        As for the kernel, ``..`` leads up from where a link leads, and a slash at
        the end follows a link there.

        Args:
            path: from the root.
            last: a link at its end is followed too.

        Raises:
            PathNotFoundError: its links lead in a circle, or are too many.
        """
        done: list[str] = []
        todo = path.split("/")[::-1]
        hops = 0
        while todo:
            part = todo.pop()
            if part in {"", ".", ".."}:
                done = done[:-1] if part == ".." else done
                continue
            done.append(part)
            item = self._tree.find("/".join(done))
            if item is not None and item.kind is EntryKind.SYMLINK and (todo or last):
                hops += 1
                if hops > self._links or len(item.link_target) > _MAX_TARGET:
                    raise PathNotFoundError(
                        f"/{clean_path(path)} leads nowhere in {self._reference}",
                        why=f"/{'/'.join(done)} is one of too many symbolic links, "
                        "which lead in a circle or are longer than a container follows",
                        hint=f"the limit links is {self._links:,}: --max links=NUMBER raises it",
                    )
                done = [] if item.link_target.startswith("/") else done[:-1]
                todo += item.link_target.split("/")[::-1]
            elif item is None or (item.kind is not EntryKind.DIR and any(todo)):
                # Nothing is below it; what is looked for there has no other name.
                done += filter(None, reversed(todo))
                break
        return "/".join(done)

    def place(self, path: str, layer: int | None) -> Place:
        """Return the entry of a path: the seen one, or that of one layer.

        Raises:
            PathNotFoundError: there is none.
            LayerError: there may be one in what cannot be read.
        """
        if layer is None:
            place = self._tree.rootfs.place(path)
            if place is None and self._tree.find(path) is not None:
                raise PathNotFoundError(f"/{path} is not a regular file but a dir")
            if place is None:
                raise self.missing(path)
            return place
        if not 0 <= layer < len(self._tree.rootfs.layers):
            raise PathNotFoundError(
                f"there is no layer {layer}", why=f"the image has {len(self._tree.rootfs.layers)}"
            )
        number = self._tree.rootfs.layers[layer].numbers.get(path)
        if number is None:
            if self._tree.rootfs.layers[layer].damage:
                raise self.missing(path)
            raise PathNotFoundError(f"layer {layer} has no /{path}")
        return Place(layer, number)

    def missing(self, path: str) -> LayertraceError:
        """Return the error for a path that is not there, with the nearest that is."""
        what = f"/{path} is not in {self._reference}"
        if self._damage:
            return LayerError(f"{what}, as far as that can be read", why=self._damage)
        for place in reversed(list(self._tree.rootfs.versions(path))):
            by = self._remover(path, place.layer)
            why = f"L{place.layer + 1} had it; L{by + 1} removed it" if by is not None else ""
            return PathNotFoundError(what, why=why, hint="files --all lists removed paths")
        near = self._nearest(path)
        return PathNotFoundError(what, hint=f"did you mean /{near}?" if near else "")

    def _remover(self, path: str, layer: int) -> int | None:
        later = range(layer + 1, len(self._tree.rootfs.layers))
        return next((upper for upper in later if self._tree.before(path, upper + 1) is None), None)

    def _nearest(self, path: str) -> str | None:
        name = path.rpartition("/")[2]
        same_name = [p for p in self._tree.rootfs.seen if p.rpartition("/")[2] == name]
        if same_name:
            return max(same_name, key=lambda p: (_common(p, path), -len(p)))
        folder = path.rpartition("/")[0]
        names = list(self._tree.children.get(folder, ()))
        found = difflib.get_close_matches(name, names, n=1, cutoff=_NEAREST)
        return f"{folder}/{found[0]}".lstrip("/") if found else None


def _common(one: str, other: str) -> int:
    return len(set(one.split("/")) & set(other.split("/")))
