"""Blocks of reports as mail programs show them: as text, and as HTML without style sheet, script or picture."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

from saastracker.report import (
    Block,
    Column,
    Figure,
    Figures,
    Flow,
    Grid,
    Note,
    Series,
    Steps,
    Table,
)
from saastracker.web.formats import day
from saastracker.web.linking import Links
from saastracker.web.numbers import change, difference, exact, short
from saastracker.web.rendering import render

ROWS = 5  # of a table
NUMBERS = 3  # columns beside a row's name
NAME_MAX = 32  # characters; beside longer names phones have no room for columns
POINTS = 31  # bars of a series; more would be too thin
TEXT_MAX = 120  # characters of a cell
_ARROWS = {"up": "\N{UPWARDS ARROW}", "down": "\N{DOWNWARDS ARROW}", "same": ""}


class Part(NamedTuple):
    """A block with its heading, and where it leads."""

    block: Block
    heading: str
    links: Links
    public_url: str

    @property
    def page(self) -> str:
        """The report itself."""
        return f"{self.public_url}{self.links.address}{self.links.changed()}"

    def to(self, link: str, values: Mapping[str, Any]) -> str:
        """Where a `Column.link` leads; empty if nowhere."""
        found = self.links.to(link, values)
        return f"{self.public_url}{found}" if found else ""


class Moved(NamedTuple):
    """A change as it is told."""

    text: str  # "↑ 12.5%"
    good: bool | None  # None: neither


class Bar(NamedTuple):
    """One period of a series."""

    label: str
    value: str
    share: float  # of the largest


class Row(NamedTuple):
    """A row of a table: its name, what is told of it in words, and its numbers."""

    name: str
    link: str
    words: str
    numbers: list[tuple[str, Moved | None]]
    share: float | None  # of the largest, where the table ranks


def says_something(block: Block) -> bool:
    """Whether there is anything to tell: a number other than zero, now or before, or a row."""
    match block:
        case Figures(figures=figures):
            return any(figure.value or figure.previous for figure in figures)
        case Series(measures=measures, points=points):
            return any(point.values.get(measures[0].key) for point in points) if measures else False
        case Table(rows=rows) | Steps(rows=rows):
            return bool(rows)
        case Grid(values=values):
            return any(value for row in values for value in row)
        case Flow(links=links):
            return bool(links)
        case Note():
            return False


# --- HTML ---


def html_face(part: Part) -> str:
    """A fragment of trusted parts."""
    block = part.block
    values: dict[str, Any] = {"part": part, "kind": type(block).__name__.lower()}
    match block:
        case Figures(figures=figures):
            told = [figure for figure in figures if figure.value or figure.previous]
            values["figures"] = [(figure, moved(figure), part.to(figure.link, {})) for figure in told]
        case Series() if len(block.points) <= POINTS:
            values["bars"] = bars(block)
        case Table() | Steps():
            values["columns"], values["rows"], values["more"] = _table(part, block)
    return render("mail_block.html", **values)


def moved(figure: Figure) -> Moved | None:
    """Its change against the week before."""
    found = change(figure.value, figure.previous, figure.unit)
    if found is None:
        return None
    if found.direction == "same":
        return Moved("no change", None)
    return Moved(f"{_ARROWS[found.direction]} {found.text}", figure.good and figure.good == found.direction)


def bars(series: Series) -> list[Bar]:
    """The first measure, a bar for each period."""
    measure = series.measures[0]
    values = [point.values.get(measure.key) or 0 for point in series.points]
    largest = max(values, default=0) or 1
    return [
        Bar(_period(point.at, series), short(value, measure.unit), max(value, 0) / largest)
        for point, value in zip(series.points, values, strict=True)
    ]


def _period(at: date | int, series: Series) -> str:
    if isinstance(at, int):
        return f"{datetime.fromtimestamp(at / 1000, UTC):%H}"
    if series.interval == "day" and len(series.points) == 7:
        return f"{at:%a}"
    return f"{at:%b}" if series.interval == "month" else str(at.day)


# --- Tables ---


def _table(part: Part, block: Table | Steps) -> tuple[list[Column], list[Row], int]:
    """The columns of numbers, the first rows, and how many there are beside."""
    shown = [column for column in block.columns if column.stays and not column.drawn]
    title = next((column for column in shown if column.type in {"text", "code"}), shown[0])
    numbers = [column for column in shown if column.type == "number"][:NUMBERS]
    words = [column for column in shown if column is not title and column.type in {"text", "tag", "date", "code"}]
    keys = [column.key for column in block.columns]
    records = [dict(zip(keys, row, strict=True)) for row in block.rows]
    ranked = next((column.key for column in numbers if column.look == "rank"), None)
    largest = max((record[ranked] or 0 for record in records), default=0) if ranked else 0
    total = block.total if isinstance(block, Table) and block.total is not None else len(records)
    records = records[:ROWS]
    if any(len(_text(record, title)) > NAME_MAX for record in records):
        words, numbers = words + numbers, []
    rows = [
        Row(
            name=_text(record, title),
            link=part.to(title.link, record),
            words=" · ".join(text.removesuffix(".") for column in words if (text := _text(record, column))),
            numbers=[_number(record[column.key], column) for column in numbers],
            share=(record[ranked] or 0) / largest if ranked and largest else None,
        )
        for record in records
    ]
    return numbers, rows, max(0, total - len(rows))


def _number(value: Any, column: Column) -> tuple[str, Moved | None]:
    if column.look != "change" or value is None:
        return exact(value, column.unit), None
    found = difference(value, column.unit)
    if found.direction == "same":
        return "0", None
    sign = "+" if found.direction == "up" else "\N{MINUS SIGN}"
    return "", Moved(f"{sign}{found.text}", column.good and column.good == found.direction)


def _text(record: Mapping[str, Any], column: Column) -> str:
    value = record[column.key]
    if value is None and column.otherwise is not None:
        value = record[column.otherwise]
    if value is None:
        return ""
    if column.type == "number":
        text, change = _number(value, column)
        return f"{column.label} {text or (change.text if change else '')}"
    if isinstance(value, date):
        return f"{column.label.lower()} {day(value, value.year)}"
    text = str(value)
    if column.type == "tag":
        text = text[:1].upper() + text[1:].replace("_", " ")
    return text if len(text) <= TEXT_MAX else f"{text[: TEXT_MAX - 1]}…"


# --- Text ---


def text_face(parts: Sequence[Part]) -> str:
    """All of them, readable without any markup."""
    return "\n\n".join("\n".join(_lines(part)) for part in parts)


def _lines(part: Part) -> list[str]:
    block = part.block
    head = [f"{part.heading}:"] if part.heading else []
    match block:
        case Figures(figures=figures):
            told = [(figure, moved(figure)) for figure in figures if figure.value or figure.previous]
            return head + [
                f"{figure.label}: {exact(figure.value, figure.unit)}{f' ({change.text})' if change else ''}"
                for figure, change in told
            ]
        case Series() if len(block.points) <= POINTS:
            return [*head, ", ".join(f"{bar.label} {bar.value}" for bar in bars(block))]
        case Table() | Steps():
            columns, rows, more = _table(part, block)
            lines = [_line(row, columns) for row in rows]
            return head + lines + ([f"and {more} more: {part.page}"] if more else [])
        case _:
            return [*head, f"See {part.page}"]


def _line(row: Row, columns: Sequence[Column]) -> str:
    numbers = [
        f"{column.label.lower()} {text or (change.text if change else '')}"
        for column, (text, change) in zip(columns, row.numbers, strict=True)
    ]
    return f"- {row.name}: {', '.join(filter(None, [row.words, *numbers]))}"
