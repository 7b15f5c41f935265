"""Queues notices as records, each once; channels take them from there."""

from collections.abc import Sequence

import msgspec

from saastracker.contracts import Change, RecordStore
from saastracker.errors import Conflict
from saastracker.facts import ATTEMPTS
from saastracker.job import Notice

KIND = "notice"
QUEUE_MAX = 1000  # the oldest give way
KEY_MAX, TITLE_MAX, TEXT_MAX = 200, 200, 4000  # characters; more is cut off


class Queued(msgspec.Struct, frozen=True):
    """A notice, who handed it in and when."""

    at: int
    job: str
    notice: Notice


class Notices:
    """The queue. Safe from several threads and processes."""

    def __init__(self, store: RecordStore) -> None:
        self._store = store

    def add(self, job: str, notices: Sequence[Notice], now: int) -> int:
        """Queue what `job` did not hand in before, by project and key; how many that were.

        Raises Conflict if other processes keep writing, Unavailable if the store does not write.
        """
        wanted = {_id(job, notice): Queued(now, job, _cut(notice)) for notice in notices}
        for _ in range(ATTEMPTS):
            old = self._store.records(KIND)
            known = {record.id for record in old}
            new = {place: queued for place, queued in list(wanted.items())[-QUEUE_MAX:] if place not in known}
            if not new:
                return 0
            surplus = old[: max(0, len(old) + len(new) - QUEUE_MAX)]
            changes = [Change(KIND, record.id, record.version, None) for record in surplus]
            changes += [Change(KIND, place, 0, msgspec.json.encode(queued)) for place, queued in new.items()]
            try:
                self._store.write(changes)
            except Conflict:
                continue
            return len(new)
        raise Conflict("Other processes keep changing the queue of notices.")

    def waiting(self) -> list[Queued]:
        """All that is queued, oldest first."""
        return [_queued.decode(record.data) for record in self._store.records(KIND)]

    def expire(self, before: int) -> None:
        """Remove what was queued before a time."""
        old = [record for record in self._store.records(KIND) if _queued.decode(record.data).at < before]
        if old:
            self._store.write([Change(KIND, record.id, record.version, None) for record in old])


def _id(job: str, notice: Notice) -> str:
    return f"{job}/{notice.project}/{notice.key[:KEY_MAX]}"


def _cut(notice: Notice) -> Notice:
    return msgspec.structs.replace(notice, title=notice.title[:TITLE_MAX], text=notice.text[:TEXT_MAX])


_queued = msgspec.json.Decoder(Queued)
