"""The same events in DuckDB, with every text in its column."""

import importlib
import sqlite3
from pathlib import Path
from typing import Any

import numpy as np
from rich.progress import Progress

from saastracker.sql_events import CODED

PAGE = 100_000  # rows
MISSING = "DuckDB is not installed, so nothing is compared with it: pip install duckdb"


def open_copy(database: Path, copy: Path, progress: Progress) -> Any:
    """A connection to a copy of the rows, made unless it is there. Raises ImportError."""
    duckdb = importlib.import_module("duckdb")
    connection = duckdb.connect(str(copy))
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as source:
        (count,) = source.execute("SELECT MAX(sequence) FROM event_rows").fetchone()
        tables = {name for (name,) in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
        if "events" not in tables or connection.execute("SELECT MAX(sequence) FROM events").fetchone() != (count,):
            _copy(source, connection, progress, count)
    return connection


def _copy(source: sqlite3.Connection, connection: Any, progress: Progress, count: int) -> None:
    connection.execute("DROP TABLE IF EXISTS events")
    connection.execute("CREATE TEMP TABLE texts (id INTEGER PRIMARY KEY, text VARCHAR)")
    texts = source.execute("SELECT id, text FROM texts")
    while page := texts.fetchmany(PAGE):
        ids, values = zip(*page, strict=True)
        _insert(connection, "texts", {"id": np.array(ids), "text": np.array(values, object)})
    numbers = ", ".join(f'"{name}" INTEGER' for name in CODED)
    connection.execute(
        f'CREATE TEMP TABLE coded (sequence BIGINT, project INTEGER, "time" BIGINT, {numbers}, p VARCHAR)'
    )
    columns = ", ".join(f'"{name}"' for name in CODED)
    rows = source.execute(f'SELECT sequence, project, "time", {columns}, properties FROM event_rows')
    names = ("sequence", "project", "time", *CODED)
    task = progress.add_task("Rows to DuckDB", total=count)
    while page := rows.fetchmany(PAGE):
        *codes, properties = zip(*page, strict=True)
        columns_of_page = {name: np.array(column, np.int64) for name, column in zip(names, codes, strict=True)}
        _insert(connection, "coded", {**columns_of_page, "p": np.array(properties, object)})
        progress.advance(task, len(page))
    projects = dict(source.execute("SELECT id, project FROM projects").fetchall())
    named = " ".join(f"WHEN {number} THEN '{project}'" for number, project in projects.items())
    texts_of = ", ".join(f't{place}.text AS "{name}"' for place, name in enumerate(CODED))
    joins = " ".join(f'LEFT JOIN texts t{place} ON t{place}.id = c."{name}"' for place, name in enumerate(CODED))
    connection.execute(
        f"""CREATE TABLE events AS SELECT c.sequence, CASE c.project {named} END AS project, c."time", {texts_of},
            c.p AS properties FROM coded c {joins} ORDER BY c.sequence"""
    )
    connection.execute("DROP TABLE coded")
    connection.execute("DROP TABLE texts")
    connection.execute("CHECKPOINT")


def _insert(connection: Any, table: str, page: dict[str, Any]) -> None:
    connection.register("page", page)
    connection.execute(f"INSERT INTO {table} SELECT * FROM page")
    connection.unregister("page")
