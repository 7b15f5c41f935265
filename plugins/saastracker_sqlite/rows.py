"""SQL of the shared subset on a connection to SQLite."""

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any

from saastracker.sql import Dialect
from saastracker_sqlite import bulk

_PATH = "'$.' || json_quote(:{key})"  # with what JSON escapes in keys
_KEYS = {
    "prop_key": f"properties -> ({_PATH})",
    "prop_of": """CASE json_type({0}) WHEN 'true' THEN 'true' WHEN 'false' THEN 'false'
        ELSE CAST(json_extract({0}, '$') AS TEXT) END""",
}
# json_extract makes 1 of true; what it makes of lists and objects is JSON.
DIALECT = Dialect(
    numbers="(SELECT value FROM json_each({}))",
    texts="(SELECT value FROM json_each({}))",
    prop=f"""CASE json_type(properties, {_PATH}) WHEN 'true' THEN 'true' WHEN 'false' THEN 'false'
        ELSE CAST(json_extract(properties, {_PATH}) AS TEXT) END""",
    prop_number=f"""CASE WHEN json_type(properties, {_PATH}) IN ('integer', 'real')
        THEN json_extract(properties, {_PATH}) END""",
    **(_KEYS if sqlite3.sqlite_version_info >= (3, 38) else {}),
    # Else properties are sorted whole to be grouped by one of them, and that is looked up again.
    apart="LIMIT -1",
)


class SqliteRows:
    """Implements `sql.Rows`."""

    dialect = DIALECT

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def execute(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        return self._connection.execute(sql, values).fetchall()

    def each(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        self._connection.executemany(sql, rows)

    def bulk(self, sql: str, row: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        return bulk.select(self._connection, sql, row, values)
