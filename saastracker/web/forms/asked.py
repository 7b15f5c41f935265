"""One request for a project's definitions of a kind, and what all their pages show."""

from typing import Any

import msgspec
from litestar import Response

from saastracker.contracts import ReportPage
from saastracker.definition import Defined, Definition
from saastracker.errors import Forbidden, NotFound
from saastracker.records import now_ms
from saastracker.web.answers import local_path, page
from saastracker.web.callers import Caller
from saastracker.web.forms.actions import edits
from saastracker.web.forms.shapes import Group, group, wording
from saastracker.web.forms.telling import leaves
from saastracker.web.forms.trees import Tree, typed
from saastracker.web.pages import menu
from saastracker.web.site import Site, WebRequest
from saastracker.wire import Project

TITLE_MAX = 80  # characters


class Asked(msgspec.Struct):
    """Who asks for what."""

    request: WebRequest
    site: Site
    caller: Caller
    project: Project
    kind: Definition

    @property
    def address(self) -> str:
        return f"/p/{self.project.slug}/define/{self.kind.kind}"

    @property
    def shape(self) -> Group:
        return group(self.kind)

    @property
    def report(self) -> ReportPage | None:
        """The report that the kind belongs to."""
        return next((page for page in self.site.reports.values() if self.kind.kind in page.defines), None)

    def onward(self, wanted: str) -> str:
        """Where one goes when all is done: where one came from, else the list."""
        return local_path(wanted) if wanted else self.address

    def all(self) -> tuple[Defined, ...]:
        return self.site.definitions.of(self.project.id, self.kind.kind)

    def find(self, definition: str) -> Defined | None:
        return next((each for each in self.all() if each.id == definition), None)

    def tree(self, value: Any) -> Tree:
        """A value as typed into the form."""
        return typed(self.shape, msgspec.json.decode(msgspec.json.encode(value)))

    def told(self, value: Any) -> list[tuple[str, str]]:
        """A value for people to read."""
        return list(leaves(self.shape, self.tree(value)))

    def title(self, value: Any) -> str:
        """What a definition is called: its name, else its first text."""
        name = getattr(value, "name", None)
        first = name if isinstance(name, str) else next((text for _, text in self.told(value)), "")
        return next(iter(first.splitlines()), self.kind.title)[:TITLE_MAX]

    def page(self, template: str, status: int = 200, **values: Any) -> Response[bytes]:
        return page(
            self.request,
            template,
            status,
            **frame(self.site, self.caller, self.project, self.report.slug if self.report else ""),
            kind=self.kind,
            one=wording(self.kind.kind).lower(),
            address=self.address,
            edits=edits(self.caller, self.project),
            of=self.report,
            **values,
        )


def frame(site: Site, caller: Caller, project: Project, current: str) -> dict[str, Any]:
    """What the shell of a page shows."""
    projects = site.projects(caller)
    return {"project": project, "projects": projects, "menu": menu(site), "current": current, "now": now_ms()}


def asked(request: WebRequest, slug: str, kind: str, *, writes: bool = False) -> Asked:
    """Raises Unauthorized; NotFound for a project or kind that is not there; Forbidden if the role is too low."""
    site: Site = request.app.state.site
    caller = site.caller(request)
    project = site.project(caller, slug, "member" if writes else "viewer")
    if writes and not edits(caller, project):
        raise Forbidden("Sign in with e-mail and password to change this; programs use the API.", reason="role")
    if kind not in site.definitions.kinds:
        known = ", ".join(site.definitions.kinds) or "none"
        raise NotFound(f"There is no kind of definition {kind[:64]}; there are: {known}.")
    return Asked(request, site, caller, project, site.definitions.kinds[kind])
