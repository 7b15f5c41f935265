"""The explorer beside ingest: how long appends take while people ask about the raw events."""

import sqlite3
import statistics
import threading
import time
from contextlib import closing
from pathlib import Path

import questions
from reports_data import END, append, events, make
from rich.table import Table

from saastracker.contracts import ReportPage, Store
from saastracker.scope import Scope
from saastracker.testing import PROJECT

RATE = 1_000  # events a second
TICK = 0.01  # seconds between two groups
SECONDS = 20.0
READERS = 2


def measure(store: Store, database: Path, explorer: ReportPage, count: int) -> Table:
    """Appends with and without readers; what was appended is deleted again."""
    table = Table(title=f"Appends at {RATE:,} events a second, synced, beside {READERS} readers of the explorer")
    for column in ("readers", "p50 ms", "p99 ms", "most ms", "explorer ms", "answers"):
        table.add_column(column, justify="right")
    newest = store.index.state().newest
    made = make(round(4 * SECONDS * RATE), seed=5)
    alone: list[float] = []
    beside: list[float] = []
    place = 0
    try:
        for readers, latencies in ((0, alone), (READERS, beside), (0, alone), (READERS, beside)):
            answers: list[float] = []
            over = threading.Event()
            threads = [threading.Thread(target=_explore, args=(store, explorer, over, answers)) for _ in range(readers)]
            for thread in threads:
                thread.start()
            groups = round(SECONDS / TICK / 2)
            size = round(RATE * TICK)
            started = time.perf_counter()
            for number in range(groups):
                due = started + number * TICK
                time.sleep(max(0.0, due - time.perf_counter()))
                append(store, events(made, place, place + size))
                latencies.append(time.perf_counter() - due)  # from when it was due: one that waits counts too
                place += size
            over.set()
            for thread in threads:
                thread.join()
            if readers == 0 or answers:
                table.add_row(*_row(readers, latencies, answers))
    finally:
        with closing(sqlite3.connect(database, timeout=30)) as connection, connection:
            connection.execute("DELETE FROM event_rows WHERE sequence > ?", (newest,))
    ratio = _percentile(beside, 99) / _percentile(alone, 99)
    table.caption = f"p99 beside readers / alone: {ratio:.2f}, over {count:,} events"
    return table


def _explore(store: Store, explorer: ReportPage, over: threading.Event, answers: list[float]) -> None:
    scope = Scope.parse(
        questions.query(explorer), project=PROJECT.id, timezone="UTC", now=END - 1, declared=explorer.parameters
    )
    while not over.is_set():
        started = time.perf_counter()
        with store.reader(seconds=600) as reader:
            explorer.load(reader, scope)
        answers.append(time.perf_counter() - started)


def _row(readers: int, latencies: list[float], answers: list[float]) -> list[str]:
    figures = [f"{_percentile(latencies, percent) * 1000:.1f}" for percent in (50, 99, 100)]
    asked = f"{statistics.median(answers) * 1000:,.0f}" if answers else ""
    return [str(readers), *figures, asked, str(len(answers) or "")]


def _percentile(values: list[float], percent: int) -> float:
    return sorted(values)[-(-len(values) * percent // 100) - 1]
