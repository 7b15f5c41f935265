"""The twins of reports as they are described: what they answer, and what they can be asked."""

import re
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from saastracker.event import ENVIRONMENT_MAX, PATH_MAX
from saastracker.report import Interval, Unit
from saastracker.scope import (
    COMPARES,
    DIMENSIONS,
    FILTERS_MAX,
    FIRST_DATE,
    LAST_DATE,
    LIMIT_DEFAULT,
    LIMIT_MAX,
    OPERATORS,
    RANGES,
    SHORT_FORMS,
    Parameter,
)
from saastracker.web.api.fields import Slug, Time
from saastracker.web.arranging import SEARCH_MAX

Number = float | None
Key = Annotated[str, Meta(description="Stable: other programs rely on it.")]
Blocks = dict[str, Any]


class _Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class FigureShown(_Part, frozen=True, kw_only=True):
    """One number."""

    key: Key
    label: str
    value: Number
    unit: Unit
    previous: Annotated[Number, Meta(description="In the comparison span; null: not compared.")]


class FiguresBlock(_Part, frozen=True, kw_only=True, tag_field="type", tag="figures"):
    """Numbers."""

    key: Key
    figures: list[FigureShown]


class PointShown(_Part, frozen=True, kw_only=True):
    """One period."""

    at: Annotated[str, Meta(description="Local date on which it begins; of hours a UTC time.", examples=["2026-11-20"])]
    values: Annotated[dict[str, Number], Meta(description="By key.", examples=[{"dau": 12, "wau": 40}])]


class SeriesBlock(_Part, frozen=True, kw_only=True, tag_field="type", tag="series"):
    """Numbers over time, oldest first."""

    key: Key
    interval: Interval
    points: list[PointShown]


class ColumnShown(_Part, frozen=True, kw_only=True):
    """A column."""

    key: Key
    label: str
    type: Literal["text", "number", "time", "date", "json", "tag", "code"]


Rows = Annotated[list[list[Any]], Meta(description="Cells in the order of `columns`; null: unknown.")]


class TableBlock(_Part, frozen=True, kw_only=True, tag_field="type", tag="table"):
    """Rows."""

    key: Key
    columns: list[ColumnShown]
    rows: Rows
    total: Annotated[int, Meta(description="How many rows there are in all; null: unknown.")] | None
    next: Annotated[str, Meta(description="Cursor for `after`; null: there are no more.")] | None


class StepsBlock(_Part, frozen=True, kw_only=True, tag_field="type", tag="steps"):
    """The steps of a funnel."""

    key: Key
    columns: list[ColumnShown]
    rows: Rows


class GridBlock(_Part, frozen=True, kw_only=True, tag_field="type", tag="grid"):
    """Numbers by row and column."""

    key: Key
    rows: list[str]
    columns: list[str]
    values: list[list[Number]]


class NodeShown(_Part, frozen=True, kw_only=True):
    """A place in a flow."""

    id: str
    label: str


class LinkShown(_Part, frozen=True, kw_only=True, rename={"source": "from", "target": "to"}):
    """How many sessions went from one place to another."""

    source: str
    target: str
    sessions: int


class FlowBlock(_Part, frozen=True, kw_only=True, tag_field="type", tag="flow"):
    """Where sessions went."""

    key: Key
    nodes: list[NodeShown]
    links: list[LinkShown]


class NoteBlock(_Part, frozen=True, kw_only=True, tag_field="type", tag="note"):
    """A sentence that people should know."""

    key: Key
    text: str


class ScopeShown(_Part, frozen=True, kw_only=True, rename={"first": "from", "last": "to"}):
    """What was asked."""

    first: Annotated[str, Meta(extra_json_schema={"format": "date"}, examples=["2026-10-25"])]
    last: Annotated[str, Meta(extra_json_schema={"format": "date"}, examples=["2026-11-21"])]
    compare: Literal[COMPARES]  # type: ignore[valid-type]
    environment: Annotated[str, Meta(description="Null: all.")] | None
    filters: Annotated[list[str], Meta(examples=[["org:is:acme"]])]
    parameters: Annotated[dict[str, str], Meta(description="The report's own, if it has any.")] = {}


