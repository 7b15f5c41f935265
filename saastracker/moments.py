"""The moments that a scope asks for."""

from collections.abc import Callable, Sequence

import numpy as np

from saastracker.actors import Actors
from saastracker.conditions import conditions
from saastracker.contracts import Reader
from saastracker.index import Integers, day_number
from saastracker.scope import Scope, Span
from saastracker.segments import Moments


def moments(
    reader: Reader,
    scope: Scope,
    actors: Actors,
    span: Span,
    names: Sequence[str] | None = None,
    *,
    narrow: Callable[[str, Integers], Integers | None] | None = None,
    sessions: bool = True,
) -> Moments:
    """The events of the days of `span`, in the scope's environment and by its filters: all names, or some.

    `narrow` and `sessions` as in `Reader.moments`.
    """
    wanted = {item.value for item in scope.filters if (item.dimension, item.operator) == ("name", "is")}
    if wanted:
        names = sorted(wanted if names is None else wanted.intersection(names))
    first, last = day_number(span.first), day_number(span.last)
    found = reader.moments(scope.project, first, last, names, scope.environment, narrow=narrow, sessions=sessions)
    inside = {item.value for item in scope.filters if (item.dimension, item.operator) == ("org", "is")}
    if inside:
        found = found.only(np.isin(found.actor, of_organizations(reader, actors, inside)))
    if any(item.operator != "is" or item.dimension not in {"name", "org"} for item in scope.filters):
        found = found.only(np.isin(found.sequence, sequences(reader, scope, span.start, span.end)))
    return found


def sequences(reader: Reader, scope: Scope, start: int, end: int) -> Integers:
    """The sequence numbers of the events from `start` to before `end` that a scope's filters let through."""
    sql, parameters = conditions(scope)
    rows = reader.query(
        f'SELECT sequence FROM events WHERE {sql} AND "time" >= :start AND "time" < :end',
        **parameters,
        start=start,
        end=end,
    )
    return np.array(rows, np.int64).reshape(-1)


def of_organizations(reader: Reader, actors: Actors, names: set[str]) -> Integers:
    """The numbers of all actors in some organizations."""
    texts = reader.texts(actors.org_codes)
    wanted = [number for number, code in enumerate(actors.org_codes) if texts[code] in names]
    return np.flatnonzero(np.isin(actors.org, wanted))
