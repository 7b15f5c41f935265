"""Jobs wait until the index is complete: of half of it they would tell that customers have left."""

import time
from collections.abc import Sequence
from threading import Event as Signal

import pytest

from saastracker.contracts import Group, RecordStore, Store
from saastracker.job import JobContext, Notice
from saastracker.job_runs import JobRuns
from saastracker.testing.indexing import follow
from saastracker.testing.opened import event, submission
from tests.schedule.conftest import Make, ended, job


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("saastracker.schedule.WAIT_SECONDS", 0.01)
    monkeypatch.setattr("saastracker.sql_index_reads.NEWEST", 1)


class Reading:
    """The work of a job that reads."""

    def __init__(self) -> None:
        self.began, self.has_read = Signal(), Signal()

    def __call__(self, context: JobContext) -> Sequence[Notice]:
        self.began.set()
        with context.reader() as reader:
            reader.query("SELECT 1")
        self.has_read.set()
        return ()


@pytest.fixture
def store(stores: tuple[Store, RecordStore]) -> Store:
    """One whose event is not in the index."""
    stores[0].append(Group([submission(event())]))
    return stores[0]


def test_a_job_reads_once_the_index_is_complete(make: Make, store: Store) -> None:
    work = Reading()
    scheduler = make(job(work))
    scheduler.run_now("work")
    assert work.began.wait(5)
    assert not work.has_read.wait(0.1)
    follow(store)
    assert ended(scheduler).result == "done"
    assert work.has_read.is_set()


@pytest.mark.usefixtures("store")
def test_a_job_that_waits_ends_with_the_server_and_is_caught_up(make: Make, records: RecordStore) -> None:
    work = Reading()
    scheduler = make(job(work))
    scheduler.run_now("work")
    assert work.began.wait(5)
    begin = time.monotonic()
    scheduler.stop()
    assert time.monotonic() - begin < 2
    [run] = JobRuns(records).all()["work"]
    assert (run.result, run.error) == ("cancelled", None)
    assert not work.has_read.is_set()
