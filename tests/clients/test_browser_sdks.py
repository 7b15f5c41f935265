"""The npm packages, unchanged, on a page of another origin in a real browser."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.clients.browsing import Site, Visit
from tests.serving import Event, Served

USER = {"id": "u_1", "email": "jane@example.com", "created_at": "2021-01-20T09:55:35"}
COMPANY = {"id": "acme", "name": "Acme", "created_at": "2022-02-15T17:25:08"}
UNTIMELY = ("$pageleave", "$scroll")  # whether these are sent depends on how fast a page goes away


@dataclass(frozen=True)
class Sdk:
    """A package as its script tag loads it."""

    name: str
    file: str  # in node_modules
    function: str  # the global that pages call

    @property
    def address(self) -> str:
        return f"/{self.name}/lib.js"


USERMAVEN = Sdk("usermaven-1.5.15", "@usermaven/sdk-js/dist/lib.js", "usermaven")
OLD_USERMAVEN = Sdk("usermaven-1.4.0", "usermaven-1.4.0/dist/web/lib.js", "usermaven")
JITSU = Sdk("jitsu-3.1.5", "@jitsu/sdk-js/dist/web/lib.js", "jitsu")
SDKS = (USERMAVEN, OLD_USERMAVEN, JITSU)
each_sdk = pytest.mark.parametrize("sdk", SDKS, ids=lambda sdk: sdk.name)


class Seen(NamedTuple):
    """What the stream shows of an event; `known` is whether an anonymous id came along."""

    name: str
    path: str
    user: str | None = None
    org: str | None = None
    known: bool = True


class Shop:
    """A page with an SDK, and the server that the SDK sends to."""

    def __init__(self, site: Site, served: Served) -> None:
        self._site = site
        self._key = served.keys["query-token"]["api_key"]
        self._host = served.url
        self.arrivals = served.arrivals(*UNTIMELY)

    def open(self, visit: Visit, sdk: Sdk, path: str, options: str = "") -> None:
        self._site.page = (
            '<button id="buy" class="cta">Buy</button>'
            f'<script src="{sdk.address}" data-key="{self._key}" data-tracking-host="{self._host}" {options}></script>'
        )
        visit.page.goto(self._site.url + path)

    def leave(self, visit: Visit, sdk: Sdk, *call: Any) -> None:
        """Call the SDK and, without waiting, follow a link to a page without it."""
        self._site.page = ""
        with visit.page.expect_navigation():
            visit.page.evaluate(
                "([name, call]) => { window[name](...call); location.href = '/elsewhere' }", [sdk.function, call]
            )

    def seen(self, count: int) -> list[Seen]:
        """What came, in any order: an SDK may send several requests at once."""
        return sorted((_seen(event) for event in self.arrivals(count)), key=str)


def _seen(event: Event) -> Seen:
    return Seen(event["name"], event["path"], event["user"], event["org"], event["anonymous_id"] is not None)


def call(visit: Visit, sdk: Sdk, *arguments: Any) -> None:
    visit.page.evaluate("([name, call]) => { window[name](...call) }", [sdk.function, arguments])


def check(visit: Visit) -> None:
    """Every request was answered, the SDK was content, and the browser had nothing to say."""
    visit.settle()
    assert visit.complaints == []
    assert visit.statuses == [200] * len(visit.sent)
    assert set(visit.preflights) == {204}


@pytest.fixture(scope="module")
def site(packages: Path) -> Iterator[Site]:
    site = Site({sdk.address: packages / sdk.file for sdk in SDKS})
    yield site
    site.close()


@pytest.fixture
def shop(site: Site, served: Served) -> Shop:
    return Shop(site, served)


@each_sdk
def test_a_visit(sdk: Sdk, shop: Shop, visit: Visit) -> None:
    shop.open(visit, sdk, "/a?utm_source=news", 'data-autocapture="true" data-auto-pageview="true"')
    call(visit, sdk, "id", USER)
    org = None if sdk is JITSU else COMPANY["id"]
    if org:
        call(visit, sdk, "group", COMPANY)
    call(visit, sdk, "track", "plan_upgraded", {"amount": 100})
    visit.page.click("#buy")
    visit.page.evaluate("history.pushState({}, '', '/b')")
    if sdk is USERMAVEN:
        call(visit, sdk, "pageview")
    else:
        call(visit, sdk, "track", "pageview")
    expected = [
        Seen("pageview", "/a"),
        Seen("pageview", "/b", "u_1", org),
        Seen("plan_upgraded", "/a", "u_1", org),
        Seen("user_identify", "/a", "u_1"),
    ]
    if org:  # Jitsu knows neither groups nor clicks nor page views by script
        expected += [
            Seen("group", "/a", "u_1", org),
            Seen("$autocapture", "/a", "u_1", org),
            Seen("pageview", "/b", "u_1", org),
        ]
    assert shop.seen(len(expected)) == sorted(expected, key=str)
    check(visit)
    events = shop.arrivals(len(expected))
    assert len(events) == len(expected)
    assert {event["anonymous_id"] for event in events} <= set(visit.cookies.values())
    properties = next(event["properties"] for event in events if event["name"] == "plan_upgraded")
    assert properties["amount"] == 100
    assert "api_key" not in properties


@each_sdk
def test_addresses_that_blockers_do_not_know(sdk: Sdk, shop: Shop, visit: Visit, served: Served) -> None:
    shop.open(visit, sdk, "/a", 'data-randomize-url="true"')
    call(visit, sdk, "track", "plan_upgraded", {})
    assert shop.seen(2) == [Seen("pageview", "/a"), Seen("plan_upgraded", "/a")]
    check(visit)
    for request in visit.sent:
        assert re.fullmatch(r"/api\.\w+\?p_\w+=\w+", request.url.removeprefix(served.url))


@each_sdk
def test_strict_privacy(sdk: Sdk, shop: Shop, visit: Visit) -> None:
    shop.open(visit, sdk, "/a", 'data-privacy-policy="strict"')
    call(visit, sdk, "track", "plan_upgraded", {})
    assert shop.seen(2) == [Seen("pageview", "/a", known=False), Seen("plan_upgraded", "/a", known=False)]
    check(visit)
    assert visit.cookies == {}
    assert all("cookie_policy=strict&ip_policy=strict" in request.url for request in visit.sent)


@each_sdk
def test_fetch(sdk: Sdk, shop: Shop, visit: Visit) -> None:
    shop.open(visit, sdk, "/a", 'data-force-use-fetch="true"')
    call(visit, sdk, "track", "plan_upgraded", {})
    assert shop.seen(2) == [Seen("pageview", "/a"), Seen("plan_upgraded", "/a")]
    check(visit)
    assert {request.resource_type for request in visit.sent} == {"fetch"}


def test_beacons(shop: Shop, visit: Visit) -> None:
    """The event of the moment of leaving is sent at once, one in the queue at the latest on the next visit."""
    options = 'data-use-beacon-api="true"'
    shop.open(visit, USERMAVEN, "/a", options)
    assert shop.seen(1) == [Seen("pageview", "/a")]
    check(visit)
    shop.leave(visit, USERMAVEN, "track", "left", {}, True)
    assert shop.seen(2) == [Seen("left", "/a"), Seen("pageview", "/a")]
    shop.open(visit, USERMAVEN, "/b", options)
    shop.leave(visit, USERMAVEN, "track", "queued", {})
    shop.open(visit, USERMAVEN, "/c", options)
    assert shop.seen(5) == [
        Seen("left", "/a"),
        Seen("pageview", "/a"),
        Seen("pageview", "/b"),
        Seen("pageview", "/c"),
        Seen("queued", "/b"),
    ]
    visit.settle()
    assert {request.resource_type for request in visit.sent} == {"ping"}


@pytest.mark.parametrize("sdk", [OLD_USERMAVEN, JITSU], ids=lambda sdk: sdk.name)
def test_beacons_of_plain_text_on_leaving(sdk: Sdk, shop: Shop, visit: Visit) -> None:
    shop.open(visit, sdk, "/a")
    assert shop.seen(1) == [Seen("pageview", "/a")]
    check(visit)
    # These versions choose the transport before they read the option, so it takes a second `init`.
    client = f"{sdk.function}Client"
    visit.page.evaluate(f"{client}.init({{...{client}.initialOptions, use_beacon_api: true}})")
    visit.page.evaluate(f"{client}.init({client}.initialOptions)")
    shop.leave(visit, sdk, "track", "left", {})
    assert shop.seen(2) == [Seen("left", "/a"), Seen("pageview", "/a")]
    beacons = [request for request in visit.sent if request.resource_type == "ping"]
    assert {request.headers["content-type"] for request in beacons} == {"text/plain"}


def test_an_event_whose_answer_was_lost_is_sent_again_and_stored_once(shop: Shop, visit: Visit) -> None:
    lost: list[int] = []

    def lose(route: Any) -> None:
        """Let the request reach the server, but not the answer the page."""
        lost.append(route.fetch().status)
        route.abort("connectionreset")

    shop.open(visit, USERMAVEN, "/a", 'data-min-send-timeout="50"')
    assert shop.seen(1) == [Seen("pageview", "/a")]
    check(visit)
    visit.page.route("**/api/v1/event*", lose, times=2)
    call(visit, USERMAVEN, "track", "plan_upgraded", {})
    visit.settle()
    assert lost == [200, 200]
    assert visit.statuses[-1] == 200
    assert shop.seen(2) == [Seen("pageview", "/a"), Seen("plan_upgraded", "/a")]
