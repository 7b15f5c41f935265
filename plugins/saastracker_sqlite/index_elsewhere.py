"""The index in SQLite of events whose rows another engine keeps."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from saastracker.event_rows import EventRows
from saastracker.index_store import Arrivals, IndexState
from saastracker_sqlite.append import last_sequence
from saastracker_sqlite.index import SqliteIndex
from saastracker_sqlite.reader import Readers


class IndexElsewhere(SqliteIndex):
    """What needs events asks the other engine, up to the last number that is committed here."""

    def __init__(self, path: Path, readers: Readers, rows: EventRows) -> None:
        super().__init__(path, readers)
        self._rows = rows

    def state(self) -> IndexState:
        last = self._last()
        held = self._rows.held()
        newest = max((of.last for of in held.values()), default=0)
        return msgspec.structs.replace(
            super().state(), newest=min(newest, last), first={project: of.first for project, of in held.items()}
        )

    def arrivals(
        self, after: int, limit: int, until: int | None = None, near: tuple[str, int] | None = None
    ) -> Arrivals:
        last = self._last()
        return self._rows.arrivals(after, last if until is None else min(until, last), limit, near)

    def properties(self, sequences: Sequence[int], names: Sequence[str] = ()) -> dict[int, str]:
        return self._rows.properties(sequences, names)

    def _last(self) -> int:
        with self._readers.connection() as connection:
            return last_sequence(connection)
