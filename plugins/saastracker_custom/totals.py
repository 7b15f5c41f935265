"""Events of a span by name, category and label: from the index where that is exact, else from raw events."""

from collections import defaultdict

import msgspec
from pyroaring import BitMap

from saastracker.conditions import conditions
from saastracker.contracts import Reader
from saastracker.errors import Invalid
from saastracker.index import OTHER, Cell, day_number
from saastracker.persons import Person, joining
from saastracker.scope import Scope
from saastracker_custom.labels import NAMESPACE, PROPERTIES, Labels, named

GROUPS_MAX = 500_000  # name, category, label and person, read from raw events
DIMENSIONS = ("name", *(f"prop.{name}" for name in PROPERTIES))  # of Labels, in this order


class Counts(msgspec.Struct):
    """The events of one name, category and label."""

    events: int
    persons: int
    total: float  # of values
    valued: int  # events with a value


def counts(reader: Reader, scope: Scope) -> dict[Labels, Counts]:
    """Raises Invalid where they have to be read from raw events and are too many."""
    if all(item.operator == "is" and item.dimension in DIMENSIONS for item in scope.filters):
        first, last = day_number(scope.span.first), day_number(scope.span.last)
        days = reader.days(scope.project, NAMESPACE, first, last, environment=scope.environment)
        cells: dict[str, list[Cell]] = defaultdict(list)
        for _, key, cell in days:
            cells[key].append(cell)
        # What is counted together with others cannot be told apart here.
        if OTHER not in cells:
            known = named(reader, scope.project, cells)
            # Erased since, where a key is without a name.
            return _indexed(reader, scope, {known[key]: of for key, of in cells.items() if key in known})
    return _raw(reader, scope)


def _indexed(reader: Reader, scope: Scope, cells: dict[Labels, list[Cell]]) -> dict[Labels, Counts]:
    wanted: dict[str, set[str]] = defaultdict(set)
    for item in scope.filters:
        wanted[item.dimension].add(item.value)
    chosen = [(DIMENSIONS.index(dimension), values) for dimension, values in wanted.items()]
    actors = reader.actors(scope.project)
    return {
        labels: Counts(
            sum(cell.events for cell in of),
            actors.count_persons(BitMap.union(*(cell.actors for cell in of))),
            sum(cell.total for cell in of),
            sum(cell.valued for cell in of),
        )
        for labels, of in cells.items()
        if all(labels[place] in values for place, values in chosen)
    }


def _raw(reader: Reader, scope: Scope) -> dict[Labels, Counts]:
    sql, parameters = conditions(scope)
    found = reader.query(
        f"""SELECT name, prop(:category), prop(:label), "user", anonymous, COUNT(*), SUM(value), COUNT(value)
        FROM events WHERE {sql} AND "time" >= :start AND "time" < :end
        AND (prop(:category) IS NOT NULL OR prop(:label) IS NOT NULL OR value IS NOT NULL)
        GROUP BY 1, 2, 3, 4, 5 LIMIT :groups""",
        **parameters,
        category="category",
        label="label",
        start=scope.span.start,
        end=scope.span.end,
        groups=GROUPS_MAX + 1,
    )
    if len(found) > GROUPS_MAX:
        raise Invalid(
            "from, to: too many different labels and people to look at one by one; "
            "ask for a shorter span or filter by name, category and label only"
        )
    person = joining(reader, reader.actors(scope.project))
    groups: dict[Labels, Counts] = {}
    persons: dict[Labels, set[Person]] = defaultdict(set)
    for name, category, label, user, anonymous, events, total, valued in found:
        labels = Labels(name, category, label)
        group = groups.setdefault(labels, Counts(0, 0, 0.0, 0))
        group.events += events
        group.total += total or 0.0
        group.valued += valued
        who = person(user, anonymous)
        if who:
            persons[labels].add(who)
            group.persons = len(persons[labels])
    return groups
