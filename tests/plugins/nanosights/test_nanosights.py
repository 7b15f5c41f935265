"""The nanosights formats: what a browser's tag says, as events."""

from typing import Any

import msgspec
import pytest

from saastracker.errors import Forbidden, Invalid
from saastracker.event import Event
from saastracker.testing import PROJECT, request
from saastracker.testing.formats import WireFormatContract
from saastracker.wire import Outcome, Request
from saastracker_nanosights import CustomEvents, Insights, wire_formats

SAMPLE: dict[str, Any] = {
    "projectKey": "key",
    "event_name": "ButtonClick",
    "event_data": {"category": "CTA", "label": "Hero", "value": 1, "custom_field": "custom value"},
    "url": "https://shop.example/page?utm_source=news&utm_medium=mail&utm_campaign=spring",
    "page_title": "Home",
    "page_path": "/home?tab=1",
    "referrer": "https://search.example/find?q=shop",
    "userAgent": "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)",
    "userId": "u1",
    "sessionId": "s1",
    "timestamp": "2025-08-02T14:19:12.000Z",
    "screen": {"width": 1280},
}


def custom(**fields: Any) -> Event:
    """The event of a request with `fields` and nothing else."""
    (event,) = CustomEvents().decode(request(msgspec.json.encode(fields)), PROJECT).events
    return event


def properties(event: Event) -> Any:
    return None if event.properties is None else msgspec.json.decode(event.properties)


class TestCustomContract(WireFormatContract):
    properties = "event_data"

    def make(self) -> CustomEvents:
        return CustomEvents()

    def sample(self) -> dict[str, Any]:
        return dict(SAMPLE)


def test_every_field_finds_its_place() -> None:
    event = custom(**SAMPLE)
    assert event == Event(
        name="ButtonClick",
        type="custom",
        time=1_754_144_352_000,
        user="u1",
        session="s1",
        path="/home",
        value=1.0,
        referrer="search.example",
        source="news",
        medium="mail",
        campaign="spring",
        user_agent="Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)",
        host="shop.example",
        properties=event.properties,
    )
    assert properties(event) == {
        "url": SAMPLE["url"],
        "page_title": "Home",
        "referrer": "https://search.example/find?q=shop",
        "screen": {"width": 1280},
        "category": "CTA",
        "label": "Hero",
        "custom_field": "custom value",
    }


def test_only_a_name_is_required() -> None:
    assert custom(event_name="a") == Event(name="a")


@pytest.mark.parametrize("key", ["event_name", "eventName", "eventType"])
def test_the_name_has_three_spellings(key: str) -> None:
    assert custom(**{key: "page_view"}) == Event(name="page_view", type="pageview")


@pytest.mark.parametrize("fields", [{}, {"event_name": ""}, {"event_name": None}, {"event_name": "x" * 256}])
def test_a_missing_empty_or_long_name_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(Invalid, match=r"^\$\.event_name: "):
        custom(**fields)


def test_an_empty_spelling_gives_way_to_another() -> None:
    assert custom(event_name="", eventType="SignUp").name == "SignUp"


def test_page_location_is_another_spelling_of_url() -> None:
    event = custom(event_name="a", page_location="https://shop.example/a/b?utm_source=x#c")
    assert (event.path, event.source) == ("/a/b", "x")
    assert properties(event) == {"url": "https://shop.example/a/b?utm_source=x#c"}


def test_without_a_user_the_session_names_the_visitor() -> None:
    event = custom(event_name="a", sessionId="s1")
    assert (event.user, event.anonymous, event.session) == (None, "s1", "s1")


def test_ids_may_be_numbers() -> None:
    event = custom(event_name="a", userId=12, sessionId=3.0)
    assert (event.user, event.anonymous, event.session) == ("12", None, "3")


def test_empty_and_null_fields_count_as_absent() -> None:
    fields = dict.fromkeys(SAMPLE.keys() - {"event_name", "screen"})
    assert custom(event_name="a", **fields) == Event(name="a")
    empty = dict.fromkeys(fields, "")
    assert custom(event_name="a", **empty) == Event(name="a")


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("text", {"event_data": "text"}),
        (5, {"event_data": 5}),
        ([1, "a"], {"event_data": [1, "a"]}),
        (None, None),
        ({}, None),
    ],
)
def test_event_data_that_is_no_object_is_kept_as_one_property(data: Any, expected: Any) -> None:
    assert properties(custom(event_name="a", event_data=data)) == expected


