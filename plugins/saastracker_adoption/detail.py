"""One feature: its figures, its days, and the organizations and people behind them."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple

import numpy as np

from saastracker.active import Active
from saastracker.actors import Actors
from saastracker.contracts import Reader
from saastracker.customers import facts
from saastracker.definition import Defined
from saastracker.errors import NotFound
from saastracker.index import Integers, day_number, distinct
from saastracker.report import Column, Figure, Figures, Measure, Point, Report, Series, Table
from saastracker.scope import Scope, Span
from saastracker.told import Facts
from saastracker_adoption.counting import Adoption, Chosen, adoptions, first_uses
from saastracker_adoption.listing import COLUMNS, followed

DAYS_MAX = 62  # a longer span is shown by week
EPOCH = date(1970, 1, 1)

ORG = (
    Column("org", "Organization", "code", "opened", link="organizations/{org}"),
    Column("name", "Name", otherwise="org", link="organizations/{org}"),
)
EVENTS = Column("events", "Events", "number", look="rank", about="Matching events in the span.")
BEFORE = Column("events_before", "Before", "number", about="Matching events in the span before.")
LAST_USE = Column("last_use", "Last use", "date", about="The last day with a matching event, in either span.")
USING = (
    *ORG,
    EVENTS,
    Column("persons", "Persons", "number", about="Its people with a matching event."),
    Column("active_persons", "Active persons", "number", "wide", about="Its people with any event."),
    Column("first_use", "First use", "date", about="The first day ever with a matching event, in any environment."),
    LAST_USE,
)
PEOPLE = (Column("person", "Person", link="people/{person}"), EVENTS, LAST_USE)
MEASURES = (Measure("organizations", "Organizations"), Measure("persons", "Persons"))
ORGANIZATION_FIGURES = ("adoption", "adopters", "depth", "breadth", "median_days_to_adopt")
PERSON_FIGURES = ("person_adoption", "person_adopters", "active_persons")
BY_KEY = {column.key: column for column in COLUMNS}


class Both(NamedTuple):
    """The span and the one it is compared with."""

    now: Adoption
    before: Adoption | None


def detail(reader: Reader, scope: Scope, features: Sequence[Defined], wanted: str) -> Report:
    """Raises NotFound."""
    feature = [each for each in features if each.id == wanted]
    if not feature:
        raise NotFound(f"This project has no feature {wanted[:64]}.", reason="unknown_feature")
    actors = reader.actors(scope.project)
    first = first_uses(reader, scope, actors, feature)
    before = adoptions(reader, scope, actors, scope.compared, feature, first)[wanted] if scope.compared else None
    both = Both(adoptions(reader, scope, actors, scope.span, feature, first)[wanted], before)
    return Report(
        title=feature[0].value.name,
        blocks=(
            *followed(reader, scope, feature),
            _figures("totals", "Organizations", both, ORGANIZATION_FIGURES),
            _figures("persons", "People", both, PERSON_FIGURES),
            _series(actors, scope, both),
            *_organizations(reader, scope, actors, both, first[wanted]),
            _people(reader, actors, both.now.used),
        ),
    )


def _figures(key: str, title: str, both: Both, names: Sequence[str]) -> Figures:
    """Figures that columns of the list are, with their definitions."""
    return Figures(
        key=key,
        title=title,
        figures=tuple(
            Figure(
                key=name,
                label=BY_KEY[name].label,
                value=getattr(both.now, name),
                unit=BY_KEY[name].unit,
                previous=None if both.before is None else getattr(both.before, name),
                good="down" if name == "median_days_to_adopt" else "up",
                about=BY_KEY[name].about,
            )
            for name in names
        ),
    )


def _series(actors: Actors, scope: Scope, both: Both) -> Series:
    weekly = (scope.span.last - scope.span.first).days >= DAYS_MAX
    points = _points(actors, scope.span, both.now.used, 7 if weekly else 1)
    previous: list[Point] = []
    if both.before is not None and scope.compared is not None:
        previous = _points(actors, scope.compared, both.before.used, 7 if weekly else 1)[: len(points)]
    return Series(
        key="over_time",
        title="Who uses it",
        interval="week" if weekly else "day",
        measures=MEASURES,
        points=points,
        previous=previous,
    )


def _points(actors: Actors, span: Span, used: Active, length: int) -> list[Point]:
    """With a matching event in each period of some days; weeks begin on Monday."""
    start = span.first - timedelta(days=span.first.weekday() if length == 7 else 0)
    count = (span.last - start).days // length + 1
    period = (used.day - day_number(start)) // length
    orgs = _distinct(period, actors.org[used.actor], count)
    persons = _distinct(period, actors.person[used.actor], count)
    return [
        Point(
            start + timedelta(days=length * place),
            {"organizations": int(orgs[place]), "persons": int(persons[place])},
        )
        for place in range(count)
    ]


def _distinct(period: Integers, who: Integers, count: int) -> Integers:
    """How many distinct ones there are in each period; -1 is nobody."""
    known = who >= 0
    pairs, _, _ = distinct(period[known], who[known])
    return np.bincount(np.array([place for place, _ in pairs], np.int64), minlength=count)


def _organizations(reader: Reader, scope: Scope, actors: Actors, both: Both, first: Mapping[int, int]) -> list[Table]:
    """Those that use it, and where spans are compared who was gained, kept and lost."""
    now, before = both
    told = facts(reader, scope.project)
    last = _last_days(actors, both)
    earlier = np.zeros(len(now.events), np.int64) if before is None else before.events
    texts = reader.texts(actors.org_codes)

    def values(org: int) -> dict[str, Any]:
        name = texts[actors.org_codes[org]]
        return {
            "org": name,
            "name": told.get(name, Facts()).name,
            "events": int(now.events[org]),
            "events_before": int(earlier[org]),
            "persons": int(now.persons[org]),
            "active_persons": int(now.members[org]),
            "first_use": _date(first[org]) if org in first else None,
            "last_use": _date(last[org]),
        }

    def table(key: str, title: str, chosen: Chosen, columns: tuple[Column, ...]) -> Table:
        found = [values(org) for org in np.flatnonzero(chosen).tolist()]
        found.sort(key=lambda value: (-value["events"], -value["events_before"], value["org"]))
        rows = [[value[column.key] for column in columns] for value in found]
        return Table(key=key, title=title, columns=columns, rows=rows)

    tables = [table("organizations", "Organizations that use it", now.adopting, USING)]
    if before is not None:
        tables += [
            table("gained", "Gained", now.adopting & ~before.adopting, (*ORG, EVENTS, LAST_USE)),
            table("kept", "Kept", now.adopting & before.adopting, (*ORG, BEFORE, EVENTS)),
            table("lost", "Lost", before.adopting & ~now.adopting, (*ORG, BEFORE, LAST_USE)),
        ]
    return tables


def _last_days(actors: Actors, both: Both) -> Integers:
    """The last day of use of each organization."""
    last = np.zeros(len(actors.org_codes), np.int64)
    for used in (each.used for each in both if each is not None):
        known = actors.org[used.actor] >= 0
        np.maximum.at(last, actors.org[used.actor[known]], used.day[known])
    return last


def _people(reader: Reader, actors: Actors, used: Active) -> Table:
    used = used.only(actors.person[used.actor] >= 0)
    who = actors.person[used.actor]
    events, last = np.zeros((2, len(actors.person_codes)), np.int64)
    np.add.at(events, who, used.events)
    np.maximum.at(last, who, used.day)
    shown = sorted(np.unique(who).tolist(), key=lambda person: (-events[person], person))
    texts = reader.texts([actors.person_codes[person] for person in shown])
    rows = [[texts[actors.person_codes[person]], int(events[person]), _date(last[person])] for person in shown]
    return Table(key="people", title="People who use it", columns=PEOPLE, rows=rows)


def _date(day: int) -> date:
    return EPOCH + timedelta(days=int(day))
