"""Keys of a project: make one more, replace all of a kind, limit one, revoke."""

import asyncio

from litestar import Response, post
from litestar.params import FromPath

from saastracker.errors import Conflict, NotFound
from saastracker.fact_rules import WrongField, check_rate
from saastracker.web.api import keys
from saastracker.web.api.keys import KeyChange, KeyNew
from saastracker.web.login import read_form
from saastracker.web.settings.frame import opened_project
from saastracker.web.settings.projects import show_project
from saastracker.web.site import WebRequest

OVERLAPS = ("0", "1", "24", "168")  # hours for which replaced keys may still work


@post("/settings/projects/{slug:str}/keys", status_code=200)
async def new_key(request: WebRequest, slug: FromPath[str]) -> Response[bytes]:
    """The project's page with a new key, shown this once; with `overlap` the others of its kind end after so long."""
    frame, project = opened_project(request, slug, "admin")
    form = await read_form(request, frame.site)
    overlap = form.get("overlap", "")
    if overlap not in {"", *OVERLAPS}:
        return show_project(frame, project, 400, wrong={"overlap": "Choose one of these."}, typed=form)
    try:
        wanted = KeyNew(
            scheme=form.get("scheme", ""),
            overlap_hours=int(overlap) if overlap else None,
            rate=_rate(form.get("rate", "")),
        )
        made = await asyncio.to_thread(keys.add_key, frame.call(project), wanted)
    except (NotFound, Conflict) as refusal:
        return show_project(frame, project, 400, wrong={"scheme": refusal.detail}, typed=form)
    except WrongField as wrong:
        return show_project(frame, project, 400, wrong={"rate": str(wrong)}, typed=form)
    return show_project(frame, project, shown={made.scheme: made.shown})


@post("/settings/projects/{slug:str}/keys/{key:str}/limit")
async def limit_key(request: WebRequest, slug: FromPath[str], key: FromPath[str]) -> Response[bytes]:
    """303, or the page again with what is wrong. Raises NotFound for another project's key."""
    frame, project = opened_project(request, slug, "admin")
    form = await read_form(request, frame.site)
    try:
        wanted = KeyChange(rate=_rate(form.get("rate", "")))
        await asyncio.to_thread(keys.change_key, frame.call(project, key=key), wanted)
    except WrongField as wrong:
        return show_project(frame, project, 400, wrong={key: str(wrong)}, typed={key: form["rate"]})
    return frame.done("key-limited", f"projects/{slug}")


@post("/settings/projects/{slug:str}/keys/{key:str}/revoke")
async def revoke_key(request: WebRequest, slug: FromPath[str], key: FromPath[str]) -> Response[bytes]:
    """303. Raises NotFound for another project's key."""
    frame, project = opened_project(request, slug, "admin")
    await read_form(request, frame.site)
    await asyncio.to_thread(keys.revoke_key, frame.call(project, key=key))
    return frame.done("key-revoked", f"projects/{slug}")


def _rate(text: str) -> int | None:
    """Requests a second; none where the field is left blank. Raises WrongField."""
    text = text.strip()
    if not text:
        return None
    if not text.isdecimal():
        raise WrongField("rate", "Give a whole number of requests a second, or nothing: as fast as it can.")
    return check_rate(int(text[:10]))
