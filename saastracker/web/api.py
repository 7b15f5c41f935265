"""The API for scripts: definitions and jobs as JSON."""

import asyncio
from typing import Any

import msgspec
from litestar import Response, Router, delete, post, put
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.params import FromPath

from saastracker.accounts.csrf import check_csrf
from saastracker.accounts.model import Role
from saastracker.definition import Defined
from saastracker.errors import Invalid, NotFound, Stale, Unauthorized, VersionMissing
from saastracker.records import now_ms
from saastracker.schedule import State
from saastracker.scope import LIMIT_DEFAULT, LIMIT_MAX, Scope
from saastracker.web.callers import Caller
from saastracker.web.faces import iso, json_report
from saastracker.web.site import SESSION_COOKIE, Site, WebRequest, check_role, get, read_body
from saastracker.wire import Project

ID_MAX = 64  # characters of a cursor
CSRF_HEADER = "x-csrf-token"  # what forms carry in a field


def _caller(request: WebRequest, needed: Role) -> tuple[Site, Caller]:
    """Raises Unauthorized; of a change that comes with a cookie, Forbidden unless it carries the session's token."""
    site: Site = request.app.state.site
    caller = site.caller(request)
    if needed != "viewer" and caller.cookie:
        if caller.signed is None:
            raise Unauthorized("Send an API token as `Authorization: Bearer st_…`; its cookie changes nothing here.")
        check_csrf(request.cookies.get(SESSION_COOKIE, ""), request.headers.get(CSRF_HEADER, ""))
    return site, caller


def _everywhere(request: WebRequest, needed: Role) -> Site:
    """For what concerns all workspaces. Raises Unauthorized, Forbidden."""
    site, caller = _caller(request, needed)
    check_role(caller, caller.highest, needed)
    return site


def _project(request: WebRequest, slug: str, kind: str, needed: Role) -> tuple[Site, Caller, Project]:
    """Raises NotFound for an unknown kind or project, Unauthorized, Forbidden."""
    site, caller = _caller(request, needed)
    project = site.project(caller, slug, needed)
    if kind not in site.definitions.kinds:
        known = ", ".join(site.definitions.kinds) or "none"
        raise NotFound(f"There is no kind of definition {kind[:ID_MAX]}; there are: {known}.")
    return site, caller, project


# --- Definitions ---


@get("/projects/{slug:str}/definitions/{kind:str}", sync_to_thread=False)
def list_definitions(request: WebRequest, slug: FromPath[str], kind: FromPath[str]) -> Response[bytes]:
    """All of a kind, oldest first; `limit` (100, at most 1000) and `after` page, `Link: rel="next"` leads on."""
    site, _, project = _project(request, slug, kind, "viewer")
    limit, after = _page(request)
    following = [defined for defined in site.definitions.of(project.id, kind) if defined.id > after]
    shown = following[:limit]
    headers = {}
    if len(following) > limit:
        headers["link"] = f'<{request.url.path}?limit={limit}&after={shown[-1].id}>; rel="next"'
    return _json([_definition(defined) for defined in shown], headers=headers)


@post("/projects/{slug:str}/definitions/{kind:str}")
async def create_definition(request: WebRequest, slug: FromPath[str], kind: FromPath[str]) -> Response[bytes]:
    """Make one: 201."""
    site, caller, project = _project(request, slug, kind, "member")
    value = site.definitions.read(kind, await read_body(request))
    made = await asyncio.to_thread(site.definitions.create, project.id, kind, value=value, who=caller.name)
    return _one(made, 201, {"location": f"{request.url.path.rstrip('/')}/{made.id}"})


@get("/projects/{slug:str}/definitions/{kind:str}/{definition:str}", sync_to_thread=False)
def read_definition(
    request: WebRequest, slug: FromPath[str], kind: FromPath[str], definition: FromPath[str]
) -> Response[bytes]:
    """One; its `ETag` is its version."""
    site, _, project = _project(request, slug, kind, "viewer")
    return _one(site.definitions.find(project.id, kind, definition))


@put("/projects/{slug:str}/definitions/{kind:str}/{definition:str}")
async def replace_definition(
    request: WebRequest, slug: FromPath[str], kind: FromPath[str], definition: FromPath[str]
) -> Response[bytes]:
    """Put another value in place of the version that `If-Match` names: 428 without it, 412 if it is not the newest."""
    site, caller, project = _project(request, slug, kind, "member")
    version = _version(request)
    if version is None:
        raise VersionMissing("Send the header `If-Match` with the version that you change, such as `If-Match: 1`.")
    value = site.definitions.read(kind, await read_body(request))
    changed = await asyncio.to_thread(
        site.definitions.replace, project.id, kind, definition, version=version, value=value, who=caller.name
    )
    return _one(changed)


@delete("/projects/{slug:str}/definitions/{kind:str}/{definition:str}", status_code=204)
async def delete_definition(
    request: WebRequest, slug: FromPath[str], kind: FromPath[str], definition: FromPath[str]
) -> None:
    """Delete it; with `If-Match`, only that version."""
    site, caller, project = _project(request, slug, kind, "member")
    version = _version(request)
    await asyncio.to_thread(site.definitions.delete, project.id, kind, definition, version=version, who=caller.name)


