"""The core's jobs that look after what is kept, and a run of a job that a command asked for."""

import asyncio
from collections.abc import AsyncIterator, Callable

from saastracker.contracts import RecordStore, Store
from saastracker.control import Progress
from saastracker.erasable import Write
from saastracker.erasing import erase_projects
from saastracker.erasures import Erasures, erase_asked
from saastracker.errors import Conflict, Unavailable
from saastracker.facts import Facts
from saastracker.job import Job
from saastracker.retention import keep_days, tidy
from saastracker.schedule import Scheduler, State

POLL_SECONDS = 0.2


def jobs(  # noqa: PLR0917
    facts: Facts,
    records: RecordStore,
    erasures: Erasures,
    store: Store,
    write: Write,
    advance: Callable[[], None],
) -> dict[str, Job]:
    """By name. Readers of `store` know merged organizations; `advance` lets the index come closer to the events."""
    all_jobs = (
        keep_days(facts, store, write, advance),
        erase_projects(facts, records, store, write),
        erase_asked(erasures, facts, records, store, write, advance),
        tidy(store, write),
    )
    return {job.name: job for job in all_jobs}


async def run(scheduler: Scheduler, facts: Facts, name: str) -> AsyncIterator[Progress]:
    """Run a job from its beginning to its end, after a run that goes on already. Raises NotFound, Unavailable."""
    await asyncio.to_thread(facts.refresh)
    while True:
        try:
            await asyncio.to_thread(scheduler.run_now, name)
            break
        except Conflict:
            await asyncio.sleep(POLL_SECONDS)
    while True:
        state = await asyncio.to_thread(_state, scheduler, name)
        if state.running is None:
            break
        if state.running.done < state.running.total:
            yield Progress(state.running.done, state.running.total)
        await asyncio.sleep(POLL_SECONDS)
    if not state.runs or state.runs[0].result != "done":
        raise Unavailable(f"The job {name} did not end well; its page in the settings and the log say more.")
    yield Progress(1, 1)


def _state(scheduler: Scheduler, name: str) -> State:
    return next(state for state in scheduler.states() if state.name == name)
