"""Status: how the server is, and what needs a look. It is about all workspaces."""

import asyncio

from litestar import Response

from saastracker.web.api.status import shown
from saastracker.web.settings.frame import opened_everywhere
from saastracker.web.site import WebRequest, get


@get("/settings/status")
async def status(request: WebRequest) -> Response[bytes]:
    """Raises Unavailable if the store cannot even be read."""
    frame = opened_everywhere(request, "status", "admin")
    now = await asyncio.to_thread(frame.site.status)
    call = frame.call()
    found = await asyncio.to_thread(shown, call, now)
    return frame.show("settings_status.html", told=found, server=now, index=found.index)
