"""An address that stays while the server behind it dies and comes back, and a network that loses answers."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TypeAlias
from urllib.parse import urlsplit

Address: TypeAlias = tuple[str, int]


def address(url: str) -> Address:
    place = urlsplit(url)
    assert place.hostname
    assert place.port
    return place.hostname, place.port


class Relay:
    """Passes connections on to `to`; with none, it closes them."""

    def __init__(self, to: Address | None) -> None:
        self.to = to
        self.loses_answers = False
        self.lost = threading.Event()  # set once an answer was
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, suppress(OSError):
            if self.to is None:
                return
            with socket.create_connection(self.to) as server:
                threading.Thread(target=_pass, args=(client, server), daemon=True).start()
                while data := server.recv(65536):
                    if self.loses_answers:
                        self.lost.set()
                        return
                    client.sendall(data)


def _pass(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)


@contextmanager
def relaying(to: Address | None) -> Iterator[Relay]:
    relay = Relay(to)
    try:
        yield relay
    finally:
        relay.close()
