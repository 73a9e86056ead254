"""States of an image that keep an answer from being whole: each says what to do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.builders import blob_name, folder, image, layer, oci_files, sha256, to_json
from tests.tui.driver import Driver, run
from tests.tui.real import opened

if TYPE_CHECKING:
    from pathlib import Path

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
        await tui.press("1", "down")
        for number, (flaw, step) in enumerate(steps.items()):
            await tui.press("1", "down")
            assert f"L{number + 1} ! {flaw}" in tui.text()
            await tui.press("2")
            await tui.see(f"2 Files · L{number + 1}")
            assert f"nothing of the layer could be read: it is {flaw}. {step}" in _flat(tui)
        await tui.press("F")
        await tui.see("layer-missing")
        for flaw, step in steps.items():
            assert f"layer-{flaw}" in tui.text()
            assert f"→ {step}" in _flat(tui)

    with opened(_away(tmp_path), tmp_path) as opening:
        run(script, opening, size=NARROW)
