"""An image made to do harm: what it holds everywhere where an image can hold text."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from layertrace.views.text import show_name
from tests.builders import docker_archive, file, folder, hardlink, image, layer, step, symlink

if TYPE_CHECKING:
    from pathlib import Path

    from tests.builders import Member

BAD: Final = (
    "\x1b]0;owned\x07\x1b[2J\x9b31m",
    "[@click=app.quit]press me[/]",
    "[red]red[/red][/nothing]",
    "two\nlines\r\tand\x0b more\u2028",
    "gpj\u202e.exe\u2066\u200b\ufeff",
    "caf\udce9\udcff\u0301",
    "x" * 255,
)
DEEP: Final = "/".join(f"[b]{number:02}\x1b" for number in range(60))
STEP: Final = f"RUN echo {' '.join(BAD[:5])}"
NPM: Final = {"name": f"{BAD[0]}{BAD[1]}", "version": BAD[2]}
"""JSON spells its controls out, and whoever reads it has them back."""


def _contents(text: bytes) -> dict[str, bytes | Member]:
    """Return members with every bad name as a file, a folder, a link and a target."""
    found: dict[str, bytes | Member] = {f"d/{DEEP}/end": text}
    for number, name in enumerate(BAD):
        found[f"a{number}"] = folder()
        found[f"a{number}/{name}"] = file(text, mode=0o4755)
        found[f"b{number}"] = symlink(f"/{name}/{name}")
        found[f"c{number}"] = hardlink(f"a{number}/{name}")
    names = "".join(f"Package: {show_name(name)}\nVersion: {name}\n" for name in BAD[:3])
    status = f"{names}Status: install ok installed\n\n"
    found["var/lib/dpkg/status"] = status.encode("utf-8", "surrogateescape")
    found["app/node_modules/x/package.json"] = json.dumps(NPM).encode()
    found["app/node_modules/x/index.js"] = text
    metadata = f"Metadata-Version: 2.1\nName: {BAD[1]}\x1b\nVersion: {BAD[2]}\n"
    found["usr/lib/python3/dist-packages/x.dist-info/METADATA"] = metadata.encode()
    # A preview lists its members.
    found["e/members.tar"] = layer({name: symlink(name) for name in BAD})
    found[f"e/{BAD[1]}.py"] = f"# {BAD[0]}\nprint('{BAD[1]}')  # {BAD[4]}\n".encode()
    return found


def write_image(path: Path, text: bytes) -> Path:
    """Write an image whose texts, names and contents all are hostile."""
    removed: dict[str, bytes | Member] = {
        f"a0/.wh.{BAD[0]}": b"",
        f"a1/{BAD[1]}": file(text + b"!", mode=0o600),
    }
    built = image(
        layer(_contents(text)),
        layer(removed),
        layer({f"e/{BAD[2]}": text}),
        history=[STEP, f"{STEP} # buildkit", step(f"ENV {BAD[0]}={BAD[1]}", empty=True), BAD[3]],
        runtime={
            "Labels": {"[red]": BAD[0], BAD[1]: BAD[2]},
            "Env": [f"{BAD[0]}={BAD[1]}", f"PASSWORD={BAD[0]}{BAD[2]}"],
            "User": BAD[2],
            "Cmd": list(BAD[:5]),
            "Entrypoint": [BAD[0]],
            "ExposedPorts": {BAD[1]: {}},
            "WorkingDir": BAD[0],
        },
        platform=f"linux/{BAD[1]}",
    )
    path.write_bytes(docker_archive(built))
    return path


def write_dockerfile(path: Path) -> Path:
    """Write a Dockerfile with the same texts; a stage that nothing reaches has them too."""
    line = STEP.replace("\n", " ").replace("\r", " ")
    told = (
        f"# {BAD[0]}\nFROM scratch AS build\n{line}\nFROM {BAD[1].replace(' ', '')} AS other\n"
        f'LABEL x="{BAD[0]}{BAD[4]}"\nFROM scratch\nCOPY --from=build / /\n{line}\n'
    )
    path.write_bytes(told.encode("utf-8", "surrogateescape"))
    return path


TEXT: Final = "\n".join(BAD).encode("utf-8", "surrogateescape")
