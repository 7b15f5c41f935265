"""Usage over the API: what workspaces stored and refused by month, and the budget that is held against it."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Annotated

import msgspec
from msgspec import Meta

from saastracker.conditions import DAY_MS
from saastracker.contracts import Reader
from saastracker.meter import forecast
from saastracker.months import month_of, month_span
from saastracker.quota import OVER_BUDGET
from saastracker.roles import may
from saastracker.web.api.fields import Budget, Slug, Version
from saastracker.web.api.operation import Call, operation
from saastracker.web.api.workspaces import OverBudget
from saastracker.wire import Project

TAG = "Usage"
MONTHS_MAX = 36

Month = Annotated[str, Meta(pattern=r"^\d{4}-\d{2}$", description="A calendar month, UTC.", examples=["2026-11"])]
Events = Annotated[int, Meta(ge=0, description="Events that were stored.", examples=[12_345])]
Dropped = Annotated[int, Meta(ge=0, description="Events that were dropped over budget.", examples=[0])]


class ProjectUsage(msgspec.Struct, frozen=True, kw_only=True):
    """What one project stored in a month."""

    project: Slug
    events: Events


class MonthUsage(msgspec.Struct, frozen=True, kw_only=True):
    """What a workspace stored in a month."""

    month: Month
    events: Events
    dropped: Dropped
    projects: Annotated[list[ProjectUsage], Meta(description="Those that stored any.")]
    erased: Annotated[int, Meta(ge=0, description="Events of projects that are no more; `events` has them, too.")]


class UsageAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which months."""

    months: Annotated[int, Meta(ge=1, le=MONTHS_MAX, description="This month and those before it.", examples=[3])] = 12


class BudgetShown(msgspec.Struct, frozen=True, kw_only=True):
    """A workspace's budget and how it stands this month."""

    version: Version
    budget: Budget | None
    policy: OverBudget | None
    month: Month
    used: Events
    forecast: (
        Annotated[
            int,
            Meta(
                ge=0,
                description="Events by the month's end, if they come as since it began; null: on its first day.",
                examples=[20_000],
            ),
        ]
        | None
    )
    dropped: Dropped
    refusals: Annotated[
        dict[str, int],
        Meta(
            description="What was not stored this month, by reason; of `budget` events, else requests or events.",
            examples=[{"invalid": 3}],
        ),
    ]
    database_bytes: (
        Annotated[int, Meta(ge=0, description="What all workspaces of the server take on disk; null: one is no admin.")]
        | None
    )


class BudgetChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the budget is to be: all of it, what is left out is none."""

    budget: Budget | None = None
    policy: OverBudget | None = None


@operation(
    TAG,
    "GET",
    "/workspaces/{workspace}/usage",
    needed="viewer",
    answer=list[MonthUsage],
    parameters=UsageAsked,
)
def usage(call: Call) -> list[MonthUsage]:
    """Usage.

    Stored and dropped events by month and project, newest month first; the budget is held against what is stored.
    """
    own, records = _projects(call), call.site.records
    found = []
    with call.site.store.reader() as reader:
        dropping = [each for each in own if reader.refusals(each.id).get(OVER_BUDGET)]
        for month in _months(call.now, call.parameters.months):
            used = records.usage(month)
            shares = [ProjectUsage(project=each.slug, events=used[each.id]) for each in own if used.get(each.id)]
            erased = sum(used.get(each, 0) for each in _erased(call))
            found.append(
                MonthUsage(
                    month=month,
                    events=sum(each.events for each in shares) + erased,
                    dropped=_refused(reader, dropping, month)[OVER_BUDGET],
                    projects=shares,
                    erased=erased,
                )
            )
    return found


@operation(TAG, "GET", "/workspaces/{workspace}/budget", needed="viewer", answer=BudgetShown)
def read_budget(call: Call) -> BudgetShown:
    """The budget of a workspace, and how much of it is used this month."""
    facts, site = call.site.facts.snapshot, call.site
    workspace, own, month = facts.workspaces[call.workspace.id], _projects(call), month_of(call.now)
    stored = site.records.usage(month)
    counted = [*(each.id for each in own), *_erased(call)]
    used = sum(stored.get(each, 0) for each in counted)
    before = site.records.usage(_months(call.now, 2)[1])
    earlier = any(before.get(each) for each in counted)
    with site.store.reader() as reader:
        refused = _refused(reader, own, month)
    return BudgetShown(
        version=facts.versions[workspace.id],
        budget=workspace.budget,
        policy=workspace.policy,
        month=month,
        used=used,
        forecast=forecast(used, 0 if earlier else workspace.created_at, call.now),
        dropped=refused[OVER_BUDGET],
        refusals=dict(sorted(refused.items())),
        database_bytes=site.store.size() if may(call.caller.role_in(workspace.id), "admin") else None,
    )


@operation(
    TAG,
    "PUT",
    "/workspaces/{workspace}/budget",
    needed="admin",
    body=BudgetChange,
    answer=BudgetShown,
    versioned=True,
    refusals=(409,),
)
def change_budget(call: Call, body: BudgetChange) -> BudgetShown:
    """Change the budget of a workspace, and what becomes of events over it."""
    facts = call.site.facts
    facts.set_workspace(call.workspace.id, budget=body.budget, policy=body.policy, version=call.version, who=call.who)
    call.site.meter.refresh()
    return read_budget(call)


def _projects(call: Call) -> list[Project]:
    """Of the workspace, by slug; deleted ones too, until they are erased."""
    projects = call.site.facts.snapshot.projects.values()
    return sorted((each for each in projects if each.workspace == call.workspace.id), key=lambda one: one.slug)


def _erased(call: Call) -> list[str]:
    """The ids of the workspace's projects that are no more."""
    erased = call.site.facts.snapshot.erased
    return [project for project, workspace in erased.items() if workspace == call.workspace.id]


def _refused(reader: Reader, projects: list[Project], month: str) -> Counter[str]:
    """What was refused in a month, by reason."""
    begins, ends = month_span(month)
    found: Counter[str] = Counter()
    for project in projects:
        found.update(reader.refusals(project.id, begins // DAY_MS, ends // DAY_MS - 1))
    return found


def _months(now: int, count: int) -> list[str]:
    day = datetime.fromtimestamp(now / 1000, UTC)
    found = []
    for _ in range(count):
        found.append(f"{day:%Y-%m}")
        day = day.replace(day=1) - timedelta(days=1)
    return found
