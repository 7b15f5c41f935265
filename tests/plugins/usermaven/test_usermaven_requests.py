"""The usermaven formats: objects, arrays, origins, answers and malformed bodies."""

from typing import Any

import msgspec
import pytest

from saastracker.errors import Forbidden, Invalid
from saastracker.testing import PROJECT, request
from saastracker.wire import Decoded, Outcome, Rejected, Request
from saastracker_usermaven import EVENTS_MAX, wire_formats

SERVER, BROWSER = wire_formats()
MINIMAL: dict[str, Any] = {"event_type": "a", "user": {"id": "u1"}}


def take(body: Any) -> Decoded:
    return SERVER.decode(request(msgspec.json.encode(body)), PROJECT)


def test_a_single_object_is_refused_whole() -> None:
    with pytest.raises(Invalid, match=r"^\$\.event_type: "):
        take({"user": {"id": "u1"}})


def test_in_an_array_each_event_stands_alone() -> None:
    decoded = take([MINIMAL, {"event_type": "b"}, 5, [MINIMAL], MINIMAL | {"event_type": "c"}])
    assert [event.name for event in decoded.events] == ["a", "c"]
    assert [rejected.index for rejected in decoded.rejected] == [1, 2, 3]
    assert decoded.rejected[0].detail.startswith("$.user: ")


def test_an_array_without_a_valid_event_is_refused() -> None:
    with pytest.raises(Invalid, match=r"^\$\[0\]\.user: "):
        take([{"event_type": "b"}, {}])


@pytest.mark.parametrize("count", [0, EVENTS_MAX + 1])
def test_the_number_of_events_is_bounded(count: int) -> None:
    with pytest.raises(Invalid, match=f"got {count}$"):
        SERVER.decode(request(b"[" + b",".join([b"{}"] * count) + b"]"), PROJECT)


def test_thousands_of_events_in_one_array() -> None:
    assert len(take([MINIMAL] * 3000).events) == 3000


def _send(urls: list[str | None], origin: str | None = None) -> Request:
    headers = {} if origin is None else {"Origin": origin}
    return request(msgspec.json.encode([MINIMAL | {"url": url} for url in urls]), headers=headers)


def test_only_listed_origins_may_send_from_browsers() -> None:
    project = msgspec.structs.replace(PROJECT, origins=("shop.example",))
    mixed = _send(["https://shop.example/a", "https://evil.example/"])
    decoded = BROWSER.decode(mixed, project)
    assert len(decoded.events) == 1
    assert [(each.index, each.reason) for each in decoded.rejected] == [(1, "origin")]
    with pytest.raises(Forbidden):
        BROWSER.decode(_send(["https://evil.example/", None], "https://evil.example"), project)
    assert BROWSER.decode(_send([None], "https://shop.example"), project).events
    assert len(SERVER.decode(mixed, project).events) == 2


def test_the_answers_are_what_the_clients_wait_for() -> None:
    for form in (SERVER, BROWSER):
        assert form.reply(Outcome(1)) == form.reply(Outcome(0))
        assert (form.reply(Outcome(3)).status, form.reply(Outcome(3)).body) == (200, b'{"status":"ok"}')
        partly = form.reply(Outcome(1, (Rejected(2, "$.user: why", "invalid"),)))
        assert partly.status == 200
        assert msgspec.json.decode(partly.body) == {
            "status": "ok",
            "rejected": [{"index": 2, "detail": "$.user: why"}],
        }


def test_where_they_are_offered() -> None:
    assert (SERVER.name, SERVER.sender, SERVER.cors) == ("usermaven", "server", True)
    assert {(each.path, each.scheme) for each in SERVER.endpoints} == {
        ("/api/v1/s2s/event", "query-token"),
        ("/api/v1/s2s/events", "query-token"),
    }
    assert (BROWSER.name, BROWSER.sender, BROWSER.cors) == ("usermaven-browser", "browser", True)
    assert {(each.path, each.scheme) for each in BROWSER.endpoints} == {
        ("/api/v1/event", "query-key"),
        ("/api.*", "query-key"),
    }


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (b'{\n  "event_type": "a", // once\n  "user": {"id": "u1"}\n}', "line 2 column 22"),
        (b'{\n  "src": "http"\n  "url": "http://localhost/"\n}', "line 3 column 3"),
        (b'[\n  {"user": {"custom": {"plan": "x",}}}\n]', "line 2 column 36"),
        (b'[{"event_type": "a"}', "line 1 column 21"),
    ],
)
def test_malformed_json_is_refused_with_its_place(body: bytes, place: str) -> None:
    for form in (SERVER, BROWSER):
        with pytest.raises(Invalid) as refused:
            form.decode(request(body), PROJECT)
        assert refused.value.detail.endswith(f"{place}.")
