"""The home report equals a plain count over the raw events."""

import json
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

import saastracker_errors
from saastracker.contracts import Reader, Setup
from saastracker.event import Event
from saastracker.issues.grouping import failure
from saastracker.issues.grouping import key as issue_key
from saastracker.issues.kinds import Grouping, Issue, Match, Rule
from saastracker.testing.definitions import InMemoryDefinitions
from saastracker_home import load
from tests.asking import FIRST, FOREIGN, LAST, QUERIES, SPAN, Row, blocks, inside, keys, made, rows, scope
from tests.indexed import DAY, HOUR, Arriving, arriving, at, reading, stores

NOON = at("2026-10-24 12:00")
DEFINED = InMemoryDefinitions({"feature": ["any"]})
NOTHING = InMemoryDefinitions()
SET_UP = Setup(keys=1, members=2)

# Home has to agree with the report on errors.
ISSUES = saastracker_errors.taggers(None)  # type: ignore[arg-type]
COLUMNS = {
    "pages": ["path", "views", "persons", "organizations"],
    "names": ["name", "events", "persons", "organizations"],
    "movers": ["org", "events", "previous", "change"],
}


def ask(
    reader: Reader,
    query: str,
    zone: str = "UTC",
    definitions: InMemoryDefinitions = DEFINED,
    setup: Setup = SET_UP,
) -> dict[str, Any]:
    asked = scope(query, zone)
    return blocks(load(definitions, lambda _: setup, reader, asked), asked)


def viewed(seed: int, count: int) -> list[Event]:
    """Made-up events, of which some are page views and some errors."""
    sent = made(seed, count)
    for place, event in enumerate(sent):
        event.type = ("pageview", "custom", "error", "pageview")[place % 4]
        event.release = (None, "1.0", "1.1")[place % 3]
    return sent


# --- Against a slow count ---


def distinct(of: list[Row]) -> list[int]:
    """Persons and organizations."""
    return [len({row.person for row in of} - {None}), len({row.event.org for row in of} - {None})]


def top(of: list[Row], column: str) -> list[list[Any]]:
    groups = {getattr(row.event, column) for row in of} - {None}
    found = {key: [row for row in of if getattr(row.event, column) == key] for key in groups}
    return [
        [key, len(mine), *distinct(mine)]
        for key, mine in sorted(found.items(), key=lambda item: (-len(item[1]), item[0]))
    ]


def movers(now: list[Row], before: list[Row]) -> dict[str, list[Any]]:
    counts = [Counter(row.event.org for row in of if row.event.org) for of in (now, before)]
    return {
        org: [org, counts[0][org], counts[1][org], counts[0][org] - counts[1][org]]
        for org in counts[0] | counts[1]
        if counts[0][org] != counts[1][org]
    }


def sessions(found: list[Row], chosen: Callable[[Event], bool], environment: str | None, earlier: int) -> int:
    """The sessions that began in the span so many days earlier, and have a chosen event."""
    of: dict[Any, list[Row]] = {}
    for row in found:
        if row.event.session and environment in {None, row.event.environment}:
            of.setdefault((row.person, row.event.session), []).append(row)
    shift = timedelta(days=earlier)
    return sum(
        FIRST - shift <= min(mine, key=lambda row: row.event.time or 0).local.date() <= LAST - shift
        and any(chosen(row.event) for row in mine)
        for mine in of.values()
    )


@stores
@given(arrived=arriving(viewed, 40))
def test_equals_a_slow_count(tmp_path_factory: pytest.TempPathFactory, arrived: Arriving) -> None:
    found, zone = rows(arrived.events, arrived.zone), arrived.zone
    days = (LAST - FIRST).days + 1
    with arrived.reading(tmp_path_factory, foreign=FOREIGN, taggers=ISSUES) as reader:
        for query, chosen in QUERIES.items():
            environment = query.rpartition("environment=")[2] if "environment=" in query else None
            now = inside(found, chosen)
            shift = timedelta(days=days)
            before = [row for row in found if chosen(row.event) and FIRST - shift <= row.local.date() <= LAST - shift]
            answer = ask(reader, f"{SPAN}&{query}", zone)
            assert [figure["value"] for figure in answer["totals"]["figures"]] == [
                *(len(now), *distinct(now), sessions(found, chosen, environment, 0)),
            ], query
            assert [figure["previous"] for figure in answer["totals"]["figures"]] == [
                *(len(before), *distinct(before), sessions(found, chosen, environment, days)),
            ], query
            for point in answer["events"]["points"]:
                today = [row for row in now if row.local.date() == point["at"]]
                assert list(point["values"].values()) == [len(today), *distinct(today)]
            assert answer["pages"]["rows"] == top([row for row in now if row.event.type == "pageview"], "path")
            assert answer["names"]["rows"] == top(now, "name")
            assert {row[0]: row for row in answer["movers"]["rows"]} == movers(now, before)
            changes = [abs(row[3]) for row in answer["movers"]["rows"]]
            assert changes == sorted(changes, reverse=True)
            shown = answer["errors"]["rows"] if "errors" in answer else []
            expected = [] if scope(query).filters else reported(reader, f"{SPAN}&{query}", zone)
            assert shown == expected, query


