"""The index in the tables that SQL stores share: cells, moments and parts as bytes, actors and aliases as rows."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager
from itertools import chain
from typing import Any

import msgspec
from pyroaring import BitMap

from saastracker.contracts import Reader
from saastracker.errors import Conflict
from saastracker.index import Cell
from saastracker.index_store import (
    ActorKey,
    Arrivals,
    CellKey,
    Chunk,
    ChunkKey,
    Group,
    IndexChanges,
    IndexState,
    Progress,
    Sequences,
    Unit,
)
from saastracker.sql import Rows, mentioned

_SERIES = """SELECT v.column1, v.column2, v.column3, s.project, s.id FROM (VALUES {}) v
    CROSS JOIN projects p ON p.project = v.column1
    CROSS JOIN index_series s ON s.project = p.id AND s.namespace = v.column2 AND s.environment = v.column3"""
_CELLS = """SELECT c.project, c.series, c.day, c.key, c.data FROM (VALUES {}) v CROSS JOIN index_cells c
    ON c.project = v.column1 AND c.series = v.column2 AND c.day = v.column3 AND c.key = v.column4"""
_ACTORS = """SELECT p.project, a.anonymous, a.person, a.org, a.id FROM (VALUES {}) v
    CROSS JOIN projects p ON p.project = v.column1
    CROSS JOIN index_actors a ON a.project = p.id AND a.anonymous = v.column2 AND a.person = v.column3
        AND a.org = v.column4"""
_CHUNKS = """SELECT p.project, c.kind, c.day, c.environment, c.key, c.number, c.data FROM (VALUES {}) v
    CROSS JOIN projects p ON p.project = v.column1
    CROSS JOIN index_chunks c ON c.project = p.id AND c.kind = v.column2 AND c.day = v.column3
        AND c.environment = v.column4 AND c.key = v.column5 AND c.number = (SELECT MAX(l.number) FROM index_chunks l
            WHERE l.project = p.id AND l.kind = v.column2 AND l.day = v.column3 AND l.environment = v.column4
                AND l.key = v.column5)"""
_KEYS = """SELECT p.project, s.namespace, c.day, s.environment, v.column5, COUNT(*) FROM (VALUES {}) v
    CROSS JOIN projects p ON p.project = v.column1
    CROSS JOIN index_series s ON s.project = p.id AND s.namespace = v.column2 AND s.environment = v.column4
    CROSS JOIN index_cells c ON c.project = p.id AND c.series = s.id AND c.day = v.column3
    WHERE v.column5 = '' OR c.key > v.column5 || '/' AND c.key < v.column5 || '0'
    GROUP BY 1, 2, 3, 4, 5"""
_QUIET = """SELECT p.project, o.day FROM index_open o
    CROSS JOIN projects p ON p.id = o.project
    CROSS JOIN index_days d ON d.project = o.project AND d.day = o.day
    WHERE (SELECT watermark FROM index_state) - d.high >= (d.high - d.low) * ? ORDER BY o.day LIMIT 1"""
_PROJECT = "(SELECT id FROM projects WHERE project = ?)"


class SqlIndex(ABC):
    """Implements `index_store.Index` but for what no two engines do alike."""

    @abstractmethod
    def _reading(self) -> AbstractContextManager[Rows]:
        """A connection for a short read."""

    @abstractmethod
    def _writing(self) -> AbstractContextManager[Rows]:
        """A transaction."""

    @abstractmethod
    def arrivals(
        self, after: int, limit: int, until: int | None = None, near: tuple[str, int] | None = None
    ) -> Arrivals:
        """See `Index`."""

    @abstractmethod
    def reader(self) -> AbstractContextManager[Reader]:
        """See `Index`."""

    def state(self) -> IndexState:
        with self._reading() as rows:
            return _state(rows)

    def texts(self, codes: Sequence[int]) -> dict[int, str]:
        return dict(self._of_numbers("SELECT id, text FROM texts WHERE id IN", codes))

    def properties(self, sequences: Sequence[int], names: Sequence[str] = ()) -> dict[int, str]:
        some = mentioned(names)
        having = " OR ".join(["properties LIKE ?"] * len(some)) or "properties IS NOT NULL"
        sql = f"SELECT sequence, properties FROM event_rows WHERE ({having}) AND sequence"
        if sequences and len(sequences) == sequences[-1] - sequences[0] + 1:  # half the time of naming each
            with self._reading() as rows:
                return dict(rows.execute(f"{sql} BETWEEN ? AND ?", (*some, sequences[0], sequences[-1])))
        return dict(self._of_numbers(f"{sql} IN", sequences, *some))

    def _of_numbers(self, sql: str, numbers: Sequence[int], *before: str) -> list[tuple[Any, ...]]:
        values = *before, msgspec.json.encode(numbers).decode()
        with self._reading() as rows:
            return rows.execute(f"{sql} {rows.dialect.numbers.format('?')}", values)

    def actors(self, keys: Sequence[ActorKey]) -> dict[ActorKey, int]:
        with self._reading() as rows:
            found = rows.bulk(_ACTORS, "(?, ?, ?, ?)", list(chain.from_iterable(keys)))
        return {
            ActorKey(project, bool(anonymous), person, org): number for project, anonymous, person, org, number in found
        }

    def cells(self, keys: Sequence[CellKey]) -> dict[CellKey, Cell]:
        wanted = {(key.project, key.namespace, key.environment) for key in keys}
        with self._reading() as rows:
            # First the few series, by themselves: they would be looked up for every key.
            found = rows.bulk(_SERIES, "(?, ?, ?)", list(chain.from_iterable(wanted)))
            series = {(project, namespace, environment): numbers for project, namespace, environment, *numbers in found}
            asked = {
                (*series[of], key.day, key.key): key
                for key in keys
                if (of := (key.project, key.namespace, key.environment)) in series
            }
            cells = rows.bulk(_CELLS, "(?, ?, ?, ?)", list(chain.from_iterable(asked)))
        return {asked[project, number, day, key]: Cell.decode(data) for project, number, day, key, data in cells}

    def keys(self, groups: Collection[Group]) -> dict[Group, int]:
        with self._reading() as rows:
            found = rows.bulk(_KEYS, "(?, ?, ?, ?, ?)", list(chain.from_iterable(groups)))
        return {Group(*group): count for *group, count in found}

    def span(self, project: str, day: int) -> Sequences | None:
        with self._reading() as rows:
            found = rows.execute(
                f"SELECT low, high FROM index_days WHERE project = {_PROJECT} AND day = ?", (project, day)
            )
        return Sequences(*found[0]) if found else None

    def sessions(self, project: str, low: int, high: int, days: Sequence[int] = ()) -> dict[int, BitMap]:
        with self._reading() as rows:
            found = rows.execute(
                f"""SELECT day, sessions FROM index_day_sessions WHERE project = {_PROJECT}
                AND (low <= ? AND high >= ? OR day IN {rows.dialect.numbers.format("?")})""",
                (project, high, low, msgspec.json.encode(days).decode()),
            )
        return {day: BitMap.deserialize(data) for day, data in found}

    def last_chunks(self, keys: Sequence[ChunkKey]) -> dict[ChunkKey, Chunk]:
        with self._reading() as rows:
            found = rows.bulk(_CHUNKS, "(?, ?, ?, ?, ?)", list(chain.from_iterable(keys)))
        return {ChunkKey(*key): Chunk(number, data) for *key, number, data in found}

    def quiet(self, share: float) -> tuple[str, int] | None:
        with self._reading() as rows:
            found: Sequence[Any] = rows.execute(_QUIET, (share,))
        return (found[0][0], found[0][1]) if found else None

    def units(self) -> dict[Unit, Progress]:
        with self._reading() as rows:
            found = rows.execute(
                """SELECT p.project, u.namespace, u.unit, u.version, u.watermark
                FROM index_units u JOIN projects p ON p.id = u.project"""
            )
        return {Unit(*unit): Progress(version, watermark) for *unit, version, watermark in found}

    def write(self, changes: IndexChanges) -> None:
        from saastracker.sql_index_writes import write  # noqa: PLC0415  # whoever only reads never writes

        with self._writing() as rows:
            # First of all: where several processes write, others now wait, and then find another number.
            if not rows.execute(
                "UPDATE index_state SET changes = changes + 1 WHERE changes = ? RETURNING changes", (changes.after,)
            ):
                raise Conflict("The index was changed meanwhile, by another process or for other days.")
            write(rows, changes)

    def mark(self, days: Sequence[tuple[str, int]]) -> None:
        with self._writing() as rows:
            rows.each(
                """INSERT INTO index_dirty (project, day) SELECT id, ? FROM projects WHERE project = ?
                ON CONFLICT (project, day) DO NOTHING""",
                [(day, project) for project, day in days],
            )
            # A day that is being made again at this moment is not what was marked.
            rows.execute("UPDATE index_state SET changes = changes + 1")

    def reset(self, version: str) -> None:
        from saastracker.sql_index_writes import clear  # noqa: PLC0415  # whoever only reads never writes

        with self._writing() as rows:
            rows.execute("UPDATE index_state SET watermark = 0, version = ?, changes = changes + 1", (version,))
            clear(rows)


def _state(rows: Rows) -> IndexState:
    [(watermark, version, changes)] = rows.execute("SELECT watermark, version, changes FROM index_state")
    [(newest,)] = rows.execute("SELECT COALESCE(MAX(sequence), 0) FROM event_rows")
    [(last_actor,)] = rows.execute("SELECT COALESCE(MAX(id), 0) FROM index_actors")
    dirty = rows.execute(
        "SELECT p.project, d.day FROM index_dirty d JOIN projects p ON p.id = d.project ORDER BY d.day DESC"
    )
    first = rows.execute(
        # Each its own MIN: that is one look into the index, where GROUP BY walks all of it.
        """SELECT project, first FROM (SELECT p.project,
            (SELECT MIN(sequence) FROM event_rows e WHERE e.project = p.id) AS first FROM projects p) f
        WHERE first IS NOT NULL"""
    )
    zones = rows.execute("SELECT p.project, z.zone FROM index_zones z JOIN projects p ON p.id = z.project")
    return IndexState(
        watermark,
        newest,
        last_actor,
        changes,
        version,
        [(each[0], each[1]) for each in dirty],
        dict(first),
        dict(zones),
    )
