"""The audit log: who changed what in the workspace, and who signed in, newest first."""

import asyncio
from typing import Any

import msgspec
from litestar import Response

from saastracker import audit
from saastracker.contracts import Record
from saastracker.web.formats import json_markup
from saastracker.web.settings.frame import Frame, opened
from saastracker.web.site import WebRequest, get

LIMIT = 50  # entries of a page
OF_USERS = ("user", "session")  # kinds of records that belong to no workspace, but to a member


class Line(msgspec.Struct, frozen=True):
    """One entry as people see it."""

    entry: audit.Entry
    about: str  # name of what changed
    project: str  # its project's name, if it belongs to one
    details: str  # what it says since


@get("/settings/audit")
async def list_entries(request: WebRequest) -> Response[bytes]:
    """A page of entries, older than the one that `before` names."""
    frame = opened(request, "audit", "admin")
    lines, further = await asyncio.to_thread(_page, frame, request.query_params.get("before", ""))
    return frame.show("settings_audit.html", lines=lines, further=further)


def _page(frame: Frame, before: str) -> tuple[list[Line], str | None]:
    """Lines, and the id to go on with if there are older ones."""
    projects = {each.id: each.name for each in frame.own_projects}
    members = frame.site.accounts.snapshot.of_workspace(frame.place.id)
    found: list[tuple[Record, audit.Entry, dict[str, Any]]] = []
    begun = not before
    for record in reversed(frame.site.records.records(audit.KIND)):
        if not begun:
            begun = record.id == before
            continue
        entry = audit.read(record)
        told = msgspec.json.decode(entry.value)
        told = told if isinstance(told, dict) else {}
        user = entry.record if entry.kind == "user" else told.get("user")
        ours = entry.workspace == frame.place.id or entry.project in projects
        theirs = not entry.workspace and entry.kind in OF_USERS and user in members
        if ours or theirs:
            found.append((record, entry, told))
        if len(found) > LIMIT:
            break
    lines = [_line(entry, told, projects) for _, entry, told in found[:LIMIT]]
    return lines, found[LIMIT - 1][0].id if len(found) > LIMIT else None


def _line(entry: audit.Entry, told: dict[str, Any], projects: dict[str, str]) -> Line:
    names = (told.get(each) for each in ("name", "title", "email", "agent", "scheme"))
    about = next((name for name in names if isinstance(name, str) and name), entry.record)
    return Line(entry, about, projects.get(entry.project, ""), json_markup(told) if told else "")
