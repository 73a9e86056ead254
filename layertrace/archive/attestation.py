"""SLSA provenance, statement or bare predicate, v0.2 or v1, to an :class:`Attestation`.

Source: BuildKit, ``docs/attestations/slsa-definitions.md``; in-toto Statement.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from layertrace.archive.decode import Node, parse_json
from layertrace.model.attestation import (
    Attestation,
    BuildStep,
    Edge,
    LineRange,
    Material,
    StepKind,
    Wire,
)
from layertrace.model.limits import DEFAULTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from layertrace.model.limits import Limits

_EDGE: Final = re.compile(r"(.+):([0-9]{1,9})", re.DOTALL)
_BUILDKIT_V02: Final = "https://mobyproject.org/buildkit@v1#metadata"
_BUILD_ARG: Final = "build-arg:"
_CONTEXT: Final = "context:"
_IMAGE: Final = "pkg:docker/"
_TARGET: Final = "target"


def decode_attestation(data: bytes, *, document: str, limits: Limits = DEFAULTS) -> Attestation:
    """Return what a statement or predicate says.

    Raises:
        ArchiveError: it is not JSON, or not of the shape BuildKit writes.
    """
    root = parse_json(data, document, limits)
    subjects = tuple(
        f"sha256:{digest}"
        for subject in root.get("subject").items()
        if (digest := subject.get("digest").get("sha256").text(""))
    )
    predicate = root.get("predicate") if root.get("predicate").value is not None else root
    definition = predicate.get("buildDefinition")
    if definition.value is not None:
        request = definition.get("externalParameters").get("request")
        graph = definition.get("internalParameters").get("buildConfig")
        metadata = predicate.get("runDetails").get("metadata").get("buildkit_metadata")
        materials = definition.get("resolvedDependencies")
    else:
        request = predicate.get("invocation").get("parameters")
        graph = predicate.get("buildConfig")
        metadata = predicate.get("metadata").get(_BUILDKIT_V02)
        materials = predicate.get("materials")
    source = metadata.get("source")
    arguments = request.get("args").texts()
    files = source.get("infos").items()
    return Attestation(
        document=document,
        steps=tuple(_steps(graph, source)),
        dockerfiles=tuple(_dockerfile(file) for file in files),
        dockerfile_name=files[0].get("filename").text("Dockerfile") if files else "Dockerfile",
        target=arguments.get(_TARGET),
        build_args={
            key.removeprefix(_BUILD_ARG): value
            for key, value in arguments.items()
            if key.startswith(_BUILD_ARG)
        },
        # Other builders' provenance has no such request, and tells of no contexts.
        contexts=_contexts(arguments) if request.get("frontend").text("") else None,
        materials=tuple(_material(node) for node in materials.items()),
        chains=tuple(_chains(metadata.get("layers"))),
        subjects=subjects,
    )


def _contexts(arguments: Mapping[str, str]) -> dict[str, str]:
    return {
        key.removeprefix(_CONTEXT): value
        for key, value in arguments.items()
        if key.startswith(_CONTEXT)
    }


def _chains(node: Node) -> Iterator[tuple[str, ...]]:
    """Yield every list of layers; a step may have several, stored otherwise."""
    for step in node.mapping():
        for chain in node.get(step).items():
            yield tuple(layer.get("digest").text("") for layer in chain.items())


def _material(node: Node) -> Material:
    digest = node.get("digest").get("sha256").text("")
    uri = node.get("uri").text("")
    return Material(
        uri=uri, digest=f"sha256:{digest}" if digest else "", reference=_image_reference(uri)
    )


def _image_reference(uri: str) -> str:
    """Return the reference in an image's package URL.

    Source: the package URL specification, type ``docker``.

    >>> _image_reference("pkg:docker/acme/tools@1?platform=linux%2Famd64")
    'acme/tools:1'
    """
    if not uri.startswith(_IMAGE):
        return ""
    name, _, tag = uri.removeprefix(_IMAGE).partition("?")[0].partition("@")
    return f"{unquote(name)}:{unquote(tag)}" if tag else unquote(name)


def _dockerfile(node: Node) -> str:
    data = node.get("data")
    try:
        return base64.b64decode(data.text(""), validate=True).decode("utf-8", "surrogateescape")
    except (binascii.Error, ValueError) as error:
        raise data.wrong("base64") from error


def _steps(graph: Node, source: Node) -> Iterator[BuildStep]:
    locations = source.get("locations")
    for node in graph.get("llbDefinition").items():
        step = node.get("id").text()
        inputs = tuple(_edge(each) for each in node.get("inputs").items())
        operation = node.get("op").get("Op")
        kind, wires = _operation(operation)
        yield BuildStep(
            id=step,
            kind=kind,
            inputs=inputs,
            source=operation.get("source").get("identifier").text(""),
            wires=wires,
            lines=tuple(_lines(locations.get(step))),
        )


def _edge(node: Node) -> Edge:
    found = _EDGE.fullmatch(node.text())
    if found is None:
        raise node.wrong('"stepN:M"')
    return Edge(found[1], int(found[2]))


def _operation(node: Node) -> tuple[StepKind, tuple[Wire, ...]]:
    """Return the kind and the wiring; numbers that are 0 are left out in the JSON."""
    fields = node.mapping()
    if not fields:
        return StepKind.TERMINAL, ()
    if "source" in fields:
        return StepKind.SOURCE, ()
    if "file" in fields:
        actions = node.get("file").get("actions").items()
        return StepKind.FILE, tuple(_wire(action) for action in actions)
    if "exec" in fields:
        mounts = node.get("exec").get("mounts").items()
        return StepKind.EXEC, tuple(_wire(mount) for mount in mounts)
    if "merge" in fields:
        merged = node.get("merge").get("inputs").items()
        return StepKind.MERGE, tuple(Wire(_number(each, "input"), 0) for each in merged)
    return StepKind.OTHER, ()


def _wire(node: Node) -> Wire:
    return Wire(_number(node, "input"), _number(node, "output"))


def _number(node: Node, key: str) -> int:
    found = node.get(key)
    return 0 if found.value is None else found.number()


def _lines(node: Node) -> Iterator[LineRange]:
    for location in node.get("locations").items():
        ranges = location.get("ranges").items()
        firsts = [_number(each.get("start"), "line") for each in ranges]
        lasts = [_number(each.get("end"), "line") for each in ranges]
        if ranges:
            yield LineRange(_number(location, "sourceIndex"), min(firsts), max(lasts))
