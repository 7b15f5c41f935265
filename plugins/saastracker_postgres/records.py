"""The store of small facts in PostgreSQL, in the same database as the events."""

import contextlib
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import psycopg
from psycopg import errors

from saastracker.contracts import Change, Record, Store
from saastracker.errors import Conflict
from saastracker.event_rows import EventRows
from saastracker.sql_copying import SqlCopyableRecords, check_open
from saastracker_postgres.database import alive, connect, failures, fetch
from saastracker_postgres.rows import PostgresRows
from saastracker_postgres.schema import prepare

_SETTINGS = {"statement_timeout": "30s", "lock_timeout": "10s", "idle_in_transaction_session_timeout": "15s"}
_RECORD = "SELECT kind, id, version, data, name FROM records"


class PostgresRecords(SqlCopyableRecords):
    """Implements `contracts.RecordStore` on one connection, which its threads take in turns."""

    def __init__(self, url: str) -> None:
        """Makes the tables if there are none. Raises OperatorError if the database cannot be used."""
        prepare(url)
        self._url = url
        self._turn = threading.Lock()
        self._connection: psycopg.Connection[Any] | None = None

    def change(self) -> int:
        [(number,)] = self._read("SELECT value FROM counters WHERE name = 'change'")
        return int(number)

    def records(self, kind: str | None = None) -> list[Record]:
        only = "" if kind is None else "WHERE kind = %(kind)s"
        return [Record(*row) for row in self._read(f"{_RECORD} {only} ORDER BY number", kind=kind)]

    def newest(self, kind: str, limit: int, before: str | None = None) -> list[Record]:
        older = (
            ""
            if before is None
            else "AND number < (SELECT number FROM records WHERE kind = %(kind)s AND id = %(before)s)"
        )
        rows = self._read(
            f"{_RECORD} WHERE kind = %(kind)s {older} ORDER BY number DESC LIMIT %(limit)s",
            kind=kind,
            before=before,
            limit=limit,
        )
        return [Record(*row) for row in rows]

    def write(self, changes: Sequence[Change]) -> None:
        with self._connected() as connection, connection.transaction():
            # First of all: others wait for this row, so that no two of them wait for each other.
            connection.execute("UPDATE counters SET value = value + 1 WHERE name = 'change'")
            check_open(PostgresRows(connection))
            for change in changes:
                _write(connection, change)

    def usage(self, month: str) -> dict[str, int]:
        return dict(self._read("SELECT project, events FROM usage WHERE month = %(month)s", month=month))

    def store(self, rows: EventRows) -> Store:
        from saastracker_postgres.elsewhere import StoreElsewhere  # noqa: PLC0415  # few need it

        return StoreElsewhere(self._url, rows)

    def close(self) -> None:
        with self._turn:
            self._drop()

    def _read(self, sql: str, **values: Any) -> list[tuple[Any, ...]]:
        with self._connected() as connection:
            return fetch(connection, sql, values)

    @contextlib.contextmanager
    def _reading(self) -> Iterator[PostgresRows]:
        with self._connected() as connection:
            yield PostgresRows(connection)

    @contextlib.contextmanager
    def _putting(self) -> Iterator[PostgresRows]:
        with self._connected() as connection, connection.transaction():
            yield PostgresRows(connection)

    @contextlib.contextmanager
    def _connected(self) -> Iterator[psycopg.Connection[Any]]:
        with self._turn, failures():
            if self._connection is None or not alive(self._connection):
                self._drop()
                self._connection = connect(self._url, **_SETTINGS)
            try:
                yield self._connection
            except psycopg.OperationalError:
                self._drop()
                raise

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _write(connection: psycopg.Connection[Any], change: Change) -> None:
    kind, record, seen = change.kind, change.id, change.version
    try:
        if change.data is None:
            sql = "DELETE FROM records WHERE kind = %s AND id = %s AND version = %s"
            written = connection.execute(sql, (kind, record, seen)).rowcount
        elif seen == 0:
            sql = "INSERT INTO records (kind, id, version, name, data) VALUES (%s, %s, 1, %s, %s)"
            written = connection.execute(sql, (kind, record, change.name, change.data)).rowcount
        else:
            sql = """UPDATE records SET version = version + 1, name = %s, data = %s
                WHERE kind = %s AND id = %s AND version = %s"""
            written = connection.execute(sql, (change.name, change.data, kind, record, seen)).rowcount
    except errors.UniqueViolation as error:
        if error.diag.constraint_name == "records_pkey":
            raise Conflict(f"This {kind} exists already.") from None
        raise Conflict(f"There is already a {kind} named {change.name}.") from None
    if not written:
        raise Conflict(f"This {kind} was changed by somebody else; load it again.")
