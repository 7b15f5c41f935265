"""A server of its own under steady load in four formats, its reports read meanwhile, for as long as one likes.

    python benchmarks/soak.py [--minutes 30] [--rate 500] [--folder DIR]

Prints a line each minute and ends by itself. Then it compares what was acknowledged with what is stored and with what
the index has counted; the exit code is 1 if they differ.
"""

import argparse
import asyncio
import hashlib
import hmac
import itertools
import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import psutil

sys.path.insert(0, str(Path(__file__).parent.parent))

from mix import events, game_events

from saastracker_sqlite.store import SqliteStore
from tests.reliability.load import Keys, encode, post, request
from tests.serving import Server, program

CONNECTIONS = 16
BATCH = 40  # events of a game's request
SHARE = 0.2  # of the events come one by one, in three formats; the others in batches
READERS = 2
READ_PAUSE = 1.0  # seconds between two reports of a reader
SETTLE_SECONDS = 120  # for the index to count the last events
PAGE = "https://app.example.com"
say = partial(print, flush=True)


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


async def read_reports(server: Server, project: str, token: str, seconds: list[float]) -> None:
    """Open one report after the other until cancelled; `seconds` gets how long each took."""
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=server.url, headers=headers, timeout=60) as client:
        home = await client.get(f"/p/{project}/home")
        slugs = sorted(set(re.findall(rf'href="/p/{project}/([a-z-]+)["?]', home.text)))
        for slug in itertools.cycle(slugs):
            begin = time.monotonic()
            answer = await client.get(f"/p/{project}/{slug}")
            if answer.status_code != httpx.codes.NOT_FOUND:  # a link to something else than a report
                answer.raise_for_status()
                seconds.append(time.monotonic() - begin)
            await asyncio.sleep(READ_PAUSE)


class Watch:
    """Prints what the server says of itself and what the system says of it."""

    def __init__(self, server: Server, clients: Clients, reports: list[float]) -> None:
        self._server, self._clients, self._reports = server, clients, reports
        self._process = psutil.Process(server.pid)
        self._acknowledged = 0
        self._cpu = 0.0
        self._at = time.monotonic()

    async def run(self) -> None:
        say("min  events/s  p50 ms  p99 ms  late ms  refused  report p50/p99 ms  RSS MB  CPU %  queue  lag s  WAL MB")
        for minute in itertools.count(1):
            await asyncio.sleep(60)
            await self._line(minute)

    async def _line(self, minute: int) -> None:
        clients = self._clients
        async with httpx.AsyncClient() as client:
            told = gauges((await client.get(f"{self._server.url}/metrics")).text)
        acknowledged, now, times = clients.acknowledged.count(1), time.monotonic(), self._process.cpu_times()
        taken, cpu = now - self._at, times.user + times.system
        queue, behind = told["saastracker_queue_events"], told["saastracker_index_seconds_behind"]
        wal = (self._server.data / "saastracker.db-wal").stat().st_size
        say(
            f"{minute:3}  {(acknowledged - self._acknowledged) / taken:8.1f}  {share(clients.seconds, 50):6.1f}  "
            f"{share(clients.seconds, 99):6.1f}  {clients.sent_late * 1000:7.0f}  {refused(clients):7}  "
            f"{share(self._reports, 50):9.0f}/{share(self._reports, 99):<7.0f}  "
            f"{self._process.memory_info().rss / 2**20:6.0f}  {(cpu - self._cpu) / taken * 100:5.0f}  "
            f"{queue:5.0f}  {behind:5.1f}  {wal / 2**20:6.1f}"
        )
        self._acknowledged, self._at, self._cpu = acknowledged, now, cpu
        clients.seconds.clear()
        clients.sent_late = 0.0
        self._reports.clear()


def gauges(text: str) -> dict[str, float]:
    """Metrics without labels, by name."""
    return {name: float(value) for name, value in re.findall(r"^(\w+) (\S+)$", text, re.MULTILINE)}


def refused(clients: Clients) -> int:
    """Requests so far that were not taken."""
    return sum(count for status, count in clients.statuses.items() if status >= 300)


def share(seconds: Sequence[float], percent: int) -> float:
    """A percentile in milliseconds."""
    if len(seconds) < 2:
        return seconds[0] * 1000 if seconds else 0.0
    return statistics.quantiles(seconds, n=100, method="inclusive")[percent - 1] * 1000


def counted(server: Server, project: str, token: str, wanted: int) -> int:
    """Events in the index, once they are `wanted` or it took too long."""
    end = time.monotonic() + SETTLE_SECONDS
    headers = {"Authorization": f"Bearer {token}"}
    while True:
        answer = httpx.get(f"{server.url}/p/{project}/home.json", headers=headers, timeout=60)
        totals = next(block for block in answer.raise_for_status().json()["blocks"] if block["key"] == "totals")
        found = int(next(each["value"] for each in totals["figures"] if each["key"] == "events"))
        if found >= wanted or time.monotonic() > end:
            return found
        time.sleep(1)


def stored(data: Path) -> Counter[int]:
    """How often each marker is in the store."""
    found: Counter[int] = Counter()
    with closing(SqliteStore(data / "saastracker.db")) as store:
        last = 0
        while batch := store.read_after(last, 20_000):
            found.update(json.loads(event.properties or "")["marker"] for _, event in batch)
            last = batch[-1][1].sequence
    return found


async def soak(server: Server, project: str, clients: Clients, token: str, given: argparse.Namespace) -> None:
    reports: list[float] = []
    beside = [read_reports(server, project, token, reports) for _ in range(READERS)]
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(work) for work in (*beside, Watch(server, clients, reports).run())]
        await clients.run(given.rate, given.minutes * 60 + 1)
        for task in tasks:
            task.cancel()


def main(given: argparse.Namespace, folder: Path) -> bool:
    """Whether what was acknowledged is what is stored and counted."""

    def made(*command: str) -> Any:
        return json.loads(subprocess.check_output([*program(folder / "data"), *command, "--json"]))

    project = made("project", "add", "Soak")
    token = made("token", "add", "soak", "--project", project["slug"])["token"]
    server = Server(folder)
    clients = Clients(server.url, project["keys"])
    try:
        asyncio.run(soak(server, project["slug"], clients, token, given))
        acknowledged = clients.acknowledged.count(1)
        index = counted(server, project["slug"], token, acknowledged)
    finally:
        code = server.stop()
    found = stored(server.data)
    lost = sum(1 for marker, taken in enumerate(clients.acknowledged) if taken and not found[marker])
    twice = sum(1 for times in found.values() if times > 1)
    warnings = [line for line in server.output.splitlines() if " WARNING " in line or " ERROR " in line]
    say(f"answers: {dict(clients.statuses)}; warnings and errors in the log: {len(warnings)}; exit code {code}")
    say("\n".join(warnings[:20]))
    say(f"acknowledged {acknowledged:,}, stored {found.total():,}, in the index {index:,}, lost {lost}, twice {twice}")
    return lost == twice == code == 0 and acknowledged <= found.total() == index


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--rate", type=float, default=500, help="events a second")
    parser.add_argument("--folder", type=Path, help="where the data is kept; a temporary one otherwise")
    options = parser.parse_args()
    if options.folder:
        options.folder.mkdir(parents=True)
        sys.exit(not main(options, options.folder))
    with tempfile.TemporaryDirectory() as temporary:
        sys.exit(not main(options, Path(temporary)))
