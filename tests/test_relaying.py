"""Watchers are told of what other servers store, from the moment they came."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from saastracker.contracts import Group
from saastracker.live import Live, Subscription
from saastracker.relaying import EVENTS_MAX, LOOK_SECONDS, Relaying
from saastracker.testing import PROJECT
from saastracker.testing.opened import event, submission
from saastracker_sqlite.records import SqliteRecords
from saastracker_sqlite.store import SqliteStore

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Shared(SqliteStore):
    """What others store with `add` on the same file."""

    shared = True
    beside: Callable[[], None] | None = None  # done once while the last number is asked for

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.asked = threading.Event()

    @property
    def last(self) -> int:
        beside, self.beside = self.beside, None
        if beside is not None:
            beside()
        last = super().last
        self.asked.set()
        return last

    def add(self, *names: str) -> None:
        self.append(Group([submission(event(name)) for name in names]))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Shared]:
    path = tmp_path / "events.db"
    with closing(SqliteRecords(path)), closing(Shared(path)) as store:
        store.claim()
        store.add("long ago")
        yield store


async def told(subscription: Subscription, until: str) -> list[str]:
    names: list[str] = []
    async with asyncio.timeout(10):
        async for batch in subscription.batches(1):
            names += [event.name for event in batch.events]
            if until in names:
                break
    return names


async def test_a_watcher_is_told_all_since_it_came(store: Shared) -> None:
    live = Live()
    relaying = asyncio.create_task(Relaying(store, live).run())
    await asyncio.to_thread(store.asked.wait, 10)
    await asyncio.sleep(LOOK_SECONDS / 5)
    subscription = live.subscribe(PROJECT.id, lambda event: event.name in {"long ago", "first", "last"})
    await asyncio.to_thread(store.add, "first", *["another"] * EVENTS_MAX, "last")
    assert await told(subscription, "last") == ["first", "last"]
    relaying.cancel()


async def test_a_watcher_that_comes_amid_a_look_misses_nothing(store: Shared) -> None:
    live = Live()
    loop = asyncio.get_running_loop()
    came = loop.create_future()

    async def subscribe() -> None:
        came.set_result(live.subscribe(PROJECT.id, lambda event: True))

    def comes() -> None:
        asyncio.run_coroutine_threadsafe(subscribe(), loop).result(5)
        store.add("just now")

    relaying = asyncio.create_task(Relaying(store, live).run())
    await asyncio.to_thread(store.asked.wait, 10)
    await asyncio.sleep(LOOK_SECONDS / 5)
    store.beside = comes
    assert await told(await came, "just now") == ["just now"]
    relaying.cancel()
