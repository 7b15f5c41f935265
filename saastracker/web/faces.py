"""A report as JSON and as CSV."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from typing import Any

import msgspec

from saastracker.report import Block, Column, Figures, Flow, Grid, Note, Point, Report, Series, Steps, Table
from saastracker.scope import Scope, cursor

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")  # what makes a spreadsheet run a cell


def iso(ms: int) -> str:
    """UTC in ISO 8601 with milliseconds."""
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


# --- JSON ---


def json_value(value: Any, column: Column) -> Any:
    """A cell as JSON has it: times and dates as text, JSON as itself."""
    if value is None:
        return None
    if column.type == "time":
        return iso(value)
    return msgspec.Raw(value.encode()) if column.type == "json" else value


def json_row(row: list[Any], columns: tuple[Column, ...]) -> dict[str, Any]:
    """A row as an object, for those who follow a table."""
    return {column.key: json_value(value, column) for column, value in _cells(row, columns)}


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
            **({"parameters": scope.parameters} if scope.declared else {}),
        },
        "blocks": [{"type": type(block).__name__.lower(), "key": block.key, **_json(block)} for block in report.blocks],
    }


def _json(block: Block) -> dict[str, Any]:  # noqa: PLR0911  # one for each kind of block
    match block:
        case Figures(figures=figures):
            keys = ("key", "label", "value", "unit", "previous")
            return {"figures": [{key: getattr(figure, key) for key in keys} for figure in figures]}
        case Series(interval=interval, points=points):
            return {"interval": interval, "points": [{"at": _at(point), "values": point.values} for point in points]}
        case Table():
            more = None if block.next is None else cursor(block.next)
            return {**_json_rows(block), "total": block.total, "next": more}
        case Steps():
            return _json_rows(block)
        case Grid(rows=rows, columns=columns, values=values):
            return {"rows": rows, "columns": columns, "values": values}
        case Flow(nodes=nodes, links=links):
            ways = [{"from": link.source, "to": link.target, "sessions": link.sessions} for link in links]
            return {"nodes": nodes, "links": ways}
        case Note(text=text):
            return {"text": text}


def _json_rows(block: Table | Steps) -> dict[str, Any]:
    columns = [column for column in block.columns if not column.drawn]
    return {
        "columns": [{"key": column.key, "label": column.label, "type": column.type} for column in columns],
        "rows": [[json_value(value, column) for column, value in _cells(row, block.columns)] for row in block.rows],
    }


def _cells(row: list[Any], columns: tuple[Column, ...]) -> Iterable[tuple[Column, Any]]:
    """The cells of a row that leave the page, each with its column."""
    return ((column, value) for column, value in zip(columns, row, strict=True) if not column.drawn)


def _at(point: Point) -> date | str:
    return iso(point.at) if isinstance(point.at, int) else point.at


# --- CSV ---


def csv_block(block: Block) -> bytes:
    """RFC 4180, UTF-8, keys in the first line; text that a spreadsheet would run is led by `'`."""
    text = io.StringIO()
    writer = csv.writer(text)
    for row in _flat(block):
        writer.writerow([_csv_value(value) for value in row])
    return text.getvalue().encode()


def _flat(block: Block) -> Iterable[Sequence[Any]]:
    """A block as lines of cells, the first of them names."""
    match block:
        case Figures(figures=figures):
            yield ("key", "value", "unit", "previous")
            yield from ((figure.key, figure.value, figure.unit, figure.previous) for figure in figures)
        case Series(measures=measures, points=points):
            yield ("at", *(measure.key for measure in measures))
            yield from ((_at(point), *(point.values.get(measure.key) for measure in measures)) for point in points)
        case Table(columns=columns, rows=rows) | Steps(columns=columns, rows=rows):
            yield [column.key for column in columns if not column.drawn]
            for row in rows:
                yield [
                    iso(value) if column.type == "time" and value is not None else value
                    for column, value in _cells(row, columns)
                ]
        case Grid(rows=names, columns=places, values=values):
            yield ("", *places)
            yield from ((name, *row) for name, row in zip(names, values, strict=True))
        case Flow(links=links):
            yield ("from", "to", "sessions")
            yield from ((link.source, link.target, link.sessions) for link in links)
        case Note(text=text):
            yield ("text",)
            yield (text,)


def _csv_value(value: Any) -> Any:
    if value is None:
        return ""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
