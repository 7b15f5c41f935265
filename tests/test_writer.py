"""Groups, and that nothing in one harms another: with the real store."""

import asyncio
import sqlite3
import threading
import time
from collections.abc import Coroutine, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import saastracker_sqlite.database
from saastracker import writer as writer_module
from saastracker.contracts import Refused, Submission
from saastracker.errors import Invalid, Unavailable
from saastracker.event import Event
from tests.writing import NOW, SHOP, outcomes, until, writing

REFUSED = Refused(SHOP.id, NOW, "signature", "Invalid signature", "/v1/events")
POISON = {
    "half a surrogate pair": lambda: Event(name="\ud800", org="acme"),
    "the same in properties": lambda: Event(name="x", org="acme", properties='{"a":"\ud800"}'),
    "an integer beyond 64 bits": lambda: Event(name="x", org="acme", time=10**30),
}


def run(test: Coroutine[Any, Any, None]) -> None:
    asyncio.run(test)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saastracker_sqlite.database, "BUSY_SECONDS", 0.05)
    monkeypatch.setattr(writer_module, "IDLE_SECONDS", 0.02)


def test_what_comes_together_is_committed_together(tmp_path: Path) -> None:
    async def test() -> None:
        async with writing(tmp_path) as running:
            names = [f"e{number}" for number in range(30)]
            assert await outcomes([running.submit(Event(name=name)) for name in names]) == [None] * 30
            assert running.groups() == 1
            assert running.stored() == names
            assert [submission.events[0].sequence for submission in running.committed] == list(range(1, 31))
            assert running.usage.used([SHOP.id], "2026-11") == 30

    run(test())


def test_a_group_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_module, "GROUP_EVENTS", 10)

    async def test() -> None:
        async with writing(tmp_path) as running:
            await outcomes([running.submit(*(Event(name="x") for _ in range(4))) for _ in range(6)])
            assert running.groups() == 2
            assert len(running.stored()) == 24

    run(test())


@pytest.mark.parametrize("kind", POISON)
def test_an_event_that_cannot_be_stored_harms_no_other(tmp_path: Path, kind: str) -> None:
    async def test() -> None:
        async with writing(tmp_path) as running:
            # The first of the group brings texts that the others use too.
            bad = running.submit(POISON[kind](), Event(name="beside", org="acme"))
            good = [running.submit(Event(name=name, org="acme", user="u")) for name in ("a", "b")]
            refused, *stored = await outcomes([bad, *good])
            assert isinstance(refused, Invalid)
            assert (refused.status, refused.reason) == (400, "unstorable")
            assert stored == [None, None]
            assert running.stored() == ["a", "b"]
            assert running.stored("org") == ["acme", "acme"]
            first, second = running.stored("session")
            assert first == second
            assert running.usage.used([SHOP.id], "2026-11") == 2
            await running.submit(Event(name="c", org="acme", user="u"))
            assert running.stored("session") == [first] * 3
            assert running.writer.queued_events == 0

    run(test())


def test_a_probe_beside_an_event_that_cannot_be_stored(tmp_path: Path) -> None:
    async def test() -> None:
        async with writing(tmp_path) as running:
            bad, probe = running.submit(POISON["an integer beyond 64 bits"]()), running.writer.probe()
            refused, well = await outcomes([bad, probe])
            assert isinstance(refused, Invalid)
            assert well is None

    run(test())


def test_a_full_queue_refuses_and_recovers(tmp_path: Path) -> None:
    async def test() -> None:
        async with writing(tmp_path, max_events=10, max_bytes=1000) as running:
            first = running.submit(*(Event(name="x") for _ in range(10)))
            with pytest.raises(Unavailable, match="busy") as refused:
                running.submit(Event(name="one more"))
            assert refused.value.reason == "queue_full"
            assert dict(refused.value.headers)[b"retry-after"] == b"2"
            await first
            large = running.submit(Event(name="large"), size=5000)  # alone, any size may pass
            with pytest.raises(Unavailable):
                running.submit(Event(name="one more"), size=1)
            await large
            await running.submit(Event(name="last"))
            assert running.stored() == ["x"] * 10 + ["large", "last"]
            assert running.writer.queued_events == 0

    run(test())


def test_a_locked_store_refuses_and_recovers(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "saastracker.writer")

    async def test() -> None:
        async with writing(tmp_path) as running:
            await running.submit(Event(name="before", user="u"))
            running.writer.refuse(REFUSED)
            with closing(sqlite3.connect(running.database, isolation_level=None)) as other:
                other.execute("BEGIN EXCLUSIVE")
                again = Event(name="again", user="u")
                answers = await outcomes(
                    [running.submit(again), running.submit(Event(name="lost")), running.writer.probe()]
                )
                assert all(isinstance(answer, Unavailable) and "locked" in answer.detail for answer in answers)
                assert again.session is None
                assert running.writer.failure is not None
            await until(lambda: running.writer.failure is None)  # found out by itself
            await running.writer.probe()
            await running.submit(again)
            assert running.stored() == ["before", "again"]
            assert len(set(running.stored("session"))) == 1
            with running.store.reader() as reader:
                assert reader.refusals(SHOP.id) == {"signature": 1}
            assert running.writer.queued_events == 0

    run(test())
    messages = [record.getMessage() for record in caplog.records if record.name == "saastracker.writer"]
    assert len(messages) == 2, "one when it begins and one when it ends"


