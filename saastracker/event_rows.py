"""Where the rows of events are, if not in the database that keeps all else: projects, keys, the index."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from saastracker.erasable import Progress
from saastracker.event import Event

if TYPE_CHECKING:  # numpy takes 13 MB, which a server is spared until there are events
    from saastracker.index_store import Arrivals


class EventRow(NamedTuple):
    project: str  # id
    sequence: int
    event: Event
    codes: Sequence[int]  # of its texts, in the order of `sql_events.CODED`, 0 for none


class Held(NamedTuple):
    """What there is of a project's events."""

    first: int  # sequence numbers
    last: int
    events: int


class EventRows(Protocol):
    """Keeps events' rows for one other database, which gives them their numbers.

    Only what has a number up to the last that the other one has committed counts: readers ask up to that,
    `until`, and `settle` takes away what a failure left above. Whatever cannot be done now raises Unavailable.
    """

    def claim(self, owner: int) -> None:
        """Belong to the database of that random number, from the first time on. Raises OperatorError for another."""

    def settle(self, last: int) -> None:
        """See to it that no row above a number is there, or comes later: of inserts that nobody waited for to the end.

        Raises OperatorError if there are more than those can have left.
        """

    def insert(self, rows: Sequence[EventRow]) -> None:
        """Store rows durably. If this fails, some may be there, or come later, until `settle`."""

    def taken(self, ids: Sequence[tuple[str, bytes]], until: int) -> set[tuple[str, bytes]]:
        """Which of some projects' event ids are stored."""

    def read(self, after: int, until: int, limit: int, project: str | None = None) -> list[tuple[str, Event]]:
        """See `Store.read_after`."""

    def events(self, sequences: Sequence[int], until: int) -> list[Event]:
        """See `Reader.events`; in no order."""

    def arrivals(self, after: int, until: int, limit: int, near: tuple[str, int] | None = None) -> "Arrivals":
        """See `Index.arrivals`."""

    def properties(self, sequences: Sequence[int], names: Sequence[str] = ()) -> dict[int, str]:
        """See `Index.properties`."""

    def held(self) -> dict[str, Held]:
        """By project."""

    def knows(self, sql: str) -> bool:
        """Whether a query is over `events`."""

    def query(
        self,
        sql: str,
        parameters: Mapping[str, Any],
        until: int,
        seconds: float,
        cancelled: Callable[[], bool],
    ) -> list[tuple[Any, ...]]:
        """See `Reader.query` and `Store.reader`."""

    def codes(self, after: int, until: int) -> list[int]:
        """All that rows above a number and up to another have, each once."""

    def erase(self, project: str, until: int) -> None:
        """Erase a project's events up to a number."""

    def erase_events(self, project: str, sequences: Sequence[int], nameless: Sequence[int]) -> None:
        """See `Store.erase_events`."""

    def purge(self) -> None:
        """See to it that what was erased is on no disk any more."""

    def size(self) -> int:
        """Bytes on disk."""

    def backup(self, path: Path, until: int, progress: Progress) -> None:
        """Write the events up to a number into a new folder. Raises OperatorError if there is one."""

    def close(self) -> None: ...
