"""Advice: one case for each pair of steps that something else can be said of."""

from __future__ import annotations

import pytest

from layertrace.analysis.waste.advice import Maker, advise
from layertrace.model.waste import Cause, WastedPath

OVERWRITTEN, REMOVED, HIDDEN, METADATA = (
    Cause.OVERWRITTEN,
    Cause.REMOVED,
    Cause.HIDDEN,
    Cause.METADATA,
)
BASE = Maker(layer=0, base=True, line=1, keyword="RUN", text="RUN apt-get install x")
RUN = Maker(layer=1, line=2, keyword="RUN", text="RUN make")
COPY = Maker(layer=1, line=3, keyword="COPY", text="COPY src /app")
STAGE = Maker(
    layer=1, line=4, keyword="COPY", text="COPY --from=build /a /b", source="build",
    source_is_stage=True,
)  # fmt: skip
IMAGE = Maker(layer=1, line=5, keyword="COPY", text="COPY --from=nginx /a /b", source="nginx")
URL = Maker(layer=1, line=6, keyword="ADD", text="ADD https://example.org/x.tgz /tmp/")
NOBODY = Maker(layer=1)


def run(command: str) -> Maker:
    """Return a later RUN."""
    return Maker(layer=2, line=9, keyword="RUN", text=f"RUN {command}")


AGAIN = Maker(layer=2, line=9, keyword="COPY", text="COPY . .")


