"""The audit trail: who changed which settings when, and what they were after each change."""

from typing import Literal, TypeAlias
from uuid import uuid4

import msgspec

from saastracker.contracts import Change, Record, RecordStore

KIND = "audit"
Action: TypeAlias = Literal["create", "change", "delete", "lock", "run"]  # lock: too many tries to sign in failed

_NOTHING = msgspec.Raw(b"null")


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One change. Never changed itself; `value` keeps the version readable when it is no longer the newest."""

    at: int
    who: str  # name of the token, or e-mail of the user
    project: str  # id; empty for what belongs to none
    workspace: str = ""  # id, where it belongs to a workspace and to no project; of a project itself, too
    action: Action
    kind: str  # of the record that changed
    record: str  # its id
    version: int  # it has, or had when it was deleted
    value: msgspec.Raw = _NOTHING  # what it says since, as JSON; null if it was deleted


def record(entry: Entry) -> Change:
    """The write that belongs in the same transaction as the change itself."""
    return Change(KIND, str(uuid4()), 0, msgspec.json.encode(entry))


def read(record: Record) -> Entry:
    return _decoder.decode(record.data)


def entries(store: RecordStore, project: str, kind: str, record: str) -> list[Entry]:
    """What became of one record, oldest first."""
    # Those that name it at all: to decode the whole trail takes a second for each 100,000 entries.
    found = (read(each) for each in store.records(KIND) if record.encode() in each.data)
    return [entry for entry in found if (entry.project, entry.kind, entry.record) == (project, kind, record)]


def expire(store: RecordStore, kind: str, before: int) -> None:
    """Forget what became of records of a kind before a time."""
    old = [record for record in store.records(KIND) if (entry := read(record)).kind == kind and entry.at < before]
    if old:
        store.write([Change(KIND, record.id, record.version, None) for record in old])


_decoder = msgspec.json.Decoder(Entry)
