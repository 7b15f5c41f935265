"""The list of organizations that were active in a span."""

import numpy as np

from saastracker.active import Active, active
from saastracker.actors import Actors
from saastracker.contracts import Reader
from saastracker.customers import plans
from saastracker.definition import Definitions
from saastracker.health.scoring import scores
from saastracker.index import Integers, day_number, unique
from saastracker.report import Column, Report, Table
from saastracker.scope import Scope
from saastracker.told import Facts, Memory
from saastracker_organizations.writing import MRR

COLUMNS = (
    Column("org", "Organization", "code", "opened", link="organizations/{org}", dimension="org"),
    Column("name", "Name", otherwise="org", link="organizations/{org}"),
    Column(
        "plan",
        "Plan",
        "tag",
        dimension="plan",
        about="The plan of the latest event up to the end of the span that has one.",
    ),
    Column(
        "persons",
        "Persons",
        "number",
        look="rank",
        link="people?org={org}",
        about="People with at least one event in the span.",
    ),
    Column("events", "Events", "number", link="stream?org={org}", about="The organization's events in the span."),
    Column("trend", "Trend", "spark", about="Events over the span."),
    Column("first_seen", "First seen", "time", "opened", about="The first event ever, in any environment."),
    Column("last_seen", "Last seen", "time", about="The last event of all, in any environment."),
    Column(
        "health",
        "Health",
        "number",
        link="health/{org}",
        about="The score on the last day of the span; none when dormant.",
    ),
    Column("band", "Band", "tag", look="status", about="Of the score, by the project's health model."),
    Column("mrr", "MRR", "number", "wide", about=MRR),
)
TREND_POINTS = 30


def listing(reader: Reader, scope: Scope, definitions: Definitions, memory: Memory) -> Report:
    actors = reader.actors(scope.project)
    seen = active(reader, scope, actors, scope.span)
    seen = seen.only(actors.org[seen.actor] >= 0)
    orgs = actors.org[seen.actor]
    size = len(actors.org_codes)
    events = np.zeros(size, np.int64)
    np.add.at(events, orgs, seen.events)
    persons = _persons(actors, seen, size)
    shown = sorted(unique(orgs).tolist(), key=lambda org: (-persons[org], -events[org], org))
    trends = _trends(scope, seen, orgs, size)
    names = reader.texts([actors.org_codes[org] for org in shown])
    told = memory.told(reader, scope.project).organizations
    plan = plans(reader, scope, actors, set(shown))
    found = scores(reader, scope, actors, definitions)
    first, last = actors.org_first(), actors.org_last()
    rows = []
    for org in shown:
        name = names[actors.org_codes[org]]
        about = told.get(name, Facts())
        rows.append(
            [
                name,
                about.name,
                plan.get(org),
                int(persons[org]),
                int(events[org]),
                trends[org].tolist(),
                int(first[org]),
                int(last[org]),
                *(found.health(0, org) or (None, None)),
                about.mrr,
            ]
        )
    return Report(blocks=(Table(key="organizations", title="Organizations", columns=COLUMNS, rows=rows),))


def _persons(actors: Actors, seen: Active, size: int) -> Integers:
    """The distinct persons of each organization."""
    numbers = unique(seen.actor)
    numbers = numbers[actors.person[numbers] >= 0]
    pairs = unique(actors.org[numbers] * max(len(actors.person_codes), 1) + actors.person[numbers])
    return np.bincount(pairs // max(len(actors.person_codes), 1), minlength=size)


def _trends(scope: Scope, seen: Active, orgs: Integers, size: int) -> Integers:
    """The events of each organization in up to TREND_POINTS equal parts of the span, the last of them whole."""
    first, last = day_number(scope.span.first), day_number(scope.span.last)
    step = (last - first) // TREND_POINTS + 1
    points = (last - first) // step + 1
    trends = np.zeros((size, points), np.int64)
    np.add.at(trends, (orgs, points - 1 - (last - seen.day) // step), seen.events)
    return trends
