"""What a step of the indexer changes in the tables of `sql_index`."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from itertools import chain
from typing import Any

from saastracker.index import Seen
from saastracker.index_store import IndexChanges
from saastracker.scope import Span
from saastracker.sql import INDEX_TABLES, Rows

_PUT_CELLS = """INSERT INTO index_cells (project, series, day, key, data) VALUES {}
    ON CONFLICT (project, series, day, key) DO UPDATE SET data = excluded.data"""
_PUT_CHUNKS = """INSERT INTO index_chunks (project, kind, day, environment, key, number, data) VALUES {}
    ON CONFLICT (project, kind, day, environment, key, number) DO UPDATE SET data = excluded.data"""
_PUT_SESSIONS = """INSERT INTO index_sessions (project, session, first, last) VALUES {}
    ON CONFLICT (project, session) DO UPDATE SET
        first = CASE WHEN excluded.first < index_sessions.first THEN excluded.first ELSE index_sessions.first END,
        last = CASE WHEN excluded.last > index_sessions.last THEN excluded.last ELSE index_sessions.last END
    WHERE excluded.first < index_sessions.first OR excluded.last > index_sessions.last"""
_PUT_DAY_SESSIONS = """INSERT INTO index_day_sessions (project, day, low, high, sessions) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (project, day) DO UPDATE SET low = excluded.low, high = excluded.high, sessions = excluded.sessions"""
_LONGER = """SELECT s.project, s.session FROM (VALUES {}) v
    CROSS JOIN index_sessions s ON s.project = v.column1 AND s.session = v.column2"""
_SERIES = """SELECT s.id, s.project, s.namespace, s.environment FROM (VALUES {}) v
    CROSS JOIN index_series s ON s.project = v.column1 AND s.namespace = v.column2 AND s.environment = v.column3"""
_PUT_SERIES = """INSERT INTO index_series (project, namespace, environment) VALUES (?, ?, ?)
    ON CONFLICT (project, namespace, environment) DO NOTHING"""
_PUT_SPAN = """INSERT INTO index_days (project, day, low, high) VALUES (?, ?, ?, ?)
    ON CONFLICT (project, day) DO UPDATE SET
        low = CASE WHEN excluded.low < index_days.low THEN excluded.low ELSE index_days.low END,
        high = CASE WHEN excluded.high > index_days.high THEN excluded.high ELSE index_days.high END"""
_PUT_ZONE = """INSERT INTO index_zones (project, zone) VALUES (?, ?)
    ON CONFLICT (project) DO UPDATE SET zone = excluded.zone"""
_PUT_DIRTY = "INSERT INTO index_dirty (project, day) VALUES (?, ?) ON CONFLICT (project, day) DO NOTHING"
_PUT_OPEN = "INSERT INTO index_open (project, day) VALUES (?, ?) ON CONFLICT (project, day) DO NOTHING"
_PUT_ACTORS = "INSERT INTO index_actors (id, project, anonymous, person, org, first, last, changed) VALUES {}"
_WIDEN = """UPDATE index_actors SET first = CASE WHEN first < ? THEN first ELSE ? END,
    last = CASE WHEN last > ? THEN last ELSE ? END, changed = ? WHERE id = ?"""
_PUT_ALIASES = """INSERT INTO index_aliases (project, anonymous, "user", changed) VALUES (?, ?, ?, ?)
    ON CONFLICT (project, anonymous) DO NOTHING"""
_PUT_UNITS = """INSERT INTO index_units (project, namespace, unit, version, watermark) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (project, namespace, unit) DO UPDATE SET version = excluded.version, watermark = excluded.watermark"""
_PUT_SEEN = """INSERT INTO index_seen (project, namespace, key, first, last, first_sequence, last_sequence) VALUES {}
    ON CONFLICT (project, namespace, key) DO UPDATE SET
        first_sequence = CASE
            WHEN (excluded.first, excluded.first_sequence) < (index_seen.first, index_seen.first_sequence)
            THEN excluded.first_sequence ELSE index_seen.first_sequence END,
        last_sequence = CASE
            WHEN (excluded.last, excluded.last_sequence) > (index_seen.last, index_seen.last_sequence)
            THEN excluded.last_sequence ELSE index_seen.last_sequence END,
        first = CASE WHEN excluded.first < index_seen.first THEN excluded.first ELSE index_seen.first END,
        last = CASE WHEN excluded.last > index_seen.last THEN excluded.last ELSE index_seen.last END"""

_EPOCH = date(1970, 1, 1)
_Numbers = Mapping[str, int]  # of projects, by id


def write(rows: Rows, changes: IndexChanges) -> None:
    """Within the caller's transaction."""
    numbers: _Numbers = dict(rows.execute("SELECT project, id FROM projects"))
    for project, day in changes.clear:
        for table in ("cells", "days", "day_sessions", "dirty", "chunks", "open"):
            rows.execute(f"DELETE FROM index_{table} WHERE project = ? AND day = ?", (numbers[project], day))
    _forget(rows, changes, numbers)
    _narrow(rows, changes, numbers)
    _change_zones(rows, changes, numbers)
    for project, day in changes.settled:
        rows.execute("DELETE FROM index_open WHERE project = ? AND day = ?", (numbers[project], day))
    _put_days(rows, changes, numbers)
    _put_actors(rows, changes, numbers)
    _put_units(rows, changes, numbers)
    rows.execute("UPDATE index_state SET watermark = ?", (changes.watermark,))


