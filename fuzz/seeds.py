"""What fuzzing starts from: one small input of each kind, the same bytes every time."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import re
import tarfile
import zipfile
from typing import TYPE_CHECKING, Final

from layertrace.archive.trace_json import encode_bundle
from layertrace.model.bundle import BundleBase, BundleStage, ContextEntry, TraceBundle
from tests.builders import (
    Member,
    char,
    docker_archive,
    file,
    folder,
    hardlink,
    image,
    layer,
    oci_archive,
    oci_files,
    sparse,
    symlink,
    to_json,
)
from tests.elf_builder import Part, dynamic, make_elf, string

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_WORD: Final = re.compile(rb"[A-Za-z0-9_./:@#+=$<-]{2,64}")
_DIGEST: Final = f"sha256:{'0' * 64}"
_TARS: Final = (
    layer({
        "d/": folder(), "d/f": file(b"x", capability=b"\1"), "n" * 120: b"", "s": symlink("d"),
        "h": hardlink("d/f"), "c": char(1, 3), ".wh.gone": b"", "d/.wh..wh..opq": b"",
    }),
    layer({"m" * 120: symlink("l" * 120), "s": sparse(9000, {0: b"x", 4096: b"y"})},
          form=tarfile.GNU_FORMAT),
    layer({"a": Member(content=b"0\n", pax={
        "GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "9"})}),
    layer([("s", symlink("d")), ("s/f", b""), ("s/f", b"x")], form=tarfile.USTAR_FORMAT),
)  # fmt: skip
_IMAGE: Final = image(*_TARS[:2], history=["COPY a /a # buildkit", "RUN b"])
_DOCKERFILES: Final = (
    """# syntax=docker/dockerfile:1
ARG V=1
FROM node:${V} AS build
WORKDIR /app
COPY --link --chown=1:2 a* ["b c", "."] ./
RUN --mount=type=cache,target=/x npm ci \\
  && x
FROM scratch
COPY --from=build /app/dist /dist
ENV A=b C='d e'
CMD ["/x"]
""",
    """# escape=`
FROM a
RUN <<EOF
echo $A
EOF
ADD https://x/y.tar /z/
ONBUILD RUN x
COPY <<-'B' /c
\tt
B
USER 1
VOLUME /v
LABEL a.b="c"
HEALTHCHECK NONE
""",
)


def _provenance() -> dict[str, object]:
    step = {"id": "step0", "inputs": ["step0:0"], "op": {"Op": {"file": {"actions": [
        {"input": 0, "secondaryInput": 1, "output": 0}]}}}}  # fmt: skip
    source = {
        "locations": {"step0": {"locations": [{"ranges": [{"start": {"line": 1}}]}]}},
        "infos": [{"filename": "Dockerfile", "data": "RlJPTSBh"}],
    }
    return {
        "subject": [{"digest": {"sha256": "0" * 64}}],
        "predicateType": "https://slsa.dev/provenance/v0.2",
        "predicate": {
            "invocation": {"parameters": {"frontend": "x", "args": {"target": "a"}}},
            "buildConfig": {"llbDefinition": [step]},
            "materials": [{"uri": "pkg:docker/a@1", "digest": {"sha256": "0" * 64}}],
            "metadata": {"https://mobyproject.org/buildkit@v1#metadata": {
                "source": source, "layers": {"step0:0": [[{"digest": _DIGEST}]]}}},
        },
    }  # fmt: skip


def _documents() -> Iterator[bytes]:
    files = oci_files(_IMAGE, nested=True)
    contents = (each for each in files.values() if isinstance(each, bytes))
    yield from (each for each in contents if each[:1] == b"{")
    yield to_json([{"Config": "c.json", "RepoTags": ["a:1"], "Layers": ["l/layer.tar"],
                    "LayerSources": {_DIGEST: {"mediaType": "x", "size": 1}}}])  # fmt: skip
    yield to_json({"a": {"1": "0" * 64}})
    yield to_json(_provenance())
    yield encode_bundle(TraceBundle(
        builder="buildkit", dockerfile_name="Dockerfile", dockerfile="FROM a", target=None,
        build_args={"A": "1"}, bases=(BundleBase(reference="a", config=_DIGEST),),
        stages=(BundleStage(index=0, name="a", config=_DIGEST, fidelity="same-build"),),
        context=(ContextEntry(path="a", kind="file", size=1, mode=420, mtime=0),), provenance=None,
    ))  # fmt: skip


def _contents() -> Iterator[bytes]:
    """Yield two versions of a file, one behind the other and as long."""
    strings = string("liba.so")
    parts = (
        Part(name=".dynstr", type=3, data=strings),
        Part(name=".dynamic", type=6, data=dynamic(strings, needed=("liba.so",)), link=".dynstr"),
        Part(name=".symtab", type=2, data=b"x" * 24, link=".dynstr"),
    )
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as out:
        out.writestr(zipfile.ZipInfo("a"), b"1")
    member = b"%-16s%-12d%-6d%-6d%-8s%-10d`\n"
    package = b"".join((
        b"!<arch>\n", member % (b"debian-binary", 0, 0, 0, b"644", 4), b"2.0\n",
        member % (b"data.tar", 0, 0, 0, b"644", len(_TARS[0])), _TARS[0],
    ))  # fmt: skip
    for each in (make_elf(*parts), packed.getvalue(), package, gzip.compress(_TARS[2], mtime=0),
                 b"#!/bin/sh\n}\n}\na=b\n"):  # fmt: skip
        yield each * 2


def seeds() -> Mapping[str, tuple[bytes, ...]]:
    """Return the inputs of each target."""
    saved, layout = docker_archive(_IMAGE, hybrid=True), oci_archive(_IMAGE, packed=True)
    return {
        "archive": (saved, layout, lzma.compress(saved), bz2.compress(layout),
                    gzip.compress(_TARS[0]), *_TARS[:1]),
        "layer": _TARS,
        "json": tuple(_documents()),
        "dockerfile": tuple(text.encode() for text in _DOCKERFILES),
        "content": tuple(_contents()),
    }  # fmt: skip


def write_seeds(target: str, folder: Path, dictionary: Path) -> None:
    """Write the inputs of one target, a file each, and the words that stand in them."""
    folder.mkdir(parents=True, exist_ok=True)
    words: set[bytes] = set()
    for number, data in enumerate(seeds()[target]):
        (folder / f"seed-{number}").write_bytes(data)
        words.update(_WORD.findall(data))
    lines = (f'"{word.decode()}"\n' for word in sorted(words))
    dictionary.write_text("".join(lines))
