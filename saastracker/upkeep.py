"""The core's own job: removes records of what is over."""

from collections.abc import Sequence

from saastracker import audit
from saastracker.accounts import people
from saastracker.contracts import RecordStore
from saastracker.deliveries import Deliveries
from saastracker.job import Daily, Job, JobContext, Notice
from saastracker.job_runs import JobRuns
from saastracker.notify import Notices
from saastracker.records import HOUR_MS

KEPT_MS = 30 * 24 * HOUR_MS
NOTICES_KEPT_MS = 62 * 24 * HOUR_MS  # longer than any month: what was told of a month is not told again in it
SIGN_INS_KEPT_MS = 365 * 24 * HOUR_MS  # in the audit trail; changes stay for good


def expire(records: RecordStore) -> Job:
    """The job that removes sessions and links that are over, runs of former jobs and messages after 30 days.

    Of the audit trail it removes sign-ins after a year.
    """

    def run(context: JobContext) -> Sequence[Notice]:
        before = context.now - KEPT_MS
        Notices(records).expire(context.now - NOTICES_KEPT_MS)
        Deliveries(records).expire(before)
        JobRuns(records).expire(before)
        people.expire(records, context.now)
        audit.expire(records, "session", context.now - SIGN_INS_KEPT_MS)
        return ()

    return Job(
        name="expire",
        title="Remove what is over: sessions, links, old notices",
        trigger=Daily(hour=3, minute=20),
        run=run,
    )
