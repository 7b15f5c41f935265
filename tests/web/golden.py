"""A report that holds one of every block, with numbers made up once and kept."""

from dataclasses import replace
from datetime import date, timedelta
from math import sin

from saastracker.contracts import Reader, ReportPage
from saastracker.errors import NotFound
from saastracker.report import (
    Figure,
    Figures,
    Flow,
    Grid,
    Link,
    Measure,
    Node,
    Note,
    Point,
    Report,
    Series,
    Steps,
)
from saastracker.scope import Parameter, Scope

from .conftest import Running
from .golden_tables import HEALTH, NAMES, ORGANIZATIONS, PATHS

LAST = date(2026, 11, 21)  # a Saturday: the day that still runs
DAYS = [LAST - timedelta(days=27 - number) for number in range(28)]


def wave(place: int, size: float) -> int:
    """Weekdays high, weekends low, never twice the same."""
    weekend = DAYS[place % 28].weekday() >= 5
    return round(size * (0.3 if weekend else 1) * (1 + 0.1 * sin(place * 2.3)))


FIGURES = Figures(
    key="totals",
    title="Key figures",
    figures=(
        Figure(
            key="events",
            label="Events",
            value=1_284_310,
            previous=1_179_200,
            good="up",
            about="Events received in the span, rejected ones left out.",
        ),
        Figure(key="persons", label="Active people", value=2846, previous=2734, good="up", link="things?of=people"),
        Figure(key="share", label="Conversion", value=0.229, unit="share", previous=0.216, good="up"),
        Figure(key="errors", label="Organizations hit", value=41, previous=29, good="down"),
        Figure(key="median", label="Median time", value=276_480, unit="seconds", previous=None),
    ),
)
LINES = Series(
    key="events",
    title="Events",
    interval="day",
    measures=(
        Measure("events", "Events"),
        Measure("dau", "Daily", group="People"),
        Measure("wau", "Weekly", group="People"),
        Measure("mau", "Monthly", group="People"),
        Measure("stickiness", "Stickiness", "share"),
    ),
    points=[
        Point(
            day,
            {
                "events": wave(place, 52_000) if place < 27 else 9100,
                "dau": wave(place, 900) if place != 12 else None,
                "wau": 1600 + 8 * place,
                "mau": 2700 + 5 * place,
                "stickiness": wave(place, 900) / (2700 + 5 * place),
            },
        )
        for place, day in enumerate(DAYS)
    ],
    previous=[Point(day - timedelta(days=28), {"events": wave(place + 5, 47_000)}) for place, day in enumerate(DAYS)],
)
BARS = Series(
    key="new",
    title="New and returning people",
    interval="week",
    measures=(Measure("new", "New"), Measure("returning", "Returning")),
    points=[
        Point(date(2026, 9, 7) + timedelta(weeks=week), {"new": 60 + 7 * (week % 3), "returning": 400 + 21 * week})
        for week in range(11)
    ],
    kind="stacked",
)
STEPS = Steps(
    key="steps",
    title="Quote to booking",
    rows=[
        ["Quote started", 1388, 1.0, None, None, None],
        ["Rates compared", 1120, 0.807, 0.807, 120, 840],
        ["Quote sent", 846, 0.61, 0.755, 660, 12_000],
        ["Quote accepted", 391, 0.282, 0.462, 120_960, 449_280],
        ["Booking confirmed", 0, 0.0, 0.0, None, None],
    ],
)
COHORTS = Grid(
    key="cohorts",
    title="Cohorts",
    rows=tuple(date(2026, 9, 7) + timedelta(weeks=week) for week in range(11)),
    columns=tuple(str(week) for week in range(11)),
    values=[
        [
            90 + week if age == 0 else round((90 + week) * (0.34 + 0.3 / age)) if age <= 10 - week else None
            for age in range(11)
        ]
        for week in range(11)
    ],
    running=frozenset((week, 10 - week) for week in range(10)),
)
HOURS = Grid(
    key="hours",
    title="Hours of the week",
    rows=("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    columns=tuple(f"{hour:02}:00" for hour in range(24)),
    values=[
        [max(round((900 if day < 5 else 200) * sin((hour - 6) / 12 * 3.14)), 0) + day for hour in range(24)]
        for day in range(7)
    ],
    kind="hours",
)
MATRIX = Grid(
    key="matrix",
    title="Who uses what",
    rows=("halden", "kessler & roth", "castellan/eu"),
    columns=("Quotes", "Booking import", "Shared inbox", "Rate alerts", "Customs check"),
    values=[[211, 118, 0, 3, None], [12, 0, 0, 0, 1], [0, 0, None, None, None]],
    kind="matrix",
    link="things/{row}",
)
FLOW = Flow(
    key="flow",
    title="After /quotes",
    nodes=(
        Node("0:/quotes", "/quotes"),
        Node("1:/rates", "/rates/compare"),
        Node("1:/new", "/quotes/new"),
        Node("2:/quotes", "/quotes"),
        Node("2:/sent", "/quotes/sent"),
        Node("2:exit", "Left"),
    ),
    links=(
        Link("0:/quotes", "1:/rates", 420),
        Link("0:/quotes", "1:/new", 260),
        Link("1:/rates", "2:/quotes", 130),
        Link("1:/rates", "2:exit", 150),
        Link("1:/new", "2:/sent", 210),
        Link("1:/new", "2:exit", 50),
    ),
)
NOTE = Note(key="counting", text="3 of 12 days are still being counted; these numbers grow for a few minutes.")
BLOCKS = (NOTE, FIGURES, LINES, PATHS, NAMES, ORGANIZATIONS, BARS, HEALTH, HOURS, STEPS, COHORTS, MATRIX, FLOW)


def load(_reader: Reader, _scope: Scope) -> Report:
    return Report(blocks=BLOCKS)


def detail(_reader: Reader, scope: Scope, thing: str) -> Report:
    """One row of ORGANIZATIONS, to show that an id may hold anything."""
    for row in ORGANIZATIONS.rows:
        if row[0] == thing:
            return Report(title=row[1], blocks=(Note(key="plan", title=scope.parameters["of"], text=str(row[2])),))
    raise NotFound(f"There is no thing {thing[:64]} here.")


WHO = Parameter(name="of", label="Who", choices={"people": "People", "orgs": "Organizations"}, default="people")
PAGE = ReportPage(
    slug="things",
    title="Things",
    section="Product",
    about="One of every block.",
    load=load,
    detail=detail,
    parameters=(WHO,),
    detail_parameters=(WHO, Parameter(name="step", label="At step")),
)
ASKING = ReportPage(
    slug="asking",
    title="Asking",
    section="Product",
    load=lambda _reader, scope: Report(blocks=(Note(key="n", title="Asked", text=str(scope.parameters)),)),
    parameters=(
        Parameter(name="measure", label="Measure", choices={"events": "Events", "sum": "Sum"}, default="events"),
        Parameter(name="by", label="By", most=2),
        Parameter(name="value_of", label="Value of"),
    ),
)


def offering_things(running: Running) -> Running:
    """The same site with these reports beside its own."""
    reports = {**running.site.reports, PAGE.slug: PAGE, ASKING.slug: ASKING}
    return replace(running, site=replace(running.site, reports=reports))
