"""Events as columns of an insert, and rows back into events."""

from collections.abc import Sequence
from operator import attrgetter
from typing import Any

from saastracker.event import Event
from saastracker.event_rows import EventRow
from saastracker.sql_events import CODED
from saastracker_clickhouse import schema

COLUMNS = tuple(schema.COLUMNS)
TYPES = tuple(kind.partition(" CODEC")[0] for kind in schema.COLUMNS.values())

_texts = attrgetter(*CODED)


def columns(rows: Sequence[EventRow]) -> list[Sequence[Any]]:
    """A column each, in the order of COLUMNS. Raises UnicodeEncodeError for a text that is none."""
    events = [row.event for row in rows]
    texts = [[text or "" for text in column] for column in zip(*map(_texts, events), strict=True)]
    for column in texts:
        for text in set(column):
            text.encode()
    return [
        [row.project for row in rows],
        [row.sequence for row in rows],
        [event.received_at if event.time is None else event.time for event in events],
        [event.received_at for event in events],
        *texts,
        [event.value for event in events],
        [event.properties or "" for event in events],
        [event.traits or "" for event in events],
        [event.id or schema.NO_ID for event in events],
        *zip(*(row.codes for row in rows), strict=True),
    ]


def event(row: Sequence[Any]) -> tuple[str, Event]:
    """A project's id and an event, from a row of `schema.EVENTS`."""
    named = dict(zip(schema.EVENT_COLUMNS, row, strict=True))
    return named.pop("project"), Event(**named)
