"""What a store lets a copy do: close it to all others, and read and put everything in it as it is."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from saastracker.errors import Unavailable
from saastracker.event import Event
from saastracker.stored import Record, Refused
from saastracker.wire import Reply


class Answer(msgspec.Struct, frozen=True):
    """What a request with an Idempotency-Key was answered."""

    digest: bytes  # see `Submission.idempotency`
    project: str  # id
    at: int  # when the request came
    reply: Reply


class Tallies(msgspec.Struct, frozen=True):
    """What a store counts beside events: little, so that it is read and put as a whole."""

    usage: Mapping[tuple[str, str], int] = {}  # by project (id) and UTC month
    refusals: Mapping[tuple[str, str, int], int] = {}  # by project, reason and day since 1970, UTC
    refused: Sequence[Refused] = ()  # oldest first


class Sealable(Protocol):
    """The part of a store, and of a store of records, that closes it; where both are one database they share it."""

    @property
    def sealed(self) -> bool: ...

    def seal(self, sealed: bool) -> None:
        """From now on nobody appends or writes: that raises Unavailable, in every process. Or they do again.

        Whatever was taken before this returned can be read. Only what a copy puts goes on being taken.
        """


class Copyable(Sealable, Protocol):
    """The part of a store of events. What is put needs a claim."""

    @property
    def last(self) -> int:
        """The last sequence number that was given out, also to an event that was erased since; 0 for none."""

    def put_events(self, events: Sequence[tuple[str, Event]], last: int) -> None:
        """Store events of projects (ids) under the sequence numbers they have, which grow and are above `last`
        of before, all or nothing and durably; the next one will get a number above `last`.

        They are known to be no duplicates, and no usage is counted.
        """

    def answers(self, after: bytes, limit: int) -> list[Answer]:
        """Up to `limit` answers of the last 24 h with digests above one, in their order."""

    def put_answers(self, answers: Sequence[Answer], gone: Sequence[bytes]) -> None:
        """Keep answers, in place of others to the same digests, and forget those with some digests."""

    def tallies(self) -> Tallies: ...

    def put_tallies(self, tallies: Tallies) -> None:
        """In place of all that was counted."""

    def codes(self, project: str, texts: Sequence[str]) -> dict[str, int]:
        """The codes of some texts, as the index has them of a project; new ones, which grow, for those without."""


class CopyableRecords(Sealable, Protocol):
    """The part of a store of records."""

    def put_records(self, records: Sequence[Record], gone: Sequence[Record]) -> None:
        """Forget records, then keep others with the versions they have, all or nothing.

        One of the same kind and id keeps its place among the others, new ones become the newest.
        """


def sealed() -> Unavailable:
    """What a sealed store raises."""
    return Unavailable(
        "This database takes nothing: it is being filled by `saastracker copy`, or all of it was handed over to "
        "another one; `saastracker copy` tells more.",
        retry_after=10,
    )
