"""The explorer: any measure of events, by up to two break-downs, over time."""

from collections.abc import Sequence

from saastracker.contracts import Config, Reader, ReportPage
from saastracker.hookspecs import hookimpl
from saastracker.report import Block, Report
from saastracker.scope import Parameter, Scope
from saastracker_explorer.answer import result, series
from saastracker_explorer.measure import MEASURES, measured
from saastracker_explorer.question import question

PARAMETERS = (
    Parameter(name="measure", label="Measure", choices=MEASURES, default="events"),
    Parameter(name="by", label="Broken down by", most=2, opening="name"),
    Parameter(
        name="interval",
        label="Interval",
        choices={"hour": "By hour", "day": "By day", "week": "By week", "month": "By month"},
        opening="day",
    ),
    Parameter(name="value_of", label="Value of property"),
)


@hookimpl
def reports(config: Config) -> Sequence[ReportPage]:  # noqa: ARG001
    return [
        ReportPage(
            slug="explorer",
            title="Explorer",
            section="Overview",
            about="Any measure of the events, by up to two columns or properties (prop.<key>), over time.",
            load=load,
            parameters=PARAMETERS,
        )
    ]


def load(reader: Reader, scope: Scope) -> Report:
    """Reads the events themselves where the index does not know. Raises Invalid for a wrong break-down or too much."""
    from saastracker_explorer.counting import counted  # noqa: PLC0415  # numpy takes 13 MB, spared to idle servers

    asked = question(scope)
    values = counted(reader, scope, asked)
    if values is None:
        values = measured(reader, scope, asked)
    blocks: list[Block] = [result(asked, values)]
    if asked.interval:
        blocks.insert(0, series(scope, asked, asked.interval, values))
    return Report(blocks=tuple(blocks))
