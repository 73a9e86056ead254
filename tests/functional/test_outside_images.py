"""Images that no FROM names: ``--stage REFERENCE=IMAGE``, and those in a trace archive."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import pytest

from layertrace.archive.decode import decode_config
from layertrace.archive.export.trace_archive import SavedImage, TraceArchive
from layertrace.model.bundle import BundleImage, TraceBundle
from tests.builders import docker_archive, file, folder, image, layer, sha256, step

if TYPE_CHECKING:
    from pathlib import Path

    from tests.builders import SampleImage
    from tests.cli_support import Cli

DOCKERFILE: Final = """\
ARG TAG=1
FROM scratch AS build
COPY --from=acme/tools:1 /bin/tool /tool
FROM scratch
COPY --from=acme/tools:1 /bin/tool /usr/bin/
COPY --from=build /tool /tool
"""
TOOL: Final = file(b"tool", mode=0o755, mtime=7)
TOOLS: Final = image(layer({"bin/tool": TOOL}), tags=("acme/tools:1",))
FINAL: Final = image(
    layer({"usr/bin/tool": TOOL}),
    layer({"tool": TOOL}),
    history=[
        step("COPY /bin/tool /usr/bin/ # buildkit"),
        step("COPY /tool /tool # buildkit"),
    ],
)
BUILD: Final = image(layer({"tool": TOOL}), history=[step("COPY /bin/tool /tool # buildkit")])

CLASSIC: Final = (
    "/bin/sh -c #(nop) COPY "
    "file:f466cbd9843bc98a6fab2852e843cc3c6ac94677091bb0f89d7fb765d89e69e9 in /f "
)
"""Of ``usr/f``, ``f`` and a line's end, as engine 20.10 hashed it."""


@pytest.fixture
def project(alone: Path) -> Path:
    """A folder with the final image, the stage's, the tools' and a Dockerfile."""
    for name, one in (("app", FINAL), ("build", BUILD), ("tools", TOOLS)):
        (alone / f"{name}.tar").write_bytes(docker_archive(one))
    (alone / "Dockerfile").write_text(DOCKERFILE)
    return alone


def _options(project: Path, **archives: str) -> list[str | Path]:
    """Return the Dockerfile, and which archive is stage ``build`` or image ``tools``."""
    names = {"build": "build", "tools": "acme/tools:1"}
    given = [f"--stage={names[name]}={project / file}" for name, file in archives.items()]
    return ["-f", project / "Dockerfile", *given]


def test_copies_out_of_a_given_image_are_verified(project: Path, cli: Cli) -> None:
    """The image is given by the reference that the Dockerfile writes, beside the stages."""
    words = ("why", project / "app.tar", "/usr/bin/tool", "/tool")
    options = _options(project, build="build.tar", tools="tools.tar")
    answers = cli.checked_json(*words, *options)["data"]
    for answer in answers:
        assert answer["record"]["trust"] == "verified"
        assert answer["hops"][-1]["evidence"] == "matched"
        origin = answer["record"]["origin"]
        assert (origin["kind"], origin["image"], origin["path"]) == (
            "image",
            "acme/tools:1",
            "/bin/tool",
        )
    without = cli.checked_json(*words, *_options(project, build="build.tar"))["data"]
    assert without[0]["record"]["trust"] == "inferred"


def test_another_image_is_contradicted(project: Path, cli: Cli) -> None:
    """Who gives an image says that it is the one: other content disagrees."""
    other = image(layer({"bin/tool": file(b"TOOL", mode=0o755, mtime=7)}))
    (project / "other.tar").write_bytes(docker_archive(other))
    data = cli.checked_json(
        "why", project / "app.tar", "/usr/bin/tool", *_options(project, tools="other.tar")
    )["data"]
    assert data[0]["record"]["trust"] == "contradicted"


def test_a_damaged_image_is_not_compared_with(project: Path, cli: Cli) -> None:
    """A finding says why; the answers are those without it."""
    whole = (project / "tools.tar").read_bytes()
    tar = TOOLS.layers[0]
    (project / "tools.tar").write_bytes(whole.replace(tar[:600], b"\1" * 600))
    envelope = cli.checked_json(
        "why", project / "app.tar", "/usr/bin/tool", *_options(project, tools="tools.tar")
    )
    assert envelope["data"][0]["record"]["trust"] == "inferred"
    assert "image-damaged" in [finding["code"] for finding in envelope["findings"]]


def test_names_that_the_dockerfile_does_not_know_are_refused(project: Path, cli: Cli) -> None:
    """The error names the stages and the images there are."""
    lines = cli.fail(
        "why",
        project / "app.tar",
        "/tool",
        "-f",
        project / "Dockerfile",
        "--stage",
        f"acme/tools:2={project / 'tools.tar'}",
        code=2,
    )
    assert "no such stage" in lines[0]
    assert "it has build, stage-1 and takes files from acme/tools:1" in lines[1]


def _saved(one: SampleImage) -> SavedImage:
    config = decode_config(one.config, digest=sha256(one.config), document="config")
    return SavedImage(
        config=config.digest, text=one.config, diff_ids=config.diff_ids, tags=one.tags
    )


def test_images_of_a_trace_archive_need_no_option(project: Path, cli: Cli) -> None:
    """An archive of a build holds the images that files were taken from."""
    bundle = TraceBundle(
        builder="buildkit", dockerfile_name="Dockerfile", dockerfile=DOCKERFILE, target=None
    )
    for name, images in (("old", ()), ("new", (_saved(TOOLS),))):
        with (project / f"{name}.tar").open("w+b") as out:
            archive = TraceArchive(out)
            for one in (FINAL, TOOLS):
                archive.add_blob(one.config)
                for tar in one.layers:
                    archive.add_layer(iter([tar]))
            listed = tuple(
                BundleImage(reference="acme/tools:1", config=each.config) for each in images
            )
            archive.finish(_saved(FINAL), replace(bundle, images=listed), tags=())
        data = cli.checked_json("why", project / f"{name}.tar", "/usr/bin/tool")["data"]
        assert data[0]["record"]["trust"] == ("verified" if images else "inferred")


def test_stages_without_the_dockerfile_are_found_by_the_classic_builders_hash(
    alone: Path, cli: Cli
) -> None:
    """Whatever the stage is called; other builders leave no hash, and there it tells nothing."""
    build = image(layer({"usr/": folder(), "usr/f": file(b"f\n", mtime=1)}), history=["make"])
    (alone / "build.tar").write_bytes(docker_archive(build))
    for name, text in (("classic", CLASSIC), ("buildkit", "COPY /usr/f /f # buildkit")):
        app = image(layer({"f": file(b"f\n", mtime=1)}), history=[step(text)])
        (alone / f"{name}.tar").write_bytes(docker_archive(app))
    given = f"Builder={alone / 'build.tar'}"
    data = cli.checked_json("why", alone / "classic.tar", "/f", "--stage", given)["data"]
    newest = data[0]["hops"][0]
    assert (newest["action"], newest["trust"], newest["evidence"]) == ("copy", "verified", "hashed")
    assert [hop["place"] for hop in data[0]["hops"]] == ["final", "Builder"]
    assert data[0]["record"]["carried_from"] == "Builder"
    cli.fail("why", alone / "buildkit.tar", "/f", "--stage", given, code=2)
