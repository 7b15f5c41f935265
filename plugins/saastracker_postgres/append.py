"""One group of requests becomes one transaction."""

import contextlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from operator import attrgetter
from typing import Any, NamedTuple, TypeAlias

import psycopg

from saastracker.contracts import Group, Refused, Submission
from saastracker.copyable import sealed
from saastracker.event import Event
from saastracker.months import month_of
from saastracker.sql_copying import check_open
from saastracker.sql_events import CODED
from saastracker.wire import Reply
from saastracker_postgres import copying
from saastracker_postgres.database import alive, connect
from saastracker_postgres.numbering import Numbering
from saastracker_postgres.partitions import Partitions
from saastracker_postgres.rows import PostgresRows, clean
from saastracker_postgres.schema import COLUMNS

REFUSED_MAX = 1000  # kept per project
ATTEMPTS = 3  # when another process erases texts meanwhile
TEXTS_ERASED, SEALED = "SA001", "SA002"  # what `begin_append` raises then, and where it must not begin

# So long may one statement take, and wait for others' locks; who hangs amid a transaction loses it and its locks.
_SETTINGS = {
    "synchronous_commit": "on",
    "statement_timeout": "30s",
    "lock_timeout": "10s",
    "idle_in_transaction_session_timeout": "15s",
}
_COPY = f"COPY event_rows ({', '.join(COLUMNS)}) FROM STDIN (FORMAT binary)"
# Begun and ended together with the first and last statement: a group of one event takes the time of its round trips.
_BEGIN = """BEGIN; SELECT * FROM begin_append(%s,
    %s::bytea[], %s::int[], %s::text[], %s::bigint[], %s::int[], %s::bytea[],
    %s::int[], %s::int[], %s::int[], %s::bytea[])"""
_END = "SELECT * FROM end_append(%s, %s::text[], %s::text[], %s::bigint[]); COMMIT"
_PUT_IDS = "INSERT INTO event_ids (project, id) SELECT * FROM unnest(%s::int[], %s::bytea[])"
_texts = attrgetter(*CODED)

Codes: TypeAlias = Mapping[str | None, int]


class Coming(NamedTuple):
    """An event on its way."""

    request: int  # its place among the group's
    project_id: str
    project: int
    event: Event
    texts: Sequence[str | None]


class Row(NamedTuple):
    """An event that gets a number."""

    sequence: int
    coming: Coming
    prepared: Any


class Begun(NamedTuple):
    """What `begin_append` gives back."""

    base: int
    repeated: list[int] | None
    repeated_statuses: list[int] | None
    repeated_bodies: list[bytes] | None
    gone: list[int] | None


