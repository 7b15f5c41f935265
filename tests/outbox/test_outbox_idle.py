"""An outbox with nothing to do leaves the store alone."""

from typing import Any, cast

import pytest

from saastracker.contracts import Record, RecordStore
from saastracker.notify import KIND as NOTICE
from tests.outbox.conftest import NOW, Office

pytestmark = pytest.mark.usefixtures("owner")


class Counting:
    """Records, and how often notices were read."""

    def __init__(self, records: RecordStore) -> None:
        self._records = records
        self.reads = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._records, name)

    def records(self, kind: str | None = None) -> list[Record]:
        self.reads += kind == NOTICE
        return self._records.records(kind)


def test_notices_are_not_read_while_there_is_nothing_to_do(office: Office) -> None:
    """Digests of hundreds of projects take 100 kB each, and jobs run every few seconds."""
    records = office.records = cast("Any", Counting(office.records))
    office.tell("b1", job="budgets")
    outbox = office.outbox()
    for _ in range(2):
        outbox.route(NOW)
        outbox.send(NOW, lambda: False)
    assert len(office.post.sent) == 1
    records.reads = 0
    for _ in range(3):
        office.tell(job="budgets")
        outbox.route(NOW)
        outbox.send(NOW, lambda: False)
    assert records.reads == 0
    office.tell("b2", job="budgets")
    outbox.route(NOW)
    outbox.send(NOW, lambda: False)
    assert len(office.post.sent) == 2
