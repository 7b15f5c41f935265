"""Reports as pages, and their twins `.json` and `.csv`."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Generic, NamedTuple, TypeVar

import msgspec
from litestar import Response
from litestar.params import FromPath
from litestar.response import Stream

from saastracker import environments
from saastracker.annotations import ANNOTATION, noted
from saastracker.contracts import Reader, ReportPage
from saastracker.errors import Invalid, MethodNotAllowed, NotFound
from saastracker.merging import settled
from saastracker.records import now_ms
from saastracker.report import Block, Note, Report, Table
from saastracker.scope import LIMIT_DEFAULT, LIMIT_MAX, Scope
from saastracker.views import VIEW
from saastracker.web.answers import cached, cookie, page, redirect
from saastracker.web.arranging import Arrangement, arranged, by_people, chosen, split
from saastracker.web.callers import Caller
from saastracker.web.cancelling import while_connected
from saastracker.web.dropped import with_dropped, with_uncounted
from saastracker.web.faces import csv_block, iso, json_report
from saastracker.web.following import follow
from saastracker.web.forms.actions import edits, offered, without_actions
from saastracker.web.items import quoted, sent, unquoted
from saastracker.web.layout import layout, without_match
from saastracker.web.linking import Links, scope_bar, told
from saastracker.web.naming import NO_NAMES, Names, Naming
from saastracker.web.questions import begun, opened, question
from saastracker.web.site import Site, WebRequest, get, sent_path
from saastracker.wire import Project

PROJECT_COOKIE = "saastracker_project"  # the slug of the project last looked at
TOP = 10  # rows of each table on a page of several
HOME = "home"  # the report that a project's address leads to, where there is one
SECTIONS = ("Overview", "Product", "Customers", "Errors", "Games", "Web")


@get("/", sync_to_thread=False)
def home(request: WebRequest) -> Response[bytes]:
    """To the project last looked at, else the first; where there is none, to the settings."""
    site: Site = request.app.state.site
    caller = site.caller(request)
    projects = site.projects(caller)
    last = request.cookies.get(PROJECT_COOKIE)
    for project in sorted(projects, key=lambda project: project.slug != last):
        return redirect(f"/p/{project.slug}/")
    if caller.signed is not None and caller.signed.roles:
        return redirect("/settings")
    raise NotFound("There is no project yet. Make one with: saastracker project add NAME")


@get("/p/{slug:str}", sync_to_thread=False)
def project_home(request: WebRequest, slug: FromPath[str]) -> Response[bytes]:
    """To the project's first report."""
    site: Site = request.app.state.site
    project = site.project(site.caller(request), slug)
    for reports in menu(site).values():
        return redirect(f"/p/{project.slug}/{reports[0].slug}")
    raise NotFound("No plugin offers a report. Add one to `plugins` in the configuration.")


class Asked(msgspec.Struct):
    """One request for a report, or for one `item` of those it lists."""

    request: WebRequest
    site: Site
    caller: Caller
    project: Project
    page: ReportPage
    item: str | None
    load: Callable[[Reader, Scope], Report]
    scope: Scope
    arrangement: Arrangement
    now: int
    environments: Sequence[str] = ()  # those the project's events name, for a page
    tells_people: bool = True  # by their names, where the report itself has only ids
    unmatched: bool = False  # whether nothing matches the filters of a page
    names: Names = NO_NAMES  # of those whom the report shows by their ids

    @property
    def address(self) -> str:
        """The page's path; its twins are there too, with `.json` or `.csv` behind."""
        path = f"/p/{self.project.slug}/{self.page.slug}"
        return path if self.item is None else f"{path}/{quoted(self.item)}"

    @property
    def follows(self) -> bool:
        """Whether it is a list of what arrives, rather than of a span."""
        return self.page.live is not None and self.item is None

    @property
    def views(self) -> list[tuple[str, str]]:
        """Names and query strings of the views that were saved of this page."""
        page = self.page.slug if self.item is None else f"{self.page.slug}/{self.item}"
        saved = (defined.value for defined in self.site.definitions.of(self.project.id, VIEW.kind))
        return [(view.name, f"{self.address}?{view.query}") for view in saved if view.report == page]

    @property
    def links(self) -> Links:
        live = {page.slug for page in self.site.reports.values() if page.live}
        begin = environments.of(self.site.definitions, self.project.id).begin
        return Links(self.address, self.project.slug, self.scope, self.arrangement, live=live, begin=begin)


