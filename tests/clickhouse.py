"""What tests put and look up in ClickHouse's engine."""

from contextlib import closing
from typing import Any

from saastracker.event_rows import EventRow
from saastracker.sql_events import CODED
from saastracker.testing import PROJECT
from saastracker.testing.opened import event


def row(sequence: int, name: str, **fields: Any) -> EventRow:
    return EventRow(PROJECT.id, sequence, event(name, **fields), [0] * len(CODED))


def count(url: str) -> int:
    from saastracker_clickhouse.rows import ClickHouseRows

    with closing(ClickHouseRows(url)) as rows:
        return sum(held.events for held in rows.held().values())
