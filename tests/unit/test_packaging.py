"""What is installed, what importing it loads, and which versions are pinned."""

from __future__ import annotations

import os
import pkgutil
import re
import subprocess
import sys
import tomllib
import zipfile
from typing import TYPE_CHECKING, Any, Final

import pytest

import layertrace
from tests.sample_support import ROOT

if TYPE_CHECKING:
    from pathlib import Path

PROJECT: Final[dict[str, Any]] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
HEAVY: Final = {"docker", "requests", "rich", "textual"}


def _run(*words: str, path: Path, cwd: Path) -> str:
    done = subprocess.run(  # noqa: S603 - this interpreter
        [sys.executable, *words],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(path), "LAYERTRACE_CACHE_DIR": str(cwd / "cache")},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _modules() -> dict[str, list[str]]:
    """Return every module by its package, but for those that draw the terminal view."""
    modules: dict[str, list[str]] = {}
    for found in pkgutil.walk_packages(layertrace.__path__, "layertrace."):
        package = ".".join(found.name.split(".")[:2])
        if not found.name.startswith("layertrace.views.tui") and package != "layertrace.__main__":
            modules.setdefault(package, []).append(found.name)
    return modules


@pytest.mark.parametrize(("package", "modules"), _modules().items())
def test_importing_a_package_loads_neither_the_docker_sdk_nor_textual(
    package: str, modules: list[str], tmp_path: Path
) -> None:
    """Each in a fresh interpreter: what is slow to import is imported where it is used."""
    code = f"import sys, {', '.join(modules)}; print(*sys.modules)"
    loaded = set(_run("-c", code, path=ROOT, cwd=tmp_path).split())
    assert package in loaded
    assert loaded & HEAVY == set()


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a wheel of this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    _run("-m", "hatchling", "build", "-t", "wheel", "-d", str(folder), path=ROOT, cwd=ROOT)
    (wheel,) = folder.glob("*.whl")
    return wheel


def test_the_wheel_holds_the_program_its_sample_and_every_licence(wheel: Path) -> None:
    """Whoever installs it has the sample and the licences of what is in the sample."""
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {
        "layertrace/py.typed",
        "layertrace/views/tui/app.tcss",
        "layertrace/samples/tiny-app/multistage.tar.xz",
        "layertrace/samples/THIRD_PARTY.md",
        "layertrace/samples/licenses/GPL-2.txt",
        "layertrace/samples/licenses/LGPL-2.1.txt",
    } <= names
    licences = {name.partition("/licenses/")[2] for name in names if ".dist-info/lic" in name}
    assert {"LICENSE", "sample_images/licenses/GPL-2.txt"} <= licences
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {"layertrace"}
    assert not [name for name in names if name.endswith((".pyc", ".tar"))]


def test_the_demo_runs_from_the_wheel_alone(wheel: Path, tmp_path: Path) -> None:
    """Outside of a checkout the sample that came along is found and traced."""
    installed = tmp_path / "installed"
    zipfile.ZipFile(wheel).extractall(installed)
    said = _run("-m", "layertrace", "demo", "--plain", path=installed, cwd=tmp_path)
    assert str(installed) in said
    assert "COPY --from=build /app/dist /app/dist" in said
    version = _run("-m", "layertrace", "--version", path=installed, cwd=tmp_path)
    assert version.split()[-1] == layertrace.__version__


def _name(requirement: str) -> str:
    """Return a requirement's name as packaging compares it."""
    return re.sub(r"[-_.]+", "-", re.split(r"[ ;<>=!~\[]", requirement, maxsplit=1)[0]).lower()


def test_every_tool_and_dependency_is_pinned() -> None:
    """The constraints give one version of each, and say nothing of where it comes from."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert all(re.fullmatch(r"[A-Za-z0-9_.-]+==[0-9.]+", pin) for pin in pins)
    names = [_name(pin) for pin in pins]
    assert len(names) == len(set(names))
    groups = PROJECT["dependency-groups"].values()
    wanted = [*PROJECT["project"]["dependencies"], *(one for group in groups for one in group)]
    assert {_name(each) for each in wanted} <= set(names)
