"""Charts are compared with tests/web/snapshots/*.svg; SAASTRACKER_SNAPSHOTS=1 writes them anew."""

import os
from datetime import date, timedelta
from pathlib import Path
from xml.etree import ElementTree

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from saastracker.report import Flow, Grid, Interval, Link, Measure, Node, Point, Series, Unit
from saastracker.web.charts import flow, marks
from saastracker.web.charts.drawing import Drawing, drawings
from saastracker.web.charts.series import chart, description
from saastracker.web.charts.ticks import axis, time_ticks

from . import golden

NOW = 1_795_262_400_000  # 2026-11-21T12:00:00Z, in the last day of golden.LINES
SNAPSHOTS = Path(__file__).parent / "snapshots"
HOUR = 3_600_000


def drawn(series: Series) -> list[Drawing]:
    return drawings(series, "Europe/Berlin", NOW)


SINGLE = Series(
    key="one", title="One", interval="month", measures=(Measure("n", "N"),), points=[Point(date(2026, 10, 1), {"n": 7})]
)
NEGATIVE = Series(
    key="net",
    title="Net <flow>",
    interval="hour",
    measures=(Measure("net", "Net & more"),),
    points=[Point(NOW + hour * HOUR, {"net": 40 * hour - 300}) for hour in range(-8, 12)],
)
DRAWINGS = {
    "line": chart(drawn(golden.LINES)[0], 216),
    "lines-with-gap": chart(drawn(golden.LINES)[1], 176),
    "share": chart(drawn(golden.LINES)[2], 176),
    "stacked": chart(drawn(golden.BARS)[0], 176),
    "single-point": chart(drawn(SINGLE)[0], 176),
    "negative-hours": chart(drawn(NEGATIVE)[0], 176),
    "sparkline": marks.sparkline([9, 9, 8, 6, None, 1, 1, 0], "Events per week"),
    "sparkline-of-nothing": marks.sparkline([], "Events per week"),
    "rank": marks.rank_bar(0.729),
    "ratio": marks.ratio_bar(0.893),
    "breakdown": marks.breakdown([("Recency", 20, 20.0), ("Trend", 15, None), ("Breadth", 20, 10.64)]),
    "hours": marks.hours(golden.HOURS),
    "flow": flow.diagram(golden.FLOW),
}


@pytest.mark.parametrize("name", DRAWINGS)
def test_drawings_are_as_they_were(name: str) -> None:
    file, svg = SNAPSHOTS / f"{name}.svg", str(DRAWINGS[name])
    if os.environ.get("SAASTRACKER_SNAPSHOTS"):
        file.write_text(svg + "\n")
    assert svg + "\n" == file.read_text()


@pytest.mark.parametrize("name", DRAWINGS)
def test_drawings_are_well_formed_named_and_without_style(name: str) -> None:
    root = ElementTree.fromstring(DRAWINGS[name])  # our own
    assert all("style" not in element.attrib for element in root.iter())
    if root.get("aria-hidden") != "true":
        ids = {element.get("id"): element for element in root.iter()}
        names = [ids[key].text for key in (root.get("aria-labelledby") or "").split()]
        assert root.get("role") == "img"
        assert root.get("aria-label") or all(names)


def test_a_period_that_runs_is_drawn_and_told_apart() -> None:
    [events, people, stickiness] = drawn(golden.LINES)
    assert [len(drawing.lines) for drawing in (events, people, stickiness)] == [1, 3, 1]
    assert all(drawing.running for drawing in (events, people, stickiness))
    assert 'class="line open k1"' in chart(events, 216)
    assert description(events).endswith("Sat 21 Nov is incomplete.")
    over = drawings(golden.LINES, "Europe/Berlin", NOW + 24 * HOUR)[0]
    assert not over.running
    assert "line open" not in chart(over, 216)
    assert "fill k2 partial" in chart(drawn(golden.BARS)[0], 176)


def test_of_many_measures_the_rest_becomes_other() -> None:
    many = Series(
        key="m",
        title="Many",
        interval="day",
        measures=tuple(Measure(f"m{number}", f"M{number}") for number in range(9)),
        points=[Point(date(2026, 11, 1), {f"m{number}": number for number in range(8)})],
    )
    [drawing] = drawn(many)
    assert [line.kind for line in drawing.lines] == ["k1", "k2", "k3", "k4", "k5", "k6", "k8"]
    assert drawing.lines[-1] == ("k8", "Other", [6 + 7])


def days(first: date, count: int) -> list[date]:
    return [first + timedelta(days=number) for number in range(count)]


def test_a_year_of_days_is_drawn_by_the_means_of_its_weeks() -> None:
    points = [Point(day, {"n": place, "half": None}) for place, day in enumerate(days(date(2025, 12, 1), 356))]
    before = [Point(day, {"n": 700}) for day in days(date(2024, 12, 1), 350)]
    year = Series(
        key="y",
        title="Events",
        interval="day",
        measures=(Measure("n", "N"), Measure("half", "Half")),
        points=points,
        previous=before,
    )
    [drawing] = drawn(year)
    assert (drawing.title, drawing.mean, drawing.interval) == (
        "Events per day, mean of each week",
        "per day, mean of each week",
        "week",
    )
    assert len(drawing.periods) == 51
    assert drawing.periods[0].label == "Week of 1 Dec"  # a Monday
    [n, half] = drawing.lines
    assert n.values[:2] == [3, 10]  # of 0 to 6, of 7 to 13
    assert n.values[-1] == round((350 + 355) / 2)  # of Monday to Saturday, which is today
    assert drawing.running
    assert set(half.values) == {None}
    assert drawing.before == [700] * 50
    assert drawing.before_periods[0].label == "Week of 1 Dec 2024"
    assert len(drawn(msgspec.structs.replace(year, points=points[-168:]))[0].periods) == 168


