"""Small facts: workspaces, projects, keys and tokens, as typed records, and a snapshot of them."""

import time
from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias

import msgspec

from saastracker.secrets import digest
from saastracker.wire import Credential, Policy, Project

AccessScope: TypeAlias = Literal["read", "write", "admin"]

HOUR_MS = 3600 * 1000
ERASED = "erased-project"  # kind of record
RESTORABLE_MS = 7 * 24 * HOUR_MS  # how long a deleted project can be restored


class Workspace(msgspec.Struct, frozen=True, kw_only=True):
    """Who projects belong to and whose budget they use."""

    id: str
    name: str  # unique per server
    budget: int | None = None  # events per UTC month
    policy: Policy | None = None  # what becomes of events over budget; None: the format's habit
    created_at: int = 0


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """What an auth scheme issued, without what it showed."""

    id: str
    project: str  # id
    scheme: str
    lookup: str
    secret: str = ""  # encrypted
    digest: str = ""  # hex
    hint: str = ""  # the last characters of the key, to recognize it by
    rate: int | None = None  # requests a second that it may send; None: any
    created_at: int = 0
    expires_at: int | None = None
    revoked_at: int | None = None

    def live(self, now: int) -> bool:
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """An API token, without its text."""

    id: str
    name: str
    workspace: str  # id
    project: str | None = None  # id; None: all projects of the workspace
    scope: AccessScope = "read"
    digest: str
    created_at: int = 0
    revoked_at: int | None = None


class ErasedProject(msgspec.Struct, frozen=True, kw_only=True):
    """What is left of a project that was erased: whose budget its events have used."""

    workspace: str  # id


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """All facts at one change number, oldest first. Never changes."""

    change: int = -1
    until: int | None = None  # when the next key expires
    workspaces: Mapping[str, Workspace] = {}  # by id
    projects: Mapping[str, Project] = {}  # by id
    erased: Mapping[str, str] = {}  # workspaces of projects that are no more, by their ids
    projects_by_slug: Mapping[str, Project] = {}
    keys: Mapping[str, Key] = {}  # by id, dead ones too
    tokens: Mapping[str, Token] = {}  # by id, revoked ones too
    live: Mapping[tuple[str, str], tuple[Credential, ...]] = {}  # by (scheme, lookup)
    by_digest: Mapping[str, Token] = {}
    versions: Mapping[str, int] = {}  # by id

    def credentials(self, scheme: str, lookup: str) -> Sequence[Credential]:
        return self.live.get((scheme, lookup), ())

    def token(self, text: str) -> Token | None:
        """The live token with this text. Looks up a digest, so timing tells nothing about the text."""
        return self.by_digest.get(digest(text))


def erased_at(deleted_at: int) -> int:
    """When a project can no longer be restored that was deleted then."""
    return deleted_at + RESTORABLE_MS


def now_ms() -> int:
    return time.time_ns() // 1_000_000
