"""Hands events, as soon as they are on disk, to those who watch a project."""

import asyncio
import contextlib
import weakref
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from typing import TypeAlias

import msgspec

from saastracker.errors import Unavailable
from saastracker.event import Event

SUBSCRIBERS_MAX = 100  # per project
QUEUE_MAX = 1000  # events that may wait for one subscriber

Wanted: TypeAlias = Callable[[Event], bool]


class Batch(msgspec.Struct, frozen=True):
    """What came since the last batch, oldest first, and how many events before it a slow reader missed."""

    events: list[Event]
    skipped: int


class Subscription:
    """One reader's queue. When it is full the oldest events give way and are counted."""

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._waiting: deque[Event] = deque()
        self._skipped = 0
        self._ended = False
        self._news = asyncio.Event()

    def offer(self, events: Sequence[Event]) -> None:
        wanted = [event for event in events if self._wanted(event)]
        if not wanted:
            return
        self._waiting.extend(wanted)
        while len(self._waiting) > QUEUE_MAX:
            self._waiting.popleft()
            self._skipped += 1
        self._news.set()

    def end(self) -> None:
        """Let the reader have what waits, and then stop."""
        self._ended = True
        self._news.set()

    async def batches(self, patience: float) -> AsyncIterator[Batch]:
        """What comes, to the end; an empty batch after `patience` seconds without news."""
        while self._waiting or not self._ended:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), patience)
            self._news.clear()
            batch = Batch(list(self._waiting), self._skipped)
            self._waiting.clear()
            self._skipped = 0
            yield batch


class Live:
    """The hub, used on the event loop only: the writer publishes, pages subscribe."""

    def __init__(self) -> None:
        # Weak: a subscription ends when nobody holds it, also where an answer was given up before it began.
        self._subscriptions: dict[str, weakref.WeakSet[Subscription]] = {}
        self._closed = False

    @property
    def readers(self) -> int:
        """Open subscriptions, of all projects."""
        return sum(len(subscriptions) for subscriptions in self._subscriptions.values())

    def publish(self, project: str, events: Sequence[Event]) -> None:
        """Tell a project's subscribers of events just stored; those without a sequence are duplicates."""
        subscriptions = self._subscriptions.get(project)
        if not subscriptions:
            return
        stored = [event for event in events if event.sequence]
        for subscription in subscriptions:
            subscription.offer(stored)

    def subscribe(self, project: str, wanted: Wanted) -> Subscription:
        """A project's events for which `wanted` holds, from now on. Raises Unavailable beyond 100 readers."""
        if self._closed:
            raise Unavailable("The server is stopping.")
        subscriptions = self._subscriptions.setdefault(project, weakref.WeakSet())
        if len(subscriptions) >= SUBSCRIBERS_MAX:
            raise Unavailable(f"{SUBSCRIBERS_MAX} readers follow this project already.", retry_after=30)
        subscription = Subscription(wanted)
        subscriptions.add(subscription)
        return subscription

    def close(self) -> None:
        """End every subscription, and allow no more: the server is stopping."""
        self._closed = True
        for subscriptions in self._subscriptions.values():
            for subscription in subscriptions:
                subscription.end()