def test_a_damaged_store_is_not_the_clients_fault(tmp_path: Path) -> None:
    async def test() -> None:
        async with writing(tmp_path) as running:
            await running.submit(Event(name="x"))
            with closing(sqlite3.connect(running.database)) as other:
                other.execute("DROP TABLE texts")
            answers = await outcomes([running.submit(Event(name="y")), running.submit(Event(name="z"))])
            assert [type(answer) for answer in answers] == [Unavailable, Unavailable]

    run(test())


def test_refusals_are_written_when_nothing_else_comes(tmp_path: Path) -> None:
    async def test() -> None:
        async with writing(tmp_path) as running:
            for _ in range(3):
                running.writer.refuse(REFUSED)

            def written() -> bool:
                with running.store.reader() as reader:
                    return reader.refusals(SHOP.id) == {"signature": 3} and reader.rejected(SHOP.id, 9) == [REFUSED] * 3

            await until(written)

    run(test())


def test_a_refusal_that_cannot_be_stored_as_it_is_harms_nothing(tmp_path: Path) -> None:
    async def test() -> None:
        async with writing(tmp_path) as running:
            running.writer.refuse(Refused(SHOP.id, NOW, "invalid", "half a pair: \ud800", "/\udfff"))
            await running.submit(Event(name="x"))
            with running.store.reader() as reader:
                [refused] = reader.rejected(SHOP.id, 9)
            assert (refused.detail, refused.path) == ("half a pair: ?", "/?")

    run(test())


def test_closing_commits_what_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_module, "GROUP_EVENTS", 2)

    async def test() -> None:
        async with writing(tmp_path) as running:
            futures = [running.submit(Event(name=str(number))) for number in range(7)]
            running.writer.refuse(REFUSED)
            await running.writer.close()
            assert await outcomes(futures) == [None] * 7
            assert running.stored() == [str(number) for number in range(7)]
            with running.store.reader() as reader:
                assert reader.refusals(SHOP.id) == {"signature": 1}
            with pytest.raises(Unavailable, match="stopping"):
                running.submit(Event(name="late"))

    run(test())


def test_a_stop_does_not_try_a_store_that_refuses_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_module, "GROUP_EVENTS", 1)

    async def test() -> None:
        async with writing(tmp_path) as running:
            with closing(sqlite3.connect(running.database, isolation_level=None)) as other:
                other.execute("BEGIN EXCLUSIVE")
                futures = [running.submit(Event(name="x")) for _ in range(5)]
                running.writer.refuse(REFUSED)
                running.writer.stopping()
                await running.writer.close()
                assert all(isinstance(answer, Unavailable) for answer in await outcomes(futures))
                tries = running.metrics.registry.get_sample_value("saastracker_commit_failures_total")
                assert tries == 1

    run(test())


def test_who_goes_away_holds_up_nobody(tmp_path: Path) -> None:
    async def test() -> None:
        async with writing(tmp_path) as running:
            gone, stays = running.submit(Event(name="gone")), running.submit(Event(name="stays"))
            gone.cancel()
            await stays
            assert running.stored() == ["gone", "stays"]
            assert running.writer.queued_events == 0

    run(test())


def test_who_is_told_of_events_cannot_stop_the_writer(tmp_path: Path) -> None:
    async def test() -> None:
        async with writing(tmp_path) as running:
            asyncio.get_running_loop().set_exception_handler(lambda _loop, context: failures.append(context))

            def fail(_submissions: Sequence[Submission]) -> None:
                raise ValueError("a reader's filter failed")

            running.writer._committed = fail
            await running.submit(Event(name="a"))
            await running.submit(Event(name="b"))
            assert running.stored() == ["a", "b"]

    failures: list[dict[str, Any]] = []
    run(test())
    assert len(failures) == 2


def test_the_age_of_a_commit_is_seen(tmp_path: Path) -> None:
    async def test() -> None:
        async with writing(tmp_path) as running:
            assert running.writer.age() == 0
            with closing(sqlite3.connect(running.database, isolation_level=None)) as other:
                other.execute("BEGIN EXCLUSIVE")
                waiting = running.submit(Event(name="x"))
                await until(running.writer.age)
                assert 0 < running.writer.age() < time.monotonic()
                await outcomes([waiting])
            await until(lambda: running.writer.age() == 0)

    run(test())


def test_other_work_is_done_between_groups_and_its_failure_is_the_askers(tmp_path: Path) -> None:
    async def test() -> None:
        done: list[str] = []

        def fail() -> None:
            raise ZeroDivisionError

        async with writing(tmp_path) as running:
            await asyncio.to_thread(running.writer.run, lambda: done.append(threading.current_thread().name))
            with pytest.raises(ZeroDivisionError):
                await asyncio.to_thread(running.writer.run, fail)
            await running.submit(Event(name="after"))
        assert done == ["writer"]

    run(test())


def test_other_work_that_comes_after_the_end_is_refused(tmp_path: Path) -> None:
    async def test() -> None:
        async with writing(tmp_path) as running:
            writer = running.writer
        with pytest.raises(Unavailable):
            await asyncio.to_thread(writer.run, lambda: None)

    run(test())
