"""A small HTTP server that answers as told, and keeps what it was sent."""

import json
import socket
import ssl
import struct
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

WAIT_SECONDS = 10


@dataclass(frozen=True)
class Turn:
    """How one request is answered."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = '{"status":"ok"}'
    delay: float = 0.0  # seconds before the answer
    gate: threading.Event | None = None  # the answer waits for it
    reset: bool = False  # the connection breaks in place of an answer
    hang_up: bool = False  # it is closed behind the answer, without a word


@dataclass(frozen=True)
class Asked:
    """One request."""

    at: float  # monotonic seconds
    path: str
    headers: Mapping[str, str]  # names in lower case
    body: bytes
    connection: int  # the client's port

    @property
    def key(self) -> str:
        return self.headers["idempotency-key"]

    @property
    def names(self) -> list[str]:
        """The events of a body of the format usermaven."""
        return [event["event_type"] for event in json.loads(self.body)]


class Script:
    """Takes turns in their order; behind the last, all is well."""

    def __init__(self, *turns: Turn) -> None:
        self._turns = list(turns)
        self.asked: list[Asked] = []
        self.url = ""
        self._changed = threading.Condition()

    def then(self, *turns: Turn) -> None:
        """Take these as well."""
        self._turns += turns

    def turn(self, asked: Asked) -> Turn:
        with self._changed:
            self.asked.append(asked)
            self._changed.notify_all()
            return self._turns.pop(0) if self._turns else Turn()

    def wait(self, requests: int) -> list[Asked]:
        """Waits for that many."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.asked) >= requests, WAIT_SECONDS), self.asked
            return list(self.asked)

    @property
    def names(self) -> list[str]:
        return [name for asked in self.asked for name in asked.names]


@contextmanager
def answering(*turns: Turn, certificate: tuple[Path, Path] | None = None) -> Iterator[Script]:
    """With a certificate and its key by https."""
    script = Script(*turns)

    class Handler(_Handler):
        told = script

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        script.url = f"{'https' if certificate else 'http'}://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield script
        finally:
            server.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    told: ClassVar[Script]

    def do_OPTIONS(self) -> None:
        self.send_response(204)
        self._allow()
        self.end_headers()

    def _allow(self) -> None:
        """What pages of other origins need."""
        if "Origin" in self.headers:
            self.send_header("Access-Control-Allow-Origin", self.headers["Origin"])
            self.send_header("Access-Control-Allow-Headers", "authorization, content-type, idempotency-key")
            self.send_header("Access-Control-Expose-Headers", "Retry-After")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        turn = self.told.turn(Asked(time.monotonic(), self.path, headers, body, self.client_address[1]))
        time.sleep(turn.delay)
        if turn.gate:
            turn.gate.wait(WAIT_SECONDS)
        if turn.reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            self.connection.close()
            return
        answer = turn.body.encode()
        self.send_response(turn.status)
        for name, value in {**turn.headers, "Content-Length": str(len(answer))}.items():
            self.send_header(name, value)
        self._allow()
        self.end_headers()
        self.wfile.write(answer)
        self.close_connection = turn.hang_up

    def do_CONNECT(self) -> None:
        """As a proxy: bytes pass both ways until one side ends."""
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.told.turn(Asked(time.monotonic(), self.path, headers, b"", self.client_address[1]))
        host, _, port = self.path.partition(":")
        with socket.create_connection((host, int(port))) as there:
            self.send_response(200)
            self.end_headers()
            back = threading.Thread(target=_pass_on, args=(there, self.connection))
            back.start()
            _pass_on(self.connection, there)
            back.join()
        self.close_connection = True

    def log_message(self, *args: Any) -> None:
        pass


def _pass_on(here: socket.socket, there: socket.socket) -> None:
    with suppress(OSError):
        while data := here.recv(65536):
            there.sendall(data)
        there.shutdown(socket.SHUT_WR)
