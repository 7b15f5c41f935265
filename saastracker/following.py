"""Keeps the index up with the events while the server runs, at a small share of a core."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from saastracker.contracts import Store
from saastracker.definition import Definitions
from saastracker.errors import Conflict, Refusal
from saastracker.tagger import Tagger
from saastracker.writer import Writer

if TYPE_CHECKING:
    from saastracker.indexer import Indexer, Step

log = logging.getLogger("saastracker.following")

STEP_SECONDS = 2.0  # the least between two steps
BEHIND_SECONDS = 30.0  # from here on it takes what it needs
SHARE = 0.1  # of a core, until then
RETRY_SECONDS = 30.0


class Following:
    """Runs the indexer's steps in a thread, one after the other."""

    def __init__(
        self,
        store: Store,
        writer: Writer,
        zones: Callable[[], Mapping[str, str]],
        taggers: Sequence[Tagger],
        definitions: Definitions,
    ) -> None:
        self._store = store
        self._writer = writer
        self._zones = zones
        self._taggers = taggers
        self._definitions = definitions
        self.seconds_behind = 0.0
        self._one_at_a_time = asyncio.Lock()

    async def run(self) -> None:
        """Until it is cancelled."""
        await self._first_event()
        from saastracker.indexer import STEP_EVENTS  # noqa: PLC0415  # see `_indexer`

        indexer = self._indexer()
        caught_up = time.monotonic()
        begun = False
        while True:
            used, more = 0.0, False
            try:
                async with self._one_at_a_time:
                    if not begun:
                        await asyncio.to_thread(indexer.begin)
                        begun = True
                    started = time.monotonic()
                    (events, more), used = await asyncio.to_thread(_timed, indexer.step)
                if events < STEP_EVENTS:
                    caught_up = started
            except Conflict as error:
                log.info("A step of the index is made again: %s", error.detail)
                await asyncio.sleep(STEP_SECONDS)
            except Refusal as error:
                log.warning("The index could not be written: %s", error.detail)
                await asyncio.sleep(RETRY_SECONDS)
            except Exception:
                # Reports would stand still without a word if this ended.
                log.exception("The index could not be brought up to date")
                await asyncio.sleep(RETRY_SECONDS)
            self.seconds_behind = time.monotonic() - caught_up
            if self.seconds_behind < BEHIND_SECONDS and not more:
                await asyncio.sleep(min(max(STEP_SECONDS, used / SHARE - used), BEHIND_SECONDS))

    async def rebuild(self) -> AsyncIterator[tuple[int, int]]:
        """Make the index again; yields how many events are in it and how many there are, equal at the end."""
        indexer = self._indexer()
        async with self._one_at_a_time:
            await asyncio.to_thread(indexer.reset)
            while await asyncio.to_thread(indexer.follow):
                state = await asyncio.to_thread(self._store.index.state)
                if state.watermark < state.newest:
                    yield state.watermark, state.newest
        yield 1, 1

    def _indexer(self) -> "Indexer":
        # Only now: numpy takes 13 MB, which an idle server is spared.
        from saastracker.indexer import Indexer  # noqa: PLC0415

        return Indexer(
            self._store.index,
            self._zones,
            self._writer.run,
            taggers=self._taggers,
            definitions=self._definitions,
        )

    async def _first_event(self) -> None:
        while True:
            try:
                if await asyncio.to_thread(self._store.read_after, 0, 1):
                    return
            except Exception:
                log.exception("The events could not be read")
                await asyncio.sleep(RETRY_SECONDS)
            await asyncio.sleep(STEP_SECONDS)


def _timed(step: "Callable[[], Step]") -> "tuple[Step, float]":
    """What a step returns, and the seconds of CPU it took."""
    used = time.thread_time()
    return step(), time.thread_time() - used
