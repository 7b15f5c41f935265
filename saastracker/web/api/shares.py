"""Share links over the API: listed, made, revoked."""

from typing import Annotated

import msgspec
from msgspec import Meta

from saastracker.accounts.model import Share
from saastracker.accounts.shares import DAYS_MAX, ORIGIN_MAX, ORIGINS_MAX, SHARES, Wanted
from saastracker.event import PATH_MAX
from saastracker.web.api.fields import Id, Slug, Time, Who
from saastracker.web.api.operation import Call, operation
from saastracker.web.faces import iso
from saastracker.web.sharing import address, project_of, share_report

TAG = "Share links"

ReportSlug = Annotated[str, Meta(max_length=PATH_MAX, description="Of the report.", examples=["activity"])]
Item = Annotated[str, Meta(max_length=PATH_MAX, description="Of a report with details: what it is about; null: all.")]
Query = Annotated[
    str, Meta(max_length=PATH_MAX, description="The scope, as in the report's address.", examples=["range=30d"])
]
Fixed = Annotated[bool, Meta(description="Whether visitors may not even change the span.")]
FrameOrigins = Annotated[
    list[Annotated[str, Meta(max_length=ORIGIN_MAX)]],
    Meta(
        max_length=ORIGINS_MAX,
        description="Whose pages may hold it in a frame.",
        examples=[["https://www.example.com"]],
    ),
]


class ShareShown(msgspec.Struct, frozen=True, kw_only=True):
    """A link that shows one report, in one scope, to whoever has it."""

    id: Id
    project: Annotated[Slug, Meta(description="Null: a former one.")] | None
    report: ReportSlug
    item: Item | None
    title: str
    query: Query
    fixed: Fixed
    origins: FrameOrigins
    works: Annotated[bool, Meta(description="False: the project or the report is gone, or who made it may not share.")]
    made_by: Who
    created_at: Time
    expires_at: Annotated[Time, Meta(description="Null: until it is revoked.")] | None
    seen_at: Annotated[Time, Meta(description="When it was opened last, to the hour; null: never.")] | None


class ShareMade(ShareShown, frozen=True, kw_only=True):
    """A new link."""

    link: Annotated[str, Meta(description="Its address, shown this once.", examples=["https://…/share/…"])]


class ShareNew(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a link is to show."""

    report: ReportSlug
    item: Item | None = None
    query: Query = ""
    fixed: Fixed = False
    origins: FrameOrigins = []
    days: Annotated[int, Meta(ge=1, le=DAYS_MAX, description="It works so long; null: until it is revoked.")] | None = (
        None
    )


@operation(
    TAG,
    "GET",
    "/workspaces/{workspace}/shares",
    needed=SHARES,
    answer=ShareShown,
    listed=lambda each: each.created_at + each.id,
    newest_first=True,
)
def list_shares(call: Call) -> list[ShareShown]:
    """Share links of a workspace, newest first."""
    return [_shown(call, each) for each in call.site.accounts.shares.of_workspace(call.workspace.id, call.now)]


@operation(
    TAG,
    "POST",
    "/projects/{slug}/shares",
    needed=SHARES,
    body=ShareNew,
    answer=ShareMade,
    status=201,
    refusals=(409,),
)
def add_share(call: Call, body: ShareNew) -> ShareMade:
    """Share a report by a link, which is shown this once."""
    wanted = Wanted(**msgspec.structs.asdict(body))
    made = share_report(call.site, call.caller, call.project, wanted, call.now)
    return ShareMade(**msgspec.structs.asdict(_shown(call, made.share)), link=address(call.site, made.link))


@operation(TAG, "DELETE", "/workspaces/{workspace}/shares/{share}", needed=SHARES, status=204, refusals=(409,))
def revoke_share(call: Call) -> None:
    """Revoke a share link: it works no more."""
    call.site.accounts.shares.revoke(call.workspace.id, call.path["share"], who=call.who, now=call.now)


def _shown(call: Call, share: Share) -> ShareShown:
    project = call.site.facts.snapshot.projects.get(share.project)
    return ShareShown(
        id=share.id,
        project=project.slug if project else None,
        report=share.report,
        item=share.item,
        title=share.title,
        query=share.query,
        fixed=share.fixed,
        origins=list(share.origins),
        works=project_of(call.site, share) is not None and share.report in call.site.reports,
        made_by=share.made_by,
        created_at=iso(share.created_at),
        expires_at=None if share.expires_at is None else iso(share.expires_at),
        seen_at=iso(share.seen_at) if share.seen_at else None,
    )
