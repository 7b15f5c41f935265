"""Usage of this month by project: the figure budgets are held against."""

from collections.abc import Sequence
from datetime import UTC, datetime

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
        self._month = month_of(now)
        self._used = dict(records.usage(self._month))

    def committed(self, submissions: Sequence[Submission]) -> int:
        """Count what a committed group stored; the number of its events without duplicates."""
        total = 0
        for submission in submissions:
            stored = sum(1 for event in submission.events if event.sequence)
            if not stored:
                continue
            total += stored
            month = month_of(submission.received_at)
            if month > self._month:
                self._month = month
                self._used.clear()
            if month == self._month:
                self._used[submission.project.id] = self._used.get(submission.project.id, 0) + stored
        return total

    def used(self, project: str) -> int:
        return self._used.get(project, 0)
