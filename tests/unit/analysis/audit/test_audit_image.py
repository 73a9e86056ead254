"""Rules about the image as a whole: its weight, its user, its base, its provenance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from layertrace.model.audit import Level, Status, Unit
from tests.audit_support import paths
from tests.builders import (
    OCI,
    blob_name,
    file,
    from_json,
    oci_files,
    sha256,
    step,
    symlink,
    to_json,
)
from tests.builders import image as make_image
from tests.builders import layer as make_layer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.audit_support import Bench
    from tests.builders import Content

# 300 bytes are stored and 100 seen: b twice in vain, once overwritten and once removed.
WASTING: Final[tuple[Mapping[str, Content], ...]] = (
    {"a": bytes(100), "b": bytes(50), "c": bytes(100)},
    {"b": bytes(50), ".wh.c": b""},
    {".wh.b": b""},
)
DOCKERFILE: Final = "FROM scratch\nCOPY a /\nRUN one\nRUN two\n"
HISTORY: Final = (
    "COPY a / # buildkit",
    "RUN /bin/sh -c one # buildkit",
    "RUN /bin/sh -c two # buildkit",
)


@pytest.mark.parametrize(
    ("rule", "limit", "status", "value", "unit"),
    [
        ("max-size", "300", Status.PASS, 300, Unit.BYTES),
        ("max-size", "299", Status.FAIL, 300, Unit.BYTES),
        ("max-size", '"0.3kB"', Status.PASS, 300, Unit.BYTES),
        ("max-layer-size", "250", Status.PASS, 250, Unit.BYTES),
        ("max-layer-size", "249", Status.FAIL, 250, Unit.BYTES),
        ("max-wasted", "200", Status.PASS, 200, Unit.BYTES),
        ("max-wasted", "199", Status.FAIL, 200, Unit.BYTES),
        ("max-wasted-percent", "66.7", Status.PASS, 66.6667, Unit.PERCENT),
        ("max-wasted-percent", "66.6", Status.FAIL, 66.6667, Unit.PERCENT),
        ("highestWastedBytes", '"200B"', Status.PASS, 200, Unit.BYTES),
        ("highest-wasted-bytes", "199", Status.FAIL, 200, Unit.BYTES),
        # All above the first layer are 50 bytes; nobody means more than all by a limit.
        ("highestUserWastedPercent", "1.0", Status.FAIL, 4.0, Unit.RATIO),
        ("lowestEfficiency", "0.0", Status.PASS, None, Unit.RATIO),
        ("lowest-efficiency-threshold", "1", Status.FAIL, None, Unit.RATIO),
    ],
)
def test_weights_are_exact(  # noqa: PLR0913 - what a rule says
    bench: Bench, *, rule: str, limit: str, status: Status, value: float | None, unit: Unit
) -> None:
    """Worked out by hand from what the layers hold."""
    result = bench.ask(rule, *WASTING, options=f"limit = {limit}")
    assert (result.status, result.unit) == (status, unit)
    assert value is None or result.value == value
    assert bool(result.matches) is (status is Status.FAIL)


def test_waste_names_who_wrote_it_and_who_undid_it(bench: Bench) -> None:
    """The most bytes first, each pair of layers once."""
    result = bench.ask(
        "max-wasted", *WASTING, options="limit = 0", dockerfile=DOCKERFILE, history=HISTORY
    )
    assert [(match.layer, match.line, match.detail) for match in result.matches] == [
        (0, 2, "150 bytes of 2 files, undone by L2, line 3"),
        (1, 3, "50 bytes of 1 file, undone by L3, line 4"),
    ]


def test_heavy_layers_are_named_one_by_one(bench: Bench) -> None:
    """Those over the limit alone, with their instructions."""
    result = bench.ask("max-layer-size", *WASTING, options="limit = 10", history=HISTORY)
    assert [(match.layer, match.detail) for match in result.matches] == [
        (0, "the layer holds 250 bytes"),
        (1, "the layer holds 50 bytes"),
    ]
    assert bench.ask("max-size", *WASTING, options="limit = 1").matches[0].layer == 0


def test_an_image_that_wastes_nothing_may_still_displease_dive(bench: Bench) -> None:
    """Its score counts what is no waste; the rule fails all the same, and says so."""
    layers: tuple[Mapping[str, Content], ...] = (
        {"a": bytes(100)},
        {"a": symlink("b"), "b": bytes(100)},
        {"a": b"", "b": b""},
    )
    result = bench.ask("lowestEfficiency", *layers, options="limit = 1")
    assert result.status is Status.FAIL
    assert result.matches


def test_an_empty_image_wastes_nothing(bench: Bench) -> None:
    """There is nothing to divide by."""
    for rule in ("max-wasted-percent", "highestUserWastedPercent"):
        result = bench.ask(rule, {}, options="limit = 0")
        assert (result.status, result.value) == (Status.PASS, 0.0)


@pytest.mark.parametrize(
    ("user", "passes"),
    [
        ("", False),
        ("root", False),
        ("0", False),
        ("00", False),
        ("0:1000", False),
        ("root:app", False),
        ("toor", False),
        ("app", True),
        ("1000", True),
        ("1000:0", True),
        ("nobody-there", True),
    ],
)
def test_root_is_root_by_any_name(bench: Bench, user: str, *, passes: bool) -> None:
    """A name is looked up in the image's own list of users."""
    users = b"root:x:0:0::/:/bin/sh\ntoor:x:0:0::/:/bin/sh\napp:x:10:10::/:\nbroken\n"
    result = bench.ask("no-root-user", {"etc/passwd": users}, runtime={"User": user})
    assert result.status is (Status.PASS if passes else Status.FAIL)


