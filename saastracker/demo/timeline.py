"""What both demo products share: their days and releases, sessions, and the order in which events arrive."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from operator import attrgetter
from random import Random
from typing import Any
from uuid import UUID

from saastracker.event import Event

DAYS = 90  # the last one, number 89, is today
SECOND_MS = 1000
HOUR_MS = 3600 * SECOND_MS
DAY_MS = 24 * HOUR_MS
RELEASED_AT = 10 * HOUR_MS  # of the day, UTC
SEED = 1

_received_at = attrgetter("received_at")


def generator(*names: object) -> Random:
    """Random numbers that depend on the names alone, so that one story's length changes no other's."""
    return Random("/".join(map(str, (SEED, *names))))  # noqa: S311  # made-up data is no secret


class Timeline:
    """The days that end with the one (UTC) that holds `now`, and the releases in them."""

    def __init__(self, now: int, releases: Sequence[tuple[int, str]]) -> None:
        """`releases`: how many days before today, and the version; oldest first, the first before all days."""
        self.now = now
        self._today = datetime.fromtimestamp(now / 1000, UTC).date()
        self._versions = [version for _, version in releases]
        self._released = [self.start(DAYS - 1 - before) + RELEASED_AT for before, _ in releases]

    def date(self, day: int) -> date:
        return self._today - timedelta(days=DAYS - 1 - day)

    def start(self, day: int, zone: tzinfo = UTC) -> int:
        """The first millisecond of a day, by its number."""
        return int(datetime.combine(self.date(day), time.min, zone).timestamp() * 1000)

    def release(self, at: int) -> str:
        """The version that was current at a time."""
        return self._versions[bisect_right(self._released, at) - 1]

    def by_arrival(self, days: Iterable[list[Event]]) -> Iterator[Event]:
        """The events of all days, from the first on, in order of arrival, up to now.

        An event may arrive days after its own day, but none happens before it.
        """
        waiting: list[Event] = []
        for day, events in enumerate(days):
            waiting += events
            waiting.sort(key=_received_at)
            arrived = bisect_left(waiting, min(self.start(day + 1), self.now + 1), key=_received_at)
            yield from waiting[:arrived]
            del waiting[:arrived]


class Session:
    """Events that follow each other, with what they have in common."""

    def __init__(self, random: Random, start: int, *, delay: int = 0, **common: Any) -> None:
        """The first event is at `start`; each arrives `delay` milliseconds after it happened."""
        self.random = random
        self.time = start
        self.events: list[Event] = []
        self._delay = delay
        self._common = {"session": str(UUID(int=random.getrandbits(128), version=4)), **common}

    def wait(self, seconds: float) -> None:
        """Let a random time pass, a second or more, with this mean."""
        self.time += SECOND_MS + int(self.random.expovariate(1 / seconds) * SECOND_MS)

    def add(self, name: str, kind: str = "custom", **fields: Any) -> None:
        received_at = self.time + self._delay
        self.events.append(
            Event(name=name, type=kind, time=self.time, received_at=received_at, **{**self._common, **fields})
        )
