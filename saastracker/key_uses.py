"""When keys were used last: noted in memory by each request, written to the day, now and then."""

from datetime import date, timedelta

import msgspec

from saastracker.contracts import Change, RecordStore
from saastracker.errors import Conflict
from saastracker.records import HOUR_MS
from saastracker.wire import Credential

KIND = "key-use"  # one record a key, under its id
DAY_MS = 24 * HOUR_MS


class Use(msgspec.Struct, frozen=True):
    project: str  # id, so that it goes with the project
    day: int  # since 1970, UTC


class KeyUses:
    """A live view of all processes' notes. `note` is of one thread, `refresh` may be of another."""

    def __init__(self, store: RecordStore) -> None:
        self._store = store
        self._change = -1
        self._versions: dict[str, int] = {}
        self._known: dict[str, int] = {}  # days by key
        self._new: dict[str, Use] = {}
        self.refresh()

    def note(self, credential: Credential, at: int) -> None:
        """A request at a time in milliseconds."""
        day = at // DAY_MS
        if self._known.get(credential.key, -1) < day:
            self._new[credential.key] = Use(credential.project.id, day)

    def used_on(self, key: str) -> date | None:
        """The last day on which a key was used, UTC; None: never."""
        day = self._known.get(key)
        return None if day is None else date(1970, 1, 1) + timedelta(days=day)

    def refresh(self) -> None:
        """Look for what others wrote, and write what is new."""
        change = self._store.change()
        if change != self._change:
            found = self._store.records(KIND)
            self._versions = {record.id: record.version for record in found}
            self._known = {record.id: _use.decode(record.data).day for record in found}
            self._change = change
        new, self._new = self._new, {}
        later = {key: use for key, use in new.items() if self._known.get(key, -1) < use.day}
        if not later:
            return
        try:
            self._store.write(
                [Change(KIND, key, self._versions.get(key, 0), msgspec.json.encode(use)) for key, use in later.items()]
            )
        except Conflict:  # another process was faster; it is noted again by the next request
            return
        self._known |= {key: use.day for key, use in later.items()}


_use = msgspec.json.Decoder(Use)
