"""Where sessions come from: referrers, channels and campaigns, countries and devices."""

from collections.abc import Sequence

from saastracker.contracts import Config, Reader, ReportPage
from saastracker.hookspecs import hookimpl
from saastracker.report import Report
from saastracker.scope import Scope


@hookimpl
def reports(config: Config) -> Sequence[ReportPage]:  # noqa: ARG001
    return [
        ReportPage(
            slug="sources",
            title="Sources",
            section="Web",
            about="Where the sessions that began in the span came from, by their first page view.",
            load=load,
        )
    ]


def load(reader: Reader, scope: Scope) -> Report:
    from saastracker_sources.tables import report  # noqa: PLC0415  # numpy takes 13 MB, which an idle server is spared

    return report(reader, scope)
