"""Tells those who look after the server when the index fails or stands still, once until it is well again."""

import asyncio
import logging
import time
from collections.abc import Callable

from saastracker.alarms import Alarms
from saastracker.errors import Refusal
from saastracker.following import IndexProgress
from saastracker.records import now_ms

log = logging.getLogger("saastracker.index")

NAME = "index"  # of the alarm
LOOK_SECONDS = 60.0
FAILING_SECONDS = 120.0  # several tries, each half a minute after the last
STILL_SECONDS = 900.0  # without an event taken in, though some wait


class IndexWatch:
    """Looks how far the index is, where this server follows it."""

    def __init__(
        self, progress: Callable[[], IndexProgress], alarms: Alarms, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`progress` may wait for the store, and raise Unavailable; `clock` is in seconds."""
        self._progress = progress
        self._alarms = alarms
        self._clock = clock
        self._failing: float | None = None  # since when
        self._done = -1  # how far it was when it last came on
        self._moved = 0.0

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await asyncio.to_thread(self.look)
            except Refusal as error:
                log.warning("The index could not be looked at: %s", error.detail)
            except Exception:
                log.exception("The index could not be looked at")

    def look(self) -> None:
        """Raises Unavailable if the store does not read or write."""
        now, found = self._clock(), self._progress()
        if found.doing not in {"following", "failing"}:
            self._failing, self._done = None, -1
            return
        if found.done != self._done or found.done >= found.newest:
            self._done, self._moved = found.done, now
        self._failing = (self._failing or now) if found.error else None
        if self._failing is not None and now - self._failing >= FAILING_SECONDS:
            self._tell("The index fails", found.error)
        elif now - self._moved >= STILL_SECONDS:
            self._tell("The index stands still", f"It took in no event for {STILL_SECONDS / 60:.0f} minutes.")
        elif not found.error and found.step_seconds and now == self._moved:
            self._alarms.end(NAME)

    def _tell(self, title: str, why: str) -> None:
        text = (
            f"{why}\nReports lack what came since then; events are stored meanwhile. The log says more. "
            "You hear of it again only after it was well."
        )
        self._alarms.begin(NAME, title, text, now=now_ms(), link="settings/status")
