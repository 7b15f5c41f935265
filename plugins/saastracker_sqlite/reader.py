"""Reads beside the writer: a few connections, each on one consistent state."""

import contextlib
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from saastracker.errors import TimeLimit
from saastracker.event import Event
from saastracker.sql import expand, refuse_ended
from saastracker.sql_events import read_events
from saastracker.sql_index_reads import KnownActors
from saastracker.sql_reads import SqlReads
from saastracker_sqlite.database import begin_read, connect_readonly
from saastracker_sqlite.rows import DIALECT, SqliteRows

READERS_MAX = 4  # at a time; reports beyond wait
STEPS = 20_000  # of SQLite's virtual machine, between two looks at the clock: about a millisecond


class SqliteReader(SqlReads):
    """One report's reads on a connection of which it has the use."""

    dialect = DIALECT

    def __init__(
        self, connection: sqlite3.Connection, seconds: float, cancelled: Callable[[], bool], known_actors: KnownActors
    ) -> None:
        super().__init__(known_actors)
        self._connection = connection
        self._seconds = seconds
        self._deadline = 0.0
        connection.set_progress_handler(lambda: time.monotonic() > self._deadline or cancelled(), STEPS)

    def query(self, sql: str, **parameters: Any) -> list[tuple[Any, ...]]:
        with self._limit():
            return self._connection.execute(expand(sql, parameters, DIALECT), parameters).fetchall()

    def events(self, sequences: Sequence[int]) -> list[Event]:
        wanted = msgspec.json.encode(sequences).decode()
        with self._limit():
            found = read_events(
                SqliteRows(self._connection), f"WHERE e.sequence IN {DIALECT.numbers.format('?')}", (wanted,)
            )
        by_sequence = {event.sequence: event for _, event in found}
        return [by_sequence[sequence] for sequence in sequences if sequence in by_sequence]

    @contextlib.contextmanager
    def _limit(self) -> Iterator[None]:
        refuse_ended(self.ended)
        self._deadline = time.monotonic() + self._seconds
        try:
            yield
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT:
                raise
            raise TimeLimit(f"This took longer than {self._seconds:g} s; ask for a shorter span of time.") from None


class Readers:
    """Connections that cannot write, kept open between reads."""

    def __init__(self, path: Path, make: Callable[..., SqliteReader] = SqliteReader) -> None:
        self._path = path
        self._make = make  # what reads on a connection
        self._known_actors: KnownActors = {}
        self._idle: list[sqlite3.Connection] = []
        self._slots = threading.BoundedSemaphore(READERS_MAX)
        self._closed = False

    @contextlib.contextmanager
    def reader(self, seconds: float, cancelled: Callable[[], bool]) -> Iterator[SqliteReader]:
        """A reader on one state of the store. Raises TimeLimit if none becomes free in that time."""
        if not self._slots.acquire(timeout=seconds):
            raise TimeLimit("All readers are busy; try again.")
        try:
            with self.connection() as connection:
                begin_read(connection)
                reader = self._make(connection, seconds, cancelled, self._known_actors)
                try:
                    yield reader
                finally:
                    reader.ended = True
                    connection.set_progress_handler(None, 0)
                    connection.execute("ROLLBACK")
        finally:
            self._slots.release()

    @contextlib.contextmanager
    def connection(self) -> Iterator[sqlite3.Connection]:
        """A connection at once, for a short read."""
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = connect_readonly(self._path)
        try:
            yield connection
        finally:
            if self._closed or connection.in_transaction:
                connection.close()
            else:
                self._idle.append(connection)

    def close(self) -> None:
        self._closed = True
        while self._idle:
            self._idle.pop().close()
