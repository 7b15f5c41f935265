"""The live stream: every accepted event, newest first, and what was rejected."""

from collections.abc import Sequence
from typing import Any

from saastracker.contracts import Config, Reader, ReportPage
from saastracker.hookspecs import hookimpl
from saastracker.report import Column, Report, Scope, Table, conditions

EVENTS = (
    Column("id", "Event id", "code", "opened"),
    Column("time", "Time", "time"),
    Column("received_at", "Received", "time", "opened"),
    Column("type", "Type", "tag", "wide"),
    Column("name", "Name"),
    Column("user", "Person", otherwise="anonymous_id"),
    Column("anonymous_id", "Anonymous id", "code", "opened"),
    Column("org", "Organization"),
    Column("session", "Session", "code", "opened"),
    Column("path", "Path", "code"),
    Column("value", "Value", "number", "opened"),
    Column("environment", "Environment", "text", "opened"),
    Column("release", "Release", "code", "wide"),
    Column("properties", "Properties", "json", "opened"),
)
REJECTED = (
    Column("at", "Time", "time"),
    Column("reason", "Reason", "tag"),
    Column("detail", "What to fix"),
    Column("path", "Address", "code"),
)
REASONS = (Column("reason", "Reason"), Column("events", "Rejected, ever", "number"))


@hookimpl
def reports(config: Config) -> Sequence[ReportPage]:  # noqa: ARG001
    return [
        ReportPage(
            slug="stream",
            title="Live stream",
            section="Overview",
            about="Every accepted event, newest first, as soon as it is stored.",
            live=True,
            load=load,
        )
    ]


def load(reader: Reader, scope: Scope) -> Report:
    """Events by arrival, whatever their time; a span that the query names limits their time."""
    refusals = reader.refusals(scope.project)
    reasons = sorted(([reason, count] for reason, count in refusals.items()), key=lambda row: (-row[1], row[0]))
    rejected = [[item.at, item.reason, item.detail, item.path] for item in reader.rejected(scope.project, scope.limit)]
    return Report(
        blocks=(
            _events(reader, scope),
            Table(key="rejected", title="Rejected", columns=REJECTED, rows=rejected, total=sum(refusals.values())),
            Table(key="reasons", title="Why", columns=REASONS, rows=reasons, total=len(reasons)),
        )
    )


def _events(reader: Reader, scope: Scope) -> Table:
    sql, parameters = conditions(scope)
    if scope.span_given:
        sql += ' AND "time" >= :start AND "time" < :end'
        parameters |= {"start": scope.span.start, "end": scope.span.end}
    if scope.after is not None:
        sql += " AND sequence < :after"
        parameters["after"] = scope.after
    found = reader.query(
        f'SELECT sequence, id, "time", received_at, "type", "name", "user", anonymous, org, "session", "path",'
        f' "value", environment, "release", properties FROM events WHERE {sql}'
        " ORDER BY sequence DESC LIMIT :limit",
        **parameters,
        limit=scope.limit + 1,  # one more tells whether a next page exists
    )
    page = found[: scope.limit]
    rows: list[list[Any]] = [[_id(sequence, identity), *rest] for sequence, identity, *rest in page]
    more = page[-1][0] if len(found) > scope.limit else None
    return Table(key="events", title="Events", columns=EVENTS, rows=rows, next=more)


def _id(sequence: int, identity: bytes | None) -> str:
    """Unique within the project: what the client's id became, else the place in the order of arrival."""
    return str(sequence) if identity is None else identity.hex()
