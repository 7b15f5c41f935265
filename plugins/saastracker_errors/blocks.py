"""What the list of issues and the page of one have in common: figures and days."""

from datetime import timedelta

import numpy as np

from saastracker.index import day_number
from saastracker.issues.catalogue import Catalogue
from saastracker.issues.hits import Affected, Hits
from saastracker.report import Figure, Measure, Note, Point, Series
from saastracker.scope import Scope, Span

MEASURES = (Measure("events", "Errors"),)


def figures(now: Affected, before: Affected | None) -> tuple[Figure, ...]:
    return (
        Figure(
            key="events",
            label="Errors",
            value=now.events,
            previous=before and before.events,
            good="down",
            about="Events of type error, or named error or exception.",
        ),
        Figure(
            key="persons",
            label="Persons",
            value=now.persons,
            previous=before and before.persons,
            good="down",
            about="People who had at least one of these errors.",
        ),
        Figure(
            key="organizations",
            label="Organizations",
            value=now.organizations,
            previous=before and before.organizations,
            good="down",
            about="Organizations with at least one of these errors.",
        ),
    )


def days(scope: Scope, now: Hits, before: Hits | None) -> Series:
    points = _points(scope.span, now)
    earlier = _points(scope.compared, before) if scope.compared and before else []
    return Series(
        key="days",
        title="Errors by day",
        interval="day",
        measures=MEASURES,
        points=points,
        previous=earlier[: len(points)],
    )


def _points(span: Span, found: Hits) -> list[Point]:
    count = (span.last - span.first).days + 1
    events = np.zeros(count, np.int64)
    np.add.at(events, found.day - day_number(span.first), found.events)
    return [Point(span.first + timedelta(days=place), {"events": int(events[place])}) for place in range(count)]


def pending(known: Catalogue) -> list[Note]:
    return [Note(key="counting", text=known.counted.pending)] if known.counted.pending else []
