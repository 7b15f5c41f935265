"""What people wrote about organizations: names, revenue, and which of them are one and the same."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, TypeAlias

import msgspec

from saastracker.errors import Invalid
from saastracker.event import NAME_MAX

Org: TypeAlias = Annotated[str, msgspec.Meta(min_length=1, max_length=NAME_MAX)]


class Organization(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What people wrote about an organization, which counts more than what its events tell."""

    org: Annotated[Org, msgspec.Meta(title="Organization", description="Its id, as events carry it.")]
    name: (
        Annotated[str, msgspec.Meta(min_length=1, max_length=NAME_MAX, description="Nothing means as events tell it.")]
        | None
    ) = None
    mrr: (
        Annotated[
            float,
            msgspec.Meta(
                ge=-1e12, le=1e12, title="MRR", description="A month's revenue. Nothing means as events tell it."
            ),
        ]
        | None
    ) = None
    merged_into: (
        Annotated[
            Org,
            msgspec.Meta(
                title="Merged into",
                description="The id of the organization that all its events count for, earlier ones too. "
                "Events stay as they are, so this can be undone.",
            ),
        ]
        | None
    ) = None


class Written(msgspec.Struct, frozen=True):
    """All that was written about a project's organizations, ready for use."""

    merged: Mapping[str, str] = {}  # organization → the one it counts as, which is not merged itself
    about: Mapping[str, Organization] = {}  # of those with a name or revenue

    def counted(self, org: str | None) -> str | None:
        """The organization that the events of `org` count for."""
        return None if org is None else self.merged.get(org, org)

    def into(self, org: str) -> list[str]:
        """Those that were merged into an organization."""
        return sorted(each for each, target in self.merged.items() if target == org)


NOTHING_WRITTEN = Written()


def written(found: Iterable[Organization]) -> Written:
    """What definitions come to. Of two on one organization the first counts, in a circle none merges anything."""
    values = _by_org(found)
    into = {org: each.merged_into for org, each in values.items() if each.merged_into is not None}
    merged = {org: _last(into, org) for org in into}
    return Written(
        {org: target for org, target in merged.items() if target != org and target not in into},
        {org: each for org, each in values.items() if each.name is not None or each.mrr is not None},
    )


def check_among(value: Organization, others: Sequence[Organization]) -> None:
    """Raises Invalid where an organization would have two definitions, or end up in itself."""
    values = _by_org(others)
    if value.org in values:
        raise Invalid(f"$.org: There is a definition of {value.org[:64]} already; change that one")
    into = {org: each.merged_into for org, each in values.items() if each.merged_into is not None}
    target = value.merged_into
    if target == value.org:
        raise Invalid("$.merged_into: Expected another organization")
    if target is not None and _last(into, target) == value.org:
        raise Invalid(f"$.merged_into: {target[:64]} is itself merged into {value.org[:64]}; undo that first")


def _by_org(values: Iterable[Organization]) -> dict[str, Organization]:
    found: dict[str, Organization] = {}
    for value in values:
        found.setdefault(value.org, value)
    return found


def _last(into: Mapping[str, str], org: str) -> str:
    """Where merging leads, step by step; in a circle to one of its own."""
    seen = {org}
    while org in into and into[org] not in seen:
        org = into[org]
        seen.add(org)
    return org
