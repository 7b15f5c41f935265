"""Projects over the API: listed, made with their keys, changed, deleted, restored."""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from saastracker.errors import Invalid
from saastracker.records import erased_at
from saastracker.web.api.fields import (
    Id,
    KeepDays,
    Name,
    Origins,
    Paging,
    Shown,
    Slug,
    Time,
    Timezone,
    Version,
    WorkspaceId,
    Zone,
)
from saastracker.web.api.operation import Call, operation
from saastracker.web.faces import iso
from saastracker.wire import Project

TAG = "Projects"

Deleted = Annotated[Time, Meta(description="Null: it is not.")]
Restorable = Annotated[Time, Meta(description="Until then a deleted project can be restored; null: it is not deleted.")]


class ProjectShown(msgspec.Struct, frozen=True, kw_only=True):
    """A project: one event stream."""

    id: Id
    slug: Slug
    version: Version
    name: Name
    workspace: WorkspaceId
    timezone: Zone
    origins: Origins
    keep_days: KeepDays | None
    created_at: Time
    deleted_at: Deleted | None
    restorable_until: Restorable | None


class ProjectMade(ProjectShown, frozen=True, kw_only=True):
    """A new project with its keys."""

    keys: Annotated[
        dict[str, Shown],
        Meta(
            description="By auth scheme; shown this once, keep them now.",
            examples=[{"bearer": {"key": "sk_…"}}],
        ),
    ]


class ProjectChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a project is to be: all of it, what is left out is as of a new one."""

    name: Name
    timezone: Timezone = "UTC"
    origins: Origins = ()
    keep_days: KeepDays | None = None


class ProjectNew(ProjectChange, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A project to make."""

    workspace: WorkspaceId | None = None


class ProjectsAsked(Paging, frozen=True, forbid_unknown_fields=True):
    """Which projects."""

    workspace: Annotated[str, Meta(description="Id of a workspace: only its projects.")] = ""
    deleted: Annotated[bool, Meta(description="Those that were deleted and can be restored, instead.")] = False


@operation(
    TAG,
    "GET",
    "/projects",
    needed=None,
    answer=ProjectShown,
    listed=lambda each: each.slug,
    parameters=ProjectsAsked,
)
def list_projects(call: Call) -> list[ProjectShown]:
    """Projects.

    All that one may read, by slug.
    """
    asked: ProjectsAsked = call.parameters
    found = call.site.projects(call.caller, active=not asked.deleted)
    return [shown(call, each) for each in found if asked.workspace in {"", each.workspace}]


@operation(
    TAG,
    "POST",
    "/projects",
    needed="admin",
    body=ProjectNew,
    answer=ProjectMade,
    status=201,
    refusals=(404, 409),
    location="/projects/{slug}",
)
def add_project(call: Call, body: ProjectNew) -> ProjectMade:
    """Make a project with its keys, which are shown this once.

    `workspace` may be left out by who belongs to one only.
    """
    facts = call.site.facts
    place = call.enter(body.workspace or _only_workspace(call), "admin")
    made = facts.add_project(
        body.name, place.id, timezone=body.timezone, origins=body.origins, keep_days=body.keep_days, who=call.who
    )
    keys = facts.issue_keys(made, call.site.registry.auth_schemes, who=call.who)
    return ProjectMade(**_fields(call, made), keys={name: dict(shown) for name, shown in keys.items()})


@operation(TAG, "GET", "/projects/{slug}", needed="viewer", answer=ProjectShown)
def read_project(call: Call) -> ProjectShown:
    """One project."""
    return shown(call, call.project)


@operation(
    TAG,
    "PUT",
    "/projects/{slug}",
    needed="admin",
    body=ProjectChange,
    answer=ProjectShown,
    versioned=True,
    refusals=(409,),
)
def change_project(call: Call, body: ProjectChange) -> ProjectShown:
    """Change a project: its name, time zone, allowed origins and how long it keeps events.

    Days that are not kept any more are erased the next night.
    """
    new = call.site.facts.set_project(
        call.project.id,
        name=body.name,
        timezone=body.timezone,
        origins=body.origins,
        keep_days=body.keep_days,
        version=call.version,
        who=call.who,
    )
    return shown(call, new)


@operation(TAG, "DELETE", "/projects/{slug}", needed="admin", answer=ProjectShown, refusals=(409,))
def delete_project(call: Call) -> ProjectShown:
    """Delete a project.

    Nothing of it is shown or taken from now on. Until `restorable_until` it can be restored, then it is erased.
    """
    return shown(call, call.site.facts.delete_project(call.project.id, who=call.who))


@operation(TAG, "POST", "/projects/{slug}/restore", needed="admin", answer=ProjectShown, refusals=(409,), deleted=True)
def restore_project(call: Call) -> ProjectShown:
    """Restore a project that was deleted, with its keys."""
    return shown(call, call.site.facts.restore_project(call.project.id, who=call.who))


def _only_workspace(call: Call) -> str:
    """Raises Invalid unless there is one."""
    known = [each for each in call.site.facts.snapshot.workspaces if call.caller.role_in(each)]
    if len(known) != 1:
        raise Invalid("$.workspace: name one; see /api/v1/workspaces")
    return known[0]


def shown(call: Call, project: Project) -> ProjectShown:
    return ProjectShown(**_fields(call, project))


def _fields(call: Call, project: Project) -> Mapping[str, Any]:
    deleted = project.deleted_at
    return {
        "id": project.id,
        "slug": project.slug,
        "version": call.site.facts.snapshot.versions[project.id],
        "name": project.name,
        "workspace": project.workspace,
        "timezone": project.timezone,
        "origins": project.origins,
        "keep_days": project.keep_days,
        "created_at": iso(project.created_at),
        "deleted_at": None if deleted is None else iso(deleted),
        "restorable_until": None if deleted is None else iso(erased_at(deleted)),
    }
