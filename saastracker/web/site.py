"""What the pages are given, and who may see what."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, TypeAlias

from litestar import HttpMethod, Request, route
from litestar.types import HTTPScope

from saastracker import bodies, snippets
from saastracker.accounts import Accounts
from saastracker.accounts.model import Signed
from saastracker.contracts import RecordStore, ReportPage, Store
from saastracker.definitions import Definitions
from saastracker.erasures import Erasures
from saastracker.errors import Forbidden, NotFound, RequestTimeout, Unauthorized
from saastracker.facts import Facts
from saastracker.live import Live
from saastracker.meter import Meter
from saastracker.outbox import Outbox
from saastracker.plugins import Registry
from saastracker.records import now_ms
from saastracker.roles import Role, may
from saastracker.schedule import Scheduler
from saastracker.scope import Scope
from saastracker.watch import ServerStatus
from saastracker.web.callers import SCOPE_ROLES, Caller
from saastracker.web.rail import Filled
from saastracker.wire import Project

if TYPE_CHECKING:  # it draws, and what draws knows this
    from saastracker.web.messages import Messages

TOKEN_COOKIE = "saastracker_token"  # noqa: S105
SESSION_COOKIE = "saastracker_session"
get = partial(route, http_method=[HttpMethod.GET, HttpMethod.HEAD])  # the server leaves out the body of HEAD
WebRequest: TypeAlias = Request[Any, Any, Any]


@dataclass(frozen=True, kw_only=True)
class Site:
    """What the pages need; the application hands it in once, at start."""

    facts: Facts
    records: RecordStore  # whose audit trail is shown
    store: Store
    registry: Registry  # all that the plugins offer
    reports: Mapping[str, ReportPage]  # by slug, in the order of the menu
    accounts: Accounts
    definitions: Definitions
    erasures: Erasures
    scheduler: Scheduler
    meter: Meter  # of this month's budgets
    outbox: Outbox
    messages: "Messages"
    live: Live
    ready: Callable[[], Awaitable[Mapping[str, Any]]]  # `ready`, whether events can be taken, and why not
    status: Callable[[], ServerStatus]  # in a thread: it reads the store
    metrics: Callable[[], bytes]  # Prometheus text, in a thread
    reading: Callable[[str, str, Scope], AbstractContextManager[None]]  # times a report of a project, by their slugs
    address_of: Callable[[HTTPScope], str | None]  # a request's client, behind trusted proxies too
    public_url: str  # where people and clients reach the server, without a trailing slash

    @cached_property
    def filled(self) -> Filled:
        """What is known of which groups of the rail have data."""
        return Filled(self.reports.values())

    def caller(self, request: WebRequest) -> Caller:
        """Who asks, by `Authorization: Bearer`, else by the cookie of a session or of a token. Raises Unauthorized."""
        kind, _, text = request.headers.get("authorization", "").partition(" ")
        cookie = kind.lower() != "bearer"
        if cookie:
            signed = self.signed(request)
            if signed is not None:
                return Caller(signed=signed)
            text = request.cookies.get(TOKEN_COOKIE, "")
        token = self.facts.snapshot.token(text.strip()) if text else None
        if token is None:
            raise Unauthorized("Send an API token as `Authorization: Bearer st_…`, or sign in.")
        return Caller(token=token, cookie=cookie)

    def signed(self, request: WebRequest) -> Signed | None:
        """The user who is signed in with the browser that asks."""
        text = request.cookies.get(SESSION_COOKIE, "")
        return self.accounts.signed(text, now_ms()) if text else None

    @property
    def entrance(self) -> str:
        """Where people come in: with a token, until somebody has an account."""
        return "/sign-in" if self.accounts.snapshot.users else "/login"

    def opens(self, caller: Caller, project: Project) -> bool:
        """Whether somebody who asked some time ago still may read a project."""
        now = self.facts.snapshot.projects.get(project.id)
        if now is None or not now.active:
            return False
        if caller.token is not None:
            return caller.token.digest in self.facts.snapshot.by_digest
        people, signed = self.accounts.snapshot, caller.signed
        if signed is None or signed.session.id not in people.sessions:
            return False
        return project.workspace in people.roles.get(signed.user.id, {})

    def projects(self, caller: Caller, *, active: bool = True) -> list[Project]:
        """What a caller may read, by name; not `active`: what was deleted and can be restored."""
        known = (each for each in self.facts.snapshot.projects.values() if each.active == active)
        return sorted((project for project in known if caller.may(project, "viewer")), key=lambda project: project.name)

    def project(self, caller: Caller, slug: str, needed: Role = "viewer", *, active: bool = True) -> Project:
        """The project of an address; not `active`: one that was deleted and can be restored.

        Raises NotFound for one that the caller may not know of, too; Forbidden if the caller's role is below `needed`.
        """
        project = self.facts.snapshot.projects_by_slug.get(slug)
        if project is None or project.active != active or caller.role(project) is None:
            raise NotFound(f"There is no project {slug[:64]} here.")
        check_role(caller, caller.role(project), needed)
        return project

    def snippets(
        self, project: Project, shown: Mapping[str, Mapping[str, str]] | None = None
    ) -> tuple[snippets.Snippets, ...]:
        """Code by format and language with a project's keys: those just `shown`, else what is readable of them."""
        keys, now = self.facts.snapshot.keys.values(), now_ms()
        live = (key for key in keys if key.project == project.id and key.live(now))
        return snippets.snippets(
            self.public_url, self.registry.bindings, {**snippets.known(project, live), **(shown or {})}
        )

    def address(self, request: WebRequest) -> str:
        """Where the request came from, behind trusted proxies too."""
        return self.address_of(request.scope) or ""

    @property
    def secure(self) -> bool:
        """Whether people come by https, so that cookies may not travel without it."""
        return self.public_url.startswith("https:")


def check_role(caller: Caller, role: Role | None, needed: Role) -> None:
    """Raises Forbidden if `role` is below `needed`."""
    if may(role, needed):
        return
    if caller.token is not None:
        scope = next(scope for scope, given in SCOPE_ROLES.items() if may(given, needed) or scope == "admin")
        detail = f"This needs a token of scope {scope}. Make one with: saastracker token add NAME --scope {scope}"
        raise Forbidden(detail, reason="scope")
    raise Forbidden(f"This needs the role {needed}; you are {role or 'no member'}. Ask an admin.", reason="role")


def sent_path(request: WebRequest) -> str:
    """The path as it was sent: ids in it stay quoted, and none breaks the line of a header."""
    return request.scope["raw_path"].decode("latin-1")


async def read_body(request: WebRequest) -> bytes:
    """A form's or a program's body. Raises RequestTimeout for one that does not arrive."""
    try:
        async with asyncio.timeout(bodies.READ_SECONDS):
            return await request.body()
    except TimeoutError:
        raise RequestTimeout("The body did not arrive in time. Send it again.") from None
