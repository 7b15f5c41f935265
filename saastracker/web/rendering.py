"""Templates: escaped by default, and a name that is missing is an error."""

from collections.abc import Sequence
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from saastracker.report import Column, Table
from saastracker.snippets import PLACEHOLDER
from saastracker.web import fitting, formats, grids, naming, numbers, rows
from saastracker.web.arranging import sortable
from saastracker.web.assets import static_url
from saastracker.web.charts import drawing, flow, marks, series
from saastracker.web.faces import iso

# What a status is called, by the shape that stands for it.
SHAPES = {
    "healthy": ("healthy", "good", "resolved", "high"),
    "watch": ("watch", "needs improvement", "open", "medium", "onboarding"),
    "risk": ("at risk", "poor", "new", "regressed", "inactive"),
}


def render(template: str, **values: Any) -> str:
    """A page of templates/ as HTML."""
    return _environment.get_template(template).render(values)


def _status(word: str) -> str:
    """healthy, watch, risk or dormant, for any word a status may be."""
    plain = word.lower().replace("_", " ").replace("-", " ")
    return next((shape for shape, words in SHAPES.items() if plain.startswith(words)), "dormant")


def _placeholders(text: str) -> Markup:
    """Text with the places marked where one puts a secret in."""
    mark = Markup("<mark>{}</mark>").format(PLACEHOLDER)
    return mark.join(escape(part) for part in text.split(PLACEHOLDER))


def _fit(table: Table, shown: Sequence[Column], title: Column) -> fitting.Fit:
    keys = [column.key for column in table.columns]
    return fitting.fit(shown, title, [dict(zip(keys, row, strict=True)) for row in table.rows])


def _parts(table: Table) -> list[tuple[str, Any, Any]]:
    """Names, weights and points of a table that is drawn as a breakdown."""
    keys = [column.key for column in table.columns]
    weight, points = keys.index("weight"), keys.index("points")
    return [(row[0], row[weight], row[points]) for row in table.rows]


_environment = Environment(
    loader=PackageLoader("saastracker.web"),
    autoescape=True,
    auto_reload=False,  # a page would look at the files of two dozen templates
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_environment.globals |= {
    "static": static_url,
    "all_cohorts": grids.all_cohorts,
    "breakdown": lambda table: marks.breakdown(_parts(table)),
    "change": numbers.change,
    "chart": series.chart,
    "cohort": grids.cohort,
    "difference": numbers.difference,
    "drawings": drawing.drawings,
    "fit": _fit,
    "flow_columns": flow.columns,
    "flow_diagram": flow.diagram,
    "hours": marks.hours,
    "fold": rows.fold,
    "is_number": rows.is_number,
    "rank_bar": marks.rank_bar,
    "names_rows": naming.names_rows,
    "ratio_bar": marks.ratio_bar,
    "room": grids.room,
    "row_look": rows.Look,
    "rows_of": rows.Rows,
    "shown_columns": fitting.shown,
    "sortable": sortable,
    "sparkline": marks.sparkline,
}
_environment.filters |= {
    "zip": zip,
    "exact": numbers.exact,
    "short": numbers.short,
    "bytes": numbers.size,
    "kind": lambda block: type(block).__name__.lower(),
    "moment": formats.moment,
    "when": formats.when,
    "minute": formats.minute,
    "day": formats.day,
    "days": formats.days,
    "month_name": formats.month_name,
    "year": formats.year,
    "status": _status,
    "wording": rows.wording,
    "iso": iso,
    "placeholders": _placeholders,
}
