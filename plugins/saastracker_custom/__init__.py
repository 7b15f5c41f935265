"""Events that carry a category, a label or a value."""

from collections.abc import Sequence

from saastracker.contracts import Config, Reader, ReportPage
from saastracker.hookspecs import hookimpl
from saastracker.report import Column, Report, Table, counting
from saastracker.scope import Scope
from saastracker.tagger import VALUED, Tagger, Tagging
from saastracker_custom.labels import NAMESPACE, PROPERTIES, Labels, keys

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
TAGGING = Tagging(columns=("name", "properties", VALUED), keys=keys, named=PROPERTIES)


@hookimpl
def taggers(config: Config) -> Sequence[Tagger]:  # noqa: ARG001
    return [Tagger(namespace=NAMESPACE, version=1, tagging=lambda _: TAGGING)]


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


def load(reader: Reader, scope: Scope) -> Report:
    """By category, then label, then name; what has none of it stands last."""
    from saastracker_custom.totals import Counts, counts  # noqa: PLC0415  # numpy takes 13 MB

    def order(item: tuple[Labels, Counts]) -> tuple[bool, str, bool, str, int, str]:
        (name, category, label), of = item
        return (category is None, category or "", label is None, label or "", -of.events, name)

    rows = []
    for labels, of in sorted(counts(reader, scope).items(), key=order):
        values = (of.total, of.total / of.valued) if of.valued else (None, None)
        rows.append([*labels, of.events, of.persons, *values])
    table = Table(key="events", title="Events", columns=COLUMNS, rows=rows)
    return Report(blocks=(*counting(reader.tagged(scope.project, NAMESPACE)), table))
