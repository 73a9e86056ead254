"""A Docker engine's HTTP interface on a socket, as far as saving an image needs it."""

from __future__ import annotations

import json
import socketserver
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs, unquote, urlsplit

from tests.builders import SampleImage, sha256

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

PIECE: Final = 4096


@dataclass
class FakeEngine:
    """What the engine has, and how it misbehaves."""

    images: dict[str, SampleImage] = field(default_factory=dict)
    saved: bytes = b""
    """The answer to a save."""
    cut_after: int | None = None
    """The connection drops after so many bytes of it."""
    ends_with: bytes = b""
    """Written after it, as an engine reports a failure in the middle."""
    silent: threading.Event | None = None
    """The answer to a save waits for this before its first byte."""
    asked: list[str] = field(default_factory=list)
    """Names that were to be saved."""
    refusal: tuple[int, str] | None = None
    """Status and message of the answer to a save."""


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
        url = urlsplit(self.path)
        path = unquote(url.path)
        if path.endswith("/version"):
            self._answer(200, {"ApiVersion": "1.41", "MinAPIVersion": "1.12"})
        elif path.endswith("/images/get"):
            engine.asked += parse_qs(url.query)["names"]
            self._save(engine)
        else:
            name = path.split("/images/")[1].removesuffix("/json")
            image = engine.images.get(name)
            if image is None:
                self._answer(404, {"message": f"No such image: {name}"})
            else:
                self._answer(200, _facts(image))

    def _answer(self, status: int, body: Mapping[str, object]) -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def _save(self, engine: FakeEngine) -> None:
        if engine.refusal is not None:
            status, message = engine.refusal
            self._answer(status, {"message": message})
            return
        if engine.silent is not None:
            engine.silent.wait(30)
        self.send_response(200)
        self.send_header("Content-Type", "application/x-tar")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for piece in _pieces(engine.saved[: engine.cut_after]):
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        if engine.cut_after is not None and not engine.ends_with:
            self.close_connection = True
            return
        if engine.ends_with:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(engine.ends_with), engine.ends_with))
        self.wfile.write(b"0\r\n\r\n")


def _pieces(data: bytes) -> Iterator[bytes]:
    for start in range(0, len(data), PIECE):
        yield data[start : start + PIECE]


def _facts(image: SampleImage) -> dict[str, object]:
    return {
        "Id": sha256(image.config),
        "RepoTags": list(image.tags),
        "RootFS": {"Type": "layers", "Layers": list(image.diff_ids)},
        "Os": "linux",
        "Architecture": "amd64",
        "Size": sum(map(len, image.layers)),
    }


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
