"""Random Dockerfiles in which every file's content says where its bytes came from."""

from __future__ import annotations

import fnmatch
import posixpath
import shlex
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from tests.random_commands import TINY, Shell
from tests.random_plan import (
    BASES,
    CONTEXT_FILES,
    CONTEXT_LINKS,
    IGNORING,
    PACKED,
    Files,
    ImpossibleError,
    Node,
    Plan,
    Stage,
    base_files,
    below,
    make_folder,
    packed_archive,
    put,
    resolved,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from random import Random

_OWN_TEXT: Final = "the Dockerfile's own text\n"
"""Stands for it until it is written."""


def make_plan(
    random: Random, bases: Mapping[str, str], *, label: str, nonce: str, buildkit: bool
) -> Plan:
    """Return a random Dockerfile of one to four stages.

    Args:
        random: decides.
        bases: the references of the base images, by color.
        label: goes on every image of the build.
        nonce: ends what files say, so that no other build has the like.
        buildkit: it may use what the classic builder cannot.
    """
    while True:
        plan = _Maker(random, bases, label=label, nonce=nonce, buildkit=buildkit).make()
        # An image without layers cannot be saved.
        if plan.target is not None and plan.target.files:
            return plan


class _Maker:
    """Writes a Dockerfile line by line, and does in the plan what a builder would."""

    def __init__(
        self, random: Random, bases: Mapping[str, str], *, label: str, nonce: str, buildkit: bool
    ) -> None:
        self._random = random
        self._label = label
        self._bases = bases
        self._serial = 0
        patterns, ignored = random.choice(IGNORING)
        context: Files = {}
        self.plan = Plan(buildkit, [], [], context, nonce)
        for path in CONTEXT_FILES:
            if path not in ignored:
                put(context, path, Node("f", self.plan.context_text(path)))
        context["vendor.tar"] = Node("f", packed_archive().decode())
        for path, target in CONTEXT_LINKS.items():
            context[path] = Node("l", link=target)
        if patterns:
            text = "".join(f"{each}\n" for each in (*patterns, "# context|.dockerignore"))
            context[".dockerignore"] = Node("f", text)
        context["Dockerfile"] = Node("f", _OWN_TEXT)
        if random.random() < 0.5:
            self.plan.arguments["WHERE"] = "/opt/given"

    def make(self) -> Plan:
        plan, random = self.plan, self._random
        count = random.choice((1, 2, 2, 3, 3, 3, 4))
        if random.random() < 0.3:
            self._line(f"ARG BASE={self._bases['blue']}")
        for index in range(count):
            self._start(index, last=index == count - 1)
            for number in range(random.choice((2, 2, 3, 3, 4))):
                step = random.choice((self._copy, self._run, self._run, self._other))
                if number == 0 and index:
                    step = self._copy_stage
                self._try(step)
        named = [stage for stage in plan.stages if not stage.name.startswith("stage-")]
        plan.target = random.choice(named) if named and random.random() < 0.25 else plan.stages[-1]
        self._line("# context|Dockerfile")
        for files in (plan.context, *(stage.files for stage in plan.stages)):
            for path, node in files.items():
                files[path] = replace(
                    node, content=node.content.replace(_OWN_TEXT, plan.dockerfile)
                )
        return plan

    # --- lines

    def _line(self, text: str) -> int:
        self.plan.lines.append(text)
        return len(self.plan.lines)

    def _try(self, step: Callable[[Stage], None]) -> None:
        """Run a step up to a few times; what a builder would refuse never was."""
        stage = self.plan.stages[-1]
        for _ in range(8):
            files, lines = dict(stage.files), list(self.plan.lines)
            try:
                step(stage)
            except ImpossibleError:
                stage.files, self.plan.lines[:] = files, lines
            else:
                return

    def _start(self, index: int, *, last: bool) -> None:
        random, stages = self._random, self.plan.stages
        name = f"s{index}" if random.random() < 0.8 and not last else f"stage-{index}"
        kind = random.choice(("base", "base", "base", "scratch", "stage"))
        below_it = random.choice(stages) if kind == "stage" and stages else None
        if below_it is not None and below_it.name.startswith("stage-"):
            below_it = None
        written = "" if name.startswith("stage-") else f" AS {name}"
        if below_it is not None:
            self._line(f"FROM {below_it.name}{written}")
            stage = replace(below_it, name=name, index=index, files=dict(below_it.files))
            stage.variables = {k: v for k, v in below_it.variables.items() if k == "PLACE"}
        elif kind == "scratch" and (index or not last):
            self._line(f"FROM scratch{written}")
            self._line(f"LABEL {self._label}=1")
            stage = Stage(name, index, {}, runs=False)
        else:
            color = random.choice(BASES)
            by_argument = color == "blue" and self.plan.lines[:1] and random.random() < 0.5
            by_argument = by_argument and self.plan.lines[0].startswith("ARG BASE")
            line = self._line(f"FROM {'${BASE}' if by_argument else self._bases[color]}{written}")
            files = base_files(self._bases[color], lambda path: ("base", name, line, path))
            stage = Stage(name, index, files, runs=True)
        stages.append(stage)

    # --- steps

    def _other(self, stage: Stage) -> None:
        """WORKDIR, ENV, ARG, ADD, or a step that writes nothing."""
        steps = (self._workdir, self._workdir, self._variable, self._argument, self._unpack)
        step = self._random.choice((*steps, None))
        if step is None:
            self._line(
                self._random.choice(("LABEL a=b", 'CMD ["sh"]', "STOPSIGNAL 9", "EXPOSE 80"))
            )
        else:
            step(stage)

    def _workdir(self, stage: Stage) -> None:
        written = self._random.choice(("/srv/app", "/data", "sub", "..", "/lib/work", "$PLACE"))
        path = self._place(stage, written)
        self._line(f"WORKDIR {written}")
        make_folder(stage.files, resolved(stage.files, path))
        stage.workdir = path

    def _variable(self, stage: Stage) -> None:
        stage.variables["PLACE"] = self._random.choice(("/srv/env", "/data/env"))
        self._line(f"ENV PLACE={stage.variables['PLACE']} MORE=1")

    def _argument(self, stage: Stage) -> None:
        self._line("ARG WHERE=/opt/default")
        stage.variables["WHERE"] = self.plan.arguments.get("WHERE", "/opt/default")

    def _unpack(self, stage: Stage) -> None:
        destination = self._random.choice(("/app/vendor/", "/vendor", "sub/"))
        line = self._line(f"ADD vendor.tar {destination}")
        folder = resolved(stage.files, self._place(stage, destination))
        truths = frozenset({("context", stage.name, line, "vendor.tar")})
        make_folder(stage.files, folder)
        for path in PACKED:
            node = Node("f", "context|vendor.tar\n", truths=truths, packed=True)
            put(stage.files, posixpath.join(folder, path), node)

    def _place(self, stage: Stage, written: str) -> str:
        """Return what a path of an instruction means."""
        for name, value in stage.variables.items():
            written = written.replace(f"${{{name}}}", value).replace(f"${name}", value)
        if "$" in written:
            raise ImpossibleError
        return posixpath.normpath(posixpath.join("/", stage.workdir, written)).strip("/")

    def _copy(self, stage: Stage) -> None:
        """COPY from the context."""
        files = {
            path: replace(node, truths=frozenset({("context", stage.name, line, path)}))
            for line in (len(self.plan.lines) + 1,)
            for path, node in self.plan.context.items()
        }
        self._copied(stage, files, "", own=True)

    def _copy_stage(self, stage: Stage) -> None:
        """COPY from another stage, by name or number, or from an image."""
        random, stages = self._random, self.plan.stages[:-1]
        if not stages or random.random() < 0.1:
            line = len(self.plan.lines) + 1
            files = base_files(self._bases["red"], lambda path: ("image", stage.name, line, path))
            self._copied(stage, files, f"--from={self._bases['red']} ", own=False)
            return
        source = random.choice(stages)
        names = [str(source.index)]
        if not source.name.startswith("stage-"):
            names += [source.name, source.name.upper()]
        self._copied(stage, source.files, f"--from={random.choice(names)} ", own=False)

    def _copied(self, stage: Stage, files: Files, source: str, *, own: bool) -> None:
        random = self._random
        words = self._sources(files)
        destination = random.choice((
            ".", "./", "sub/", "/app/", "/lib/", "/lib", "/out", "/opt/deep/", "/sp ace/", "/",
            "${PLACE}/in/", "$WHERE/", "/data", f"/f{self._serial}", f"to/f{self._serial}",
        ))  # fmt: skip
        self._serial += 1
        flags = random.choice(("", "", "", "--chown=7:8 "))
        if self.plan.buildkit:
            flags += random.choice(("", "", "", "--chmod=0640 "))
        shown = [word if own else f"/{word}" for word in words]
        spaced = any(" " in word for word in [*shown, destination])
        if spaced or random.random() < 0.15:
            quoted = ", ".join(f'"{word}"' for word in [*shown, destination])
            self._line(f"COPY {flags}{source}[{quoted}]")
        else:
            self._line(" ".join([f"COPY {flags}{source}".rstrip(), *shown, destination]))
        self._carry(stage, files, words, destination)

    def _sources(self, files: Files) -> list[str]:
        random = self._random
        plain = sorted(path for path in files if not path.endswith("vendor.tar"))
        if not plain:
            raise ImpossibleError
        chance = random.random()
        if chance < 0.12:
            return ["."]
        if chance < 0.35:
            parent = posixpath.dirname(random.choice(plain))
            name = random.choice(("*.txt", "*.js", "f*", "?.txt", "*"))
            return [posixpath.join(parent, name)]
        return random.sample(plain, min(len(plain), random.choice((1, 1, 1, 2, 3))))

    def _carry(self, stage: Stage, files: Files, words: list[str], destination: str) -> None:
        """Do in the plan what a COPY does."""
        target = resolved(stage.files, self._place(stage, destination))
        found = [each for word in words for each in self._expanded(files, word)]
        slash = destination.endswith(("/", "."))
        if not found or (max(len(found), len(words)) > 1 and not destination.endswith("/")):
            raise ImpossibleError
        there = stage.files.get(target)
        into = slash or not target or (there is not None and there.kind == "d")
        for each in found:
            real = resolved(files, each)
            if real and real not in files:
                raise ImpossibleError
            if real and files[real].kind == "f":
                name = posixpath.basename(each)
                put(stage.files, posixpath.join(target, name) if into else target, files[real])
                continue
            make_folder(stage.files, target)
            for path in below(files, real):
                place = posixpath.join(target, path[len(real) :].strip("/"))
                if files[path].kind == "d":
                    make_folder(stage.files, place)
                else:
                    put(stage.files, place, files[path])

    def _expanded(self, files: Files, word: str) -> list[str]:
        if word == ".":
            return [""]
        if "*" not in word and "?" not in word:
            return [word]
        folder, name = posixpath.split(word)
        real = resolved(files, folder)
        names = [path[len(real) :].strip("/") for path in below(files, real)]
        names = [each for each in names if "/" not in each and fnmatch.fnmatchcase(each, name)]
        found = [posixpath.join(real, each) for each in names]
        if any(files[each].kind == "l" for each in found) or real != folder:
            # Whether a link that a wildcard meets is followed differs from builder to builder.
            raise ImpossibleError
        return found

    # --- what a RUN does

    def _run(self, stage: Stage) -> None:
        if not stage.runs:
            raise ImpossibleError
        before, line = dict(stage.files), len(self.plan.lines) + 1
        mount = ""
        if self.plan.buildkit and self._random.random() < 0.3:
            mount, files = self._mount(stage, line)
            commands = [self._from_mount(stage, files)]
        else:
            shell = Shell(self._random, stage, line, self.plan.nonce)
            commands = [shell.command() for _ in range(self._random.choice((1, 2, 2, 3)))]
        self._line(f"RUN {mount}{' && '.join(commands)}")
        for path, node in stage.files.items():
            old = before.get(path)
            if (
                old is not None
                and old is not node
                and (old.kind, old.content) == ("f", node.content)
            ):
                # Written again with the content that it had.
                stage.files[path] = replace(node, truths=node.truths | old.truths)

    def _mount(self, stage: Stage, line: int) -> tuple[str, Files]:
        """Return the flag that mounts a stage, the context or an image, and its files."""
        stages = [each for each in self.plan.stages[:-1] if not each.name.startswith("stage-")]
        kind = self._random.choice(("stage", "stage", "context", "image"))
        if kind == "image":
            name = self._bases["red"]
            files = base_files(name, lambda path: ("image", stage.name, line, path))
        elif kind == "context":
            name, files = (
                "",
                {
                    path: replace(node, truths=frozenset({("context", stage.name, line, path)}))
                    for path, node in self.plan.context.items()
                    if node.content != _OWN_TEXT
                },
            )
        elif stages:
            source = self._random.choice(stages)
            name, files = source.name, source.files
        else:
            raise ImpossibleError
        return f"--mount=type=bind,{name and f'from={name},'}target=/mnt ", files

    def _from_mount(self, stage: Stage, mounted: Files) -> str:
        """Copy a file or folder out of what is mounted."""
        files = sorted(
            path for path, node in mounted.items() if node.kind == "f" and "|" in node.content
        )
        if not files:
            raise ImpossibleError
        path = self._random.choice(files)
        self._serial += 1
        make_folder(stage.files, "mnt")
        line, target = len(self.plan.lines) + 1, f"from{self._serial}"
        how = self._random.choice(("cp -p", "cp -f", "cp -r", "?"))
        folder = posixpath.dirname(path)
        if how == "?" and len(mounted[path].content) < TINY:
            raise ImpossibleError
        if how != "cp -r" or not folder:
            self._bring(stage, mounted[path], target, line, guessed=how == "?")
            source = shlex.quote(f"/mnt/{path}")
            if how == "?":
                return f'for name in {source}; do cp "$name" /{target}; done'
            return f"{how} {source} /{target}"
        make_folder(stage.files, target)
        for each in below(mounted, folder):
            place = posixpath.join(target, each[len(folder) + 1 :])
            if mounted[each].kind == "f":
                self._bring(stage, mounted[each], place, line)
            else:
                stage.files[place] = mounted[each]
        return f"cp -a {shlex.quote(f'/mnt/{folder}')} /{target}"

    def _bring(
        self, stage: Stage, node: Node, place: str, line: int, *, guessed: bool = False
    ) -> None:
        """Put a file that a RUN copies out of a mount, of which no history tells."""
        brought = ("run", stage.name, line, f"/{place}")
        node = replace(node, mounted=node.mounted | {brought}, guessed=node.guessed or guessed)
        put(stage.files, place, node)
