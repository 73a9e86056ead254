"""A tiny builder on dictionaries: random Dockerfiles, run here, with the truth of every path.

It shares no code with what it tests. Files are nodes that know where their bytes
came from; each step changes the nodes, and what changed becomes the layer.
"""

from __future__ import annotations

import fnmatch
import posixpath
import shlex
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from tests.builders import Member, file, folder, symlink

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from random import Random

HASH = "9b758a0c44cea84997fb3aabe1e2e4e095cf872635f64c8766d55ace86fc29de"
Truth = tuple[str, str | None, int | None, str | None]
"""Kind, stage, line and path of an origin."""


class ImpossibleError(Exception):
    """A builder would refuse the step: it is left out."""


@dataclass(frozen=True)
class Node:
    """A file, directory or link, and where it came from."""

    kind: str
    """``f``, ``d`` or ``l``."""
    content: bytes = b""
    mode: int = 0o644
    uid: int = 0
    mtime: int = 1_600_000_000
    link: str = ""
    truths: tuple[Truth, ...] = ()
    """More than one where either is right."""

    def member(self) -> Member:
        """Return it as a layer stores it."""
        if self.kind == "l":
            return replace(symlink(self.link), mtime=self.mtime)
        if self.kind == "d":
            return folder(self.mode, uid=self.uid, mtime=self.mtime)
        return file(self.content, mode=self.mode, uid=self.uid, mtime=self.mtime)


Files = dict[str, Node]
Step = tuple[str, "dict[str, Member] | None"]


@dataclass
class ModelStage:
    """A stage after its steps were run."""

    name: str
    index: int
    reference: str
    """What a FROM calls it."""
    files: Files
    steps: list[Step]
    workdir: str
    runs: bool
    """It has something to run."""


@dataclass
class Program:
    """A Dockerfile that was run."""

    classic: bool
    context: Files
    base: ModelStage
    lines: list[str] = field(default_factory=list)
    stages: list[ModelStage] = field(default_factory=list)

    @property
    def dockerfile(self) -> str:
        """Its text."""
        return "".join(f"{line}\n" for line in self.lines)


def clean(path: str) -> str:
    """Return a path without dots and slashes at its ends."""
    return posixpath.normpath(f"/{path}").strip("/")


def follow(files: Mapping[str, Node], path: str) -> str:
    """Return a path with all links followed."""
    for _ in range(20):
        parts = clean(path).split("/")
        for end in range(1, len(parts) + 1):
            node = files.get("/".join(parts[:end]))
            if node is not None and node.kind == "l":
                here = posixpath.join("/", *parts[: end - 1], node.link, *parts[end:])
                path = clean(here)
                break
        else:
            return clean(path)
    raise ImpossibleError


def make_folders(files: Files, path: str, truth: Callable[[str], Truth]) -> None:
    """Make a directory and those above it where they are missing."""
    parts = path.split("/") if path else []
    for end in range(1, len(parts) + 1):
        here = "/".join(parts[:end])
        node = files.setdefault(here, Node("d", mode=0o755, truths=(truth(here),)))
        if node.kind != "d":
            raise ImpossibleError


def put(files: Files, path: str, node: Node, *, before: Mapping[str, Node]) -> None:
    """Put a node at a path whose folder is there.

    What stood there alike ``before`` the step is not stored again.
    """
    old, older = files.get(path), before.get(path)
    if not path or (old is not None and (old.kind == "d") != (node.kind == "d")):
        raise ImpossibleError
    if old is not None and node.kind == "d":
        return
    alike = older is not None and replace(older, truths=()) == replace(node, truths=())
    files[path] = older if older is not None and alike else node


def below(files: Mapping[str, Node], folder_path: str) -> list[str]:
    """Return the paths below a directory, parents first."""
    start = f"{folder_path}/" if folder_path else ""
    return sorted(path for path in files if path.startswith(start))


def expand(files: Mapping[str, Node], text: str) -> list[str]:
    """Return what a source stands for; links are followed before the first wildcard only."""
    parts = clean(text).split("/")
    plain = [n for n, part in enumerate(parts) if set(part) & set("*?")]
    if not plain:
        return ["/".join(parts)]
    prefix, rest = parts[: plain[0]], parts[plain[0] :]
    real = follow(files, "/".join(prefix))
    return [
        "/".join([*prefix, *names])
        for path in below(files, real)
        for names in (path[len(real) :].strip("/").split("/"),)
        if len(names) == len(rest) and all(map(fnmatch.fnmatchcase, names, rest))
    ]


