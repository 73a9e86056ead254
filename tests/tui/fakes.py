"""Images that were never built: what the TUI shows, written down by hand."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from layertrace.errors import LayertraceError, PathNotFoundError, StoppedError
from layertrace.model.build import Build, Instruction, Stage
from layertrace.model.entry import EntryKind
from layertrace.model.files import FileRecord, FileTable, Label, ShareRow, Version
from layertrace.model.image import HistoryEntry, Image, ImageConfig, LayerRef, Platform
from layertrace.model.origin import (
    Action,
    Chain,
    Change,
    Evidence,
    Finding,
    Hop,
    Origin,
    OriginKind,
    Trust,
)
from layertrace.model.trace import Carrier, ImageHead, LayerInfo, StageInfo
from layertrace.pipeline.watch import Phase
from layertrace.provenance.trees import Item

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Sequence

    from layertrace.views.tui.ports import WalkProgress

DOCKERFILE = """\
FROM node:14 AS build
WORKDIR /app
COPY package.json ./
RUN npm install
COPY . .
RUN npm run build

FROM node:14-slim
# what ships
WORKDIR /app
COPY --from=build /app/dist /app/dist
COPY --from=build /app/package.json /app/
RUN npm install --production \\
    && npm cache clean
CMD ["node", "dist/server.js"]
"""

BASE = Label(kind=OriginKind.BASE)
BUILD = Label(kind=OriginKind.RUN, stage="build", stage_index=0, carried_from="build", line=6)
CONTEXT = Label(kind=OriginKind.CONTEXT, carried_from="build", line=3)
FINAL = Label(kind=OriginKind.RUN, stage="stage-1", stage_index=1, line=13)
CARRIED = Label(kind=OriginKind.UNKNOWN, carried_from="build")
LABELS = (BASE, BUILD, CONTEXT, FINAL, CARRIED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One path of a table to be."""

    path: str
    size: int = 0
    layer: int = 0
    label: Label = BASE
    trust: Trust = Trust.VERIFIED
    change: Change = Change.ADDED
    kind: EntryKind = EntryKind.FILE


def directory(path: str, layer: int = 0, label: Label = BASE) -> Row:
    """Return a directory's row."""
    return Row(path=path, layer=layer, label=label, kind=EntryKind.DIR)


ROWS = (
    directory("app", 2),
    directory("app/dist", 2, BUILD),
    Row(path="app/dist/server.js", size=94_200, layer=2, label=BUILD),
    Row(path="app/dist/vendor.js", size=1_400_000, layer=2, label=BUILD),
    directory("app/node_modules", 4, FINAL),
    Row(path="app/node_modules/left-pad.js", size=22_700_000, layer=4, label=FINAL),
    Row(path="app/old.map", size=307_200, layer=4, label=BASE, change=Change.REMOVED),
    Row(path="app/package.json", size=900, layer=3, label=CONTEXT, trust=Trust.INFERRED),
    directory("bin"),
    Row(path="bin/sh", size=4_600_000),
    Row(path="bin/[", size=50_000),
    directory("etc"),
    Row(path="etc/hosts", size=120, trust=Trust.UNKNOWN, label=CARRIED, layer=4),
)


def table(rows: Sequence[Row] = ROWS) -> FileTable:
    """Return a table of rows that stand in preorder."""
    return FileTable(
        paths=[row.path for row in rows],
        kinds=[int(row.kind) for row in rows],
        sizes=[row.size for row in rows],
        layers=[row.layer for row in rows],
        changes=[row.change for row in rows],
        trusts=[row.trust for row in rows],
        label_ids=[LABELS.index(row.label) for row in rows],
        labels=LABELS,
    )


def _instruction(
    line: int, stage: int, step: int, text: str, end: int | None = None
) -> Instruction:
    return Instruction(
        keyword=text.split(maxsplit=1)[0],
        text=text,
        line=line,
        end_line=end or line,
        stage_index=stage,
        step=step,
    )