def test_hours_and_years_are_drawn_by_what_is_long_enough() -> None:
    def by(count: int, interval: Interval) -> Drawing:
        last = NOW if interval == "hour" else date(2026, 11, 21)
        step = HOUR if interval == "hour" else timedelta(days=7 if interval == "week" else 1)
        points = [Point(last - step * number, {"n": 5}) for number in reversed(range(count))]  # type: ignore[operator]
        series = Series(key="s", title="S", interval=interval, measures=(Measure("n", "N"),), points=points)
        return drawn(series)[0]

    assert (by(168, "hour").interval, by(168, "hour").mean) == ("hour", "")
    assert by(720, "hour").mean == "per hour, mean of each day"
    assert by(366 * 24, "hour").interval == "week"
    assert by(5 * 365, "day").mean == "per day, mean of each month"
    assert by(200, "week").interval == "month"
    assert {value for line in by(5 * 365, "day").lines for value in line.values} == {5}


def test_an_empty_series_draws_an_empty_chart() -> None:
    empty = Series(key="e", title="E", interval="day", measures=(Measure("n", "N"),), points=[])
    ElementTree.fromstring(chart(drawn(empty)[0], 176))
    assert drawings(empty, "UTC", NOW)[0].running is False


@pytest.mark.parametrize(
    ("lowest", "highest", "unit", "labels"),
    [
        (0, 57_000, "count", ["0", "20k", "40k", "60k"]),
        (0, 1, "count", ["0", "1"]),
        (0, 3, "count", ["0", "1", "2", "3"]),
        (0, 0, "count", ["0", "1"]),
        (0, 9, "count", ["0", "5", "10"]),
        (0, 0.7, "count", ["0", "0.2", "0.4", "0.6", "0.8"]),
        (-120, 350, "count", ["\N{MINUS SIGN}200", "0", "200", "400"]),
        (0, 0.36, "share", ["0", "10", "20", "30", "40%"]),
        (0, 1, "share", ["0", "25", "50", "75", "100%"]),
        (0, 0.4, "seconds", ["0", "100", "200", "300", "400 ms"]),
        (0, 1500, "seconds", ["0", "10", "20", "30 min"]),
        (0, 90_000, "milliseconds", ["0", "25", "50", "75", "100 s"]),
        (0, 12, "days", ["0", "5", "10", "15 d"]),
    ],
)
def test_axes_have_round_marks(lowest: float, highest: float, unit: Unit, labels: list[str]) -> None:
    assert axis(lowest, highest, unit).labels == labels


@given(
    st.floats(-1e12, 1e12), st.floats(0, 1e12), st.sampled_from(["count", "share", "seconds", "milliseconds", "days"])
)
def test_an_axis_holds_its_values_in_at_most_five_marks(low: float, size: float, unit: Unit) -> None:
    scale = axis(low, low + size, unit)
    slack = (abs(low) + size) * 1e-6 + 1e-6
    assert 2 <= len(scale.values) <= 5
    assert scale.values[0] <= min(low, 0) + slack
    assert scale.values[-1] >= max(low + size, 0) - slack
    assert 0 in scale.values


@pytest.mark.parametrize(
    ("first", "count", "interval", "labels"),
    [
        (date(2026, 10, 25), 28, "day", ["26 Oct", "2 Nov", "9 Nov", "16 Nov"]),
        (date(2026, 11, 15), 7, "day", ["15 Nov", "16 Nov", "17 Nov", "18 Nov", "19 Nov", "20 Nov", "21 Nov"]),
        (date(2026, 5, 20), 185, "day", ["1 Jun", "1 Jul", "1 Aug", "1 Sep", "1 Oct", "1 Nov"]),
    ],
)
def test_time_axes_mark_mondays_or_firsts(first: date, count: int, interval: Interval, labels: list[str]) -> None:
    ticks = time_ticks([first + timedelta(days=number) for number in range(count)], interval)
    assert [tick.label for tick in ticks] == labels
    assert [tick.minor for tick in ticks] == [number % 2 == 1 for number in range(len(labels))]


def test_a_months_axis_names_the_year_once() -> None:
    months = [date(2025, 11, 1), date(2025, 12, 1), date(2026, 1, 1)]
    assert [tick.label for tick in time_ticks(months, "month")] == ["Nov", "Dec", "Jan 2026"]


def test_a_flow_in_a_circle_or_of_many_ends_still_draws() -> None:
    circle = Flow(
        key="f", title="F", nodes=(Node("a", "A"), Node("b", "B")), links=(Link("a", "b", 1), Link("b", "a", 1))
    )
    ElementTree.fromstring(flow.diagram(circle))
    nodes = tuple(Node(str(number), str(number)) for number in range(41))
    wide = Flow(key="f", title="F", nodes=nodes, links=tuple(Link("0", str(number), 1) for number in range(1, 41)))
    assert 'height="1440"' in flow.diagram(wide)


def test_hours_without_events_draw_an_empty_week() -> None:
    empty = Grid(key="h", title="H", rows=("Monday",), columns=("00:00",), values=[[None]], kind="hours")
    assert "nothing yet" in marks.hours(empty)
