"""The report on organizations equals a plain count over the raw events."""

import json
from collections import Counter
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given

from saastracker.contracts import Reader
from saastracker.health.model import HealthModel
from saastracker.report import Report
from saastracker.testing import InMemoryDefinitions
from saastracker.told import Memory
from saastracker.web.faces import iso
from saastracker_errors import taggers as error_taggers
from saastracker_organizations import reports
from tests.asking import FIRST, FOREIGN, LAST, QUERIES, SPAN, Row, blocks, inside, made, rows, scope
from tests.indexed import Arriving, arriving, stores
from tests.plugins.health.slow import FEATURES, TAGGER, Asked, defined
from tests.plugins.health.slow import slow as health_of
from tests.plugins.organizations.slow import errors, failing, sessions

COLUMNS = ["org", "name", "plan", "persons", "events", "first_seen", "last_seen", "health", "band", "mrr"]
DEFINED = defined(HealthModel())
FAILED = '{"type": "TypeError", "message": "no legs"}'
TAGGERS = [TAGGER, *error_taggers(None)]  # type: ignore[arg-type]
COUNTABLE = ("", "environment=staging", "org=x")  # filters under which the use of features is known


def report(
    reader: Reader, query: str, zone: str = "UTC", org: str | None = None, definitions: InMemoryDefinitions = DEFINED
) -> Report:
    [page] = reports(None, definitions, Memory())  # type: ignore[arg-type]
    asked = scope(query, zone)
    return page.load(reader, asked) if org is None else page.detail(reader, asked, org)  # type: ignore[misc]


def ask(reader: Reader, query: str, zone: str = "UTC", **more: Any) -> dict[str, Any]:
    return blocks(report(reader, query, zone, **more), scope(query, zone))


def told(found: list[Row], org: str) -> tuple[str | None, float | None]:
    """Name and revenue: the newest that arrived."""
    name = mrr = None
    for row in found:
        if row.event.org == org and row.event.traits:
            company = json.loads(row.event.traits)["company"]
            name = company.get("name", name)
            mrr = company.get("custom", {}).get("mrr", mrr)
    return name, mrr


def slow(found: list[Row], query: str) -> dict[str, list[Any]]:
    seen = inside(found, QUERIES[query])
    environment = query.rpartition("environment=")[2] if "environment=" in query else None
    answer = {}
    for org in {row.event.org for row in seen if row.event.org}:
        mine = [row for row in seen if row.event.org == org]
        times = [row.event.time or 0 for row in found if row.event.org == org]
        plans = [
            (row.event.time, place, row.event.plan)
            for place, row in enumerate(found)
            if row.event.org == org
            and row.event.plan
            and row.local.date() <= LAST
            and environment in {None, row.event.environment}
        ]
        name, mrr = told(found, org)
        features = FEATURES if query in COUNTABLE else ()
        health = health_of(Asked(found, QUERIES[query], environment, features), org, LAST)
        assert health
        answer[org] = [
            org,
            name,
            max(plans)[2] if plans else None,
            len({row.person for row in mine if row.person}),
            len(mine),
            iso(min(times)),
            iso(max(times)),
            health.score,
            health.band,
            mrr,
        ]
    return answer


@stores
@given(arrived=arriving(lambda seed, size: failing(made(seed, size)), 40))
def test_equals_a_slow_count(tmp_path_factory: pytest.TempPathFactory, arrived: Arriving) -> None:
    found, zone = rows(arrived.events, arrived.zone), arrived.zone
    with arrived.reading(tmp_path_factory, foreign=FOREIGN, taggers=TAGGERS, definitions=DEFINED) as reader:
        for query in QUERIES:
            table = ask(reader, f"{SPAN}&{query}", zone)["organizations"]
            expected = slow(found, query)
            assert {row[0]: row for row in table["rows"]} == expected
            ranks = [(-row[3], -row[4]) for row in table["rows"]]
            assert ranks == sorted(ranks)
            for org in expected:
                answer = ask(reader, f"{SPAN}&{query}", zone, org=org)
                check_detail(answer, found, query, org)
                check_uses(answer, found, query, org)


def check_detail(answer: dict[str, Any], found: list[Row], query: str, org: str) -> None:
    mine = [row for row in inside(found, QUERIES[query]) if row.event.org == org]
    persons = {row.person for row in mine if row.person}
    begun = [[*row[:2], *row[3:]] for row in sessions(found, query, lambda row: row.event.org == org)]
    shown = [[*row[:2], *row[3:]] for row in answer["sessions"]["rows"]]  # without names
    environment = "staging" if query == "environment=staging" else "production" if "environment=" in query else None
    health = health_of(Asked(found, QUERIES[query], environment, FEATURES if query in COUNTABLE else ()), org, LAST)
    assert {figure["key"]: figure["value"] for figure in answer["totals"]["figures"]} == {
        "persons": len(persons),
        "events": len(mine),
        "sessions": len(begun),
        "health": health and health.score,
    }
    assert sorted(shown, key=str) == sorted(begun, key=str)
    points = answer["days"]["points"]
    assert (points[0]["at"], points[-1]["at"], len(points)) == (FIRST, LAST, 12)
    for point in points:
        today = [row for row in mine if row.local.date() == point["at"]]
        assert point["values"] == {
            "events": len(today),
            "persons": len({row.person for row in today if row.person}),
        }
    last = {
        person: max(row.event.time or 0 for row in found if row.person == person and row.event.org == org)
        for person in persons
    }
    events = Counter(row.person for row in mine if row.person)
    people = [[person[1], events[person], iso(last[person])] for person in persons if person]
    assert sorted([row[0], *row[3:]] for row in answer["people"]["rows"]) == sorted(people)
    for block, column in (("names", "name"), ("paths", "path")):
        counts = Counter(getattr(row.event, column) for row in mine if getattr(row.event, column))
        assert dict(answer[block]["rows"]) == dict(counts)
    latest = sorted((row.event.time or 0 for row in mine), reverse=True)[:50]
    assert [row[0] for row in answer["timeline"]["rows"]] == [iso(time) for time in latest]


def check_uses(answer: dict[str, Any], found: list[Row], query: str, org: str) -> None:
    if query not in COUNTABLE:
        assert not {"features", "errors"} & answer.keys()
        return
    hit = errors(found, query, lambda row: row.event.org == org)
    assert answer["errors"]["rows"] == sorted(hit, key=lambda row: (-row[2], -row[3], row[0]))
    seen = [row for row in found if QUERIES[query](row.event) and row.event.org == org]
    [[_, _, plan, *_]] = answer["organization"]["rows"]
    days = (LAST - FIRST).days + 1
    expected: list[list[Any]] = []
    for number, feature in enumerate(FEATURES, 1):
        uses = [row for row in seen if row.event.name == feature.event]
        now = [row for row in uses if FIRST <= row.local.date() <= LAST]
        before = [row for row in uses if FIRST - timedelta(days) <= row.local.date() < FIRST]
        meant = not feature.plans or plan in feature.plans
        state = (
            "used"
            if len(now) >= feature.min_events
            else "lost"
            if len(before) >= feature.min_events
            else "not used"
            if meant
            else "not in its plan"
        )
        last = str(max(row.local.date() for row in now)) if now else None
        expected.append([feature.name, str(number), state, len(now), len({row.person for row in now} - {None}), last])
    assert [[str(cell) if isinstance(cell, date) else cell for cell in row] for row in answer["features"]["rows"]] == [
        *sorted(expected, key=lambda row: (-row[3], row[0]))
    ]
