"""Reports on 1 or 10 million events: how long they take, beside the same questions asked of the raw events.

    python benchmarks/reports.py [--events 1000000] [--folder DIR [--reuse]] [--cpu] [--ingest]

References in the same run: SQLite over the view `events` of the same database, and DuckDB over the same rows
(`pip install duckdb`; without it the column stays empty). Ten million events take 4 GB of disk and half an hour.
`--cpu` is for a machine that others use, too: it counts what all threads compute, where DuckDB has several.
"""

import argparse
import contextlib
import gc
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import msgspec
import questions
import reports_duck
import reports_ingest
from reports_data import END, START, fill
from rich.console import Console
from rich.progress import Progress, TimeElapsedColumn
from rich.table import Table

from saastracker.config import load_config
from saastracker.contracts import ReportPage, Store
from saastracker.definitions import Definitions
from saastracker.errors import Refusal
from saastracker.indexer import STEP_EVENTS, Indexer
from saastracker.plugins import Plugins, Registry
from saastracker.report import Report
from saastracker.runtime import collect_seldom, one_heap
from saastracker.scope import Scope
from saastracker.testing import PROJECT
from saastracker.testing.projects import InMemoryProjects
from saastracker_sqlite.database import connect_readonly

WARM = 5  # repetitions
QUICK = 5.0  # seconds; a reference that takes longer is asked once
Clock: TypeAlias = Callable[[], float]  # seconds
SPAN = {"project": PROJECT.id, "start": START, "end": END}


class Opened(NamedTuple):
    clock: Clock
    store: Store
    registry: Registry
    definitions: Definitions
    database: Path


class Asked(NamedTuple):
    first: float  # seconds
    warm: float
    report: Report


Run: TypeAlias = Callable[[str, dict[str, Any]], questions.Rows]  # SQL and its parameters


def timed(clock: Clock, work: Callable[[], Any]) -> tuple[float, Any]:
    gc.collect()
    started = clock()
    answer = work()
    return clock() - started, answer


def define(definitions: Definitions) -> None:
    """Five features and a funnel, unless they are there."""
    wanted = [("feature", {"name": name, "rules": [rule]}) for name, rule in questions.FEATURES.items()]
    wanted.append(("funnel", {"name": "Setup", "steps": questions.FUNNEL}))
    for kind, value in wanted:
        there = {each.value.name for each in definitions.of(PROJECT.id, kind)} if kind in definitions.kinds else {""}
        if kind in definitions.kinds and value["name"] not in there:
            body = msgspec.json.encode(value)
            definitions.create(PROJECT.id, kind, value=definitions.read(kind, body), who="benchmark")


def make(opened: Opened, count: int, progress: Progress) -> None:
    """The events, unless the store has them."""
    newest = opened.store.index.state().newest
    if newest == count:
        return
    if newest:
        raise SystemExit(f"{opened.database} holds {newest} events: give --events {newest}, or another folder")
    task = progress.add_task("Events", total=count)
    for made in fill(opened.store, count):
        progress.advance(task, made)


