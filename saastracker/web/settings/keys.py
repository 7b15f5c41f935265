"""Keys of a project: make one more, replace all of a kind, revoke."""

import asyncio

from litestar import Response, post
from litestar.params import FromPath

from saastracker.errors import NotFound
from saastracker.records import HOUR_MS
from saastracker.web.login import read_form
from saastracker.web.settings.frame import ID_MAX, opened_project
from saastracker.web.settings.projects import show_project
from saastracker.web.site import WebRequest

OVERLAPS = ("0", "1", "24", "168")  # hours for which replaced keys may still work


@post("/settings/projects/{slug:str}/keys", status_code=200)
async def new_key(request: WebRequest, slug: FromPath[str]) -> Response[bytes]:
    """The project's page with a new key, shown this once; with `overlap` the others of its kind end after so long."""
    frame, project = opened_project(request, slug, "admin")
    form = await read_form(request, frame.site)
    scheme = frame.site.registry.auth_schemes.get(form.get("scheme", ""))
    overlap = form.get("overlap", "")
    if scheme is None or overlap not in {"", *OVERLAPS}:
        wrong = {"scheme": "Choose a kind of key."} if scheme is None else {"overlap": "Choose one of these."}
        return show_project(frame, project, 400, wrong=wrong, typed=form)
    hours = int(overlap) * HOUR_MS if overlap else None
    issue = await asyncio.to_thread(frame.site.facts.rotate, project, scheme, overlap_ms=hours, who=frame.caller.name)
    if issue is None:
        wrong = {"scheme": f"{scheme.name} has no keys of its own: it reads those of another kind."}
        return show_project(frame, project, 400, wrong=wrong, typed=form)
    return show_project(frame, project, shown={scheme.name: issue[1]})


@post("/settings/projects/{slug:str}/keys/{key:str}/revoke")
async def revoke_key(request: WebRequest, slug: FromPath[str], key: FromPath[str]) -> Response[bytes]:
    """303. Raises NotFound for another project's key."""
    frame, project = opened_project(request, slug, "admin")
    await read_form(request, frame.site)
    found = frame.site.facts.snapshot.keys.get(key)
    if found is None or found.project != project.id:
        raise NotFound(f"This project has no key {key[:ID_MAX]}.")
    if found.revoked_at is None:
        await asyncio.to_thread(frame.site.facts.revoke_key, key, who=frame.caller.name)
    return frame.done("key-revoked", f"projects/{slug}")
