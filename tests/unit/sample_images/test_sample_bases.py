"""What the base images take over from this host, and which images they may replace."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import Mock

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import ModuleType

_SAMPLES = Path(__file__).resolve().parents[3] / "sample_images"

APT_DUMP = """\
APT::Architecture "amd64";
Acquire::Retries "5";
Acquire::http::Proxy "http://proxy.example:3128";
Acquire::https::Proxy-Auto-Detect "/usr/local/bin/only-here";
Acquire::https::CAInfo "/only/here.pem";
DPkg::Post-Invoke:: "/usr/local/bin/hook";
"""
TARGETS = """\
Other|bookworm|main|http://other.example/debian/
Debian|bookworm-updates|main|http://mirror.example/updates/
Debian|bookworm|main|http://mirror.example/debian/
"""


@pytest.fixture
def node_bases(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Import the script's module from where the script lies, no proxy set outside."""
    monkeypatch.syspath_prepend(str(_SAMPLES))
    for name in ("http_proxy", "https_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    return importlib.import_module("node_bases")


@pytest.fixture
def docker_cli(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Import the module that knows the engine."""
    monkeypatch.syspath_prepend(str(_SAMPLES))
    return importlib.import_module("docker_cli")


def _answers(npm: Mapping[str, str], *, apt: str = "", targets: str = "") -> Callable[..., str]:
    """Return what stands in for asking npm and apt."""

    def ask(argv: list[str], **_: Any) -> str:  # noqa: ANN401 - any option is ignored
        if argv[0] == "npm":
            return npm.get(argv[-1], "undefined")
        return apt if argv[0] == "apt-config" else targets

    return ask


def test_bases_get_the_registry_and_proxies_of_the_host(
    node_bases: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Npm's own settings come first, the environment fills in what they leave open."""
    npm = {"registry": "http://mirror.example/npm/", "proxy": "http://one.example", "noproxy": ""}
    monkeypatch.setattr(node_bases, "ask", _answers(npm))
    monkeypatch.setenv("http_proxy", "http://two.example")
    monkeypatch.setenv("HTTPS_PROXY", "http://three.example")
    assert node_bases.read_host_settings().npmrc.splitlines() == [
        "unsafe-perm=true",
        "registry=http://mirror.example/npm/",
        "proxy=http://one.example",
        "https-proxy=http://three.example",
    ]


def test_bases_get_the_network_settings_of_apt_and_no_hook_of_the_host(
    node_bases: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What names programs and files of the host would break apt in a container."""
    monkeypatch.setattr(node_bases, "ask", _answers({}, apt=APT_DUMP))
    assert node_bases.read_host_settings().apt.splitlines() == [
        'Acquire::Retries "5";',
        'Acquire::http::Proxy "http://proxy.example:3128";',
        'Acquire::https::CAInfo "/usr/local/etc/ssl/host-ca.crt";',
    ]


@pytest.mark.parametrize(
    ("targets", "mirror"),
    [
        pytest.param(TARGETS, "http://mirror.example/debian/", id="the suite's main"),
        pytest.param(TARGETS.replace("http://mirror", "file://mirror"), "", id="no network"),
        pytest.param("Ubuntu|jammy|main|http://mirror.example/ubuntu/\n", "", id="not Debian"),
        pytest.param("", "", id="no apt"),
    ],
)
def test_the_mirror_is_that_of_the_host_where_it_serves_the_suite(
    node_bases: ModuleType, monkeypatch: pytest.MonkeyPatch, targets: str, mirror: str
) -> None:
    """Where apt has no Debian of that suite, debootstrap chooses."""
    monkeypatch.setattr(node_bases, "ask", _answers({}, targets=targets))
    assert node_bases.read_host_settings().mirror == mirror


@pytest.mark.parametrize(
    ("found", "reuse", "replace", "must_make"),
    [
        pytest.param(None, True, False, True, id="none there"),
        pytest.param("same", True, False, False, id="ours, same recipe, reused"),
        pytest.param("same", False, False, True, id="ours, made anew"),
        pytest.param("older", True, False, True, id="ours, other recipe"),
        pytest.param("", True, False, False, id="someone else's, reused"),
        pytest.param("", False, True, True, id="someone else's, replaced"),
    ],
)
def test_a_base_is_made_unless_it_can_be_reused(
    docker_cli: ModuleType, *, found: str | None, reuse: bool, replace: bool, must_make: bool
) -> None:
    """An image of the same recipe is kept on demand, another one's only if told so."""
    policy = docker_cli.BasePolicy(reuse=reuse, replace=replace)
    docker = Mock(recipe_of=Mock(return_value=found))
    assert policy.must_make(docker, "node:14", "same") is must_make


def test_someone_elses_image_is_never_replaced_unasked(docker_cli: ModuleType) -> None:
    """Whoever has a real node:14 keeps it."""
    policy = docker_cli.BasePolicy(reuse=False, replace=False)
    docker = Mock(recipe_of=Mock(return_value=""))
    with pytest.raises(docker_cli.BuildError, match="another node:14"):
        policy.must_make(docker, "node:14", "same")
