"""The owlsignal format keeps the contract, the table of its fields, and rejects bad events one by one."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from saastracker.errors import Invalid
from saastracker.event import YEAR_MS, Event
from saastracker.testing import NOW, PROJECT, recorded, request
from saastracker.testing.formats import WireFormatContract
from saastracker.wire import Decoded, Endpoint, Outcome, Rejected, Reply
from saastracker_owlsignal import Owlsignal

CAPTURES = Path(__file__).parents[2] / "captures"
PLAYER = "0123456789abcdef0123456789abcdef"
MINIMAL = {
    "build_version": "1.4.0",
    "session_id": "00000000-0000-0000-0000-00000000000A",
    "player_hash": PLAYER,
    "ts": "2026-05-06T12:34:56Z",
    "type": "progression",
    "name": "Complete:Tutorial",
}
FULL = {
    **MINIMAL,
    "value": 12.5,
    "dim01": "easy",
    "dim02": "forest",
    "dim03": "sword",
    "data": {"message": "ok", "count": 3, "ratio": 0.5, "first": True, "none": None},
}


def decode(*events: Any) -> Decoded:
    return Owlsignal().decode(request(msgspec.json.encode({"events": events})), PROJECT)


class TestContract(WireFormatContract):
    batches = True
    properties = "data"

    def make(self) -> Owlsignal:
        return Owlsignal()

    def sample(self) -> dict[str, Any]:
        return FULL

    def envelope(self, events: list[Any]) -> Any:
        return {"events": events}


def test_where_it_is_offered() -> None:
    form = Owlsignal()
    assert (form.name, form.cors, form.sender) == ("owlsignal", True, "app")
    assert form.endpoints == (Endpoint("/api/v1/events", "bearer"),)


def test_every_field() -> None:
    (event,) = decode(FULL).events
    properties = event.properties
    event.properties = None
    assert event == Event(
        name="Complete:Tutorial",
        type="progression",
        time=NOW,
        user=PLAYER,
        session="00000000-0000-0000-0000-00000000000a",
        release="1.4.0",
        value=12.5,
    )
    dimensions = {"dim01": "easy", "dim02": "forest", "dim03": "sword"}
    assert properties is not None
    assert msgspec.json.decode(properties) == {
        "message": "ok",
        "count": 3,
        "ratio": 0.5,
        "first": True,
        "none": None,
        **dimensions,
    }


def test_the_recorded_request() -> None:
    decoded = Owlsignal().decode(recorded(CAPTURES / "seed-owlsignal_curl.json"), PROJECT)
    assert decoded.rejected == ()
    assert decoded.events == [
        Event(
            name="Session:Start",
            type="session",
            time=1_778_070_896_000,
            user=PLAYER,
            session="00000000-0000-0000-0000-000000000001",
            release="0.1.0",
            user_agent="curl/7.88.1",
        )
    ]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"build_version": "x" * 64}, {"release": "x" * 64}),
        ({"player_hash": "P" * 64}, {"user": "P" * 64}),
        ({"name": "é" * 100}, {"name": "é" * 100}),
        ({"name": "page_view"}, {"type": "progression"}),
        ({"type": "error"}, {"type": "error"}),
        ({"ts": "2026-05-06T14:34:56.789+02:00"}, {"time": NOW + 789}),
        ({"ts": "2026-05-06T12:34:56"}, {"time": NOW}),
        ({"ts": "1970-01-01"}, {"time": 0}),
        ({"value": -3}, {"value": -3.0}),
        ({"value": 0}, {"value": 0.0}),
        ({"dim01": "d" * 64}, {"properties": '{"dim01":"' + "d" * 64 + '"}'}),
        ({"dim01": "", "dim02": "x"}, {"properties": '{"dim02":"x"}'}),
        ({"dim01": "field", "data": {"dim01": "data"}}, {"properties": '{"dim01":"field"}'}),
        ({"data": {}}, {"properties": None}),
        (dict.fromkeys(("value", "dim01", "dim02", "dim03", "data")), {"value": None, "properties": None}),
    ],
)
def test_what_is_taken(fields: dict[str, Any], expected: dict[str, Any]) -> None:
    decoded = decode(MINIMAL | fields)
    assert decoded.rejected == ()
    assert {name: getattr(decoded.events[0], name) for name in expected} == expected


@pytest.mark.parametrize("field", sorted(MINIMAL))
def test_every_required_field_is_required(field: str) -> None:
    without = {key: value for key, value in MINIMAL.items() if key != field}
    for event in (without, MINIMAL | {field: None}, MINIMAL | {field: 5}, MINIMAL | {field: ""}):
        (rejected,) = decode(event).rejected
        assert field in rejected.detail


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"build_version": "x" * 65}, "$.build_version"),
        ({"session_id": "session-1"}, "$.session_id"),
        ({"player_hash": PLAYER[:-1]}, "$.player_hash"),
        ({"player_hash": "x" * 65}, "$.player_hash"),
        ({"ts": "yesterday"}, "$.ts"),
        ({"ts": "1969-12-31T23:59:59Z"}, "$.ts"),
        ({"ts": "9999-12-31T23:59:59Z"}, "$.ts"),
        ({"ts": "0001-01-01T00:00:00+14:00"}, "$.ts"),
        ({"type": "custom"}, "$.type"),
        ({"type": "x" * 100_000}, "$.type"),
        ({"name": "x" * 101}, "$.name"),
        ({"value": "5"}, "$.value"),
        ({"value": 10**18 * 10}, "$.value"),
        ({"value": -1.1e300}, "$.value"),
        ({"dim02": "d" * 65}, "$.dim02"),
        ({"dim03": 3}, "$.dim03"),
        ({"data": []}, "$.data"),
        ({"data": {"nested": {}}}, "$.data"),
        ({"data": {"list": []}}, "$.data"),
        ({"data": {"text": "\0"}}, "$.data.text"),
        ({"data": {"\0": 1}}, "$.data"),
        ({"data": {"big": 2**63}}, "$.data.big"),
    ],
)
def test_what_is_rejected_names_the_field(fields: dict[str, Any], path: str) -> None:
    decoded = decode(MINIMAL | fields)
    assert decoded.events == []
    (rejected,) = decoded.rejected
    assert rejected.index == 0
    assert rejected.detail.startswith(path)


def test_a_time_one_year_ahead_is_the_last() -> None:
    last = datetime.fromtimestamp(NOW / 1000, UTC) + timedelta(milliseconds=YEAR_MS)
    assert decode(MINIMAL | {"ts": last.isoformat()}).events[0].time == NOW + YEAR_MS
    assert decode(MINIMAL | {"ts": (last + timedelta(milliseconds=1)).isoformat()}).rejected


@pytest.mark.parametrize(
    "body", [b"{}", b'{"events":null}', b'{"events":{}}', b'{"events":[]}', b"[]", b'{"events":[{}']
)
def test_a_body_without_events_is_refused(body: bytes) -> None:
    with pytest.raises(Invalid):
        Owlsignal().decode(request(body), PROJECT)


def test_a_batch_holds_up_to_100_events() -> None:
    assert len(decode(*[MINIMAL] * 100).events) == 100
    with pytest.raises(Invalid, match=r"\$\.events"):
        decode(*[MINIMAL] * 101)


def test_bad_events_are_listed_by_their_place() -> None:
    decoded = decode({}, MINIMAL, None, MINIMAL | {"name": ""}, MINIMAL)
    assert len(decoded.events) == 2
    assert [rejected.index for rejected in decoded.rejected] == [0, 2, 3]
    assert {rejected.reason for rejected in decoded.rejected} == {"invalid"}


@pytest.mark.parametrize(
    ("outcome", "body"),
    [
        (Outcome(2), b'{"accepted":2,"rejected":0,"errors":[]}'),
        (
            Outcome(1, (Rejected(3, "$.ts: wrong"),)),
            b'{"accepted":1,"rejected":1,"errors":[{"index":3,"detail":"$.ts: wrong"}]}',
        ),
        (Outcome(0, (Rejected(0, "wrong"),)), b'{"accepted":0,"rejected":1,"errors":[{"index":0,"detail":"wrong"}]}'),
    ],
)
def test_the_answer(outcome: Outcome, body: bytes) -> None:
    assert Owlsignal().reply(outcome) == Reply(200, body)
