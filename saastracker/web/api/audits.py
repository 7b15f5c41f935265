"""The audit log over the API: who changed what in a workspace, and who signed in."""

from itertools import islice
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from saastracker import audit
from saastracker.web.api.fields import Id, Slug, Time, Who
from saastracker.web.api.operation import Call, operation
from saastracker.web.faces import iso
from saastracker.web.trail import trail

TAG = "Audit log"


class EntryShown(msgspec.Struct, frozen=True, kw_only=True):
    """One change."""

    id: Id
    at: Time
    who: Who
    action: Annotated[audit.Action, Meta(description="lock: too many tries to sign in failed.")]
    kind: Annotated[str, Meta(description="Of what changed.", examples=["project", "definition:feature"])]
    record: Annotated[str, Meta(description="Id of what changed.")]
    project: Annotated[Slug, Meta(description="The project it belongs to; null: none.")] | None
    version: Annotated[int, Meta(ge=0, description="It has since, or had when it was deleted.")]
    value: Annotated[Any, Meta(description="What it says since, without secrets; null: it was deleted.")]


@operation(
    TAG,
    "GET",
    "/workspaces/{workspace}/audit",
    needed="admin",
    answer=EntryShown,
    listed=lambda each: each.id,
    paged=True,
)
def list_entries(call: Call) -> list[EntryShown]:
    """The audit log of a workspace, newest first."""
    projects = call.site.facts.snapshot.projects
    return [
        EntryShown(
            id=record,
            at=iso(entry.at),
            who=entry.who,
            action=entry.action,
            kind=entry.kind,
            record=entry.record,
            project=projects[entry.project].slug if entry.project in projects else None,
            version=entry.version,
            value=entry.value,
        )
        for record, entry in islice(trail(call.site, call.workspace.id, call.after or None), call.parameters.limit + 1)
    ]
