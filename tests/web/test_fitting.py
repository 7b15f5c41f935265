"""Which column of a table takes the room, and when those that may leave do."""

from typing import Any

from saastracker.report import Column, Table
from saastracker.web.fitting import FILL_MIN, Fit, fit, shown

NAME, EVENTS = Column("name", "Name", otherwise="id"), Column("events", "Events", "number")
ID = Column("id", "Id", "code", place="wide")
TEXT = Column("text", "What happened")


def fitted(*columns: Column, **cells: Any) -> Fit:
    row = {"name": "halden", "id": "halden", "events": 1204, "text": "Lost.", **cells}
    return fit(columns, columns[0], [row, {**row, "events": None}])


def width(found: Fit, key: str) -> int:
    return int(found.folds[key].removeprefix("fold-"))


def test_a_name_takes_the_room_unless_a_sentence_needs_it() -> None:
    sentence = "712 events in 30 days, 29% of the 30 days before."
    assert fitted(NAME, EVENTS, TEXT) == Fit("name", {})
    assert fitted(NAME, EVENTS, TEXT, text=sentence).fill == "text"
    assert fitted(NAME, EVENTS, TEXT, text=sentence, name=sentence * 2).fill == "name"
    assert fitted(NAME, EVENTS, TEXT, text=None).fill == "name"
    ranked = Column("events", "Events", "number", look="rank")
    assert fitted(NAME, ranked, TEXT, text=sentence).fill == "name"
    assert fitted(EVENTS, ID).fill == "events"  # a row without a name
    assert fit((NAME, EVENTS), NAME, []).fill == "name"


def test_columns_that_may_leave_do_so_one_by_one_the_last_first() -> None:
    wide = [Column(f"w{number}", f"Column {number}", "number", place="wide") for number in range(6)]
    cells = {column.key: 1 for column in wide}
    table = fitted(NAME, EVENTS, *wide, **cells)
    widths = [width(table, column.key) for column in wide]
    assert widths == sorted(widths)
    assert widths[0] == 640  # no table leaves out what a narrower panel has room for
    assert widths[-1] >= FILL_MIN + 7 * 60
    many = [Column(f"w{number}", "A head of thirty characters or so", "number", place="wide") for number in range(9)]
    assert width(fitted(NAME, *many, **{column.key: 1 for column in many}), "w8") == 1440


def test_a_column_that_no_row_has_a_value_for_is_left_out() -> None:
    columns = (
        NAME,  # names the row by its id, where it has no name
        Column("mail", "E-mail"),
        Column("country", "Country", place="asked"),
        Column("zero", "Zero", "number"),
        Column("id", "Id", "code", "opened"),
    )
    rows: list[list[Any]] = [[None, None, None, 0, "halden"], [None, None, None, None, "orlo"]]
    table = Table(key="people", title="People", columns=columns, rows=rows)
    found = shown(table, live=False)
    assert [column.key for column in found.columns] == ["name", "country", "zero"]
    assert found.title is NAME
    everything = ["name", "mail", "country", "zero"]
    assert [column.key for column in shown(table, live=True).columns] == everything  # an event may bring one
    rows[1][1] = "orlo@example.com"
    assert [column.key for column in shown(table, live=False).columns] == everything


def test_every_kind_of_column_has_a_width() -> None:
    last = Column("last", "Last", "number", place="wide")
    kinds = [
        Column("trend", "Trend", "spark"),
        Column("share", "Share", "number", unit="share", look="ratio"),
        Column("seen", "Seen", "time"),
        Column("band", "Band", "tag", look="status"),
        Column("moved", "Moved", "number", look="change"),
        Column("mail", "E-mail"),
    ]
    cells = {"trend": [1, 2], "share": 0.5, "seen": 0, "band": "at_risk", "moved": -3, "mail": "a" * 90, "last": 1}
    for column in kinds:
        narrow, wide = fitted(NAME, last, **cells), fitted(NAME, *[column] * 9, last, **cells)
        assert width(narrow, "last") < width(wide, "last")
    assert fitted(NAME, kinds[0], **cells).folds == {"trend": "fold-720"}
    # Long ids in front are cut, and take no more room than short ones.
    codes = [fit((Column("id", "Id", "code"), last), last, [{"id": "x" * size, "last": 1}]) for size in (24, 64)]
    assert codes[0] == codes[1]
