"""Real ``node:14-slim`` and ``node:14`` images without a registry of images.

A minimal Debian, Node's own binaries as the npm registry serves them, and for the full
image the compilers and libraries that the official one has. What this host's npm and apt
are set to (mirrors, proxies, certificates; no credentials) goes into the bases, so that
builds on top of them reach the network as the host does and need no setting of their own.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from docker_cli import BasePolicy, BuildError, Docker, Plan, Shell, ask

NODE: Final = "14.21.3"
NPM: Final = "6.14.18"
SUITE: Final = "bookworm"
DEBIAN_TAG: Final = "debian:bookworm-min"
SLIM_TAG: Final = "node:14-slim"
FULL_TAG: Final = "node:14"

_RECIPES: Final = Path(__file__).parent / "node-app" / "base"
_NPM_ARCH: Final = {"amd64": "x64", "arm64": "arm64"}
_NPM_KEYS: Final = {
    "registry": "",
    "strict-ssl": "",
    "proxy": "http_proxy",
    "https-proxy": "https_proxy",
    "noproxy": "no_proxy",
}
"""What a base's npm needs to know, and the variable that npm takes it from if unset."""
_BUNDLES: Final = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt")
_CA_PATH: Final = "usr/local/etc/ssl/host-ca.crt"

# What Debian's own container images set: no fsync for a disk that is thrown away, no
# package left behind, no translated package lists.
_APT_FILES: Final = {
    "etc/dpkg/dpkg.cfg.d/docker-apt-speedup": "force-unsafe-io\n",
    "etc/apt/apt.conf.d/docker-no-languages": 'Acquire::Languages "none";\n',
    "etc/apt/apt.conf.d/docker-clean": (
        "DPkg::Post-Invoke "
        '{ "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/*.bin || true"; };\n'
        'Dir::Cache::pkgcache "";\nDir::Cache::srcpkgcache "";\n'
    ),
}
_LEFTOVERS: Final = ("var/cache/apt/archives/*.deb", "var/lib/apt/lists/*_*", "var/log/*.log")


@dataclass(frozen=True, slots=True, kw_only=True)
class HostSettings:
    """How this host's own clients reach the network."""

    mirror: str
    """Where apt gets Debian from; "" leaves the choice to debootstrap."""
    apt: str
    """Lines of apt.conf: proxies, retries, certificates."""
    npmrc: str
    """Lines of npmrc: registry and proxies."""
    ca: bytes
    """Certificates in PEM, those of the system and those npm is told to trust."""


def read_host_settings() -> HostSettings:
    """Ask npm and apt what they are set to; asks no network."""
    return HostSettings(
        mirror=_mirror(), apt=_apt_settings(), npmrc=_npm_settings(), ca=_certificates()
    )


def _npm_settings() -> str:
    # npm 6 drops root's rights before it runs the scripts of a package, and then cannot
    # write to what root has made in a container.
    lines = ["unsafe-perm=true"]
    for key, variable in _NPM_KEYS.items():
        value = ask(["npm", "config", "get", key])
        if value in _UNSET:
            value = os.environ.get(variable) or os.environ.get(variable.upper())
        if value:
            lines.append(f"{key}={value}")
    return "\n".join([*lines, ""])


_HOST_ONLY: Final = ("CAInfo", "Ssl", "Auto-Detect", "AutoDetect")
_UNSET: Final = {None, "", "null", "undefined"}


def _certificates() -> bytes:
    named = [ask(["npm", "config", "get", "cafile"]), os.environ.get("NODE_EXTRA_CA_CERTS")]
    paths = dict.fromkeys(Path(p) for p in (*_BUNDLES, *named) if p is not None)
    return b"\n".join(path.read_bytes() for path in paths if path.is_file())


def _mirror() -> str:
    """Return the host's Debian mirror, "" where apt has none for the suite."""
    fields = "$(ORIGIN)|$(CODENAME)|$(COMPONENT)|$(REPO_URI)"
    said = ask(["apt-get", "indextargets", "--format", fields, "Created-By: Packages"]) or ""
    for line in said.splitlines():
        origin, codename, component, uri = line.split("|", 3)
        ours = (origin, codename, component) == ("Debian", SUITE, "main")
        if ours and uri.startswith(("http://", "https://")):
            return uri
    return ""


def _apt_settings() -> str:
    """Return the network settings of the host's apt, without hooks and credentials."""
    kept = ("Acquire::http::", "Acquire::https::", "Acquire::Retries")
    lines = [
        line
        for line in (ask(["apt-config", "dump"]) or "").splitlines()
        if line.startswith(kept) and not any(word in line for word in _HOST_ONLY)
    ]
    for scheme in ("http", "https"):
        proxy = os.environ.get(f"{scheme}_proxy")
        if proxy and not any(line.startswith(f"Acquire::{scheme}::Proxy ") for line in lines):
            lines.append(f'Acquire::{scheme}::Proxy "{proxy}";')
    return "\n".join([*lines, f'Acquire::https::CAInfo "/{_CA_PATH}";']) + "\n"


