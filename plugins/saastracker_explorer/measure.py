"""Measures events: the SQL of a question, and what its rows add up to."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from saastracker.conditions import DAY_MS, HOUR_MS, ORGANIZATION, conditions, local_time
from saastracker.contracts import Reader
from saastracker.errors import Invalid
from saastracker.event import VALUE_MAX
from saastracker.persons import Person, joining
from saastracker.report import Interval, Number
from saastracker.scope import PROPERTY, Scope
from saastracker_explorer.question import EPOCH, Period, Question, period

MEASURES = {
    "events": "Events",
    "persons": "Persons",
    "organizations": "Organizations",
    "sessions": "Sessions",
    "sum": "Sum",
    "avg": "Mean",
    "min": "Least",
    "max": "Greatest",
    "p50": "Median",
    "p95": "95th percentile",
}
ROWS_MAX = 1_000_000  # of SQL, before persons are joined and days put together


class Key(NamedTuple):
    period: Period | None  # where an interval is asked for
    by: tuple[str | None, ...]


Rows = list[tuple[Any, ...]]


class Measure(NamedTuple):
    """What the SQL of a measure selects beside period and break-downs, and what a group's rows come to."""

    grouped: tuple[str, ...]  # MEASURED stands for the value
    aggregates: tuple[str, ...]  # of MEASURED, too; the last of them counts
    reduce: Callable[[Rows], Number]
    empty: Number = None  # where there are no events


def _least(rows: Rows) -> Number:
    return min((least for least, _ in rows), default=None)


def _mean(rows: Rows) -> Number:
    count = sum(count for _, count in rows)
    return sum(total for total, _ in rows) / count if count else None


