"""How people went through their sessions: events in the order they happened, and how long a page was looked at."""

from datetime import timedelta

import numpy as np

from saastracker.actors import Actors
from saastracker.contracts import Reader
from saastracker.index import Integers, day_number
from saastracker.moments import moments
from saastracker.scope import LAST_DATE, Scope, Span
from saastracker.segments import Moments

DWELL_MAX = 1_800_000  # ms: whoever does nothing for longer has left the page


def session_keys(person: Integers, session: Integers) -> Integers:
    """One number for each session; persons are numbered as in Actors, and -1 is nobody."""
    # The session stands first: its codes grow with time, as events nearly do, and that sorts in half the time.
    return session << 32 | (person + 1)


def in_sessions(found: Moments, actors: Actors) -> tuple[Moments, Integers]:
    """The events that have a session, one session after the other, by time, then arrival; and their sessions' keys."""
    found = found.only(found.session > 0)
    keys = session_keys(actors.person[found.actor], found.session)
    order = found.places(keys)
    return found.only(order), keys[order]


def dwell(reader: Reader, scope: Scope, actors: Actors, span: Span) -> tuple[Integers, Integers]:
    """The page views of `span` that another event of their session follows: paths (codes) and milliseconds until then.

    At most DWELL_MAX. The scope's filters choose the views; what follows may be any event of its environment.
    """
    first, after = day_number(span.first), day_number(span.last) + 1
    loaded = reader.moments(scope.project, first, after, None, scope.environment)
    found, keys = in_sessions(loaded, actors)
    time = np.full(len(found), -1)  # -1: nothing follows
    time[:-1] = np.where(keys[1:] == keys[:-1], np.minimum(np.diff(found.time), DWELL_MAX), -1)
    views = (found.path > 0) & (found.time < span.end)
    if scope.filters:
        views &= np.isin(found.sequence, moments(reader, scope, actors, span).sequence)
    last = np.flatnonzero(views & (time < 0))
    if len(last):
        time[last[np.isin(keys[last], _going_on(reader, scope, actors, span))]] = DWELL_MAX
    views &= time >= 0
    return found.path[views], time[views]


def _going_on(reader: Reader, scope: Scope, actors: Actors, span: Span) -> Integers:
    """The keys of sessions with events in `span` and behind the day after it."""
    after = span.last + timedelta(days=1)
    # Mostly nothing is that late, which is known sooner than what every session consists of.
    if not reader.days(
        scope.project, "all", day_number(after) + 1, day_number(LAST_DATE), environment=scope.environment
    ):
        return np.zeros(0, np.int64)
    parts = reader.parts(scope.project, day_number(span.first), day_number(span.last), scope.environment)
    parts = parts.only(parts.last >= Span(after, after, span.timezone).end)
    return session_keys(actors.person[parts.actor], parts.session)
