"""The report "busiest": organizations by their number of events."""

from saastracker import Column, Reader, Report, Scope, Table, conditions

COLUMNS = (Column("org", "Organization"), Column("events", "Events", "number"), Column("persons", "Persons", "number"))


def busiest(reader: Reader, scope: Scope) -> Report:
    """The organizations with most events in the scope's span, busiest first, up to its limit."""
    asked, parameters = conditions(scope)  # the project, the environment and the filters
    rows = reader.query(
        f"""SELECT org, count(*) AS n, count(DISTINCT coalesce("user", anonymous)) FROM events
            WHERE {asked} AND org IS NOT NULL AND "time" >= :start AND "time" < :end
            GROUP BY org ORDER BY n DESC, org LIMIT :limit""",
        **parameters,
        start=scope.span.start,
        end=scope.span.end,
        limit=scope.limit,
    )
    return Report(blocks=(Table(key="organizations", title="Organizations", columns=COLUMNS, rows=[*map(list, rows)]),))
