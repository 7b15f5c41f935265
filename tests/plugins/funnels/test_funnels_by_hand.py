"""Funnels with numbers worked out by hand."""

from pathlib import Path
from typing import Any

import pytest

from saastracker.contracts import Reader
from saastracker.errors import Invalid, NotFound
from saastracker.event import Event
from saastracker.report import STEP_COLUMNS, Report
from saastracker.testing import InMemoryDefinitions
from saastracker.web.faces import csv_block, iso
from saastracker_funnels import PARAMETERS, detail, load, preview
from tests.asking import SPAN, blocks, keys, scope
from tests.indexed import DAY, HOUR, at, reading
from tests.plugins.funnels.defining import SIGN_UP, funnel

NOON = at("2026-10-24 12:00")


def ask(reader: Reader, query: str = "", *, zone: str = "UTC", **fields: Any) -> dict[str, Any]:
    asked = scope(f"{SPAN}&{query}", zone, declared=PARAMETERS)
    return blocks(detail(InMemoryDefinitions({"funnel": [funnel(**fields)]}), reader, asked, "1"), asked)


def entered(answer: dict[str, Any]) -> list[int]:
    return [row[1] for row in answer["steps"]["rows"]]


def visit(person: str, *names: str, start: int = NOON, **fields: Any) -> list[Event]:
    """Events of one person, an hour apart; `-` leaves an hour out."""
    return [
        Event(name=name, time=start + hour * HOUR, user=person, **fields)
        for hour, name in enumerate(names)
        if name != "-"
    ]


PEOPLE = [
    *visit("all", "open", "save", "export", org="x", plan="pro"),
    *visit("slowly", "open", "-", "other", "save", "-", "export", org="x", plan="team"),
    *visit("backwards", "export", "save", "open", org="y", plan="pro"),
    *visit("once", "open", "save", org="y"),
]


def test_sequential(tmp_path: Path) -> None:
    with reading(tmp_path, "UTC", PEOPLE) as reader:
        answer = ask(reader, "by=plan&dropped=3")
        assert keys(answer["steps"]) == [column.key for column in STEP_COLUMNS]
        assert answer["steps"]["rows"] == [
            ["open", 4, 1.0, None, None, None],
            ["save", 3, 0.75, 0.75, 3600.0, 10800.0],
            ["export", 2, 0.5, 2 / 3, 5400.0, 7200.0],
        ]
        assert [(figure["key"], figure["value"]) for figure in answer["totals"]["figures"]] == [
            *[("entered", 4), ("converted", 2), ("conversion", 0.5), ("median_seconds", 12600.0)]
        ]
        assert answer["breakdown"]["rows"] == [["pro", 2, 1, 0.5], ["team", 1, 1, 1.0], [None, 1, 0, 0.0]]
        assert answer["dropped"]["rows"] == [["once", iso(NOON), iso(NOON + HOUR)]]
        assert [point["values"] for point in answer["days"]["points"]][:3] == [
            {"entered": 0, "converted": 0, "conversion": None},
            {"entered": 4, "converted": 2, "conversion": 0.5},
            {"entered": 0, "converted": 0, "conversion": None},
        ]


def test_strict(tmp_path: Path) -> None:
    with reading(tmp_path, "UTC", PEOPLE) as reader:
        assert entered(ask(reader, order="strict")) == [4, 2, 1]


def test_any(tmp_path: Path) -> None:
    with reading(tmp_path, "UTC", PEOPLE) as reader:
        answer = ask(reader, order="any")
        assert answer["steps"]["rows"] == [
            ["1 of 3", 4, 1.0, None, None, None],
            ["2 of 3", 4, 1.0, 1.0, 3600.0, 10800.0],
            ["3 of 3", 3, 0.75, 0.75, 3600.0, 7200.0],
        ]


def test_nine_tenths_wait_no_longer(tmp_path: Path) -> None:
    events = [event for wait in range(10) for event in visit(f"p{wait}", "open", *"-" * wait, "save")]
    with reading(tmp_path, "UTC", events) as reader:
        assert ask(reader)["steps"]["rows"][1] == ["save", 10, 1.0, 1.0, 5.5 * 3600, 9 * 3600.0]


def test_per_organization(tmp_path: Path) -> None:
    # Of y nobody exports after the first to open did.
    with reading(tmp_path, "UTC", PEOPLE) as reader:
        assert entered(ask(reader, per="organization")) == [2, 2, 1]
        assert ask(reader, "dropped=3", per="organization")["dropped"]["rows"] == [["y", iso(NOON), iso(NOON + HOUR)]]


def test_per_session(tmp_path: Path) -> None:
    sessions = [
        *visit("ann", "open", "save", session="morning"),
        *visit("ann", "export", start=NOON + 2 * HOUR, session="noon"),
        *visit("bob", "open", "save", "export", session="morning"),
        *visit("none", "open", "save", "export"),
        Event(name="open", time=NOON, session="nobody"),
    ]
    with reading(tmp_path, "UTC", sessions) as reader:
        answer = ask(reader, "dropped=3", per="session")
        assert entered(answer) == [2, 2, 1]
        assert answer["dropped"]["rows"] == [["ann", "morning", iso(NOON), iso(NOON + HOUR)]]


