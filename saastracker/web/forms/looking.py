"""The pages that show definitions: all kinds, all of one kind, and one with its form and versions."""

import asyncio
from collections.abc import Mapping
from typing import Any

from litestar import Response
from litestar.params import FromPath

from saastracker.audit import Entry
from saastracker.definition import Defined
from saastracker.errors import Invalid, NotFound
from saastracker.web.answers import local_path, page
from saastracker.web.forms.asked import Asked, asked, frame
from saastracker.web.forms.suggesting import suggested
from saastracker.web.forms.trees import ROOT, Tree, blank
from saastracker.web.site import Site, WebRequest, get


@get("/p/{slug:str}/define", sync_to_thread=False)
def kinds(request: WebRequest, slug: FromPath[str]) -> Response[bytes]:
    """All kinds, and how many a project has of each."""
    site: Site = request.app.state.site
    caller = site.caller(request)
    project = site.project(caller, slug)
    rows = [(kind, len(site.definitions.of(project.id, kind.kind))) for kind in site.definitions.kinds.values()]
    return page(request, "define_kinds.html", rows=rows, **frame(site, caller, project, ""))


@get("/p/{slug:str}/define/{kind:str}", sync_to_thread=False)
def listing(request: WebRequest, slug: FromPath[str], kind: FromPath[str]) -> Response[bytes]:
    """All definitions of a kind, newest first."""
    about = asked(request, slug, kind)
    rows = [(each, about.title(each.value), about.told(each.value)) for each in reversed(about.all())]
    return about.page("define_list.html", rows=rows)


@get("/p/{slug:str}/define/{kind:str}/new")
async def new(request: WebRequest, slug: FromPath[str], kind: FromPath[str]) -> Response[bytes]:
    about = asked(request, slug, kind, writes=True)
    return await form(about, None, blank(about.shape), onward=request.query_params.get("next", ""))


@get("/p/{slug:str}/define/{kind:str}/{definition:str}")
async def opened(
    request: WebRequest, slug: FromPath[str], kind: FromPath[str], definition: FromPath[str]
) -> Response[bytes]:
    """One with its form; of a deleted one the versions, from which it can be made again."""
    about = asked(request, slug, kind)
    found = about.find(definition)
    if found is not None:
        return await form(about, found, about.tree(found.value), onward=request.query_params.get("next", ""))
    past = await versions(about, definition)
    title = next((each["title"] for each in past if each["title"]), about.kind.title)
    return about.page("define_deleted.html", versions=past, title=title, definition=definition)


async def form(
    about: Asked,
    found: Defined | None,
    tree: Tree,
    *,
    onward: str,
    status: int = 200,
    wrong: tuple[str, str] | None = None,
    **values: Any,
) -> Response[bytes]:
    """The form of one or of a new one, as typed so far; `wrong` is said beside its field."""
    known = {"preview": None, "stale": None} | values
    said: Mapping[str, str] = dict([wrong] if wrong else [])
    return about.page(
        "define_form.html",
        status,
        shape=about.shape,
        tree=tree,
        found=found,
        title=about.title(found.value) if found else "",
        onward=local_path(onward) if onward else "",
        wrong=said,
        said=said.get(ROOT, ""),
        versions=await versions(about, found.id) if found else [],
        suggestions=await asyncio.to_thread(suggested, about),
        **known,
    )


async def versions(about: Asked, definition: str) -> list[dict[str, Any]]:
    """What the trail says of a definition, newest first. Raises NotFound of one that never was."""
    history = about.site.definitions.history
    try:
        entries = await asyncio.to_thread(history, about.project.id, about.kind.kind, definition)
    except NotFound:
        if about.find(definition) is None:
            raise
        return []
    return [_version(about, entry) for entry in reversed(entries)]


def _version(about: Asked, entry: Entry) -> dict[str, Any]:
    value = past(about, entry)
    return {
        "number": entry.version,
        "action": entry.action,
        "at": entry.at,
        "who": entry.who,
        "title": "" if value is None else about.title(value),
        "told": [] if value is None else about.told(value),
    }


def past(about: Asked, entry: Entry) -> Any:
    """The value of a version; None if it was deleted, or is of a kind of value that is no longer taken."""
    if entry.action == "delete":
        return None
    try:
        return about.site.definitions.read(about.kind.kind, bytes(entry.value))
    except Invalid:
        return None
