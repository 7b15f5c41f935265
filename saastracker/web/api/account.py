"""Oneself over the API: who one is, what one may where, and where one is signed in."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from saastracker.web.api.fields import AnyScope, Email, Id, Name, Role, Time, WorkspaceId
from saastracker.web.api.operation import Call, operation
from saastracker.web.faces import iso

TAG = "Account"


class Membership(msgspec.Struct, frozen=True, kw_only=True):
    """What one is in a workspace."""

    workspace: WorkspaceId
    name: Name
    role: Role


class AccountShown(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks: a user, or a token."""

    kind: Literal["user", "token"]
    name: Name
    email: Annotated[Email, Meta(description="Null: a token.")] | None
    scope: Annotated[AnyScope, Meta(description="Of a token; null: a user.")] | None
    workspaces: list[Membership]


class AccountChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What of an account can be changed without its password."""

    name: Name


class SessionShown(msgspec.Struct, frozen=True, kw_only=True):
    """A browser that one is signed in with."""

    id: Id
    browser: Annotated[str, Meta(description="In words.", examples=["Firefox on Linux"])]
    current: Annotated[bool, Meta(description="Whether it is the one that asks.")]
    created_at: Time
    seen_at: Annotated[Time, Meta(description="When it was used last, to the hour.")]


@operation(TAG, "GET", "/account", needed=None, answer=AccountShown)
def read_account(call: Call) -> AccountShown:
    """Who one is."""
    caller = call.caller
    signed, token = caller.signed, caller.token
    places = call.site.facts.snapshot.workspaces.values()
    roles = [(each, role) for each in places if (role := caller.role_in(each.id))]
    return AccountShown(
        kind="user" if signed else "token",
        name=call.site.accounts.snapshot.users[signed.user.id].name if signed else caller.name,
        email=signed.user.email if signed else None,
        scope=token.scope if token else None,
        workspaces=[Membership(workspace=each.id, name=each.name, role=role) for each, role in roles],
    )


@operation(TAG, "PATCH", "/account", needed=None, body=AccountChange, answer=AccountShown, refusals=(403, 409))
def change_account(call: Call, body: AccountChange) -> AccountShown:
    """Change one's name."""
    call.site.accounts.own.rename(call.signed, body.name, call.now)
    return read_account(call)


@operation(
    TAG,
    "GET",
    "/account/sessions",
    needed=None,
    answer=SessionShown,
    listed=lambda each: each.created_at + each.id,
    refusals=(403,),
)
def list_sessions(call: Call) -> list[SessionShown]:
    """Where one is signed in."""
    signed = call.signed
    return [
        SessionShown(
            id=each.id,
            browser=each.agent,
            current=each.id == signed.session.id,
            created_at=iso(each.created_at),
            seen_at=iso(each.seen_at),
        )
        for each in call.site.accounts.snapshot.sessions_of(signed.user.id, call.now)
    ]


@operation(TAG, "DELETE", "/account/sessions", needed=None, status=204, refusals=(403, 409))
def end_other_sessions(call: Call) -> None:
    """Sign out everywhere but here."""
    call.site.accounts.sessions.end_others(call.signed, call.now)


@operation(TAG, "DELETE", "/account/sessions/{session}", needed=None, status=204, refusals=(403, 409))
def end_session(call: Call) -> None:
    """Sign out in one browser."""
    call.site.accounts.sessions.end(call.signed, call.path["session"], call.now)
