"""Keeps the index up with the events while the server runs, at a small share of a core."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Literal, TypeAlias

import msgspec

from saastracker.contracts import Store
from saastracker.definition import Definitions
from saastracker.errors import Conflict, Refusal
from saastracker.records import now_ms
from saastracker.tagger import Tagger
from saastracker.writer import Writer

if TYPE_CHECKING:
    from saastracker.indexer import Indexer, Step

log = logging.getLogger("saastracker.following")

STEP_SECONDS = 2.0  # the least between two steps
BEHIND_SECONDS = 30.0  # from here on it takes what it needs
SHARE = 0.1  # of a core, until then
RETRY_SECONDS = 30.0
ERROR_MAX = 500  # characters

Doing: TypeAlias = Literal["elsewhere", "waiting", "following", "rebuilding", "failing"]


class BackFill(msgspec.Struct, frozen=True, kw_only=True):
    """Events from before a definition, or a tagger, that are taken in for it."""

    project: str  # id
    namespace: str  # of the tagger
    kind: str | None  # of definition; None: the tagger has none
    definition: str  # its id, or ""
    share: float  # how much is done, from 0 to 1


class IndexProgress(msgspec.Struct, frozen=True, kw_only=True):
    """How far the index is."""

    doing: Doing  # elsewhere: by another server; waiting: for the first event
    error: str = ""  # why the last step failed
    seconds_behind: float = 0.0
    stepped_at: int | None = None  # when the last step began
    step_seconds: float = 0.0  # of work, in the last step
    done: int = 0  # sequence number up to which events are in the index
    newest: int = 0  # of the last event
    dirty: int = 0  # days that are to be made again
    back_fills: tuple[BackFill, ...] = ()


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
        self._doing: Doing = "elsewhere"
        self._error = ""
        self._stepped_at: int | None = None
        self._step_seconds = 0.0
        self._one_at_a_time = asyncio.Lock()

    async def run(self) -> None:
        """Until it is cancelled."""
        self._doing = "waiting"
        try:
            await self._run()
        finally:
            self._doing, self._error, self.seconds_behind = "elsewhere", "", 0.0

    async def _run(self) -> None:
        await self._first_event()
        from saastracker.indexer import STEP_EVENTS  # noqa: PLC0415  # see `_indexer`

        indexer = self._indexer()
        caught_up = time.monotonic()
        begun = False
        self._doing = "following"
        while True:
            used, more = 0.0, False
            try:
                async with self._one_at_a_time:
                    if not begun:
                        await asyncio.to_thread(indexer.begin)
                        begun = True
                    started, self._stepped_at = time.monotonic(), now_ms()
                    (events, more), used = await asyncio.to_thread(_timed, indexer.step)
                self._step_seconds, self._error = time.monotonic() - started, ""
                if events < STEP_EVENTS:
                    caught_up = started
            except Conflict as error:
                log.info("A step of the index is made again: %s", error.detail)
                await asyncio.sleep(STEP_SECONDS)
            except Refusal as error:
                log.warning("The index could not be written: %s", error.detail)
                self._error = error.detail
                await asyncio.sleep(RETRY_SECONDS)
            except Exception as error:
                # Reports would stand still without a word if this ended.
                log.exception("The index could not be brought up to date")
                self._error = f"{type(error).__name__}: {error}"[:ERROR_MAX]
                await asyncio.sleep(RETRY_SECONDS)
            self.seconds_behind = time.monotonic() - caught_up
            if self.seconds_behind < BEHIND_SECONDS and not more:
                await asyncio.sleep(min(max(STEP_SECONDS, used / SHARE - used), BEHIND_SECONDS))

    async def rebuild(self) -> AsyncIterator[tuple[int, int]]:
        """Make the index again; yields how many events are in it and how many there are, equal at the end."""
        indexer = self._indexer()
        async with self._one_at_a_time:
            before, self._doing = self._doing, "rebuilding"
            try:
                await asyncio.to_thread(indexer.reset)
                while await asyncio.to_thread(_followed, indexer):
                    state = await asyncio.to_thread(self._store.index.state)
                    if state.watermark < state.newest:
                        yield state.watermark, state.newest
            finally:
                self._doing = before
        yield 1, 1

    def progress(self) -> IndexProgress:
        """How far it is; for threads that may wait for the store. Raises Unavailable."""
        if self._doing == "waiting":
            return IndexProgress(doing="waiting")
        index = self._store.index
        state, units = index.state(), index.units()
        kinds = {tagger.namespace: tagger.kind for tagger in self._taggers}
        behind = {unit: progress for unit, progress in units.items() if progress.watermark < state.watermark}
        return IndexProgress(
            doing="failing" if self._error else self._doing,
            error=self._error,
            seconds_behind=self.seconds_behind,
            stepped_at=self._stepped_at,
            step_seconds=self._step_seconds,
            done=state.watermark,
            newest=state.newest,
            dirty=len(state.dirty),
            back_fills=tuple(
                BackFill(
                    project=unit.project,
                    namespace=unit.namespace,
                    kind=kinds.get(unit.namespace),
                    definition=unit.unit,
                    share=_share(state.first.get(unit.project, 1), progress.watermark, state.watermark),
                )
                for unit, progress in behind.items()
            ),
        )

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
            except Refusal as error:
                log.warning("The events could not be read: %s", error.detail)
                await asyncio.sleep(RETRY_SECONDS)
            except Exception:
                log.exception("The events could not be read")
                await asyncio.sleep(RETRY_SECONDS)
            await asyncio.sleep(STEP_SECONDS)


def _share(first: int, done: int, total: int) -> float:
    """How much of a project's events lies behind, which begin at `first`."""
    return min(max((done + 1 - first) / max(total + 1 - first, 1), 0.0), 1.0)


def _followed(indexer: "Indexer") -> bool:
    """Whether there were new events, or another server took them in."""
    try:
        return bool(indexer.follow())
    except Conflict:
        return True


def _timed(step: "Callable[[], Step]") -> "tuple[Step, float]":
    """What a step returns, and the seconds of CPU it took."""
    used = time.thread_time()
    return step(), time.thread_time() - used
