"""The numbers of adoption: of each feature in a span, over the organizations and persons active then."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from math import fsum
from statistics import median
from typing import TypeAlias
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap

from saastracker.active import Active, active
from saastracker.actors import Actors
from saastracker.contracts import Reader
from saastracker.customers import plans
from saastracker.definition import Defined
from saastracker.index import Integers, bitmap, day_number, unique
from saastracker.report import Number
from saastracker.scope import Scope, Span
from saastracker_adoption.feature import KIND, Feature
from saastracker_adoption.uses import uses

Chosen: TypeAlias = NDArray[np.bool_]
FirstUses: TypeAlias = Mapping[str, Mapping[int, int]]  # days since 1970 by feature's id and organization


class Adoption(msgspec.Struct):
    """Of one feature in one span; columns by organization, as Actors numbers them."""

    active: Chosen
    eligible: Chosen  # active, and on a plan that the feature is meant for
    adopting: Chosen  # eligible, with as many matching events as the feature asks for
    events: Integers  # matching events of the eligible
    persons: Integers  # their persons who used it
    members: Integers  # their active persons
    active_persons: int  # where plans are named: in eligible organizations
    person_adopters: int
    median_days_to_adopt: Number
    used: Active  # the matching events behind all this

    @property
    def active_orgs(self) -> int:
        return int(self.eligible.sum())

    @property
    def adopters(self) -> int:
        return int(self.adopting.sum())

    @property
    def adoption(self) -> Number:
        return _share(self.adopters, self.active_orgs)

    @property
    def person_adoption(self) -> Number:
        return _share(self.person_adopters, self.active_persons)

    @property
    def depth(self) -> Number:
        """Matching events per adopter."""
        return _share(int(self.events[self.adopting].sum()), self.adopters)

    @property
    def breadth(self) -> Number:
        """Mean over adopters of the share of their active persons who use it; those without any are left out."""
        some = self.adopting & (self.members > 0)
        shares = (self.persons[some] / self.members[some]).tolist()
        return fsum(shares) / len(shares) if shares else None  # whatever order the organizations are in


def _share(part: float, whole: float) -> Number:
    return part / whole if whole else None


def adoptions(  # noqa: PLR0917
    reader: Reader,
    scope: Scope,
    actors: Actors,
    span: Span,
    features: Sequence[Defined],
    first: FirstUses,
    used: Mapping[str, Active] | None = None,
) -> dict[str, Adoption]:
    """By feature's id, by the scope's environment and filters; `used` is what `uses` gives, where that is known."""
    seen = active(reader, scope, actors, span)
    used = uses(reader, scope, actors, span, features) if used is None else used
    size = len(actors.org_codes)
    present = np.zeros(size + 1, bool)  # the last for nobody, numbered -1
    present[actors.org[seen.actor]] = True
    present = present[:-1]
    plan: Mapping[int, str] = {}
    if any(each.value.plans for each in features):
        plan = plans(reader, msgspec.structs.replace(scope, span=span), actors, set(np.flatnonzero(present).tolist()))
    everyone = unique(seen.actor)
    members = _persons_by_org(actors, everyone)
    found: dict[str, Adoption] = {}
    for each in features:
        feature: Feature = each.value
        eligible, those, mine = present, everyone, used[each.id]
        if feature.plans:
            eligible = np.zeros(size, bool)
            eligible[[org for org, name in plan.items() if name in feature.plans]] = True
            those = those[_within(actors, eligible, those)]
            mine = mine.only(_within(actors, eligible, mine.actor))
        inside = actors.org[mine.actor] >= 0
        events = np.zeros(size, np.int64)
        np.add.at(events, actors.org[mine.actor[inside]], mine.events[inside])
        adopting = eligible & (events >= feature.min_events)
        found[each.id] = Adoption(
            active=present,
            eligible=eligible,
            adopting=adopting,
            events=events,
            persons=_persons_by_org(actors, mine.actor),
            members=members,
            active_persons=_persons(actors, those),
            person_adopters=_persons(actors, mine.actor),
            median_days_to_adopt=_days_to_adopt(actors, span, adopting, first[each.id]),
            used=mine,
        )
    return found


def _within(actors: Actors, orgs: Chosen, who: Integers) -> Chosen:
    """Which of some actors are in some organizations."""
    return np.append(orgs, False)[actors.org[who]]  # the last for nobody, numbered -1


def _persons(actors: Actors, who: Integers) -> int:
    return actors.count_persons(bitmap(who))


def _persons_by_org(actors: Actors, who: Integers) -> Integers:
    """How many distinct persons each organization has among some actors."""
    who = who[(actors.person[who] >= 0) & (actors.org[who] >= 0)]
    width = max(len(actors.person_codes), 1)
    pairs = unique(actors.org[who] * width + actors.person[who])
    return np.bincount(pairs // width, minlength=len(actors.org_codes))


def first_uses(reader: Reader, scope: Scope, actors: Actors, features: Sequence[Defined]) -> FirstUses:
    """The first day ever with a use, up to the end of the span, in any environment."""
    first: dict[str, dict[int, int]] = {each.id: {} for each in features}
    known = {each.id: BitMap() for each in features}
    days = reader.days(scope.project, KIND, 0, day_number(scope.span.last), list(first))
    for day, key, cell in sorted(days, key=lambda each: each.day):
        new = cell.actors - known[key]
        if new:
            known[key] |= new
            for org in actors.organizations(new).tolist():
                first[key].setdefault(org, day)
    return first


def _days_to_adopt(actors: Actors, span: Span, adopting: Chosen, first: Mapping[int, int]) -> Number:
    """The median over adopters of the whole local days from an organization's first event to its first use."""
    zone, began = ZoneInfo(span.timezone), actors.org_first()
    taken = [
        first[org] - day_number(datetime.fromtimestamp(int(began[org]) / 1000, UTC).astimezone(zone).date())
        for org in np.flatnonzero(adopting).tolist()
        if org in first
    ]
    return float(median(taken)) if taken else None
