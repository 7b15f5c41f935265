"""The saastracker format keeps the contract and the table of its fields."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from saastracker.errors import Invalid
from saastracker.event import YEAR_MS, Event
from saastracker.testing import NOW, PROJECT, recorded, request
from saastracker.testing.formats import WireFormatContract
from saastracker.wire import Endpoint, Outcome, Reply
from saastracker_events import SaastrackerEvents

CAPTURES = Path(__file__).parents[2] / "captures"
USER = "7462108984f629db2ced1aeb2dc3e747e53a2e1c607059f72955ab864c724335"
MINIMAL = {"event": "Report Exported", "user_hash": USER, "customer_org_id": "org_456"}
FULL = {
    **MINIMAL,
    "path": "/reports/7?tab=all#top",
    "session_id": "0193B3C8-7B1E-7C3A-9C1D-2F3A4B5C6D7E",
    "environment": "staging",
    "plan": "growth",
    "ts_epoch": 1_777_777_777,
    "properties": {"rows": 12, "format": "csv", "nested": {"a": [1, None, True]}},
}


def decode(**fields: Any) -> Event:
    """The event of a minimal body with these fields, None leaving one out."""
    sent = {key: value for key, value in (MINIMAL | fields).items() if value is not ...}
    decoded = SaastrackerEvents().decode(request(msgspec.json.encode(sent)), PROJECT)
    assert decoded.rejected == ()
    return decoded.events[0]


class TestContract(WireFormatContract):
    def make(self) -> SaastrackerEvents:
        return SaastrackerEvents()

    def sample(self) -> dict[str, Any]:
        return FULL


def test_where_it_is_offered() -> None:
    form = SaastrackerEvents()
    assert (form.name, form.cors, form.sender) == ("saastracker", False, "server")
    assert form.endpoints == (Endpoint("/v1/events", "hmac"),)


def test_every_field() -> None:
    event = decode(**FULL)
    assert event == Event(
        name="Report Exported",
        type="custom",
        time=1_777_777_777_000,
        user=USER,
        org="org_456",
        session="0193b3c8-7b1e-7c3a-9c1d-2f3a4b5c6d7e",
        path="/reports/7",
        environment="staging",
        plan="growth",
        properties='{"rows":12,"format":"csv","nested":{"a":[1,null,true]}}',
    )


@pytest.mark.parametrize("name", ["seed-saastracker_curl", "seed-saastracker_python"])
def test_recorded_requests(name: str) -> None:
    decoded = SaastrackerEvents().decode(recorded(CAPTURES / f"{name}.json"), PROJECT)
    assert decoded.events == [Event(name="page_view", type="pageview", user=USER, org="org_456", path="/dashboard")]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"event": "x" * 255}, {"name": "x" * 255}),
        ({"event": "é" * 255}, {"name": "é" * 255}),
        ({"event": "$pageview"}, {"type": "pageview"}),
        ({"event": "exception"}, {"type": "error"}),
        ({"event": "group"}, {"type": "identify"}),
        ({"user_hash": USER.upper()}, {"user": USER}),
        ({"customer_org_id": 456}, {"org": "456"}),
        ({"customer_org_id": 0}, {"org": "0"}),
        ({"customer_org_id": -(2**63)}, {"org": str(-(2**63))}),
        ({"customer_org_id": "Org_A"}, {"org": "Org_A"}),
        ({"path": "/"}, {"path": "/"}),
        ({"path": "/" + "x" * 2047}, {"path": "/" + "x" * 2047}),
        ({"environment": "e" * 32}, {"environment": "e" * 32}),
        ({"environment": ""}, {"environment": "production"}),
        ({"plan": ""}, {"plan": None}),
        ({"ts_epoch": 0}, {"time": 0}),
        ({"ts_epoch": (NOW + YEAR_MS) // 1000}, {"time": (NOW + YEAR_MS) // 1000 * 1000}),
        ({"properties": {}}, {"properties": None}),
        ({"value": 5, "user_id": "x", "unknown": [{}]}, {"value": None, "properties": None}),
        (
            dict.fromkeys(("path", "session_id", "environment", "plan", "ts_epoch", "properties")),
            {
                "path": None,
                "session": None,
                "environment": "production",
                "plan": None,
                "time": None,
                "properties": None,
            },
        ),
    ],
)
def test_what_is_taken(fields: dict[str, Any], expected: dict[str, Any]) -> None:
    event = decode(**fields)
    assert {name: getattr(event, name) for name in expected} == expected


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"event": ...}, "event"),
        ({"event": None}, "$.event"),
        ({"event": ""}, "$.event"),
        ({"event": "x" * 256}, "$.event"),
        ({"event": 5}, "$.event"),
        ({"user_hash": ...}, "user_hash"),
        ({"user_hash": USER[:-1]}, "$.user_hash"),
        ({"user_hash": USER + "0"}, "$.user_hash"),
        ({"user_hash": USER[:-1] + "g"}, "$.user_hash"),
        ({"user_hash": USER[:-1] + "\n"}, "$.user_hash"),
        ({"user_hash": USER + "\n"}, "$.user_hash"),
        ({"user_hash": USER[:-1] + "٣"}, "$.user_hash"),
        ({"customer_org_id": ...}, "customer_org_id"),
        ({"customer_org_id": None}, "$.customer_org_id"),
        ({"customer_org_id": ""}, "$.customer_org_id"),
        ({"customer_org_id": "x" * 256}, "$.customer_org_id"),
        ({"customer_org_id": 1.5}, "$.customer_org_id"),
        ({"customer_org_id": True}, "$.customer_org_id"),
        ({"customer_org_id": 2**63}, "$.customer_org_id"),
        ({"path": "dashboard"}, "$.path"),
        ({"path": ""}, "$.path"),
        ({"path": "x\n/"}, "$.path"),
        ({"path": "/" + "x" * 2048}, "$.path"),
        ({"session_id": "not-a-uuid"}, "$.session_id"),
        ({"session_id": ""}, "$.session_id"),
        ({"environment": "e" * 33}, "$.environment"),
        ({"plan": "p" * 65}, "$.plan"),
        ({"ts_epoch": -1}, "$.ts_epoch"),
        ({"ts_epoch": (NOW + YEAR_MS) // 1000 + 1}, "$.ts_epoch"),
        ({"ts_epoch": 2**62}, "$.ts_epoch"),
        ({"ts_epoch": 1.5}, "$.ts_epoch"),
        ({"ts_epoch": "1777777777"}, "$.ts_epoch"),
        ({"properties": []}, "$.properties"),
        ({"properties": "a"}, "$.properties"),
        ({"properties": {"a": {"b": "\0"}}}, "$.properties.a.b"),
        ({"properties": {"a": "x" * 32_768}}, "$.properties"),
        ({"properties": {str(index): index for index in range(256)}}, "$.properties"),
    ],
)
def test_what_is_refused_names_the_field(fields: dict[str, Any], path: str) -> None:
    with pytest.raises(Invalid) as caught:
        decode(**fields)
    assert path in caught.value.detail


@pytest.mark.parametrize("body", [b"[]", b" \n[{}]", b"[" + msgspec.json.encode(MINIMAL) + b"]"])
def test_an_array_is_told_to_come_one_by_one(body: bytes) -> None:
    with pytest.raises(Invalid, match="one event per request"):
        SaastrackerEvents().decode(request(body), PROJECT)


def test_malformed_json_is_named_by_line_and_column() -> None:
    with pytest.raises(Invalid, match="line 2 column 4"):
        SaastrackerEvents().decode(request(b'{"event":"a",\n   }'), PROJECT)


def test_the_answer() -> None:
    assert SaastrackerEvents().reply(Outcome(1)) == Reply(202, b'{"accepted":1}')
