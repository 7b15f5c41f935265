"""The report on people equals a plain count over the raw events."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given

from saastracker.contracts import Match, Reader
from saastracker.errors import NotFound
from saastracker.event import Event
from saastracker.report import Report
from saastracker.testing import PROJECT, InMemoryDefinitions
from saastracker.told import Memory
from saastracker.web.arranging import Arrangement, arranged
from saastracker.web.faces import iso
from saastracker_errors import taggers as error_taggers
from saastracker_people import reports
from tests.asking import FOREIGN, QUERIES, SPAN, Row, blocks, inside, keys, made, rows, scope
from tests.indexed import DAY, HOUR, Arriving, arriving, at, reading, stores
from tests.plugins.organizations.slow import errors, failing, sessions

COLUMNS = ["person", "email", "name", "org", "events", "first_seen", "last_seen"]


def report(reader: Reader, query: str, zone: str = "UTC", person: str | None = None) -> Report:
    [page] = reports(None, InMemoryDefinitions(), Memory())  # type: ignore[arg-type]
    asked = scope(query, zone)
    return page.load(reader, asked) if person is None else page.detail(reader, asked, person)  # type: ignore[misc]


def ask(reader: Reader, query: str, zone: str = "UTC", person: str | None = None) -> dict[str, Any]:
    return blocks(report(reader, query, zone, person), scope(query, zone))


def told(mine: list[Row]) -> dict[str, Any]:
    """The newest traits that arrived."""
    known: dict[str, Any] = {}
    for row in mine:
        known |= json.loads(row.event.traits or "{}").get("user", {})
    return known


def slow(found: list[Row], query: str) -> list[list[Any]]:
    """Without the organization: two may be the last at the same time."""
    answer = []
    seen = inside(found, QUERIES[query])
    for person in {row.person for row in seen if row.person}:
        mine = [row for row in found if row.person == person]
        times = [row.event.time or 0 for row in mine]
        known = told(mine)
        events = sum(row.person == person for row in seen)
        assert person
        answer.append(
            [person[1], known.get("email"), known.get("first_name"), events, iso(min(times)), iso(max(times))]
        )
    return sorted(answer, key=str)


def last_orgs(found: list[Row], person: str) -> set[str | None]:
    """The organizations of the last event in any of each person with this id."""
    last: set[str | None] = set()
    for who in {row.person for row in found if row.person and row.person[1] == person}:
        mine = [row.event for row in found if row.person == who and row.event.org]
        latest = max((event.time or 0 for event in mine), default=0)
        last |= {event.org for event in mine if event.time == latest} or {None}
    return last


@stores
@given(arrived=arriving(lambda seed, size: failing(made(seed, size)), 40))
def test_equals_a_slow_count(tmp_path_factory: pytest.TempPathFactory, arrived: Arriving) -> None:
    found, zone = rows(arrived.events, arrived.zone), arrived.zone
    taggers = error_taggers(None)  # type: ignore[arg-type]
    with arrived.reading(tmp_path_factory, foreign=FOREIGN, taggers=taggers) as reader:
        for query in QUERIES:
            table = ask(reader, f"{SPAN}&{query}", zone)["people"]["rows"]
            assert sorted(([*row[:3], *row[4:]] for row in table), key=str) == slow(found, query)
            assert [row[4] for row in table] == sorted((row[4] for row in table), reverse=True)
            for row in table:
                assert row[3] in last_orgs(found, row[0])
                check_detail(ask(reader, f"{SPAN}&{query}", zone, row[0]), found, query, row[0])


def check_detail(answer: dict[str, Any], found: list[Row], query: str, person: str) -> None:
    known = [row for row in found if row.person == ("user", person)]
    mine = known or [row for row in found if row.person == ("anonymous", person)]
    who = mine[0].person
    seen = [row for row in inside(found, QUERIES[query]) if row.person == who]
    begun = [[row[0], *row[2:]] for row in sessions(found, query, lambda row: row.person == who)]
    assert {figure["key"]: figure["value"] for figure in answer["totals"]["figures"]} == {
        "events": len(seen),
        "active_days": len({row.local.date() for row in seen}),
        "sessions": len(begun),
    }
    shown = [[*row[:2], *row[3:]] for row in answer["sessions"]["rows"]]  # without the organization's name
    assert sorted(shown, key=str) == sorted(begun, key=str)
    if query in {"", "environment=staging"}:
        hit = [[*row[:2], *row[3:]] for row in errors(found, query, lambda row: row.person == who)]
        assert answer["errors"]["rows"] == sorted(hit, key=lambda row: (-row[2], row[0]))
    else:
        assert "errors" not in answer
    for point in answer["days"]["points"]:
        assert point["values"]["events"] == sum(row.local.date() == point["at"] for row in seen)
    latest = sorted((row.event.time or 0 for row in seen), reverse=True)[:50]
    assert [row[0] for row in answer["timeline"]["rows"]] == [iso(time) for time in latest]
    assert {key: json.loads(bytes(value)) for key, value in answer["traits"]["rows"]} == told(mine)
    orgs = {}
    for org in {row.event.org for row in mine if row.event.org}:
        times = [row.event.time or 0 for row in mine if row.event.org == org]
        orgs[org] = [org, sum(row.event.org == org for row in seen), iso(min(times)), iso(max(times))]
    assert {row[0]: [row[0], *row[2:]] for row in answer["organizations"]["rows"]} == orgs
    aliases = {row.event.anonymous for row in mine if row.event.anonymous and row.person[0] == "user"}  # type: ignore[index]
    users: dict[str, str] = {}
    for row in found:
        if row.event.user and row.event.anonymous:
            users.setdefault(row.event.anonymous, row.event.user)
    assert {row[0] for row in answer.get("aliases", {"rows": []})["rows"]} == {
        alias for alias in aliases if users[alias] == person
    }


def test_by_hand(tmp_path: Path) -> None:
    noon = at("2026-10-24 12:00")
    user = {"email": "ada@example.com", "first_name": "Ada", "custom": {"seats": 3}}
    ada = json.dumps({"user": user, "company": {"name": "Acme Ltd"}})
    first = [
        Event(name="open", time=noon - 90 * DAY, anonymous="a1", path="/start"),
        Event(name="open", time=noon, user="u1", org="acme", traits=ada),
        Event(name="open", time=noon, anonymous="a2", org="beta"),
    ]
    later = [
        Event(name="save", time=noon + HOUR, user="u1", anonymous="a1", org="beta", session="s1"),
        Event(name="open", time=noon - HOUR, anonymous="a1", traits='{"user": {"last_name": "L"}}'),
    ]
    with reading(tmp_path, "UTC", first, later, foreign=FOREIGN) as reader:
        answer = ask(reader, SPAN)["people"]
        assert keys(answer) == COLUMNS
        assert answer["rows"] == [
            ["u1", "ada@example.com", "Ada L", "beta", 3, iso(noon - 90 * DAY), iso(noon + HOUR)],
            ["a2", None, None, "beta", 1, iso(noon), iso(noon)],
        ]
        one = ask(reader, SPAN, person="a1")  # a visitor's id leads to the person
        assert one["person"]["rows"] == [["u1", iso(noon - 90 * DAY), iso(noon + HOUR)]]
        assert one["aliases"]["rows"] == [["a1"]]
        assert [row[2] for row in one["timeline"]["rows"]] == ["save", "open", "open"]
        assert one["organizations"]["rows"] == [
            ["acme", "Acme Ltd", 1, iso(noon), iso(noon)],
            ["beta", None, 1, iso(noon + HOUR), iso(noon + HOUR)],
        ]
        assert [figure["value"] for figure in one["totals"]["figures"]] == [3, 1, 1]
        assert one["sessions"]["rows"] == [["s1", "beta", None, iso(noon + HOUR), 0.0, 1, None]]
        assert "aliases" not in ask(reader, SPAN, person="a2")
        assert [row[0] for row in one["traits"]["rows"]] == ["custom", "email", "first_name", "last_name"]
        assert report(reader, SPAN, person="u1").title == "Ada L"
        assert report(reader, SPAN, person="a2").title == "a2"
        with pytest.raises(NotFound):
            report(reader, SPAN, person="acme")


@pytest.mark.parametrize("column", COLUMNS)
def test_a_page_has_the_rows_that_the_whole_list_has_there(tmp_path: Path, column: str) -> None:
    with reading(tmp_path, "UTC", made(5, 200), foreign=FOREIGN) as reader:
        late = report(reader, SPAN)
        plain = Report(blocks=(msgspec.structs.replace(late.tables[0], rows=list(late.tables[0].rows)),))
        for sort in (None, column, f"-{column}"):
            for search in ("", "u"):
                arrangement, asked = Arrangement(sort=sort, search=search), scope(f"{SPAN}&limit=3")
                assert arranged(late, arrangement, asked) == arranged(plain, arrangement, asked)


def test_nobody_yet(tmp_path: Path) -> None:
    with reading(tmp_path, "UTC", foreign=FOREIGN) as reader:
        assert ask(reader, SPAN)["people"]["rows"] == []
        with pytest.raises(NotFound):
            report(reader, SPAN, person="u1")


def found(reader: Reader, text: str, limit: int = 9) -> list[Match]:
    [page] = reports(None, InMemoryDefinitions(), Memory())  # type: ignore[arg-type]
    assert page.search
    return list(page.search(reader, PROJECT.id, text, limit))


def test_people_are_found_by_ids_and_traits(tmp_path: Path) -> None:
    ada = '{"user": {"email": "ada@example.com", "first_name": "Ada", "last_name": "Lovelace"}}'
    sent = [
        Event(name="n", time=at("2026-10-25 12:00"), user="u-77", org="x", traits=ada),
        Event(name="n", time=at("2026-10-25 12:00"), user="u-78", traits='{"user": {"first_name": "\\u00c9mile"}}'),
        Event(name="n", time=at("2026-10-25 12:00"), anonymous="v-1", traits='{"user": {"email": "eve@lace.example"}}'),
        Event(name="n", time=at("2026-10-25 13:00"), anonymous="v-1", user="u-79"),
        Event(name="n", time=at("2026-10-25 13:00"), anonymous="77%"),
        Event(name="n", time=at("2026-10-25 13:00"), user="lovelace"),
    ]
    foreign = [Event(name="n", time=at("2026-10-25 12:00"), user="u-99", traits=ada)]
    with reading(tmp_path, "UTC", sent, foreign=foreign) as reader:
        named = Match("u-77", "Ada Lovelace", "ada@example.com · u-77")
        assert found(reader, "ADA@") == found(reader, "da lo") == found(reader, "u-77") == [named]
        assert found(reader, "u-9") == []
        assert found(reader, "émi") == [Match("u-78", "Émile", "u-78")]
        assert found(reader, "lace") == [Match("u-79", "eve@lace.example", "v-1"), named, Match("lovelace", "lovelace")]
        assert found(reader, "lace", 1) == [Match("u-79", "eve@lace.example", "v-1")]
        assert [match.item for match in found(reader, "77")] == ["u-77", "77%"]
        assert [match.item for match in found(reader, "%")] == ["77%"]
        assert found(reader, "_") == found(reader, "!") == found(reader, '"') == []
