"""How the last backup went, and the last that went well: two records, of which pages and monitors tell."""

import msgspec

from saastracker.contracts import Change, RecordStore
from saastracker.errors import Conflict
from saastracker.facts import ATTEMPTS

KIND = "backup"
LAST, GOOD = "last", "good"  # ids
ERROR_MAX = 500  # characters


class Backup(msgspec.Struct, frozen=True, kw_only=True):
    """One that was tried."""

    started_at: int
    seconds: float
    place: str  # the file, with its whole path
    bytes: int = 0
    error: str = ""  # empty: it went well


class Backups:
    """Safe from several threads and processes."""

    def __init__(self, records: RecordStore) -> None:
        self._records = records

    def last(self) -> Backup | None:
        """The last that was tried."""
        return self._found(LAST)

    def good(self) -> Backup | None:
        """The last that went well."""
        return self._found(GOOD)

    def note(self, backup: Backup) -> None:
        """Raises Conflict if other processes keep writing, Unavailable if the store does not write."""
        data = msgspec.json.encode(msgspec.structs.replace(backup, error=backup.error[:ERROR_MAX]))
        ids = (LAST,) if backup.error else (LAST, GOOD)
        for _ in range(ATTEMPTS):
            versions = {record.id: record.version for record in self._records.records(KIND)}
            try:
                self._records.write([Change(KIND, each, versions.get(each, 0), data) for each in ids])
            except Conflict:
                continue
            return
        raise Conflict("Other processes keep writing about backups.")

    def _found(self, wanted: str) -> Backup | None:
        found = (record.data for record in self._records.records(KIND) if record.id == wanted)
        return next(map(_decoder.decode, found), None)


_decoder = msgspec.json.Decoder(Backup)
