"""A store in PostgreSQL whose events' rows another engine keeps. `saastracker.event_rows` says how they stay together.

The last sequence number that is committed here tells which rows there count. One process at a time inserts: who has the
row of that number locked.
"""

import secrets
from collections.abc import Iterable, Sequence
from functools import cached_property, partial
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg

from saastracker.contracts import Submission
from saastracker.erasable import Progress, Write
from saastracker.errors import OperatorError, Unavailable
from saastracker.event import Event
from saastracker.event_rows import EventRow, EventRows
from saastracker.sql_reads_elsewhere import ReadsElsewhere, erase_rows
from saastracker_postgres.append import Appender, Begun, Codes, Coming, Row
from saastracker_postgres.database import operator_errors
from saastracker_postgres.reader import PostgresReader, Readers
from saastracker_postgres.store import PostgresStore

if TYPE_CHECKING:
    from saastracker_postgres.index_elsewhere import IndexElsewhere

# To take back what was left, an insert and its second try may take 100 s, during which the transaction is idle. A
# machine that is gone, though, lets go of its lock in half a minute.
_SETTINGS: dict[str, str | int] = {
    "idle_in_transaction_session_timeout": "150s",
    "tcp_keepalives_idle": 10,
    "tcp_keepalives_interval": 5,
    "tcp_keepalives_count": 3,
}
_OWN = "INSERT INTO counters (name, value) VALUES ('event rows', %s) ON CONFLICT DO NOTHING"
_OWNER = "SELECT value FROM counters WHERE name = 'event rows'"
_INSERT = """SELECT nextval('inserts'), (SELECT value FROM counters WHERE name = 'inserted'), value
    FROM counters WHERE name = 'sequence' FOR UPDATE"""
_INSERTED = "UPDATE counters SET value = %s WHERE name = 'inserted'"
LAST = "SELECT value FROM counters WHERE name = 'sequence'"


class AppenderElsewhere(Appender):
    """The rows of a group are inserted before it is committed here."""

    def __init__(self, url: str, rows: EventRows) -> None:
        super().__init__(url, **_SETTINGS)
        self._rows = rows
        self._settled = False
        try:
            rows.claim(self._owner())
        except BaseException:
            self.close()
            raise

    def _owner(self) -> int:
        """The random number that the rows know this database by."""
        self.connection.execute(_OWN, (secrets.randbits(62),))
        [(owner,)] = self.connection.execute(_OWNER).fetchall()
        return int(owner)

    def _prepare(self, coming: Sequence[Coming], codes: Codes) -> Sequence[Any]:
        return [itemgetter(*each.texts)(codes) for each in coming]

    def _known_by_id(self, coming: Sequence[Coming]) -> list[int]:  # noqa: ARG002
        return []  # the other engine knows the ids

    def _begin(self, submissions: Sequence[Submission], coming: Sequence[Coming]) -> Begun:
        begun = super()._begin(submissions, coming)
        repeated = set(begun.repeated or ())
        ids = [
            (n, (each.project_id, each.event.id))
            for n, each in enumerate(coming)
            if each.event.id is not None and each.request not in repeated
        ]
        taken = self._rows.taken([identity for _, identity in ids], begun.base) if ids else set()
        gone = []
        for n, identity in ids:
            if identity in taken:
                gone.append(n)
            taken.add(identity)
        return begun._replace(gone=gone)

    def _keep(self, rows: Sequence[Row]) -> None:
        [(begun, committed, last)] = self.connection.execute(_INSERT).fetchall()
        # A crash of PostgreSQL may take back what is counted here, but then this connection is new.
        if not self._settled or begun != committed + 1:
            try:
                self._rows.settle(last)
            except OperatorError as error:
                raise Unavailable(str(error)) from error
            self._settled = True
        if not self.alive:  # this process may have slept, and another one have the lock
            raise psycopg.OperationalError("the connection was lost")
        self._rows.insert(
            [EventRow(coming.project_id, sequence, coming.event, codes) for sequence, coming, codes in rows]
        )
        self.connection.execute(_INSERTED, (begun,))

    def beat(self) -> None:
        self._rows.held()  # whether the other engine answers
        super().beat()


class ReaderElsewhere(ReadsElsewhere, PostgresReader):
    """Queries over events go to the other engine."""

    def __init__(self, rows: EventRows, connection: psycopg.Connection[Any], *limits: Any) -> None:
        super().__init__(connection, *limits)
        seconds, cancelled, _ = limits
        with self._limit():
            self.elsewhere(rows, _last(connection), seconds, cancelled)


class StoreElsewhere(PostgresStore):
    """Implements `contracts.Store`."""

    def __init__(self, url: str, rows: EventRows) -> None:
        try:
            super().__init__(url)
            self._rows = rows
            self._readers = Readers(url, partial(ReaderElsewhere, rows))
            with operator_errors():
                self._appender = self._open_appender()  # an installation that the rows do not belong to ends here
        except BaseException:
            rows.close()
            raise

    @cached_property
    def index(self) -> "IndexElsewhere":
        from saastracker_postgres.index_elsewhere import IndexElsewhere  # noqa: PLC0415  # see `PostgresStore`

        return IndexElsewhere(self._url, self._readers, self._rows)

    def _open_appender(self) -> Appender:
        return AppenderElsewhere(self._url, self._rows)

    def read_after(self, sequence: int, limit: int, project: str | None = None) -> list[tuple[str, Event]]:
        with self._readers.connection() as connection:
            until = _last(connection)
        return self._rows.read(sequence, until, limit, project)

    def erase(self, project: str, write: Write, progress: Progress) -> None:
        from saastracker_postgres.erase import erase  # noqa: PLC0415  # few servers ever do

        total = erase_rows(self._rows, project, write, progress)
        erase(self._readers, self._runner(write), project, lambda _done, _total: progress(total, total), self._codes)
        self._rows.purge()

    def erase_events(
        self, project: str, sequences: Sequence[int], days: Sequence[int] = (), nameless: Sequence[int] = ()
    ) -> None:
        self._rows.erase_events(project, sequences, nameless)
        super().erase_events(project, (), days)

    def sweep(self, project: str, ids: Sequence[str], write: Write, progress: Progress) -> None:
        from saastracker_postgres.sweep import sweep  # noqa: PLC0415

        sweep(self._readers, self._runner(write), project, ids, progress, self._codes)
        self._rows.purge()

    def _codes(self, _connection: psycopg.Connection[Any], after: int, until: int) -> Iterable[int]:
        return self._rows.codes(after, until)

    def size(self) -> int:
        return super().size() + self._rows.size()

    def backup(self, path: Path, progress: Progress) -> None:
        from saastracker_postgres.backup import dump  # noqa: PLC0415

        until = dump(self._url, path, lambda _done, _total: None)
        try:
            self._rows.backup(path.with_name(f"{path.name}.events"), until, progress)
        except BaseException:
            path.unlink()
            raise

    def close(self) -> None:
        super().close()
        self._rows.close()


def _last(connection: psycopg.Connection[Any]) -> int:
    [(last,)] = connection.execute(LAST).fetchall()
    return int(last)
