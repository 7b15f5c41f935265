from collections.abc import Sequence
from datetime import date
from typing import Any

import msgspec
import pytest

from saastracker.errors import Invalid
from saastracker.late import Late
from saastracker.report import Block, Column, Figure, Figures, Note, Report, Table
from saastracker.scope import Scope, Span
from saastracker.web.arranging import Arrangement, arranged, chosen, split
from saastracker.web.layout import layout

from . import golden, golden_tables

SCOPE = Scope(project="p", span=Span(date(2026, 5, 1), date(2026, 5, 28), "UTC"))
COLUMNS = (
    Column("name", "Name"),
    Column("events", "Events", "number"),
    Column("seen", "Seen", "date"),
    Column("trend", "Trend", "spark"),
)
TABLE = Table(
    key="things",
    title="Things",
    columns=COLUMNS,
    rows=[
        ["beta", 5, None, []],
        ["Alpha", None, date(2026, 1, 2), []],
        [None, 7, date(2026, 1, 1), []],
        ["gamma", 5, None, []],
    ],
)
OTHER = Table(key="other", title="Other", columns=COLUMNS[:1], rows=[["x"], ["y"]])


def names(report: Report, key: str = "things") -> list[str | None]:
    return [row[0] for table in report.tables if table.key == key for row in table.rows]


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("name", ["Alpha", "beta", "gamma", None]),
        ("-name", ["gamma", "beta", "Alpha", None]),
        ("-events", [None, "beta", "gamma", "Alpha"]),  # what is equal keeps its order, what is unknown is last
        ("events", ["beta", "gamma", None, "Alpha"]),
        ("seen", [None, "Alpha", "beta", "gamma"]),
    ],
)
def test_a_table_is_sorted_by_any_column(sort: str, expected: list[str | None]) -> None:
    assert names(arranged(Report(blocks=(TABLE, OTHER)), Arrangement(sort=sort), SCOPE)) == expected


def test_a_search_finds_text_in_any_case() -> None:
    found = arranged(Report(blocks=(TABLE,)), Arrangement(search="ALPHA"), SCOPE)
    assert (names(found), found.tables[0].total) == (["Alpha"], 1)


MANY = Table(
    key="things",
    title="Things",
    columns=COLUMNS[:2],
    rows=[[f"thing {number * 7 % 300}", number % 10] for number in range(300)],
)


def late(made: list[int]) -> Table:
    """The same, and which of its rows were made."""

    def make(numbers: Sequence[int]) -> list[list[Any]]:
        made.extend(numbers)
        return [list(MANY.rows[number]) for number in numbers]

    rows = Late(range(300), make, {"events": lambda number: number % 10})
    return msgspec.structs.replace(MANY, rows=rows)


@pytest.mark.parametrize("sort", [None, "events", "-events"])
@pytest.mark.parametrize("after", [None, 20, 295, 300])
def test_of_late_rows_only_the_page_is_made(sort: str | None, after: int | None) -> None:
    made: list[int] = []
    scope, arrangement = Scope(project="p", span=SCOPE.span, limit=10, after=after), Arrangement(sort=sort)
    page = arranged(Report(blocks=(late(made),)), arrangement, scope)
    assert page == arranged(Report(blocks=(MANY,)), arrangement, scope)
    assert len(made) == len(page.tables[0].rows)


@pytest.mark.parametrize("arrangement", [Arrangement(sort="-name"), Arrangement(search="THING 7", sort="events")])
def test_late_rows_are_searched_and_sorted_by_what_only_they_have(arrangement: Arrangement) -> None:
    made: list[int] = []
    assert arranged(Report(blocks=(late(made),)), arrangement, SCOPE) == arranged(
        Report(blocks=(MANY,)), arrangement, SCOPE
    )
    assert sorted(made) == list(range(300))


def test_late_rows_that_are_a_page_are_made_once() -> None:
    made: list[int] = []
    page = msgspec.structs.replace(late(made), whole=False, total=9_000, next=300)
    shown = arranged(Report(blocks=(page,)), Arrangement(), SCOPE).tables[0]
    assert made == list(range(300))
    assert shown == msgspec.structs.replace(MANY, whole=False, total=9_000, next=300)
    assert len(list(shown.rows)) == len(made)


def test_who_stops_early_leaves_late_rows_unmade() -> None:
    made: list[int] = []
    rows = late(made).rows
    assert next(iter(rows)) == MANY.rows[0] == rows[0]
    assert len(made) < 150


def test_tables_are_cut_into_pages() -> None:
    scope = Scope(project="p", span=SCOPE.span, limit=3)
    first = arranged(Report(blocks=(TABLE, OTHER)), Arrangement(), scope).tables[0]
    assert (len(first.rows), first.total, first.next) == (3, 4, 3)
    scope = Scope(project="p", span=SCOPE.span, limit=3, after=3)
    second = arranged(Report(blocks=(TABLE, OTHER)), Arrangement(), scope)
    assert (names(second), second.tables[0].next) == (["gamma"], None)
    assert names(second, "other") == ["x", "y"]  # the cursor is the main table's


def test_a_cursor_belongs_to_the_block_that_is_named() -> None:
    scope = Scope(project="p", span=SCOPE.span, limit=1, after=1)
    found = arranged(Report(blocks=(TABLE, OTHER)), Arrangement(block="other"), scope)
    assert (names(found), names(found, "other")) == (["beta"], ["y"])


