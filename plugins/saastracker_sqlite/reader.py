"""Reads beside the writer: a few connections, each on one consistent state."""

import contextlib
import re
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from saastracker.contracts import Refused
from saastracker.errors import Invalid, TimeLimit
from saastracker.event import Event
from saastracker_sqlite.database import begin_read, connect_readonly
from saastracker_sqlite.rows import read_events

if TYPE_CHECKING:  # numpy takes 13 MB, which a server is spared until there are events
    from saastracker.actors import Actors
    from saastracker.index import Day, Seen
    from saastracker.parts import Parts
    from saastracker.segments import Moments

READERS_MAX = 4  # at a time; reports beyond wait
STEPS = 20_000  # of SQLite's virtual machine, between two looks at the clock: about a millisecond

_PROP = re.compile(r"\bprop(_number)?\(\s*:(\w+)\s*\)")
_PATH = """'$."' || :{key} || '"'"""
# json_extract makes 1 of true; what it makes of lists and objects is JSON.
_TEXT = f"""CASE json_type(properties, {_PATH}) WHEN 'true' THEN 'true' WHEN 'false' THEN 'false'
    ELSE CAST(json_extract(properties, {_PATH}) AS TEXT) END"""
_NUMBER = f"""CASE WHEN json_type(properties, {_PATH}) IN ('integer', 'real')
    THEN json_extract(properties, {_PATH}) END"""


def expand(sql: str, parameters: Mapping[str, Any]) -> str:
    """Write out `prop(:key)`, a string as it is and all else as JSON, and `prop_number(:key)`, NULL for no number.

    Raises Invalid for a key with a quotation mark, which ends the key of a JSON path.
    """

    def written_out(call: re.Match[str]) -> str:
        key = call[2]
        if '"' in parameters[key]:
            raise Invalid("The name of a property cannot hold a quotation mark here.")
        return f"({(_NUMBER if call[1] else _TEXT).format(key=key)})"

    return _PROP.sub(written_out, sql)


