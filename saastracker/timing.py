"""When jobs run: by APScheduler's triggers."""

from collections.abc import Callable, Collection
from datetime import UTC, datetime

from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.interval import IntervalTrigger

from saastracker.daily import DailyTrigger
from saastracker.job import Daily, Every

JITTER_SECONDS = 60  # at most, so that many servers do not ask others at the same moment


def timer(trigger: Every | Daily, zones: Callable[[], Collection[str]]) -> BaseTrigger:
    """`zones` are those whose time of day it may be."""
    if isinstance(trigger, Every):
        jitter = min(JITTER_SECONDS, trigger.seconds / 10)
        return IntervalTrigger(seconds=trigger.seconds, jitter=jitter, timezone=UTC)
    return DailyTrigger(trigger, zones, JITTER_SECONDS)


def first_time(timer: BaseTrigger, last: int | None, *, cut_short: bool) -> datetime:
    """When a job runs next whose last run began at `last`, in ms; now if it should have since, or was cut short."""
    now = datetime.now(UTC)
    if cut_short:
        return now
    before = None if last is None else min(now, moment(last))
    following: datetime = timer.get_next_fire_time(before, now)
    return max(now, following)


def moment(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)
