"""Members and invitations over the API: who belongs to a workspace as what."""

from typing import Annotated

import msgspec
from msgspec import Meta

from saastracker.accounts.model import Invitation, User
from saastracker.roles import Role as AccountRole
from saastracker.web.api.fields import Email, Id, Name, Role, Time, Who
from saastracker.web.api.operation import Call, operation
from saastracker.web.faces import iso

TAG = "Members"


class MemberShown(msgspec.Struct, frozen=True, kw_only=True):
    """A user in a workspace."""

    user: Id
    name: Name
    email: Email
    role: Role
    second_factor: Annotated[bool, Meta(description="Whether they sign in with one.")]
    seen_at: Annotated[Time, Meta(description="When they were here last, to the hour; null: never.")] | None


class MemberChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a member is to be."""

    role: Role


class InvitationShown(msgspec.Struct, frozen=True, kw_only=True):
    """An open invitation: a link with which one person joins, once."""

    id: Id
    email: Annotated[Email, Meta(description="For whom; null: for whoever has the link.")] | None
    role: Role
    invited_by: Who
    created_at: Time
    expires_at: Time


class InvitationMade(InvitationShown, frozen=True, kw_only=True):
    """A new invitation."""

    link: Annotated[
        str,
        Meta(
            description="Hand it to them: it is shown this once, and not sent.",
            examples=["https://stats.example.com/sign-up/…"],
        ),
    ]


class InvitationNew(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whom to invite."""

    email: Email
    role: Role


@operation(
    TAG,
    "GET",
    "/workspaces/{workspace}/members",
    needed="viewer",
    answer=MemberShown,
    listed=lambda each: each.email,
)
def list_members(call: Call) -> list[MemberShown]:
    """Members of a workspace, by e-mail."""
    people = call.site.accounts.snapshot
    return [_member(call, people.users[user], role) for user, role in people.of_workspace(call.workspace.id).items()]


@operation(
    TAG,
    "PATCH",
    "/workspaces/{workspace}/members/{user}",
    needed="admin",
    body=MemberChange,
    answer=MemberShown,
    refusals=(409,),
)
def change_role(call: Call, body: MemberChange) -> MemberShown:
    """Change a member's role. Only an owner makes owners; the last one stays."""
    accounts, user = call.site.accounts, call.path["user"]
    accounts.roles.change(call.workspace.id, user, body.role, by=call.by, now=call.now)
    return _member(call, accounts.snapshot.users[user], body.role)


@operation(TAG, "DELETE", "/workspaces/{workspace}/members/{user}", needed="viewer", status=204, refusals=(409,))
def remove_member(call: Call) -> None:
    """Take a member out of a workspace.

    The account stays. Needs the role admin; oneself everyone may take out, but for the last owner.
    """
    roles, user = call.site.accounts.roles, call.path["user"]
    leaves = call.caller.signed is not None and call.caller.signed.user.id == user
    if not leaves:
        call.enter(call.workspace.id, "admin")
    take = roles.leave if leaves else roles.remove
    take(call.workspace.id, user, by=call.by, now=call.now)


@operation(
    TAG,
    "GET",
    "/workspaces/{workspace}/invitations",
    needed="admin",
    answer=InvitationShown,
    listed=lambda each: each.created_at + each.id,
)
def list_invitations(call: Call) -> list[InvitationShown]:
    """Open invitations to a workspace, oldest first."""
    return [_invitation(each) for each in call.site.accounts.snapshot.invitations_to(call.workspace.id, call.now)]


@operation(
    TAG,
    "POST",
    "/workspaces/{workspace}/invitations",
    needed="admin",
    body=InvitationNew,
    answer=InvitationMade,
    status=201,
    refusals=(409,),
)
def invite(call: Call, body: InvitationNew) -> InvitationMade:
    """Invite somebody: a link that works once, for seven days; an earlier one to the same e-mail stops working."""
    invited = call.site.accounts.invitations.invite(call.workspace.id, body.email, body.role, by=call.by, now=call.now)
    shown = msgspec.structs.asdict(_invitation(invited.invitation))
    return InvitationMade(**shown, link=invited.address(call.site.public_url))


@operation(
    TAG,
    "DELETE",
    "/workspaces/{workspace}/invitations/{invitation}",
    needed="admin",
    status=204,
    refusals=(409,),
)
def withdraw_invitation(call: Call) -> None:
    """Withdraw an invitation; its link works no more."""
    invitations = call.site.accounts.invitations
    invitations.withdraw(call.workspace.id, call.path["invitation"], by=call.by, now=call.now)


def _member(call: Call, user: User, role: AccountRole) -> MemberShown:
    seen = call.site.accounts.snapshot.seen(user, call.now)
    return MemberShown(
        user=user.id,
        name=user.name,
        email=user.email,
        role=role,
        second_factor=bool(user.credentials.factor),
        seen_at=None if seen is None else iso(seen),
    )


def _invitation(invitation: Invitation) -> InvitationShown:
    return InvitationShown(
        id=invitation.id,
        email=invitation.email,
        role=invitation.role,
        invited_by=invitation.invited_by,
        created_at=iso(invitation.created_at),
        expires_at=iso(invitation.expires_at),
    )
