"""Counts of all events from the index, by what every event has: a question that most begin with."""

from collections import defaultdict
from datetime import timedelta

from pyroaring import BitMap

from saastracker.cells import cells
from saastracker.contracts import Reader
from saastracker.index import OTHER, Cell
from saastracker.report import Number
from saastracker.scope import Scope
from saastracker_explorer.measure import Key, empty
from saastracker_explorer.question import EPOCH, Question, period

MEASURES = ("events", "persons", "organizations")
COLUMNS = ("name", "type")  # that no event is without


def counted(reader: Reader, scope: Scope, asked: Question) -> dict[Key, Number] | None:
    """What `measured` gives; None where only the events themselves tell."""
    if (
        scope.filters
        or asked.measure not in MEASURES
        or asked.interval == "hour"
        or len(asked.by) > 1
        or not set(asked.by) <= set(COLUMNS)
    ):
        return None
    actors = reader.actors(scope.project)
    groups: defaultdict[Key, list[Cell]] = defaultdict(list)
    for day, key, cell in cells(reader, scope, actors, scope.span, *asked.by):
        if asked.by and key == OTHER:
            return None
        begins = period(asked.interval, EPOCH + timedelta(days=day)) if asked.interval else None
        groups[Key(begins, (key,) if asked.by else ())].append(cell)
    if not groups and not asked.by and not asked.interval:
        return {Key(None, ()): empty(asked)}
    if asked.measure == "events":
        return {key: sum(cell.events for cell in of_key) for key, of_key in groups.items()}
    count = actors.count_persons if asked.measure == "persons" else actors.count_organizations
    return {key: count(BitMap.union(*(cell.actors for cell in of_key))) for key, of_key in groups.items()}
