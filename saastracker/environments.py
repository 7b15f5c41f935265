"""Environments: which of them pages of reports begin in, and which they offer."""

from collections.abc import Sequence
from typing import Annotated, Any, TypeAlias

import msgspec

from saastracker.contracts import Reader
from saastracker.definition import Definition, Definitions
from saastracker.errors import Invalid
from saastracker.event import ENVIRONMENT_MAX
from saastracker.report import Column, Report, Table
from saastracker.scope import Scope

KIND = "environments"  # of definition
FORMAT = "environment"  # of fields that name one, for which those that there are are suggested
HIDDEN_MAX = 100

Name: TypeAlias = Annotated[str, msgspec.Meta(min_length=1, max_length=ENVIRONMENT_MAX)]


class Environments(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a project says of its environments."""

    begin: Annotated[
        str,
        msgspec.Meta(
            max_length=ENVIRONMENT_MAX,
            title="Reports begin in",
            description="An environment such as production; blank: all of them. JSON and CSV name theirs.",
            extra_json_schema={"format": FORMAT},
        ),
    ] = ""
    hidden: Annotated[
        tuple[Name, ...],
        msgspec.Meta(
            max_length=HIDDEN_MAX,
            title="Not offered",
            description="What the list above reports leaves out. Its events still count where all are asked for.",
        ),
    ] = ()


COLUMNS = (
    Column("environment", "Environment"),
    Column("events", "Events", "number", look="rank", about="In the last 28 days."),
    Column("state", "Above reports", "tag"),
)


def check(said: Environments) -> None:
    """Raises Invalid where pages would begin in what they do not offer."""
    if said.begin and said.begin in said.hidden:
        raise Invalid("$.hidden: Expected none that reports begin in")


def of(definitions: Definitions, project: str) -> Environments:
    """What the project with this id says."""
    return next((each.value for each in definitions.of(project, KIND)), Environments())


def offered(said: Environments, known: Sequence[str], asked: str | None) -> list[str]:
    """Those of a project that a page lists: none that are hidden, but for the one it shows."""
    return [name for name in known if name == asked or name not in said.hidden]


def preview(
    reader: Reader, scope: Scope, _definitions: Definitions, said: Environments, _current: Environments | None
) -> Report:
    """The environments that there are, and what would become of each."""
    from saastracker.index import day_number  # noqa: PLC0415  # numpy takes 13 MB

    between = day_number(scope.span.first), day_number(scope.span.last)
    rows: list[list[Any]] = []
    for name in {*reader.environments(scope.project), *filter(None, (said.begin,))}:
        days = reader.days(scope.project, "all", *between, environment=name)
        state = "reports begin in it" if name == said.begin else "not offered" if name in said.hidden else "offered"
        rows.append([name, sum(day.cell.events for day in days), state])
    rows.sort(key=lambda row: (-row[1], row[0]))
    return Report(blocks=(Table(key="environments", title="Environments", columns=COLUMNS, rows=rows),))


ENVIRONMENTS = Definition(
    kind=KIND,
    title="Environments",
    about="Which environment pages of reports begin in, and which they offer.",
    struct=Environments,
    check=check,
    preview=preview,
    most=1,
)
