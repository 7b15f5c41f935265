import asyncio
import gc

import pytest

from saastracker.errors import Unavailable
from saastracker.event import Event
from saastracker.live import QUEUE_MAX, SUBSCRIBERS_MAX, Batch, Live, Subscription

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def events(first: int, count: int) -> list[Event]:
    return [Event(name=f"e{number}", sequence=number) for number in range(first, first + count)]


def everything(_event: Event) -> bool:
    return True


async def next_batch(subscription: Subscription) -> Batch:
    async for batch in subscription.batches(5):
        return batch
    raise AssertionError("the subscription ended")


async def test_a_subscriber_gets_what_is_published_after_it_came() -> None:
    live = Live()
    live.publish("p", events(1, 1))
    subscription = live.subscribe("p", everything)
    live.publish("p", events(2, 2))
    live.publish("other", events(4, 1))
    assert await next_batch(subscription) == Batch(events(2, 2), 0)


async def test_duplicates_and_unwanted_events_are_left_out() -> None:
    live = Live()
    subscription = live.subscribe("p", lambda event: event.name != "e2")
    live.publish("p", [*events(1, 2), Event(name="duplicate")])
    assert await next_batch(subscription) == Batch(events(1, 1), 0)


async def test_a_slow_reader_loses_the_oldest_and_is_told_how_many() -> None:
    live = Live()
    subscription = live.subscribe("p", everything)
    for first in range(1, QUEUE_MAX + 8, 7):
        live.publish("p", events(first, 7))
    published = len(range(1, QUEUE_MAX + 8, 7)) * 7
    batch = await next_batch(subscription)
    assert batch.skipped == published - QUEUE_MAX
    assert [event.sequence for event in batch.events] == list(range(batch.skipped + 1, published + 1))
    live.publish("p", events(9000, 1))
    assert await next_batch(subscription) == Batch(events(9000, 1), 0)


async def test_without_news_an_empty_batch_comes() -> None:
    subscription = Live().subscribe("p", everything)
    async for batch in subscription.batches(0.01):
        assert batch == Batch([], 0)
        break


async def test_closing_ends_streams_after_what_waits_and_admits_no_more() -> None:
    live = Live()
    subscription = live.subscribe("p", everything)
    live.publish("p", events(1, 1))
    live.close()
    assert [batch.events async for batch in subscription.batches(5)] == [events(1, 1)]
    with pytest.raises(Unavailable):
        live.subscribe("p", everything)


async def test_closing_wakes_a_reader_that_waits() -> None:
    live = Live()
    subscription = live.subscribe("p", everything)
    reading = asyncio.create_task(next_batch(subscription))
    await asyncio.sleep(0)
    live.close()
    assert await reading == Batch([], 0)


async def test_subscribers_are_limited_and_make_room_when_they_leave() -> None:
    live = Live()
    subscriptions = [live.subscribe("p", everything) for _ in range(SUBSCRIBERS_MAX)]
    with pytest.raises(Unavailable):
        live.subscribe("p", everything)
    live.subscribe("another", everything)
    assert live.readers >= SUBSCRIBERS_MAX
    subscriptions.pop()
    gc.collect()
    live.subscribe("p", everything)
