"""What some actors did last: their newest events and sessions."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Literal, TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from saastracker.active import Active
from saastracker.actors import Actors
from saastracker.contracts import Reader
from saastracker.index import day_number
from saastracker.moments import moments
from saastracker.persons import Person, joining
from saastracker.report import Column, Table
from saastracker.scope import Scope, Span
from saastracker.segments import Moments
from saastracker.told import Told, full_name
from saastracker.visits import Visits

Who: TypeAlias = Literal["person", "org"]

MOST = 50  # rows
PERSON = (
    Column("person", "Person", "code", "never"),
    Column("person_name", "Person", otherwise="person", link="people/{person}"),
)
ORGANIZATION = (
    Column("org", "Organization", "code", "never"),
    Column("org_name", "Organization", otherwise="org", link="organizations/{org}"),
)
EVENTS = (
    Column("time", "Time", "time"),
    Column("type", "Type", "tag", "wide"),
    Column("name", "Name"),
    *PERSON,
    *ORGANIZATION,
    Column("path", "Path", "code"),
    Column("session", "Session", "code", "opened", link="sessions/{session}"),
    Column("value", "Value", "number", "opened", about="The number that the event was sent with."),
    Column("environment", "Environment", "text", "opened"),
    Column("release", "Release", "code", "opened"),
    Column("properties", "Properties", "json", "opened"),
)
SESSIONS = (
    Column("session", "Session", "code", link="sessions/{session}"),
    *PERSON,
    *ORGANIZATION,
    Column("start", "Start", "time", about="The first event."),
    Column(
        "seconds",
        "Length",
        "number",
        unit="seconds",
        about="From the first event to the last, or as Session:Start and Session:End say.",
    ),
    Column("events", "Events", "number", link="sessions/{session}", about="Events of the session."),
    Column("release", "Release", "code", "wide", about="Of the first event."),
)


def timeline(  # noqa: PLR0917
    reader: Reader, scope: Scope, actors: Actors, mine: NDArray[np.bool_], seen: Active, told: Told, without: Who
) -> Table:
    """The newest events of the actors for whom `mine` is true, who did what was `seen`; `without` whose they are."""
    found = _newest(reader, scope, actors, mine, seen)
    persons = _persons(reader, actors, actors.person[found.actor].tolist(), told)
    events = {event.sequence: event for event in reader.events(found.sequence.tolist())}
    rows, written = [], reader.organizations(scope.project)
    for sequence, time, person in zip(found.sequence.tolist(), found.time.tolist(), persons, strict=True):
        if sequence in events:
            event = events[sequence]
            counted = written.counted(event.org)
            org = counted, told.name(counted)
            more = event.session, event.value, event.environment, event.release, event.properties
            rows.append([time, event.type, event.name, *person, *org, event.path, *more])
    return _less(Table(key="timeline", title="Newest events", columns=EVENTS, rows=rows), without)


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


def sessions(reader: Reader, actors: Actors, found: Visits, told: Told, without: Who) -> Table:
    """The newest of some sessions, `without` whose they are."""
    order = np.lexsort((found.row.first_sequence, found.row.first))[::-1]
    shown = found.only(order[:MOST])
    row = shown.row
    org = [actors.org_codes[number] if number >= 0 else 0 for number in shown.org.tolist()]
    session, release = row.session.tolist(), row.release.tolist()
    texts = reader.texts(list({*session, *org, *release}))
    persons = _persons(reader, actors, shown.person.tolist(), told)
    first, seconds, events = row.first.tolist(), shown.seconds.tolist(), row.events.tolist()
    rows = [
        [texts[session[at]], *persons[at], texts.get(org[at]), told.name(texts.get(org[at])), first[at], seconds[at],
         events[at], texts.get(release[at])]
        for at in range(len(shown))
    ]  # fmt: skip
    return _less(Table(key="sessions", title="Newest sessions", columns=SESSIONS, rows=rows), without)


def _persons(reader: Reader, actors: Actors, numbers: Sequence[int], told: Told) -> list[tuple[str | None, str | None]]:
    """Ids and names of persons; number -1 has none."""
    texts = reader.texts([actors.person_codes[number] for number in {*numbers} - {-1}])
    traits = told.traits(joining(reader, actors))
    known: dict[int, tuple[str | None, str | None]] = {-1: (None, None)}
    for number in {*numbers} - {-1}:
        who = Person(bool(actors.anonymous[number]), texts[actors.person_codes[number]])
        known[number] = who.id, full_name(traits(who))
    return [known[number] for number in numbers]


def _less(table: Table, without: Who) -> Table:
    kept = [place for place, column in enumerate(table.columns) if column.key not in {without, f"{without}_name"}]
    columns = tuple(table.columns[place] for place in kept)
    rows: list[list[Any]] = [[row[place] for place in kept] for row in table.rows]
    return msgspec.structs.replace(table, columns=columns, rows=rows)
