"""How far the index is, as the pages Status and Jobs tell it."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, closing
from pathlib import Path

import msgspec
import pytest

from saastracker.event import Event
from saastracker.following import BackFill, Following
from saastracker.index_store import IndexChanges, Progress, Unit
from saastracker.retention import growth
from saastracker.tagger import Tagger, Tagging
from saastracker.testing import OTHER_PROJECT, PROJECT, InMemoryDefinitions
from saastracker_sqlite.store import SqliteStore
from tests.indexed import DAY, at, reading
from tests.writing import NOW, SHOP, Running, until, writing


class Rule(msgspec.Struct, frozen=True):
    name: str


RULES = Tagger(
    namespace="chosen", version=1, kind="rule", tagging=lambda _: Tagging(columns=("name",), keys=lambda _: [""])
)


@asynccontextmanager
async def followed(running: Running, following: Following) -> AsyncIterator[None]:
    task = asyncio.create_task(following.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def following(running: Running, zones: Mapping[str, str] | None = None, *rules: str) -> Following:
    definitions = InMemoryDefinitions({"rule": [Rule(name) for name in rules]})
    return Following(running.store, running.writer, lambda: zones or {}, (RULES,), definitions)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("saastracker.following.STEP_SECONDS", 0.01)
    monkeypatch.setattr("saastracker.following.RETRY_SECONDS", 0.01)


def test_it_waits_for_the_first_event_then_follows(tmp_path: Path) -> None:
    async def test() -> None:
        async with writing(tmp_path) as running:
            index = following(running)
            assert index.progress().doing == "elsewhere"
            async with followed(running, index):
                await asyncio.sleep(0)
                assert index.progress().doing == "waiting"
                await running.submit(Event(name="open", time=NOW), Event(name="open", time=NOW))
                await until(lambda: index.progress().done == 2)
                found = index.progress()
                assert (found.doing, found.error, found.newest, found.dirty, found.back_fills) == (
                    "following",
                    "",
                    2,
                    0,
                    (),
                )
                assert found.stepped_at is not None
            assert (index.progress().doing, index.progress().done) == ("elsewhere", 2)

    asyncio.run(test())


def test_a_step_that_fails_is_told_until_one_succeeds(tmp_path: Path) -> None:
    failing = [True]

    def zones() -> Mapping[str, str]:
        if failing:
            raise KeyError("zone")
        return {}

    async def test() -> None:
        async with writing(tmp_path) as running:
            index = Following(running.store, running.writer, zones, (), InMemoryDefinitions())
            await running.submit(Event(name="open", time=NOW))
            async with followed(running, index):
                await until(lambda: index.progress().doing == "failing")
                assert index.progress().error == "KeyError: 'zone'"
                failing.clear()
                await until(lambda: index.progress().doing == "following")
                assert index.progress().error == ""

    asyncio.run(test())


def test_back_fills_tell_their_share_of_the_projects_events(tmp_path: Path) -> None:
    async def test() -> None:
        async with writing(tmp_path) as running:
            index = following(running, None, "a")
            for _ in range(4):
                await running.submit(Event(name="open", time=NOW))
            async with followed(running, index):
                await until(lambda: index.progress().done == 4)
            # As a definition stands that was made after the four events, when one of them has been counted for it.
            state = running.store.index.state()
            behind = {Unit(SHOP.id, "chosen", "1"): Progress("1.1", 1)}
            running.store.index.write(IndexChanges(state.changes, state.watermark, units=behind))
            assert index.progress().back_fills == (
                BackFill(project=SHOP.id, namespace="chosen", kind="rule", definition="1", share=0.25),
            )

    asyncio.run(test())


def test_growth_is_told_by_days_that_are_over(tmp_path: Path) -> None:
    noon = at("2026-03-31 12:00")
    # 40 days ago one event; of the last 30 days two each on 15 of them; of today many.
    sent = [
        Event(name="a", time=noon - days * DAY)
        for days in (40, *(2 * n for n in range(1, 16)), *(2 * n for n in range(1, 16)))
    ]
    today = [Event(name="a", time=noon) for _ in range(69)]
    with reading(tmp_path, "UTC", sent, today) as reader, closing(SqliteStore(tmp_path / "events.db")) as store:
        # 30 events in 30 days are one a day, of 100 events in all.
        assert growth(reader, store, [PROJECT], noon) == round(store.size() / 100)
        assert growth(reader, store, [OTHER_PROJECT], noon) == 0
        assert growth(reader, store, [], noon) == 0