@get("/projects/{slug:str}/definitions/{kind:str}/{definition:str}/versions")
async def list_versions(
    request: WebRequest, slug: FromPath[str], kind: FromPath[str], definition: FromPath[str]
) -> Response[bytes]:
    """Every version it ever had, oldest first: who made it, when, and its `value`; null since it was deleted."""
    site, _, project = _project(request, slug, kind, "viewer")
    entries = await asyncio.to_thread(site.definitions.history, project.id, kind, definition)
    return _json(
        [
            {
                "version": entry.version,
                "action": entry.action,
                "at": iso(entry.at),
                "who": entry.who,
                "value": entry.value,
            }
            for entry in entries
        ]
    )


@post("/projects/{slug:str}/definitions/{kind:str}/preview", status_code=200)
async def preview_new(request: WebRequest, slug: FromPath[str], kind: FromPath[str]) -> Response[bytes]:
    """What would change if the body were saved, as a report; the query string is its scope."""
    return await _preview(request, slug, kind)


@post("/projects/{slug:str}/definitions/{kind:str}/{definition:str}/preview", status_code=200)
async def preview_change(
    request: WebRequest, slug: FromPath[str], kind: FromPath[str], definition: FromPath[str]
) -> Response[bytes]:
    """The same for one that exists."""
    return await _preview(request, slug, kind, definition)


async def _preview(request: WebRequest, slug: str, kind: str, definition: str | None = None) -> Response[bytes]:
    site, _, project = _project(request, slug, kind, "viewer")
    current = None if definition is None else site.definitions.find(project.id, kind, definition).value
    load = site.definitions.kinds[kind].preview
    if load is None:
        raise NotFound(f"A {kind} has no preview.")
    value = site.definitions.read(kind, await read_body(request))
    query = request.scope["query_string"].decode("latin-1")
    scope = Scope.parse(query, project=project.id, timezone=project.timezone, now=now_ms())

    def answer() -> Response[bytes]:
        with site.store.reader() as reader:
            return _json(json_report(project.slug, kind, scope, load(reader, scope, site.definitions, value, current)))

    return await asyncio.to_thread(answer)


def _definition(defined: Defined) -> dict[str, Any]:
    return {
        "id": defined.id,
        "version": defined.version,
        **msgspec.to_builtins(defined.value),
        "created_at": iso(defined.created_at),
        "updated_at": iso(defined.updated_at),
    }


def _one(defined: Defined, status: int = 200, headers: dict[str, str] | None = None) -> Response[bytes]:
    return _json(_definition(defined), status, {"etag": f'"{defined.version}"', **(headers or {})})


def _version(request: WebRequest) -> int | None:
    """The version that `If-Match` names. Raises Stale for what no version can be."""
    sent = request.headers.get("if-match")
    if sent is None:
        return None
    text = sent.strip().removeprefix('"').removesuffix('"')
    if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text)):
        raise Stale("`If-Match` takes one version, such as `If-Match: 1`.")
    return int(text)


def _page(request: WebRequest) -> tuple[int, str]:
    """`limit`, and the id after which the page begins."""
    query = request.query_params
    if unknown := sorted(query.keys() - {"limit", "after"}):
        raise Invalid(f"{unknown[0][:ID_MAX]}: unknown parameter, allowed are limit and after")
    limit = query.get("limit", str(LIMIT_DEFAULT))
    if not (limit.isascii() and limit.isdigit() and len(limit) <= 4 and 1 <= int(limit) <= LIMIT_MAX):
        raise Invalid(f"limit: expected a number from 1 to {LIMIT_MAX}")
    return int(limit), query.get("after", "")


# --- Jobs ---


@get("/jobs")
async def list_jobs(request: WebRequest) -> Response[bytes]:
    """All jobs with their last runs, newest first; needs the scope or role admin, as they work for all workspaces."""
    site = _everywhere(request, "admin")
    states = await asyncio.to_thread(site.scheduler.states)
    return _json([_job(state) for state in states])


@post("/jobs/{name:str}/run", status_code=202)
async def run_job(request: WebRequest, name: FromPath[str]) -> Response[bytes]:
    """Start a run: 202, or 409 while one goes on."""
    site = _everywhere(request, "admin")
    return _json(_job(await asyncio.to_thread(site.scheduler.run_now, name)), 202)


def _job(state: State) -> dict[str, Any]:
    running = state.running
    return {
        "name": state.name,
        "title": state.title,
        "running": running and {"started_at": iso(running.started_at), "done": running.done, "total": running.total},
        "next_run": None if state.next_run is None else iso(state.next_run),
        "runs": [{**msgspec.to_builtins(run), "started_at": iso(run.started_at)} for run in state.runs],
    }


def _json(content: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response[bytes]:
    body = msgspec.json.encode(content)
    return Response(body, status_code=status, media_type="application/json", headers=headers)


api = Router(
    path="/api/v1",
    route_handlers=[
        list_definitions,
        create_definition,
        read_definition,
        replace_definition,
        delete_definition,
        list_versions,
        preview_new,
        preview_change,
        list_jobs,
        run_job,
    ],
    include_in_schema=True,
)

openapi = OpenAPIConfig(
    title="saastracker",
    version="1",
    path="/api/openapi.json",
    render_plugins=[JsonRenderPlugin(path="/")],
    use_handler_docstrings=True,
)
