"""SQL of the shared subset on a connection to PostgreSQL."""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

import psycopg

from saastracker.sql import Dialect, readable
from saastracker_postgres.database import fetch

ROWS_MAX = 500  # per statement
TEXTS_KEPT = 512  # of statements

DIALECT = Dialect(
    numbers="(SELECT v::bigint FROM json_array_elements_text({}::json) v)",
    texts="(SELECT v FROM json_array_elements_text({}::json) v)",
    prop='property(properties, :{key}) COLLATE "C"',
    prop_number="""CASE json_typeof(readable(properties) -> :{key}) WHEN 'number'
        THEN number_of(readable(properties) ->> :{key}) END""",
)

_ORDERED = re.compile(r"\bCROSS JOIN(?=\s+\w+\s+\w+\s+ON\b)")
# What is not to be changed within SQL comes first: quoted text, casts.
_NAMED = re.compile(r"""('[^']*'|"[^"]*"|::)|(%)|\b(LIKE)\b|:([A-Za-z_]\w*)""")
_PLACED = re.compile(r"""('[^']*'|"[^"]*")|(%)|(\?)""")


@lru_cache(TEXTS_KEPT)
def named(sql: str) -> str:
    """SQL with values as `:name` in the form that psycopg takes."""

    def replaced(found: re.Match[str]) -> str:
        kept, percent, like, name = found.groups()
        if kept:
            return kept.replace("%", "%%")
        # SQLite's LIKE takes upper and lower case for the same.
        return "%%" if percent else "ILIKE" if like else f"%({name})s"

    return _NAMED.sub(replaced, _ORDERED.sub("JOIN", sql))


@lru_cache(TEXTS_KEPT)
def placed(sql: str) -> str:
    """SQL with values as `?` in that form."""

    def replaced(found: re.Match[str]) -> str:
        quoted, percent, _ = found.groups()
        return quoted.replace("%", "%%") if quoted else "%%" if percent else "%s"

    return _PLACED.sub(replaced, _ORDERED.sub("JOIN", sql))


def clean(value: Any) -> Any:
    """A value that PostgreSQL takes: its texts hold no character 0."""
    return readable(value) if isinstance(value, str) else value


class PostgresRows:
    """Implements `sql_index.Rows`."""

    dialect = DIALECT

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection

    def execute(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        return fetch(self._connection, placed(sql), [clean(value) for value in values])

    def each(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        with psycopg.Cursor(self._connection) as cursor:  # prepares the statement, and sends all rows at once
            cursor.executemany(placed(sql), rows)

    def bulk(self, sql: str, row: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = []
        width = row.count("?")
        for start in range(0, len(values), ROWS_MAX * width):
            chunk = values[start : start + ROWS_MAX * width]
            found += self.execute(sql.format(", ".join([row] * (len(chunk) // width))), chunk)
        return found
