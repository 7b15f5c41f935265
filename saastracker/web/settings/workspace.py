"""The workspace: its name, and making another one."""

import asyncio
from typing import Any

from litestar import Response, post

from saastracker.errors import Conflict
from saastracker.fact_rules import WrongField
from saastracker.roles import may
from saastracker.web.api import workspaces
from saastracker.web.api.workspaces import WorkspaceChange, WorkspaceNew
from saastracker.web.login import read_form
from saastracker.web.settings.frame import Frame, opened, opened_everywhere
from saastracker.web.site import WebRequest, get


@get("/settings/workspace", sync_to_thread=False)
def workspace_form(request: WebRequest) -> Response[bytes]:
    return _show(opened(request, "workspace"))


@post("/settings/workspace")
async def rename_workspace(request: WebRequest) -> Response[bytes]:
    """303, or the form again with what is wrong."""
    frame = opened(request, "workspace", "owner")
    form = await read_form(request, frame.site)
    place = frame.place
    wanted = WorkspaceChange(name=form.get("name", ""), budget=place.budget, policy=place.policy)
    try:
        await asyncio.to_thread(workspaces.change_workspace, frame.call(place), wanted)
    except (WrongField, Conflict) as wrong:
        return _show(frame, _status(wrong), wrong={"name": str(wrong)}, typed=form)
    return frame.done("saved")


@post("/settings/workspaces")
async def add_workspace(request: WebRequest) -> Response[bytes]:
    """303 to the new one, or the form again with what is wrong."""
    frame = opened_everywhere(request, "workspace", "admin")
    form = await read_form(request, frame.site)
    try:
        wanted = WorkspaceNew(name=form.get("new", ""))
        made = await asyncio.to_thread(workspaces.add_workspace, frame.call(), wanted)
    except (WrongField, Conflict) as wrong:
        return _show(frame, _status(wrong), wrong={"new": str(wrong)}, typed=form)
    return frame.done("made", "workspace", workspace=made.id)


def _show(frame: Frame, status: int = 200, **values: Any) -> Response[bytes]:
    adds = may(frame.caller.highest, "admin")
    return frame.show("settings_workspace.html", status, adds=adds, **values)


def _status(wrong: WrongField | Conflict) -> int:
    return wrong.status if isinstance(wrong, Conflict) else 400
