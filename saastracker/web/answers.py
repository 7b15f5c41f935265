"""How the web answers: pages, refusals, cookies and the headers on everything."""

import hashlib
import logging
from collections.abc import Sequence
from typing import Annotated, Any
from urllib.parse import quote

import msgspec
from litestar import Response
from litestar.datastructures import Cookie
from litestar.datastructures.headers import MutableScopeHeaders
from litestar.exceptions import HTTPException
from litestar.types import Message, Scope
from msgspec import Meta

from saastracker.accounts.csrf import csrf_token
from saastracker.errors import Refusal, Unauthorized
from saastracker.web.banner import banner
from saastracker.web.packing import packed
from saastracker.web.rail import COOKIE as RAIL_COOKIE
from saastracker.web.rail import closed
from saastracker.web.rendering import render
from saastracker.web.site import SESSION_COOKIE, Site, WebRequest, sent_path

log = logging.getLogger("saastracker.web")

THEMES = ("system", "light", "dark")
THEME_COOKIE = "saastracker_theme"
SHARED_PATH = "/share/"
UNSUBSCRIBE_PATH = "/unsubscribe/"
OUTSIDE_PATHS = (SHARED_PATH, UNSUBSCRIBE_PATH)  # for people without an account
YEAR = 365 * 24 * 3600  # seconds

_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; frame-ancestors {}; base-uri 'none'"
)
_SECURITY_HEADERS = {
    "content-security-policy": _POLICY.format("'none'"),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    # Not no-referrer: with it browsers send `Origin: null` on forms, which `same_origin` then refuses.
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}

# The address is the secret: it is told to nobody, and no search engine keeps it.
_OUTSIDE_HEADERS = {"referrer-policy": "no-referrer", "x-robots-tag": "noindex, nofollow"}

_TITLES = {
    400: "That address does not work",
    401: "Sign in first",
    403: "Not allowed",
    404: "Nothing here",
    405: "Not that way",
    408: "Too slow",
    409: "In the way of another change",
    412: "Changed meanwhile",
    413: "Too large",
    415: "Not JSON",
    428: "Which version?",
    429: "Too many tries",
    500: "Something went wrong",
    503: "Not available now",
}
_LINK_OVER = "This link no longer works"  # of a refusal whose reason is `link`


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """Why a request is refused (RFC 9457)."""

    type: Annotated[str, Meta(description="Always `about:blank`: the status says what kind it is.")] = "about:blank"
    title: str
    status: Annotated[int, Meta(ge=400, le=599, examples=[404])]
    detail: Annotated[str, Meta(description="One sentence that says what to fix.")]


async def add_headers(message: Message, scope: Scope) -> None:
    """Security headers on every answer, errors included; nothing personal is kept by caches."""
    if message["type"] == "http.response.start":
        headers = MutableScopeHeaders(message)
        if scope["path"].startswith(OUTSIDE_PATHS):
            for name, value in _OUTSIDE_HEADERS.items():
                headers.setdefault(name, value)
        framed = "content-security-policy" in headers
        for name, value in _SECURITY_HEADERS.items():
            if not (framed and name == "x-frame-options"):  # which knows no list of origins
                headers.setdefault(name, value)
        headers.setdefault("cache-control", "no-store")
        if scope["path"].startswith("/p/"):
            headers.setdefault("vary", "Cookie, Authorization, Accept-Encoding")


def framed_by(origins: Sequence[str]) -> dict[str, str]:
    """Headers of a page that pages of these origins may hold in a frame; of none, if there are none."""
    return {"content-security-policy": _POLICY.format(" ".join(origins))} if origins else {}


def cookie(name: str, value: str, *, secure: bool, max_age: int = YEAR) -> Cookie:
    return Cookie(key=name, value=value, max_age=max_age, path="/", httponly=True, samesite="lax", secure=secure)


def page(request: WebRequest, template: str, status: int = 200, **values: Any) -> Response[bytes]:
    """A page in the theme the person chose; `me` is who is signed in, `csrf` for their forms."""
    site: Site = request.app.state.site
    signed = site.signed(request)
    csrf = csrf_token(request.cookies[SESSION_COOKIE]) if signed else ""
    theme = request.cookies.get(THEME_COOKIE, "system")
    theme = theme if theme in THEMES else "system"
    html = render(
        template,
        theme=theme,
        here=_here(request),
        csrf=csrf,
        me=signed.user if signed else None,
        banner=banner(request, site, signed, values),
        closed=closed(site.filled, request.cookies.get(RAIL_COOKIE, ""), values),
        **values,
    )
    return Response(html.encode(), status_code=status, media_type="text/html")