def clear(rows: Rows) -> None:
    """All but what the events that are left cannot tell any more, within the caller's transaction.

    Where the day on which an actor or a key was first seen has no events now, they were erased since it is over:
    who was there stays, as do all aliases of such a project. Its day lies in none of those that have events.
    """
    days: dict[tuple[int, str], list[int]] = {}
    for project, zone, day in rows.execute(
        """SELECT z.project, z.zone, d.day FROM index_zones z JOIN index_days d ON d.project = z.project
        ORDER BY z.project, d.day"""
    ):
        days.setdefault((project, zone), []).append(day)
    for (project, zone), of_project in days.items():
        for first, last in _runs(of_project):
            span = Span(_EPOCH + timedelta(days=first), _EPOCH + timedelta(days=last), zone)
            for table in ("actors", "seen"):
                rows.execute(
                    f"DELETE FROM index_{table} WHERE project = ? AND first >= ? AND first < ?",
                    (project, span.start, span.end),
                )
    rows.execute(
        """DELETE FROM index_aliases WHERE project NOT IN (SELECT project FROM index_actors)
        AND project NOT IN (SELECT project FROM index_seen)"""
    )
    # Those whose definition has changed are still told from others, and forgotten then with their keys.
    rows.execute("UPDATE index_units SET watermark = 0")
    for table in INDEX_TABLES:
        if table not in {"actors", "seen", "aliases", "units"}:
            rows.execute(f"DELETE FROM index_{table}")


def _runs(days: Sequence[int]) -> Iterator[tuple[int, int]]:
    """The first and last of days that follow each other without a gap."""
    first = last = days[0]
    for day in days[1:]:
        if day != last + 1:
            yield first, last
            first = day
        last = day
    yield first, last


def _forget(rows: Rows, changes: IndexChanges, numbers: _Numbers) -> None:
    for project, namespace, unit in changes.forget:
        number = numbers.get(project)
        # The keys of a definition are its id, and those behind it and a slash, which "0" follows.
        keys, of_unit = (
            ("AND (key = ? OR (key >= ? AND key < ?))", (unit, f"{unit}/", f"{unit}0")) if unit else ("", ())
        )
        of_namespace = {
            "cells": "series IN (SELECT id FROM index_series WHERE project = ? AND namespace = ?)",
            "seen": "project = ? AND namespace = ?",
        }
        for table, where in of_namespace.items():
            rows.execute(
                f"DELETE FROM index_{table} WHERE project = ? AND {where} {keys}",
                (number, number, namespace, *of_unit),
            )
        rows.execute(
            "DELETE FROM index_units WHERE project = ? AND namespace = ? AND unit = ?", (number, namespace, unit)
        )


def _narrow(rows: Rows, changes: IndexChanges, numbers: _Numbers) -> None:
    rows.each("DELETE FROM index_actors WHERE id = ?", [(number,) for number in changes.gone])
    rows.each(
        "UPDATE index_actors SET first = ?, last = ?, changed = ? WHERE id = ?",
        [(*times, changes.number, number) for number, times in changes.narrowed.items()],
    )
    for table, keys in (
        ("index_aliases WHERE project = ? AND anonymous = ?", changes.unjoined),
        ("index_sessions WHERE project = ? AND session = ?", changes.shorter),
        ("index_seen WHERE project = ? AND namespace = ? AND key = ?", changes.unseen),
    ):
        rows.each(f"DELETE FROM {table}", [(numbers[project], *key) for project, *key in keys])
    rows.each(_PUT_DIRTY, [(numbers[project], day) for project, day in changes.dirty])


