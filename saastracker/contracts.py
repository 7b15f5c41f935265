"""What plugins are given and what they hand in."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias, TypeVar
from urllib.parse import parse_qsl

import msgspec

from saastracker.errors import Invalid
from saastracker.event import Event
from saastracker.report import Report, Table
from saastracker.scope import Parameter, Scope

if TYPE_CHECKING:  # numpy takes 25 MB, which a server is spared until there are events
    from saastracker.index import Actors, Day, Index

Settings = TypeVar("Settings", bound=msgspec.Struct)
Sender: TypeAlias = Literal["server", "app", "browser"]


class Config(Protocol):
    """The configuration as hooks see it."""

    @property
    def data(self) -> Path:
        """The data folder; it exists."""

    def plugin(self, name: str, settings: type[Settings]) -> Settings:
        """The table `[plugin.<name>]` as `settings`; every field of that needs a default.

        A wrong key, type or value raises OperatorError with file, key path and what is allowed.
        """


# --- What a request is, and who it belongs to ---


class Project(msgspec.Struct, frozen=True, kw_only=True):
    """One event stream of a workspace. Kept as a record of kind "project"."""

    id: str  # a UUID; the app UUID of the hmac scheme
    slug: str  # unique per server
    name: str
    workspace: str  # id
    origins: tuple[str, ...] = ()  # hosts allowed to send from browsers; empty: all
    timezone: str = "UTC"
    active: bool = True
    created_at: int = 0


class Request(msgspec.Struct, dict=True):
    """One HTTP request to an ingest path."""

    method: str
    path: str
    query_string: bytes
    headers: dict[bytes, bytes]  # names in lower case
    raw: bytes  # the body as received: what signatures cover
    body: bytes  # the body after Content-Encoding: what decoders read
    received_at: int
    address: str | None = None  # the client's, behind trusted proxies too

    @cached_property
    def query(self) -> dict[str, str]:
        """The query string; of a repeated name the first counts. Raises Invalid above 100 fields."""
        try:
            pairs = parse_qsl(self.query_string.decode("latin-1"), keep_blank_values=True, max_num_fields=100)
        except ValueError:
            raise Invalid("The query string has more than 100 fields.") from None
        return dict(reversed(pairs))

    def header(self, name: bytes) -> str | None:
        value = self.headers.get(name)
        return None if value is None else value.decode("latin-1")


class Credential(msgspec.Struct, frozen=True):
    """One live key: the project it opens, and what proves it."""

    project: Project
    secret: bytes = b""  # readable secret, decrypted
    digest: bytes = b""  # hash of a secret that is stored nowhere


class Projects(Protocol):
    """A live view of projects and keys: always the newest facts, never a database read."""

    def credentials(self, scheme: str, lookup: str) -> Sequence[Credential]:
        """Live keys of active projects that `scheme` stored under `lookup`; empty if none."""


class Issued(msgspec.Struct, frozen=True):
    """A new key. `shown` is told once; of `secret` (encrypted at rest) and `digest` keep what is needed."""

    shown: Mapping[str, str]
    lookup: str  # what a request names it by; readable in the database, so never a secret
    secret: bytes = b""
    digest: bytes = b""


class AuthScheme(Protocol):
    """A way of proving who sends."""

    name: str

    def authenticate(self, request: Request) -> Project | None:
        """The project the request may write to; None if it carries nothing of this scheme.

        Raises Unauthorized, NotFound, or Invalid where the key stands in a malformed body.
        """

    def issue(self, project: Project) -> Issued | None:
        """Make a new key for `project`; None if the scheme reads another scheme's keys."""


# --- What a request says ---


class Rejected(msgspec.Struct, frozen=True):
    """One event of a batch that was not taken; `index` is its place in the request."""

    index: int
    detail: str
    reason: str = "invalid"


class Decoded(msgspec.Struct, gc=False):
    """What a request's body said."""

    events: list[Event]
    rejected: tuple[Rejected, ...] = ()


class Outcome(msgspec.Struct, frozen=True):
    """What became of a request's events. Duplicates and crawlers count as accepted."""

    accepted: int
    rejected: tuple[Rejected, ...] = ()


class Reply(msgspec.Struct, frozen=True):
    """An answer in JSON."""

    status: int
    body: bytes


class Endpoint(msgspec.Struct, frozen=True):
    """Where a format is offered, and the auth scheme that guards it.

    A last segment that ends in `.*` takes any 1 to 16 letters or digits in place of the star.
    """

    path: str
    scheme: str


