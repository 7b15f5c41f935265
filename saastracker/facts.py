"""The live view of small facts, and the edits that commands and pages make."""

import re
import threading
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any, TypeAlias
from uuid import uuid4
from zoneinfo import available_timezones

import msgspec

from saastracker.contracts import Change, RecordStore
from saastracker.errors import Conflict, OperatorError
from saastracker.event import NAME_MAX
from saastracker.records import HOUR_MS, AccessScope, Key, Policy, Snapshot, Token, Workspace, now_ms
from saastracker.secrets import Secrets, digest, new_token
from saastracker.wire import AuthScheme, Credential, Project

Issue: TypeAlias = tuple[Key, Mapping[str, str]]  # a new key, and what to show of it once
Fact: TypeAlias = Workspace | Project | Key | Token

KINDS: Mapping[str, type[Fact]] = {"workspace": Workspace, "project": Project, "key": Key, "token": Token}
_KIND = {kind: name for name, kind in KINDS.items()}
SLUG_MAX = 60  # characters
ATTEMPTS = 5  # when another process writes at the same moment
DEFAULT_WORKSPACE = "Default"
_HOST = re.compile(r"(\*\.)?(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]*[a-z0-9])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9])?)*")


class Facts:
    """The newest facts, and every edit of them. Implements `wire.Projects`; safe from several threads.

    An edit is one write that fails as a whole with Conflict if another process was faster.
    """

    def __init__(self, store: RecordStore, secrets: Secrets) -> None:
        """Raises OperatorError if the secrets in `store` were encrypted with another key."""
        self._store = store
        self._secrets = secrets
        self._lock = threading.Lock()
        self._held: list[Fact | Change] | None = None  # within `at_once`
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
            self.snapshot = self._build(change, now)
            return True

    def _build(self, change: int, now: int) -> Snapshot:
        facts: dict[str, dict[str, Any]] = {kind: {} for kind in KINDS}
        versions = {}
        for kind, struct in KINDS.items():  # not all records: those of others, such as the audit trail, grow
            for record in self._store.records(kind):
                facts[kind][record.id] = msgspec.json.decode(record.data, type=struct)
                versions[record.id] = record.version
        projects: dict[str, Project] = facts["project"]
        keys: list[Key] = [key for key in facts["key"].values() if key.live(now)]
        live: dict[tuple[str, str], tuple[Credential, ...]] = {}
        for key in keys:
            project = projects.get(key.project)
            if project is not None and project.active:
                place = (key.scheme, key.lookup)
                live[place] = (*live.get(place, ()), self._credential(project, key))
        return Snapshot(
            change=change,
            until=min((key.expires_at for key in keys if key.expires_at is not None), default=None),
            workspaces=MappingProxyType(facts["workspace"]),
            projects=MappingProxyType(projects),
            projects_by_slug=MappingProxyType({project.slug: project for project in projects.values()}),
            keys=MappingProxyType(facts["key"]),
            tokens=MappingProxyType(facts["token"]),
            live=MappingProxyType(live),
            by_digest=MappingProxyType(
                {token.digest: token for token in facts["token"].values() if token.revoked_at is None}
            ),
            versions=MappingProxyType(versions),
        )

    def _credential(self, project: Project, key: Key) -> Credential:
        secret = self._secrets.decrypt(key.secret) if key.secret else b""
        return Credential(project=project, secret=secret, digest=bytes.fromhex(key.digest))

    @contextmanager
    def at_once(self) -> Iterator[list[Fact | Change]]:
        """Edits within are written together at the end, or none of them. Not for several threads.

        Records of others that have to be written with them are appended to what it yields.
        """
        held: list[Fact | Change] = []
        self._held = held
        try:
            yield held
        finally:
            self._held = None
        self._write(*held)

    def _write(self, *facts: Fact | Change) -> None:
        if self._held is not None:
            self._held += facts
            return
        versions = self.snapshot.versions
        changes = [
            fact
            if isinstance(fact, Change)
            else Change(
                kind=_KIND[type(fact)],
                id=fact.id,
                version=versions.get(fact.id, 0),
                data=msgspec.json.encode(fact),
                name=_unique_name(fact),
            )
            for fact in facts
        ]
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

    def add_workspace(self, name: str) -> Workspace:
        """Raises Conflict if the name is taken."""
        workspace = Workspace(id=str(uuid4()), name=_check_name(name), created_at=now_ms())
        self._write(workspace)
        return workspace

    def set_workspace(self, workspace: str, *, budget: int | None, policy: Policy | None) -> Workspace:
        """Set budget and policy of the workspace with this id."""
        new = msgspec.structs.replace(self.snapshot.workspaces[workspace], budget=budget, policy=policy)
        self._write(new)
        return new

    def add_project(self, name: str, workspace: str, *, origins: Sequence[str] = (), timezone: str = "UTC") -> Project:
        """A new project without keys. Raises OperatorError for an unknown zone or a wrong origin."""
        project = Project(
            id=str(uuid4()),
            slug="",
            name=_check_name(name),
            workspace=workspace,
            origins=tuple(_check_origin(origin) for origin in origins),
            timezone=_check_timezone(timezone),
            created_at=now_ms(),
        )
        for _ in range(ATTEMPTS):
            new = msgspec.structs.replace(project, slug=_free_slug(name, self.snapshot.projects_by_slug))
            try:
                self._write(new)
            except Conflict:
                continue
            return new
        raise Conflict("Another process keeps writing; try again.")

    def issue_key(self, project: Project, scheme: AuthScheme) -> Issue | None:
        """A new key; None if the scheme has no keys of its own."""
        return self.rotate(project, scheme, overlap_ms=None)

    def rotate(self, project: Project, scheme: AuthScheme, *, overlap_ms: int | None = 24 * HOUR_MS) -> Issue | None:
        """A new key; the project's others of this scheme stay live for `overlap_ms` at most, None: as before."""
        issued = scheme.issue(project)
        if issued is None:
            return None
        now = now_ms()
        key = Key(
            id=str(uuid4()),
            project=project.id,
            scheme=scheme.name,
            lookup=issued.lookup,
            secret=self._secrets.encrypt(issued.secret) if issued.secret else "",
            digest=issued.digest.hex(),
            hint="".join(issued.shown.values())[-4:],
            created_at=now,
        )
        old = () if overlap_ms is None else self._expiring(project, scheme, now, now + overlap_ms)
        self._write(key, *old)
        return key, issued.shown

    def _expiring(self, project: Project, scheme: AuthScheme, now: int, end: int) -> Sequence[Key]:
        """The live keys of `project` for `scheme`, each ending at `end` or earlier."""
        return [
            msgspec.structs.replace(key, expires_at=min(end, key.expires_at or end))
            for key in self.snapshot.keys.values()
            if (key.project, key.scheme) == (project.id, scheme.name) and key.live(now)
        ]

    def revoke_key(self, key: str) -> Key:
        """Revoke the key with this id at once."""
        new = msgspec.structs.replace(self.snapshot.keys[key], revoked_at=now_ms())
        self._write(new)
        return new

    def add_token(
        self, name: str, workspace: str, scope: AccessScope, *, project: str | None = None
    ) -> tuple[Token, str]:
        """A new token and its text, which is kept nowhere."""
        text = new_token()
        token = Token(
            id=str(uuid4()),
            name=_check_name(name),
            workspace=workspace,
            project=project,
            scope=scope,
            digest=digest(text),
            created_at=now_ms(),
        )
        self._write(token)
        return token, text

    def revoke_token(self, token: str) -> Token:
        """Revoke the token with this id at once."""
        new = msgspec.structs.replace(self.snapshot.tokens[token], revoked_at=now_ms())
        self._write(new)
        return new


