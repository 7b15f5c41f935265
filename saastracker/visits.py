"""The sessions of a span, each on the local day of its first event, with anonymous parts joined to their users."""

import msgspec
import numpy as np
from numpy.typing import NDArray

from saastracker.actors import Actors
from saastracker.columns import chosen
from saastracker.conditions import DAY_MS
from saastracker.contracts import Reader
from saastracker.index import Integers, day_number
from saastracker.moments import of_organizations, sequences
from saastracker.parts import FOREVER, NEVER, Parts
from saastracker.scope import Scope, Span


class Visits(msgspec.Struct):
    """Sessions, one in each row and in no order: their parts put together, and who they are of."""

    person: Integers  # number in Actors, -1 for nobody
    org: Integers  # of the first event that has one, as a number in Actors; -1 for none
    row: Parts

    def __len__(self) -> int:
        return len(self.person)

    def only(self, rows: NDArray[np.bool_] | Integers) -> "Visits":
        """The rows where a mask is true, or those at some places in that order."""
        person, org = chosen(rows, self.person, self.org)
        return Visits(person, org, self.row.only(rows))

    @property
    def seconds(self) -> NDArray[np.float64]:
        """From `Session:Start` to `Session:End` where both are, else from the first event to the last."""
        return np.asarray(self.milliseconds / 1000)

    @property
    def milliseconds(self) -> Integers:
        """The same."""
        told = (self.row.started < FOREVER) & (self.row.ended > NEVER)
        length = np.where(told, self.row.ended - self.row.started, self.row.last - self.row.first)
        return np.maximum(length, 0)

    @property
    def bounced(self) -> NDArray[np.bool_]:
        """Whether a session has one event, `$pageleave` and vitals not counted."""
        return np.asarray(self.row.counted == 1)


def visits(reader: Reader, scope: Scope, actors: Actors, span: Span, *, apart: bool = False) -> Visits:
    """The sessions that began on the days of `span`, with an event by the scope's filters, in its environment.

    `apart`: only those that no settled day has counted, see `settling`.
    """
    first, last = day_number(span.first), day_number(span.last)
    parts = reader.parts(scope.project, first, last, scope.environment, apart=apart)
    found = together(parts, actors, span)
    if scope.filters and len(found):
        found = found.only(_matching(reader, scope, actors, span, found, parts))
    return found


def together(parts: Parts, actors: Actors, span: Span) -> Visits:
    """The sessions that some parts make, as far as their first event is in `span`."""
    keys = _keys(actors.person[parts.actor], parts.session)
    several = _repeated(keys)
    # Nearly all sessions are one part, and putting parts together takes sorting.
    alone = parts.only(~several & _inside(parts, span))
    apart, keys = parts.only(several), keys[several]
    row, org = apart.merged(keys), _first_org(apart, actors, keys)
    inside = np.flatnonzero(_inside(row, span))
    row = Parts.together([alone, row.only(inside)])
    return Visits(actors.person[row.actor], np.concatenate([actors.org[alone.actor], org[inside]]), row)


def _inside(parts: Parts, span: Span) -> NDArray[np.bool_]:
    return np.asarray((parts.first >= span.start) & (parts.first < span.end))


def _repeated(keys: Integers) -> NDArray[np.bool_]:
    """Which of some numbers are there more than once."""
    order = np.argsort(keys)
    like_next = np.zeros(len(keys) + 1, bool)
    like_next[1:-1] = np.diff(keys[order]) == 0
    repeated = np.empty(len(keys), bool)
    repeated[order] = like_next[1:] | like_next[:-1]
    return repeated


def _first_org(parts: Parts, actors: Actors, keys: Integers) -> Integers:
    """For each distinct key, in their order, the organization of the earliest of its parts that have one."""
    org = actors.org[parts.actor]
    order = np.lexsort((parts.first_sequence, parts.first, org < 0, keys))
    return org[order[np.flatnonzero(np.diff(keys[order], prepend=-1))]]


def _matching(  # noqa: PLR0917
    reader: Reader, scope: Scope, actors: Actors, span: Span, found: Visits, parts: Parts
) -> NDArray[np.bool_]:
    if all((item.dimension, item.operator) == ("org", "is") for item in scope.filters):
        inside = np.isin(parts.actor, of_organizations(reader, actors, {item.value for item in scope.filters}))
        keys = _keys(actors.person[parts.actor[inside]], parts.session[inside])
    else:
        # Its matching event may come after the span.
        end = int(found.row.last.max()) + 1
        last = max(day_number(span.last), end // DAY_MS + 1)
        during = reader.moments(scope.project, day_number(span.first), last, None, scope.environment)
        hits = during.only(np.isin(during.sequence, sequences(reader, scope, span.start, end)))
        keys = _keys(actors.person[hits.actor], hits.session)
    return np.isin(_keys(found.person, found.row.session), keys)


def _keys(person: Integers, session: Integers) -> Integers:
    """Person and session as one number; both are well below 2**31."""
    return (person + 1) << 32 | session
