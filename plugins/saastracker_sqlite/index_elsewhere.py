"""The index in SQLite of events whose rows another engine keeps."""

from pathlib import Path

from saastracker.event_rows import EventRows
from saastracker.sql_index_elsewhere import EventsElsewhere
from saastracker_sqlite.append import last_sequence
from saastracker_sqlite.index import SqliteIndex
from saastracker_sqlite.reader import Readers


class IndexElsewhere(EventsElsewhere, SqliteIndex):
    """Its watermark is in the file, its events are not."""

    def __init__(self, path: Path, readers: Readers, rows: EventRows) -> None:
        super().__init__(path, readers)
        self.rows = rows

    def last(self) -> int:
        with self._readers.connection() as connection:
            return last_sequence(connection)
