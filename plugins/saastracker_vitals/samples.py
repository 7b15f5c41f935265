"""The measured values of a span: from the index where that is exact, else from raw events."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable
from typing import TypeAlias, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from saastracker.conditions import DAY_MS, conditions, local_time
from saastracker.contracts import Reader
from saastracker.errors import Invalid
from saastracker.index import OTHER, day_number
from saastracker.scope import Scope, Span
from saastracker_vitals.metrics import METRICS, NAMESPACE, parse, shown

VALUES_MAX = 500_000  # that are read from raw events

Values: TypeAlias = NDArray[np.float64]
Key = TypeVar("Key", bound=Hashable)


class Samples(msgspec.Struct, frozen=True):
    """Values of one metric on one path and local date (days since 1970)."""

    day: int
    metric: str
    path: str | None
    values: Values


def samples(reader: Reader, scope: Scope, span: Span) -> list[Samples]:
    """Of the days of `span`, in the scope's environment and by its filters. Raises Invalid where they are too many."""
    if not scope.filters:
        first, last = day_number(span.first), day_number(span.last)
        found = reader.days(scope.project, NAMESPACE, first, last, environment=scope.environment)
        # What is counted together with others cannot be told apart here.
        if all(day.key != OTHER for day in found):
            return [
                Samples(day, *parse(key), cell.values)
                for day, key, cell in found
                if cell.values is not None and len(cell.values)
            ]
    return _raw(reader, scope, span)


def _raw(reader: Reader, scope: Scope, span: Span) -> list[Samples]:
    sql, parameters = conditions(scope)
    clock, offsets = local_time(span)
    names = {f"name{number}": name for number, name in enumerate(METRICS)}
    rows = reader.query(
        f"""SELECT {clock} - {clock} % {DAY_MS}, name, path, value FROM events
        WHERE {sql} AND type = 'vital' AND name IN ({", ".join(f":{key}" for key in names)})
        AND value IS NOT NULL AND "time" >= :start AND "time" < :end LIMIT :values""",
        **parameters,
        **names,
        **offsets,
        start=span.start,
        end=span.end,
        values=VALUES_MAX + 1,
    )
    if len(rows) > VALUES_MAX:
        raise Invalid("from, to: too many values to look at one by one; ask for a shorter span or without filters")
    groups: dict[tuple[int, str, str | None], list[float]] = defaultdict(list)
    for since, name, path, value in rows:
        groups[since // DAY_MS, name, shown(path)].append(value)
    return [Samples(*of, np.array(values)) for of, values in groups.items()]


def together(found: Iterable[Samples], by: Callable[[Samples], Key]) -> dict[Key, Values]:
    """All values that have something in common."""
    groups: dict[Key, list[Values]] = defaultdict(list)
    for each in found:
        groups[by(each)].append(each.values)
    return {key: np.concatenate(values) for key, values in groups.items()}


def p75(values: Values) -> float:
    """The 75th percentile, nearest rank."""
    place = -(-3 * len(values) // 4) - 1
    return float(np.partition(values, place)[place])
