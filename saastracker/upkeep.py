"""The core's own job: removes records of what is over."""

from collections.abc import Sequence

from saastracker.accounts import people
from saastracker.contracts import RecordStore
from saastracker.job import Daily, Job, JobContext, Notice
from saastracker.job_runs import JobRuns
from saastracker.notify import Notices
from saastracker.records import HOUR_MS

KEPT_MS = 30 * 24 * HOUR_MS


def expire(records: RecordStore) -> Job:
    """The job that removes sessions and links that are over, and after 30 days notices and runs of former jobs."""

    def run(context: JobContext) -> Sequence[Notice]:
        before = context.now - KEPT_MS
        Notices(records).expire(before)
        JobRuns(records).expire(before)
        people.expire(records, context.now)
        return ()

    return Job(
        name="expire",
        title="Remove what is over: sessions, links, old notices",
        trigger=Daily(hour=3, minute=20),
        run=run,
    )
