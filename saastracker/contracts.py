"""What plugins are given and hand in beside the wire: configuration, stores, reports."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias, TypeVar

import msgspec

from saastracker.claimable import Claimable
from saastracker.copyable import Copyable, CopyableRecords
from saastracker.erasable import Erasable, Of
from saastracker.event import Event
from saastracker.event_rows import EventRows
from saastracker.report import Report, Table
from saastracker.scope import Parameter, Scope
from saastracker.stored import Change as Change  # noqa: PLC0414  # as plugins import it
from saastracker.stored import Record as Record  # noqa: PLC0414
from saastracker.stored import Refused as Refused  # noqa: PLC0414
from saastracker.wire import Policy, Project, Reply
from saastracker.written import Written

if TYPE_CHECKING:  # numpy takes 13 MB, which a server is spared until there are events
    from saastracker.actors import Actors
    from saastracker.index import Day, Integers, Seen
    from saastracker.index_store import Index
    from saastracker.parts import Parts
    from saastracker.segments import Moments

Settings = TypeVar("Settings", bound=msgspec.Struct)


class Config(Protocol):
    """The configuration as hooks see it."""

    @property
    def data(self) -> Path:
        """The data folder; it exists."""

    def plugin(self, name: str, settings: type[Settings]) -> Settings:
        """The table `[plugin.<name>]` as `settings`; every field of that needs a default.

        A wrong key, type or value raises OperatorError with file, key path and what is allowed.
        """


# --- What is kept ---


class Submission(msgspec.Struct, gc=False):
    """One request's events on their way to disk.

    `append` sets `sequence` on every event it stores; one left at 0 was a duplicate. A repeat of an
    Idempotency-Key stores nothing and gets `reply` replaced by the answer of the first. One that
    finds its workspace's budget used up and is `dropped` never reaches a store.
    """

    project: Project
    events: list[Event]
    received_at: int
    reply: Reply
    idempotency: bytes | None = None  # 16-byte digest of the Idempotency-Key and the project
    over_budget: Policy | None = None  # its format's habit; None: stored whatever the budget, as commands ask
    dropped: bool = False


class Group(msgspec.Struct):
    """What is committed together."""

    submissions: Sequence[Submission] = ()
    refused: Sequence[Refused] = ()  # newest last
    # (project id, reason, day since 1970, UTC) → how many since the last group
    refusals: Mapping[tuple[str, str, int], int] = {}


class Reader(Protocol):
    """Reads that one report makes, on one consistent state of the store."""

    def query(self, sql: str, **parameters: Any) -> list[tuple[Any, ...]]:
        """Rows of a SELECT in the shared subset of SQL over `events` (all columns as text, not codes).

        `prop(:key)` is the property named by the parameter, `prop_number(:key)` the same as a number.
        `prop_key(:key)` tells its values apart for less, to group by; `prop_of(column)` is what such a
        key stands for, and groups of several keys may be of one. `organization()` is the one that an
        event counts for, `org` what it was sent with; a query with the first names its project by the
        parameter `project`. `apart()` ends a subquery that is to be made by itself, before it is grouped
        by what it made. Raises TimeLimit after the reader's time limit.
        """

    def events(self, sequences: Sequence[int]) -> list[Event]:
        """The events with these sequence numbers, in that order; those gone are left out."""

    def days(  # noqa: PLR0917
        self,
        project: str,
        namespace: str,
        first: int,
        last: int,
        keys: Sequence[str] | None = None,
        environment: str | None = None,
    ) -> "list[Day]":
        """Cells of the index for the local dates `first` to `last` (days since 1970), all keys or some.

        A day with events of several environments has a cell for each.
        """

    def counted(self) -> float:
        """How much of the events the index has taken in, from 0 to 1; 1 if all but those of the last seconds."""

    def actors(self, project: str) -> "Actors":
        """Who the actors in a project's cells are, and which organization each counts for."""

    def texts(self, codes: Sequence[int]) -> dict[int, str]:
        """What the codes of `actors`, `moments` and `parts` stand for."""

    def organizations(self, project: str) -> Written:
        """What people wrote about organizations; a store itself knows nothing of it, `merging` does."""

    def ids(self, project: str, of: Literal["person", "org"], text: str, limit: int) -> list[str]:
        """Ids that hold a text, of persons (users before anonymous ids) or organizations in the index.

        Those that begin with it come first, then the shortest. Upper and lower case are the same in ASCII.
        """

    def moments(
        self,
        project: str,
        first: int,
        last: int,
        names: Sequence[str] | None = None,
        environment: str | None = None,
        *,
        apart: bool = False,
        narrow: "Callable[[str, Integers], Integers | None] | None" = None,
        sessions: bool = True,
    ) -> "Moments":
        """Who did what and when on the dates `first` to `last`, in no order: all events, or those of some names.

        `narrow` is given a name and the paths of some events after the other, and returns the places of those that
        are wanted, None for all. Without `sessions`, which are not read then, these are 0.
        `apart`: without the sessions that settled days have counted, and of others on settled days without names.
        """

    def parts(
        self, project: str, first: int, last: int, environment: str | None = None, *, apart: bool = False
    ) -> "Parts":
        """What sessions with an event on the dates `first` to `last` consist of; of those that last longer all days.

        `apart`: without the sessions that settled days have counted.
        """

    def settled(self, project: str, table: str, first: int, last: int, environment: str | None = None) -> list[bytes]:
        """What `settling` keeps in a table of the settled ones of the dates `first` to `last`."""

    def longer(self, project: str, first: int, last: int) -> list[tuple[int, int, int]]:
        """Sessions of several days, one of them from `first` to `last`: their codes, first and last dates."""

    def seen(self, project: str, namespace: str) -> "list[Seen]":
        """The keys a tagger ever gave."""

    def tagged(self, project: str, namespace: str, unit: str = "") -> float:
        """How much of the events a tagger's namespace counts, from 0 to 1; `unit` is a definition's id."""

    def environments(self, project: str) -> list[str]:
        """Where a project's events come from, by name."""

    def rejected(self, project: str, limit: int) -> list[Refused]:
        """The newest refusals of a project, newest first."""

    def refusals(self, project: str, first: int | None = None, last: int | None = None) -> dict[str, int]:
        """How often each reason occurred: ever, or on the days `first` to `last` (since 1970, UTC)."""


