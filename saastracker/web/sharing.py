"""Sharing reports: who may, what a link shows, and what its visitors may change of that."""

import html
from urllib.parse import parse_qsl, urlencode

import msgspec

from saastracker.accounts.model import Share
from saastracker.accounts.shares import GONE, SHARES, Shared, Wanted
from saastracker.contracts import ReportPage
from saastracker.errors import Invalid, NotFound
from saastracker.roles import may
from saastracker.scope import LIMIT_DEFAULT, Parameter, Scope
from saastracker.views import QUERY_MAX
from saastracker.web import arranging
from saastracker.web.arranging import Arrangement, split
from saastracker.web.callers import Caller
from saastracker.web.linking import told
from saastracker.web.questions import question
from saastracker.web.site import Site, check_role
from saastracker.wire import Project

SPAN = ("from", "to", "range")
LOOKING = ("limit", "after", *arranging.PARAMETERS)  # changes which rows of its tables are in view, not which there are
ID_MAX = 64  # characters of what is told back


def share_report(site: Site, caller: Caller, project: Project, wanted: Wanted, now: int) -> Shared:
    """A link to a report of a project that the caller may read. Loads the report once.

    What the query says of a table's search, order and page is left out. Raises Forbidden if the caller's role is too
    low, NotFound if there is no such report or thing, Invalid for a wrong scope, Conflict if there are too many links.
    """
    check_role(caller, caller.role(project), SHARES)
    page = site.reports.get(wanted.report)
    if page is None:
        raise NotFound(f"There is no report {wanted.report[:ID_MAX]} here.")
    load, declared = question(page, wanted.item)
    scope = _parse(split(wanted.query)[0], declared, project, now)
    scope = msgspec.structs.replace(scope, limit=LIMIT_DEFAULT, after=None)
    if len(scope.query) > QUERY_MAX:
        raise Invalid(f"A link's scope has at most {QUERY_MAX} characters.", reason="query")
    with site.store.reader() as reader:
        title = load(reader, scope).title or page.title
    wanted = msgspec.structs.replace(wanted, query=scope.query)
    return site.accounts.shares.make(project, wanted, title=title, maker=caller.id, who=caller.name, now=now)


def address(site: Site, link: str) -> str:
    """Where a link leads."""
    return f"{site.public_url}/share/{link}"


def frame_of(url: str, title: str) -> str:
    """HTML that shows a link in another page."""
    return f'<iframe src="{url}" title="{html.escape(title)}" width="100%" height="800" style="border:0"></iframe>'


def opened(site: Site, link: str, now: int) -> tuple[Share, Project, ReportPage]:
    """What a link shows. Raises NotFound, always the same, for one that does not work."""
    share = site.accounts.shares.find(link, now)
    project, page = project_of(site, share), site.reports.get(share.report)
    if project is None or page is None:
        raise NotFound(GONE)
    return share, project, page


def project_of(site: Site, share: Share) -> Project | None:
    """The project that a link shows something of; None if it is gone, or whoever made the link may not share it now."""
    project = site.facts.snapshot.projects.get(share.project)
    if project is None or not project.active or project.workspace != share.workspace:
        return None
    role = site.accounts.snapshot.roles.get(share.maker, {}).get(project.workspace)
    token = site.facts.snapshot.tokens.get(share.maker)
    if token is not None and token.revoked_at is None:
        role = Caller(token=token).role(project)
    return project if may(role, SHARES) else None


def visited(
    share: Share, project: Project, declared: tuple[Parameter, ...], query: str, now: int
) -> tuple[Scope, Arrangement]:
    """The scope of a link as its visitor looks at it. Raises Invalid for what a visitor may not change."""
    reserved = {one.name for one in declared}
    allowed = [name for name in (*(() if share.fixed else SPAN), *LOOKING) if name not in reserved]
    try:
        names = {name for name, _ in parse_qsl(query, max_num_fields=100)}
    except ValueError:
        raise Invalid("The query string has more than 100 parameters.") from None
    if refused := sorted(names - set(allowed)):
        raise Invalid(f"{refused[0][:ID_MAX]}: a shared report takes only {', '.join(allowed)}")
    own, arrangement = split(query)
    given = parse_qsl(own)
    kept = parse_qsl(share.query)
    if names & set(SPAN):
        kept = [pair for pair in kept if pair[0] not in SPAN]
    return _parse(urlencode(kept + given), declared, project, now), arrangement


def words(site: Site, share: Share, project: Project, now: int) -> list[str]:
    """A link's scope in words; as it was written, where the report has changed or is gone."""
    page = site.reports.get(share.report)
    try:
        if page is not None:
            scope = _parse(share.query, question(page, share.item)[1], project, now)
            return [*told(scope, page.live is not None), *(["span fixed"] if share.fixed else [])]
    except (Invalid, NotFound):
        pass
    return [share.query]


def _parse(query: str, declared: tuple[Parameter, ...], project: Project, now: int) -> Scope:
    return Scope.parse(query, project=project.id, timezone=project.timezone, now=now, declared=declared)
