"""A Docker engine's HTTP interface on a socket, as far as exporting needs it.

Source: the Docker Engine API v1.41.
"""

from __future__ import annotations

import json
import re
import socketserver
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler
from itertools import chain
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs, unquote, urlsplit

from tests.builders import CREATED, SampleImage, docker_archive, sha256

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

PIECE: Final = 4096
_PATIENCE: Final = 30


@dataclass
class FakeEngine:
    """What the engine has, what it was asked, and how it misbehaves."""

    images: dict[str, SampleImage] = field(default_factory=dict)
    """By id."""
    tags: dict[str, str] = field(default_factory=dict)
    """Name to id."""
    saved: bytes = b""
    """The answer to a save."""
    saves_what_is_asked: bool = False
    """The answer to a save is an archive of the images asked for instead."""
    parents: dict[str, str] = field(default_factory=dict)
    """Id to the id of the image it was made from."""
    listings: int = 0
    """How often all images were listed."""
    histories: list[str] = field(default_factory=list)
    """Ids of images that were asked how they were made."""
    cut_after: int | None = None
    """The connection drops after so many bytes of it."""
    ends_with: bytes = b""
    """Written after it, as an engine reports a failure in the middle."""
    silent: threading.Event | None = None
    """The answers to a save and a build wait for this before their first byte."""
    hold: tuple[int, threading.Event] | None = None
    """So many bytes of a save come; then it waits for this."""
    went_on: bool | None = None
    """Whether that came, and it did not only lose patience."""
    refusal: tuple[int, str] | None = None
    """Status and message of the answer to a save or a build."""
    build_log: list[Mapping[str, object]] = field(default_factory=list)
    """The answer to a build."""
    asked: list[str] = field(default_factory=list)
    """Names that were to be saved."""
    built: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    """Parameters and context of each build."""

    def add(self, image: SampleImage) -> str:
        """Take an image with its tags; return its id."""
        image_id = sha256(image.config)
        self.images[image_id] = image
        self.tags.update(dict.fromkeys(image.tags, image_id))
        return image_id

    def resolve(self, name: str) -> str:
        """Return the id that a tag or an id stands for."""
        return self.tags.get(name, name)

    def names(self, image_id: str) -> list[str]:
        """Return the tags of an image."""
        return [name for name, tagged in self.tags.items() if tagged == image_id]

    def remove(self, name: str) -> None:
        """Take a tag away, and with its last tag the image."""
        image_id = self.tags.pop(name)
        if not self.names(image_id):
            del self.images[image_id]

    def facts(self, image_id: str) -> dict[str, object]:
        """Return what the engine tells about an image."""
        image = self.images[image_id]
        return {
            "Id": image_id,
            "RepoTags": self.names(image_id),
            "RootFS": {"Type": "layers", "Layers": list(image.diff_ids)},
            "Os": "linux",
            "Architecture": "amd64",
            "Size": sum(map(len, image.layers)),
            "Created": CREATED,
            "Parent": self.parents.get(image_id, ""),
            "Config": json.loads(image.config)["config"],
        }

    def listed(self, image_id: str) -> dict[str, object]:
        """Return what a list of images tells about one."""
        created = datetime.fromisoformat(json.loads(self.images[image_id].config)["created"])
        parent = self.parents.get(image_id, "")
        times = {"Created": int(created.timestamp()), "ParentId": parent}
        return self.facts(image_id) | times

    def history(self, image_id: str) -> list[dict[str, object]]:
        """Return how an image was made, the newest step first."""
        image = self.images[image_id]
        sizes = map(len, image.layers)
        return [
            {
                "CreatedBy": entry.get("created_by"),
                "Comment": entry.get("comment"),
                "Created": int(datetime.fromisoformat(entry["created"]).timestamp()),
                "Size": 0 if entry.get("empty_layer") else next(sizes),
            }
            for entry in json.loads(image.config)["history"]
        ][::-1]

    def save(self, names: list[str]) -> bytes:
        """Return the archive of some images."""
        if self.saves_what_is_asked:
            return docker_archive(*(self.images[self.resolve(name)] for name in names))
        return self.saved


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    block_on_close = False
    engine: FakeEngine

    def handle_error(self, request: object, client_address: object) -> None:
        """Stay quiet where a client went away: that is what is tested."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
        """Keep the test's output clean."""

    def do_GET(self) -> None:
        engine = self.server.engine
        url, path = self._asked()
        if path == "/version":
            self._answer(200, {"ApiVersion": "1.41", "MinAPIVersion": "1.12"})
        elif path == "/images/get":
            names = parse_qs(url)["names"]
            engine.asked += names
            self._save(engine, names)
        elif path == "/images/json":
            engine.listings += 1
            self._answer(200, [engine.listed(image_id) for image_id in engine.images])
        elif path.endswith("/history"):
            image_id = self._known(path.removesuffix("/history"))
            if image_id is not None:
                engine.histories.append(image_id)
                self._answer(200, engine.history(image_id))
        elif (image_id := self._known(path.removesuffix("/json"))) is not None:
            self._answer(200, engine.facts(image_id))

    def do_POST(self) -> None:
        engine = self.server.engine
        url, path = self._asked()
        query = {key: values[0] for key, values in parse_qs(url).items()}
        body = b"".join(self._body())
        if path == "/build":
            engine.built.append((query, body))
            if self._refused(engine):
                return
            self._stream(json.dumps(message).encode() + b"\r\n" for message in engine.build_log)
        elif (image_id := self._known(path.removesuffix("/tag"))) is not None:
            engine.tags[f"{query['repo']}:{query['tag']}"] = image_id
            self._answer(201, {})

    def do_DELETE(self) -> None:
        _, path = self._asked()
        if self._known(path) is not None:
            self.server.engine.remove(path.removeprefix("/images/"))
            self._answer(200, [])

    def _asked(self) -> tuple[str, str]:
        """Return the query and the path without the API's version."""
        url = urlsplit(self.path)
        return url.query, unquote(re.sub(r"^/v[0-9.]+", "", url.path))

    def _known(self, path: str) -> str | None:
        """Return the id of the image that is asked for; answer where there is none."""
        engine = self.server.engine
        name = path.removeprefix("/images/")
        image_id = engine.resolve(name)
        if image_id in engine.images:
            return image_id
        self._answer(404, {"message": f"No such image: {name}"})
        return None

    def _body(self) -> Iterator[bytes]:
        if self.headers.get("Transfer-Encoding") == "chunked":
            while size := int(self.rfile.readline(), 16):
                yield self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            yield self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def _answer(self, status: int, body: object) -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def _refused(self, engine: FakeEngine) -> bool:
        if engine.silent is not None:
            engine.silent.wait(_PATIENCE)
        if engine.refusal is not None:
            status, message = engine.refusal
            self._answer(status, {"message": message})
        return engine.refusal is not None

    def _save(self, engine: FakeEngine, names: list[str]) -> None:
        if self._refused(engine):
            return
        pieces = _held(engine, _pieces(engine.save(names)[: engine.cut_after]))
        if engine.cut_after is not None and not engine.ends_with:
            self._stream(pieces, end=False)
            self.close_connection = True
        else:
            self._stream(piece for piece in chain(pieces, (engine.ends_with,)) if piece)

    def _stream(self, pieces: Iterable[bytes], *, end: bool = True) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for piece in pieces:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        if end:
            self.wfile.write(b"0\r\n\r\n")


def _pieces(data: bytes) -> Iterator[bytes]:
    for start in range(0, len(data), PIECE):
        yield data[start : start + PIECE]


def _held(engine: FakeEngine, pieces: Iterator[bytes]) -> Iterator[bytes]:
    sent = 0
    for piece in pieces:
        if engine.hold is not None and engine.went_on is None and sent >= engine.hold[0]:
            engine.went_on = engine.hold[1].wait(_PATIENCE)
        sent += len(piece)
        yield piece


@contextmanager
def serving(engine: FakeEngine, socket: Path) -> Iterator[None]:
    """Answer for ``engine`` on ``socket`` while the block runs."""
    with _Server(str(socket), _Handler) as server:
        server.engine = engine
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()
