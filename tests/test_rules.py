"""Rules tell which events fit, and a property's text means what it means in a filter."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from saastracker.event import Event
from saastracker.rules import Rule, matches, tagging
from saastracker.testing import PROJECT
from tests.indexed import at, reading


def rule(**fields: Any) -> Rule:
    return msgspec.json.decode(json.dumps({"name": "open", **fields}), type=Rule)


@pytest.mark.parametrize(
    ("fields", "fits"),
    [
        ({}, True),
        ({"name": "opened"}, False),
        ({"path_prefix": "/a"}, True),
        ({"path_prefix": "/a/b/c"}, False),
        ({"path_prefix": "a"}, False),
        ({"properties": {"n": 5}}, True),
        ({"properties": {"n": "5"}}, True),
        ({"properties": {"n": 5, "on": True, "half": 0.5}}, True),
        ({"properties": {"n": 5, "on": False}}, False),
        ({"properties": {"on": "true", "of.it": "é", "list": '[1,"x"]'}}, True),
        ({"properties": {"on": 1}}, False),
        ({"properties": {"none": "null"}}, False),
        ({"properties": {"absent": ""}}, False),
        ({"properties": {"within": 1}}, False),
        ({"path_prefix": "/a", "properties": {"n": 5}}, True),
    ],
)
def test_which_events_fit(fields: dict[str, Any], fits: bool) -> None:
    properties = {"n": 5, "on": True, "half": 0.5, "of.it": "é", "list": [1, "x"], "none": None, "deep": {"within": 1}}
    assert matches(rule(**fields), "open", "/a/b", json.dumps(properties)) is fits
    given = {"name": "open", "path": "/a/b", "properties": json.dumps(properties)}
    made = tagging([rule(name="other"), rule(**fields)])
    assert list(made.keys(*(given[column] for column in made.columns))) == [""] * fits


def test_an_event_without_path_and_properties() -> None:
    assert matches(rule(), "open", None, None)
    assert not matches(rule(path_prefix="/"), "open", None, None)
    assert not matches(rule(properties={"n": 5}), "open", None, None)


def test_only_what_is_needed_is_read() -> None:
    assert tagging([rule(), rule(name="save")]).columns == ("name",)
    assert tagging([rule(), rule(path_prefix="/a")]).columns == ("name", "path")
    assert tagging([rule(properties={"n": 1})]).columns == ("name", "properties")
    assert tagging([rule(), rule(name="save")]).wanted == {"name": frozenset({"open", "save"})}


def test_a_property_has_the_text_that_filters_compare(tmp_path: Path) -> None:
    values = ["", "5", "é", "true", True, False, 5, -3, 5.0, 0.25, 2**53 + 1, [1, 2], {"a": "b"}, None]
    sent = [Event(name="open", time=at("2026-11-01 12:00"), properties=json.dumps({"k": value})) for value in values]
    wanted = ["", "5", "5.0", "é", "true", "false", True, False, 5, 5.0, -3, 0.25, "0.25", 2**53 + 1, "[1,2]", "null"]
    with reading(tmp_path, "UTC", sent) as reader:
        for value in wanted:
            text = value if isinstance(value, str) else json.dumps(value)
            rows = reader.query(
                "SELECT properties FROM events WHERE project = :project AND prop(:key) = :text ORDER BY sequence",
                project=PROJECT.id,
                key="k",
                text=text,
            )
            fitting = rule(properties={"k": value})
            found = [event.properties for event in sent if matches(fitting, "open", None, event.properties)]
            assert found == [properties for (properties,) in rows], value


def test_wrong_rules_are_refused() -> None:
    wrongs: list[dict[str, Any]] = [
        {"name": ""},
        {"name": "x" * 256},
        {"path_prefix": ""},
        {"properties": {}},
        {"properties": {"n": None}},
        {"properties": {"n": [1]}},
        {"properties": {f"k{number}": 1 for number in range(21)}},
        {"prefix": "/a"},
    ]
    for wrong in wrongs:
        with pytest.raises(msgspec.ValidationError):
            rule(**wrong)
