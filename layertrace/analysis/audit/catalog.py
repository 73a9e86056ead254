"""Every rule there is, in the order they are asked; the defaults are the default policy."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from layertrace.analysis.audit.kinds import RuleKind
from layertrace.analysis.audit.rules import (
    leaks,
    modes,
    origins,
    programs,
    runtime,
    sizes,
)
from layertrace.model.audit import Level, Unit

if TYPE_CHECKING:
    from collections.abc import Mapping

_LIMIT: Final = frozenset({"limit"})
_SOME: Final = frozenset({"limit", "allow", "base"})
"""Of rules that find files: how many may be found, where, and whether in the base too."""

RULES: Final = (
    RuleKind(
        id="max-size",
        asks="the image weighs no more than the limit",
        fix="see where the weight is: layertrace layers IMAGE, layertrace bloat IMAGE",
        unit=Unit.BYTES,
        limit="1GB",
        options=_LIMIT,
        judge=sizes.judge_size,
    ),
    RuleKind(
        id="max-layer-size",
        asks="no layer weighs more than the limit",
        fix="copy only what runs out of an earlier stage, or split the instruction",
        unit=Unit.BYTES,
        limit="500MB",
        options=_LIMIT | {"base"},
        base=False,
        judge=sizes.judge_layer_size,
    ),
    RuleKind(
        id="max-wasted",
        asks="layers store no more bytes than the limit that no container sees",
        fix="remove files in the instruction that makes them: layertrace bloat IMAGE says where",
        unit=Unit.BYTES,
        limit="20MB",
        options=_LIMIT,
        judge=sizes.judge_wasted,
    ),
    RuleKind(
        id="max-wasted-percent",
        asks="of all stored bytes no more than this part is seen by no container",
        fix="remove files in the instruction that makes them: layertrace bloat IMAGE says where",
        unit=Unit.PERCENT,
        limit=10,
        options=_LIMIT,
        judge=sizes.judge_wasted_percent,
    ),
    RuleKind(
        id="lowestEfficiency",
        asks="the efficiency, as dive scores it, is at least the limit",
        fix="remove files in the instruction that makes them: layertrace bloat IMAGE says where",
        level=Level.ERROR,
        enabled=False,
        unit=Unit.RATIO,
        limit=0.9,
        least=True,
        options=_LIMIT,
        names=("lowest-efficiency-threshold", "lowest-efficiency"),
        judge=sizes.judge_efficiency,
    ),
    RuleKind(
        id="highestWastedBytes",
        asks="dive's rule, counted exactly: no more stored bytes than the limit are seen by nobody",
        fix="remove files in the instruction that makes them: layertrace bloat IMAGE says where",
        level=Level.ERROR,
        enabled=False,
        unit=Unit.BYTES,
        limit="20MB",
        options=_LIMIT,
        names=("highest-wasted-bytes",),
        judge=sizes.judge_wasted,
    ),
    RuleKind(
        id="highestUserWastedPercent",
        asks="dive's rule, counted exactly: wasted bytes, as a part of all above the first layer",
        fix="remove files in the instruction that makes them: layertrace bloat IMAGE says where",
        level=Level.ERROR,
        enabled=False,
        unit=Unit.RATIO,
        limit=0.1,
        options=_LIMIT,
        names=("highest-user-wasted-percent",),
        judge=sizes.judge_user_wasted,
    ),
    RuleKind(
        id="no-secrets",
        asks="no layer stores keys, tokens or other credentials, not even removed later",
        fix="pass it with RUN --mount=type=secret, keep it out by .dockerignore, and revoke it",
        level=Level.ERROR,
        options=_SOME,
        judge=leaks.judge_secrets,
    ),
    RuleKind(
        id="no-doubtful-secrets",
        asks="nothing is stored that looks like a credential and is likely an example or public",
        fix="look at each: each match says why it is doubted",
        level=Level.NOTE,
        enabled=False,
        options=_SOME,
        judge=leaks.judge_doubtful_secrets,
    ),
    RuleKind(
        id="no-vcs",
        asks="no layer stores a folder of version control, not even removed later",
        fix="add .git to .dockerignore, or copy only the folders that are needed",
        level=Level.ERROR,
        options=_SOME,
        judge=leaks.judge_vcs,
    ),
    RuleKind(
        id="no-sources",
        asks="no layer stores source code that has to be compiled, not even removed later",
        fix="build in an earlier stage and copy only the result: COPY --from=STAGE",
        options=_SOME,
        base=False,
        judge=leaks.judge_sources,
    ),
    RuleKind(
        id="no-source-maps",
        asks="no layer stores source maps, not even removed later",
        fix="turn source maps off for production, or copy without them: COPY --exclude=*.map",
        options=_SOME,
        base=False,
        judge=leaks.judge_source_maps,
    ),
    RuleKind(
        id="no-build-tools",
        asks="no compiler, linker, build tool, debugger or version control can be run",
        fix="build in an earlier stage, and start the last one FROM a slimmer base",
        level=Level.ERROR,
        options=_SOME,
        judge=programs.judge_build_tools,
    ),
    RuleKind(
        id="no-package-managers",
        asks="nothing that installs packages can be run",
        fix="start the last stage FROM a base without one (distroless, scratch), or remove it",
        level=Level.NOTE,
        options=_SOME,
        judge=programs.judge_package_managers,
    ),
    RuleKind(
        id="no-package-caches",
        asks="no caches or lists of package managers are left",
        fix="RUN --mount=type=cache,target=…, or remove the cache in the same RUN",
        options=_SOME,
        judge=leaks.judge_caches,
    ),
    RuleKind(
        id="no-setuid",
        asks="no file runs as its owner or group, whoever starts it",
        fix="RUN chmod a-s FILE where it is not needed, or allow it",
        options=_SOME,
        judge=modes.judge_setuid,
    ),
    RuleKind(
        id="no-capabilities",
        asks="no file gives capabilities to whoever runs it",
        fix="RUN setcap -r FILE where it is not needed, or allow it",
        options=_SOME,
        judge=modes.judge_capabilities,
    ),
    RuleKind(
        id="no-world-writable",
        asks="no file or folder may be written to by anybody, sticky folders apart",
        fix="COPY --chmod=…, or chmod o-w in the instruction that makes it",
        options=_SOME,
        judge=modes.judge_world_writable,
    ),
    RuleKind(
        id="no-root-user",
        asks="containers do not run as root unless told to",
        fix="end the last stage with USER and a user that is not root, best by its number",
        limit=None,
        layers=False,
        judge=runtime.judge_root,
    ),
    RuleKind(
        id="no-unknown-origin",
        asks="of every file it is known where it came from, and nothing speaks against it",
        fix="layertrace why IMAGE PATH says what is missing",
        options=_SOME | {"strict"},
        origins=True,
        judge=origins.judge_unknown_origin,
    ),
    RuleKind(
        id="pinned-base",
        asks="base images are named by digest, not by a tag alone",
        fix="FROM NAME:TAG@sha256:…",
        limit=None,
        layers=False,
        judge=origins.judge_pinned_base,
    ),
    RuleKind(
        id="known-base",
        asks="the base image is known",
        fix="give -f Dockerfile, or label the image org.opencontainers.image.base.name and .digest",
        enabled=False,
        limit=None,
        judge=origins.judge_known_base,
    ),
    RuleKind(
        id="provenance",
        asks="the builder's provenance came with the image, and fits it",
        fix="docker buildx build --provenance=mode=max, and keep the attestation with the image",
        enabled=False,
        limit=None,
        judge=origins.judge_provenance,
    ),
)

BY_ID: Final[Mapping[str, RuleKind]] = MappingProxyType({kind.id: kind for kind in RULES})
IDS: Final[Mapping[str, str]] = MappingProxyType(
    {name: kind.id for kind in RULES for name in (kind.id, *kind.names)}
)
"""Every name of a rule to its id."""
DIVE: Final = ("lowestEfficiency", "highestWastedBytes", "highestUserWastedPercent")
"""The rules of dive's CI."""
