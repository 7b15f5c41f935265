"""The live view of users, members, sessions and links, and how each edit of them is written with its audit entry."""

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias, TypeVar

import msgspec

from saastracker import audit
from saastracker.accounts.model import (
    Choices,
    Destination,
    Invitation,
    Members,
    PasswordLink,
    Session,
    Share,
    Signed,
    User,
)
from saastracker.contracts import Change, RecordStore
from saastracker.errors import Conflict, NotFound
from saastracker.facts import ATTEMPTS
from saastracker.records import HOUR_MS
from saastracker.roles import Role
from saastracker.secrets import digest

Lapsing: TypeAlias = Session | Invitation | PasswordLink | Share
Thing: TypeAlias = User | Members | Choices | Destination | Lapsing
T = TypeVar("T")

KINDS: Mapping[str, type[Thing]] = {
    "user": User,
    "members": Members,
    "choices": Choices,
    "destination": Destination,
    "session": Session,
    "invitation": Invitation,
    "password-link": PasswordLink,
    "share": Share,
}
LAPSING = ("session", "invitation", "password-link", "share")  # the kinds that end by themselves
SEEN_MS = HOUR_MS  # how exactly it is kept when a session or a shared report was used last
_KIND = {kind: name for name, kind in KINDS.items()}


class Edit(NamedTuple):
    """One record that changes, and what the audit trail says of it: never the record itself, which holds hashes."""

    action: audit.Action
    thing: Thing
    told: Mapping[str, Any] | None = None  # None: nothing
    workspace: str = ""  # whose audit trail, if only one's


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """Everybody at one change number, oldest first. Never changes."""

    change: int = -1
    users: Mapping[str, User] = {}  # by id
    by_email: Mapping[str, User] = {}
    members: Mapping[str, Members] = {}  # by id of the workspace
    roles: Mapping[str, Mapping[str, Role]] = {}  # by ids of user and workspace
    choices: Mapping[str, Choices] = {}  # by id of the user
    destinations: Mapping[str, Destination] = {}  # by id
    sessions: Mapping[str, Session] = {}  # by id
    sessions_by_user: Mapping[str, Sequence[Session]] = {}  # by id of the user
    invitations: Mapping[str, Invitation] = {}  # by id
    password_links: Mapping[str, PasswordLink] = {}  # by id of the user
    shares: Mapping[str, Share] = {}  # by id
    by_digest: Mapping[str, Lapsing] = {}
    versions: Mapping[tuple[str, str], int] = {}  # by kind and id

    def of_workspace(self, workspace: str) -> Mapping[str, Role]:
        """The members of a workspace: roles by id of the user."""
        members = self.members.get(workspace)
        return members.roles if members else {}

    def sessions_of(self, user: str, now: int) -> list[Session]:
        """Where a user is signed in, last used first."""
        found = (each for each in self.sessions_by_user.get(user, ()) if each.live(now))
        return sorted(found, key=lambda session: session.seen_at, reverse=True)

    def seen(self, user: User, now: int) -> int | None:
        """When a user was here last, to the hour; None: never."""
        return next((session.seen_at for session in self.sessions_of(user.id, now)), user.signed_in_at)

    def invitations_to(self, workspace: str, now: int) -> list[Invitation]:
        """The open invitations of a workspace, oldest first."""
        return [each for each in self.invitations.values() if each.workspace == workspace and each.live(now)]


