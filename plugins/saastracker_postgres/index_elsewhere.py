"""The index in PostgreSQL of events whose rows another engine keeps."""

from saastracker.event_rows import EventRows
from saastracker.sql_index_elsewhere import EventsElsewhere
from saastracker_postgres.elsewhere import LAST
from saastracker_postgres.index import PostgresIndex
from saastracker_postgres.reader import Readers


class IndexElsewhere(EventsElsewhere, PostgresIndex):
    """Its watermark is in the database, its events are not."""

    def __init__(self, url: str, readers: Readers, rows: EventRows) -> None:
        super().__init__(url, readers)
        self.rows = rows

    def last(self) -> int:
        with self._reading() as rows:
            [(last,)] = rows.execute(LAST)
        return int(last)