def build() -> Build:
    """Return the Dockerfile above as it would be read."""
    first = (
        _instruction(2, 0, 1, "WORKDIR /app"),
        _instruction(3, 0, 2, "COPY package.json ./"),
        _instruction(4, 0, 3, "RUN npm install"),
        _instruction(5, 0, 4, "COPY . ."),
        _instruction(6, 0, 5, "RUN npm run build"),
    )
    second = (
        _instruction(10, 1, 1, "WORKDIR /app"),
        _instruction(11, 1, 2, "COPY --from=build /app/dist /app/dist"),
        _instruction(12, 1, 3, "COPY --from=build /app/package.json /app/"),
        _instruction(13, 1, 4, "RUN npm install --production && npm cache clean", 14),
        _instruction(15, 1, 5, 'CMD ["node", "dist/server.js"]'),
    )
    stages = (
        Stage(
            index=0, name="build", named=True, base="node:14", base_stage=None,
            line=1, end_line=6, text="FROM node:14 AS build", instructions=first,
        ),
        Stage(
            index=1, name="stage-1", named=False, base="node:14-slim", base_stage=None,
            line=8, end_line=15, text="FROM node:14-slim", instructions=second,
        ),
    )  # fmt: skip
    return Build(name="Dockerfile", text=DOCKERFILE, stages=stages, target=1)


def _layers() -> tuple[LayerInfo, ...]:
    def layer(index: int, instruction: str, line: int, size: int, **more: object) -> LayerInfo:
        plain = LayerInfo(
            index=index,
            diff_id=f"sha256:{index:064x}",
            digest=None,
            created_by=instruction,
            base=line == 8,
            trust=Trust.VERIFIED,
            evidence=Evidence.DECLARED,
            stage="stage-1",
            stage_index=1,
            line=line,
            instruction="FROM node:14-slim" if line == 8 else instruction,
            size=size,
            files=0 if size == 0 else 3,
        )
        return replace(plain, **more)  # type: ignore[arg-type]

    copied = {"source": "build", "source_stage": 0}
    return (
        layer(0, "/bin/sh -c #(nop) ADD file:0123 in / ", 8, 4_650_000),
        layer(1, "WORKDIR /app", 10, 0),
        layer(2, "COPY --from=build /app/dist /app/dist", 11, 1_494_200, **copied),
        layer(3, "COPY --from=build /app/package.json /app/", 12, 900, **copied),
        layer(4, "RUN npm install --production && npm cache clean", 13, 22_700_120),
    )


def _stages() -> tuple[StageInfo, ...]:
    carried = (Carrier(layer=2, line=11, instruction="COPY --from=build /app/dist /app/dist"),)
    return (
        StageInfo(
            index=0, name="build", base="node:14", line=1, in_image=False, used=True,
            size=1_210_000_000, shipped_bytes=1_494_200, shipped_files=2, carried_by=carried,
        ),
        StageInfo(
            index=1, name="stage-1", base="node:14-slim", line=8, in_image=True, used=True,
            shipped_bytes=22_700_000, shipped_files=1,
        ),
    )  # fmt: skip


HISTORY = (
    HistoryEntry(created_by="/bin/sh -c #(nop) ADD file:0123 in / "),
    HistoryEntry(created_by="/bin/sh -c #(nop)  ENV NODE_VERSION=14", empty_layer=True),
    HistoryEntry(created_by="WORKDIR /app"),
    HistoryEntry(created_by="COPY /app/dist /app/dist # buildkit"),
    HistoryEntry(created_by="COPY /app/package.json /app/ # buildkit"),
    HistoryEntry(created_by="RUN /bin/sh -c npm install --production # buildkit"),
)


