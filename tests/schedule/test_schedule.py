"""Jobs run when they are due or asked for, and how they went is recorded."""

import logging
import threading
import time
from collections.abc import Callable, Sequence

import pytest

from saastracker import schedule
from saastracker.contracts import RecordStore
from saastracker.errors import Conflict, NotFound, OperatorError, Unavailable
from saastracker.facts import Facts
from saastracker.job import Daily, Every, JobContext, Notice
from saastracker.job_runs import JobRuns, Run
from saastracker.metrics import Metrics
from saastracker.notify import Notices
from saastracker.records import HOUR_MS, now_ms
from saastracker.upkeep import expire
from tests.schedule.conftest import Make, ended, job, metric, run


def test_a_run_is_given_what_there_is_and_its_notices_are_queued(
    make: Make, facts: Facts, records: RecordStore, metrics: Metrics
) -> None:
    shop = facts.add_project("Shop", facts.default_workspace().id)
    seen: list[JobContext] = []

    def work(context: JobContext) -> Sequence[Notice]:
        seen.append(context)
        with context.reader() as reader:
            assert reader.query("SELECT count(*) FROM events") == [(0,)]
        assert context.definitions.of(shop.id, "goal") == ()
        return [Notice(project=shop.id, key="a", title="A", text="")]

    scheduler = make(job(work))
    first, second = run(scheduler), run(scheduler)
    assert seen[0].projects == [shop]
    assert (first.result, first.notices, first.error) == ("done", 1, None)
    assert (second.result, second.notices) == ("done", 0)
    assert [noted.queued.job for noted in Notices(records).all()] == ["work"]
    assert metric(metrics, "saastracker_job_runs_total", job_name="work", result="done") == 2
    assert (
        metric(metrics, "saastracker_job_last_success_timestamp_seconds", job_name="work") == second.started_at / 1000
    )


def test_a_run_that_fails_is_logged_and_recorded_and_the_next_may_be_done(
    make: Make, metrics: Metrics, caplog: pytest.LogCaptureFixture
) -> None:
    outcomes = iter(["fails", "goes well"])

    def work(context: JobContext) -> Sequence[Notice]:
        if next(outcomes) == "fails":
            raise ValueError("x" * 10_000)
        return ()

    scheduler = make(job(work))
    failed = run(scheduler)
    assert (failed.result, (failed.error or "")[:14], len(failed.error or "")) == ("failed", "ValueError: xx", 500)
    assert [record.getMessage() for record in caplog.records] == ["The job work failed"]
    assert metric(metrics, "saastracker_job_last_success_timestamp_seconds", job_name="work") is None
    assert run(scheduler).result == "done"
    assert [each.result for each in scheduler.states()[0].runs] == ["done", "failed"]


def test_never_two_runs_of_a_job_at_once(make: Make) -> None:
    begun, gate = threading.Event(), threading.Event()

    def work(context: JobContext) -> Sequence[Notice]:
        context.progress(3, 7)
        begun.set()
        gate.wait()
        return ()

    scheduler = make(job(work), job(name="other"))
    scheduler.run_now("work")
    begun.wait()
    with pytest.raises(Conflict, match="runs already"):
        scheduler.run_now("work")
    running = scheduler.states()[0].running
    assert running
    assert (running.done, running.total) == (3, 7)
    assert run(scheduler, "other").result == "done"
    gate.set()
    assert ended(scheduler).result == "done"
    with pytest.raises(NotFound):
        scheduler.run_now("absent")


def test_a_job_runs_again_and_again(make: Make) -> None:
    runs = []

    def work(context: JobContext) -> Sequence[Notice]:
        runs.append(context.now)
        return ()

    scheduler = make(job(work, trigger=Every(1)))
    scheduler.start()
    while len(runs) < 2:
        time.sleep(0.01)


