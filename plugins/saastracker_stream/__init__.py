"""The live stream: every accepted event, newest first, and what was rejected."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from saastracker.conditions import HOUR_MS, conditions
from saastracker.contracts import Config, Reader, ReportPage
from saastracker.errors import Invalid
from saastracker.event import Event
from saastracker.hookspecs import hookimpl
from saastracker.report import Column, Report, Table
from saastracker.scope import Parameter, Scope

HOUR = Parameter(name="hour", label="Hour from", chip=True)
EVENTS = (
    Column("id", "Event id", "code", "opened"),
    Column("time", "Time", "time"),
    Column("received_at", "Received", "time", "opened"),
    Column("type", "Type", "tag", "wide", dimension="type"),
    Column("name", "Name", dimension="name"),
    Column("user", "Person", otherwise="anonymous_id", dimension="user"),
    Column("anonymous_id", "Anonymous id", "code", "opened", link="people/{anonymous_id}"),
    Column("org", "Organization", dimension="org"),
    Column("session", "Session", "code", "opened"),
    Column("path", "Path", "code", dimension="path"),
    Column("value", "Value", "number", "opened", about="The number that the event was sent with."),
    Column("environment", "Environment", "text", "opened", dimension="environment"),
    Column("release", "Release", "code", "wide", dimension="release"),
    Column("properties", "Properties", "json", "opened"),
)
REJECTED = (
    Column("at", "Time", "time"),
    Column("reason", "Reason", "tag"),
    Column("detail", "What to fix"),
    Column("path", "Address", "code"),
)
REASONS = (
    Column("reason", "Reason"),
    Column(
        "events",
        "Rejected, ever",
        "number",
        link="stream?block=rejected",
        about="Events that were not stored for this reason.",
    ),
)


@hookimpl
def reports(config: Config) -> Sequence[ReportPage]:  # noqa: ARG001
    return [
        ReportPage(
            slug="stream",
            title="Live stream",
            section="Overview",
            about="Every accepted event, newest first, as soon as it is stored.",
            live=table,
            parameters=(HOUR,),
            load=load,
            key="s",
        )
    ]


def load(reader: Reader, scope: Scope) -> Report:
    """Events by arrival, whatever their time; a span that the query names limits their time."""
    refusals = reader.refusals(scope.project)
    reasons = sorted(refusals.items(), key=lambda item: (-item[1], item[0]))
    rejected = [[item.at, item.reason, item.detail, item.path] for item in reader.rejected(scope.project, scope.limit)]
    return Report(
        blocks=(
            _events(reader, scope),
            Table(
                key="rejected",
                title="Rejected",
                columns=REJECTED,
                rows=rejected,
                whole=False,
                total=sum(refusals.values()),
            ),
            Table(key="reasons", title="Reasons", columns=REASONS, rows=[list(item) for item in reasons]),
        )
    )


def _events(reader: Reader, scope: Scope) -> Table:
    sql, parameters = conditions(scope)
    if scope.span_given:
        sql += ' AND "time" >= :start AND "time" < :end'
        parameters |= {"start": scope.span.start, "end": scope.span.end}
    if asked := scope.parameters.get(HOUR.name):
        sql += ' AND "time" >= :hour AND "time" < :hour_after'
        start = _moment(asked)
        parameters |= {"hour": start, "hour_after": start + HOUR_MS}
    if scope.after is not None:
        sql += " AND sequence < :after"
        parameters["after"] = scope.after
    found = reader.query(
        f"SELECT sequence FROM events WHERE {sql} ORDER BY sequence DESC LIMIT :limit",
        **parameters,
        limit=scope.limit + 1,  # one more tells whether there is a next page
    )
    sequences = [sequence for (sequence,) in found[: scope.limit]]
    return table(reader.events(sequences), after=sequences[-1] if len(found) > scope.limit else None)


def _moment(text: str) -> int:
    """A time with its zone, in ms. Raises Invalid."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None or not 1970 <= at.year < 2200:
        raise Invalid("hour: expected a time with its zone, such as 2026-11-21T14:00Z")
    return int(at.timestamp() * 1000)


def table(events: Sequence[Event], after: int | None = None) -> Table:
    """Stored events as the report's main table."""
    rows = [_row(event) for event in events]
    return Table(key="events", title="Events", columns=EVENTS, rows=rows, whole=False, next=after)


def _row(event: Event) -> list[Any]:
    return [
        # Unique within the project: what the client's id became, else the place in the order of arrival.
        event.id.hex() if event.id else str(event.sequence),
        event.received_at if event.time is None else event.time,
        event.received_at,
        event.type,
        event.name,
        event.user,
        event.anonymous,
        event.org,
        event.session,
        event.path,
        event.value,
        event.environment,
        event.release,
        event.properties,
    ]
