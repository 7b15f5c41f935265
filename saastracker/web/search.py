"""Search over all that a project has a page for: the command palette asks as JSON, who has no script on a page."""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain
from urllib.parse import urlencode

import msgspec
from litestar import Response
from litestar.params import FromPath

from saastracker.errors import Invalid
from saastracker.matching import INSIDE, closeness
from saastracker.roles import may
from saastracker.views import VIEW
from saastracker.web.answers import page
from saastracker.web.callers import Caller
from saastracker.web.cancelling import while_connected
from saastracker.web.forms.asked import Asked, frame
from saastracker.web.items import quoted
from saastracker.web.pages import menu
from saastracker.web.settings.frame import SECTIONS
from saastracker.web.site import Site, WebRequest, get
from saastracker.wire import Project

ANSWERS_MAX = 20
OF_KIND_MAX = 6  # answers of one kind, so that others are seen, too
QUERY_MAX = 100  # characters
SECONDS = 5.0  # for each look into the index; nobody waits longer for a name


class Answer(msgspec.Struct, frozen=True):
    """A page that was found."""

    kind: str  # what is said above all of its kind: Reports, Organizations
    title: str
    hint: str
    address: str


@get("/p/{slug:str}/search")
async def search_page(request: WebRequest, slug: FromPath[str]) -> Response[bytes]:
    asked = _asked(request, slug)
    answers = await while_connected(request, partial(_answers, asked))
    return page(
        request,
        "search.html",
        **frame(asked.site, asked.caller, asked.project, "search"),
        query=asked.text,
        answers=answers,
        most=QUERY_MAX,
    )


@get("/p/{slug:str}/search.json")
async def search(request: WebRequest, slug: FromPath[str]) -> Response[bytes]:
    asked = _asked(request, slug)
    answers = await while_connected(request, partial(_answers, asked))
    content = {"project": asked.project.slug, "query": asked.text, "results": answers}
    return Response(msgspec.json.encode(content), media_type="application/json")


class Search(msgspec.Struct, frozen=True):
    """One request: who looks for what."""

    request: WebRequest
    site: Site
    caller: Caller
    project: Project
    text: str


def _asked(request: WebRequest, slug: str) -> Search:
    """Raises Unauthorized, NotFound for a project the caller may not know of, Invalid for an odd query."""
    site: Site = request.app.state.site
    caller = site.caller(request)
    project = site.project(caller, slug)
    if unknown := [name for name in request.query_params if name != "q"]:
        raise Invalid(f"{unknown[0][:64]}: unknown parameter, allowed is q")
    text = " ".join(request.query_params.get("q", "").split())
    if len(text) > QUERY_MAX or "\0" in text:
        raise Invalid(f"q: at most {QUERY_MAX} characters, none of them NUL")
    return Search(request, site, caller, project, text)


def _answers(asked: Search, cancelled: Callable[[], bool]) -> list[Answer]:
    """The closest first, those of a kind together; without a text the reports and what else there is to open."""
    found = [*_reports(asked), *_things(asked, cancelled), *_definitions(asked), *_settings(asked), *_projects(asked)]
    if not asked.text:
        return found[:ANSWERS_MAX]
    close = {answer: _close(asked.text, answer) for answer in found}
    found.sort(key=lambda answer: close[answer])
    kinds: dict[str, list[Answer]] = {}
    for answer in found:
        if len(kinds.setdefault(answer.kind, [])) < OF_KIND_MAX:
            kinds[answer.kind].append(answer)
    return list(chain.from_iterable(kinds.values()))[:ANSWERS_MAX]


def _close(text: str, answer: Answer) -> int:
    close = closeness(text, [answer.title, *answer.hint.split(" · ")])
    return INSIDE if close is None else close


def _named(asked: Search, answers: Iterator[Answer]) -> Iterator[Answer]:
    return (answer for answer in answers if closeness(asked.text, [answer.title, answer.hint]) is not None)


def _reports(asked: Search) -> Iterator[Answer]:
    reports = chain.from_iterable(menu(asked.site).values())
    return _named(
        asked,
        (Answer("Reports", each.title, each.section, f"/p/{asked.project.slug}/{each.slug}") for each in reports),
    )


def _things(asked: Search, cancelled: Callable[[], bool]) -> Iterator[Answer]:
    """What the reports find themselves."""
    if not asked.text:
        return
    with asked.site.store.reader(SECONDS, cancelled) as reader:
        for each in asked.site.reports.values():
            for match in each.search(reader, asked.project.id, asked.text, OF_KIND_MAX) if each.search else ():
                address = f"/p/{asked.project.slug}/{each.slug}/{quoted(match.item)}"
                yield Answer(each.title, match.title, match.hint, address)


def _definitions(asked: Search) -> Iterator[Answer]:
    """Those that people name, where no report finds them."""
    found_by_reports = {kind for each in asked.site.reports.values() if each.search for kind in each.defines}
    for kind in asked.site.definitions.kinds.values():
        if kind.kind == VIEW.kind or not kind.by_hand or kind.kind in found_by_reports:
            continue
        about = Asked(asked.request, asked.site, asked.caller, asked.project, kind)
        each_of = (Answer(kind.title, about.title(one.value), "", f"{about.address}/{one.id}") for one in about.all())
        yield from _named(asked, each_of)
    for view in asked.site.definitions.of(asked.project.id, VIEW.kind):
        slug, _, item = view.value.report.partition("/")
        address = f"/p/{asked.project.slug}/{slug}" + (f"/{quoted(item)}" if item else "")
        yield from _named(asked, iter([Answer(VIEW.title, view.value.name, "", f"{address}?{view.value.query}")]))


def _settings(asked: Search) -> Iterator[Answer]:
    """Those that the caller may open; programs have none."""
    if asked.caller.signed is None:
        return
    role, query = asked.caller.role(asked.project), urlencode({"workspace": asked.project.workspace})
    pages = [
        (section.title, section.path) for section in SECTIONS if section.needed is None or may(role, section.needed)
    ]
    pages.append((f"Settings of {asked.project.name}", f"projects/{asked.project.slug}"))
    yield from _named(asked, (Answer("Settings", title, "", f"/settings/{path}?{query}") for title, path in pages))


def _projects(asked: Search) -> Iterator[Answer]:
    projects = asked.site.projects(asked.caller)
    return _named(asked, (Answer("Projects", each.name, each.slug, f"/p/{each.slug}/") for each in projects))
