"""States of an image that keep an answer from being whole: each says what to do about it."""

from __future__ import annotations

import sqlite3
from types import SimpleNamespace
from typing import TYPE_CHECKING, NoReturn

from layertrace.layers import database
from layertrace.views.options import Reading
from layertrace.views.picking.openings import Openings
from tests.builders import (
    blob_name,
    docker_archive,
    docker_files,
    folder,
    image,
    layer,
    oci_files,
    sha256,
    to_json,
)
from tests.tui.driver import Driver, run
from tests.tui.real import opened

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from layertrace.views.tui.ports import Opening

OCI = "application/vnd.oci.image"
NARROW = (80, 24)
LEAST = (40, 12)


def _flat(tui: Driver) -> str:
    """Return the words on the screen as they read, wherever the lines break."""
    return " ".join(tui.text().translate(str.maketrans("│", " ")).split())


def _away(path: Path) -> Path:
    """Write an image of which three layers cannot be read, each for another reason."""
    kinds = ("v1.tar+gzip+encrypted", "nondistributable.v1.tar+gzip", "v1.tar+gzip")
    tars = [layer({name: b""}) for name in ("a", "b", "c")]
    tars.append(layer({"app/": folder(), "app/server.js": b"x"}))
    one = image(*tars, history=["ADD a /", "ADD b /", "ADD c /", "COPY app /app"])
    files = oci_files(one)
    manifest = to_json(
        {
            "schemaVersion": 2,
            "config": {"mediaType": f"{OCI}.config.v1+json", "digest": sha256(one.config)},
            "layers": [
                *(
                    {"mediaType": f"{OCI}.layer.{kind}", "digest": sha256(kind.encode())}
                    for kind in kinds
                ),
                {"mediaType": f"{OCI}.layer.v1.tar", "digest": sha256(tars[-1])},
            ],
        }
    )
    files[blob_name(sha256(manifest))] = manifest
    files["index.json"] = to_json(
        {
            "schemaVersion": 2,
            "manifests": [
                {
                    "mediaType": f"{OCI}.manifest.v1+json",
                    "digest": sha256(manifest),
                    "size": len(manifest),
                }
            ],
        }
    )
    (path / "app.tar").write_bytes(layer(files))
    return path / "app.tar"


def test_layers_that_are_locked_or_elsewhere_say_how_to_get_at_them(tmp_path: Path) -> None:
    """Under the head, at their rows, in place of their files, and among the findings."""
    steps = {
        "encrypted": "skopeo copy --decryption-key KEY makes a copy that can be read",
        "foreign": "skopeo copy IMAGE docker-archive:FILE fetches it too",
        "missing": "save or copy the image again, with all of its layers",
    }

    async def script(tui: Driver) -> None:
        await tui.see(" ! 3 findings (F): L1 is encrypted: nothing of it can be read", "server.js")
        await tui.press("1")
        for number, flaw in enumerate(steps):
            assert f"L{number + 1} ! {flaw}" in tui.text()
        await tui.press("2")
        for number, (flaw, step) in enumerate(steps.items()):
            assert tui.browse.stages.go_to(f"layer:{number}")
            tui.browse._follow_scope()
            await tui.see(f"2 Files · L{number + 1}")
            assert f"nothing of the layer could be read: it is {flaw}. {step}" in _flat(tui)
        await tui.press("F")
        await tui.see("layer-missing")
        for flaw, step in steps.items():
            assert f"layer-{flaw}" in tui.text()
            assert f"→ {step}" in _flat(tui)

    with opened(_away(tmp_path), tmp_path) as opening:
        run(script, opening, size=NARROW)


BUILT = """\
FROM scratch
COPY tools /
RUN make \\
    all
CMD ["x"]
"""
TWO = image(
    layer({"bin/": folder(), "bin/tool": b"x" * 900}),
    layer({"app/": folder(), "app/server.js": b"x" * 90}),
    history=["COPY tools / # buildkit", "RUN /bin/sh -c make all # buildkit"],
)


def test_provenance_without_instructions_says_what_it_lacks(tmp_path: Path) -> None:
    """The Dockerfile is rebuilt, stages are unknown: which evidence there is, and what to add."""
    request = {"frontend": "dockerfile.v0", "args": {}, "locals": [{"name": "context"}]}
    predicate = {"buildDefinition": {"externalParameters": {"request": request}}}
    path = tmp_path / "app.tar"
    path.write_bytes(layer(oci_files(TWO, attested=predicate)))

    async def script(tui: Driver) -> None:
        await tui.see("→ give -f Dockerfile, which provenance of mode=min lacks")
        await tui.press("down")
        await tui.see("3 Why /bin/tool")
        await tui.see("→ trace stops here: give -f Dockerfile, which provenance of mode=min lacks")
        await tui.press("4")
        await tui.see("4 Dockerfile · from the history: provenance is mode=min", "COPY tools /")

    with opened(path, tmp_path) as opening:
        run(script, opening, size=NARROW)


