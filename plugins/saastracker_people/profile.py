"""One person: traits, organizations, days and events."""

from datetime import timedelta
from typing import Any

import msgspec
import numpy as np

from saastracker.active import Active, active
from saastracker.actors import Actors
from saastracker.index import day_number
from saastracker.conditions import conditions
from saastracker.contracts import Reader
from saastracker.errors import NotFound
from saastracker.persons import Joining, Person, aliases, joining
from saastracker.report import Column, Figure, Figures, Measure, Point, Report, Series, Table
from saastracker.scope import Scope
from saastracker_people.traits import email, full_name, traits

TIMELINE = (
    Column("time", "Time", "time"),
    Column("type", "Type", "tag", "wide"),
    Column("name", "Name"),
    Column("org", "Organization", link="organizations/{org}"),
    Column("path", "Path", "code"),
)
TIMELINE_EVENTS = 50
TRAITS = (Column("trait", "Trait"), Column("value", "Value", "json"))
ORGANIZATIONS = (
    Column("org", "Organization", link="organizations/{org}"),
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
IDS_MAX = 1000  # anonymous ids in one query; a browser that forgets makes one for each visit


def profile(reader: Reader, scope: Scope, asked: str) -> Report:
    """Raises NotFound where no event that is in the index has the id."""
    actors = reader.actors(scope.project)
    person = joining(reader, actors)
    number, who = _find(reader, actors, person, asked)
    users = {} if who.anonymous else aliases(reader, actors)
    own = sorted(anonymous for anonymous, user in users.items() if user == who.id)
    told = traits(reader, scope.project, person).get(who, {})
    seen = active(reader, scope, actors, scope.span)
    seen = seen.only(actors.person[seen.actor] == number)
    before = None
    if scope.compared:
        compared = active(reader, scope, actors, scope.compared)
        before = int(compared.events[actors.person[compared.actor] == number].sum())
    first, last = int(actors.person_first()[number]), int(actors.person_last()[number])
    return Report(
        title=full_name(told) or email(told) or who.id,
        blocks=(
            Figures(
                key="totals",
                title="In the span",
                figures=(
                    Figure(key="events", label="Events", value=int(seen.events.sum()), previous=before, good="up"),
                ),
            ),
            _days(seen, scope),
            _organizations(reader, actors, seen, number),
            Table(key="person", title="Seen", columns=SEEN, rows=[[who.id, first, last]]),
            Table(key="traits", title="Traits", columns=TRAITS, rows=_traits(told)),
            Table(key="aliases", title="Anonymous ids", columns=ALIASES, rows=[[anonymous] for anonymous in own]),
            _timeline(reader, scope, who, own[:IDS_MAX]),
        ),
    )


def _find(reader: Reader, actors: Actors, person: Joining, asked: str) -> tuple[int, Person]:
    """A person's number and name; a user id goes before an anonymous id of the same text."""
    texts = reader.texts(actors.person_codes)
    persons = {
        Person(anonymous, texts[code]): number
        for number, (anonymous, code) in enumerate(zip(actors.anonymous.tolist(), actors.person_codes, strict=True))
    }
    for who in (Person(False, asked), person(None, asked)):
        if who in persons:
            return persons[who], who
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


def _timeline(reader: Reader, scope: Scope, who: Person, own: list[str]) -> Table:
    sql, parameters = conditions(scope)
    ids = [who.id] if who.anonymous else own
    parameters |= {f"anonymous{number}": one for number, one in enumerate(ids)}
    is_anonymous = ", ".join(f":anonymous{number}" for number in range(len(ids)))
    tests = [f'("user" IS NULL AND anonymous IN ({is_anonymous}))'] if ids else []
    if not who.anonymous:
        tests.append('"user" = :who')
        parameters["who"] = who.id
    rows = reader.query(
        f"""SELECT "time", type, name, org, path FROM events
        WHERE {sql} AND ({" OR ".join(tests)}) AND "time" >= :start AND "time" < :end
        ORDER BY "time" DESC, sequence DESC LIMIT :limit""",
        **parameters,
        start=scope.span.start,
        end=scope.span.end,
        limit=TIMELINE_EVENTS,
    )
    return Table(key="timeline", title="Latest events", columns=TIMELINE, rows=[list(row) for row in rows], whole=False)


def _traits(told: dict[str, Any]) -> list[list[Any]]:
    return [[trait, msgspec.json.encode(value).decode()] for trait, value in sorted(told.items())]


def _organizations(reader: Reader, actors: Actors, seen: Active, person: int) -> Table:
    texts = reader.texts(actors.org_codes)
    mine = actors.person == person
    rows: list[tuple[str, int, int, int]] = []
    for org in np.unique(actors.org[mine & (actors.org >= 0)]).tolist():
        members = np.flatnonzero(mine & (actors.org == org))
        events = int(seen.events[actors.org[seen.actor] == org].sum())
        first, last = int(actors.first[members].min()), int(actors.last[members].max())
        rows.append((texts[actors.org_codes[org]], events, first, last))
    rows.sort(key=lambda row: (-row[1], row[0]))
    return Table(key="organizations", title="Organizations", columns=ORGANIZATIONS, rows=[list(row) for row in rows])