class People:
    """The newest users, members, sessions and links. Safe from several threads."""

    def __init__(self, store: RecordStore) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._seen: dict[str, int] = {}  # when sessions and shared reports were used of late, by id
        self.snapshot = Snapshot()
        self.refresh()

    def refresh(self) -> None:
        """Look for writes by anyone, and write down which sessions and shared reports were used."""
        self._look()
        seen, self._seen = self._seen, {}
        known: dict[str, Session | Share] = {**self.snapshot.sessions, **self.snapshot.shares}
        edits = [
            Edit("change", msgspec.structs.replace(known[each], seen_at=at))
            for each, at in seen.items()
            if each in known and at - known[each].seen_at >= SEEN_MS  # still: another process may have written it
        ]
        if edits:
            try:
                self._store.write(writes(self.snapshot, "", 0, edits))
            except Conflict:
                pass  # they are used again, or it does not matter
            finally:
                self._look()

    def signed(self, token: str, now: int) -> Signed | None:
        """Who the token of a session's cookie is of. Looks up a digest, so timing tells nothing about the token."""
        snapshot = self.snapshot
        session = snapshot.by_digest.get(digest(token))
        if not isinstance(session, Session) or not session.live(now):
            return None
        user = snapshot.users.get(session.user)
        if user is None:
            return None
        self.use(session, now)
        return Signed(user=user, session=session, roles=snapshot.roles.get(user.id, {}))

    def use(self, thing: Session | Share, now: int) -> None:
        """Remember that it was used, until the next refresh writes it down."""
        if now - thing.seen_at >= SEEN_MS:
            self._seen[thing.id] = now

    def user(self, user: str) -> User:
        """Raises NotFound."""
        found = self.snapshot.users.get(user)
        if found is None:
            raise NotFound(f"There is no user {user[:64]}.")
        return found

    def edit(self, who: str, now: int, make: Callable[[Snapshot], tuple[Sequence[Edit], T]]) -> T:
        """Write what `make` finds to change in the newest snapshot, as one write with its audit entries.

        If another process was faster it is asked again, so what it checks still holds when it is written. Raises
        what it raises, and Conflict if others keep writing.
        """
        for _ in range(ATTEMPTS):
            self._look()
            snapshot = self.snapshot
            edits, result = make(snapshot)
            try:
                self._store.write(writes(snapshot, who, now, edits))
            except Conflict:
                continue
            finally:
                self._look()
            return result
        raise Conflict("Another process keeps writing; try again.")

    def _look(self) -> None:
        with self._lock:
            for _ in range(ATTEMPTS):
                change = self._store.change()
                if change == self.snapshot.change:
                    return
                self.snapshot = _read(self._store, change)  # and once more: somebody may have written meanwhile


def _read(store: RecordStore, change: int) -> Snapshot:
    things: dict[str, dict[str, Any]] = {kind: {} for kind in KINDS}
    versions = {}
    for kind, struct in KINDS.items():
        for record in store.records(kind):
            things[kind][record.id] = msgspec.json.decode(record.data, type=struct)
            versions[kind, record.id] = record.version
    roles: dict[str, dict[str, Role]] = {}
    for members in things["members"].values():
        for user, role in members.roles.items():
            roles.setdefault(user, {})[members.id] = role
    sessions_by_user: dict[str, list[Session]] = {}
    for session in things["session"].values():
        sessions_by_user.setdefault(session.user, []).append(session)
    return Snapshot(
        change=change,
        users=things["user"],
        by_email={user.email: user for user in things["user"].values()},
        members=things["members"],
        roles=roles,
        choices=things["choices"],
        destinations=things["destination"],
        sessions=things["session"],
        sessions_by_user=sessions_by_user,
        invitations=things["invitation"],
        password_links=things["password-link"],
        shares=things["share"],
        by_digest={thing.digest: thing for kind in LAPSING for thing in things[kind].values()},
        versions=versions,
    )


def writes(snapshot: Snapshot, who: str, now: int, edits: Sequence[Edit]) -> list[Change]:
    """What has to be written together: the edits, and the audit entries of those that tell something."""
    changes = [
        Change(
            kind=_KIND[type(edit.thing)],
            id=edit.thing.id,
            version=_version(snapshot, edit.thing),
            data=None if edit.action == "delete" else msgspec.json.encode(edit.thing),
            name=_unique_name(edit.thing),
        )
        for edit in edits
        if edit.action != "lock"
    ]
    return changes + [_entry(snapshot, who, now, edit) for edit in edits if edit.told is not None]


def _version(snapshot: Snapshot, thing: Thing) -> int:
    return snapshot.versions.get((_KIND[type(thing)], thing.id), 0)


def _unique_name(thing: Thing) -> str | None:
    if isinstance(thing, User):
        return thing.email
    if isinstance(thing, Invitation) and thing.email is not None:
        return f"{thing.workspace}/{thing.email}"
    return None


def _entry(snapshot: Snapshot, who: str, now: int, edit: Edit) -> Change:
    version = _version(snapshot, edit.thing)
    return audit.record(
        audit.Entry(
            at=now,
            who=who,
            project="",
            workspace=edit.workspace,
            action=edit.action,
            kind=_KIND[type(edit.thing)],
            record=edit.thing.id,
            version=version if edit.action in {"delete", "lock"} else version + 1,
            value=msgspec.Raw(msgspec.json.encode(edit.told)),
        )
    )


def expire(store: RecordStore, now: int) -> None:
    """Remove sessions and links that are over."""
    changes = []
    for kind in LAPSING:
        for record in store.records(kind):
            thing = msgspec.json.decode(record.data, type=KINDS[kind])
            if isinstance(thing, Lapsing) and not thing.live(now):
                changes.append(Change(kind, record.id, record.version, None))
    if changes:
        store.write(changes)
