"""One group of requests becomes one transaction."""

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from hashlib import blake2b
from itertools import chain
from operator import attrgetter
from typing import Any, NamedTuple
from uuid import UUID

import psycopg

from saastracker.contracts import Group, Refused, Submission
from saastracker.dictionary import Dictionary
from saastracker.event import Event
from saastracker.months import month_of
from saastracker.sql_events import CODED
from saastracker.wire import Reply
from saastracker_postgres import copying
from saastracker_postgres.database import alive, connect
from saastracker_postgres.partitions import Partitions
from saastracker_postgres.rows import clean
from saastracker_postgres.schema import LOCK, NUMBERING, stage

REFUSED_MAX = 1000  # kept per project
ATTEMPTS = 3  # when another process erases texts meanwhile
TEXTS_ERASED = "SA001"  # what `append_staged` raises then

# So long may one statement take, and wait for others' locks; who hangs amid a transaction loses it and its locks.
_SETTINGS = {
    "synchronous_commit": "on",
    "statement_timeout": "30s",
    "lock_timeout": "10s",
    "idle_in_transaction_session_timeout": "15s",
}
_COPY = "COPY staged FROM STDIN (FORMAT binary)"
_APPEND = """SELECT * FROM append_staged(
    %s, %s::int::boolean, %s::bytea[], %s::int[], %s::text[], %s::bigint[], %s::int[], %s::bytea[])"""
_texts = attrgetter(*CODED)


class _Appended(NamedTuple):
    """What `append_staged` gives back."""

    base: int
    gone: list[int] | None
    repeated: list[int] | None
    repeated_statuses: list[int] | None
    repeated_bodies: list[bytes] | None
    used_projects: list[str] | None
    used_months: list[str] | None
    used_events: list[int] | None


