"""Paths: what happens in sessions after, or before, a page or event."""

from collections.abc import Sequence

from saastracker.contracts import Config, Reader, ReportPage
from saastracker.hookspecs import hookimpl
from saastracker.report import Report
from saastracker.scope import Parameter, Scope
from saastracker.tagger import Tagger, Tagging

VITALS = "vital-name"  # names of vitals: moments do not tell an event's type

PARAMETERS = (
    Parameter(name="start", label="Page or event"),
    Parameter(
        name="direction",
        label="Show what came",
        choices={"after": "After it", "before": "Before it"},
        default="after",
    ),
)


@hookimpl
def reports(config: Config) -> Sequence[ReportPage]:  # noqa: ARG001
    return [
        ReportPage(
            slug="paths",
            title="Paths",
            section="Product",
            about="Where sessions that began in the span went, from the first time they came to a page or event: "
            "pages by their paths, all else by names, the same several times in a row once.",
            parameters=PARAMETERS,
            load=load,
        )
    ]


@hookimpl
def taggers(config: Config) -> Sequence[Tagger]:  # noqa: ARG001
    return [Tagger(namespace=VITALS, version=1, tagging=lambda _: _VITALS)]


_VITALS = Tagging(columns=("name",), wanted={"type": frozenset({"vital"})}, keys=lambda name: [name])


def load(reader: Reader, scope: Scope) -> Report:
    from saastracker_paths.flow import report  # noqa: PLC0415  # numpy takes 13 MB, spared to idle servers

    return report(reader, scope)