def _change_zones(rows: Rows, changes: IndexChanges, numbers: _Numbers) -> None:
    for project, zone in changes.zones.items():
        number = numbers[project]
        before = rows.execute("SELECT zone FROM index_zones WHERE project = ?", (number,))
        rows.execute(_PUT_ZONE, (number, zone))
        if not before or before[0][0] == zone:
            continue
        spans = rows.execute("SELECT day, low, high FROM index_days WHERE project = ?", (number,))
        # Time zones lie up to 26 hours apart: an event may now belong to the day after the next.
        near = [(number, day + shift, low, high) for day, low, high in spans for shift in range(-2, 3)]
        rows.each(_PUT_SPAN, near)
        rows.each(_PUT_DIRTY, sorted({row[:2] for row in near}))


def _put_days(rows: Rows, changes: IndexChanges, numbers: _Numbers) -> None:
    series = _series(rows, {(numbers[key.project], key.namespace, key.environment) for key in changes.cells})
    cells: list[Any] = []
    for key, cell in changes.cells.items():
        number = numbers[key.project]
        cells += number, series[number, key.namespace, key.environment], key.day, key.key, cell.encode()
    rows.bulk(_PUT_CELLS, "(?, ?, ?, ?, ?)", cells)
    chunks = [(numbers[key.project], *key[1:], number, data) for (key, number), data in changes.chunks.items()]
    rows.bulk(_PUT_CHUNKS, "(?, ?, ?, ?, ?, ?, ?)", list(chain.from_iterable(chunks)))
    rows.each(
        _PUT_DAY_SESSIONS,
        [
            (numbers[project], day, sessions.min(), sessions.max(), sessions.serialize())
            for (project, day), sessions in changes.sessions.items()
        ],
    )
    longer = {(numbers[project], session): days for (project, session), days in changes.longer.items()}
    known = {*rows.bulk(_LONGER, "(?, ?)", list(chain.from_iterable(longer)))}
    carried = {(row[0], day) for row, days in longer.items() if row not in known for day in days}
    _open_days(rows, {*carried, *((numbers[project], day) for project, day in changes.days)})
    spans = chain.from_iterable((*row, days[0], days[-1]) for row, days in longer.items())
    rows.bulk(_PUT_SESSIONS, "(?, ?, ?, ?)", list(spans))
    rows.each(_PUT_SPAN, [(numbers[project], day, *span) for (project, day), span in changes.days.items()])


def _open_days(rows: Rows, days: Collection[tuple[Any, ...]]) -> None:
    """Days of which something new is known, as number of the project and day, are no longer settled."""
    rows.each("DELETE FROM index_chunks WHERE project = ? AND kind = 'settled' AND day = ?", days)
    rows.each(_PUT_OPEN, days)


def _series(rows: Rows, wanted: set[tuple[int, str, str]]) -> dict[tuple[int, str, str], int]:
    """The ids of series by project's number, namespace and environment; new ones are made."""
    rows.each(_PUT_SERIES, sorted(wanted))
    found = rows.bulk(_SERIES, "(?, ?, ?)", list(chain.from_iterable(wanted)))
    return {(project, namespace, environment): number for number, project, namespace, environment in found}


def _put_actors(rows: Rows, changes: IndexChanges, numbers: _Numbers) -> None:
    actors = [
        (actor.number, numbers[key.project], *key[1:], actor.first, actor.last, changes.number)
        for key, actor in changes.actors.items()
    ]
    rows.bulk(_PUT_ACTORS, "(?, ?, ?, ?, ?, ?, ?, ?)", list(chain.from_iterable(actors)))
    rows.each(
        _WIDEN,
        [(first, first, last, last, changes.number, number) for number, (first, last) in changes.seen.items()],
    )
    rows.each(
        _PUT_ALIASES,
        [(numbers[project], anonymous, user, changes.number) for (project, anonymous), user in changes.aliases.items()],
    )


def _put_units(rows: Rows, changes: IndexChanges, numbers: _Numbers) -> None:
    rows.each(_PUT_UNITS, [(numbers[unit.project], *unit[1:], *progress) for unit, progress in changes.units.items()])
    seen = [
        (numbers[project], namespace, *each)
        for (project, namespace), of_namespace in changes.seen_keys.items()
        for each in _merged(of_namespace)
    ]
    rows.bulk(_PUT_SEEN, "(?, ?, ?, ?, ?, ?, ?)", list(chain.from_iterable(seen)))


def _merged(seen: Iterable[Seen]) -> Iterable[Seen]:
    """One of each key: PostgreSQL puts no row twice in one statement."""
    merged: dict[str, Seen] = {}
    for each in seen:
        known = merged.setdefault(each.key, each)
        if known is each:
            continue
        first = min(known, each, key=lambda one: (one.first, one.first_sequence))
        last = max(known, each, key=lambda one: (one.last, one.last_sequence))
        merged[each.key] = Seen(each.key, first.first, last.last, first.first_sequence, last.last_sequence)
    return merged.values()
