"""What is erased goes piece by piece between the writer's groups: some events, or all of a project."""

import sqlite3
from collections.abc import Callable, Sequence
from typing import TypeAlias

import msgspec

from saastracker.dictionary import NO_TEXT
from saastracker.sql import INDEX_TABLES
from saastracker_sqlite.append import Appender
from saastracker_sqlite.reader import Readers
from saastracker_sqlite.sweep import Codes, erase_texts

ROWS = 1000  # per transaction: a few milliseconds, for which the writer's next group waits

Run: TypeAlias = Callable[[Callable[[Appender], None]], None]  # has the writer do something

_ROWS = "(SELECT COUNT(*) FROM event_rows e WHERE e.project = p.id)"


def erase(
    readers: Readers, run: Run, project: str, progress: Callable[[int, int], None], codes: Codes | None = None
) -> None:
    """As `contracts.Store.erase` says. The project's number goes last: until then it can be gone on with."""
    with readers.connection() as connection:
        row = connection.execute(f"SELECT p.id, {_ROWS} FROM projects p WHERE project = ?", (project,)).fetchone()
    if row is not None:
        number, total = row
        done = 0
        while erased := _piece(run, "event_rows", "sequence", number):
            done += erased
            progress(min(done, total), total)
        for table in INDEX_TABLES:
            while _piece(run, f"index_{table}", _key(readers, f"index_{table}"), number):
                progress(total, total)
        erase_texts(readers, run, lambda: progress(total, total), codes)
    for table in ("answers", "refused"):
        while _piece(run, table, "rowid", project):
            progress(1, 1)
    run(lambda appender: appender.forget_project(project))


def _key(readers: Readers, table: str) -> str:
    with readers.connection() as connection:
        rows = connection.execute("SELECT name FROM pragma_table_info(?) WHERE pk ORDER BY pk", (table,))
        return ", ".join(f'"{name}"' for (name,) in rows)


def _piece(run: Run, table: str, key: str, project: int | str) -> int:
    """Delete some rows; how many."""
    erased = 0

    def delete(connection: sqlite3.Connection) -> None:
        nonlocal erased
        # DELETE itself has a LIMIT only in some builds of SQLite.
        erased = connection.execute(
            f"DELETE FROM {table} WHERE ({key}) IN (SELECT {key} FROM {table} WHERE project = ? LIMIT ?)",
            (project, ROWS),
        ).rowcount
        _tell_index(connection)

    run(lambda appender: appender.change(delete))
    return erased


def erase_events(
    connection: sqlite3.Connection, project: str, sequences: Sequence[int], days: Sequence[int], nameless: Sequence[int]
) -> None:
    """As `contracts.Store.erase_events` says, within the caller's transaction."""
    row = connection.execute("SELECT id FROM projects WHERE project = ?", (project,)).fetchone()
    if row is None:
        return
    some = "WHERE project = ? AND sequence IN (SELECT value FROM json_each(?))"
    connection.execute(f"DELETE FROM event_rows {some}", (row[0], msgspec.json.encode(list(sequences)).decode()))
    if nameless:
        connection.execute(
            f"UPDATE event_rows SET anonymous = {NO_TEXT} {some}",
            (row[0], msgspec.json.encode(list(nameless)).decode()),
        )
    connection.executemany(
        "INSERT OR IGNORE INTO index_dirty (project, day) VALUES (?, ?)", [(row[0], day) for day in days]
    )
    _tell_index(connection)


def _tell_index(connection: sqlite3.Connection) -> None:
    """A step of the indexer that began before is made again."""
    connection.execute("UPDATE index_state SET changes = changes + 1")
