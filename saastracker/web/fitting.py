"""Which columns a table has on the page, which takes the room that is left, and when those that may leave do."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from saastracker.report import Column, Table
from saastracker.web.numbers import exact

FILL_MIN = 224  # pixels the filling column keeps where there is room for columns that may leave
SENTENCE = 40  # characters; longer texts need the room more than a row's name does
_FOLDS = range(640, 1441, 80)  # widths of panels, as style.css has them
_CHARACTER, _PADDING = 7.5, 24
_TEXT_MAX, _ID_MAX = 320, 144  # pixels, as style.css has them
_SPARK_MIN = 720  # pixels of a panel
_TIME = len("30 Sep 2024")


class Fit(NamedTuple):
    """How a table shares its width."""

    fill: str  # key of the column that takes what the others leave
    folds: Mapping[str, str]  # classes of columns that may leave: the width of a panel below which each does


class Shown(NamedTuple):
    """The columns of a table's rows, and the one that names a row."""

    columns: list[Column]
    title: Column


def shown(table: Table, live: bool) -> Shown:
    """Without columns that no row has a value for; rows that are `live` may still bring one."""
    columns = [column for column in table.columns if column.place not in {"opened", "never"}]
    if table.rows and not live:
        keys = [column.key for column in table.columns]
        known = {key for place, key in enumerate(keys) if any(row[place] is not None for row in table.rows)}
        columns = [
            column
            for place, column in enumerate(columns)
            if place == 0 or column.place == "asked" or {column.key, column.otherwise} & known
        ]
    return Shown(columns, next((column for column in columns if column.type == "text"), columns[0]))


def fit(shown: Sequence[Column], title: Column, rows: Sequence[dict[str, Any]]) -> Fit:
    """By the longest cells of the columns `shown`; `rows` hold values by the columns' keys."""
    texts = {column.key: _longest(column, rows) for column in shown if column.type == "text"}
    longest = max(texts, key=lambda key: texts[key], default=title.key)
    ranked = any(column.look == "rank" for column in shown)
    fill = title.key if ranked or texts.get(longest, 0) <= SENTENCE else longest
    widths = {column.key: _width(column, rows, first=place == 0) for place, column in enumerate(shown)}
    widths[fill] = FILL_MIN
    needed = sum(widths[column.key] for column in shown if column.place != "wide")
    folds = {column.key: f"fold-{_SPARK_MIN}" for column in shown if column.type == "spark"}
    for column in shown:
        if column.place == "wide":
            needed += widths[column.key]
            folds[column.key] = f"fold-{next((width for width in _FOLDS if width >= needed), _FOLDS[-1])}"
    return Fit(fill, folds)


def _longest(column: Column, rows: Sequence[dict[str, Any]]) -> int:
    return max((len(_text(column, row)) for row in rows), default=0)


def _text(column: Column, row: dict[str, Any]) -> str:
    value = row[column.called] if column.called and row[column.called] else row[column.key]
    if value is None and column.otherwise:
        value = row[column.otherwise]
    if column.type != "number":
        return str(value or "")
    return exact(value, column.units[1][row[column.units[0]]] if column.units else column.unit)


def _width(column: Column, rows: Sequence[dict[str, Any]], *, first: bool) -> float:
    label = len(column.label) * _CHARACTER
    if column.drawn:
        return 88 + _PADDING
    if column.look == "ratio":
        return 152 + _PADDING
    if column.type in {"time", "date"}:
        return max(label, _TIME * _CHARACTER) + _PADDING
    most = _ID_MAX if first and column.type == "code" else _TEXT_MAX
    mark = 16 if column.type == "tag" or column.look == "change" else 0
    return max(label, min(_longest(column, rows) * _CHARACTER + mark, most)) + _PADDING
