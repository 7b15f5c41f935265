"""Scores of organizations on some days: five components, what they weigh, and the band of the whole."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from saastracker.actors import Actors
from saastracker.contracts import Reader
from saastracker.definition import Definitions
from saastracker.health.features import Used, used
from saastracker.health.model import COMPONENTS, Band, HealthModel, Weights, current
from saastracker.health.usage import NEVER, Columns, Usage, date_of
from saastracker.index import Integers, day_number
from saastracker.scope import Scope, Span

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


class Raw(msgspec.Struct, frozen=True):
    """What components are computed from; rows are days, columns organizations."""

    silent: Integers  # days since the last one with an event
    active_days: Integers
    persons: Integers
    best: Integers  # most persons of any window that breadth looks at
    used: Integers  # features
    eligible: Integers
    events: Integers
    before: Integers  # events of the window before
    young: Flags  # first seen less than two windows ago


class Health(NamedTuple):
    """How an organization does on one day."""

    score: int | None
    band: Band


class Scores(msgspec.Struct, frozen=True):
    """Health on some days (rows) of some organizations (columns)."""

    days: tuple[int, ...]  # ascending, as the index has them
    orgs: Integers  # their numbers in Actors
    model: HealthModel
    raw: Raw
    values: Mapping[str, Floats]  # 0 to 100 by component, NaN where it cannot be computed
    exact: Floats  # not rounded; NaN for dormant ones
    score: Floats
    known: Flags  # seen by then, in the scope
    onboarding: Flags
    usage: Usage
    features: Sequence[Used]

    def row(self, day: int) -> int:
        """The row of a day."""
        return self.days.index(day)

    def health(self, row: int, column: int) -> Health | None:
        """None for an organization that nobody had seen."""
        if not self.known[row, column]:
            return None
        score = number(self.score[row, column])
        if self.onboarding[row, column]:
            return Health(score, "onboarding")
        return Health(score, "dormant" if score is None else self.model.level(score))

    def healths(self, row: int) -> list[Health]:
        """Those of all organizations that were known."""
        every = (self.health(row, column) for column in range(len(self.orgs)))
        return [health for health in every if health is not None]

    def weight(self, component: str, row: int, column: int) -> float | None:
        """The most points a component can give here: its weight with its part of those left out."""
        if np.isnan(self.values[component][row, column]) or np.isnan(self.exact[row, column]):
            return None
        counted = [name for name in COMPONENTS if not np.isnan(self.values[name][row, column])]
        total: float = sum(getattr(self.model.weights, name) for name in counted)
        return float(getattr(self.model.weights, component) * 100 / total)

    def points(self, component: str, row: int, column: int) -> float | None:
        """What a component adds to the score."""
        weight = self.weight(component, row, column)
        return None if weight is None else float(self.values[component][row, column]) * weight / 100


def number(value: float) -> int | None:
    """A score as people see it."""
    return None if np.isnan(value) else int(value)


def scores(  # noqa: PLR0917
    reader: Reader,
    scope: Scope,
    actors: Actors,
    definitions: Definitions,
    days: Sequence[int] | None = None,
    model: HealthModel | None = None,
    orgs: Integers | None = None,
    back: int = 1,
) -> Scores:
    """Health of organizations, all or some, on the last day of the scope's span, or on `days` of the index.

    By the project's own model unless another is given. `usage` reaches at least `back` days before the
    first day. Under filters or for one environment, organizations are known that have an event in what
    was read, otherwise all that were ever seen.
    """
    model = current(definitions, scope.project) if model is None else model
    days = tuple(sorted({*days})) if days else (day_number(scope.span.last),)
    columns = Columns(actors, orgs)
    length = model.window_days
    first = days[0] - max(2 * length, length + model.best_days - 1, back) + 1
    usage = Usage(reader, scope, actors, columns, first, days[-1])
    since = actors.org_first()[columns.orgs]
    eligible, in_use = np.zeros((2, len(days), len(columns)), np.int64)
    features = list(used(reader, scope, actors, columns, definitions, days, length))
    for each in features:
        eligible += each.eligible
        in_use += each.used
    persons = usage.persons(length)
    rows = [day - first for day in days]
    raw = Raw(
        silent=usage.silent(days),
        active_days=usage.active_days(days, length),
        persons=persons[rows],
        best=np.array([persons[row - model.best_days + 1 : row + 1].max(axis=0) for row in rows]),
        used=in_use,
        eligible=eligible,
        events=usage.total(days, length),
        before=usage.total([day - length for day in days], length),
        young=_since(since, scope, days, 2 * length - 1),
    )
    values = components(raw, model)
    exact = np.where(raw.events > 0, weighed(values, model.weights), np.nan)
    known = ~_since(since, scope, days, -1)
    if scope.filters or scope.environment:
        known &= raw.silent < NEVER
    return Scores(
        days=days,
        orgs=columns.orgs,
        model=model,
        raw=raw,
        values=values,
        exact=exact,
        score=rounded(exact),
        known=known,
        onboarding=known & _since(since, scope, days, length - 1),
        usage=usage,
        features=features,
    )


def components(raw: Raw, model: HealthModel) -> dict[str, Floats]:
    """Each component from 0 to 100, NaN where it cannot be computed."""
    length = model.window_days
    ratio = _ratio(raw.events, raw.before)
    grown = np.interp(np.where(np.isnan(ratio), 0, ratio), [0.5, 1, 1.5], [0, 60, 100])
    trend = np.where(raw.before > 0, grown, np.where(raw.events > 0, 100, np.nan))
    return {
        "recency": np.clip(100 * (length - raw.silent) / (length - 1), 0, 100),
        "frequency": np.minimum(100 * raw.active_days / model.active_days, 100),
        "breadth": _ratio(100 * raw.persons, raw.best),
        "adoption": _ratio(100 * raw.used, raw.eligible),
        "trend": np.where(raw.young, np.nan, trend),
    }


def weighed(values: Mapping[str, Floats], weights: Weights) -> Floats:
    """The mean of the components that could be computed, by their weights."""
    every = np.array([values[name] for name in COMPONENTS])
    weight = np.array([getattr(weights, name) for name in COMPONENTS])[:, None, None] * ~np.isnan(every)
    return _ratio(np.nansum(every * weight, axis=0), weight.sum(axis=0))


def rounded(exact: Floats) -> Floats:
    """Half up. A sum of fractions may miss the half by the last bits of a float, which is made good."""
    return np.floor(exact + 0.5 + 1e-9)


def _ratio(part: Integers | Floats, whole: Integers | Floats) -> Floats:
    """NaN without a denominator."""
    return np.divide(part, whole, out=np.full(np.shape(part), np.nan), where=whole > 0)


def _since(first: Integers, scope: Scope, days: Sequence[int], ago: int) -> Flags:
    """Whether organizations were first seen at most `ago` days before some days, or after them."""
    starts = [_start(day - ago, scope) for day in days]
    return first[None, :] >= np.array(starts, np.int64)[:, None]


def _start(day: int, scope: Scope) -> int:
    date = date_of(day)
    return Span(date, date, scope.span.timezone).start
