"""Warns the admins of a workspace when most, and when all, of a month's budget is used up."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

from saastracker.contracts import RecordStore
from saastracker.facts import Facts
from saastracker.job import Every, Job, JobContext, Notice, Topic
from saastracker.job_runs import JobRuns
from saastracker.months import months_between
from saastracker.quota import workspace_usage
from saastracker.records import Workspace
from saastracker.wire import Policy

NAME = "budgets"
SHARES = (80, 100)  # percent of the budget; each is told of once a month, whatever becomes of the budget
TOPIC = Topic(title="The month's budget of events", needed="admin", default="admin", grouped=False)
HABITS: Mapping[Policy | None, str] = {
    "accept": "Further events are stored all the same.",
    "drop": "Further events are answered as if all were well, and dropped.",
    None: "What becomes of further events is up to their format: owlsignal drops them, the others are stored.",
}


def warn(records: RecordStore, facts: Facts) -> Job:
    """The job that hands back a notice for each share of a budget that is used up.

    Months that ended since a run last went well are looked at once more.
    """
    looked = 0  # when one here did; what is written down of runs is an hour old, and a new budget would tell of then

    def run(context: JobContext) -> Sequence[Notice]:
        nonlocal looked
        facts.refresh()
        done = [each.started_at for each in JobRuns(records).all().get(NAME, ()) if each.result == "done"]
        since = min(max([looked, *done]) or context.now, context.now)
        months = months_between(since, context.now)
        found = [notice for month in months for notice in _of_month(records, facts, month)]
        looked = context.now
        return found

    return Job(name=NAME, title="Warn of budgets that are used up", trigger=Every(60), run=run, topic=TOPIC)


def _of_month(records: RecordStore, facts: Facts, month: str) -> Iterator[Notice]:
    snapshot = facts.snapshot
    used = workspace_usage(snapshot, records.usage(month))
    for workspace in snapshot.workspaces.values():
        if workspace.budget is None:
            continue
        for share in SHARES:
            if used[workspace.id] * 100 >= workspace.budget * share:
                yield _notice(workspace, workspace.budget, share, used[workspace.id], month)


def _notice(workspace: Workspace, budget: int, share: int, used: int, month: str) -> Notice:
    named = datetime.strptime(month, "%Y-%m").replace(tzinfo=UTC).strftime("%B %Y")
    what = "The budget is used up" if share == 100 else f"{share} % of the budget are used"
    habit = f" {HABITS[workspace.policy]}" if share == 100 else ""
    return Notice(
        workspace=workspace.id,
        key=f"{share}-{month}",
        title=f"{what}: {_number(used)} of {_number(budget)} events in {named}",
        text=f"The workspace {workspace.name} may store {_number(budget)} events a month (UTC).{habit}",
        link=f"settings/usage?workspace={workspace.id}",
    )


def _number(count: int) -> str:
    return f"{count:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")
