"""Which features an organization used in a span, and which it did not."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from saastracker.actors import Actors
from saastracker.contracts import Reader
from saastracker.definition import Definitions
from saastracker.health.features import KIND, Feature, countable
from saastracker.health.usage import date_of
from saastracker.index import Integers, day_number, unique
from saastracker.report import Column, Table
from saastracker.scope import Scope, Span

COLUMNS = (
    Column("feature", "Feature", link="adoption/{id}"),
    Column("id", "Id", "code", "never"),
    Column("state", "State", "tag", about="Lost: used in the comparison span, but not in this one."),
    Column("events", "Events", "number", look="rank", about="Matching events in the span."),
    Column("persons", "Persons", "number", about="Its people with a matching event."),
    Column("last_day", "Last day", "date", about="The last day of the span on which it was used."),
)


def features(  # noqa: PLR0917
    reader: Reader, scope: Scope, actors: Actors, definitions: Definitions, mine: NDArray[np.bool_], plan: str | None
) -> list[Table]:
    """Most used first. None where no feature is defined, or where filters ask for what the index does not know."""
    defined = definitions.of(scope.project, KIND)
    if not defined or not countable(scope):
        return []
    keys = [each.id for each in defined]
    now = _uses(reader, scope, scope.span, mine, keys)
    before = _uses(reader, scope, scope.compared, mine, keys) if scope.compared else {}
    rows: list[list[Any]] = []
    for each in defined:
        feature: Feature = each.value
        events, who, last = now.get(each.id, NOTHING)
        persons = actors.person[who]
        used, lost = events >= feature.min_events, before.get(each.id, NOTHING)[0] >= feature.min_events
        meant = not feature.plans or plan in feature.plans
        state = "used" if used else "lost" if lost else "not used" if meant else "not in its plan"
        count = len(unique(persons[persons >= 0]))
        rows.append([feature.name, each.id, state, events, count, date_of(last) if events else None])
    rows.sort(key=lambda row: (-row[3], row[0], row[1]))
    return [Table(key="features", title="Features", columns=COLUMNS, rows=rows)]


Uses = tuple[int, Integers, int]  # events, actors of each day, last day

NOTHING: Uses = (0, np.zeros(0, np.int64), 0)


def _uses(reader: Reader, scope: Scope, span: Span, mine: NDArray[np.bool_], keys: list[str]) -> dict[str, Uses]:
    """What some actors did with each feature that they used."""
    found: dict[str, Uses] = {}
    between = day_number(span.first), day_number(span.last)
    for day, key, cell in reader.days(scope.project, KIND, *between, keys, scope.environment):
        who, counts = cell.per_actor()
        own = mine[who]
        if own.any():
            events, before, last = found.get(key, NOTHING)
            found[key] = events + int(counts[own].sum()), np.concatenate([before, who[own]]), max(last, day)
    return found
