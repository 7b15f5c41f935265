"""What the explorer is asked, and the periods of its answer."""

from datetime import date, timedelta
from typing import TypeAlias, cast

import msgspec

from saastracker.conditions import HOUR_MS, stretches
from saastracker.errors import Invalid
from saastracker.event import NAME_MAX
from saastracker.report import Interval
from saastracker.scope import DIMENSIONS, PROPERTY, Scope, Span

COLUMNS = (*DIMENSIONS, "environment", "session", "referrer", "source", "medium", "campaign")
EPOCH = date(1970, 1, 1)
PERIODS_MAX = 10_000

Period: TypeAlias = date | int  # the local date a day, week or month begins; of an hour UTC milliseconds


class Question(msgspec.Struct, frozen=True):
    measure: str
    by: tuple[str, ...]  # columns of `events`, or `prop.` and a property's key
    interval: Interval | None
    value_of: str  # a property's key; empty: the events' own value


def question(scope: Scope) -> Question:
    """Raises Invalid for what no event has."""
    asked = scope.parameters
    by = tuple(asked["by"].split(",")) if asked["by"] else ()
    if len(set(by)) < len(by):
        raise Invalid("by: given twice")
    for name in by:
        if name.startswith(PROPERTY):
            _check_key("by", name.removeprefix(PROPERTY))
        elif name not in COLUMNS:
            raise Invalid(f"by: unknown column {name[:64]}, allowed are {', '.join(COLUMNS)}, prop.<key>")
    if asked["value_of"]:
        _check_key("value_of", asked["value_of"])
    return Question(asked["measure"], by, cast("Interval | None", asked["interval"] or None), asked["value_of"])


def _check_key(name: str, key: str) -> None:
    if not 0 < len(key) <= NAME_MAX or '"' in key or "\\" in key:
        raise Invalid(f"{name}: a property's key has 1 to {NAME_MAX} characters, no quotation mark and no backslash")


def period(interval: Interval, day: date) -> date:
    """The date on which the day, week or month of a date begins."""
    if interval == "month":
        return day.replace(day=1)
    return day - timedelta(days=day.weekday()) if interval == "week" else day


def periods(span: Span, interval: Interval) -> list[Period]:
    """All periods that a span touches, oldest first. Raises Invalid where they are too many."""
    count = (span.last - span.first).days + 1
    if count * (24 if interval == "hour" else 1) > PERIODS_MAX:
        raise Invalid(f"interval: more than {PERIODS_MAX} periods; ask for a longer interval or a shorter span")
    if interval != "hour":
        return sorted({period(interval, span.first + timedelta(days=number)) for number in range(count)})
    hours: set[Period] = set()
    for start, end, offset in stretches(span):
        hours |= set(range(start - (start + offset) % HOUR_MS, end, HOUR_MS))
    return sorted(hours)
