"""Clients that send numbered events, remember which were acknowledged, and send again what was not."""

import asyncio
import hashlib
import hmac
import itertools
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from saastracker_sqlite.store import SqliteStore

CONNECTIONS = 9
BATCH = 10
PATIENCE = 20.0  # seconds for an answer
PERSON = "ab" * 32
SESSION = "0190c8a2-7d1e-7c3a-9f00-3b6a1c2d4e5f"

Keys = Mapping[str, Mapping[str, str]]  # by auth scheme, as `project add --json` prints them


class Request(NamedTuple):
    markers: list[str]  # one for each event
    repeatable: bool  # sent twice, it is stored once
    text: bytes


class Load:
    """Sends to one server at a time, on a thread of its own."""

    def __init__(self, keys: Keys, prefix: str = "") -> None:
        self.acknowledged: set[str] = set()
        self.statuses: Counter[int] = Counter()
        self._keys = keys
        self._prefix = prefix
        self._numbers = itertools.count()
        self._again: list[Request] = []  # not acknowledged, and safe to send again
        self._ending = threading.Event()

    @contextmanager
    def running(self, url: str) -> Iterator[None]:
        """Send to the server at `url`, as fast as it answers, until it goes away or the block ends."""
        self._ending.clear()
        with ThreadPoolExecutor(1) as executor:
            sending = executor.submit(asyncio.run, self._send(url))
            try:
                yield
            finally:
                self._ending.set()
            sending.result()

    def finish(self, url: str) -> None:
        """Send again what was not acknowledged, until all of it is."""
        deadline = time.monotonic() + PATIENCE
        while self._again:
            assert time.monotonic() < deadline, "the server does not take them"
            with self.running(url):
                time.sleep(0.1)

    async def _send(self, url: str) -> None:
        makers = itertools.cycle((self._signed, self._with_ids, self._batch))
        await asyncio.gather(*(self._client(url, make) for make in itertools.islice(makers, CONNECTIONS)))

    async def _client(self, url: str, make: Any) -> None:
        try:
            reader, writer = await asyncio.open_connection(urlsplit(url).hostname, urlsplit(url).port)
        except OSError:  # it is gone already
            return
        try:
            while not self._ending.is_set():
                request = self._again.pop() if self._again else make()
                try:
                    status = await asyncio.wait_for(post(reader, writer, request.text), PATIENCE)
                except (ConnectionError, asyncio.IncompleteReadError):
                    if request.repeatable:
                        self._again.append(request)
                    return
                await self._answered(request, status)
        finally:
            writer.close()

    async def _answered(self, request: Request, status: int) -> None:
        self.statuses[status] += 1
        if 200 <= status < 300:
            self.acknowledged.update(request.markers)
            return
        assert status == 503, status
        self._again.append(request)  # all kinds: nothing of it was stored
        await asyncio.sleep(0.02)

    def _marker(self) -> str:
        return f"{self._prefix}{next(self._numbers)}"

    def _signed(self) -> Request:
        marker = self._marker()
        body = encode({"event": "x", "user_hash": PERSON, "customer_org_id": marker, "properties": {"marker": marker}})
        keys = self._keys["hmac"]
        signature = hmac.digest(keys["api_secret"].encode(), body, hashlib.sha256).hex()
        headers = {"x-app-uuid": keys["app_uuid"], "x-signature": signature, "idempotency-key": marker}
        return Request([marker], True, request("/v1/events", body, headers))

    def _with_ids(self) -> Request:
        marker = self._marker()
        keys = self._keys["query-token"]
        body = encode({"event_type": "x", "event_id": marker, "user": {"id": "u"}, "marker": marker})
        path = f"/api/v1/s2s/event?token={keys['api_key']}.{keys['server_token']}"
        return Request([marker], True, request(path, body))

    def _batch(self) -> Request:
        markers = [self._marker() for _ in range(BATCH)]
        return Request(markers, False, game_request(self._keys, markers))


def game_request(keys: Keys, markers: list[str], padding: str = "") -> bytes:
    """A batch without anything that tells a repeat."""
    events = [
        {
            "build_version": "1",
            "session_id": SESSION,
            "player_hash": PERSON,
            "ts": "2026-05-06T12:34:56Z",
            "type": "design",
            "name": "x",
            "data": {"marker": marker, "padding": padding},
        }
        for marker in markers
    ]
    headers = {"authorization": f"Bearer {keys['bearer']['key']}"}
    return request("/api/v1/events", encode({"events": events}), headers)


def encode(value: Any) -> bytes:
    return json.dumps(value).encode()


def request(path: str, body: bytes, headers: Mapping[str, str] | None = None) -> bytes:
    """The text of a POST."""
    lines = [f"POST {path} HTTP/1.1", "host: localhost", f"content-length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


async def post(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, text: bytes) -> int:
    """The status of the answer, which is read to its end."""
    writer.write(text)
    await writer.drain()
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    await reader.readexactly(int(head.partition(b"content-length: ")[2].split(b"\r\n")[0]))
    return int(head.split()[1])


def stored(data: Path) -> Counter[str]:
    """How often each marker is in the store."""
    with closing(SqliteStore(data / "saastracker.db")) as store:
        events = store.read_after(0, 10_000_000)
    return Counter(json.loads(event.properties or "")["marker"] for _, event in events)
