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
        self._sequence = 0  # of the last event that was told, or stored while nobody watched

    async def run(self) -> None:
        """Until it is cancelled; at once over if no other server can store events."""
        while self._store.shared:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                if not self._live.readers:
                    # Whoever comes before the next look misses nothing; pages leave out what they show already.
                    self._sequence = await asyncio.to_thread(lambda: self._store.last)
                    continue
                while await self._look() == EVENTS_MAX:
                    pass
            except Refusal as error:
                log.warning("New events could not be read: %s", error.detail)

    async def _look(self) -> int:
        """Tell of what is new; how many events that was."""
        found = await asyncio.to_thread(self._store.read_after, self._sequence, EVENTS_MAX)
        by_project: dict[str, list[Event]] = defaultdict(list)
        for project, event in found:
            by_project[project].append(event)
            self._sequence = event.sequence
        for project, events in by_project.items():
            self._live.publish(project, events)
        return len(found)
