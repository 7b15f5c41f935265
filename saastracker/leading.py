"""Of several servers on one store, the one that holds its claim follows the index and runs jobs; another takes over."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Coroutine
from typing import Any

from saastracker.contracts import Store
from saastracker.errors import OperatorError, Unavailable
from saastracker.schedule import Scheduler

log = logging.getLogger("saastracker.leading")

LOOK_SECONDS = 2.0  # between two looks at who holds the claim
BACK_SECONDS = 60.0  # that the clock is set back before jobs are timed anew


def _clock_ahead() -> float:
    """By how much the clock is ahead of one that nobody sets."""
    return time.time() - time.monotonic()


class Leading:
    """Begins what only one server does, and ends it when the claim is lost. On the event loop."""

    def __init__(
        self,
        store: Store,
        scheduler: Scheduler,
        follow: Callable[[], Coroutine[Any, Any, None]],
        ahead: Callable[[], float] = _clock_ahead,
    ) -> None:
        """`follow` keeps the index up until it is cancelled. A store that is not shared is claimed already."""
        self._store = store
        self._scheduler = scheduler
        self._follow = follow
        self._following: asyncio.Task[None] | None = None
        self._ahead = ahead
        self._was_ahead = ahead()

    async def run(self) -> None:
        """Look again and again, until it is cancelled: at the clock and, if another can hold it, at the claim."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await self.keep_time()
                if self._store.shared:
                    await self.look()
            except Unavailable as error:
                log.warning("Jobs could not be looked at: %s", error.detail)

    async def look(self) -> None:
        """Take the claim if nobody has it, and do what its holder does."""
        held = not self._store.shared or await asyncio.to_thread(self._claim)
        if held and self._following is None:
            await asyncio.to_thread(self._scheduler.start)
            self._following = asyncio.create_task(self._follow())
            if self._store.shared:
                log.info("This server follows the index and runs jobs")
        elif held:
            await asyncio.to_thread(self._scheduler.run_asked)
        else:
            if self._following is not None:
                log.warning("This server lost its claim: another follows the index and runs jobs")
            await self.stop()
            self._scheduler.rest()

    async def keep_time(self) -> None:
        """Time jobs anew if the clock was set back: they would wait until it has caught up."""
        ahead = self._ahead()
        if ahead > self._was_ahead - BACK_SECONDS:
            self._was_ahead = max(ahead, self._was_ahead)
            return
        if self._following is not None:
            log.warning("The clock was set back by %.0f s: jobs are timed anew", self._was_ahead - ahead)
            await asyncio.to_thread(self._scheduler.start)
        self._was_ahead = ahead

    async def stop(self) -> None:
        """Follow no more."""
        if self._following is not None:
            self._following.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._following
            self._following = None

    def _claim(self) -> bool:
        try:
            self._store.claim()
        except (OperatorError, Unavailable):
            return False
        return True
