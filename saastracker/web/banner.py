"""The bar above all pages of a workspace whose month's budget is nearly or wholly used."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from saastracker.accounts.model import Signed
from saastracker.budgets import HABITS, SHARES
from saastracker.meter import Spent
from saastracker.records import Workspace
from saastracker.roles import may
from saastracker.web.numbers import exact
from saastracker.web.site import Site, WebRequest

COOKIE_SECONDS = 31 * 24 * 3600  # to the end of any month
NEARLY, WHOLLY = SHARES


class Banner(msgspec.Struct, frozen=True):
    """What it says."""

    workspace: str  # id
    over: bool  # all of the budget is used
    text: str
    next: str  # what becomes of further events


def banner(request: WebRequest, site: Site, signed: Signed | None, values: Mapping[str, Any]) -> Banner | None:
    """Of the workspace that a page with these values is about; None where there is nothing to say.

    That most is used is for admins only. What somebody dismissed is not said again in its month.
    """
    workspace = _workspace(site, values)
    spent = site.meter.spent(workspace) if workspace is not None else None
    if workspace is None or spent is None or spent.percent < NEARLY:
        return None
    over = spent.percent >= WHOLLY
    if not over and not (signed and may(signed.roles.get(workspace.id), "admin")):
        return None
    if request.cookies.get(cookie_name(workspace)) == said(spent):
        return None
    month = f"{datetime.strptime(spent.month, '%Y-%m'):%B}"
    budget = f"the {exact(spent.budget)} events that {workspace.name} may store in {month} (UTC)"
    text = f"All of {budget} are used." if over else f"{spent.percent}% of {budget} are used."
    return Banner(workspace.id, over, text, HABITS[workspace.policy] if over else "")


def cookie_name(workspace: Workspace) -> str:
    """Of the cookie that keeps what was dismissed."""
    return f"saastracker_budget_{workspace.id}"


def said(spent: Spent) -> str:
    """What the cookie keeps: the share that the bar told of, and the month."""
    return f"{WHOLLY if spent.percent >= WHOLLY else NEARLY}-{spent.month}"


def _workspace(site: Site, values: Mapping[str, Any]) -> Workspace | None:
    frame, project = values.get("frame"), values.get("project")
    if frame is not None:
        found: Workspace | None = frame.workspace
        return found
    return site.facts.snapshot.workspaces.get(project.workspace) if project is not None else None
