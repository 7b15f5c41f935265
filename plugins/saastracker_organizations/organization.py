"""One organization: its figures, its health, its people and what they do."""

from collections import Counter
from datetime import timedelta
from typing import NamedTuple, TypeAlias
from urllib.parse import quote

import msgspec
import numpy as np
from numpy.typing import NDArray

from saastracker.active import Active, active
from saastracker.actors import Actors
from saastracker.cells import cells
from saastracker.contracts import Reader
from saastracker.customers import plans
from saastracker.definition import Definitions
from saastracker.errors import NotFound
from saastracker.health.explaining import Explained, explain
from saastracker.health.features import countable
from saastracker.index import Integers, bitmap, day_number, unique
from saastracker.issues.opened import opened, table
from saastracker.latest import sessions, timeline
from saastracker.persons import Person, joining
from saastracker.report import Column, Figure, Figures, Measure, Number, Point, Report, Series, Table
from saastracker.scope import Filter, Scope, Span
from saastracker.told import Facts, Memory, Told, email, full_name
from saastracker.visits import Visits, visits
from saastracker_organizations.features import features
from saastracker_organizations.writing import MRR, actions, merged

PEOPLE = (
    Column("person", "Person", "code", "opened", link="people/{person}"),
    Column("name", "Name", otherwise="person", link="people/{person}"),
    Column("email", "E-mail", "text", "wide"),
    Column("events", "Events", "number", look="rank", about="Events of the organization's in the span."),
    Column("last_seen", "Last seen", "time", about="The last event in this organization, in any environment."),
)
ABOUT = (
    Column("org", "Organization", "code"),
    Column("name", "Name", "text", "never"),
    Column("plan", "Plan", "tag", about="The plan of the latest event up to the end of the span that has one."),
    Column("first_seen", "First seen", "time", about="The first event ever, in any environment."),
    Column("last_seen", "Last seen", "time", about="The last event of all, in any environment."),
    Column("mrr", "MRR", "number", about=MRR),
)
Flags: TypeAlias = NDArray[np.bool_]

EVENTS = "The organization's events in the span."
LISTS = {"persons": "people", "events": "stream", "sessions": "sessions"}  # where the rows of figures are
MEASURES = (Measure("events", "Events"), Measure("persons", "Persons"))


def organization(reader: Reader, scope: Scope, definitions: Definitions, memory: Memory, org: str) -> Report:
    """Of one that was merged the other. Raises NotFound where no event that is in the index named it."""
    actors, written = reader.actors(scope.project), reader.organizations(scope.project)
    org = written.merged.get(org, org)
    texts = reader.texts(actors.org_codes)
    number = next((number for number, code in enumerate(actors.org_codes) if texts[code] == org), None)
    if number is None:
        raise NotFound(f"No event named the organization {org[:64]}.", reason="unknown_organization")
    inside = _inside(scope, org)
    mine = actors.org == number
    seen = _active(reader, scope, actors, scope.span, mine)
    before = _active(reader, scope, actors, scope.compared, mine) if scope.compared else None
    begun = visits(reader, inside, actors, scope.span)
    begun_before = visits(reader, inside, actors, scope.compared) if scope.compared else None
    told = memory.told(reader, scope.project)
    about = told.organizations.get(org, Facts())
    plan = plans(reader, scope, actors, {number}).get(number)
    health = explain(reader, scope, actors, definitions, number)
    chosen = mine if len(seen.events) else mine & False
    first, last = int(actors.org_first()[number]), int(actors.org_last()[number])
    return Report(
        title=about.name or org,
        blocks=(
            _totals(actors, _Spans(seen, before, begun, begun_before), health, org),
            _days(actors, seen, scope),
            Table(
                key="organization",
                title="Organization",
                columns=ABOUT,
                rows=[[org, about.name, plan, first, last, about.mrr]],
            ),
            *merged(definitions, scope, written, org),
            *health.blocks,
            *features(reader, scope, actors, definitions, chosen, plan),
            *_errors(reader, scope, actors, definitions, chosen),
            _people(reader, actors, seen, mine, told),
            sessions(reader, actors, begun, told, without="org"),
            timeline(reader, scope, actors, mine, seen, told, without="org"),
            _top(reader, scope, inside, actors, mine, "name", org),
            _top(reader, scope, inside, actors, mine, "path", org),
        ),
        actions=actions(definitions, scope, org),
    )


def _active(reader: Reader, scope: Scope, actors: Actors, span: Span, mine: Flags) -> Active:
    seen = active(reader, scope, actors, span)
    return seen.only(mine[seen.actor])


