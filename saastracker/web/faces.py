"""A report as JSON and as CSV."""

import csv
import io
from datetime import UTC, datetime
from typing import Any

import msgspec

from saastracker.errors import Invalid
from saastracker.report import Column, Report, Table
from saastracker.scope import Scope, cursor

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")  # what makes a spreadsheet run a cell


def iso(ms: int) -> str:
    """UTC in ISO 8601 with milliseconds."""
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def json_value(value: Any, column: Column) -> Any:
    """A cell as JSON has it: times as text, JSON as itself."""
    if value is None:
        return None
    if column.type == "time":
        return iso(value)
    return msgspec.Raw(value.encode()) if column.type == "json" else value


def json_row(row: list[Any], columns: tuple[Column, ...]) -> dict[str, Any]:
    """A row as an object, for those who follow a table."""
    return {column.key: json_value(value, column) for value, column in zip(row, columns, strict=True)}


def json_report(project: str, slug: str, scope: Scope, report: Report) -> dict[str, Any]:
    """The twin `.json`, without `fresh_until`."""
    return {
        "project": project,
        "report": slug,
        "scope": {
            "from": scope.span.first,
            "to": scope.span.last,
            "compare": scope.compare,
            "environment": scope.environment,
            "filters": [str(item) for item in scope.filters],
        },
        "blocks": [_json_table(table) for table in report.tables],
    }


def _json_table(table: Table) -> dict[str, Any]:
    return {
        "type": "table",
        "key": table.key,
        "columns": [{"key": column.key, "label": column.label, "type": column.type} for column in table.columns],
        "rows": [[json_value(*cell) for cell in zip(row, table.columns, strict=True)] for row in table.rows],
        "total": table.total,
        "next": None if table.next is None else cursor(table.next),
    }


def block(report: Report, key: str | None) -> Table:
    """The block with this key, else the main one. Raises Invalid."""
    if key is None:
        return report.tables[0]
    for table in report.tables:
        if table.key == key:
            return table
    raise Invalid(f"block: expected one of {', '.join(table.key for table in report.tables)}")


def csv_table(table: Table) -> bytes:
    """RFC 4180, UTF-8, the columns' keys first; text that a spreadsheet would run is led by `'`."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([column.key for column in table.columns])
    for row in table.rows:
        writer.writerow([_csv_value(value, column) for value, column in zip(row, table.columns, strict=True)])
    return text.getvalue().encode()


def _csv_value(value: Any, column: Column) -> Any:
    if value is None:
        return ""
    if column.type == "time":
        return iso(value)
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
