"""A partition of events for every month of their time, made when its first event comes."""

import contextlib
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import psycopg
from psycopg import errors

DAY_MS = 24 * 3600 * 1000
PAST_MS = 10 * 366 * DAY_MS  # older events, and those of a future beyond a month, are in the default partition
FUTURE_MS = 31 * DAY_MS
WAIT = "1s"  # for readers of the default partition; whoever comes meanwhile waits as well

_NAMES = "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'event_rows'::regclass"


class Partitions:
    """Knows which there are, so that a group without a new month asks nothing."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection
        self._known: dict[int, None] = {}  # days since 1970 that are provided for

    def prepare(self, times: Iterable[int]) -> None:
        """Make what is missing for events of these times; where that fails they go to the default partition."""
        new = {time // DAY_MS for time in times} - self._known.keys()
        if not new:
            return
        now = time.time_ns() // 1_000_000
        there = {name for (name,) in self._connection.execute(_NAMES)}
        for day in new:
            if now - PAST_MS <= day * DAY_MS <= now + FUTURE_MS:
                self._make(day, there)
        self._known.update(dict.fromkeys(new))

    def _make(self, day: int, there: set[str]) -> None:
        date = datetime.fromtimestamp(day * DAY_MS / 1000, UTC)
        name = f"event_rows_{date:%Y_%m}"
        if name in there:
            return
        there.add(name)
        begin = datetime(date.year, date.month, 1, tzinfo=UTC)
        end = datetime(date.year + date.month // 12, date.month % 12 + 1, 1, tzinfo=UTC)
        # Others make it, readers take long, or the default partition has such events already: all of no harm.
        harmless = errors.DuplicateTable, errors.LockNotAvailable, errors.IntegrityError
        with contextlib.suppress(*harmless), self._connection.transaction():
            self._connection.execute(f"SET LOCAL lock_timeout = '{WAIT}'")
            self._connection.execute(
                f"CREATE TABLE {name} PARTITION OF event_rows FOR VALUES FROM ({_ms(begin)}) TO ({_ms(end)})"
            )


def drop_empty(connection: psycopg.Connection[Any]) -> None:
    """Drop the partitions of past months that have no events any more."""
    current = f"event_rows_{datetime.now(UTC):%Y_%m}"
    for (name,) in connection.execute(_NAMES).fetchall():
        if name == "event_rows_default" or name >= current or _any(connection, name):
            continue
        with contextlib.suppress(errors.LockNotAvailable), connection.transaction():
            connection.execute(f"SET LOCAL lock_timeout = '{WAIT}'")
            connection.execute(f"LOCK TABLE event_rows, {name} IN ACCESS EXCLUSIVE MODE")
            if not _any(connection, name):
                connection.execute(f"DROP TABLE {name}")


def _any(connection: psycopg.Connection[Any], name: str) -> bool:
    return connection.execute(f"SELECT 1 FROM {name} LIMIT 1").fetchone() is not None


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
