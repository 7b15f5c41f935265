"""Events as they are exported: columns by name, as importing takes them."""

import hashlib
from datetime import UTC, datetime
from typing import Any

import msgspec

from saastracker.event import Event

TIMES = ("time", "received_at")
OBJECTS = ("properties", "traits")
PLAIN = (
    *("name", "type", "user", "anonymous", "org", "session", "path", "environment", "release", "plan", "value"),
    *("referrer", "source", "medium", "campaign", "country", "browser", "os", "device"),
)
COLUMNS = ("id", "sequence", *TIMES, *PLAIN, *OBJECTS)


def moment(ms: int | None) -> str | None:
    """Milliseconds as an ISO 8601 time in UTC."""
    if ms is None:
        return None
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def written(project: str, event: Event) -> dict[str, Any]:
    """A stored event with its columns in order, empty ones left out; properties as they were sent."""
    columns: dict[str, Any] = {
        "id": (event.id or _derived_id(project, event.sequence)).hex(),
        "sequence": event.sequence,
        "time": moment(event.time),
        "received_at": moment(event.received_at),
        **{name: getattr(event, name) for name in PLAIN},
        **{name: _raw(getattr(event, name)) for name in OBJECTS},
    }
    return {name: value for name, value in columns.items() if value is not None}


# An event that came without an id is exported under one that says which event of which project it is,
# so that importing it into that very project, even by way of another server, finds it there.


def _derived_id(project: str, sequence: int) -> bytes:
    return project_mark(project) + sequence.to_bytes(8)


def project_mark(project: str) -> bytes:
    """With what the ids begin that say which event of a project it is."""
    return hashlib.blake2b(project.encode(), digest_size=8).digest()


def _raw(text: str | None) -> msgspec.Raw | None:
    """JSON on one line: outside of strings, a line break is only white space, and in them it is escaped."""
    return None if text is None else msgspec.Raw(text.replace("\n", " ").replace("\r", " ").encode())
