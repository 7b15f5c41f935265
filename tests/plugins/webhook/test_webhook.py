"""Webhooks as a real server receives them, what becomes of its answers, and which addresses are never called."""

import hashlib
import hmac
import ipaddress
import json
import re
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import msgspec
import pytest

from saastracker.channel import Item, Message
from saastracker.errors import Invalid, Refusal, Unavailable
from saastracker_webhook import Settings, Webhook, calling, sign, targets
from tests.certificates import certificate_of

ROOT = Path(__file__).parents[3]
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


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with serving() as server:
        yield server


def to(server: Receiver, path: str = "/hook", scheme: str = "http") -> Message:
    return msgspec.structs.replace(MESSAGE, to=f"{scheme}://127.0.0.1:{server.server_port}{path}")


LOCAL = Webhook(Settings(allow_http=True, allow_private=True))
STRICT = Webhook(Settings())


def test_a_message_as_it_arrives(receiver: Receiver) -> None:
    before = int(time.time())
    LOCAL.send(to(receiver, "/hook?of=shop"))
    [(path, headers, body)] = receiver.requests
    assert path == "/hook?of=shop"
    assert headers["Host"] == f"127.0.0.1:{receiver.server_port}"
    assert headers["content-type"] == "application/json"
    assert headers["saastracker-id"] == MESSAGE.id
    assert json.loads(body) == {
        "id": MESSAGE.id,
        "at": "2026-11-21T03:00:00.000Z",
        "topic": "errors",
        "workspace": "Default",
        "subject": "Shop: Größe",
        "items": [
            {
                "at": "2026-11-21T03:00:00.000Z",
                "project": "Shop",
                "title": "Größe",
                "text": "Text",
                "link": "https://a.example/p/shop/errors/1",
            }
        ],
    }
    at = headers["saastracker-timestamp"]
    assert before <= int(at) <= int(time.time())
    made = hmac.new(b"whsec_of-a-test", f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    assert headers["saastracker-signature"] == f"v1={made}"


def test_the_readme_checks_a_message(receiver: Receiver) -> None:
    (code,) = re.findall(r"<!-- webhook -->\n```py\n(.+?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)
    is_ours = names["is_ours"]
    LOCAL.send(to(receiver))
    [(_, headers, body)] = receiver.requests
    headers = {name.title(): value for name, value in headers.items()}
    assert is_ours("whsec_of-a-test", headers, body)
    assert not is_ours("whsec_another", headers, body)
    assert not is_ours("whsec_of-a-test", headers, body + b" ")
    old = str(int(headers["Saastracker-Timestamp"]) - 301)
    made = f"v1={sign(b'whsec_of-a-test', old, body)}"
    assert not is_ours("whsec_of-a-test", headers | {"Saastracker-Timestamp": old, "Saastracker-Signature": made}, body)


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_taken(receiver: Receiver, status: int) -> None:
    receiver.status, receiver.answer = status, b""
    LOCAL.send(to(receiver))


@pytest.mark.parametrize("status", [408, 425, 429, 500, 503, 599])
def test_later(receiver: Receiver, status: int) -> None:
    receiver.status = status
    with pytest.raises(Unavailable, match=str(status)):
        LOCAL.send(to(receiver))


@pytest.mark.parametrize("status", [301, 302, 307, 308, 400, 401, 404, 410])
def test_never(receiver: Receiver, status: int) -> None:
    receiver.status, receiver.answer = status, b"what is inside stays inside"
    receiver.headers = {"location": f"http://127.0.0.1:{receiver.server_port}/other"}
    with pytest.raises(Refusal, match=str(status)) as refused:
        LOCAL.send(to(receiver))
    assert type(refused.value) is Refusal
    assert "inside" not in refused.value.detail
    assert [path for path, _, _ in receiver.requests] == ["/hook"], "no redirect is followed"


def test_an_endless_answer_is_cut_off(receiver: Receiver) -> None:
    receiver.answer = b"x" * 50_000_000
    LOCAL.send(to(receiver))


def test_an_answer_that_trickles_is_not_waited_for(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calling, "SECONDS", 0.3)
    receiver.slow = 0.05
    with pytest.raises(Unavailable, match="took longer"):
        LOCAL.send(to(receiver))


def test_a_server_that_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calling, "SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        for scheme in ("http", "https"):
            message = msgspec.structs.replace(MESSAGE, to=f"{scheme}://127.0.0.1:{silent.getsockname()[1]}/")
            with pytest.raises(Unavailable, match="cannot be reached"):
                LOCAL.send(message)


def test_nobody_there() -> None:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    with pytest.raises(Unavailable, match="cannot be reached"):
        LOCAL.send(msgspec.structs.replace(MESSAGE, to=f"http://127.0.0.1:{port}/"))


def test_what_is_no_http(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"220 mail.example ESMTP\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(Unavailable, match="HTTP"):
            LOCAL.send(msgspec.structs.replace(MESSAGE, to=f"http://127.0.0.1:{server.getsockname()[1]}/"))
        thread.join()


def test_over_https(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cert, private = certificate_of("127.0.0.1", tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(cert, private)
    secure = Webhook(Settings(allow_private=True))
    with serving(context) as server:
        with pytest.raises(Unavailable, match="certificate"):
            secure.send(to(server, scheme="https"))
        assert server.requests == [], "nothing is told to a server nobody vouches for"
        monkeypatch.setenv("SSL_CERT_FILE", str(cert))
        secure.send(to(server, scheme="https"))
        assert len(server.requests) == 1
        with pytest.raises(Unavailable, match="certificate"):
            secure.send(msgspec.structs.replace(MESSAGE, to=f"https://localhost:{server.server_port}/"))
        assert len(server.requests) == 1, "the name has to be the certificate's, not the address's"


# --- Addresses ---


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "example.com",
        "ftp://example.com/",
        "file:///etc/passwd",
        "http://example.com/",
        "https://",
        "https:///path",
        "https://user:secret@example.com/",
        "https://example.com/#part",
        "https://example.com:port/",
        "https://example.com:99999/",
        "https://[::1/",
        "https://example.com/a b",
        "https://example.com/\r\nX: y",
        "https://exämple.com/",
        "https://example.com\\@10.0.0.1/",
    ],
)
def test_what_is_no_address(wrong: str) -> None:
    with pytest.raises(Invalid, match="no address for a webhook") as refused:
        STRICT.check(wrong)
    assert refused.value.reason == "address"
    assert "secret" not in refused.value.detail


PRIVATE = [
    "127.0.0.1", "127.8.9.10", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
    "100.100.100.200", "192.0.0.192", "198.18.0.1", "192.0.2.1", "224.0.0.1", "239.1.2.3", "240.0.0.1",
    "255.255.255.255", "168.63.129.16", "::", "::1", "fe80::1", "fec0::1", "fc00::1", "fd00:ec2::254", "ff02::1",
    "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::7f00:1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:db8::1", "100::1",
]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_addresses_that_are_not_public(address: str) -> None:
    assert not targets.is_public(ipaddress.ip_address(address))
    host = f"[{address}]" if ":" in address else address
    with pytest.raises(Refusal, match="not on the public internet"):
        STRICT.check(f"https://{host}/hook")


@pytest.mark.parametrize("address", ["8.8.8.8", "93.184.216.34", "2606:4700::1111", "64:ff9b::808:808"])
def test_addresses_that_are(address: str) -> None:
    assert targets.is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("host", ["2130706433", "0x7f.1", "127.1", "localhost"])
def test_other_ways_of_writing_them(host: str) -> None:
    with pytest.raises(Refusal, match="not on the public internet"):
        STRICT.check(f"https://{host}/hook")


def test_a_host_that_moves_into_the_own_network_is_not_called(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of several addresses of a host all have to be public, at each sending; the one that was checked is called."""
    channel = Webhook(Settings(allow_http=True))
    answers = [["93.184.216.34"], ["93.184.216.34", "127.0.0.1"], ["127.0.0.1"]]

    def resolve(host: str, port: int, **_: Any) -> list[tuple[Any, ...]]:
        kind = (socket.AF_INET, socket.SOCK_STREAM, 6, "")
        return [(*kind, (ip, port)) for ip in answers.pop(0)]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    address = f"http://hook.example:{receiver.server_port}/"
    assert channel.check(address) == address
    for _ in range(2):
        with pytest.raises(Refusal, match="not on the public internet"):
            channel.send(msgspec.structs.replace(MESSAGE, to=address))
    assert receiver.requests == []


def test_the_name_is_looked_up_once_for_each_sending(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    real = socket.getaddrinfo

    def resolve(host: str, port: int, *more: Any, **named: Any) -> Any:
        asked.append(host)
        return real("127.0.0.1" if host == "hook.example" else host, port, *more, **named)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    LOCAL.send(msgspec.structs.replace(MESSAGE, to=f"http://hook.example:{receiver.server_port}/"))
    assert asked.count("hook.example") == 1
    [(_, headers, _)] = receiver.requests
    assert headers["Host"] == f"hook.example:{receiver.server_port}"


def test_a_host_that_is_not_found(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Invalid, match=r"hook\.invalid cannot be found"):
        STRICT.check("https://hook.invalid/")
    with pytest.raises(Unavailable, match="cannot be found"):
        STRICT.send(msgspec.structs.replace(MESSAGE, to="https://hook.invalid/"))
    with pytest.raises(Invalid, match="cannot be found"):
        STRICT.check(f"https://{'a' * 70}.example/")
