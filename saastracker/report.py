"""What a report answers: blocks of numbers and rows that the core draws, and writes as JSON and CSV.

JSON and CSV hold what each class says first; fields under "On the page" change only the drawing.
Shares and rates are fractions of 1, durations seconds, and a ratio without a denominator is None.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Literal, TypeAlias

import msgspec

Number: TypeAlias = float | None
Unit: TypeAlias = Literal["count", "share", "seconds", "milliseconds", "days", "points"]  # points: to one decimal
Welcome: TypeAlias = Literal["up", "down"] | None  # the direction of change that is good news
Interval: TypeAlias = Literal["hour", "day", "week", "month"]


# --- Numbers ---


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One number, and what it was in the comparison span (None: not compared)."""

    key: str  # stable, as all keys: other programs rely on it
    label: str
    value: Number
    unit: Unit = "count"
    previous: Number = None
    # On the page
    good: Welcome = None
    about: str = ""  # its definition in one sentence
    link: str = ""  # to its rows, as `Column.link`


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """Up to five figures in a strip."""

    key: str
    title: str
    figures: tuple[Figure, ...]


# --- Numbers over time ---


class Measure(msgspec.Struct, frozen=True):
    """One line or layer of a series."""

    key: str
    label: str
    unit: Unit = "count"
    # On the page: measures of one unit and group share a drawing, whose heading is the group's name
    group: str = ""


class Point(msgspec.Struct, frozen=True):
    """The values of one period by the measures' keys."""

    at: date | int  # the local date a day, week or month begins; for hours UTC milliseconds
    values: dict[str, Number]


class Series(msgspec.Struct, frozen=True, kw_only=True):
    """Measures over time, one point for every period of the span, oldest first."""

    key: str
    title: str
    interval: Interval
    measures: tuple[Measure, ...]
    points: list[Point]
    # On the page
    previous: list[Point] = []  # the comparison span, aligned by position; drawn for the first measure
    kind: Literal["line", "stacked"] = "line"

    @property
    def holds(self) -> bool:
        """Whether there is anything to draw."""
        keys = {measure.key for measure in self.measures}
        return any(point.values.get(key) is not None for point in self.points for key in keys)


# --- Rows ---


class Column(msgspec.Struct, frozen=True):
    """A column of a table. In rows, a `time` is in milliseconds, a `date` a date, `json` text, null None.

    A `tag` is one of a few words, `code` a path or id. A `spark` holds a list of numbers, oldest
    first, an `action` an Action; both stay on the page.
    """

    key: str
    label: str
    type: Literal["text", "number", "time", "date", "json", "tag", "code", "spark", "action"] = "text"
    # On the page
    # wide: leaves narrow panels; opened: waits in the opened row; never: only in JSON and CSV.
    # A column that no row has a value for is left out, unless somebody asked for it: asked.
    place: Literal["always", "asked", "wide", "opened", "never"] = "always"
    otherwise: str | None = None  # key of the column that is shown where this one is null
    called: str | None = None  # key of the column whose text is shown for an id, where it has one
    unit: Unit = "count"
    units: tuple[str, Mapping[str, Unit]] | None = None  # key of another column, and the unit by its values
    # rank: a bar under the row's name, against the largest; ratio: a bar beside the number, against 1;
    # change: an arrow, and `good` gives its colour; status: a tag's shape beside its word
    look: Literal["plain", "rank", "ratio", "change", "status"] = "plain"
    good: Welcome = None
    # Where a cell leads, from the project's address, or with `/` from the server's; `{key}` stands for that column
    # of the row, and the scope is kept: "organizations/{org}". A count leads to what it counts, with its dates where
    # those begin it: "stream?from={day}&to={day}&f=name:is:{name}". `{week key}` (`day`, `month`) stands for the days
    # of the span in the week that begins on a date, `{hour key}` for what asks the stream for the hour from a time on.
    link: str = ""
    about: str = ""  # its definition in one sentence
    # What filters call its values, such as `org`, `prop.plan` or `environment`: a click on one filters the page by it.
    dimension: str = ""

    @property
    def drawn(self) -> bool:
        """Whether it stays on the page."""
        return self.type in {"spark", "action"}

    @property
    def stays(self) -> bool:
        """Whether it stands in the row however narrow the panel is."""
        return self.place in {"always", "asked"}


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """Rows under columns, in their natural order; the first column of type text names a row.

    A report hands in all rows, and the core sorts, searches and cuts them into pages. Where it hands
    in only one page, read by the scope's `limit` and `after`, or the top of a longer list, `whole` is
    False, and `total` and `next` are the report's to set.
    """

    key: str
    title: str
    columns: tuple[Column, ...]
    rows: Sequence[list[Any]]  # a `late.Late` makes those of the page only
    whole: bool = True
    total: int | None = None  # rows there are in all
    next: int | None = None  # the position after which the next page begins
    # On the page
    more: str = ""  # where all rows are, as `Column.link`
    none: str = ""  # why there are no rows, where that has another reason than span and filters
    # breakdown: a bar whose widths are the columns `weight` and whose fills are `points` (0 to weight);
    # checklist: steps to take, from the columns `step`, `state` (done or open), `how` and `go`, the name of a button
    chart: Literal["none", "breakdown", "checklist"] = "none"


