"""Usage of this month by project: the figure budgets are held against."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from saastracker.contracts import RecordStore, Submission


def month_of(ms: int) -> str:
    """The calendar month, UTC, of a time: `2026-11`."""
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m")


class Usage:
    """Events stored per project in the running month, without a database read.

    The store counts the same in the transaction that stores the events; this copy starts from
    there and follows each commit.
    """

    def __init__(self, records: RecordStore, now: int) -> None:
        self._used: dict[str, int] = {}
        self._turn(now)
        self._used.update(records.usage(month_of(now)))

    def committed(self, submissions: Sequence[Submission]) -> int:
        """Count what a committed group stored; the number of its events without duplicates."""
        total = 0
        for submission in submissions:
            stored = 0
            for event in submission.events:
                if event.sequence:
                    stored += 1
            total += stored
            if submission.received_at >= self._next:
                self._turn(submission.received_at)
            if submission.received_at >= self._begin:
                project = submission.project.id
                self._used[project] = self._used.get(project, 0) + stored
        return total

    def used(self, project: str) -> int:
        return self._used.get(project, 0)

    def _turn(self, now: int) -> None:
        """Start the month that holds `now`."""
        self._used.clear()
        begin = datetime.fromtimestamp(now / 1000, UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        following = (begin + timedelta(days=31)).replace(day=1)
        self._begin, self._next = (int(moment.timestamp() * 1000) for moment in (begin, following))