def test_a_time_that_comes_while_a_run_goes_on_is_left_out(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    gate = threading.Event()

    def work(context: JobContext) -> Sequence[Notice]:
        gate.wait()
        return ()

    scheduler = make(job(work, trigger=Every(1)))
    scheduler.start()
    with caplog.at_level(logging.WARNING):
        while not caplog.records:
            time.sleep(0.01)
    assert caplog.records[0].getMessage().startswith("The job work is due, and still runs")
    assert scheduler.states()[0].runs == ()
    gate.set()


@pytest.mark.parametrize("trigger", [Daily(hour=6), Every(3600)])
def test_what_was_missed_is_caught_up_once(make: Make, records: RecordStore, trigger: Every | Daily) -> None:
    JobRuns(records).add("work", Run(started_at=now_ms() - 100 * HOUR_MS, seconds=1, result="done"))
    scheduler = make(job(trigger=trigger))
    scheduler.start()
    ended(scheduler, count=2)
    again = make(job(trigger=trigger))
    again.start()
    [state] = again.states()
    assert state.next_run is not None
    assert state.next_run > now_ms()
    assert (state.running, len(state.runs)) == (None, 2)


def test_what_a_stop_cut_short_runs_again_at_the_next_start(make: Make, records: RecordStore) -> None:
    JobRuns(records).add("work", Run(started_at=now_ms(), seconds=1, result="cancelled"))
    scheduler = make(job(trigger=Daily(hour=6)))
    scheduler.start()
    assert ended(scheduler, count=2).result == "done"


def test_a_new_job_waits_for_its_time(make: Make) -> None:
    scheduler = make(job(trigger=Daily(hour=6, minute=30)), job(name="asked"))
    scheduler.start()
    daily, asked = scheduler.states()
    assert daily.next_run is not None
    assert daily.next_run >= now_ms()
    assert 0 <= daily.next_run - (6 * 60 + 30) * 60_000 - daily.next_run // (24 * HOUR_MS) * 24 * HOUR_MS <= 61_000
    assert (asked.next_run, daily.runs, asked.runs) == (None, (), ())


def test_turned_off_only_what_is_asked_for_runs(make: Make, records: RecordStore) -> None:
    JobRuns(records).add("work", Run(started_at=1, seconds=1, result="failed", error="before"))
    scheduler = make(job(trigger=Every(1)), enabled=False)
    scheduler.start()
    [state] = scheduler.states()
    assert (state.next_run, state.running) == (None, None)
    scheduler.run_now("work")
    assert ended(scheduler, count=2).result == "done"


def test_a_stop_cancels_what_runs(make: Make, records: RecordStore) -> None:
    begun = threading.Event()

    def work(context: JobContext) -> Sequence[Notice]:
        begun.set()
        while not context.cancelled():
            time.sleep(0.001)
        return ()

    scheduler = make(job(work))
    scheduler.start()
    scheduler.run_now("work")
    begun.wait()
    scheduler.stop()
    [cancelled] = JobRuns(records).all()["work"]
    assert cancelled.result == "cancelled"
    with pytest.raises(Unavailable):
        scheduler.run_now("work")


def test_a_job_that_does_not_listen_is_left_behind(
    make: Make, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(schedule, "STOP_SECONDS", 0.01)
    begun, gate = threading.Event(), threading.Event()

    def work(context: JobContext) -> Sequence[Notice]:
        begun.set()
        gate.wait()
        return ()

    scheduler = make(job(work))
    scheduler.run_now("work")
    begun.wait()
    scheduler.stop()
    assert caplog.records[0].getMessage() == "The job work did not end in time; the server stops without it"
    gate.set()
    ended(scheduler)


def test_the_last_success_is_known_after_a_restart(make: Make, records: RecordStore, metrics: Metrics) -> None:
    JobRuns(records).add("work", Run(started_at=5000, seconds=1, result="done"))
    JobRuns(records).add("work", Run(started_at=9000, seconds=1, result="failed"))
    make(job()).start()
    assert metric(metrics, "saastracker_job_last_success_timestamp_seconds", job_name="work") == 5


def test_two_jobs_of_one_name_are_refused(make: Make, records: RecordStore) -> None:
    with pytest.raises(OperatorError, match='Two jobs are named "expire"'):
        make(expire(records), job(name="expire"))


@pytest.mark.parametrize(
    "wrong", [lambda: Every(0.5), lambda: Daily(24), lambda: Daily(0, 60), lambda: job(name="A job")]
)
def test_what_could_not_run_is_refused(wrong: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match=r"job|time of day"):
        wrong()


def test_a_failure_is_told_of_once_until_a_run_succeeds(make: Make, facts: Facts, records: RecordStore) -> None:
    owned = facts.default_workspace().id
    failing = [True, True, False, True]

    def work(_context: JobContext) -> Sequence[Notice]:
        if failing.pop(0):
            raise OSError("no bread left")
        return ()

    scheduler = make(job(work))
    told = []
    while failing:
        run(scheduler)
        told.append(len(Notices(records).all()))
    assert told == [1, 1, 1, 2]
    notice = Notices(records).all()[0].queued.notice
    assert (notice.workspace, notice.title) == (owned, "The job failed: Work")
    assert notice.text.startswith("OSError: no bread left")
