"""A report: the scope it answers for, and the blocks it is made of."""

import base64
import math
import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Literal, TypeAlias, cast, get_args
from urllib.parse import parse_qsl, urlencode
from zoneinfo import ZoneInfo

import msgspec

from saastracker.errors import Invalid
from saastracker.event import ENVIRONMENT_MAX, NAME_MAX, PATH_MAX

Operator: TypeAlias = Literal["is", "is_not", "contains", "starts_with", "exists", "gt", "lt"]
Compare: TypeAlias = Literal["previous", "year", "none"]

DIMENSIONS = ("name", "type", "path", "org", "user", "release", "country", "browser", "os", "device", "plan")
PROPERTY = "prop."  # what a dimension that is a property's key begins with
OPERATORS: tuple[Operator, ...] = get_args(Operator)
COMPARES: tuple[Compare, ...] = get_args(Compare)
SHORT_FORMS = ("name", "org", "user", "type")  # `org=acme` stands for `f=org:is:acme`
RANGES = ("today", "7d", "28d", "30d", "90d", "12mo", "mtd", "ytd")
PARAMETERS = ("from", "to", "range", "compare", "environment", "f", "limit", "after", *SHORT_FORMS)
LIMIT_DEFAULT, LIMIT_MAX = 100, 1000
FILTERS_MAX = 20
FIRST_DATE, LAST_DATE = date(1970, 1, 2), date(2199, 12, 31)  # a day's margin for every zone


# --- What is asked ---


class Span(msgspec.Struct, frozen=True):
    """Local days from `first` to `last`, both included, in an IANA time zone."""

    first: date
    last: date
    timezone: str

    @property
    def start(self) -> int:
        """The first millisecond of the span."""
        return _midnight(self.first, self.timezone)

    @property
    def end(self) -> int:
        """The first millisecond after the span."""
        return _midnight(self.last + timedelta(days=1), self.timezone)


def _midnight(day: date, timezone: str) -> int:
    # Where a clock change skips midnight, zoneinfo counts on from before it: the day's first moment.
    return int(datetime.combine(day, time.min, ZoneInfo(timezone)).timestamp() * 1000)


class Filter(msgspec.Struct, frozen=True):
    """A condition on events. `value` is empty for `exists`, a number as text for `gt` and `lt`."""

    dimension: str  # one of DIMENSIONS, or `prop.` and a property's key
    operator: Operator
    value: str = ""

    def __str__(self) -> str:
        """The condition as the parameter `f` takes it."""
        return ":".join((self.dimension, self.operator, self.value) if self.value else (self.dimension, self.operator))


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """What a report is asked about, parsed once from the query string."""

    project: str  # id
    span: Span
    range: str | None = None  # the preset that gave the span; None: two dates did
    span_given: bool = False  # whether the query names a span; a report by arrival limits times only then
    compare: Compare = "previous"
    environment: str | None = None  # None: all
    filters: tuple[Filter, ...] = ()
    limit: int = LIMIT_DEFAULT
    after: int | None = None  # the position a `cursor` holds

    @classmethod
    def parse(cls, query: str, *, project: str, timezone: str, now: int) -> "Scope":
        """The scope that a query string asks for, in the project's time zone.

        Raises Invalid that names an unknown parameter or wrong value, and what is allowed. An empty
        value counts as absent: that is how a form sends a field left blank.
        """
        values, filters = _read(query)
        span, preset = _span(values, timezone, now)
        return cls(
            project=project,
            span=span,
            range=preset,
            span_given=bool(values.keys() & {"from", "to", "range"}),
            compare=cast("Compare", _one_of("compare", values.get("compare", "previous"), COMPARES)),
            environment=_text("environment", values.get("environment"), ENVIRONMENT_MAX),
            filters=filters,
            limit=_limit(values.get("limit")),
            after=_position(values.get("after")),
        )

    @property
    def query(self) -> str:
        """The query string that asks for this scope."""
        pairs: list[tuple[str, str]] = []
        if self.span_given and self.range:
            pairs.append(("range", self.range))
        elif self.span_given:
            pairs += [("from", self.span.first.isoformat()), ("to", self.span.last.isoformat())]
        if self.compare != "previous":
            pairs.append(("compare", self.compare))
        if self.environment:
            pairs.append(("environment", self.environment))
        for item in self.filters:
            short = item.operator == "is" and item.dimension in SHORT_FORMS
            pairs.append((item.dimension, item.value) if short else ("f", str(item)))
        if self.limit != LIMIT_DEFAULT:
            pairs.append(("limit", str(self.limit)))
        if self.after is not None:
            pairs.append(("after", cursor(self.after)))
        return urlencode(pairs)