def test_another_dockerfile_shows_where_it_differs(tmp_path: Path) -> None:
    """Under the head, under the line itself, and what to give instead."""
    path, dockerfile = tmp_path / "app.tar", tmp_path / "Dockerfile"
    path.write_bytes(layer(oci_files(TWO)))
    dockerfile.write_text(BUILT.replace("make", "ninja"), encoding="utf-8")

    async def script(tui: Driver) -> None:
        await tui.see("(F): not this image's Dockerfile: line 3, RUN ninja all; it has R")
        await tui.see("→ give the Dockerfile it was built from with -f")
        await tui.press("down")
        await tui.see("3 Why /bin/tool")
        await tui.see("→ give the Dockerfile it was built from with -f: the evidence disagrees")
        await tui.press("4")
        await tui.see("4 ✘ not this image's", "✘ differs: the image has RUN make all")
        lines = tui.lines()
        place = next(number for number, line in enumerate(lines) if "✘ differs" in line)
        assert "    all" in lines[place - 1]
        assert "5 ▌ CMD" in lines[place + 1]
        assert tui.browse.code.cursor_line == 4
        await tui.press("enter", "F")
        await tui.see("dockerfile-contradicted")
        words = "first difference at line 3, RUN ninja all; the image has RUN make all"
        assert words in _flat(tui)
        assert "→ give the Dockerfile it was built from with -f" in _flat(tui)

    with opened(path, tmp_path, dockerfile=dockerfile) as opening:
        run(script, opening, size=NARROW)


def test_an_archive_that_is_cut_off_shows_what_could_be_read(tmp_path: Path) -> None:
    """What is lost is named at its layer; what to do stands among the findings."""
    files = docker_files(TWO)
    first = {"manifest.json": files.pop("manifest.json")}
    first |= {name: files.pop(name) for name in tuple(files) if name.endswith(".json")}
    archive = layer(first | files)
    path = tmp_path / "app.tar"
    path.write_bytes(archive[: archive.index(b"app/server.js") + 600])

    async def script(tui: Driver) -> None:
        await tui.see(" ! 2 findings (F): the archive is cut short or damaged: unexpected end of")
        await tui.see("bin/", "tool", "L1")
        await tui.press("1", "G", "up")
        await tui.see("L2 ! damaged  RUN make all")
        await tui.press("F")
        await tui.see("archive-damaged", "layer-damaged", "  L2 (sha256:")
        assert "what could be read is shown" in _flat(tui)
        assert tui.text().count("→ save or copy the image again") == 2

    with opened(path, tmp_path) as opening:
        run(script, opening, size=NARROW)


def test_a_cache_on_a_full_disk_is_told_once_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The image is shown all the same, and nothing else speaks of it."""
    path = tmp_path / "app.tar"
    path.write_bytes(docker_archive(TWO))
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = sqlite3.SQLITE_IOERR

    def full(_file: Path, _schema: str) -> NoReturn:
        raise error

    monkeypatch.setattr(database, "connect", full)
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=0))
    monkeypatch.setattr("layertrace.views.tui.app._LOOK", 0.05)
    monkeypatch.setenv("LAYERTRACE_CACHE_DIR", str(tmp_path / "cache"))
    openings = Openings(Reading(image=str(path)), remembering=False)

    async def script(tui: Driver) -> None:
        words = "nothing is kept for the next time: the disk is full; make room, or set LAYERTRACE"
        await tui.until(lambda: all(word in tui.text() for word in words.split()))
        assert "LAYERTRACE_CACHE_DIR" in tui.text()
        assert "tool" in tui.text()

    opener = openings.opener(str(path))

    def open_it() -> Opening:
        return opener(lambda _: None, lambda: False)

    run(script, open_image=open_it, means=openings.means(), size=LEAST)
    openings.close()


def test_a_trace_that_ends_at_a_copy_names_the_stage_that_is_missing(tmp_path: Path) -> None:
    """What made it there only an image of that stage can tell; a layer without files leads on."""
    path, dockerfile = tmp_path / "app.tar", tmp_path / "Dockerfile"
    dockerfile.write_text(
        "FROM scratch AS build\nCOPY . /src\nRUN make\nRUN make install\n"
        "FROM scratch\nCOPY --from=build /src/out /app\nWORKDIR /app\n",
        encoding="utf-8",
    )
    tars = layer({"app/": folder(), "app/tool": b"x" * 90}), layer({})
    steps = ["COPY /src/out /app # buildkit", "WORKDIR /app"]
    path.write_bytes(layer(oci_files(image(*tars, history=steps))))

    async def script(tui: Driver) -> None:
        await tui.press("G")
        await tui.see("3 Why /app/tool", "origin: carried from stage build; what made it there")
        await tui.press("3")
        words = "→ --stage build=IMAGE would verify it (an image of that stage)"
        await tui.until(lambda: words in _flat(tui))
        await tui.press("1")
        await tui.see("L2 WORKDIR /app")
        assert tui.browse.stages.go_to("layer:1")
        tui.browse._follow_scope()
        await tui.press("2")
        await tui.see("2 Files · L2")
        words = "the layer is empty: `WORKDIR /app` changed no file; Ctrl+A in pane 1 shows what"
        await tui.until(lambda: words in _flat(tui))

    with opened(path, tmp_path, dockerfile=dockerfile) as opening:
        run(script, opening, size=NARROW)
