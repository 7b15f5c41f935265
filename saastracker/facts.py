"""The live view of small facts, and the edits that commands and pages make."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TypeAlias
from uuid import uuid4

import msgspec

from saastracker import audit
from saastracker.contracts import Change, RecordStore
from saastracker.errors import Conflict, Stale
from saastracker.fact_rules import check_keep_days, check_name, check_origins, check_rate, check_timezone, free_slug
from saastracker.key_uses import KeyUses
from saastracker.records import HOUR_MS, AccessScope, Key, Snapshot, Token, Workspace, erased_at, now_ms
from saastracker.secrets import Secrets, digest, new_token
from saastracker.snapshots import KIND_OF, Fact, entry, read, unique_name
from saastracker.wire import AuthScheme, Credential, Policy, Project

Issue: TypeAlias = tuple[Key, Mapping[str, str]]  # a new key, and what to show of it once

ATTEMPTS = 5  # when another process writes at the same moment
DEFAULT_WORKSPACE = "Default"
COMMAND_LINE = "command line"  # who makes a change where nobody is signed in


class Facts:
    """The newest facts, and every edit of them. Implements `wire.Projects`; safe from several threads.

    An edit is one write that fails as a whole with Conflict if another process was faster.
    """

    def __init__(self, store: RecordStore, secrets: Secrets) -> None:
        """Raises OperatorError if the secrets in `store` were encrypted with another key."""
        self._store = store
        self._secrets = secrets
        self._lock = threading.Lock()
        self._held: list[Change] | None = None  # within `at_once`
        self.uses = KeyUses(store)
        self.snapshot = Snapshot()
        self.refresh()

    def credentials(self, scheme: str, lookup: str) -> Sequence[Credential]:
        return self.snapshot.credentials(scheme, lookup)

    def refresh(self) -> bool:
        """Look for writes by anyone and for expired keys; whether `snapshot` was replaced."""
        with self._lock:
            change = self._store.change()
            now = now_ms()
            old = self.snapshot
            if change == old.change and (old.until is None or now < old.until):
                return False
            self.snapshot = read(self._store, self._secrets, change, now)
            return True

    @contextmanager
    def at_once(self) -> Iterator[list[Change]]:
        """Edits within are written together at the end, or none of them. Not for several threads.

        Records of others that have to be written with them are appended to what it yields.
        """
        held: list[Change] = []
        self._held = held
        try:
            yield held
        finally:
            self._held = None
        self._store_all(held)

    def _write(self, who: str, *facts: Fact, beside: Sequence[Change] = ()) -> None:
        """The facts, an entry of each in the audit trail and what goes `beside` them, together."""
        versions, now = self.snapshot.versions, now_ms()
        changes = [*beside]
        for fact in facts:
            version = versions.get(fact.id, 0)
            kind, data = KIND_OF[type(fact)], msgspec.json.encode(fact)
            changes.append(Change(kind=kind, id=fact.id, version=version, data=data, name=unique_name(fact)))
            changes.append(audit.record(entry(fact, who, version, now)))
        if self._held is not None:
            self._held += changes
        else:
            self._store_all(changes)

    def _check_version(self, fact: str, seen: int | None) -> None:
        """Raises Stale if a caller saw an older version than the newest."""
        if seen is None:
            return
        self.refresh()
        if self.snapshot.versions[fact] != seen:
            raise Stale(f"It was changed since version {seen}; load it again.")

    def _store_all(self, changes: Sequence[Change]) -> None:
        try:
            self._store.write(changes)
        finally:
            self.refresh()  # after a conflict too, so that the next try sees what was written

    # --- Edits ---

    def default_workspace(self) -> Workspace:
        """The oldest workspace; made if there is none."""
        self.refresh()
        for workspace in self.snapshot.workspaces.values():
            return workspace
        return self.add_workspace(DEFAULT_WORKSPACE)

    def add_workspace(
        self, name: str, *, who: str = COMMAND_LINE, beside: Callable[[Workspace], Sequence[Change]] = lambda _: ()
    ) -> Workspace:
        """Written together with what `beside` makes for it. Raises WrongField, Conflict if the name is taken."""
        workspace = Workspace(id=str(uuid4()), name=check_name(name), created_at=now_ms())
        self._write(who, workspace, beside=beside(workspace))
        return workspace

    def set_workspace(
        self,
        workspace: str,
        *,
        budget: int | None,
        policy: Policy | None,
        name: str | None = None,
        version: int | None = None,
        who: str = COMMAND_LINE,
    ) -> Workspace:
        """Set budget and policy of the workspace with this id, and its name if one is given.

        Raises WrongField, Conflict if the name is taken, Stale unless `version` is the newest or None.
        """
        self._check_version(workspace, version)
        old = self.snapshot.workspaces[workspace]
        named = old.name if name is None else check_name(name)
        new = msgspec.structs.replace(old, name=named, budget=budget, policy=policy)
        self._write(who, new)
        return new

    def add_project(
        self,
        name: str,
        workspace: str,
        *,
        origins: Sequence[str] = (),
        timezone: str = "UTC",
        keep_days: int | None = None,
        who: str = COMMAND_LINE,
    ) -> Project:
        """A new project without keys. Raises WrongField."""
        project = Project(
            id=str(uuid4()),
            slug="",
            name=check_name(name),
            workspace=workspace,
            origins=check_origins(origins),
            timezone=check_timezone(timezone),
            keep_days=check_keep_days(keep_days),
            created_at=now_ms(),
        )
        for _ in range(ATTEMPTS):
            new = msgspec.structs.replace(project, slug=free_slug(name, self.snapshot.projects_by_slug))
            try:
                self._write(who, new)
            except Conflict:
                continue
            return new
        raise Conflict("Another process keeps writing; try again.")

    def set_project(
        self,
        project: str,
        *,
        name: str,
        origins: Sequence[str],
        timezone: str,
        keep_days: int | None = None,
        version: int | None = None,
        who: str = COMMAND_LINE,
    ) -> Project:
        """Change the project with this id; its address stays. What is not kept any more goes with the next night.

        Raises WrongField, Stale unless `version` is the newest or None.
        """
        self._check_version(project, version)
        new = msgspec.structs.replace(
            self.snapshot.projects[project],
            name=check_name(name),
            origins=check_origins(origins),
            timezone=check_timezone(timezone),
            keep_days=check_keep_days(keep_days),
        )
        self._write(who, new)
        return new

    def delete_project(self, project: str, *, who: str = COMMAND_LINE) -> Project:
        """Stop the project with this id: nothing of it is read or taken from now on, until it is restored."""
        new = msgspec.structs.replace(self.snapshot.projects[project], deleted_at=now_ms())
        self._write(who, new)
        return new

    def restore_project(self, project: str, *, who: str = COMMAND_LINE) -> Project:
        """Undo that, with the keys it had. Raises Conflict once it is being erased."""
        old = self.snapshot.projects[project]
        if old.deleted_at is not None and erased_at(old.deleted_at) <= now_ms():
            raise Conflict(f"The time to restore {old.name} is over; it is being erased.")
        new = msgspec.structs.replace(old, deleted_at=None)
        self._write(who, new)
        return new

    def issue_key(
        self, project: Project, scheme: AuthScheme, *, rate: int | None = None, who: str = COMMAND_LINE
    ) -> Issue | None:
        """A new key, which may send `rate` requests a second; None if the scheme has no keys of its own.

        Raises WrongField.
        """
        return self.rotate(project, scheme, overlap_ms=None, rate=rate, who=who)

    def issue_keys(
        self, project: Project, schemes: Mapping[str, AuthScheme], *, who: str = COMMAND_LINE
    ) -> dict[str, Mapping[str, str]]:
        """A key of every scheme that has keys: what to show of each once."""
        issued = {name: self.issue_key(project, scheme, who=who) for name, scheme in schemes.items()}
        return {name: issue[1] for name, issue in issued.items() if issue is not None}

    def rotate(
        self,
        project: Project,
        scheme: AuthScheme,
        *,
        overlap_ms: int | None = 24 * HOUR_MS,
        rate: int | None = None,
        who: str = COMMAND_LINE,
    ) -> Issue | None:
        """A new key; the project's others of this scheme stay live for `overlap_ms` at most, None: as before.

        Without a `rate` it takes over that of the newest key it replaces.
        """
        issued = scheme.issue(project)
        if issued is None:
            return None
        now = now_ms()
        old = () if overlap_ms is None else self._expiring(project, scheme, now, now + overlap_ms)
        key = Key(
            id=str(uuid4()),
            project=project.id,
            scheme=scheme.name,
            lookup=issued.lookup,
            secret=self._secrets.encrypt(issued.secret) if issued.secret else "",
            digest=issued.digest.hex(),
            hint="".join(issued.shown.values())[-4:],
            rate=check_rate(rate or next((key.rate for key in reversed(old)), None)),
            created_at=now,
        )
        self._write(who, key, *old)
        return key, issued.shown

    def _expiring(self, project: Project, scheme: AuthScheme, now: int, end: int) -> Sequence[Key]:
        """The live keys of `project` for `scheme`, each ending at `end` or earlier."""
        return [
            msgspec.structs.replace(key, expires_at=min(end, key.expires_at or end))
            for key in self.snapshot.keys.values()
            if (key.project, key.scheme) == (project.id, scheme.name) and key.live(now)
        ]

    def set_key(self, key: str, *, rate: int | None, who: str = COMMAND_LINE) -> Key:
        """Set how many requests a second the key with this id may send; None: any. Raises WrongField."""
        new = msgspec.structs.replace(self.snapshot.keys[key], rate=check_rate(rate))
        self._write(who, new)
        return new

    def revoke_key(self, key: str, *, who: str = COMMAND_LINE) -> Key:
        """Revoke the key with this id at once."""
        new = msgspec.structs.replace(self.snapshot.keys[key], revoked_at=now_ms())
        self._write(who, new)
        return new

    def add_token(
        self, name: str, workspace: str, scope: AccessScope, *, project: str | None = None, who: str = COMMAND_LINE
    ) -> tuple[Token, str]:
        """A new token and its text, which is kept nowhere."""
        text = new_token()
        token = Token(
            id=str(uuid4()),
            name=check_name(name),
            workspace=workspace,
            project=project,
            scope=scope,
            digest=digest(text),
            created_at=now_ms(),
        )
        self._write(who, token)
        return token, text

    def revoke_token(self, token: str, *, who: str = COMMAND_LINE) -> Token:
        """Revoke the token with this id at once."""
        new = msgspec.structs.replace(self.snapshot.tokens[token], revoked_at=now_ms())
        self._write(who, new)
        return new
