"""What one wants to hear of by mail: a switch for each topic of each workspace one belongs to."""

import asyncio
from typing import Any

import msgspec
from litestar import Response, post

from saastracker.errors import NotFound
from saastracker.records import Workspace
from saastracker.web.login import FIELDS_MAX, read_form
from saastracker.web.notifying import Followed, follow, followed, silence
from saastracker.web.settings.frame import Frame, opened
from saastracker.web.site import WebRequest, get

PATH = "account/notifications"


class Place(msgspec.Struct, frozen=True):
    """A workspace with the topics that one may hear of there."""

    workspace: Workspace
    topics: list[Followed]


@get(f"/settings/{PATH}", sync_to_thread=False)
def list_topics(request: WebRequest) -> Response[bytes]:
    frame = opened(request, "account", None)
    workspaces = frame.site.facts.snapshot.workspaces
    places = [
        Place(workspaces[each], followed(frame.site, frame.signed.user.id, each))
        for each in frame.signed.roles
        if each in workspaces
    ]
    values: dict[str, Any] = {"places": places, "silence": silence(frame.site), "email": frame.signed.user.email}
    return frame.show("settings_topics.html", **values)


@post(f"/settings/{PATH}")
async def choose_topics(request: WebRequest) -> Response[bytes]:
    """303. What is not switched on is off. Raises NotFound for a workspace that one does not belong to."""
    frame = opened(request, "account", None)
    topics = frame.site.outbox.topics
    form = await read_form(request, frame.site, most=FIELDS_MAX + len(topics))
    if frame.workspace is None:
        raise NotFound("You belong to no workspace. Ask an admin to invite you.")
    await asyncio.to_thread(_choose, frame, frame.workspace.id, form)
    return frame.done("saved", PATH)


def _choose(frame: Frame, workspace: str, form: dict[str, str]) -> None:
    shown = followed(frame.site, frame.signed.user.id, workspace)
    wanted = {each.name: f"topic-{each.name}" in form for each in shown}
    follow(frame.site, frame.signed, workspace, wanted, frame.now)
