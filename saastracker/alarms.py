"""Alarms: what those who look after the server are told of, who own its first workspace."""

from saastracker.contracts import RecordStore
from saastracker.facts import Facts
from saastracker.job import Notice, Topic
from saastracker.notify import Notices

FAILURES = "failures"  # what their notices are handed in as
FAILURE_TOPIC = Topic(title="Jobs that fail, and a disk that is nearly full", needed="owner", default="owner")


class Alarms:
    """Queues them as notices. Safe from several threads and processes."""

    def __init__(self, records: RecordStore, facts: Facts) -> None:
        self._notices = Notices(records)
        self._facts = facts

    def tell(self, key: str, title: str, text: str, *, now: int, link: str) -> None:
        """Once for each key. Raises Unavailable if the store does not write."""
        workspace = next(iter(self._facts.snapshot.workspaces), "")
        self._notices.add(FAILURES, [Notice(workspace=workspace, key=key, title=title, text=text, link=link)], now)
