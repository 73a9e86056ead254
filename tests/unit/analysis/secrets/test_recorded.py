"""Secrets that a build leaves in the configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from layertrace.analysis.audit.secrets import Secrets, search_secrets
from layertrace.analysis.secrets.texts import hide_secrets
from layertrace.analysis.secrets.values import is_secret_name
from layertrace.layers.cache import IndexCache
from layertrace.pipeline.hints import Hints
from layertrace.pipeline.trace import open_image
from tests.builders import docker_archive, image, layer, step
from tests.planted import Grower

if TYPE_CHECKING:
    from pathlib import Path

GROWER = Grower(13)
SECRET = GROWER.draw(16)
TOKEN = GROWER.github()


def _secrets(
    tmp_path: Path,
    history: list[str | dict[str, object]],
    *,
    dockerfile: str = "",
    runtime: dict[str, object] | None = None,
) -> Secrets:
    path = tmp_path / "image.tar"
    layers = [layer({f"f{n}": b"x"}) for n, each in enumerate(history)
              if not (isinstance(each, dict) and each.get("empty_layer"))]  # fmt: skip
    path.write_bytes(docker_archive(image(*layers, history=history, runtime=runtime)))
    if dockerfile:
        (tmp_path / "Dockerfile").write_text(dockerfile, encoding="utf-8")
    hints = Hints(dockerfile=tmp_path / "Dockerfile") if dockerfile else Hints()
    opening = open_image(str(path), hints, IndexCache(tmp_path, limit=0))
    try:
        return search_secrets(opening.walk(hashing=False))
    finally:
        opening.close()


def test_variable_is_told_once_with_its_line(tmp_path: Path) -> None:
    """A variable is in configuration and history; the match names the ENV that sets it."""
    found = _secrets(
        tmp_path,
        ["ADD base /", step(f"ENV DB_PASSWORD={SECRET}", empty=True), "COPY a /a # buildkit"],
        dockerfile=f"FROM base\nENV DB_PASSWORD={SECRET}\nCOPY a /a\n",
        runtime={"Env": ["PATH=/bin", f"DB_PASSWORD={SECRET}"]},
    )
    (match,) = found.matches
    assert (match.path, match.layer, match.line, match.visible) == (None, None, 2, True)
    assert match.instruction == "ENV DB_PASSWORD=…"
    assert match.detail == (
        "value of a variable (16 characters): ENV DB_PASSWORD, in an environment variable of the"
        " image"
    )


def test_argument_in_run_names_the_argument(tmp_path: Path) -> None:
    """Build arguments stand before each RUN; the match names the ARG, once for all RUNs."""
    run = f"RUN |1 NPM_TOKEN={SECRET} /bin/sh -c npm ci # buildkit"
    found = _secrets(
        tmp_path,
        ["ADD base /", step("ARG NPM_TOKEN", empty=True), run, run.replace("ci", "test")],
        dockerfile="FROM base\nARG NPM_TOKEN\nRUN npm ci\nRUN npm test\n",
    )
    (match,) = found.matches
    assert (match.layer, match.line, match.instruction) == (1, 2, "ARG NPM_TOKEN")
    assert (
        match.detail == "value of NPM_TOKEN (16 characters): RUN NPM_TOKEN, in the image's history"
    )


@pytest.mark.parametrize(
    ("history", "detail"),
    [
        (f"RUN curl -H 'Authorization: Bearer {SECRET}' x # buildkit", "authorization header"),
        (f"RUN git clone https://me:{SECRET}@git.corp/x # buildkit", "password in a URL"),
        (f"RUN login --password {SECRET} # buildkit", "value of password"),
        (f"RUN login --password={SECRET} # buildkit", "value of password"),
        (f"RUN npm config set //r/:_authToken={SECRET} # buildkit", "value of _authToken"),
        (f"RUN echo {TOKEN} > /x # buildkit", "GitHub token"),
        (f"/bin/sh -c #(nop)  ENV A_TOKEN={SECRET}", "value of A_TOKEN"),
    ],
)
def test_commands_of_the_history(tmp_path: Path, history: str, detail: str) -> None:
    """What a command carries is found, and tied to the layer it made."""
    found = _secrets(tmp_path, ["ADD base /", history])
    (match,) = found.matches
    assert match.detail.startswith(detail)
    assert (match.path, match.layer) == (None, 1)


def test_labels_and_triggers_are_searched(tmp_path: Path) -> None:
    """A label and an ONBUILD trigger ship as well."""
    runtime: dict[str, object] = {
        "Labels": {"notes": f"use {TOKEN}"},
        "OnBuild": [f"RUN x --token {SECRET}"],
    }
    found = _secrets(tmp_path, ["ADD base /"], runtime=runtime)
    assert [match.detail.partition(": ")[2] for match in found.matches] == [
        "LABEL notes, in a label of the image",
        "RUN token, in an ONBUILD trigger of the image",
    ]


@pytest.mark.parametrize(
    "env",
    [
        "GPG_KEY=A035C8C19219BA821ECEA86B64E628F8D684696D",
        "PASSWORD_FILE=/run/secrets/x",
        "DB_PASSWORD=/run/secrets/x",
        "DB_PASSWORD=",
        "AUTH_TOKEN=$TOKEN",
        "USE_TOKEN=true",
        "PUBLIC_TOKEN=abcdef99",
        "YARN_VERSION=1.22",
        "TOKEN_URL=https://x/y",
    ],
)
def test_no_secret_in_a_variable(tmp_path: Path, env: str) -> None:
    """Variables of official images, switches, paths and references are none."""
    found = _secrets(tmp_path, ["ADD base /"], runtime={"Env": [env]})
    assert (found.matches, found.doubtful) == ((), ())


def test_an_example_in_a_variable_is_doubtful(tmp_path: Path) -> None:
    """A word that everybody writes there is likely no secret."""
    found = _secrets(tmp_path, ["ADD base /"], runtime={"Env": ["DB_PASSWORD=changeme"]})
    assert found.matches == ()
    assert len(found.doubtful) == 1


def test_history_that_does_not_fit_names_no_layer(tmp_path: Path) -> None:
    """Where history and layers differ in number, nothing is tied to a layer."""
    path = tmp_path / "image.tar"
    made = image(layer({"a": b"x"}), history=[f"RUN x --token {SECRET}", "RUN y"])
    path.write_bytes(docker_archive(made))
    opening = open_image(str(path), Hints(), IndexCache(tmp_path, limit=0))
    (match,) = search_secrets(opening.walk(hashing=False)).matches
    opening.close()
    assert (match.layer, match.line, match.stage) == (None, None, None)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("RUN make", "RUN make"),
        (f"ENV A_TOKEN={SECRET} B=1", "ENV A_TOKEN=… B=1"),
        (f"ENV A_TOKEN='{SECRET} x'", "ENV A_TOKEN='…'"),
        (f"é RUN x --token {SECRET} é\udc80\ud800", "é RUN x --token … é\udc80\ud800"),
        (f"RUN echo {TOKEN}", "RUN echo …"),
        (f"RUN curl -fsSLu me:{SECRET} https://h/x", "RUN curl -fsSLu me:… https://h/x"),
        (f"RUN curl https://h/x --user 'me:{SECRET}'", "RUN curl https://h/x --user 'me:…'"),
        (f"RUN docker login -u me -p {SECRET} h", "RUN docker login -u me -p … h"),
        (f"RUN echo '{SECRET}' | docker login -u me --password-stdin h",
         "RUN echo '…' | docker login -u me --password-stdin h"),
        (f"RUN printf '%s' {SECRET} | podman login --password-stdin h",
         "RUN printf '%s' … | podman login --password-stdin h"),
        (f"RUN docker login h \\\n  -u me \\\n  -p={SECRET}",
         "RUN docker login h \\\n  -u me \\\n  -p=…"),
        ("RUN docker login h\nmkdir -p abcdefgh", "RUN docker login h\nmkdir -p abcdefgh"),
        (f"RUN sshpass -p{SECRET} ssh h", "RUN sshpass -p… ssh h"),
        (f"RUN mysqldump -u me -p{SECRET} db", "RUN mysqldump -u me -p… db"),
        ('RUN curl -u "me:$A" h; echo "$B" | docker login --password-stdin; sort -u a:bcdefgh',
         'RUN curl -u "me:$A" h; echo "$B" | docker login --password-stdin; sort -u a:bcdefgh'),
        ("RUN mysql -u me -p db && docker run -u 1000:1000 a && mkdir -p login/x-p abcdefgh",
         "RUN mysql -u me -p db && docker run -u 1000:1000 a && mkdir -p login/x-p abcdefgh"),
    ],
)  # fmt: skip
def test_values_are_hidden(text: str, shown: str) -> None:
    """A text keeps all but the values, whatever else is in it."""
    assert hide_secrets(text) == shown


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        (b"AWS_SECRET_ACCESS_KEY", True),
        (b"AWS_ACCESS_KEY_ID", False),
        (b"npmAuthToken", True),
        (b"SECRET_KEY_BASE", True),
        (b"PASSWORD2", True),
        (b"KEYBOARD", False),
        (b"NEXT_PUBLIC_TOKEN", False),
    ],
)
def test_names_tell_of_secrets(name: bytes, *, secret: bool) -> None:
    """The last word of a name says whether its value is to be kept."""
    assert is_secret_name(name) is secret