# --- Worked out by hand ---


def test_by_hand(tmp_path: Path) -> None:
    sent = [
        Event(name="page_view", type="pageview", path="/a", time=NOON, user="u1", org="x", session="s"),
        Event(name="page_view", type="pageview", path="/a", time=NOON + HOUR, anonymous="a1", org="y", session="s"),
        Event(name="page_view", type="pageview", path="/b", time=NOON + DAY, user="u2", org="x", session="t"),
        Event(name="save", path="/c", time=NOON, user="u1", org="z"),
        Event(name="save", time=NOON - 12 * DAY, user="u1", org="z", session="s"),
        Event(name="save", time=NOON - 12 * DAY, user="u1", org="z"),
        Event(name="login", time=NOON + DAY, user="u1", anonymous="a1"),
    ]
    with reading(tmp_path, "UTC", sent, foreign=FOREIGN) as reader:
        answer = ask(reader, SPAN)
        assert list(answer) == ["totals", "events", "pages", "names", "movers"]
        assert {key: keys(answer[key]) for key in COLUMNS} == COLUMNS
        figures = {figure["key"]: (figure["value"], figure["previous"]) for figure in answer["totals"]["figures"]}
        assert figures == {"events": (5, 2), "persons": (2, 1), "organizations": (3, 1), "sessions": (1, 1)}
        assert answer["events"]["points"][1] == {
            "at": FIRST + timedelta(days=1),
            "values": {"events": 3, "persons": 1, "organizations": 3},
        }
        assert answer["pages"]["rows"] == [["/a", 2, 1, 2], ["/b", 1, 1, 1]]
        assert answer["names"]["rows"] == [["page_view", 3, 2, 2], ["login", 1, 1, 0], ["save", 1, 1, 1]]
        assert answer["movers"]["rows"] == [["x", 2, 0, 2], ["y", 1, 0, 1], ["z", 1, 2, -1]]
        alone = ask(reader, f"{SPAN}&compare=none")
        assert [figure["previous"] for figure in alone["totals"]["figures"]] == [None] * 4
        assert alone["movers"]["rows"] == []


def test_lists_hold_the_top_of_all(tmp_path: Path) -> None:
    sent = [
        Event(name=f"n{number:02}", type="pageview", path=f"/{number:02}", org=f"o{number:02}", time=NOON)
        for number in range(12)
    ]
    with reading(tmp_path, "UTC", sent) as reader:
        answer = ask(reader, SPAN)
        for key in ("pages", "names", "movers"):
            assert (len(answer[key]["rows"]), answer[key]["total"]) == (10, 12)


def reported(reader: Reader, query: str, zone: str, definitions: InMemoryDefinitions = DEFINED) -> list[list[Any]]:
    """What the report on errors says of the first open ones."""
    asked = scope(query, zone, declared=(saastracker_errors.STATUS,))
    table = blocks(saastracker_errors.load(reader, asked, definitions=definitions), asked)["issues"]
    places = [keys(table).index(key) for key in ("issue", "title", "organizations", "persons", "events")]
    return [[row[place] for place in places] for row in table["rows"][:5]]


def error(message: str, org: str = "x", **more: Any) -> Event:
    said = json.dumps({"type": "TypeError", "message": message})
    return Event(**{"name": "crash", "type": "error", "time": NOON, "org": org, "properties": said, **more})


def test_open_errors_by_hand(tmp_path: Path) -> None:
    sent = [
        error("no legs"),
        error("no legs\nat x", "y", user="u1"),
        error("odd", properties='{"type":5,"message":[]}'),
    ]
    sent.append(Event(name="exception", time=NOON, user="u1"))
    with reading(tmp_path, "UTC", sent, taggers=ISSUES) as reader:
        answer = ask(reader, SPAN)["errors"]
        assert keys(answer) == ["issue", "title", "organizations", "persons", "events"]
        assert [row[1:] for row in answer["rows"]] == [
            ["TypeError: no legs", 2, 1, 2],
            ["5", 1, 0, 1],
            ["exception", 0, 1, 1],
        ]
        assert "errors" not in ask(reader, "from=2026-10-25&to=2026-10-26")
        assert "errors" not in ask(reader, f"{SPAN}&org=x")


