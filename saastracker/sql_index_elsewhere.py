"""The index, in the database that keeps all else, of events whose rows another engine keeps."""

from abc import abstractmethod
from collections.abc import Sequence

import msgspec

from saastracker.event_rows import EventRows
from saastracker.index_store import Arrivals, IndexState
from saastracker.sql_index import SqlIndex


class EventsElsewhere(SqlIndex):
    """Stands before a store's own index. What needs events asks the other engine, up to the last committed number."""

    rows: EventRows

    @abstractmethod
    def last(self) -> int:
        """The last number that is committed."""

    def state(self) -> IndexState:
        last = self.last()
        held = self.rows.held()
        newest = max((of.last for of in held.values()), default=0)
        return msgspec.structs.replace(
            super().state(), newest=min(newest, last), first={project: of.first for project, of in held.items()}
        )

    def arrivals(
        self, after: int, limit: int, until: int | None = None, near: tuple[str, int] | None = None
    ) -> Arrivals:
        last = self.last()
        return self.rows.arrivals(after, last if until is None else min(until, last), limit, near)

    def properties(self, sequences: Sequence[int], names: Sequence[str] = ()) -> dict[int, str]:
        return self.rows.properties(sequences, names)
