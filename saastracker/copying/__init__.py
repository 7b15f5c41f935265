"""A copy of an installation's database in another store, kept up beside running servers until they change over.

All of its state is in the target: events under the numbers they have in the source, so that the last one tells where
to go on, and one record. From its beginning to the hand-over the target is sealed, from then on the source is.
"""

import msgspec

from saastracker.contracts import RecordStore

STATE = "copy"  # kind of the record that says what a database is a copy of; it is no part of what is copied
INSTALLATION = "installation"  # kind of a record of any database that was ever copied, and of its copies


class Sum(msgspec.Struct):
    """Of events that were compared, in any order."""

    reached: int = 0  # the last of their sequence numbers
    events: int = 0
    checksum: int = 0  # of all that is in them, with their numbers and projects


class State(msgspec.Struct):
    """What the target's record says."""

    source: str  # id of the installation
    begun_at: int
    compared: Sum = msgspec.field(default_factory=Sum)
    erased: bool = False  # whether texts of events that were erased may still be there
    closing: int = 0  # the source's change number when this hand-over had closed it: it goes on only from there
    switched_at: int | None = None
    until: int = 0  # the last number that the source had given out then
    opened: bool = False  # whether the target takes events since; what closes it later is a copy made of it


def read(records: RecordStore) -> State | None:
    """None for a database that is no copy."""
    found = records.records(STATE)
    return msgspec.json.decode(found[0].data, type=State) if found else None


def unfinished(records: RecordStore) -> bool:
    """Whether a database is a copy that was not handed over to yet."""
    state = read(records)
    return state is not None and state.switched_at is None