STEP_COLUMNS = (
    Column("name", "Step"),
    Column("entered", "Entered", "number", about="How many reached the step."),
    Column("from_first", "From first", "number", unit="share", about="Of those who entered the first step."),
    Column("from_previous", "From previous", "number", unit="share", about="Of those who entered the step before."),
    Column("median_seconds", "Median time", "number", unit="seconds", about="From the step before to this one."),
    Column("p90_seconds", "90% within", "number", unit="seconds", about="Nine of ten took at most this."),
)


class Steps(msgspec.Struct, frozen=True, kw_only=True):
    """The steps of a funnel in order; rows begin with the cells of STEP_COLUMNS."""

    key: str
    title: str
    rows: list[list[Any]]
    columns: tuple[Column, ...] = STEP_COLUMNS


# --- Two dimensions ---


class Grid(msgspec.Struct, frozen=True, kw_only=True):
    """Numbers by row and column; None where there can be none (yet)."""

    key: str
    title: str
    rows: tuple[str | date, ...]
    columns: tuple[str, ...]
    values: list[list[Number]]
    # On the page
    unit: Unit = "count"
    # cohort: the first column is each row's size, all are shown as shares of it; hours: 7 weekdays by
    # 24 hours; matrix: used (above 0) or not (0) or not meant for it (None)
    kind: Literal["cohort", "hours", "matrix"] = "cohort"
    running: frozenset[tuple[int, int]] = frozenset()  # (row, column) of cells that still count
    link: str = ""  # of a row, as `Column.link` with `{row}`


class Node(msgspec.Struct, frozen=True):
    """A place in a flow; the same page at another step is another node."""

    id: str
    label: str


class Link(msgspec.Struct, frozen=True):
    """How many sessions went from one node to another; `from` and `to` in JSON."""

    source: str
    target: str
    sessions: int


class Flow(msgspec.Struct, frozen=True, kw_only=True):
    """Where sessions went, step by step; without circles."""

    key: str
    title: str
    nodes: tuple[Node, ...]
    links: tuple[Link, ...]


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """A sentence people should know: something is still counting, or how to make data appear."""

    key: str
    text: str
    title: str = ""  # on the page
    begins: bool = False  # whether code that sends a first event stands under it


def counting(share: float) -> tuple[Note, ...]:
    """What to tell while only a share of the events, from 0 to 1, is counted for a report."""
    if share >= 1:
        return ()
    text = f"Still counting: the index has gone through {int(share * 100)}% of the events."
    return (Note(key="counting", text=text),)


Block: TypeAlias = Figures | Series | Table | Steps | Grid | Flow | Note


class Action(msgspec.Struct, frozen=True, kw_only=True):
    """A button on the page that writes a definition; who may not change definitions sees none."""

    label: str
    kind: str  # of definition
    value: dict[str, Any] | None  # its fields as JSON has them; None: the definition `replaces` is deleted
    replaces: str = ""  # id of the definition in whose place it comes; empty: it makes one
    version: int = 0  # of that, as it was when the report was made
    asks: tuple[str, ...] = ()  # fields that people fill in first; what `value` has of them is there already
    group: str = ""  # actions of one group stand in a menu of that name


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """An answer. The first table is what a CSV holds and what pages are cut from."""

    blocks: tuple[Block, ...]
    title: str = ""  # of a detail: the name of what it shows
    # On the page
    actions: tuple[Action, ...] = ()

    @property
    def tables(self) -> tuple[Table, ...]:
        """The blocks that are tables."""
        return tuple(block for block in self.blocks if isinstance(block, Table))
