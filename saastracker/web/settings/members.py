"""Members: who belongs to the workspace as what, and invitations to it."""

import asyncio
from typing import Any

from litestar import Response, post
from litestar.params import FromPath

from saastracker.errors import Conflict, Forbidden, Invalid, Refusal
from saastracker.roles import ROLES, Role
from saastracker.web.login import read_form
from saastracker.web.settings.frame import Frame, opened, roles_to_give
from saastracker.web.site import WebRequest, get


@get("/settings/members", sync_to_thread=False)
def list_members(request: WebRequest) -> Response[bytes]:
    return _list(opened(request, "members"))


@post("/settings/members/{user:str}/role")
async def change_role(request: WebRequest, user: FromPath[str]) -> Response[bytes]:
    """303, or the list with what is wrong. Raises NotFound for a stranger."""
    frame = opened(request, "members", "admin")
    form = await read_form(request, frame.site)
    role, roles = _role(form), frame.site.accounts.roles
    if role is None:
        return _list(frame, 400, wrong={user: "Choose a role."})
    try:
        await asyncio.to_thread(roles.change, frame.place.id, user, role, by=frame.by, now=frame.now)
    except (Conflict, Forbidden) as refusal:
        return _list(frame, refusal.status, wrong={user: refusal.detail})
    return frame.done("role")


@post("/settings/members/{user:str}/remove")
async def remove_member(request: WebRequest, user: FromPath[str]) -> Response[bytes]:
    """Oneself everyone may take out, others who may give their role."""
    own = request.app.state.site.signed(request)
    leaves = own is not None and own.user.id == user
    frame = opened(request, "members", "viewer" if leaves else "admin")
    await read_form(request, frame.site)
    roles = frame.site.accounts.roles
    take = roles.leave if leaves else roles.remove
    try:
        await asyncio.to_thread(take, frame.place.id, user, by=frame.by, now=frame.now)
    except (Conflict, Forbidden) as refusal:
        return _list(frame, refusal.status, wrong={user: refusal.detail})
    return frame.done("left", "account", here=False) if leaves else frame.done("removed")


@post("/settings/invitations", status_code=200)
async def invite(request: WebRequest) -> Response[bytes]:
    """The list with the link, shown this once; or with what is wrong."""
    frame = opened(request, "members", "admin")
    form = await read_form(request, frame.site)
    email, role = form.get("email", ""), _role(form)
    if role is None:
        return _list(frame, 400, wrong={"role": "Choose a role."}, typed=form)
    invitations = frame.site.accounts.invitations
    try:
        invited = await asyncio.to_thread(invitations.invite, frame.place.id, email, role, by=frame.by, now=frame.now)
    except (Conflict, Forbidden, Invalid) as refusal:
        return _list(frame, refusal.status, wrong={_field(refusal): refusal.detail}, typed=form)
    return _list(frame, invited=invited.invitation, link=invited.address(frame.site.public_url))


@post("/settings/invitations/{invitation:str}/withdraw")
async def withdraw(request: WebRequest, invitation: FromPath[str]) -> Response[bytes]:
    """303. Raises NotFound for another workspace's, Forbidden for one that makes an owner."""
    frame = opened(request, "members", "admin")
    await read_form(request, frame.site)
    invitations = frame.site.accounts.invitations
    await asyncio.to_thread(invitations.withdraw, frame.place.id, invitation, by=frame.by, now=frame.now)
    return frame.done("withdrawn")


def _list(frame: Frame, status: int = 200, **values: Any) -> Response[bytes]:
    people, place = frame.site.accounts.snapshot, frame.place.id
    members = [(people.users[each], role) for each, role in people.of_workspace(place).items()]
    seen = {user.id: people.seen(user, frame.now) for user, _ in members}
    values = {"invited": None, "link": "", **values}
    return frame.show(
        "settings_members.html",
        status,
        members=sorted(members, key=lambda each: (-ROLES.index(each[1]), each[0].name.lower())),
        invitations=people.invitations_to(place, frame.now),
        roles=roles_to_give(frame.role),
        seen=seen,
        **values,
    )


def _role(form: dict[str, str]) -> Role | None:
    return next((role for role in ROLES if role == form.get("role")), None)


def _field(refusal: Refusal) -> str:
    return refusal.reason if refusal.reason in {"email", "role"} else "email"
