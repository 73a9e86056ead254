"""How bytes divide by stage, exact to the byte: of the image, and of each directory."""

from __future__ import annotations

import tarfile
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from tests.builders import docker_archive, file, folder, hardlink, image, layer, symlink

if TYPE_CHECKING:
    from pathlib import Path

    from tests.builders import Content
    from tests.cli_support import Cli

DOCKERFILE = "FROM base\nRUN one\nRUN two\n"


def parts(cli: Cli, archive: Path, path: str) -> Counter[str]:
    """Return what a directory holds of each source by ``why``, bytes and files."""
    (found,) = cli.json("why", archive, path)["data"]
    total: Counter[str] = Counter()
    for share in found["shares"]:
        total["bytes"] += share["bytes"]
        total["files"] += share["files"]
        total[share["name"]] += share["bytes"]
    return total


def files_below(cli: Cli, archive: Path, path: str) -> list[dict[str, Any]]:
    """Return the records of what is below a directory and is none."""
    records: list[dict[str, Any]] = cli.json("files", archive)["data"]
    prefix = path.rstrip("/") + "/"
    return [r for r in records if r["path"].startswith(prefix) and r["type"] != "dir"]


@pytest.mark.parametrize("path", ["/", "/app", "/app/node_modules", "/bin", "/etc"])
def test_parts_of_a_directory_add_up(cli: Cli, sample: Path, path: str) -> None:
    """To the files that are listed below it, by the sizes in the records."""
    records = files_below(cli, sample, path)
    found = parts(cli, sample, path)
    assert records
    assert found["files"] == len(records)
    assert found["bytes"] == sum(r["size"] for r in records if r["type"] == "file")


def test_root_is_divided_as_the_stages_are(cli: Cli, sample: Path) -> None:
    """Stages, base and context ship the whole image and nothing twice."""
    stages = cli.json("stages", sample)["data"]
    found = parts(cli, sample, "/")
    shipped = {row["name"]: row["shipped_bytes"] for row in stages if row["shipped_files"]}
    assert {name: found[name] for name in shipped} == shipped
    assert found["bytes"] == sum(shipped.values())


def test_sum_is_what_another_reader_finds(cli: Cli, alone: Path) -> None:
    """Counted by hand with tarfile: overwritten and removed bytes, links and folders are not."""
    layers: tuple[dict[str, Content], ...] = (
        {"d/a": b"12345", "d/b": b"1", "gone": b"x" * 99},
        {"d/a": b"123", "d/l": hardlink("d/b"), "d/s": symlink("a"), ".wh.gone": b""},
        {"d/sub/": folder(), "d/sub/c": file(b"1234", mode=0o755)},
    )
    archive = alone / "app.tar"
    history = ["base", "RUN /bin/sh -c one", "RUN /bin/sh -c two"]
    archive.write_bytes(docker_archive(image(*[layer(each) for each in layers], history=history)))
    (alone / "Dockerfile").write_text(DOCKERFILE)
    seen: dict[str, int] = {}
    for number in range(3):
        packed = alone / f"{number}.tar"
        packed.write_bytes(layer(layers[number]))
        with tarfile.open(packed) as tar:
            for member in tar:
                if member.isreg() and ".wh." not in member.name:
                    seen[member.name] = member.size
    del seen["gone"]
    assert parts(cli, archive, "/d")["bytes"] == sum(seen.values()) == 8
    rows = cli.json("stages", archive, "-f", "Dockerfile")["data"]
    assert sum(row["shipped_bytes"] for row in rows) == 8
    assert parts(cli, archive, "/d/sub") == {"bytes": 4, "files": 1, "RUN": 4}


def test_only_directories_are_divided(cli: Cli, sample: Path) -> None:
    """A file is one whole, and so is a link; text says nothing of parts there."""
    (found,) = cli.json("why", sample, "/app/dist/bin/start")["data"]
    assert found["shares"] == []
    assert "HOLDS" not in cli.run("why", sample, "/app/dist/bin/start").out
    lines = cli.run("why", sample, "/app").lines
    titles = next(line for line in lines if "HOLDS" in line).split()
    assert titles == ["HOLDS", "FILES", "FROM"]
