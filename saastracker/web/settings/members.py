"""Members: who belongs to the workspace as what, and invitations to it."""

import asyncio
from typing import Any

from litestar import Response, post
from litestar.params import FromPath

from saastracker.errors import Conflict, Forbidden, Invalid, Refusal
from saastracker.roles import ROLES, Role
from saastracker.web.api import members
from saastracker.web.api.members import InvitationNew, MemberChange
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
    role = _role(form)
    if role is None:
        return _list(frame, 400, wrong={user: "Choose a role."})
    try:
        await asyncio.to_thread(members.change_role, frame.call(frame.place, user=user), MemberChange(role=role))
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
    try:
        await asyncio.to_thread(members.remove_member, frame.call(frame.place, user=user))
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
    try:
        made = await asyncio.to_thread(members.invite, frame.call(frame.place), InvitationNew(email=email, role=role))
    except (Conflict, Forbidden, Invalid) as refusal:
        return _list(frame, refusal.status, wrong={_field(refusal): refusal.detail}, typed=form)
    return _list(frame, invited=frame.site.accounts.snapshot.invitations[made.id], link=made.link)


@post("/settings/invitations/{invitation:str}/withdraw")
async def withdraw(request: WebRequest, invitation: FromPath[str]) -> Response[bytes]:
    """303. Raises NotFound for another workspace's, Forbidden for one that makes an owner."""
    frame = opened(request, "members", "admin")
    await read_form(request, frame.site)
    await asyncio.to_thread(members.withdraw_invitation, frame.call(frame.place, invitation=invitation))
    return frame.done("withdrawn")


def _list(frame: Frame, status: int = 200, **values: Any) -> Response[bytes]:
    people, place = frame.site.accounts.snapshot, frame.place.id
    known = [(people.users[each], role) for each, role in people.of_workspace(place).items()]
    seen = {user.id: people.seen(user, frame.now) for user, _ in known}
    values = {"invited": None, "link": "", **values}
    return frame.show(
        "settings_members.html",
        status,
        members=sorted(known, key=lambda each: (-ROLES.index(each[1]), each[0].name.lower())),
        invitations=people.invitations_to(place, frame.now),
        roles=roles_to_give(frame.role),
        seen=seen,
        **values,
    )


def _role(form: dict[str, str]) -> Role | None:
    return next((role for role in ROLES if role == form.get("role")), None)


def _field(refusal: Refusal) -> str:
    return refusal.reason if refusal.reason in {"email", "role"} else "email"
