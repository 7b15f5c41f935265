"""What organizations did, day by day, as arrays with a row for each day and a column for each organization."""

from collections.abc import Sequence
from datetime import date, timedelta
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from saastracker.actors import Actors
from saastracker.cells import cells
from saastracker.contracts import Reader
from saastracker.index import Integers
from saastracker.scope import Scope, Span

NEVER = 1 << 30  # days: silent ever since what was read


def date_of(day: int) -> date:
    """The date of a day of the index."""
    return date(1970, 1, 1) + timedelta(days=day)


class Columns:
    """Which column each actor counts in, for some organizations or all."""

    def __init__(self, actors: Actors, orgs: Integers | None = None) -> None:
        self.orgs = np.arange(len(actors.org_codes)) if orgs is None else orgs  # the number of each column's
        columns = np.full(len(actors.org_codes) + 1, -1)  # the last for actors without an organization
        columns[self.orgs] = np.arange(len(self.orgs))
        self.of_actor = columns[actors.org]

    def __len__(self) -> int:
        return len(self.orgs)


class Usage:
    """Events and persons of the days from `first` to `last`, of the scope's environment and filters.

    Days are those of the index. A window of n days is named by its last day.
    """

    def __init__(  # noqa: PLR0917
        self, reader: Reader, scope: Scope, actors: Actors, columns: Columns, first: int, last: int
    ) -> None:
        self.first = first
        self.events = np.zeros((last - first + 1, len(columns)), np.int64)
        self._pair_of_actor, self._column_of_pair = _pairs(actors, columns)
        self._pairs: list[list[Integers]] = [[] for _ in self.events]
        span = Span(date_of(first), date_of(last), scope.span.timezone)
        for day, _, cell in cells(reader, scope, actors, span):
            who, counts = cell.per_actor()
            column = columns.of_actor[who]
            inside = column >= 0
            sums = np.bincount(column[inside], weights=counts[inside], minlength=len(columns))
            self.events[day - first] += sums.astype(np.int64)
            pairs = self._pair_of_actor[who]
            self._pairs[day - first].append(pairs[pairs >= 0])

    @cached_property
    def present(self) -> list[Integers]:
        """Of each day the distinct pairs of organization and person that were active."""
        place = np.zeros(len(self._column_of_pair), np.int64)
        return [_once(np.concatenate(parts), place) if parts else np.zeros(0, np.int64) for parts in self._pairs]

    def total(self, days: Sequence[int], length: int) -> Integers:
        """Events in the windows of some days."""
        return self._sums(self.events, days, length)

    def active_days(self, days: Sequence[int], length: int) -> Integers:
        """Days with an event in the windows of some days."""
        return self._sums(self.events > 0, days, length)

    def silent(self, days: Sequence[int]) -> Integers:
        """Days from the last one with an event to some days; NEVER where there was none."""
        numbers = np.arange(len(self.events))[:, None]
        latest = np.maximum.accumulate(np.where(self.events > 0, numbers, -NEVER), axis=0)
        rows = np.array(days) - self.first
        return np.asarray(np.minimum(rows[:, None] - latest[rows], NEVER))

    def persons(self, length: int) -> Integers:
        """Distinct persons in the window of each day.

        Someone enters the windows with an active day and leaves them `length` days after the last one,
        so each day looks only at who was active then, not at all the days of its window.
        """
        counts = np.zeros(self.events.shape, np.int32)
        latest = np.full(len(self._column_of_pair), -length)  # the row each pair was last active in
        for row, active in enumerate(self.present):
            if row >= length:
                before = self.present[row - length]
                counts[row] -= self._by_column(before[latest[before] == row - length])
            counts[row] += self._by_column(active[latest[active] <= row - length])
            latest[active] = row
        return np.cumsum(counts, axis=0)

    def members(self, day: int, length: int) -> set[int]:
        """Who was active in one window, as pairs of organization and person."""
        row = day - self.first
        return {pair for active in self.present[row - length + 1 : row + 1] for pair in active.tolist()}

    def _by_column(self, pairs: Integers) -> Integers:
        return np.bincount(self._column_of_pair[pairs], minlength=self.events.shape[1])

    def _sums(self, matrix: NDArray[np.int64] | NDArray[np.bool_], days: Sequence[int], length: int) -> Integers:
        rows = [day - self.first for day in days]
        return np.array([matrix[row - length + 1 : row + 1].sum(axis=0) for row in rows], np.int64)


def _pairs(actors: Actors, columns: Columns) -> tuple[Integers, Integers]:
    """The pair of organization and person each actor is, -1 for none; and the column of each pair."""
    pair_of_actor = np.full(len(columns.of_actor), -1)
    known = np.flatnonzero((columns.of_actor >= 0) & (actors.person >= 0))
    persons = max(len(actors.person_codes), 1)
    both, pair_of_actor[known] = np.unique(
        columns.of_actor[known] * persons + actors.person[known], return_inverse=True
    )
    return pair_of_actor, both // persons


def _once(numbers: Integers, place: Integers) -> Integers:
    """Each number once; `place` is scratch, as long as the largest number needs. Sorting takes ten times as long."""
    order = np.arange(len(numbers))
    place[numbers] = order
    return np.asarray(numbers[place[numbers] == order])
