"""Sessions: how many, how long and how lively they are, and one of them event by event."""

from collections.abc import Sequence

from saastracker.contracts import Config, Reader, ReportPage
from saastracker.hookspecs import hookimpl
from saastracker.report import Report
from saastracker.scope import Parameter, Scope

PARAMETERS = (
    Parameter(name="entry", label="Entry page", chip=True),
    Parameter(name="exit", label="Exit page", chip=True),
    Parameter(name="referrer", label="Referrer", chip=True),
    Parameter(name="source", label="UTM source", chip=True),
    Parameter(name="medium", label="UTM medium", chip=True),
    Parameter(name="campaign", label="UTM campaign", chip=True),
)


@hookimpl
def reports(config: Config) -> Sequence[ReportPage]:  # noqa: ARG001
    return [
        ReportPage(
            slug="sessions",
            title="Sessions",
            section="Product",
            about="Sessions that began in the span, each on the day of its first event.",
            parameters=PARAMETERS,
            load=load,
            detail=detail,
        )
    ]


# numpy takes 13 MB, which a server is spared until someone asks.


def load(reader: Reader, scope: Scope) -> Report:
    from saastracker_sessions.listing import listing  # noqa: PLC0415

    return listing(reader, scope)


def detail(reader: Reader, scope: Scope, session: str) -> Report:
    """Every event of one session, whatever the filters. Raises NotFound where no event has the id."""
    from saastracker_sessions.timeline import timeline  # noqa: PLC0415

    return timeline(reader, scope, session)