def test_without_a_list_of_users_no_name_is_root(bench: Bench) -> None:
    """Nothing can be looked up."""
    assert bench.ask("no-root-user", {}, runtime={"User": "app"}).status is Status.PASS


def test_root_names_the_line_of_user_or_of_from(bench: Bench) -> None:
    """Where there is a USER it is the one to change."""
    history = ["COPY a / # buildkit", step("USER root", empty=True)]
    dockerfile = "FROM scratch\nCOPY a /\nUSER root\n"
    image: dict[str, Any] = {"runtime": {"User": "root"}, "history": history}
    (match,) = bench.ask("no-root-user", {"a": b"x"}, dockerfile=dockerfile, **image).matches
    assert (match.line, match.instruction, match.stage) == (3, "USER root", "stage-0")
    (match,) = bench.ask(
        "no-root-user", {"a": b"x"}, dockerfile="FROM scratch\nCOPY a /\n", history=history[:1]
    ).matches
    assert (match.line, match.instruction) == (1, "FROM scratch")


def test_root_is_not_asked_of_windows(bench: Bench) -> None:
    """It has other users."""
    result = bench.ask("no-root-user", {"a": b"x"}, platform="windows/amd64")
    assert (result.status, result.value) == (Status.SKIPPED, None)
    assert "Windows" in result.reason


@pytest.mark.parametrize(
    ("dockerfile", "details"),
    [
        ("FROM debian:12\nCOPY a /\n", ["debian:12 has no digest"]),
        (f"FROM debian:12@sha256:{'a' * 64}\nCOPY a /\n", []),
        ("FROM scratch\nCOPY a /\n", []),
        (
            "FROM node AS build\nRUN make\nFROM scratch\nCOPY --from=build a /\n",
            ["node has no digest"],
        ),
        ("FROM node AS idle\nFROM scratch\nCOPY a /\n", []),
    ],
)
def test_a_base_is_pinned_by_its_digest(bench: Bench, dockerfile: str, details: list[str]) -> None:
    """Of every stage that the image needs."""
    base = dockerfile.startswith("FROM debian")
    layers: list[dict[str, Content]] = [{"etc/x": b"x"}] if base else []
    history = ["ADD rootfs / # buildkit"] if base else []
    history.append("COPY a / # buildkit")
    result = bench.ask("pinned-base", *layers, {"a": b"x"}, dockerfile=dockerfile, history=history)
    assert [match.detail for match in result.matches] == details
    assert result.status is (Status.FAIL if details else Status.PASS)
    assert bench.ask("known-base", *layers, {"a": b"x"}, dockerfile=dockerfile,
                     history=history).status is Status.PASS  # fmt: skip


@pytest.mark.parametrize(
    ("labels", "pinned", "known"),
    [
        ({}, Status.SKIPPED, Status.FAIL),
        ({"org.opencontainers.image.base.name": "debian:12"}, Status.FAIL, Status.PASS),
        (
            {
                "org.opencontainers.image.base.name": "debian:12",
                "org.opencontainers.image.base.digest": f"sha256:{'b' * 64}",
            },
            Status.PASS,
            Status.PASS,
        ),
    ],
)
def test_without_a_dockerfile_the_image_may_name_its_base(
    bench: Bench, labels: dict[str, str], pinned: Status, known: Status
) -> None:
    """By the labels of the OCI image-spec."""
    for rule, status in (("pinned-base", pinned), ("known-base", known)):
        result = bench.ask(rule, {"a": b"x"}, runtime={"Labels": labels})
        assert result.status is status
        assert bool(result.reason) is (status is Status.SKIPPED)


