"""The two builds of the node tutorial, by both builders, and where their files come from."""

from __future__ import annotations

import json
import posixpath
import tarfile
from typing import IO, TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from tests.sample_support import Command

pytestmark = pytest.mark.engine

COPY_CONTEXT: Final = (5, 8)  # COPY package.json …, and COPY . . which brings it again
RUN_BUILD: Final = 9
COPY_DIST: Final = 15
COPY_MANIFESTS: Final = 16
RUN_PRODUCTION: Final = 17

Records = dict[str, dict[str, Any]]
Inode = tuple[str, int]
"""A layer and the number of its member."""


@pytest.fixture(scope="module")
def multistage(
    builder: str,
    make_bases: Callable[[str], None],
    export: Callable[[str, str, str], Path],
) -> Path:
    """Return the trace archive of the multi-stage build."""
    make_bases("node")
    return export("node-app", "multistage", builder)


@pytest.fixture(scope="module")
def records(multistage: Path, layertrace: Command) -> Records:
    """Return every path of the multi-stage image."""
    return _by_path(layertrace.json("files", multistage))


@pytest.fixture(scope="module")
def regular(
    builder: str,
    make_bases: Callable[[str], None],
    export: Callable[[str, str, str], Path],
) -> Path:
    """Return the trace archive of the regular build."""
    make_bases("node")
    return export("node-app", "regular", builder)


def _by_path(envelope: Mapping[str, Any]) -> Records:
    records = {record["path"]: record for record in envelope["data"]}
    assert len(records) == len(envelope["data"])
    return records


def _below(records: Records, folder: str) -> Records:
    return {path: record for path, record in records.items() if path.startswith(f"{folder}/")}


def _origin(record: Mapping[str, Any]) -> tuple[str, str | None, int | None]:
    origin = record["origin"]
    return origin["kind"], origin["stage"], origin["line"]


def _steps(answer: Mapping[str, Any]) -> list[tuple[str, str, int]]:
    return [(hop["action"], hop["place"], hop["line"]) for hop in answer["hops"]]


def test_server_js_was_made_by_the_build_and_carried_by_the_first_copy(
    multistage: Path, layertrace: Command
) -> None:
    """The compiled program leads back through COPY --from=build to RUN npm run build."""
    (answer,) = layertrace.json("why", multistage, "/app/dist/server.js")["data"]
    record = answer["record"]
    assert _origin(record) == ("run", "build", RUN_BUILD)
    assert record["origin"]["instruction"] == "RUN npm run build"
    assert record["origin"]["path"] == "/app/dist/server.js"
    assert (record["stage"], record["stage_index"]) == ("build", 0)
    assert record["trust"] == "verified"
    assert _steps(answer) == [("copy", "final", COPY_DIST), ("write", "build", RUN_BUILD)]
    assert answer["hops"][0]["instruction"] == "COPY --from=build /app/dist /app/dist"
    assert {hop["trust"] for hop in answer["hops"]} == {"verified"}


def test_package_json_came_from_the_context_and_was_carried_by_the_second_copy(
    multistage: Path, layertrace: Command
) -> None:
    """What no RUN rewrote leads back to the build context."""
    (answer,) = layertrace.json("why", multistage, "/app/package.json")["data"]
    kind, stage, line = _origin(answer["record"])
    assert (kind, stage) == ("context", "build")
    assert line in COPY_CONTEXT
    assert answer["record"]["origin"]["path"] == "package.json"
    assert answer["record"]["stage"] is None
    assert answer["record"]["trust"] == "verified"
    carried, *before = _steps(answer)
    assert carried == ("copy", "final", COPY_MANIFESTS)
    assert before
    assert {place for _, place, _ in before} == {"build"}
    assert before[-1][0] == "copy"


def test_package_lock_is_the_work_of_npm_over_the_copied_version(
    multistage: Path, layertrace: Command
) -> None:
    """The lock file that ships is npm's; the one COPY brought shows below it."""
    (answer,) = layertrace.json("why", multistage, "/app/package-lock.json")["data"]
    record = answer["record"]
    assert _origin(record) == ("run", "stage-1", RUN_PRODUCTION)
    assert record["origin"]["instruction"] == "RUN npm install --production"
    assert (record["change"], record["trust"]) == ("modified", "verified")
    versions = sorted(answer["history"], key=lambda version: version["layer"])
    assert [version["change"] for version in versions] == ["added", "modified"]
    layers = layertrace.json("layers", multistage)["image"]["layers"]
    lines = [layers[version["layer"]]["line"] for version in versions]
    assert lines == [COPY_MANIFESTS, RUN_PRODUCTION]
    assert versions[0]["digest"] != versions[1]["digest"]


