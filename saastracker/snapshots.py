"""Reads all small facts of a store into one snapshot."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, TypeAlias

import msgspec

from saastracker.contracts import RecordStore
from saastracker.records import Key, Snapshot, Token, Workspace
from saastracker.secrets import Secrets
from saastracker.wire import Credential, Project

Fact: TypeAlias = Workspace | Project | Key | Token

KINDS: Mapping[str, type[Fact]] = {"workspace": Workspace, "project": Project, "key": Key, "token": Token}


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
    return Credential(project=project, secret=secret, digest=bytes.fromhex(key.digest))
