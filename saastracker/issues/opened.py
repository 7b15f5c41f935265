"""The open issues that were seen in a span: all, or those that hit some actors."""

from typing import Any, NamedTuple

import numpy as np
from pyroaring import BitMap

from saastracker.actors import Actors
from saastracker.contracts import Reader
from saastracker.definition import Definitions
from saastracker.index import OTHER, Cell, day_number
from saastracker.issues.catalogue import OPEN, Catalogue, Known, catalogue
from saastracker.issues.raw import failures
from saastracker.report import Column, Table
from saastracker.scope import Scope

COLUMNS = (
    Column("issue", "Issue", "code", "never"),
    Column("title", "Error", link="errors/{issue}", about="What its newest error says."),
    Column(
        "organizations",
        "Organizations",
        "number",
        look="rank",
        link="errors/{issue}",
        about="Organizations with one of them.",
    ),
    Column("persons", "Persons", "number", link="errors/{issue}", about="People who had one of them."),
    Column("events", "Events", "number", link="errors/{issue}", about="Errors of the issue in the span."),
    Column("last_seen", "Last seen", "time", about="The last error of all, in any environment."),
)


class Hit(NamedTuple):
    issue: Known
    organizations: int
    persons: int
    events: int


def opened(
    reader: Reader, scope: Scope, actors: Actors, definitions: Definitions, of: BitMap | None = None
) -> list[Hit]:
    """As the index counts them in the scope's environment, whatever its filters; most organizations first.

    Counts are those of the actors `of`, if given.
    """
    known = catalogue(reader, scope.project, scope.span.timezone, definitions)
    events: dict[str, int] = {}
    hit: dict[str, BitMap] = {}
    between = day_number(scope.span.first), day_number(scope.span.last)
    for namespace in known.counted.namespaces:
        for _, key, cell in reader.days(scope.project, namespace, *between, None, scope.environment):
            issue = _issue(known, key)
            count, who = (cell.events, cell.actors) if of is None else _share(cell, of)
            if issue is not None and count:
                events[issue] = events.get(issue, 0) + count
                hit[issue] = hit.get(issue, BitMap()) | who
    found = [
        Hit(known.issues[issue], actors.count_organizations(hit[issue]), actors.count_persons(hit[issue]), count)
        for issue, count in events.items()
    ]
    return sorted(found, key=lambda each: (-each.organizations, -each.persons, -each.events, each.issue.id))


def _issue(known: Catalogue, key: str) -> str | None:
    """The open issue of a key in the index; None where it is not open or counted together with others."""
    parts = known.counted.split(key)
    issue = OTHER if parts is None else known.owner(parts[0])
    return issue if issue in known.issues and issue != OTHER and known.status(issue) in OPEN else None


def _share(cell: Cell, of: BitMap) -> tuple[int, BitMap]:
    """Events of some actors, and which of them had any."""
    who = cell.actors & of
    if cell.counts is None or not who:
        return len(who), who
    actors, counts = cell.per_actor()
    return int(counts[np.isin(actors, who.to_array())].sum()), who


def table(reader: Reader, found: list[Hit], *columns: str, total: int | None = None) -> Table:
    """Issues by some of COLUMNS, after issue and title; `total` where they are only the first."""
    told = failures(reader, [each.issue.newest for each in found])
    shown = tuple(column for column in COLUMNS if column.key in {"issue", "title", *columns})
    rows: list[list[Any]] = []
    for each in found:
        error = told.get(each.issue.newest)
        title = error.title if error else each.issue.id
        row = [each.issue.id, title, each.organizations, each.persons, each.events, each.issue.last]
        rows.append([cell for cell, column in zip(row, COLUMNS, strict=True) if column in shown])
    return Table(
        key="errors",
        title="Open errors",
        columns=shown,
        rows=rows,
        whole=total is None,
        total=total,
        more="errors" if total is not None else "",
    )
