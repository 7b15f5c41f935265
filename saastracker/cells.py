"""Cells of the events that a scope asks for: from the index where that is exact, else from raw events."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from pyroaring import BitMap

from saastracker.actors import Actors
from saastracker.conditions import DAY_MS, HOUR_MS, ORGANIZATION, conditions, local_time
from saastracker.contracts import Reader
from saastracker.index import OTHER, Cell, Day, day_number
from saastracker.scope import Scope, Span
from saastracker.tagger import NAMESPACES


def cells(  # noqa: PLR0917
    reader: Reader, scope: Scope, actors: Actors, span: Span, namespace: str = "all", keys: Sequence[str] | None = None
) -> list[Day]:
    """Cells of a namespace for the days of `span`, of the scope's environment and filters; all keys or some.

    `namespace` is "all", "hour", "page" (the paths of page views) or a column of events. A day may have
    several cells of one key, which have no event in common; under filters the key of "all" may be any. Cells
    of "hour" have hours in place of actors, 1 for the one that begins at midnight.
    """
    indexed = _indexed(scope, namespace, keys)
    if indexed is not None:
        name, wanted = indexed
        found = [
            day
            for part in (("path", "page") if name == "path" else (name,))
            for day in reader.days(
                scope.project,
                part,
                day_number(span.first),
                day_number(span.last),
                None if wanted is None else [*wanted, OTHER],
                scope.environment,
            )
        ]
        # What is counted together with others cannot be told apart here.
        if wanted is None or all(day.key != OTHER for day in found):
            return found
    return _raw(reader, scope, actors, span, namespace, keys)


def _indexed(scope: Scope, namespace: str, keys: Sequence[str] | None) -> tuple[str, Sequence[str] | None] | None:
    """The namespace and keys of the index that hold just these events, if any do."""
    if not scope.filters:
        return (namespace, keys) if namespace in NAMESPACES else None
    dimension = scope.filters[0].dimension
    alike = all(item.dimension == dimension and item.operator == "is" for item in scope.filters)
    if dimension == "path" and namespace == "page":
        dimension = namespace  # whose keys are paths, too
    if not alike or dimension not in NAMESPACES or namespace not in {"all", dimension}:
        return None
    values = [item.value for item in scope.filters]
    return dimension, values if keys is None else [value for value in values if value in keys]


def _raw(  # noqa: PLR0917
    reader: Reader, scope: Scope, actors: Actors, span: Span, namespace: str, keys: Sequence[str] | None
) -> list[Day]:
    """The same cells from raw events. Whom the index does not know yet is left out: it will within a minute."""
    where, parameters = conditions(scope)
    column = {"all": "''", "hour": "''", "page": '"path"', "org": ORGANIZATION}.get(namespace, f'"{namespace}"')
    if namespace == "page":
        where += " AND type = 'pageview'"
    if keys is not None:
        parameters |= {f"key{number}": key for number, key in enumerate(keys)}
        where += f" AND {column} IN ({', '.join(f':key{number}' for number in range(len(keys)))})"
    clock, offsets = local_time(span)
    rows = reader.query(
        f"""SELECT {clock} - {clock} % {HOUR_MS if namespace == "hour" else DAY_MS}, {column}, "user",
            CASE WHEN "user" IS NULL THEN anonymous END, org, COUNT(*), SUM(value), COUNT(value)
        FROM events WHERE {where} AND {column} IS NOT NULL AND "time" >= :start AND "time" < :end
        GROUP BY 1, 2, 3, 4, 5""",
        **parameters,
        **offsets,
        start=span.start,
        end=span.end,
    )
    numbers = _numbers(reader, actors)
    groups: dict[tuple[int, str], dict[int, tuple[int, float, int]]] = defaultdict(dict)
    for since, key, user, anonymous, org, events, total, valued in rows:
        actor = numbers.get((user is None, user or anonymous, org))
        if actor is not None:
            member = since % DAY_MS // HOUR_MS + 1 if namespace == "hour" else actor
            members = groups[since // DAY_MS, key]
            known = members.get(member, (0, 0.0, 0))
            members[member] = known[0] + events, known[1] + (total or 0.0), known[2] + valued
    return [Day(day, key, _cell(of_each)) for (day, key), of_each in sorted(groups.items())]


def _cell(members: Mapping[int, tuple[int, float, int]]) -> Cell:
    """A cell from the events, total and valued events of each actor; number 0 is nobody."""
    known = sorted(member for member in members if member)
    counts = np.array([members[member][0] for member in known], np.int64)
    events, totals, valued = zip(*members.values(), strict=True)
    return Cell(
        sum(events),
        sum(totals),
        sum(valued),
        BitMap(known),
        counts if len(counts) < sum(events) else None,
    )


def _numbers(reader: Reader, actors: Actors) -> dict[tuple[bool, str | None, str | None], int]:
    """The number of each actor by anonymous, person and organization."""
    texts = reader.texts(sorted({code for row in actors.rows for code in row[2:4]}))
    numbers: dict[Any, int] = {(True, None, None): 0}
    for number, anonymous, person, org, _, _ in actors.rows:
        # Without a person an event is nobody's, which is no user either.
        numbers[bool(anonymous) or not person, texts.get(person), texts.get(org)] = number
    return numbers