class Store(Claimable, Copyable, Erasable, Protocol):
    """Keeps events. Each process appends from one thread."""

    @property
    def index(self) -> "Index":
        """What is kept of each day for reports."""

    def append(self, group: Group) -> Mapping[tuple[str, str], int]:
        """Store a group in one transaction, durably, or nothing of it; the usage it led to.

        Usage is counted per project (id) and UTC month of `received_at` (`2026-11`): what is handed
        back is all that was ever stored for those that the group added to, by other processes too.
        Usage, idempotency answers (kept 24 h) and refusals are part of the transaction. An empty
        group still proves that the store can write. Raises Unavailable when nothing can be stored
        now, and any other exception when something in this group cannot be stored.
        """

    def answer(self, idempotency: bytes) -> Reply | None:
        """The answer stored for an Idempotency-Key in the last 24 h."""

    def read_after(self, sequence: int, limit: int, project: str | None = None) -> list[tuple[str, Event]]:
        """Up to `limit` events (with their project's id) after a sequence number, in order of arrival."""

    def reader(
        self, seconds: float = 30.0, cancelled: Callable[[], bool] = lambda: False
    ) -> AbstractContextManager[Reader]:
        """A reader for one thread; a query raises TimeLimit after that many seconds, and soon after `cancelled`."""

    def close(self) -> None: ...


class RecordStore(CopyableRecords, Protocol):
    """Keeps small facts as documents with optimistic versions. Safe from several threads and processes."""

    def change(self) -> int:
        """A number that grows with every write by anyone; cheap to poll."""

    def records(self, kind: str | None = None) -> list[Record]:
        """All records (of a kind), oldest first."""

    def newest(self, kind: str, limit: int, before: str | None = None) -> list[Record]:
        """The newest records of a kind, or of those older than the one with the id `before`, newest first."""

    def write(self, changes: Sequence[Change]) -> None:
        """All changes or none. Raises Conflict on a stale version or a name already taken."""

    def usage(self, month: str) -> dict[str, int]:
        """Events stored per project id in a month (`2026-11`, UTC)."""

    def store(self, rows: EventRows) -> Store:
        """A store with all it keeps in this database but the events, which are in `rows`; that closes those."""

    def close(self) -> None: ...


RecordStoreFactory: TypeAlias = Callable[[], RecordStore]
StoreFactory: TypeAlias = Callable[[RecordStore], Store]


class Match(msgspec.Struct, frozen=True):
    """A thing that a report lists, found by a text."""

    item: str  # its id, as in the address of the report's detail
    title: str
    hint: str = ""  # what tells it from others of that title


class Setup(msgspec.Struct, frozen=True, kw_only=True):
    """What there is of a project beside its events and definitions."""

    workspace: str = ""  # id
    keys: int = 0  # with which events can be sent
    members: int = 0  # of its workspace
    invited: int = 0  # who can still become members


Setups: TypeAlias = Callable[[str], Setup]  # a live view, by the project's id


class Digest(msgspec.Struct, frozen=True, kw_only=True):
    """What of a report belongs into the weekly digest, which is asked about a week and the one before."""

    blocks: Mapping[str, str]  # keys of the blocks, with their headings there; those that say nothing are left out
    query: str = ""  # what it is asked beside, such as `status=new`


class ReportPage(msgspec.Struct, frozen=True, kw_only=True):
    """A question and how it is answered; the core gives it a page, JSON and CSV."""

    slug: str
    title: str
    section: str  # Overview, Product, Customers, Errors, Games, Web
    load: Callable[[Reader, Scope], Report]  # pure: reads, never writes
    about: str = ""  # one sentence under the title
    parameters: tuple[Parameter, ...] = ()  # what only this report asks, beside the scope
    # The page, JSON and CSV of one thing the report lists, at `/p/{project}/{slug}/{id}`. Raises NotFound.
    detail: Callable[[Reader, Scope, str], Report] | None = None
    detail_parameters: tuple[Parameter, ...] = ()  # what only that asks
    detail_of: Of | None = None  # whom a detail is about: who may can erase them there, and export a person
    # Up to so many of the things it lists whose names hold a text, best first: of reader, project id, text, number.
    search: Callable[[Reader, str, str, int], Sequence[Match]] | None = None
    key: str = ""  # the letter that leads to it after `g`
    # New events as the main table, which then needs a column `id`; the page follows them.
    live: Callable[[Sequence[Event]], Table] | None = None
    # Kinds of definitions that it is made of: its page leads to their forms, a detail to the one it has the id of.
    defines: tuple[str, ...] = ()
    # Namespaces of the taggers that count all it shows: a project that has none of their keys has no data for it.
    tagged: tuple[str, ...] = ()
    digest: Digest | None = None