WRONG: Final[dict[str, Any]] = {
    "dockerfile": "FROM scratch\nCOPY other /\n",
    "history": ["COPY a / # buildkit"],
}


def test_a_wrong_dockerfile_tells_nothing_of_the_base(bench: Bench) -> None:
    """It is of another image."""
    result = bench.ask("pinned-base", {"a": b"x"}, **WRONG)
    assert result.status is Status.SKIPPED
    assert "not the one" in result.reason


def test_contradicted_origins_fail(bench: Bench) -> None:
    """Each file of them, folders apart."""
    result = bench.ask("no-unknown-origin", {"a": b"x", "d/": file()}, **WRONG)
    assert "a" in paths(result)
    assert result.matches[0].detail == "evidence of its origin disagrees"


def test_origins_that_only_a_stage_could_tell_are_unknown(bench: Bench) -> None:
    """Where the rule is strict; the match says which stage is missing."""
    image: dict[str, Any] = {
        "dockerfile": "FROM node AS build\nRUN make\nFROM scratch\nCOPY --from=build /a /a\n",
        "history": ["COPY /a /a # buildkit"],
    }
    assert bench.ask("no-unknown-origin", {"a": b"x"}, **image).status is Status.PASS
    result = bench.ask("no-unknown-origin", {"a": b"x"}, options="strict = true", **image)
    assert paths(result) == ["a"]
    assert "--stage build=IMAGE" in result.matches[0].detail
    options = 'strict = true\nallow = ["/a"]'
    result = bench.ask("no-unknown-origin", {"a": b"x"}, options=options, **image)
    assert result.status is Status.PASS


def test_origins_are_not_asked_without_a_dockerfile(bench: Bench) -> None:
    """Skipped, which is no pass."""
    result = bench.ask("no-unknown-origin", {"a": b"x"})
    assert (result.status, result.value) == (Status.SKIPPED, None)
    assert result.reason == "no Dockerfile is known: give -f Dockerfile"


def test_provenance_is_missing_or_unreadable(bench: Bench) -> None:
    """A classic archive has none; an attestation may be no provenance at all."""
    result = bench.ask("provenance", {"a": b"x"})
    assert [match.detail for match in result.matches] == ["no provenance came with the image"]
    assert result.level is Level.WARNING
    result = bench.ask("provenance", archive=_attested({"predicate": 5}))
    assert result.status is Status.FAIL
    assert "cannot be read" in result.matches[0].detail


def test_provenance_of_the_least_mode_is_there(bench: Bench) -> None:
    """It stands beside the very manifest it is about."""
    built: dict[str, Any] = {
        "buildDefinition": {"externalParameters": {}, "resolvedDependencies": []}
    }
    assert bench.ask("provenance", archive=_attested({"predicate": built})).status is Status.PASS


def test_the_digest_that_the_builder_used_is_told(bench: Bench) -> None:
    """With it behind its name the base is pinned."""
    digest = "ab" * 32
    base = {"uri": "pkg:docker/base@latest", "digest": {"sha256": digest}}
    request = {"frontend": "dockerfile.v0", "args": {}}
    built = {
        "buildDefinition": {
            "externalParameters": {"request": request},
            "resolvedDependencies": [base],
        }
    }
    archive = _attested({"predicate": built}, history=["ADD b / # buildkit", "COPY a / # buildkit"])
    dockerfile = "FROM base\nCOPY a /\n"
    (match,) = bench.ask("pinned-base", archive=archive, dockerfile=dockerfile).matches
    assert match.detail == f"base was sha256:{digest} in this build: write @ and that behind it"


def _attested(statement: object, history: Sequence[str] | None = None) -> bytes:
    """Return an OCI archive with an attestation beside its image."""
    layers = [make_layer({f"a{number}": b"x"}) for number, _ in enumerate(history or [""])]
    files = oci_files(make_image(*layers, history=history))
    body = to_json(statement)
    marks = {"in-toto.io/predicate-type": "https://slsa.dev/provenance/v1"}
    manifest = to_json({"layers": [{"digest": sha256(body), "annotations": marks}]})
    listed: Any = from_json(files["index.json"])["manifests"]
    entry = {
        "mediaType": f"{OCI}.manifest.v1+json",
        "digest": sha256(manifest),
        "annotations": {
            "vnd.docker.reference.type": "attestation-manifest",
            "vnd.docker.reference.digest": listed[0]["digest"],
        },
    }
    files |= {blob_name(sha256(blob)): blob for blob in (body, manifest)}
    files["index.json"] = to_json({"manifests": [*listed, entry]})
    return make_layer(files)
