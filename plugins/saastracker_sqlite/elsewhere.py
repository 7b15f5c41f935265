"""A store in SQLite whose events' rows another engine keeps. `saastracker.event_rows` says how they stay together.

The last sequence number that is committed here tells which rows there count.
"""

import contextlib
import secrets
import sqlite3
from collections.abc import Iterable, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from saastracker.contracts import Submission
from saastracker.erasable import Progress, Write
from saastracker.event import Event
from saastracker.event_rows import EventRow, EventRows
from saastracker.sql_events import CODED
from saastracker.sql_reads_elsewhere import ReadsElsewhere, erase_rows
from saastracker_sqlite.append import COLUMNS, Appender, go_on_above, last_sequence
from saastracker_sqlite.backup import copy
from saastracker_sqlite.database import connect
from saastracker_sqlite.reader import Readers, SqliteReader
from saastracker_sqlite.store import SqliteStore

if TYPE_CHECKING:
    from saastracker_sqlite.index_elsewhere import IndexElsewhere

_CODES = [COLUMNS.index(name) for name in CODED]


class AppenderElsewhere(Appender):
    """The rows of a group are inserted before it is committed here."""

    def __init__(self, path: Path, cache_mb: int, rows: EventRows) -> None:
        super().__init__(path, cache_mb)
        self._rows = rows
        try:
            rows.claim(self._owner())
            rows.settle(self.sequence)
        except BaseException:
            self.close()
            raise

    def _owner(self) -> int:
        """The random number that the rows know this database by."""
        sql = "SELECT value FROM counters WHERE name = 'event rows'"
        row = self.connection.execute(sql).fetchone()
        if row is None:
            row = (secrets.randbits(62),)
            self.connection.execute("INSERT INTO counters (name, value) VALUES ('event rows', ?)", row)
        return int(row[0])

    def _keep(self, stored: Sequence[Event], values: Sequence[Any]) -> None:
        if not stored:
            return
        width = len(COLUMNS)
        names = {number: project for project, number in self._projects.items()}
        sequences, projects = values[::width], values[1::width]
        codes = zip(*(values[column::width] for column in _CODES), strict=True)
        # First: a commit that fails leaves rows that do not count.
        go_on_above(self.connection, sequences[-1])
        self._rows.insert(
            [
                EventRow(names[project], sequence, event, numbers)
                for project, sequence, event, numbers in zip(projects, sequences, stored, codes, strict=True)
            ]
        )

    def _stored_ids(self, submissions: Iterable[Submission]) -> set[tuple[Any, ...]]:
        ids = [
            (submission.project.id, event.id)
            for submission in submissions
            for event in submission.events
            if event.id is not None
        ]
        taken = self._rows.taken(ids, self.sequence) if ids else ()
        return {(self._project(project), identity) for project, identity in taken}

    def beat(self) -> None:
        self._rows.held()  # whether the other engine answers
        super().beat()


class ReaderElsewhere(ReadsElsewhere, SqliteReader):
    """Queries over events go to the other engine."""

    def __init__(self, rows: EventRows, connection: sqlite3.Connection, *limits: Any) -> None:
        super().__init__(connection, *limits)
        seconds, cancelled, _ = limits
        with self._limit():
            self.elsewhere(rows, last_sequence(connection), seconds, cancelled)


class StoreElsewhere(SqliteStore):
    """Implements `contracts.Store`."""

    def __init__(self, path: Path, rows: EventRows) -> None:
        try:
            super().__init__(path)
        except BaseException:
            rows.close()
            raise
        self._rows = rows
        self._readers = Readers(self._path, partial(ReaderElsewhere, rows))

    @cached_property
    def index(self) -> "IndexElsewhere":
        from saastracker_sqlite.index_elsewhere import IndexElsewhere  # noqa: PLC0415  # see `SqliteStore.index`

        return IndexElsewhere(self._path, self._readers, self._rows)

    def claim(self) -> None:
        super().claim()
        with self._claimed():  # an installation that the rows do not belong to ends here
            pass

    def _open_appender(self) -> Appender:
        return AppenderElsewhere(self._path, self._cache_mb, self._rows)

    def read_after(self, sequence: int, limit: int, project: str | None = None) -> list[tuple[str, Event]]:
        with self._readers.connection() as connection:
            until = last_sequence(connection)
        return self._rows.read(sequence, until, limit, project)

    def erase(self, project: str, write: Write, progress: Progress) -> None:
        from saastracker_sqlite.erase import erase  # noqa: PLC0415  # few servers ever do

        total = erase_rows(self._rows, project, write, progress)
        erase(self._readers, self._runner(write), project, lambda _done, _total: progress(total, total), self._codes)
        self._rows.purge()

    def erase_events(
        self, project: str, sequences: Sequence[int], days: Sequence[int] = (), nameless: Sequence[int] = ()
    ) -> None:
        self._rows.erase_events(project, sequences, nameless)
        super().erase_events(project, (), days)

    def sweep(self, project: str, ids: Sequence[str], write: Write, progress: Progress) -> None:
        from saastracker_sqlite.sweep import sweep  # noqa: PLC0415

        sweep(self._readers, self._runner(write), self._path, project, ids, progress, self._codes)
        self._rows.purge()

    def _codes(self, _connection: sqlite3.Connection, after: int, until: int) -> Iterable[int]:
        return self._rows.codes(after, until)

    def size(self) -> int:
        return super().size() + self._rows.size()

    def backup(self, path: Path, progress: Progress) -> None:
        copy(self._path, path, lambda _done, _total: None)
        try:
            with contextlib.closing(connect(path)) as copied:
                until = last_sequence(copied)
            self._rows.backup(path.with_name(f"{path.name}.events"), until, progress)
        except BaseException:
            path.unlink()
            raise

    def close(self) -> None:
        super().close()
        self._rows.close()
