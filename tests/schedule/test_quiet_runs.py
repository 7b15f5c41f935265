"""Of jobs that run often only runs that did something are kept one by one."""

from collections.abc import Sequence

from saastracker.contracts import RecordStore
from saastracker.job import Every, JobContext, Notice
from saastracker.job_runs import QUIET_MS, RUNS_KEPT, JobRuns, Run
from tests.schedule.conftest import Make, ended, job, run

NOW = 1_800_000_000_000


def quiet(at: int) -> Run:
    return Run(started_at=at, seconds=0.1, result="done", quiet=True)


def busy(at: int) -> Run:
    return Run(started_at=at, seconds=0.1, result="done", notices=1)


def test_quiet_runs_are_known_and_hardly_written(records: RecordStore) -> None:
    runs, before = JobRuns(records), records.change()
    for step in range(360 * 3 + 1):  # three hours
        runs.add("often", quiet(NOW + step * 10_000))
    assert records.change() - before == 4
    assert [each.started_at - NOW for each in runs.all()["often"]] == [3 * QUIET_MS]
    runs.add("often", quiet(NOW + 3 * QUIET_MS + 10_000))
    assert [each.started_at - NOW for each in runs.all()["often"]] == [3 * QUIET_MS + 10_000]
    assert [each.started_at - NOW for each in JobRuns(records).all()["often"]] == [3 * QUIET_MS]  # another process


def test_what_was_done_stays_beside_one_quiet_run(records: RecordStore) -> None:
    runs = JobRuns(records)
    for step in range(3 * RUNS_KEPT):
        runs.add("often", busy(NOW + step * 2 * QUIET_MS))
        runs.add("often", quiet(NOW + step * 2 * QUIET_MS + QUIET_MS))
    for known in (runs, JobRuns(records)):
        found = known.all()["often"]
        assert len(found) == RUNS_KEPT
        assert [each.quiet for each in found] == [True] + [False] * (RUNS_KEPT - 1)


def test_a_quiet_run_after_a_failure_is_written_at_once(records: RecordStore) -> None:
    runs = JobRuns(records)
    runs.add("often", Run(started_at=NOW, seconds=0, result="failed", error="no bread"))
    runs.add("often", quiet(NOW + 10_000))
    assert [each.result for each in JobRuns(records).all()["often"]] == ["done", "failed"]


def test_a_failure_leaves_the_last_run_that_went_well(records: RecordStore) -> None:
    runs = JobRuns(records)
    runs.add("often", quiet(NOW))
    for step in (1, 2):
        runs.add("often", Run(started_at=NOW + step * 10_000, seconds=0, result="failed", error="no bread"))
    assert [each.started_at - NOW for each in runs.all()["often"]] == [20_000, 10_000, 0]
    runs.add("often", quiet(NOW + 30_000))
    assert [each.started_at - NOW for each in runs.all()["often"]] == [30_000, 20_000, 10_000]


def test_which_runs_are_quiet(make: Make, records: RecordStore) -> None:
    steps = [0, 0, 3]

    def work(context: JobContext) -> Sequence[Notice]:
        context.progress(steps[0], steps.pop(0))
        return ()

    scheduler = make(job(work, trigger=Every(3600)))
    scheduler.start()  # a new job waits for its time
    assert not run(scheduler).quiet  # somebody asked for it
    scheduler.stop()
    for expected in (True, False):
        JobRuns(records).expire(NOW)
        JobRuns(records).add("work", Run(started_at=1, seconds=0, result="done"))
        scheduler = make(job(work, trigger=Every(3600)))
        scheduler.start()
        assert ended(scheduler, count=2).quiet == expected
        scheduler.stop()
