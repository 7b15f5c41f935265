"""The retention report equals a plain count over the raw events."""

from collections import defaultdict
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saastracker.contracts import Reader
from saastracker.errors import Invalid
from saastracker.event import Event
from saastracker.report import Grid
from saastracker.scope import Scope
from saastracker.testing import PROJECT
from saastracker.web.faces import json_report
from saastracker_retention import PARAMETERS, load
from tests.indexed import at, events, people, reading, stores

ZONES = ["UTC", "Europe/Amsterdam", "Asia/Kolkata", "America/New_York"]
START = at("2026-02-20 00:00")  # clocks change on 8 March in New York and on 29 March in Amsterdam
TODAY = date(2026, 4, 15)


def ask(reader: Reader, query: str, zone: str = "UTC", now: str = "2026-04-15 12:00") -> dict[str, Any]:
    """The blocks as the JSON twin has them, by key, and the cells that still count."""
    scope = Scope.parse(query, project=PROJECT.id, timezone=zone, now=at(now), declared=PARAMETERS)
    report = load(reader, scope)
    blocks = {block["key"]: block for block in json_report("shop", "retention", scope, report)["blocks"]}
    [grid] = (block for block in report.blocks if isinstance(block, Grid))
    return blocks | {"running": sorted(grid.running)}


# --- Against a slow count ---


def period(day: date, by: str) -> date:
    while (by == "week" and day.weekday() != 0) or (by == "month" and day.day != 1):
        day -= timedelta(days=1)
    return day


def periods(first: date, last: date, by: str) -> list[date]:
    """The first days of all periods from that of one day to that of another."""
    return sorted({period(first + timedelta(days=n), by) for n in range((last - first).days + 1)})


def slow(
    sent: list[tuple[Event, object]],  # with the person of each
    zone: str,
    span: tuple[date, date],
    by: str = "week",
    of: str = "persons",
    at: str = "exact",
    start: str = "",
    back: str = "",
) -> tuple[list[date], list[list[int | None]]]:
    """The rows of the grid and their values."""
    began: dict[Any, date] = {}
    came: dict[Any, set[date]] = defaultdict(set)
    for event, person in sent:
        who = person if of == "persons" else event.org
        when = period(datetime.fromtimestamp((event.time or 0) / 1000, ZoneInfo(zone)).date(), by)
        if who and start in {"", event.name}:
            began[who] = min(began.get(who, when), when)
        if who and back in {"", event.name}:
            came[who].add(when)
    to_now = periods(span[0], TODAY, by)
    cohorts = periods(span[0], min(span[1], TODAY), by)
    values = []
    for cohort in cohorts:
        members = [who for who, when in began.items() if when == cohort]
        row: list[int | None] = [len(members)]
        for later in to_now[to_now.index(cohort) + 1 :]:
            hits = (
                any(later <= when <= to_now[-1] if at == "later" else when == later for when in came[who])
                for who in members
            )
            row.append(sum(hits))
        values.append(row + [None] * (len(to_now) - len(row)))
    return cohorts, values


@stores
@given(
    batches=st.lists(events(START, 70), min_size=1, max_size=3),  # the last days lie in the future
    zone=st.sampled_from(ZONES),
    span=st.sampled_from([(date(2026, 3, 18), date(2026, 4, 20)), (date(2026, 4, 2), date(2026, 4, 9))]),
    start=st.sampled_from(["", "open"]),
    back=st.sampled_from(["", "open", "save"]),
    rebuilt=st.booleans(),
)
def test_equals_a_slow_count(
    tmp_path_factory: pytest.TempPathFactory,
    batches: list[list[Event]],
    zone: str,
    span: tuple[date, date],
    start: str,
    back: str,
    rebuilt: bool,
) -> None:
    everything = [event for batch in batches for event in batch]
    sent = list(zip(everything, people(everything), strict=True))
    first, last = span
    with reading(tmp_path_factory.mktemp("retention"), zone, *batches, rebuilt=rebuilt) as reader:
        for by in ("day", "week", "month"):
            for of in ("persons", "organizations"):
                for when in ("exact", "later"):
                    query = f"from={first}&to={last}&by={by}&of={of}&at={when}&start={start}&return={back}"
                    found = ask(reader, query, zone)
                    cohorts, values = slow(sent, zone, span, by, of, when, start, back)
                    assert (list(found["cohorts"]["rows"]), found["cohorts"]["values"]) == (cohorts, values), query
                    assert found["sizes"]["rows"] == [[c, row[0]] for c, row in zip(cohorts, values, strict=True)]


