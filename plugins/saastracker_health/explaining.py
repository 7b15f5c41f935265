"""One organization's health: what the score is made of, what it was before and what moved it."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from saastracker.actors import Actors
from saastracker.contracts import Reader
from saastracker.customers import Facts, facts
from saastracker.definition import Definitions
from saastracker.errors import NotFound
from saastracker.health.features import used
from saastracker.health.model import COMPONENTS
from saastracker.health.scoring import Scores, scores
from saastracker.health.usage import Columns
from saastracker.index import Integers, day_number
from saastracker.report import Column, Figure, Figures, Measure, Note, Point, Report, Series, Table
from saastracker.scope import Scope
from saastracker_health.listing import CHANGES, change, notes
from saastracker_health.wording import MINUS, Look, moved, seen

COLUMNS = (
    Column("component", "Component"),
    Column("seen", "What we see"),
    Column("value", "Of 100", "number", "wide", about="The component from 0 to 100."),
    Column("weight", "Weight", "number", "wide", about="The most points it can give."),
    Column("points", "Points", "number", about="What it adds to the score."),
    *(Column(f"change_{days}", f"{days} days", "number", look="change", good="up") for days in CHANGES),
    Column("moved", "Moved by", about=f"Against {CHANGES[-1]} days before."),
)


def explained(reader: Reader, scope: Scope, definitions: Definitions, org: str) -> Report:
    """Raises NotFound where no event that is in the index named it."""
    actors = reader.actors(scope.project)
    texts = reader.texts(actors.org_codes)
    orgs = np.array([number for number, code in enumerate(actors.org_codes) if texts[code] == org], np.int64)
    if not len(orgs):
        raise NotFound(f"No event named the organization {org[:64]}.", reason="unknown_organization")
    last = day_number(scope.span.last)
    days = {last, *(last - days for days in CHANGES), *_shown(scope, int(actors.org_first()[orgs[0]]))}
    if scope.compared:
        days.add(day_number(scope.compared.last))
    found = scores(reader, scope, actors, definitions, [*days], orgs=orgs)
    looks = _looks(reader, scope, actors, definitions, found, orgs)
    return Report(
        title=facts(reader, scope.project).get(org, Facts()).name or org,
        blocks=(
            _figures(scope, found, last),
            *_verdict(found, last),
            *notes(reader, scope, definitions),
            _components(found, last, looks),
            _over_time(scope, found),
        ),
    )


def _shown(scope: Scope, first_seen: int) -> range:
    """The days of the span since the organization was first seen; those to come have no score yet."""
    begun = datetime.fromtimestamp(first_seen / 1000, ZoneInfo(scope.span.timezone)).date()
    return range(day_number(max(scope.span.first, begun)), day_number(min(scope.span.last, scope.today)) + 1)


def _looks(  # noqa: PLR0917
    reader: Reader, scope: Scope, actors: Actors, definitions: Definitions, found: Scores, orgs: Integers
) -> Mapping[int, Look]:
    """What was seen by days ago, now and then."""
    last, length = day_number(scope.span.last), found.model.window_days
    days = [last - CHANGES[-1], last]
    features = list(used(reader, scope, actors, Columns(actors, orgs), definitions, days, length))
    return {
        last - day: Look(
            **{
                name: int(getattr(found.raw, name)[found.row(day), 0])
                for name in ("silent", "active_days", "persons", "best", "used", "eligible", "events", "before")
            },
            members=frozenset(found.usage.members(day, length)),
            features=frozenset(each.feature.name for each in features if each.used[place, 0]),
        )
        for place, day in enumerate(days)
    }


def _figures(scope: Scope, found: Scores, last: int) -> Figures:
    health = found.health(found.row(last), 0)
    before = found.health(found.row(day_number(scope.compared.last)), 0) if scope.compared else None
    score = Figure(
        key="score",
        label=f"Score: {health.band}" if health else "Score",
        value=health and health.score,
        previous=before and before.score,
        good="up",
        about="The weighted mean of the components on the last day of the span, rounded.",
    )
    changes = (
        Figure(
            key=f"change_{days}",
            label=f"Change in {days} days",
            value=change(found, found.row(last), found.row(last - days), 0),
        )
        for days in CHANGES
    )
    return Figures(key="health", title="Health", figures=(score, *changes))


def _verdict(found: Scores, last: int) -> list[Note]:
    """The score in a sentence, with the component that moved it most."""
    health = found.health(found.row(last), 0)
    length = found.model.window_days
    if health is None:
        text = "No event named it until the end of the span."
    elif health.band == "onboarding":
        text = f"First seen less than {length} days before the end of the span: it is onboarding and raises no signal."
    elif health.score is None:
        text = f"No event in the {length} days to the end of the span: it is dormant."
    else:
        text = _moved_most(found, last)
    return [Note(key="verdict", text=text)] if text else []


def _moved_most(found: Scores, last: int) -> str:
    days = CHANGES[-1]
    now, then = found.row(last), found.row(last - days)
    moves = {name: _difference(found, name, now, then) for name in COMPONENTS}
    known = {name: move for name, move in moves.items() if move is not None}
    total = change(found, now, then, 0)
    if not total:
        return "" if total is None else f"The same score as {days} days before."
    most = (min if total < 0 else max)(known, key=lambda name: known[name])
    way, sign = ("Down", MINUS) if total < 0 else ("Up", "+")
    return f"{way} {abs(total)} in {days} days; {most} moved it most ({sign}{abs(known[most]):.1f})."


def _components(found: Scores, last: int, looks: Mapping[int, Look]) -> Table:
    row = found.row(last)
    then = looks[CHANGES[-1]] if found.known[found.row(last - CHANGES[-1]), 0] else None
    rows: list[list[Any]] = []
    for name in COMPONENTS:
        weight = found.weight(name, row, 0)
        rows.append(
            [
                name.capitalize(),
                seen(name, looks[0], found.model),
                None if weight is None else float(found.values[name][row, 0]),
                weight,
                found.points(name, row, 0),
                *(_difference(found, name, row, found.row(last - days)) for days in CHANGES),
                moved(name, looks[0], then, found.model.window_days) if then else "first seen since",
            ]
        )
    return Table(key="components", title="Components", columns=COLUMNS, rows=rows, chart="breakdown")


def _difference(found: Scores, component: str, now: int, then: int) -> float | None:
    after, before = found.points(component, now, 0), found.points(component, then, 0)
    return None if after is None or before is None else after - before


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
