"""Web vitals: how fast pages load and answer in people's browsers, as the 75th percentile by path."""

from collections.abc import Sequence

from saastracker.contracts import Config, Reader, ReportPage
from saastracker.hookspecs import hookimpl
from saastracker.report import Report
from saastracker.scope import Parameter, Scope
from saastracker.tagger import Tagger, Tagging
from saastracker_vitals.metrics import METRICS, NAMESPACE, keys

TAGGING = Tagging(
    columns=("name", "path"),
    keys=keys,
    wanted={"type": frozenset({"vital"}), "name": frozenset(METRICS)},
)
PARAMETERS = (
    Parameter(
        name="metric",
        label="Metric",
        choices={"all": "All", **{metric.name: metric.label for metric in METRICS.values()}},
        default="all",
    ),
)


@hookimpl
def taggers(config: Config) -> Sequence[Tagger]:  # noqa: ARG001
    return [Tagger(namespace=NAMESPACE, version=1, tagging=lambda _: TAGGING, distribution=True)]


@hookimpl
def reports(config: Config) -> Sequence[ReportPage]:  # noqa: ARG001
    return [
        ReportPage(
            slug="vitals",
            title="Vitals",
            section="Web",
            about="What three of four page views stayed within: the 75th percentile of what browsers measured.",
            parameters=PARAMETERS,
            load=load,
        )
    ]


def load(reader: Reader, scope: Scope) -> Report:
    from saastracker_vitals.blocks import report  # noqa: PLC0415  # numpy takes 13 MB, which an idle server is spared

    return report(reader, scope)