def test_the_window_reaches_past_the_span_and_contains_its_end(tmp_path: Path) -> None:
    late = at("2026-11-03 23:00")
    events = [
        *(Event(name="open", time=late, user=who) for who in ("ann", "bob", "eve")),
        Event(name="save", time=late + 7 * DAY, user="ann"),
        Event(name="save", time=late + 7 * DAY + 1, user="bob"),
        Event(name="save", time=late + 90 * DAY, user="eve"),
        Event(name="open", time=late + 2 * HOUR, user="after"),
    ]
    two = [{"name": "open"}, {"name": "save"}]
    with reading(tmp_path, "UTC", events) as reader:
        assert entered(ask(reader, steps=two)) == [3, 1]
        assert entered(ask(reader, steps=two, window_days=89)) == [3, 2]
        assert entered(ask(reader, steps=two, window_days=90)) == [3, 3]
        assert entered(ask(reader, steps=two, window_days=0)) == [3, 3]


@pytest.mark.parametrize(("zone", "counted"), [("Europe/Amsterdam", 25), ("UTC", 24)])
def test_days_of_entry_where_clocks_change(tmp_path: Path, zone: str, counted: int) -> None:
    start = at("2026-10-25 00:00", zone)  # that day has 25 hours in Amsterdam
    events = [
        event for hour in range(27) for event in visit(f"p{hour}", "open", "save", "export", start=start + hour * HOUR)
    ]
    with reading(tmp_path, zone, events) as reader:
        points = ask(reader, zone=zone)["days"]["points"]
        assert [point["values"]["converted"] for point in points][1:4] == [0, counted, 27 - counted]


def test_an_anonymous_beginning_is_joined(tmp_path: Path) -> None:
    before = [Event(name="open", time=NOON, anonymous="tab")]
    after = [
        Event(name="identify", time=NOON + HOUR, anonymous="tab", user="ann"),
        Event(name="save", time=NOON + 2 * HOUR, user="ann"),
        Event(name="open", time=NOON - HOUR, user="ann"),  # late, and then the only attempt
    ]
    with reading(tmp_path, "UTC", before, after) as reader:
        answer = ask(reader, "dropped=3")
        assert answer["steps"]["rows"][1] == ["save", 1, 1.0, 1.0, 10800.0, 10800.0]
        assert answer["dropped"]["rows"] == [["ann", iso(NOON - HOUR), iso(NOON + 2 * HOUR)]]


def test_optional_steps_and_exclusions(tmp_path: Path) -> None:
    steps = [{"name": "open"}, {"name": "save", "optional": True}, {"name": "export"}]
    events = [
        *visit("without", "open", "export"),
        *visit("with", "open", "save", "export"),
        *visit("left", "open", "save", "leave", "export"),
    ]
    with reading(tmp_path, "UTC", events) as reader:
        answer = ask(reader, "dropped=2", steps=steps, exclude=[{"name": "leave"}])
        assert answer["steps"]["rows"] == [
            ["open", 3, 1.0, None, None, None],
            ["save", 2, 2 / 3, 2 / 3, 3600.0, 3600.0],
            ["export", 2, 2 / 3, 2 / 3, 5400.0, 7200.0],  # of all who opened
        ]
        assert answer["dropped"]["rows"] == [["without", iso(NOON), iso(NOON + HOUR)]]
        assert entered(ask(reader, steps=steps)) == [3, 2, 3]


def test_filters_choose_the_events_of_all_steps(tmp_path: Path) -> None:
    events = [
        *visit("ann", "open", country="DE"),
        *visit("ann", "-", "save", country="NL"),
        *visit("ann", "-", "-", "save", "export", country="DE"),
        *visit("bob", "open", "save", "export", environment="staging"),
    ]
    with reading(tmp_path, "UTC", events) as reader:
        answer = ask(reader, "f=country:is:DE")
        assert answer["steps"]["rows"][1] == ["save", 1, 1.0, 1.0, 7200.0, 7200.0]
        assert entered(ask(reader, "f=country:is:DE", order="strict")) == [1, 1, 1]
        assert entered(ask(reader, order="strict")) == [2, 2, 1]
        assert entered(ask(reader, "environment=staging&name=open&name=save")) == [1, 1, 0]


