"""One session, event by event."""

from typing import Any

import numpy as np

from saastracker.actors import Actors
from saastracker.conditions import DAY_MS
from saastracker.contracts import Reader
from saastracker.errors import NotFound
from saastracker.event import Event
from saastracker.index import day_number
from saastracker.parts import FOREVER, Parts
from saastracker.report import Column, Figure, Figures, Report, Table
from saastracker.scope import FIRST_DATE, LAST_DATE, Scope
from saastracker.segments import Moments
from saastracker.visits import Visits
from saastracker_sessions.listing import LENGTH
from saastracker_sessions.paging import part

COLUMNS = (
    Column("time", "Time", "time"),
    Column("after", "After", "number", unit="seconds", about="Since the first event of the person's session."),
    Column("type", "Type", "tag", "wide"),
    Column("name", "Name"),
    Column("person", "Person", link="people/{person}"),
    Column("org", "Organization", "text", "wide", link="organizations/{org}"),
    Column("path", "Path", "code"),
    Column("value", "Value", "number", "wide", about="The number that the event was sent with."),
    Column("environment", "Environment", "text", "opened"),
    Column("release", "Release", "code", "opened"),
    Column("referrer", "Referrer", "text", "opened"),
    Column("country", "Country", "text", "opened"),
    Column("browser", "Browser", "text", "opened"),
    Column("os", "System", "text", "opened"),
    Column("device", "Device", "text", "opened"),
    Column("properties", "Properties", "json", "opened"),
)
EVENTS_MAX = 1000  # handed in at once; beyond it a page at a time
TEXTS_STEP = 50_000  # session ids looked at in one query


def timeline(reader: Reader, scope: Scope, session: str) -> Report:
    """Every event in the scope's environment, of each person whose session has this id.

    Raises NotFound where no event that is in the index has it.
    """
    actors = reader.actors(scope.project)
    parts = _parts(reader, scope, session)
    first, last = int(parts.first.min()) // DAY_MS, int(parts.last.max()) // DAY_MS
    # Local dates are at most one off from those of UTC.
    during = reader.moments(scope.project, first - 1, last + 1, None, scope.environment)
    mine = during.only(during.session == parts.session[0])
    mine = mine.only(mine.places())
    start, end, whole, more = part(scope, len(mine), EVENTS_MAX)
    shown = mine.only(np.arange(start, end))
    return Report(
        title=session,
        blocks=(
            _totals(actors, parts),
            Table(
                key="events",
                title="Events",
                columns=COLUMNS,
                rows=_rows(reader, scope, actors, parts, shown),
                whole=whole,
                total=len(mine),
                next=more,
            ),
        ),
    )


def _parts(reader: Reader, scope: Scope, session: str) -> Parts:
    """What the session consists of: most are in the span that the page is asked for, so that is looked at first."""
    for first, last in ((scope.span.first, scope.span.last), (FIRST_DATE, LAST_DATE)):
        parts = reader.parts(scope.project, day_number(first), day_number(last), scope.environment)
        codes = np.unique(parts.session)[::-1].tolist()  # the newest first
        for start in range(0, len(codes), TEXTS_STEP):
            for code, text in reader.texts(codes[start : start + TEXTS_STEP]).items():
                if text == session:
                    return parts.only(parts.session == code)
    raise NotFound(f"No event has the session {session[:64]}.", reason="unknown_session")


def _totals(actors: Actors, parts: Parts) -> Figures:
    person = actors.person[parts.actor]
    row = parts.merged(person)
    of_each = Visits(actors.person[row.actor], actors.org[row.actor], row)
    return Figures(
        key="totals",
        title="In all",
        figures=(
            Figure(key="events", label="Events", value=int(row.events.sum()), about="Events of the session."),
            Figure(key="pages", label="Page views", value=int(row.pages.sum()), about="Page views among them."),
            Figure(
                key="seconds",
                label="Length",
                value=float(of_each.seconds.max()),
                unit="seconds",
                about=f"{LENGTH} Where several people have sessions of this id, that of the longest.",
            ),
        ),
    )


def _rows(reader: Reader, scope: Scope, actors: Actors, parts: Parts, shown: Moments) -> list[list[Any]]:
    persons = actors.person[shown.actor]
    began = np.full(len(actors.person_codes) + 1, FOREVER)  # the last for nobody, numbered -1
    np.minimum.at(began, actors.person[parts.actor], parts.first)
    after = (shown.time - began[persons]) / 1000
    texts = reader.texts([actors.person_codes[person] for person in np.unique(persons[persons >= 0]).tolist()])
    known = {
        sequence: (seconds, texts[actors.person_codes[person]] if person >= 0 else None)
        for sequence, seconds, person in zip(shown.sequence.tolist(), after.tolist(), persons.tolist(), strict=True)
    }
    counted = reader.organizations(scope.project).counted
    return [_row(event, counted(event.org), *known[event.sequence]) for event in reader.events(list(known))]


def _row(event: Event, org: str | None, after: float, person: str | None) -> list[Any]:
    return [
        event.received_at if event.time is None else event.time,
        after,
        event.type,
        event.name,
        person,
        org,
        event.path,
        event.value,
        event.environment,
        event.release,
        event.referrer,
        event.country,
        event.browser,
        event.os,
        event.device,
        event.properties,
    ]
