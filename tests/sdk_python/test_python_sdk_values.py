"""What the Python SDK makes of values that are no JSON, and of what is no event."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest

from saastracker_sdk import Drop, Failure, Nanosights, Owlsignal, Saastracker, Usermaven
from tests.sdk_python.answering import answering
from tests.sdk_python.sending import KEY, Sending


class Odd:
    def __str__(self) -> str:
        raise RuntimeError("no text")

    __repr__ = __str__


def deep() -> list[Any]:
    value: list[Any] = []
    for _ in range(100_000):
        value = [value]
    return value


def itself() -> dict[str, Any]:
    value: dict[str, Any] = {"rows": [1]}
    value["rows"].append(value)
    return value


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
        ([1, float("nan")], "[1, nan]"),
        ({(1, 2): 3}, "{(1, 2): 3}"),
        (itself(), "{'rows': [1, {...}]}"),
        (Odd(), "<Odd>"),
        (deep(), "<list>"),
        ({"x" * 2000: float("nan")}, "{'" + "x" * 998),
    ],
    ids=["nan", "inf", "within", "key", "itself", "text", "deep", "long"],
)
@pytest.mark.parametrize("named", ["a", "error"])
def test_a_property_that_is_no_json_is_told_as_python_prints_it(value: object, told: str, named: str) -> None:
    own = {"value": value, "order": 3, (1, 2): "pair", 5: None, "when": datetime(2026, 5, 6)}
    with answering() as script:
        sending = Sending(script)
        if named == "error":
            sending.client.track_error(Failure("T", "m"), user="ada", attributes=own)  # type: ignore[arg-type]
        else:
            sending.client.track(named, user={"id": "ada", "custom": own}, attributes=own)  # type: ignore[arg-type]
        sending.client.close()
    assert sending.drops == []
    [event] = json.loads(script.asked[0].body)
    readable = {"value": told, "order": 3, "(1, 2)": "pair", "5": None, "when": "2026-05-06T00:00:00"}
    if named == "error":
        assert event["event_attributes"] == {**readable, "type": "T", "message": "m"}
    else:
        assert event["event_attributes"] == event["user"]["custom"] == readable


@pytest.mark.parametrize(
    "event",
    [
        {"user": {"id": float("nan")}},
        {"user": "ada", "company": {"id": itself()}},
        {"user": "ada", "title": Odd()},
        {"user": "ada", "attributes": {"value": "x" * 300_000}},
    ],
    ids=["nan", "itself", "text", "large"],
)
def test_what_is_no_event_is_told_and_does_not_raise(event: Any) -> None:
    with answering() as script:
        sending = Sending(script)
        sending.client.track("a", **event)
        sending.track("b")
        sending.client.close()
    assert script.names == ["b"]
    assert [drop.reason for drop in sending.drops] == ["invalid"]
    assert "event_type" in sending.drops[0].events[0]


@pytest.fixture
def told() -> list[Drop]:
    return []


@pytest.fixture
def clients(told: list[Drop]) -> Iterator[dict[str, Any]]:
    """Of a server that is not there."""
    url = "http://127.0.0.1:1"
    options: Any = {"on_drop": told.append, "exit_timeout": 0}
    made: dict[str, Any] = {
        "saastracker": Saastracker(url, app_uuid=UUID(int=1), api_secret="secret", **options),
        "nanosights": Nanosights(url, project_key="key", **options),
        "usermaven": Usermaven(url, **KEY, **options),
        "owlsignal": Owlsignal(url, key="key", build_version="1", player="ada", **options),
    }
    yield made
    for client in made.values():
        client.close()


@pytest.mark.parametrize("time", ["2026-05-06", 5, Odd(), datetime.min], ids=["text", "number", "odd", "too early"])
def test_a_time_that_is_none_is_told(clients: dict[str, Any], told: list[Drop], time: object) -> None:
    clients["saastracker"].track("a", user="ada", org="acme", time=time)
    clients["usermaven"].track("a", user="ada", time=time)
    assert [drop.reason for drop in told] == ["invalid"] * 2
    if time is not datetime.min:  # which ISO 8601 has
        clients["nanosights"].track("a", time=time)
        clients["nanosights"].track_metric("LCP", 1.0, time=time)
        clients["owlsignal"].track_design("a", time=time)
        assert [drop.reason for drop in told] == ["invalid"] * 6  # with the session that begins


@pytest.mark.parametrize("who", [None, 5, "caf\udce9", Odd()], ids=["nobody", "number", "half", "odd"])
def test_a_person_that_is_none_is_told(clients: dict[str, Any], told: list[Drop], who: object) -> None:
    clients["saastracker"].track("a", user=who, org="acme")
    clients["owlsignal"].identify(who)
    clients["owlsignal"].track_design("a")
    assert [drop.reason for drop in told] == ["invalid"] * 3


def test_half_a_character_arrives_as_a_question_mark() -> None:
    with answering() as script:
        sending = Sending(script)
        sending.client.track("a", user="ada", attributes={"file": "caf\udce9.txt"})
        sending.client.close()
    assert json.loads(script.asked[0].body)[0]["event_attributes"] == {"file": "caf?.txt"}
