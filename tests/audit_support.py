"""Images in memory, audited: a rule or a policy asked of layers that a test writes out."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any, Final

from layertrace.analysis.audit.reading import only_rules, read_policy
from layertrace.analysis.audit.run import run_audit
from layertrace.layers.cache import IndexCache
from layertrace.pipeline.hints import Hints
from layertrace.pipeline.trace import open_image
from tests.builders import docker_archive, image, layer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from layertrace.model.audit import AuditReport, Match, RuleResult
    from layertrace.pipeline.answers import ImageTrace
    from layertrace.pipeline.trace import Opening
    from tests.builders import Content

TODAY: Final = date(2026, 11, 23)
Layers = "Sequence[Mapping[str, Content]]"


class Bench:
    """Opens what it is given; what was opened is closed in the end."""

    def __init__(self, folder: Path) -> None:
        """Write archives below ``folder``."""
        self._folder = folder
        self._opened: list[Opening] = []

    def trace(
        self,
        *layers: Mapping[str, Content],
        dockerfile: str | None = None,
        history: Sequence[str | dict[str, object]] | None = None,
        runtime: Mapping[str, object] | None = None,
        platform: str = "linux/amd64",
        archive: bytes | None = None,
        **hints: Any,  # noqa: ANN401 - as for Hints
    ) -> ImageTrace:
        """Return an image of these layers, or of a whole archive."""
        made = image(*map(layer, layers), history=history, runtime=runtime, platform=platform)
        path = self._folder / f"{len(self._opened)}.tar"
        path.write_bytes(archive or docker_archive(made))
        if dockerfile is not None:
            hints["dockerfile"] = self._folder / "Dockerfile"
            hints["dockerfile"].write_text(dockerfile)
        opening = open_image(str(path), Hints(**hints), IndexCache(self._folder, limit=0))
        self._opened.append(opening)
        return opening.walk()

    def audit(self, policy: str, *layers: Mapping[str, Content], **image: Any) -> AuditReport:  # noqa: ANN401
        """Return what a policy says of an image; rules it does not name are not asked."""
        text = f"[audit]\ndefaults = false\n{policy}"
        return run_audit(self.trace(*layers, **image), read_policy(text.encode(), "p.toml"), TODAY)

    def ask(
        self,
        rule: str,
        *layers: Mapping[str, Content],
        options: str = "",
        **image: Any,  # noqa: ANN401
    ) -> RuleResult:
        """Return what came of one rule."""
        text = f"[audit.rules.{rule}]\n{options}\n".encode()
        policy = only_rules(read_policy(text, "p.toml"), [rule])
        (result,) = run_audit(self.trace(*layers, **image), policy, TODAY).rules
        return result

    def close(self) -> None:
        """Close all that was opened."""
        for opening in self._opened:
            opening.close()


def paths(result: RuleResult) -> list[str | None]:
    """Return where a rule found something, ``-`` before what is not visible."""
    return [_path(match) for match in result.matches]


def _path(match: Match) -> str | None:
    return match.path if match.visible or match.path is None else f"-{match.path}"
