"""The list of issues that were seen in a span."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from saastracker.actors import Actors
from saastracker.contracts import Reader
from saastracker.definition import Definitions
from saastracker.index import Integers, day_number
from saastracker.issues.catalogue import OPEN, Catalogue, catalogue
from saastracker.issues.hits import Affected, Hits, affected, by_issue, hits
from saastracker.issues.raw import failures
from saastracker.report import Column, Figure, Figures, Report, Table
from saastracker.scope import Scope, Span
from saastracker_errors.blocks import days, figures, pending

COLUMNS = (
    Column("issue", "Key", "code", "opened", link="errors/{issue}"),
    Column("title", "Issue", otherwise="issue", link="errors/{issue}", about="What its newest error says."),
    Column("status", "Status", "tag", look="status"),
    Column("trend", "Trend", "spark", about="Errors over the span."),
    Column("events", "Errors", "number", link="errors/{issue}", about="Errors of the issue in the span."),
    Column("persons", "Persons", "number", link="errors/{issue}", about="People who had one of them."),
    Column("organizations", "Organizations", "number", link="errors/{issue}", about="Organizations with one of them."),
    Column("first_seen", "First seen", "time", "wide", about="The first error ever, in any environment."),
    Column("last_seen", "Last seen", "time", about="The last error of all, in any environment."),
    Column("first_release", "First release", "code", "opened", about="Of those it was seen in, by their first errors."),
    Column("last_release", "Last release", "code", "opened", about="Of those it was seen in, by their first errors."),
    Column("culprit", "Call", "code", "opened", about="The newest call of the product itself."),
    Column("definition", "Definition", "code", "never"),
)
TREND_POINTS = 30
STATUSES = {"open": OPEN, "resolved": ("resolved", "resolved-in-next"), "ignored": ("ignored",)}


def listing(reader: Reader, scope: Scope, definitions: Definitions) -> Report:
    actors = reader.actors(scope.project)
    known = catalogue(reader, scope.project, scope.span.timezone, definitions)
    now = _chosen(reader, scope, actors, scope.span, known)
    before = _chosen(reader, scope, actors, scope.compared, known) if scope.compared else None
    counts = {issue: count for issue, count in by_issue(actors, now).items() if count.events}
    issues = Figure(
        key="issues",
        label="Issues",
        value=len(counts),
        previous=None if before is None else len(np.unique(before.issue)),
        good="down",
        about="Issues with at least one error in the span.",
    )
    totals = figures(affected(actors, now), affected(actors, before) if before else None)
    return Report(
        blocks=(
            *pending(known),
            Figures(key="totals", title="In the span", figures=(issues, *totals)),
            days(scope, now, before),
            Table(key="issues", title="Issues", columns=COLUMNS, rows=_rows(reader, scope, known, now, counts)),
        )
    )


def _chosen(reader: Reader, scope: Scope, actors: Actors, span: Span, known: Catalogue) -> Hits:
    """The hits in a span of issues with the status that is asked for; new ones were not seen before the span."""
    found, status = hits(reader, scope, actors, span, known), scope.parameters["status"]
    if status == "new":
        first = {issue: about.first for issue, about in known.issues.items()}
        return found.of({issue for issue in found.issues if first.get(issue, 0) >= span.start})
    wanted = STATUSES.get(status)
    if wanted is None:
        return found
    return found.of({issue for issue in found.issues if known.status(issue) in wanted})


def _rows(reader: Reader, scope: Scope, known: Catalogue, now: Hits, counts: dict[str, Affected]) -> list[list[Any]]:
    """Most organizations first."""
    told = failures(reader, _newest(known, counts))
    trends = dict(zip(now.issues, _trends(scope, now).tolist(), strict=True))
    rows = []
    for issue, count in counts.items():
        about = known.issues.get(issue)
        error = told.get(about.newest) if about else None
        seen = (about.first, about.last, *known.between(about)) if about else (None,) * 4
        call = f"{error.top[0].module}:{error.top[0].function}" if error and error.top else None
        definition = about.defined.id if about and about.defined else None
        title = error and error.title
        rows.append([issue, title, known.status(issue), trends[issue], *count, *seen, call, definition])
    return sorted(rows, key=lambda row: (*(-counts[row[0]][place] for place in (2, 1, 0)), row[0]))


def _newest(known: Catalogue, issues: Iterable[str]) -> list[int]:
    return [known.issues[issue].newest for issue in issues if issue in known.issues]


def _trends(scope: Scope, found: Hits) -> Integers:
    """The errors of each issue in up to TREND_POINTS equal parts of the span, the last of them whole."""
    first, last = day_number(scope.span.first), day_number(scope.span.last)
    step = (last - first) // TREND_POINTS + 1
    points = (last - first) // step + 1
    trends = np.zeros((len(found.issues), points), np.int64)
    np.add.at(trends, (found.issue, points - 1 - (last - found.day) // step), found.events)
    return trends
