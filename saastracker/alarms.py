"""Alarms: what those who look after the server are told of, who own its first workspace."""

import contextlib

import msgspec

from saastracker.contracts import Change, Record, RecordStore
from saastracker.errors import Conflict
from saastracker.facts import Facts
from saastracker.job import Notice, Topic
from saastracker.notify import Notices

KIND = "alarm"
FAILURES = "failures"  # what their notices are handed in as
FAILURE_TOPIC = Topic(
    title="Jobs or an index that fail, and a disk that is nearly full", needed="owner", default="owner"
)


class _Begun(msgspec.Struct):
    at: int  # ms


class Alarms:
    """Queues them as notices. Safe from several threads and processes."""

    def __init__(self, records: RecordStore, facts: Facts) -> None:
        self._records = records
        self._notices = Notices(records)
        self._facts = facts

    def tell(self, key: str, title: str, text: str, *, now: int, link: str) -> None:
        """Once for each key. Raises Unavailable if the store does not write."""
        workspace = next(iter(self._facts.snapshot.workspaces), "")
        self._notices.add(FAILURES, [Notice(workspace=workspace, key=key, title=title, text=text, link=link)], now)

    def begin(self, name: str, title: str, text: str, *, now: int, link: str) -> None:
        """Tell of something that goes on, once until its `end`, also over restarts. Raises Unavailable."""
        if self._record(name) is not None:
            return
        self.tell(f"{name}-{now}", title, text, now=now, link=link)
        with contextlib.suppress(Conflict):  # another process was as fast
            self._records.write([Change(KIND, name, 0, msgspec.json.encode(_Begun(now)))])

    def end(self, name: str) -> None:
        """It is over, and would be told of again. Raises Unavailable."""
        record = self._record(name)
        if record is not None:
            with contextlib.suppress(Conflict):
                self._records.write([Change(KIND, name, record.version, None)])

    def since(self, name: str) -> int | None:
        """When it was told of that something goes on; None: it does not."""
        record = self._record(name)
        return None if record is None else _begun.decode(record.data).at

    def _record(self, name: str) -> Record | None:
        return next((record for record in self._records.records(KIND) if record.id == name), None)


_begun = msgspec.json.Decoder(_Begun)
