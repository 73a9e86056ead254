"""Secrets of every kind, made up when a test runs: none stands in this repository.

Each is what its vendor's format asks for, drawn from a generator with a seed.
"""

from __future__ import annotations

import base64
import json
import string
import zlib
from dataclasses import dataclass
from random import Random
from typing import Final

LETTERS: Final = string.ascii_letters
WORD: Final = string.digits + string.ascii_uppercase + string.ascii_lowercase
HEX: Final = "0123456789abcdef"
BASE32: Final = string.ascii_uppercase + "234567"
_DASHES: Final = "-" * 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Plant:
    """One secret in a file."""

    kind: str
    path: str
    content: bytes
    value: str
    """What no output may show."""

    def __repr__(self) -> str:
        """Return what names the test; a failing one prints no value."""
        return f"{self.kind} in {self.path}"


class Grower:
    """Draws values; the same seed draws the same."""

    def __init__(self, seed: int = 7) -> None:
        """Start anew."""
        self._random = Random(seed)  # noqa: S311 - nothing is kept secret by it

    def draw(self, count: int, letters: str = WORD) -> str:
        """Return ``count`` characters."""
        return "".join(self._random.choices(letters, k=count))

    def der(self, size: int = 600) -> bytes:
        """Return a whole ASN.1 sequence."""
        body = self._random.randbytes(size)
        return b"\x30\x82" + size.to_bytes(2, "big") + body

    def bytes(self, size: int) -> bytes:
        """Return random bytes."""
        return self._random.randbytes(size)

    def base64(self, size: int) -> str:
        """Return base64 of ``size`` random bytes, of which no letter stands for another use."""
        return base64.b64encode(self._random.randbytes(size)).decode()

    def github(self, prefix: str = "ghp_") -> str:
        """Return a token whose checksum is right."""
        text = self.draw(30)
        return prefix + text + base62(zlib.crc32(text.encode()))

    def jwt(self) -> str:
        """Return a JSON Web Token with a signature of random bytes."""
        parts = [{"alg": "HS256", "typ": "JWT"}, {"sub": self.draw(8), "iat": 1}]
        head = ".".join(base64.urlsafe_b64encode(json.dumps(p).encode()).decode().rstrip("=")
                        for p in parts)  # fmt: skip
        return f"{head}.{self.draw(43)}"


def base62(number: int) -> str:
    """Return six digits."""
    digits = ""
    for _ in range(6):
        number, digit = divmod(number, 62)
        digits = WORD[digit] + digits
    return digits


def pem(label: str, data: bytes, *, newline: str = "\n", fields: str = "") -> str:
    """Return data in PEM."""
    text = base64.b64encode(data).decode()
    lines = [text[start : start + 64] for start in range(0, len(text), 64)]
    begin, end = (f"{_DASHES}{word} {label}{_DASHES}" for word in ("BEGIN", "END"))
    return newline.join([begin, *([fields, ""] if fields else []), *lines, end, ""])


def body_of(text: str) -> str:
    """Return a line out of the middle of PEM."""
    return text.splitlines()[4]


