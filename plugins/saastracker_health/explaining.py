"""One organization's health: what the score is made of, what it was before and what moved it."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from saastracker.contracts import Reader
from saastracker.customers import facts
from saastracker.definition import Definitions
from saastracker.errors import NotFound
from saastracker.health.explaining import CHANGES, Explained, change, explain
from saastracker.health.scoring import Scores
from saastracker.index import day_number
from saastracker.report import Action, Figure, Figures, Measure, Point, Report, Series
from saastracker.scope import Scope
from saastracker.told import Facts


def explained(reader: Reader, scope: Scope, definitions: Definitions, org: str) -> Report:
    """Raises NotFound where no event that is in the index named it."""
    actors, org = reader.actors(scope.project), reader.organizations(scope.project).merged.get(org, org)
    texts = reader.texts(actors.org_codes)
    number = next((number for number, code in enumerate(actors.org_codes) if texts[code] == org), None)
    if number is None:
        raise NotFound(f"No event named the organization {org[:64]}.", reason="unknown_organization")
    health = explain(reader, scope, actors, definitions, number, _shown(scope, int(actors.org_first()[number])))
    return Report(
        title=facts(reader, scope.project).get(org, Facts()).name or org,
        blocks=(_figures(scope, health), *health.blocks, _over_time(scope, health.found)),
        actions=(_churn(scope, definitions, org),),
    )


def _churn(scope: Scope, definitions: Definitions, org: str) -> Action:
    """To tell that the organization has left, or that it has not."""
    for defined in definitions.of(scope.project, "churn"):
        if defined.value.org == org:
            left = defined.value.date
            label = f"Undo: churned on {left.day} {left:%b %Y}"
            return Action(label=label, kind="churn", value=None, replaces=defined.id, version=defined.version)
    value = {"org": org, "date": scope.today.isoformat()}
    return Action(label="Mark as churned", kind="churn", value=value, asks=("date",))


def _shown(scope: Scope, first_seen: int) -> range:
    """The days of the span since the organization was first seen; those to come have no score yet."""
    begun = datetime.fromtimestamp(first_seen / 1000, ZoneInfo(scope.span.timezone)).date()
    return range(day_number(max(scope.span.first, begun)), day_number(min(scope.span.last, scope.today)) + 1)


def _figures(scope: Scope, health: Explained) -> Figures:
    found, last = health.found, day_number(scope.span.last)
    changes = (
        Figure(
            key=f"change_{days}",
            label=f"Change in {days} days",
            value=change(found, found.row(last), found.row(last - days), 0),
            about=f"The score on the last day of the span less that {days} days earlier.",
        )
        for days in CHANGES
    )
    return Figures(key="health", title="Health", figures=(health.figure("score"), *changes))


def _over_time(scope: Scope, found: Scores) -> Series:
    points = []
    for place in range((scope.span.last - scope.span.first).days + 1):
        date = scope.span.first + timedelta(days=place)
        day = day_number(date)
        health = found.health(found.row(day), 0) if day in found.days else None
        points.append(Point(date, {"score": health and health.score}))
    return Series(
        key="scores", title="Score by day", interval="day", measures=(Measure("score", "Score"),), points=points
    )
