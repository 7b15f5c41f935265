"""Reading bodies: limits while reading and while unpacking."""

import asyncio
import gzip
import zlib
from typing import Any

import pytest

from saastracker import bodies
from saastracker.errors import Invalid, RequestTimeout, TooLarge, UnsupportedEncoding

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


def test_a_body_in_pieces() -> None:
    assert asyncio.run(bodies.read(receiver(b"ab", b"", b"c"), {}, 3)) == b"abc"


@pytest.mark.parametrize("chunks", [(b"abcd",), (b"ab", b"cd")])
def test_a_body_over_the_limit(chunks: tuple[bytes, ...]) -> None:
    with pytest.raises(TooLarge):
        asyncio.run(bodies.read(receiver(*chunks), {}, 3))


def test_a_length_over_the_limit_is_refused_before_reading() -> None:
    with pytest.raises(TooLarge):
        asyncio.run(bodies.read(receiver(b"", ends=False), {b"content-length": b"4"}, 3))


def test_a_body_that_stops_arriving(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "READ_SECONDS", 0.01)
    with pytest.raises(RequestTimeout):
        asyncio.run(bodies.read(receiver(b"ab", ends=False), {}, 3))


def test_a_client_that_goes_away() -> None:
    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    with pytest.raises(bodies.Disconnected):
        asyncio.run(bodies.read(receive, {}, 3))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("coding", "packed"),
    [
        (b"gzip", gzip.compress(TEXT)),
        (b"gzip", gzip.compress(TEXT[:50]) + gzip.compress(TEXT[50:])),
        (b"deflate", zlib.compress(TEXT)),
        (b"deflate", raw_deflate(TEXT)),
    ],
)
def test_codings(coding: bytes, packed: bytes) -> None:
    assert asyncio.run(bodies.unpack(packed, coding, len(TEXT))) == TEXT


@pytest.mark.parametrize(
    "packed", [b"", b"no", gzip.compress(TEXT)[:-3], gzip.compress(TEXT)[:20], gzip.compress(b"") * 100_000]
)
def test_a_corrupt_body(packed: bytes) -> None:
    assert isinstance(asyncio.run(bodies.unpack(packed, b"gzip", 1 << 20)), Invalid)


def test_a_bomb_stops_at_the_limit() -> None:
    bomb = gzip.compress(bytes(50_000_000))
    with pytest.raises(TooLarge):
        asyncio.run(bodies.unpack(bomb, b"gzip", 1 << 20))


@pytest.mark.parametrize("name", [b"br", b"gzip, gzip", b"zstd"])
def test_unknown_codings(name: bytes) -> None:
    with pytest.raises(UnsupportedEncoding):
        bodies.coding({b"content-encoding": name})


def test_identity_is_no_coding() -> None:
    assert bodies.coding({}) == bodies.coding({b"content-encoding": b"Identity"}) == b"identity"
