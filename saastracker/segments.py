"""Moments: who did what and when, event by event, as arrays."""

from collections.abc import Callable, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from saastracker.columns import Packed, chosen, count, joined, pack
from saastracker.index import Integers

STORED = ("actor", "session", "time", "sequence", "path")
_SESSION, _PATH = map(STORED.index, ("session", "path"))
_PLAIN = frozenset(map(STORED.index, ("actor", "path")))  # they do not ascend: fewer bytes than their differences take


class Moments(msgspec.Struct):
    """Events as columns of equal length. Texts are the store's codes, 0 for none."""

    names: list[str]
    name: Integers  # place in `names`
    actor: Integers  # number, 0 for nobody
    session: Integers
    time: Integers  # ms
    sequence: Integers
    path: Integers  # of page views, 0 for all else

    def __len__(self) -> int:
        return len(self.sequence)

    def only(self, rows: NDArray[np.bool_] | Integers) -> "Moments":
        """The rows where a mask is true, or those at some places in that order."""
        return Moments(self.names, *chosen(rows, *(getattr(self, name) for name in ("name", *STORED))))

    def places(self, *by: Integers) -> Integers:
        """Places of the rows in the order of some columns, then of time, then of arrival."""
        return np.lexsort((self.sequence, self.time, *reversed(by)))

    def encode(self) -> bytes:
        """The columns beside names; those of one name are kept together."""
        return pack([getattr(self, name) for name in STORED], _PLAIN, _SESSION)

    @classmethod
    def decode(cls, name: str, data: bytes) -> "Moments":
        return cls.decoded([(name, data)])

    @classmethod
    def decoded(
        cls,
        several: Sequence[tuple[str, bytes]],
        narrow: Callable[[Integers], Integers | None] | None = None,
        *,
        sessions: bool = True,
    ) -> "Moments":
        """All that was encoded, of several names, or the places that `narrow` gives of paths; see `Reader.moments`."""
        packed = Packed([data for _, data in several], len(STORED), _PLAIN, _SESSION)
        rows = narrow(packed.column(_PATH)) if narrow else None
        names: dict[str, int] = {}
        named = [names.setdefault(name, len(names)) for name, _ in several]
        name = np.repeat(np.array(named, np.int64), [count(data) for _, data in several])
        if rows is not None:
            name = name.take(rows)
        columns = (
            packed.column(place, rows) if sessions or place != _SESSION else np.zeros(len(name), np.int64)
            for place in range(len(STORED))
        )
        return cls(list(names), name, *columns)

    @classmethod
    def together(cls, several: Sequence["Moments"]) -> "Moments":
        """All of them."""
        names: dict[str, int] = {}
        several = [each for each in several if len(each)]
        named = []
        for each in several:
            places = np.array([names.setdefault(name, len(names)) for name in each.names], np.int64)
            named.append(places[each.name])
        columns = (joined([getattr(each, name) for each in several]) for name in STORED)
        return cls(list(names), joined(named), *columns)
