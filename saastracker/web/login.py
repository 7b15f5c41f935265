"""Signing in with an API token, signing out, and choosing a theme."""

import asyncio
import time
from collections import deque
from urllib.parse import parse_qs, urlsplit

from litestar import Response, post
from litestar.params import FromQuery

from saastracker.accounts.csrf import FIELD, check_csrf
from saastracker.errors import Forbidden, Invalid, TooLarge, TooMany
from saastracker.records import now_ms
from saastracker.web.answers import THEME_COOKIE, THEMES, YEAR, cookie, local_path, page, redirect
from saastracker.web.site import SESSION_COOKIE, TOKEN_COOKIE, Site, WebRequest, get, read_body

TRIES_MAX, TRIES_SECONDS = 10, 300  # wrong tokens from one address, in so many seconds
ADDRESSES_MAX = 10_000
FORM_MAX = 8 * 1024  # characters
FIELDS_MAX = 20


class Tries:
    """Wrong tokens of late, by client address. Of too many addresses the longest silent is forgotten."""

    def __init__(self) -> None:
        self._wrong: dict[str, deque[float]] = {}

    def check(self, address: str) -> None:
        """Raises TooMany after ten wrong tokens in five minutes."""
        wrong = self._wrong.get(address)
        if wrong is None:
            return
        while wrong and wrong[0] < time.monotonic() - TRIES_SECONDS:
            wrong.popleft()
        if len(wrong) >= TRIES_MAX:
            raise TooMany(
                "Ten wrong tokens came from your address. Try again in five minutes.", retry_after=TRIES_SECONDS
            )

    def count(self, address: str) -> None:
        wrong = self._wrong.pop(address, None) or deque(maxlen=TRIES_MAX)
        wrong.append(time.monotonic())
        self._wrong[address] = wrong
        if len(self._wrong) > ADDRESSES_MAX:
            del self._wrong[next(iter(self._wrong))]


@get("/login", sync_to_thread=False)
def login_form(request: WebRequest, next: FromQuery[str] = "/") -> Response[bytes]:  # noqa: A002
    return _form(request, local_path(next))


@post("/login")
async def login(request: WebRequest) -> Response[bytes]:
    """303 with the cookie set, or the form again with 401."""
    site: Site = request.app.state.site
    tries: Tries = request.app.state.tries
    address = site.address(request)
    form = await read_form(request, site)
    onward = local_path(form.get("next", "/"))
    text = form.get("token", "").strip()
    if not text or site.facts.snapshot.token(text) is None:
        tries.check(address)  # not before: an office may share one address, and nobody guesses 256 bits
        tries.count(address)
        wrong = "No live token reads like this. Make one with: saastracker token add NAME --project SLUG --scope read"
        return _form(request, onward, wrong)
    return _onward(onward, TOKEN_COOKIE, text, site)


@post(["/sign-out", "/logout"])
async def logout(request: WebRequest) -> Response[bytes]:
    """End the session, and forget the token."""
    site: Site = request.app.state.site
    await read_form(request, site)
    signed = site.signed(request)
    if signed is not None:
        await asyncio.to_thread(site.accounts.sessions.end, signed, signed.session.id, now_ms())
    answer = _onward(site.entrance, TOKEN_COOKIE, "", site, max_age=0)
    answer.cookies.append(cookie(SESSION_COOKIE, "", secure=site.secure, max_age=0))
    return answer


@post("/theme")
async def choose_theme(request: WebRequest) -> Response[bytes]:
    site: Site = request.app.state.site
    form = await read_form(request, site)
    theme = form.get("theme", "system")
    onward = local_path(form.get("next", "/"))
    return _onward(onward, THEME_COOKIE, theme if theme in THEMES else "system", site)


def _form(request: WebRequest, onward: str, wrong: str | None = None) -> Response[bytes]:
    accounts = bool(request.app.state.site.accounts.snapshot.users)
    return page(request, "login.html", 401 if wrong else 200, next=onward, wrong=wrong, accounts=accounts)


def _onward(path: str, name: str, value: str, site: Site, max_age: int = YEAR) -> Response[bytes]:
    answer = redirect(path)
    answer.cookies.append(cookie(name, value, secure=site.secure, max_age=max_age))
    return answer


async def read_form(request: WebRequest, site: Site, *, size: int = FORM_MAX, most: int = FIELDS_MAX) -> dict[str, str]:
    """The fields of a form that one of our own pages sent, those left blank too.

    Raises Forbidden for another site's, and for one without the token of who is signed in; RequestTimeout for one
    that does not arrive, TooLarge for one above `size` characters.
    """
    origin = request.headers.get("origin")
    own = {request.headers.get("host", ""), urlsplit(site.public_url).netloc}
    if origin is not None and origin.partition("://")[2] not in own:
        raise Forbidden("This form was sent by a page of another site. Open the page here and send it again.")
    body = (await read_body(request)).decode("utf-8", "replace")
    if len(body) > size:
        raise TooLarge(f"This form holds more than {size // 1024} kB. Shorten what it says, and send it again.")
    try:
        sent = parse_qs(body, keep_blank_values=True, max_num_fields=most)
    except ValueError:
        raise Invalid(f"A form has at most {most} fields.") from None
    form = {name: values[0] for name, values in sent.items()}
    if site.signed(request) is not None:
        check_csrf(request.cookies[SESSION_COOKIE], form.get(FIELD, ""))
    return form