def make_bases(docker: Docker, work: Path, policy: BasePolicy) -> None:
    """Make both node images, as far as ``policy`` does not find them in the engine.

    Raises:
        BuildError: a tool is missing or failed, or a tag belongs to someone else's image.
    """
    if docker.arch not in _NPM_ARCH:
        raise BuildError(f"no node {NODE} binaries are known for {docker.arch}")
    settings = read_host_settings()
    recipe = _recipe(settings, docker.arch)
    # Both are asked before the slow part, which a refusal would waste.
    make_slim, make_full = (policy.must_make(docker, tag, recipe) for tag in (SLIM_TAG, FULL_TAG))
    if make_slim:
        rootfs = _debian_tar(docker.shell, work, settings, docker.arch)
        docker.import_rootfs(DEBIAN_TAG, rootfs, recipe=recipe, changes=['CMD ["bash"]'])
        context = _slim_context(docker.shell, work, settings, _NPM_ARCH[docker.arch])
        _build(docker, SLIM_TAG, context, recipe)
    if make_full:
        empty = work / "empty"
        empty.mkdir(exist_ok=True)
        _build(docker, FULL_TAG, empty, recipe)


def _build(docker: Docker, tag: str, context: Path, recipe: str) -> None:
    name = "slim.Dockerfile" if tag == SLIM_TAG else "full.Dockerfile"
    docker.build(Plan(tag=tag, context=context, dockerfile=_RECIPES / name, recipe=recipe))


def _recipe(settings: HostSettings, arch: str) -> str:
    """Return the digest of all that decides what the images hold but Debian's own changes."""
    dockerfiles = [path.read_text(encoding="utf-8") for path in sorted(_RECIPES.iterdir())]
    parts = (NODE, NPM, SUITE, arch, _APT_FILES, _LEFTOVERS, settings, dockerfiles)
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def _debian_tar(shell: Shell, work: Path, settings: HostSettings, arch: str) -> Path:
    """Return the tar of a minimal Debian; made once for the same settings."""
    key = hashlib.sha256(repr((settings, _APT_FILES, _LEFTOVERS)).encode()).hexdigest()[:12]
    target = work / f"debian-{SUITE}-{arch}-{key}.tar"
    if target.exists():
        return target
    if os.geteuid() != 0:
        raise BuildError("debootstrap needs root: run this as root")
    root = work / "debian.rootfs"
    shutil.rmtree(root, ignore_errors=True)
    mirror = [settings.mirror] if settings.mirror else []
    argv = ["debootstrap", "--variant=minbase", f"--arch={arch}", SUITE, str(root), *mirror]
    try:
        shell.run("debootstrap", argv, env=_proxy_environment(settings))
        _finish_rootfs(root, settings)
        part = target.with_suffix(".part")
        shell.run("pack debian", ["tar", "-C", str(root), "--sort=name", "-cf", str(part), "."])
        part.replace(target)
    finally:
        shutil.rmtree(root, ignore_errors=True)
    return target


def _proxy_environment(settings: HostSettings) -> dict[str, str]:
    """Return apt's proxies as environment: debootstrap does not ask apt for them."""
    found = re.findall(r'^Acquire::(https?)::Proxy "([^"]+)"', settings.apt, re.MULTILINE)
    return {f"{scheme}_proxy": proxy for scheme, proxy in found if proxy != "DIRECT"}


def _finish_rootfs(root: Path, settings: HostSettings) -> None:
    """Leave out what debootstrap downloaded, put in how to reach the network."""
    for pattern in _LEFTOVERS:
        for path in root.glob(pattern):
            path.unlink()
    files = {**_APT_FILES, "etc/apt/apt.conf.d/90host": settings.apt}
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    bundle = root / _CA_PATH
    bundle.parent.mkdir(parents=True, exist_ok=True)
    bundle.write_bytes(settings.ca)


def _slim_context(shell: Shell, work: Path, settings: HostSettings, npm_arch: str) -> Path:
    """Lay out what node and npm add to /usr/local."""
    node = _packed(shell, work, f"node-linux-{npm_arch}", NODE)
    npm = _packed(shell, work, "npm", NPM)
    context = work / "slim"
    shutil.rmtree(context, ignore_errors=True)
    local = context / "usr-local"
    _unpack(node, local)
    _unpack(npm, local / "lib" / "node_modules" / "npm")
    (local / "package.json").unlink()
    for name in ("npm", "npx"):
        (local / "bin" / name).symlink_to(f"../lib/node_modules/npm/bin/{name}-cli.js")
    (local / "etc").mkdir()
    (local / "etc" / "npmrc").write_text(settings.npmrc, encoding="utf-8")
    return context


def _packed(shell: Shell, work: Path, name: str, version: str) -> Path:
    """Return a package as the npm registry serves it; fetched once."""
    target = work / f"{name}-{version}.tgz"
    if not target.exists():
        # In a folder of its own, so that an interrupted download never has the name.
        fetch = work / "fetch"
        shutil.rmtree(fetch, ignore_errors=True)
        fetch.mkdir()
        shell.run(f"npm pack {name}", ["npm", "pack", f"{name}@{version}"], cwd=fetch)
        (fetch / target.name).replace(target)
    return target


def _unpack(package: Path, target: Path) -> None:
    """Unpack what is below ``package/``, the one folder of every npm package."""
    target.mkdir(parents=True)
    with tarfile.open(package) as tar:
        for member in tar:
            member.name = member.name.removeprefix("package/")
            tar.extract(member, target, filter="data")