def _inside(scope: Scope, org: str) -> Scope:
    """The same of one organization only."""
    asked = [item for item in scope.filters if (item.dimension, item.operator) == ("org", "is")]
    kept = [item for item in scope.filters if item not in asked]
    if asked and org not in {item.value for item in asked}:
        kept.append(Filter("org", "is_not", org))  # nothing is both
    return msgspec.structs.replace(scope, filters=(Filter("org", "is", org), *kept))


class _Spans(NamedTuple):
    """What was done in the span and in the one to compare with, None without."""

    seen: Active
    before: Active | None
    begun: Visits
    begun_before: Visits | None


def _totals(actors: Actors, spans: _Spans, health: Explained, org: str) -> Figures:
    def figure(key: str, value: Number, previous: Number, about: str) -> Figure:
        link = f"{LISTS[key]}?org={quote(org, safe='')}"
        return Figure(
            key=key, label=key.capitalize(), value=value, previous=previous, good="up", about=about, link=link
        )

    seen, before, begun, begun_before = spans
    return Figures(
        key="totals",
        title="In the span",
        figures=(
            figure(
                "persons",
                _persons(actors, seen.actor),
                None if before is None else _persons(actors, before.actor),
                "People with at least one event in the span.",
            ),
            figure("events", int(seen.events.sum()), None if before is None else int(before.events.sum()), EVENTS),
            figure(
                "sessions",
                len(begun),
                None if begun_before is None else len(begun_before),
                "Sessions that began in the span.",
            ),
            health.figure("health", link=f"health/{quote(org, safe='')}"),
        ),
    )


def _persons(actors: Actors, numbers: Integers) -> int:
    persons = actors.person[numbers]
    return len(unique(persons[persons >= 0]))


def _days(actors: Actors, seen: Active, scope: Scope) -> Series:
    points = []
    for place in range((scope.span.last - scope.span.first).days + 1):
        day = scope.span.first + timedelta(days=place)
        now = seen.only(seen.day == day_number(day))
        points.append(Point(day, {"events": int(now.events.sum()), "persons": _persons(actors, now.actor)}))
    return Series(key="days", title="By day", interval="day", measures=MEASURES, points=points)


def _errors(reader: Reader, scope: Scope, actors: Actors, definitions: Definitions, mine: Flags) -> list[Table]:
    """None where filters ask for what the index does not know of errors."""
    if not countable(scope):
        return []
    found = opened(reader, scope, actors, definitions, bitmap(np.flatnonzero(mine)))
    found.sort(key=lambda hit: (-hit.persons, -hit.events, hit.issue.id))
    return [table(reader, found, "persons", "events", "last_seen")]


def _people(reader: Reader, actors: Actors, seen: Active, mine: Flags, told: Told) -> Table:
    events, last = np.zeros((2, len(actors.person_codes)), np.int64)
    somebody = actors.person[seen.actor] >= 0
    np.add.at(events, actors.person[seen.actor[somebody]], seen.events[somebody])
    members = mine & (actors.person >= 0)
    np.maximum.at(last, actors.person[members], actors.last[members])
    shown = sorted(np.flatnonzero(events).tolist(), key=lambda person: (-events[person], person))
    texts = reader.texts([actors.person_codes[person] for person in shown])
    traits = told.traits(joining(reader, actors))
    rows = []
    for person in shown:
        who = Person(bool(actors.anonymous[person]), texts[actors.person_codes[person]])
        known = traits(who)
        rows.append([who.id, full_name(known), email(known), int(events[person]), int(last[person])])
    return Table(key="people", title="People", columns=PEOPLE, rows=rows)


def _top(  # noqa: PLR0917
    reader: Reader, scope: Scope, inside: Scope, actors: Actors, mine: Flags, dimension: str, org: str
) -> Table:
    """Events by name or path."""
    indexed = all(item.dimension == dimension for item in scope.filters)  # else raw events are read: as few as will do
    counts: Counter[str] = Counter()
    own = bitmap(np.flatnonzero(mine))
    for _, key, cell in cells(reader, scope if indexed else inside, actors, scope.span, dimension):
        if cell.counts is None:  # one event of each
            counts[key] += own.intersection_cardinality(cell.actors)
        elif own.intersect(cell.actors):
            who, events = cell.per_actor()
            counts[key] += int(events[mine[who]].sum())
    rows = [[key, count] for key, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])) if count]
    columns = (
        Column(dimension, dimension.capitalize(), "text" if dimension == "name" else "code", dimension=dimension),
        Column(
            "events",
            "Events",
            "number",
            look="rank",
            link=f"stream?org={quote(org, safe='')}&f={dimension}:is:{{{dimension}}}",
            about="Such events of the organization in the span.",
        ),
    )
    return Table(key=f"{dimension}s", title=f"{dimension.capitalize()}s", columns=columns, rows=rows)
