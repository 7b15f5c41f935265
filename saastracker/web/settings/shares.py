"""Shared links: make one from a report, which is shown once, and revoke."""

import asyncio
from typing import Any

import msgspec
from litestar import Response, post
from litestar.params import FromPath

from saastracker.accounts.model import Share
from saastracker.accounts.shares import DAYS_MAX, SHARES, Wanted
from saastracker.errors import Conflict, Invalid, TimeLimit
from saastracker.web.items import quoted
from saastracker.web.login import read_form
from saastracker.web.settings.frame import Frame, opened
from saastracker.web.sharing import address, frame_of, project_of, share_report, words
from saastracker.web.site import WebRequest, get

FIELDS = ("days", "origins")  # of the form; what is wrong with anything else concerns the scope


class Line(msgspec.Struct, frozen=True):
    """One link as people see it."""

    share: Share
    project: str
    words: list[str]
    page: str  # address of the report itself; empty where there is none
    works: bool


@get("/settings/shares", sync_to_thread=False)
def list_shares(request: WebRequest) -> Response[bytes]:
    return _list(opened(request, "shares", SHARES))


@post("/settings/shares", status_code=200)
async def new_share(request: WebRequest) -> Response[bytes]:
    """The list with the new link, shown this once; or with what is wrong."""
    frame = opened(request, "shares", SHARES)
    form = await read_form(request, frame.site)
    project = next((each for each in frame.own_projects if each.slug == form.get("project")), None)
    try:
        if project is None:
            raise Invalid("This workspace has no such project.")
        wanted = _wanted(form)
        made = await asyncio.to_thread(share_report, frame.site, frame.caller, project, wanted, frame.now)
    except (Invalid, Conflict, TimeLimit) as refusal:
        field = refusal.reason if refusal.reason in FIELDS else "scope"
        return _list(frame, refusal.status, wrong={field: refusal.detail}, typed=form)
    url = address(frame.site, made.link)
    return _list(frame, made=made.share, address=url, snippet=frame_of(url, made.share.title))


@post("/settings/shares/{share:str}/revoke")
async def revoke_share(request: WebRequest, share: FromPath[str]) -> Response[bytes]:
    """303. Raises NotFound for another workspace's."""
    frame = opened(request, "shares", SHARES)
    await read_form(request, frame.site)
    shares, who = frame.site.accounts.shares, frame.caller.name
    await asyncio.to_thread(shares.revoke, frame.place.id, share, who=who, now=frame.now)
    return frame.done("share-revoked")


def _wanted(form: dict[str, str]) -> Wanted:
    """Raises Invalid."""
    days = form.get("days", "")
    if days and not (days.isascii() and days.isdigit() and len(days) <= len(str(DAYS_MAX))):
        raise Invalid("Choose how long the link works.", reason="days")
    return Wanted(
        report=form.get("report", ""),
        item=form.get("item"),
        query=form.get("query", ""),
        fixed="fixed" in form,
        origins=form.get("origins", "").split(),
        days=int(days) if days else None,
    )


def _list(frame: Frame, status: int = 200, **values: Any) -> Response[bytes]:
    shares = frame.site.accounts.shares.of_workspace(frame.place.id, frame.now)
    values = {"made": None, "address": "", "snippet": "", **values}
    return frame.show("settings_shares.html", status, shares=[_line(frame, each) for each in shares], **values)


def _line(frame: Frame, share: Share) -> Line:
    site = frame.site
    project = site.facts.snapshot.projects.get(share.project)
    if project is None or share.report not in site.reports:
        return Line(share, project.name if project else "a former project", [share.query], "", works=False)
    path = f"/p/{project.slug}/{share.report}" + (f"/{quoted(share.item)}" if share.item is not None else "")
    works = project_of(site, share) is not None
    page = f"{path}?{share.query}" if works else ""
    return Line(share, project.name, words(site, share, project, frame.now), page, works)