@stores
@given(batches=st.lists(events(START, 50), min_size=1, max_size=2))
def test_filters_choose_which_events_there_are(
    tmp_path_factory: pytest.TempPathFactory, batches: list[list[Event]]
) -> None:
    """A filtered project is asked like one that never got the other events; who joined is known from all."""
    everything = [event for batch in batches for event in batch]
    sent = list(zip(everything, people(everything), strict=True))
    span = date(2026, 3, 2), date(2026, 4, 15)
    queries: dict[str, Callable[[Event], bool]] = {
        "environment=staging": lambda event: event.environment == "staging",
        "f=country:is:DE": lambda event: event.country == "DE",
        "f=country:is_not:DE": lambda event: event.country != "DE",
    }
    with reading(tmp_path_factory.mktemp("retention"), "UTC", *batches) as reader:
        for query, chosen in queries.items():
            found = ask(reader, f"from={span[0]}&to={span[1]}&start=open&{query}")
            _, values = slow([row for row in sent if chosen(row[0])], "UTC", span, start="open")
            assert found["cohorts"]["values"] == values, query


# --- Worked out by hand ---

SMALL = [
    Event(name="open", time=at("2026-03-30 09:00"), user="ann", org="x"),  # a Monday
    Event(name="open", time=at("2026-04-01 09:00"), anonymous="tab"),
    Event(name="save", time=at("2026-04-08 09:00"), user="ann", org="y"),
    Event(name="open", time=at("2026-04-14 09:00"), user="bob", anonymous="tab", org="x"),
    Event(name="open", time=at("2026-04-05 23:59"), user="eve"),
    Event(name="open", time=at("2026-04-06 00:00"), user="kim"),
    Event(name="open", time=at("2026-03-01 12:00"), user="kim"),  # late: began before all cohorts
]


def test_weeks_by_hand(tmp_path: Path) -> None:
    with reading(tmp_path, "UTC", SMALL) as reader:
        found = ask(reader, "from=2026-04-01&to=2026-04-15")
        assert found["cohorts"]["rows"] == (date(2026, 3, 30), date(2026, 4, 6), date(2026, 4, 13))
        assert found["cohorts"]["columns"] == ("0", "1", "2")
        assert found["cohorts"]["values"] == [[3, 1, 1], [0, 0, None], [0, None, None]]
        assert found["running"] == [(0, 2), (1, 1), (2, 0)]
        later = ask(reader, "from=2026-04-01&to=2026-04-15&at=later")
        assert later["cohorts"]["values"][0] == [3, 2, 1]
        saved = ask(reader, "from=2026-04-01&to=2026-04-15&start=save")
        assert saved["cohorts"]["values"] == [[0, 0, 0], [1, 0, None], [0, None, None]]
        organizations = ask(reader, "from=2026-04-01&to=2026-04-15&of=organizations&return=open")
        assert organizations["cohorts"]["values"] == [[1, 0, 1], [1, 0, None], [0, None, None]]


def test_the_keys_other_programs_rely_on(tmp_path: Path) -> None:
    with reading(tmp_path, "UTC", SMALL) as reader:
        found = ask(reader, "range=7d")
    assert list(found) == ["cohorts", "sizes", "running"]
    assert (found["cohorts"]["type"], found["sizes"]["type"]) == ("grid", "table")
    assert [column["key"] for column in found["sizes"]["columns"]] == ["cohort", "size"]


@pytest.mark.parametrize(("by", "limit"), [("day", 31), ("week", 26), ("month", 24)])
def test_the_most_rows_and_columns(tmp_path: Path, by: str, limit: int) -> None:
    with reading(tmp_path, "UTC", SMALL) as reader:
        found = ask(reader, f"from=2020-01-01&to=2026-04-15&by={by}")
        assert (len(found["cohorts"]["rows"]), len(found["cohorts"]["columns"])) == (limit, limit)
        assert found["cohorts"]["rows"][-1] == period(TODAY, by)
        assert found["cohorts"]["values"][-1][1:] == [None] * (limit - 1)
        old = ask(reader, f"from=2020-01-01&to=2020-01-01&by={by}&at=later")
        assert old["cohorts"]["values"] == [[0] * limit]
        assert old["running"] == []


def test_nothing_yet(tmp_path: Path) -> None:
    with reading(tmp_path, "UTC") as reader:
        assert ask(reader, "range=7d")["cohorts"]["values"] == [[0, 0], [0, None]]
        future = ask(reader, "from=2026-05-01&to=2026-05-02")
        assert (future["cohorts"]["values"], future["sizes"]["rows"]) == ([], [])


def test_an_unknown_period_is_refused(tmp_path: Path) -> None:
    with reading(tmp_path, "UTC") as reader, pytest.raises(Invalid, match="by: expected one of day, week, month"):
        ask(reader, "by=year")
