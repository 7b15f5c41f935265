"""Lines of NDJSON and rows of CSV as events."""

import hashlib
import re
from typing import Annotated, TypeAlias

import msgspec
from msgspec import Meta

from saastracker.decoding import ABSENT, Value, check_time, clip, decode, iso_time, properties
from saastracker.errors import Invalid
from saastracker.event import ENVIRONMENT_MAX, NAME_MAX, PLAN_MAX, TYPES, Event, identity, type_of
from saastracker.exported import COLUMNS, OBJECTS, PLAIN, project_mark

DIGITS_MAX = 20  # of milliseconds; Python itself refuses some thousands

_HEX_ID = re.compile(r"[0-9a-f]{32}")
_Text: TypeAlias = Annotated[str, Meta(min_length=1, max_length=NAME_MAX)]
_Time: TypeAlias = str | int | None  # ISO 8601, or milliseconds since 1970


class _Line(msgspec.Struct, kw_only=True, gc=False):
    name: _Text
    type: str | None = None
    id: _Text | None = None
    time: _Time = None
    received_at: _Time = None
    user: _Text | None = None
    anonymous: _Text | None = None
    org: _Text | None = None
    session: _Text | None = None
    path: str | None = None
    environment: Annotated[str, Meta(min_length=1, max_length=ENVIRONMENT_MAX)] | None = None
    release: _Text | None = None
    plan: Annotated[str, Meta(min_length=1, max_length=PLAN_MAX)] | None = None
    value: Value | None = None
    referrer: _Text | None = None
    source: str | None = None
    medium: str | None = None
    campaign: str | None = None
    country: _Text | None = None
    browser: _Text | None = None
    os: _Text | None = None
    device: _Text | None = None
    properties: msgspec.Raw = ABSENT
    traits: msgspec.Raw = ABSENT


_decoder = msgspec.json.Decoder(_Line, strict=False)  # numbers of a CSV are text


def read(text: bytes, now: int) -> Event:
    """The event of a line. Raises Invalid.

    A line without an id is known by its text. `sequence` is ignored: the store hands out its own.
    """
    line = decode(_decoder, text)
    if line.type not in (None, *TYPES):
        raise Invalid(f"$.type: Expected one of {', '.join(TYPES)}")
    time = _ms(line.time, now, "$.time")
    event = Event(
        name=line.name,
        time=time,
        received_at=_ms(line.received_at, now, "$.received_at") or 0,
        properties=properties(line.properties, "$.properties"),
        traits=properties(line.traits, "$.traits"),
    )
    for name in PLAIN:
        value = getattr(line, name)
        if value is not None:
            setattr(event, name, clip(value) if isinstance(value, str) else value)
    event.type = line.type or type_of(line.name)
    if line.id is None:
        event.id = identity(hashlib.sha256(text.strip()).hexdigest(), None, None)
    elif _HEX_ID.fullmatch(line.id):
        event.id = bytes.fromhex(line.id)
    else:
        event.id = identity(line.id, event.user or event.anonymous, time)
    return event


def from_row(row: dict[str, str]) -> bytes:
    """A row of a CSV as a line of NDJSON; empty cells are absent."""
    cells = {name: cell for name, cell in row.items() if cell and name in COLUMNS}
    return msgspec.json.encode(
        {name: msgspec.Raw(cell.encode()) if name in OBJECTS else cell for name, cell in cells.items()}
    )


def origin(project: str, event_id: bytes) -> int | None:
    """The sequence number that the event with this id has in `project`; None if the id is no derived one of it."""
    return int.from_bytes(event_id[8:]) if event_id[:8] == project_mark(project) else None


def _ms(value: str | int | None, now: int, path: str) -> int | None:
    if value is None:
        return None
    if isinstance(value, int) or (value.isdecimal() and len(value) <= DIGITS_MAX):
        return check_time(int(value), now, path)
    return iso_time(value, now, path)
