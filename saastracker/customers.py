"""What events say about organizations: their names, their revenue and their plans."""

from collections.abc import Iterable
from itertools import groupby
from operator import attrgetter

import msgspec
import numpy as np
from pyroaring import BitMap

from saastracker.actors import Actors
from saastracker.contracts import Reader
from saastracker.index import OTHER, Day, day_number
from saastracker.scope import Scope
from saastracker.told import Facts, with_written
from saastracker.told import facts as told_facts

PEEK = 8  # events of an organization that are read at first to find the last with a plan


def facts(reader: Reader, project: str) -> dict[str, Facts]:
    """Names and revenue by organization. `Memory` is quicker where they are asked for again and again."""
    found: dict[str, Facts] = {}
    rows = reader.query(
        """SELECT org, traits, MAX(sequence) FROM events
        WHERE project = :project AND traits IS NOT NULL AND org IS NOT NULL GROUP BY 1, 2 ORDER BY 3""",
        project=project,
    )
    for org, traits, _ in rows:
        company = msgspec.json.decode(traits).get("company")
        found[org] = told_facts(found.get(org, Facts()), company if isinstance(company, dict) else {})
    return with_written(found, reader.organizations(project))


def plans(reader: Reader, scope: Scope, actors: Actors, wanted: set[int]) -> dict[int, str]:
    """The plans of organizations, by their numbers: of the latest event up to the end of the span that has one.

    Most have theirs in the span, so only for the others the days before are looked at.
    """
    first, last = day_number(scope.span.first), day_number(scope.span.last)
    found = _plans(reader, scope, actors, wanted, (first, last))
    return found | _plans(reader, scope, actors, wanted - found.keys(), (0, first - 1))


def _plans(reader: Reader, scope: Scope, actors: Actors, wanted: set[int], between: tuple[int, int]) -> dict[int, str]:
    if not wanted:
        return {}
    days = reader.days(scope.project, "plan", *between, environment=scope.environment)
    return latest_plans(reader, scope, actors, BitMap(_actors_of(actors, wanted)), days)


def latest_plans(reader: Reader, scope: Scope, actors: Actors, missing: BitMap, days: Iterable[Day]) -> dict[int, str]:
    """The last plan that cells of the namespace "plan" name of each organization that `missing` has an actor of."""
    found: dict[int, str] = {}
    for day, cells in groupby(sorted(days, key=attrgetter("day"), reverse=True), attrgetter("day")):
        of_day = _of_day(actors, missing, cells)
        changed = {org for org, names in of_day.items() if len(names) > 1 or OTHER in names}
        found |= {org: min(names) for org, names in of_day.items() if org not in changed}
        if changed:
            found |= _last_plans(reader, scope, actors, changed, day)
        if of_day:
            missing = missing - BitMap(_actors_of(actors, of_day))
        if not missing:
            break
    return found


def _actors_of(actors: Actors, orgs: Iterable[int]) -> list[int]:
    return np.flatnonzero(np.isin(actors.org, list(orgs))).tolist()


def _of_day(actors: Actors, missing: BitMap, cells: Iterable[Day]) -> dict[int, set[str]]:
    """The plans that a day names of organizations that have none yet."""
    found: dict[int, set[str]] = {}
    for _, plan, cell in cells:
        here = cell.actors & missing
        if here:
            for org in actors.organizations(here).tolist():
                found.setdefault(org, set()).add(plan)
    return found


def _last_plans(reader: Reader, scope: Scope, actors: Actors, orgs: set[int], day: int) -> dict[int, str]:
    """The last plan that a day names of organizations that changed theirs then: only events know the order."""
    of_day = reader.moments(scope.project, day, day, None, scope.environment)
    of_day = of_day.only(np.isin(actors.org[of_day.actor], list(orgs)))
    of_day = of_day.only(of_day.places()[::-1])
    org = actors.org[of_day.actor]
    left = {number: of_day.sequence[org == number].tolist() for number in orgs}
    found: dict[int, str] = {}
    count = PEEK
    while left:
        events = reader.events([sequence for sequences in left.values() for sequence in sequences[:count]])
        plan_of = {event.sequence: event.plan for event in events if event.plan}
        for number, sequences in left.items():
            plan = next((plan_of[sequence] for sequence in sequences[:count] if sequence in plan_of), None)
            if plan is not None:
                found[number] = plan
        left = {number: sequences[count:] for number, sequences in left.items() if number not in found}
        left = {number: sequences for number, sequences in left.items() if sequences}
        count *= 4
    return found
