"""Files whose name says that they hold credentials, and what in them is one.

A name alone is no finding: an ``.npmrc`` that takes its token from the environment is as it
should be. What tools document of each format says where the secret stands.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Final

from layertrace.analysis.secrets.hits import Hit
from layertrace.analysis.secrets.stores import SUFFIXES, find_store
from layertrace.analysis.secrets.values import URL, is_secret_name, line_values, value_hit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    Find = Callable[[bytes], Iterator[Hit]]

NOTHING_NAMED: Final = "no name in it tells of a secret"
"""The doubt of an environment file that is worth a look, though no value of it is."""
_MOST: Final = 50
"""Values of one file that are told apart."""
_ENV: Final = re.compile(r"\.env(?:\.[\w-]+)*$|[\w-]+\.env$")
_ENV_SAMPLE: Final = re.compile(
    r"(?:^|[._-])(?:example|sample|template|tmpl|dist|defaults?|schema|test|ci|vault)(?:[._-]|$)"
)
_KEYED: Final = r"[\"']?[ \t]*[:=][ \t]*[\"']?(?P<value>[^\s\"',}]{4,4000})"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRule:
    """Files of some names."""

    kind: str
    names: tuple[str, ...]
    """How a path ends, from a folder's or the file's own name on."""
    find: Find
    """Yields what is secret in a content."""


def file_finder(path: str) -> Find | None:
    """Return what looks for secrets in a file of that name; None for most."""
    name = path.rpartition("/")[2]
    for rule in _BY_NAME.get(name, ()):
        if f"/{path}".endswith(tuple(f"/{ending}" for ending in rule.names)):
            return rule.find
    lower = name.lower()
    if lower.endswith(SUFFIXES):
        return _find_store
    if _ENV.match(lower) and not _ENV_SAMPLE.search(lower):
        return _find_env
    if lower.endswith((".tfstate", ".tfstate.backup")):
        return _find_state
    return _find_named if lower.endswith(".tfvars") else None


def _find_store(data: bytes) -> Iterator[Hit]:
    store = find_store(data)
    if store is not None:
        yield store


def _find_env(data: bytes) -> Iterator[Hit]:
    found = list(islice(line_values(data), _MOST * 4))
    named = [
        hit for name, hit in found if is_secret_name(name) or URL.search(data, hit.start, hit.end)
    ]
    for hit in named:
        yield replace(hit, kind="secret in an environment file")
    if found and not named:
        yield replace(
            found[0][1],
            kind="environment file",
            shape="",
            doubt=NOTHING_NAMED,
        )


def _find_named(data: bytes) -> Iterator[Hit]:
    for name, hit in line_values(data):
        if is_secret_name(name):
            yield replace(hit, kind="secret in Terraform variables")


def _find_state(data: bytes) -> Iterator[Hit]:
    # developer.hashicorp.com, "Sensitive data in state": all values in plain text.
    if b'"terraform_version"' in data and b'"resources"' in data:
        yield Hit(kind="Terraform state", start=0, end=0)


def _whole(kind: str, magic: bytes = b"") -> Find:
    def find(data: bytes) -> Iterator[Hit]:
        if data.startswith(magic) and data.strip():
            yield Hit(kind=kind, start=0, end=0, shape=f"{len(data):,} bytes")

    return find


def _values(kind: str, pattern: str) -> Find:
    compiled = re.compile(pattern.encode("ascii"))

    def find(data: bytes) -> Iterator[Hit]:
        for found in islice(compiled.finditer(data), _MOST):
            hit = value_hit(kind, data, *found.span("value"))
            if hit is not None:
                yield hit

    return find


def _rule(kind: str, names: str, pattern: str) -> FileRule:
    return FileRule(kind=kind, names=tuple(names.split()), find=_values(kind, pattern))


_URL: Final = URL.pattern.decode("ascii")
_HASH: Final = r"(?P<value>\$(?:apr1|2[aby]?|1|5|6|y|gy|7)\$[^\s:]{20,200}|\{SHA\}[^\s:]{20,60})"
_RULES: Final[tuple[FileRule, ...]] = (
    # docs.npmjs.com, "npmrc", "Auth related configuration"; yarnpkg.com, "npmAuthToken".
    _rule(
        "npm credentials",
        ".npmrc etc/npmrc .yarnrc",
        r"(?m)^[^\n;#]{0,300}?(?:_authToken|_auth|_password)[ \t]*[= ][ \t]*"
        r"(?P<value>[^\n]{1,4000})$",
    ),
    _rule(
        "yarn credentials",
        ".yarnrc.yml",
        r"(?m)^[ \t]*[\"']?npmAuth(?:Token|Ident)[\"']?:[ \t]*(?P<value>[^\n]{1,4000})$",
    ),
    # GNU inetutils, "The .netrc file"; apt_auth.conf(5) has the same form.
    _rule(
        "netrc password",
        ".netrc _netrc etc/apt/auth.conf",
        r"(?:^|\s)login\s+\S{1,200}\s+password\s+(?P<value>\S{1,1000})",
    ),
    # packaging.python.org, "The .pypirc file"; pip.pypa.io, "Authentication".
    _rule(
        "PyPI credentials", ".pypirc", r"(?m)^[ \t]*password\s*[:=][ \t]*(?P<value>[^\n]{1,1000})$"
    ),
    _rule("password in a URL", "pip.conf pip.ini .pip/pip.conf uv.toml", _URL),
    # git-scm.com, git-credential-store, "Storage format"; a remote's URL may hold one too.
    _rule("git credentials", ".git-credentials .config/git/credentials", _URL),
    _rule("password in a URL", ".git/config .gitconfig .gitmodules etc/gitconfig", _URL),
    # docs.docker.com, "docker login", "Default behavior"; containers-auth.json(5).
    _rule(
        "registry credentials",
        ".docker/config.json .dockercfg .dockerconfigjson containers/auth.json kaniko/config.json",
        r"\"(?:auth|identitytoken|registrytoken|password)\"\s*:\s*\"(?P<value>[^\"]{4,4000})\"",
    ),
    # docs.aws.amazon.com, "Configuration and credential file settings".
    _rule(
        "AWS credentials",
        ".aws/credentials .aws/config .boto .s3cfg .passwd-s3fs",
        r"(?m)^[ \t]*(?:aws_secret_access_key|aws_session_token|secret_key)[ \t]*=[ \t]*"
        r"(?P<value>\S{16,2000})",
    ),
    # cloud.google.com, "How Application Default Credentials works".
    _rule(
        "Google Cloud credentials",
        "application_default_credentials.json adc.json",
        rf"\"refresh_token{_KEYED}",
    ),
    FileRule(
        kind="Google Cloud credentials",
        names=(".config/gcloud/credentials.db", ".config/gcloud/access_tokens.db"),
        find=_whole("Google Cloud credentials", b"SQLite format 3\0"),
    ),
    # learn.microsoft.com, Azure CLI, "MSAL-based Azure CLI".
    _rule(
        "Azure credentials",
        ".azure/accessTokens.json .azure/msal_token_cache.json "
        ".azure/service_principal_entries.json",
        rf"\"(?:refreshToken|secret|client_secret|accessToken){_KEYED}",
    ),
    # kubernetes.io, "kubeconfig (v1)"; a pod's token is mounted, never shipped.
    _rule(
        "Kubernetes credentials",
        ".kube/config kubeconfig etc/kubernetes/admin.conf etc/rancher/k3s/k3s.yaml",
        rf"(?:client-key-data|token|password){_KEYED}",
    ),
    FileRule(
        kind="Kubernetes token",
        names=("secrets/kubernetes.io/serviceaccount/token",),
        find=_whole("Kubernetes token", b"eyJ"),
    ),
    # httpd.apache.org, "Password formats"; shadow(5), crypt(5).
    _rule("password hash", ".htpasswd htpasswd", rf"(?m)^[^:\s#]{{1,255}}:{_HASH}"),
    _rule("password hash", "etc/shadow etc/shadow-", rf"(?m)^[^:\s#]{{1,255}}:{_HASH}"),
    # developer.hashicorp.com, "CLI configuration"; Vault, "login".
    _rule("Terraform credentials", ".terraformrc credentials.tfrc.json", rf"\"?token{_KEYED}"),
    FileRule(kind="Vault token", names=(".vault-token",), find=_whole("Vault token")),
    # postgresql.org, "The Password File"; dev.mysql.com, "Using option files".
    _rule(
        "PostgreSQL password",
        ".pgpass pgpass.conf",
        r"(?m)^[^#\s:]{1,255}:[^:\n]{0,10}:[^:\n]{0,255}:[^:\n]{1,255}:(?P<value>[^\n]{1,500})$",
    ),
    _rule("MySQL password", ".my.cnf", r"(?m)^[ \t]*password\s*=[ \t]*(?P<value>[^\n]{1,500})$"),
    # doc.rust-lang.org, "Credentials"; guides.rubygems.org; getcomposer.org, "auth.json".
    _rule(
        "Cargo credentials",
        ".cargo/credentials .cargo/credentials.toml cargo/credentials.toml",
        r"(?m)^[ \t]*token\s*=\s*(?P<value>[^\n]{1,1000})$",
    ),
    _rule(
        "RubyGems credentials",
        ".gem/credentials gem/credentials",
        r"(?m)^[ \t]*:?[\w-]+:[ \t]*(?P<value>[^\n]{8,500})$",
    ),
    _rule(
        "Composer credentials",
        ".composer/auth.json composer/auth.json",
        r"\"(?:password|[\w.-]+\.[a-z]+)\"\s*:\s*\"(?P<value>[^\"]{6,1000})\"",
    ),
    # maven.apache.org, "Settings reference", "Servers"; learn.microsoft.com, "nuget.config".
    _rule("Maven password", ".m2/settings.xml", r"<password>(?P<value>[^<]{1,500})</password>"),
    _rule(
        "NuGet password",
        "NuGet.Config nuget.config NuGet.config",
        r"(?i)key=\"(?:cleartext)?password\"\s+value=\"(?P<value>[^\"]{1,1000})\"",
    ),
    # cli.github.com; gitlab.com/gitlab-org/cli.
    _rule("GitHub CLI token", "gh/hosts.yml", rf"oauth_token{_KEYED}"),
    _rule("GitLab CLI token", "glab-cli/config.yml", rf"(?m)^[ \t]*token{_KEYED}"),
    # guides.rubyonrails.org, "Custom credentials": 32 hexadecimal digits.
    _rule("Rails master key", "config/master.key", r"^(?P<value>[0-9a-f]{32})\s*$"),
    # developer.wordpress.org, "wp-config.php".
    _rule(
        "WordPress password",
        "wp-config.php",
        r"define\(\s*['\"](?:DB_PASSWORD|AUTH_KEY|SECURE_AUTH_KEY|NONCE_KEY)['\"]\s*,\s*"
        r"['\"](?P<value>[^'\"]{1,500})['\"]",
    ),
)
_BY_NAME: Final[Mapping[str, tuple[FileRule, ...]]] = {
    name: tuple(rule for rule in _RULES if any(e.rpartition("/")[2] == name for e in rule.names))
    for name in {ending.rpartition("/")[2] for rule in _RULES for ending in rule.names}
}
