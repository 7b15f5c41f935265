"""A step that was overtaken writes nothing, and no failure ends the following."""

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from saastracker.contracts import Group, Submission
from saastracker.errors import Conflict
from saastracker.event import Event
from saastracker.following import Following
from saastracker.indexer import Indexer
from saastracker.testing import PROJECT, InMemoryDefinitions
from saastracker.wire import Project, Reply
from saastracker_sqlite.store import SqliteStore
from tests.index.slow_index import Rule, taggers
from tests.indexed import DAY, at
from tests.writing import SHOP, until, writing

NOON = at("2026-03-01 12:00")


def opened(folder: Path) -> SqliteStore:
    store = SqliteStore(folder / "events.db")
    store.claim()
    sent = [Event(name="open", time=NOON, user=f"u{number}") for number in range(4)]
    store.append(Group([Submission(PROJECT, sent, 0, Reply(202, b""))]))
    return store


def counted(store: SqliteStore, namespace: str, project: Project = PROJECT) -> list[int]:
    with store.reader() as reader:
        return [day.cell.events for day in reader.days(project.id, namespace, 0, 100_000)]


def test_an_event_that_is_erased_while_its_day_is_made_again(tmp_path: Path) -> None:
    store = opened(tmp_path)

    def erase() -> None:
        with contextlib.closing(sqlite3.connect(tmp_path / "events.db")) as connection, connection:
            connection.execute("DELETE FROM event_rows WHERE sequence = 2")
        store.index.mark([(PROJECT.id, NOON // DAY)])

    meanwhile: list[Callable[[], None]] = []

    def write(work: Callable[[], None]) -> None:
        if meanwhile:
            meanwhile.pop()()
        work()

    indexer = Indexer(store.index, dict, write)
    indexer.begin()
    indexer.step()
    store.index.mark([(PROJECT.id, NOON // DAY)])
    meanwhile.append(erase)
    with pytest.raises(Conflict):
        indexer.step()
    while any(indexer.step()):
        pass
    assert counted(store, "all") == [3]
    store.close()


def test_two_indexers_do_not_fill_twice(tmp_path: Path) -> None:
    store = opened(tmp_path)
    definitions = InMemoryDefinitions()

    def another(write: Callable[[Callable[[], None]], None]) -> Indexer:
        return Indexer(store.index, dict, write, taggers=taggers(1), definitions=definitions)

    other = another(lambda work: work())
    other.begin()
    other.step()
    definitions.defined["rule"] = InMemoryDefinitions({"rule": [Rule("open")]}).defined["rule"]
    other._adapt()

    def write(work: Callable[[], None]) -> None:
        assert other.back_fill()
        work()

    with pytest.raises(Conflict):
        another(write).back_fill()
    assert counted(store, "rule") == [4, 4]
    store.close()


def test_following_goes_on_after_any_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("saastracker.following.RETRY_SECONDS", 0.01)
    monkeypatch.setattr("saastracker.following.STEP_SECONDS", 0.01)
    failures = [KeyError("zone"), Conflict("meanwhile")]

    def zones() -> Mapping[str, str]:
        if failures:
            raise failures.pop()
        return {}

    async def test() -> None:
        async with writing(tmp_path) as running:
            await running.submit(Event(name="open", time=NOON))
            following = asyncio.create_task(
                Following(running.store, running.writer, zones, (), InMemoryDefinitions()).run()
            )
            await until(lambda: counted(running.store, "all", SHOP) == [1])
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)

    asyncio.run(test())
    assert not failures
    assert "could not be brought up to date" in caplog.text
