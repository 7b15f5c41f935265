"""The index in PostgreSQL."""

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import psycopg

from saastracker.contracts import Reader
from saastracker.index import Integers
from saastracker.index_store import Arrivals
from saastracker.sql_events import CODED
from saastracker.sql_index import SqlIndex
from saastracker_postgres.database import alive, connect, failures
from saastracker_postgres.reader import Readers
from saastracker_postgres.rows import PostgresRows

LAST = 2**62
READ_SECONDS = 60.0  # that a query of the indexer may take
DAY_MS = 86_400_000

_PLAIN = ("sequence", "project", "time")
# As COPY sends them: how many fields, then each after its length. None is missing, so that all rows are as long.
_ROW = np.dtype(
    [
        ("fields", ">i2"),
        *(part for name in (*_PLAIN, "value") for part in ((f"{name} length", ">i4"), (name, ">i8"))),
        *(part for name in CODED for part in ((f"{name} length", ">i4"), (name, ">i4"))),
    ]
)
_BEGIN, _END = 19, 2  # bytes
_ARRIVALS = """COPY (SELECT sequence, project::bigint, "time", COALESCE(value, 'NaN'), {} FROM event_rows
    WHERE sequence > %(after)s AND sequence <= %(until)s {{}} ORDER BY sequence LIMIT %(limit)s)
    TO STDOUT (FORMAT binary)""".format(", ".join(f'"{name}"' for name in CODED))
_NEAR = f"""AND project = (SELECT id FROM projects WHERE project = %(project)s)
    AND "time" >= (%(day)s - 1) * {DAY_MS}::bigint AND "time" < (%(day)s + 2) * {DAY_MS}::bigint"""
# Its numbers are what others wait for, so a transaction that hangs is ended by the server.
_SETTINGS = {"lock_timeout": "30s", "idle_in_transaction_session_timeout": "60s", "jit": "off"}


class PostgresIndex(SqlIndex):
    """Reads on the readers' connections; `write`, `mark` and `reset` on one of its own."""

    def __init__(self, url: str, readers: Readers) -> None:
        self._url = url
        self._readers = readers
        self._connection: psycopg.Connection[Any] | None = None  # of the writer's thread

    def arrivals(
        self, after: int, limit: int, until: int | None = None, near: tuple[str, int] | None = None
    ) -> Arrivals:
        between: dict[str, Any] = {"after": after, "until": LAST if until is None else until, "limit": limit}
        of_day, condition = ({"project": near[0], "day": near[1]}, _NEAR) if near else ({}, "")
        with self._readers.connection() as connection, failures():
            with connection.cursor() as cursor, cursor.copy(_ARRIVALS.format(condition), between | of_day) as copy:
                data = b"".join(copy)
            projects = dict(connection.execute("SELECT id, project FROM projects").fetchall())
        table = np.frombuffer(data, _ROW, (len(data) - _BEGIN - _END) // _ROW.itemsize, _BEGIN)
        numbers, place = np.unique(_plain(table["project"]), return_inverse=True)
        return Arrivals(
            projects=[projects[number] for number in numbers.tolist()],
            project=place.astype(np.int64),
            sequence=_plain(table["sequence"]),
            time=_plain(table["time"]),
            value=np.ascontiguousarray(table["value"]).view(">f8").astype(np.float64),
            codes={name: _plain(table[name]) for name in CODED},
        )

    def reader(self) -> contextlib.AbstractContextManager[Reader]:
        return self._readers.reader(READ_SECONDS, lambda: False)

    @contextlib.contextmanager
    def _reading(self) -> Iterator[PostgresRows]:
        with self._readers.connection() as connection, failures():
            yield PostgresRows(connection)

    @contextlib.contextmanager
    def _writing(self) -> Iterator[PostgresRows]:
        with failures():
            if self._connection is None or not alive(self._connection):
                self.close()
                self._connection = connect(self._url, **_SETTINGS)
            try:
                with self._connection.transaction():
                    yield PostgresRows(self._connection)
            except BaseException:
                self.close()
                raise

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _plain(column: Any) -> Integers:
    numbers: Integers = column.astype(np.int64)
    return numbers
