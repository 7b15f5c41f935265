"""Links from a report's page: to itself with something changed, to its twins, to other reports."""

import re
from calendar import monthrange
from collections.abc import Callable, Container, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, quote_plus

import msgspec

from saastracker.event import PATH_MAX, TYPES
from saastracker.report import Column
from saastracker.scope import (
    DIMENSIONS,
    FILTERS_MAX,
    LIMIT_DEFAULT,
    OPERATORS,
    RANGES,
    SHORT_FORMS,
    Filter,
    Parameter,
    Scope,
)
from saastracker.web.arranging import Arrangement
from saastracker.web.formats import days
from saastracker.web.items import faceless, stepless

RANGE_LABELS = dict(
    zip(
        RANGES,
        ("Today", "Last 7 days", "Last 28 days", "Last 30 days", "Last 90 days", "Last 12 months", "Month to date",
         "Year to date"),
        strict=True,
    )
)  # fmt: skip
# A column's key; after a word and a space its period, as what asks for that: the dates of the span in it, or the hour.
_PLACE = re.compile(r"\{(?:(hour|day|week|month) )?([^{}]+)\}")


_VALUE, _QUOTED = "\0", "%00"  # stands for what rows put into an address; no query string that is taken holds it


def _nowhere(_: Any) -> None:
    return None


class Links(msgspec.Struct, frozen=True):
    """The addresses a page offers."""

    address: str  # of the page itself
    project: str  # slug
    scope: Scope
    arrangement: Arrangement
    twins: bool = True  # whether the page can be had as JSON and CSV, and sorted
    leads: bool = True  # whether it leads to other pages
    live: Container[str] = ()  # slugs of reports by arrival, which know no span unless it is given
    begin: str = ""  # the environment that pages begin in unless they name one

    def changed(self, **changes: Any) -> str:
        """The page with another scope, from the first row on."""
        if self.begin and changes.get("environment", "") is None:
            changes["everywhere"] = True
        return _query(msgspec.structs.replace(self.scope, **{"after": None, **changes}), self.arrangement)

    def without(self, item: Filter) -> str:
        return self.changed(filters=tuple(one for one in self.scope.filters if one != item))

    def with_parameter(self, parameter: Parameter, value: str) -> str:
        return self.changed(parameters={**self.scope.parameters, parameter.name: value})

    def page(self, position: int, block: str | None = None) -> str:
        """The page of a table that begins after `position`."""
        same = block is None or block == self.arrangement.block
        arrangement = self.arrangement if same else Arrangement(block)
        return _query(msgspec.structs.replace(self.scope, after=position), arrangement)

    def first_page(self, block: str) -> str:
        return _query(msgspec.structs.replace(self.scope, after=None), Arrangement(block))

    def sorted_by(self, column: Column, block: str) -> str:
        return _query(msgspec.structs.replace(self.scope, after=None), self.arrangement.sorted_by(column, block))

    def twin(self, face: str, block: str | None = None) -> str:
        arrangement = self.arrangement if block in {None, self.arrangement.block} else Arrangement(block)
        return f"{self.address}.{face}{_query(self.scope, arrangement)}"

    def to(self, link: str, values: Mapping[str, Any]) -> str | None:
        """Where a `Column.link` leads from a row, in the same scope; None where the row lacks a value, or nowhere."""
        return self.row_link(link)(values)

    def row_link(self, link: str) -> Callable[[Mapping[str, Any]], str | None]:
        """`to` for the many rows of a column: what they share is made once."""
        if not link or not self.leads:
            return _nowhere
        places = _PLACE.findall(link)  # pairs of a period, mostly none, and a column's key
        own = link.startswith("/")  # elsewhere on the server, where no scope is known
        prefix, to_live = "" if own else f"/p/{self.project}/", link.partition("?")[0] in self.live
        dated = "?from=" in link or any(period in {"day", "week", "month"} for period, _ in places)
        kept = "" if own else self._kept((), to_live, dated)

        def address(values: Mapping[str, Any]) -> str | None:
            found = [values.get(name) for _, name in places]
            if any(each is None or _is_long(each) for each in found):
                return None
            path, _, query = _PLACE.sub(lambda match: self._filled(match[1], values[match[2]]), link).partition("?")
            rest = self._kept(parse_qsl(query), to_live, dated) if self.scope.filters and not own else kept
            path = stepless(path)
            joined = "&".join(part for part in (query, rest) if part)
            return f"{prefix}{path}{'?' if joined else ''}{joined}"

        return address

    def _filled(self, period: str | None, value: Any) -> str:
        if period is None:
            return faceless(str(value))
        if period == "hour":
            return f"hour={faceless(datetime.fromtimestamp(value / 1000, UTC).strftime('%Y-%m-%dT%H:%MZ'))}"
        first, last = value, value
        if period == "week":
            last = value + timedelta(days=6)
        elif period == "month":
            last = value.replace(day=monthrange(value.year, value.month)[1])
        return f"from={max(first, self.scope.span.first)}&to={min(last, self.scope.span.last)}"

    def _kept(self, given: Sequence[tuple[str, str]], to_live: bool, dated: bool) -> str:
        """What a link to another report keeps of the scope, beside the conditions and dates that it sets itself."""
        return msgspec.structs.replace(
            self.scope,
            after=None,
            limit=LIMIT_DEFAULT,
            declared=(),
            parameters={},
            span_given=not dated and (self.scope.span_given or (to_live and not self._is_live)),
            filters=_beside(given, self.scope.filters),
        ).query

    def filtered(self, dimension: str, value: Any) -> str | None:
        """The page with only what has this value of a `Column.dimension`; None where it shows no other, or may not."""
        return self.row_filter(dimension)(value)

    def row_filter(self, dimension: str) -> Callable[[Any], str | None]:
        """`filtered` for the many rows of a column: what they share is made once."""
        own = Filter(dimension, "is", _VALUE)
        others = _beside([("f", str(own))], self.scope.filters)
        if not dimension or not self.leads or len(others) >= FILTERS_MAX:
            return _nowhere
        if dimension == "environment":
            begin, end = self.changed(environment=_VALUE).split(_QUOTED)
            given = {self.scope.environment} - {None}
        else:
            begin, end = self.changed(filters=(*others, own)).split(_QUOTED)
            given = {item.value for item in self.scope.filters if (item.dimension, item.operator) == (dimension, "is")}

        def address(value: Any) -> str | None:
            if value in {None, ""} or str(value) in given or (given and dimension == "environment"):
                return None
            if _is_long(value):
                return None
            return f"{begin}{quote_plus(str(value))}{end}"

        return address

    @property
    def _is_live(self) -> bool:
        return self.address.removeprefix(f"/p/{self.project}/") in self.live