def cursor(position: int) -> str:
    """The opaque text for `after` that continues a list behind `position` (0 to 2**63 - 1)."""
    return base64.urlsafe_b64encode(position.to_bytes(8)).rstrip(b"=").decode()


def _read(query: str) -> tuple[dict[str, str], tuple[Filter, ...]]:
    """The single values of a query string by name, and its filters."""
    if "\0" in query or "%00" in query:
        raise Invalid("The query string may not hold a NUL character.")
    try:
        pairs = parse_qsl(query, max_num_fields=100)
    except ValueError:
        raise Invalid("The query string has more than 100 parameters.") from None
    values: dict[str, str] = {}
    filters: list[Filter] = []
    for name, value in pairs:
        if name not in PARAMETERS:
            raise Invalid(f"{name[:64]}: unknown parameter, allowed are {', '.join(PARAMETERS)}")
        if name == "f":
            filters.append(_filter(value))
        elif name in SHORT_FORMS:
            filters.append(Filter(name, "is", _text(name, value, PATH_MAX) or ""))
        elif name in values:
            raise Invalid(f"{name}: given twice")
        else:
            values[name] = value
    if len(filters) > FILTERS_MAX:
        raise Invalid(f"f: at most {FILTERS_MAX} filters")
    return values, tuple(dict.fromkeys(filters))


# A value may hold colons (`name:is:Start:level`), and so may a property's key.
_FILTER = re.compile(rf"(.+?):({'|'.join(OPERATORS)})(?::(.*))?", re.DOTALL)

_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")


def _filter(text: str) -> Filter:
    match = _FILTER.fullmatch(text)
    if match is None:
        raise Invalid(f"f: expected dimension:operator:value such as org:is:acme, with one of {', '.join(OPERATORS)}")
    dimension, value = match[1], match[3] or ""
    operator = cast("Operator", match[2])
    key = dimension.removeprefix(PROPERTY)
    if key == dimension and dimension not in DIMENSIONS:
        raise Invalid(f"f: unknown dimension {dimension[:64]}, allowed are {', '.join(DIMENSIONS)}, prop.<key>")
    if key != dimension and (not 0 < len(key) <= NAME_MAX or '"' in key or "\\" in key):
        raise Invalid(f"f: a property's key has 1 to {NAME_MAX} characters, no quotation mark and no backslash")
    if (operator == "exists") != (value == ""):
        raise Invalid("f: exists takes no value, every other operator one")
    if operator in {"gt", "lt"} and key == dimension:
        raise Invalid(f"f: {operator} compares numbers, only prop.<key> holds them")
    if operator in {"gt", "lt"} and not (_NUMBER.fullmatch(value) and math.isfinite(float(value))):
        raise Invalid(f"f: {operator} needs a number")
    return Filter(dimension, operator, _text("f", value, PATH_MAX) or "")


def _span(values: dict[str, str], timezone: str, now: int) -> tuple[Span, str | None]:
    today = datetime.fromtimestamp(now / 1000, UTC).astimezone(ZoneInfo(timezone)).date()
    if "from" in values or "to" in values:
        if "range" in values:
            raise Invalid("range: give either range, or from and to")
        if "from" not in values or "to" not in values:
            raise Invalid("from, to: give both, as dates such as 2026-11-20")
        first, last = _date("from", values["from"]), _date("to", values["to"])
        if first > last:
            raise Invalid("from: must not lie after to")
        return Span(first, last, timezone), None
    preset = _one_of("range", values.get("range", "28d"), RANGES)
    calendar = {
        "today": today,
        "12mo": today.replace(year=today.year - (today.month < 12), month=today.month % 12 + 1, day=1),
        "mtd": today.replace(day=1),
        "ytd": today.replace(month=1, day=1),
    }
    first = calendar.get(preset) or today - timedelta(days=int(preset.removesuffix("d")) - 1)
    return Span(first, today, timezone), preset


