"""Events in ClickHouse. Implements `event_rows.EventRows`."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from clickhouse_connect.driver.client import Client

from saastracker.erasable import Progress
from saastracker.errors import OperatorError, Unavailable
from saastracker.event import Event
from saastracker.event_rows import EventRow, Held
from saastracker.sql import mentioned
from saastracker.sql_events import CODED
from saastracker_clickhouse import backup, schema
from saastracker_clickhouse.client import ERASE_SECONDS, STORE_SECONDS, Clients
from saastracker_clickhouse.schema import DATABASE, Tables
from saastracker_clickhouse.stored import COLUMNS, TYPES, columns, event
from saastracker_clickhouse.values import literal, of_events, translate

if TYPE_CHECKING:
    from saastracker.index_store import Arrivals

DOUBT_MAX = 100_000  # events that an insert may have left which nobody waited for to the end
TRIES = 2  # to insert, with the same token
WIDER = 4  # times as many numbers are looked at where events were erased
# Deletions and changes of rows end when all replicas have done them.
_WAITING = {"mutations_sync": 2, "lightweight_deletes_sync": 2, "distributed_ddl_task_timeout": ERASE_SECONDS}


class ClickHouseRows:
    """Implements `event_rows.EventRows` on one server, a cluster, or the engine within this process."""

    def __init__(self, url: str, *, database: str = DATABASE, cluster: str = "") -> None:
        """Makes the tables if there are none. Raises OperatorError if that cannot be done."""
        self._clients = Clients(url)
        self._tables = Tables(database, cluster)
        self._events = self._tables.events
        # Whatever one replica answers another one has, too.
        self._whole = {"select_sequential_consistency": 1} if cluster else {}
        self._durable = {"distributed_foreground_insert": 1, "insert_quorum": "auto"} if cluster else {}
        self._comment = f"saastracker insert {database}"
        try:
            with self._clients.client() as client:
                for statement in self._tables.make():
                    client.command(statement)
        except (Unavailable, ValueError) as error:
            self.close()
            raise OperatorError(self._clients.unusable(error)) from error

    # --- Writing ---

    def claim(self, owner: int) -> None:
        table = self._tables.owner
        with self._clients.client() as client:
            found = client.query(f"SELECT DISTINCT owner FROM {table}").result_rows
            if not found:
                client.command(f"INSERT INTO {table} VALUES ({owner})")
            elif found != [(owner,)]:
                raise OperatorError(
                    f"The events in ClickHouse at {self._clients.shown} belong to another installation: use its data "
                    "folder or database of small facts, or set plugin.clickhouse.database to another name"
                )

    def settle(self, last: int) -> None:
        with self._clients.client(STORE_SECONDS) as client:
            # One that nobody waits for any more may otherwise end after what follows.
            client.command(self._tables.end(self._comment))
            [(left,)] = self._ask(client, f"SELECT COUNT(*) FROM {self._events} WHERE sequence > {last}")
            if left > DOUBT_MAX:
                raise OperatorError(
                    f"ClickHouse at {self._clients.shown} has {left} events that came after the last one that the data "
                    "folder knows: it was restored from an older backup; restore the events of the same backup"
                )
            if left:
                self._delete(client, f"sequence > {last}")

    def insert(self, rows: Sequence[EventRow]) -> None:
        data = columns(rows)
        settings = {
            "insert_deduplication_token": uuid4().hex,
            "log_comment": self._comment,
            "async_insert": 0,
            **self._durable,
        }
        for attempt in range(TRIES):
            try:
                with self._clients.client(STORE_SECONDS) as client:
                    client.insert(
                        self._events, data, COLUMNS, column_type_names=TYPES, column_oriented=True, settings=settings
                    )
                return
            except Unavailable:
                if attempt + 1 == TRIES:
                    raise

    def taken(self, ids: Sequence[tuple[str, bytes]], until: int) -> set[tuple[str, bytes]]:
        found: set[tuple[str, bytes]] = set()
        with self._clients.client(STORE_SECONDS) as client:
            for project in {project for project, _ in ids}:
                wanted = ", ".join(literal(identity) for of, identity in ids if of == project)
                rows = self._ask(
                    client,
                    f"""SELECT DISTINCT id FROM {self._events}
                    WHERE project = {literal(project)} AND id IN ({wanted}) AND sequence <= {until}""",
                )
                found.update((project, identity) for (identity,) in rows)
        return found

    # --- Reading ---

    def read(self, after: int, until: int, limit: int, project: str | None = None) -> list[tuple[str, Event]]:
        only = "" if project is None else f"AND project = {literal(project)}"
        found: list[tuple[Any, ...]] = []
        with self._clients.client() as client:
            for low, high in _windows(after, until, limit, one_project=project is not None):
                found += self._ask(
                    client,
                    f"""{schema.EVENTS.format(self._events, high)} AND sequence > {low} {only}
                    ORDER BY sequence LIMIT {limit - len(found)}""",
                )
                if len(found) == limit:
                    break
        return [event(row) for row in found]

    def events(self, sequences: Sequence[int], until: int) -> list[Event]:
        if not sequences:
            return []
        with self._clients.client() as client:
            wanted = ", ".join(map(str, sequences))
            found = self._ask(client, f"{schema.EVENTS.format(self._events, until)} AND sequence IN ({wanted})")
        return [event(row)[1] for row in found]

    def arrivals(self, after: int, until: int, limit: int, near: tuple[str, int] | None = None) -> "Arrivals":
        from saastracker_clickhouse.arrivals import read, together  # noqa: PLC0415  # numpy

        found = []
        left = limit
        with self._clients.client() as client:
            for low, high in _windows(after, until, limit, one_project=near is not None):
                table = read(client, self._events, low, high, left, near, self._whole)
                found.append(table)
                left -= len(table)
                if not left:
                    break
        return together(found)

    def properties(self, sequences: Sequence[int], names: Sequence[str] = ()) -> dict[int, str]:
        if not sequences:
            return {}
        wanted = ", ".join(map(str, sequences))
        having = " OR ".join(f"properties LIKE '{some}'" for some in mentioned(names)) or "properties != ''"
        sql = f"SELECT sequence, properties FROM {self._events} WHERE sequence IN ({wanted}) AND ({having})"
        with self._clients.client() as client:
            return dict(self._ask(client, sql))

    def held(self) -> dict[str, Held]:
        sql = f"SELECT project, MIN(sequence), MAX(sequence), COUNT() FROM {self._events} GROUP BY project"
        with self._clients.client() as client:
            return {project: Held(*of) for project, *of in self._ask(client, sql)}

    def knows(self, sql: str) -> bool:
        return of_events(sql)

    def query(
        self,
        sql: str,
        parameters: Mapping[str, Any],
        until: int,
        seconds: float,
        cancelled: Callable[[], bool],
    ) -> list[tuple[Any, ...]]:
        translated = translate(sql, parameters, schema.EVENTS.format(self._events, until))
        return self._clients.query(translated, seconds, cancelled, self._whole)

    def codes(self, after: int, until: int) -> list[int]:
        if after >= until:
            return []
        lists = ", ".join(f"groupUniqArray({name}_code)" for name in CODED)
        sql = f"SELECT arrayDistinct(arrayConcat({lists})) FROM {self._events} WHERE sequence > {after}"
        with self._clients.client() as client:
            rows = self._ask(client, f"{sql} AND sequence <= {until}")
        return list(chain.from_iterable(row[0] or () for row in rows))

    # --- Erasing ---

    def erase(self, project: str, until: int) -> None:
        with self._clients.client(ERASE_SECONDS) as client:
            self._delete(client, f"project = {literal(project)} AND sequence <= {until}")

    def erase_events(self, project: str, sequences: Sequence[int], nameless: Sequence[int]) -> None:
        of = f"project = {literal(project)} AND sequence IN"
        with self._clients.client(ERASE_SECONDS) as client:
            if sequences:
                self._delete(client, f"{of} ({', '.join(map(str, sequences))})")
            if nameless:
                where = f"{of} ({', '.join(map(str, nameless))})"
                client.command(self._tables.forget_anonymous(where), settings=_WAITING)

    def purge(self) -> None:
        with self._clients.client(ERASE_SECONDS) as client:
            client.command(self._tables.purge(), settings=_WAITING)

    def _delete(self, client: Client, where: str) -> None:
        client.command(self._tables.delete(where), settings=_WAITING)

    # --- Files ---

    def size(self) -> int:
        with self._clients.client() as client:
            [(size,)] = self._ask(client, self._tables.size())
        return size or 0

    def backup(self, path: Path, until: int, progress: Progress) -> None:
        with self._clients.client() as client:
            backup.write(client, self._events, path, until, progress)

    def close(self) -> None:
        self._clients.close()

    def _ask(self, client: Client, sql: str) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in client.query(sql, settings=self._whole).result_rows]


def _windows(after: int, until: int, limit: int, *, one_project: bool) -> Iterator[tuple[int, int]]:
    """Sequence numbers to look at in turn, so that a few events by arrival are found without sorting all later ones.

    Of one project they are sorted already.
    """
    width = until if one_project else limit
    while after < until:
        high = min(until, after + width)
        yield after, high
        after, width = high, width * WIDER
