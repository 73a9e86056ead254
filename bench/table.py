"""Measured figures as JSON and as Markdown, the ratios beside their limits."""

from __future__ import annotations

import datetime as dt
import json
import os
import platform
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from layertrace import __version__

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from measure import Summary

UNPACKING: Final = "unpacking alone"
SYFT: Final = "syft, on the first archive"
RATIOS: Final = {
    "layers, cold": 0.25,
    "layers, cached": 0.12,
    "bloat, cold": 0.6,
    "files --digests, cold": 1.0,
}
"""Of the first archive's wall time to dive's."""
SYNTHETIC_RATIOS: Final = {
    "small-100k": {"layers, cold": 0.6},
    "small-1m": {"layers, cold": 0.35, "layers, cached": 0.1},
}
MEMORY_RATIO: Final = 1.5
MILLION_MEMORY_RATIO: Final = 0.4
UNPACKING_RATIO: Final = 1.2
SYFT_RATIO: Final = 0.1
GROWTH: Final = 1.3
"""Processor time an entry at a million to that at a hundred thousand."""
SCREEN_RATIOS: Final = {"first screen, cold": 0.4, "first screen, cached": 0.25}
PEAK_MIB: Final = 200
KEY_MS: Final = 20
TRACED: Final = "files --json -f --context --base"
TRACED_SECONDS: Final = 1.0
"""More than the walk alone takes, for tracing every file with all there is to know."""
STAGES_RATIO: Final = 4
STAGES_SECONDS: Final = 1.0
STAGES_MIB: Final = 400
_MIB: Final = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """All commands on one archive."""

    archive: str
    bytes: int
    summaries: Mapping[str, Summary]

    @property
    def peer(self) -> str:
        """What the others are compared with; empty: nothing."""
        return next((name for name in ("dive", UNPACKING) if name in self.summaries), "")

    def ratio(self, name: str, peer: str = "") -> float | None:
        """Return a command's wall time against another's; None where one of them cannot read it."""
        one, other = self.summaries.get(name), self.summaries.get(peer or self.peer)
        return None if one is None or other is None else one.wall / other.wall

    def memory_ratio(self, name: str) -> float | None:
        """Return a command's peak memory against dive's."""
        one, other = self.summaries.get(name), self.summaries.get("dive")
        return None if one is None or other is None else one.peak / other.peak

    def peak(self, command: str) -> float:
        """Return the MiB that a command takes at most, cold or cached."""
        return max(s.peak for n, s in self.summaries.items() if n.startswith(command)) / _MIB


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """One figure that must hold."""

    name: str
    value: float
    limit: float
    unit: str

    @property
    def holds(self) -> bool:
        """Whether it is within its limit."""
        return self.value <= self.limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """Everything one run of the bench found out."""

    measured: tuple[Measured, ...]
    traced: Measured | None = None
    """A trace archive, against dive on its final image alone."""
    tui: Mapping[str, float] = field(default_factory=dict)
    """Milliseconds."""

    @property
    def limits(self) -> tuple[Limit, ...]:
        """The figures with a limit, of the first archive and of the trace archive."""
        first = self.measured[0]
        limits = [*_of_ratios(first, RATIOS, "dive")]
        if (memory := first.memory_ratio("layers, cold")) is not None:
            name = "peak memory, `layers, cold` / dive"
            limits.append(Limit(name=name, value=memory, limit=MEMORY_RATIO, unit="x"))
        limits += _of_others(self.measured[1:])
        limits += [
            Limit(name=f"peak memory, `{name}`", value=first.peak(name), limit=PEAK_MIB, unit="MiB")
            for name in ("layers", "files --json")
        ]
        limits += [*_of_tracing(first), *_of_stages(self.traced)]
        limits += _of_screens(self.tui)
        if "key to paint, median" in self.tui:
            key = self.tui["key to paint, median"]
            limits.append(Limit(name="key to paint, median", value=key, limit=KEY_MS, unit="ms"))
        return tuple(limits)

    @property
    def holds(self) -> bool:
        """Whether every limit holds."""
        return all(limit.holds for limit in self.limits)


def _of_ratios(measured: Measured, ratios: Mapping[str, float], peer: str) -> Iterator[Limit]:
    where = "" if peer == "dive" and measured.archive == "regular.tar" else f"{measured.archive}: "
    for name, limit in ratios.items():
        ratio = measured.ratio(name, peer)
        if ratio is not None:
            yield Limit(name=f"{where}`{name}` / {peer}", value=ratio, limit=limit, unit="x")


