"""The back-test: what the scores of organizations that left were before, against all others on those days."""

from collections.abc import Sequence
from datetime import timedelta
from statistics import median

from saastracker.definition import Definitions
from saastracker.health.scoring import Scores, number
from saastracker.index import day_number
from saastracker.merging import written_in
from saastracker.report import Column, Table
from saastracker.scope import Scope
from saastracker_health.kinds import Churn

BEFORE = (90, 60, 30)  # days
CHURNS_MAX = 20  # the newest
REACH = timedelta(days=365)  # before the end of the span
COLUMNS = (
    Column("org", "Organization", link="health/{org}"),
    Column("churned", "Churned", "date"),
    Column("days_before", "Days before", "number"),
    Column("score", "Score", "number"),
    Column("others", "Others", "number", about="The median score of all other organizations on that day."),
    Column("lower", "Others lower", "number", unit="share", about="How many of the others had a lower score that day."),
)


def churns(scope: Scope, definitions: Definitions) -> list[Churn]:
    """Those of the year before the end of the span, newest first; none under filters, which do not choose them."""
    if scope.filters:
        return []
    last = scope.span.last
    every: list[Churn] = [each.value for each in definitions.of(scope.project, "churn")]
    merged = written_in(definitions, scope.project).merged  # which did not leave, but became another
    lately = [churn for churn in every if last - REACH < churn.date <= last and churn.org not in merged]
    return sorted(lately, key=lambda churn: (churn.date, churn.org), reverse=True)[:CHURNS_MAX]


def days_before(scope: Scope, definitions: Definitions) -> set[int]:
    """The days whose scores the back-test needs."""
    return {day_number(churn.date) - days for churn in churns(scope, definitions) for days in BEFORE}


def backtest(scope: Scope, definitions: Definitions, found: Scores, names: Sequence[str]) -> list[Table]:
    """One table, or none where nobody left. `names` are those of all organizations."""
    column_of = {names[org]: column for column, org in enumerate(found.orgs.tolist())}
    rows = []
    for churn in churns(scope, definitions):
        column = column_of.get(churn.org)
        for days in BEFORE:
            row = found.row(day_number(churn.date) - days)
            every = [number(score) for score in found.score[row].tolist()]
            own = None if column is None else every[column]
            others = [score for place, score in enumerate(every) if score is not None and place != column]
            lower = None if own is None or not others else sum(score < own for score in others) / len(others)
            rows.append([churn.org, churn.date, days, own, median(others) if others else None, lower])
    if not rows:
        return []
    return [Table(key="backtest", title="Before they left", columns=COLUMNS, rows=rows)]
