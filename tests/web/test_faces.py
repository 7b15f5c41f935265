import csv
import io
from datetime import date
from typing import Any

import msgspec
import pytest

from saastracker.report import Block, Column, Measure, Point, Report, Series, Table
from saastracker.scope import Scope, Span
from saastracker.web.faces import csv_block, json_report

from . import golden, golden_tables

COLUMNS = (
    Column("name", "Name"),
    Column("at", "Time", "time"),
    Column("value", "Value", "number"),
    Column("more", "More", "json"),
)
TABLE = Table(
    key="things",
    title="Things",
    columns=COLUMNS,
    rows=[["a", 1_778_070_896_123, 1.5, '{"x":[1]}'], ["=1+1", None, -2, None]],
    total=7,
    next=258,
)
SCOPE = Scope(project="p", span=Span(date(2026, 5, 1), date(2026, 5, 28), "UTC"))


def test_the_json_twin_has_the_documented_shape() -> None:
    twin = msgspec.json.decode(msgspec.json.encode(json_report("shop", "things", SCOPE, Report(blocks=(TABLE,)))))
    assert twin == {
        "project": "shop",
        "report": "things",
        "scope": {"from": "2026-05-01", "to": "2026-05-28", "compare": "previous", "environment": None, "filters": []},
        "blocks": [
            {
                "type": "table",
                "key": "things",
                "columns": [
                    {"key": "name", "label": "Name", "type": "text"},
                    {"key": "at", "label": "Time", "type": "time"},
                    {"key": "value", "label": "Value", "type": "number"},
                    {"key": "more", "label": "More", "type": "json"},
                ],
                "rows": [["a", "2026-05-06T12:34:56.123Z", 1.5, {"x": [1]}], ["=1+1", None, -2, None]],
                "total": 7,
                "next": "AAAAAAAAAQI",
            }
        ],
    }


def test_csv_is_rfc_4180_and_runs_nothing_in_a_spreadsheet() -> None:
    assert csv_block(TABLE) == (
        b'name,at,value,more\r\na,2026-05-06T12:34:56.123Z,1.5,"{""x"":[1]}"\r\n\'=1+1,,-2,\r\n'
    )


@pytest.mark.parametrize("text", ["=cmd()", "+1", "-1", "@x", "\tx", "\rx", "\nx", " =x"])
def test_only_text_that_begins_like_a_formula_is_quoted(text: str) -> None:
    table = Table(key="t", title="T", columns=(Column("name", "Name"),), rows=[[text]])
    [_, [cell]] = csv.reader(io.StringIO(csv_block(table).decode(), newline=""))
    assert cell == (text if text.startswith(" ") else f"'{text}")


def twin(block: Block) -> Any:
    """A block as a reader of the JSON twin sees it."""
    report = json_report("shop", "things", SCOPE, Report(blocks=(block,)))
    return msgspec.json.decode(msgspec.json.encode(report))["blocks"][0]


def lines(block: Block) -> list[list[str]]:
    return list(csv.reader(io.StringIO(csv_block(block).decode(), newline="")))


def test_figures() -> None:
    assert twin(golden.FIGURES) == {
        "type": "figures",
        "key": "totals",
        "figures": [
            {"key": "events", "label": "Events", "value": 1284310, "unit": "count", "previous": 1179200},
            {"key": "persons", "label": "Active people", "value": 2846, "unit": "count", "previous": 2734},
            {"key": "share", "label": "Conversion", "value": 0.229, "unit": "share", "previous": 0.216},
            {"key": "errors", "label": "Organizations hit", "value": 41, "unit": "count", "previous": 29},
            {"key": "median", "label": "Median time", "value": 276480, "unit": "seconds", "previous": None},
        ],
    }
    assert lines(golden.FIGURES)[:2] == [
        ["key", "value", "unit", "previous"],
        ["events", "1284310", "count", "1179200"],
    ]


def test_a_series_of_days() -> None:
    found = twin(golden.BARS)
    assert {key: found[key] for key in ("type", "key", "interval")} == {
        "type": "series",
        "key": "new",
        "interval": "week",
    }
    assert found["points"][0] == {"at": "2026-09-07", "values": {"new": 60, "returning": 400}}
    assert set(found) == {"type", "key", "interval", "points"}
    assert lines(golden.BARS)[:2] == [["at", "new", "returning"], ["2026-09-07", "60", "400"]]


def test_a_series_of_hours_and_of_what_is_missing() -> None:
    hours = Series(
        key="h",
        title="H",
        interval="hour",
        measures=(Measure("rate", "Rate", "share"),),
        points=[Point(1_778_068_800_000, {"rate": None})],
    )
    assert twin(hours)["points"] == [{"at": "2026-05-06T12:00:00.000Z", "values": {"rate": None}}]
    assert lines(hours)[1] == ["2026-05-06T12:00:00.000Z", ""]


def test_what_is_only_for_the_page_stays_there() -> None:
    found = twin(golden_tables.ORGANIZATIONS)
    keys = ["org", "name", "plan", "events", "change", "adoption", "length", "last_seen", "since", "band"]
    assert [column["key"] for column in found["columns"]] == keys
    assert found["rows"][0][-2:] == ["2024-03-12", "healthy"]
    assert all(set(column) == {"key", "label", "type"} for column in found["columns"])
    assert lines(golden_tables.ORGANIZATIONS)[0] == keys
    assert lines(golden_tables.ORGANIZATIONS)[4] == [
        "",
        "",
        "",
        "12",
        "0",
        "",
        "0.048",
        "2023-11-14T22:13:20.000Z",
        "",
        "dormant",
    ]


def test_steps() -> None:
    found = twin(golden.STEPS)
    assert found["type"] == "steps"
    keys = ["name", "entered", "from_first", "from_previous", "median_seconds", "p90_seconds"]
    assert [column["key"] for column in found["columns"]] == keys
    assert found["rows"][1] == ["Rates compared", 1120, 0.807, 0.807, 120, 840]
    assert set(found) == {"type", "key", "columns", "rows"}
    assert lines(golden.STEPS)[1] == ["Quote started", "1388", "1.0", "", "", ""]


def test_a_grid() -> None:
    found = twin(golden.COHORTS)
    assert (found["type"], found["rows"][0], found["columns"][:2]) == ("grid", "2026-09-07", ["0", "1"])
    assert found["values"][10] == [100] + [None] * 10
    assert set(found) == {"type", "key", "rows", "columns", "values"}
    assert lines(golden.MATRIX)[:2] == [["", *golden.MATRIX.columns], ["halden", "211", "118", "0", "3", ""]]


def test_a_flow() -> None:
    found = twin(golden.FLOW)
    assert found["nodes"][0] == {"id": "0:/quotes", "label": "/quotes"}
    assert found["links"][0] == {"from": "0:/quotes", "to": "1:/rates", "sessions": 420}
    assert lines(golden.FLOW)[:2] == [["from", "to", "sessions"], ["0:/quotes", "1:/rates", "420"]]


def test_a_note() -> None:
    assert twin(golden.NOTE) == {"type": "note", "key": "counting", "text": golden.NOTE.text}
    assert lines(golden.NOTE) == [["text"], [golden.NOTE.text]]
