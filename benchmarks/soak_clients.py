"""Clients of the soak test: they send at a steady rate in four formats and remember what was acknowledged."""

import asyncio
import hashlib
import hmac
import itertools
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any, NamedTuple

import httpx
from mix import events, game_events

from tests.reliability.load import Keys, encode, post, request

CONNECTIONS = 16
BATCH = 40  # events of a game's request
SHARE = 0.2  # of the events come one by one, in three formats; the others in batches
PAGE = "https://app.example.com"


class Request(NamedTuple):
    first: int  # marker of its first event; they are consecutive
    events: int
    text: bytes


class Clients:
    """Makes requests, sends them at a steady rate, and remembers what was acknowledged."""

    def __init__(self, url: str, keys: Keys) -> None:
        self.acknowledged = bytearray()  # 1 at an event's marker
        self.statuses: Counter[int] = Counter()
        self.seconds: list[float] = []  # of each answer since the last look
        self.sent_late = 0.0  # seconds, at most
        self._host, self._port = httpx.URL(url).host, httpx.URL(url).port
        self._keys = keys
        start = int(time.time())
        self._bodies = itertools.chain.from_iterable(events(100_000, start, seed) for seed in itertools.count())
        self._elements = itertools.chain.from_iterable(game_events(100_000, start, seed) for seed in itertools.count())

    async def run(self, rate: float, seconds: float) -> None:
        queue: asyncio.Queue[tuple[float, Request]] = asyncio.Queue()
        async with asyncio.TaskGroup() as group:
            workers = [group.create_task(self._worker(queue)) for _ in range(CONNECTIONS)]
            begin = time.monotonic()
            for moment, request in self._timetable(rate):
                if moment > seconds:
                    break
                await asyncio.sleep(max(0.0, begin + moment - time.monotonic()))
                queue.put_nowait((begin + moment, request))
            await queue.join()
            for worker in workers:
                worker.cancel()

    def _timetable(self, rate: float) -> Iterator[tuple[float, Request]]:
        """Requests and the seconds at which they are due: all formats, evenly spread."""
        singles: Sequence[Callable[[], tuple[str, Any, dict[str, str]]]] = (
            self._product,
            self._page_view,
            self._identified,
        )
        single = itertools.cycle(singles)
        sent = due_singly = 0.0
        while True:
            if due_singly < SHARE * sent or sent == 0:
                yield sent / rate, self._request(1, *next(single)())
                due_singly += 1
                sent += 1
            else:
                yield sent / rate, self._request(BATCH, *self._batch())
                sent += BATCH

    def _request(self, count: int, path: str, body: bytes, headers: Mapping[str, str]) -> Request:
        first = len(self.acknowledged)
        self.acknowledged += bytes(count)
        return Request(first, count, request(path, body, headers))

    def _product(self) -> tuple[str, bytes, dict[str, str]]:
        sent = next(self._bodies)
        del sent["ts_epoch"]
        sent["properties"]["marker"] = len(self.acknowledged)
        keys, body = self._keys["hmac"], encode(sent)
        signature = hmac.digest(keys["api_secret"].encode(), body, hashlib.sha256).hex()
        return "/v1/events", body, {"x-app-uuid": keys["app_uuid"], "x-signature": signature}

    def _page_view(self) -> tuple[str, bytes, dict[str, str]]:
        sent = next(self._bodies)
        body = {
            "projectKey": self._keys["project-key"]["key"],
            "event_name": "page_view",
            "userId": sent["user_hash"],
            "sessionId": sent["session_id"],
            "url": PAGE + sent["path"],
            "event_data": {"marker": len(self.acknowledged)},
        }
        return "/api/tags/custom", encode(body), {}

    def _identified(self) -> tuple[str, bytes, dict[str, str]]:
        sent, keys = next(self._bodies), self._keys["query-token"]
        body = {
            "event_type": sent["event"],
            "event_id": f"soak-{len(self.acknowledged)}",
            "user": {"id": sent["user_hash"]},
            "company": {"id": sent["customer_org_id"]},
            "marker": len(self.acknowledged),
        }
        return f"/api/v1/s2s/event?token={keys['api_key']}.{keys['server_token']}", encode(body), {}

    def _batch(self) -> tuple[str, bytes, dict[str, str]]:
        batch = list(itertools.islice(self._elements, BATCH))
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        for marker, element in enumerate(batch, len(self.acknowledged)):
            element["ts"] = now
            element["data"]["marker"] = marker
        headers = {"authorization": f"Bearer {self._keys['bearer']['key']}"}
        return "/api/v1/events", encode({"events": batch}), headers

    async def _worker(self, queue: "asyncio.Queue[tuple[float, Request]]") -> None:
        reader, writer = await asyncio.open_connection(self._host, self._port)
        with closing(writer):
            while True:
                due, sent = await queue.get()
                begin = time.monotonic()
                self.sent_late = max(self.sent_late, begin - due)
                status = await post(reader, writer, sent.text)
                self.seconds.append(time.monotonic() - begin)
                self.statuses[status] += 1
                if 200 <= status < 300:
                    self.acknowledged[sent.first : sent.first + sent.events] = b"\1" * sent.events
                queue.task_done()
