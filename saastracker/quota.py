"""Budgets: which requests are dropped because their workspace has used up what it may store in a month."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from saastracker.contracts import RecordStore, Submission
from saastracker.erasable import Write
from saastracker.months import month_of
from saastracker.records import Snapshot, Workspace

OVER_BUDGET = "budget"  # the reason under which dropped events are counted


def workspace_usage(snapshot: Snapshot, usage: Mapping[str, int]) -> dict[str, int]:
    """Events by workspace id, from those by project id."""
    found = dict.fromkeys(snapshot.workspaces, 0)
    for project, workspace in _workspaces(snapshot).items():
        if workspace in found:
            found[workspace] += usage.get(project, 0)
    return found


def _workspaces(snapshot: Snapshot) -> dict[str, str]:
    """Whose budget projects use, by id; of those that were erased, too, or deleting one would make room."""
    return {project.id: project.workspace for project in snapshot.projects.values()} | dict(snapshot.erased)


class Usage:
    """Events stored per project and month, and the budgets they are held against, without a database read.

    The store counts in the transaction that stores the events and tells the figures after it. The
    writer's thread alone uses it; it is exact with one process. With several `refresh` tells each, every
    second, what the others stored: so much too many may each store as comes to it meanwhile.
    """

    def __init__(self, records: RecordStore, snapshot: Callable[[], Snapshot], now: int) -> None:
        """Facts are read through `snapshot`, always the newest."""
        self._snapshot = snapshot
        self._seen: Snapshot | None = None
        self._limited: Mapping[str, Workspace] = {}  # those with a budget, by id
        self._projects: dict[str, list[str]] = {}  # of those
        self._records = records
        month = month_of(now)
        self._used = {(project, month): events for project, events in records.usage(month).items()}

    def admit(self, submissions: Sequence[Submission]) -> list[Submission]:
        """Those to store. The others are marked as dropped: their workspaces' budgets are used up."""
        if not self._limits():
            return list(submissions)
        admitted = []
        for submission in submissions:
            budget = self._budget(submission)
            submission.dropped = budget is not None and self._workspace_used(submission) >= budget
            if not submission.dropped:
                admitted.append(submission)
        return admitted

    def crosses(self, submissions: Sequence[Submission]) -> bool:
        """Whether some of these may use up a budget that others after them are held against.

        Then each needs a commit of its own: what a group adds is known only after its commit, since
        duplicates are not counted.
        """
        if not self._limits():
            return False
        coming: dict[tuple[str, str], int] = {}
        over: set[tuple[str, str]] = set()  # from the beginning: what of them is not stored changes nothing
        for submission in submissions:
            workspace = self._limited.get(submission.project.workspace)
            if workspace is None or workspace.budget is None:
                continue
            key = workspace.id, month_of(submission.received_at)
            if key not in coming:
                coming[key] = self._workspace_used(submission)
                if coming[key] >= workspace.budget:
                    over.add(key)
            if key in over:
                continue
            if coming[key] >= workspace.budget and self._budget(submission) is not None:
                return True
            coming[key] += len(submission.events)  # also of those that are stored whatever the budget
        return False

    def committed(self, usage: Mapping[tuple[str, str], int]) -> None:
        """Take over what `Store.append` handed back."""
        self._used.update(usage)

    def refresh(self, now: int, write: Write) -> None:
        """Learn what other processes stored this month; `write` has work done on the writer's thread."""
        month = month_of(now)
        stored = {(project, month): events for project, events in self._records.usage(month).items()}

        def learn() -> None:  # they were read before what was committed here meanwhile
            self._used.update({key: max(events, self._used.get(key, 0)) for key, events in stored.items()})

        write(learn)

    def used(self, projects: Iterable[str], month: str) -> int:
        return sum(self._used.get((project, month), 0) for project in projects)

    def _limits(self) -> bool:
        """Whether there is any budget."""
        snapshot = self._snapshot()
        if snapshot is not self._seen:
            self._seen = snapshot
            self._limited = {each.id: each for each in snapshot.workspaces.values() if each.budget is not None}
            self._projects = {workspace: [] for workspace in self._limited}
            for project, workspace in _workspaces(snapshot).items():
                if workspace in self._limited:
                    self._projects[workspace].append(project)
        return bool(self._limited)

    def _budget(self, submission: Submission) -> int | None:
        """Events past which this submission is dropped; None if it never is."""
        workspace = self._limited.get(submission.project.workspace)
        if workspace is None or submission.over_budget is None:
            return None
        return workspace.budget if (workspace.policy or submission.over_budget) == "drop" else None

    def _workspace_used(self, submission: Submission) -> int:
        return self.used(self._projects[submission.project.workspace], month_of(submission.received_at))
