"""Server-sent events: one per accepted event that a report's filters let through."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import TypeAlias

import msgspec
from litestar.response import Stream

from saastracker.event import Event
from saastracker.live import Batch, Live, Wanted
from saastracker.report import Table
from saastracker.scope import PROPERTY, Filter, Operator, Scope
from saastracker.web.faces import json_row

HEARTBEAT_SECONDS = 15.0
PAUSE_SECONDS = 0.2  # between writes to one reader, so that a burst is one write

AsTable: TypeAlias = Callable[[Sequence[Event]], Table]

_properties = msgspec.json.Decoder(dict[str, msgspec.Raw])


def follow(live: Live, as_table: AsTable, scope: Scope, allowed: Callable[[], bool]) -> Stream:
    """An answer that lasts until the reader or the server leaves, or the reader is no longer `allowed`.

    Raises Unavailable beyond 100 readers.
    """
    subscription = live.subscribe(scope.project, wanted(scope))

    async def messages() -> AsyncIterator[bytes]:
        yield b": new events of this project from now on\n\n"
        async for batch in subscription.batches(HEARTBEAT_SECONDS):
            if not allowed():
                break
            yield encode(batch, as_table)
            await asyncio.sleep(PAUSE_SECONDS)

    return Stream(messages(), media_type="text/event-stream", headers={"x-accel-buffering": "no"})


def encode(batch: Batch, as_table: AsTable) -> bytes:
    """A batch as messages: `skipped` with a count, then one message per event."""
    if not batch.events:
        return b": nothing new\n\n"
    lines = [b'event: skipped\ndata: {"skipped":%d}\n\n' % batch.skipped] if batch.skipped else []
    table = as_table(batch.events)
    lines += [b"data: %b\n\n" % msgspec.json.encode(json_row(row, table.columns)) for row in table.rows]
    return b"".join(lines)


def wanted(scope: Scope) -> Wanted:
    """What `conditions` says in SQL, and the span if the query names one, for events in memory."""
    groups: dict[tuple[str, Operator], list[Filter]] = {}
    for item in scope.filters:
        groups.setdefault((item.dimension, item.operator), []).append(item)
    start, end = (scope.span.start, scope.span.end) if scope.span_given else (None, None)

    def holds(event: Event) -> bool:
        if scope.environment not in (None, event.environment):
            return False
        time = event.received_at if event.time is None else event.time
        if start is not None and end is not None and not start <= time < end:
            return False
        for (dimension, operator), alternatives in groups.items():
            value = _value(event, dimension, numbers=operator in {"gt", "lt"})
            test = _TESTS[operator]
            if any(value is not None and test(value, item.value) for item in alternatives) == (operator == "is_not"):
                return False
        return True

    return holds


def _value(event: Event, dimension: str, *, numbers: bool) -> str | None:
    """What an event has of a dimension, as text; with `numbers`, only a property that is a JSON number."""
    if dimension == "user":
        return event.user or event.anonymous
    if not dimension.startswith(PROPERTY):
        value: str | None = getattr(event, dimension)
        return value
    if event.properties is None:
        return None
    text = bytes(_properties.decode(event.properties).get(dimension.removeprefix(PROPERTY), b"null")).decode()
    if text == "null" or (numbers and text[0] not in "-0123456789"):
        return None
    return msgspec.json.decode(text, type=str) if text[0] == '"' else text


_TESTS: dict[Operator, Callable[[str, str], bool]] = {
    "is": str.__eq__,
    "is_not": str.__eq__,  # negated as a whole
    "contains": str.__contains__,
    "starts_with": str.startswith,
    "exists": lambda _value, _other: True,
    "gt": lambda value, other: float(value) > float(other),
    "lt": lambda value, other: float(value) < float(other),
}
