"""What happened on the days of a span, from cells of the index."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import msgspec
import numpy as np
from pyroaring import BitMap

from saastracker.actors import Actors
from saastracker.cells import cells
from saastracker.contracts import Reader
from saastracker.index import Day, Integers, day_number
from saastracker.report import Point
from saastracker.scope import Scope, Span

TOP = 10  # rows of a list


class Counted(msgspec.Struct):
    """Events, and whose they are."""

    events: int = 0
    actors: BitMap = msgspec.field(default_factory=BitMap)

    def add(self, day: Day) -> None:
        self.events += day.cell.events
        self.actors |= day.cell.actors


class Summary(msgspec.Struct):
    total: Counted
    by_day: dict[int, Counted]  # by local date in days since 1970
    by_org: Integers  # events of each organization, numbered as in Actors


def summary(reader: Reader, scope: Scope, actors: Actors, span: Span) -> Summary:
    total, by_day = Counted(), defaultdict[int, Counted](Counted)
    by_org = np.zeros(len(actors.org_codes) + 1, np.int64)  # the last for nobody, numbered -1
    for day in cells(reader, scope, actors, span):
        total.add(day)
        by_day[day.day].add(day)
        who, events = day.cell.per_actor()
        np.add.at(by_org, actors.org[who], events)
    return Summary(total, by_day, by_org[:-1])


def points(of: Summary, actors: Actors, span: Span) -> list[Point]:
    """A point for each day."""
    found = []
    for place in range((span.last - span.first).days + 1):
        day = span.first + timedelta(days=place)
        counted = of.by_day.get(day_number(day), Counted())
        found.append(
            Point(
                day,
                {
                    "events": counted.events,
                    "persons": actors.count_persons(counted.actors),
                    "organizations": actors.count_organizations(counted.actors),
                },
            )
        )
    return found


def by_key(found: Iterable[Day]) -> dict[str, Counted]:
    counted: dict[str, Counted] = defaultdict(Counted)
    for day in found:
        counted[day.key].add(day)
    return counted


def top(counted: dict[str, Counted], actors: Actors) -> list[list[Any]]:
    """The keys with most events: key, events, persons, organizations."""
    keys = sorted(counted, key=lambda key: (-counted[key].events, key))[:TOP]
    rows = []
    for key in keys:
        who = counted[key].actors
        rows.append([key, counted[key].events, actors.count_persons(who), actors.count_organizations(who)])
    return rows
