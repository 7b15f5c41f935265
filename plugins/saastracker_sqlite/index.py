"""The index in SQLite: cells as BLOB rows, actors and aliases as tables."""

import contextlib
import sqlite3
from collections.abc import Collection, Iterator, Sequence
from itertools import chain
from pathlib import Path

import msgspec
import numpy as np
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
from saastracker_sqlite import bulk
from saastracker_sqlite.database import connect, failures
from saastracker_sqlite.index_writes import write
from saastracker_sqlite.reader import Readers
from saastracker_sqlite.schema import CODED, INDEX_TABLES

LAST = 2**62
PAGE = 5000  # rows
READ_SECONDS = 60.0  # that a query of the indexer may take
DAY_MS = 86_400_000

# Two codes in one number: reading rows costs by the column, and so takes a third less time.
_PAIRS = tuple(zip(CODED[::2], CODED[1::2], strict=True))
_ARRIVALS = """SELECT sequence, project, "time", {} FROM event_rows
    WHERE sequence > :after AND sequence <= :until {{}} ORDER BY sequence LIMIT :limit""".format(
    ", ".join(f'"{high}" << 32 | "{low}"' for high, low in _PAIRS)
)
_WIDTH = 3 + len(_PAIRS)
_VALUES = """SELECT sequence, value FROM event_rows
    WHERE sequence BETWEEN :after AND :until AND NULLIF(value, '') IS NOT NULL {} ORDER BY sequence"""
_NEAR = f"""AND project = (SELECT id FROM projects WHERE project = :project)
    AND "time" >= (:day - 1) * {DAY_MS} AND "time" < (:day + 2) * {DAY_MS}"""
_CELLS = """SELECT p.project, s.namespace, c.day, s.environment, c.key, c.data FROM (VALUES {}) v
    CROSS JOIN projects p ON p.project = v.column1
    CROSS JOIN index_series s ON s.project = p.id AND s.namespace = v.column2 AND s.environment = v.column4
    CROSS JOIN index_cells c ON c.project = p.id AND c.series = s.id AND c.day = v.column3 AND c.key = v.column5"""
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
_PROJECT = "(SELECT id FROM projects WHERE project = ?)"


