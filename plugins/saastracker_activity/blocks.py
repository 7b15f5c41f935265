"""The blocks of the activity report, from cells of the index."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, timedelta

import numpy as np
from pyroaring import BitMap

from saastracker.actors import Actors
from saastracker.cells import cells
from saastracker.contracts import Reader
from saastracker.index import Day, Integers, bitmap, day_number, grouped, numbers
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
    active, new = _points(by_day, actors, scope.span)
    before: tuple[list[Point], list[Point]] = ([], [])
    if scope.compared is not None:
        before = _points(by_day, actors, scope.compared)
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


def _points(by_day: Mapping[int, BitMap], actors: Actors, span: Span) -> tuple[list[Point], list[Point]]:
    """The points of `active` and of `new`, one for each day of a span.

    A person is new on the day of their first event ever, in any environment, and on any before it.
    """
    end = span.last.toordinal() + 1
    dates = [date.fromordinal(day) for day in range(span.first.toordinal() - EARLIER, end)]
    asked = len(dates) - EARLIER
    active = [by_day.get(day_number(day), BitMap()) for day in dates]
    persons = [actors.person_sets(who) for who in active]
    alone, shared = [who.alone for who in persons], [who.shared for who in persons]
    organizations = [bitmap(actors.organizations(who)) for who in active]
    counted = list(
        zip(
            *(_sums(trailing(alone, days), trailing(shared, days))[-asked:] for days in (1, WEEK, MONTH)),
            *(trailing(organizations, days)[-asked:] for days in (1, WEEK, MONTH)),
            strict=True,
        )
    )
    keys = [measure.key for measure in ACTIVE]
    points = [
        Point(day, dict(zip(keys, (*counts, counts[0] / counts[2] if counts[2] else None), strict=True)))
        for day, counts in zip(dates[-asked:], counted, strict=True)
    ]
    starts = [Span(day, day, span.timezone).start for day in dates[-asked:]]
    began = actors.person_first()
    new = _sums(
        begun(alone[-asked:], lambda who: began.take(actors.person.take(who)), starts),
        begun(shared[-asked:], began.take, starts),
    )
    return points, [
        Point(day, {"new": fresh, "returning": daily - fresh})
        for day, (daily, *_), fresh in zip(dates[-asked:], counted, new, strict=True)
    ]


def _sums(some: Sequence[int], others: Sequence[int]) -> list[int]:
    return [one + other for one, other in zip(some, others, strict=True)]


def begun(sets: Sequence[BitMap], began: Callable[[Integers], Integers], starts: Sequence[int]) -> list[int]:
    """How many of each set began at or after its start, in ms; the starts ascend.

    `began` gives when each of some members did. From the last day back the set of who began since only grows.
    """
    members = numbers(BitMap.union(*sets)) if sets else np.zeros(0, np.int64)
    place = np.searchsorted(starts, began(members), "right")  # 0 for before the first
    since, counts = BitMap(), []
    for rows, active in zip(reversed(grouped(place, len(sets) + 1)[1:]), reversed(sets), strict=True):
        since |= bitmap(members[rows])
        counts.append(since.intersection_cardinality(active))
    return counts[::-1]


def _by_day(found: Iterable[Day]) -> dict[int, BitMap]:
    """The actors of each day, whatever its environment and key."""
    days: dict[int, BitMap] = defaultdict(BitMap)
    for day, _, cell in found:
        days[day] |= cell.actors
    return days


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
    counts = np.zeros((7, 24), np.int64)
    for day, _, cell in found:
        hours, events = cell.per_actor()
        counts[(day + 3) % 7, hours - 1] += events  # day 0, 1 January 1970, was a Thursday
    return Grid(
        key="hours",
        title="Events by hour of the week",
        rows=WEEKDAYS,
        columns=tuple(f"{hour:02}" for hour in range(24)),
        values=[list(hours) for hours in counts.tolist()],
        kind="hours",
    )
