"""Which features organizations used, of those their plans are meant to have."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple, Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap

from saastracker.actors import Actors
from saastracker.contracts import Reader
from saastracker.customers import latest_plans, plans
from saastracker.definition import Defined, Definitions
from saastracker.health.usage import Columns, date_of
from saastracker.index import Integers
from saastracker.scope import Scope, Span

KIND = "feature"  # of definition, and the namespace of its cells
PLAN_DAYS = 27  # before a day in which most organizations have an event with their plan


class Feature(Protocol):
    """What a definition of a feature says."""

    @property
    def name(self) -> str: ...

    @property
    def plans(self) -> Sequence[str]:
        """Those it is meant for; empty: all."""

    @property
    def min_events(self) -> int:
        """From how many events on an organization uses it."""


class Used(NamedTuple):
    """One feature, by day and organization."""

    feature: Feature
    eligible: NDArray[np.bool_]  # whether the organization's plan on that day is meant to have it
    used: NDArray[np.bool_]  # whether it has, in the window, and is eligible


def countable(scope: Scope) -> bool:
    """Whether the index knows the use of features under a scope's filters: those that choose organizations."""
    return all(item.dimension == "org" for item in scope.filters)


def used(  # noqa: PLR0917
    reader: Reader,
    scope: Scope,
    actors: Actors,
    columns: Columns,
    definitions: Definitions,
    days: Sequence[int],
    length: int,
) -> Iterator[Used]:
    """Each feature in the windows of `length` days that end with some days, given in ascending order."""
    defined = definitions.of(scope.project, KIND)
    if not defined or not countable(scope) or not len(columns):
        return
    counts = _Counts(reader, scope, columns, defined, (days[0] - length + 1, days[-1]))
    limited = any(each.value.plans for each in defined)
    plan = _plans(reader, scope, actors, columns, days) if limited else None
    for each in defined:
        feature: Feature = each.value
        eligible = np.ones((len(days), len(columns)), bool)
        if feature.plans and plan is not None:
            eligible = np.isin(plan.code, [code for code, name in enumerate(plan.names) if name in feature.plans])
        events = counts.of(each.id, days, length)
        yield Used(feature, eligible, eligible & (events >= feature.min_events))


class _Counts:
    """Matching events of features by organization, in any windows between two days."""

    def __init__(
        self, reader: Reader, scope: Scope, columns: Columns, defined: Sequence[Defined], between: tuple[int, int]
    ) -> None:
        self._first, self._last = between
        self._columns = columns
        self._cells: dict[str, list[tuple[int, Integers, Integers]]] = {each.id: [] for each in defined}
        keys = list(self._cells)
        for day, key, cell in reader.days(scope.project, KIND, *between, keys, scope.environment):
            self._cells[key].append((day - self._first, *cell.per_actor()))

    def of(self, definition: str, days: Sequence[int], length: int) -> Integers:
        width = len(self._columns)
        events = np.zeros((self._last - self._first + 1, width), np.int64)
        for row, who, counts in self._cells[definition]:
            column = self._columns.of_actor[who]
            inside = column >= 0
            events[row] += np.bincount(column[inside], counts[inside], width).astype(np.int64)
        ends = [day - self._first + 1 for day in days]
        return np.array([events[end - length : end].sum(axis=0) for end in ends], np.int64)


class _Plans(msgspec.Struct):
    names: list[str]
    code: Integers  # place in `names` by day and organization, -1 for none


def _plans(reader: Reader, scope: Scope, actors: Actors, columns: Columns, days: Sequence[int]) -> _Plans:
    """The plan of each organization at the end of some days."""
    span = Span(date_of(days[0] - PLAN_DAYS), date_of(days[0]), scope.span.timezone)
    known = plans(reader, msgspec.structs.replace(scope, span=span), actors, set(columns.orgs.tolist()))
    found = [dict(known)]
    members = BitMap(np.flatnonzero(columns.of_actor >= 0).tolist())
    after = reader.days(scope.project, "plan", days[0] + 1, days[-1], environment=scope.environment)
    for before, day in pairwise(days):
        since = [cell for cell in after if before < cell.day <= day]
        known |= latest_plans(reader, scope, actors, members, since)
        found.append(dict(known))
    numbers = {name: number for number, name in enumerate(sorted({name for each in found for name in each.values()}))}
    code = [[numbers.get(each.get(org, ""), -1) for org in columns.orgs.tolist()] for each in found]
    return _Plans(list(numbers), np.array(code, np.int64))
