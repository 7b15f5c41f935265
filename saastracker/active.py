"""Which actors were active in a scope, on which days and how much."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from saastracker.actors import Actors
from saastracker.cells import cells
from saastracker.contracts import Reader
from saastracker.index import Integers
from saastracker.scope import Scope, Span


class Active(NamedTuple):
    """Columns of equal length; an actor has one row or more for each day."""

    day: Integers  # local dates in days since 1970
    actor: Integers  # numbers
    events: Integers

    def only(self, rows: NDArray[np.bool_]) -> "Active":
        """The rows where `rows` is true."""
        return Active(self.day[rows], self.actor[rows], self.events[rows])


def active(reader: Reader, scope: Scope, actors: Actors, span: Span) -> Active:
    """What the actors did on the days of `span`, in the scope's environment and by its filters."""
    found = [(day, *cell.per_actor()) for day, _, cell in cells(reader, scope, actors, span)]
    none = np.zeros(0, np.int64)
    return Active(
        np.concatenate([none, *(np.full(len(who), day) for day, who, _ in found)]),
        np.concatenate([none, *(who for _, who, _ in found)]),
        np.concatenate([none, *(events for _, _, events in found)]),
    )
