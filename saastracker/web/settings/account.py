"""One's own account: name, password, second factor, and where one is signed in."""

import asyncio
from collections.abc import Sequence
from typing import Any

import segno
from litestar import Response, post
from litestar.params import FromPath
from markupsafe import Markup

from saastracker.accounts import totp
from saastracker.errors import Conflict, Invalid, Later, Refusal, Unauthorized
from saastracker.web.api import account as api
from saastracker.web.login import read_form
from saastracker.web.settings.frame import Frame, opened
from saastracker.web.site import WebRequest, get

SECTION = "account"


@get("/settings/account", sync_to_thread=False)
def account(request: WebRequest) -> Response[bytes]:
    return _show(_opened(request))


@post("/settings/account/name")
async def rename(request: WebRequest) -> Response[bytes]:
    frame = _opened(request)
    form = await read_form(request, frame.site)
    try:
        await asyncio.to_thread(api.change_account, frame.call(), api.AccountChange(name=form.get("name", "")))
    except Invalid as refusal:
        return _show(frame, refusal.status, wrong={"name": refusal.detail}, typed=form)
    return frame.done("saved")


@post("/settings/account/password")
async def change_password(request: WebRequest) -> Response[bytes]:
    frame = _opened(request)
    form = await read_form(request, frame.site)
    try:
        await asyncio.to_thread(
            frame.site.accounts.own.change_password,
            frame.signed,
            old=form.get("old", ""),
            new=form.get("new", ""),
            **_sent(frame),
        )
    except (Unauthorized, Later, Invalid) as refusal:
        field = "new" if isinstance(refusal, Invalid) else "old"
        return _again(frame, refusal, {field: refusal.detail})
    return frame.done("password")


# --- The second factor ---


@get("/settings/account/second-factor", sync_to_thread=False)
def factor_form(request: WebRequest) -> Response[bytes]:
    """A secret for the authenticator; nothing is kept before a code of it comes back."""
    frame = _opened(request)
    secret, _ = frame.site.accounts.own.new_factor(frame.signed)
    return _factor(frame, secret)


@post("/settings/account/second-factor", status_code=200)
async def add_factor(request: WebRequest) -> Response[bytes]:
    """The recovery codes, shown this once; or the form with the same secret and what is wrong."""
    frame = _opened(request)
    form = await read_form(request, frame.site)
    secret = form.get("secret", "")
    try:
        codes = await asyncio.to_thread(
            frame.site.accounts.own.add_factor,
            frame.signed,
            secret,
            form.get("code", ""),
            password=form.get("password", ""),
            **_sent(frame),
        )
    except (Unauthorized, Later, Invalid, Conflict) as refusal:
        field = "password" if isinstance(refusal, Unauthorized | Later) else "code"
        secret = secret if totp.is_secret(secret) else totp.new_secret()
        return _headed(_factor(frame, secret, refusal.status, wrong={field: refusal.detail}), refusal)
    return _codes(frame, codes)


@post("/settings/account/second-factor/remove")
async def remove_factor(request: WebRequest) -> Response[bytes]:
    frame = _opened(request)
    form = await read_form(request, frame.site)
    try:
        await asyncio.to_thread(
            frame.site.accounts.own.remove_factor,
            frame.signed,
            password=form.get("password", ""),
            **_sent(frame),
        )
    except (Unauthorized, Later) as refusal:
        return _again(frame, refusal, {"remove": refusal.detail})
    return frame.done("factor-removed")


@post("/settings/account/recovery-codes", status_code=200)
async def new_codes(request: WebRequest) -> Response[bytes]:
    """Other recovery codes, shown this once; or what is wrong."""
    frame = _opened(request)
    form = await read_form(request, frame.site)
    try:
        codes = await asyncio.to_thread(
            frame.site.accounts.own.new_recovery_codes,
            frame.signed,
            password=form.get("password", ""),
            **_sent(frame),
        )
    except (Unauthorized, Later, Conflict) as refusal:
        return _again(frame, refusal, {"codes": refusal.detail})
    return _codes(frame, codes)


# --- Sessions ---


@post("/settings/account/sessions/{session:str}/end")
async def end_session(request: WebRequest, session: FromPath[str]) -> Response[bytes]:
    """303. Raises NotFound for somebody else's."""
    frame = _opened(request)
    await read_form(request, frame.site)
    await asyncio.to_thread(api.end_session, frame.call(session=session))
    return frame.done("signed-out")


@post("/settings/account/sessions/end-others")
async def end_others(request: WebRequest) -> Response[bytes]:
    frame = _opened(request)
    await read_form(request, frame.site)
    await asyncio.to_thread(api.end_other_sessions, frame.call())
    return frame.done("signed-out")


def _opened(request: WebRequest) -> Frame:
    return opened(request, SECTION, None)


def _sent(frame: Frame) -> dict[str, Any]:
    return {"address": frame.site.address(frame.request), "now": frame.now}


def _show(frame: Frame, status: int = 200, **values: Any) -> Response[bytes]:
    people, facts = frame.site.accounts.snapshot, frame.site.facts.snapshot
    user = people.users[frame.signed.user.id]
    roles = [(facts.workspaces[each], role) for each, role in frame.signed.roles.items() if each in facts.workspaces]
    return frame.show(
        "settings_account.html",
        status,
        user=user,
        factor=bool(user.credentials.factor),
        left=len(user.credentials.recovery),
        sessions=people.sessions_of(user.id, frame.now),
        roles=roles,
        **values,
    )


def _factor(frame: Frame, secret: str, status: int = 200, **values: Any) -> Response[bytes]:
    address = totp.address(secret, frame.signed.user.email)
    return frame.show("settings_factor.html", status, secret=secret, address=address, code=_qr_code(address), **values)


def _qr_code(text: str) -> Markup:
    """An SVG, dark on light with a margin in every theme: some cameras read nothing else."""
    return Markup(segno.make(text, error="m", micro=False).svg_inline(scale=4, border=4, light="#fff"))  # noqa: S704  # nothing of the text is in it


def _codes(frame: Frame, codes: Sequence[str]) -> Response[bytes]:
    return frame.show("settings_codes.html", codes=codes)


def _again(frame: Frame, refusal: Refusal, wrong: dict[str, str]) -> Response[bytes]:
    return _headed(_show(frame, refusal.status, wrong=wrong), refusal)


def _headed(answer: Response[bytes], refusal: Refusal) -> Response[bytes]:
    answer.headers.update({name.decode(): value.decode() for name, value in refusal.headers})
    return answer
