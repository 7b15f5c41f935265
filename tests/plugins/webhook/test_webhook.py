"""Webhooks as a real server receives them, and what becomes of its answers."""

import hashlib
import hmac
import json
import re
import socket
import ssl
import threading
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from saastracker.errors import Refusal, Unavailable
from saastracker_webhook import Settings, Webhook, calling, sign
from tests.certificates import certificate_of
from tests.plugins.webhook.receiving import MESSAGE, Receiver, serving, to

ROOT = Path(__file__).parents[3]
LOCAL = Webhook(Settings(allow_http=True, allow_private=True))


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


def test_the_documentation_checks_a_message(receiver: Receiver) -> None:
    text = (ROOT / "docs" / "sharing.md").read_text()
    (code,) = re.findall(r"<!-- webhook -->\n```python\n(.+?)```", text, re.DOTALL)
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


def test_the_documentation_shows_a_message_as_it_is(receiver: Receiver) -> None:
    text = (ROOT / "docs" / "sharing.md").read_text()
    [shown] = [json.loads(each) for each in re.findall(r"```json\n(.+?)```", text, re.DOTALL)]
    LOCAL.send(to(receiver))
    [(_, _, body)] = receiver.requests
    sent = json.loads(body)
    assert list(shown) == list(sent)
    assert list(shown["items"][0]) == list(sent["items"][0])


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
