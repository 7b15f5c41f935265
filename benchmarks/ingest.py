"""Ingest throughput of the real server, as ratios to two references measured in the same run.

    python benchmarks/ingest.py [--seconds 5] [--rounds 3]

Needs wrk and taskset. The server is pinned to one core and driven from another. References: an
application that only reads and answers (`noop.py`), and raw `executemany` into the same schema at
1000 rows per transaction.
"""

import argparse
import hashlib
import hmac
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import mix
import psutil
from rich.console import Console
from rich.table import Table

from saastracker.config import load_config
from saastracker.contracts import Group, Submission
from saastracker.plugins import Plugins
from saastracker.testing import InMemoryDefinitions
from saastracker.testing.projects import InMemoryProjects
from saastracker.wire import Project, Reply, Request

HERE = Path(__file__).parent
BATCH = 100
PINNED = ("taskset", "-c", "1", "wrk", "-t1")  # the server has the other core


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def process(core: int, *command: str) -> Iterator[psutil.Process]:
    """A process on one core, stopped by SIGTERM at the end."""
    child = subprocess.Popen(["taskset", "-c", str(core), *command], stdout=subprocess.DEVNULL)
    try:
        yield psutil.Process(child.pid)
    finally:
        child.send_signal(signal.SIGTERM)
        child.wait(30)


def wait_for(url: str) -> float:
    """Seconds until `url` answers at all."""
    started = time.perf_counter()
    while True:
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except urllib.error.HTTPError:
            pass
        except OSError:
            if time.perf_counter() - started > 30:
                raise
            time.sleep(0.01)
            continue
        return time.perf_counter() - started


