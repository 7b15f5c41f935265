"""The list of issues and the page of one, compared with a plain count over the events."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from saastracker.errors import Invalid, NotFound
from saastracker.event import Event
from saastracker.issues.kinds import Issue
from saastracker.testing import InMemoryDefinitions
from saastracker.web.faces import iso
from tests.asking import FIRST, FOREIGN, LAST, SPAN, START, Row, inside, keys, prop, rows
from tests.indexed import DAY, HOUR, ZONES, reading
from tests.plugins.errors.failing import CAUSES, KEYS, TAGGERS, error, failing, listed, opened

QUERIES: dict[str, Callable[[Event], bool]] = {
    "": lambda event: True,
    "environment=staging": lambda event: event.environment == "staging",
    "org=x": lambda event: event.org == "x",
    "org=x&org=y&environment=production": lambda event: event.org in {"x", "y"} and event.environment == "production",
    "name=error": lambda event: event.name == "error",
    "f=release:is:1.1": lambda event: event.release == "1.1",
    "f=prop.scene:exists&org=y": lambda event: prop(event, "scene") is not None and event.org == "y",
    "user=u1": lambda event: (event.user or event.anonymous) == "u1",
}
MERGED = InMemoryDefinitions({"issue": [Issue(keys=(KEYS[1], KEYS[3])), Issue(keys=(KEYS[3], KEYS[4]))]})
OWNER = {1: KEYS[1], 3: KEYS[1], 4: KEYS[4]}  # by cause; a key belongs to the older definition


def owner(row: Row) -> str | None:
    cause = prop(row.event, "cause")
    return None if cause is None else OWNER.get(cause, KEYS[cause])


def people(found: Sequence[Row]) -> int:
    return len({row.person for row in found} - {None})


def organizations(found: Sequence[Row]) -> int:
    return len({row.event.org for row in found} - {None})


def counts(found: Sequence[Row]) -> list[int]:
    return [len(found), people(found), organizations(found)]


def releases(of: Sequence[Row], every: Sequence[Row]) -> tuple[str | None, str | None]:
    begun: dict[str, int] = {}
    for row in sorted(every, key=lambda row: row.event.time or 0):
        if row.event.release:
            begun.setdefault(row.event.release, row.event.time or 0)
    had = sorted({row.event.release for row in of if row.event.release}, key=lambda name: (begun[name], name))
    return (had[0], had[-1]) if had else (None, None)


def figures(answer: Any) -> tuple[list[Any], list[Any]]:
    return tuple([figure[name] for figure in answer["totals"]["figures"]] for name in ("value", "previous"))  # type: ignore[return-value]


@settings(max_examples=8, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    sizes=st.lists(st.integers(0, 60), min_size=1, max_size=3),
    zone=st.sampled_from(ZONES),
    rebuilt=st.booleans(),
)
def test_equals_a_slow_count(
    tmp_path_factory: pytest.TempPathFactory, seed: int, sizes: list[int], zone: str, rebuilt: bool
) -> None:
    batches = [failing(seed + number, size) for number, size in enumerate(sizes)]
    every = rows([event for batch in batches for event in batch], zone)
    errors = [row for row in every if owner(row)]
    shift = timedelta(days=(LAST - FIRST).days + 1)
    folder = tmp_path_factory.mktemp("errors")
    with reading(folder, zone, *batches, foreign=FOREIGN, taggers=TAGGERS, rebuilt=rebuilt) as reader:
        for query, chosen in QUERIES.items():
            now = inside(errors, chosen)
            before = [row for row in errors if chosen(row.event) and FIRST <= row.local.date() + shift <= LAST]
            found, answer = listed(reader, f"{SPAN}&{query}", zone, MERGED)
            assert found.keys() == {owner(row) for row in now}, query
            for issue, row in found.items():
                mine = [row for row in errors if owner(row) == issue]
                times = [row.event.time or 0 for row in mine]
                assert [row[name] for name in ("events", "persons", "organizations")] == counts(
                    [row for row in now if owner(row) == issue]
                ), query
                assert (row["first_release"], row["last_release"]) == releases(mine, errors)
                assert row["first_seen"] == iso(min(times))
                assert row["last_seen"] == iso(max(times))
                assert row["status"] == "open"
            assert figures(answer) == (
                [len({owner(row) for row in now}), *counts(now)],
                [len({owner(row) for row in before}), *counts(before)],
            )
            by_day = Counter(row.local.date() for row in now)
            dates = [FIRST + timedelta(days=number) for number in range(shift.days)]
            points = [(point["at"], point["values"]["events"]) for point in answer["days"]["points"]]
            assert points == [(date, by_day[date]) for date in dates]
        first = {owner(row): min(each.local.date() for each in errors if owner(each) == owner(row)) for row in errors}
        new, _ = listed(reader, f"{SPAN}&status=new", zone, MERGED)
        assert new.keys() == {issue for issue, day in first.items() if FIRST <= day <= LAST}


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 10**6), zone=st.sampled_from(ZONES), rebuilt=st.booleans())
def test_one_issue_equals_a_slow_count(
    tmp_path_factory: pytest.TempPathFactory, seed: int, zone: str, rebuilt: bool
) -> None:
    sent = [*failing(seed, 80), error(1, 1, time=START + 5 * DAY, org="x"), error(2, 1, time=START, org="x")]
    every = rows(sent, zone)
    folder = tmp_path_factory.mktemp("errors")
    with reading(folder, zone, sent[:40], sent[40:], taggers=TAGGERS, rebuilt=rebuilt) as reader:
        for query, chosen in QUERIES.items():
            for asked, issue in ((KEYS[3], KEYS[1]), (KEYS[2], KEYS[2])):
                mine = [row for row in inside(every, chosen) if owner(row) == issue]
                answer = opened(reader, asked, f"{SPAN}&{query}", zone, MERGED)
                assert figures(answer)[0] == counts(mine), query
                assert "newest" not in answer
                newest = sorted(mine, key=lambda row: (row.event.time, row.event.sequence), reverse=True)
                assert [row[0] for row in answer["events"]["rows"]] == [iso(row.event.time or 0) for row in newest[:10]]
                for block, number in (("organizations", 3), ("people", 2)):
                    of = [(row.event.org if number == 3 else row.person and row.person[1]) for row in mine]
                    assert dict(answer[block]["rows"]) == count(of), query
                for key, value in BREAKDOWNS.items():
                    values = {value(row.event) for row in mine} - {None}
                    expected = {each: [row for row in mine if value(row.event) == each] for each in values}
                    block = answer.get(f"by_{key}", {"rows": []})
                    assert {name: [events, persons] for name, events, persons in block["rows"]} == {
                        each: [len(of), people(of)] for each, of in expected.items()
                    }, (query, key)


BREAKDOWNS: dict[str, Callable[[Event], Any]] = {
    "release": lambda event: event.release,
    "environment": lambda event: event.environment,
    "browser": lambda event: event.browser,
    "scene": lambda event: prop(event, "scene"),
    "dim01": lambda event: prop(event, "dim01"),
    "dim02": lambda event: None,
}


def count(names: Sequence[str | None]) -> dict[str | None, int]:
    """How often each is there; persons of one name count together, as a user may have the id of an anonymous one."""
    return dict(Counter(name for name in names if name))


def test_each_cause_is_an_issue() -> None:
    assert len(set(KEYS)) == len(CAUSES)


def test_a_golden_list(tmp_path: Path) -> None:
    """Worked out by hand: most organizations first, whatever the number of errors."""
    noon = START + 5 * DAY + 12 * HOUR
    sent = [
        *(error(2, number, time=noon + number, user="u1", org="x", release="1.0") for number in range(5)),
        error(0, 7, time=noon, user="u2", org="x", release="1.1"),
        error(0, 8, time=noon + DAY, anonymous="a1", org="y", release="1.0"),
        error(0, 9, time=START - 40 * DAY, user="u9", org="z", release="0.9"),
        error(4, time=noon),
        Event(name="open", time=noon, user="u3", org="z"),
    ]
    with reading(tmp_path, "UTC", sent, taggers=TAGGERS) as reader:
        found, answer = listed(reader, SPAN)
        assert keys(answer["issues"])[:10] == [
            *("issue", "title", "status", "events", "persons", "organizations"),
            *("first_seen", "last_seen", "first_release", "last_release"),
        ]
        assert [list(row.values())[:6] for row in found.values()] == [
            [KEYS[0], "TypeError: no 8", "open", 2, 2, 2],
            [KEYS[2], "out of memory: 4 KB", "open", 5, 1, 1],
            [KEYS[4], "nothing to say", "open", 1, 0, 0],
        ]
        assert list(found[KEYS[0]].values())[6:10] == [
            "2026-09-10T00:00:00.000Z",
            "2026-10-26T12:00:00.000Z",
            "0.9",
            "1.1",
        ]
        assert found[KEYS[0]]["culprit"] == "quotes/compare:renderLegs"
        assert figures(answer)[0] == [3, 8, 3, 2]
        page = opened(reader, KEYS[0], SPAN)
        assert page["frames"]["rows"] == [
            ["renderLegs", "quotes/compare", 8, "product"],
            ["update", "quotes/compare", 88, "product"],
        ]
        assert page["organizations"]["rows"] == [["x", 1], ["y", 1]]
        assert page["people"]["rows"] == [["a1", 1], ["u2", 1]]
        assert page["by_release"]["rows"] == [["1.0", 1, 1], ["1.1", 1, 1]]
        assert page["issue"]["rows"] == [
            [KEYS[0], "TypeError: no 8", "open", *list(found[KEYS[0]].values())[6:10], None],
        ]


def test_errors_of_nobody_are_found(tmp_path: Path) -> None:
    sent = [error(5, time=START + 5 * DAY + number) for number in range(12)]
    with reading(tmp_path, "UTC", sent, taggers=TAGGERS) as reader:
        page = opened(reader, KEYS[5], SPAN)
        assert figures(page)[0] == [12, 0, 0]
        assert len(page["events"]["rows"]) == 10
        assert page["by_environment"]["rows"] == [["production", 12, 0]]
        assert page["frames"]["rows"] == []
        assert listed(reader, SPAN)[0][KEYS[5]]["title"].startswith("NullRefRef")


def test_an_empty_span_and_an_unknown_issue(tmp_path: Path) -> None:
    with reading(tmp_path, "UTC", [error(0, time=START + 5 * DAY)], taggers=TAGGERS) as reader:
        empty = "from=2025-01-01&to=2025-01-02"
        found, answer = listed(reader, empty)
        assert found == {}
        assert figures(answer) == ([0, 0, 0, 0], [0, 0, 0, 0])
        page = opened(reader, KEYS[0], empty)
        assert figures(page)[0] == [0, 0, 0]
        assert page["events"]["rows"] == []
        with pytest.raises(NotFound, match=r"No error belongs to the issue 1-abc\."):
            opened(reader, "1-abc", SPAN)


def test_a_project_without_events(tmp_path: Path) -> None:
    with reading(tmp_path, "UTC", taggers=TAGGERS) as reader:
        found, answer = listed(reader, SPAN)
        assert found == {}
        assert "counting" not in answer


def test_what_is_still_counted_is_said(tmp_path: Path) -> None:
    with reading(tmp_path, "UTC", [error(0, time=START + 5 * DAY)]) as reader:
        assert listed(reader, SPAN)[1]["counting"]["text"].startswith("Still counting: the index has gone through 0%")


def test_only_the_newest_errors_are_broken_down(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("saastracker_errors.page.NEWEST_MAX", 3)
    sent = [error(0, time=START + 5 * DAY + number, release=f"1.{number // 2}") for number in range(6)]
    with reading(tmp_path, "UTC", sent, taggers=TAGGERS) as reader:
        page = opened(reader, KEYS[0], SPAN)
        assert page["newest"]["text"] == "What follows is counted over the newest 3 of 6 errors."
        assert page["by_release"]["rows"] == [["1.2", 2, 0], ["1.1", 1, 0]]


def test_too_many_errors_are_not_read_one_by_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("saastracker.issues.raw.READ_MAX", 5)
    with reading(
        tmp_path, "UTC", [error(0, time=START + 5 * DAY + number) for number in range(6)], taggers=TAGGERS
    ) as reader:
        assert listed(reader, SPAN)[0][KEYS[0]]["events"] == 6
        with pytest.raises(Invalid, match="too many errors to look at one by one"):
            listed(reader, f"{SPAN}&f=prop.cause:exists")


def test_what_is_counted_together_is_shown_as_such(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("saastracker.folding.KEYS_MAX", 1)
    sent = [error(cause, time=START + 5 * DAY, user=f"u{cause}") for cause in (0, 0, 1, 2)]
    with reading(tmp_path, "UTC", sent, taggers=TAGGERS) as reader:
        found = listed(reader, SPAN)[0]
        assert sum(row["events"] for row in found.values()) == 4
        assert len(found) == 2
        assert (found["(other)"]["title"], found["(other)"]["status"]) == (None, "open")
        assert found["(other)"]["first_seen"] is None


def test_properties_of_any_kind_are_broken_down(tmp_path: Path) -> None:
    sent = [
        Event(name="error", time=START + 5 * DAY, properties=json.dumps({"message": "m", "scene": value}))
        for value in (3, 2.5, True, None, "", ["a"], {"b": 1})
    ]
    with reading(tmp_path, "UTC", sent, taggers=TAGGERS) as reader:
        [issue] = listed(reader, SPAN)[0]
        assert {row[0] for row in opened(reader, issue, SPAN)["by_scene"]["rows"]} == {"3", "2.5", "True"}
