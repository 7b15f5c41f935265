"""The preview of a feature: who would count if it were saved, against who does now; worked out by hand."""

import random
from pathlib import Path
from typing import Any

import msgspec
import pytest

from saastracker.report import Report
from saastracker.testing import InMemoryDefinitions
from saastracker_adoption import definitions, uses
from saastracker_adoption.feature import Feature
from tests.asking import SPAN, blocks, made, scope
from tests.plugins.adoption.following import BODIES, ask, following
from tests.plugins.adoption.test_adoption_by_hand import SMALL

NONE = InMemoryDefinitions({})
OPEN = {"name": "Opening", "rules": [{"name": "open"}]}
SAVE = {"name": "Saving", "rules": [{"name": "save"}, {"name": "sve", "path_prefix": "/a", "properties": {"n": 1}}]}


def feature(body: dict[str, Any]) -> Feature:
    return msgspec.convert(body, Feature)


def told(tmp_path: Path, body: dict[str, Any], current: dict[str, Any] | None = None) -> dict[str, Any]:
    [kind] = definitions(None)  # type: ignore[arg-type]
    assert kind.preview is not None
    with following(tmp_path, "UTC", SMALL, defined=NONE) as reader:
        report: Report = kind.preview(reader, scope(SPAN), NONE, feature(body), current and feature(current))
        return blocks(report, scope(SPAN))


def figures(answer: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    return {each["key"]: (each["value"], each["previous"]) for each in answer["totals"]["figures"]}


def test_a_new_one(tmp_path: Path) -> None:
    answer = told(tmp_path, OPEN)
    # In the span acme opens twice, gamma and nobody's u9 once, delta twice; active are beta and epsilon, too.
    assert figures(answer) == {
        "adopters": (3, None),
        "adoption": (0.6, None),
        "person_adopters": (4, None),  # u1, a1, u5, u9
        "events": (6, None),
    }
    assert answer["rules"]["rows"] == [["open", 6, 3, 4]]
    assert answer["organizations"]["rows"] == [["acme", 2], ["delta", 2], ["gamma", 1]]
    assert "silent" not in answer


def test_against_the_saved_one(tmp_path: Path) -> None:
    answer = told(tmp_path, SAVE, OPEN | {"min_events": 2})
    assert figures(answer) == {
        "adopters": (4, 2),
        "adoption": (0.8, 0.4),
        "person_adopters": (3, 4),  # u3, u4, u1
        "events": (4, 6),
    }
    assert answer["rules"]["rows"] == [["save", 4, 4, 3], ["sve, on /a…, n is 1", 0, 0, 0]]
    assert answer["silent"]["text"] == "No event matches sve, on /a…, n is 1."
    assert answer["organizations"]["rows"] == [
        ["gamma", "gained", 1, 1],
        ["beta", "gained", 1, 0],
        ["epsilon", "gained", 1, 0],
        ["delta", "lost", 0, 2],
    ]


def test_where_nobody_begins_or_ceases(tmp_path: Path) -> None:
    answer = told(tmp_path, OPEN | {"name": "Open"}, OPEN)
    assert answer["same"]["text"] == "No organization would begin or cease to count."
    assert "organizations" not in answer
    assert all(value == previous for value, previous in figures(answer).values())


def test_it_gives_what_the_report_says_once_it_is_saved(tmp_path: Path) -> None:
    [kind] = definitions(None)  # type: ignore[arg-type]
    assert kind.preview is not None
    sent = made(random.Random(7).randrange(10**6), 120)
    with following(tmp_path, "Europe/Berlin", sent) as reader:
        asked = scope(SPAN, "Europe/Berlin")
        by_name = {row[0]: row for row in ask(reader, asked)["features"]["rows"]}
        for body in BODIES:
            values = figures(blocks(kind.preview(reader, asked, NONE, feature(body), None), asked))
            _, _, adopters, adoption, _, person_adopters, *_ = by_name[body["name"]]
            assert [values[key][0] for key in ("adopters", "adoption", "person_adopters")] == [
                adopters,
                adoption,
                person_adopters,
            ]


def test_too_many_events_are_not_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uses, "EVENTS_MAX", 1)
    answer = told(tmp_path, {"name": "Opening", "rules": [{"name": "open", "path_prefix": "/"}]})
    assert list(answer) == ["many"]
