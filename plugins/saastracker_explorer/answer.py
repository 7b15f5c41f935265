"""The explorer's numbers as a table and as a series."""

from collections import defaultdict
from typing import Any
from urllib.parse import quote

from saastracker.report import Column, Interval, Measure, Number, Point, Series, Table
from saastracker.scope import DIMENSIONS, PROPERTY, Scope
from saastracker_explorer.measure import MEASURES, Key, empty
from saastracker_explorer.question import Question, periods

LINES_MAX = 6  # of the largest, the table holds all: distinct persons of further ones cannot be put together
LISTS = {"persons": "people", "organizations": "organizations", "sessions": "sessions", "events": "stream"}
ABOUT = {
    "events": "Events in the span.",
    "persons": "Distinct persons with such an event.",
    "organizations": "Distinct organizations with such an event.",
    "sessions": "Distinct sessions with such an event.",
    "sum": "The values together.",
    "avg": "The mean of the values.",
    "min": "The smallest value.",
    "max": "The largest value.",
    "p50": "The median: half of the values are at most this.",
    "p95": "The 95th percentile: 19 of 20 values are at most this.",
}
NONE = "(none)"  # in the chart, where events lack what they are broken down by


def result(asked: Question, values: dict[Key, Number]) -> Table:
    """By period, then the largest first."""
    filtered = {*DIMENSIONS, "environment"}
    columns = [
        Column(
            name,
            name.removeprefix(PROPERTY).capitalize(),
            place="asked",
            dimension=name if name in filtered or name.startswith(PROPERTY) else "",
        )
        for name in asked.by
    ]
    if asked.interval:
        columns.insert(0, Column("period", "Period", "time" if asked.interval == "hour" else "date"))
    columns.append(
        Column(asked.measure, MEASURES[asked.measure], "number", link=_rows(asked), about=ABOUT[asked.measure])
    )
    rows: list[list[Any]] = []
    for key, value in sorted(values.items(), key=_order):
        rows.append([*([key.period] if asked.interval else []), *key.by, value])
    return Table(key="result", title="Result", columns=tuple(columns), rows=rows)


def _rows(asked: Question) -> str:
    """Where a number's rows are; nowhere for those of what no filter takes. Of an hour only events are listed."""
    of = asked.measure if asked.measure in {"persons", "organizations", "sessions"} else "events"
    if not all(name in DIMENSIONS or name.startswith(PROPERTY) for name in asked.by):
        return ""
    if asked.interval == "hour" and of != "events":
        return ""
    when = (f"{{{asked.interval} period}}",) if asked.interval else ()
    conditions = (f"f={quote(name, safe='')}:is:{{{name}}}" for name in asked.by)
    return f"{LISTS[of]}?{'&'.join([*when, *conditions])}"


def _order(item: tuple[Key, Number]) -> tuple[Any, ...]:
    (period, by), value = item
    return (
        () if period is None else (period,),
        value is None,
        -(value or 0),
        [(name is None, name or "") for name in by],
    )


def series(scope: Scope, asked: Question, interval: Interval, values: dict[Key, Number]) -> Series:
    """A point for every period of the span; one line, or one for each of the largest break-downs.

    Raises Invalid where the periods are too many.
    """
    lines: dict[tuple[str | None, ...], tuple[str, str]] = {(): (asked.measure, MEASURES[asked.measure])}
    if asked.by:
        sizes: defaultdict[tuple[str | None, ...], float] = defaultdict(float)
        for key, value in values.items():
            sizes[key.by] += abs(value or 0)
        largest = sorted(sizes, key=lambda by: (-sizes[by], [(name is None, name or "") for name in by]))[:LINES_MAX]
        lines = {by: (" / ".join(NONE if name is None else name for name in by),) * 2 for by in largest}
    points = [
        Point(at, {line: values.get(Key(at, by), empty(asked)) for by, (line, _) in lines.items()})
        for at in periods(scope.span, interval)
    ]
    measures = tuple(Measure(line, label) for line, label in lines.values())
    return Series(key="series", title=MEASURES[asked.measure], interval=interval, measures=measures, points=points)
