"""A real web server that keeps the webhooks it receives."""

import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec

from saastracker.channel import Item, Message

NOW = 1_795_230_000_000  # 2026-11-21T03:00:00Z
ITEM = Item(at=NOW, project="Shop", title="Größe", text="Text", link="https://a.example/p/shop/errors/1")
MESSAGE = Message(
    id="0f" * 16,
    at=NOW,
    to="",
    secret=b"whsec_of-a-test",
    workspace="Default",
    topic="errors",
    subject="Shop: Größe",
    text="Größe\n",
    html="<p>Größe</p>",
    items=(ITEM,),
    unsubscribe="https://a.example/unsubscribe/x",
)


class Receiver(ThreadingHTTPServer):
    """Keeps what it receives, and answers as told."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int]) -> None:
        super().__init__(address, Handler)
        self.status = 200
        self.headers: dict[str, str] = {}
        self.answer = b"fine"
        self.slow: float | None = None  # seconds between two bytes of the answer
        self.requests: list[tuple[str, dict[str, str], bytes]] = []

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that break off are what is tested here."""


class Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.requests.append((self.path, dict(self.headers.items()), body))
        if self.server.slow is not None:
            self.wfile.write(b"HTTP/1.1 ")
            while True:
                self.wfile.write(b"2")
                self.wfile.flush()
                time.sleep(self.server.slow)
        self.send_response(self.server.status)
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(self.server.answer)))
        self.end_headers()
        self.wfile.write(self.server.answer)

    def log_message(self, *args: Any) -> None:
        pass


@contextmanager
def serving(tls: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    server = Receiver(("127.0.0.1", 0))
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def to(server: Receiver, path: str = "/hook", scheme: str = "http") -> Message:
    return msgspec.structs.replace(MESSAGE, to=f"{scheme}://127.0.0.1:{server.server_port}{path}")
