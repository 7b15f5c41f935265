"""The store of events in PostgreSQL."""

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from saastracker.contracts import Group, Reader
from saastracker.erasable import Progress, Write
from saastracker.event import Event
from saastracker.sql_copying import ANSWER_MS, SqlCopyable
from saastracker.sql_events import read_events
from saastracker.wire import Reply
from saastracker_postgres.append import Appender
from saastracker_postgres.claim import Claim
from saastracker_postgres.database import connect, failures
from saastracker_postgres.reader import Readers
from saastracker_postgres.rows import PostgresRows
from saastracker_postgres.schema import prepare

if TYPE_CHECKING:
    from saastracker_postgres.index import PostgresIndex


class PostgresStore(SqlCopyable):
    """Implements `contracts.Store` on one database. Every process may append."""

    shared = True

    def __init__(self, url: str) -> None:
        """Makes the tables if there are none. Raises OperatorError if the database cannot be used."""
        prepare(url)
        self._url = url
        self._claim = Claim(url)
        self._appender: Appender | None = None
        self._readers = Readers(url)

    @cached_property
    def index(self) -> "PostgresIndex":
        from saastracker_postgres.index import PostgresIndex  # noqa: PLC0415  # numpy: 13 MB for an idle server

        return PostgresIndex(self._url, self._readers)

    def claim(self) -> None:
        self._claim.acquire()

    def append(self, group: Group) -> Mapping[tuple[str, str], int]:
        with self._appending() as appender:
            if group.submissions or group.refused or group.refusals:
                return appender.append(group)
            appender.beat()
            return {}

    @contextlib.contextmanager
    def _appending(self) -> Iterator[Appender]:
        """What writes events; it is closed, and with that rolled back, if something fails."""
        with failures():
            if self._appender is not None and not self._appender.alive:
                self._drop_appender()
            if self._appender is None:
                self._appender = self._open_appender()
            try:
                yield self._appender
            except BaseException:
                self._drop_appender()
                raise

    def _open_appender(self) -> Appender:
        return Appender(self._url)

    def _drop_appender(self) -> None:
        if self._appender is not None:
            self._appender.close()
            self._appender = None

    def answer(self, idempotency: bytes) -> Reply | None:
        oldest = time.time_ns() // 1_000_000 - ANSWER_MS
        with self._reading() as rows:
            found = rows.execute("SELECT status, body FROM answers WHERE digest = ? AND at > ?", (idempotency, oldest))
        return Reply(*found[0]) if found else None

    def read_after(self, sequence: int, limit: int, project: str | None = None) -> list[tuple[str, Event]]:
        only = "" if project is None else "AND e.project = (SELECT id FROM projects WHERE project = ?)"
        values = [sequence, *(() if project is None else (project,)), limit]
        with self._reading() as rows:
            return read_events(rows, f"WHERE e.sequence > ? {only} ORDER BY e.sequence LIMIT ?", values)

    @property
    def last(self) -> int:
        with self._reading() as rows:
            [(last,)] = rows.execute("SELECT value FROM counters WHERE name = 'sequence'")
        return int(last)

    def put_events(self, events: Sequence[tuple[str, Event]], last: int) -> None:
        with self._appending() as appender:
            appender.put(events, last)

    def codes(self, project: str, texts: Sequence[str]) -> dict[str, int]:
        with self._appending() as appender:
            appender.numbering.look()
            appender.numbering.projects({project})
            return appender.numbering.find(list(texts))

    @contextlib.contextmanager
    def _putting(self) -> Iterator[PostgresRows]:
        with failures(), contextlib.closing(connect(self._url)) as connection, connection.transaction():
            yield PostgresRows(connection)

    @contextlib.contextmanager
    def _reading(self) -> Iterator[PostgresRows]:
        with self._readers.connection() as connection, failures():
            yield PostgresRows(connection)

    def reader(
        self, seconds: float = 30.0, cancelled: Callable[[], bool] = lambda: False
    ) -> contextlib.AbstractContextManager[Reader]:
        return self._readers.reader(seconds, cancelled)

    def erase(self, project: str, write: Write, progress: Progress) -> None:
        from saastracker_postgres.erase import erase  # noqa: PLC0415  # few servers ever do

        erase(self._readers, self._runner(write), project, progress)

    def erase_events(
        self, project: str, sequences: Sequence[int], days: Sequence[int] = (), nameless: Sequence[int] = ()
    ) -> None:
        from saastracker_postgres.erase import erase_events  # noqa: PLC0415

        with self._appending() as appender, appender.change() as connection:
            erase_events(connection, project, sequences, days, nameless)

    def sweep(self, project: str, ids: Sequence[str], write: Write, progress: Progress) -> None:
        from saastracker_postgres.sweep import sweep  # noqa: PLC0415

        sweep(self._readers, self._runner(write), project, ids, progress)

    def tidy(self, write: Write, cancelled: Callable[[], bool]) -> None:  # noqa: ARG002
        from saastracker_postgres.partitions import drop_empty  # noqa: PLC0415

        self._runner(write)(lambda appender: drop_empty(appender.connection))

    def size(self) -> int:
        with self._reading() as rows:
            [(size,)] = rows.execute("SELECT pg_database_size(current_database())")
        return int(size)

    def _runner(self, write: Write) -> Callable[[Callable[[Appender], None]], None]:
        """Has the writer's thread do something with the appender."""

        def run(work: Callable[[Appender], None]) -> None:
            with self._appending() as appender:
                work(appender)

        return lambda work: write(lambda: run(work))

    def backup(self, path: Path, progress: Progress) -> None:
        from saastracker_postgres.backup import dump  # noqa: PLC0415

        dump(self._url, path, progress)

    def close(self) -> None:
        if "index" in self.__dict__:
            self.index.close()
        self._readers.close()
        self._drop_appender()
        self._claim.release()
