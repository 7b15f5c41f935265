"""Calendar months in UTC, by which usage is counted."""

from datetime import UTC, datetime
from functools import lru_cache

HOUR_MS = 3600 * 1000


def month_of(ms: int) -> str:
    """The calendar month, UTC, of a time: `2026-11`."""
    return _month(ms // HOUR_MS)


@lru_cache(64)
def _month(hour: int) -> str:
    return datetime.fromtimestamp(hour * 3600, UTC).strftime("%Y-%m")
