"""Page views of a span, and the sessions that had some."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import timedelta

import msgspec
import numpy as np
from msgspec.structs import replace
from pyroaring import BitMap

from saastracker.actors import Actors
from saastracker.cells import cells
from saastracker.contracts import Reader
from saastracker.index import Day, Integers, day_number
from saastracker.report import Figure, Figures, Measure, Number, Point, Series
from saastracker.scope import Scope, Span
from saastracker.visits import Visits, visits

MEASURES = (Measure("views", "Views"), Measure("persons", "Persons"))


class Seen(msgspec.Struct):
    """Views counted together."""

    views: int = 0
    who: BitMap = msgspec.field(default_factory=BitMap)

    def add(self, day: Day) -> None:
        self.views += day.cell.events
        self.who |= day.cell.actors


class Views(msgspec.Struct):
    """The page views of a span, of all paths or of one, and its sessions."""

    actors: Actors
    span: Span
    days: list[Day]
    visits: Visits  # those with a page view

    @property
    def total(self) -> Seen:
        seen = Seen()
        for day in self.days:
            seen.add(day)
        return seen

    def by_path(self) -> dict[str, Seen]:
        found: dict[str, Seen] = defaultdict(Seen)
        for day in self.days:
            found[day.key].add(day)
        return found

    def points(self) -> list[Point]:
        """One for each day, with MEASURES."""
        found: dict[int, Seen] = defaultdict(Seen)
        for day in self.days:
            found[day.day].add(day)
        points = []
        for place in range((self.span.last - self.span.first).days + 1):
            date = self.span.first + timedelta(days=place)
            seen = found[day_number(date)]
            points.append(Point(date, {"views": seen.views, "persons": self.actors.count_persons(seen.who)}))
        return points


def views(reader: Reader, scope: Scope, actors: Actors, span: Span, paths: Sequence[str] | None = None) -> Views:
    found = visits(reader, scope, actors, span)
    days = cells(reader, scope, actors, span, "page", paths)
    return Views(actors, span, days, found.only(found.row.pages > 0))


def totals(figures: Sequence[Figure], now: Mapping[str, Number], before: Mapping[str, Number] | None) -> Figures:
    """The figures with their values in the span and in the one before."""
    earlier = before or {}
    valued = tuple(replace(each, value=now[each.key], previous=earlier.get(each.key)) for each in figures)
    return Figures(key="totals", title="In the span", figures=valued)


def series(now: Views, before: Views | None) -> Series:
    """Views and persons by day."""
    points = now.points()
    previous = before.points()[: len(points)] if before else []  # a year earlier there may be one day more
    return Series(key="views", title="Views", interval="day", measures=MEASURES, points=points, previous=previous)


def bounce(found: Visits) -> Number:
    """The share of some sessions that have one event."""
    return float(found.bounced.mean()) if len(found) else None


def counts(codes: Integers) -> dict[int, int]:
    """How often each code occurs; 0 is none."""
    found, numbers = np.unique(codes[codes > 0], return_counts=True)
    return dict(zip(found.tolist(), numbers.tolist(), strict=True))


def medians(codes: Integers, times: Integers) -> dict[int, float]:
    """The median of the times (ms) of each code, in seconds."""
    # One sort of one column takes a third of the time; no time is longer than DWELL_MAX, which fits 21 bits.
    ordered = np.sort(codes << 21 | times)
    of_code, times = ordered >> 21, ordered & (2**21 - 1)
    first = np.ones(len(ordered), bool)
    first[1:] = of_code[1:] != of_code[:-1]
    starts = np.flatnonzero(first)
    numbers = np.diff(starts, append=len(ordered))
    middle = (times[starts + (numbers - 1) // 2] + times[starts + numbers // 2]) / 2000
    return dict(zip(of_code[starts].tolist(), middle.tolist(), strict=True))
