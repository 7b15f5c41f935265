"""Calendar periods: days, weeks from Monday, months."""

from datetime import date, timedelta
from typing import Literal, TypeAlias

By: TypeAlias = Literal["day", "week", "month"]


def beginning(day: date, by: By) -> date:
    """The first day of the period a day lies in."""
    if by == "month":
        return day.replace(day=1)
    return day - timedelta(days=day.weekday() if by == "week" else 0)


def later(period: date, by: By, count: int) -> date:
    """The first day of the period that many after (or, below 0, before) one."""
    if by == "month":
        year, month = divmod(period.year * 12 + period.month - 1 + count, 12)
        return date(year, month + 1, 1)
    return period + timedelta(days=count * (7 if by == "week" else 1))


def between(period: date, other: date, by: By) -> int:
    """How many periods after one another begins."""
    if by == "month":
        return (other.year - period.year) * 12 + other.month - period.month
    return (other - period).days // (7 if by == "week" else 1)
