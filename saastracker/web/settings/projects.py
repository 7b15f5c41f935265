"""Projects: the list, a new one, one's name, time zone and allowed origins, deleting and restoring it."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from litestar import Response, post
from litestar.params import FromPath

from saastracker import environments
from saastracker.errors import Conflict
from saastracker.fact_rules import WrongField, timezones
from saastracker.records import erased_at
from saastracker.web.api import projects
from saastracker.web.api.projects import ProjectChange, ProjectNew
from saastracker.web.formats import day
from saastracker.web.login import read_form
from saastracker.web.settings.frame import Frame, opened, opened_project
from saastracker.web.site import WebRequest, get
from saastracker.wire import Project

FORM_MAX = 48 * 1024  # bytes; origins may be many


@get("/settings/projects", sync_to_thread=False)
def list_projects(request: WebRequest) -> Response[bytes]:
    return _list(opened(request, "projects"))


@post("/settings/projects")
async def add_project(request: WebRequest) -> Response[bytes]:
    """The page of the new project with its keys, shown this once; or the list with what is wrong."""
    frame = opened(request, "projects", "admin")
    form = await read_form(request, frame.site, size=FORM_MAX)
    try:
        made = await asyncio.to_thread(
            projects.add_project, frame.call(), ProjectNew(workspace=frame.place.id, **_typed(form))
        )
    except WrongField as wrong:
        return _list(frame, 400, wrong={wrong.field: str(wrong)}, typed=form)
    return show_project(*opened_project(request, made.slug), shown=made.keys, made=True)


@get("/settings/projects/{slug:str}", sync_to_thread=False)
def project_form(request: WebRequest, slug: FromPath[str]) -> Response[bytes]:
    return show_project(*opened_project(request, slug))


@post("/settings/projects/{slug:str}")
async def save_project(request: WebRequest, slug: FromPath[str]) -> Response[bytes]:
    """303, or the form again with what is wrong."""
    frame, project = opened_project(request, slug, "admin")
    form = await read_form(request, frame.site, size=FORM_MAX)
    try:
        change = ProjectChange(**_typed(form), keep_days=project.keep_days)
        await asyncio.to_thread(projects.change_project, frame.call(project), change)
    except WrongField as wrong:
        return show_project(frame, project, 400, wrong={wrong.field: str(wrong)}, typed=form)
    except Conflict:
        wrong_name = {"name": "Somebody else saved at the same moment. Look at what is there now, and save again."}
        return show_project(frame, project, 409, wrong=wrong_name, typed=form)
    return frame.done("saved", f"projects/{slug}")


@post("/settings/projects/{slug:str}/delete")
async def delete_project(request: WebRequest, slug: FromPath[str]) -> Response[bytes]:
    """303, or the page again unless the project's address was typed."""
    frame, project = opened_project(request, slug, "admin")
    form = await read_form(request, frame.site)
    if form.get("slug", "").strip() != slug:
        return show_project(frame, project, 400, wrong={"slug": f"Type {slug} to delete the project."}, typed=form)
    await asyncio.to_thread(projects.delete_project, frame.call(project))
    return frame.done("deleted", "projects")


@post("/settings/projects/{slug:str}/restore")
async def restore_project(request: WebRequest, slug: FromPath[str]) -> Response[bytes]:
    """303. Raises NotFound for a project that is not deleted, Conflict once it is being erased."""
    frame, project = opened_project(request, slug, "admin", active=False)
    await read_form(request, frame.site)
    await asyncio.to_thread(projects.restore_project, frame.call(project))
    return frame.done("restored", f"projects/{slug}")


def show_project(
    frame: Frame,
    project: Project,
    status: int = 200,
    *,
    shown: Mapping[str, Mapping[str, str]] | None = None,
    made: bool = False,
    **values: Any,
) -> Response[bytes]:
    """The page of a project; `shown` are keys that were just made, by auth scheme."""
    facts = frame.site.facts.snapshot
    formats = _formats(frame)
    newest = [name for scheme in shown or () for name in formats.get(scheme, ())]
    keys = [key for key in facts.keys.values() if key.project == project.id]
    return frame.show(
        "settings_project.html",
        status,
        one=facts.projects.get(project.id, project),
        keys=sorted(keys, key=lambda key: (key.live(frame.now), key.created_at), reverse=True),
        used={key.id: _used(frame, key.id) for key in keys},
        schemes=_kinds(frame, project, formats),
        shown=shown or {},
        made=made,
        snippets=sorted(frame.site.snippets(project, shown), key=lambda each: each.format not in newest),
        zones=sorted(timezones()),
        environments=environments.of(frame.site.definitions, project.id),
        edit=_edit(frame, project),
        **values,
    )


def _edit(frame: Frame, project: Project) -> str:
    """Where the project's environments are changed."""
    said = frame.site.definitions.of(project.id, environments.KIND)
    address = f"/p/{project.slug}/define/{environments.KIND}/{said[0].id if said else 'new'}"
    return f"{address}?next=/settings/projects/{project.slug}"


def _formats(frame: Frame) -> dict[str, list[str]]:
    """The formats that each auth scheme guards, in the order in which code for them is shown."""
    found: dict[str, list[str]] = {}
    for bound in frame.site.registry.bindings.values():
        names = found.setdefault(bound.scheme.name, [])
        if bound.format.name not in names:
            names.append(bound.format.name)
    return found


def _kinds(frame: Frame, project: Project, formats: Mapping[str, list[str]]) -> list[tuple[str, str]]:
    """The kinds of key that can be made, each with what it is for."""
    schemes = frame.site.registry.auth_schemes
    names = [*formats, *(name for name in schemes if name not in formats)]
    return [
        (name, f"{name}, for {' and '.join(formats[name])}" if name in formats else name)
        for name in names
        if schemes[name].issue(project)
    ]


def _used(frame: Frame, key: str) -> str:
    """When a key was used last."""
    used, today = frame.site.facts.uses.used_on(key), datetime.fromtimestamp(frame.now / 1000, UTC).date()
    if used is None:
        return "never"
    return "today" if used == today else day(used, today.year)


def _list(frame: Frame, status: int = 200, **values: Any) -> Response[bytes]:
    live: dict[str, int] = {}
    for key in frame.site.facts.snapshot.keys.values():
        live[key.project] = live.get(key.project, 0) + key.live(frame.now)
    return frame.show(
        "settings_projects.html",
        status,
        listed=frame.own_projects,
        deleted=[(each, erased_at(each.deleted_at)) for each in frame.deleted_projects if each.deleted_at],
        live=live,
        zones=sorted(timezones()),
        **values,
    )


def _typed(form: dict[str, str]) -> dict[str, Any]:
    """What a form says of a project."""
    name, timezone = form.get("name", ""), form.get("timezone", "")
    return {"name": name, "timezone": timezone, "origins": tuple(_lines(form.get("origins", "")))}


def _lines(text: str) -> list[str]:
    """What stands on the lines of a field."""
    return [line.strip() for line in text.splitlines() if line.strip()]
