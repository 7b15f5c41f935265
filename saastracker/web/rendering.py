"""Templates: escaped by default, and a name that is missing is an error."""

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from saastracker.web import formats
from saastracker.web.assets import static_url
from saastracker.web.faces import iso, json_row

_environment = Environment(
    loader=PackageLoader("saastracker.web"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_environment.globals["static"] = static_url
_environment.filters |= {
    "zip": zip,
    "number": formats.number,
    "short": formats.short_number,
    "moment": formats.moment,
    "days": formats.days,
    "iso": iso,
    "row_json": lambda row, columns: formats.json_markup(json_row(row, columns)),
}


def render(template: str, **values: Any) -> str:
    """A page of templates/ as HTML."""
    return _environment.get_template(template).render(values)
