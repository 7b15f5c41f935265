"""The usermaven formats: what one body says, as an event."""

from typing import Any

import msgspec
import pytest

from saastracker.errors import Invalid
from saastracker.event import Event, identity
from saastracker.testing import NOW, PROJECT, request
from saastracker.testing.formats import WireFormatContract
from saastracker.wire import WireFormat
from saastracker_usermaven import Usermaven, wire_formats

SERVER, BROWSER = wire_formats()
FIREFOX = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:127.0) Gecko/20100101 Firefox/127.0"
SAMPLE: dict[str, Any] = {
    "api_key": "KEY.SECRET",
    "event_id": "e1",
    "event_type": "plan_upgraded",
    "_timestamp": 1_632_150_122_000,
    "event_attributes": {"amount": 100, "currency": "USD", "value": 2.5},
    "ids": {"fbp": "fb.1"},
    "user": {
        "anonymous_id": "a1",
        "id": "u1",
        "email": "Jane@Example.com",
        "created_at": "2021-01-20T09:55:35",
        "first_name": "Jane",
        "last_name": "",
        "custom": {"plan_name": "premium"},
    },
    "company": {"id": 7, "name": "Acme", "created_at": "2022-02-15T17:25:08", "custom": {"mrr": 90}},
    "src": "http",
    "url": "https://shop.example/pricing?utm_source=news#top",
    "page_title": "Pricing",
    "doc_path": "/pricing",
    "doc_host": "shop.example",
    "doc_search": "",
    "referer": "https://search.example/find?q=shop",
    "screen_resolution": "1280x720",
    "user_agent": FIREFOX,
    "utm": {"source": "news", "medium": "mail", "campaign": "spring", "term": "t"},
}
MINIMAL: dict[str, Any] = {"event_type": "a", "user": {"id": "u1"}}


def one(body: Any, form: WireFormat = SERVER, query: str = "", headers: dict[str, str] | None = None) -> Event:
    """The only event of a request with this body."""
    (event,) = form.decode(request(msgspec.json.encode(body), query=query, headers=headers), PROJECT).events
    return event


def minimal(**fields: Any) -> Event:
    return one(MINIMAL | fields)


def said(text: str | None) -> Any:
    return None if text is None else msgspec.json.decode(text)


class TestServerContract(WireFormatContract):
    properties = "event_attributes"
    batches = True

    def make(self) -> Usermaven:
        return Usermaven(SERVER.name, SERVER.sender, SERVER.endpoints)

    def sample(self) -> dict[str, Any]:
        return dict(SAMPLE)

    def envelope(self, events: list[Any]) -> Any:
        return events


class TestBrowserContract(TestServerContract):
    def make(self) -> Usermaven:
        return Usermaven(BROWSER.name, BROWSER.sender, BROWSER.endpoints)

    def envelope(self, events: list[Any]) -> Any:
        return events if len(events) > 1 else events[0]


def test_every_field_finds_its_place() -> None:
    event = one(SAMPLE)
    assert event == Event(
        name="plan_upgraded",
        type="custom",
        time=1_632_150_122_000,
        user="u1",
        anonymous="a1",
        org="7",
        path="/pricing",
        value=2.5,
        referrer="search.example",
        source="news",
        medium="mail",
        campaign="spring",
        user_agent=FIREFOX,
        host="shop.example",
        id=identity("e1", "u1", 1_632_150_122_000),
        properties=event.properties,
        traits=event.traits,
    )
    assert said(event.properties) == {
        "amount": 100,
        "currency": "USD",
        "ids": {"fbp": "fb.1"},
        "src": "http",
        "url": "https://shop.example/pricing?utm_source=news#top",
        "page_title": "Pricing",
        "doc_host": "shop.example",
        "referer": "https://search.example/find?q=shop",
        "screen_resolution": "1280x720",
        "utm": {"term": "t"},
    }
    assert said(event.traits) == {
        "user": {
            "email": "Jane@Example.com",
            "created_at": "2021-01-20T09:55:35",
            "first_name": "Jane",
            "custom": {"plan_name": "premium"},
        },
        "company": SAMPLE["company"],
    }


def test_a_name_and_a_person_are_enough() -> None:
    assert minimal() == Event(name="a", user="u1")


@pytest.mark.parametrize(
    ("name", "kind"), [("user_identify", "identify"), ("group", "identify"), ("pageview", "pageview"), ("x", "custom")]
)
def test_the_type_follows_the_name(name: str, kind: str) -> None:
    assert minimal(event_type=name).type == kind


@pytest.mark.parametrize("name", ["", None, "x" * 256, 5])
def test_a_name_is_required(name: Any) -> None:
    with pytest.raises(Invalid, match=r"^\$\.event_type: "):
        minimal(event_type=name)


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"user": "u1"}, "user"),
        ({"user": {"id": True}}, "user.id"),
        ({"user": {"id": "x" * 256}}, "user.id"),
        ({"user": {"id": "u1", "email": 5}}, "user.email"),
        ({"user": {"anonymous_id": {"a": 1}}}, "user.anonymous_id"),
        ({"company": [1]}, "company"),
        ({"company": {"id": []}, "utm": 5}, "utm"),
        ({"company": {"id": {"a": 1}}}, "company.id"),
        ({"event_attributes": "text"}, "event_attributes"),
        ({"event_id": "x" * 256}, "event_id"),
        ({"_timestamp": "soon"}, "_timestamp"),
        ({"_timestamp": True}, "_timestamp"),
        ({"_timestamp": -1}, "_timestamp"),
        ({"_timestamp": 10**18}, "_timestamp"),
        ({"_timestamp": "1e999"}, "_timestamp"),
        ({"utc_time": "soon"}, "utc_time"),
        ({"utc_time": 5}, "utc_time"),
        ({"url": ["x"]}, "url"),
        ({"utm": {"source": 5}}, "utm.source"),
        ({"eventn_ctx": 5}, "eventn_ctx"),
    ],
)
def test_a_field_that_breaks_its_rule_is_named(fields: dict[str, Any], path: str) -> None:
    with pytest.raises(Invalid) as refused:
        minimal(**fields)
    assert refused.value.detail.startswith(f"$.{path}: ")


