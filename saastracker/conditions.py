"""What a scope's filters and local dates mean in SQL."""

from bisect import bisect_left
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from saastracker.scope import PROPERTY, Operator, Scope, Span

HOUR_MS, DAY_MS = 3_600_000, 86_400_000

ORGANIZATION = "organization()"  # the one that an event counts for; `org` is what it was sent with

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
        elif item.dimension == "org":
            x = ORGANIZATION
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


class Stretch(NamedTuple):
    """A part of a span in which clocks do not change; all in ms."""

    start: int
    end: int  # the first moment after it
    offset: int  # of the local clock from UTC


def stretches(span: Span) -> list[Stretch]:
    """A span cut where its clocks change."""
    zone = ZoneInfo(span.timezone)

    def offset(time: int) -> int:
        shift = datetime.fromtimestamp(time / 1000, UTC).astimezone(zone).utcoffset() or timedelta()
        return shift // timedelta(milliseconds=1)

    found: list[Stretch] = []
    start, current = span.start, offset(span.start)
    for day in range(span.start, span.end, DAY_MS):
        after = offset(day + DAY_MS)
        if after != current:
            seconds = range(day // 1000 + 1, (day + DAY_MS) // 1000 + 1)
            change = seconds[bisect_left(seconds, True, key=lambda second: offset(second * 1000) == after)] * 1000
            if change >= span.end:
                break
            found.append(Stretch(start, change, current))
            start, current = change, after
    return [*found, Stretch(start, span.end, current)]


def local_time(span: Span) -> tuple[str, dict[str, int]]:
    """The local clock of an event of the span in ms since its 1970, as SQL, and its parameters.

    Divided by DAY_MS it is the local date in days since 1970. SQL that all stores share knows no time
    zones, so the changes of the clock are written out.
    """
    *before, last = stretches(span)
    if not before:
        return '("time" + :offset)', {"offset": last.offset}
    parameters = {"offset": last.offset}
    cases = ""
    for number, part in enumerate(before):
        cases += f' WHEN "time" < :until{number} THEN :offset{number}'
        parameters |= {f"until{number}": part.end, f"offset{number}": part.offset}
    return f'("time" + CASE{cases} ELSE :offset END)', parameters
