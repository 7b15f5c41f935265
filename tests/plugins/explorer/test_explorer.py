"""The explorer equals a plain computation over the raw events."""

import math
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saastracker.contracts import Reader
from saastracker.errors import Invalid
from saastracker.event import Event
from saastracker.web.faces import iso
from saastracker_explorer import PARAMETERS, load
from tests.asking import FIRST, FOREIGN, LAST, QUERIES, SPAN, START, Row, blocks, made, prop, rows, scope
from tests.indexed import DAY, HOUR, ZONES, at, reading, stores

MEASURES = ["events", "persons", "organizations", "sessions", "sum", "avg", "min", "max", "p50", "p95"]
BY: dict[str, list[Callable[[Row], Any]]] = {
    "": [],
    "path": [lambda row: row.event.path],
    "user": [lambda row: row.person[1] if row.person else None],
    "prop.n": [lambda row: None if prop(row.event, "n") is None else str(prop(row.event, "n"))],
    "name": [lambda row: row.event.name],
    "type": [lambda row: row.event.type],
    "org,name": [lambda row: row.event.org, lambda row: row.event.name],
}
INTERVALS = ["", "hour", "day", "week", "month"]


def ask(reader: Reader, query: str, zone: str = "UTC") -> dict[str, Any]:
    asked = scope(query, zone, declared=PARAMETERS)
    return blocks(load(reader, asked), asked)


def begins(interval: str, row: Row) -> date | str | None:
    """The period of an event as the JSON has it."""
    day = row.local.date()
    if interval == "hour":
        into = timedelta(minutes=row.local.minute, seconds=row.local.second)
        return iso(int((row.local.astimezone(UTC) - into).timestamp() * 1000))
    if interval == "week":
        return day - timedelta(days=day.weekday())
    if interval == "month":
        return date(day.year, day.month, 1)
    return day if interval else None


def starts(found: list[Row]) -> dict[tuple[Any, Any], Row]:
    """The first event of each session."""
    first: dict[tuple[Any, Any], Row] = {}
    for row in sorted(found, key=lambda row: row.event.time or 0):
        if row.event.session:
            first.setdefault((row.person, row.event.session), row)
    return first


def placed(found: list[Row], measure: str, interval: str, value_of: str) -> list[tuple[Row, Any, Any]]:
    """The rows that count, each with its period and what is counted of it."""
    first = starts(found)
    answer = []
    for row in found:
        session = row.person, row.event.session
        counted: Any = {
            "events": 1,
            "persons": row.person,
            "organizations": row.event.org,
            "sessions": session,
        }.get(measure, prop(row.event, value_of) if value_of else row.event.value)
        if measure == "sessions" and not row.event.session:
            continue
        day = first[session].local.date() if measure == "sessions" else row.local.date()
        if (measure in MEASURES[4:] and counted is None) or not FIRST <= day <= LAST:
            continue
        answer.append((row, begins(interval, first[session] if measure == "sessions" else row), counted))
    return answer


def computed(measure: str, counted: list[Any]) -> Any:
    if measure == "events":
        return len(counted)
    if measure in {"persons", "organizations", "sessions"}:
        return len(set(counted) - {None})
    if measure == "sum":
        return sum(counted)
    if not counted:
        return None
    if measure == "avg":
        return sum(counted) / len(counted)
    ordered = sorted(counted)
    rank = {"min": 1, "max": len(ordered)}.get(measure) or math.ceil(int(measure[1:]) / 100 * len(ordered))
    return ordered[rank - 1]


@stores
@given(data=st.data(), seed=st.integers(0, 10**6), zone=st.sampled_from(ZONES), rebuilt=st.booleans())
def test_equals_a_plain_computation(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, seed: int, zone: str, rebuilt: bool
) -> None:
    batches = [made(seed + number, 25) for number in range(data.draw(st.integers(1, 3)))]
    found = rows([event for batch in batches for event in batch], zone)
    questions = st.tuples(
        st.sampled_from(MEASURES), st.sampled_from(list(BY)), st.sampled_from(INTERVALS), st.sampled_from(["", "n"])
    )
    with reading(tmp_path_factory.mktemp("explorer"), zone, *batches, foreign=FOREIGN, rebuilt=rebuilt) as reader:
        for query, chosen in QUERIES.items():
            for measure, by, interval, value_of in data.draw(st.lists(questions, min_size=6, max_size=6)):
                asked = f"{SPAN}&{query}&measure={measure}&by={by}&interval={interval}&value_of={value_of}"
                answer = ask(reader, asked, zone)
                groups = defaultdict(list)
                for row, period, counted in placed(found, measure, interval, value_of):
                    if chosen(row.event):
                        key = (*([period] if interval else []), *(name(row) for name in BY[by]))
                        groups[key].append(counted)
                if not by and not interval:
                    groups.setdefault((), [])
                expected = {key: computed(measure, counted) for key, counted in groups.items()}
                table = answer["result"]["rows"]
                assert len(table) == len(expected)
                assert {tuple(row[:-1]): row[-1] for row in table} == pytest.approx(expected)
                if interval and not by:
                    points = {point["at"]: point["values"][measure] for point in answer["series"]["points"]}
                    nothing = computed(measure, [])
                    assert points == pytest.approx({at: expected.get((at,), nothing) for at in points})
                    assert {key for (key,) in expected} <= points.keys()


