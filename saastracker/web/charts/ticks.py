"""Where axes have their marks: round values, Mondays, firsts of months."""

import math
from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from saastracker.report import Interval, Unit
from saastracker.web.numbers import MINUS, short

MINUTE, HOUR, DAY = 60, 3600, 86_400


class Axis(NamedTuple):
    """The marks of a y axis, lowest first; the ends of the drawing are the first and the last."""

    values: list[float]
    labels: list[str]

    def y(self, value: float, height: float) -> float:
        """Pixels from the top of a drawing."""
        return height * (1 - (value - self.values[0]) / (self.values[-1] - self.values[0]))


def axis(lowest: float, highest: float, unit: Unit = "count") -> Axis:
    """3 to 5 round marks that hold 0 and both values; the unit stands at the top one."""
    size, name = _measured_in(max(highest, -lowest), unit)
    low, high = min(0.0, lowest) / size, max(0.0, highest) / size
    if high - low < 1e-9:  # nothing, or nothing that could be drawn
        low, high = 0.0, 100.0 if unit == "share" else 1.0
    step = _step(low, high, whole=unit == "count" and float(high).is_integer() and float(low).is_integer())
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    values = [number * step for number in range(first, last + 1)]
    labels = [_label(value, unit) for value in values]
    labels[-1] += name
    return Axis([value * size for value in values], labels)


def _step(low: float, high: float, *, whole: bool) -> float:
    """The smallest of 1, 2, 2.5, 5 times a power of ten that gives at most 4 intervals."""
    power = 10.0 ** math.floor(math.log10(max((high - low) / 4, 1e-300)))  # smaller ones are not told from 0
    return next(
        step
        for step in (factor * power for factor in (1, 2, 2.5, 5, 10, 20))
        if math.ceil(high / step - 1e-9) - math.floor(low / step + 1e-9) <= 4 and not (whole and step != int(step))
    )


def _measured_in(size: float, unit: Unit) -> tuple[float, str]:
    """What one step of the axis counts, and how that is written."""
    if unit == "share":
        return 0.01, "%"
    if unit == "days":
        return 1.0, " d"
    if unit == "count":
        return 1.0, ""
    second = 1000.0 if unit == "milliseconds" else 1.0
    seconds = size / second
    for limit, length, name in (
        (1, 0.001, " ms"),
        (2 * MINUTE, 1, " s"),
        (2 * HOUR, MINUTE, " min"),
        (2 * DAY, HOUR, " h"),
    ):
        if seconds < limit:
            return length * second, name
    return DAY * second, " d"


def _label(value: float, unit: Unit) -> str:
    text = short(abs(value)) if unit == "count" else f"{abs(value):.6g}"
    if text[-1] in "kMB" and "." in text:
        text = text[:-1].rstrip("0").rstrip(".") + text[-1]
    return MINUS + text if value < 0 else text


class Tick(NamedTuple):
    """A mark of a time axis: which point it stands at, and whether it goes where space is short."""

    place: int
    label: str
    minor: bool


def time_ticks(days: Sequence[date], interval: Interval, hours: Sequence[int] = ()) -> list[Tick]:
    """Up to 9 marks for points that lie on `days` (and begin at local `hours`), every other one minor."""
    if interval == "hour" and days[0] != days[-1] and (days[-1] - days[0]).days > 1:
        places = [index for index, hour in enumerate(hours) if hour == 0]
        labels = {index: short_day(days[index]) for index in places}
    elif interval == "hour":
        places = [index for index, hour in enumerate(hours) if hour % 3 == 0]
        labels = {index: f"{hours[index]:02}:00" for index in places}
    elif interval == "month":
        places = list(range(len(days)))
        labels = {
            index: f"{days[index]:%b}" + ("" if days[index].month > 1 else f" {days[index].year}") for index in places
        }
    else:
        by_day = [index for index, day in enumerate(days) if interval == "week" or len(days) <= 8 or day.weekday() == 0]
        months = [index for index, day in enumerate(days) if day.day <= (7 if interval == "week" else 1)]
        places = by_day if len(by_day) <= 14 else months
        labels = {index: short_day(days[index]) for index in places}
    every = math.ceil(len(places) / 9)
    return [Tick(place, labels[place], number % 2 == 1) for number, place in enumerate(places[::every])]


def short_day(day: date) -> str:
    """18 Nov."""
    return f"{day.day} {day:%b}"
