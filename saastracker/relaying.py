"""Tells those who watch a project of events that other servers stored."""

import asyncio
import logging
from collections import defaultdict

from saastracker.contracts import Store
from saastracker.errors import Refusal
from saastracker.event import Event
from saastracker.live import Live

log = logging.getLogger("saastracker.relaying")

LOOK_SECONDS = 0.5
EVENTS_MAX = 1000  # of one look


class Relaying:
    """Reads what is new in a shared store while somebody watches."""

    def __init__(self, store: Store, live: Live) -> None:
        self._store = store
        self._live = live
        self._told: int | None = None  # the last event that was told, or stored while nobody watched

    async def run(self) -> None:
        """Until it is cancelled; at once over if no other server can store events."""
        while self._store.shared:
            try:
                await self._follow()
            except Refusal as error:
                log.warning("New events could not be read: %s", error.detail)
            await asyncio.sleep(LOOK_SECONDS)

    async def _follow(self) -> None:
        if self._told is None or not self._live.readers:
            last = await asyncio.to_thread(lambda: self._store.last)
            # Whoever came meanwhile, or comes before the next look, misses nothing; pages leave out what they show
            # already.
            if self._told is None or not self._live.readers:
                self._told = last
            return
        found = EVENTS_MAX
        while found == EVENTS_MAX:
            found = await self._look(self._told)

    async def _look(self, told: int) -> int:
        """Tell of what is new; how many events that was."""
        found = await asyncio.to_thread(self._store.read_after, told, EVENTS_MAX)
        by_project: dict[str, list[Event]] = defaultdict(list)
        for project, event in found:
            by_project[project].append(event)
            self._told = event.sequence
        for project, events in by_project.items():
            self._live.publish(project, events)
        return len(found)