def test_what_npm_left_was_made_by_the_last_run(records: Records) -> None:
    """Dependencies and npm's own files come from RUN npm install --production."""
    modules = _below(records, "/app/node_modules")
    cache = _below(records, "/root/.npm") | _below(records, "/root/.config")
    assert "/app/node_modules/express/package.json" in modules
    assert len(modules) > 300
    assert len(cache) > 100
    for record in (*modules.values(), *cache.values()):
        assert _origin(record) == ("run", "stage-1", RUN_PRODUCTION), record["path"]
        assert record["stage"] == "stage-1"
        assert record["trust"] == "verified", record["path"]


def test_the_rest_is_the_base_image(records: Records) -> None:
    """Whatever the Dockerfile did not bring is node:14-slim, as far as the root goes."""
    ours = ("/app", "/root/.npm", "/root/.config")
    rest = {
        path: record
        for path, record in records.items()
        if not path.startswith(ours) and path not in {"/", "/root"}
    }
    assert len(rest) > 10_000
    for path, record in rest.items():
        assert record["origin"]["kind"] == "base", path
        assert record["stage"] is None, path
        assert record["trust"] == "verified", path
    assert rest["/usr/local/bin/node"]["origin"]["image"] == "node:14-slim"


def test_nothing_else_of_the_build_stage_ships(records: Records) -> None:
    """Compilers, sources and development dependencies stay in the build stage."""
    for path in (
        "/app/src/server.ts",
        "/app/node_modules/typescript/package.json",
        "/app/node_modules/webpack/package.json",
        "/app/tsconfig.json",
        "/usr/bin/gcc",
        "/usr/bin/git",
        "/usr/bin/python3",
    ):
        assert path not in records
    from_build = {path for path, record in records.items() if record["stage"] == "build"}
    assert from_build == {"/app/dist", *_below(records, "/app/dist")}
    from_context = [p for p, r in records.items() if r["origin"]["kind"] == "context"]
    assert from_context == ["/app/package.json"]


def test_stages_tells_how_much_stays_behind(
    multistage: Path, layertrace: Command, records: Records
) -> None:
    """The build stage weighs more than a gigabyte and ships a few kilobytes."""
    stages = layertrace.json("stages", multistage)["image"]["stages"]
    build, final = stages
    assert (build["name"], build["from"], build["line"]) == ("build", "node:14", 1)
    assert (final["name"], final["from"]) == ("stage-1", "node:14-slim")
    assert build["size"] > 1_200_000_000
    made = [r for r in records.values() if r["stage"] == "build" and r["type"] == "file"]
    assert sum(record["size"] for record in made) <= build["shipped_bytes"] < 100_000
    assert len(made) <= build["shipped_files"] < 10
    assert [carrier["line"] for carrier in build["carried_by"]] == [COPY_DIST, COPY_MANIFESTS]
    assert final["shipped_bytes"] > 5_000_000


def test_dockerfile_lines_and_layers_fit(multistage: Path, layertrace: Command) -> None:
    """The layers above the base are the instructions that wrote them, in order."""
    layers = layertrace.json("layers", multistage)["image"]["layers"]
    ours = [layer for layer in layers if layer["line"] is not None and layer["line"] > 11]
    assert [layer["line"] for layer in ours] == [13, COPY_DIST, COPY_MANIFESTS, RUN_PRODUCTION]
    assert [layer["index"] for layer in layers] == list(range(len(layers)))
    assert {layer["stage"] for layer in ours} == {"stage-1"}


