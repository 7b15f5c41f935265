"""Long series by their means over longer periods: a year of days is more than eyes tell apart, and heavy."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from saastracker.report import Interval, Number, Point, Series

POINTS_MAX = 168  # a week of hours, 24 weeks of days
LONGER: dict[Interval, tuple[Interval, ...]] = {
    "hour": ("day", "week", "month"),
    "day": ("week", "month"),
    "week": ("month",),
    "month": (),
}


def thinned(series: Series, timezone: str) -> Series:
    """The series itself, or its means over the shortest periods that are few enough; none of a mean is none.

    The span before is taken together in the same places, so that it stays aligned by position.
    """
    if len(series.points) <= POINTS_MAX or not LONGER[series.interval]:
        return series
    for interval in LONGER[series.interval]:
        starts = [begins(_date(point, timezone), interval) for point in series.points]
        if len(set(starts)) <= POINTS_MAX:
            break
    firsts = [place for place, start in enumerate(starts) if place == 0 or start != starts[place - 1]]
    parts = list(zip(firsts, [*firsts[1:], len(starts)], strict=True))
    keys = [measure.key for measure in series.measures]
    previous = series.previous
    return msgspec.structs.replace(
        series,
        interval=interval,
        points=[_mean(series.points[first:end], starts[first], keys) for first, end in parts],
        previous=[
            _mean(previous[first:end], _date(previous[first], timezone), keys)
            for first, end in parts
            if first < len(previous)
        ],
    )


def begins(day: date, interval: Interval) -> date:
    """The day on which the week or month of a day begins; of shorter periods the day itself."""
    if interval == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if interval == "month" else day


def _date(point: Point, timezone: str) -> date:
    if isinstance(point.at, int):
        return datetime.fromtimestamp(point.at / 1000, UTC).astimezone(ZoneInfo(timezone)).date()
    return point.at


def _mean(points: Sequence[Point], at: date, keys: Sequence[str]) -> Point:
    return Point(at, {key: _mean_of([point.values.get(key) for point in points]) for key in keys})


def _mean_of(values: Sequence[Number]) -> Number:
    known = [value for value in values if value is not None]
    mean = sum(known) / len(known) if known else None
    return round(mean) if mean is not None and abs(mean) >= 100 else mean  # counts, told without decimals
