"""Who belongs to a workspace, as what."""

from typing import Literal

from saastracker.accounts.model import By, Invitation, Members, User
from saastracker.accounts.people import Edit, People, Snapshot, writes
from saastracker.accounts.rules import check_may_give, needed_to_give
from saastracker.accounts.shares import SHARES, revoked_all
from saastracker.contracts import Change
from saastracker.errors import Conflict, NotFound
from saastracker.roles import Role, may

MEMBERS_MAX = 1000  # of one workspace


class Roles:
    """Changes the roles that users have in workspaces. Each workspace keeps an owner."""

    def __init__(self, people: People) -> None:
        self._people = people

    def add(self, workspace: str, user: str, role: Role, *, by: By, now: int) -> None:
        """Let a user who has an account join. Raises Conflict if they belong to the workspace already."""
        check_may_give(by, role)

        def make(snapshot: Snapshot) -> tuple[list[Edit], None]:
            return [joined(snapshot, workspace, self._people.user(user), role)], None

        self._people.edit(by.who, now, make)

    def change(self, workspace: str, user: str, role: Role, *, by: By, now: int) -> None:
        """Raises NotFound for a stranger, Forbidden, Conflict if it is the last owner."""
        check_may_give(by, role)
        self._set(workspace, user, role, by=by, now=now)

    def remove(self, workspace: str, user: str, *, by: By, now: int) -> None:
        """Take a member out; the account stays. Raises NotFound for a stranger, Forbidden, Conflict if last owner."""
        self._set(workspace, user, None, by=by, now=now)

    def leave(self, workspace: str, user: str, *, by: By, now: int) -> None:
        """Take oneself out, which everyone may. Raises NotFound for a stranger, Conflict if last owner."""
        self._set(workspace, user, None, by=By(by.who, "owner"), now=now)

    def _set(self, workspace: str, user: str, role: Role | None, *, by: By, now: int) -> None:
        def make(snapshot: Snapshot) -> tuple[list[Edit], None]:
            old = snapshot.of_workspace(workspace).get(user)
            if old is None:
                raise NotFound("This workspace has no such member.")
            check_may_give(by, old)
            gone = [] if may(role, SHARES) else revoked_all(snapshot, workspace, user)
            gone += _withdrawn(snapshot, workspace, snapshot.users[user], role)
            return [changed(snapshot, workspace, snapshot.users[user], role), *gone], None

        self._people.edit(by.who, now, make)


def _withdrawn(snapshot: Snapshot, workspace: str, user: User, role: Role | None) -> list[Edit]:
    """The end of invitations that somebody may no longer give: by one to themselves they would come back."""
    return [
        invitation_edit("delete", each)
        for each in snapshot.invitations.values()
        if (each.workspace, each.invited_by) == (workspace, user.email) and not may(role, needed_to_give(each.role))
    ]


def invitation_edit(action: Literal["create", "delete"], invitation: Invitation) -> Edit:
    told = {"email": invitation.email, "role": invitation.role, "expires_at": invitation.expires_at}
    return Edit(action, invitation, told, invitation.workspace)


def joined(snapshot: Snapshot, workspace: str, user: User, role: Role) -> Edit:
    """One more member. Raises Conflict for one there is, and if there are too many."""
    roles = snapshot.of_workspace(workspace)
    if user.id in roles:
        raise Conflict(f"{user.email} belongs to this workspace already.")
    if len(roles) >= MEMBERS_MAX:
        raise Conflict(f"A workspace has at most {MEMBERS_MAX} members.")
    return changed(snapshot, workspace, user, role)


def changed(snapshot: Snapshot, workspace: str, user: User, role: Role | None) -> Edit:
    """A user's new role, None for none any more. Raises Conflict if no owner would be left."""
    old = snapshot.of_workspace(workspace)
    roles = {each: had for each, had in old.items() if each != user.id}
    if role is not None:
        roles[user.id] = role
    if "owner" in old.values() and "owner" not in roles.values():
        raise Conflict("A workspace needs an owner: make somebody else one first.")
    told = {"user": user.id, "email": user.email, "role": role}
    return Edit(
        "change" if workspace in snapshot.members else "create", Members(id=workspace, roles=roles), told, workspace
    )


def founded(snapshot: Snapshot, owner: User, workspace: str, now: int) -> list[Change]:
    """What makes a user the owner of a workspace that is written with it."""
    return writes(snapshot, owner.email, now, [joined(snapshot, workspace, owner, "owner")])