class SqliteIndex:
    """Reads on the readers' connections; `write`, `mark` and `reset` on the writer's."""

    def __init__(self, path: Path, readers: Readers) -> None:
        self._path = path
        self._readers = readers
        self._connection: sqlite3.Connection | None = None  # of the writer's thread

    def state(self) -> IndexState:
        with self._readers.connection() as connection:
            return _state(connection)

    def arrivals(
        self, after: int, limit: int, until: int | None = None, near: tuple[str, int] | None = None
    ) -> Arrivals:
        between = {"after": after, "until": LAST if until is None else until, "limit": limit}
        of_day, condition = ({"project": near[0], "day": near[1]}, _NEAR) if near else ({}, "")
        with self._readers.connection() as connection:
            cursor = connection.execute(_ARRIVALS.format(condition), between | of_day)
            # A page at a time: as Python's numbers 100 000 events take 100 MB.
            pages = [
                np.fromiter(chain.from_iterable(rows), np.int64, len(rows) * _WIDTH).reshape(-1, _WIDTH)
                for rows in iter(lambda: cursor.fetchmany(PAGE), [])
            ]
            table = np.concatenate(pages).T.copy() if pages else np.zeros((_WIDTH, 0), np.int64)
            sequence, project, time, *pairs = table
            read = {"after": int(sequence[0]), "until": int(sequence[-1])} if pages else {"after": 0, "until": 0}
            values = connection.execute(_VALUES.format(condition), read | of_day).fetchall()
            projects = dict(connection.execute("SELECT id, project FROM projects"))
        numbers, place = np.unique(project, return_inverse=True)
        valued = np.array(values, np.float64).reshape(-1, 2)
        value = np.full(len(sequence), np.nan)
        value[np.isin(sequence, valued[:, 0])] = valued[np.isin(valued[:, 0], sequence), 1]
        codes = {}
        for (high, low), pair in zip(_PAIRS, pairs, strict=True):
            codes[high], codes[low] = pair >> 32, pair & 0xFFFF_FFFF
        return Arrivals(
            projects=[projects[number] for number in numbers.tolist()],
            project=place.astype(np.int64),
            sequence=sequence,
            time=time,
            value=value,
            codes=codes,
        )

    def texts(self, codes: Sequence[int]) -> dict[int, str]:
        wanted = msgspec.json.encode(codes).decode()
        with self._readers.connection() as connection:
            return dict(
                connection.execute("SELECT id, text FROM texts WHERE id IN (SELECT value FROM json_each(?))", (wanted,))
            )

    def actors(self, keys: Sequence[ActorKey]) -> dict[ActorKey, int]:
        with self._readers.connection() as connection:
            rows = bulk.select(connection, _ACTORS, "(?, ?, ?, ?)", list(chain.from_iterable(keys)))
        return {
            ActorKey(project, bool(anonymous), person, org): number for project, anonymous, person, org, number in rows
        }

    def cells(self, keys: Sequence[CellKey]) -> dict[CellKey, Cell]:
        with self._readers.connection() as connection:
            rows = bulk.select(connection, _CELLS, "(?, ?, ?, ?, ?)", list(chain.from_iterable(keys)))
        return {CellKey(*key): Cell.decode(data) for *key, data in rows}

    def span(self, project: str, day: int) -> Sequences | None:
        with self._readers.connection() as connection:
            row = connection.execute(
                f"SELECT low, high FROM index_days WHERE project = {_PROJECT} AND day = ?", (project, day)
            ).fetchone()
        return Sequences(*row) if row else None

    def write(self, changes: IndexChanges) -> None:
        with self._transaction() as connection:
            (now,) = connection.execute("SELECT changes FROM index_state").fetchone()
            if now != changes.after:
                raise Conflict("The index was changed meanwhile, by another process or for other days.")
            write(connection, changes)

    def mark(self, days: Sequence[tuple[str, int]]) -> None:
        with self._transaction() as connection:
            connection.executemany(f"INSERT OR IGNORE INTO index_dirty (project, day) VALUES ({_PROJECT}, ?)", days)
            # A day that is being made again at this moment is not what was marked.
            connection.execute("UPDATE index_state SET changes = changes + 1")

    def keys(self, groups: Collection[Group]) -> dict[Group, int]:
        with self._readers.connection() as connection:
            rows = bulk.select(connection, _KEYS, "(?, ?, ?, ?, ?)", list(chain.from_iterable(groups)))
        return {Group(*group): count for *group, count in rows}

    def sessions(self, project: str, low: int, high: int) -> dict[int, BitMap]:
        with self._readers.connection() as connection:
            rows = connection.execute(
                f"SELECT day, sessions FROM index_day_sessions WHERE project = {_PROJECT} AND low <= ? AND high >= ?",
                (project, high, low),
            ).fetchall()
        return {day: BitMap.deserialize(data) for day, data in rows}

    def last_chunks(self, keys: Sequence[ChunkKey]) -> dict[ChunkKey, Chunk]:
        with self._readers.connection() as connection:
            rows = bulk.select(connection, _CHUNKS, "(?, ?, ?, ?, ?)", list(chain.from_iterable(keys)))
        return {ChunkKey(*key): Chunk(number, data) for *key, number, data in rows}

    def quiet(self, share: float) -> tuple[str, int] | None:
        with self._readers.connection() as connection:
            found: tuple[str, int] | None = connection.execute(
                """SELECT p.project, o.day FROM index_state s
                CROSS JOIN index_open o JOIN projects p ON p.id = o.project
                JOIN index_days d ON d.project = o.project AND d.day = o.day
                WHERE s.watermark - d.high >= (d.high - d.low) * ? ORDER BY o.day LIMIT 1""",
                (share,),
            ).fetchone()
        return found

    def reader(self) -> contextlib.AbstractContextManager[Reader]:
        return self._readers.reader(READ_SECONDS, lambda: False)

    def units(self) -> dict[Unit, Progress]:
        with self._readers.connection() as connection:
            rows = connection.execute(
                """SELECT p.project, u.namespace, u.unit, u.version, u.watermark
                FROM index_units u JOIN projects p ON p.id = u.project"""
            ).fetchall()
        return {Unit(*unit): Progress(version, watermark) for *unit, version, watermark in rows}

    def properties(self, sequences: Sequence[int]) -> dict[int, str]:
        wanted = msgspec.json.encode(sequences).decode()
        with self._readers.connection() as connection:
            return dict(
                connection.execute(
                    """SELECT sequence, properties FROM event_rows
                    WHERE properties IS NOT NULL AND sequence IN (SELECT value FROM json_each(?))""",
                    (wanted,),
                )
            )

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with failures():
            if self._connection is None:
                self._connection = connect(self._path)
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                self.close()  # rolls back, whatever state the connection is in
                raise

    def reset(self, version: str) -> None:
        with self._transaction() as connection:
            for table in INDEX_TABLES:
                connection.execute(f"DELETE FROM index_{table}")
            connection.execute("UPDATE index_state SET watermark = 0, version = ?, changes = changes + 1", (version,))


def _state(connection: sqlite3.Connection) -> IndexState:
    watermark, version, changes = connection.execute("SELECT watermark, version, changes FROM index_state").fetchone()
    (newest,) = connection.execute("SELECT COALESCE(MAX(sequence), 0) FROM event_rows").fetchone()
    (last_actor,) = connection.execute("SELECT COALESCE(MAX(id), 0) FROM index_actors").fetchone()
    dirty = connection.execute(
        "SELECT p.project, d.day FROM index_dirty d JOIN projects p ON p.id = d.project ORDER BY d.day DESC"
    ).fetchall()
    first = connection.execute(
        # Each its own MIN: that is one look into the index, where GROUP BY walks all of it.
        """SELECT project, first FROM
            (SELECT p.project, (SELECT MIN(sequence) FROM event_rows e WHERE e.project = p.id) AS first FROM projects p)
        WHERE first IS NOT NULL"""
    )
    zones = connection.execute("SELECT p.project, z.zone FROM index_zones z JOIN projects p ON p.id = z.project")
    return IndexState(watermark, newest, last_actor, changes, version, dirty, dict(first), dict(zones))
