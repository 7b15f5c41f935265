"""What a store of events does with what it keeps: erases of it, copies it, looks after its files."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, Protocol, TypeAlias

import msgspec

Write: TypeAlias = Callable[[Callable[[], None]], None]  # has work done on the thread that appends, and waits for it
Progress: TypeAlias = Callable[[int, int], None]  # told how much is done, and of how much

FORGOTTEN = b"{}"  # what an answer says that said something of who was erased
PIECE = 1000  # events erased in one transaction: a few milliseconds, for which the writer's next group waits


Of: TypeAlias = Literal["person", "org"]


class Subject(msgspec.Struct, frozen=True):
    """Who is erased."""

    project: str  # id
    of: Of
    id: str  # as pages name them: a user id or an anonymous id, or an organization


class Erasable(Protocol):
    """The part of a store that does it. What takes `write` has each of its pieces done by that, between groups."""

    def erase(self, project: str, write: Write, progress: Progress) -> None:
        """Erase all that is kept of a project: events, their index, answers, refusals.

        Its usage stays: the month's budget was used all the same. Texts that nobody else's events have
        go with them. Every piece is a short transaction of its own, done by `write` on the thread that
        appends; `progress(done, total)` counts events. What `write` or `progress` raise ends it, and
        another call goes on from there. Whoever calls sees to it that no event of the project comes
        meanwhile.
        """

    def erase_events(
        self, project: str, sequences: Sequence[int], days: Sequence[int] = (), nameless: Sequence[int] = ()
    ) -> None:
        """Erase up to PIECE events of a project, and make its local `days` dirty, in one transaction.

        The events `nameless` stay and lose their anonymous id. What is gone already is no error, and
        usage is not counted back. On the thread that appends. A step of the index that began before
        is made again (`IndexState.changes` grows).
        """

    def sweep(self, project: str, ids: Sequence[str], write: Write, progress: Progress) -> None:
        """After events were erased: forget texts that neither an event nor the index has any more.

        Refusals of the project that hold one of `ids` go as well, answers that do become FORGOTTEN, and after
        that no byte of `ids` is left in the store's files by what was erased, also where nothing points at it.
        What `write` or `progress` raise ends it, and another call starts over.
        """

    def tidy(self, write: Write, cancelled: Callable[[], bool]) -> None:
        """What the database needs from time to time: statistics renewed, free space given back, in small steps."""

    def size(self) -> int:
        """Bytes that the store takes on disk."""

    def backup(self, path: Path, progress: Progress) -> None:
        """A consistent copy beside running writers; `progress(done, total)` in any unit."""