class Appender:
    """Appends groups on a connection of its own; knows the numbers of texts and projects.

    What it knows is true while its connection lives. After any failure it is closed.
    """

    def __init__(self, url: str, **settings: str | int) -> None:
        self.connection = connect(url, **{**_SETTINGS, **settings})
        try:
            self._partitions = Partitions(self.connection)
            self.numbering = Numbering(self.connection)
        except BaseException:
            self.close()
            raise

    @property
    def alive(self) -> bool:
        return alive(self.connection)

    def append(self, group: Group) -> dict[tuple[str, str], int]:
        """Commit the group; only then do its events get their numbers and its repeats their answers."""
        first, twins = _without_twins(group.submissions)
        for attempt in range(1, ATTEMPTS + 1):
            try:
                usage = self._commit(first, group)
                break
            except psycopg.Error as error:
                if error.sqlstate == SEALED:
                    raise sealed() from None
                if error.sqlstate != TEXTS_ERASED or attempt == ATTEMPTS:
                    raise
                self.connection.rollback()
                self.numbering.erased()
        for twin, original in twins:
            twin.reply = original.reply
        return usage

    def put(self, events: Sequence[tuple[str, Event]], last: int) -> None:
        """As `contracts.Store.put_events` says."""
        self.numbering.look()
        coming, codes = self._numbered([(0, *each) for each in events])
        prepared = self._prepare(coming, codes)
        rows = [Row(each.event.sequence, each, row) for each, row in zip(coming, prepared, strict=True)]
        known = [coming[n] for n in self._known_by_id(coming)]
        with self.change() as connection:
            if rows:
                self._keep(rows)
            connection.execute(_PUT_IDS, ([each.project for each in known], [each.event.id for each in known]))
            connection.execute("UPDATE counters SET value = %s WHERE name = 'sequence'", (last,))

    @contextlib.contextmanager
    def change(self) -> Iterator[psycopg.Connection[Any]]:
        """Do something else in a transaction of its own."""
        with self.connection.transaction():
            yield self.connection

    def beat(self) -> None:
        """Commit something tiny."""
        check_open(PostgresRows(self.connection))
        self.connection.execute("UPDATE counters SET value = value + 1 WHERE name = 'heartbeat'")

    def close(self) -> None:
        """Roll back what is not committed."""
        with contextlib.suppress(psycopg.Error):
            self.connection.close()

    def _commit(self, submissions: Sequence[Submission], group: Group) -> dict[tuple[str, str], int]:
        coming, codes = self._numbered(
            [(place, each.project.id, event) for place, each in enumerate(submissions) for event in each.events]
        )
        prepared = self._prepare(coming, codes)
        begun = self._begin(submissions, coming)
        self._refuse(group.refused, group.refusals)
        gone, repeated = set(begun.gone or ()), set(begun.repeated or ())
        places = [n for n, each in enumerate(coming) if n not in gone and each.request not in repeated]
        rows = [Row(sequence, coming[n], prepared[n]) for sequence, n in enumerate(places, begun.base + 1)]
        if rows:
            self._keep(rows)
        requests = (submissions[row.coming.request] for row in rows)
        added = Counter((request.project.id, month_of(request.received_at)) for request in requests)
        usage = self._end(begun.base + len(rows), added)
        for row in rows:
            row.coming.event.sequence = row.sequence
        for place, status, body in zip(
            begun.repeated or (), begun.repeated_statuses or (), begun.repeated_bodies or (), strict=True
        ):
            submissions[place].reply = Reply(status, body)
        return usage

    def _numbered(self, sent: Sequence[tuple[int, str, Event]]) -> tuple[list[Coming], Codes]:
        """Events with their requests and projects. What has no number yet gets one here, in transactions before."""
        projects = self.numbering.projects({project for _, project, _ in sent})
        coming = [Coming(place, project, projects[project], event, _texts(event)) for place, project, event in sent]
        return coming, self.numbering.texts.codes(chain.from_iterable(each.texts for each in coming))

    def _prepare(self, coming: Sequence[Coming], codes: Codes) -> Sequence[Any]:
        """What `_keep` is given of each event: all that can be done before others wait."""
        self._partitions.prepare(
            each.event.received_at if each.event.time is None else each.event.time for each in coming
        )
        return [copying.row(each.project, each.event, each.texts, codes) for each in coming]

    def _begin(self, submissions: Sequence[Submission], coming: Sequence[Coming]) -> Begun:
        keyed = [(place, each) for place, each in enumerate(submissions) if each.idempotency is not None]
        known = self._known_by_id(coming)
        with self.connection.cursor() as cursor:
            cursor.execute(
                _BEGIN,
                (
                    self.numbering.known,
                    [each.idempotency for _, each in keyed],
                    [place for place, _ in keyed],
                    [each.project.id for _, each in keyed],
                    [each.received_at for _, each in keyed],
                    [each.reply.status for _, each in keyed],
                    [each.reply.body for _, each in keyed],
                    known,
                    [coming[n].request for n in known],
                    [coming[n].project for n in known],
                    [coming[n].event.id for n in known],
                ),
            )
            cursor.nextset()
            [begun] = cursor.fetchall()
        return Begun(*begun)

    def _known_by_id(self, coming: Sequence[Coming]) -> list[int]:
        """The places of events whose ids `begin_append` has to keep."""
        return [n for n, each in enumerate(coming) if each.event.id is not None]

    def _keep(self, rows: Sequence[Row]) -> None:
        """Insert them, within the transaction that is begun."""
        parts = [copying.BEGIN]
        for sequence, _, prepared in rows:
            parts += (copying.HEAD(copying.FIELDS, 8, sequence), prepared)
        parts.append(copying.END)
        with self.connection.cursor() as cursor, cursor.copy(_COPY) as copy:
            copy.write(b"".join(parts))

    def _end(self, last: int, added: Mapping[tuple[str, str], int]) -> dict[tuple[str, str], int]:
        """Commit; what the usage is then of those that something was added to."""
        periods = sorted(added)
        with self.connection.cursor() as cursor:
            cursor.execute(
                _END,
                (
                    last,
                    [project for project, _ in periods],
                    [month for _, month in periods],
                    [added[period] for period in periods],
                ),
            )
            return {(project, month): events for project, month, events in cursor.fetchall()}

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
            cursor.executemany(
                """INSERT INTO refusals AS r (project, reason, day, count) VALUES (%s, %s, %s, %s)
                ON CONFLICT (project, day, reason) DO UPDATE SET count = r.count + excluded.count""",
                [(*what, count) for what, count in refusals.items()],
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
