"""The activity report equals a plain count over the raw events."""

from collections import defaultdict
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyroaring import BitMap

from saastracker.contracts import Reader
from saastracker.event import Event
from saastracker.index import OTHER
from saastracker.report import Series
from saastracker.scope import Scope
from saastracker.testing import PROJECT
from saastracker.web.faces import json_report
from saastracker_activity import load
from saastracker_activity.blocks import trailing
from tests.indexed import at, events, people, reading, stores

ZONES = ["UTC", "Europe/Amsterdam", "Asia/Kolkata", "America/New_York"]
START = at("2026-02-20 00:00")  # clocks change on 8 March in New York and on 29 March in Amsterdam
DAYS = 60


def ask(reader: Reader, query: str, zone: str) -> dict[str, Any]:
    """The blocks as the JSON twin has them, by key, and what a page compares with."""
    scope = Scope.parse(query, project=PROJECT.id, timezone=zone, now=at("2026-04-21 12:00"))
    report = load(reader, scope)
    blocks = json_report("shop", "activity", scope, report)["blocks"]
    compared = {
        f"{block.key} before": [{"at": point.at, "values": point.values} for point in block.previous]
        for block in report.blocks
        if isinstance(block, Series)
    }
    return {block["key"]: block for block in blocks} | compared


def series(found: dict[str, Any], block: str, key: str) -> list[float | None]:
    return [point["values"][key] for point in found[block]["points"]]


# --- Against a slow count ---


class Slow:
    """The questions of the report, asked of lists of events in the plainest way."""

    def __init__(self, sent: list[Event], zone: str) -> None:
        self.rows = []
        self.first: dict[object, date] = {}
        for event, person in zip(sent, people(sent), strict=True):
            local = datetime.fromtimestamp((event.time or 0) / 1000, ZoneInfo(zone))
            self.rows.append((event, person, local))
            if person:
                self.first[person] = min(self.first.get(person, local.date()), local.date())

    def active(self, last: date, days: int, chosen: Any) -> tuple[set[object], set[object]]:
        rows = [row for row in self.rows if chosen(row[0]) and 0 <= (last - row[2].date()).days < days]
        return {person for _, person, _ in rows if person}, {event.org for event, _, _ in rows if event.org}

    def points(self, first: date, last: date, chosen: Any) -> tuple[list[Any], list[Any]]:
        active, new = [], []
        for number in range((last - first).days + 1):
            day = first + timedelta(days=number)
            (dau, org_dau), (wau, org_wau), (mau, org_mau) = (
                tuple(map(len, self.active(day, days, chosen))) for days in (1, 7, 30)
            )
            values = {"dau": dau, "wau": wau, "mau": mau, "org_dau": org_dau, "org_wau": org_wau, "org_mau": org_mau}
            active.append({"at": day, "values": values | {"stickiness": dau / mau if mau else None}})
            today = self.active(day, 1, chosen)[0]
            fresh = sum(self.first[person] == day for person in today)
            new.append({"at": day, "values": {"new": fresh, "returning": len(today) - fresh}})
        return active, new

    def names(self, first: date, last: date, chosen: Any) -> list[list[Any]]:
        rows = defaultdict(list)
        for event, person, local in self.rows:
            if chosen(event) and first <= local.date() <= last:
                rows[event.name].append((person, event.org))
        counted = [
            [name, len(of), len({who for who, _ in of if who}), len({org for _, org in of if org})]
            for name, of in rows.items()
        ]
        return sorted(counted, key=lambda row: (-row[1], row[0]))

    def hours(self, first: date, last: date, chosen: Any) -> list[list[int]]:
        counts = [[0] * 24 for _ in range(7)]
        for event, _, local in self.rows:
            if chosen(event) and first <= local.date() <= last:
                counts[local.weekday()][local.hour] += 1
        return counts


QUERIES = {
    "": lambda event: True,
    "environment=staging": lambda event: event.environment == "staging",
    "name=open": lambda event: event.name == "open",
    "name=open&name=save&environment=production": lambda event: (
        event.name in {"open", "save"} and event.environment == "production"
    ),
    "org=x": lambda event: event.org == "x",
    "f=country:is_not:DE": lambda event: event.country != "DE",
    "org=y&f=country:exists": lambda event: event.org == "y" and event.country is not None,
    "user=u1": lambda event: (event.user or event.anonymous) == "u1",
}


@stores
@given(
    batches=st.lists(events(START, DAYS), min_size=1, max_size=3), zone=st.sampled_from(ZONES), rebuilt=st.booleans()
)
def test_equals_a_slow_count(
    tmp_path_factory: pytest.TempPathFactory, batches: list[list[Event]], zone: str, rebuilt: bool
) -> None:
    with reading(tmp_path_factory.mktemp("activity"), zone, *batches, rebuilt=rebuilt) as reader:
        slow = Slow([event for batch in batches for event in batch], zone)
        first, last = date(2026, 3, 20), date(2026, 4, 10)
        for query, chosen in QUERIES.items():
            found = ask(reader, f"from={first}&to={last}&{query}", zone)
            active, new = slow.points(first, last, chosen)
            assert found["active"]["points"] == active, query
            assert found["new"]["points"] == new, query
            assert found["names"]["rows"] == slow.names(first, last, chosen), query
            assert found["hours"]["values"] == slow.hours(first, last, chosen), query
            active, new = slow.points(date(2026, 2, 26), date(2026, 3, 19), chosen)
            assert (found["active before"], found["new before"]) == (active, new), query