def test_only_the_errors_that_hit_most_are_there(tmp_path: Path) -> None:
    with reading(tmp_path, "UTC", [error(letter) for letter in "abcdefg"], taggers=ISSUES) as reader:
        answer = ask(reader, SPAN)["errors"]
        assert (len(answer["rows"]), answer["total"]) == (5, 7)


def test_errors_that_people_decided_about(tmp_path: Path) -> None:
    def sent(message: str, release: str | None, hour: int) -> Event:
        return error(message, release=release, time=NOON + hour * HOUR)

    names = ["first", "second", "ignored", "gone", "old", "again", "nowhere", "next"]
    later = [sent("old", "1.0", 30), sent("again", "1.1", 30), sent("nowhere", None, 30), sent("next", None, 30)]
    with reading(tmp_path, "UTC", [sent(name, "1.0", 0) for name in names], later, taggers=ISSUES) as reader:
        key = {name: issue_key(failure("crash", error(name).properties)) for name in names}
        noon = datetime.fromtimestamp(NOON / 1000, UTC) + timedelta(hours=1)
        decided = [
            Issue(keys=(key["first"], key["second"])),
            Issue(keys=(key["second"], key["ignored"]), status="ignored"),  # the second belongs to the first
            *(
                Issue(keys=(key[name],), status="resolved", resolved_at=noon)
                for name in ("gone", "old", "again", "nowhere")
            ),
            Issue(keys=(key["next"],), status="resolved-in-next", resolved_at=noon, resolved_release="1.0"),
        ]
        definitions = InMemoryDefinitions({"feature": ["any"], "issue": decided})
        answer = ask(reader, SPAN, definitions=definitions)["errors"]["rows"]
        assert answer == reported(reader, SPAN, "UTC", definitions)
        assert {row[1] for row in answer} == {"TypeError: second", "TypeError: again", "TypeError: nowhere"}


def test_errors_grouped_by_own_rules(tmp_path: Path) -> None:
    own = InMemoryDefinitions({"error-grouping": [Grouping(rules=(Rule(match=Match(), fingerprint="{scene}"),))]})
    sent = [error("a"), error("b")]
    with reading(tmp_path, "UTC", sent, taggers=ISSUES, definitions=own) as reader:
        answer = ask(reader, SPAN, definitions=own)["errors"]["rows"]
        assert len(answer) == 1
        assert answer == reported(reader, SPAN, "UTC", own)
        assert len(ask(reader, SPAN)["errors"]["rows"]) == 2
    with reading(other_folder(tmp_path), "UTC", sent, taggers=ISSUES) as reader:  # rules that are not yet counted by
        assert len(ask(reader, SPAN, definitions=own)["errors"]["rows"]) == 2


def other_folder(folder: Path) -> Path:
    other = folder / "other"
    other.mkdir()
    return other


# --- What there is to do at first ---


def test_before_the_first_event_there_is_only_what_to_do(tmp_path: Path) -> None:
    with reading(tmp_path, "UTC", foreign=FOREIGN) as reader:
        answer = ask(reader, SPAN, definitions=NOTHING, setup=Setup(members=1))
        assert list(answer) == ["waiting", "start"]
        assert [row[1] for row in answer["start"]["rows"]] == ["done", "open", "open", "open", "open"]
        invited = ask(reader, SPAN, definitions=NOTHING, setup=Setup(members=1, invited=1))
        assert [row[1] for row in invited["start"]["rows"]] == ["done", "open", "open", "open", "done"]
        assert list(ask(reader, SPAN)) == ["waiting", "start"]


def test_a_first_event_that_is_not_yet_counted_is_not_shown_as_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with reading(tmp_path, "UTC", [Event(name="open", time=NOON)]) as reader:
        monkeypatch.setattr(reader, "environments", lambda project: [])  # as before the index's next step
        answer = ask(reader, SPAN, definitions=NOTHING)
        assert list(answer) == ["waiting", "start"]
        assert answer["waiting"]["text"].startswith("It is being counted")


def test_what_is_left_to_do_stands_last(tmp_path: Path) -> None:
    with reading(tmp_path, "UTC", [Event(name="open", time=NOON)]) as reader:
        answer = ask(reader, SPAN, definitions=NOTHING)
        assert list(answer) == ["totals", "events", "pages", "names", "movers", "start"]
        assert {row[0]: row[1] for row in answer["start"]["rows"]} == {
            "Make a project": "done",
            "Make a key": "done",
            "Send a first event": "done",
            "Define a feature": "open",
            "Invite a teammate": "done",
        }
        assert "start" not in ask(reader, SPAN)
