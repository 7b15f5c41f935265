"""Small things as stores keep them: records, changes of them, and refusals."""

import msgspec


class Record(msgspec.Struct, frozen=True):
    """A small fact as the store keeps it; `data` is JSON."""

    kind: str
    id: str
    version: int  # from 1
    data: bytes
    name: str | None = None  # unique within its kind


class Change(msgspec.Struct, frozen=True):
    """One write: `data` None deletes; `version` is the one the writer saw, 0 for a new record."""

    kind: str
    id: str
    version: int
    data: bytes | None
    name: str | None = None


class Refused(msgspec.Struct, frozen=True):
    """A request or event that was not stored, for the page "Rejected events"."""

    project: str  # id
    at: int
    reason: str
    detail: str
    path: str  # never the query string
