"""A server of its own under steady load in four formats, its reports read meanwhile, for as long as one likes.

    python benchmarks/soak.py [--minutes 30] [--rate 500] [--before 0] [--folder DIR]

All events are of one day. With `--before` it has so many before the first minute, so that what is asked of the server
grows less while it is watched. Prints a line each minute and ends by itself. Then it compares what was acknowledged
with what is stored and with what the index has counted; the exit code is 1 if they differ.
"""

import argparse
import asyncio
import itertools
import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import psutil

sys.path.insert(0, str(Path(__file__).parent.parent))


from soak_clients import Clients

from saastracker_sqlite.store import SqliteStore
from tests.serving import Server, program

READERS = 2
SLOWEST = 6
READ_PAUSE = 1.0  # seconds between two reports of a reader
SETTLE_SECONDS = 120  # for the index to count the last events
BEFORE_RATE = 5000  # events a second, of those before
say = partial(print, flush=True)


class Reports:
    """How long reports took, and which did not answer 200."""

    def __init__(self) -> None:
        self.seconds: list[float] = []  # of each since the last look
        self.slowest: dict[str, float] = {}  # by slug
        self.failed: Counter[tuple[str, int]] = Counter()  # by slug and status

    async def read(self, server: Server, project: str, token: str) -> None:
        """Open one after the other until cancelled."""
        headers = {"Authorization": f"Bearer {token}"}
        async with httpx.AsyncClient(base_url=server.url, headers=headers, timeout=60) as client:
            home = await client.get(f"/p/{project}/home")
            for slug in itertools.cycle(sorted(set(re.findall(rf'href="/p/{project}/([a-z-]+)["?]', home.text)))):
                begin = time.monotonic()
                answer = await client.get(f"/p/{project}/{slug}")
                if answer.status_code != httpx.codes.NOT_FOUND:  # a link to something else than a report
                    seconds = time.monotonic() - begin
                    self.seconds.append(seconds)
                    self.slowest[slug] = max(self.slowest.get(slug, 0.0), seconds)
                    self.failed[slug, answer.status_code] += not answer.is_success
                await asyncio.sleep(READ_PAUSE)


class Watch:
    """Prints what the server says of itself and what the system says of it."""

    def __init__(self, server: Server, clients: Clients, reports: Reports) -> None:
        self._server, self._clients, self._reports = server, clients, reports
        self._process = psutil.Process(server.pid)
        self._acknowledged = clients.acknowledged.count(1)
        times = self._process.cpu_times()
        self._cpu = times.user + times.system
        self._at = time.monotonic()
        self._held: list[int] = []  # bytes, each second of a minute

    async def run(self) -> None:
        say("min  events/s  p50 ms  p99 ms  late ms  refused  report p50/p99 ms  own MB    CPU %  queue  lag s  WAL MB")
        for minute in itertools.count(1):
            for _ in range(60):
                await asyncio.sleep(1)
                memory = self._process.memory_info()  # of which pages of the mapped database are not the server's own
                self._held.append(memory.rss - memory.shared)
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
            f"{share(self._reports.seconds, 50):9.0f}/{share(self._reports.seconds, 99):<7.0f}  "
            f"{min(self._held) / 2**20:3.0f}-{max(self._held) / 2**20:<4.0f}  {(cpu - self._cpu) / taken * 100:5.0f}  "
            f"{queue:5.0f}  {behind:5.1f}  {wal / 2**20:6.1f}"
        )
        self._acknowledged, self._at, self._cpu = acknowledged, now, cpu
        self._held.clear()
        clients.seconds.clear()
        clients.sent_late = 0.0
        self._reports.seconds.clear()


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
    """The events before, then the minutes that are watched."""
    if given.before:
        await clients.run(BEFORE_RATE, given.before / BEFORE_RATE)
        before = clients.acknowledged.count(1)
        index = await asyncio.to_thread(counted, server, project, token, before)
        say(f"before: {before:,} acknowledged, {index:,} in the index")
        clients.seconds.clear()
        clients.sent_late = 0.0
    reports = Reports()
    beside = [reports.read(server, project, token) for _ in range(READERS)]
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(work) for work in (*beside, Watch(server, clients, reports).run())]
        await clients.run(given.rate, given.minutes * 60 + 1)
        for task in tasks:
            task.cancel()
    slowest = sorted(reports.slowest.items(), key=lambda each: -each[1])[:SLOWEST]
    say(f"slowest reports: {', '.join(f'{slug} {seconds:.1f} s' for slug, seconds in slowest)}")
    say(f"reports that failed: {dict(+reports.failed) or 'none'}")


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
    warnings = [
        line for line in server.output.splitlines() if re.search(r" (WARNING|ERROR) (?!saastracker.slow)", line)
    ]
    say(f"answers: {dict(clients.statuses)}; warnings and errors in the log: {len(warnings)}; exit code {code}")
    say("\n".join(warnings[:20]))
    say(f"acknowledged {acknowledged:,}, stored {found.total():,}, in the index {index:,}, lost {lost}, twice {twice}")
    return lost == twice == code == 0 and acknowledged <= found.total() == index


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--rate", type=float, default=500, help="events a second")
    parser.add_argument("--before", type=int, default=0, help="events of the day before the first minute")
    parser.add_argument("--folder", type=Path, help="where the data is kept; a temporary one otherwise")
    options = parser.parse_args()
    if options.folder:
        options.folder.mkdir(parents=True)
        sys.exit(not main(options, options.folder))
    with tempfile.TemporaryDirectory() as temporary:
        sys.exit(not main(options, Path(temporary)))
