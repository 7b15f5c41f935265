"""What a request is, who it belongs to and what it says: the contracts of auth schemes, wire formats and enrichers."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Literal, Protocol, TypeAlias
from urllib.parse import parse_qsl

import msgspec

from saastracker.errors import Invalid
from saastracker.event import Event

Sender: TypeAlias = Literal["server", "app", "browser"]
Policy: TypeAlias = Literal["accept", "drop"]  # what becomes of events over their workspace's budget
TooFast: TypeAlias = Literal[429, 503]  # the answer to a key that sends faster than it may


class Project(msgspec.Struct, frozen=True, kw_only=True):
    """One event stream of a workspace. Kept as a record of kind "project"."""

    id: str  # a UUID; the app UUID of the hmac scheme
    slug: str  # unique per server
    name: str
    workspace: str  # id
    origins: tuple[str, ...] = ()  # hosts allowed to send from browsers; empty: all
    timezone: str = "UTC"
    keep_days: int | None = None  # whole local days before today that events are kept; None: all
    created_at: int = 0
    deleted_at: int | None = None  # since then nothing of it is read or taken; it can be restored for a while

    @property
    def active(self) -> bool:
        return self.deleted_at is None


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
    key: str = ""  # id
    rate: int | None = None  # requests a second that it may send; None: any


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

    def authenticate(self, request: Request) -> Credential | None:
        """The live key that the request proves; None if it carries nothing of this scheme.

        Raises Unauthorized, NotFound, or Invalid where the key stands in a malformed body.
        """

    def issue(self, project: Project) -> Issued | None:
        """Make a new key for `project`; None if the scheme reads another scheme's keys."""


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
    over_budget: int = 0  # valid events of a request that was dropped whole; then none is accepted


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
    over_budget: Policy  # its habit, where the workspace has no policy of its own
    too_fast: TooFast  # the one after which its clients send the same again

    def decode(self, request: Request, project: Project) -> Decoded:
        """Events of a body. Raises Invalid or Forbidden when the whole request is refused."""

    def reply(self, outcome: Outcome) -> Reply:
        """The answer once the events are on disk, or were dropped over budget."""


class Enricher(Protocol):
    """Adds to, or drops, a request's events before they are stored."""

    name: str

    def enrich(self, events: Sequence[Event], project: Project, sender: Sender, address: str | None) -> None:
        """Fill fields in place; set `drop` to a short reason to leave an event of `project` out.

        `address` is None where it says nothing about the person. Runs on the event loop: a cached
        look-up, no input or output.
        """
