"""The index in SQLite."""

import contextlib
import sqlite3
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import numpy as np

from saastracker.contracts import Reader
from saastracker.index import numbered
from saastracker.index_store import Arrivals
from saastracker.sql_events import CODED
from saastracker.sql_index import SqlIndex
from saastracker_sqlite.database import connect, failures
from saastracker_sqlite.reader import Readers
from saastracker_sqlite.rows import SqliteRows

LAST = 2**62
PAGE = 1000  # rows; more leave the caches before they are put together
READ_SECONDS = 60.0  # that a query of the indexer may take
DAY_MS = 86_400_000

# Two codes in one number: reading rows costs by the column, and so takes a third less time.
_PAIRS = tuple(zip(CODED[::2], CODED[1::2], strict=True))
_ARRIVALS = """SELECT sequence, project, "time", {} FROM event_rows
    WHERE sequence > :after AND sequence <= :until {{}} ORDER BY sequence LIMIT :limit""".format(
    ", ".join(f'"{high}" << 32 | "{low}"' for high, low in _PAIRS)
)
_WIDTH = 3 + len(_PAIRS)
_VALUES = """SELECT sequence, value FROM event_rows
    WHERE sequence BETWEEN :after AND :until AND NULLIF(value, '') IS NOT NULL {} ORDER BY sequence"""
_NEAR = f"""AND project = (SELECT id FROM projects WHERE project = :project)
    AND "time" >= (:day - 1) * {DAY_MS} AND "time" < (:day + 2) * {DAY_MS}"""


class SqliteIndex(SqlIndex):
    """Reads on the readers' connections; `write`, `mark` and `reset` on one of its own."""

    def __init__(self, path: Path, readers: Readers) -> None:
        self._path = path
        self._readers = readers
        self._connection: sqlite3.Connection | None = None  # of the writer's thread

    def arrivals(
        self, after: int, limit: int, until: int | None = None, near: tuple[str, int] | None = None
    ) -> Arrivals:
        between = {"after": after, "until": LAST if until is None else until, "limit": limit}
        of_day, condition = ({"project": near[0], "day": near[1]}, _NEAR) if near else ({}, "")
        with self._readers.connection() as connection:
            cursor = connection.execute(_ARRIVALS.format(condition), between | of_day)
            # A page at a time: as Python's numbers 100 000 events take 100 MB.
            pages = [
                np.fromiter(chain.from_iterable(rows), np.int64, len(rows) * _WIDTH).reshape(-1, _WIDTH)
                for rows in iter(lambda: cursor.fetchmany(PAGE), [])
            ]
            table = np.concatenate(pages).T.copy() if pages else np.zeros((_WIDTH, 0), np.int64)
            sequence, project, time, *pairs = table
            read = {"after": int(sequence[0]), "until": int(sequence[-1])} if pages else {"after": 0, "until": 0}
            values = connection.execute(_VALUES.format(condition), read | of_day).fetchall()
            projects = dict(connection.execute("SELECT id, project FROM projects"))
        numbers, place = numbered(project)
        value = np.full(len(sequence), np.nan)
        if values:  # an erasure may have taken one of either since the other query
            own, valued = np.array(values, np.float64).T  # sequence numbers are far below 2**53
            where = np.minimum(np.searchsorted(sequence, own), len(sequence) - 1)
            there = sequence[where] == own
            value[where[there]] = valued[there]
        codes = {}
        for (high, low), pair in zip(_PAIRS, pairs, strict=True):
            codes[high], codes[low] = pair >> 32, pair & 0xFFFF_FFFF
        return Arrivals(
            projects=[projects[number] for number in numbers.tolist()],
            project=place,
            sequence=sequence,
            time=time,
            value=value,
            codes=codes,
        )

    def reader(self) -> contextlib.AbstractContextManager[Reader]:
        return self._readers.reader(READ_SECONDS, lambda: False)

    @contextlib.contextmanager
    def _reading(self) -> Iterator[SqliteRows]:
        with self._readers.connection() as connection:
            yield SqliteRows(connection)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    @contextlib.contextmanager
    def _writing(self) -> Iterator[SqliteRows]:
        with failures():
            if self._connection is None:
                self._connection = connect(self._path)
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield SqliteRows(self._connection)
                self._connection.execute("COMMIT")
            except BaseException:
                self.close()  # rolls back, whatever state the connection is in
                raise
