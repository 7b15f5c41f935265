"""What is erased goes piece by piece between the writer's groups: some events, or all of a project."""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import psycopg

from saastracker.dictionary import NO_TEXT
from saastracker.erasable import PIECE, Progress
from saastracker.sql import INDEX_TABLES
from saastracker_postgres.append import Appender
from saastracker_postgres.reader import Readers
from saastracker_postgres.sweep import Codes, erase_texts, renumber

Run: TypeAlias = Callable[[Callable[[Appender], None]], None]  # has the writer do something

_PROJECT = "SELECT id FROM projects WHERE project = %s"
_ROWS = "SELECT count(*) FROM event_rows WHERE project = %s"
_NEXT = "SELECT sequence FROM event_rows WHERE project = %s ORDER BY sequence LIMIT %s"
_DELETE = """WITH deleted AS (
        DELETE FROM event_rows WHERE project = %(project)s AND sequence = ANY (%(sequences)s::bigint[]) RETURNING id
    ) DELETE FROM event_ids i USING deleted d WHERE i.project = %(project)s AND i.id = d.id"""


def erase(readers: Readers, run: Run, project: str, progress: Progress, codes: Codes | None = None) -> None:
    """As `contracts.Store.erase` says. The project's number goes last: until then it can be gone on with."""
    with readers.connection() as connection:
        row = connection.execute(_PROJECT, (project,)).fetchone()
        total = connection.execute(_ROWS, row).fetchall()[0][0] if row else 0
    if row is not None:
        number, done = row[0], 0
        while erased := _piece(run, number):
            done += erased
            progress(min(done, total), total)
        for table in INDEX_TABLES:
            run(lambda appender, table=table: _clear(appender, f"index_{table}", number))  # type: ignore[misc]
            progress(total, total)
        erase_texts(readers, run, lambda: progress(total, total), codes)
    run(lambda appender: _forget(appender, project))


def _piece(run: Run, project: int) -> int:
    """Delete some events; how many."""
    erased = 0

    def work(appender: Appender) -> None:
        nonlocal erased
        with appender.change() as connection:
            sequences = [sequence for (sequence,) in connection.execute(_NEXT, (project, PIECE))]
            _delete(connection, project, sequences)
        erased = len(sequences)

    run(work)
    return erased


def _delete(connection: psycopg.Connection[Any], project: int, sequences: Sequence[int]) -> None:
    connection.execute(_DELETE, {"project": project, "sequences": list(sequences)})
    _tell_index(connection)


def _clear(appender: Appender, table: str, project: int) -> None:
    with appender.change() as connection:
        _tell_index(connection)
        connection.execute(f"DELETE FROM {table} WHERE project = %s", (project,))


def _forget(appender: Appender, project: str) -> None:
    """Delete the last that is known of a project without events."""
    with appender.change() as connection:
        renumber(connection)
        for table in ("answers", "refused", "refusals", "projects"):
            connection.execute(f"DELETE FROM {table} WHERE project = %s", (project,))


def erase_events(
    connection: psycopg.Connection[Any],
    project: str,
    sequences: Sequence[int],
    days: Sequence[int],
    nameless: Sequence[int],
) -> None:
    """As `contracts.Store.erase_events` says, within the caller's transaction."""
    row = connection.execute(_PROJECT, (project,)).fetchone()
    if row is None:
        return
    number = row[0]
    _delete(connection, number, sequences)
    if nameless:
        connection.execute(
            f"UPDATE event_rows SET anonymous = {NO_TEXT} WHERE project = %s AND sequence = ANY (%s::bigint[])",
            (number, list(nameless)),
        )
    if days:
        connection.execute(
            "INSERT INTO index_dirty (project, day) SELECT %s, unnest(%s::int[]) ON CONFLICT DO NOTHING",
            (number, list(days)),
        )


def _tell_index(connection: psycopg.Connection[Any]) -> None:
    """A step of the indexer that began before is made again."""
    connection.execute("UPDATE index_state SET changes = changes + 1")
