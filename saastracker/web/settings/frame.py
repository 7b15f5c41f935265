"""What all settings pages share: whose they are, who may open which, and how they answer."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlencode

import msgspec
from litestar import Response

from saastracker.accounts.model import By, Signed
from saastracker.errors import Forbidden, NotFound
from saastracker.records import Workspace, now_ms
from saastracker.roles import ROLES, Role, may
from saastracker.web.answers import page, redirect
from saastracker.web.api.operation import Call
from saastracker.web.callers import Caller
from saastracker.web.pages import PROJECT_COOKIE, menu
from saastracker.web.site import Site, WebRequest, check_role
from saastracker.wire import Project

ID_MAX = 64  # characters of an id that is told back


class Section(NamedTuple):
    """One of the settings' pages, as the tabs above them name it."""

    path: str
    title: str
    needed: Role | None  # None: everybody who has an account


SECTIONS = (
    Section("workspace", "Workspace", "viewer"),
    Section("members", "Members", "viewer"),
    Section("projects", "Projects", "viewer"),
    Section("usage", "Usage", "viewer"),
    Section("shares", "Shared links", "member"),
    Section("tokens", "API tokens", "admin"),
    Section("notifications", "Notifications", "admin"),
    Section("status", "Status", "admin"),
    Section("jobs", "Jobs", "admin"),
    Section("plugins", "Plugins", "viewer"),
    Section("audit", "Audit log", "admin"),
    Section("account", "Account", None),
)

# What a page says after a change, by the word that its address then ends in.
NOTICES: Mapping[str, str] = {
    "saved": "Saved.",
    "role": "The role is changed.",
    "removed": "Removed from the workspace. Their account stays, and what they made.",
    "left": "You left the workspace.",
    "withdrawn": "The invitation is withdrawn; its link works no more.",
    "key-revoked": "The key is revoked. Within five seconds nothing can be sent with it any more.",
    "key-limited": "Saved. Servers follow within five seconds.",
    "token-revoked": "The token is revoked. Within five seconds nothing can be read with it any more.",
    "made": "The workspace is made; you are its owner.",
    "kept": "Saved. What is no longer kept goes with the next night; until then it can be changed back.",
    "erasing": "They are being erased. That takes some minutes; the audit log tells when it is done.",
    "deleted": "The project is deleted. Nothing of it is shown or taken any more; here it can be restored.",
    "restored": "The project is back, with its keys.",
    "share-revoked": "The link is revoked. Within five seconds nothing is seen with it any more.",
    "destination-removed": "The destination is removed. Nothing more is sent to it.",
    "tested": "The test message is sent. Look whether it arrived.",
    "sent-again": "It is sent again within seconds.",
    "started": "The job was started.",
    "password": "Your password is changed. Everywhere else you are signed out.",
    "factor-removed": "The second factor is removed: your password is enough. Everywhere else you are signed out.",
    "signed-out": "Signed out there.",
}


