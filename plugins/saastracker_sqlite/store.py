"""The store of events in SQLite."""

import contextlib
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from saastracker.contracts import Group, Reader
from saastracker.erasable import Progress, Write
from saastracker.errors import OperatorError
from saastracker.event import Event
from saastracker.sql_copying import ANSWER_MS, SqlCopyable
from saastracker.sql_events import read_events
from saastracker.wire import Reply
from saastracker_sqlite.append import Appender, last_sequence
from saastracker_sqlite.backup import copy
from saastracker_sqlite.database import Lock, failures, transaction
from saastracker_sqlite.reader import Readers
from saastracker_sqlite.rows import SqliteRows
from saastracker_sqlite.schema import prepare

if TYPE_CHECKING:
    from saastracker_sqlite.index import SqliteIndex


class SqliteStore(SqlCopyable):
    """Implements `contracts.Store` on one file. Any process reads it, the one that has claimed it appends."""

    shared = False

    def __init__(self, path: Path, *, cache_mb: int = 16) -> None:
        """Makes the file if there is none. Raises OperatorError if it cannot be used."""
        self._path = path.resolve()  # two names of one file are one store
        prepare(self._path)
        self._cache_mb = cache_mb
        self._lock = Lock(self._path)
        self._appender: Appender | None = None
        self._readers = Readers(self._path)

    @cached_property
    def index(self) -> "SqliteIndex":
        from saastracker_sqlite.index import SqliteIndex  # noqa: PLC0415  # numpy: 13 MB that an idle server is spared

        return SqliteIndex(self._path, self._readers)

    def claim(self) -> None:
        if not os.access(self._path, os.W_OK):
            # SQLite would open it all the same, and keep to that while the process lives.
            raise OperatorError(f"{self._path} is read-only: make it writable (chmod u+w {self._path})")
        self._lock.acquire()

    def append(self, group: Group) -> Mapping[tuple[str, str], int]:
        with self._claimed() as appender:
            if group.submissions or group.refused or group.refusals:
                return appender.append(group)
            appender.beat()
            return {}

    @property
    def last(self) -> int:
        with self._readers.connection() as connection:
            return last_sequence(connection)

    def put_events(self, events: Sequence[tuple[str, Event]], last: int) -> None:
        with self._claimed() as appender:
            appender.put(events, last)

    def codes(self, project: str, texts: Sequence[str]) -> dict[str, int]:
        with self._claimed() as appender:
            return appender.codes(project, texts)

    @contextlib.contextmanager
    def _reading(self) -> Iterator[SqliteRows]:
        with self._readers.connection() as connection:
            yield SqliteRows(connection)

    @contextlib.contextmanager
    def _putting(self) -> Iterator[SqliteRows]:
        with failures(), transaction(self._path) as connection:
            yield SqliteRows(connection)

    def erase(self, project: str, write: Write, progress: Progress) -> None:
        from saastracker_sqlite.erase import erase  # noqa: PLC0415  # few servers ever do

        erase(self._readers, self._runner(write), project, progress)

    def erase_events(
        self, project: str, sequences: Sequence[int], days: Sequence[int] = (), nameless: Sequence[int] = ()
    ) -> None:
        from saastracker_sqlite.erase import erase_events  # noqa: PLC0415

        with self._claimed() as appender:
            appender.change(lambda connection: erase_events(connection, project, sequences, days, nameless))

    def sweep(self, project: str, ids: Sequence[str], write: Write, progress: Progress) -> None:
        from saastracker_sqlite.sweep import sweep  # noqa: PLC0415

        sweep(self._readers, self._runner(write), self._path, project, ids, progress)

    def tidy(self, write: Write, cancelled: Callable[[], bool]) -> None:
        from saastracker_sqlite.tidy import tidy  # noqa: PLC0415

        tidy(self._readers, self._runner(write), cancelled)

    def size(self) -> int:
        files = [self._path, self._path.with_name(f"{self._path.name}-wal")]
        return sum(file.stat().st_size for file in files if file.exists())

    def _runner(self, write: Write) -> Callable[[Callable[[Appender], None]], None]:
        """Has the writer's thread do something with the appender."""

        def run(work: Callable[[Appender], None]) -> None:
            with self._claimed() as appender:
                work(appender)

        return lambda work: write(lambda: run(work))

    @contextlib.contextmanager
    def _claimed(self) -> Iterator[Appender]:
        """What writes events; it is closed, and with that rolled back, if something fails."""
        if not self._lock.held:
            raise RuntimeError("events are written without claim()")
        with failures():
            if self._appender is None:
                self._appender = self._open_appender()
            try:
                yield self._appender
            except BaseException:
                self._appender.close()
                self._appender = None
                raise

    def _open_appender(self) -> Appender:
        return Appender(self._path, self._cache_mb)

    def answer(self, idempotency: bytes) -> Reply | None:
        oldest = time.time_ns() // 1_000_000 - ANSWER_MS
        with self._readers.connection() as connection:
            row = connection.execute(
                "SELECT status, body FROM answers WHERE digest = ? AND at > ?", (idempotency, oldest)
            ).fetchone()
        return Reply(*row) if row else None

    def read_after(self, sequence: int, limit: int, project: str | None = None) -> list[tuple[str, Event]]:
        only = "" if project is None else "AND p.project = ?"
        values = (sequence, *(() if project is None else (project,)), limit)
        with self._readers.connection() as connection:
            return read_events(
                SqliteRows(connection), f"WHERE e.sequence > ? {only} ORDER BY e.sequence LIMIT ?", values
            )

    def reader(
        self, seconds: float = 30.0, cancelled: Callable[[], bool] = lambda: False
    ) -> contextlib.AbstractContextManager[Reader]:
        return self._readers.reader(seconds, cancelled)

    def backup(self, path: Path, progress: Progress) -> None:
        copy(self._path, path, progress)

    def close(self) -> None:
        if "index" in self.__dict__:
            self.index.close()
        self._readers.close()
        if self._appender is not None:
            self._appender.close()  # after the readers: the last to close empties the WAL
            self._appender = None
        self._lock.release()
