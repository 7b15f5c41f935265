"""A shared report: what its link shows to people without an account, and nothing else."""

from functools import partial
from typing import Any

import msgspec
from litestar import Response
from litestar.params import FromPath

from saastracker.accounts.model import Share
from saastracker.errors import NotFound
from saastracker.merging import settled
from saastracker.records import now_ms
from saastracker.report import Report
from saastracker.web.answers import cached, framed_by
from saastracker.web.arranging import arranged, chosen
from saastracker.web.callers import Caller
from saastracker.web.cancelling import while_connected
from saastracker.web.dropped import KEY, UNCOUNTED
from saastracker.web.forms.actions import without_actions
from saastracker.web.layout import layout
from saastracker.web.linking import Links, scope_bar, told
from saastracker.web.pages import TOP, Asked, Face, answer, as_csv, as_json, exported, in_file, in_pages
from saastracker.web.questions import question
from saastracker.web.rendering import render
from saastracker.web.sharing import opened, visited
from saastracker.web.site import Site, WebRequest, get

AT_ONCE = 4  # shared reports that are worked out: a link on a busy page never takes the server from its people


class Visit(Asked, kw_only=True):
    """One request for a shared report."""

    share: Share
    link: str

    @property
    def address(self) -> str:
        return f"/share/{self.link}"

    @property
    def links(self) -> Links:
        """They say what the visitor changed; the rest is the link's."""
        own = msgspec.structs.replace(
            self.scope,
            span_given=self.scope.span_given and not self.share.fixed,
            compare="previous",
            environment=None,
            filters=(),
            declared=(),
            parameters={},
        )
        return Links(self.address, self.project.slug, own, self.arrangement, leads=False)


@get("/share/{name:str}")
async def shared(request: WebRequest, name: FromPath[str]) -> Response[bytes]:
    """The report of a link as the face its address ends in asks for."""
    site: Site = request.app.state.site
    link, _, face = name.partition(".")
    now = now_ms()
    share, project, page = opened(site, link, now)
    if face not in FACES:
        raise NotFound("A shared report has the forms .json and .csv.")
    load, declared = question(page, share.item)
    scope, arrangement = visited(share, project, declared, request.scope["query_string"].decode("latin-1"), now)
    scope = settled(scope, site.definitions)
    visit = Visit(
        request,
        site,
        Caller(),
        project,
        page,
        share.item,
        load,
        scope,
        arrangement,
        now,
        tells_people=False,
        share=share,
        link=link,
    )
    async with request.app.state.shared_gate:
        sent = await while_connected(request, partial(answer, visit, FACES[face]))
    site.accounts.shares.open(share, now)
    sent.headers.update(framed_by(share.origins))  # of 304 too: browsers put its headers in place of those they kept
    return sent


def _only(visit: Visit, loaded: Report) -> Report:
    """What a link shows of a report: of the stream no more than the events, as what was rejected knows no filters.

    Nor does what was dropped, so that is not counted.
    """
    loaded = without_actions(loaded)
    follows = visit.page.live is not None and visit.item is None
    blocks = loaded.tables[:1] if follows else [UNCOUNTED if block.key == KEY else block for block in loaded.blocks]
    return msgspec.structs.replace(loaded, blocks=tuple(blocks))


def _on_page(visit: Visit, loaded: Report) -> Report:
    return arranged(_only(visit, loaded), visit.arrangement, visit.scope, visit.names, others=TOP)


def _html(visit: Visit, loaded: Report) -> Response[bytes]:
    links = visit.links
    values: dict[str, Any] = scope_bar(links.scope, visit.arrangement, ())
    page = render(
        "shared.html",
        theme="system",
        here="",
        csrf="",
        project=visit.project,
        report=visit.page,
        title=loaded.title or visit.page.title,
        item=visit.item,
        rows=layout(loaded.blocks, visit.arrangement.block),
        tables=loaded.tables,
        chosen=chosen(loaded, visit.arrangement.block),
        now=visit.now,
        # What a visitor could change of it: the filters are none of those.
        scope=msgspec.structs.replace(visit.scope, environment=None, filters=(), declared=(), parameters={}),
        arrangement=visit.arrangement,
        links=links,
        names=visit.names,
        share=visit.share,
        exported=exported(loaded),
        told=told(visit.scope, visit.page.live is not None),
        **values,
    )
    return cached(visit.request, Response(page.encode(), media_type="text/html"))


FACES: dict[str, Face[Visit]] = {
    "": Face(_on_page, _html),
    "json": Face(lambda visit, loaded: in_pages(visit, _only(visit, loaded)), as_json),
    "csv": Face(lambda visit, loaded: in_file(visit, _only(visit, loaded)), as_csv),
}
