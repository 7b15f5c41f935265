"""Jobs: how they went, when they run next, and running one now. They work for all workspaces."""

import asyncio

from litestar import Response, post
from litestar.params import FromPath

from saastracker.errors import Conflict
from saastracker.web.api import jobs
from saastracker.web.api.status import index_shown
from saastracker.web.login import read_form
from saastracker.web.settings.frame import Frame, opened_everywhere
from saastracker.web.site import WebRequest, get


@get("/settings/jobs")
async def list_jobs(request: WebRequest) -> Response[bytes]:
    return await _list(opened_everywhere(request, "jobs", "admin"))


@post("/settings/jobs/{name:str}/run")
async def run_job(request: WebRequest, name: FromPath[str]) -> Response[bytes]:
    """303, or the list saying that the job runs already. Raises NotFound, Unavailable."""
    frame = opened_everywhere(request, "jobs", "admin")
    await read_form(request, frame.site)
    try:
        await asyncio.to_thread(jobs.run_job, frame.call(frame.workspace, job=name))
    except Conflict as refusal:
        return await _list(frame, refusal.status, wrong={name: refusal.detail})
    return frame.done("started")


async def _list(frame: Frame, status: int = 200, wrong: dict[str, str] | None = None) -> Response[bytes]:
    site = frame.site
    states = await asyncio.to_thread(site.scheduler.states)
    server = await asyncio.to_thread(site.status)
    index = index_shown(frame.call(), server)
    return frame.show("settings_jobs.html", status, jobs=states, server=server, index=index, wrong=wrong or {})
