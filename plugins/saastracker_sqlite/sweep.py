"""Sweeps up after events were erased: texts that nothing has any more, and bytes that only the files still hold."""

import contextlib
import sqlite3
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from saastracker.erasable import FORGOTTEN
from saastracker.errors import Unavailable
from saastracker.sql_events import CODED
from saastracker_sqlite.append import Appender, last_sequence
from saastracker_sqlite.database import beat, connect, truncate_wal
from saastracker_sqlite.reader import Readers
from saastracker_sqlite.stale import find, overwrite

if TYPE_CHECKING:
    from pyroaring import BitMap

ROWS = 1000  # per transaction
SCAN_ROWS = 50_000  # whose texts are read at once
SCAN_ELSEWHERE = 50_000_000  # the same, where another engine does it
NEAR_ROWS = 10_000  # whose texts the writer itself may read
WAL_SECONDS = 30.0  # how long to wait for readers of older states
WAL_WAIT_MS = 50  # of them on the writer's thread
PAGES = 1000  # of which the unused parts are overwritten at once
TRIES = 10  # to find none more: free space that is given back meanwhile moves pages

Run: TypeAlias = Callable[[Callable[[Appender], None]], None]  # has the writer do something
Codes: TypeAlias = Callable[[sqlite3.Connection, int, int], Iterable[int]]  # of the texts of events between two numbers

_TEXTS = " UNION ".join(
    f'SELECT "{column}" FROM event_rows WHERE sequence > :after AND sequence <= :until' for column in CODED
)
# What the index still knows of days whose events are gone.
_INDEX_TEXTS = """SELECT person FROM index_actors UNION SELECT org FROM index_actors
    UNION SELECT anonymous FROM index_aliases UNION SELECT user FROM index_aliases
    UNION SELECT session FROM index_sessions"""


def sweep(  # noqa: PLR0917
    readers: Readers,
    run: Run,
    path: Path,
    project: str,
    ids: Sequence[str],
    progress: Callable[[int, int], None],
    codes: Codes | None = None,
) -> None:
    """As `contracts.Store.sweep` says; a step of `progress` is a piece of unknown size."""
    done = 0

    def step() -> None:
        nonlocal done
        done += 1
        progress(done, 0)

    run(lambda appender: appender.change(lambda connection: _forget(connection, project, ids)))
    erase_texts(readers, run, step, codes)
    if ids:
        _purge(run, path, ids, step)


def _forget(connection: sqlite3.Connection, project: str, texts: Sequence[str]) -> None:
    """Refusals of a project that hold one of some texts, and what answers say that do.

    The answers stay: what is sent again for want of one would be stored again.
    """
    for text in texts:
        connection.execute(
            "DELETE FROM refused WHERE project = ?1 AND (INSTR(detail, ?2) OR INSTR(path, ?2))", (project, text)
        )
        connection.execute(
            "UPDATE answers SET body = ? WHERE project = ? AND INSTR(CAST(body AS TEXT), ?)",
            (FORGOTTEN, project, text),
        )


def _purge(run: Run, path: Path, ids: Sequence[str], step: Callable[[], None]) -> None:
    """See to it that no byte of the ids is left in the files; the writer waits for tens of milliseconds at a time.

    Rows that are deleted are overwritten, but where SQLite moved a row before, a copy may stay in the unused
    part of a page. Writing the database anew would drop it, too: for as long as that takes, nothing could be stored.
    """
    forms = {form for text in ids for form in (text.encode(), msgspec.json.encode(text)[1:-1])}
    run(_map_pages)
    for _ in range(TRIES):
        _empty_wal(run, path, step)
        pages = find(path, forms)
        if not pages:
            return
        for start in range(0, len(pages), PAGES):
            _overwrite(run, path, forms, pages[start : start + PAGES], step)
    raise Unavailable("Copies of what was erased keep moving in the database; the next run goes on.")


def _map_pages(appender: Appender) -> None:
    """See to it that the file has a map of its pages; as it has by which free space is given back.

    One that was made before 0.1.0 has none, and is written anew: once, and for as long as that takes ingest waits.
    """
    if not appender.connection.execute("PRAGMA auto_vacuum").fetchone()[0]:
        appender.connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        appender.connection.execute("VACUUM")


def _overwrite(run: Run, path: Path, forms: Collection[bytes], pages: Sequence[int], step: Callable[[], None]) -> None:
    def work() -> bool:
        # Another connection than all others: its commit makes them forget the pages they have in memory.
        with contextlib.closing(connect(path)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            empty = _is_empty(path)  # unless another process has written just now
            if empty:
                overwrite(path, forms, pages)
                beat(connection)
            connection.execute("COMMIT")
        return empty

    _with_empty_wal(run, path, work, step)


def _empty_wal(run: Run, path: Path, step: Callable[[], None]) -> None:
    _with_empty_wal(run, path, lambda: _is_empty(path), step)


def _with_empty_wal(run: Run, path: Path, work: Callable[[], bool], step: Callable[[], None]) -> None:
    """Until `work` says that it was empty: with the writer between two groups it is, once readers let go of it.

    Raises Unavailable if they do not.
    """
    end, done = time.monotonic() + WAL_SECONDS, False

    def once(appender: Appender) -> None:
        nonlocal done
        truncate_wal(appender.connection, WAL_WAIT_MS)
        done = _is_empty(path) and work()

    while True:
        run(once)
        if done:
            return
        if time.monotonic() > end:
            raise Unavailable("Reports kept reading what was erased; the next run goes on.")
        step()
        time.sleep(0.2)


def _is_empty(path: Path) -> bool:
    wal = path.with_name(f"{path.name}-wal")
    return not wal.exists() or not wal.stat().st_size


def erase_texts(readers: Readers, run: Run, progress: Callable[[], None], codes: Codes | None = None) -> None:
    """Delete the texts that no event has. Events that come meanwhile may take one up: those are looked at last."""
    from pyroaring import BitMap  # noqa: PLC0415  # 2 MB that a server is spared until then

    codes, scanned = (codes, SCAN_ELSEWHERE) if codes else (_codes, SCAN_ROWS)
    with readers.connection() as connection:
        used = BitMap(code for (code,) in connection.execute(_INDEX_TEXTS))
        for (sessions,) in connection.execute("SELECT sessions FROM index_day_sessions"):
            used |= BitMap.deserialize(sessions)
    seen = 0
    while True:
        with readers.connection() as connection:
            newest = last_sequence(connection)
            if newest - seen < NEAR_ROWS:
                break
            until = min(seen + scanned, newest)
            used.update(codes(connection, seen, until))
        seen = until
        progress()
    with readers.connection() as connection:
        unused = BitMap(code for (code,) in connection.execute("SELECT id FROM texts")) - used
    for start in range(0, len(unused), ROWS):
        seen = _erase_unused(run, list(unused[start : start + ROWS]), used, seen, codes)
        progress()


def _erase_unused(run: Run, some: list[int], used: "BitMap", seen: int, codes: Codes) -> int:
    """Delete texts unless an event newer than `seen` has them; the newest event then."""

    def work(appender: Appender) -> None:
        nonlocal seen
        used.update(codes(appender.connection, seen, appender.sequence))
        seen = appender.sequence
        appender.forget_texts([code for code in some if code not in used])

    run(work)
    return seen


def _codes(connection: sqlite3.Connection, after: int, until: int) -> Iterable[int]:
    return (code for (code,) in connection.execute(_TEXTS, {"after": after, "until": until}))