class SqliteReader:
    """One report's reads on a connection of which it has the use."""

    def __init__(self, connection: sqlite3.Connection, seconds: float) -> None:
        self._connection = connection
        self._seconds = seconds
        self._deadline = 0.0
        connection.set_progress_handler(lambda: time.monotonic() > self._deadline, STEPS)

    def query(self, sql: str, **parameters: Any) -> list[tuple[Any, ...]]:
        with self._limit():
            return self._connection.execute(expand(sql, parameters), parameters).fetchall()

    def events(self, sequences: Sequence[int]) -> list[Event]:
        wanted = msgspec.json.encode(sequences).decode()
        with self._limit():
            found = read_events(
                self._connection, "WHERE e.sequence IN (SELECT value FROM json_each(:wanted))", {"wanted": wanted}
            )
        by_sequence = {event.sequence: event for _, event in found}
        return [by_sequence[sequence] for sequence in sequences if sequence in by_sequence]

    def rejected(self, project: str, limit: int) -> list[Refused]:
        rows = self.query(
            """SELECT project, at, reason, detail, path FROM refused WHERE project = :project
            ORDER BY id DESC LIMIT :limit""",
            project=project,
            limit=limit,
        )
        return [Refused(*row) for row in rows]

    def refusals(self, project: str) -> dict[str, int]:
        return dict(self.query("SELECT reason, count FROM refusals WHERE project = :project", project=project))

    def days(  # noqa: PLR0917
        self,
        project: str,
        namespace: str,
        first: int,
        last: int,
        keys: Sequence[str] | None = None,
        environment: str | None = None,
    ) -> "list[Day]":
        from saastracker.index import Cell, Day  # noqa: PLC0415  # see `SqliteStore.index`

        sql = """SELECT c.day, c.key, c.data FROM projects p JOIN index_cells c ON c.project = p.id
            WHERE p.project = :project AND c.namespace = :namespace AND c.day BETWEEN :first AND :last"""
        if keys is not None:
            sql += " AND c.key IN (SELECT value FROM json_each(:keys))"
        if environment is not None:
            sql += " AND c.environment = :environment"
        rows = self.query(
            sql,
            project=project,
            namespace=namespace,
            first=first,
            last=last,
            keys=None if keys is None else msgspec.json.encode(keys).decode(),
            environment=environment,
        )
        return [Day(day, key, Cell.decode(data)) for day, key, data in rows]

    def actors(self, project: str) -> "Actors":
        from saastracker.actors import Actors  # noqa: PLC0415  # see `SqliteStore.index`

        rows = self.query(
            """SELECT a.id, a.anonymous, a.person, a.org, a.first, a.last
            FROM projects p JOIN index_actors a ON a.project = p.id WHERE p.project = :project""",
            project=project,
        )
        aliases = self.query(
            """SELECT a.anonymous, a.user FROM projects p JOIN index_aliases a ON a.project = p.id
            WHERE p.project = :project""",
            project=project,
        )
        return Actors(rows, dict(aliases))

    def moments(
        self, project: str, first: int, last: int, names: Sequence[str] | None = None, environment: str | None = None
    ) -> "Moments":
        from saastracker.segments import Moments  # noqa: PLC0415  # see `SqliteStore.index`

        chunks = self._chunks("moments", project, range(first, last + 1), names, environment)
        return Moments.together([Moments.decode(name, data) for name, data in chunks])

    def parts(self, project: str, first: int, last: int, environment: str | None = None) -> "Parts":
        from saastracker.parts import Parts  # noqa: PLC0415  # see `SqliteStore.index`

        own = self._chunks("parts", project, range(first, last + 1), None, environment)
        found = [Parts.decode(data) for _, data in own]
        longer = self.query(
            """SELECT s.session, s.first, s.last FROM projects p JOIN index_sessions s ON s.project = p.id
            WHERE p.project = :project AND s.first < s.last AND s.first <= :last AND s.last >= :first""",
            project=project,
            first=first,
            last=last,
        )
        other_days = {day for _, since, until in longer for day in range(since, until + 1) if not first <= day <= last}
        others = self._chunks("parts", project, sorted(other_days), None, environment)
        sessions = [session for session, _, _ in longer]
        found += [parts.of_sessions(sessions) for parts in (Parts.decode(data) for _, data in others)]
        return Parts.together(found)

    def _chunks(
        self, kind: str, project: str, days: Sequence[int], keys: Sequence[str] | None, environment: str | None
    ) -> list[tuple[str, bytes]]:
        if not days:
            return []
        sql = """SELECT c.key, c.data FROM projects p JOIN index_chunks c ON c.project = p.id
            WHERE p.project = :project AND c.kind = :kind"""
        sql += (
            " AND c.day BETWEEN :first AND :last"
            if isinstance(days, range)
            else " AND c.day IN (SELECT value FROM json_each(:days))"
        )
        if keys is not None:
            sql += " AND c.key IN (SELECT value FROM json_each(:keys))"
        if environment is not None:
            sql += " AND c.environment = :environment"
        return self.query(
            sql,
            project=project,
            kind=kind,
            first=days[0],
            last=days[-1],
            days=msgspec.json.encode(list(days)).decode(),
            keys=None if keys is None else msgspec.json.encode(keys).decode(),
            environment=environment,
        )

    def seen(self, project: str, namespace: str) -> "list[Seen]":
        from saastracker.index import Seen  # noqa: PLC0415  # see `SqliteStore.index`

        rows = self.query(
            """SELECT s.key, s.first, s.last, s.first_sequence, s.last_sequence
            FROM projects p JOIN index_seen s ON s.project = p.id
            WHERE p.project = :project AND s.namespace = :namespace""",
            project=project,
            namespace=namespace,
        )
        return [Seen(*row) for row in rows]

    def tagged(self, project: str, namespace: str, unit: str = "") -> float:
        rows = self.query(
            """SELECT u.watermark, s.watermark FROM index_state s, projects p JOIN index_units u ON u.project = p.id
            WHERE p.project = :project AND u.namespace = :namespace AND u.unit = :unit""",
            project=project,
            namespace=namespace,
            unit=unit,
        )
        return min((done / total if total else 1.0 for done, total in rows), default=0.0)

    def environments(self, project: str) -> list[str]:
        rows = self.query(
            """SELECT DISTINCT c.environment FROM projects p JOIN index_cells c ON c.project = p.id
            WHERE p.project = :project AND c.namespace = 'type' ORDER BY 1""",
            project=project,
        )
        return [environment for (environment,) in rows]

    def texts(self, codes: Sequence[int]) -> dict[int, str]:
        return dict(
            self.query(
                "SELECT id, text FROM texts WHERE id IN (SELECT value FROM json_each(:codes))",
                codes=msgspec.json.encode(codes).decode(),
            )
        )

    @contextlib.contextmanager
    def _limit(self) -> Iterator[None]:
        self._deadline = time.monotonic() + self._seconds
        try:
            yield
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT:
                raise
            raise TimeLimit(f"This took longer than {self._seconds:g} s; ask for a shorter span of time.") from None


class Readers:
    """Connections that cannot write, kept open between reads."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._idle: list[sqlite3.Connection] = []
        self._slots = threading.BoundedSemaphore(READERS_MAX)
        self._closed = False

    @contextlib.contextmanager
    def reader(self, seconds: float) -> Iterator[SqliteReader]:
        """A reader on one state of the store. Raises TimeLimit if none becomes free in that time."""
        if not self._slots.acquire(timeout=seconds):
            raise TimeLimit("All readers are busy; try again.")
        try:
            with self.connection() as connection:
                begin_read(connection)
                try:
                    yield SqliteReader(connection, seconds)
                finally:
                    connection.set_progress_handler(None, 0)
                    connection.execute("ROLLBACK")
        finally:
            self._slots.release()

    @contextlib.contextmanager
    def connection(self) -> Iterator[sqlite3.Connection]:
        """A connection at once, for a short read."""
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = connect_readonly(self._path)
        try:
            yield connection
        finally:
            if self._closed or connection.in_transaction:
                connection.close()
            else:
                self._idle.append(connection)

    def close(self) -> None:
        self._closed = True
        while self._idle:
            self._idle.pop().close()
