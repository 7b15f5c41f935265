"""Whom errors hit, on which days and how often, by issue."""

from collections.abc import Container
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from saastracker.actors import Actors
from saastracker.contracts import Reader
from saastracker.index import OTHER, Integers, day_number, unique
from saastracker.issues.catalogue import Catalogue, Known
from saastracker.issues.raw import every, local_days
from saastracker.moments import of_organizations
from saastracker.scope import Scope, Span


class Hits(msgspec.Struct):
    """Columns of equal length; an actor has one row or more for each issue and day."""

    issues: list[str]  # ids
    issue: Integers  # place in `issues`
    day: Integers  # local dates in days since 1970
    actor: Integers  # numbers, 0 for nobody
    events: Integers

    def only(self, rows: NDArray[np.bool_]) -> "Hits":
        """The rows where `rows` is true."""
        return Hits(self.issues, self.issue[rows], self.day[rows], self.actor[rows], self.events[rows])

    def of(self, wanted: Container[str]) -> "Hits":
        """The rows of some issues."""
        chosen = np.array([issue in wanted for issue in self.issues], bool)
        return self.only(chosen[self.issue]) if len(chosen) else self


def hits(  # noqa: PLR0917
    reader: Reader, scope: Scope, actors: Actors, span: Span, known: Catalogue, only: Known | None = None
) -> Hits:
    """The errors of `span`, in the scope's environment and by its filters: from the index where that is exact.

    Of all issues, or only of one.
    """
    if any((item.dimension, item.operator) != ("org", "is") for item in scope.filters):
        found = _raw(reader, scope, actors, span, known)
        return found.of({only.id}) if only else found
    found = _indexed(reader, scope, span, known, only.indexed if only else None)
    if scope.filters:
        inside = of_organizations(reader, actors, {item.value for item in scope.filters})
        found = found.only(np.isin(found.actor, inside))
    return found


def _indexed(reader: Reader, scope: Scope, span: Span, known: Catalogue, keys: list[str] | None) -> Hits:
    rows = []
    between = day_number(span.first), day_number(span.last)
    for namespace in known.counted.namespaces:
        for day, key, cell in reader.days(scope.project, namespace, *between, keys, scope.environment):
            parts = (OTHER, "") if key == OTHER else known.counted.split(key)
            if parts is None:
                continue
            actors, events = cell.per_actor()
            nobody = cell.events - int(events.sum())
            if nobody:
                actors, events = np.append(actors, 0), np.append(events, nobody)
            rows.append((known.owner(parts[0]), day, actors, events))
    return _together(rows)


def _raw(reader: Reader, scope: Scope, actors: Actors, span: Span, known: Catalogue) -> Hits:
    found, errors = every(reader, scope, actors, span)
    issues: dict[str, int] = {}
    rows = [(error.place, issues.setdefault(known.owner(error.key(known.counted)), len(issues))) for error in errors]
    places, issue = np.array(rows, np.int64).reshape(-1, 2).T
    return Hits(
        list(issues), issue, local_days(found.time[places], span), found.actor[places], np.ones(len(places), np.int64)
    )


def _together(rows: list[tuple[str, int, Integers, Integers]]) -> Hits:
    none = np.zeros(0, np.int64)
    issues: dict[str, int] = {}
    places = np.array([issues.setdefault(issue, len(issues)) for issue, _, _, _ in rows], np.int64)
    lengths = np.array([len(actors) for _, _, actors, _ in rows], np.int64)
    return Hits(
        list(issues),
        np.repeat(places, lengths),
        np.repeat(np.array([day for _, day, _, _ in rows], np.int64), lengths),
        np.concatenate([none, *(actors for _, _, actors, _ in rows)]),
        np.concatenate([none, *(events for _, _, _, events in rows)]),
    )


class Affected(NamedTuple):
    """How many errors, and whom they hit."""

    events: int
    persons: int
    organizations: int


def affected(actors: Actors, found: Hits) -> Affected:
    who = unique(found.actor)
    return Affected(int(found.events.sum()), _count(actors.person[who]), _count(actors.org[who]))


def by_issue(actors: Actors, found: Hits) -> dict[str, Affected]:
    """The same of each issue; one without rows has zeros."""
    size = len(found.issues)
    events = np.zeros(size, np.int64)
    np.add.at(events, found.issue, found.events)
    persons = _distinct(found.issue, actors.person[found.actor], size)
    organizations = _distinct(found.issue, actors.org[found.actor], size)
    counts = zip(events.tolist(), persons.tolist(), organizations.tolist(), strict=True)
    return {issue: Affected(*of_issue) for issue, of_issue in zip(found.issues, counts, strict=True)}


def _count(numbers: Integers) -> int:
    return len(unique(numbers[numbers >= 0]))


def _distinct(place: Integers, numbers: Integers, size: int) -> Integers:
    """How many different numbers each place has; -1 is none."""
    known = numbers >= 0
    pairs = unique(place[known] << 32 | numbers[known])
    return np.bincount(pairs >> 32, minlength=size)
