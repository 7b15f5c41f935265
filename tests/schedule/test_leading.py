"""The server that leads keeps time, whatever becomes of its clock."""

import asyncio
from datetime import timedelta

import pytest

from saastracker import schedule
from saastracker.contracts import RecordStore, Store
from saastracker.job import Every
from saastracker.leading import BACK_SECONDS, Leading
from saastracker.records import HOUR_MS, now_ms
from saastracker.schedule import Scheduler
from saastracker.timing import first_time
from tests.schedule.conftest import Make, job


def test_jobs_do_not_wait_for_a_clock_that_was_set_back(
    make: Make, stores: tuple[Store, RecordStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    scheduler, ahead = make(job(trigger=Every(60))), [2 * HOUR_MS / 1000]

    async def follow() -> None:
        await asyncio.Event().wait()

    def next_run(scheduler: Scheduler) -> float:
        found = scheduler.states()[0].next_run
        assert found is not None
        return (found - now_ms()) / 1000

    async def lead() -> list[float]:
        leading = Leading(stores[0], scheduler, follow, lambda: ahead[0])
        with monkeypatch.context() as early:  # as a clock that is far ahead would have it
            early.setattr(schedule, "first_time", lambda *given, **also: first_time(*given, **also) + timedelta(30_000))
            await leading.look()
        found = []
        for moved in (0, -BACK_SECONDS / 2, 0, -2 * HOUR_MS / 1000):
            ahead[0] += moved
            await leading.keep_time()
            found.append(next_run(scheduler))
        await leading.stop()
        return found

    *before, after = asyncio.run(lead())
    assert min(before) > 1e9
    assert 0 < after < 70
