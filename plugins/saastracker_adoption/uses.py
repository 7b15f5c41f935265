"""Who used features, on which days and how often: from the index where that is exact, else from raw events."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from saastracker.active import Active
from saastracker.actors import Actors
from saastracker.conditions import DAY_MS, conditions, stretches
from saastracker.contracts import Reader
from saastracker.definition import Defined
from saastracker.errors import Invalid
from saastracker.index import Integers, day_number
from saastracker.moments import moments, of_organizations
from saastracker.rules import Rule, matches
from saastracker.scope import Scope, Span
from saastracker_adoption.feature import KIND

EVENTS_MAX = 1_000_000  # that a filtered report looks at one by one


def uses(reader: Reader, scope: Scope, actors: Actors, span: Span, features: Sequence[Defined]) -> Mapping[str, Active]:
    """By feature's id what the actors did with it on the days of `span`, by the scope's environment and filters."""
    if any((item.dimension, item.operator) != ("org", "is") for item in scope.filters):
        return counted(reader, scope, actors, span, features)
    return _indexed(reader, scope, actors, span, features)


def _indexed(
    reader: Reader, scope: Scope, actors: Actors, span: Span, features: Sequence[Defined]
) -> Mapping[str, Active]:
    none = np.zeros(0, np.int64)
    columns: dict[str, list[tuple[Integers, Integers, Integers]]] = {each.id: [(none,) * 3] for each in features}
    first, last = day_number(span.first), day_number(span.last)
    for day, key, cell in reader.days(scope.project, KIND, first, last, list(columns), scope.environment):
        who, events = cell.per_actor()
        columns[key].append((np.full(len(who), day), who, events))
    found = {key: Active(*(np.concatenate(each) for each in zip(*rows, strict=True))) for key, rows in columns.items()}
    if scope.filters:
        inside = of_organizations(reader, actors, {item.value for item in scope.filters})
        found = {key: used.only(np.isin(used.actor, inside)) for key, used in found.items()}
    return found


def counted(
    reader: Reader, scope: Scope, actors: Actors, span: Span, features: Sequence[Defined]
) -> Mapping[str, Active]:
    """The same from the events, of features that the index does not follow, too. Raises Invalid for too many."""
    names = {rule.name for each in features for rule in each.value.rules}
    during = moments(reader, scope, actors, span, sorted(names))
    day = _local_dates(during.time, span)
    further = [rule for each in features for rule in each.value.rules if not _by_name(rule)]
    events = _events(reader, scope, span, further) if further else []
    found = {}
    for each in features:
        rules: Sequence[Rule] = each.value.rules
        simple = {rule.name for rule in rules if _by_name(rule)}
        others = [rule for rule in rules if not _by_name(rule)]
        hits = [sequence for sequence, *event in events if any(matches(rule, *event) for rule in others)]
        used = np.isin(during.name, [place for place, name in enumerate(during.names) if name in simple])
        used |= np.isin(during.sequence, np.array(hits, np.int64))
        found[each.id] = Active(day[used], during.actor[used], np.ones(np.count_nonzero(used), np.int64))
    return found


def _by_name(rule: Rule) -> bool:
    """Whether a name is all that a rule asks for."""
    return rule.path_prefix is None and rule.properties is None


def _events(reader: Reader, scope: Scope, span: Span, rules: Sequence[Rule]) -> list[tuple[Any, ...]]:
    """Sequence number, name, path and properties of the events in the scope that have the name of a rule."""
    sql, parameters = conditions(scope)
    names = {f"name{number}": name for number, name in enumerate(sorted({rule.name for rule in rules}))}
    properties = "properties" if any(rule.properties is not None for rule in rules) else "NULL"
    rows = reader.query(
        f"""SELECT sequence, name, path, {properties} FROM events
        WHERE {sql} AND "time" >= :start AND "time" < :end AND name IN ({", ".join(f":{key}" for key in names)})
        LIMIT :most""",
        **parameters,
        **names,
        start=span.start,
        end=span.end,
        most=EVENTS_MAX + 1,
    )
    if len(rows) > EVENTS_MAX:
        raise Invalid("from, to: too many events to look at one by one under this filter; ask for a shorter span")
    return rows


def _local_dates(times: Integers, span: Span) -> Integers:
    """The dates of some moments of a span, in days since 1970."""
    parts = stretches(span)
    place = np.searchsorted([part.end for part in parts[:-1]], times, side="right")
    dates: Integers = (times + np.array([part.offset for part in parts])[place]) // DAY_MS
    return dates
