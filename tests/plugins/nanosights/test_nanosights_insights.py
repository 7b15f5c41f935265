"""Web vitals and timings of the nanosights format, as events."""

from typing import Any

import msgspec
import pytest

from saastracker.errors import Invalid
from saastracker.event import Event
from saastracker.testing import NOW, PROJECT, request
from saastracker.testing.formats import WireFormatContract
from saastracker_nanosights import Insights

INSIGHT: dict[str, Any] = {
    "projectKey": "key",
    "metric_type": "web_vital",
    "metric_name": "LCP",
    "metric_value": 1834.5,
    "metric_unit": "ms",
    "url": "https://shop.example/page",
    "sessionId": "s1",
}
TIMINGS = {
    "dns_lookup": 1,
    "tcp_connection": 2,
    "server_response": 3,
    "dom_interactive": 4,
    "dom_complete": 5,
    "page_load": 6.5,
    "total_page_load": 7,
}


def insights(**fields: Any) -> list[Event]:
    return Insights().decode(request(msgspec.json.encode(fields)), PROJECT).events


def properties(event: Event) -> Any:
    return None if event.properties is None else msgspec.json.decode(event.properties)


class TestInsightsContract(WireFormatContract):
    properties = None

    def make(self) -> Insights:
        return Insights()

    def sample(self) -> dict[str, Any]:
        return dict(INSIGHT)


def test_a_web_vital() -> None:
    (event,) = insights(**INSIGHT)
    assert event == Event(
        name="LCP",
        type="vital",
        value=1834.5,
        anonymous="s1",
        session="s1",
        path="/page",
        host="shop.example",
        properties=event.properties,
    )
    assert properties(event) == {
        "url": "https://shop.example/page",
        "metric_type": "web_vital",
        "metric_unit": "ms",
    }


def test_web_vitals_is_another_spelling_of_its_type() -> None:
    (event,) = insights(**INSIGHT | {"metric_type": "web-vitals"})
    assert properties(event)["metric_type"] == "web_vital"


def test_every_timing_is_an_event() -> None:
    events = insights(metric_type="navigation_timing", page_path="/a", timestamp="2026-05-06T12:34:56Z", **TIMINGS)
    assert {event.name: event.value for event in events} == TIMINGS
    assert {(event.type, event.path, event.time) for event in events} == {("vital", "/a", NOW)}


def test_a_metric_and_timings_in_one_request() -> None:
    events = insights(**INSIGHT, dns_lookup=0, page_load=None)
    assert {event.name: event.value for event in events} == {"LCP": 1834.5, "dns_lookup": 0.0}


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"metric_type": "web_vital"}, "metric_name"),
        ({"metric_value": 1}, "metric_name"),
        ({"metric_name": "x" * 256, "metric_value": 1}, "metric_name"),
        ({"metric_name": "LCP"}, "metric_value"),
        ({"metric_name": "LCP", "metric_value": 1.7e308}, "metric_value"),
        ({"metric_name": "LCP", "metric_value": "1"}, "metric_value"),
        ({"dns_lookup": "fast"}, "dns_lookup"),
    ],
)
def test_a_metric_needs_a_name_and_a_number(fields: dict[str, Any], path: str) -> None:
    with pytest.raises(Invalid, match=rf"^\$\.{path}: "):
        insights(**fields)