def head(
    *, reference: str = "shop:1.4.2", dockerfile: bool = True, findings: tuple[Finding, ...] = ()
) -> ImageHead:
    """Return the head of a walked image of five layers and two stages."""
    layers = _layers()
    if not dockerfile:
        none = {"stage": None, "stage_index": None, "line": None, "instruction": None}
        layers = tuple(replace(n, **none, source=None, source_stage=None) for n in layers)  # type: ignore[arg-type]
    config = ImageConfig(
        digest="sha256:" + "c" * 64,
        platform=Platform(os="linux", architecture="amd64"),
        diff_ids=tuple(layer.diff_id for layer in layers),
        history=HISTORY,
    )
    refs = tuple(LayerRef(index=n.index, diff_id=n.diff_id, blob=f"{n.index}.tar") for n in layers)
    return ImageHead(
        image=Image(reference=reference, config=config, layers=refs),
        layers=layers,
        stages=_stages() if dockerfile else (),
        build=build() if dockerfile else None,
        findings=findings,
        size=28_845_220,
    )


def unread(known: ImageHead) -> ImageHead:
    """Return a head as it is before its layers are walked."""
    return replace(
        known,
        size=None,
        layers=tuple(replace(n, size=None, files=None) for n in known.layers),
        stages=tuple(
            replace(s, size=None, shipped_bytes=None, shipped_files=None) for s in known.stages
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeProgress:
    """What a walk reports."""

    layer: int
    layers: int
    bytes_done: int
    bytes_total: int | None
    entries: int
    phase: Phase = Phase.LAYERS
    estimated: bool = False


@dataclass(kw_only=True)
class FakeTrace:
    """A walked image; paths under ``dist`` have a long chain."""

    head: ImageHead
    table: FileTable
    chains: dict[str, Chain] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    context_files: int | None = None

    def record(self, path: str) -> FileRecord:
        """Return the record of a path of the table."""
        row = self._row(path)
        label = self.table.labels[self.table.label_ids[row]]
        return FileRecord(
            path=path,
            kind=EntryKind(self.table.kinds[row]),
            implicit=False,
            size=self.table.sizes[row],
            mode=0o644,
            uid=0,
            gid=0,
            mtime=0,
            link_target=None,
            digest=None,
            layer=self.table.layers[row],
            change=self.table.changes[row],
            stage=label.stage,
            stage_index=label.stage_index,
            origin=self.chain(path).origin,
            trust=self.table.trusts[row],
        )

    def chain(self, path: str) -> Chain:
        """Return a chain made up from the path's label."""
        self.asked.append(path)
        if path in self.chains:
            return self.chains[path]
        row = self._row(path)
        label = self.table.labels[self.table.label_ids[row]]
        trust = self.table.trusts[row] if self.head.build else Trust.INFERRED
        if label == BUILD:
            return _copied(path, self.table.layers[row])
        if label == CONTEXT:
            return _from_context(path, self.table.layers[row])
        action = Action.INHERIT if label == BASE else Action.WRITE
        layer = self.head.layers[self.table.layers[row]]
        hop = Hop(
            place="final", layer=layer.index, action=action, path=f"/{path}", trust=trust,
            evidence=Evidence.DECLARED, detail="as the Dockerfile says", stage=layer.stage,
            stage_index=layer.stage_index, line=layer.line, instruction=layer.instruction,
        )  # fmt: skip
        origin = Origin(
            kind=label.kind, stage=label.stage, instruction=layer.instruction,
            image="node:14-slim" if label == BASE else None,
        )  # fmt: skip
        return Chain(hops=(hop,), origin=origin, trust=trust, carried_from=label.carried_from)

    def versions(self, path: str) -> tuple[Version, ...]:
        """Return what the layers did to a path that was removed."""
        return (
            Version(layer=2, change=Change.ADDED, size=307_200, mode=0o644, digest=None),
            Version(layer=4, change=Change.REMOVED, size=None, mode=None, digest=None),
        )

    def item_at(self, row: int) -> Item | None:
        """Return an entry as every fake has it; the last row has none."""
        if row == len(self.table) - 1:
            return None
        kind = EntryKind(self.table.kinds[row])
        return Item(kind=kind, size=0, mode=0o104755, uid=1000, gid=100, mtime=1_700_000_000)

    def digest(self, path: str) -> str | None:
        """Return a digest that names the path."""
        return f"sha256:of {path}"

    def shares(self) -> tuple[ShareRow, ...]:
        """Return what did not come from a stage or the base."""
        return (
            ShareRow(
                kind="context", name="context", stage_index=None, base=None, steps=None, size=None,
                shipped_bytes=900, shipped_files=1, trust=Trust.INFERRED,
            ),
        )  # fmt: skip

    def _row(self, path: str) -> int:
        paths = list(self.table.paths)
        if path not in paths:
            raise PathNotFoundError(f"/{path} is not in the image")
        return paths.index(path)


def _copied(path: str, layer: int) -> Chain:
    hops = (
        Hop(
            place="final", layer=layer, action=Action.COPY, path=f"/{path}", trust=Trust.VERIFIED,
            evidence=Evidence.MATCHED, detail="same sha256", stage="stage-1", stage_index=1,
            line=11, instruction="COPY --from=build /app/dist /app/dist",
        ),
        Hop(
            place="build", layer=4, action=Action.WRITE, path=f"/{path}", trust=Trust.VERIFIED,
            evidence=Evidence.DECLARED, detail="created here", stage="build", stage_index=0,
            line=6, instruction="RUN npm run build",
        ),
    )  # fmt: skip
    origin = Origin(
        kind=OriginKind.RUN, stage="build", stage_index=0, line=6, instruction="RUN npm run build"
    )
    return Chain(hops=hops, origin=origin, trust=Trust.VERIFIED, carried_from="build")


def _from_context(path: str, layer: int) -> Chain:
    hops = (
        Hop(
            place="final", layer=layer, action=Action.COPY, path=f"/{path}", trust=Trust.VERIFIED,
            evidence=Evidence.MATCHED, detail="same sha256", stage="stage-1", stage_index=1,
            line=12, instruction="COPY --from=build /app/package.json /app/",
        ),
        Hop(
            place="build", layer=1, action=Action.COPY, path=f"/{path}", trust=Trust.INFERRED,
            evidence=Evidence.DECLARED, detail="not compared", stage="build", stage_index=0,
            line=3, instruction="COPY package.json ./",
        ),
    )  # fmt: skip
    origin = Origin(kind=OriginKind.CONTEXT, stage="build", line=3, path="package.json")
    return Chain(hops=hops, origin=origin, trust=Trust.INFERRED, carried_from="build")


@dataclass(kw_only=True)
class FakeOpening:
    """An image that is walked at once, or once ``gate`` is set."""

    known: ImageHead = field(default_factory=head)
    files: FileTable = field(default_factory=table)
    gate: threading.Event | None = None
    error: LayertraceError | None = None
    trace: FakeTrace = field(init=False)
    walks: int = 0
    read: FakeTrace | None = None
    """What there is to see before all is read."""
    compared: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self.trace = FakeTrace(head=self.known, table=self.files)

    @property
    def head(self) -> ImageHead:
        """Nothing of its sizes is known yet."""
        return unread(self.known)

    def so_far(self) -> FakeTrace | None:
        """Return what a test says is read."""
        return self.read

    def head_so_far(self) -> ImageHead:
        """Return sizes of what is read."""
        return self.head if self.read is None else self.read.head

    def walk(self, progress: Callable[[WalkProgress], None], stop: Callable[[], bool]) -> FakeTrace:
        """Report once, wait at the gate, then hand out the trace."""
        self.walks += 1
        progress(FakeProgress(layer=2, layers=5, bytes_done=61, bytes_total=100, entries=1234))
        while self.gate is not None and not self.gate.wait(0.005):
            if stop():
                raise StoppedError
        if self.error is not None:
            raise self.error
        return self.trace
