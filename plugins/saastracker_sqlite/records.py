"""The store of small facts in SQLite, in the same file as the events."""

import contextlib
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

from saastracker.contracts import Change, Record, Store
from saastracker.errors import Conflict
from saastracker.event_rows import EventRows
from saastracker.sql_copying import SqlCopyableRecords, check_open
from saastracker_sqlite.database import connect, failures, transaction
from saastracker_sqlite.rows import SqliteRows
from saastracker_sqlite.schema import prepare


class SqliteRecords(SqlCopyableRecords):
    """Implements `contracts.RecordStore` on one connection, which its threads take in turns."""

    def __init__(self, path: Path) -> None:
        """Makes the file if there is none. Raises OperatorError if it cannot be used."""
        path = path.resolve()
        prepare(path)
        self._path = path
        self._turn = threading.Lock()
        self._connection = connect(path)

    def change(self) -> int:
        with self._turn:
            (number,) = self._connection.execute("SELECT value FROM counters WHERE name = 'change'").fetchone()
        return int(number)

    def records(self, kind: str | None = None) -> list[Record]:
        only = "" if kind is None else "WHERE kind = :kind"
        with self._turn:
            rows = self._connection.execute(
                f"SELECT kind, id, version, data, name FROM records {only} ORDER BY rowid", {"kind": kind}
            ).fetchall()
        return [Record(*row) for row in rows]

    def newest(self, kind: str, limit: int, before: str | None = None) -> list[Record]:
        older = "" if before is None else "AND rowid < (SELECT rowid FROM records WHERE kind = :kind AND id = :before)"
        # The plus: from the end of the table, not all of a kind to sort it.
        with self._turn:
            rows = self._connection.execute(
                f"""SELECT kind, id, version, data, name FROM records WHERE +kind = :kind {older}
                ORDER BY rowid DESC LIMIT :limit""",
                {"kind": kind, "before": before, "limit": limit},
            ).fetchall()
        return [Record(*row) for row in rows]

    def write(self, changes: Sequence[Change]) -> None:
        with self._turn, failures(), self._transaction():
            check_open(SqliteRows(self._connection))
            for change in changes:
                self._write(change)
            self._connection.execute("UPDATE counters SET value = value + 1 WHERE name = 'change'")

    def usage(self, month: str) -> dict[str, int]:
        with self._turn:
            return dict(self._connection.execute("SELECT project, events FROM usage WHERE month = ?", (month,)))

    def store(self, rows: EventRows) -> Store:
        from saastracker_sqlite.elsewhere import StoreElsewhere  # noqa: PLC0415  # few need it

        return StoreElsewhere(self._path, rows)

    @contextlib.contextmanager
    def _reading(self) -> Iterator[SqliteRows]:
        with self._turn:
            yield SqliteRows(self._connection)

    @contextlib.contextmanager
    def _putting(self) -> Iterator[SqliteRows]:
        with failures(), transaction(self._path) as connection:
            yield SqliteRows(connection)

    def close(self) -> None:
        with self._turn:  # closing amid a statement of another thread waits for it with the GIL that it needs
            self._connection.close()

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:  # some failures have rolled back already
                self._connection.execute("ROLLBACK")
            raise

    def _write(self, change: Change) -> None:
        kind, record, seen = change.kind, change.id, change.version
        try:
            if change.data is None:
                sql = "DELETE FROM records WHERE kind = ? AND id = ? AND version = ?"
                written = self._connection.execute(sql, (kind, record, seen)).rowcount
            elif seen == 0:
                sql = "INSERT INTO records (kind, id, version, name, data) VALUES (?, ?, 1, ?, ?)"
                written = self._connection.execute(sql, (kind, record, change.name, change.data)).rowcount
            else:
                sql = """UPDATE records SET version = version + 1, name = ?, data = ?
                    WHERE kind = ? AND id = ? AND version = ?"""
                written = self._connection.execute(sql, (change.name, change.data, kind, record, seen)).rowcount
        except sqlite3.IntegrityError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY:
                raise Conflict(f"This {kind} exists already.") from None
            raise Conflict(f"There is already a {kind} named {change.name}.") from None
        if not written:
            raise Conflict(f"This {kind} was changed by somebody else; load it again.")