def _of_others(measured: Sequence[Measured]) -> Iterator[Limit]:
    by_name = {each.archive.removesuffix(".tar"): each for each in measured}
    for name, each in by_name.items():
        yield from _of_ratios(each, SYNTHETIC_RATIOS.get(name, {}), "dive")
        if name == "regular-oci":
            yield from _of_ratios(each, {"layers, cold": UNPACKING_RATIO}, UNPACKING)
            yield from _of_ratios(each, {"layers, cold": SYFT_RATIO}, SYFT)
    many, most = by_name.get("small-100k"), by_name.get("small-1m")
    if most is not None and (memory := most.memory_ratio("layers, cold")) is not None:
        name = "small-1m: peak memory, `layers, cold` / dive"
        yield Limit(name=name, value=memory, limit=MILLION_MEMORY_RATIO, unit="x")
    if many is not None and most is not None:
        growth = most.summaries["layers, cold"].cpu / many.summaries["layers, cold"].cpu / 10
        name = "CPU an entry, `layers, cold`, small-1m / small-100k"
        yield Limit(name=name, value=growth, limit=GROWTH, unit="x")


def _of_screens(tui: Mapping[str, float]) -> Iterator[Limit]:
    dive = tui.get("dive's first screen")
    for name, limit in SCREEN_RATIOS.items():
        if dive is not None and name in tui:
            yield Limit(name=f"{name} / dive", value=tui[name] / dive, limit=limit, unit="x")


def _of_tracing(regular: Measured) -> Iterator[Limit]:
    # Processor time: it is seconds that count here, not a ratio of runs in turns, and
    # those of a busy machine say nothing. On an idle one both are the same.
    traced = regular.summaries.get(f"{TRACED}, cold")
    if traced is not None:
        more = traced.cpu - regular.summaries["layers, cold"].cpu
        name = f"`{TRACED}` - `layers`, cold, CPU"
        yield Limit(name=name, value=more, limit=TRACED_SECONDS, unit="s")


def _of_stages(trace: Measured | None) -> Iterator[Limit]:
    if trace is None:
        return
    name = f"`files --json` of `{trace.archive}`"
    cold, cached = (trace.summaries[f"files --json, {each}"].cpu for each in ("cold", "cached"))
    dive = trace.summaries.get("dive")
    if dive is not None:
        label = f"{name}, cold / dive on its final image, CPU"
        yield Limit(name=label, value=cold / dive.cpu, limit=STAGES_RATIO, unit="x")
    yield Limit(name=f"{name}, cached, CPU", value=cached, limit=STAGES_SECONDS, unit="s")
    peak = trace.peak("files --json")
    yield Limit(name=f"peak memory, {name}", value=peak, limit=STAGES_MIB, unit="MiB")


def as_markdown(result: Result) -> str:
    """Return the figures as people read them."""
    lines = [f"{_when()}, layertrace {__version__}, {_machine()}", ""]
    for measured in filter(None, (*result.measured, result.traced)):
        alone = " (dive: its final image alone)" if measured is result.traced else ""
        lines += [
            f"`{measured.archive}`, {measured.bytes / 1e6:,.0f} MB{alone}:",
            "",
            f"| command | wall s | spread | CPU s | peak MiB | against {measured.peer or 'none'} |",
            "|---|---:|---:|---:|---:|---:|",
        ]
        for name, one in measured.summaries.items():
            ratio = measured.ratio(name)
            against = "-" if ratio is None or name == measured.peer else f"{ratio:.2f} x"
            lines.append(
                f"| {name} | {one.wall:.2f} | {one.spread:.2f} | {one.cpu:.2f} "
                f"| {one.peak / _MIB:.0f} | {against} |"
            )
        lines.append("")
    if result.tui:
        lines += ["| terminal view of the first | ms |", "|---|---:|"]
        lines += [f"| {name} | {value:,.1f} |" for name, value in result.tui.items()]
        lines.append("")
    lines += ["| must hold | is | limit | |", "|---|---:|---:|---|"]
    lines += [
        f"| {each.name} | {each.value:.2f} {each.unit} | {each.limit:g} {each.unit} "
        f"| {'holds' if each.holds else 'MISSED'} |"
        for each in result.limits
    ]
    return "\n".join([*lines, ""])


def write_json(result: Result, target: Path) -> None:
    """Write all figures for a machine to compare."""
    data = {
        "date": _when(),
        "version": __version__,
        "machine": _machine(),
        "archives": [asdict(measured) for measured in result.measured],
        "traced": asdict(result.traced) if result.traced is not None else None,
        "tui_ms": dict(result.tui),
        "limits": [{**asdict(limit), "holds": limit.holds} for limit in result.limits],
    }
    target.write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")


def _when() -> str:
    return dt.datetime.now(tz=dt.UTC).date().isoformat()


def _machine() -> str:
    return (
        f"{_processor()}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}"
    )


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or "unknown processor"
    names = [line.partition(":")[2].strip() for line in text.splitlines() if "model name" in line]
    return names[0] if names else platform.machine()