def test_a_page_of_several_tables_shows_the_top_of_each_until_one_is_named() -> None:
    report = Report(blocks=(TABLE, OTHER))
    assert [len(table.rows) for table in arranged(report, Arrangement(), SCOPE, others=1).tables] == [1, 1]
    assert [len(table.rows) for table in arranged(report, Arrangement("things"), SCOPE, others=1).tables] == [4, 1]
    assert len(arranged(Report(blocks=(TABLE,)), Arrangement(), SCOPE, others=1).tables[0].rows) == 4


def test_what_a_report_pages_itself_is_left_alone() -> None:
    page = Table(key="t", title="T", columns=COLUMNS[:1], rows=[["a"], ["b"]], whole=False, next=9)
    scope = Scope(project="p", span=SCOPE.span, limit=1, after=77)
    assert arranged(Report(blocks=(page,)), Arrangement(), scope).tables[0] == page
    with pytest.raises(Invalid, match="holds in whole"):
        arranged(Report(blocks=(page,)), Arrangement(sort="name"), scope)


@pytest.mark.parametrize("sort", ["nothing", "trend", "-"])
def test_an_unknown_column_is_refused_with_those_there_are(sort: str) -> None:
    with pytest.raises(Invalid, match=r"sort: expected one of name, events, seen$"):
        arranged(Report(blocks=(TABLE,)), Arrangement(sort=sort), SCOPE)


def test_the_main_block_is_the_first_table_else_the_first() -> None:
    report = Report(blocks=(golden.FIGURES, TABLE))
    assert chosen(report, None) is TABLE
    assert chosen(report, "totals") is golden.FIGURES
    assert chosen(Report(blocks=(golden.FIGURES,)), None) is golden.FIGURES
    with pytest.raises(Invalid, match="block: expected one of totals, things"):
        chosen(report, "other")


def test_a_query_is_split_into_scope_and_arrangement() -> None:
    assert split("org=a&sort=-events&block=things&range=7d&search=x+y") == (
        "org=a&range=7d",
        Arrangement("things", "-events", "x y"),
    )
    assert split("org=block%3D") == ("org=block%3D", Arrangement())
    form = "filter.dimension=path&filter.operator=contains&filter.value=a%3Ab&range=7d&search="
    assert split(form) == ("range=7d&f=path%3Acontains%3Aa%3Ab", Arrangement())
    assert split("filter.dimension=&filter.operator=is&filter.value=") == ("", Arrangement())
    assert split("filter.dimension=plan&filter.operator=exists&filter.value=") == ("f=plan%3Aexists", Arrangement())
    with pytest.raises(Invalid, match="search: at most 255"):
        split("search=" + "x" * 256)


def test_a_heads_link_turns_the_order_round() -> None:
    first = Arrangement().sorted_by(COLUMNS[1], "things")
    assert first == Arrangement("things", "-events")
    assert first.sorted_by(COLUMNS[1], "things") == Arrangement("things", "events")
    assert first.sorted_by(COLUMNS[0], "things") == Arrangement("things", "name")
    assert Arrangement("things", "-events", "x").sorted_by(COLUMNS[1], "other") == Arrangement("other", "-events")


def test_figures_come_first_with_their_chart_and_narrow_tables_in_pairs() -> None:
    def keys(*blocks: Block) -> list[list[list[str]]]:
        return [[[block.key for block in panel] for panel in line] for line in layout(blocks)]

    assert keys(
        golden.NOTE, golden_tables.PATHS, golden_tables.NAMES, golden_tables.ORGANIZATIONS, golden.LINES, golden.FIGURES
    ) == [
        [["totals", "events"]],
        [["counting"]],
        [["paths"], ["names"]],
        [["organizations"]],
    ]
    assert keys(golden.FIGURES, golden_tables.PATHS) == [[["totals"]], [["paths"]]]
    assert keys(golden.LINES, golden.BARS) == [[["events"]], [["new"]]]
    assert keys(golden.STEPS, golden.LINES, golden.FIGURES) == [[["totals"]], [["steps"]], [["events"]]]
    assert keys(golden.LINES, golden.STEPS, golden.FIGURES) == [[["totals", "events"]], [["steps"]]]
    timed = Table(key="newest", title="Newest", columns=(Column("at", "Time", "time"), *COLUMNS[:2]), rows=[])
    assert keys(timed, golden_tables.PATHS) == [[["newest"]], [["paths"]]]
    assert (
        len(layout((golden_tables.PATHS, golden_tables.NAMES), "names")) == 2
    )  # the one that was opened has its own line


def test_a_note_with_a_title_stands_alone_where_there_is_nothing_else() -> None:
    empty = Table(key="things", title="Things", columns=COLUMNS, rows=[])
    nothing = Figures(key="none", title="None", figures=(Figure(key="n", label="N", value=0),))
    note = Note(key="first", title="Define a thing", text="Like this.")
    assert layout((nothing, empty, note)) == [[[note]]]
    assert layout((empty, golden.NOTE)) == [[[empty]], [[golden.NOTE]]]
    for block in golden.BLOCKS:
        if block.key != "counting":
            assert next(block.key for line in layout((block, empty, note)) for [block] in line) == block.key


def test_tables_are_cut_only_where_they_share_the_page() -> None:
    def rows(*blocks: Block) -> int:
        [names] = arranged(Report(blocks=blocks), Arrangement(), SCOPE, others=10).tables[:1]
        return len(names.rows)

    assert rows(golden_tables.NAMES) == rows(golden_tables.NAMES, golden.LINES) == 100
    assert rows(golden_tables.NAMES, golden_tables.PATHS) == rows(golden_tables.NAMES, golden.HOURS) == 10
