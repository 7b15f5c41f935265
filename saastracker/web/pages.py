"""Reports as pages, and their twins `.json` and `.csv`."""

import asyncio
from collections.abc import Callable
from urllib.parse import parse_qsl, urlencode

import msgspec
from litestar import Response
from litestar.params import FromPath
from litestar.response import Stream

from saastracker.contracts import Project, ReportPage
from saastracker.errors import MethodNotAllowed, NotFound
from saastracker.event import TYPES
from saastracker.records import Token, now_ms
from saastracker.report import Report
from saastracker.scope import RANGES, SHORT_FORMS, Scope
from saastracker.web.answers import cached, cookie, page, redirect
from saastracker.web.faces import block, csv_table, iso, json_report
from saastracker.web.following import follow
from saastracker.web.site import Site, WebRequest, get

PROJECT_COOKIE = "saastracker_project"  # the slug of the project last looked at
SECTIONS = ("Overview", "Product", "Customers", "Errors", "Games", "Web")
RANGE_LABELS = dict(
    zip(
        RANGES,
        ("Today", "Last 7 days", "Last 28 days", "Last 30 days", "Last 90 days", "Last 12 months", "Month to date",
         "Year to date"),
        strict=True,
    )
)  # fmt: skip


@get("/", sync_to_thread=False)
def home(request: WebRequest) -> Response[bytes]:
    """To the project last looked at, else the first."""
    site: Site = request.app.state.site
    projects = site.projects(site.token(request))
    last = request.cookies.get(PROJECT_COOKIE)
    for project in sorted(projects, key=lambda project: project.slug != last):
        return redirect(f"/p/{project.slug}/")
    raise NotFound("There is no project yet. Make one with: saastracker project add NAME")


@get("/p/{slug:str}", sync_to_thread=False)
def project_home(request: WebRequest, slug: FromPath[str]) -> Response[bytes]:
    """To the project's first report."""
    site: Site = request.app.state.site
    project = site.project(site.token(request), slug)
    for reports in menu(site).values():
        return redirect(f"/p/{project.slug}/{reports[0].slug}")
    raise NotFound("No plugin offers a report. Add one to `plugins` in the configuration.")


@get("/p/{slug:str}/{name:str}")
async def report(request: WebRequest, slug: FromPath[str], name: FromPath[str]) -> Response[bytes] | Stream:
    """A report as the face its address ends in asks for."""
    site: Site = request.app.state.site
    token = site.token(request)
    project = site.project(token, slug)
    name, _, face = name.partition(".")
    found = site.reports.get(name)
    if found is None or not (face in FACES or (face == "events" and found.live)):
        raise NotFound(f"There is no report {name[:64]} here.")
    now = now_ms()
    query, key = _without_block(request.scope["query_string"].decode("latin-1"))
    scope = Scope.parse(query, project=project.id, timezone=project.timezone, now=now)
    if found.live and face == "events":
        if request.method != "GET":
            raise MethodNotAllowed("GET")
        return follow(site.live, found.live, scope, lambda: site.is_live(token))
    asked = Asked(request, site, token, project, found, scope, key, now)
    return await asyncio.to_thread(_answer, asked, FACES[face])


class Asked(msgspec.Struct):
    """One request for a report."""

    request: WebRequest
    site: Site
    token: Token
    project: Project
    page: ReportPage
    scope: Scope
    block: str | None  # key of the block that a page or CSV shows
    now: int


def _without_block(query: str) -> tuple[str, str | None]:
    """The query string that the scope is made of, and the value of `block`."""
    if "block=" not in query:
        return query, None
    try:
        pairs = parse_qsl(query, max_num_fields=100)
    except ValueError:  # too many, which `Scope.parse` refuses
        return query, None
    key = next((value for name, value in pairs if name == "block"), None)
    return urlencode([pair for pair in pairs if pair[0] != "block"]), key


def _answer(asked: Asked, face: Callable[[Asked, Report], Response[bytes]]) -> Response[bytes]:
    with asked.site.store.reader() as reader:
        loaded = asked.page.load(reader, asked.scope)
    return face(asked, loaded)


def _json(asked: Asked, loaded: Report) -> Response[bytes]:
    content = json_report(asked.project.slug, asked.page.slug, asked.scope, loaded)
    same = msgspec.json.encode(content)
    body = msgspec.json.encode({**content, "fresh_until": iso(asked.now)})
    answer = Response(body, media_type="application/json", headers=_next_link(asked, loaded))
    return cached(asked.request, answer, same)


def _next_link(asked: Asked, loaded: Report) -> dict[str, str]:
    more = loaded.tables[0].next
    if more is None:
        return {}
    query = msgspec.structs.replace(asked.scope, after=more).query
    return {"link": f'<{asked.request.url.path}?{query}>; rel="next"'}


def _csv(asked: Asked, loaded: Report) -> Response[bytes]:
    table = block(loaded, asked.block)
    name = f"{asked.project.slug}-{asked.page.slug}-{table.key}.csv"
    headers = {"content-disposition": f'attachment; filename="{name}"', **_next_link(asked, loaded)}
    return cached(asked.request, Response(csv_table(table), media_type="text/csv", headers=headers))


def _html(asked: Asked, loaded: Report) -> Response[bytes]:
    scope = msgspec.structs.replace(asked.scope, after=None)
    simple = {item.dimension: item for item in scope.filters if item.operator == "is" and item.dimension in SHORT_FORMS}
    others = tuple(item for item in scope.filters if item not in simple.values())
    answer = page(
        asked.request,
        "report.html",
        project=asked.project,
        projects=asked.site.projects(asked.token),
        menu=menu(asked.site),
        report=asked.page,
        scope=asked.scope,
        ranges=RANGE_LABELS,
        types=TYPES,
        chosen=block(loaded, asked.block),
        tables=loaded.tables,
        now=asked.now,
        public_url=asked.site.public_url,
        # The two forms of the scope bar: what each leaves as it is, and what the filter form shows.
        span_fields=parse_qsl(msgspec.structs.replace(scope, span_given=False).query),
        filter_fields=parse_qsl(msgspec.structs.replace(scope, environment=None, filters=others).query),
        simple={name: simple[name].value if name in simple else "" for name in SHORT_FORMS},
        # Links to the same report with something changed; they begin at the first page.
        changed=lambda **changes: _link(scope, **changes),
        older=lambda position: _link(scope, after=position),
        without=lambda item: _link(scope, filters=tuple(one for one in scope.filters if one != item)),
    )
    if asked.request.cookies.get(PROJECT_COOKIE) != asked.project.slug:
        answer.cookies.append(cookie(PROJECT_COOKIE, asked.project.slug, secure=asked.site.secure))
    return cached(asked.request, answer)


def _link(scope: Scope, **changes: object) -> str:
    return "?" + msgspec.structs.replace(scope, **changes).query


def menu(site: Site) -> dict[str, list[ReportPage]]:
    """The reports there are, by section, in the order of sections."""
    known = {section: [page for page in site.reports.values() if page.section == section] for section in SECTIONS}
    return {section: reports for section, reports in known.items() if reports}


FACES: dict[str, Callable[[Asked, Report], Response[bytes]]] = {"": _html, "json": _json, "csv": _csv}
