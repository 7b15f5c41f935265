"""Queues notices as records, each once; the outbox takes them from there."""

from collections.abc import Sequence

import msgspec

from saastracker.contracts import Change, Record, RecordStore
from saastracker.errors import Conflict
from saastracker.facts import ATTEMPTS
from saastracker.job import Notice
from saastracker.records import HOUR_MS

KIND = "notice"
QUEUE_MAX = 1000  # of each job; the oldest give way that it does not hand in any more: else they would be told again
ADDED_MAX = 20_000  # at once; the first count, as jobs begin with what is urgent
RENEWED_MS = 30 * 24 * HOUR_MS  # what goes on for longer counts as new to upkeep, or it would be told again
KEY_MAX, TITLE_MAX, TEXT_MAX, HTML_MAX = 200, 200, 4000, 100_000  # characters; more is cut off, longer HTML left out


class Queued(msgspec.Struct, frozen=True):
    """A notice, who handed it in and when."""

    at: int
    job: str
    notice: Notice
    routed: bool = False  # whether it is known who is told


class Noted(msgspec.Struct, frozen=True):
    """A queued notice as it is kept."""

    id: str
    version: int
    queued: Queued


class Notices:
    """The queue. Safe from several threads and processes."""

    def __init__(self, store: RecordStore) -> None:
        self._store = store
        self._all_routed = -1  # the store's change at which all were

    def add(self, job: str, notices: Sequence[Notice], now: int) -> int:
        """Queue what `job` did not hand in before, by project, workspace and key; how many that were.

        Raises Conflict if other processes keep writing, Unavailable if the store does not write.
        """
        wanted = {_id(job, notice): Queued(now, job, _cut(notice)) for notice in notices[:ADDED_MAX]}
        if not wanted:
            return 0
        for _ in range(ATTEMPTS):
            old = self._store.records(KIND)
            known = {record.id for record in old}
            new = {place: queued for place, queued in wanted.items() if place not in known}
            changes = [
                _renewed(record, now) for record in old if record.id in wanted and _at(record) < now - RENEWED_MS
            ]
            if not (new or changes):
                return 0
            same = [record for record in old if record.id.startswith(f"{job}/")]
            surplus = max(0, len(same) + len(new) - QUEUE_MAX)
            over = [record for record in same if record.id not in wanted][:surplus]
            changes += [Change(KIND, record.id, record.version, None) for record in over]
            changes += [Change(KIND, place, 0, msgspec.json.encode(queued)) for place, queued in new.items()]
            try:
                self._store.write(changes)
            except Conflict:
                continue
            return len(new)
        raise Conflict("Other processes keep changing the queue of notices.")

    def all(self) -> list[Noted]:
        """All that are kept, oldest first."""
        return [Noted(record.id, record.version, _queued.decode(record.data)) for record in self._store.records(KIND)]

    def unrouted(self) -> list[Noted]:
        """Those of which is not known who is told. They are read only after a write: hundreds of digests are long."""
        change = self._store.change()
        if change == self._all_routed:
            return []
        found = [noted for noted in self.all() if not noted.queued.routed]
        if not found:
            self._all_routed = change
        return found

    def known(self, job: str) -> set[tuple[str, str]]:
        """Which notices of a job are kept: what each is about, and its key."""
        found = (noted.queued for noted in self.all() if noted.queued.job == job)
        return {(queued.notice.project or queued.notice.workspace, queued.notice.key) for queued in found}

    def expire(self, before: int) -> None:
        """Remove what was queued before a time: with the same key it would be told again."""
        old = [noted for noted in self.all() if noted.queued.at < before]
        if old:
            self._store.write([Change(KIND, noted.id, noted.version, None) for noted in old])


def routed(noted: Noted) -> Change:
    """The write that says that it is known who is told."""
    queued = msgspec.structs.replace(noted.queued, routed=True)
    return Change(KIND, noted.id, noted.version, msgspec.json.encode(queued))


def _at(record: Record) -> int:
    return _queued.decode(record.data).at


def _renewed(record: Record, now: int) -> Change:
    queued = msgspec.structs.replace(_queued.decode(record.data), at=now)
    return Change(KIND, record.id, record.version, msgspec.json.encode(queued))


def _id(job: str, notice: Notice) -> str:
    return f"{job}/{notice.project or notice.workspace}/{notice.key[:KEY_MAX]}"


def _cut(notice: Notice) -> Notice:
    html = notice.html if len(notice.html) <= HTML_MAX else ""
    return msgspec.structs.replace(notice, title=notice.title[:TITLE_MAX], text=notice.text[:TEXT_MAX], html=html)


_queued = msgspec.json.Decoder(Queued)
