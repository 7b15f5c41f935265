"""Shared reports: links that show one report, in one scope, to people without an account."""

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal
from uuid import uuid4

import msgspec

from saastracker.accounts.model import DAY_MS, Share
from saastracker.accounts.people import Edit, People, Snapshot
from saastracker.errors import Conflict, Invalid, NotFound
from saastracker.roles import Role
from saastracker.secrets import digest
from saastracker.wire import Project

SHARES: Role = "member"  # from which role on people share reports
SHARES_MAX = 500  # of one workspace
ORIGINS_MAX = 20  # of one link
ORIGIN_MAX = 300  # characters
DAYS_MAX = 3650
GONE = "This link does not work: it was revoked, it is over, or it was not copied in full. Ask whoever sent it."

_TOLD = ("title", "project", "report", "item", "query", "fixed", "origins", "expires_at")  # in the audit trail
_HOST = r"[a-z0-9_]([a-z0-9_-]*[a-z0-9])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9])?)*"
# Nothing that ends a directive of the header that the origins are written in.
_ORIGIN = re.compile(rf"https?://(\*\.)?{_HOST}(:[0-9]{{1,5}})?")


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What a link is to show."""

    report: str  # slug
    item: str | None = None  # the thing it is about, of a report that has details
    query: str = ""  # the scope
    fixed: bool = False  # whether visitors may not even change the span
    origins: Sequence[str] = ()  # whose pages may hold it in a frame
    days: int | None = None  # for which it works; None: until it is revoked


@dataclass(frozen=True)
class Shared:
    """A new link."""

    link: str = field(repr=False)  # the end of its address, kept nowhere else
    share: Share


class Shares:
    """Makes, finds and revokes links to reports. Whether `maker` may is the caller's to check."""

    def __init__(self, people: People) -> None:
        self._people = people

    def make(self, project: Project, wanted: Wanted, *, title: str, maker: str, who: str, now: int) -> Shared:
        """A new link of 256 random bits. Raises Invalid for wrong origins or days, Conflict if there are too many."""
        if wanted.days is not None and not 1 <= wanted.days <= DAYS_MAX:
            raise Invalid(f"A link works for 1 to {DAYS_MAX} days, or until it is revoked.", reason="days")
        link = secrets.token_urlsafe(32)
        share = Share(
            id=str(uuid4()),
            digest=digest(link),
            workspace=project.workspace,
            project=project.id,
            report=wanted.report,
            item=wanted.item,
            title=title,
            query=wanted.query,
            fixed=wanted.fixed,
            origins=_check_origins(wanted.origins),
            maker=maker,
            made_by=who,
            created_at=now,
            expires_at=None if wanted.days is None else now + wanted.days * DAY_MS,
        )

        def make(snapshot: Snapshot) -> tuple[list[Edit], Shared]:
            if sum(each.workspace == share.workspace for each in snapshot.shares.values()) >= SHARES_MAX:
                raise Conflict(f"A workspace has at most {SHARES_MAX} shared links; revoke some.")
            return [_edit("create", share)], Shared(link, share)

        return self._people.edit(who, now, make)

    def of_workspace(self, workspace: str, now: int) -> list[Share]:
        """The links that work, newest first."""
        found = (each for each in self._people.snapshot.shares.values() if each.workspace == workspace)
        return sorted((each for each in found if each.live(now)), key=lambda share: share.created_at, reverse=True)

    def find(self, link: str, now: int) -> Share:
        """What a link shows. Looks up a digest, so timing tells nothing about the link. Raises NotFound."""
        found = self._people.snapshot.by_digest.get(digest(link))
        if not isinstance(found, Share) or not found.live(now):
            raise NotFound(GONE)
        return found

    def open(self, share: Share, now: int) -> None:
        """Remember that a link was opened."""
        self._people.use(share, now)

    def revoke(self, workspace: str, share: str, *, who: str, now: int) -> None:
        """End a link at once. Raises NotFound if the workspace has no such link."""

        def make(snapshot: Snapshot) -> tuple[list[Edit], None]:
            found = snapshot.shares.get(share)
            if found is None or found.workspace != workspace:
                raise NotFound("This workspace has no such link; it may have been revoked.")
            return [_edit("delete", found)], None

        self._people.edit(who, now, make)


def _check_origins(origins: Sequence[str]) -> tuple[str, ...]:
    """The origins as a header names them. Raises Invalid."""
    if len(origins) > ORIGINS_MAX:
        said = f"At most {ORIGINS_MAX} origins; one such as https://*.example.com stands for many"
        raise Invalid(said, reason="origins")
    plain = [origin.strip().rstrip("/").lower() for origin in origins]
    for origin in plain:
        if len(origin) > ORIGIN_MAX or not _ORIGIN.fullmatch(origin):
            said = (
                f"{origin[:ORIGIN_MAX]!r} is no origin; one reads like https://www.example.com or https://*.example.com"
            )
            raise Invalid(said, reason="origins")
    return tuple(dict.fromkeys(plain))


def revoked_all(snapshot: Snapshot, workspace: str, maker: str) -> list[Edit]:
    """The end of all links that somebody made in a workspace."""
    found = [each for each in snapshot.shares.values() if (each.workspace, each.maker) == (workspace, maker)]
    return [_edit("delete", each) for each in found]


def _edit(action: Literal["create", "delete"], share: Share) -> Edit:
    told = {name: getattr(share, name) for name in _TOLD}
    return Edit(action, share, told, share.workspace)
