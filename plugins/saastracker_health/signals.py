"""Signals: what happened to organizations that someone should act on, and since when it goes on."""

from collections.abc import Sequence
from datetime import date
from typing import Literal, NamedTuple, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from saastracker.actors import Actors
from saastracker.contracts import Reader
from saastracker.definition import Definitions
from saastracker.health.scoring import Scores, scores
from saastracker.health.usage import date_of
from saastracker.health.wording import many
from saastracker.index import Integers, day_number
from saastracker.scope import Scope
from saastracker_health.kinds import Kind

Priority: TypeAlias = Literal["high", "medium", "low"]

KINDS: tuple[Kind, ...] = get_args(Kind)
MONTH = 30  # days
EVENTS_MIN = 20  # in the month before
SILENT_DAYS = range(14, 28)
WEEK = 7  # days
LOOK_BACK = 42  # days that are looked at first for the beginning of what is met now; then twice as many, and so on


class Signal(NamedTuple):
    """One condition that an organization meets on the last day of a span."""

    org: int  # number in Actors
    kind: Kind
    since: date  # from here on it met it on every day
    detail: str
    priority: Priority


class _Months(NamedTuple):
    """Figures of the 30 days that end with some days (rows), and of the 30 before, by organization (columns)."""

    events: Integers
    events_before: Integers
    persons: Integers
    persons_before: Integers


class _Look(NamedTuple):
    found: Scores
    rows: Sequence[int]  # of the days
    weeks: Sequence[int]  # of the days a week before
    months: _Months
    met: NDArray[np.bool_]  # by kind, day and organization


def signals(reader: Reader, scope: Scope, actors: Actors, definitions: Definitions) -> list[Signal]:
    """All signals of the last day of the scope's span, in no order, dismissed ones too."""
    last = day_number(scope.span.last)
    look = _look(reader, scope, actors, definitions, range(last - LOOK_BACK + 1, last + 1), None)
    raised = look.met[:, -1]
    since = np.full(raised.shape, last)
    columns, alive, met, end, length = np.arange(raised.shape[1]), raised.copy(), look.met, last, LOOK_BACK
    while True:
        for row in range(length - 1, -1, -1):
            alive &= met[:, row]
            kinds, places = np.nonzero(alive)
            since[kinds, columns[places]] = end - (length - 1 - row)
        going = np.flatnonzero(alive.any(axis=0))
        if not len(going):
            break
        columns, alive = columns[going], alive[:, going]
        end, length = end - length, length * 2
        days = range(end - length + 1, end + 1)
        met = _look(reader, scope, actors, definitions, days, look.found.orgs[columns]).met
    return [
        _signal(look, KINDS[kind], column, date_of(int(since[kind, column])))
        for kind, column in np.argwhere(raised).tolist()
    ]


def _look(  # noqa: PLR0917
    reader: Reader, scope: Scope, actors: Actors, definitions: Definitions, days: range, orgs: Integers | None
) -> _Look:
    """Which conditions are met on some days."""
    around = range(days[0] - WEEK, days[-1] + 1)
    found = scores(reader, scope, actors, definitions, around, orgs=orgs, back=2 * MONTH)
    rows, weeks = range(WEEK, len(around)), range(len(days))
    months = _months(found, days)
    levels = (found.score >= found.model.watch).astype(int) + (found.score >= found.model.healthy)
    scored = ~np.isnan(found.score)
    grown = (10 * months.events >= 13 * months.events_before) | (
        (months.persons_before > 0) & (10 * months.persons >= 13 * months.persons_before)
    )
    busy = months.events_before >= EVENTS_MIN
    silent = found.raw.silent[rows]
    conditions: dict[Kind, NDArray[np.bool_]] = {
        "inactive": (silent >= SILENT_DAYS.start) & (silent < SILENT_DAYS.stop),
        "health_drop": scored[rows] & scored[weeks] & (levels[rows] < levels[weeks]),
        "usage_drop": busy & (10 * months.events < 7 * months.events_before),
        "expansion": busy & scored[rows] & (levels[rows] == 2) & grown,
    }
    met = np.array([conditions[kind] for kind in KINDS]) & (found.known & ~found.onboarding)[rows]
    return _Look(found, rows, weeks, months, met)


def _months(found: Scores, days: range) -> _Months:
    usage = found.usage
    before = [day - MONTH for day in days]
    persons = usage.persons(MONTH)
    rows = np.array(days) - usage.first
    return _Months(
        events=usage.total(days, MONTH),
        events_before=usage.total(before, MONTH),
        persons=persons[rows],
        persons_before=persons[rows - MONTH],
    )


def _signal(look: _Look, kind: Kind, column: int, since: date) -> Signal:
    """As it is on the last of the days."""
    found, months = look.found, look.months
    org = int(found.orgs[column])
    now, before = int(months.events[-1, column]), int(months.events_before[-1, column])
    match kind:
        case "inactive":
            silent = int(found.raw.silent[-1, column])
            return Signal(org, kind, since, f"No event for {many(silent, 'day')}.", "high")
        case "health_drop":
            scores = [int(found.score[row, column]) for row in (look.weeks[-1], look.rows[-1])]
            was, band = (found.model.level(score) for score in scores)
            detail = f"From {was} ({scores[0]}) to {band} ({scores[1]}) in {WEEK} days."
            return Signal(org, kind, since, detail, "high" if band == "at risk" else "medium")
        case "usage_drop":
            detail = f"{many(now, 'event')} in {MONTH} days, {now / before:.0%} of the {MONTH} days before."
            return Signal(org, kind, since, detail, "medium")
        case "expansion":
            persons, persons_before = (int(each[-1, column]) for each in (months.persons, months.persons_before))
            detail = (
                f"{many(persons, 'person')} and {many(now, 'event')} in {MONTH} days, "
                f"{persons_before:,} and {before:,} in the {MONTH} days before."
            )
            return Signal(org, kind, since, detail, "low")