@pytest.mark.parametrize(
    ("fields", "time"),
    [
        ({}, None),
        ({"_timestamp": 1_632_150_122_000}, 1_632_150_122_000),
        ({"_timestamp": 1_632_150_122_000.9}, 1_632_150_122_000),
        ({"_timestamp": "1632150122000"}, 1_632_150_122_000),
        ({"_timestamp": "", "utc_time": "2026-05-06T12:34:56.789Z"}, NOW + 789),
        ({"_timestamp": None, "utc_time": "2026-05-06T12:34:56.789123Z"}, NOW + 789),
        ({"_timestamp": 0, "utc_time": "2026-05-06T12:34:56Z"}, 0),
        ({"utc_time": ""}, None),
    ],
)
def test_when_it_was(fields: dict[str, Any], time: int | None) -> None:
    assert minimal(**fields).time == time


def test_an_empty_event_id_deduplicates_nothing() -> None:
    assert minimal(event_id="").id is minimal(event_id=None).id is None


def test_an_event_id_counts_for_its_person_and_time() -> None:
    ids = {
        minimal(event_id="e").id,
        minimal(event_id="e", user={"id": "u2"}).id,
        minimal(event_id="e", user={"anonymous_id": "u2"}).id,
        minimal(event_id="e", _timestamp=1).id,
        minimal(event_id="f").id,
    }
    assert len(ids) == 4  # a user and a visitor of the same name are one person to this digest
    assert minimal(event_id="e", page_title="other").id in ids


def test_the_api_key_is_kept_nowhere() -> None:
    event = minimal(api_key="K.S", eventn_ctx={"api_key": "K.S"}, event_attributes={"api_key": "K.S", "a": 1})
    assert event == Event(name="a", user="u1", properties='{"a":1}')


def test_attributes_win_over_the_page_and_stay_as_sent() -> None:
    event = minimal(page_title="Page", event_attributes={"page_title": "Mine", "nothing": None, "empty": []})
    assert said(event.properties) == {"page_title": "Mine", "nothing": None, "empty": []}


@pytest.mark.parametrize(
    ("value", "number"), [(5, 5.0), (0, 0.0), ("5", None), (True, None), ([5], None), (-1.7e308, None)]
)
def test_only_a_number_becomes_the_value(value: Any, number: float | None) -> None:
    event = minimal(event_attributes={"value": value})
    assert event.value == number
    assert said(event.properties) == (None if number is not None else {"value": value})


@pytest.mark.parametrize("empty", [None, [], {}, ""])
def test_an_empty_array_stands_for_an_empty_object(empty: Any) -> None:
    fields = dict.fromkeys(("company", "ids", "event_attributes", "utm", "eventn_ctx"), empty)
    assert minimal(**fields) == Event(name="a", user="u1")


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"doc_path": "/a?b=1#c", "url": "https://shop.example/d"}, "/a"),
        ({"url": "https://shop.example/d?e"}, "/d"),
        ({"url": "https://shop.example"}, "/"),
        ({"doc_path": "", "url": ""}, None),
    ],
)
def test_the_path_has_no_query(fields: dict[str, Any], path: str | None) -> None:
    assert minimal(**fields).path == path


@pytest.mark.parametrize(
    ("fields", "referrer"),
    [
        ({"referer": "https://search.example:8443/a"}, "search.example"),
        ({"referer": "https://shop.example/a", "url": "https://shop.example/b"}, None),
        ({"referer": "https://shop.example/a", "doc_host": "shop.example"}, None),
        ({"referer": "https://shop.example/a", "doc_host": ["shop.example"]}, "shop.example"),
        ({"referer": ""}, None),
    ],
)
def test_a_page_does_not_refer_to_itself(fields: dict[str, Any], referrer: str | None) -> None:
    assert minimal(**fields).referrer == referrer


def test_the_campaign_of_the_address_serves_without_utm() -> None:
    event = minimal(url="https://shop.example/?utm_source=news&utm_medium=mail&utm_campaign=x%20y", utm={})
    assert (event.source, event.medium, event.campaign) == ("news", "mail", "x y")


def test_only_a_browsers_header_is_the_persons_user_agent() -> None:
    headers = {"User-Agent": "from the header"}
    assert one(MINIMAL, BROWSER, headers=headers).user_agent == "from the header"
    assert one(MINIMAL, SERVER, headers=headers).user_agent is None
    for form in (SERVER, BROWSER):
        assert one(MINIMAL | {"user_agent": "from the body"}, form, headers=headers).user_agent == "from the body"