def token_plants(grower: Grower) -> list[Plant]:
    """Return a token of every vendor, each in a source file."""
    draw = grower.draw
    crc = f"gls{'a_'}{draw(32)}"
    values = {
        "GitHub token": grower.github("gh" + "o_"),
        "GitHub refresh token": "gh" + "r_" + draw(40),
        "GitHub token, fine-grained": "github" + f"_pat_{draw(22)}_{draw(59)}",
        "GitLab token": "gl" + f"pat-{draw(20)}",
        "Atlassian token": "ATATT" + f"3xFf{draw(180)}",
        "npm token": "np" + f"m_{draw(36)}",
        "PyPI token": "pypi" + f"-AgEIcHlwaS5vcmc{draw(120)}",
        "TestPyPI token": "pypi" + f"-AgENdGVzdC5weXBpLm9yZw{draw(120)}",
        "RubyGems key": "rubygems" + f"_{draw(48, HEX)}",
        "Docker Hub token": "dckr" + f"_pat_{draw(27)}",
        "Google OAuth client secret": "GOC" + f"SPX-{draw(28)}",
        "Azure client secret": f"{draw(3)}8" + f"Q~{draw(34)}",
        "DigitalOcean token": "dop" + f"_v1_{draw(64, HEX)}",
        "Databricks token": "da" + f"pi{draw(32, HEX)}",
        "Heroku key": "HRK" + f"U-AA{draw(56)}",
        "Vault token": "hv" + f"s.{draw(90)}",
        "HCP Terraform token": f"{draw(14)}.atlas" + f"v1.{draw(67)}",
        "Pulumi token": "pu" + f"l-{draw(40, HEX)}",
        "Tailscale key": "ts" + f"key-auth-{draw(12)}-{draw(32)}",
        "Slack token": "xox" + f"b-{draw(11, '123456789')}-{draw(12, '123456789')}-{draw(24)}",
        "Stripe key": "sk" + f"_live_{draw(24)}",
        "SendGrid key": "S" + f"G.{draw(22)}.{draw(43)}",
        "Shopify token": "shp" + f"at_{draw(32, HEX)}",
        "Grafana token": f"{crc}_{zlib.crc32(crc.encode()):08x}",
        "New Relic key": "NR" + f"AK-{draw(27, string.digits + string.ascii_uppercase)}",
        "Sentry token": "sntr" + f"yu_{draw(64, HEX)}",
        "Postman key": "PM" + f"AK-{draw(24, HEX)}-{draw(34, HEX)}",
        "Linear key": "lin" + f"_api_{draw(40)}",
        "Supabase token": "sb" + f"p_{draw(40, HEX)}",
        "Doppler token": "dp" + f".pt.{draw(43)}",
        "1Password token": "ops" + f"_eyJ{draw(300)}",
        "Telegram bot token": f"{draw(9, '123456789')}:A" + f"A{draw(33)}",
        "Hugging Face token": "h" + f"f_{draw(34, LETTERS)}",
        "OpenAI key": "sk" + f"-proj-{draw(40)}T3Blbk" + f"FJ{draw(40)}",
        "Anthropic key": "sk-" + f"ant-api03-{draw(93)}AA",
        "age private key": "AGE-SECRET" + f"-KEY-1{draw(58, 'QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L')}",
        "JSON Web Token": grower.jwt(),
    }
    plants = [
        Plant(kind=kind, path=f"srv/{n}.js", content=f'\n\nuse("{value}");\n'.encode(), value=value)
        for n, (kind, value) in enumerate(values.items())
    ]
    hook = f"T{draw(9, BASE32)}/B{draw(9, BASE32)}/{draw(24)}"
    secrets = {
        "Slack webhook": (f"https://hooks.slack.com/{'services'}/{hook}", hook),
        "AWS secret access key": _aws(grower),
        "Azure storage key": _after("AccountName=a;Account" + "Key=", f"{grower.draw(86)}=="),
        "Azure shared access key": _after("SharedAccess" + "Key=", f"{grower.draw(43)}="),
        "Twilio secret": _after("TWILIO" + '_AUTH_TOKEN = "', draw(32, HEX)),
    }
    return plants + [
        Plant(kind=kind, path=f"srv/{n}.conf", content=f"\n\n{text}\n".encode(), value=value)
        for n, (kind, (text, value)) in enumerate(secrets.items())
    ]


def _aws(grower: Grower) -> tuple[str, str]:
    value = "aA1" + grower.draw(37)
    return f'id = "{"AK" + "IA"}{grower.draw(16, BASE32)}"\nkey = "{value}"', value


def _after(text: str, value: str) -> tuple[str, str]:
    return text + value, value


def key_plants(grower: Grower) -> list[Plant]:
    """Return private keys in every form."""
    rsa = pem("RSA PRIVATE" + " KEY", grower.der())
    plain = pem("PRIVATE" + " KEY", grower.der())
    ssh = pem("OPENSSH PRIVATE" + " KEY", b"openssh-key-v1\0" + grower.bytes(300))
    sealed = pem("ENCRYPTED PRIVATE" + " KEY", grower.der())
    classic = pem(
        "RSA PRIVATE" + " KEY",
        grower.bytes(608),
        fields="Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00FF",
    )
    pgp = pem("PGP PRIVATE" + " KEY BLOCK", b"\x95\x03" + grower.bytes(400), fields="Version: 2")
    pgp = pgp.replace("\n-----END", "\n=aB3d\n-----END")
    account = json.dumps({"type": "service_account", "private_key": plain}, indent=1)
    encoded = base64.b64encode(rsa.encode()).decode()
    putty = (
        "PuTTY-User-Key" + "-File-3: ssh-ed25519\nEncryption: none\nComment: me\n"
        f"Public-Lines: 1\n{grower.draw(64)}\nPrivate-Lines: 1\n{grower.draw(48)}\n"
        f"Private-MAC: {grower.draw(64, HEX)}\n"
    )
    quoted = " +\n".join(f'"{line}\\n"' for line in rsa.splitlines())
    texts = [
        ("RSA private key", "root/.ssh/id_rsa", rsa, body_of(rsa)),
        ("RSA private key", "app/windows.key", rsa.replace("\n", "\r\n"), body_of(rsa)),
        ("RSA private key", "app/Keys.java", quoted, body_of(rsa)),
        ("private key", "app/tls.key", plain, body_of(plain)),
        ("OpenSSH private key", "etc/ssh/ssh_host_ed25519_key", ssh, body_of(ssh)),
        ("private key, encrypted", "app/sealed.pem", sealed, body_of(sealed)),
        ("RSA private key, encrypted", "app/classic.pem", classic, body_of(classic)),
        ("PGP private key", "app/secret.asc", pgp, body_of(pgp)),
        ("Google Cloud service account key", "app/gcp.json", account, body_of(plain)),
        ("RSA private key, base64", "app/secret.yaml", f"tls.key: {encoded}\n", encoded[80:120]),
        ("PuTTY private key", "app/me.ppk", putty, putty.splitlines()[-2][:40]),
    ]
    return [Plant(kind=k, path=p, content=t.encode(), value=v) for k, p, t, v in texts]


