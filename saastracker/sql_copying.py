"""What a copy reads and puts beside events, in the tables that SQL stores share. Implements `copyable`."""

import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import AbstractContextManager
from itertools import chain
from typing import TYPE_CHECKING

from saastracker.contracts import Record, Refused
from saastracker.copyable import Answer, Tallies, sealed
from saastracker.wire import Reply

if TYPE_CHECKING:
    from saastracker.sql import Rows

ANSWER_MS = 24 * 3600 * 1000  # how long an answer is kept

_PUT_ANSWERS = """INSERT INTO answers (digest, project, at, status, body) VALUES {} ON CONFLICT (digest) DO UPDATE
    SET project = excluded.project, at = excluded.at, status = excluded.status, body = excluded.body"""
_PUT_RECORD = """INSERT INTO records (kind, id, version, name, data) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (kind, id) DO UPDATE SET version = excluded.version, name = excluded.name, data = excluded.data"""
_PUT_TALLIES = {
    "usage": ("project, month, events", "(?, ?, ?)"),
    "refusals": ("project, reason, day, count", "(?, ?, ?, ?)"),
    "refused": ("project, at, reason, detail, path", "(?, ?, ?, ?, ?)"),
}


def is_sealed(rows: "Rows") -> bool:
    return bool(rows.execute("SELECT 1 FROM counters WHERE name = 'sealed'"))


def check_open(rows: "Rows") -> None:
    """Raises Unavailable in a sealed database. Whoever appends or writes holds what `seal` waits for."""
    if is_sealed(rows):
        raise sealed()


class SqlSealable(ABC):
    """Implements `copyable.Sealable`."""

    @abstractmethod
    def _reading(self) -> "AbstractContextManager[Rows]":
        """A connection for a short read."""

    @abstractmethod
    def _putting(self) -> "AbstractContextManager[Rows]":
        """A transaction."""

    @property
    def sealed(self) -> bool:
        with self._reading() as rows:
            return is_sealed(rows)

    def seal(self, sealed: bool) -> None:
        with self._putting() as rows:
            # Where several processes append, each holds the first row to its commit, and who writes the second.
            rows.execute("UPDATE counters SET value = value WHERE name = 'sequence'")
            rows.execute("UPDATE counters SET value = value + 1 WHERE name = 'change'")
            rows.execute("DELETE FROM counters WHERE name = 'sealed'")
            if sealed:
                rows.execute("INSERT INTO counters (name, value) VALUES ('sealed', 1)")


class SqlCopyable(SqlSealable):
    """Implements `copyable.Copyable` but for events and their texts."""

    def answers(self, after: bytes, limit: int) -> list[Answer]:
        oldest = time.time_ns() // 1_000_000 - ANSWER_MS
        with self._reading() as rows:
            found = rows.execute(
                """SELECT digest, project, at, status, body FROM answers WHERE digest > ? AND at > ?
                ORDER BY digest LIMIT ?""",
                (after, oldest, limit),
            )
        return [Answer(digest, project, at, Reply(status, body)) for digest, project, at, status, body in found]

    def put_answers(self, answers: Sequence[Answer], gone: Sequence[bytes]) -> None:
        with self._putting() as rows:
            rows.each("DELETE FROM answers WHERE digest = ?", [(digest,) for digest in gone])
            put = ((each.digest, each.project, each.at, each.reply.status, each.reply.body) for each in answers)
            rows.bulk(_PUT_ANSWERS, "(?, ?, ?, ?, ?)", list(chain.from_iterable(put)))

    def tallies(self) -> Tallies:
        with self._reading() as rows:
            usage = rows.execute("SELECT project, month, events FROM usage")
            refusals = rows.execute("SELECT project, reason, day, count FROM refusals")
            refused = rows.execute("SELECT project, at, reason, detail, path FROM refused ORDER BY id")
        return Tallies(
            {(project, month): events for project, month, events in usage},
            {(project, reason, day): count for project, reason, day, count in refusals},
            [Refused(*row) for row in refused],
        )

    def put_tallies(self, tallies: Tallies) -> None:
        refused = ((each.project, each.at, each.reason, each.detail, each.path) for each in tallies.refused)
        put = {
            "usage": ((*key, events) for key, events in tallies.usage.items()),
            "refusals": ((*key, count) for key, count in tallies.refusals.items()),
            "refused": refused,
        }
        with self._putting() as rows:
            for table, (columns, row) in _PUT_TALLIES.items():
                rows.execute(f"DELETE FROM {table}")
                rows.bulk(f"INSERT INTO {table} ({columns}) VALUES {{}}", row, list(chain.from_iterable(put[table])))


class SqlCopyableRecords(SqlSealable):
    """Implements `copyable.CopyableRecords`."""

    def put_records(self, records: Sequence[Record], gone: Sequence[Record]) -> None:
        with self._putting() as rows:
            rows.execute("UPDATE counters SET value = value + 1 WHERE name = 'change'")
            rows.each("DELETE FROM records WHERE kind = ? AND id = ?", [(each.kind, each.id) for each in gone])
            # Names first, which two of them may have swapped.
            named = [(each.kind, each.id) for each in records]
            rows.each("UPDATE records SET name = NULL WHERE kind = ? AND id = ?", named)
            put = [(each.kind, each.id, each.version, each.name, each.data) for each in records]
            rows.each(_PUT_RECORD, put)
