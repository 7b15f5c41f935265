"""Calendar months in UTC, by which usage is counted."""

from datetime import UTC, datetime
from functools import lru_cache

HOUR_MS = 3600 * 1000


def month_of(ms: int) -> str:
    """The calendar month, UTC, of a time: `2026-11`."""
    return _month(ms // HOUR_MS)


def month_span(month: str) -> tuple[int, int]:
    """When a month begins and ends, in milliseconds."""
    begins = datetime.strptime(month, "%Y-%m").replace(tzinfo=UTC)
    ends = begins.replace(year=begins.year + begins.month // 12, month=begins.month % 12 + 1)
    return int(begins.timestamp() * 1000), int(ends.timestamp() * 1000)


def months_between(first: int, last: int) -> list[str]:
    """The months from that of one time to that of a later one."""
    found = [month_of(first)]
    while found[-1] < month_of(last):
        found.append(month_of(month_span(found[-1])[1]))
    return found


@lru_cache(64)
def _month(hour: int) -> str:
    return datetime.fromtimestamp(hour * 3600, UTC).strftime("%Y-%m")
