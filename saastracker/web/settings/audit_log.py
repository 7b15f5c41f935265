"""The audit log: who changed what in the workspace, and who signed in, newest first."""

import asyncio
from itertools import islice

import msgspec
from litestar import Response

from saastracker import audit
from saastracker.web.formats import json_markup
from saastracker.web.forms.shapes import wording
from saastracker.web.settings.frame import Frame, opened
from saastracker.web.site import WebRequest, get
from saastracker.web.trail import trail

LIMIT = 50  # entries of a page


class Line(msgspec.Struct, frozen=True):
    """One entry as people see it."""

    entry: audit.Entry
    what: str  # happened
    about: str  # name of what changed
    project: str  # its project's name, if it belongs to one
    details: str  # what it says since


_DONE = {"create": "made", "change": "changed", "delete": "removed", "lock": "locked", "run": "run"}
_SAID = {  # of what nobody would guess from that
    ("session", "create"): "Signed in",
    ("session", "delete"): "Signed out",
    ("invitation", "delete"): "Invitation used or withdrawn",
    ("user", "create"): "Account made",
    ("user", "change"): "Account changed",
    ("user", "lock"): "Account locked",
    ("members", "create"): "Members changed",
    ("message", "run"): "Message sent again",
    ("test-message", "run"): "Test message sent",
}
_NAMES = ("name", "title", "email", "agent", "scheme", "org", "text")  # fields that say which one it is


@get("/settings/audit")
async def list_entries(request: WebRequest) -> Response[bytes]:
    """A page of entries, older than the one that `before` names."""
    frame = opened(request, "audit", "admin")
    before = request.query_params.get("before", "")
    lines, further = await asyncio.to_thread(_page, frame, before)
    return frame.show("settings_audit.html", lines=lines, older=bool(before), further=further)


def _page(frame: Frame, before: str) -> tuple[list[Line], str | None]:
    """Lines, and the id to go on with if there are older ones."""
    projects = {each.id: each.name for each in frame.own_projects}
    found = list(islice(trail(frame.site, frame.place.id, before or None), LIMIT + 1))
    lines = [_line(entry, projects) for _, entry in found[:LIMIT]]
    return lines, found[LIMIT - 1][0] if len(found) > LIMIT else None


def _line(entry: audit.Entry, projects: dict[str, str]) -> Line:
    told = msgspec.json.decode(entry.value)
    told = told if isinstance(told, dict) else {}
    names = (told.get(each) for each in _NAMES)
    about = next((name for name in names if isinstance(name, str) and name), entry.record)
    kind = wording(entry.kind.removeprefix("definition:"))
    what = _SAID.get((entry.kind, entry.action), f"{kind} {_DONE[entry.action]}")
    return Line(entry, what, about, projects.get(entry.project, ""), json_markup(told) if told else "")
