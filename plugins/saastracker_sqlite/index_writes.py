"""What a step of the indexer changes in SQLite."""

import sqlite3
from collections.abc import Collection, Mapping
from itertools import chain
from typing import Any

from saastracker.index_store import IndexChanges
from saastracker_sqlite import bulk

_PUT_CELLS = """INSERT INTO index_cells (project, series, day, key, data) VALUES {}
    ON CONFLICT DO UPDATE SET data = excluded.data"""
_PUT_CHUNKS = """INSERT INTO index_chunks (project, kind, day, environment, key, number, data) VALUES {}
    ON CONFLICT DO UPDATE SET data = excluded.data"""
_PUT_SESSIONS = """INSERT INTO index_sessions (project, session, first, last) VALUES {}
    ON CONFLICT DO UPDATE SET first = MIN(first, excluded.first), last = MAX(last, excluded.last)
    WHERE excluded.first < first OR excluded.last > last"""
_PUT_DAY_SESSIONS = """INSERT OR REPLACE INTO index_day_sessions (project, day, low, high, sessions)
    VALUES (?, ?, ?, ?, ?)"""
_LONGER = """SELECT s.project, s.session FROM (VALUES {}) v
    CROSS JOIN index_sessions s ON s.project = v.column1 AND s.session = v.column2"""
_SERIES = """SELECT s.id, s.project, s.namespace, s.environment FROM (VALUES {}) v
    CROSS JOIN index_series s ON s.project = v.column1 AND s.namespace = v.column2 AND s.environment = v.column3"""
_PUT_SPAN = """INSERT INTO index_days (project, day, low, high) VALUES (?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET low = MIN(low, excluded.low), high = MAX(high, excluded.high)"""
_PUT_UNITS = """INSERT INTO index_units (project, namespace, unit, version, watermark) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET version = excluded.version, watermark = excluded.watermark"""
_PUT_SEEN = """INSERT INTO index_seen (project, namespace, key, first, last, first_sequence, last_sequence) VALUES {}
    ON CONFLICT DO UPDATE SET
        first_sequence = CASE WHEN (excluded.first, excluded.first_sequence) < (first, first_sequence)
            THEN excluded.first_sequence ELSE first_sequence END,
        last_sequence = CASE WHEN (excluded.last, excluded.last_sequence) > (last, last_sequence)
            THEN excluded.last_sequence ELSE last_sequence END,
        first = MIN(first, excluded.first), last = MAX(last, excluded.last)"""

_Numbers = Mapping[str, int]  # of projects, by id


def write(connection: sqlite3.Connection, changes: IndexChanges) -> None:
    """Within the caller's transaction."""
    numbers: _Numbers = dict(connection.execute("SELECT project, id FROM projects"))
    for project, day in changes.clear:
        for table in ("cells", "days", "day_sessions", "dirty", "chunks", "open"):
            connection.execute(f"DELETE FROM index_{table} WHERE project = ? AND day = ?", (numbers[project], day))
    _forget(connection, changes, numbers)
    _narrow(connection, changes, numbers)
    _change_zones(connection, changes, numbers)
    for project, day in changes.settled:
        connection.execute("DELETE FROM index_open WHERE project = ? AND day = ?", (numbers[project], day))
    _put_days(connection, changes, numbers)
    _put_actors(connection, changes, numbers)
    _put_units(connection, changes, numbers)
    connection.execute("UPDATE index_state SET watermark = ?, changes = changes + 1", (changes.watermark,))


def _forget(connection: sqlite3.Connection, changes: IndexChanges, numbers: _Numbers) -> None:
    for project, namespace, unit in changes.forget:
        of_unit = numbers.get(project), namespace, unit
        # The keys of a definition are its id, and those behind it and a slash, which "0" follows.
        keys = "AND (key = ?3 OR (key >= ?3 || '/' AND key < ?3 || '0'))" if unit else ""
        of_namespace = {
            "cells": "series IN (SELECT id FROM index_series WHERE project = ?1 AND namespace = ?2)",
            "seen": "namespace = ?2",
        }
        for table, where in of_namespace.items():
            connection.execute(
                f"DELETE FROM index_{table} WHERE project = ?1 AND {where} {keys}", of_unit[: 3 if unit else 2]
            )
        connection.execute("DELETE FROM index_units WHERE project = ? AND namespace = ? AND unit = ?", of_unit)


def _narrow(connection: sqlite3.Connection, changes: IndexChanges, numbers: _Numbers) -> None:
    connection.executemany("DELETE FROM index_actors WHERE id = ?", [(number,) for number in changes.gone])
    connection.executemany(
        "UPDATE index_actors SET first = ?, last = ? WHERE id = ?",
        [(*times, number) for number, times in changes.narrowed.items()],
    )
    for table, rows in (
        ("index_aliases WHERE project = ? AND anonymous = ?", changes.unjoined),
        ("index_sessions WHERE project = ? AND session = ?", changes.shorter),
        ("index_seen WHERE project = ? AND namespace = ? AND key = ?", changes.unseen),
    ):
        connection.executemany(f"DELETE FROM {table}", [(numbers[project], *row) for project, *row in rows])
    connection.executemany(
        "INSERT OR IGNORE INTO index_dirty (project, day) VALUES (?, ?)",
        [(numbers[project], day) for project, day in changes.dirty],
    )


