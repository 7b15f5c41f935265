"""Activity: how many persons and organizations are active, new ones among them, what they do and when."""

from collections.abc import Sequence

from saastracker.contracts import Config, Reader, ReportPage
from saastracker.hookspecs import hookimpl
from saastracker.report import Report
from saastracker.scope import Scope


@hookimpl
def reports(config: Config) -> Sequence[ReportPage]:  # noqa: ARG001
    return [
        ReportPage(
            slug="activity",
            title="Activity",
            section="Overview",
            about="Persons and organizations with at least one event, day by day, and what they did.",
            load=load,
        )
    ]


def load(reader: Reader, scope: Scope) -> Report:
    from saastracker_activity.blocks import report  # noqa: PLC0415  # numpy takes 13 MB, which an idle server is spared

    return report(reader, scope)
