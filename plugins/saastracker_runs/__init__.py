"""Games: attempts at what can be completed or failed, and the resources that players gain and spend."""

from collections.abc import Sequence

from saastracker.contracts import Config, Reader, ReportPage
from saastracker.hookspecs import hookimpl
from saastracker.report import Report
from saastracker.scope import Parameter, Scope
from saastracker.tagger import Tagger, Tagging
from saastracker_runs.names import NAMESPACE, keys

TAGGING = Tagging(
    columns=("type", "name"),
    keys=keys,
    wanted={"type": frozenset({"progression", "resource"})},
)
PARAMETERS = (
    Parameter(
        name="by",
        label="Broken down by",
        choices={
            "none": "All",
            "release": "Release",
            "dim01": "dim01",
            "dim02": "dim02",
            "dim03": "dim03",
        },
        default="none",
    ),
)


@hookimpl
def taggers(config: Config) -> Sequence[Tagger]:  # noqa: ARG001
    return [Tagger(namespace=NAMESPACE, version=1, tagging=lambda _: TAGGING)]


@hookimpl
def reports(config: Config) -> Sequence[ReportPage]:  # noqa: ARG001
    return [
        ReportPage(
            slug="runs",
            title="Runs",
            section="Games",
            tagged=(NAMESPACE,),
            about="Attempts that began in the span (Start:…), and how they ended (Complete:… or Fail:…).",
            parameters=PARAMETERS,
            load=load_runs,
        ),
        ReportPage(
            slug="resources",
            title="Resources",
            section="Games",
            tagged=(NAMESPACE,),
            about="What players gained (Source:…) and spent (Sink:…) in the span, as sums of the events' values.",
            load=load_resources,
        ),
    ]


# numpy takes 13 MB, which a server is spared until someone asks. Functions of a module's name would be lost to it.


def load_runs(reader: Reader, scope: Scope) -> Report:
    from saastracker_runs.runs import report  # noqa: PLC0415

    return report(reader, scope)


def load_resources(reader: Reader, scope: Scope) -> Report:
    from saastracker_runs.resources import report  # noqa: PLC0415

    return report(reader, scope)