def difference(before: Files, after: Files, written: set[str]) -> dict[str, Member]:
    """Return the layer between two states; ``written`` is stored though it may be alike."""
    layer: dict[str, Member] = {}
    for path in sorted(after):
        if path in written or before.get(path) != after[path]:
            layer[path] = after[path].member()
        if _is_remade(before.get(path), after[path]):
            # A directory removed and made again hides all that the old one held.
            layer[f"{path}/.wh..wh..opq"] = Member()
            layer |= {each: after[each].member() for each in below(after, path)}
    for path in sorted(before):
        parent, _, name = path.rpartition("/")
        if path not in after and (not parent or parent in after):
            layer[posixpath.join(parent, f".wh.{name}")] = Member()
    return layer


def _is_remade(before: Node | None, after: Node) -> bool:
    if before is None or before.kind != "d" or after.kind != "d":
        return False
    return before.truths != after.truths


class Maker:
    """Makes random programs."""

    def __init__(self, random: Random, *, classic: bool, context: Files, base: Files) -> None:
        """Start with a context and a base image."""
        self._random = random
        self._serial = 0
        steps: list[Step] = [("ADD rootfs /", {path: node.member() for path, node in base.items()})]
        # Else nothing would tell where a relative destination leads.
        steps.append(("/bin/sh -c #(nop) WORKDIR /", None))
        root = ModelStage("base", -1, "base:1", dict(base), steps, "/", runs=True)
        self.program = Program(classic=classic, context=context, base=root)

    def make(self, stages: int) -> Program:
        """Return a program of so many stages, the last its target."""
        for index in range(stages):
            self._start(index, last=index == stages - 1)
            for _ in range(self._random.randint(2, 6)):
                self._try_step(
                    self._random.choice((self._copy, self._copy, self._run, self._other))
                )
        return self.program

    def _start(self, index: int, *, last: bool) -> None:
        random, program = self._random, self.program
        below_it = random.choice([program.base, program.base, None, *program.stages])
        name = f"stage-{index}" if last else f"s{index}"
        text = "scratch" if below_it is None else below_it.reference
        program.lines.append(f"FROM {text}" + ("" if last else f" AS {name}"))
        line = len(program.lines)
        files = {} if below_it is None else dict(below_it.files)
        if below_it is program.base:
            files = {
                path: replace(node, truths=(("base", name, line, f"/{path}"),))
                for path, node in files.items()
            }
        program.stages.append(
            ModelStage(
                name=name,
                index=index,
                reference=name,
                files=files,
                steps=[] if below_it is None else list(below_it.steps),
                workdir="/" if below_it is None else below_it.workdir,
                runs=below_it is not None and below_it.runs,
            )
        )

    def _try_step(self, step: Callable[[ModelStage], None]) -> None:
        """Run a step; one that a builder would refuse is left out as if it never was."""
        stage = self.program.stages[-1]
        before, lines = dict(stage.files), list(self.program.lines)
        try:
            step(stage)
        except ImpossibleError:
            stage.files = before
            self.program.lines = lines

    def _add(
        self, stage: ModelStage, before: Files, recorded: str, written: set[str], *, always: bool
    ) -> None:
        """Add a step's entry, with its layer where the builder makes one."""
        layer = difference(before, stage.files, written)
        stage.steps.append((recorded, layer if layer or always else None))

    def _line(self, text: str) -> int:
        self.program.lines.append(text)
        return len(self.program.lines)

    def _other(self, stage: ModelStage) -> None:
        """WORKDIR, or a step that writes nothing."""
        nop = "/bin/sh -c #(nop) " if self.program.classic else ""
        if self._random.random() < 0.5:
            text = self._random.choice(("ENV A=1", 'LABEL a="b c"', 'CMD ["x", "y"]', "USER 0"))
            self._line(text)
            recorded = text.replace('"b c"', "b c").replace('", "', '" "')
            stage.steps.append((f"{nop}{recorded}", None))
            return
        written = self._random.choice(("/srv/app", "/a", "sub", "..", "/lib/deep"))
        line, before = self._line(f"WORKDIR {written}"), dict(stage.files)
        path = clean(posixpath.join(stage.workdir, written))
        make_folders(
            stage.files, follow(stage.files, path), lambda p: ("workdir", stage.name, line, f"/{p}")
        )
        stage.workdir = f"/{path}"
        always = bool(path) and not self.program.classic
        self._add(stage, before, f"{nop}WORKDIR /{path}", set(), always=always)

    def _run(self, stage: ModelStage) -> None:
        if not stage.runs:
            raise ImpossibleError
        before, line = dict(stage.files), len(self.program.lines) + 1
        commands = [self._command(stage, line) for _ in range(self._random.randint(1, 3))]
        text = " && ".join(commands)
        self._line(f"RUN {text}")
        recorded = f"/bin/sh -c {text}" if self.program.classic else f"RUN /bin/sh -c {text}"
        self._add(stage, before, recorded, set(), always=not self.program.classic)

    def _command(self, stage: ModelStage, line: int) -> str:
        """Change the files as one shell command does; return it."""
        self._serial += 1
        files, random = stage.files, self._random
        made = [p for p, node in files.items() if node.kind == "f" and not p.startswith("bin/")]
        old = random.choice(sorted(made) or [""])
        action = random.choice(
            ("new", "new", "over", "rm", "chmod", "link", "move", "copy", "into", "rmdir")
        )
        if action == "rmdir":
            path = random.choice(("out", "a", "a/b", "srv"))
            for each in [path, *below(files, path)]:
                files.pop(each, None)
            return f"rm -rf /{path}"

        def truth(path: str) -> Truth:
            return ("run", stage.name, line, f"/{path}")

        if action in {"new", "link", "move", "copy", "into"} or not old:
            return self._create(files, action, old, truth)
        return self._change(files, action, old, truth)

    def _create(self, files: Files, action: str, old: str, truth: Callable[[str], Truth]) -> str:
        """Put something at a new path."""
        place = self._random.choice(("out", "srv/app", "a", "lib/deep", "a/b"))
        path = follow(files, f"{place}/f{self._serial}")
        make_folders(files, posixpath.dirname(path), truth)
        start = f"mkdir -p /{posixpath.dirname(path)} && "
        if action in {"move", "copy", "into"} and old:
            return start + self._carry(files, action, old, path, truth)
        if action == "link":
            target = self._random.choice((f"../{self._serial}", "f1", "/out"))
            put(files, path, Node("l", link=target, truths=(truth(path),)), before={})
            return f"{start}ln -s {target} /{path}"
        content = f"w{self._serial}"
        put(files, path, Node("f", content=content.encode(), truths=(truth(path),)), before={})
        return f"{start}printf {content} > /{path}"

    def _carry(
        self, files: Files, action: str, old: str, path: str, truth: Callable[[str], Truth]
    ) -> str:
        """Put the bytes of one path at another: they keep their origin."""
        if action == "into":
            path = posixpath.join(posixpath.dirname(path), posixpath.basename(old))
        if path in files:
            raise ImpossibleError
        node = files[old]
        shown = f"/{posixpath.dirname(path)}/" if action == "into" else f"/{path}"
        if action == "move":
            del files[old]
            how = "mv"
        else:
            node = replace(node, mtime=node.mtime + 7)
            how = self._random.choice(("cp", "install -m 0644", "/bin/cp -v"))
            node = replace(node, mode=0o644) if how.startswith("install") else node
        if truth(old) in node.truths:
            # What this very step wrote was in no layer under its old name.
            node = replace(node, truths=(truth(path),))
        put(files, path, node, before={})
        return f"{how} {shlex.quote(f'/{old}')} {shown}"

    def _change(self, files: Files, action: str, old: str, truth: Callable[[str], Truth]) -> str:
        """Overwrite, remove or chmod a file."""
        shown = shlex.quote(f"/{old}")
        if action == "over":
            content = f"o{self._serial}"
            files[old] = replace(files[old], content=content.encode(), truths=(truth(old),))
            return f"printf {content} > {shown}"
        if action == "rm":
            del files[old]
            return f"rm {shown}"
        mode = self._random.choice((0o600, 0o755, 0o700))
        files[old] = replace(files[old], mode=mode)
        return f"chmod {mode:o} {shown}"

    def _copy(self, stage: ModelStage) -> None:
        random, program = self._random, self.program
        source = random.choice([None, *[each for each in program.stages if each is not stage]])
        files = program.context if source is None else source.files
        sources = self._sources(files)
        destination = self._destination(stage)
        name = "" if source is None else f"--from={random.choice((source.name, source.index))} "
        flags = random.choice(("", "", "", "--chmod=0640 ", "--chown=7:0 "))
        words = [f"/{each}" if source is not None and each != "." else each for each in sources]
        json_form = any(" " in word for word in [*words, destination]) or random.random() < 0.1
        spelled = _json(words, destination) if json_form else " ".join([*words, destination])
        line, before = self._line(f"COPY {flags}{name}{spelled}"), dict(stage.files)
        written = set(
            self._copied(
                stage, files, words, destination, line=line, flags=flags, own=source is None
            )
        )
        if program.classic:
            many = "multi" if len(words) > 1 else "file"
            recorded = f"/bin/sh -c #(nop) COPY {flags.strip()}{many}:{HASH} in {destination} "
        else:
            recorded = " ".join(["COPY", *flags.split(), *words, destination]) + " # buildkit"
            written = set()
        self._add(stage, before, recorded, written, always=not program.classic)

    def _sources(self, files: Files) -> list[str]:
        random = self._random
        choices = [path for path in sorted(files) if not path.startswith("bin")]
        if not choices:
            raise ImpossibleError
        if random.random() < 0.15:
            return ["."]
        if random.random() < 0.2:
            parent = posixpath.dirname(random.choice(choices))
            return [posixpath.join(parent, random.choice(("*", "f*", "*.js", "?.txt")))]
        return random.sample(choices, min(len(choices), random.choice((1, 1, 1, 2, 3))))

    def _destination(self, stage: ModelStage) -> str:
        random = self._random
        folders = [path for path, node in stage.files.items() if node.kind != "f"]
        return random.choice((
            ".", "./", "sub/", "new", "/srv/app/", "/lib/", "/lib/x", "/out", "/deep/er/",
            "/sp ace/", "/", f"/f{self._serial}", *[f"/{path}" for path in sorted(folders)[:6]],
        ))  # fmt: skip

    def _copied(  # noqa: PLR0913
        self,
        stage: ModelStage,
        files: Files,
        sources: list[str],
        destination: str,
        *,
        line: int,
        flags: str,
        own: bool,
    ) -> Iterator[str]:
        """Copy as builders do; yield what was written."""
        before = dict(stage.files)
        target = follow(stage.files, clean(posixpath.join(stage.workdir, destination)))
        found = [each for text in sources for each in expand(files, text)]
        slash = destination.endswith("/") or destination == "."
        if not found or (len(found) > 1 and not slash):
            raise ImpossibleError
        there = stage.files.get(target)
        into = slash or (there is not None and there.kind == "d") or not target
        for text in found:
            real = follow(files, text)
            node = files.get(real) or (Node("d") if not real else None)
            if node is None:
                raise ImpossibleError
            pairs = [(real, posixpath.join(target, posixpath.basename(text)) if into else target)]
            if node.kind == "d":
                pairs = [
                    (path, clean(f"{target}/{path[len(real) :]}")) for path in below(files, real)
                ]
                truths = node.truths if not own else (("context", stage.name, line, real or "."),)
                self._make_top(stage, target, line, truths)
            for path, place in pairs:
                self._folders(stage, posixpath.dirname(place), line)
                copied = self._carried(files[path], path, stage, line=line, flags=flags, own=own)
                put(stage.files, place, copied, before={} if self.program.classic else before)
                if copied.kind != "d":
                    yield place

    def _folders(self, stage: ModelStage, path: str, line: int) -> None:
        make_folders(stage.files, path, lambda p: ("workdir", stage.name, line, f"/{p}"))

    def _make_top(
        self, stage: ModelStage, target: str, line: int, truths: tuple[Truth, ...]
    ) -> None:
        """Make the directory that a directory is copied to: made, and copied as well."""
        self._folders(stage, target, line)
        if target and stage.files[target].truths[0] == ("workdir", stage.name, line, f"/{target}"):
            made = stage.files[target]
            stage.files[target] = replace(made, truths=(*made.truths, *truths))

    def _carried(  # noqa: PLR0913
        self, node: Node, path: str, stage: ModelStage, *, line: int, flags: str, own: bool
    ) -> Node:
        if own:
            node = replace(node, truths=(("context", stage.name, line, path),))
        if "chmod" in flags and node.kind != "l":
            node = replace(node, mode=0o640)
        return replace(node, uid=7) if "chown" in flags else node


def _json(words: list[str], destination: str) -> str:
    return "[" + ", ".join(f'"{word}"' for word in [*words, destination]) + "]"