class ReportTwin(_Part, frozen=True, kw_only=True):
    """A report."""

    project: Slug
    report: Annotated[str, Meta(examples=["activity"])]
    scope: ScopeShown
    blocks: list[FiguresBlock | SeriesBlock | TableBlock | StepsBlock | GridBlock | FlowBlock | NoteBlock]


class ReportFresh(ReportTwin, frozen=True, kw_only=True):
    """A report, and up to when it knows everything."""

    fresh_until: Time


# --- What is asked ---


def scope_parameters() -> list[Blocks]:
    """The scope, which all reports and previews take."""
    dates = {"type": "string", "format": "date"}
    between = f"From {FIRST_DATE} to {LAST_DATE}."
    return [
        _asked("from", f"First local day; goes with `to`. {between}", dates, "2026-11-01"),
        _asked("to", f"Last local day, included. {between}", dates, "2026-11-20"),
        _asked(
            "range",
            "A span up to today, instead of `from` and `to`; of neither 28d.",
            {"type": "string", "enum": [*RANGES]},
        ),
        _asked("compare", "The span to compare with.", {"type": "string", "enum": [*COMPARES]}, "none"),
        _asked("environment", "Only its events.", {"type": "string", "maxLength": ENVIRONMENT_MAX}, "production"),
        *(_asked(name, f"Short for `f={name}:is:…`; may be repeated.", _text(), "acme") for name in SHORT_FORMS),
        _asked(
            "f",
            "Filters, `dimension:operator:value`; those of one dimension and operator are alternatives. `gt` and `lt` "
            f"compare numbers, of `prop.<key>` only. At most {FILTERS_MAX}, the short forms included.",
            {"type": "array", "items": {"type": "string", "pattern": _filters()}},
            ["country:is:NL"],
        ),
        _asked(
            "limit",
            "How many rows at most.",
            {"type": "integer", "minimum": 1, "maximum": LIMIT_MAX, "default": LIMIT_DEFAULT},
            20,
        ),
        _asked(
            "after",
            "Where the page begins: `next` of the page before.",
            {"type": "string", "pattern": "^[A-H][A-Za-z0-9_-]{10}$"},
        ),
    ]


def face_parameters(declared: tuple[Parameter, ...]) -> list[Blocks]:
    """What the twins of one report take: the scope, its own parameters, and how its tables are arranged."""
    return [
        *scope_parameters(),
        *map(_own, declared),
        _asked("block", "Key of the block that is sorted, searched, paged, or answered as CSV.", _text()),
        _asked("sort", "Key of the column to sort by; `-` in front: largest first.", _text()),
        _asked("search", "Only rows with this text.", {"type": "string", "maxLength": SEARCH_MAX}),
    ]


def _own(parameter: Parameter) -> Blocks:
    one: Blocks = {"type": "string", "enum": [*parameter.choices]} if parameter.choices else _text()
    several = f" At most {parameter.most}, with commas between." if parameter.most > 1 else ""
    schema = one if parameter.most == 1 else _text()
    if parameter.default and parameter.most == 1:
        schema["default"] = parameter.default
    return _asked(parameter.name, f"{parameter.label}.{several}", schema)


def _filters() -> str:
    """What `f` takes, as a regular expression."""
    dimensions = "|".join(DIMENSIONS)
    of_text = "|".join(each for each in OPERATORS if each not in {"exists", "gt", "lt"})
    key = r"prop\.[A-Za-z0-9_.-]{1,64}"
    number = r"[+-]?[0-9]{1,15}(\.[0-9]{1,15})?"
    return rf"^(({dimensions}|{key}):(({of_text}):[^\u0000]{{1,200}}|exists)|{key}:(gt|lt):{number})?$"


def _text() -> Blocks:
    return {"type": "string", "maxLength": PATH_MAX, "pattern": r"^[^\u0000]*$"}


def _asked(name: str, about: str, schema: Blocks, example: Any = None) -> Blocks:
    """A parameter; left blank, as a form sends it, it counts as absent."""
    told = {} if example is None else {"example": example}
    blank = {} if schema["type"] == "array" else {"allowEmptyValue": True}
    return {"name": name, "in": "query", "description": about, **blank, "schema": schema, **told}


def title_of(text: str) -> str:
    """As a name in code: `page_detail`."""
    return re.sub(r"[^a-z0-9]+", "_", text.lower())
