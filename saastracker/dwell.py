"""How people went through their sessions: events in the order they happened, and how long a page was looked at."""

from datetime import timedelta

import numpy as np

from saastracker.actors import Actors
from saastracker.columns import Columns
from saastracker.contracts import Reader
from saastracker.index import Integers, day_number
from saastracker.moments import moments
from saastracker.scope import LAST_DATE, Scope, Span
from saastracker.segments import Moments

DWELL_MAX = 1_800_000  # ms: whoever does nothing for longer has left the page


class Dwells(Columns):
    """Page views that another event of their session follows."""

    path: Integers  # code
    time: Integers  # ms until that event, at most DWELL_MAX

    @classmethod
    def of(cls, path: Integers, time: Integers, keys: Integers) -> "Dwells":
        """Those of whole sessions, of events in the order of `in_sessions`: their paths, times and sessions' keys."""
        wait = _until_next(time, keys)
        views = np.flatnonzero((path > 0) & (wait >= 0))
        views = views[np.lexsort((wait[views], path[views]))]
        return cls(path[views], wait[views])


def session_keys(person: Integers, session: Integers) -> Integers:
    """One number for each session; persons are numbered as in Actors, and -1 is nobody."""
    # The session stands first: its codes grow with time, as events nearly do, and that sorts in half the time.
    return session << 32 | (person + 1)


def in_sessions(found: Moments, actors: Actors) -> tuple[Moments, Integers, Integers]:
    """The events that have a session; their places one session after the other, by time, then arrival; keys of those.

    Who needs few columns takes those alone in that order.
    """
    found = found.only(found.session > 0)
    keys = session_keys(actors.person.take(found.actor), found.session)
    order = found.places(keys)
    return found, order, keys.take(order)


def dwell(reader: Reader, scope: Scope, actors: Actors, span: Span) -> Dwells:
    """The page views of `span`, by the scope's filters; what follows may be any event of its environment."""
    first, after = day_number(span.first), day_number(span.last) + 1
    apart = not scope.filters
    loaded = reader.moments(scope.project, first, after, None, scope.environment, apart=apart)
    found, order, keys = in_sessions(loaded, actors)
    path, time = found.path.take(order), found.time.take(order)
    wait = _until_next(time, keys)
    views = (path > 0) & (time < span.end)
    if scope.filters:
        views &= np.isin(found.sequence.take(order), moments(reader, scope, actors, span).sequence)
    last = np.flatnonzero(views & (wait < 0))
    if len(last):
        wait[last[np.isin(keys[last], _going_on(reader, scope, actors, span))]] = DWELL_MAX
    views &= wait >= 0
    told = Dwells(path[views], wait[views])
    if not apart:
        return told
    settled = reader.settled(scope.project, "dwells", first, after - 1, scope.environment)
    return Dwells.together([*map(Dwells.decode, settled), told])


def _until_next(time: Integers, keys: Integers) -> Integers:
    """Milliseconds from each event to the next of its session, at most DWELL_MAX; -1 where none follows."""
    wait = np.full(len(time), -1)
    wait[:-1] = np.where(keys[1:] == keys[:-1], np.minimum(np.diff(time), DWELL_MAX), -1)
    return wait


def _going_on(reader: Reader, scope: Scope, actors: Actors, span: Span) -> Integers:
    """The keys of sessions with events in `span` and behind the day after it."""
    after = span.last + timedelta(days=1)
    # Mostly nothing is that late, which is known sooner than what every session consists of.
    if not reader.days(
        scope.project, "all", day_number(after) + 1, day_number(LAST_DATE), environment=scope.environment
    ):
        return np.zeros(0, np.int64)
    # No session that goes on is counted by a settled day.
    parts = reader.parts(
        scope.project, day_number(span.first), day_number(span.last), scope.environment, apart=not scope.filters
    )
    parts = parts.only(parts.last >= Span(after, after, span.timezone).end)
    return session_keys(actors.person[parts.actor], parts.session)
