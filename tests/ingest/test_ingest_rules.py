"""What a project defines changes what is stored of its requests, and of no other's."""

from typing import Any

import pytest

from saastracker.app import App
from saastracker_own_traffic.sorting import OwnTraffic
from saastracker_path_rules.patterns import PathRules
from tests.ingest.driving import Shop, Site

WHO = "ada@example.com"


def define(app: App, shop: Shop, kind: str, value: Any) -> None:
    app.definitions.create(shop.id, kind, value=value, who=WHO)


def view(path: str) -> dict[str, Any]:
    return {"event_type": "pageview", "user": {"anonymous_id": "v"}, "url": f"https://shop.example{path}"}


def test_paths_are_stored_clean(site: Site, shop: Shop) -> None:
    other = site.add_project()
    define(site.app, shop, "path-rules", PathRules(patterns=("/u/:id/*",), numbers=True))
    bodies = [view("/u/7/orders/5?token=secret#x"), view("/about")]
    site.send(*(each.page(body) for each in (shop, other) for body in bodies))
    assert sorted(shop.stored("path")) == ["/about", "/u/:id/orders/:number"]
    assert sorted(other.stored("path")) == ["/about", "/u/7/orders/5"]


def test_own_traffic_is_answered_counted_and_not_stored(
    site: Site, shop: Shop, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    before = site.rejections().get("own_traffic", 0)
    define(
        site.app, shop, "own-traffic", OwnTraffic(addresses=("198.51.100.0/24",), users=("me",), hosts=("localhost",))
    )
    mine = "198.51.100.77"
    answers = [
        *site.send(shop.page(view("/a")), shop.tag(), client=mine),
        *site.send(shop.page(view("/b"), x_forwarded_for=mine), client="10.0.0.1"),
        *site.send(
            shop.people([{"event_type": "c", "user": {"id": "me"}}, {"event_type": "d", "user": {"id": "you"}}]),
            shop.page({**view("/e"), "url": "http://localhost:3000/e"}),
            client="192.0.2.9",
        ),
    ]
    assert [answer.status_code for answer in answers] == [200, 202, 200, 200, 200]
    assert answers[1].json() == {"accepted": 1}
    assert shop.stored() == ["d"]
    counts, details = shop.refused()
    assert counts == {"own_traffic": 5}
    assert site.rejections()["own_traffic"] - before == 5
    assert {each.detail for each in details} == {"pageview", "x", "c"}
    assert mine not in repr(details) + caplog.text + "".join(capfd.readouterr())
    assert mine.encode() not in site.database.read_bytes()


def test_the_addresses_of_a_servers_requests_say_nothing(site: Site, shop: Shop) -> None:
    define(site.app, shop, "own-traffic", OwnTraffic(addresses=("198.51.100.0/24",)))
    site.send(shop.hmac(), shop.people({"event_type": "c", "user": {"id": "u"}}), client="198.51.100.7")
    assert sorted(shop.stored()) == ["c", "x"]
