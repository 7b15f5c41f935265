"""Reads all small facts of a store into one snapshot, and tells the audit trail of one."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, TypeAlias

import msgspec

from saastracker import audit
from saastracker.contracts import RecordStore
from saastracker.records import ERASED, ErasedProject, Key, Snapshot, Token, Workspace
from saastracker.secrets import Secrets
from saastracker.wire import Credential, Project

Fact: TypeAlias = Workspace | Project | Key | Token

KINDS: Mapping[str, type[Fact]] = {"workspace": Workspace, "project": Project, "key": Key, "token": Token}
KIND_OF = {kind: name for name, kind in KINDS.items()}
_SECRET = ("secret", "digest", "lookup")  # what the audit trail leaves out


def read(store: RecordStore, secrets: Secrets, change: int, now: int) -> Snapshot:
    """The facts as of `change`. Raises OperatorError if their secrets were encrypted with another key."""
    facts: dict[str, dict[str, Any]] = {kind: {} for kind in KINDS}
    versions = {}
    for kind, struct in KINDS.items():  # not all records: those of others, such as the audit trail, grow
        for record in store.records(kind):
            facts[kind][record.id] = msgspec.json.decode(record.data, type=struct)
            versions[record.id] = record.version
    projects: dict[str, Project] = facts["project"]
    keys: list[Key] = [key for key in facts["key"].values() if key.live(now)]
    live: dict[tuple[str, str], tuple[Credential, ...]] = {}
    for key in keys:
        project = projects.get(key.project)
        if project is not None and project.active:
            place = (key.scheme, key.lookup)
            live[place] = (*live.get(place, ()), _credential(secrets, project, key))
    return Snapshot(
        change=change,
        until=min((key.expires_at for key in keys if key.expires_at is not None), default=None),
        workspaces=MappingProxyType(facts["workspace"]),
        projects=MappingProxyType(projects),
        erased=MappingProxyType(
            {
                record.id: msgspec.json.decode(record.data, type=ErasedProject).workspace
                for record in store.records(ERASED)
            }
        ),
        projects_by_slug=MappingProxyType({project.slug: project for project in projects.values()}),
        keys=MappingProxyType(facts["key"]),
        tokens=MappingProxyType(facts["token"]),
        live=MappingProxyType(live),
        by_digest=MappingProxyType(
            {token.digest: token for token in facts["token"].values() if token.revoked_at is None}
        ),
        versions=MappingProxyType(versions),
    )


def _credential(secrets: Secrets, project: Project, key: Key) -> Credential:
    secret = secrets.decrypt(key.secret) if key.secret else b""
    return Credential(project=project, secret=secret, digest=bytes.fromhex(key.digest), key=key.id, rate=key.rate)


def unique_name(fact: Fact) -> str | None:
    """What no other fact of its kind may be called."""
    if isinstance(fact, Project):
        return fact.slug
    return fact.name if isinstance(fact, Workspace) else None


def entry(fact: Fact, who: str, version: int, now: int) -> audit.Entry:
    """What the audit trail says of a fact that had `version` until now, 0 for a new one."""
    told = {name: value for name, value in msgspec.to_builtins(fact).items() if name not in _SECRET}
    project = fact.id if isinstance(fact, Project) else fact.project if isinstance(fact, Key) else ""
    # A project's own entries outlive it.
    workspace = "" if isinstance(fact, Key) else fact.id if isinstance(fact, Workspace) else fact.workspace
    return audit.Entry(
        at=now,
        who=who,
        project=project,
        workspace=workspace,
        action="change" if version else "create",
        kind=KIND_OF[type(fact)],
        record=fact.id,
        version=version + 1,
        value=msgspec.Raw(msgspec.json.encode(told)),
    )
