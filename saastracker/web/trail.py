"""The audit trail of a workspace: what changed in it, and what its members did with their accounts."""

from collections.abc import Iterator

import msgspec

from saastracker import audit
from saastracker.web.site import Site

OF_USERS = ("user", "session")  # kinds of records that belong to no workspace, but to a member


PAGE = 500  # entries that are read at once


def trail(site: Site, workspace: str, before: str | None = None) -> Iterator[tuple[str, audit.Entry]]:
    """Ids and entries, newest first; those older than the one with the id `before`. Reads as far as one goes on."""
    facts, members = site.facts.snapshot, site.accounts.snapshot.of_workspace(workspace)
    projects = {each.id for each in facts.projects.values() if each.workspace == workspace}
    while found := site.records.newest(audit.KIND, PAGE, before):
        for record in found:
            entry = audit.read(record)
            ours = entry.workspace == workspace or entry.project in projects
            if ours or (not entry.workspace and entry.kind in OF_USERS and _user(entry) in members):
                yield record.id, entry
        before = found[-1].id


def _user(entry: audit.Entry) -> object:
    if entry.kind == "user":
        return entry.record
    told = msgspec.json.decode(entry.value)
    return told.get("user") if isinstance(told, dict) else None
