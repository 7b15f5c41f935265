"""API tokens: make one, which is shown once, and revoke."""

import asyncio
from typing import Any, get_args

from litestar import Response, post
from litestar.params import FromPath

from saastracker.errors import NotFound
from saastracker.fact_rules import WrongField
from saastracker.records import AccessScope
from saastracker.web.api import tokens
from saastracker.web.api.tokens import TokenNew
from saastracker.web.login import read_form
from saastracker.web.settings.frame import Frame, opened
from saastracker.web.site import WebRequest, get

SCOPES: tuple[AccessScope, ...] = get_args(AccessScope)


@get("/settings/tokens", sync_to_thread=False)
def list_tokens(request: WebRequest) -> Response[bytes]:
    return _list(opened(request, "tokens", "admin"))


@post("/settings/tokens", status_code=200)
async def new_token(request: WebRequest) -> Response[bytes]:
    """The list with the new token, shown this once; or with what is wrong."""
    frame = opened(request, "tokens", "admin")
    form = await read_form(request, frame.site)
    scope = next((each for each in SCOPES if each == form.get("scope")), None)
    if scope is None:
        return _list(frame, 400, wrong={"scope": "Choose a scope."}, typed=form)
    wanted = TokenNew(name=form.get("name", ""), scope=scope, project=form.get("project") or None)
    try:
        made = await asyncio.to_thread(tokens.add_token, frame.call(frame.place), wanted)
    except WrongField as wrong:
        return _list(frame, 400, wrong={wrong.field: str(wrong)}, typed=form)
    except NotFound:
        return _list(frame, 400, wrong={"project": "Choose a project of this workspace."}, typed=form)
    return _list(frame, made=made, text=made.token)


@post("/settings/tokens/{token:str}/revoke")
async def revoke_token(request: WebRequest, token: FromPath[str]) -> Response[bytes]:
    """303. Raises NotFound for another workspace's."""
    frame = opened(request, "tokens", "admin")
    await read_form(request, frame.site)
    await asyncio.to_thread(tokens.revoke_token, frame.call(frame.place, token=token))
    return frame.done("token-revoked")


def _list(frame: Frame, status: int = 200, **values: Any) -> Response[bytes]:
    facts = frame.site.facts.snapshot
    known = [each for each in facts.tokens.values() if each.workspace == frame.place.id]
    values = {"made": None, "text": "", **values}
    return frame.show(
        "settings_tokens.html",
        status,
        tokens=sorted(known, key=lambda each: (each.revoked_at is None, each.created_at), reverse=True),
        names={each.id: each.name for each in frame.own_projects},
        own=frame.own_projects,
        **values,
    )
