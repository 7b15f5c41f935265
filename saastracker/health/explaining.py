"""How the health of one organization explains itself: what the score is made of, and what moved it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from saastracker.actors import Actors
from saastracker.contracts import Reader
from saastracker.definition import Definitions
from saastracker.health.features import KIND as FEATURE
from saastracker.health.features import countable
from saastracker.health.model import COMPONENTS
from saastracker.health.scoring import Health, Scores, number, scores
from saastracker.health.wording import MINUS, Look, moved, seen
from saastracker.index import day_number
from saastracker.report import Block, Column, Figure, Note, Table
from saastracker.scope import Scope

CHANGES = (7, 28)  # days
COLUMNS = (
    Column("component", "Component"),
    Column("seen", "What we see"),
    Column("value", "Of 100", "number", "wide", unit="points", about="The component from 0 to 100."),
    Column("weight", "Weight", "number", "wide", unit="points", about="The most points it can give."),
    Column("points", "Points", "number", unit="points", about="What it adds to the score."),
    *(
        Column(
            f"change_{days}",
            f"{days} days",
            "number",
            unit="points",
            look="change",
            good="up",
            about=f"Against {days} days before.",
        )
        for days in CHANGES
    ),
    Column("moved", "Moved by", about=f"Against {CHANGES[-1]} days before."),
)


class Explained(NamedTuple):
    found: Scores  # of one organization, on the last day of the span and on others
    now: Health | None
    before: Health | None  # on the last day of the comparison span, where there is one
    blocks: tuple[Block, ...]

    def figure(self, key: str, link: str = "") -> Figure:
        """The score."""
        return Figure(
            key=key,
            label=f"Score: {self.now.band}" if self.now else "Score",
            value=self.now and self.now.score,
            previous=self.before and self.before.score,
            good="up",
            about="The weighted mean of the components on the last day of the span, rounded.",
            link=link,
        )


def explain(  # noqa: PLR0917
    reader: Reader, scope: Scope, actors: Actors, definitions: Definitions, org: int, days: Iterable[int] = ()
) -> Explained:
    """The health of an organization, by its number, on the last day of the span; scored on `days` besides."""
    orgs = np.array([org], np.int64)
    last = day_number(scope.span.last)
    asked = {last, *(last - days for days in CHANGES), *days}
    compared = day_number(scope.compared.last) if scope.compared else None
    found = scores(reader, scope, actors, definitions, [*asked, *([] if compared is None else [compared])], orgs=orgs)
    return Explained(
        found,
        found.health(found.row(last), 0),
        None if compared is None else found.health(found.row(compared), 0),
        (*_verdict(found, last), *notes(reader, scope, definitions), _components(found, last, _looks(found, last))),
    )


def notes(reader: Reader, scope: Scope, definitions: Definitions) -> Sequence[Block]:
    """What people should know about the scores."""
    found = []
    features = definitions.of(scope.project, FEATURE)
    if features and not countable(scope):
        text = "Under these filters the use of features is not known: adoption is left out."
        found.append(Note(key="adoption", text=text))
    followed = min((reader.tagged(scope.project, FEATURE, each.id) for each in features), default=1.0)
    if followed < 1:
        text = f"The use of features is still being counted, {followed:.0%} so far: adoption will rise."
        found.append(Note(key="counting", text=text))
    return found


def change(found: Scores, now: int, before: int, column: int) -> int | None:
    """How much a score differs between two rows; None where either is missing."""
    return number(found.score[now, column] - found.score[before, column])


def _looks(found: Scores, last: int) -> Mapping[int, Look]:
    """What was seen by days ago, now and then."""
    rows = {ago: found.row(last - ago) for ago in (CHANGES[-1], 0)}
    return {
        ago: Look(
            **{
                name: int(getattr(found.raw, name)[row, 0])
                for name in ("silent", "active_days", "persons", "best", "used", "eligible", "events", "before")
            },
            members=frozenset(found.usage.members(last - ago, found.model.window_days)),
            features=frozenset(each.feature.name for each in found.features if each.used[row, 0]),
        )
        for ago, row in rows.items()
    }


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