# --- By hand ---

NOON = at("2026-10-24 12:00")
SENT = [
    Event(name="open", time=NOON, user="u1", session="s1", value=1.0, path="/a", properties='{"n": 4, "a.b": true}'),
    Event(name="open", time=NOON + HOUR, anonymous="a1", session="s1", value=2.0, path="/b", properties='{"n": "4"}'),
    Event(name="save", time=NOON + DAY, user="u1", anonymous="a1", session="s2", value=9.0, org="x"),
    Event(name="save", time=NOON + 13 * HOUR, user="u2", session="s2"),
]


@pytest.fixture
def reader(tmp_path: Path) -> Any:
    with reading(tmp_path, "UTC", SENT, foreign=FOREIGN) as reader:
        yield reader


@pytest.mark.parametrize(
    ("query", "columns", "expected"),
    [
        ("", ["events"], [[4]]),
        ("measure=persons", ["persons"], [[2]]),
        ("measure=organizations", ["organizations"], [[1]]),
        ("measure=sessions", ["sessions"], [[3]]),
        ("measure=sum", ["sum"], [[12.0]]),
        ("measure=avg", ["avg"], [[4.0]]),
        ("measure=p50", ["p50"], [[2.0]]),
        ("measure=p95", ["p95"], [[9.0]]),
        ("measure=max&value_of=n", ["max"], [[4]]),
        ("measure=avg&name=nothing", ["avg"], [[None]]),
        ("measure=persons&name=nothing", ["persons"], [[0]]),
        ("by=name", ["name", "events"], [["open", 2], ["save", 2]]),
        ("by=path", ["path", "events"], [[None, 2], ["/a", 1], ["/b", 1]]),
        ("by=prop.a.b", ["prop.a.b", "events"], [[None, 3], ["true", 1]]),
        ("by=user", ["user", "events"], [["u1", 3], ["u2", 1]]),
        ("by=name&by=user", ["name", "user", "events"], [["open", "u1", 2], ["save", "u1", 1], ["save", "u2", 1]]),
        ("by=name,org&measure=sum", ["name", "org", "sum"], [["save", "x", 9.0], ["open", None, 3.0]]),
        ("interval=month&measure=persons", ["period", "persons"], [[date(2026, 10, 1), 2]]),
        ("interval=week&measure=persons", ["period", "persons"], [[date(2026, 10, 19), 2]]),
    ],
)
def test_questions(reader: Reader, query: str, columns: list[str], expected: list[list[Any]]) -> None:
    result = ask(reader, f"{SPAN}&{query}")["result"]
    assert [column["key"] for column in result["columns"]] == columns
    assert sorted(map(str, result["rows"])) == sorted(map(str, expected))


def test_the_largest_come_first(reader: Reader) -> None:
    rows = ask(reader, f"{SPAN}&by=path")["result"]["rows"]
    assert rows == [[None, 2], ["/a", 1], ["/b", 1]]


def test_a_chart_has_every_period_and_a_line_for_each_break_down(reader: Reader) -> None:
    answer = ask(reader, "from=2026-10-23&to=2026-10-26&interval=day&by=name,org")
    assert list(answer) == ["series", "result"]
    assert [(point["at"].day, point["values"]) for point in answer["series"]["points"]] == [
        (23, {"open / (none)": 0, "save / x": 0, "save / (none)": 0}),
        (24, {"open / (none)": 2, "save / x": 0, "save / (none)": 0}),
        (25, {"open / (none)": 0, "save / x": 1, "save / (none)": 1}),
        (26, {"open / (none)": 0, "save / x": 0, "save / (none)": 0}),
    ]