@given(sets=st.lists(st.sets(st.integers(0, 9)), min_size=1, max_size=30), days=st.integers(1, 9))
def test_trailing_windows(sets: list[set[int]], days: int) -> None:
    expected = [len(set().union(*sets[end - days : end])) for end in range(days, len(sets) + 1)]
    assert trailing([BitMap(members) for members in sets], days) == expected


# --- Worked out by hand ---

SMALL = [
    Event(name="open", time=at("2026-04-19 23:30"), user="ann", org="x"),
    Event(name="open", time=at("2026-04-20 10:00"), anonymous="tab", org="x"),
    Event(name="save", time=at("2026-04-20 10:59"), user="ann", org="y"),
    Event(name="save", time=at("2026-04-21 00:00"), user="bob", anonymous="tab", org="x", environment="staging"),
    Event(name="open", time=at("2026-03-22 12:00"), user="bob", org="z"),  # late, 30 days before the last
    Event(name="tick", time=at("2026-04-20 11:00")),  # nobody's
]


def test_a_few_days(tmp_path: Path) -> None:
    with reading(tmp_path, "UTC", SMALL[:3], SMALL[3:]) as reader:
        found = ask(reader, "from=2026-04-19&to=2026-04-21", "UTC")
        assert series(found, "active", "dau") == [1, 2, 1]
        assert series(found, "active", "wau") == [1, 2, 2]
        assert series(found, "active", "mau") == [2, 2, 2]
        assert series(found, "active", "org_dau") == [1, 2, 1]
        assert series(found, "active", "org_mau") == [2, 3, 2]
        assert series(found, "active", "stickiness") == [0.5, 1.0, 0.5]
        assert series(found, "new", "new") == [1, 0, 0]
        assert series(found, "new", "returning") == [0, 2, 1]
        assert found["names"]["rows"] == [["open", 2, 2, 1], ["save", 2, 2, 2], ["tick", 1, 0, 0]]
        hours = found["hours"]["values"]
        assert (hours[6][23], hours[0][10], hours[0][11], hours[1][0]) == (1, 2, 1, 1)
        assert sum(map(sum, hours)) == 5
        staging = ask(reader, "from=2026-04-21&to=2026-04-21&environment=staging", "UTC")
        assert series(staging, "new", "returning") == [1]  # first seen in production


def test_the_keys_other_programs_rely_on(tmp_path: Path) -> None:
    with reading(tmp_path, "UTC", SMALL) as reader:
        found = ask(reader, "range=7d&compare=none", "UTC")
    assert [key for key in found if " " not in key] == ["active", "names", "new", "hours"]
    assert {key: found[key]["type"] for key in ("active", "names", "new", "hours")} == {
        "active": "series",
        "names": "table",
        "new": "series",
        "hours": "grid",
    }
    assert found["active"]["interval"] == found["new"]["interval"] == "day"
    active = ["dau", "wau", "mau", "org_dau", "org_wau", "org_mau", "stickiness"]
    assert [list(point["values"]) for point in found["active"]["points"]] == [active] * 7
    assert list(found["new"]["points"][0]["values"]) == ["new", "returning"]
    assert [column["key"] for column in found["names"]["columns"]] == ["name", "events", "persons", "organizations"]
    assert found["hours"]["rows"][0] == "Monday"
    assert found["hours"]["columns"] == tuple(f"{hour:02}" for hour in range(24))
    assert found["active before"] == []


def test_nothing_yet(tmp_path: Path) -> None:
    with reading(tmp_path, "UTC") as reader:
        found = ask(reader, "range=7d", "UTC")
        assert series(found, "active", "mau") == [0] * 7
        assert series(found, "active", "stickiness") == [None] * 7
        assert found["names"]["rows"] == []
        assert found["hours"]["values"] == [[0] * 24] * 7
        assert ask(reader, "range=7d&f=path:contains:a", "UTC")["names"]["rows"] == []


def test_a_year_earlier_may_have_a_day_more(tmp_path: Path) -> None:
    with reading(tmp_path, "UTC", SMALL) as reader:
        found = ask(reader, "from=2025-02-27&to=2025-03-02&compare=year", "UTC")
    assert [point["at"].day for point in found["active before"]] == [27, 28, 29, 1]


def test_a_filter_on_what_is_counted_with_others_reads_the_events(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("saastracker.folding.KEYS_MAX", 2)
    with reading(tmp_path, "UTC", SMALL) as reader:
        assert OTHER in [row[0] for row in ask(reader, "from=2026-04-20&to=2026-04-20", "UTC")["names"]["rows"]]
        for name, persons in (("open", 1), ("save", 1), ("tick", 0)):
            found = ask(reader, f"from=2026-04-20&to=2026-04-20&name={name}", "UTC")
            assert found["names"]["rows"] == [[name, 1, persons, persons]]
            assert series(found, "active", "dau") == [persons]