def test_the_regular_build_ships_what_it_was_built_with(regular: Path, layertrace: Command) -> None:
    """Without a second stage the compiler, the sources and every package ship."""
    records = _by_path(layertrace.json("files", regular))
    assert _origin(records["/app/dist/server.js"]) == ("run", "stage-0", RUN_BUILD)
    assert _origin(records["/app/src/server.ts"]) == ("context", "stage-0", 8)
    assert _origin(records["/app/node_modules/typescript/package.json"]) == ("run", "stage-0", 6)
    assert records["/usr/bin/git"]["origin"]["kind"] == "base"
    assert records["/usr/bin/git"]["origin"]["image"] == "node:14"
    assert {record["trust"] for record in records.values()} == {"verified"}


def test_the_shipped_bytes_can_be_read(multistage: Path, layertrace: Command) -> None:
    """What cat prints is the compiled program, not another layer's version."""
    text = layertrace.run("cat", multistage, "/app/dist/server.js")
    assert text.rstrip().endswith("//# sourceMappingURL=server.js.map")
    lock = layertrace.run("cat", multistage, "/app/package-lock.json")
    assert '"resolved"' in lock


def test_the_difference_of_the_two_builds_is_explained_to_the_byte(
    regular: Path, multistage: Path, layertrace: Command
) -> None:
    """Slimmer base, tools, sources, development dependencies and caches: all of the bytes."""
    answer = json.loads(layertrace.run("diff", regular, multistage, "--json"))
    data = answer["data"]
    before = _visible_bytes(regular, data["old"]["config_digest"])
    after = _visible_bytes(multistage, data["new"]["config_digest"])
    assert before + sum(cause["bytes_delta"] for cause in data["causes"]) == after
    assert before + sum(each["bytes_delta"] for each in data["files"]) == after
    base, install, *rest = data["causes"]
    assert base["cause"].startswith("base image node:14 → node:14-slim")
    assert base["bytes_delta"] < -1_000_000_000
    tools = {part["name"] for part in base["parts"] if part["sort"] == "build tools"}
    assert {"gcc", "make", "git", "python3"} <= tools
    assert install["cause"] == "left behind in stage build: RUN npm install (line 6, stage build)"
    sorts = {part["sort"] for part in install["parts"]}
    assert {"development dependencies", "caches"} <= sorts
    sources = next(cause for cause in rest if "COPY . ." in cause["cause"])
    assert sources["why"] == "left-behind"
    assert [part["sort"] for part in sources["parts"]] == ["sources"]
    same = json.loads(layertrace.run("diff", multistage, multistage, "--json", "--exit-code"))
    assert same["data"]["files"] == []


def _visible_bytes(archive: Path, config_digest: str) -> int:
    """Return the bytes of the files of one image of an archive, by tarfile alone."""
    seen: dict[str, Inode | None] = {}
    sizes: dict[Inode, int] = {}
    with tarfile.open(archive) as outer:
        for name in _layers(outer, config_digest):
            with tarfile.open(fileobj=_member(outer, name)) as tar:
                own = tar.getmembers()
            names = [posixpath.normpath(member.name) for member in own]
            for path in names:
                _remove(seen, path)
            for number, (path, member) in enumerate(zip(names, own, strict=True)):
                if posixpath.basename(path).startswith(".wh."):
                    continue
                seen[path] = None
                if member.isreg():
                    sizes[name, number] = member.size
                    seen[path] = (name, number)
                elif member.islnk():
                    seen[path] = seen[posixpath.normpath(member.linkname)]
    return sum(sizes[inode] for inode in set(seen.values()) if inode is not None)


def _layers(outer: tarfile.TarFile, config_digest: str) -> list[str]:
    manifests = json.load(_member(outer, "manifest.json"))
    digest = config_digest.partition(":")[2]
    (layers,) = {tuple(each["Layers"]) for each in manifests if digest in each["Config"]}
    return list(layers)


def _member(outer: tarfile.TarFile, name: str) -> IO[bytes]:
    member = outer.extractfile(name)
    assert member is not None
    return member


def _remove(seen: dict[str, Inode | None], path: str) -> None:
    """Take away what a member removes."""
    folder, file = posixpath.split(path)
    if not file.startswith(".wh."):
        return
    gone = folder if file == ".wh..wh..opq" else posixpath.join(folder, file[4:])
    for each in [each for each in seen if each.startswith(f"{gone}/")]:
        del seen[each]
    if gone != folder:
        seen.pop(gone, None)
