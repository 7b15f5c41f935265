"""The definition "goal", how many times a day something should happen, and the job "goals" that looks every morning."""

from collections.abc import Sequence
from typing import Annotated

import msgspec

from saastracker import Column, Definitions, Invalid, JobContext, Notice, Reader, Report, Scope, Table, Tagging
from saastracker.event import NAME_MAX

DAY_MS = 24 * 3600 * 1000

COLUMNS = (
    Column("event", "Event"),
    Column("wanted", "Wanted", "number"),
    Column("before", "Before", "number"),
    Column("found", "Found", "number"),
)


class Goal(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What `POST /api/v1/projects/{slug}/definitions/goal` takes."""

    event: Annotated[str, msgspec.Meta(max_length=NAME_MAX)]
    per_day: Annotated[int, msgspec.Meta(ge=1)] = 1


def check_goal(goal: Goal) -> None:
    """What types cannot say."""
    if not goal.event.strip():
        raise Invalid("$.event: Expected the name of an event")


def preview_goal(
    reader: Reader,
    scope: Scope,
    definitions: Definitions,
    goal: Goal,
    current: Goal | None,
) -> Report:
    """What the goal asks of the scope's span, what the one it replaces asked, and what happened."""
    days = (scope.span.last - scope.span.first).days + 1
    found = count(reader, scope.project, goal.event, scope.span.start, scope.span.end)
    row = [goal.event, goal.per_day * days, current.per_day * days if current else None, found]
    return Report(blocks=(Table(key="goal", title="Goal", columns=COLUMNS, rows=[row]),))


def tag_goal(goal: Goal) -> Tagging:
    """Has the index count the goal's events by day under the goal's id, with the people behind them."""
    return Tagging(columns=(), wanted={"name": frozenset({goal.event})}, keys=lambda: [""])


def check_goals(context: JobContext) -> Sequence[Notice]:
    """A notice for every goal that the last 24 hours missed."""
    notices = []
    with context.reader() as reader:
        for number, project in enumerate(context.projects):
            context.progress(number, len(context.projects))
            if context.cancelled():
                break
            for defined in context.definitions.of(project.id, "goal"):
                goal: Goal = defined.value
                found = count(reader, project.id, goal.event, context.now - DAY_MS, context.now)
                if found < goal.per_day:
                    notices.append(
                        Notice(
                            project=project.id,
                            key=f"goal-{defined.id}-{context.now // DAY_MS}",  # told once a day
                            title=f"{goal.event} missed its goal",
                            text=f"It happened {found} times in 24 hours; the goal is {goal.per_day}.",
                        )
                    )
    return notices


def count(reader: Reader, project: str, event: str, start: int, end: int) -> int:
    [(found,)] = reader.query(
        """SELECT count(*) FROM events
           WHERE project = :project AND name = :event AND "time" >= :start AND "time" < :end""",
        project=project,
        event=event,
        start=start,
        end=end,
    )
    return int(found)
