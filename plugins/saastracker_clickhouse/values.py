"""Values of queries: the shared subset of SQL as ClickHouse reads it."""

import re
from collections.abc import Mapping
from typing import Any

from clickhouse_connect.driver.binding import format_query_value

from saastracker.sql import Dialect, expand

_TYPE = "JSONType(properties, :{key})"
# A number with a fraction is written with one, as other engines do: 5.0, not 5.
_FRACTION = "replaceRegexpOne(JSONExtractRaw(properties, :{key}), '^(-?[0-9]+)$', '\\\\1.0')"
DIALECT = Dialect(
    numbers="JSONExtract({}, 'Array(Int64)')",
    texts="JSONExtract({}, 'Array(String)')",
    prop=f"""multiIf({_TYPE} = 'String', JSONExtractString(properties, :{{key}}), {_TYPE} = 'Null', NULL,
        {_TYPE} = 'Double', {_FRACTION}, JSONExtractRaw(properties, :{{key}}))""",
    prop_number=f"""if({_TYPE} IN ('Int64', 'UInt64', 'Double'), JSONExtractFloat(properties, :{{key}}), NULL)""",
)

# A text in quotes, or a parameter.
_PARAMETER = re.compile(r"'(?:[^']|'')*'|:(\w+)")
_WHOLE = re.compile(r"/(?=\s*\d+\b(?!\.))")
_SUM = re.compile(r"\bSUM\(", re.IGNORECASE)
_EVENTS = re.compile(r"\b(FROM|JOIN)\s+events\b", re.IGNORECASE)


def of_events(sql: str) -> bool:
    """Whether a query reads events, not what the other database has."""
    return bool(_EVENTS.search(sql))


def translate(sql: str, parameters: Mapping[str, Any], events: str) -> str:
    """A query over `events`, which is the subquery `events`, with its parameters as literals.

    Division by a whole number is one of whole numbers; sums of fractions are rounded once, in whatever order.
    """
    sql = _WHOLE.sub(" DIV ", expand(sql, parameters, DIALECT))
    sql = _SUM.sub("sumKahan(", sql)
    sql = _PARAMETER.sub(lambda found: literal(parameters[found[1]]) if found[1] else found[0], sql)
    return _EVENTS.sub(lambda found: f"{found[1]} ({events}) AS events", sql)


def literal(value: Any) -> str:
    """A value as SQL."""
    if isinstance(value, bytes):
        return f"unhex('{value.hex()}')"
    if isinstance(value, int | float) and value < 0:
        return f"({value!r})"
    return str(format_query_value(value))
