"""The report on adoption equals a plain count over the raw events."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from statistics import median
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from saastracker.contracts import Reader, ReportPage
from saastracker.definition import Definitions
from saastracker.errors import Invalid, NotFound
from saastracker.event import Event
from saastracker.scope import Scope
from saastracker.testing import InMemoryDefinitions
from saastracker_adoption import listing, reports, taggers, uses
from saastracker_adoption.feature import Feature
from tests.asking import FIRST, FOREIGN, LAST, QUERIES, SPAN, ZONES, Row, blocks, keys, made, prop, rows, scope
from tests.indexed import at, reading

COLUMNS = [
    *("feature", "active_orgs", "adopters", "adoption", "active_persons", "person_adopters", "person_adoption"),
    *("depth", "breadth", "median_days_to_adopt", "gained", "kept", "lost", "id"),
]
BODIES: list[dict[str, Any]] = [
    {"name": "Opening", "rules": [{"name": "open"}]},
    {"name": "Keeping", "rules": [{"name": "save"}, {"name": "export", "path_prefix": "/a"}], "min_events": 2},
    {"name": "First n", "rules": [{"name": "open", "properties": {"n": 1}}, {"name": "save"}], "plans": ["pro"]},
    {
        "name": "Labelled",
        "rules": [{"name": "open", "path_prefix": "/a/", "properties": {"label": "m"}}, {"name": "nothing"}],
        "plans": ["pro", "team"],
    },
    {"name": "Both", "rules": [{"name": "save", "properties": {"category": "a", "n": "2"}}], "min_events": 2},
    {"name": "Never", "rules": [{"name": "nothing"}]},
]
DEFINED = InMemoryDefinitions({"feature": [msgspec.convert(body, Feature) for body in BODIES]})


def page(defined: Definitions = DEFINED) -> ReportPage:
    [found] = reports(None, defined)  # type: ignore[arg-type]
    return found


@contextmanager
def following(
    folder: Path, zone: str, *batches: list[Event], rebuilt: bool = False, defined: Definitions = DEFINED
) -> Iterator[Reader]:
    with reading(
        folder,
        zone,
        *batches,
        foreign=FOREIGN,
        rebuilt=rebuilt,
        taggers=taggers(None),  # type: ignore[arg-type]
        definitions=defined,
    ) as reader:
        yield reader


def ask(reader: Reader, asked: Scope, feature: str | None = None, defined: Definitions = DEFINED) -> dict[str, Any]:
    found = page(defined)
    assert found.detail is not None
    return blocks(found.load(reader, asked) if feature is None else found.detail(reader, asked, feature), asked)


# --- Against a slow count ---


def fits(event: Event, body: dict[str, Any]) -> bool:
    for rule in body["rules"]:
        path = (event.path or "")[: len(rule.get("path_prefix", ""))] == rule.get("path_prefix", "")
        has = all(
            str(prop(event, key)) == str(value) and prop(event, key) is not None
            for key, value in rule.get("properties", {}).items()
        )
        if event.name == rule["name"] and path and has:
            return True
    return False


def plan_of(found: list[Row], org: str | None, last: date, query: str) -> str | None:
    environment = query.rpartition("environment=")[2] if "environment=" in query else None
    told = [
        (row.event.time, place, row.event.plan)
        for place, row in enumerate(found)
        if row.event.org == org
        and row.event.plan
        and row.local.date() <= last
        and environment in {None, row.event.environment}
    ]
    return max(told)[2] if told else None


class Slow:
    """One feature in the days from `first` to `last`."""

    def __init__(self, found: list[Row], body: dict[str, Any], query: str, first: date, last: date) -> None:
        seen = [row for row in found if QUERIES[query](row.event) and first <= row.local.date() <= last]
        self.active = {row.event.org for row in seen if row.event.org}
        self.eligible = self.active
        if "plans" in body:
            self.eligible = {org for org in self.active if plan_of(found, org, last, query) in body["plans"]}
            seen = [row for row in seen if row.event.org in self.eligible]
        self.seen = seen
        self.used = [row for row in seen if fits(row.event, body)]
        self.events = {org: sum(row.event.org == org for row in self.used) for org in self.eligible}
        self.adopters = {org for org, events in self.events.items() if events >= body.get("min_events", 1)}
        self.active_persons = {row.person for row in seen if row.person}
        self.persons = {row.person for row in self.used if row.person}
        self.breadths = []
        for org in self.adopters:
            members = {row.person for row in seen if row.event.org == org and row.person}
            using = {row.person for row in self.used if row.event.org == org and row.person}
            if members:
                self.breadths.append(len(using) / len(members))
        self.days = []
        for org in self.adopters:
            mine = [row for row in found if row.event.org == org]
            began = min(mine, key=lambda row: row.event.time or 0).local.date()
            used = min(row.local.date() for row in mine if fits(row.event, body))
            self.days.append((used - began).days)

    def row(self, before: "Slow | None") -> list[Any]:
        changes: list[int | None] = [None, None, None]
        if before:
            changes = [
                len(self.adopters - before.adopters),
                len(self.adopters & before.adopters),
                len(before.adopters - self.adopters),
            ]
        depth = [self.events[org] for org in self.adopters]
        return [
            *(len(self.eligible), len(self.adopters)),
            len(self.adopters) / len(self.eligible) if self.eligible else None,
            *(len(self.active_persons), len(self.persons)),
            len(self.persons) / len(self.active_persons) if self.active_persons else None,
            sum(depth) / len(depth) if depth else None,
            pytest.approx(sum(self.breadths) / len(self.breadths)) if self.breadths else None,
            median(self.days) if self.days else None,
            *changes,
        ]


def previous(compare: str) -> tuple[date, date] | None:
    if compare == "year":
        return date(2025, 10, 23), date(2025, 11, 3)
    return (date(2026, 10, 11), date(2026, 10, 22)) if compare == "previous" else None


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    sizes=st.lists(st.integers(1, 60), min_size=1, max_size=3),
    zone=st.sampled_from(ZONES),
    compare=st.sampled_from(["previous", "year", "none"]),
    rebuilt=st.booleans(),
)
def test_equals_a_slow_count(
    tmp_path_factory: pytest.TempPathFactory, seed: int, sizes: list[int], zone: str, compare: str, rebuilt: bool
) -> None:
    batches = [made(seed + number, size) for number, size in enumerate(sizes)]
    found = rows([event for batch in batches for event in batch], zone)
    earlier = previous(compare)
    with following(tmp_path_factory.mktemp("adoption"), zone, *batches, rebuilt=rebuilt) as reader:
        for query in QUERIES:
            asked = scope(f"{SPAN}&compare={compare}&{query}", zone)
            answer = ask(reader, asked)
            by_feature = {row[0]: row for row in answer["features"]["rows"]}
            slow = {body["name"]: Slow(found, body, query, FIRST, LAST) for body in BODIES}
            before = {body["name"]: earlier and Slow(found, body, query, *earlier) for body in BODIES}
            for place, name in enumerate(slow):
                assert by_feature[name] == [name, *slow[name].row(before[name] or None), str(place + 1)], query
            check_matrix(answer["matrix"], slow)
            assert list(answer["matrix"]["columns"]) == [row[0] for row in answer["features"]["rows"]]
            ranks = [-(row[3] or 0) for row in answer["features"]["rows"]]
            assert ranks == sorted(ranks)
            place = (seed + len(query)) % len(BODIES)
            name = BODIES[place]["name"]
            check_detail(ask(reader, asked, str(place + 1)), slow[name], before[name] or None, query)


def check_matrix(matrix: dict[str, Any], slow: dict[str, Slow]) -> None:
    assert (matrix["type"], sorted(matrix["columns"])) == ("grid", sorted(slow))
    assert sorted(matrix["rows"]) == sorted(slow["Opening"].active)
    for org, values in zip(matrix["rows"], matrix["values"], strict=True):
        assert values == [slow[name].events.get(org) for name in matrix["columns"]]


def check_detail(answer: dict[str, Any], now: Slow, before: Slow | None, query: str) -> None:
    figures = {each["key"]: each["value"] for key in ("totals", "persons") for each in answer[key]["figures"]}
    expected = dict(zip(COLUMNS[1:10], now.row(before), strict=False))
    assert figures == {key: expected[key] for key in figures}
    then = before or now  # which then lists nothing
    lists = {
        "organizations": now.adopters,
        **({"gained": now.adopters - then.adopters} if before else {}),
        **({"kept": now.adopters & then.adopters} if before else {}),
        **({"lost": then.adopters - now.adopters} if before else {}),
    }
    assert {key: {row[0] for row in answer[key]["rows"]} for key in answer if key in lists} == lists, query
    for key in lists:
        columns = keys(answer[key])
        for row in answer[key]["rows"]:
            cells = dict(zip(columns, row, strict=True))
            org = cells["org"]
            uses = [each for each in (*now.used, *(before.used if before else ())) if each.event.org == org]
            assert cells["events" if "events" in cells else "events_before"] == (
                now.events.get(org, 0) if "events" in cells else then.events.get(org, 0)
            )
            assert cells.get("events_before", then.events.get(org, 0)) == then.events.get(org, 0)
            assert "last_use" not in cells or cells["last_use"] == max(each.local.date() for each in uses)
    for row in answer["organizations"]["rows"]:
        org, _, events, persons, members, _, _ = row
        assert events == now.events[org]
        assert persons == len({each.person for each in now.used if each.event.org == org and each.person})
        assert members == len({each.person for each in now.seen if each.event.org == org and each.person})
    people = {
        who[1]: sum(each.person == who for each in now.used)
        for who in now.persons
        if who and ("user" if who[0] == "anonymous" else "anonymous", who[1]) not in now.persons
    }
    assert people.items() <= {row[0]: row[1] for row in answer["people"]["rows"]}.items()
    assert len(answer["people"]["rows"]) == len(now.persons)
    points = answer["over_time"]["points"]
    assert [point["at"] for point in points] == [FIRST + timedelta(days=n) for n in range(12)]
    for point in points:
        today = [each for each in now.used if each.local.date() == point["at"]]
        assert point["values"] == {
            "organizations": len({each.event.org for each in today if each.event.org}),
            "persons": len({each.person for each in today if each.person}),
        }


# --- Worked out by hand ---

OPENING = InMemoryDefinitions({"feature": [msgspec.convert(BODIES[0] | {"plans": ["pro"]}, Feature)]})
COMPANY = '{"company": {"name": "Acme Ltd"}}'
SMALL = [
    # Acme: people u1, u2 and a1, who becomes u2; its first event is 10 days before its first use, in staging
    Event(name="visit", time=at("2026-10-10 23:00"), user="u1", org="acme", plan="team", environment="staging"),
    Event(name="open", time=at("2026-10-20 01:00"), user="u1", org="acme", plan="pro"),
    Event(name="open", time=at("2026-10-24 09:00"), user="u1", org="acme", traits=COMPANY),
    Event(name="open", time=at("2026-10-25 09:00"), anonymous="a1", org="acme"),
    Event(name="save", time=at("2026-10-25 09:00"), user="u3", org="acme"),
    # Beta: stops to use it
    Event(name="open", time=at("2026-10-19 09:00"), user="u4", org="beta", plan="pro"),
    Event(name="save", time=at("2026-10-30 09:00"), user="u4", org="beta"),
    # Gamma: nobody in particular begins to
    Event(name="save", time=at("2026-11-01 10:00"), org="gamma"),
    Event(name="open", time=at("2026-11-03 23:59"), org="gamma", plan="pro"),
    # Delta: uses it and has another plan by now
    Event(name="open", time=at("2026-10-12 09:00"), user="u5", org="delta", plan="pro"),
    Event(name="open", time=at("2026-10-24 09:00"), user="u5", org="delta", plan="pro"),
    Event(name="open", time=at("2026-11-03 09:00"), user="u5", org="delta", plan="free"),
    # Epsilon: has it and never used it
    Event(name="save", time=at("2026-10-24 09:00"), user="u1", org="epsilon", plan="pro"),
    Event(name="open", time=at("2026-10-24 09:00"), user="u9"),
]
LATER = [Event(name="join", time=at("2026-11-10 09:00"), user="u2", anonymous="a1", org="acme", plan="free")]


def test_by_hand(tmp_path: Path) -> None:
    with following(tmp_path, "UTC", SMALL, LATER, defined=OPENING) as reader:
        asked = scope(SPAN)
        answer = ask(reader, asked, defined=OPENING)
        assert list(answer) == ["totals", "features", "matrix"]
        assert keys(answer["features"]) == COLUMNS
        # 4 eligible: acme, beta, gamma, epsilon; 2 adopters with 3 events; of acme's 3 people 2, gamma has none;
        # persons u1, u2, u3, u4, of whom u1 and u2; 10 days and 2 days to adopt
        row = ["Opening", 4, 2, 0.5, 4, 2, 0.5, 1.5, 2 / 3, 6.0, 1, 1, 2, "1"]
        assert answer["features"]["rows"] == [row]
        totals = [(each["key"], each["value"], each["previous"]) for each in answer["totals"]["figures"]]
        assert totals == [("features", 1, None), ("adoption", 0.5, 1.0), ("gained", 1, None), ("lost", 2, None)]
        matrix = dict(zip(answer["matrix"]["rows"], answer["matrix"]["values"], strict=True))
        assert matrix == {"acme": [2], "beta": [0], "gamma": [1], "delta": [None], "epsilon": [0]}
        assert answer["matrix"]["rows"][0] == "acme"
        one = ask(reader, asked, "1", OPENING)
        last = date(2026, 10, 25)
        assert one["organizations"]["rows"] == [
            ["acme", "Acme Ltd", 2, 2, 3, date(2026, 10, 20), last],
            ["gamma", None, 1, 0, 0, date(2026, 11, 3), date(2026, 11, 3)],
        ]
        assert one["gained"]["rows"] == [["gamma", None, 1, date(2026, 11, 3)]]
        assert one["kept"]["rows"] == [["acme", "Acme Ltd", 1, 2]]
        assert one["lost"]["rows"] == [
            ["beta", None, 1, date(2026, 10, 19)],
            ["delta", None, 1, date(2026, 10, 12)],
        ]
        assert one["people"]["rows"] == [["u1", 1, date(2026, 10, 24)], ["u2", 1, last]]
        report = page(OPENING).detail(reader, asked, "1")  # type: ignore[misc]
        assert report.title == "Opening"
        alone = ask(reader, scope(f"{SPAN}&compare=none"), defined=OPENING)
        assert alone["features"]["rows"] == [[*row[:10], None, None, None, "1"]]
        assert "gained" not in ask(reader, scope(f"{SPAN}&compare=none"), "1", OPENING)
        with pytest.raises(NotFound):
            ask(reader, asked, "2", OPENING)


def test_a_long_span_is_shown_by_week(tmp_path: Path) -> None:
    with following(tmp_path, "UTC", SMALL) as reader:
        weeks = ask(reader, scope("from=2026-09-02&to=2026-11-03"), "1")["over_time"]
        assert (weeks["interval"], len(weeks["points"])) == ("week", 10)
        assert weeks["points"][0]["at"] == date(2026, 8, 31)
        week = next(point for point in weeks["points"] if point["at"] == date(2026, 10, 19))
        assert week["values"] == {"organizations": 3, "persons": 5}


@pytest.mark.parametrize(("zone", "days"), [("UTC", 2.0), ("Asia/Kolkata", 1.0), ("America/New_York", 1.0)])
def test_the_time_to_adopt_is_in_local_days(tmp_path: Path, zone: str, days: float) -> None:
    sent = [
        Event(name="save", time=at("2026-10-09 20:00"), user="u1", org="x", environment="staging"),
        Event(name="open", time=at("2026-10-11 02:00"), user="u1", org="x"),
        Event(name="open", time=at("2026-11-01 12:00"), user="u1", org="x"),
    ]
    with following(tmp_path, zone, sent) as reader:
        for query in ("", "environment=production", "user=u1"):
            [row] = [row for row in ask(reader, scope(f"{SPAN}&{query}", zone))["features"]["rows"] if row[7]]
            assert (row[0], row[9]) == ("Opening", days)


def test_what_would_take_too_long_is_cut_or_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uses, "EVENTS_MAX", 1)
    monkeypatch.setattr(listing, "MATRIX_ROWS", 2)
    with following(tmp_path, "UTC", SMALL) as reader:
        answer = ask(reader, scope(SPAN))
        assert answer["matrix"]["rows"] == ("acme", "gamma")
        with pytest.raises(Invalid, match="ask for a shorter span"):
            ask(reader, scope(f"{SPAN}&f=user:exists"))


def test_nothing_is_defined_yet(tmp_path: Path) -> None:
    nothing = InMemoryDefinitions()
    with following(tmp_path, "UTC", SMALL, defined=nothing) as reader:
        answer = ask(reader, scope(SPAN), defined=nothing)
        assert list(answer) == ["empty", "features", "matrix"]
        assert "POST /api/v1/projects/{slug}/definitions/feature" in answer["empty"]["text"]
        _, _, body = answer["empty"]["text"].partition("such as ")
        assert msgspec.json.decode(body, type=Feature).name == "Export"
        assert (answer["features"]["rows"], answer["matrix"]["rows"], answer["matrix"]["values"]) == ([], (), [])


def test_nobody_yet(tmp_path: Path) -> None:
    with following(tmp_path, "UTC") as reader:
        answer = ask(reader, scope(SPAN))
        assert answer["features"]["rows"][0][1:10] == [0, 0, None, 0, 0, None, None, None, None]
        assert ask(reader, scope(SPAN), "4")["people"]["rows"] == []


def test_what_is_not_followed_yet_is_said(tmp_path: Path) -> None:
    with reading(tmp_path, "UTC", SMALL) as reader:
        for answer in (ask(reader, scope(SPAN)), ask(reader, scope(SPAN), "1")):
            assert answer["counting"]["text"].startswith("Still counting: the index has gone through 0%")


def test_a_wrong_definition_is_refused() -> None:
    rule = {"name": "open"}
    for wrong in (
        {"name": "x", "rules": []},
        {"name": "", "rules": [rule]},
        {"name": "x", "rules": [rule] * 21},
        {"name": "x", "rules": [rule], "min_events": 0},
        {"name": "x", "rules": [rule], "plans": [""]},
        {"name": "x", "rules": [rule], "plan": ["pro"]},
        {"name": "x", "rules": [{"name": "open", "path": "/"}]},
    ):
        with pytest.raises(msgspec.ValidationError):
            msgspec.json.decode(json.dumps(wrong), type=Feature)
