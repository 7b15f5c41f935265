"""Tells people of new issues, and of resolved ones that are seen again."""

from collections.abc import Sequence
from datetime import UTC, date, datetime

from saastracker.contracts import Reader
from saastracker.definition import Definitions
from saastracker.issues.catalogue import Known, catalogue
from saastracker.issues.raw import failures
from saastracker.job import JobContext, Notice
from saastracker.wire import Project

RECENT_MS = 24 * 3_600_000  # what was first seen before is history, as after an import
NEW_MAX = 20  # notices of new issues in a project per day


def notices(context: JobContext) -> list[Notice]:
    told: list[Notice] = []
    for project in context.projects:
        if context.cancelled():
            break
        with context.reader() as reader:
            told += _of_project(reader, project, context.definitions, context.now)
    return told


def _of_project(reader: Reader, project: Project, definitions: Definitions, now: int) -> list[Notice]:
    known = catalogue(reader, project.id, project.timezone, definitions)
    if known.counted.pending:
        return []  # what is new will be known when all is counted
    recent = now - RECENT_MS
    fresh = [issue for issue in known.issues.values() if issue.status == "open" and issue.first >= recent]
    again = [issue for issue in known.issues.values() if issue.status == "regressed" and issue.last >= recent]
    told, more = _limited(fresh)
    titles, calls = _titles(reader, [*told, *again])
    found = [
        Notice(
            project=project.id,
            key=f"new-{issue.id}",
            title=f"New error: {titles[issue.id]}",
            text=f"Seen for the first time{_within(known.between(issue)[0])}.{calls[issue.id]}",
            link=f"errors/{issue.id}",
        )
        for issue in told
    ]
    found += [
        Notice(
            project=project.id,
            key=f"new-more-{day}",
            title=f"More than {NEW_MAX} new errors on {day}",
            text="The others are on the page Errors.",
            link="errors",
        )
        for day in more
    ]
    return found + [
        Notice(
            project=project.id,
            key=f"regressed-{issue.id}-{issue.since}",
            title=f"Seen again: {titles[issue.id]}",
            text=f"It was resolved and came back{_within(issue.seen_again)}.{calls[issue.id]}",
            link=f"errors/{issue.id}",
        )
        for issue in again
    ]


def _limited(fresh: Sequence[Known]) -> tuple[list[Known], list[date]]:
    """The first new issues of each day (UTC), and the days that have more."""
    by_day: dict[date, list[Known]] = {}
    for issue in sorted(fresh, key=lambda issue: (issue.first, issue.id)):
        by_day.setdefault(datetime.fromtimestamp(issue.first / 1000, UTC).date(), []).append(issue)
    told = [issue for of_day in by_day.values() for issue in of_day[:NEW_MAX]]
    return told, [day for day, of_day in by_day.items() if len(of_day) > NEW_MAX]


def _titles(reader: Reader, issues: Sequence[Known]) -> tuple[dict[str, str], dict[str, str]]:
    """What the newest error of each says, and which call of the product it came from."""
    told = failures(reader, [issue.newest for issue in issues])
    titles = {issue.id: told[issue.newest].title if issue.newest in told else issue.id for issue in issues}
    tops = {issue.id: told[issue.newest].top[:1] if issue.newest in told else [] for issue in issues}
    return titles, {issue: f"\nCall: {top[0].module}:{top[0].function}" if top else "" for issue, top in tops.items()}


def _within(release: str | None) -> str:
    return f" in {release}" if release else ""
