"""Sweeps up after events were erased: texts that nothing has any more, and what tables keep of deleted rows."""

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import psycopg

from saastracker.erasable import FORGOTTEN, PIECE, Progress
from saastracker.sql_events import CODED
from saastracker_postgres.append import Appender
from saastracker_postgres.database import fetch
from saastracker_postgres.reader import Readers

if TYPE_CHECKING:
    from pyroaring import BitMap

SCAN_ROWS = 50_000  # whose texts are read at once
SCAN_ELSEWHERE = 50_000_000  # the same, where another engine does it
NEAR_ROWS = 10_000  # whose texts may be read while all who append wait

Run: TypeAlias = Callable[[Callable[[Appender], None]], None]  # has the writer do something
# Of the texts of events between two numbers.
Codes: TypeAlias = Callable[[psycopg.Connection[Any], int, int], Iterable[int]]

_TEXTS = """SELECT DISTINCT unnest(ARRAY[{}]) FROM event_rows WHERE sequence > %s AND sequence <= %s""".format(
    ", ".join(f'"{name}"' for name in CODED)
)
_NEWEST = "SELECT value FROM counters WHERE name = 'sequence'"
# What the index still knows of days whose events are gone.
_INDEX_TEXTS = """SELECT person FROM index_actors UNION SELECT org FROM index_actors
    UNION SELECT anonymous FROM index_aliases UNION SELECT "user" FROM index_aliases
    UNION SELECT session FROM index_sessions"""


def sweep(  # noqa: PLR0917
    readers: Readers,
    run: Run,
    project: str,
    ids: Sequence[str],
    progress: Progress,
    codes: Codes | None = None,
) -> None:
    """As `contracts.Store.sweep` says; a step of `progress` is a piece of unknown size.

    Deleted rows are overwritten by VACUUM; WAL that the server keeps holds them for as long as it is set to.
    """
    done = 0

    def step() -> None:
        nonlocal done
        done += 1
        progress(done, 0)

    def forget(appender: Appender) -> None:
        with appender.change() as connection:
            for text in ids:
                connection.execute(
                    "DELETE FROM refused WHERE project = %(project)s AND strpos(detail || ' ' || path, %(text)s) > 0",
                    {"project": project, "text": text},
                )
                # They stay: what is sent again for want of one would be stored again.
                connection.execute(
                    "UPDATE answers SET body = %s WHERE project = %s AND position(%s::bytea IN body) > 0",
                    (FORGOTTEN, project, text.encode()),
                )

    run(forget)
    erase_texts(readers, run, step, codes)
    if ids:
        _vacuum(readers)
        step()


def _vacuum(readers: Readers) -> None:
    """Give the space of deleted rows back, so that it is written over; beside the writer, which goes on meanwhile.

    On a connection that only reads: to PostgreSQL it changes nothing.
    """
    with readers.connection() as connection:
        connection.execute("SET statement_timeout = 0")
        connection.execute("VACUUM texts, event_rows, event_ids, refused, answers")
        connection.execute("RESET statement_timeout")


def erase_texts(readers: Readers, run: Run, progress: Callable[[], None], codes: Codes | None = None) -> None:
    """Delete the texts that no event has. Events that come meanwhile may take one up: those are looked at last."""
    from pyroaring import BitMap  # noqa: PLC0415  # 2 MB that a server is spared until then

    codes, scanned = (codes, SCAN_ELSEWHERE) if codes else (_codes, SCAN_ROWS)
    with readers.connection() as connection:
        used = BitMap(code for (code,) in connection.execute(_INDEX_TEXTS))
        for (sessions,) in fetch(connection, "SELECT sessions FROM index_day_sessions"):
            used |= BitMap.deserialize(sessions)
    seen = 0
    while True:
        with readers.connection() as connection:
            [(newest,)] = connection.execute(_NEWEST).fetchall()
            if newest - seen < NEAR_ROWS:
                break
            until = min(seen + scanned, newest)
            used.update(codes(connection, seen, until))
        seen = until
        progress()
    with readers.connection() as connection:
        unused = BitMap(code for (code,) in connection.execute("SELECT id FROM texts")) - used
    for start in range(0, len(unused), PIECE):
        seen = _erase_unused(run, list(unused[start : start + PIECE]), used, seen, codes)
        progress()


def _erase_unused(run: Run, some: list[int], used: "BitMap", seen: int, codes: Codes) -> int:
    """Delete texts unless an event newer than `seen` has them; the newest event then."""

    def work(appender: Appender) -> None:
        nonlocal seen
        with appender.change() as connection:
            renumber(connection)
            [(newest,)] = connection.execute(_NEWEST).fetchall()
            used.update(codes(connection, seen, newest))
            seen = newest
            unused = [code for code in some if code not in used]
            connection.execute("DELETE FROM texts WHERE id = ANY (%s::int[])", (unused,))

    run(work)
    return seen


def renumber(connection: psycopg.Connection[Any]) -> None:
    """Nobody appends until the end of the transaction, and from then on none uses numbers it knew before."""
    connection.execute("SELECT value FROM counters WHERE name = 'sequence' FOR UPDATE")
    connection.execute("UPDATE counters SET value = value + 1 WHERE name = 'texts'")


def _codes(connection: psycopg.Connection[Any], after: int, until: int) -> Iterable[int]:
    return (code for (code,) in connection.execute(_TEXTS, (after, until)))
