"""Funnels: how many go through steps in a row, how long they take, and where the others stop."""

from collections.abc import Sequence
from functools import partial

from saastracker.contracts import Config, Match, Reader, ReportPage
from saastracker.definition import Definition, Definitions
from saastracker.errors import Invalid, NotFound
from saastracker.event import NAME_MAX
from saastracker.hookspecs import hookimpl
from saastracker.matching import named
from saastracker.report import Report
from saastracker.scope import DIMENSIONS, PROPERTY, Parameter, Scope
from saastracker_funnels.definition import STEPS_MAX, Funnel, check

FUNNEL = "funnel"
COLUMNS = (*(name for name in DIMENSIONS if name != "user"), "environment", "referrer", "source", "medium", "campaign")
STEPS = {"": "None"} | {str(step): f"Step {step}" for step in range(2, STEPS_MAX + 1)}
PARAMETERS = (
    Parameter(name="by", label="Break down by"),
    Parameter(name="dropped", label="Who dropped before", choices=STEPS),
)


@hookimpl
def definitions(config: Config) -> Sequence[Definition]:  # noqa: ARG001
    about = "Steps that people are expected to go through in order, and within which time."
    return [Definition(kind=FUNNEL, title="Funnels", about=about, struct=Funnel, check=check, preview=preview)]


@hookimpl
def reports(config: Config, definitions: Definitions) -> Sequence[ReportPage]:  # noqa: ARG001
    return [
        ReportPage(
            slug="funnels",
            title="Funnels",
            section="Product",
            about="Steps that people are expected to go through, and how many of those who entered in the span did.",
            load=partial(load, definitions),
            detail=partial(detail, definitions),
            detail_parameters=PARAMETERS,
            search=partial(search, definitions),
            defines=(FUNNEL,),
        )
    ]


# numpy takes 13 MB, which a server is spared until someone asks.


def load(definitions: Definitions, reader: Reader, scope: Scope) -> Report:
    from saastracker_funnels.blocks import listing  # noqa: PLC0415

    return listing(reader, scope, definitions.of(scope.project, FUNNEL))


def detail(definitions: Definitions, reader: Reader, scope: Scope, funnel: str) -> Report:
    """One funnel. Raises NotFound, and Invalid for what no event can be broken down by."""
    by = scope.parameters["by"]
    if by.startswith(PROPERTY):
        key = by.removeprefix(PROPERTY)
        if not 0 < len(key) <= NAME_MAX or '"' in key or "\\" in key:
            raise Invalid(f"by: a property's key has 1 to {NAME_MAX} characters, no quotation mark and no backslash")
    elif by and by not in COLUMNS:
        raise Invalid(f"by: unknown column {by[:64]}, allowed are {', '.join(COLUMNS)}, prop.<key>")
    for defined in definitions.of(scope.project, FUNNEL):
        if defined.id == funnel:
            from saastracker_funnels.blocks import one  # noqa: PLC0415

            return one(reader, scope, defined.value)
    raise NotFound(f"This project has no funnel {funnel[:64]}.", reason="unknown_funnel")


def search(definitions: Definitions, _: Reader, project: str, text: str, limit: int) -> Sequence[Match]:
    return [Match(each.id, each.value.name) for each in named(text, definitions.of(project, FUNNEL))][:limit]


def preview(
    reader: Reader,
    scope: Scope,
    definitions: Definitions,  # noqa: ARG001
    funnel: Funnel,
    current: Funnel | None,
) -> Report:
    """The steps of a funnel as it would be, and as it is."""
    from saastracker_funnels.blocks import previewed  # noqa: PLC0415

    return previewed(reader, scope, funnel, current)
