"""The blocks of the activity report, from cells of the index."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta

import numpy as np
from pyroaring import BitMap

from saastracker.actors import Actors
from saastracker.cells import cells
from saastracker.contracts import Reader
from saastracker.index import Day, Integers, bitmap, day_number
from saastracker.report import Column, Grid, Measure, Point, Report, Series, Table
from saastracker.scope import Scope, Span

WEEK, MONTH = 7, 30  # days of WAU and MAU
EARLIER = MONTH - 1  # days before a span that its first month reaches back
ACTIVE = (
    Measure("dau", "Daily", group="Active persons"),
    Measure("wau", "Weekly", group="Active persons"),
    Measure("mau", "Monthly", group="Active persons"),
    Measure("org_dau", "Daily", group="Active organizations"),
    Measure("org_wau", "Weekly", group="Active organizations"),
    Measure("org_mau", "Monthly", group="Active organizations"),
    Measure("stickiness", "Daily / monthly persons", "share", group="Stickiness"),
)
NEW = (Measure("new", "New persons"), Measure("returning", "Returning persons"))
NAMES = (
    Column("name", "Event", dimension="name"),
    Column(
        "events",
        "Events",
        "number",
        look="rank",
        link="stream?f=name:is:{name}",
        about="Events of this name in the span.",
    ),
    Column(
        "persons",
        "Persons",
        "number",
        link="people?f=name:is:{name}",
        about="Distinct persons with such an event in the span.",
    ),
    Column(
        "organizations",
        "Organizations",
        "number",
        link="organizations?f=name:is:{name}",
        about="Distinct organizations with such an event in the span.",
    ),
)
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def report(reader: Reader, scope: Scope) -> Report:
    actors = reader.actors(scope.project)
    oldest = (scope.compared or scope.span).first - timedelta(days=EARLIER)
    whole = Span(oldest, scope.span.last, scope.span.timezone)  # one read: under some filters it looks at every event
    by_day = _by_day(cells(reader, scope, actors, whole))
    first = actors.person_first()
    active, new = _points(by_day, actors, first, scope.span)
    before: tuple[list[Point], list[Point]] = ([], [])
    if scope.compared is not None:
        before = _points(by_day, actors, first, scope.compared)
    days = len(active)  # a year earlier there may be one more
    return Report(
        blocks=(
            Series(
                key="active",
                title="Active",
                interval="day",
                measures=ACTIVE,
                points=active,
                previous=before[0][:days],
            ),
            _names(cells(reader, scope, actors, scope.span, "name"), actors),
            Series(
                key="new",
                title="New and returning persons",
                interval="day",
                measures=NEW,
                points=new,
                previous=before[1][:days],
                kind="stacked",
            ),
            _hours(cells(reader, scope, actors, scope.span, "hour")),
        )
    )


# --- Day by day ---


def _points(
    by_day: Mapping[int, BitMap], actors: Actors, first: Integers, span: Span
) -> tuple[list[Point], list[Point]]:
    """The points of `active` and of `new`, one for each day of a span."""
    end = span.last.toordinal() + 1
    dates = [date.fromordinal(day) for day in range(span.first.toordinal() - EARLIER, end)]
    asked = len(dates) - EARLIER
    active = [by_day.get(day_number(day), BitMap()) for day in dates]
    persons = [actors.persons(who) for who in active]
    people = [_set(who) for who in persons]
    organizations = [_set(actors.organizations(who)) for who in active]
    counted = zip(
        *(trailing(who, days)[-asked:] for who in (people, organizations) for days in (1, WEEK, MONTH)), strict=True
    )
    keys = [measure.key for measure in ACTIVE]
    points = [
        Point(day, dict(zip(keys, (*counts, counts[0] / counts[2] if counts[2] else None), strict=True)))
        for day, counts in zip(dates[-asked:], counted, strict=True)
    ]
    return points, _new(dates[-asked:], persons[-asked:], first, span.timezone)


def _new(dates: Sequence[date], persons: Sequence[Integers], first: Integers, timezone: str) -> list[Point]:
    """Persons of each day by whether their first event ever, in any environment, was on that day."""
    points = []
    for day, who in zip(dates, persons, strict=True):
        new = int(np.count_nonzero(first[who] >= Span(day, day, timezone).start))
        points.append(Point(day, {"new": new, "returning": len(who) - new}))
    return points


def _by_day(found: Iterable[Day]) -> dict[int, BitMap]:
    """The actors of each day, whatever its environment and key."""
    days: dict[int, BitMap] = defaultdict(BitMap)
    for day, _, cell in found:
        days[day] |= cell.actors
    return days


def _set(members: Integers) -> BitMap:
    return bitmap(members)


def trailing(sets: Sequence[BitMap], days: int) -> list[int]:
    """How many are in each `days` consecutive sets together; the first count is of the first that many.

    Every window is the end of one block of `days` sets and the beginning of the next, so three
    unions a set do, however long the window.
    """
    ends, beginnings = list(sets), list(sets)
    for place in range(1, len(sets)):
        if place % days:
            beginnings[place] = beginnings[place - 1] | sets[place]
    for place in reversed(range(len(sets) - 1)):
        if (place + 1) % days:
            ends[place] = sets[place] | ends[place + 1]
    return [end.union_cardinality(beginning) for end, beginning in zip(ends, beginnings[days - 1 :], strict=False)]


# --- By name and by hour ---


def _names(found: Iterable[Day], actors: Actors) -> Table:
    events: dict[str, int] = defaultdict(int)
    members: dict[str, list[BitMap]] = defaultdict(list)
    for _, name, cell in found:
        events[name] += cell.events
        members[name].append(cell.actors)
    rows = []
    for name in sorted(events, key=lambda name: (-events[name], name)):
        who = BitMap.union(*members[name])
        rows.append([name, events[name], actors.count_persons(who), actors.count_organizations(who)])
    return Table(key="names", title="Events by name", columns=NAMES, rows=rows)


def _hours(found: Iterable[Day]) -> Grid:
    counts: dict[tuple[int, int], int] = defaultdict(int)
    for day, hour, cell in found:
        counts[(day + 3) % 7, int(hour)] += cell.events  # day 0, 1 January 1970, was a Thursday
    return Grid(
        key="hours",
        title="Events by hour of the week",
        rows=WEEKDAYS,
        columns=tuple(f"{hour:02}" for hour in range(24)),
        values=[[counts[weekday, hour] for hour in range(24)] for weekday in range(7)],
        kind="hours",
    )
