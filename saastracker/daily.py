"""Times of day in time zones.

Every local day has each time once: one that the clocks leap over comes as much later, of one that they repeat the
first counts.
"""

from collections.abc import Callable, Collection
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from apscheduler.triggers.base import BaseTrigger

from saastracker.job import Daily


def last_time(daily: Daily, zone: str, now: datetime) -> datetime:
    """The newest until now, in UTC."""
    today = now.astimezone(ZoneInfo(zone)).date()
    return max(each for each in _near(daily, zone, today) if each <= now)


def next_time(daily: Daily, zone: str, after: datetime) -> datetime:
    """The first after a moment, in UTC."""
    today = after.astimezone(ZoneInfo(zone)).date()
    return min(each for each in _near(daily, zone, today) if each > after)


def _near(daily: Daily, zone: str, day: date) -> list[datetime]:
    """Of some days around: places have left out a whole one, as Samoa in 2011."""
    at = time(daily.hour, daily.minute, tzinfo=ZoneInfo(zone))
    return [datetime.combine(day + timedelta(days=shift), at).astimezone(UTC) for shift in range(-2, 3)]


class DailyTrigger(BaseTrigger):  # type: ignore[misc]  # APScheduler has no types
    """Fires when the time of day comes in the first of some zones, which are asked for anew each time."""

    def __init__(self, daily: Daily, zones: Callable[[], Collection[str]], jitter: float) -> None:
        """`jitter`: seconds, at most, that it is late."""
        self._daily = daily
        self._zones = zones
        self._jitter = jitter

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
        after = previous_fire_time or now
        following = min(next_time(self._daily, zone, after) for zone in self._zones())
        late: datetime = self._apply_jitter(following, self._jitter, now)
        return late
