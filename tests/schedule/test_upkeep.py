"""What is over is forgotten."""

from saastracker import job_runs
from saastracker.contracts import RecordStore
from saastracker.job import Notice
from saastracker.job_runs import JobRuns, Run
from saastracker.notify import Notices
from saastracker.records import HOUR_MS, now_ms
from saastracker.upkeep import KEPT_MS, NOTICES_KEPT_MS, expire
from tests.schedule.conftest import Make, run


def test_only_the_last_runs_are_kept(records: RecordStore) -> None:
    runs = JobRuns(records)
    for number in range(job_runs.RUNS_KEPT + 5):
        runs.add("work", Run(started_at=number, seconds=0, result="done"))
    assert [each.started_at for each in runs.all()["work"]] == list(range(24, 4, -1))


def test_old_notices_and_jobs_that_run_no_more_are_forgotten(make: Make, records: RecordStore) -> None:
    now = now_ms()
    for name, at in (("gone", now - KEPT_MS - 1000), ("rare", now - KEPT_MS + HOUR_MS)):
        JobRuns(records).add(name, Run(started_at=at, seconds=0, result="done"))
    for name, at in (("gone", now - NOTICES_KEPT_MS - 1000), ("rare", now - NOTICES_KEPT_MS + HOUR_MS)):
        Notices(records).add(name, [Notice(project="p", key="k", title="", text="")], at)
    scheduler = make(expire(records))
    assert run(scheduler, "expire").result == "done"
    assert set(JobRuns(records).all()) == {"rare", "expire"}
    assert [noted.queued.job for noted in Notices(records).all()] == ["rare"]