def _date(name: str, text: str) -> date:
    try:
        day = datetime.strptime(text, "%Y-%m-%d").date()
    except ValueError:
        raise Invalid(f"{name}: expected a date such as 2026-11-20") from None
    if not FIRST_DATE <= day <= LAST_DATE:
        raise Invalid(f"{name}: must lie between {FIRST_DATE} and {LAST_DATE}")
    return day


def _one_of(name: str, value: str, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise Invalid(f"{name}: expected one of {', '.join(allowed)}")
    return value


def _text(name: str, value: str | None, limit: int) -> str | None:
    if value is not None and len(value) > limit:
        raise Invalid(f"{name}: at most {limit} characters")
    return value


def _limit(value: str | None) -> int:
    if value is None:
        return LIMIT_DEFAULT
    if re.fullmatch("[0-9]{1,4}", value) is None or not 1 <= int(value) <= LIMIT_MAX:
        raise Invalid(f"limit: expected a number from 1 to {LIMIT_MAX}")
    return int(value)


def _position(value: str | None) -> int | None:
    if value is None:
        return None
    if re.fullmatch("[A-Za-z0-9_-]{11}", value):
        position = int.from_bytes(base64.urlsafe_b64decode(value + "="))
        if position < 2**63:
            return position
    raise Invalid("after: expected the cursor that `next` of the page before holds")


# --- What a filter means in SQL ---

_SQL = {
    "is": "{x} = :{v}",
    "is_not": "{x} = :{v}",  # negated as a whole
    # LIKE ignores case on one engine and not on another; these mean the same everywhere.
    "contains": "replace({x}, :{v}, '') <> {x}",
    "starts_with": "substr({x}, 1, length(:{v})) = :{v}",
    "exists": "{x} IS NOT NULL",
    "gt": "{x} > :{v}",
    "lt": "{x} < :{v}",
}


def conditions(scope: Scope) -> tuple[str, dict[str, Any]]:
    """Project, environment and filters as one SQL condition over the view `events`, and its parameters.

    Filters on the same dimension with the same operator are alternatives (`is_not`: none of them),
    otherwise all must hold; `is_not` also matches events without the dimension. A person is the user
    id, or the anonymous id of an event that has none. The span is left to the caller.
    """
    sql = ["project = :project"]
    parameters: dict[str, Any] = {"project": scope.project}
    if scope.environment:
        sql.append("environment = :environment")
        parameters["environment"] = scope.environment
    groups: dict[tuple[str, Operator], str] = {}
    for number, item in enumerate(scope.filters):
        numeric = item.operator in {"gt", "lt"}
        x = f'"{item.dimension}"'
        if item.dimension == "user":
            x = 'coalesce("user", anonymous)'
        elif item.dimension.startswith(PROPERTY):
            x = f"prop_number(:k{number})" if numeric else f"prop(:k{number})"
            parameters[f"k{number}"] = item.dimension.removeprefix(PROPERTY)
        if item.operator != "exists":
            parameters[f"v{number}"] = float(item.value) if numeric else item.value
        test = _SQL[item.operator].format(x=x, v=f"v{number}")
        if item.operator == "is_not":
            test = f"coalesce({test}, false)"
        group = (item.dimension, item.operator)
        groups[group] = f"{groups[group]} OR {test}" if group in groups else test
    sql += [f"NOT ({test})" if operator == "is_not" else f"({test})" for (_, operator), test in groups.items()]
    return " AND ".join(sql), parameters


# --- What is answered ---


class Column(msgspec.Struct, frozen=True):
    """A column of a table. In rows, a `time` is in milliseconds, `json` is text, null is None."""

    key: str
    label: str
    type: Literal["text", "number", "time", "json", "tag", "code"] = "text"  # tag: of a few words; code: a path or id
    place: Literal["always", "wide", "opened"] = "always"  # on the page: leaves narrow ones, or waits in the opened row
    otherwise: str | None = None  # key of the column that the page shows where this one is null


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """Rows under columns; the first column of type text names a row."""

    key: str  # a stable name: other programs rely on it
    title: str
    columns: tuple[Column, ...]
    rows: list[list[Any]]
    total: int | None = None  # rows there are in all, where that is known
    next: int | None = None  # the position after which the next page begins


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """An answer; the first block is the main one."""

    blocks: tuple[Table, ...]
