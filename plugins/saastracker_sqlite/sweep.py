"""Sweeps up after events were erased: texts that nothing has any more, and bytes that only the files still hold."""

import sqlite3
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from saastracker.sql_events import CODED
from saastracker_sqlite.append import Appender, last_sequence
from saastracker_sqlite.database import truncate_wal
from saastracker_sqlite.reader import Readers
from saastracker_sqlite.searching import holds

if TYPE_CHECKING:
    from pyroaring import BitMap

ROWS = 1000  # per transaction
SCAN_ROWS = 50_000  # whose texts are read at once
SCAN_ELSEWHERE = 50_000_000  # the same, where another engine does it
NEAR_ROWS = 10_000  # whose texts the writer itself may read
WAL_SECONDS = 30.0  # how long to wait for readers of older states
WAL_WAIT_MS = 50  # of them on the writer's thread
TELLING = 8  # bytes: shorter ids are found anywhere
SMALL = 256 * 1024 * 1024  # bytes of a database that is written anew in a second or two

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
    """Refusals and answers of a project that hold one of some texts."""
    for text in texts:
        connection.execute(
            "DELETE FROM refused WHERE project = ?1 AND (INSTR(detail, ?2) OR INSTR(path, ?2))", (project, text)
        )
        connection.execute("DELETE FROM answers WHERE project = ? AND INSTR(CAST(body AS TEXT), ?)", (project, text))


def _purge(run: Run, path: Path, ids: Sequence[str], step: Callable[[], None]) -> None:
    """See to it that no byte of the ids is left in the files.

    Rows that are deleted are overwritten, but where SQLite moved a row before, a copy may stay in the unused
    part of a page. Only writing the database anew drops it: what that takes, ingest waits.
    """
    forms = {form for text in ids for form in (text.encode(), msgspec.json.encode(text)[1:-1])}
    _empty_wal(run, path, step)
    telling = any(len(form) >= TELLING for form in forms)
    if holds(path, forms) and (telling or path.stat().st_size <= SMALL):
        run(Appender.vacuum)
        _empty_wal(run, path, step)


def _empty_wal(run: Run, path: Path, step: Callable[[], None]) -> None:
    wal = path.with_name(f"{path.name}-wal")
    end = time.monotonic() + WAL_SECONDS
    while True:
        run(lambda appender: truncate_wal(appender.connection, WAL_WAIT_MS))
        if not wal.exists() or not wal.stat().st_size or time.monotonic() > end:
            return
        step()
        time.sleep(0.2)


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
