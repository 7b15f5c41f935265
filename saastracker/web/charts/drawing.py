"""What one chart of a series shows: the measures that share a unit, their points, and which period still runs."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from saastracker.annotations import Noted
from saastracker.report import Interval, Measure, Number, Point, Series
from saastracker.web.charts.thinning import begins, thinned
from saastracker.web.charts.ticks import short_day

LINES_MAX = 6  # more measures than this become "Other"
_HOUR = 3_600_000


class Period(NamedTuple):
    """One place on the time axis."""

    day: date
    hour: int
    label: str  # as the read-out and the table name it


class Line(NamedTuple):
    """One measure: its colour class, its name, its values by period."""

    kind: str  # k1 to k8
    label: str
    values: list[Number]


class Drawing(NamedTuple):
    """All that one chart needs."""

    id: str
    title: str
    heading: str  # of the group; may be empty
    mean: str  # what the points are means of, in words; empty where each is a period of the series
    measure: Measure  # the first: its unit is that of all
    interval: Interval
    stacked: bool
    periods: list[Period]
    lines: list[Line]
    before: list[Number]  # the first line in the comparison span
    before_periods: list[Period]
    before_span: tuple[date, date] | None  # the days of the comparison span
    running: bool  # the last period is not over
    notes: dict[int, list[Noted]]  # by the place of their period


def drawings(series: Series, timezone: str, now: int, noted: Sequence[Noted] = ()) -> list[Drawing]:
    """One for each unit and group of the series' measures, in their order; `noted` is marked on all."""
    days = [_period(point, series.interval, timezone).day for point in series.previous[: len(series.points)]]
    asked, series = series.interval, thinned(series, timezone)
    mean = f"per {asked}, mean of each {series.interval}" if series.interval != asked else ""
    groups: dict[tuple[str, str], list[Measure]] = {}
    for measure in series.measures:
        groups.setdefault((measure.unit, measure.group), []).append(measure)
    periods = [_period(point, series.interval, timezone) for point in series.points]
    before_periods = [
        _with_year(_period(point, series.interval, timezone), periods[-1]) for point in series.previous[: len(periods)]
    ]
    running = bool(series.points) and _runs(series.points[-1], series.interval, timezone, now)
    notes = _notes(periods, series.interval, noted)
    found = []
    for number, ((_, group), measures) in enumerate(groups.items()):
        first = measures[0]
        names = group or (first.label if len(measures) == 1 else series.title)
        before = [point.values.get(first.key) for point in series.previous[: len(periods)]]
        found.append(
            Drawing(
                id=f"{series.key}-{number}",
                title=f"{names} {mean or f'per {asked}'}",
                heading=group or (first.label if len(groups) > 1 and len(measures) == 1 else ""),
                mean=mean,
                measure=first,
                interval=series.interval,
                stacked=series.kind == "stacked",
                periods=periods,
                lines=_lines(measures, series.points),
                before=before if any(value is not None for value in before) else [],
                before_periods=before_periods,
                before_span=(days[0], days[-1]) if days else None,
                running=running,
                notes=notes,
            )
        )
    return found


def _lines(measures: list[Measure], points: list[Point]) -> list[Line]:
    values = [[point.values.get(measure.key) for point in points] for measure in measures]
    shown = LINES_MAX if len(measures) > LINES_MAX else len(measures)
    lines = [Line(f"k{place + 1}", measures[place].label, values[place]) for place in range(shown)]
    if shown < len(measures) and measures[0].unit == "count":  # other units do not add up
        rest = [sum(value or 0 for value in column) for column in zip(*values[shown:], strict=True)]
        lines.append(Line("k8", "Other", list(rest)))
    return lines


def _period(point: Point, interval: Interval, timezone: str) -> Period:
    if isinstance(point.at, int):
        at = datetime.fromtimestamp(point.at / 1000, UTC).astimezone(ZoneInfo(timezone))
        return Period(at.date(), at.hour, f"{short_day(at.date())} {at:%H:%M}")
    labels = {"day": f"{point.at:%a} {short_day(point.at)}", "week": f"Week of {short_day(point.at)}"}
    return Period(point.at, 0, labels.get(interval, f"{point.at:%B %Y}"))


def _notes(periods: list[Period], interval: Interval, noted: Sequence[Noted]) -> dict[int, list[Noted]]:
    """What happened in each period in which something did."""
    places = {(period.day, period.hour): place for place, period in enumerate(periods)}
    found: dict[int, list[Noted]] = {}
    for each in noted:
        place = places.get((begins(each.day, interval), each.hour if interval == "hour" else 0))
        if place is not None:
            found.setdefault(place, []).append(each)
    return found


def _with_year(before: Period, now: Period) -> Period:
    """A period whose label names its year, if that is not the present one."""
    year = str(before.day.year)
    told = before.day.year == now.day.year or before.label.endswith(year)
    return before if told else before._replace(label=f"{before.label} {year}")


def _runs(last: Point, interval: Interval, timezone: str, now: int) -> bool:
    """Whether the period that begins with `last` holds the present."""
    if isinstance(last.at, int):
        return last.at <= now < last.at + _HOUR
    today = datetime.fromtimestamp(now / 1000, UTC).astimezone(ZoneInfo(timezone)).date()
    if interval == "month":
        return (last.at.year, last.at.month) == (today.year, today.month)
    return last.at <= today < last.at + timedelta(days=7 if interval == "week" else 1)