class Appender:
    """Appends groups on a connection of its own; knows the ids of texts and projects.

    What it knows is true while its connection lives. After any failure it is closed.
    """

    def __init__(self, url: str) -> None:
        self.connection = connect(url, **_SETTINGS)
        try:
            stage(self.connection)
            self._partitions = Partitions(self.connection)
            self._start_over()
        except BaseException:
            self.close()
            raise

    def _start_over(self) -> None:
        """Know nothing: numbers of texts or projects are no longer valid."""
        row = self.connection.execute("SELECT value FROM counters WHERE name = 'texts'").fetchone()
        self._known_texts: int = row[0] if row else 0
        self._dictionary = Dictionary(self._find)
        self._projects: dict[str, int] = {}

    @property
    def alive(self) -> bool:
        return alive(self.connection)

    def append(self, group: Group) -> dict[tuple[str, str], int]:
        """Commit the group; only then do its events get their numbers and its repeats their answers."""
        first, twins = _without_twins(group.submissions)
        for attempt in range(1, ATTEMPTS + 1):
            try:
                appended, events = self._commit(first, group)
                break
            except psycopg.Error as error:
                if error.sqlstate != TEXTS_ERASED or attempt == ATTEMPTS:
                    raise
                self._start_over()
        gone = set(appended.gone or ())
        sequence = appended.base
        for n, event in enumerate(events, 1):
            if n not in gone:
                sequence += 1
                event.sequence = sequence
        for place, status, body in zip(
            appended.repeated or (), appended.repeated_statuses or (), appended.repeated_bodies or (), strict=True
        ):
            first[place].reply = Reply(status, body)
        for twin, original in twins:
            twin.reply = original.reply
        used = zip(appended.used_projects or (), appended.used_months or (), strict=True)
        return dict(zip(used, appended.used_events or (), strict=True))

    @contextlib.contextmanager
    def change(self) -> Iterator[psycopg.Connection[Any]]:
        """Do something else in a transaction of its own."""
        with self.connection.transaction():
            yield self.connection

    def beat(self) -> None:
        """Commit something tiny."""
        self.connection.execute("UPDATE counters SET value = value + 1 WHERE name = 'heartbeat'")

    def close(self) -> None:
        """Roll back what is not committed."""
        with contextlib.suppress(psycopg.Error):
            self.connection.close()

    def _commit(self, submissions: Sequence[Submission], group: Group) -> tuple[_Appended, list[Event]]:
        events = [event for submission in submissions for event in submission.events]
        rows = self._rows(submissions)
        with self.connection.transaction():
            self._refuse(group.refused, group.refusals)
            if not submissions:
                return _Appended(0, *[None] * 7), []
            with self.connection.cursor() as cursor:
                if events:
                    with cursor.copy(_COPY) as copy:
                        copy.write(b"".join((copying.BEGIN, *rows, copying.END)))
                keyed = [(place, each) for place, each in enumerate(submissions) if each.idempotency is not None]
                cursor.execute(
                    _APPEND,
                    (
                        self._known_texts,
                        any(event.id is not None for event in events),
                        [each.idempotency for _, each in keyed],
                        [place for place, _ in keyed],
                        [each.project.id for _, each in keyed],
                        [each.received_at for _, each in keyed],
                        [each.reply.status for _, each in keyed],
                        [each.reply.body for _, each in keyed],
                    ),
                )
                [appended] = cursor.fetchall()
        return _Appended(*appended), events

    def _rows(self, submissions: Sequence[Submission]) -> list[bytes]:
        """The rows to copy. What has no number yet gets one here, in transactions before."""
        texts = [_texts(event) for submission in submissions for event in submission.events]
        codes = self._dictionary.codes(chain.from_iterable(texts))
        self._find_projects({submission.project.id for submission in submissions})
        self._partitions.prepare(
            event.received_at if event.time is None else event.time
            for submission in submissions
            for event in submission.events
        )
        rows: list[bytes] = []
        for place, submission in enumerate(submissions):
            project, month = self._projects[submission.project.id], _number(month_of(submission.received_at))
            for event in submission.events:
                n = len(rows)
                rows.append(copying.row(n + 1, place, month, project, event, texts[n], codes))
        return rows

    def _find(self, texts: list[str]) -> dict[str, int]:
        """The ids of texts, new ones for those without; committed before any event has them."""
        hashes = {_hash(text): text for text in texts}
        found = self._ids(hashes)
        new = [each for each in hashes if each not in found]
        if new:
            with self.connection.transaction():
                # One at a time, or two that add the same texts wait for each other. The events' own commit
                # writes this one to disk, too.
                self.connection.execute("SET LOCAL synchronous_commit = off")
                self.connection.execute(f"SELECT pg_advisory_xact_lock({LOCK}, {NUMBERING})")
                self.connection.execute(
                    """INSERT INTO texts (hash, text)
                    SELECT hash, text FROM unnest(%s::uuid[], %s::text[]) WITH ORDINALITY AS t(hash, text, place)
                    ORDER BY place ON CONFLICT DO NOTHING""",
                    (new, [clean(hashes[each]) for each in new]),
                )
            found |= self._ids(new)
        return {hashes[hashed]: number for hashed, number in found.items()}

    def _ids(self, hashes: Iterable[UUID]) -> dict[UUID, int]:
        rows = self.connection.execute("SELECT hash, id FROM texts WHERE hash = ANY (%s::uuid[])", (list(hashes),))
        return dict(rows.fetchall())

    def _find_projects(self, projects: set[str]) -> None:
        """Learn the numbers of projects; new ones get one."""
        unknown = sorted(projects - self._projects.keys())
        if unknown:
            self.connection.execute(
                "INSERT INTO projects (project) SELECT unnest(%s::text[]) ON CONFLICT DO NOTHING", (unknown,)
            )
            rows = self.connection.execute(
                "SELECT project, id FROM projects WHERE project = ANY (%s::text[])", (unknown,)
            )
            self._projects.update(rows.fetchall())

    def _refuse(self, refused: Sequence[Refused], refusals: Mapping[tuple[str, str, int], int]) -> None:
        if not refused and not refusals:
            return
        with psycopg.Cursor(self.connection) as cursor:
            cursor.executemany(
                "INSERT INTO refused (project, at, reason, detail, path) VALUES (%s, %s, %s, %s, %s)",
                [tuple(map(clean, (item.project, item.at, item.reason, item.detail, item.path))) for item in refused],
            )
            cursor.executemany(
                """DELETE FROM refused WHERE project = %(project)s AND id <=
                (SELECT id FROM refused WHERE project = %(project)s ORDER BY id DESC LIMIT 1 OFFSET %(kept)s)""",
                [{"project": project, "kept": REFUSED_MAX} for project in sorted({item.project for item in refused})],
            )
            # In order, or two processes wait for each other.
            cursor.executemany(
                """INSERT INTO refusals AS r (project, reason, day, count) VALUES (%s, %s, %s, %s)
                ON CONFLICT (project, day, reason) DO UPDATE SET count = r.count + excluded.count""",
                [(*what, count) for what, count in sorted(refusals.items())],
            )


def _without_twins(
    submissions: Sequence[Submission],
) -> tuple[list[Submission], list[tuple[Submission, Submission]]]:
    """Submissions to send, and repeats within the group, each with the one that it gets the answer of."""
    first: list[Submission] = []
    twins = []
    kept: dict[bytes, Submission] = {}
    for submission in submissions:
        key = submission.idempotency
        if key is None:
            first.append(submission)
        elif key in kept:
            twins.append((submission, kept[key]))
        else:
            first.append(submission)
            if 200 <= submission.reply.status < 300:
                kept[key] = submission
    return first, twins


def _hash(text: str) -> UUID:
    return UUID(bytes=blake2b(text.encode(), digest_size=16).digest())


@lru_cache(64)
def _number(month: str) -> int:
    """`2026-11` as 202611."""
    return int(month.replace("-", ""))
