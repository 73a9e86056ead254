"""The builder's provenance: where it is, and what it says of the image that was opened."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from layertrace.errors import ArchiveError, DockerfileError, LimitError, SourceError
from layertrace.model.limits import DEFAULTS
from layertrace.model.origin import Finding

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from layertrace.archive.source import ArchiveSource
    from layertrace.model.attestation import Attestation
    from layertrace.model.build import BaseDefaults, Build
    from layertrace.model.bundle import TraceBundle
    from layertrace.model.image import Image
    from layertrace.model.limits import Limits
    from layertrace.pipeline.streamed import StoredInEngine

PROVENANCE_UNREADABLE: Final = "provenance-unreadable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A provenance, or why there is none to go by."""

    attestation: Attestation | None = None
    bound: bool = False
    """It is known to be of this very image."""
    findings: tuple[Finding, ...] = ()


def find_provenance(
    image: Image,
    given: Path | None,
    source: ArchiveSource | StoredInEngine | None,
    bundle: TraceBundle | None,
    limits: Limits = DEFAULTS,
) -> Told:
    """Return the provenance given, else the one in the image, trace archive or engine.

    Raises:
        LayertraceError: the file given cannot be read or is no provenance, or
            the archive is damaged.
    """
    if given is not None:
        from layertrace.archive.attestation import decode_attestation  # noqa: PLC0415
        from layertrace.provenance.alignment.attested import is_of  # noqa: PLC0415

        attestation = decode_attestation(
            read_small(given, limits), document=str(given), limits=limits
        )
        return Told(attestation=attestation, bound=is_of(attestation, image))
    data = source.attestation() if source is not None else None
    if data is None and bundle is not None and bundle.provenance is not None:
        data = json.dumps(bundle.provenance).encode()
    if data is None:
        return Told()
    # Most images have none.
    from layertrace.archive.attestation import decode_attestation  # noqa: PLC0415

    document = f"the provenance of {image.reference}"
    try:
        return Told(
            attestation=decode_attestation(data, document=document, limits=limits), bound=True
        )
    except ArchiveError as error:
        # Nobody asked for it, and the image is none the worse.
        return Told(findings=(_unreadable(f"{document} cannot be read: {error}"),))


def read_own(
    told: Told, image: Image, bases: Mapping[str, BaseDefaults]
) -> tuple[Build | None, tuple[Finding, ...]]:
    """Return the build by the Dockerfile that the provenance holds, None without one."""
    attestation = told.attestation
    if attestation is None or not attestation.dockerfiles or not attestation.steps:
        return None, ()
    from layertrace.dockerfile.parse import parse_build  # noqa: PLC0415
    from layertrace.provenance.alignment.attested import with_triggers  # noqa: PLC0415

    try:
        build = parse_build(
            attestation.dockerfiles[0],
            name=attestation.dockerfile_name,
            target=attestation.target,
            build_args=attestation.build_args,
            bases=bases,
            contexts=known_contexts(attestation, image),
        )
    except DockerfileError as error:
        # Other frontends than Dockerfile's leave their own language there.
        message = f"{attestation.document} holds a build file that is no Dockerfile: {error}"
        return None, (_unreadable(message),)
    return with_triggers(build, attestation), ()


def known_contexts(attestation: Attestation | None, image: Image) -> Mapping[str, str] | None:
    """Return the named contexts of the image's build, None where they are not told."""
    if attestation is None or attestation.contexts is None:
        return None
    from layertrace.dockerfile.contexts import contexts_for  # noqa: PLC0415

    return contexts_for(attestation.contexts, str(image.config.platform))


def _unreadable(message: str) -> Finding:
    return Finding(code=PROVENANCE_UNREADABLE, message=message.partition("\n")[0])


def read_small(path: Path, limits: Limits = DEFAULTS) -> bytes:
    """Return a JSON file a user named.

    Raises:
        SourceError: it cannot be read.
        LimitError: it is larger than any such file.
    """
    try:
        with path.open("rb") as file:
            data = file.read(limits.statement + 1)
    except OSError as error:
        raise SourceError(f"cannot read {path}", why=error.strerror or str(error)) from error
    if len(data) > limits.statement:
        raise LimitError(
            f"{path} has more than {limits.statement:,} bytes", limit="json", allowed=limits.json
        )
    return data