AnyAsked = TypeVar("AnyAsked", bound=Asked)


@get("/p/{slug:str}/{name:str}")
async def report(request: WebRequest, slug: FromPath[str], name: FromPath[str]) -> Response[bytes] | Stream:
    """A report as the face its address ends in asks for."""
    if sent(request, 3):
        return await _detail_answer(request, slug, name)
    name, _, face = name.partition(".")
    asked = _asked(request, slug, name, None, face)
    if asked.page.live and face == "events":
        if request.method != "GET":
            raise MethodNotAllowed("GET")
        if any(asked.scope.parameters.values()):
            raise Invalid(f"Only without {', '.join(asked.scope.parameters)} is this followed.")
        still_open = partial(asked.site.opens, asked.caller, asked.project)
        return follow(asked.site.live, asked.page.live, asked.scope, still_open)
    if face not in FACES:
        raise NotFound(f"There is no report {name[:64]}.{face[:64]} here.")
    return await while_connected(request, partial(answer, asked, FACES[face]))


@get("/p/{slug:str}/{name:str}/{item:path}")
async def detail(request: WebRequest, slug: FromPath[str], name: FromPath[str]) -> Response[bytes]:
    """One thing that a report lists. Its id may hold slashes, and ends before `.json` and `.csv`."""
    return await _detail_answer(request, slug, name)


async def _detail_answer(request: WebRequest, slug: str, name: str) -> Response[bytes]:
    item = sent(request, 3)
    face = next((face for face in ("json", "csv") if item.endswith(f".{face}")), "")
    asked = _asked(request, slug, name, unquoted(item.removesuffix(f".{face}" if face else "")), face)
    return await while_connected(request, partial(answer, asked, FACES[face]))


def _asked(request: WebRequest, slug: str, name: str, item: str | None, face: str) -> Asked:
    site: Site = request.app.state.site
    caller = site.caller(request)
    project = site.project(caller, slug)
    found = site.reports.get(name)
    if found is None:
        raise NotFound(f"There is no report {name[:64]} here.")
    load, declared = question(found, item)
    now = now_ms()
    query, arrangement = split(request.scope["query_string"].decode("latin-1"))
    if face == "":
        query = begun(opened(query, declared), environments.of(site.definitions, project.id).begin)
    scope = Scope.parse(query, project=project.id, timezone=project.timezone, now=now, declared=declared)
    scope = settled(scope, site.definitions)
    return Asked(request, site, caller, project, found, item, load, scope, arrangement, now)


class Face(NamedTuple, Generic[AnyAsked]):
    """A form of a report."""

    arrange: Callable[[AnyAsked, Report], Report]  # what it shows, while the store can be read: rows may be late
    draw: Callable[[AnyAsked, Report], Response[bytes]]
    named: bool = False  # whether people stand there under their names


def answer(asked: AnyAsked, face: Face[AnyAsked], cancelled: Callable[[], bool]) -> Response[bytes]:
    """The report in the form that `face` gives it."""
    site, project = asked.site, asked.project
    with site.reading(asked.page.slug, project.slug, asked.scope):
        with site.store.reader(cancelled=cancelled) as reader:
            loaded = asked.load(reader, asked.scope)
            naming = Naming(reader, project.id, site.registry.memory)
            sought = by_people(loaded, asked.arrangement) if asked.tells_people else Report(blocks=())
            asked.names = Names(naming.organizations(loaded), naming.people(sought))
            if not asked.follows:
                loaded = with_uncounted(reader, with_dropped(reader, asked.scope, loaded))
            shown = face.arrange(asked, loaded)
            if face.named and asked.tells_people:
                asked.names = asked.names._replace(people=naming.people(shown))
            if face.draw is _html:
                site.filled.look(reader, project.id, asked.now)
                said, known = environments.of(site.definitions, project.id), reader.environments(project.id)
                asked.environments = environments.offered(said, known, asked.scope.environment)
        return face.draw(asked, shown)


