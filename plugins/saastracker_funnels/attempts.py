"""The attempts of everybody who entered a funnel in a span, from the index."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from saastracker.actors import Actors
from saastracker.conditions import DAY_MS
from saastracker.contracts import Reader
from saastracker.index import Integers, unique
from saastracker.moments import moments
from saastracker.rules import Rule, matches
from saastracker.scope import LAST_DATE, Scope, Span
from saastracker.segments import Moments
from saastracker_funnels.definition import Funnel
from saastracker_funnels.follow import NEVER, Events, Rules, follow
from saastracker_funnels.narrowing import Paths

CHUNK = 10_000  # events asked for at a time


class Attempts(msgspec.Struct):
    """Columns of equal length."""

    who: Integers  # number in Actors of the person or organization
    session: Integers  # code; 0 where the funnel is not per session
    entry: Integers  # sequence number of the event with which it began
    reached: Integers  # ms, by step (rows) and attempt (columns); NEVER where it was not reached

    def __len__(self) -> int:
        return len(self.who)

    @property
    def there(self) -> NDArray[np.bool_]:
        """Whether each step was reached."""
        return np.asarray(self.reached < NEVER)


def attempts(reader: Reader, scope: Scope, actors: Actors, funnel: Funnel, span: Span) -> Attempts:
    """The attempts that began in `span`, followed past its end; filters choose which events there are."""
    found = _moments(reader, scope, actors, funnel, _followed(funnel, span))
    return _attempts(reader, actors, funnel, span, found)


def compared(reader: Reader, scope: Scope, actors: Actors, funnel: Funnel, before: Span) -> tuple[Attempts, Attempts]:
    """The same of the scope's span and an earlier one; the days that both are followed on are read once."""
    span = scope.span
    followed, until = _followed(funnel, span), _followed(funnel, before)
    found = _moments(reader, scope, actors, funnel, followed)
    now = _attempts(reader, actors, funnel, span, found)
    both = found.only(found.time < until.end)
    del found
    own = Span(before.first, min(until.last, span.first - timedelta(days=1)), span.timezone)
    earlier = Moments.together([_moments(reader, scope, actors, funnel, own), both])
    return now, _attempts(reader, actors, funnel, before, earlier)


def _moments(reader: Reader, scope: Scope, actors: Actors, funnel: Funnel, days: Span) -> Moments:
    narrow = None if funnel.order == "strict" else Paths(reader, (*funnel.steps, *funnel.exclude)).narrow
    return moments(reader, scope, actors, days, _names(funnel), narrow=narrow, sessions=funnel.per == "session")


def _attempts(reader: Reader, actors: Actors, funnel: Funnel, span: Span, found: Moments) -> Attempts:
    entity, keys = _entities(actors, funnel, found)
    places = [_fitting(reader, found, step) for step in funnel.steps]
    excluded = [np.zeros(0, np.int64), *(_fitting(reader, found, rule) for rule in funnel.exclude)]
    rules = Rules(
        funnel.order,
        tuple(step.optional for step in funnel.steps),
        funnel.window_days * DAY_MS,
        span.start,
        span.end,
    )
    events = Events(entity, found.time, found.sequence)
    entered, entry, reached = follow(events, len(keys), places, np.concatenate(excluded), rules)
    return Attempts(keys[entered], found.session[entry], found.sequence[entry], reached)


def _followed(funnel: Funnel, span: Span) -> Span:
    """The days on which steps may be."""
    left = (LAST_DATE - span.last).days
    # One more for a day that a change of clocks made shorter.
    further = min(funnel.window_days + 1, left) if funnel.window_days else left
    return Span(span.first, span.last + timedelta(days=further), span.timezone)


def _names(funnel: Funnel) -> list[str] | None:
    if funnel.order == "strict":
        return None
    return sorted({rule.name for rule in (*funnel.steps, *funnel.exclude)})


def _entities(actors: Actors, funnel: Funnel, found: Moments) -> tuple[Integers, Integers]:
    """Whose each event is, and the number in Actors of each of them; -1 is nobody."""
    if funnel.per == "organization":
        return actors.org[found.actor], np.arange(len(actors.org_codes))
    person = actors.person[found.actor]
    if funnel.per == "person":
        return person, np.arange(len(actors.person_codes))
    known = (person >= 0) & (found.session > 0)
    keys, place = np.unique(person[known] << 32 | found.session[known], return_inverse=True)
    entity = np.full(len(found), -1)
    entity[known] = place
    return entity, keys >> 32


def _fitting(reader: Reader, found: Moments, rule: Rule) -> Integers:
    """The places of the events that fit a rule."""
    if rule.name not in found.names:
        return np.zeros(0, np.int64)
    some = np.flatnonzero(found.name == found.names.index(rule.name))
    if rule.path_prefix is None and rule.properties is None:
        return some
    sure = some[:0]
    if rule.path_prefix is not None:
        path = found.path[some]  # of page views only, else unknown
        texts = reader.texts(unique(path).tolist())
        right = np.isin(path, [code for code, text in texts.items() if text.startswith(rule.path_prefix)])
        if rule.properties is None:
            sure, some = some[right], some[path == 0]
        else:
            some = some[right | (path == 0)]
    numbers = found.sequence[some]
    told = (
        sequence
        for sequence, path, properties in told_of(reader, numbers, "path, properties")
        if matches(rule, rule.name, path, properties)
    )
    return np.concatenate([sure, some[np.isin(numbers, np.fromiter(told, np.int64))]])


def told_of(reader: Reader, numbers: Integers, columns: str, **parameters: str) -> Iterator[tuple[Any, ...]]:
    """The sequence number and some columns of events with these sequence numbers."""
    for start in range(0, len(numbers), CHUNK):
        chunk = ", ".join(map(str, numbers[start : start + CHUNK].tolist()))
        yield from reader.query(f"SELECT sequence, {columns} FROM events WHERE sequence IN ({chunk})", **parameters)