@pytest.mark.parametrize(("day", "hours"), [("2026-10-25", 25), ("2026-03-29", 23), ("2026-11-21", 24)])
def test_hours_of_a_day_on_which_clocks_change(tmp_path: Path, day: str, hours: int) -> None:
    start = at(f"{day} 00:00", "Europe/Amsterdam")
    sent = [Event(name="tick", time=start + number * HOUR // 2) for number in range(2 * hours)]
    with reading(tmp_path, "Europe/Amsterdam", sent) as reader:
        points = ask(reader, f"from={day}&to={day}&interval=hour", "Europe/Amsterdam")["series"]["points"]
        assert [point["values"]["events"] for point in points] == [2] * hours
        assert [datetime.fromisoformat(point["at"]) for point in points] == [
            datetime.fromtimestamp((start + number * HOUR) / 1000, UTC) for number in range(hours)
        ]


def test_numbers_that_have_no_sum_are_left_out(tmp_path: Path) -> None:
    sent = [Event(name="paid", time=NOON, properties=f'{{"n":{n}}}') for n in ("1.7e308", "1.7e308", "-1.7e308")]
    sent.append(Event(name="paid", time=NOON, value=1e300))
    with reading(tmp_path, "UTC", sent) as reader:
        for measure, found in {"sum": 0, "avg": None, "max": None}.items():
            assert ask(reader, f"{SPAN}&measure={measure}&value_of=n")["result"]["rows"] == [[found]]
        assert ask(reader, f"{SPAN}&measure=sum")["result"]["rows"] == [[1e300]]


def test_a_session_belongs_to_the_day_of_its_first_event(tmp_path: Path) -> None:
    night = at("2026-10-25 00:00")
    sent = [
        Event(name="late", time=night + HOUR, user="u1", session="s"),
        Event(name="begin", time=night - HOUR, anonymous="a1", session="s"),
        Event(name="join", time=night + 2 * HOUR, user="u1", anonymous="a1"),
    ]
    with reading(tmp_path, "UTC", sent) as reader:
        for query, expected in (("", 1), ("name=late", 1)):
            before = ask(reader, f"from=2026-10-24&to=2026-10-24&measure=sessions&{query}")
            after = ask(reader, f"from=2026-10-25&to=2026-10-25&measure=sessions&{query}")
            assert (before["result"]["rows"], after["result"]["rows"]) == ([[expected]], [[0]])


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("by=colour", "by: unknown column colour"),
        ("by=name,name", "by: given twice"),
        ("by=name,org,user", "by: expected 2 at most"),
        ('by=prop.a"b', "quotation mark"),
        ("value_of=a%5Cb&measure=sum", "backslash"),
        ("measure=median", "measure: expected one of"),
        ("interval=hour&from=2020-01-01&to=2026-01-01", "periods"),
    ],
)
def test_what_cannot_be_asked_is_said(reader: Reader, query: str, message: str) -> None:
    with pytest.raises(Invalid, match=message):
        ask(reader, query if "from=" in query else f"{SPAN}&{query}")


def test_too_many_groups_are_refused(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("saastracker_explorer.measure.ROWS_MAX", 1)
    with pytest.raises(Invalid, match="fewer break-downs"):
        ask(reader, f"{SPAN}&by=path")


@pytest.mark.parametrize(
    ("query", "link"),
    [
        ("", "stream?"),
        ("by=name&interval=day", "stream?{day period}&f=name:is:{name}"),
        ("by=prop.a&interval=week&measure=persons", "people?{week period}&f=prop.a:is:{prop.a}"),
        ("interval=month&measure=organizations", "organizations?{month period}"),
        ("interval=hour", "stream?{hour period}"),
        ("interval=hour&measure=p95", "stream?{hour period}"),
        ("interval=hour&measure=sessions", ""),
        ("by=environment", ""),
    ],
)
def test_numbers_lead_to_their_rows(reader: Reader, query: str, link: str) -> None:
    [table] = load(reader, scope(f"{SPAN}&{query}", declared=PARAMETERS)).tables
    assert table.columns[-1].link == link


def test_nothing_yet(tmp_path: Path) -> None:
    with reading(tmp_path, "UTC", foreign=[Event(name="foreign", time=START)]) as reader:
        assert ask(reader, f"{SPAN}&by=name")["result"]["rows"] == []
        assert ask(reader, SPAN)["result"]["rows"] == [[0]]
        points = ask(reader, f"{SPAN}&interval=day&measure=avg")["series"]["points"]
        assert {point["values"]["avg"] for point in points} == {None}
