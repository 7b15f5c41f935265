"""One organization: its figures, its days, its people and what they do."""

from collections import Counter
from datetime import timedelta

import numpy as np

from saastracker.active import Active, active
from saastracker.actors import Actors
from saastracker.cells import cells
from saastracker.conditions import conditions
from saastracker.contracts import Reader
from saastracker.customers import Facts, facts, plans
from saastracker.errors import NotFound
from saastracker.index import Integers, day_number
from saastracker.persons import joining
from saastracker.report import Column, Figure, Figures, Measure, Point, Report, Series, Table
from saastracker.scope import Scope, Span

PEOPLE = (
    Column("person", "Person", link="people/{person}"),
    Column("events", "Events", "number", look="rank"),
    Column("last_seen", "Last seen", "time", about="The last event in this organization, in any environment."),
)
ABOUT = (
    Column("org", "Organization"),
    Column("name", "Name"),
    Column("plan", "Plan", "tag"),
    Column("first_seen", "First seen", "time"),
    Column("last_seen", "Last seen", "time"),
    Column("mrr", "MRR", "number"),
)
LATEST = (
    Column("time", "Time", "time"),
    Column("type", "Type", "tag", "wide"),
    Column("name", "Name"),
    Column("person", "Person", link="people/{person}"),
    Column("path", "Path", "code"),
)
LATEST_EVENTS = 50
MEASURES = (Measure("events", "Events"), Measure("persons", "Persons"))


def organization(reader: Reader, scope: Scope, org: str) -> Report:
    """Raises NotFound where no event that is in the index named it."""
    actors = reader.actors(scope.project)
    texts = reader.texts(actors.org_codes)
    number = next((number for number, code in enumerate(actors.org_codes) if texts[code] == org), None)
    if number is None:
        raise NotFound(f"No event named the organization {org[:64]}.", reason="unknown_organization")
    seen = _active(reader, scope, actors, scope.span, number)
    before = _active(reader, scope, actors, scope.compared, number) if scope.compared else None
    told = facts(reader, scope.project).get(org, Facts())
    plan = plans(reader, scope, actors, {number}).get(number)
    first, last = int(actors.org_first()[number]), int(actors.org_last()[number])
    return Report(
        title=told.name or org,
        blocks=(
            _totals(actors, seen, before),
            _days(actors, seen, scope),
            _people(reader, actors, seen, number),
            Table(
                key="organization",
                title="Organization",
                columns=ABOUT,
                rows=[[org, told.name, plan, first, last, told.mrr]],
            ),
            _top(reader, scope, actors, number, "name"),
            _top(reader, scope, actors, number, "path"),
            _latest(reader, scope, actors, org),
        ),
    )


def _active(reader: Reader, scope: Scope, actors: Actors, span: Span, org: int) -> Active:
    seen = active(reader, scope, actors, span)
    return seen.only(actors.org[seen.actor] == org)


def _persons(actors: Actors, numbers: Integers) -> int:
    persons = actors.person[numbers]
    return len(np.unique(persons[persons >= 0]))


def _totals(actors: Actors, seen: Active, before: Active | None) -> Figures:
    return Figures(
        key="totals",
        title="In the span",
        figures=(
            Figure(
                key="persons",
                label="Persons",
                value=_persons(actors, seen.actor),
                previous=None if before is None else _persons(actors, before.actor),
                good="up",
                about="People with at least one event in the span.",
            ),
            Figure(
                key="events",
                label="Events",
                value=int(seen.events.sum()),
                previous=None if before is None else int(before.events.sum()),
                good="up",
            ),
        ),
    )


def _days(actors: Actors, seen: Active, scope: Scope) -> Series:
    points = []
    for place in range((scope.span.last - scope.span.first).days + 1):
        day = scope.span.first + timedelta(days=place)
        now = seen.only(seen.day == day_number(day))
        points.append(Point(day, {"events": int(now.events.sum()), "persons": _persons(actors, now.actor)}))
    return Series(key="days", title="By day", interval="day", measures=MEASURES, points=points)


def _people(reader: Reader, actors: Actors, seen: Active, org: int) -> Table:
    mine = actors.org == org
    events = np.zeros(len(actors.person_codes), np.int64)
    last = np.zeros(len(actors.person_codes), np.int64)
    somebody = actors.person[seen.actor] >= 0
    np.add.at(events, actors.person[seen.actor[somebody]], seen.events[somebody])
    members = mine & (actors.person >= 0)
    np.maximum.at(last, actors.person[members], actors.last[members])
    shown = sorted(np.flatnonzero(events).tolist(), key=lambda person: (-events[person], person))
    texts = reader.texts([actors.person_codes[person] for person in shown])
    rows = [[texts[actors.person_codes[person]], int(events[person]), int(last[person])] for person in shown]
    return Table(key="people", title="People", columns=PEOPLE, rows=rows)


def _top(reader: Reader, scope: Scope, actors: Actors, org: int, dimension: str) -> Table:
    """Events by name or path."""
    counts: Counter[str] = Counter()
    mine = actors.org == org
    for _, key, cell in cells(reader, scope, actors, scope.span, dimension):
        who, events = cell.per_actor()
        counts[key] += int(events[mine[who]].sum())
    rows = [[key, count] for key, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])) if count]
    columns = (
        Column("name", "Name") if dimension == "name" else Column("path", "Path", "code"),
        Column("events", "Events", "number", look="rank"),
    )
    return Table(key=f"{dimension}s", title=f"{dimension.capitalize()}s", columns=columns, rows=rows)


def _latest(reader: Reader, scope: Scope, actors: Actors, org: str) -> Table:
    sql, parameters = conditions(scope)
    rows = reader.query(
        f"""SELECT "time", type, name, "user", anonymous, path FROM events
        WHERE {sql} AND org = :inside AND "time" >= :start AND "time" < :end
        ORDER BY "time" DESC, sequence DESC LIMIT :limit""",
        **parameters,
        inside=org,
        start=scope.span.start,
        end=scope.span.end,
        limit=LATEST_EVENTS,
    )
    person = joining(reader, actors)
    latest = []
    for time, kind, name, user, anonymous, path in rows:
        who = person(user, anonymous)
        latest.append([time, kind, name, who and who.id, path])
    return Table(key="latest", title="Latest events", columns=LATEST, rows=latest, whole=False)
