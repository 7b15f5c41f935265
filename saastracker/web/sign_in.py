"""The pages with which people come in: e-mail and password, code, invitation, new password."""

import asyncio
from typing import Any

from litestar import Response, post
from litestar.params import FromPath, FromQuery

from saastracker.accounts.agents import in_words
from saastracker.accounts.model import Invitation
from saastracker.accounts.sessions import Entered
from saastracker.accounts.sign_in import CodeNeeded
from saastracker.errors import Conflict, Forbidden, Invalid, Later, NotFound, Refusal, Unauthorized
from saastracker.records import now_ms
from saastracker.web.answers import cookie, local_path, page, redirect
from saastracker.web.login import read_form
from saastracker.web.site import SESSION_COOKIE, TOKEN_COOKIE, Site, WebRequest, get

BROWSER_COOKIE = "saastracker_browser"  # of one that somebody has signed in with; lets nobody in
NEW_PASSWORD = "Your new password is kept. Sign in with it."  # noqa: S105


@get("/sign-in", sync_to_thread=False)
def sign_in_form(request: WebRequest, next: FromQuery[str] = "/") -> Response[bytes]:  # noqa: A002
    return page(request, "sign_in.html", next=local_path(next), email="", wrong="", note="")


@post("/sign-in")
async def sign_in(request: WebRequest) -> Response[bytes]:
    """303 with the cookie set; the form for the code; or the form again with what is wrong."""
    site: Site = request.app.state.site
    form = await read_form(request, site)
    onward, email = local_path(form.get("next", "/")), form.get("email", "")
    try:
        entered = await asyncio.to_thread(
            site.accounts.sign_in.sign_in, email, form.get("password", ""), **_tries(request, site)
        )
    except (Unauthorized, Later) as refusal:
        return _again(request, "sign_in.html", refusal, next=onward, email=email, note="")
    if isinstance(entered, CodeNeeded):
        return page(request, "code.html", next=onward, ticket=entered.ticket, wrong="")
    return _enter(site, entered, onward)


@post("/sign-in/code")
async def sign_in_code(request: WebRequest) -> Response[bytes]:
    """The same with the second factor's code. Once the ticket is over, back to the first form."""
    site: Site = request.app.state.site
    form = await read_form(request, site)
    onward, ticket = local_path(form.get("next", "/")), form.get("ticket", "")
    try:
        entered = await asyncio.to_thread(
            site.accounts.sign_in.confirm, ticket, form.get("code", ""), **_tries(request, site)
        )
    except (Unauthorized, Later) as refusal:
        if refusal.reason == "ticket":
            return _again(request, "sign_in.html", refusal, next=onward, email="", note="")
        return _again(request, "code.html", refusal, next=onward, ticket=ticket)
    return _enter(site, entered, onward)


# --- By a link ---


@get("/sign-up/{link:str}", sync_to_thread=False)
def sign_up_form(request: WebRequest, link: FromPath[str]) -> Response[bytes]:
    """For somebody new the form of an account, for who is signed in one button."""
    site: Site = request.app.state.site
    invitation = site.accounts.invitations.find(link, now_ms())
    signed = site.signed(request)
    if signed is None:
        return page(request, "sign_up.html", **_offer(site, invitation), name="", email="", wrong="", field="")
    return page(request, "join.html", **_offer(site, invitation), email=signed.user.email, wrong="")


@post("/sign-up/{link:str}")
async def sign_up(request: WebRequest, link: FromPath[str]) -> Response[bytes]:
    """303, signed in and a member; or the form again with what is wrong."""
    site: Site = request.app.state.site
    form = await read_form(request, site)
    invitation, signed = site.accounts.invitations.find(link, now_ms()), site.signed(request)
    try:
        if signed is not None:
            await asyncio.to_thread(site.accounts.invitations.accept, link, signed, now_ms())
            return redirect("/")
        entered = await asyncio.to_thread(
            site.accounts.invitations.sign_up,
            link,
            name=form.get("name", ""),
            email=form.get("email", ""),
            password=form.get("password", ""),
            agent=_agent(request),
            now=now_ms(),
        )
    except (Conflict, Forbidden, Invalid, Later) as refusal:
        offer = _offer(site, invitation)
        if signed is not None:
            return _again(request, "join.html", refusal, **offer, email=signed.user.email)
        typed = {name: form.get(name, "") for name in ("name", "email")}
        return _again(request, "sign_up.html", refusal, **offer, **typed, field=refusal.reason)
    return _enter(site, entered, "/")


@get("/password/{link:str}", sync_to_thread=False)
def password_form(request: WebRequest, link: FromPath[str]) -> Response[bytes]:
    site: Site = request.app.state.site
    user = site.accounts.own.password_link(link, now_ms())
    return page(request, "password.html", email=user.email, wrong="")


@post("/password/{link:str}")
async def set_password(request: WebRequest, link: FromPath[str]) -> Response[bytes]:
    """The form of sign-in, as a second factor may be needed; or the form again with what is wrong."""
    site: Site = request.app.state.site
    form = await read_form(request, site)
    user = site.accounts.own.password_link(link, now_ms())
    try:
        await asyncio.to_thread(site.accounts.own.set_password, link, form.get("password", ""), now_ms())
    except (Invalid, Later) as refusal:
        return _again(request, "password.html", refusal, email=user.email)
    return page(request, "sign_in.html", next="/", email=user.email, wrong="", note=NEW_PASSWORD)


def _offer(site: Site, invitation: Invitation) -> dict[str, Any]:
    """What an invitation says to whom it invites. Raises NotFound if its workspace is gone."""
    workspace = site.facts.snapshot.workspaces.get(invitation.workspace)
    if workspace is None:
        raise NotFound("The workspace of this link is gone.")
    return {"workspace": workspace.name, "role": invitation.role, "invited": invitation.email}


def _tries(request: WebRequest, site: Site) -> dict[str, Any]:
    """Who tries to come in."""
    browser = request.cookies.get(BROWSER_COOKIE, "")
    return {"address": site.address(request), "agent": _agent(request), "now": now_ms(), "browser": browser}


def _agent(request: WebRequest) -> str:
    return in_words(request.headers.get("user-agent", ""))


def _enter(site: Site, entered: Entered, onward: str) -> Response[bytes]:
    answer = redirect(onward)
    answer.cookies.append(cookie(SESSION_COOKIE, entered.token, secure=site.secure))
    answer.cookies.append(cookie(BROWSER_COOKIE, site.accounts.sign_in.known_browser(entered), secure=site.secure))
    answer.cookies.append(cookie(TOKEN_COOKIE, "", secure=site.secure, max_age=0))
    return answer


def _again(request: WebRequest, template: str, refusal: Refusal, **values: Any) -> Response[bytes]:
    """A form with what was wrong with it; never what was typed as password or code."""
    answer = page(request, template, refusal.status, wrong=refusal.detail, **values)
    answer.headers.update({name.decode(): value.decode() for name, value in refusal.headers})
    return answer
