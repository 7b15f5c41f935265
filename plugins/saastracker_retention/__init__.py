"""Retention: of those who began in a day, week or month, how many came back in the periods after."""

from collections.abc import Sequence

from saastracker.contracts import Config, Reader, ReportPage
from saastracker.hookspecs import hookimpl
from saastracker.report import Report
from saastracker.scope import Parameter, Scope

PARAMETERS = (
    Parameter(name="by", label="Period", choices={"day": "Days", "week": "Weeks", "month": "Months"}, default="week"),
    Parameter(
        name="of", label="Of", choices={"persons": "Persons", "organizations": "Organizations"}, default="persons"
    ),
    Parameter(
        name="at",
        label="Came back",
        choices={"exact": "Exactly then", "later": "Then or later"},
        default="exact",
    ),
    Parameter(name="start", label="First event"),
    Parameter(name="return", label="Event on return"),
)


@hookimpl
def reports(config: Config) -> Sequence[ReportPage]:  # noqa: ARG001
    return [
        ReportPage(
            slug="retention",
            title="Retention",
            section="Product",
            about="Those whose first event ever lies in a period, and how many of them came back in the periods after.",
            parameters=PARAMETERS,
            load=load,
        )
    ]


def load(reader: Reader, scope: Scope) -> Report:
    from saastracker_retention.cohorts import report  # noqa: PLC0415  # numpy takes 13 MB, spared to idle servers

    return report(reader, scope)
