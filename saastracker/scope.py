"""What a report is asked: a project, a span of days, a comparison, filters and the report's own parameters."""

import base64
import math
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal, TypeAlias, cast, get_args
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


class Parameter(msgspec.Struct, frozen=True, kw_only=True):
    """A question that only one report asks, by a query parameter of its own."""

    name: str
    label: str
    choices: Mapping[str, str] = {}  # value → label; empty: any text
    default: str = ""
    most: int = 1  # how many values it takes: given that often, or with commas between
    opening: str = ""  # what the page asks where the query names none of the report's own
    chip: bool = False  # asked by links only: the page shows it as it shows filters


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """What a report is asked about, parsed once from the query string."""

    project: str  # id
    span: Span
    today: date = LAST_DATE  # in the span's time zone; periods that begin later have no numbers yet
    range: str | None = None  # the preset that gave the span; None: two dates did
    span_given: bool = False  # whether the query names a span; a report by arrival limits times only then
    compare: Compare = "previous"
    environment: str | None = None  # None: all
    everywhere: bool = False  # whether all are asked for by name, where pages begin in one
    filters: tuple[Filter, ...] = ()
    limit: int = LIMIT_DEFAULT
    after: int | None = None  # the position a `cursor` holds
    parameters: Mapping[str, str] = {}  # the report's own, each with a value; several with commas between
    declared: tuple[Parameter, ...] = ()

    @classmethod
    def parse(
        cls, query: str, *, project: str, timezone: str, now: int, declared: tuple[Parameter, ...] = ()
    ) -> "Scope":
        """The scope that a query string asks for, in the project's time zone; `declared` are the report's own.

        Raises Invalid that names an unknown parameter or wrong value, and what is allowed. An empty
        value counts as absent: that is how a form sends a field left blank.
        """
        values, filters, parameters = _read(query, declared)
        today = datetime.fromtimestamp(now / 1000, UTC).astimezone(ZoneInfo(timezone)).date()
        span, preset = _span(values, timezone, today)
        return cls(
            project=project,
            span=span,
            today=today,
            range=preset,
            span_given=bool(values.keys() & {"from", "to", "range"}),
            compare=cast("Compare", _one_of("compare", values.get("compare", "previous"), COMPARES)),
            environment=_text("environment", values.get("environment"), ENVIRONMENT_MAX),
            everywhere="environment" not in values and ("environment", "") in parse_qsl(query, keep_blank_values=True),
            filters=filters,
            limit=_limit(values.get("limit")),
            after=_position(values.get("after")),
            parameters=parameters,
            declared=declared,
        )

    @property
    def compared(self) -> Span | None:
        """The span to compare with: as many days directly before, or the same dates a year earlier."""
        first, last = self.span.first, self.span.last
        if self.compare == "none":
            return None
        if self.compare == "year":
            return Span(_year_before(first), _year_before(last), self.span.timezone)
        day_before = first - timedelta(days=1)
        return Span(day_before - (last - first), day_before, self.span.timezone)

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
        elif self.everywhere:
            pairs.append(("environment", ""))
        for item in self.filters:
            short = item.operator == "is" and item.dimension in SHORT_FORMS
            pairs.append((item.dimension, item.value) if short else ("f", str(item)))
        if self.limit != LIMIT_DEFAULT:
            pairs.append(("limit", str(self.limit)))
        if self.after is not None:
            pairs.append(("after", cursor(self.after)))
        for own in self.declared:
            if self.parameters[own.name] != own.default:
                pairs.append((own.name, self.parameters[own.name]))
        return urlencode(pairs)


def cursor(position: int) -> str:
    """The opaque text for `after` that continues a list behind `position` (0 to 2**63 - 1)."""
    return base64.urlsafe_b64encode(position.to_bytes(8)).rstrip(b"=").decode()


def _year_before(day: date) -> date:
    return day.replace(year=day.year - 1, day=28 if (day.month, day.day) == (2, 29) else day.day)


def _read(query: str, declared: tuple[Parameter, ...]) -> tuple[dict[str, str], tuple[Filter, ...], dict[str, str]]:
    """The single values of a query string by name, its filters, and the report's own parameters."""
    if "\0" in query or "%00" in query:
        raise Invalid("The query string may not hold a NUL character.")
    try:
        pairs = parse_qsl(query, max_num_fields=100)
    except ValueError:
        raise Invalid("The query string has more than 100 parameters.") from None
    values: dict[str, str] = {}
    filters: list[Filter] = []
    own: dict[str, list[str]] = {item.name: [] for item in declared}
    for name, value in pairs:
        if name in own:
            own[name].append(value)
            continue
        if name not in PARAMETERS:
            raise Invalid(f"{name[:64]}: unknown parameter, allowed are {', '.join((*own, *PARAMETERS))}")
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
    return values, tuple(dict.fromkeys(filters)), {item.name: _own(item, own[item.name]) for item in declared}


def _own(parameter: Parameter, given: list[str]) -> str:
    """The value of a report's own parameter, else its default."""
    name = parameter.name
    text = _text(name, ",".join(given), PATH_MAX)
    if not text:
        return parameter.default
    values = text.split(",") if parameter.most > 1 else given
    if len(values) > parameter.most or "" in values:
        raise Invalid(f"{name}: expected {parameter.most} at most, none of them empty")
    if parameter.choices:
        for value in values:
            _one_of(name, value, tuple(parameter.choices))
    return text


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


def _span(values: dict[str, str], timezone: str, today: date) -> tuple[Span, str | None]:
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
