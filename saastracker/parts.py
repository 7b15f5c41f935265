"""Parts of sessions: what an actor did in a session on one day, as arrays; together they make sessions."""

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from saastracker.columns import Packed, chosen, joined, pack
from saastracker.index import Integers

FOREVER = np.iinfo(np.int64).max
NEVER = -1  # before all times


class Parts(msgspec.Struct):
    """Columns of equal length. Times in ms; texts are the store's codes, 0 for none."""

    actor: Integers  # of the first event
    session: Integers
    first: Integers  # time of the first event, and its place in the order of arrival
    first_sequence: Integers
    last: Integers  # time of the last event
    events: Integers
    counted: Integers  # events but `$pageleave` and vitals
    pages: Integers  # page views
    entry: Integers  # path of the first page view; without one its time and sequence are those of the first event
    entry_time: Integers
    entry_sequence: Integers
    exit: Integers  # path of the last page view
    exit_time: Integers
    exit_sequence: Integers
    started: Integers  # time of the first `Session:Start`, FOREVER without
    ended: Integers  # time of the last `Session:End`, NEVER without
    release: Integers  # of the first event, as are country, browser, os and device
    country: Integers
    browser: Integers
    os: Integers
    device: Integers
    referrer: Integers  # of the first page view, without one of the first event, as are the next three
    source: Integers
    medium: Integers
    campaign: Integers

    def __len__(self) -> int:
        return len(self.session)

    def only(self, rows: NDArray[np.bool_] | Integers) -> "Parts":
        """The rows where a mask is true, or those at some places in that order."""
        return Parts(*chosen(rows, *(getattr(self, name) for name in self.__struct_fields__)))

    def of_sessions(self, sessions: Sequence[int]) -> "Parts":
        """The rows of some sessions."""
        return self.only(np.isin(self.session, sessions))

    def encode(self) -> bytes:
        columns = {name: getattr(self, name) for name in self.__struct_fields__}
        for name, near in _NEAR.items():
            columns[name] = columns[name] - getattr(self, near)
        # Most have neither, and the difference to FOREVER would take nine bytes.
        columns["started"] = np.where(self.started == FOREVER, 0, self.started - self.first + 1)
        columns["ended"] = np.where(self.ended == NEVER, 0, self.ended - self.first + 1)
        return pack(list(columns.values()), _PLAIN)

    @classmethod
    def decode(cls, *several: bytes) -> "Parts":
        """All that was encoded."""
        count = len(cls.__struct_fields__)
        parts = cls(*map(Packed(several, count, _PLAIN).column, range(count)))
        for name, near in _NEAR.items():
            setattr(parts, name, getattr(parts, name) + getattr(parts, near))
        parts.started = np.where(parts.started == 0, FOREVER, parts.started + parts.first - 1)
        parts.ended = np.where(parts.ended == 0, NEVER, parts.ended + parts.first - 1)
        return parts

    @classmethod
    def together(cls, several: Sequence["Parts"]) -> "Parts":
        """All of them."""
        several = [each for each in several if len(each)]
        return cls(*(joined([getattr(each, name) for each in several]) for name in cls.__struct_fields__))

    def merged(self, *by: Integers) -> "Parts":
        """One row for each distinct row of some columns, in their order."""
        if not len(self):
            return self
        order = np.lexsort((self.first_sequence, self.first, *reversed(by)))
        changes = np.zeros(len(self), bool)
        changes[0] = True
        for column in by:
            changes[1:] |= np.diff(column[order]) != 0
        starts = np.flatnonzero(changes)
        group = np.empty(len(self), np.int64)
        group[order] = np.cumsum(changes) - 1
        pageless = self.pages == 0
        first = order[starts]
        entry = np.lexsort((self.entry_sequence, self.entry_time, pageless, group))[starts]
        leave = np.lexsort((-self.exit_sequence, -self.exit_time, pageless, group))[starts]
        of = dict.fromkeys(self.__struct_fields__, first)
        of |= dict.fromkeys((*_ENTRY, "entry_time", "entry_sequence"), entry)
        of |= dict.fromkeys(("exit", "exit_time", "exit_sequence"), leave)
        merged = Parts(*(getattr(self, name).take(of[name]) for name in self.__struct_fields__))
        for name in ("events", "counted", "pages"):
            setattr(merged, name, np.add.reduceat(getattr(self, name).take(order), starts))
        for name in ("last", "ended"):
            setattr(merged, name, np.maximum.reduceat(getattr(self, name).take(order), starts))
        merged.started = np.minimum.reduceat(self.started.take(order), starts)
        return merged


_ENTRY = ("entry", "referrer", "source", "medium", "campaign")
# Kept as the difference to a column that is mostly the same; each stands behind the one it is near to,
# since that has to be decoded first.
_NEAR = {
    "last": "first",
    "entry_time": "first",
    "entry_sequence": "first_sequence",
    "exit": "entry",
    "exit_time": "last",
    "exit_sequence": "first_sequence",
}
# Not those that ascend or are mostly near to the row before, nor differences that may be below 0.
_PLAIN = frozenset(
    map(
        Parts.__struct_fields__.index,
        (
            *("session", "last", "events", "counted", "pages", "entry"),
            *("release", "country", "browser", "os", "device", "referrer", "source", "medium", "campaign"),
        ),
    )
)