def _percentile(percent: int) -> Callable[[Rows], Number]:
    def nearest_rank(rows: Rows) -> Number:
        rank = -(-sum(count for _, count in rows) * percent // 100)
        for value, count in sorted(rows):
            rank -= count
            if rank <= 0:
                return float(value)
        return None

    return nearest_rank


def _distinct(rows: Rows) -> Number:
    return len(set(rows) - {(None,)})


MEASURED = "measured"
_PERSON = ('"user"', "anonymous")
_MEASURES = {
    "events": Measure((), ("COUNT(*)",), lambda rows: sum(count for (count,) in rows), 0),
    "persons": Measure(_PERSON, (), _distinct, 0),
    "organizations": Measure((ORGANIZATION,), (), _distinct, 0),
    "sessions": Measure((), (), _distinct, 0),  # see `_sessions`
    "sum": Measure((), ("SUM(measured)", "COUNT(measured)"), lambda rows: sum(total for total, _ in rows), 0),
    "avg": Measure((), ("SUM(measured)", "COUNT(measured)"), _mean),
    "min": Measure((), ("MIN(measured)", "COUNT(measured)"), _least),
    "max": Measure(
        (), ("MAX(measured)", "COUNT(measured)"), lambda rows: max((most for most, _ in rows), default=None)
    ),
    "p50": Measure(("measured",), ("COUNT(measured)",), _percentile(50)),
    "p95": Measure(("measured",), ("COUNT(measured)",), _percentile(95)),
}


def empty(asked: Question) -> Number:
    """The measure of no events."""
    return _MEASURES[asked.measure].empty


def measured(reader: Reader, scope: Scope, asked: Question) -> dict[Key, Number]:
    """The measure of each period and break-down that has events."""
    groups: defaultdict[Key, Rows] = defaultdict(list)
    rows = _sessions(reader, scope, asked) if asked.measure == "sessions" else _rows(reader, scope, asked)
    for key, row in rows:
        groups[key].append(row)
    if not groups and not asked.by and not asked.interval:
        return {Key(None, ()): empty(asked)}
    return {key: _MEASURES[asked.measure].reduce(rows) for key, rows in groups.items()}


def _rows(reader: Reader, scope: Scope, asked: Question) -> Iterator[tuple[Key, tuple[Any, ...]]]:
    measure = _MEASURES[asked.measure]
    clock, offsets = local_time(scope.span)
    at = f'"time" - {clock} % {HOUR_MS}' if asked.interval == "hour" else f"{clock} / {DAY_MS}"
    by, parameters = _break_downs(asked)
    joined = "user" in asked.by or measure.grouped == _PERSON
    grouped = [*([at] if asked.interval else []), *by, *(_PERSON if joined else ()), *measure.grouped]
    valued = any(MEASURED in column for column in (*measure.grouped, *measure.aggregates))
    value = "prop_number(:value_of)" if asked.value_of and valued else "value"
    sql, conditioned = conditions(scope)
    sql += ' AND "time" >= :start AND "time" < :end'
    if valued:
        # A property, other than a value, may hold any number: sums with some are none.
        fits = f"BETWEEN -{VALUE_MAX!r} AND {VALUE_MAX!r}" if asked.value_of else "IS NOT NULL"
        sql += f" AND {value} {fits}"
        parameters["value_of"] = asked.value_of
    rows = _query(
        reader,
        [value if column == MEASURED else column for column in grouped],
        measure.aggregates,
        value,
        sql,
        {**conditioned, **parameters, **offsets, "start": scope.span.start, "end": scope.span.end},
    )
    person = joining(reader, reader.actors(scope.project))
    for row in rows:
        if measure.aggregates and not row[-1]:
            continue  # what an aggregate over no events gives
        cells = list(row)
        begins = _period(asked.interval, cells.pop(0)) if asked.interval else None
        names, rest = cells[: len(by)], cells[len(by) :]
        if joined:
            who = person(*rest[:2])
            names = [_id(who) if name == "user" else cell for name, cell in zip(asked.by, names, strict=True)]
            rest = [who] if measure.grouped == _PERSON else rest[2:]
        yield Key(begins, tuple(names)), tuple(rest)


def _sessions(reader: Reader, scope: Scope, asked: Question) -> Iterator[tuple[Key, tuple[Any, ...]]]:
    """Sessions with a matching event, each on the local day of its first event of all."""
    sql, conditioned = conditions(scope)
    sql += ' AND session IS NOT NULL AND "time" >= :start'
    by, parameters = _break_downs(asked)
    parameters |= {**conditioned, "start": scope.span.start}
    matching = _query(reader, [*by, *_PERSON, "session"], (), '"time"', sql, parameters)
    person = joining(reader, reader.actors(scope.project))
    begun: dict[tuple[Person | None, str], int] = {}
    of_these = f"project = :project AND session IN (SELECT session FROM events WHERE {sql})"
    first = _query(reader, [*_PERSON, "session"], ("MIN(measured)",), '"time"', of_these, parameters)
    for user, anonymous, session, time in first:
        key = person(user, anonymous), session
        begun[key] = min(time, begun.get(key, time))
    zone = ZoneInfo(scope.span.timezone)
    for *cells, user, anonymous, session in matching:
        who = person(user, anonymous)
        time = begun[who, session]
        if not scope.span.start <= time < scope.span.end:
            continue
        begins: Period | None = None
        if asked.interval == "hour":
            shift = datetime.fromtimestamp(time / 1000, UTC).astimezone(zone).utcoffset() or timedelta()
            begins = time - (time + shift // timedelta(milliseconds=1)) % HOUR_MS
        elif asked.interval:
            begins = period(asked.interval, datetime.fromtimestamp(time / 1000, UTC).astimezone(zone).date())
        names = [_id(who) if name == "user" else cell for name, cell in zip(asked.by, cells, strict=True)]
        yield Key(begins, tuple(names)), ((who, session),)


def _id(who: Person | None) -> str | None:
    return None if who is None else who.id


def _period(interval: Interval, at: int) -> Period:
    """The period of what the SQL gives: milliseconds of an hour, else a local date in days since 1970."""
    return at if interval == "hour" else period(interval, EPOCH + timedelta(days=at))


def _break_downs(asked: Question) -> tuple[list[str], dict[str, Any]]:
    columns, parameters = [], {}
    for number, name in enumerate(asked.by):
        if name.startswith(PROPERTY):
            columns.append(f"prop_key(:by{number})")
            parameters[f"by{number}"] = name.removeprefix(PROPERTY)
        else:
            columns.append(ORGANIZATION if name == "org" else f'"{name}"')
    return columns, parameters


def _query(  # noqa: PLR0917
    reader: Reader, grouped: list[str], aggregates: tuple[str, ...], value: str, sql: str, parameters: dict[str, Any]
) -> list[tuple[Any, ...]]:
    """Groups and aggregates of events where `sql` holds. Raises Invalid above ROWS_MAX groups."""
    keys = [f"key{place}" for place in range(len(grouped))]
    # What is written out of few groups need not be of each event.
    shown = [f"prop_of({key})" if "prop_key(" in each else key for each, key in zip(grouped, keys, strict=True)]
    of_event = ", ".join(f"{each} AS {key}" for each, key in zip([*grouped, value], [*keys, MEASURED], strict=True))
    rows = reader.query(
        f"""SELECT {", ".join([*shown, *aggregates])} FROM (SELECT {of_event} FROM events WHERE {sql} apart()) AS told
        {f"GROUP BY {', '.join(keys)}" if keys else ""} LIMIT :rows""",
        **parameters,
        rows=ROWS_MAX + 1,
    )
    if len(rows) > ROWS_MAX:
        raise Invalid(f"More than {ROWS_MAX} groups; ask for a shorter span, fewer break-downs or a filter.")
    return rows
