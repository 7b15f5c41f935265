"""Every kind of block in the digest, of reports of others, and of such that fail."""

from datetime import date

import msgspec
import pytest

from saastracker.contracts import Digest, Reader, ReportPage, Store
from saastracker.errors import Unavailable
from saastracker.report import (
    Column,
    Figure,
    Figures,
    Flow,
    Grid,
    Link,
    Measure,
    Node,
    Note,
    Point,
    Report,
    Series,
    Steps,
    Table,
)
from saastracker.scope import Scope
from saastracker.wire import Project
from tests.outbox.conftest import Office
from tests.outbox.digesting import MONDAY, READ, event, reports, run, store_events, words


def every_kind(reader: Reader, scope: Scope) -> Report:
    """One block of each kind, of a plugin that means no harm, with names that somebody else chose."""
    evil = "<script>alert('nobody')</script>"
    columns = (
        Column("name", "Name", link="things/{name}"),
        Column("kind", "Kind", "tag"),
        Column("n", "Number", "number", look="rank"),
        Column("share", "Share", "number", unit="share"),
        Column("spark", "Trend", "spark"),
        Column("hidden", "Hidden", "text", "never"),
    )
    rows = [[f"{evil}{number}", "so_so", 10 - number, number / 10, [1, 2], "h"] for number in range(9)]
    days = [date(2026, 11, 16 + number) for number in range(7)]
    return Report(
        blocks=(
            Figures(key="figures", title="F", figures=(Figure(key="a", label=evil, value=1, unit="share"),)),
            Series(
                key="series",
                title="S",
                interval="day",
                measures=(Measure("m", "M"),),
                points=[Point(day, {"m": None if day == days[0] else 2.5}) for day in days],
            ),
            Table(key="table", title="T", columns=columns, rows=rows),
            Steps(key="steps", title="St", rows=[["first", 10, 1.0, None, None, None], ["then", 5, 0.5, 0.5, 60, 90]]),
            Grid(key="grid", title="G", rows=("a",), columns=("b",), values=[[1]]),
            Flow(key="flow", title="Fl", nodes=(Node("a", "A"), Node("b", "B")), links=(Link("a", "b", 1),)),
            Note(key="note", text=evil),
            Table(key="not asked for", title="N", columns=columns, rows=rows),
        )
    )


def test_every_kind_of_block(store: Store, office: Office, shop: Project) -> None:
    keys = ("figures", "series", "table", "steps", "grid", "flow", "note")
    page = ReportPage(
        slug="things",
        title="Things",
        section="a section nobody knows",
        load=every_kind,
        digest=Digest(blocks={key: f"About {key}" for key in keys}),
    )
    [notice] = run(store, office, READ, {"things": page}, shop)
    text = words(notice.html)
    assert notice.link == "", "there is no home report"
    assert "<script" not in notice.html
    assert text.count("About") == 6, "a note alone says nothing"
    assert "100.0%" in text
    assert "Mon Tue Wed Thu Fri Sat Sun" in text
    assert "So so · Number 10 · Share 0.0%" in text, "beside long names there is no room for columns"
    assert "4 more" in text
    assert "then 5 50.0% 50.0%" in text
    assert text.count("Look at it") == 2
    assert "hidden" not in text
    assert "and 4 more: https://analytics.example/p/backerei/things?from=2026-11-16" in notice.text
    assert len(notice.html) < 20_000


@pytest.mark.parametrize("failure", [RuntimeError("a fault"), Unavailable("Later.")])
def test_a_report_that_fails_costs_nobody_the_others(
    store: Store, office: Office, shop: Project, failure: Exception
) -> None:
    def fail(reader: Reader, scope: Scope) -> Report:
        raise failure

    bad = ReportPage(slug="bad", title="Bad", section="Web", load=fail, digest=Digest(blocks={"x": ""}))
    wrong = msgspec.structs.replace(bad, slug="wrong", load=every_kind, digest=Digest(blocks={"x": ""}, query="no=1"))
    store_events(store, shop, [event(MONDAY)])
    [notice] = run(store, office, READ, {"bad": bad, "wrong": wrong, **reports(office)}, shop)
    assert "Events: 1" in notice.text
