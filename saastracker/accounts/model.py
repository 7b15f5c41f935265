"""Who there is: users, members of workspaces, sessions, and links that let somebody in or show a report."""

from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from saastracker.errors import NotFound
from saastracker.records import HOUR_MS
from saastracker.roles import Role, may

DAY_MS = 24 * HOUR_MS
SESSION_MS = 30 * DAY_MS  # since it was last used
INVITATION_MS = 7 * DAY_MS
PASSWORD_LINK_MS = DAY_MS


class Credentials(msgspec.Struct, frozen=True, kw_only=True):
    """How a user proves who they are. Nothing of it is ever shown."""

    password: str = ""  # argon2id; empty: only a link lets the user in
    factor: str = ""  # secret of the second factor, encrypted
    step: int = 0  # the last of the second factor's steps that a code was taken for; none is taken twice
    recovery: tuple[str, ...] = ()  # digests of the codes that are left

    def __repr__(self) -> str:
        return "Credentials()"


class User(msgspec.Struct, frozen=True, kw_only=True):
    """A person who signs in."""

    id: str
    name: str
    email: str  # lower case; unique per server
    credentials: Credentials
    created_at: int
    signed_in_at: int | None = None  # changes with every sign-in, so that none passes a new password by


class Members(msgspec.Struct, frozen=True, kw_only=True):
    """Who belongs to a workspace. One record each, so that two edits at once never remove its last two owners."""

    id: str  # of the workspace
    roles: Mapping[str, Role] = {}  # by id of the user


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """One browser that a user is signed in with."""

    id: str
    user: str  # id
    digest: str  # of the token its cookie holds
    agent: str  # browser and system, in words
    created_at: int
    seen_at: int  # to the hour

    def live(self, now: int) -> bool:
        return now < self.seen_at + SESSION_MS


class Invitation(msgspec.Struct, frozen=True, kw_only=True):
    """A link with which one person joins a workspace."""

    id: str
    workspace: str  # id
    role: Role
    email: str | None  # None: whoever has the link says
    digest: str
    invited_by: str
    created_at: int
    expires_at: int

    def live(self, now: int) -> bool:
        return now < self.expires_at


class PasswordLink(msgspec.Struct, frozen=True, kw_only=True):
    """A link with which a user chooses a new password."""

    id: str  # of the user, so that each has one at most
    digest: str
    created_at: int
    expires_at: int

    def live(self, now: int) -> bool:
        return now < self.expires_at


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """A link that shows one report to whoever has it, while its maker may share and the project is there."""

    id: str
    digest: str
    workspace: str  # id
    project: str  # id
    report: str  # slug
    item: str | None = None  # the thing it is about, of a report that has details
    title: str  # of the report or the thing, when the link was made
    query: str = ""  # the scope; visitors change no more than its span
    fixed: bool = False  # not even that
    origins: tuple[str, ...] = ()  # whose pages may hold it in a frame
    maker: str  # id of the user or the API token
    made_by: str
    created_at: int
    expires_at: int | None = None
    seen_at: int = 0  # when it was opened last, to the hour; 0: never

    def live(self, now: int) -> bool:
        return self.expires_at is None or now < self.expires_at


class Choices(msgspec.Struct, frozen=True, kw_only=True):
    """What a user wants to hear of by mail, where that is not the default."""

    id: str  # of the user
    topics: Mapping[str, Mapping[str, bool]] = {}  # by id of the workspace, then by topic


class Destination(msgspec.Struct, frozen=True, kw_only=True):
    """Where a channel sends notices of a workspace to, beside its people: such as a webhook."""

    id: str
    workspace: str  # id
    channel: str
    name: str
    address: str
    secret: str  # encrypted
    topics: tuple[str, ...]
    project: str | None = None  # id; None: of all projects, and of the workspace
    created_at: int


class By(NamedTuple):
    """Who makes a change, and what they are in its workspace."""

    who: str
    role: Role


OPERATOR = By("command line", "owner")


class Signed(msgspec.Struct, frozen=True, kw_only=True):
    """A user who is signed in, as of now."""

    user: User
    session: Session
    roles: Mapping[str, Role]  # by id of the workspace

    def may(self, workspace: str, needed: Role) -> bool:
        return may(self.roles.get(workspace), needed)

    def by(self, workspace: str) -> By:
        """As who this user changes a workspace. Raises NotFound for a stranger."""
        role = self.roles.get(workspace)
        if role is None:
            raise NotFound("There is no such workspace here.")
        return By(self.user.email, role)
