"""Workspaces over the API: who projects belong to, and whose budget they use."""

from typing import Annotated

import msgspec
from msgspec import Meta

from saastracker.records import Workspace
from saastracker.web.api.fields import Budget, Id, Name, Role, Time, Version
from saastracker.web.api.operation import Call, operation
from saastracker.web.faces import iso
from saastracker.wire import Policy

TAG = "Workspaces"

OverBudget = Annotated[
    Policy, Meta(description="What becomes of events over the budget; null: what their format does by itself.")
]


class WorkspaceShown(msgspec.Struct, frozen=True, kw_only=True):
    """A workspace."""

    id: Id
    version: Version
    name: Name
    budget: Budget | None
    policy: OverBudget | None
    role: Role
    created_at: Time


class WorkspaceNew(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A workspace to make."""

    name: Name


class WorkspaceChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a workspace is to be: all of it, what is left out is none."""

    name: Name
    budget: Budget | None = None
    policy: OverBudget | None = None


@operation(TAG, "GET", "/workspaces", needed=None, answer=WorkspaceShown, listed=lambda each: each.created_at + each.id)
def list_workspaces(call: Call) -> list[WorkspaceShown]:
    """Workspaces.

    Those that one belongs to. A token belongs to one; that of a single project to none.
    """
    return [_shown(call, each) for each in call.site.facts.snapshot.workspaces.values() if call.caller.role_in(each.id)]


@operation(
    TAG,
    "POST",
    "/workspaces",
    needed="admin",
    body=WorkspaceNew,
    answer=WorkspaceShown,
    status=201,
    refusals=(409,),
    location="/workspaces/{id}",
)
def add_workspace(call: Call, body: WorkspaceNew) -> WorkspaceShown:
    """Make a workspace.

    Who makes it is its owner, so this needs an account that is an admin of some workspace: a token is told 403.
    """
    made = call.site.accounts.add_workspace(call.site.facts, body.name, call.signed.user, call.now)
    return _shown(call, made, "owner")


@operation(TAG, "GET", "/workspaces/{workspace}", needed="viewer", answer=WorkspaceShown)
def read_workspace(call: Call) -> WorkspaceShown:
    """One workspace."""
    return _shown(call, call.workspace)


@operation(
    TAG,
    "PUT",
    "/workspaces/{workspace}",
    needed="owner",
    body=WorkspaceChange,
    answer=WorkspaceShown,
    versioned=True,
    refusals=(409,),
)
def change_workspace(call: Call, body: WorkspaceChange) -> WorkspaceShown:
    """Change a workspace: its name, budget and policy."""
    facts = call.site.facts
    facts.set_workspace(call.workspace.id, who=call.who, version=call.version, **msgspec.structs.asdict(body))
    return _shown(call, facts.snapshot.workspaces[call.workspace.id])


def _shown(call: Call, workspace: Workspace, role: Role | None = None) -> WorkspaceShown:
    return WorkspaceShown(
        id=workspace.id,
        version=call.site.facts.snapshot.versions[workspace.id],
        name=workspace.name,
        budget=workspace.budget,
        policy=workspace.policy,
        role=role or call.caller.role_in(workspace.id) or "viewer",
        created_at=iso(workspace.created_at),
    )