class WireFormat(Protocol):
    """A request body the server understands."""

    name: str
    endpoints: tuple[Endpoint, ...]  # the defaults, there without any configuration
    cors: bool  # whether pages of other hosts may send to it
    sender: Sender  # "server": the connection's address says nothing about the person
    # "app" and "browser": it does; "browser": crawlers are dropped too

    def decode(self, request: Request, project: Project) -> Decoded:
        """Events of a body. Raises Invalid or Forbidden when the whole request is refused."""

    def reply(self, outcome: Outcome) -> Reply:
        """The answer once the events are on disk."""


class Enricher(Protocol):
    """Adds to, or drops, a request's events before they are stored."""

    name: str

    def enrich(self, events: Sequence[Event], sender: Sender, address: str | None) -> None:
        """Fill fields in place; set `drop` to a short reason to leave an event out.

        `address` is None where it says nothing about the person. Runs on the event loop: a cached
        look-up, no input or output.
        """


# --- What is kept ---


class Submission(msgspec.Struct, gc=False):
    """One request's events on their way to disk.

    `append` sets `sequence` on every event it stores; one left at 0 was a duplicate. A repeat of an
    Idempotency-Key stores nothing and gets `reply` replaced by the answer of the first.
    """

    project: Project
    events: list[Event]
    received_at: int
    reply: Reply
    idempotency: bytes | None = None  # 16-byte digest of the Idempotency-Key and the project


class Refused(msgspec.Struct, frozen=True):
    """A request or event that was not stored, for the page "Rejected events"."""

    project: str  # id
    at: int
    reason: str
    detail: str
    path: str  # never the query string


class Group(msgspec.Struct):
    """What is committed together."""

    submissions: Sequence[Submission] = ()
    refused: Sequence[Refused] = ()  # newest last
    refusals: Mapping[tuple[str, str], int] = {}  # (project id, reason) → how many since the last group


class Reader(Protocol):
    """Reads that one report makes, on one consistent state of the store."""

    def query(self, sql: str, **parameters: Any) -> list[tuple[Any, ...]]:
        """Rows of a SELECT in the shared subset of SQL over `events` (all columns as text, not codes).

        `prop(:key)` is the property named by the parameter, `prop_number(:key)` the same as a number.
        Raises TimeLimit after the reader's time limit.
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

    def actors(self, project: str) -> "Actors":
        """Who the actors in a project's cells are."""

    def texts(self, codes: Sequence[int]) -> dict[int, str]:
        """What the codes of `actors` stand for."""

    def rejected(self, project: str, limit: int) -> list[Refused]:
        """The newest refusals of a project, newest first."""

    def refusals(self, project: str) -> dict[str, int]:
        """How often each reason occurred, ever."""


class Store(Protocol):
    """Keeps events. Only the process that has claimed it appends, from one thread."""

    @property
    def index(self) -> "Index":
        """What is kept of each day for reports."""

    def claim(self) -> None:
        """Become the writer. Raises OperatorError naming the other process that is."""

    def append(self, group: Group) -> None:
        """Store a group in one transaction, durably, or nothing of it.

        Usage (per project and UTC month of `received_at`), idempotency answers (kept 24 h) and
        refusals are part of it. An empty group still proves that the store can write. Raises
        Unavailable when nothing can be stored now, and any other exception when something in this
        group cannot be stored.
        """

    def answer(self, idempotency: bytes) -> Reply | None:
        """The answer stored for an Idempotency-Key in the last 24 h."""

    def read_after(self, sequence: int, limit: int, project: str | None = None) -> list[tuple[str, Event]]:
        """Up to `limit` events (with their project's id) after a sequence number, in order of arrival."""

    def reader(self, seconds: float = 30.0) -> AbstractContextManager[Reader]:
        """A reader for one thread; each query may take that many seconds."""

    def backup(self, path: Path, progress: Callable[[int, int], None]) -> None:
        """A consistent copy beside running writers; `progress(done, total)` in any unit."""

    def close(self) -> None: ...


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


class RecordStore(Protocol):
    """Keeps small facts as documents with optimistic versions. Safe from several threads and processes."""

    def change(self) -> int:
        """A number that grows with every write by anyone; cheap to poll."""

    def records(self, kind: str | None = None) -> list[Record]:
        """All records (of a kind), oldest first."""

    def write(self, changes: Sequence[Change]) -> None:
        """All changes or none. Raises Conflict on a stale version or a name already taken."""

    def usage(self, month: str) -> dict[str, int]:
        """Events stored per project id in a month (`2026-11`, UTC)."""

    def close(self) -> None: ...


RecordStoreFactory: TypeAlias = Callable[[], RecordStore]
StoreFactory: TypeAlias = Callable[[RecordStore], Store]


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
    # New events as the main table, which then needs a column `id`; the page follows them.
    live: Callable[[Sequence[Event]], Table] | None = None