def test_paths_and_properties(tmp_path: Path) -> None:
    events = [
        Event(name="view", type="pageview", time=NOON, user="ann", path="/pricing/team"),
        Event(name="view", type="custom", time=NOON, user="bob", path="/pricing"),
        Event(name="view", type="pageview", time=NOON, user="eve", path="/price"),
        *visit("ann", "-", "buy", properties='{"seats": 5, "plan": "pro"}'),
        *visit("bob", "-", "buy", properties='{"seats": "5", "plan": "free"}', path="/a/b"),
    ]
    steps = [{"name": "view", "path_prefix": "/pricing"}, {"name": "buy", "properties": {"seats": 5, "plan": "pro"}}]
    with reading(tmp_path, "UTC", events) as reader:
        answer = ask(reader, "by=prop.seats", steps=steps)
        assert [row[:2] for row in answer["steps"]["rows"]] == [["view /pricing", 2], ["buy seats=5 plan=pro", 1]]
        assert answer["breakdown"]["rows"] == [[None, 2, 1, 0.5]]
        fewer = [steps[0], {"name": "buy", "properties": {"seats": "5"}}]
        assert entered(ask(reader, steps=fewer)) == [2, 2]
        custom = [{"name": "view"}, {"name": "buy", "path_prefix": "/a", "properties": {"plan": "free"}}]
        assert entered(ask(reader, steps=custom)) == [3, 1]
        reverse = ask(reader, "by=prop.seats", steps=[steps[1], {"name": "view"}])
        assert reverse["breakdown"]["rows"] == [["5", 1, 0, 0.0]]


def test_long_lists_are_cut(tmp_path: Path) -> None:
    events = [
        event
        for number in range(1010)
        for event in visit(f"p{number}", "open", country=f"{number % 25:02}", start=NOON + number)
    ]
    with reading(tmp_path, "UTC", events) as reader:
        answer = ask(reader, "by=country&dropped=2")
        rows = answer["breakdown"]["rows"]
        assert (len(rows), rows[0], rows[-1]) == (21, ["00", 41, 0, 0.0], ["(other)", 200, 0, 0.0])
        assert sum(row[1] for row in rows) == 1010
        assert answer["dropped"]["total"] == 1010
        assert len(answer["dropped"]["rows"]) == 1000
        assert answer["dropped"]["rows"][0][0] == "p1009"


def test_the_list_of_funnels(tmp_path: Path) -> None:
    several = [funnel(), funnel(name="Quick", steps=[*SIGN_UP["steps"][:2]], order="any")]
    asked = scope(SPAN)
    with reading(tmp_path, "UTC", PEOPLE) as reader:
        table = blocks(load(InMemoryDefinitions({"funnel": several}), reader, asked), asked)["funnels"]
        assert keys(table) == ["id", "name", "steps", "entered", "converted", "conversion"]
        assert table["rows"] == [
            ["1", "Sign up", "open → save → export", 4, 2, 0.5],
            ["2", "Quick", "open, save", 4, 4, 1.0],
        ]
        seen = blocks(preview(reader, asked, InMemoryDefinitions(), several[1], several[0]), asked)
        assert [row[:2] for row in seen["steps"]["rows"]] == [["1 of 2", 4], ["2 of 2", 4]]
        assert seen["current"]["rows"][2][:2] == ["export", 2]
        assert blocks(preview(reader, asked, InMemoryDefinitions(), several[1], None), asked).keys() == {"steps"}
        none = load(InMemoryDefinitions(), reader, asked)
        assert [block.key for block in none.blocks] == ["funnels", "none"]


def test_nothing_happened(tmp_path: Path) -> None:
    with reading(tmp_path, "UTC", visit("ann", "other")) as reader:
        for order in ("sequential", "strict", "any"):
            for per in ("person", "organization", "session"):
                answer = ask(reader, "by=plan&dropped=2", order=order, per=per)
                assert [row[1:] for row in answer["steps"]["rows"]] == [[0] + [None] * 4] * 3
                assert [figure["value"] for figure in answer["totals"]["figures"]] == [0, 0, None, None]
                assert [figure["previous"] for figure in answer["totals"]["figures"]] == [0, 0, None, None]
                assert answer["breakdown"]["rows"] == answer["dropped"]["rows"] == []
        report = _report(reader, "")
        assert csv_block(report.blocks[0]).startswith(b"name,entered,from_first,from_previous,")


def _report(reader: Reader, query: str, wanted: str = "1") -> Report:
    asked = scope(f"{SPAN}&{query}", declared=PARAMETERS)
    return detail(InMemoryDefinitions({"funnel": [funnel()]}), reader, asked, wanted)


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("dropped=4", "dropped: this funnel has 3 steps"),
        ("by=user", "by: unknown column user, allowed are name, type, path"),
        ("by=prop.", "by: a property's key has 1 to"),
    ],
)
def test_what_cannot_be_asked(tmp_path: Path, query: str, told: str) -> None:
    with reading(tmp_path, "UTC", PEOPLE) as reader, pytest.raises(Invalid, match=told):
        _report(reader, query)


def test_an_unknown_funnel(tmp_path: Path) -> None:
    with reading(tmp_path, "UTC", PEOPLE) as reader, pytest.raises(NotFound):
        _report(reader, "", "2")
