"""All that is kept about a person, as a file."""

import asyncio

from litestar.params import FromPath
from litestar.response import Stream

from saastracker.records import now_ms
from saastracker.web.items import sent, unquoted
from saastracker.web.site import Site, WebRequest, get


@get("/p/{slug:str}/everything/{item:path}")
async def everything(request: WebRequest, slug: FromPath[str]) -> Stream:
    """JSON, sent while it is read. Raises NotFound for a person whom no event names."""
    from saastracker.personal import everything as pieces  # noqa: PLC0415  # numpy, which a server is spared till then

    site: Site = request.app.state.site
    project = site.project(site.caller(request), slug)
    found = await asyncio.to_thread(pieces, site.store, project, unquoted(sent(request, 3)), now_ms())
    headers = {"content-disposition": f'attachment; filename="{slug}-person.json"', "cache-control": "no-store"}
    return Stream(found, media_type="application/json", headers=headers)
