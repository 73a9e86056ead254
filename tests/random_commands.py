"""Shell commands for a RUN of a random build, each with what it does to the plan."""

from __future__ import annotations

import posixpath
import shlex
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from tests.random_plan import FOLDERS, ImpossibleError, Node, below, make_folder, resolved

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from tests.random_plan import Stage, Truth

TINY: Final = 32
"""Bytes below which nothing is taken for a copy by its content alone."""
_WAYS: Final = ("cp -p", "cp", "cp -f", "into", "cat", "cd", "sh", "?")


class Shell:
    """One RUN of a stage: shell commands, done in the plan as well."""

    def __init__(self, random: Random, stage: Stage, line: int, nonce: str) -> None:
        """Start the RUN of a line."""
        self._random = random
        self._stage = stage
        self._line = line
        self._nonce = nonce
        self._linked = False
        """Paths share their content, so that writing to one would change others."""

    def command(self) -> str:
        """Change the plan as one command does; return it."""
        random = self._random
        actions: tuple[Callable[[], str], ...] = (
            self._new, self._new, self._over, self._append, self._touch, self._attributes,
            self._remove, self._copy, self._move, self._copy_folder, self._move_folder,
            self._link, self._hard_link, self._folder_to_file, self._file_to_folder,
        )  # fmt: skip
        for _ in range(20):
            files = dict(self._stage.files)
            try:
                return random.choice(actions)()
            except ImpossibleError:
                self._stage.files = files
        return "true"

    def _truth(self, path: str) -> Truth:
        return ("run", self._stage.name, self._line, f"/{path}")

    def _fresh(self) -> str:
        """Return a new path, links on the way followed, and its folder made."""
        folder = self._random.choice(FOLDERS)
        self._stage.serial += 1
        name = f"f{self._stage.index}-{self._stage.serial}"
        path = posixpath.join(resolved(self._stage.files, folder), name)
        make_folder(self._stage.files, posixpath.dirname(path))
        return path

    def _old(self) -> str:
        """Return a file that is there."""
        files = self._stage.files
        return self._one([path for path, node in files.items() if node.kind == "f"])

    def _written(self) -> str:
        """Return a file to write to."""
        if self._linked:
            raise ImpossibleError
        return self._old()

    def _old_folder(self) -> str:
        """Return a directory that is there, with a file in it."""
        files = self._stage.files
        found = {posixpath.dirname(path) for path, node in files.items() if node.kind == "f"}
        return self._one([path for path in found if path])

    def _one(self, found: list[str]) -> str:
        if not found:
            raise ImpossibleError
        return self._random.choice(sorted(found))

    def _says(self, path: str) -> str:
        """Return the line of a file that this RUN writes."""
        return f"run|{self._stage.name}|{self._line}|/{path}|{self._nonce}"

    def _write(self, path: str, before: str = "") -> str:
        """Put what this RUN writes; ``before`` it stand lines of others."""
        node = Node("f", f"{before}{self._says(path)}\n", truths=frozenset({self._truth(path)}))
        self._stage.files[path] = node
        return f"echo {shlex.quote(self._says(path))}"

    def _new(self) -> str:
        path = self._fresh()
        start = f"mkdir -p {_quoted(posixpath.dirname(path))}"
        return f"{start} && {self._write(path)} > {_quoted(path)}"

    def _over(self) -> str:
        path = self._written()
        return f"{self._write(path)} > {_quoted(path)}"

    def _append(self) -> str:
        path = self._written()
        before = self._stage.files[path].content
        if before.endswith(f"{self._says(path)}\n"):
            raise ImpossibleError
        return f"{self._write(path, before)} >> {_quoted(path)}"

    def _touch(self) -> str:
        path = self._old()
        how = self._random.choice(("touch -d @1500000000", ": >>"))
        return f"{how} {_quoted(path)}"

    def _attributes(self) -> str:
        path = self._random.choice((self._old, self._old_folder))()
        how = self._random.choice(("chmod 0600", "chmod -R 0755", "chown 7:8", "chown -R 9"))
        return f"{how} {_quoted(path)}"

    def _remove(self) -> str:
        path = self._random.choice((self._old, self._old, self._old_folder))()
        self._forget(path)
        return f"rm -rf {_quoted(path)}"

    def _forget(self, path: str) -> None:
        for each in [*below(self._stage.files, path), path]:
            del self._stage.files[each]

    def _copied(self, old: str, path: str, *, guessed: bool = False) -> None:
        """Put the content of a path at another; what this RUN did not make keeps its origin."""
        node = self._stage.files[old]
        if node.kind == "f" and any(truth[:3] == self._truth("")[:3] for truth in node.truths):
            node = replace(node, truths=frozenset({self._truth(path)}), copied=True)
        self._stage.files[path] = replace(node, guessed=node.guessed or guessed)

    def _copy(self) -> str:
        old, path = self._old(), self._fresh()
        folder, name = posixpath.split(path)
        start = f"mkdir -p {_quoted(folder)}"
        how = self._random.choice(_WAYS)
        if how == "?" and len(self._stage.files[old].content) < TINY:
            raise ImpossibleError
        if how == "into":
            path = posixpath.join(folder, posixpath.basename(old))
            if path in self._stage.files:
                raise ImpossibleError
        self._copied(old, path, guessed=how == "?")
        source, target = _quoted(old), _quoted(path)
        forms = {
            "into": f"cp {source} {_quoted(folder)}/",
            "cat": f"cat {source} > {target}",
            "cd": f"(cd {_quoted(folder)} && cp {source} {shlex.quote(name)})",
            "sh": f"sh -c {shlex.quote(f'cp -p {source} {target}')}",
            "?": f'for name in {source}; do cp "$name" {target}; done',
        }
        return f"{start} && {forms.get(how, f'{how} {source} {target}')}"

    def _move(self) -> str:
        old, path = self._old(), self._fresh()
        self._copied(old, path)
        self._forget(old)
        start = f"mkdir -p {_quoted(posixpath.dirname(path))}"
        return f"{start} && mv {_quoted(old)} {_quoted(path)}"

    def _copy_folder(self) -> str:
        return self._folder(self._random.choice(("cp -a", "cp -r")))

    def _move_folder(self) -> str:
        return self._folder("mv")

    def _folder(self, how: str) -> str:
        old, path = self._old_folder(), self._fresh()
        if f"{path}/".startswith(f"{old}/"):
            raise ImpossibleError
        for each in [old, *below(self._stage.files, old)]:
            self._copied(each, f"{path}{each[len(old) :]}")
        if how == "mv":
            self._forget(old)
        start = f"mkdir -p {_quoted(posixpath.dirname(path))}"
        return f"{start} && {how} {_quoted(old)} {_quoted(path)}"

    def _link(self) -> str:
        path = self._fresh()
        target = self._random.choice((f"/{self._old()}", "../nowhere", f"/{self._old_folder()}"))
        self._stage.files[path] = Node("l", link=target)
        start = f"mkdir -p {_quoted(posixpath.dirname(path))}"
        return f"{start} && ln -s {shlex.quote(target)} {_quoted(path)}"

    def _hard_link(self) -> str:
        old, path = self._old(), self._fresh()
        self._copied(old, path)
        self._linked = True
        start = f"mkdir -p {_quoted(posixpath.dirname(path))}"
        return f"{start} && ln {_quoted(old)} {_quoted(path)}"

    def _folder_to_file(self) -> str:
        path = self._old_folder()
        self._forget(path)
        return f"rm -rf {_quoted(path)} && {self._write(path)} > {_quoted(path)}"

    def _file_to_folder(self) -> str:
        path = self._old()
        self._forget(path)
        make_folder(self._stage.files, path)
        inside = f"{path}/inside"
        start = f"rm {_quoted(path)} && mkdir {_quoted(path)}"
        return f"{start} && {self._write(inside)} > {_quoted(inside)}"


def _quoted(path: str) -> str:
    return shlex.quote(f"/{path}")
