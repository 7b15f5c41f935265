"""Events as the bytes that COPY takes: packed here, since psycopg's own rows take four times as long."""

from collections.abc import Mapping, Sequence
from operator import itemgetter
from struct import Struct

from saastracker.event import Event
from saastracker.sql_events import CODED

BEGIN = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
END = b"\xff\xff"

FIELDS = 4 + len(CODED) + 4
HEAD = Struct(">hiq").pack  # how many fields, then the length of the first, the event's number, and that
# Each field after its length; the four that may be missing follow.
_FIXED = Struct(">ii" + "iq" * 2 + "ii" * len(CODED))
_LENGTHS = (4, 8, 8, *[4] * len(CODED))
_LENGTH = Struct(">i")
_VALUE = Struct(">id")
_NULL = _LENGTH.pack(-1)


def row(project: int, event: Event, texts: Sequence[str | None], codes: Mapping[str | None, int]) -> bytes:
    """One row of `event_rows` but for its HEAD; `texts` are the event's coded columns."""
    received_at = event.received_at
    happened = received_at if event.time is None else event.time
    fields = _TEMPLATE.copy()
    fields[1::2] = (project, happened, received_at - happened, *itemgetter(*texts)(codes))
    value = event.value
    return b"".join(
        (
            _FIXED.pack(*fields),
            _NULL if value is None else _VALUE.pack(8, value),
            _text(event.properties),
            _text(event.traits),
            _NULL if event.id is None else _LENGTH.pack(len(event.id)) + event.id,
        )
    )


_TEMPLATE = [part for length in _LENGTHS for part in (length, 0)]


def _text(text: str | None) -> bytes:
    if text is None:
        return _NULL
    data = text.encode()
    return _LENGTH.pack(len(data)) + data
