"""Reading bodies: limits while reading and while unpacking."""

import asyncio
import gzip
import zlib
from typing import Any

import pytest

from saastracker import bodies
from saastracker.errors import Invalid, Refusal, RequestTimeout, TooLarge, Unavailable, UnsupportedEncoding

TEXT = b'{"event": "x"}' * 100


def receiver(*chunks: bytes, ends: bool = True) -> Any:
    """An ASGI receive that hands out `chunks`, then hangs, or ends the body with the last one."""
    messages = [{"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks]
    if ends:
        messages[-1]["more_body"] = False

    async def receive() -> dict[str, Any]:
        if messages:
            return messages.pop(0)
        await asyncio.Event().wait()
        raise AssertionError

    return receive


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


def read(receive: Any, headers: bodies.Headers | None = None) -> bytes:
    """A body of at most three bytes."""
    return asyncio.run(bodies.Bodies(3, 3).read(receive, headers or {}))


def unpack(raw: bytes, coding: bytes, limit: int) -> bytes | Refusal:
    return asyncio.run(bodies.Bodies(limit, limit).unpack(raw, coding))


def test_a_body_in_pieces() -> None:
    assert read(receiver(b"ab", b"", b"c")) == b"abc"


@pytest.mark.parametrize("chunks", [(b"abcd",), (b"ab", b"cd")])
def test_a_body_over_the_limit(chunks: tuple[bytes, ...]) -> None:
    with pytest.raises(TooLarge):
        read(receiver(*chunks))


def test_a_length_over_the_limit_is_refused_before_reading() -> None:
    with pytest.raises(TooLarge):
        read(receiver(b"", ends=False), {b"content-length": b"4"})


def test_a_body_that_stops_arriving(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "READ_SECONDS", 0.01)
    with pytest.raises(RequestTimeout):
        read(receiver(b"ab", ends=False))


def test_unfinished_bodies_of_all_connections_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "UNFINISHED_MAX", 5)

    async def reading() -> None:
        reader = bodies.Bodies(4, 4)
        first = asyncio.create_task(reader.read(receiver(b"abc", ends=False), {}))
        await asyncio.sleep(0)
        with pytest.raises(Unavailable):
            await reader.read(receiver(b"abc", b"d"), {})
        assert await reader.read(receiver(b"ab", b"cd"), {}) == b"abcd"
        assert await reader.read(receiver(b"abcd"), {}) == b"abcd"
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        assert await reader.read(receiver(b"abc", b"d"), {}) == b"abcd"

    asyncio.run(reading())


def test_a_client_that_goes_away() -> None:
    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    with pytest.raises(bodies.Disconnected):
        read(receive)


@pytest.mark.parametrize(
    ("coding", "packed"),
    [
        (b"gzip", gzip.compress(TEXT, mtime=0)),
        (b"gzip", gzip.compress(TEXT[:50], mtime=0) + gzip.compress(TEXT[50:], mtime=0)),
        (b"deflate", zlib.compress(TEXT)),
        (b"deflate", raw_deflate(TEXT)),
    ],
)
def test_codings(coding: bytes, packed: bytes) -> None:
    assert unpack(packed, coding, len(TEXT)) == TEXT


@pytest.mark.parametrize(
    "packed",
    [
        b"",
        b"no",
        gzip.compress(TEXT, mtime=0)[:-3],
        gzip.compress(TEXT, mtime=0)[:20],
        gzip.compress(b"", mtime=0) * 100_000,
    ],
)
def test_a_corrupt_body(packed: bytes) -> None:
    assert isinstance(unpack(packed, b"gzip", 1 << 20), Invalid)


def test_a_bomb_stops_at_the_limit() -> None:
    bomb = gzip.compress(bytes(50_000_000))
    with pytest.raises(TooLarge):
        unpack(bomb, b"gzip", 1 << 20)


@pytest.mark.parametrize("name", [b"br", b"gzip, gzip", b"zstd"])
def test_unknown_codings(name: bytes) -> None:
    with pytest.raises(UnsupportedEncoding):
        bodies.coding({b"content-encoding": name})


def test_identity_is_no_coding() -> None:
    assert bodies.coding({}) == bodies.coding({b"content-encoding": b"Identity"}) == b"identity"
