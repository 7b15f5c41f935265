"""API tokens: make one, which is shown once, and revoke."""

import asyncio
from typing import Any, get_args

from litestar import Response, post
from litestar.params import FromPath

from saastracker.errors import NotFound
from saastracker.fact_rules import WrongField
from saastracker.records import AccessScope
from saastracker.web.login import read_form
from saastracker.web.settings.frame import ID_MAX, Frame, opened
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
    slug = form.get("project", "")
    project = next((each for each in frame.own_projects if each.slug == slug), None)
    if scope is None or (slug and project is None):
        wrong = {"scope": "Choose a scope."} if scope is None else {"project": "Choose a project of this workspace."}
        return _list(frame, 400, wrong=wrong, typed=form)
    try:
        token, text = await asyncio.to_thread(
            frame.site.facts.add_token,
            form.get("name", ""),
            frame.place.id,
            scope,
            project=project.id if project else None,
            who=frame.caller.name,
        )
    except WrongField as wrong:
        return _list(frame, 400, wrong={wrong.field: str(wrong)}, typed=form)
    return _list(frame, made=token, text=text)


@post("/settings/tokens/{token:str}/revoke")
async def revoke_token(request: WebRequest, token: FromPath[str]) -> Response[bytes]:
    """303. Raises NotFound for another workspace's."""
    frame = opened(request, "tokens", "admin")
    await read_form(request, frame.site)
    found = frame.site.facts.snapshot.tokens.get(token)
    if found is None or found.workspace != frame.place.id:
        raise NotFound(f"This workspace has no token {token[:ID_MAX]}.")
    if found.revoked_at is None:
        await asyncio.to_thread(frame.site.facts.revoke_token, token, who=frame.caller.name)
    return frame.done("token-revoked")


def _list(frame: Frame, status: int = 200, **values: Any) -> Response[bytes]:
    facts = frame.site.facts.snapshot
    tokens = [each for each in facts.tokens.values() if each.workspace == frame.place.id]
    values = {"made": None, "text": "", **values}
    return frame.show(
        "settings_tokens.html",
        status,
        tokens=sorted(tokens, key=lambda each: (each.revoked_at is None, each.created_at), reverse=True),
        names={each.id: each.name for each in frame.own_projects},
        own=frame.own_projects,
        **values,
    )