def file_plants(grower: Grower) -> list[Plant]:
    """Return files that hold credentials by their own format."""
    rows = [
        ("secret in an environment file", "app/.env", "PORT=80\nDB_PASSWORD='{}'\n"),
        ("secret in an environment file", "app/.env.production", "DATABASE_URL=pg://u:{}@db/x\n"),
        ("npm credentials", "root/.npmrc", "//registry.npmjs.org/:_authToken={}\n"),
        ("yarn credentials", "app/.yarnrc.yml", 'npmAuthToken: "{}"\n'),
        ("netrc password", "root/.netrc", "machine x.y login me password {}\n"),
        ("PyPI credentials", "root/.pypirc", "[pypi]\nusername = me\npassword = {}\n"),
        ("password in a URL", "etc/pip.conf", "[global]\nindex-url = https://u:{}@pypi.corp/s\n"),
        ("git credentials", "root/.git-credentials", "https://me:{}@git.corp\n"),
        ("password in a URL", "app/.git/config", "[remote]\n url = https://me:{}@git.corp/a\n"),
        ("registry credentials", "root/.docker/config.json", '{{"auths":{{"r":{{"auth":"{}"}}}}}}'),
        ("AWS credentials", "root/.aws/credentials", "[default]\naws_session_token = {}\n"),
        (
            "Google Cloud credentials",
            "root/.config/gcloud/application_default_credentials.json",
            '{{"refresh_token": "{}"}}',
        ),
        ("Azure credentials", "root/.azure/msal_token_cache.json", '{{"secret": "{}"}}'),
        ("Kubernetes credentials", "root/.kube/config", "users:\n- user:\n    token: {}\n"),
        ("Terraform credentials", "root/.terraformrc", 'credentials "a" {{\n token = "{}"\n}}\n'),
        ("PostgreSQL password", "root/.pgpass", "db:5432:app:me:{}\n"),
        ("MySQL password", "root/.my.cnf", "[client]\npassword={}\n"),
        ("Cargo credentials", "root/.cargo/credentials.toml", '[registry]\ntoken = "{}"\n'),
        ("RubyGems credentials", "root/.gem/credentials", "---\n:rubygems_api_key: {}\n"),
        ("Composer credentials", "root/.composer/auth.json", '{{"password": "{}"}}'),
        ("Maven password", "root/.m2/settings.xml", "<server><password>{}</password></server>"),
        ("NuGet password", "app/NuGet.Config", '<add key="ClearTextPassword" value="{}" />'),
        ("GitHub CLI token", "root/.config/gh/hosts.yml", "github.com:\n  oauth_token: {}\n"),
        ("GitLab CLI token", "root/.config/glab-cli/config.yml", "hosts:\n  token: {}\n"),
        ("WordPress password", "app/wp-config.php", "define('DB_PASSWORD', '{}');\n"),
        ("secret in Terraform variables", "app/prod.tfvars", 'db_password = "{}"\n'),
        ("Vault token", "root/.vault-token", "{}"),
    ]
    plants = []
    for kind, path, text in rows:
        value = grower.draw(24)
        content = text.format(value).encode()
        plants.append(Plant(kind=kind, path=path, content=content, value=value))
    master = grower.draw(32, HEX)
    salted = f"$6$abc${grower.draw(86)}"
    key = grower.bytes(40)
    jks = b"\xfe\xed\xfe\xed" + b"\0\0\0\2" + b"\0\0\0\1" + b"\0\0\0\1" + key
    store = b"\x30\x82\x01\x00\x02\x01\x03" + key
    return [
        *plants,
        Plant(kind="Rails master key", path="app/config/master.key",
              content=master.encode(), value=master),
        Plant(kind="password hash", path="etc/shadow",
              content=f"daemon:*:1\nroot:{salted}:1:0:9:7:::\n".encode(), value=salted),
        Plant(kind="password hash", path="app/.htpasswd",
              content=f"me:{salted}\n".encode(), value=salted),
        Plant(kind="Kubernetes token", path="run/secrets/kubernetes.io/serviceaccount/token",
              content=b"eyJ" + master.encode(), value=master),
        Plant(kind="Terraform state", path="app/terraform.tfstate",
              content=b'{"terraform_version": "1.9.0", "resources": []}', value=master),
        Plant(kind="Google Cloud credentials", path="root/.config/gcloud/credentials.db",
              content=b"SQLite format 3\0" + key, value=master),
        Plant(kind="Java key store", path="app/server.jks", content=jks, value=master),
        Plant(kind="PKCS #12 key store", path="app/server.p12", content=store, value=master),
        Plant(kind="KeePass database", path="app/all.kdbx",
              content=b"\x03\xd9\xa2\x9a" + key, value=master),
    ]  # fmt: skip


def all_plants() -> list[Plant]:
    """Return one of each."""
    grower = Grower()
    return [*token_plants(grower), *key_plants(grower), *file_plants(grower)]
