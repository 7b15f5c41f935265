"""How tables and grids stand on a page: openers, tags, times, what is cut and what is empty."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import msgspec
import pytest

from saastracker.contracts import ReportPage
from saastracker.report import Block, Column, Figure, Figures, Grid, Measure, Note, Point, Report, Series, Table

from .conftest import Running

SEEN = int(datetime(2025, 3, 12, 8, 5, 7, tzinfo=UTC).timestamp() * 1000)
SIGNALS = Table(
    key="signals",
    title="Signals",
    columns=(
        Column("org", "Organization"),
        Column("signal", "Signal", "tag"),
        Column("events", "Events", "number", place="wide"),
        Column("seen", "Seen", "time"),
        Column("stack", "Stack", "text", place="opened"),
    ),
    rows=[["halden", "health_drop", 1204, SEEN, "at load"]],
)
NEW = Table(key="signals", title="Signals", columns=SIGNALS.columns, rows=[], none="All are new.")
EMPTY = Table(key="signals", title="Signals", columns=SIGNALS.columns, rows=[])
NEWEST = Table(
    key="newest",
    title="Newest",
    columns=(
        Column("at", "Time", "time"),
        Column("session", "Session", "code", place="wide"),
        Column("name", "Name"),
        Column("properties", "Properties", "json", place="opened"),
    ),
    rows=[[SEEN, "8ecc5c0b", "opened", '{"size":3}']],
)
MATRIX = Grid(
    key="matrix",
    title="Who uses what",
    rows=tuple(f"org {number}" for number in range(40)),
    columns=("Quotes",),
    values=[[1]] * 40,
    kind="matrix",
)


def shown(running: Running, *blocks: Block, query: str = "range=7d") -> str:
    """A page of these blocks, for people."""
    page = ReportPage(slug="made", title="Made", section="Product", load=lambda _reader, _scope: Report(blocks=blocks))
    offered = replace(running, site=replace(running.site, reports={**running.site.reports, "made": page}))
    return offered.get(f"/p/shop/made?{query}", token=running.token()).text


def test_a_row_that_opens_begins_with_what_opens_it(running: Running) -> None:
    page = shown(running, SIGNALS)
    row = page[page.index('<th role="rowheader"') : page.index("</tbody>")]
    assert row.index("Open this row") < row.index("halden") < row.index("<dd>") < row.index("at load")
    assert "data-json" not in row  # its values are read as they are
    row = shown(running, NEWEST).partition("<tbody")[2]
    assert row.index("Open ") < row.index("12 Mar 2025 09:05") < row.index("data-json")


def test_a_time_that_begins_a_row_is_exact_and_others_are_as_short_as_can_be(running: Running) -> None:
    assert ">12 Mar 2025</time>" in shown(running, SIGNALS)
    assert ">12 Mar 2025 09:05</time>" in shown(running, NEWEST)
    assert "data-key" not in shown(running, NEWEST)  # which only rows that come in by themselves need


def test_a_tag_reads_like_a_word_and_keeps_its_value(running: Running) -> None:
    page = shown(running, SIGNALS)
    assert '<span class="tag" title="health_drop">Health drop</span>' in page


def test_a_text_as_long_as_an_event_is_cut_and_leads_nowhere(running: Running) -> None:
    long = "L" * 20_000
    columns = (
        Column("name", "Name"),
        Column("value", "Value", link="stream?f=prop.k:is:{value}", dimension="prop.k"),
        Column("stack", "Stack", place="opened"),
    )
    page = shown(running, Table(key="t", title="T", columns=columns, rows=[["a", long, long], ["b", "x", ""]]))
    assert 20_000 < len(re.findall("L", page)) < 22_500
    assert f"{'L' * 999}…</span>" in page
    assert f"{long}</span>" in page, "what was opened is there in whole"
    assert re.findall(r'href="([^"]*)prop\.k[^"]*"', page) == ["/p/shop/stream?f=", "?range=7d&amp;f="], "of the other"


def test_columns_that_may_leave_say_at_which_width(running: Running) -> None:
    [head] = re.findall(
        r'<th role="columnheader" scope="col" class="([^"]+)">\s*<a [^>]+>Events<', shown(running, SIGNALS)
    )
    assert head == "num fold-640 w-number"


def test_an_empty_table_says_where_it_looked(running: Running) -> None:
    span = "from=2025-03-01&to=2025-03-28"
    assert "<h3>None in this span</h3>\n<p>1 Mar \N{EN DASH} 28 Mar 2025</p>" in shown(running, EMPTY, query=span)
    filtered = shown(running, EMPTY, query=f"{span}&org=acme")
    assert "Nothing matches these filters" in filtered
    assert '<a class="btn" href="?from=2025-03-01&amp;to=2025-03-28">Remove filters</a>' in filtered


def test_steps_to_take_stand_on_top_until_they_are_done(running: Running) -> None:
    keys = ("step", "state", "how", "go", "page")
    columns = tuple(Column(key, key.title(), link="{page}" if key == "step" else "") for key in keys)
    rows: list[list[Any]] = [
        ["Make a key", "done", "Over there.", "", None],
        ["Send an event", "open", "By code.", "Show", "stream"],
    ]
    steps = Table(key="start", title="Get started", columns=columns, rows=rows, chart="checklist")
    page = shown(running, SIGNALS, steps)
    assert page.index("Get started") < page.index("Signals</h2>")
    assert "1 of 2 steps left" in page
    assert '<span class="n" aria-hidden="true">2</span><h3>Send an event</h3>' in page
    assert '<a class="btn" href="/p/shop/stream?range=7d">Show</a>' in page
    assert "Done: Make a key" in page


def test_a_title_with_nothing_to_show_says_what_to_do(running: Running) -> None:
    note = Note(key="first", title="No signal yet", text="Send events.")
    page = shown(running, EMPTY, note)
    assert 'id="signals"' not in page
    assert '<div class="state"><h2 id="h-first">No signal yet</h2>' in page
    beside = shown(running, SIGNALS, note)
    assert '<h2 id="h-first">No signal yet</h2><p>Send events.</p></section>' in beside


def test_a_long_matrix_is_cut_until_it_is_asked_for(running: Running) -> None:
    page = shown(running, MATRIX)
    assert (page.count('class="use"'), "1\N{EN DASH}25 of 40" in page) == (25 + 3, True)  # three of them in the legend
    whole = shown(running, MATRIX, query="block=matrix")
    assert (whole.count('class="use"'), "40 shown" in whole) == (40 + 3, True)


ZEROS = (
    Figures(key="sums", title="Sums", figures=(Figure(key="events", label="Events", value=0, previous=0),)),
    Series(
        key="daily",
        title="By day",
        interval="day",
        measures=(Measure("events", "Events"),),
        points=[Point(date(2026, 11, day), {"events": 0}) for day in range(15, 22)],
    ),
    Table(
        key="features",
        title="Features",
        columns=(Column("feature", "Feature"), Column("events", "Events", "number")),
        rows=[["Quotes", 0]],
    ),
    Note(key="unknown", text="Plans are not known."),
)


@pytest.mark.parametrize(
    ("filters", "clear"), [("org=acme", "?range=7d"), ("environment=qa&f=type:is:vital", "?range=7d")]
)
def test_filters_that_nothing_matches_are_told_once_instead_of_zeros(
    running: Running, filters: str, clear: str
) -> None:
    page = shown(running, *ZEROS, query=f"range=7d&{filters}")
    assert page.count("Nothing matches these filters") == 1
    assert f'<a class="btn" href="{clear}">Remove filters</a>' in page
    assert not {'id="sums"', 'id="daily"', 'id="features"'} & set(re.findall(r'id="\w+"', page))
    assert "Plans are not known." in page


def test_zeros_are_drawn_without_filters_or_beside_what_is_there(running: Running) -> None:
    before = msgspec.structs.replace(ZEROS[0], figures=(Figure(key="events", label="Events", value=0, previous=3),))
    for query, blocks in (("range=7d", ZEROS), ("range=7d&org=acme", (before, *ZEROS[1:]))):
        page = shown(running, *blocks, query=query)
        assert "Nothing matches" not in page
        assert 'id="sums"' in page
        assert "<svg" in page.partition('id="sums"')[2].partition("</section>")[0]


def test_a_table_says_why_it_has_no_rows(running: Running) -> None:
    for query in ("range=7d", "range=7d&org=acme"):
        page = shown(running, NEW, MATRIX, query=query)
        assert "<h3>None yet</h3>\n<p>All are new.</p>" in page
        assert "None in this span" not in page
