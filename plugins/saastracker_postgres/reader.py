"""Reads beside the writers: a few connections, each on one consistent state."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec
import psycopg
from psycopg import errors

from saastracker.errors import TimeLimit
from saastracker.event import Event
from saastracker.sql import expand, refuse_ended
from saastracker.sql_events import read_events
from saastracker.sql_index_reads import KnownActors
from saastracker.sql_reads import SqlReads
from saastracker_postgres.database import alive, connect, failures, fetch
from saastracker_postgres.rows import DIALECT, PostgresRows, clean, named

READERS_MAX = 4  # at a time; reports beyond wait
WATCH_SECONDS = 0.1  # between two looks at whether a report is still wanted

# As in SQLite, the text of statements is planned with its values: they tell which months a report is about.
_SETTINGS = {"default_transaction_read_only": "on", "idle_in_transaction_session_timeout": "10min", "jit": "off"}


class PostgresReader(SqlReads):
    """One report's reads on a connection of which it has the use."""

    dialect = DIALECT

    def __init__(
        self,
        connection: psycopg.Connection[Any],
        seconds: float,
        cancelled: Callable[[], bool],  # noqa: ARG002  # `Readers` sees to it
        known_actors: KnownActors,
    ) -> None:
        super().__init__(known_actors)
        self._connection = connection
        self._seconds = seconds

    def query(self, sql: str, **parameters: Any) -> list[tuple[Any, ...]]:
        text = named(expand(sql, parameters, DIALECT))
        with self._limit():
            values = {name: clean(value) for name, value in parameters.items()}
            return fetch(self._connection, text, values)

    def events(self, sequences: Sequence[int]) -> list[Event]:
        wanted = msgspec.json.encode(sequences).decode()
        with self._limit():
            found = read_events(
                PostgresRows(self._connection), f"WHERE e.sequence IN {DIALECT.numbers.format('?')}", (wanted,)
            )
        by_sequence = {event.sequence: event for _, event in found}
        return [by_sequence[sequence] for sequence in sequences if sequence in by_sequence]

    @contextlib.contextmanager
    def _limit(self) -> Iterator[None]:
        refuse_ended(self.ended)
        try:
            with failures():
                try:
                    yield
                except psycopg.Error:
                    if not self._connection.closed:  # the state that the reader is on stays
                        self._connection.execute("ROLLBACK TO SAVEPOINT begun")
                    raise
        except Exception as error:
            if not isinstance(error.__cause__ or error, errors.QueryCanceled):
                raise
            raise TimeLimit(f"This took longer than {self._seconds:g} s; ask for a shorter span of time.") from None


class Readers:
    """Connections that cannot write, kept open between reads."""

    def __init__(self, url: str, make: Callable[..., PostgresReader] = PostgresReader) -> None:
        self._url = url
        self._make = make  # what reads on a connection
        self._known_actors: KnownActors = {}
        self._idle: list[psycopg.Connection[Any]] = []
        self._slots = threading.BoundedSemaphore(READERS_MAX)
        self._closed = False

    @contextlib.contextmanager
    def reader(self, seconds: float, cancelled: Callable[[], bool]) -> Iterator[PostgresReader]:
        """A reader on one state of the store. Raises TimeLimit if none becomes free in that time."""
        if not self._slots.acquire(timeout=seconds):
            raise TimeLimit("All readers are busy; try again.")
        try:
            with self.connection() as connection:
                with failures():
                    connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
                    connection.execute(f"SET LOCAL statement_timeout = {max(1, round(seconds * 1000))}")
                    connection.execute("SELECT pg_current_snapshot()")  # chooses the state, which BEGIN does not
                    connection.execute("SAVEPOINT begun")
                reader = self._make(connection, seconds, cancelled, self._known_actors)
                try:
                    with _watched(connection, cancelled):
                        yield reader
                finally:
                    reader.ended = True
                if not connection.closed:
                    with failures():
                        connection.execute("ROLLBACK")
        finally:
            self._slots.release()

    @contextlib.contextmanager
    def connection(self) -> Iterator[psycopg.Connection[Any]]:
        """A connection at once, for a short read; it is not used again after a failure."""
        connection = self._taken()
        try:
            yield connection
        except BaseException:
            connection.close()
            raise
        if self._closed or connection.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
            connection.close()
        else:
            self._idle.append(connection)

    def _taken(self) -> psycopg.Connection[Any]:
        while True:
            try:
                connection = self._idle.pop()
            except IndexError:
                with failures():
                    return connect(self._url, **_SETTINGS)
            if alive(connection):
                return connection
            connection.close()

    def close(self) -> None:
        self._closed = True
        while self._idle:
            self._idle.pop().close()


@contextlib.contextmanager
def _watched(connection: psycopg.Connection[Any], cancelled: Callable[[], bool]) -> Iterator[None]:
    """Cancel what runs on the connection once `cancelled` says so; the connection is then not used again."""
    done = threading.Event()
    told = False

    def watch() -> None:
        nonlocal told
        while not done.wait(WATCH_SECONDS):
            if cancelled():
                told = True
                with contextlib.suppress(psycopg.Error):
                    connection.cancel_safe(timeout=5)
                time.sleep(WATCH_SECONDS)

    watcher = threading.Thread(target=watch, name="cancelling", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()
        if told:
            connection.close()
