"""One person: traits, organizations, days, sessions and events."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from saastracker.active import Active, active
from saastracker.actors import Actors
from saastracker.contracts import Reader
from saastracker.definition import Definitions
from saastracker.errors import NotFound
from saastracker.index import bitmap, day_number, unique
from saastracker.issues.opened import opened, table
from saastracker.latest import ORGANIZATION, sessions, timeline
from saastracker.persons import Joining, Person, aliases, joining
from saastracker.report import Column, Figure, Figures, Measure, Point, Report, Series, Table
from saastracker.scope import Scope, Span
from saastracker.told import Memory, Told, email, full_name
from saastracker.visits import Visits, visits

TRAITS = (Column("trait", "Trait"), Column("value", "Value", "json"))
ORGANIZATIONS = (
    *ORGANIZATION,
    Column("events", "Events", "number", about="In the span."),
    Column("first_seen", "First seen", "time"),
    Column("last_seen", "Last seen", "time"),
)
SEEN = (
    Column("person", "Person"),
    Column("first_seen", "First seen", "time"),
    Column("last_seen", "Last seen", "time"),
)
ALIASES = (Column("anonymous_id", "Anonymous id", "code"),)


def profile(reader: Reader, scope: Scope, definitions: Definitions, memory: Memory, asked: str) -> Report:
    """Raises NotFound where no event that is in the index has the id."""
    actors = reader.actors(scope.project)
    person = joining(reader, actors)
    number, who = _find(reader, actors, person, asked)
    users = {} if who.anonymous else aliases(reader, actors)
    own = sorted(anonymous for anonymous, user in users.items() if user == who.id)
    told = memory.told(reader, scope.project)
    traits = told.traits(person)(who)
    mine = actors.person == number
    now = _done(reader, scope, actors, scope.span, number)
    before = _done(reader, scope, actors, scope.compared, number) if scope.compared else None
    first, last = int(actors.person_first()[number]), int(actors.person_last()[number])
    return Report(
        title=full_name(traits) or email(traits) or who.id,
        blocks=(
            _totals(now, before),
            _days(now.seen, scope),
            Table(key="person", title="Seen", columns=SEEN, rows=[[who.id, first, last]]),
            Table(key="traits", title="Traits", columns=TRAITS, rows=_traits(traits)),
            _organizations(reader, actors, now.seen, mine, told),
            sessions(reader, actors, now.begun, told, without="person"),
            *_errors(reader, scope, actors, definitions, mine),
            timeline(reader, scope, actors, mine, now.seen, told, without="person"),
            *(
                [Table(key="aliases", title="Anonymous ids", columns=ALIASES, rows=[[each] for each in own])]
                if own
                else []
            ),
        ),
    )


def _errors(
    reader: Reader, scope: Scope, actors: Actors, definitions: Definitions, mine: NDArray[np.bool_]
) -> list[Table]:
    """None under filters: the index does not know which errors those choose."""
    if scope.filters:
        return []
    found = opened(reader, scope, actors, definitions, bitmap(np.flatnonzero(mine)))
    found.sort(key=lambda hit: (-hit.events, hit.issue.id))
    return [table(reader, found, "events", "last_seen")]


class _Done(NamedTuple):
    """What a person did in a span."""

    seen: Active
    begun: Visits


def _done(reader: Reader, scope: Scope, actors: Actors, span: Span, number: int) -> _Done:
    seen, begun = active(reader, scope, actors, span), visits(reader, scope, actors, span)
    return _Done(seen.only(actors.person[seen.actor] == number), begun.only(begun.person == number))


def _totals(now: _Done, before: _Done | None) -> Figures:
    def figure(key: str, value: Callable[[_Done], int], about: str) -> Figure:
        return Figure(
            key=key,
            label=key.replace("_", " ").capitalize(),
            value=value(now),
            previous=None if before is None else value(before),
            good="up",
            about=about,
        )

    return Figures(
        key="totals",
        title="In the span",
        figures=(
            figure("events", lambda done: int(done.seen.events.sum()), "The person's events in the span."),
            figure("active_days", lambda done: len(unique(done.seen.day)), "Days with at least one event."),
            figure("sessions", lambda done: len(done.begun), "Sessions that began in the span."),
        ),
    )


def _find(reader: Reader, actors: Actors, person: Joining, asked: str) -> tuple[int, Person]:
    """A person's number and name; a user id goes before an anonymous id of the same text."""
    texts = reader.texts(actors.person_codes)
    for who in (Person(False, asked), person(None, asked)):
        if who is None:
            continue
        for number, code in enumerate(actors.person_codes):
            if texts[code] == who.id and bool(actors.anonymous[number]) == who.anonymous:
                return number, who
    raise NotFound(f"No event has the person {asked[:64]}.", reason="unknown_person")


def _days(seen: Active, scope: Scope) -> Series:
    first = day_number(scope.span.first)
    events = np.zeros(day_number(scope.span.last) - first + 1, np.int64)
    np.add.at(events, seen.day - first, seen.events)
    points = [
        Point(scope.span.first + timedelta(days=place), {"events": count})
        for place, count in enumerate(events.tolist())
    ]
    return Series(key="days", title="By day", interval="day", measures=(Measure("events", "Events"),), points=points)


def _traits(told: dict[str, Any]) -> list[list[Any]]:
    return [[trait, msgspec.json.encode(value).decode()] for trait, value in sorted(told.items())]


def _organizations(reader: Reader, actors: Actors, seen: Active, mine: NDArray[np.bool_], told: Told) -> Table:
    texts = reader.texts(actors.org_codes)
    rows: list[list[Any]] = []
    for org in unique(actors.org[mine & (actors.org >= 0)]).tolist():
        members = np.flatnonzero(mine & (actors.org == org))
        events = int(seen.events[actors.org[seen.actor] == org].sum())
        first, last = int(actors.first[members].min()), int(actors.last[members].max())
        rows.append([texts[actors.org_codes[org]], told.name(texts[actors.org_codes[org]]), events, first, last])
    rows.sort(key=lambda row: (-row[2], row[0]))
    return Table(key="organizations", title="Organizations", columns=ORGANIZATIONS, rows=rows)