def wrk(server: psutil.Process, connections: int, seconds: int, url: str, *arguments: str) -> dict[str, Any]:
    """One run of wrk from the other core: requests, seconds, p50_ms, p99_ms, errors, cpu_us of the server."""
    before = server.cpu_times()
    output = subprocess.run(
        [*PINNED, f"-c{connections}", f"-d{seconds}s", "-s", str(HERE / "wrk.lua"), url, "--", *arguments],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    result: dict[str, Any] = json.loads(output.rpartition("RESULT ")[2])
    if result["errors"]:
        raise SystemExit(f"{result['errors']} requests failed: {output}")
    after = server.cpu_times()
    result["cpu_us"] = (after.user + after.system - before.user - before.system) * 1e6 / result["requests"]
    return result


def compact(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def write_requests(folder: Path, secret: str) -> tuple[Path, Path]:
    """Signed single events, and batches."""
    now = int(time.time())
    single = folder / "single"
    with single.open("wb") as file:
        for body in map(compact, mix.events(20_000, now - 400)):
            file.write(body + b"\t" + hmac.digest(secret.encode(), body, hashlib.sha256).hex().encode() + b"\n")
    batches = folder / "batches"
    elements = list(mix.game_events(200 * BATCH, now - 400))
    with batches.open("wb") as file:
        for start in range(0, len(elements), BATCH):
            file.write(compact({"events": elements[start : start + BATCH]}) + b"\t\n")
    return single, batches


def raw_rows_per_second(database: Path, folder: Path, seconds: float) -> float:
    """Ready rows by executemany into an empty copy of the server's schema, 1000 per transaction, synced."""
    copy = folder / "raw.db"
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as source:
        rows = source.execute("SELECT * FROM event_rows LIMIT 20000").fetchall()
        schema = [
            sql
            for (sql,) in source.execute("SELECT sql FROM sqlite_schema WHERE tbl_name = 'event_rows' AND sql NOT NULL")
        ]
    target = sqlite3.connect(copy, isolation_level=None)
    target.execute("PRAGMA journal_mode=WAL")
    target.execute("PRAGMA synchronous=FULL")
    for sql in schema:
        target.execute(sql)
    insert = f"INSERT INTO event_rows VALUES ({','.join('?' * len(rows[0]))})"
    sequence, done = 0, 0
    started = time.perf_counter()
    while (elapsed := time.perf_counter() - started) < seconds:
        first = done % 20_000
        batch = [(sequence + place + 1, *row[1:]) for place, row in enumerate(rows[first : first + 1000])]
        sequence += len(batch)
        target.execute("BEGIN IMMEDIATE")
        target.executemany(insert, batch)
        target.execute("COMMIT")
        done += len(batch)
    target.close()
    copy.unlink()
    return done / elapsed


def bytes_per_event(folder: Path) -> float:
    """What 200 000 distinct events of the mix take on disk, indexes and texts included."""
    plugins = Plugins(load_config(None, folder / "size"))
    records = plugins.open_records()
    store = plugins.open_store(records)
    store.claim()
    wire = plugins.registry(InMemoryProjects(), InMemoryDefinitions()).wire_formats["saastracker"]
    project = Project(id="11111111-2222-4333-8444-555555555555", slug="b", name="b", workspace="w")
    now = int(time.time())
    pending: list[Submission] = []
    count = 0
    for body in map(compact, mix.events(200_000, now - 4000)):
        request = Request("POST", "/v1/events", b"", {}, body, body, now * 1000)
        events = wire.decode(request, project).events
        for event in events:
            event.received_at = now * 1000
        pending.append(Submission(project, events, now * 1000, Reply(202, b"")))
        count += 1
        if len(pending) == 1000:
            store.append(Group(pending))
            pending = []
    store.append(Group())
    store.close()
    records.close()
    return sum(file.stat().st_size for file in (folder / "size").glob("saastracker.db*")) / count


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--seconds", type=int, default=5)
    arguments.add_argument("--rounds", type=int, default=3)
    given = arguments.parse_args()
    for program in ("wrk", "taskset"):
        if shutil.which(program) is None:
            raise SystemExit(f"{program} is missing: apt-get install wrk util-linux")
    console = Console()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        data = folder / "data"
        command = [sys.executable, "-m", "saastracker", "--data", str(data)]
        keys = json.loads(subprocess.check_output([*command, "project", "add", "bench", "--json"]))["keys"]
        single, batches = write_requests(folder, keys["hmac"]["api_secret"])
        signed = [str(single), "x-signature", f"x-app-uuid: {keys['hmac']['app_uuid']}"]
        bearer = [str(batches), "-", f"Authorization: Bearer {keys['bearer']['key']}"]
        idle, port = free_port(), free_port()
        noop_url, url = f"http://127.0.0.1:{idle}/v1/events", f"http://127.0.0.1:{port}"
        with process(0, sys.executable, str(HERE / "noop.py"), str(idle)) as noop:
            wait_for(noop_url)
            with process(0, *command, "serve", "--port", str(port)) as served:
                start = wait_for(f"{url}/healthz")
                time.sleep(1)
                memory = {"idle": served.memory_info()}
                table = Table(title="One signed event a request, synced before the answer")
                for column in (
                    "connections",
                    "requests/s",
                    "no-op/s",
                    "ratio",
                    "p50 ms",
                    "p99 ms",
                    "CPU µs",
                    "no-op CPU µs",
                ):
                    table.add_column(column, justify="right")
                for connections in (1, 16, 64, 256):
                    runs = []
                    for _ in range(given.rounds):
                        reference = wrk(noop, connections, given.seconds, noop_url, *signed)
                        runs.append((wrk(served, connections, given.seconds, f"{url}/v1/events", *signed), reference))
                    table.add_row(*row(connections, runs))
                console.print(table)
                memory["after single events"] = served.memory_info()
                rates = []
                for _ in range(given.rounds):
                    result = wrk(served, 16, given.seconds, f"{url}/api/v1/events", *bearer)
                    rate = result["requests"] * BATCH / result["seconds"]
                    raw = raw_rows_per_second(data / "saastracker.db", folder, given.seconds)
                    rates.append((rate / raw, rate, raw, result["p50_ms"], result["p99_ms"]))
                memory["after batches"] = served.memory_info()
        ratio, rate, raw, p50, p99 = sorted(rates)[len(rates) // 2]
        console.print(
            f"Batches of {BATCH}, 16 connections: {rate:,.0f} events/s, raw executemany {raw:,.0f} rows/s, "
            f"ratio {ratio:.2f}, p50 {p50:.1f} ms, p99 {p99:.1f} ms"
        )
        console.print(
            f"Start to first answer {start:.2f} s; resident memory (of it not shared with libraries and the database) "
            + ", ".join(
                f"{when} {of.rss / 1e6:.0f} MB ({(of.rss - of.shared) / 1e6:.0f})" for when, of in memory.items()
            )
        )
        console.print(f"On disk {bytes_per_event(folder):.0f} bytes an event")


def row(connections: int, runs: list[tuple[dict[str, Any], dict[str, Any]]]) -> list[str]:
    """The run with the median ratio."""

    def rate(result: dict[str, Any]) -> float:
        requests, seconds = result["requests"], result["seconds"]
        return float(requests / seconds)

    ours, reference = sorted(runs, key=lambda run: rate(run[0]) / rate(run[1]))[len(runs) // 2]
    figures = [f"{rate(ours):,.0f}", f"{rate(reference):,.0f}", f"{rate(ours) / rate(reference):.2f}"]
    latency = [f"{ours['p50_ms']:.2f}", f"{ours['p99_ms']:.2f}"]
    return [str(connections), *figures, *latency, f"{ours['cpu_us']:.1f}", f"{reference['cpu_us']:.1f}"]


if __name__ == "__main__":
    os.environ.pop("SAASTRACKER_CONFIG", None)
    main()
