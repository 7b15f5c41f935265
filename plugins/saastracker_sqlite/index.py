"""The index in SQLite."""

import contextlib
import sqlite3
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import numpy as np

from saastracker.contracts import Reader
from saastracker.index import Integers, numbered
from saastracker.index_store import Arrivals
from saastracker.sql_events import CODED
from saastracker.sql_index import SqlIndex
from saastracker_sqlite.database import begin_read, connect, failures
from saastracker_sqlite.reader import Readers
from saastracker_sqlite.rows import SqliteRows

LAST = 2**62
PAGE = 1000  # rows; more leave the caches before they are put together
READ_SECONDS = 60.0  # that a query of the indexer may take
DAY_MS = 86_400_000

_ARRIVALS = """SELECT "time", {} FROM event_rows
    WHERE sequence > :after AND sequence <= :until {} ORDER BY sequence LIMIT :limit"""
_LARGEST = "SELECT COALESCE((SELECT MAX(id) FROM texts), 0), COALESCE((SELECT MAX(id) FROM projects), 0)"
_VALUES = """SELECT sequence, value FROM event_rows
    WHERE sequence BETWEEN :after AND :until AND NULLIF(value, '') IS NOT NULL {} ORDER BY sequence"""
_NEAR = f"""AND project = (SELECT id FROM projects WHERE project = :project)
    AND "time" >= (:day - 1) * {DAY_MS} AND "time" < (:day + 2) * {DAY_MS}"""


class _Packing(NamedTuple):
    """Some columns in one number: reading rows costs by the column."""

    names: Sequence[str]
    bits: int  # of each but the first

    @property
    def sql(self) -> str:
        return f" << {self.bits} | ".join(f'"{name}"' for name in self.names)  # from left to right in SQLite

    def unpacked(self, numbers: Integers) -> Iterator[tuple[str, Integers]]:
        for name in reversed(self.names[1:]):
            yield name, numbers & (1 << self.bits) - 1
            numbers = numbers >> self.bits
        yield self.names[0], numbers


def _packings(names: Sequence[str], bits: int) -> list[_Packing]:
    """As many in each number as its 63 bits hold."""
    count = 63 // bits
    return [_Packing(names[start : start + count], bits) for start in range(0, len(names), count)]


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
            begin_read(connection)
            texts, last_project = connection.execute(_LARGEST).fetchone()
            packings = (
                _Packing(("sequence", "project"), max(1, last_project.bit_length())),
                *_packings(CODED, max(1, texts.bit_length())),
            )
            width = 1 + len(packings)
            statement = _ARRIVALS.format(", ".join(each.sql for each in packings), condition)
            cursor = connection.execute(statement, between | of_day)
            # A page at a time: as Python's numbers 100 000 events take 100 MB.
            pages = [
                np.fromiter(chain.from_iterable(rows), np.int64, len(rows) * width).reshape(-1, width)
                for rows in iter(lambda: cursor.fetchmany(PAGE), [])
            ]
            time, *packed = np.concatenate(pages).T.copy() if pages else np.zeros((width, 0), np.int64)
            columns = {
                name: column
                for packing, numbers in zip(packings, packed, strict=True)
                for name, column in packing.unpacked(numbers)
            }
            sequence = columns.pop("sequence")
            read = {"after": int(sequence[0]), "until": int(sequence[-1])} if pages else {"after": 0, "until": 0}
            values = connection.execute(_VALUES.format(condition), read | of_day).fetchall()
            projects = dict(connection.execute("SELECT id, project FROM projects"))
            connection.execute("ROLLBACK")
        numbers, place = numbered(columns.pop("project"))
        value = np.full(len(sequence), np.nan)
        if values:
            own, valued = np.array(values, np.float64).T  # sequence numbers are far below 2**53
            value[np.searchsorted(sequence, own)] = valued
        return Arrivals(
            projects=[projects[number] for number in numbers.tolist()],
            project=place,
            sequence=sequence,
            time=time,
            value=value,
            codes=columns,
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
