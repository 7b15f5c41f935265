"""The blocks of the home report."""

from typing import Any

import numpy as np
from msgspec.structs import replace

from saastracker.actors import Actors
from saastracker.cells import cells
from saastracker.contracts import Reader, Setups
from saastracker.definition import Definitions
from saastracker.issues.opened import opened, table
from saastracker.report import Column, Figure, Figures, Measure, Number, Report, Series, Table
from saastracker.scope import Scope, Span
from saastracker.sums import lengths
from saastracker_home.start import COUNTING, NOTHING, checklist, received
from saastracker_home.summary import TOP, Summary, by_key, points, summary, top

ISSUES = 5  # shown
MEASURES = (
    Measure("events", "Events"),
    Measure("persons", "Persons", group="Active persons"),
    Measure("organizations", "Organizations", group="Active organizations"),
)
FIGURES = (
    Figure(key="events", label="Events", value=None, good="up", about="Events in the span.", link="activity"),
    Figure(
        key="persons",
        label="Active persons",
        value=None,
        good="up",
        about="People with at least one event in the span.",
        link="people",
    ),
    Figure(
        key="organizations",
        label="Active organizations",
        value=None,
        good="up",
        about="Organizations with at least one event in the span.",
        link="organizations",
    ),
    Figure(
        key="sessions",
        label="Sessions",
        value=None,
        good="up",
        about="Sessions that began in the span.",
        link="sessions",
    ),
)
VIEWED, NAMED = "type=pageview&f=path:is:{path}", "f=name:is:{name}"  # what the rows of a table count


def _people(asked: str) -> tuple[Column, Column]:
    """Whom a row counts."""
    return (
        Column("persons", "Persons", "number", link=f"people?{asked}", about="Distinct persons with such an event."),
        Column(
            "organizations",
            "Organizations",
            "number",
            link=f"organizations?{asked}",
            about="Distinct organizations with such an event.",
        ),
    )


PAGES = Table(
    key="pages",
    title="Top pages",
    columns=(
        Column("path", "Path", "code", link="pages/detail?path={path}", dimension="path"),
        Column("views", "Views", "number", look="rank", link=f"stream?{VIEWED}", about="Page views in the span."),
        *_people(VIEWED),
    ),
    rows=[],
    whole=False,
    more="pages",
)
NAMES = Table(
    key="names",
    title="Top events",
    columns=(
        Column("name", "Event", dimension="name"),
        Column(
            "events", "Events", "number", look="rank", link=f"stream?{NAMED}", about="Events of this name in the span."
        ),
        *_people(NAMED),
    ),
    rows=[],
    whole=False,
    more="activity",
)
MOVERS = Table(
    key="movers",
    title="Organizations that changed most",
    columns=(
        Column("org", "Organization", link="organizations/{org}", dimension="org"),
        Column("events", "Events", "number", link="stream?org={org}", about="Events of the organization in the span."),
        Column("previous", "Before", "number", about="Events in the span that is compared with."),
        Column("change", "Change", "number", look="change", good="up", about="Events now less those before."),
    ),
    rows=[],
    whole=False,
    more="organizations",
)


def report(definitions: Definitions, setups: Setups, reader: Reader, scope: Scope) -> Report:
    setup = setups(scope.project)
    if not received(reader, scope.project):
        return Report(blocks=(NOTHING, *checklist(definitions, setup, scope, received=False)))
    if not reader.environments(scope.project):  # the index has none of the events yet
        return Report(blocks=(COUNTING, *checklist(definitions, setup, scope, received=True)))
    actors = reader.actors(scope.project)
    now = summary(reader, scope, actors, scope.span)
    before = summary(reader, scope, actors, scope.compared) if scope.compared else None
    pages = by_key(cells(reader, scope, actors, scope.span, "page"))
    names = by_key(cells(reader, scope, actors, scope.span, "name"))
    return Report(
        blocks=(
            _totals(reader, scope, actors, now, before),
            _events(scope, actors, now, before),
            replace(PAGES, rows=top(pages, actors), total=len(pages)),
            replace(NAMES, rows=top(names, actors), total=len(names)),
            _movers(reader, actors, now, before),
            *_errors(definitions, reader, scope, actors),
            *checklist(definitions, setup, scope, received=True),
        )
    )


def _totals(reader: Reader, scope: Scope, actors: Actors, now: Summary, before: Summary | None) -> Figures:
    values = _values(reader, scope, actors, now, scope.span)
    previous = _values(reader, scope, actors, before, scope.compared) if before and scope.compared else {}
    return Figures(
        key="totals",
        title="In the span",
        figures=tuple(
            replace(figure, value=values[figure.key], previous=previous.get(figure.key)) for figure in FIGURES
        ),
    )


def _values(reader: Reader, scope: Scope, actors: Actors, of: Summary, span: Span) -> dict[str, Number]:
    return {
        "events": of.total.events,
        "persons": actors.count_persons(of.total.actors),
        "organizations": actors.count_organizations(of.total.actors),
        "sessions": len(lengths(reader, scope, actors, span)),
    }


def _events(scope: Scope, actors: Actors, now: Summary, before: Summary | None) -> Series:
    found = points(now, actors, scope.span)
    earlier = points(before, actors, scope.compared) if before and scope.compared else []
    return Series(
        key="events",
        title="Events",
        interval="day",
        measures=MEASURES,
        points=found,
        previous=earlier[: len(found)],  # a year earlier there may be one day more
    )


def _movers(reader: Reader, actors: Actors, now: Summary, before: Summary | None) -> Table:
    """The organizations whose events changed most."""
    rows: list[list[Any]] = []
    if before:
        moved = np.flatnonzero(now.by_org != before.by_org).tolist()
        texts = reader.texts([actors.org_codes[org] for org in moved])
        for org in moved:
            events, previous = int(now.by_org[org]), int(before.by_org[org])
            rows.append([texts[actors.org_codes[org]], events, previous, events - previous])
        rows.sort(key=lambda row: (-abs(row[3]), -row[1], row[0]))
    return replace(MOVERS, rows=rows[:TOP], total=len(rows))


def _errors(definitions: Definitions, reader: Reader, scope: Scope, actors: Actors) -> list[Table]:
    """Open ones that hit most organizations. None under filters: the index does not know whom those choose."""
    found = [] if scope.filters else opened(reader, scope, actors, definitions)
    if not found:
        return []
    return [table(reader, found[:ISSUES], "organizations", "persons", "events", total=len(found))]