class Fields(dict[str, str]):
    """Texts by field; there is none of what is missing."""

    def __missing__(self, field: str) -> str:
        return ""


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """One request for a settings page, by somebody who may open it."""

    request: WebRequest
    site: Site
    caller: Caller
    signed: Signed
    workspace: Workspace | None  # None: of somebody who belongs to none
    project: Project | None  # the one that the rail shows
    section: str
    now: int

    @property
    def role(self) -> Role | None:
        return self.signed.roles.get(self.workspace.id) if self.workspace else None

    @property
    def own_projects(self) -> list[Project]:
        """The projects of the workspace, by name."""
        return [each for each in self.site.projects(self.caller) if each.workspace == self.place.id]

    @property
    def deleted_projects(self) -> list[Project]:
        """Those of the workspace that can be restored, by name."""
        deleted = self.site.projects(self.caller, active=False)
        return [each for each in deleted if each.workspace == self.place.id]

    @property
    def by(self) -> By:
        return self.signed.by(self.place.id)

    @property
    def place(self) -> Workspace:
        """The workspace. Raises NotFound where there is none."""
        if self.workspace is None:
            raise NotFound("You belong to no workspace. Ask an admin to invite you.")
        return self.workspace

    def may(self, needed: Role) -> bool:
        return may(self.role, needed)

    def call(self, found: Project | Workspace | None = None, **path: str) -> Call:
        """The same as a request to an operation of the API about `found`."""
        return Call(site=self.site, caller=self.caller, path=path, now=self.now, found=found)

    def path(self, path: str, **query: str) -> str:
        """An address below /settings, in the same workspace."""
        if self.workspace is not None:
            query = {"workspace": self.workspace.id, **query}
        return f"/settings/{path}{'?' if query else ''}{urlencode(query)}"

    def show(self, template: str, status: int = 200, **values: Any) -> Response[bytes]:
        """A settings page; `wrong` holds what is wrong, `typed` what was typed, by field of its forms."""
        workspaces = self.site.facts.snapshot.workspaces
        values |= {name: Fields(values.get(name, {})) for name in ("wrong", "typed")}
        return page(
            self.request,
            template,
            status,
            current="settings",
            project=self.project,
            projects=self.site.projects(self.caller),
            menu=menu(self.site),
            frame=self,
            now=self.now,
            workspaces=[workspaces[each] for each in self.signed.roles if each in workspaces],
            sections=[each for each in SECTIONS if each.needed is None or self._opens(each)],
            notice=NOTICES.get(self.request.query_params.get("notice", "")),
            timezone=self.project.timezone if self.project else "UTC",
            **values,
        )

    def done(self, notice: str, path: str | None = None, *, here: bool = True, **query: str) -> Response[bytes]:
        """303 to a page of the settings, this section's if none is named, which says what was done.

        Not `here` is for who has just left the workspace.
        """
        known = self.path(path or self.section, notice=notice, **query)
        return redirect(known if here else f"/settings/{path}?notice={notice}")

    def _opens(self, section: Section) -> bool:
        """Some are about all workspaces."""
        return may(self.caller.highest if section.path in {"status", "jobs"} else self.role, section.needed or "viewer")


def opened(request: WebRequest, section: str, needed: Role | None = "viewer") -> Frame:
    """The frame of a page about a workspace: the one that `workspace` in the address names, else of the last project.

    Raises Unauthorized, NotFound for a workspace that one may not know of, Forbidden if the role is too low.
    """
    site, caller, signed = _signed(request)
    workspaces = site.facts.snapshot.workspaces
    asked = request.query_params.get("workspace")
    if asked is not None and (asked not in signed.roles or asked not in workspaces):
        raise NotFound("There is no such workspace here.")
    projects = sorted(site.projects(caller), key=lambda each: each.slug != request.cookies.get(PROJECT_COOKIE))
    places = [asked] if asked else [*(each.workspace for each in projects), *signed.roles]
    workspace = next((workspaces[each] for each in places if each in workspaces), None)
    frame = Frame(
        request=request,
        site=site,
        caller=caller,
        signed=signed,
        workspace=workspace,
        project=next((each for each in projects if workspace and each.workspace == workspace.id), None),
        section=section,
        now=now_ms(),
    )
    if needed is not None:
        check_role(caller, signed.by(frame.place.id).role, needed)
    return frame


def opened_project(
    request: WebRequest, slug: str, needed: Role = "viewer", *, active: bool = True
) -> tuple[Frame, Project]:
    """The frame of a page about a project; not `active`: a deleted one. Raises Unauthorized, NotFound, Forbidden."""
    frame = opened(request, "projects", None)
    project = frame.site.project(frame.caller, slug, needed, active=active)
    workspace = frame.site.facts.snapshot.workspaces[project.workspace]
    return msgspec.structs.replace(frame, workspace=workspace, project=project), project


def opened_everywhere(request: WebRequest, section: str, needed: Role) -> Frame:
    """The frame of a page about all workspaces. Raises Unauthorized, Forbidden."""
    frame = opened(request, section, None)
    check_role(frame.caller, frame.caller.highest, needed)
    return frame


def _signed(request: WebRequest) -> tuple[Site, Caller, Signed]:
    """Raises Unauthorized, Forbidden for an API token."""
    site: Site = request.app.state.site
    caller = site.caller(request)
    if caller.signed is None:
        raise Forbidden("Settings need an account; scripts find them in /api/v1. Sign in with e-mail and password.")
    return site, caller, caller.signed


def roles_to_give(by: Role | None) -> Sequence[Role]:
    """The roles that somebody of a role may give and take away."""
    if not may(by, "admin"):
        return ()
    return ROLES if by == "owner" else ROLES[:-1]
