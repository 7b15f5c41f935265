"""One group of requests becomes one transaction."""

import contextlib
import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from itertools import chain
from operator import attrgetter, itemgetter
from pathlib import Path
from typing import Any

import msgspec

from saastracker.contracts import Group, Refused, Submission
from saastracker.dictionary import Dictionary
from saastracker.event import Event
from saastracker.sql_copying import ANSWER_MS, check_open
from saastracker.sql_events import CODED, PLAIN
from saastracker.wire import Reply
from saastracker_sqlite import bulk
from saastracker_sqlite.database import WAL_MAX, beat, connect, truncate_wal
from saastracker_sqlite.dictionary import Texts
from saastracker_sqlite.rows import SqliteRows

HOUR_MS = 3600 * 1000
REFUSED_MAX = 1000  # kept per project
TRUNCATE_EVERY = 10.0  # seconds; readers that overlap without end may make it fail
TRUNCATE_WAIT_MS = 200  # how long it may hold up a busy writer

COLUMNS = ("sequence", "project", "time", "delay", *PLAIN, *CODED)
_EVENT_ROWS = "event_rows ({})".format(", ".join(f'"{name}"' for name in COLUMNS))
# NULLs are made in SQL: for each None that is bound, sqlite3 looks for an adapter, 0.3 µs an event each.
_EVENT_ROW = "({})".format(", ".join(["?"] * 4 + ["NULLIF(?, '')"] * len(PLAIN) + ["?"] * len(CODED)))
_STORED_IDS = """SELECT e.project, e.id FROM (VALUES {}) v
    CROSS JOIN event_rows e ON e.project = v.column1 AND e.id = v.column2"""
_texts = attrgetter(*CODED)


def last_sequence(connection: sqlite3.Connection) -> int:
    """The last number that was given out, 0 for none."""
    row = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'event_rows'").fetchone()
    return int(row[0]) if row else 0


def go_on_above(connection: sqlite3.Connection, last: int) -> None:
    """The next number that is given out is above this one."""
    connection.execute("DELETE FROM sqlite_sequence WHERE name = 'event_rows'")
    connection.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('event_rows', ?)", (last,))


