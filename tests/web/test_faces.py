import csv
import io
from datetime import date

import msgspec
import pytest

from saastracker.errors import Invalid
from saastracker.report import Column, Report, Table
from saastracker.scope import Scope, Span
from saastracker.web.faces import block, csv_table, json_report

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
    assert csv_table(TABLE) == (
        b'name,at,value,more\r\na,2026-05-06T12:34:56.123Z,1.5,"{""x"":[1]}"\r\n\'=1+1,,-2,\r\n'
    )


@pytest.mark.parametrize("text", ["=cmd()", "+1", "-1", "@x", "\tx", "\rx", "\nx", " =x"])
def test_only_text_that_begins_like_a_formula_is_quoted(text: str) -> None:
    table = Table(key="t", title="T", columns=(Column("name", "Name"),), rows=[[text]])
    [_, [cell]] = csv.reader(io.StringIO(csv_table(table).decode(), newline=""))
    assert cell == (text if text.startswith(" ") else f"'{text}")


def test_an_unknown_block_is_refused_with_those_there_are() -> None:
    assert block(Report(blocks=(TABLE,)), "things") is TABLE
    with pytest.raises(Invalid, match="block: expected one of things"):
        block(Report(blocks=(TABLE,)), "other")