def _check_name(name: str) -> str:
    if not 1 <= len(name.strip()) <= NAME_MAX or not name.isprintable():
        raise OperatorError(f"A name has 1 to {NAME_MAX} printable characters; found {name[:NAME_MAX]!r}")
    return name.strip()


def _check_timezone(zone: str) -> str:
    # Not what ZoneInfo opens: that takes files of leap seconds and of this machine's own zone too, browsers do not.
    if zone not in available_timezones() - {"Factory", "localtime"}:
        raise OperatorError(f"Unknown time zone {zone!r}; use a name such as Europe/Berlin or UTC")
    return zone


def _check_origin(origin: str) -> str:
    host = origin.strip().lower()
    if not _HOST.fullmatch(host):
        raise OperatorError(f"Wrong origin {origin!r}; use a host such as app.example.com or *.example.com")
    return host


def _free_slug(name: str, taken: Mapping[str, Project]) -> str:
    """The name in lower-case ASCII letters, digits and hyphens, with a number where it is taken."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain)[:SLUG_MAX].strip("-") or "project"
    number, free = 1, slug
    while free in taken:
        number += 1
        free = f"{slug}-{number}"
    return free


def _unique_name(fact: Fact) -> str | None:
    if isinstance(fact, Project):
        return fact.slug
    return fact.name if isinstance(fact, Workspace) else None
