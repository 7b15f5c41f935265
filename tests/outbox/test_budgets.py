"""Warnings of budgets: one for each share and month, whatever happens in between."""

from saastracker.budgets import NAME, warn
from saastracker.conditions import DAY_MS
from saastracker.contracts import Group, Store, Submission
from saastracker.definitions import NOTHING_DEFINED
from saastracker.event import Event
from saastracker.job import JobContext
from saastracker.job_runs import JobRuns, Run
from saastracker.notify import Notices
from saastracker.upkeep import expire
from saastracker.wire import Reply
from tests.outbox.conftest import HOUR, NOW, Office

DAY = 24 * HOUR
NOVEMBER_30, DECEMBER_2 = NOW + 9 * DAY, NOW + 11 * DAY


def store_events(store: Store, office: Office, count: int, at: int = NOW) -> None:
    events = [Event(name="x", time=at, received_at=at) for _ in range(count)]
    store.append(Group([Submission(office.shop, events, at, Reply(202, b""))]))


def context(store: Store, now: int) -> JobContext:
    return JobContext(
        now=now,
        projects=(),
        definitions=NOTHING_DEFINED,
        reader=store.reader,
        progress=lambda _done, _total: None,
        cancelled=lambda: False,
    )


def told(store: Store, office: Office, now: int = NOW) -> list[str]:
    """Keys of what a run has to tell that was not told before."""
    before = {noted.id for noted in Notices(office.records).all()}
    Notices(office.records).add(NAME, warn(office.records, office.facts).run(context(store, now)), now)
    JobRuns(office.records).add(NAME, Run(started_at=now, seconds=0.0, result="done"))
    return [noted.queued.notice.key for noted in Notices(office.records).all() if noted.id not in before]


def limit(office: Office, budget: int | None) -> None:
    office.facts.set_workspace(office.workspace.id, budget=budget, policy=None)


def test_each_share_is_told_once_a_month(store: Store, office: Office) -> None:
    limit(office, 10)
    store_events(store, office, 7)
    assert told(store, office) == []
    store_events(store, office, 1)
    assert told(store, office) == ["80-2026-11"]
    store_events(store, office, 1)
    assert told(store, office) == []
    store_events(store, office, 1)
    assert told(store, office) == ["100-2026-11"]
    [_, used_up] = [noted.queued.notice for noted in Notices(office.records).all()]
    assert used_up.title == "The budget is used up: 10 of 10 events in November 2026"
    assert used_up.workspace == office.workspace.id


def test_crossed_in_one_batch_both_are_told(store: Store, office: Office) -> None:
    limit(office, 1000)
    store_events(store, office, 1234)
    assert told(store, office) == ["80-2026-11", "100-2026-11"]
    assert told(store, office) == []


def test_months_without_a_run_are_looked_at(store: Store, office: Office) -> None:
    """One that was used up while no server ran, or while no run was written down, is told of."""
    limit(office, 10)
    store_events(store, office, 10)
    JobRuns(office.records).add(NAME, Run(started_at=NOW - 40 * DAY_MS, seconds=0.0, result="done"))
    later = NOW + 40 * DAY_MS
    found = warn(office.records, office.facts).run(context(store, later))
    assert [notice.key for notice in found] == ["80-2026-11", "100-2026-11"]


def test_another_budget_tells_nothing_twice(store: Store, office: Office) -> None:
    limit(office, 10)
    store_events(store, office, 8)
    assert told(store, office) == ["80-2026-11"]
    limit(office, 8)
    assert told(store, office) == ["100-2026-11"]
    limit(office, 100)
    store_events(store, office, 92)
    assert told(store, office) == []
    limit(office, None)
    assert told(store, office) == []


def test_a_month_that_ended_while_no_server_ran_is_told_of(store: Store, office: Office) -> None:
    limit(office, 10)
    assert told(store, office) == []
    store_events(store, office, 9, NOVEMBER_30)
    assert told(store, office, DECEMBER_2) == ["80-2026-11"]
    assert told(store, office, DECEMBER_2) == []
    store_events(store, office, 8, DECEMBER_2)
    assert told(store, office, DECEMBER_2) == ["80-2026-12"]


def test_a_month_that_ended_while_runs_failed_is_told_of(store: Store, office: Office) -> None:
    limit(office, 10)
    december = NOVEMBER_30 + 21 * HOUR  # its first moment
    runs = JobRuns(office.records)
    runs.add(NAME, Run(started_at=NOVEMBER_30, seconds=0.0, result="done", quiet=True))
    store_events(store, office, 9, NOVEMBER_30 + HOUR)
    for minute in range(3):
        runs.add(NAME, Run(started_at=december + minute * 60_000, seconds=0.0, result="failed", error="no store"))
    assert told(store, office, december + HOUR) == ["80-2026-11"]


def test_a_new_budget_just_after_a_month_tells_nothing_of_it(store: Store, office: Office) -> None:
    """Though of runs with nothing to tell only one an hour is written down."""
    store_events(store, office, 100, NOVEMBER_30)
    december = NOVEMBER_30 + 21 * HOUR
    JobRuns(office.records).add(NAME, Run(started_at=december - HOUR // 2, seconds=0.0, result="done", quiet=True))
    job = warn(office.records, office.facts)
    assert job.run(context(store, december + 60_000)) == []
    limit(office, 10)
    assert job.run(context(store, december + 120_000)) == []


def test_a_new_budget_looks_at_no_earlier_month(store: Store, office: Office) -> None:
    store_events(store, office, 100, NOVEMBER_30)
    assert told(store, office, DECEMBER_2) == []
    limit(office, 10)
    assert told(store, office, DECEMBER_2 + HOUR) == []


def test_upkeep_forgets_nothing_that_would_be_told_again(store: Store, office: Office) -> None:
    limit(office, 10)
    store_events(store, office, 10, NOW - 20 * DAY)
    assert told(store, office, NOW - 20 * DAY) == ["80-2026-11", "100-2026-11"]
    expire(office.records).run(context(store, NOVEMBER_30))
    assert told(store, office, NOVEMBER_30) == []
    expire(office.records).run(context(store, NOW + 90 * DAY))
    assert Notices(office.records).all() == []


def test_projects_of_a_workspace_share_its_budget(store: Store, office: Office) -> None:
    limit(office, 10)
    other = office.facts.add_project("Other", office.workspace.id)
    store_events(store, office, 4)
    events = [Event(name="x", time=NOW, received_at=NOW) for _ in range(4)]
    store.append(Group([Submission(other, events, NOW, Reply(202, b""))]))
    assert told(store, office) == ["80-2026-11"]
