"""The explorer beside ingest: how long appends take while people ask about the raw events."""

import sqlite3
import statistics
import threading
import time
from contextlib import closing
from pathlib import Path

import questions
from reports_data import END, Made, append, events, make
from rich.table import Table

from saastracker.contracts import ReportPage, Store
from saastracker.scope import Scope
from saastracker.testing import PROJECT

RATE = 1_000  # events a second
PART = 10  # events that come together
SECONDS = 15.0  # of each round
ROUNDS = 2
READERS = 2


def measure(store: Store, database: Path, explorer: ReportPage, count: int) -> Table:
    """Appends with and without readers, in turns; what was appended is deleted again."""
    table = Table(title=f"Appends at {RATE:,} events a second, synced, beside the explorer over {count:,} events")
    for column in ("readers", "p50 ms", "p99 ms", "most ms", "explorer ms", "answers"):
        table.add_column(column, justify="right")
    newest = store.index.state().newest
    made = make(round(2 * ROUNDS * SECONDS * RATE), seed=5)
    first = 0
    latencies: dict[int, list[float]] = {0: [], READERS: []}
    answers: list[float] = []
    try:
        for _ in range(ROUNDS):
            for readers, found in latencies.items():
                over = threading.Event()
                asking = (store, explorer, over, answers)
                threads = [threading.Thread(target=_explore, args=asking) for _ in range(readers)]
                for thread in threads:
                    thread.start()
                found.extend(_append(store, made, first))
                first += round(SECONDS * RATE)
                over.set()
                for thread in threads:
                    thread.join()
    finally:
        with closing(sqlite3.connect(database, timeout=30)) as connection, connection:
            connection.execute("DELETE FROM event_rows WHERE sequence > ?", (newest,))
    for readers, found in latencies.items():
        figures = [f"{_percentile(found, percent) * 1000:.1f}" for percent in (50, 99, 100)]
        asked = [f"{statistics.median(answers) * 1000:,.0f}", str(len(answers))] if readers and answers else ["", ""]
        table.add_row(str(readers), *figures, *asked)
    ratio = _percentile(latencies[READERS], 99) / _percentile(latencies[0], 99)
    table.caption = f"p99 beside {READERS} readers / alone: {ratio:.2f}"
    return table


def _append(store: Store, made: Made, first: int) -> list[float]:
    """Seconds from when each part of the events was due until it was committed.

    As the writer does it: a commit takes all that came during the one before.
    """
    latencies: list[float] = []
    parts = round(SECONDS * RATE / PART)
    started = time.perf_counter()
    while len(latencies) < parts:
        begun = len(latencies)
        time.sleep(max(0.0, started + begun * PART / RATE - time.perf_counter()))
        due = min(parts, int((time.perf_counter() - started) * RATE / PART) + 1)
        append(store, events(made, first + begun * PART, first + due * PART))
        now = time.perf_counter()
        latencies += [now - started - part * PART / RATE for part in range(begun, due)]
    return latencies


def _explore(store: Store, explorer: ReportPage, over: threading.Event, answers: list[float]) -> None:
    scope = Scope.parse(
        questions.query(explorer), project=PROJECT.id, timezone="UTC", now=END - 1, declared=explorer.parameters
    )
    while not over.is_set():
        started = time.perf_counter()
        with store.reader(seconds=600) as reader:
            explorer.load(reader, scope)
        answers.append(time.perf_counter() - started)


def _percentile(values: list[float], percent: int) -> float:
    return sorted(values)[-(-len(values) * percent // 100) - 1]
