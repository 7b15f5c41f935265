"""How long a project keeps events, and erasing all that is known of somebody."""

import asyncio
from typing import cast

from litestar import Response, post
from litestar.params import FromPath

from saastracker.erasable import Of, Subject
from saastracker.errors import Conflict, NotFound
from saastracker.fact_rules import WrongField
from saastracker.web.api import keeping, projects
from saastracker.web.api.keeping import ErasureNew
from saastracker.web.api.projects import ProjectChange
from saastracker.web.items import quoted, sent, unquoted
from saastracker.web.login import read_form
from saastracker.web.settings.frame import Frame, opened_project
from saastracker.web.site import WebRequest, get
from saastracker.wire import Project

PAGES = {"person": "people", "org": "organizations"}


@get("/settings/projects/{slug:str}/keeping")
async def keeping_form(request: WebRequest, slug: FromPath[str]) -> Response[bytes]:
    """What a project keeps, what goes tonight, and how it grows."""
    return await _keeping(*opened_project(request, slug))


@post("/settings/projects/{slug:str}/keeping")
async def save_keeping(request: WebRequest, slug: FromPath[str]) -> Response[bytes]:
    """303, or the form again with what is wrong."""
    frame, project = opened_project(request, slug, "admin")
    form = await read_form(request, frame.site)
    try:
        change = ProjectChange(
            name=project.name,
            timezone=project.timezone,
            origins=project.origins,
            keep_days=_days(form.get("keep_days", "").strip()),
        )
        await asyncio.to_thread(projects.change_project, frame.call(project), change)
    except WrongField as wrong:
        return await _keeping(frame, project, 400, str(wrong), form.get("keep_days", ""))
    except Conflict:
        wrong_days = "Somebody else saved at the same moment. Look at what is there now, and save again."
        return await _keeping(frame, project, 409, wrong_days)
    return frame.done("kept", f"projects/{slug}/keeping")


@get("/settings/projects/{slug:str}/erase/{of:str}/{item:path}")
async def erase_form(request: WebRequest, slug: FromPath[str], of: FromPath[str]) -> Response[bytes]:
    """What would go. Raises NotFound for somebody whom no event names."""
    return await _erasing(*opened_project(request, slug, "admin"), _subject_of(of), unquoted(sent(request, 5)))


@post("/settings/projects/{slug:str}/erase/{of:str}/{item:path}")
async def erase(request: WebRequest, slug: FromPath[str], of: FromPath[str]) -> Response[bytes]:
    """303, or the page again unless the id was typed."""
    frame, project = opened_project(request, slug, "admin")
    form, who = await read_form(request, frame.site), unquoted(sent(request, 5))
    kind = _subject_of(of)
    if form.get("id", "").strip() != who.strip():
        return await _erasing(frame, project, kind, who, 400, f"Type {who} to erase.")
    await asyncio.to_thread(keeping.erase, frame.call(project), ErasureNew(of=kind, id=who))
    return frame.done("erasing", f"projects/{slug}/keeping")


async def _keeping(
    frame: Frame, project: Project, status: int = 200, wrong: str = "", typed: str | None = None
) -> Response[bytes]:
    call = frame.call(project)
    told = await asyncio.to_thread(keeping.read_forecast, call)
    waiting = await asyncio.to_thread(keeping.list_erasures, call) if frame.may("admin") else []
    shown = {} if typed is None else {"keep_days": typed}
    return frame.show(
        "settings_keeping.html",
        status,
        one=project,
        told=told,
        waiting=waiting,
        wrong={"keep_days": wrong} if wrong else {},
        typed=shown,
    )


async def _erasing(  # noqa: PLR0917
    frame: Frame, project: Project, of: Of, who: str, status: int = 200, wrong: str = ""
) -> Response[bytes]:
    from saastracker.erasure import Amount, amount  # noqa: PLC0415

    def count() -> Amount:
        with frame.site.store.reader() as reader:
            return amount(reader, Subject(project.id, of, who))

    found = await asyncio.to_thread(count)
    return frame.show(
        "settings_erase.html",
        status,
        one=project,
        of=of,
        who=who,
        found=found,
        back=f"/p/{project.slug}/{PAGES[of]}/{quoted(who)}",
        whole=f"/p/{project.slug}/everything/{quoted(who)}",
        wrong={"id": wrong} if wrong else {},
    )


def _subject_of(of: str) -> Of:
    """Raises NotFound."""
    if of not in PAGES:
        raise NotFound("There is nothing of this kind to erase.")
    return cast("Of", of)


def _days(text: str) -> int | None:
    """Raises WrongField."""
    if not text:
        return None
    if not text.isdecimal() or len(text) > 9:
        raise WrongField("keep_days", "Give a number of days, or leave it blank to keep all.")
    return int(text)