def _change_zones(connection: sqlite3.Connection, changes: IndexChanges, numbers: _Numbers) -> None:
    for project, zone in changes.zones.items():
        number = numbers[project]
        before = connection.execute("SELECT zone FROM index_zones WHERE project = ?", (number,)).fetchone()
        connection.execute("INSERT OR REPLACE INTO index_zones (project, zone) VALUES (?, ?)", (number, zone))
        if before is None or before[0] == zone:
            continue
        spans = connection.execute("SELECT day, low, high FROM index_days WHERE project = ?", (number,)).fetchall()
        # Time zones lie up to 26 hours apart: an event may now belong to the day after the next.
        near = [(number, day + shift, low, high) for day, low, high in spans for shift in range(-2, 3)]
        connection.executemany(_PUT_SPAN, near)
        connection.executemany(
            "INSERT OR IGNORE INTO index_dirty (project, day) VALUES (?, ?)", sorted({row[:2] for row in near})
        )


def _put_days(connection: sqlite3.Connection, changes: IndexChanges, numbers: _Numbers) -> None:
    series = _series(connection, {(numbers[key.project], key.namespace, key.environment) for key in changes.cells})
    cells: list[Any] = []
    for key, cell in changes.cells.items():
        number = numbers[key.project]
        cells += number, series[number, key.namespace, key.environment], key.day, key.key, cell.encode()
    bulk.select(connection, _PUT_CELLS, "(?, ?, ?, ?, ?)", cells)
    chunks = [(numbers[key.project], *key[1:], number, data) for (key, number), data in changes.chunks.items()]
    bulk.select(connection, _PUT_CHUNKS, "(?, ?, ?, ?, ?, ?, ?)", list(chain.from_iterable(chunks)))
    connection.executemany(
        _PUT_DAY_SESSIONS,
        [
            (numbers[project], day, sessions.min(), sessions.max(), sessions.serialize())
            for (project, day), sessions in changes.sessions.items()
        ],
    )
    longer = {(numbers[project], session): days for (project, session), days in changes.longer.items()}
    known = {*bulk.select(connection, _LONGER, "(?, ?)", list(chain.from_iterable(longer)))}
    carried = {(row[0], day) for row, days in longer.items() if row not in known for day in days}
    _open_days(connection, {*carried, *((numbers[project], day) for project, day in changes.days)})
    spans = chain.from_iterable((*row, days[0], days[-1]) for row, days in longer.items())
    bulk.select(connection, _PUT_SESSIONS, "(?, ?, ?, ?)", list(spans))
    connection.executemany(_PUT_SPAN, [(numbers[project], day, *span) for (project, day), span in changes.days.items()])


def _open_days(connection: sqlite3.Connection, days: Collection[tuple[Any, ...]]) -> None:
    """Days of which something new is known, as number of the project and day, are no longer settled."""
    connection.executemany("DELETE FROM index_chunks WHERE project = ? AND kind = 'settled' AND day = ?", days)
    connection.executemany("INSERT OR IGNORE INTO index_open (project, day) VALUES (?, ?)", days)


def _series(connection: sqlite3.Connection, wanted: set[tuple[int, str, str]]) -> dict[tuple[int, str, str], int]:
    """The ids of series by project's number, namespace and environment; new ones are made."""
    connection.executemany(
        "INSERT OR IGNORE INTO index_series (project, namespace, environment) VALUES (?, ?, ?)", sorted(wanted)
    )
    rows = bulk.select(connection, _SERIES, "(?, ?, ?)", list(chain.from_iterable(wanted)))
    return {(project, namespace, environment): number for number, project, namespace, environment in rows}


def _put_actors(connection: sqlite3.Connection, changes: IndexChanges, numbers: _Numbers) -> None:
    connection.executemany(
        "INSERT INTO index_actors (id, project, anonymous, person, org, first, last) VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            (actor.number, numbers[key.project], *key[1:], actor.first, actor.last)
            for key, actor in changes.actors.items()
        ],
    )
    connection.executemany(
        "UPDATE index_actors SET first = MIN(first, ?), last = MAX(last, ?) WHERE id = ?",
        [(first, last, number) for number, (first, last) in changes.seen.items()],
    )
    connection.executemany(
        "INSERT OR IGNORE INTO index_aliases (project, anonymous, user) VALUES (?, ?, ?)",
        [(numbers[project], anonymous, user) for (project, anonymous), user in changes.aliases.items()],
    )


def _put_units(connection: sqlite3.Connection, changes: IndexChanges, numbers: _Numbers) -> None:
    connection.executemany(
        _PUT_UNITS, [(numbers[unit.project], *unit[1:], *progress) for unit, progress in changes.units.items()]
    )
    seen = [
        (numbers[project], namespace, *each)
        for (project, namespace), of_namespace in changes.seen_keys.items()
        for each in of_namespace
    ]
    bulk.select(connection, _PUT_SEEN, "(?, ?, ?, ?, ?, ?, ?)", list(chain.from_iterable(seen)))
