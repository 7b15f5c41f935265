"""Events that carry a category, a label or a value."""

from collections.abc import Sequence

import msgspec

from saastracker.conditions import conditions
from saastracker.contracts import Config, Reader, ReportPage
from saastracker.errors import Invalid
from saastracker.hookspecs import hookimpl
from saastracker.persons import Person, joining
from saastracker.report import Column, Report, Table
from saastracker.scope import Scope

# What a row counts; one without category or label cannot be asked for.
ROW = "f=name:is:{name}&f=prop.category:is:{category}&f=prop.label:is:{label}"
COLUMNS = (
    Column("name", "Name", dimension="name"),
    Column("category", "Category", dimension="prop.category"),
    Column("label", "Label", dimension="prop.label"),
    Column("events", "Events", "number", look="rank", link=f"stream?{ROW}", about="Such events in the span."),
    Column("persons", "Persons", "number", link=f"people?{ROW}", about="Distinct persons with such an event."),
    Column(
        "value_sum", "Sum of values", "number", about="The values of these events together; empty where none has one."
    ),
    Column("value_mean", "Mean value", "number", about="Over the events that have a value."),
)
GROUPS_MAX = 500_000  # name, category, label and person


@hookimpl
def reports(config: Config) -> Sequence[ReportPage]:  # noqa: ARG001
    return [
        ReportPage(
            slug="custom",
            title="Custom events",
            section="Product",
            about="Events that carry a property category or label, or a value.",
            load=load,
        )
    ]


class Group(msgspec.Struct):
    """The events of one name, category and label."""

    events: int = 0
    persons: set[Person] = msgspec.field(default_factory=set)
    sums: list[float] = msgspec.field(default_factory=list)
    valued: int = 0


def load(reader: Reader, scope: Scope) -> Report:
    """By category, then label, then name; what has none of it stands last."""
    sql, parameters = conditions(scope)
    found = reader.query(
        f"""SELECT name, prop(:category), prop(:label), "user", anonymous, COUNT(*), SUM(value), COUNT(value)
        FROM events WHERE {sql} AND "time" >= :start AND "time" < :end
        AND (prop(:category) IS NOT NULL OR prop(:label) IS NOT NULL OR value IS NOT NULL)
        GROUP BY 1, 2, 3, 4, 5 LIMIT :groups""",
        **parameters,
        category="category",
        label="label",
        start=scope.span.start,
        end=scope.span.end,
        groups=GROUPS_MAX + 1,
    )
    if len(found) > GROUPS_MAX:
        raise Invalid("from, to: too many different labels and people for one report; ask for a shorter span")
    person = joining(reader, reader.actors(scope.project))
    groups: dict[tuple[str, str | None, str | None], Group] = {}
    for name, category, label, user, anonymous, events, total, valued in found:
        group = groups.setdefault((name, category, label), Group())
        group.events += events
        who = person(user, anonymous)
        if who:
            group.persons.add(who)
        if valued:
            group.sums.append(total)
            group.valued += valued
    rows = []
    for (name, category, label), group in sorted(groups.items(), key=_order):
        total = sum(group.sums) if group.valued else None
        mean = None if total is None else total / group.valued
        rows.append([name, category, label, group.events, len(group.persons), total, mean])
    return Report(blocks=(Table(key="events", title="Events", columns=COLUMNS, rows=rows),))


def _order(item: tuple[tuple[str, str | None, str | None], Group]) -> tuple[bool, str, bool, str, int, str]:
    (name, category, label), group = item
    return (category is None, category or "", label is None, label or "", -group.events, name)
