"""Deliveries: who is told of which notice, how far that is, and what could not be sent."""

import hashlib
from collections.abc import Collection, Sequence
from typing import Literal, NamedTuple, TypeAlias

import msgspec

from saastracker import audit
from saastracker.contracts import Change, Record, RecordStore
from saastracker.errors import Conflict, NotFound
from saastracker.facts import ATTEMPTS

KIND = "delivery"
KEPT = 5000  # that are over; the oldest give way

State: TypeAlias = Literal["waiting", "sending", "sent", "failed", "uncertain", "withdrawn"]
OPEN: tuple[State, ...] = ("waiting", "sending")


class Stream(NamedTuple):
    """Whose messages they are, and about what."""

    channel: str
    recipient: str  # id
    topic: str
    workspace: str  # id


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One notice on its way to one recipient."""

    id: str
    notice: str  # id of its record
    title: str
    topic: str
    workspace: str  # id
    channel: str
    recipient: str  # id of a user or a destination
    state: State = "waiting"
    message: str = ""  # id; those that went out together share it
    attempts: int = 0
    due_at: int
    changed_at: int
    error: str = ""

    @property
    def stream(self) -> Stream:
        return Stream(self.channel, self.recipient, self.topic, self.workspace)


class Kept(msgspec.Struct, frozen=True):
    """A delivery and its version in the store."""

    delivery: Delivery
    version: int


def new_id(notice: str, channel: str, recipient: str) -> str:
    """The same for the same three: nobody is told twice."""
    return hashlib.sha256(f"{notice}\0{channel}\0{recipient}".encode()).hexdigest()[:32]


def change(kept: Kept, **new: object) -> Change:
    """A write of a delivery with other values; it fails if another process was faster."""
    delivery = msgspec.structs.replace(kept.delivery, **new)
    return Change(KIND, delivery.id, kept.version, msgspec.json.encode(delivery))


class Deliveries:
    """All deliveries. Safe from several threads and processes."""

    def __init__(self, store: RecordStore) -> None:
        self._store = store

    def all(self) -> list[Kept]:
        """Oldest first."""
        return [_kept(record) for record in self._store.records(KIND)]

    def of_workspace(self, workspace: str, states: Collection[State], limit: int) -> list[Delivery]:
        """The newest of these states, newest first."""
        found = (each.delivery for each in reversed(self.all()))
        return [each for each in found if each.workspace == workspace and each.state in states][:limit]

    def write(self, changes: Sequence[Change]) -> bool:
        """Whether they were written: not if another process changed one of them."""
        try:
            self._store.write(changes)
        except Conflict:
            return False
        return True

    def send_again(self, workspace: str, delivery: str, *, who: str, now: int) -> None:
        """Let one that failed, or may have, be sent again, as the audit trail tells then.

        Raises NotFound, Conflict while it is on its way.
        """
        for _ in range(ATTEMPTS):
            kept = next((each for each in self.all() if each.delivery.id == delivery), None)
            if kept is None or kept.delivery.workspace != workspace:
                raise NotFound("There is no such message.")
            if kept.delivery.state not in {"failed", "uncertain"}:
                raise Conflict("This message is on its way or was sent.")
            again = change(kept, state="waiting", attempts=0, due_at=now, changed_at=now, error="")
            if self.write([again, audit.record(_entry(kept, who, now))]):
                return
        raise Conflict("Another process keeps writing; try again.")

    def expire(self, before: int) -> None:
        """Remove what was over before a time, and the oldest of too many."""
        over = [each for each in self.all() if each.delivery.state not in OPEN]
        over.sort(key=lambda each: each.delivery.changed_at)
        surplus = len(over) - KEPT
        old = [each for place, each in enumerate(over) if place < surplus or each.delivery.changed_at < before]
        if old:
            self._store.write([Change(KIND, each.delivery.id, each.version, None) for each in old])


def _entry(kept: Kept, who: str, now: int) -> audit.Entry:
    """Without the title, which may name people."""
    delivery = kept.delivery
    return audit.Entry(
        at=now,
        who=who,
        project="",
        workspace=delivery.workspace,
        action="run",
        kind="message",
        record=delivery.id,
        version=kept.version + 1,
        value=msgspec.Raw(msgspec.json.encode({"name": delivery.topic, "channel": delivery.channel})),
    )


def _kept(record: Record) -> Kept:
    return Kept(_decoder.decode(record.data), record.version)


_decoder = msgspec.json.Decoder(Delivery)
