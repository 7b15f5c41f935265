"""How much of their budgets workspaces have used this month: a live view for pages."""

from collections.abc import Mapping

import msgspec

from saastracker.conditions import DAY_MS
from saastracker.contracts import RecordStore
from saastracker.facts import Facts
from saastracker.months import month_of, month_span
from saastracker.quota import workspace_usage
from saastracker.records import Workspace, now_ms

FORECAST_MS = DAY_MS  # what went on for less than that says nothing about a month


class Spent(msgspec.Struct, frozen=True):
    """What a workspace used of a month's budget."""

    month: str  # UTC: `2026-11`
    used: int
    budget: int

    @property
    def percent(self) -> int:
        """Whole ones that are used; of a budget of no events all."""
        return self.used * 100 // self.budget if self.budget else 100


class Meter:
    """Safe from several threads; reading it reads no store."""

    def __init__(self, records: RecordStore, facts: Facts) -> None:
        self._records = records
        self._facts = facts
        self._month = ""
        self._used: Mapping[str, int] = {}
        self.refresh()

    def refresh(self) -> None:
        """Look what was stored since; where no workspace has a budget, nothing is looked at."""
        snapshot = self._facts.snapshot
        if any(workspace.budget is not None for workspace in snapshot.workspaces.values()):
            month = month_of(now_ms())
            used = workspace_usage(snapshot, self._records.usage(month))
            self._month, self._used = month, used

    def spent(self, workspace: Workspace) -> Spent | None:
        """None: it has no budget, or the first look is still to come."""
        used = self._used.get(workspace.id)
        return None if workspace.budget is None or used is None else Spent(self._month, used, workspace.budget)


def forecast(used: int, since: int, now: int) -> int | None:
    """What will be used by the month's end if it goes on as it did since the month, or something in it, began.

    None before a day has passed.
    """
    begins, ends = month_span(month_of(now))
    passed = now - max(begins, since)
    return None if passed < FORECAST_MS else used + round(used * (ends - now) / passed)
