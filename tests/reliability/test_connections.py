"""Connections that do nothing, or too slowly, hold up neither events nor the stop of the server."""

import resource
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest

from tests.reliability.conftest import Start
from tests.reliability.launch import launching
from tests.reliability.load import Keys, Load
from tests.serving import Server

IDLE = 1000
SOON = 20.0  # seconds
FEW_FILES = ["sh", "-c", f'ulimit -Sn {IDLE // 2} && exec "$0" "$@"']  # as systems give to who does not ask for more


@pytest.fixture
def files() -> Iterator[None]:
    """Enough of them for the tests' own ends of the connections."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4 * IDLE, hard), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def connect(server: Server) -> socket.socket:
    parts = urlsplit(server.url)
    connection = socket.create_connection((parts.hostname, parts.port))
    connection.settimeout(SOON)
    return connection


def test_events_get_in_beside_a_thousand_idle_connections(files: None, start: Start, keys: Keys) -> None:
    server = start(saastracker=[*FEW_FILES, *launching("impatient")])
    load = Load(keys)
    with ExitStack() as opened:
        idle = [opened.enter_context(connect(server)) for _ in range(IDLE)]
        with load.running(server.url):
            ended = [connection.recv(1) for connection in idle]
    assert ended == [b""] * IDLE
    assert load.acknowledged
    assert load.statuses.keys() == {200, 202}


@pytest.mark.parametrize("path", ["/v1/events", "/api/v1/s2s/event", "/login"])
def test_half_a_body_is_not_waited_for(path: str, half_bodies: Server) -> None:
    with connect(half_bodies) as connection:
        connection.sendall(f"POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 10\r\n\r\nhalf".encode())
        assert connection.recv(4096).startswith(b"HTTP/1.1 408 ")


def test_a_body_that_does_not_begin_is_not_waited_for(half_bodies: Server) -> None:
    with connect(half_bodies) as connection:
        connection.sendall(b"POST /v1/events HTTP/1.1\r\nhost: localhost\r\ncontent-length: 10\r\n\r\n")
        assert connection.recv(4096) == b""


@pytest.fixture(scope="module")
def half_bodies(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("half"), saastracker=launching("impatient"))
    yield server
    server.kill()
