"""All of a project goes, piece by piece between the writer's groups: events, index, and texts that nobody else has."""

import sqlite3
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from saastracker_sqlite.append import Appender
from saastracker_sqlite.reader import Readers
from saastracker_sqlite.schema import CODED, INDEX_TABLES

if TYPE_CHECKING:
    from pyroaring import BitMap

ROWS = 1000  # per transaction: a few milliseconds, for which the writer's next group waits
SCAN_ROWS = 50_000  # whose texts are read at once
NEAR_ROWS = 10_000  # whose texts the writer itself may read

Run: TypeAlias = Callable[[Callable[[Appender], None]], None]  # has the writer do something

_ROWS = "(SELECT COUNT(*) FROM event_rows e WHERE e.project = p.id)"
_TEXTS = " UNION ".join(
    f'SELECT "{column}" FROM event_rows WHERE sequence > :after AND sequence <= :until' for column in CODED
)
# What the index still knows of days whose events are gone.
_INDEX_TEXTS = """SELECT person FROM index_actors UNION SELECT org FROM index_actors
    UNION SELECT anonymous FROM index_aliases UNION SELECT user FROM index_aliases
    UNION SELECT session FROM index_sessions"""


def erase(readers: Readers, run: Run, project: str, progress: Callable[[int, int], None]) -> None:
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
        _erase_texts(readers, run, lambda: progress(total, total))
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
        # A step of the indexer that began before is made again.
        connection.execute("UPDATE index_state SET changes = changes + 1")

    run(lambda appender: appender.change(delete))
    return erased


def _erase_texts(readers: Readers, run: Run, progress: Callable[[], None]) -> None:
    """Delete the texts that no event has. Events that come meanwhile may take one up: those are looked at last."""
    from pyroaring import BitMap  # noqa: PLC0415  # 2 MB that a server is spared until then

    with readers.connection() as connection:
        used = BitMap(code for (code,) in connection.execute(_INDEX_TEXTS))
        for (sessions,) in connection.execute("SELECT sessions FROM index_day_sessions"):
            used |= BitMap.deserialize(sessions)
    seen = 0
    while True:
        with readers.connection() as connection:
            (newest,) = connection.execute("SELECT COALESCE(MAX(sequence), 0) FROM event_rows").fetchone()
            if newest - seen < NEAR_ROWS:
                break
            until = min(seen + SCAN_ROWS, newest)
            _note(connection, used, seen, until)
        seen = until
        progress()
    with readers.connection() as connection:
        unused = BitMap(code for (code,) in connection.execute("SELECT id FROM texts")) - used
    for start in range(0, len(unused), ROWS):
        seen = _erase_unused(run, list(unused[start : start + ROWS]), used, seen)
        progress()


def _erase_unused(run: Run, codes: list[int], used: "BitMap", seen: int) -> int:
    """Delete texts unless an event newer than `seen` has them; the newest event then."""

    def work(appender: Appender) -> None:
        nonlocal seen
        _note(appender.connection, used, seen, appender.sequence)
        seen = appender.sequence
        appender.forget_texts([code for code in codes if code not in used])

    run(work)
    return seen


def _note(connection: sqlite3.Connection, used: "BitMap", after: int, until: int) -> None:
    used.update(code for (code,) in connection.execute(_TEXTS, {"after": after, "until": until}))
