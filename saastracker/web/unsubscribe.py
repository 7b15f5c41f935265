"""Unsubscribing by the address that stands in each message: without signing in, and at once for mail programs."""

import asyncio
from typing import NamedTuple

from litestar import Response, post
from litestar.params import FromPath

from saastracker.errors import NotFound
from saastracker.job import Topic
from saastracker.records import Workspace, now_ms
from saastracker.web.answers import UNSUBSCRIBE_PATH, page
from saastracker.web.messages import GONE, Leaving
from saastracker.web.site import Site, WebRequest, get, read_body


class Asked(NamedTuple):
    """What an address is about, all of which there is."""

    leaving: Leaving
    workspace: Workspace
    topic: Topic


@get(f"{UNSUBSCRIBE_PATH}{{sealed:str}}", sync_to_thread=False)
def unsubscribe_form(request: WebRequest, sealed: FromPath[str]) -> Response[bytes]:
    """A page with a button: programs that look what is behind a link change nothing."""
    return _show(request, _asked(request, sealed), done="")


@post(f"{UNSUBSCRIBE_PATH}{{sealed:str}}", status_code=200)
async def unsubscribe(request: WebRequest, sealed: FromPath[str]) -> Response[bytes]:
    """Of the button, or of a mail program (RFC 8058). Whoever has the address may: there is no session to misuse."""
    asked = _asked(request, sealed)
    again = b"again=" in await read_body(request)
    site: Site = request.app.state.site
    await asyncio.to_thread(
        site.accounts.subscriptions.choose_by_link,
        asked.leaving.user,
        asked.workspace.id,
        {asked.leaving.topic: again},
        now_ms(),
    )
    return _show(request, asked, done="again" if again else "left")


def _asked(request: WebRequest, sealed: str) -> Asked:
    """Raises NotFound, always the same."""
    site: Site = request.app.state.site
    leaving = site.messages.leaving(sealed)
    workspace = site.facts.snapshot.workspaces.get(leaving.workspace)
    topic = site.outbox.topics.get(leaving.topic)
    if workspace is None or topic is None or leaving.user not in site.accounts.snapshot.of_workspace(workspace.id):
        raise NotFound(GONE)
    return Asked(leaving, workspace, topic)


def _show(request: WebRequest, asked: Asked, done: str) -> Response[bytes]:
    return page(request, "unsubscribe.html", topic=asked.topic, workspace=asked.workspace, done=done)
