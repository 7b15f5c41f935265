import asyncio
import contextlib
from collections.abc import AsyncIterator

import httpx
import msgspec
import pytest
import uvicorn

from saastracker.event import Event
from saastracker.live import QUEUE_MAX, SUBSCRIBERS_MAX

from .conftest import NOW, Running

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def http(running: Running) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a server that really streams; its address ends in a free port."""
    server = uvicorn.Server(uvicorn.Config(running.web, port=0, log_level="warning", lifespan="off"))
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110  # uvicorn tells in no other way
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    headers = {"authorization": f"Bearer {running.token()}"}
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=10) as client:
        yield client
    running.site.live.close()
    server.should_exit = True
    await serving


@contextlib.asynccontextmanager
async def following(http: httpx.AsyncClient, query: str = "") -> AsyncIterator[AsyncIterator[str]]:
    """The messages of a stream, once it has begun."""
    async with http.stream("GET", f"/p/shop/stream.events{query}") as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")

        async def messages() -> AsyncIterator[str]:
            lines: list[str] = []
            async for line in answer.aiter_lines():
                if line:
                    lines.append(line)
                elif lines:
                    yield "\n".join(lines)
                    lines = []

        stream = messages()
        assert (await anext(stream)).startswith(":")
        yield stream


def stored(sequence: int, **values: object) -> Event:
    return msgspec.convert({"name": "e", "sequence": sequence, "received_at": NOW, **values}, Event)


async def test_an_accepted_event_is_a_message_with_the_reports_columns(
    running: Running, http: httpx.AsyncClient
) -> None:
    async with following(http) as stream:
        running.site.live.publish(running.shop.id, [stored(7, org="acme", properties='{"a":"\\n"}')])
        message = await anext(stream)
    assert message.startswith("data: ")
    event = msgspec.json.decode(message.removeprefix("data: "))
    assert event["id"] == "7"
    assert event["time"] == event["received_at"] == "2026-11-21T03:00:00.000Z"
    assert (event["org"], event["properties"], event["user"]) == ("acme", {"a": "\n"}, None)


async def test_filters_hold_for_new_events_too(running: Running, http: httpx.AsyncClient) -> None:
    async with following(http, "?org=acme&environment=qa") as stream:
        running.site.live.publish(running.game.id, [stored(1, org="acme", environment="qa")])
        running.site.live.publish(
            running.shop.id,
            [stored(2, org="acme"), stored(3, environment="qa"), stored(4, org="acme", environment="qa")],
        )
        assert '"id":"4"' in await anext(stream)


async def test_a_slow_reader_is_told_how_many_it_missed(running: Running, http: httpx.AsyncClient) -> None:
    async with following(http) as stream:
        running.site.live.publish(running.shop.id, [stored(number) for number in range(1, QUEUE_MAX + 6)])
        assert await anext(stream) == 'event: skipped\ndata: {"skipped":5}'
        assert '"id":"6"' in await anext(stream)


async def test_a_reader_that_leaves_makes_room(running: Running, http: httpx.AsyncClient) -> None:
    live = running.site.live
    async with following(http):
        others = [live.subscribe(running.shop.id, lambda _event: True) for _ in range(SUBSCRIBERS_MAX - 1)]
        full = await http.get("/p/shop/stream.events")
        assert (full.status_code, full.headers["retry-after"]) == (503, "30")
    others.clear()
    while live.readers:  # noqa: ASYNC110  # the server notices a closed connection when it does
        await asyncio.sleep(0.01)


async def test_stopping_ends_the_stream(running: Running, http: httpx.AsyncClient) -> None:
    async with following(http) as stream:
        running.site.live.close()
        assert [message async for message in stream if not message.startswith(":")] == []
    assert (await http.get("/p/shop/stream.events")).status_code == 503


async def test_a_revoked_token_is_told_nothing_more(running: Running, http: httpx.AsyncClient) -> None:
    async with following(http) as stream:
        [token] = running.facts.snapshot.tokens
        running.facts.revoke_token(token)
        running.site.live.publish(running.shop.id, [stored(8)])
        assert [message async for message in stream] == []