class Appender:
    """Appends groups on a connection of its own; knows the last sequence number and the ids of texts.

    What it knows is true while its transactions succeed. After any failure it is closed, and a new
    one reads everything from disk.
    """

    def __init__(self, path: Path, cache_mb: int) -> None:
        self._wal = path.with_name(f"{path.name}-wal")
        self._truncated = 0.0
        self.connection = connect(path, cache_mb=cache_mb)
        try:
            self._texts = Texts(self.connection)
            self._dictionary = Dictionary(self._texts.find)
            self._projects: dict[str, int] = dict(self.connection.execute("SELECT project, id FROM projects"))
            self.sequence = last_sequence(self.connection)
        except BaseException:
            self.close()
            raise

    def append(self, group: Group) -> dict[tuple[str, str], int]:
        """Commit the group; only then do its events get their numbers and its repeats their answers."""
        self.connection.execute("BEGIN IMMEDIATE")
        check_open(SqliteRows(self.connection))
        first, repeats = self._sort_out(group.submissions)
        stored, usage = self._insert(first)
        self._refuse(group.refused, group.refusals)
        self.connection.execute("COMMIT")
        for event in stored:
            self.sequence += 1
            event.sequence = self.sequence
        for submission, reply in repeats:
            submission.reply = reply
        self._bound_wal()
        return usage

    def put(self, events: Sequence[tuple[str, Event]], last: int) -> None:
        """As `contracts.Store.put_events` says."""
        self.connection.execute("BEGIN IMMEDIATE")
        texts = [_texts(event) for _, event in events]
        codes = self._dictionary.codes(chain.from_iterable(texts))
        values: list[Any] = []
        for (project, event), event_texts in zip(events, texts, strict=True):
            values += _row(event.sequence, self._project(project), event)
            values += itemgetter(*event_texts)(codes)
        self._keep([event for _, event in events], values)
        go_on_above(self.connection, last)
        self.connection.execute("COMMIT")
        self.sequence = last
        self._bound_wal()

    def codes(self, project: str, texts: Sequence[str]) -> dict[str, int]:
        """As `contracts.Store.codes` says."""
        self.connection.execute("BEGIN IMMEDIATE")
        self._project(project)
        codes = self._texts.find(list(texts))
        self.connection.execute("COMMIT")
        return codes

    def change(self, work: Callable[[sqlite3.Connection], None]) -> None:
        """Do something else in a transaction of its own."""
        self.connection.execute("BEGIN IMMEDIATE")
        work(self.connection)
        self.connection.execute("COMMIT")
        self._bound_wal()

    def forget_project(self, project: str) -> None:
        """Delete the last that is known of a project without events."""

        def delete(connection: sqlite3.Connection) -> None:
            for table in ("refusals", "projects"):
                connection.execute(f"DELETE FROM {table} WHERE project = ?", (project,))

        self.change(delete)
        self._projects.pop(project, None)

    def forget_texts(self, codes: Iterable[int]) -> None:
        """Delete texts that no event has."""

        def delete(connection: sqlite3.Connection) -> None:
            wanted = msgspec.json.encode(list(codes)).decode()
            rows = connection.execute(
                "DELETE FROM texts WHERE id IN (SELECT value FROM json_each(?)) RETURNING text", (wanted,)
            )
            self._dictionary.forget(text for (text,) in rows.fetchall())

        self.change(delete)

    def beat(self) -> None:
        """Commit something tiny, and use the quiet moment to empty the WAL."""
        check_open(SqliteRows(self.connection))
        beat(self.connection)
        truncate_wal(self.connection, wait_ms=0)

    def close(self) -> None:
        """Roll back what is not committed."""
        with contextlib.suppress(sqlite3.Error):
            self.connection.close()

    def _bound_wal(self) -> None:
        """Empty the WAL also when the writer is never idle."""
        now = time.monotonic()
        if now < self._truncated + TRUNCATE_EVERY:
            return
        with contextlib.suppress(OSError):  # the group is committed, whatever happens here
            if self._wal.stat().st_size > WAL_MAX:
                self._truncated = now
                truncate_wal(self.connection, wait_ms=TRUNCATE_WAIT_MS)

    def _sort_out(self, submissions: Sequence[Submission]) -> tuple[list[Submission], list[tuple[Submission, Reply]]]:
        """Submissions to store, and repeats with the answer that each gets. Keeps the answers of new keys."""
        keys = [submission.idempotency for submission in submissions if submission.idempotency is not None]
        if not keys:
            return list(submissions), []
        found = bulk.select(
            self.connection, "SELECT digest, at, status, body FROM answers WHERE digest IN (VALUES {})", "(?)", keys
        )
        answers = {digest: (at, Reply(status, body)) for digest, at, status, body in found}
        first = []
        repeats = []
        new = []
        for submission in submissions:
            key, at = submission.idempotency, submission.received_at
            if key in answers and answers[key][0] > at - ANSWER_MS:
                repeats.append((submission, answers[key][1]))
                continue
            first.append(submission)
            reply = submission.reply
            if key is not None and 200 <= reply.status < 300:
                answers[key] = at, reply
                new.append((key, submission.project.id, at, reply.status, reply.body))
        self._keep_answers(new)
        return first, repeats

    def _keep_answers(self, rows: list[tuple[Any, ...]]) -> None:
        if not rows:
            return
        oldest = min(at for _, _, at, _, _ in rows) - ANSWER_MS
        # Up to two old ones go for each that comes: they never pile up, and no group pays for all of them.
        self.connection.execute(
            "DELETE FROM answers WHERE at <= ? AND rowid IN (SELECT rowid FROM answers ORDER BY rowid LIMIT ?)",
            (oldest, 2 * len(rows)),
        )
        self.connection.executemany(
            "INSERT OR REPLACE INTO answers (digest, project, at, status, body) VALUES (?, ?, ?, ?, ?)", rows
        )

    def _insert(self, submissions: Sequence[Submission]) -> tuple[list[Event], dict[tuple[str, str], int]]:
        """Insert the events and count them as usage; those inserted, without duplicates, and the usage."""
        texts = [_texts(event) for submission in submissions for event in submission.events]
        codes = self._dictionary.codes(chain.from_iterable(texts))
        taken = self._stored_ids(submissions)
        next_texts = iter(texts).__next__
        sequence = self.sequence
        stored: list[Event] = []
        values: list[Any] = []
        usage: dict[tuple[str, str], int] = {}
        for submission in submissions:
            before = sequence
            project = self._project(submission.project.id)
            for event in submission.events:
                event_texts = next_texts()
                if event.id is not None:
                    if (project, event.id) in taken:
                        continue
                    taken.add((project, event.id))
                sequence += 1
                values += _row(sequence, project, event)
                values += itemgetter(*event_texts)(codes)
                stored.append(event)
            period = submission.project.id, _month(submission.received_at // HOUR_MS)
            usage[period] = usage.get(period, 0) + sequence - before
        self._keep(stored, values)
        return stored, {period: self._count(*period, events) for period, events in usage.items() if events}

    def _keep(self, stored: Sequence[Event], values: Sequence[Any]) -> None:  # noqa: ARG002
        """Insert rows: `values` are those of all columns, row by row."""
        bulk.insert(self.connection, _EVENT_ROWS, _EVENT_ROW, values)

    def _count(self, project: str, month: str, events: int) -> int:
        """Add to the usage of a month; what it is then."""
        row = self.connection.execute(
            """INSERT INTO usage (project, month, events) VALUES (?, ?, ?)
            ON CONFLICT (project, month) DO UPDATE SET events = events + excluded.events RETURNING events""",
            (project, month, events),
        ).fetchone()
        return int(row[0])

    def _project(self, project: str) -> int:
        """The number of a project, a new one if it has none."""
        if project not in self._projects:
            inserted = self.connection.execute("INSERT INTO projects (project) VALUES (?)", (project,))
            self._projects[project] = int(inserted.lastrowid or 0)
        return self._projects[project]

    def _stored_ids(self, submissions: Iterable[Submission]) -> set[tuple[Any, ...]]:
        """Those (project, event id) of the submissions that are stored already."""
        pairs: list[Any] = []
        for submission in submissions:
            project = self._project(submission.project.id)
            for event in submission.events:
                if event.id is not None:
                    pairs += (project, event.id)
        return set(bulk.select(self.connection, _STORED_IDS, "(?, ?)", pairs))

    def _refuse(self, refused: Sequence[Refused], refusals: Mapping[tuple[str, str, int], int]) -> None:
        if refused:
            self.connection.executemany(
                "INSERT INTO refused (project, at, reason, detail, path) VALUES (?, ?, ?, ?, ?)",
                [(item.project, item.at, item.reason, item.detail, item.path) for item in refused],
            )
            self.connection.executemany(
                """DELETE FROM refused WHERE project = :project AND id <=
                (SELECT id FROM refused WHERE project = :project ORDER BY id DESC LIMIT 1 OFFSET :kept)""",
                [{"project": project, "kept": REFUSED_MAX} for project in {item.project for item in refused}],
            )
        self.connection.executemany(
            """INSERT INTO refusals (project, reason, day, count) VALUES (?, ?, ?, ?)
            ON CONFLICT (project, day, reason) DO UPDATE SET count = count + excluded.count""",
            [(*what, count) for what, count in refusals.items()],
        )


def _row(sequence: int, project: int, event: Event) -> tuple[Any, ...]:
    """The first of COLUMNS, those before CODED."""
    received_at = event.received_at
    happened = received_at if event.time is None else event.time
    return (
        sequence,
        project,
        happened,
        received_at - happened,
        "" if event.value is None else event.value,
        event.properties or "",
        event.traits or "",
        event.id or "",
    )


@lru_cache(64)
def _month(hour: int) -> str:
    """The calendar month, UTC, of an hour since 1970."""
    return datetime.fromtimestamp(hour * 3600, UTC).strftime("%Y-%m")