def follow(opened: Opened, count: int, progress: Progress) -> str:
    """Makes the index by following all events; how long that took."""
    indexer = Indexer(
        opened.store.index,
        lambda: {PROJECT.id: "UTC"},
        lambda work: work(),
        taggers=opened.registry.taggers,
        definitions=opened.definitions,
    )
    indexer.reset()
    task = progress.add_task("Index", total=count)
    steps: list[float] = []
    while True:
        started = opened.clock()
        step = indexer.step()
        if not step.events and not step.more:
            break
        if step.events == STEP_EVENTS:
            steps.append(opened.clock() - started)
        progress.advance(task, step.events)
    per = 100_000 / STEP_EVENTS
    tail = steps[-max(1, len(steps) // 5) :]
    return (
        f"Following: {statistics.median(tail) * per:.2f} s per 100 000 events (median of the last {len(tail)} steps, "
        f"of the first {statistics.median(steps[: len(tail)]) * per:.2f}), {sum(steps):.0f} s for {count:,}"
    )


def sizes(database: Path, count: int) -> str:
    """What index and events take on disk, in bytes an event."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        try:
            pages = connection.execute(
                """SELECT s.tbl_name, SUM(d.pgsize) FROM dbstat d JOIN sqlite_schema s ON s.name = d.name
                GROUP BY 1"""
            ).fetchall()
            how = "pages"
        except sqlite3.OperationalError:  # this SQLite is built without dbstat
            how = "length of the data, without the pages' own"
            pages = [
                (name, connection.execute(f"SELECT COALESCE(SUM(LENGTH(data)), 0) FROM {name}").fetchone()[0])
                for name in tables
                if name in {"index_cells", "index_chunks"}
            ]
    index = {name: size / count for name, size in pages if name.startswith("index_")}
    parts = ", ".join(
        f"{name} {size:.1f}" for name, size in sorted(index.items(), key=lambda item: -item[1]) if size > 0.05
    )
    return (
        f"Index: {sum(index.values()):.1f} bytes an event ({how}: {parts}), "
        f"beside {sum(size for name, size in pages if not name.startswith('index_')) / count:.0f} of the events"
    )


def ask(opened: Opened, page: ReportPage) -> Asked:
    """One report as its page has it; of the page of funnels the one there is. Raises Refusal."""
    detail = page.detail if page.slug == "funnels" else None
    declared = page.detail_parameters if detail else page.parameters
    scope = Scope.parse(questions.query(page), project=PROJECT.id, timezone="UTC", now=END - 1, declared=declared)

    def answer() -> Report:
        with opened.store.reader(seconds=600) as reader:
            if detail:
                return detail(reader, scope, opened.definitions.of(PROJECT.id, "funnel")[0].id)
            return page.load(reader, scope)

    first, report = timed(opened.clock, answer)
    return Asked(first, statistics.median(timed(opened.clock, answer)[0] for _ in range(WARM)), report)


def ask_raw(clock: Clock, run: Run, slug: str, *, duckdb: bool) -> tuple[float, list[questions.Rows]]:
    """Seconds and rows of a report's question, all of its statements together."""
    statements = [questions.written(sql, duckdb=duckdb) for sql in questions.QUESTIONS[slug].sql]

    def answer() -> list[questions.Rows]:
        return [run(sql, {name: SPAN[name] for name in questions.parameters(sql)}) for sql in statements]

    seconds, rows = timed(clock, answer)
    if seconds < QUICK:
        seconds = statistics.median([seconds, timed(clock, answer)[0], timed(clock, answer)[0]])
    return seconds, rows


def row(opened: Opened, page: ReportPage, lite: Run, duck: Run | None) -> list[str]:
    """The cells of the table for one report."""
    name = "funnels/{id}" if page.slug == "funnels" else page.slug
    try:
        asked = ask(opened, page)
    except Refusal as error:
        return [name, *[""] * 6, str(error.status)]
    cells = [name, f"{asked.first * 1000:,.1f}", f"{asked.warm * 1000:,.1f}"]
    question = questions.QUESTIONS.get(page.slug)
    if question is None:
        return cells
    ours = question.ours({block.key: block for block in asked.report.blocks})
    alike = True
    for run in (lite, duck):
        if run is None:
            cells += ["", ""]
            continue
        seconds, found = ask_raw(opened.clock, run, page.slug, duckdb=run is duck)
        cells += [f"{seconds * 1000:,.0f}", f"{seconds / asked.warm:,.1f}"]
        alike = alike and ours == question.theirs(found)
    return [*cells, "yes" if alike else "NO"]


def compare(opened: Opened, folder: Path, progress: Progress) -> Table:
    unit = "ms of CPU" if opened.clock is time.process_time else "ms"
    table = Table(
        title=f"Reports over 90 days, {unit}", caption="of it: how many times as long as the report when warm"
    )
    for column in ("report", "first", "warm", "SQLite", "of it", "DuckDB", "of it", "alike"):
        table.add_column(column, justify="left" if column == "report" else "right", no_wrap=True)
    pages = list(opened.registry.reports.values())
    with contextlib.ExitStack() as kept:
        lite = kept.enter_context(closing(connect_readonly(opened.database)))
        duck: Run | None = None
        try:
            copy = kept.enter_context(
                closing(reports_duck.open_copy(opened.database, folder / "events.duckdb", progress))
            )
            duck = lambda sql, given: copy.execute(sql, given).fetchall()  # noqa: E731
        except ImportError:
            progress.console.print(reports_duck.MISSING)
        task = progress.add_task("Reports", total=len(pages))
        for page in pages:
            progress.update(task, description=page.slug)
            table.add_row(*row(opened, page, lambda sql, given: lite.execute(sql, given).fetchall(), duck))
            progress.advance(task)
    return table


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--events", type=int, default=1_000_000)
    arguments.add_argument("--folder", type=Path, help="keeps the events there, for another run")
    arguments.add_argument("--reuse", action="store_true", help="takes the index in the folder as it is")
    arguments.add_argument("--cpu", action="store_true", help="measures CPU time instead of the clock's")
    arguments.add_argument("--ingest", action="store_true", help="only the explorer beside ingest")
    given = arguments.parse_args()
    one_heap()
    collect_seldom()  # as the server does
    console = Console(width=None if sys.stdout.isatty() else 100)
    with (
        tempfile.TemporaryDirectory() as name,
        Progress(*Progress.get_default_columns(), TimeElapsedColumn()) as progress,
    ):
        folder: Path = given.folder or Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        plugins = Plugins(load_config(None, folder))
        with closing(plugins.open_records()) as records, closing(plugins.open_store(records)) as store:
            store.claim()
            definitions = Definitions(records, plugins.kinds)
            define(definitions)
            opened = Opened(
                time.process_time if given.cpu else time.perf_counter,
                store,
                plugins.registry(InMemoryProjects(), definitions),
                definitions,
                folder / "saastracker.db",
            )
            make(opened, given.events, progress)
            if not given.reuse or not store.index.state().watermark:
                progress.console.print(follow(opened, given.events, progress))
            if given.ingest:
                result = reports_ingest.measure(
                    store, opened.database, opened.registry.reports["explorer"], given.events
                )
            else:
                progress.console.print(sizes(opened.database, given.events))
                result = compare(opened, folder, progress)
        progress.stop()
        console.print(result)


if __name__ == "__main__":
    main()