def redirect(path: str) -> Response[bytes]:
    """Go and get `path`, an address on this server."""
    return Response(b"", status_code=303, media_type="text/plain", headers={"location": path})


def _here(request: WebRequest) -> str:
    path, query = sent_path(request), request.scope["query_string"].decode("latin-1")
    return f"{path}?{query}" if query else path


def cached(request: WebRequest, answer: Response[bytes], content: bytes | None = None) -> Response[bytes]:
    """The answer with an ETag over `content` (what it says, else all of it), or 304 if the caller has it."""
    digest = hashlib.blake2b(answer.content if content is None else content, digest_size=12).hexdigest()
    etag = f'W/"{digest}"'
    headers = {"etag": etag, "cache-control": "private, no-cache"}
    known = request.headers.get("if-none-match", "")
    if etag in (item.strip() for item in known.split(",")):
        return Response(b"", status_code=304, media_type=answer.media_type, headers=headers, cookies=answer.cookies)
    answer.headers.update(headers)
    return packed(request, answer)


def local_path(text: str) -> str:
    """`text` if it is an address on this server, else `/`."""
    plain = text.isascii() and text.isprintable() and "\\" not in text
    return text if plain and text.startswith("/") and not text.startswith("//") else "/"


def refused(request: WebRequest, error: Exception) -> Response[bytes]:
    """The answer to any exception: problem details (RFC 9457) for programs, a page for people."""
    headers: dict[str, str] = {}
    if isinstance(error, Refusal):
        status, detail = error.status, error.detail
        headers = {name.decode(): value.decode() for name, value in error.headers}
    elif isinstance(error, HTTPException) and error.status_code < 500:
        status, detail = error.status_code, _DETAILS.get(error.status_code, "The request is malformed.")
        headers = {name: value for name, value in (error.headers or {}).items() if name.lower() == "allow"}
    else:
        status, detail = 500, "The server failed to answer. Try again; if it fails again, its log says why."
        log.error("%s %s failed", request.method, _told_path(request), exc_info=error)
    if is_twin(request):
        return _problem(status, detail, headers)
    entrance = request.app.state.site.entrance
    if isinstance(error, Unauthorized):
        return redirect(f"{entrance}?next={quote(_here(request), safe='')}")
    if "text/html" not in request.headers.get("accept", ""):
        return _problem(status, detail, headers)
    over = isinstance(error, Refusal) and error.reason == "link"
    answer = page(
        request,
        "refused.html",
        status,
        title=_LINK_OVER if over else _TITLES.get(status, "Refused"),
        detail=detail,
        over=over,
        again=status >= 500 and request.method == "GET",
        entrance=None if request.url.path.startswith(OUTSIDE_PATHS) else entrance,
    )
    answer.headers.update(headers)
    return answer


_DETAILS = {
    404: "There is no such page.",
    405: "This address does not take that method.",
    413: "The body is too large.",
}


def _told_path(request: WebRequest) -> str:
    """The address for the log, by its pattern: of what it names only the project's report, never a person or a link."""
    pattern = request.scope.get("path_template") or "/"
    if pattern.startswith("/p/"):
        for name in ("slug", "name", "kind"):
            pattern = pattern.replace(f"{{{name}}}", str(request.path_params.get(name, "")).partition(".")[0][:64])
    return pattern


def is_twin(request: WebRequest) -> bool:
    """Whether the address is for programs, whatever they accept."""
    path = request.url.path
    return (
        path.startswith("/api/")
        or path.endswith((".json", ".csv", ".events"))
        or path in {"/healthz", "/readyz", "/metrics"}
    )


def _problem(status: int, detail: str, headers: dict[str, str]) -> Response[bytes]:
    body = Problem(title=_TITLES.get(status, "Refused"), status=status, detail=detail)
    if status == 401:
        headers = {**headers, "www-authenticate": "Bearer"}
    return Response(
        msgspec.json.encode(body), status_code=status, media_type="application/problem+json", headers=headers
    )
