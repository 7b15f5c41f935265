"""What events say about organizations: their names, their revenue and their plans."""

from typing import Any

import msgspec

from saastracker.actors import Actors
from saastracker.cells import day_number
from saastracker.contracts import Reader
from saastracker.scope import Scope


class Facts(msgspec.Struct):
    name: str | None = None
    mrr: float | None = None  # monthly recurring revenue, in the project's currency


def facts(reader: Reader, project: str) -> dict[str, Facts]:
    """Names and revenue by organization: of each the newest, by arrival, that traits told."""
    found: dict[str, Facts] = {}
    rows = reader.query(
        """SELECT org, traits, MAX(sequence) FROM events
        WHERE project = :project AND traits IS NOT NULL AND org IS NOT NULL GROUP BY 1, 2 ORDER BY 3""",
        project=project,
    )
    for org, traits, _ in rows:
        company = _part(msgspec.json.decode(traits), "company")
        told = found.setdefault(org, Facts())
        name, mrr = company.get("name"), _part(company, "custom").get("mrr")
        if isinstance(name, str) and name:
            told.name = name
        if isinstance(mrr, int | float) and not isinstance(mrr, bool):
            told.mrr = mrr
    return found


def _part(traits: dict[str, Any], key: str) -> dict[str, Any]:
    part = traits.get(key)
    return part if isinstance(part, dict) else {}


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
    cells = reader.days(scope.project, "plan", *between, environment=scope.environment)
    latest: dict[int, tuple[int, set[str]]] = {}
    for day, plan, cell in cells:
        for org in wanted.intersection(actors.organizations(cell.actors).tolist()):
            known = latest.get(org)
            if known is None or known[0] < day:
                latest[org] = day, {plan}
            elif known[0] == day:
                known[1].add(plan)
    changed = {org for org, (_, names) in latest.items() if len(names) > 1}
    texts = reader.texts([actors.org_codes[org] for org in changed])
    return {
        org: _last_plan(reader, scope, texts[actors.org_codes[org]]) if org in changed else min(names)
        for org, (_, names) in latest.items()
    }


def _last_plan(reader: Reader, scope: Scope, org: str) -> str:
    """Of an organization that changed plans on its latest day, where only the events know the order."""
    environment = "AND environment = :environment" if scope.environment else ""
    [(plan,)] = reader.query(
        f"""SELECT plan FROM events WHERE project = :project AND org = :org AND plan IS NOT NULL AND "time" < :end
        {environment} ORDER BY "time" DESC, sequence DESC LIMIT 1""",
        project=scope.project,
        org=org,
        end=scope.span.end,
        environment=scope.environment,
    )
    return plan  # type: ignore[no-any-return]
