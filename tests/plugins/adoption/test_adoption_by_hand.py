"""Numbers of the report on adoption that were worked out by hand, and what it says before there are any."""

import json
from datetime import date
from pathlib import Path

import msgspec
import pytest

from saastracker.errors import Invalid, NotFound
from saastracker.event import Event
from saastracker.testing import InMemoryDefinitions
from saastracker_adoption import listing, uses
from saastracker_adoption.feature import Feature
from tests.asking import SPAN, keys, scope
from tests.indexed import at, reading
from tests.plugins.adoption.following import BODIES, COLUMNS, ask, following, page

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
        assert "button above" in answer["empty"]["text"]
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
