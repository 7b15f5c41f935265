"""The HTTP protocol: what is closed in time, what is refused, and what must not be disturbed by that."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

import pytest
import uvicorn
from uvicorn.server import ServerState

from saastracker import server

HEAD_SECONDS = 0.2
SOON = 10.0  # seconds after which a test fails instead of hanging

Talk: TypeAlias = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Answers with the length of the body, at /early before it was read, at /slow after more than a head may take."""
    length = 0
    if scope["path"] != "/early":
        more = True
        while more:
            message = await receive()
            length += len(message.get("body", b""))
            more = message.get("more_body", False)
    if scope["path"] == "/slow":
        await asyncio.sleep(2 * HEAD_SECONDS)
    body = str(length).encode()
    await send(
        {
            "type": "http.response.start",
            "status": 200,
            "headers": [(b"content-length", str(len(body)).encode())],
        }
    )
    await send({"type": "http.response.body", "body": body})


@asynccontextmanager
async def connected() -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection to a server of the application."""
    config = uvicorn.Config(application, lifespan="off", log_config=None, ws="none")
    config.load()
    state = ServerState()
    loop = asyncio.get_running_loop()
    listening = await loop.create_server(lambda: server.Protocol(config, state, {}), "127.0.0.1", 0)
    async with listening, asyncio.timeout(SOON):
        reader, writer = await asyncio.open_connection(*listening.sockets[0].getsockname())
        try:
            yield reader, writer
        finally:
            writer.close()


async def answer(reader: asyncio.StreamReader) -> str:
    """The body of the next answer."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    assert head.startswith(b"http/1.1 200"), head
    length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
    return (await reader.readexactly(length)).decode()


def post(path: str, length: int) -> bytes:
    return f"POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\n\r\n".encode()


def run(talk: Talk) -> None:
    async def talked() -> None:
        async with connected() as (reader, writer):
            await talk(reader, writer)

    asyncio.run(talked())


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "HEAD_SECONDS", HEAD_SECONDS)


@pytest.mark.parametrize("sent", [b"", b"PO", b"POST / HTTP/1.1\r\nhost: x\r\n"])
def test_a_head_that_does_not_come_is_not_waited_for(sent: bytes) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(sent)
        assert await reader.read() == b""

    run(talk)


def test_a_byte_now_and_then_does_not_keep_a_connection() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(post("/", 0))
        assert await answer(reader) == "0"
        ended = asyncio.ensure_future(reader.read())
        writer.write(b"POST / HTTP/1.1\r\nx: ")
        while not ended.done():
            writer.write(b"x")
            await asyncio.sleep(HEAD_SECONDS / 10)
        assert await ended == b""

    run(talk)


def test_a_head_is_bounded() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write((b"POST / HTTP/1.1\r\nx: ").ljust(server.HEAD_MAX + 1, b"x"))
        assert (await reader.read()).startswith(b"HTTP/1.1 400 ")

    run(talk)


def test_heads_are_bounded_one_by_one() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(3):
            head = b"GET / HTTP/1.1\r\nhost: x\r\nx: " + b"x" * (server.HEAD_MAX // 2)
            writer.write(head)
            await asyncio.sleep(0.01)
            writer.write(b"\r\n\r\n")
            assert await answer(reader) == "0"

    run(talk)


def test_pipelined_requests_are_answered_in_order() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"".join(post("/", length) + b"x" * length for length in range(20)))
        assert [await answer(reader) for _ in range(20)] == [str(length) for length in range(20)]

    run(talk)


def test_a_slow_body_and_a_slow_answer_are_waited_for() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(post("/slow", 2) + b"x")
        await asyncio.sleep(2 * HEAD_SECONDS)
        writer.write(b"x")
        assert await answer(reader) == "2"

    run(talk)


def test_an_answer_before_the_body_reaches_who_sends_it_all_first() -> None:
    length = 2 * 1024 * 1024

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(post("/early", length))
        for _ in range(length // 2**14):
            writer.write(bytes(2**14))
            await writer.drain()
            await asyncio.sleep(0)
        assert await answer(reader) == "0"
        writer.write(post("/", 1) + b"x")
        assert await answer(reader) == "1"

    run(talk)


def test_after_an_early_answer_a_head_is_bounded_too() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(post("/early", 1))
        assert await answer(reader) == "0"
        writer.write(b"x" + b"POST / HTTP/1.1\r\nx: ")
        assert await reader.read() == b""

    run(talk)


@pytest.mark.parametrize("upgrade", ["h2c", "websocket"])
def test_an_upgrade_that_is_not_offered_does_no_harm(upgrade: str) -> None:
    """curl --http2 asks for one with each request."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = f"POST / HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: {upgrade}\r\ncontent-length: 3\r\n\r\n"
        writer.write(head.encode() + b"abc")
        assert await answer(reader) == "3"
        writer.write(post("/", 1) + b"x")
        assert await answer(reader) == "1"

    run(talk)


def test_a_proxy_is_not_offered() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"CONNECT example.com:443 HTTP/1.1\r\nhost: example.com\r\n\r\n")
        assert (await reader.read()).startswith(b"HTTP/1.1 400 ")

    run(talk)