def scope_bar(scope: Scope, arrangement: Arrangement, environments: Sequence[str]) -> dict[str, Any]:
    """What the scope bar shows, and the fields that its forms carry along."""
    first = msgspec.structs.replace(scope, after=None)
    simple = {item.dimension: item for item in scope.filters if item.operator == "is" and item.dimension in SHORT_FORMS}
    others = tuple(item for item in scope.filters if item not in simple.values())
    carried = parse_qsl(arrangement.query)
    own = {parameter.name for parameter in scope.declared}
    length = (scope.span.last - scope.span.first).days + 1
    return {
        "ranges": RANGE_LABELS,
        "types": TYPES,
        "dimensions": DIMENSIONS,
        "operators": OPERATORS,
        "environments": environments,
        "compares": {
            "previous": f"Previous {length} days" if length > 1 else "The day before",
            "year": "Same days last year",
            "none": "No comparison",
        },
        "span_fields": _fields(msgspec.structs.replace(first, span_given=False)) + carried,
        "filter_fields": _fields(msgspec.structs.replace(first, environment=None, filters=others)) + carried,
        "parameter_fields": [pair for pair in _fields(first) if pair[0] not in own] + carried,
        "search_fields": _fields(first),
        "simple": {name: simple[name].value if name in simple else "" for name in SHORT_FORMS},
    }


def _fields(scope: Scope) -> list[tuple[str, str]]:
    return parse_qsl(scope.query, keep_blank_values=True)


def told(scope: Scope, live: bool) -> list[str]:
    """A scope in words: the span, then what else limits or shapes the report. `live` is a report by arrival."""
    preset = RANGE_LABELS[scope.range] if scope.range else days(scope.span.first, scope.span.last, 0)
    span = "Any time" if live and not scope.span_given else preset
    asked = ((one, scope.parameters[one.name]) for one in scope.declared)
    return [
        span,
        *({"previous": (), "year": ("compared with last year",), "none": ("not compared",)}[scope.compare]),
        *([f"environment is {scope.environment}"] if scope.environment else []),
        *(" ".join((item.dimension, item.operator.replace("_", " "), item.value)).strip() for item in scope.filters),
        *(f"{one.label}: {one.choices.get(value, value)}" for one, value in asked if value),
    ]


def _beside(given: Sequence[tuple[str, str]], filters: Sequence[Filter]) -> tuple[Filter, ...]:
    """The filters that a link keeps: of a condition that it sets itself another value would be one more to choose."""

    def replaced(item: Filter) -> bool:
        start = f"{item.dimension}:{item.operator}:"
        return any(
            (name == "f" and value.startswith(start)) or (name == item.dimension and item.operator == "is")
            for name, value in given
        )

    return tuple(item for item in filters if not replaced(item))


def _is_long(value: Any) -> bool:
    """Whether an address with a value would be refused."""
    return isinstance(value, str) and len(value) > PATH_MAX


def _query(scope: Scope, arrangement: Arrangement) -> str:
    return "?" + "&".join(part for part in (scope.query, arrangement.query) if part)