@pytest.mark.parametrize(
    ("cause", "writer", "undoer", "paths", "expected"),
    [
        (OVERWRITTEN, RUN, RUN, {"a": 1},
         "the builder stored more than one member for a path in this layer: build it anew"),
        (REMOVED, BASE, Maker(layer=1, base=True), {"a": 1},
         "nothing here: it is inside the base image, only another one is without it"),
        (REMOVED, BASE, run("rm -r /usr/share/doc"), {"usr/share/doc/x": 1},
         "a base image without it, such as a slim variant: removing it frees nothing"),
        (METADATA, BASE, run("chown -R app /srv"), {"srv/x": 1},
         "the base image has it otherwise: without line 9, or with another base image"),
        (OVERWRITTEN, BASE, run("apt-get update && apt-get upgrade -y"), {"lib/x": 1},
         "a newer base image instead of the upgrade in line 9"),
        (OVERWRITTEN, BASE, run("yum -y update"), {"lib/x": 1},
         "a newer base image instead of the upgrade in line 9"),
        (OVERWRITTEN, BASE, run("apt-get update && apt-get install x"), {"lib/x": 1},
         "a base image that has it as line 9 leaves it"),
        (OVERWRITTEN, BASE, run("apk add curl"), {"lib/apk/db/installed": 9, "etc/x": 1},
         "a base image that has these packages: to install any rewrites the database"),
        (OVERWRITTEN, BASE, AGAIN, {"etc/motd": 1},
         "a base image that has it as line 9 leaves it"),
        (REMOVED, RUN, run("rm -r /var/lib/apt/lists"), {"var/lib/apt/lists/x": 9, "b": 2},
         ("RUN --mount=type=cache,target=/var/lib/apt/lists in line 2: "
          "what is in a cache mount is in no layer")),
        (REMOVED, RUN, run("cd /x && mv -f /out/a.bin /srv/a"), {"out/a.bin": 9},
         "put it in its last place in line 2: line 9 moves it"),
        (REMOVED, COPY, run("mv app/* '/srv'; ls"), {"app/lib/x": 9},
         "put it in its last place in line 3: line 9 moves it"),
        (REMOVED, RUN, run("mv /one /two && rm -r /out"), {"out/two": 9},
         "delete it in the RUN of line 2 that writes it, or write it in an earlier stage"),
        (REMOVED, RUN, run("rm /out/x && mv /* /out"), {"out/x": 9},
         "delete it in the RUN of line 2 that writes it, or write it in an earlier stage"),
        (REMOVED, RUN, run("rm -r /root/.npm /root/.cache"),
         {"root/.npm/_cacache/x": 5, "root/.cache/pip/y": 7, "root/.cache/z": 1},
         ("RUN --mount=type=cache,target=/root/.cache/pip --mount=type=cache,target=/root/.npm "
          "in line 2: what is in a cache mount is in no layer")),
        (REMOVED, RUN, run("rm -r x"), {"var/lib/apt/lists/x": 2, "b": 2},
         "delete it in the RUN of line 2 that writes it, or write it in an earlier stage"),
        (METADATA, STAGE, run("chmod 755 /b/start"), {"b/start": 1},
         "COPY --chmod=755 in line 4, instead of line 9"),
        (METADATA, COPY, run("chown -R node:node /app && chmod -R 0644 /app"), {"app/x": 1},
         "COPY --chmod=0644 --chown=node:node in line 3, instead of line 9"),
        (METADATA, COPY, run("chmod +x /app/a && chmod 600 /app/b && chmod 644 /app/c"),
         {"app/a": 1}, "COPY --chmod=MODE in line 3, instead of line 9"),
        (METADATA, URL, run("chgrp 9 /tmp/x.tgz"), {"tmp/x.tgz": 1},
         "ADD --chown=USER:GROUP in line 6, instead of line 9"),
        (METADATA, COPY, AGAIN, {"app/package.json": 1},
         ("line 9 copies it again: leave it out there (--exclude, .dockerignore), "
          "or do without line 3")),
        (METADATA, RUN, run("chmod 755 /b"), {"b": 1},
         "set owner and mode in line 2, where it is written"),
        (METADATA, RUN, run("touch /b"), {"b": 1},
         "line 9 writes the same content again: leave it out there"),
        (OVERWRITTEN, RUN, run("apt-get install y"), {"var/lib/dpkg/status": 1},
         "install all packages in one RUN: join line 2 and line 9"),
        (OVERWRITTEN, RUN, run("make"), {"b": 1},
         "join line 2 and line 9 in one RUN, or move both to an earlier stage"),
        (OVERWRITTEN, RUN, AGAIN, {"b": 1},
         "line 9 puts other content there: do not write it in line 2"),
        (OVERWRITTEN, COPY, run("npm install"), {"app/package-lock.json": 1},
         "npm ci in line 9: it leaves the lock file as line 3 copies it"),
        (OVERWRITTEN, COPY, run("npm install"), {"app/package-lock.json": 1, "b": 1},
         "have it so before line 3 copies it: in the source, or an earlier stage"),
        (OVERWRITTEN, COPY, run("sed -i s/a/b/ /b"), {"b": 1},
         "have it so before line 3 copies it: in the source, or an earlier stage"),
        (OVERWRITTEN, NOBODY, run("x"), {"b": 1}, "write it once: in L2, or in line 9"),
        (REMOVED, NOBODY, run("rm /b"), {"b": 1},
         ("a base image without it, if L2 is of one; else delete it there "
          "(-f Dockerfile tells which)")),
        (HIDDEN, RUN, AGAIN, {"b": 1},
         "delete it in line 2, where it is written: line 9 only hides it"),
        (REMOVED, STAGE, run("rm b"), {"b": 1},
         "delete it in stage build before line 4 copies it"),
        (REMOVED, IMAGE, run("rm b"), {"b": 1}, "copy less of nginx in line 5"),
        (REMOVED, URL, run("tar xf x && rm x"), {"x": 1},
         "fetch, use and delete it in one RUN, or keep line 6 to an earlier stage"),
        (REMOVED, COPY, run("rm -r /app/test"), {"app/test/x": 1},
         ("keep it out of line 3 by .dockerignore; what only a RUN needs, "
          "RUN --mount=type=bind shows it")),
    ],
)  # fmt: skip
def test_advice_fits_the_two_steps(
    cause: Cause, writer: Maker, undoer: Maker, paths: dict[str, int], expected: str
) -> None:
    """What wrote, what undid, why, and what kind of files: each says something else."""
    rows = [WastedPath(path=path, bytes=size) for path, size in paths.items()]
    assert advise(cause, writer, undoer, rows) == expected