@pytest.mark.parametrize(
    ("value", "number"),
    [(2, 2.0), (-0.5, -0.5), ("2", None), (True, None), (None, None), ({"a": 1}, None), (1.7e308, None)],
)
def test_only_a_number_becomes_the_value(value: Any, number: float | None) -> None:
    event = custom(event_name="a", event_data={"value": value})
    assert event.value == number
    assert properties(event) == (None if number is not None else {"value": value})


@pytest.mark.parametrize(("fields", "expected"), [({}, "header"), ({"userAgent": "body"}, "body")])
def test_the_headers_user_agent_serves_without_another(fields: dict[str, str], expected: str) -> None:
    sent = request(msgspec.json.encode({"event_name": "a", **fields}), headers={"User-Agent": "header"})
    (event,) = CustomEvents().decode(sent, PROJECT).events
    assert event.user_agent == expected


@pytest.mark.parametrize("referrer", ["https://shop.example/before", "https://SHOP.example:8443/", "about", ""])
def test_a_page_does_not_refer_to_itself(referrer: str) -> None:
    assert custom(event_name="a", url="https://shop.example/page", referrer=referrer).referrer is None


def test_a_long_url_is_cut() -> None:
    event = custom(event_name="a", url="https://shop.example/" + "p" * 3000)
    assert event.path is not None
    assert len(event.path) == len(properties(event)["url"]) == 2048


@pytest.mark.parametrize("stamp", ["yesterday", "1969-12-31T23:59:59Z", "2027-06-01T00:00:00Z"])
def test_a_time_out_of_bounds_is_refused(stamp: str) -> None:
    with pytest.raises(Invalid, match=r"^\$\.timestamp: "):
        custom(event_name="a", timestamp=stamp)


def test_a_field_of_the_wrong_type_is_named() -> None:
    with pytest.raises(Invalid, match=r"^\$\.page_title: "):
        custom(event_name="a", page_title=5)


def _from(url: str | None, origin: str | None) -> Request:
    headers = {} if origin is None else {"Origin": origin}
    return request(
        msgspec.json.encode({"event_name": "a", "metric_name": "CLS", "metric_value": 0.1, "url": url}), headers=headers
    )


@pytest.mark.parametrize(
    ("url", "origin", "allowed"),
    [
        ("https://shop.example/a", None, True),
        ("https://shop.example/a", "https://evil.example", True),
        (None, "https://shop.example", True),
        ("https://shop.example.evil.example/", "https://shop.example", False),
        ("https://shop.example@evil.example/", None, False),
        ("https://evil.example/?shop.example", None, False),
        (None, None, False),
        (None, "null", False),
    ],
)
@pytest.mark.parametrize("form", wire_formats(), ids=lambda form: form.name)
def test_only_listed_origins_may_send(
    form: CustomEvents | Insights, url: str | None, origin: str | None, allowed: bool
) -> None:
    project = msgspec.structs.replace(PROJECT, origins=("shop.example",))
    if allowed:
        assert form.decode(_from(url, origin), project).events
    else:
        with pytest.raises(Forbidden):
            form.decode(_from(url, origin), project)


@pytest.mark.parametrize("form", wire_formats(), ids=lambda form: form.name)
def test_the_answer_is_for_the_request(form: CustomEvents | Insights) -> None:
    assert form.reply(Outcome(1)).status == 202
    assert msgspec.json.decode(form.reply(Outcome(7)).body) == {"accepted": 1}
    assert msgspec.json.decode(form.reply(Outcome(0)).body) == {"accepted": 0}


def test_where_they_are_offered() -> None:
    offered = {endpoint.path: (form.name, endpoint.scheme) for form in wire_formats() for endpoint in form.endpoints}
    assert offered == {
        "/api/tags/custom": ("nanosights", "project-key"),
        "/api/tags/analytics": ("nanosights", "project-key"),
        "/api/tags/insights": ("nanosights-insights", "project-key"),
    }
    assert all(form.cors and form.sender == "browser" for form in wire_formats())
