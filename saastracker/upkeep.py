"""The core's own job: removes records of what is over."""

from collections.abc import Sequence

from saastracker.contracts import RecordStore
from saastracker.job import Daily, Job, JobContext, Notice
from saastracker.job_runs import JobRuns
from saastracker.notify import Notices
from saastracker.records import HOUR_MS

KEPT_MS = 30 * 24 * HOUR_MS


def expire(records: RecordStore) -> Job:
    """The job that removes notices, and the runs of jobs that no longer run, after 30 days."""

    def run(context: JobContext) -> Sequence[Notice]:
        before = context.now - KEPT_MS
        Notices(records).expire(before)
        JobRuns(records).expire(before)
        return ()

    return Job(name="expire", title="Remove old notices and runs of jobs", trigger=Daily(hour=3, minute=20), run=run)
