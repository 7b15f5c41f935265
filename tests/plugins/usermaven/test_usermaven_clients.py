"""The usermaven formats: requests of the real clients, as events."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from usermaven.client import Client

from saastracker.event import Event, identity
from saastracker.testing import NOW, PROJECT, recorded, request
from saastracker.testing.formats import check_event
from saastracker_usermaven import wire_formats

CAPTURES = Path(__file__).parents[2] / "captures"
SERVER, BROWSER = wire_formats()
FIREFOX = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:127.0) Gecko/20100101 Firefox/127.0"
HEADLESS = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/156.0.0.0 Safari/537.36"
)


def captured(name: str) -> list[Event]:
    """The events of a recorded request, none of them rejected."""
    sent = recorded(CAPTURES / f"{name}.json")
    decoded = (SERVER if "/s2s/" in sent.path else BROWSER).decode(sent, PROJECT)
    assert not decoded.rejected
    for event in decoded.events:
        check_event(event)
    return decoded.events


def sent(*bodies: Any) -> list[Event]:
    """The events of one array sent by a server."""
    return SERVER.decode(request(msgspec.json.encode(bodies)), PROJECT).events


def said(text: str | None) -> Any:
    return None if text is None else msgspec.json.decode(text)


def test_capture_of_a_page_view() -> None:
    (event,) = captured("usermaven-js_02_pageview-initial")
    assert event == Event(
        name="pageview",
        type="pageview",
        time=1_795_187_107_499,
        anonymous="3b34206m3q",
        path="/a",
        referrer="ref.example",
        source="news",
        campaign="x y",
        user_agent=HEADLESS,
        host="localhost",
        id=identity("210m1b620f", "3b34206m3q", 1_795_187_107_499),
        properties=event.properties,
    )
    page = "http://localhost:42785/a?utm_source=news&utm_campaign=x%20y&gclid=G1&q=1#top"
    assert said(event.properties) == {
        "ids": {"fbp": "fb.1.2.3"},
        "local_tz_offset": 0,
        "src": "usermaven",
        "namespace": "default",
        "referer": "http://ref.example/p?q=1",
        "url": page,
        "page_title": "My Page",
        "doc_host": "localhost",
        "doc_search": "?utm_source=news&utm_campaign=x%20y&gclid=G1&q=1",
        "screen_resolution": "1280x720",
        "vp_size": "1280x720",
        "user_language": "en-US",
        "doc_encoding": "UTF-8",
        "referrer": "http://ref.example/p?q=1",
        "title": "My Page",
    }


def test_capture_of_a_batch() -> None:
    events = captured("usermaven-js_04_batch-click-pageview-pageleave")
    assert [(event.name, event.type) for event in events] == [
        ("$autocapture", "custom"),
        ("pageview", "pageview"),
        ("$pageleave", "custom"),
    ]
    assert said(events[0].properties)["autocapture_attributes"]["attr__href"] == "#sec"
    assert len({event.id for event in events}) == 3


@pytest.mark.parametrize(
    ("name", "kind", "org"),
    [
        ("usermaven-js_08_user_identify", "identify", "c_1"),
        ("usermaven-js_09_group", "identify", "c_2"),
        ("usermaven-js_10_track-custom", "custom", "c_2"),
    ],
)
def test_captures_of_a_known_person(name: str, kind: str, org: str) -> None:
    (event,) = captured(name)
    assert (event.type, event.user, event.anonymous, event.org) == (kind, "u_1", "3b34206m3q", org)
    assert event.traits is not None
    traits = said(event.traits)
    assert traits["user"]["email"] == "jane@example.com"
    assert "company" not in traits["user"]
    assert traits["company"]["id"] == org


def test_capture_of_strict_privacy() -> None:
    (event,) = captured("usermaven-js_opt-privacy-strict_POST")
    assert (event.user, event.anonymous, event.path, event.source) == (None, None, "/p", "s1")


@pytest.mark.parametrize("name", ["usermaven-js_opt-beacon_POST", "usermaven-js_opt-randomize-url_POST"])
def test_captures_of_other_transports(name: str) -> None:
    assert [event.name for event in captured(name)] == ["e1", "e2"]


def test_captures_of_servers() -> None:
    (track,) = captured("usermaven-python_sync-track")
    assert track == Event(name="sync_evt", user="u1", properties='{"screen_resolution":"0","src":"usermaven-python"}')
    (identify,) = captured("seed-usermaven_identify")
    assert (identify.type, identify.user, identify.anonymous) == ("identify", "lzL24K3kYw", "random_id")
    assert (identify.user_agent, identify.path, identify.referrer) == (FIREFOX, "/example", None)
    bulk = captured("seed-usermaven_bulk")
    assert [event.time for event in bulk] == [1_632_150_122_000, 1_632_150_123_000]
    assert [said(event.properties)["amount"] for event in bulk] == [100, 25]


def test_what_the_python_sdk_sends() -> None:
    client = Client(api_key="KEY", server_token="TOKEN", host="http://127.0.0.1:1", send=False)
    person = {"id": 12, "email": "Jane@Example.com", "created_at": "2021-01-20T09:55:35", "custom": {"plan": "pro"}}
    company = {"id": 7, "name": "Acme", "created_at": "2022-02-15T17:25:08"}
    _, identify = client.identify(person, company)
    _, track = client.track(12, "plan_upgraded", company, {"amount": 100, "value": 3})
    first, second = sent(identify, track)
    assert (first.type, first.user, first.anonymous, first.org, first.id) == ("identify", "12", None, "7", None)
    assert said(first.traits)["user"] == {key: value for key, value in person.items() if key != "id"}
    assert (second.name, second.user, second.anonymous, second.value) == ("plan_upgraded", "12", None, 3.0)
    assert said(second.properties)["amount"] == 100


JITSU_CONTEXT: dict[str, Any] = {
    "event_id": "",
    "user": {"anonymous_id": "vneotfyfm4", "id": "u1", "email": "A@b.c"},
    "ids": {},
    "utc_time": "2026-05-06T12:34:56.308000Z",
    "local_tz_offset": 0,
    "doc_encoding": "",
    "doc_host": "shop.example",
    "doc_path": "/pricing?utm_source=news&gclid=G",
    "doc_search": "?utm_source=news&gclid=G",
    "page_title": "",
    "referer": "https://ref.example/",
    "url": "https://shop.example/pricing?utm_source=news&gclid=G",
    "user_agent": "Mozilla/5.0 X",
    "utm": {"source": "news"},
    "click_id": {"gclid": "G"},
}
JITSU_EVENT: dict[str, Any] = {
    "plan": "pro",
    "api_key": "KEY",
    "src": "jitsu",
    "event_type": "signup",
    "amount": 3,
    "value": 7,
    "source_ip": "81.2.69.160",
}


@pytest.mark.parametrize(
    "body", [JITSU_CONTEXT | JITSU_EVENT, JITSU_EVENT | {"eventn_ctx": JITSU_CONTEXT}], ids=["flat", "nested"]
)
def test_what_jitsu_sends_from_a_server(body: dict[str, Any]) -> None:
    (event,) = sent(body)
    assert event == Event(
        name="signup",
        time=NOW + 308,
        user="u1",
        anonymous="vneotfyfm4",
        path="/pricing",
        value=7.0,
        referrer="ref.example",
        source="news",
        user_agent="Mozilla/5.0 X",
        address="81.2.69.160",
        host="shop.example",
        properties=event.properties,
        traits='{"user":{"email":"A@b.c"}}',
    )
    assert said(event.properties) == {
        "plan": "pro",
        "src": "jitsu",
        "amount": 3,
        "local_tz_offset": 0,
        "doc_host": "shop.example",
        "doc_search": "?utm_source=news&gclid=G",
        "referer": "https://ref.example/",
        "url": "https://shop.example/pricing?utm_source=news&gclid=G",
        "click_id": {"gclid": "G"},
    }
