"""What the pages are given, and who may see what."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

from litestar import HttpMethod, Request, route

from saastracker import bodies
from saastracker.contracts import ReportPage, Store
from saastracker.definitions import Definitions
from saastracker.errors import NotFound, RequestTimeout, Unauthorized
from saastracker.facts import Facts
from saastracker.live import Live
from saastracker.records import Token
from saastracker.schedule import Scheduler
from saastracker.wire import Project

TOKEN_COOKIE = "saastracker_token"  # noqa: S105
get = partial(route, http_method=[HttpMethod.GET, HttpMethod.HEAD])  # the server leaves out the body of HEAD
WebRequest: TypeAlias = Request[Any, Any, Any]


@dataclass(frozen=True, kw_only=True)
class Site:
    """What the pages need; the application hands it in once, at start."""

    facts: Facts
    store: Store
    reports: Mapping[str, ReportPage]  # by slug, in the order of the menu
    definitions: Definitions
    scheduler: Scheduler
    live: Live
    ready: Callable[[], Awaitable[Mapping[str, Any]]]  # `ready`, whether events can be taken, and why not
    metrics: Callable[[], bytes]  # Prometheus text
    public_url: str  # where people and clients reach the server, without a trailing slash

    def token(self, request: WebRequest) -> Token:
        """The token of `Authorization: Bearer`, else of the cookie. Raises Unauthorized."""
        header = request.headers.get("authorization", "")
        kind, _, text = header.partition(" ")
        if kind.lower() != "bearer":
            text = request.cookies.get(TOKEN_COOKIE, "")
        token = self.facts.snapshot.token(text.strip()) if text else None
        if token is None:
            raise Unauthorized("Send an API token as `Authorization: Bearer st_…`, or sign in.")
        return token

    def is_live(self, token: Token) -> bool:
        """Whether a token that was live some time ago still is."""
        return token.digest in self.facts.snapshot.by_digest

    def projects(self, token: Token) -> list[Project]:
        """What a token opens, by name."""
        known = self.facts.snapshot.projects_by_slug.values()
        return sorted((project for project in known if opens(token, project)), key=lambda project: project.name)

    def project(self, token: Token, slug: str) -> Project:
        """The project of an address. Raises NotFound for one that the token does not open, too."""
        project = self.facts.snapshot.projects_by_slug.get(slug)
        if project is None or not opens(token, project):
            raise NotFound(f"There is no project {slug[:64]} here.")
        return project

    @property
    def secure(self) -> bool:
        """Whether people come by https, so that cookies may not travel without it."""
        return self.public_url.startswith("https:")


def opens(token: Token, project: Project) -> bool:
    return token.workspace == project.workspace and token.project in (None, project.id)


async def read_body(request: WebRequest) -> bytes:
    """A form's or a program's body. Raises RequestTimeout for one that does not arrive."""
    try:
        async with asyncio.timeout(bodies.READ_SECONDS):
            return await request.body()
    except TimeoutError:
        raise RequestTimeout("The body did not arrive in time. Send it again.") from None