def in_pages(asked: Asked, loaded: Report) -> Report:
    return arranged(loaded, asked.arrangement, asked.scope, asked.names)


def as_json(asked: Asked, loaded: Report) -> Response[bytes]:
    content = json_report(asked.project.slug, asked.page.slug, asked.scope, loaded)
    same = msgspec.json.encode(content)
    body = msgspec.json.encode({**content, "fresh_until": iso(asked.now)})
    sent = Response(body, media_type="application/json", headers=_next_link(asked, loaded))
    return cached(asked.request, sent, same)


def _next_link(asked: Asked, loaded: Report) -> dict[str, str]:
    block = chosen(loaded, asked.arrangement.block)
    if not isinstance(block, Table) or block.next is None:
        return {}
    return {"link": f'<{sent_path(asked.request)}{asked.links.page(block.next)}>; rel="next"'}


def in_file(asked: Asked, loaded: Report) -> Report:
    scope = asked.scope
    if scope.limit == LIMIT_DEFAULT and scope.after is None:  # a file for people: all rows, not the first page
        scope = msgspec.structs.replace(scope, limit=LIMIT_MAX**2)
    return arranged(loaded, asked.arrangement, scope, asked.names)


def as_csv(asked: Asked, loaded: Report) -> Response[bytes]:
    block = chosen(loaded, asked.arrangement.block)
    name = f"{asked.project.slug}-{asked.page.slug}-{block.key}.csv"
    headers = {"content-disposition": f'attachment; filename="{name}"', **_next_link(asked, loaded)}
    return cached(asked.request, Response(csv_block(block), media_type="text/csv", headers=headers))


def _on_page(asked: Asked, loaded: Report) -> Report:
    if not edits(asked.caller, asked.project):
        loaded = without_actions(loaded)
    filtered = not asked.follows and (asked.scope.filters or asked.scope.environment)
    asked.unmatched = bool(filtered) and without_match(loaded.blocks)
    return arranged(loaded, asked.arrangement, asked.scope, asked.names, others=TOP)


def _html(asked: Asked, loaded: Report) -> Response[bytes]:
    notes = [block for block in loaded.blocks if isinstance(block, Note)]
    shown = page(
        asked.request,
        "report.html",
        project=asked.project,
        projects=asked.site.projects(asked.caller),
        menu=menu(asked.site),
        report=asked.page,
        title=loaded.title or asked.page.title,
        item=asked.item,
        rows=layout(notes if asked.unmatched else loaded.blocks, asked.arrangement.block),
        unmatched=asked.unmatched,
        tables=loaded.tables,
        chosen=chosen(loaded, asked.arrangement.block),
        now=asked.now,
        public_url=asked.site.public_url,
        snippets=asked.site.snippets(asked.project),
        scope=asked.scope,
        arrangement=asked.arrangement,
        links=asked.links,
        names=asked.names,
        exported=exported(loaded),
        shares=edits(asked.caller, asked.project),
        told=told(asked.scope, asked.page.live is not None),
        views=asked.views,
        annotations=noted(asked.site.definitions.of(asked.project.id, ANNOTATION.kind), asked.project.timezone),
        **offered(asked.site.definitions, asked.caller, asked.project, asked.page, asked.item, loaded, asked.links),
        **scope_bar(asked.scope, asked.arrangement, asked.environments),
    )
    if asked.request.cookies.get(PROJECT_COOKIE) != asked.project.slug:
        shown.cookies.append(cookie(PROJECT_COOKIE, asked.project.slug, secure=asked.site.secure))
    return cached(asked.request, shown)


def exported(loaded: Report) -> list[Block]:
    """The blocks that make sense in a file of their own."""
    return [block for block in loaded.blocks if not isinstance(block, Note)]


def menu(site: Site) -> dict[str, list[ReportPage]]:
    """The reports there are, by section, in the order of sections; the home report stands first."""
    pages = sorted(site.reports.values(), key=lambda page: page.slug != HOME)
    known = {section: [page for page in pages if page.section == section] for section in SECTIONS}
    return {section: reports for section, reports in known.items() if reports}


FACES: dict[str, Face[Asked]] = {
    "": Face(_on_page, _html, named=True),
    "json": Face(in_pages, as_json),
    "csv": Face(in_file, as_csv),
}
