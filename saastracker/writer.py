"""The one writer: groups what waits, commits it, and answers only then."""

import asyncio
import concurrent.futures
import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

from saastracker.contracts import Group, Refused, Store, Submission
from saastracker.errors import Invalid, Unavailable
from saastracker.metrics import Metrics
from saastracker.quota import Usage
from saastracker.refusals import Refusals
from saastracker.sessions import Sessions

log = logging.getLogger("saastracker.writer")

GROUP_EVENTS = 2000  # past this a larger transaction is no cheaper per event
IDLE_SECONDS = 1.0


class Waiting(NamedTuple):
    """A submission and who waits for it; a probe stores nothing."""

    submission: Submission | None
    done: "asyncio.Future[None]"
    events: int
    size: int  # bytes


class Writer:
    """Accepts submissions on the event loop, commits them in groups on its own thread.

    While one group is being committed the next gathers. The event loop hands each group over, one
    turn after the last one's answers: a thread that took what waits by itself made groups of 13 at 256
    connections, where these had 119.
    """

    def __init__(
        self,
        store: Store,
        sessions: Sessions,
        usage: Usage,
        metrics: Metrics,
        *,
        max_events: int,
        max_bytes: int,
        committed: Callable[[Sequence[Submission]], None],
    ) -> None:
        self._store = store
        self._sessions = sessions
        self._usage = usage
        self._metrics = metrics
        self._max_events = max_events
        self._max_bytes = max_bytes
        self._committed = committed
        self._refusals = Refusals()
        self._groups: queue.SimpleQueue[list[Waiting] | Callable[[], None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
        # Of the event loop alone:
        self._waiting: deque[Waiting] = deque()
        self._busy = False  # whether a group is with the thread, or about to be handed over
        self._stopping = False
        self._closing = False
        self._drained: asyncio.Future[None] | None = None  # of `close`
        self._timer: asyncio.TimerHandle | None = None
        self.queued_events = 0
        self._queued_bytes = 0
        # Written by the thread, read by anyone:
        self.failure: Unavailable | None = None  # why the last group was refused
        self._taken = 0.0  # monotonic time at which the running group was taken; 0 when none is

    # --- On the event loop ---

    def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    def submit(self, submission: Submission, size: int) -> "asyncio.Future[None]":
        """Done once the submission is on disk; `size` is what it takes in memory, in bytes.

        Raises Unavailable when the queue is full or the store refuses, Invalid when the store
        cannot hold one of the events.
        """
        events = len(submission.events)
        if self.queued_events and (
            self.queued_events + events > self._max_events or self._queued_bytes + size > self._max_bytes
        ):
            raise Unavailable("The server is busy; nothing was stored, send again.", reason="queue_full")
        done = self._enqueue(submission, events, size)
        self.queued_events += events
        self._queued_bytes += size
        return done

    def probe(self) -> "asyncio.Future[None]":
        """Raises Unavailable unless the store can write right now."""
        return self._enqueue(None, 0, 0)

    def _enqueue(self, submission: Submission | None, events: int, size: int) -> "asyncio.Future[None]":
        if self._closing:
            raise Unavailable("The server is stopping; nothing was stored, send again.", reason="stopping")
        done = self._loop.create_future()
        self._waiting.append(Waiting(submission, done, events, size))
        if not self._busy:
            self._busy = True
            self._loop.call_soon(self._hand_over)
        return done

    def refuse(self, refused: Refused, count: int = 1) -> None:
        """Keep a refusal for the page "Rejected events"; written with the next group, or soon.

        It stands for `count` events.
        """
        self._refusals.add(refused, count)
        self._arm()

    def age(self) -> float:
        """Seconds for which the running group has been at the store; 0 if none is."""
        taken = self._taken
        return time.monotonic() - taken if taken else 0.0

    def stopping(self) -> None:
        """From now on, when the store refuses a group, refuse all that wait: each try may take seconds."""
        self._stopping = True

    def run(self, work: Callable[[], None]) -> None:
        """Do something else with the store on the writer's thread, between two groups; for other threads.

        Raises Unavailable if the writer ends first.
        """
        done: concurrent.futures.Future[None] = concurrent.futures.Future()

        def settle() -> None:
            try:
                work()
                done.set_result(None)
            except BaseException as error:
                done.set_exception(error)

        self._groups.put(settle)
        while not done.done():
            if not self._thread.is_alive():
                raise Unavailable("The server is stopping.", reason="stopping")
            concurrent.futures.wait([done], timeout=0.5)
        done.result()

    async def close(self) -> None:
        """Commit what is queued and end the thread."""
        self._closing = True
        if self._timer is not None:
            self._timer.cancel()
        if self._busy:
            self._drained = self._loop.create_future()
            await self._drained
        if self._refusals and self.failure is None:
            self._groups.put([])
        self._groups.put(None)
        await asyncio.to_thread(self._thread.join)

    def _hand_over(self) -> None:
        if self._stopping and self.failure is not None:
            refused = [(waiting, self.failure) for waiting in self._waiting]
            self._waiting.clear()
            self._settle(refused)
            return
        group = []
        events = 0
        while self._waiting and events < GROUP_EVENTS:
            waiting = self._waiting.popleft()
            group.append(waiting)
            events += waiting.events
        self._groups.put(group)

    def _settle(self, results: Sequence[tuple[Waiting, Exception | None]]) -> None:
        stored = []
        for waiting, error in results:
            submission, done, events, size = waiting
            self.queued_events -= events
            self._queued_bytes -= size
            if error is None and submission is not None and not submission.dropped:
                stored.append(submission)
            if done.cancelled():  # the client went away; what it sent is stored all the same
                continue
            if error is None:
                done.set_result(None)
            else:
                done.set_exception(error)
        if self._waiting:
            self._loop.call_soon(self._hand_over)
        else:
            self._busy = False
            if self._drained is not None:
                self._drained.set_result(None)
        if results or self.failure is not None or self._refusals:
            self._arm()
        if stored:
            self._committed(stored)  # last: whatever it raises, the next group is on its way

    def _arm(self) -> None:
        if self._timer is None and not self._closing:
            self._timer = self._loop.call_later(IDLE_SECONDS, self._idle)

    def _idle(self) -> None:
        """An empty group: writes refusals, lets the store tidy up, and looks whether it works again."""
        self._timer = None
        if self._busy:
            self._arm()
        else:
            self._busy = True
            self._groups.put([])

    # --- On the thread ---

    def _run(self) -> None:
        while (group := self._groups.get()) is not None:
            self._taken = time.monotonic()
            if isinstance(group, list):
                self._commit(group)
            else:
                group()
            self._taken = 0.0

    def _commit(self, group: list[Waiting]) -> None:
        submissions = [waiting.submission for waiting in group if waiting.submission is not None]
        if len(group) > 1 and self._usage.crosses(submissions):
            self._loop.call_soon_threadsafe(self._settle, self._one_by_one(group))
            return
        error = self._append(submissions)
        answer = _answer(error)
        if error is None or isinstance(error, Unavailable) or len(group) < 2:
            results = [(waiting, answer) for waiting in group]
        else:  # one of them cannot be stored: the others must not suffer
            log.warning("A group of %d requests failed and is retried one by one", len(group))
            results = self._one_by_one(group)
        self._loop.call_soon_threadsafe(self._settle, results)

    def _one_by_one(self, group: list[Waiting]) -> list[tuple[Waiting, Exception | None]]:
        return [(each, _answer(self._append([] if each.submission is None else [each.submission]))) for each in group]

    def _append(self, submissions: list[Submission]) -> Exception | None:
        submissions = self._usage.admit(submissions)
        refused, refusals = self._refusals.take()
        started = time.perf_counter()
        try:
            events = self._prepare(submissions)
            usage = self._store.append(Group(submissions, refused, refusals))
        except Unavailable as error:
            self._refusals.give_back(refused, refusals)
            self._sessions.rollback()
            self._metrics.commit_failures.inc()
            if self.failure is None:
                log.error("The store refuses to write: %s", error.detail)
            self.failure = error
            return error
        except Exception as error:
            self._refusals.give_back(refused, refusals)
            self._sessions.rollback()
            self._metrics.commit_failures.inc()
            if len(submissions) < 2:
                log.exception("An event could not be stored")
            return error
        if self.failure is not None:
            log.info("The store writes again")
            self.failure = None
        self._sessions.commit()
        self._usage.committed(usage)
        self._metrics.stored(sum(1 for each in submissions for event in each.events if event.sequence))
        self._metrics.commit_seconds.observe(time.perf_counter() - started)
        self._metrics.commit_events.observe(events)
        return None

    def _prepare(self, submissions: list[Submission]) -> int:
        """Settle the times and sessions of a group; the number of its events."""
        events = 0
        assign = self._sessions.assign
        for submission in submissions:
            project, received_at = submission.project.id, submission.received_at
            events += len(submission.events)
            for event in submission.events:
                event.received_at = event.received_at or received_at
                if event.time is None:
                    event.time = event.received_at
                if event.session is None:
                    assign(project, event)
        return events


def _answer(error: Exception | None) -> Exception | None:
    """What the client is told: an event that a working store cannot hold is the client's to mend."""
    if error is None or isinstance(error, Unavailable):
        return error
    return Invalid("The store cannot hold this event.", reason="unstorable")
