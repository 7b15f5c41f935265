"""The report on adoption equals a plain count over the raw events."""

from datetime import date, timedelta
from statistics import median
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saastracker.event import Event
from tests.asking import FIRST, LAST, QUERIES, SPAN, Row, keys, made, prop, rows, scope
from tests.indexed import ZONES, stores
from tests.plugins.adoption.following import BODIES, COLUMNS, ask, following


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


@stores
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
