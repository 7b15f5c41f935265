"""Which addresses of webhooks are taken, and which are never called."""

import ipaddress
import socket
from typing import Any

import msgspec
import pytest

from saastracker.errors import Invalid, Refusal, Unavailable
from saastracker_webhook import Settings, Webhook, targets
from tests.plugins.webhook.receiving import MESSAGE, Receiver

LOCAL = Webhook(Settings(allow_http=True, allow_private=True))
STRICT = Webhook(Settings())


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
