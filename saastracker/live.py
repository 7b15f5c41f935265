"""Hands events, as soon as they are on disk, to those who watch a project."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
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
        self._closed = False
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

    def close(self) -> None:
        self._closed = True
        self._news.set()

    async def batches(self, patience: float) -> AsyncIterator[Batch]:
        """What comes, until the hub closes; an empty batch after `patience` seconds without news."""
        while not self._closed:
            try:
                await asyncio.wait_for(self._news.wait(), patience)
            except TimeoutError:
                yield Batch([], 0)
                continue
            self._news.clear()
            batch = Batch(list(self._waiting), self._skipped)
            self._waiting.clear()
            self._skipped = 0
            if batch.events:
                yield batch


class Live:
    """The hub, used on the event loop only: the writer publishes, pages subscribe."""

    def __init__(self) -> None:
        self._subscriptions: dict[str, set[Subscription]] = {}
        self._closed = False

    def publish(self, project: str, events: Sequence[Event]) -> None:
        """Tell a project's subscribers of events just stored; those without a sequence are duplicates."""
        subscriptions = self._subscriptions.get(project)
        if not subscriptions:
            return
        stored = [event for event in events if event.sequence]
        for subscription in subscriptions:
            subscription.offer(stored)

    @contextmanager
    def subscribe(self, project: str, wanted: Wanted) -> Iterator[Subscription]:
        """A project's events for which `wanted` holds, from now on. Raises Unavailable beyond 100 readers."""
        subscriptions = self._subscriptions.setdefault(project, set())
        if self._closed or len(subscriptions) >= SUBSCRIBERS_MAX:
            if not subscriptions:
                del self._subscriptions[project]
            raise Unavailable(
                "The server is stopping." if self._closed else f"{SUBSCRIBERS_MAX} readers follow this project already.",
                retry_after=30,
            )
        subscription = Subscription(wanted)
        subscriptions.add(subscription)
        try:
            yield subscription
        finally:
            subscriptions.discard(subscription)
            if not subscriptions:
                self._subscriptions.pop(project, None)

    def close(self) -> None:
        """End every subscription, and allow no more: the server is stopping."""
        self._closed = True
        for subscriptions in self._subscriptions.values():
            for subscription in subscriptions:
                subscription.close()
