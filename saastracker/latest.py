"""What some actors did last: their newest events and sessions."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from saastracker.active import Active
from saastracker.actors import Actors
from saastracker.contracts import Reader
from saastracker.index import day_number
from saastracker.moments import moments
from saastracker.report import Column, Table
from saastracker.scope import Scope, Span
from saastracker.segments import Moments
from saastracker.visits import Visits

MOST = 50  # rows
EVENTS = (
    Column("time", "Time", "time"),
    Column("type", "Type", "tag", "wide"),
    Column("name", "Name"),
    Column("person", "Person", link="people/{person}"),
    Column("org", "Organization", link="organizations/{org}"),
    Column("path", "Path", "code"),
    Column("session", "Session", "code", "opened", link="sessions/{session}"),
    Column("value", "Value", "number", "opened"),
    Column("environment", "Environment", "text", "opened"),
    Column("release", "Release", "code", "opened"),
    Column("properties", "Properties", "json", "opened"),
)
SESSIONS = (
    Column("session", "Session", "code", link="sessions/{session}"),
    Column("person", "Person", link="people/{person}"),
    Column("org", "Organization", link="organizations/{org}", about="Of the first event that has one."),
    Column("start", "Start", "time", about="The first event."),
    Column("seconds", "Length", "number", unit="seconds"),
    Column("events", "Events", "number"),
    Column("release", "Release", "code", "wide", about="Of the first event."),
)


def timeline(  # noqa: PLR0917
    reader: Reader, scope: Scope, actors: Actors, mine: NDArray[np.bool_], seen: Active, without: str
) -> Table:
    """The newest events of the actors for whom `mine` is true, who did what was `seen`; `without` one column."""
    found = _newest(reader, scope, actors, mine, seen)
    person = _texts(reader, actors.person_codes, actors.person[found.actor].tolist())
    events = {event.sequence: event for event in reader.events(found.sequence.tolist())}
    rows = []
    for sequence, time, who in zip(found.sequence.tolist(), found.time.tolist(), person, strict=True):
        if sequence in events:
            event = events[sequence]
            more = event.session, event.value, event.environment, event.release, event.properties
            rows.append([time, event.type, event.name, who, event.org, event.path, *more])
    table = Table(key="timeline", title="Newest events", columns=EVENTS, rows=rows)
    return _less(table, without)


def _newest(reader: Reader, scope: Scope, actors: Actors, mine: NDArray[np.bool_], seen: Active) -> Moments:
    """The newest events first, from the last days that have enough of them."""
    days, place = np.unique(seen.day, return_inverse=True)
    events = np.bincount(place, seen.events, len(days))
    after = np.cumsum(events[::-1])[::-1] - events  # on the days after each
    parts: list[Moments] = []
    for day in days[after < MOST].tolist():
        date = scope.span.first + timedelta(days=day - day_number(scope.span.first))
        part = moments(reader, scope, actors, Span(date, date, scope.span.timezone))
        parts.append(part.only(mine[part.actor]))
    together = Moments.together(parts)
    return together.only(together.places()[::-1][:MOST])


def sessions(reader: Reader, actors: Actors, found: Visits, without: str) -> Table:
    """The newest of some sessions, `without` one column."""
    order = np.lexsort((found.row.first_sequence, found.row.first))[::-1]
    shown = found.only(order[:MOST])
    row = shown.row
    texts = reader.texts([*row.session.tolist(), *row.release.tolist()])
    columns = (
        [texts[code] for code in row.session.tolist()],
        _texts(reader, actors.person_codes, shown.person.tolist()),
        _texts(reader, actors.org_codes, shown.org.tolist()),
        row.first.tolist(),
        shown.seconds.tolist(),
        row.events.tolist(),
        [texts.get(code) for code in row.release.tolist()],
    )
    rows = [list(each) for each in zip(*columns, strict=True)]
    table = Table(key="sessions", title="Newest sessions", columns=SESSIONS, rows=rows)
    return _less(table, without)


def _texts(reader: Reader, codes: Sequence[int], numbers: Sequence[int]) -> list[str | None]:
    """The names of persons or organizations by their numbers; -1 has none."""
    texts = reader.texts([codes[number] for number in {*numbers} - {-1}])
    return [None if number < 0 else texts[codes[number]] for number in numbers]


def _less(table: Table, without: str) -> Table:
    place = [column.key for column in table.columns].index(without)
    rows: list[list[Any]] = [[*row[:place], *row[place + 1 :]] for row in table.rows]
    columns = table.columns[:place] + table.columns[place + 1 :]
    return msgspec.structs.replace(table, columns=columns, rows=rows)
