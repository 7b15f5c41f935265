"""The report on resources: what players gain and spend, and what they hold together."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import msgspec
from pyroaring import BitMap

from saastracker.actors import Actors
from saastracker.cells import cells
from saastracker.conditions import DAY_MS
from saastracker.contracts import Reader
from saastracker.index import OTHER, Day, day_number
from saastracker.report import Column, Measure, Point, Report, Series, Table, counting
from saastracker.scope import Filter, Scope, Span
from saastracker_runs.names import NAMESPACE, SOURCE, named

DRAWN = 5  # resources whose balance is drawn
COLUMNS = (
    Column("name", "Resource"),
    Column("sourced", "Gained", "number", link="stream?name=Source:{name}", about="Sum of the values of Source:…"),
    Column("sunk", "Spent", "number", link="stream?name=Sink:{name}", about="Sum of the values of Sink:…"),
    Column("net", "Net", "number", about="Gained less spent."),
    Column(
        "persons",
        "Persons",
        "number",
        link="people?name=Source:{name}&name=Sink:{name}",
        about="People who gained or spent any in the span.",
    ),
    Column("per_person", "Net per person", "number", about="Net / persons."),
)


class Resource(msgspec.Struct):
    """What was gained and spent of a resource in the span, and by whom; and the net of each day ever."""

    events: int = 0
    sourced: float = 0.0
    sunk: float = 0.0
    actors: BitMap = msgspec.field(default_factory=BitMap)
    nets: dict[int, float] = msgspec.field(default_factory=lambda: defaultdict(float))  # by days since 1970


def report(reader: Reader, scope: Scope) -> Report:
    actors = reader.actors(scope.project)
    found = _found(reader, scope, actors)
    moved = {name: each for name, each in found.items() if each.events}
    names = sorted(moved, key=lambda name: (-moved[name].sourced - moved[name].sunk, name))
    rows: list[list[Any]] = []
    for name in names:
        each, persons = moved[name], actors.count_persons(moved[name].actors)
        net = each.sourced - each.sunk
        rows.append([name, each.sourced, each.sunk, net, persons, net / persons if persons else None])
    return Report(
        blocks=(
            *counting(reader.tagged(scope.project, NAMESPACE)),
            _balance({name: found[name].nets for name in names[:DRAWN]}, scope.span),
            Table(key="resources", title="By resource", columns=COLUMNS, rows=rows),
        )
    )


def _found(reader: Reader, scope: Scope, actors: Actors) -> Mapping[str, Resource]:
    days = _cells(reader, scope, actors)
    about = named("resource", {day.key for day in days})
    first = day_number(scope.span.first)
    found: dict[str, Resource] = defaultdict(Resource)
    for day, key, cell in days:
        if key not in about:
            continue
        verb, name = about[key]
        resource = found[name]
        resource.nets[day] += cell.total if verb == SOURCE else -cell.total
        if day >= first:
            resource.events += cell.events
            resource.actors |= cell.actors
            if verb == SOURCE:
                resource.sourced += cell.total
            else:
                resource.sunk += cell.total
    return found


def _cells(reader: Reader, scope: Scope, actors: Actors) -> list[Day]:
    """Cells of the events of the type resource, from the first event on: what is held now was gained before."""
    first = {seen.key: seen.first for seen in reader.seen(scope.project, NAMESPACE)}
    names = [*named("resource", first)]
    earliest = min((first[name] for name in names), default=scope.span.start)
    since = date(1970, 1, 1) + timedelta(days=earliest // DAY_MS - 1)  # a day's margin for every zone
    span = Span(min(since, scope.span.first), scope.span.last, scope.span.timezone)
    if not scope.filters:
        between = day_number(span.first), day_number(span.last)
        found = reader.days(scope.project, NAMESPACE, *between, [*names, OTHER], scope.environment)
        if all(day.key != OTHER for day in found):
            return found
    types = [item for item in scope.filters if (item.dimension, item.operator) == ("type", "is")]
    only = Filter("type", "is", "resource")
    if types and only not in types:
        return []
    scope = msgspec.structs.replace(scope, filters=(only, *(item for item in scope.filters if item not in types)))
    return cells(reader, scope, actors, span, "name")


def _balance(nets: Mapping[str, Mapping[int, float]], span: Span) -> Series:
    first = day_number(span.first)
    held = {name: sum(net for day, net in of.items() if day < first) for name, of in nets.items()}
    points = []
    for place in range((span.last - span.first).days + 1):
        held = {name: before + nets[name].get(first + place, 0.0) for name, before in held.items()}
        points.append(Point(span.first + timedelta(days=place), dict(held)))
    return Series(
        key="balance",
        title="Balance: all that was gained until then, less all that was spent",
        interval="day",
        measures=tuple(Measure(name, name, group=name) for name in nets),  # in drawings of their own: coins, gems
        points=points,
    )
